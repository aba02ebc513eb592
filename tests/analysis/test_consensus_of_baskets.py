"""PE through time, then against now, and revisions: the demo's numbers again from the store, and what is missing said."""

from __future__ import annotations

import numpy as np
import pytest

from aitheme.analysis import consensus_revision, pe_change, pe_history, pe_table
from aitheme.errors import AithemeError, DateRangeError
from aitheme.multiples import REASONS
from aitheme.sources import FetchRequest
from aitheme.sources.demo import DemoSource
from aitheme.store import StoreFiles, open_market, refresh
from aitheme.themes import load_theme

BASKET = "mszq-20240328/text-corpus"


@pytest.fixture(scope="module")
def theme():
    return load_theme("ai")


@pytest.fixture(scope="module")
def market(tmp_path_factory, theme):
    files = StoreFiles(tmp_path_factory.mktemp("demo"))
    refresh(files, DemoSource(theme, background=0), FetchRequest(), universe="theme")
    with open_market(files.root) as opened:
        yield opened


def test_pe_history_is_the_price_over_the_consensus_of_each_day(market, theme):
    past = pe_history(market, theme, BASKET, "2023-12-01", "2024-05-20")
    for day in past.pe.index[::23]:
        known = market.consensus(list(past.pe.columns), as_of=day.date()).set_index(["symbol", "fiscal_year"])
        for symbol in past.pe.columns:
            reason = past.reasons.loc[day, symbol]
            assert (reason == "") == np.isfinite(past.pe.loc[day, symbol])
            key = (symbol, past.years.loc[day, symbol])
            if reason == "":
                assert past.pe.loc[day, symbol] == pytest.approx(past.price.loc[day, symbol] / known.loc[key, "eps"])
            elif reason == "other currency":
                assert known.loc[key, "currency"] != "HKD"
            elif reason == "EPS not positive":
                assert known.loc[key, "eps"] <= 0
        row = past.pe.loc[day].dropna()
        assert past.basket.loc[day, "median"] == pytest.approx(row.median())
    assert tuple(past.missing.columns) == REASONS
    assert (past.missing.sum(axis=1) + past.pe.notna().sum(axis=1) == past.pe.shape[1]).all()
    assert past.coverage.set_index("symbol").loc["00772.HK", "reason"] == "other currency"
    assert any("no PE on any session for 1 of 15 names: other currency" in note for note in past.notes)
    assert past.bands()[0.5] == pytest.approx(past.basket["median"].median())
    assert past.provenance.simulated


def test_a_stated_rate_brings_the_hong_kong_name_in(market, theme):
    past = pe_history(market, theme, "00772.HK", "2024-05-06", "2024-05-20", rates={"CNYHKD": 1.08}, fiscal_year=2024)
    eps = market.consensus(["00772.HK"], as_of="2024-05-20").set_index("fiscal_year").loc[2024]
    assert eps["currency"] == "CNY"
    assert past.eps.iloc[-1, 0] == pytest.approx(1.08 * eps["eps"])
    assert any("CNYHKD 1.08" in note for note in past.notes)
    without = pe_table(market, theme, "00772.HK", as_of="2024-05-20")
    assert without.notes == ("00772.HK: EPS in CNY, price in HKD, and no rate CNYHKD was given",)
    assert not [name for name in without.table.columns if name.startswith("pe_")]
    priced = pe_table(market, theme, "00772.HK", as_of="2024-05-20", rates={"CNYHKD": 1.08}, years=[2024])
    assert priced.table["eps_2024E"].iloc[0] == pytest.approx(1.08 * eps["eps"])
    with pytest.raises(AithemeError, match="rates: CNY"):
        pe_table(market, theme, "00772.HK", as_of="2024-05-20", rates={"CNY": 1.08})


def test_then_and_now_are_each_as_known_then(market, theme):
    change = pe_change(market, theme, BASKET, "2023-12-29", "2024-05-20")
    assert change.fiscal_year == 2024
    then, now = (
        market.consensus(change.table["symbol"], as_of=day).set_index(["symbol", "fiscal_year"])["eps"]
        for day in ("2023-12-29", "2024-05-20")
    )
    for row in change.table[change.table["reason"] == ""].itertuples():
        assert row.pe_then == pytest.approx(row.price_then / then[row.symbol, 2024])
        assert row.pe_now == pytest.approx(row.price_now / now[row.symbol, 2024])
        assert row.eps_change == pytest.approx(
            (now[row.symbol, 2024] - then[row.symbol, 2024]) / abs(then[row.symbol, 2024])
        )
    assert set(change.table["reason"]) <= {"", *REASONS}
    assert change.table["pe_now"].isna().equals((change.table["eps_now"] > 0) != 1)
    assert (change.then.n_members, change.now.n_members) == (15, 15)
    with pytest.raises(DateRangeError, match="from"):
        pe_change(market, theme, BASKET, "2024-05-20", "2023-12-29")


def test_revisions_name_their_sources_and_what_is_missing(market, theme):
    change = consensus_revision(market, theme, "mszq-20240328", "2023-12-29", "2024-03-28")
    assert change.fiscal_year == 2023
    assert set(change.table["source_now"]) == {"mszq-20240328"}  # the print stands on its day
    assert set(change.table["source_then"]) == {"rebuilt"}
    row = change.table.iloc[0]
    assert row["revision"] == pytest.approx((row["eps_now"] - row["eps_then"]) / abs(row["eps_then"]))
    assert change.n_up + change.n_down + change.n_same + change.n_missing == len(change.table)
    assert change.mean == pytest.approx(change.table["revision"].mean())
    early = consensus_revision(market, theme, BASKET, "2023-12-29", "2024-03-28", fiscal_year=2031)
    assert early.n_missing == len(early.table)
    assert set(early.table["reason"]) == {"no estimate"}
    assert np.isnan(early.median)


def test_the_years_of_a_valuation(market, theme):
    printed = pe_table(market, theme, "mszq-20240328", as_of="2024-03-28").table
    assert [name for name in printed.columns if name.startswith("eps_")] == ["eps_2022A", "eps_2023E", "eps_2024E"]
    other = pe_table(market, theme, BASKET, as_of="2024-05-20").table
    assert {name[4:8] for name in other.columns if name.startswith("eps_")} == {"2023", "2024", "2025", "2026"}
