"""The consensus of every session against the one of a single day, and PE through time by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aitheme.consensus import EstimateRecords, consensus_as_of
from aitheme.errors import DateRangeError
from aitheme.multiples import basket_multiples, consensus_path, eps_of_year, fiscal_years, pe_reasons

DAYS = pd.date_range("2022-01-01", "2023-12-31", freq="D")


def invented(seed):
    rng = np.random.default_rng(seed)
    count = 200
    forecasts = pd.DataFrame(
        {
            "symbol": rng.choice(list("abcdefgh"), count), "broker": rng.choice(list("xyz"), count),
            "published": rng.choice(DAYS, count), "fiscal_year": rng.choice([2022, 2023], count),
            "report": [f"r{n}" for n in range(count)], "eps": rng.normal(size=count).round(2),
            "currency": rng.choice(["CNY", "HKD"], count, p=[0.8, 0.2]),
        }
    )  # fmt: skip
    count = 48
    stated = pd.DataFrame(
        {
            "symbol": rng.choice(list("abcdefgh"), count), "fiscal_year": rng.choice([2022, 2023], count),
            "kind": rng.choice(["A", "E"], count, p=[0.2, 0.8]), "eps": rng.normal(size=count), "currency": "CNY",
            "analysts": 1.0, "source": rng.choice(["ths", "em"], count), "published": rng.choice(DAYS, count),
        }
    ).drop_duplicates(["symbol", "fiscal_year", "source", "published"])  # fmt: skip
    reported = pd.DataFrame(
        {
            "symbol": ["a"],
            "fiscal_year": [2022],
            "eps": [9.0],
            "currency": "CNY",
            "published": pd.Timestamp("2023-04-01"),
        }
    )
    return EstimateRecords(stated, forecasts, reported)


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([30, 180]), st.integers(0, 90))
def test_the_path_is_the_consensus_of_each_day(seed, window, offset):
    records = invented(seed)
    path = consensus_path(records, DAYS, window)
    for day in DAYS[offset::91]:
        single = consensus_as_of(records, day.date(), window)
        wanted = {(r.symbol, r.fiscal_year): (r.eps, r.kind == "A", r.currency, r.source) for r in single.itertuples()}
        rows = [frame.loc[day].to_dict() for frame in (path.eps, path.actual, path.currency, path.source)]
        got = {key: tuple(row[key] for row in rows) for key in path.eps if np.isfinite(rows[0][key])}
        assert got.keys() == wanted.keys()
        for key, values in wanted.items():
            assert got[key][0] == pytest.approx(values[0], abs=1e-12)
            assert got[key][1:] == values[1:]


def test_ties_by_hand():
    """As many brokers in two currencies: the currency of the newest forecast. Two sources on a day: the first by name."""
    forecasts = pd.DataFrame(
        [("a", "x", 1.0, "CNY", "2023-03-01"), ("a", "y", 2.0, "HKD", "2023-03-05"), ("a", "z", 3.0, "CNY", "2023-03-06"),
         ("b", "x", 1.0, "HKD", "2023-03-01"), ("b", "y", 2.0, "CNY", "2023-03-05")],
        columns=["symbol", "broker", "eps", "currency", "published"],
    ).assign(published=lambda f: pd.to_datetime(f["published"]), fiscal_year=2023, report=list("12345"))  # fmt: skip
    stated = pd.DataFrame(
        {"symbol": "c", "fiscal_year": 2023, "kind": "E", "eps": [5.0, 4.0], "currency": "CNY", "analysts": np.nan,
         "source": ["ths", "em"], "published": pd.Timestamp("2023-03-01")}
    )  # fmt: skip
    reported = invented(0).reported.iloc[:0]
    days = pd.DatetimeIndex(["2023-03-04", "2023-03-05", "2023-03-06"])
    records = EstimateRecords(stated, forecasts, reported)
    path = consensus_path(records, days)
    assert path.eps["a", 2023].tolist() == [1.0, 2.0, 2.0]  # CNY of one; HKD of the newer one; CNY of two
    assert path.currency["a", 2023].tolist() == ["CNY", "HKD", "CNY"]
    assert path.eps["b", 2023].tolist() == [1.0, 2.0, 2.0]
    assert path.currency["b", 2023].tolist() == ["HKD", "CNY", "CNY"]
    assert path.eps["c", 2023].tolist() == [4.0] * 3
    assert set(path.source["c", 2023]) == {"em"}
    single = consensus_as_of(records, days[1].date()).set_index("symbol")
    assert single["eps"].to_dict() == {"a": 2.0, "b": 2.0, "c": 4.0}
    assert single["currency"].to_dict() == {"a": "HKD", "b": "CNY", "c": "CNY"}


def test_pe_through_time_by_hand():
    days = pd.DatetimeIndex(["2023-03-30", "2023-03-31", "2023-04-03"])
    stated = pd.DataFrame(
        [("a", 2022, "E", 1.0, "CNY", "2023-03-01"), ("a", 2023, "E", 2.0, "CNY", "2023-03-01"),
         ("b", 2023, "E", 0.5, "HKD", "2023-03-01"), ("c", 2023, "E", -1.0, "CNY", "2023-04-01")],
        columns=["symbol", "fiscal_year", "kind", "eps", "currency", "published"],
    ).assign(published=lambda f: pd.to_datetime(f["published"]), source="s", analysts=np.nan)  # fmt: skip
    reported = pd.DataFrame(
        {"symbol": ["a", "a"], "fiscal_year": [2021, 2022], "eps": [0.9, 1.1], "currency": "CNY",
         "published": pd.to_datetime(["2022-04-01", "2023-03-31"])}
    )  # fmt: skip
    path = consensus_path(EstimateRecords(stated, invented(0).forecasts.iloc[:0], reported), days)
    symbols = ["a", "b", "c", "d"]
    years = fiscal_years(path, symbols)
    assert years["a"].tolist() == [2022, 2023, 2023]  # the report of 2022 came out on the second day
    assert years["b"].tolist() == [2023, 2023, 2023]
    assert fiscal_years(path, symbols, 2022)["b"].tolist() == [2022] * 3
    currency = dict.fromkeys(symbols, "CNY")
    eps, foreign = eps_of_year(path, years, currency)
    assert eps["a"].tolist() == [1.0, 2.0, 2.0]
    assert foreign["b"].all()
    assert eps["b"].isna().all()
    assert eps_of_year(path, years, currency, {"HKDCNY": 0.9})[0]["b"].tolist() == pytest.approx([0.45] * 3)
    price = pd.DataFrame({"a": [10.0, 20.0, np.nan], "b": 1.0, "c": 5.0, "d": 5.0}, index=days)
    reasons = pe_reasons(price, eps, foreign)
    assert reasons["a"].tolist() == ["", "", "no price"]
    assert reasons["b"].tolist() == ["other currency"] * 3
    assert reasons["c"].tolist() == ["no estimate", "no estimate", "EPS not positive"]
    assert reasons["d"].tolist() == ["no estimate"] * 3
    shares = pd.DataFrame({"a": 10.0, "b": 1.0, "c": 4.0, "d": np.nan}, index=days)
    basket = basket_multiples(price.fillna(30.0), eps, shares)
    assert basket["aggregate"].tolist() == pytest.approx([10.0, 10.0, (300 + 20) / (20 - 4)])
    assert basket["median"].tolist() == [10.0, 10.0, 15.0]
    assert basket[["n_members", "n_eps", "n_loss"]].iloc[-1].tolist() == [4, 2, 1]
    losing = basket_multiples(price[["c"]], eps[["c"]], shares[["c"]])
    assert losing["aggregate"].isna().all()  # total earnings are not positive


def test_no_record_at_all_and_a_wrong_window():
    empty = EstimateRecords(
        *(part.iloc[:0] for part in (invented(0).stated, invented(0).forecasts, invented(0).reported))
    )
    path = consensus_path(empty, DAYS[:3])
    years = fiscal_years(path, ["a"])
    eps, foreign = eps_of_year(path, years, {"a": "CNY"})
    assert eps["a"].isna().all()
    assert not foreign["a"].any()
    with pytest.raises(DateRangeError, match="window_days"):
        consensus_path(empty, DAYS[:3], 0)
