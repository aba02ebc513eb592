"""Consensus of a past day: known answers, and the property that nothing later leaks in."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aitheme.consensus import (
    CONSENSUS_COLUMNS,
    EstimateRecords,
    consensus_as_of,
    first_forecast_years,
    in_trading_currency,
    rebuild_consensus,
)
from aitheme.errors import AithemeError, DateRangeError

DAY = date(2024, 3, 18)


def forecasts(*rows):
    names = ("broker", "published", "fiscal_year", "eps")
    frame = pd.DataFrame([dict(zip(names, row, strict=True)) for row in rows])
    return frame.assign(symbol="600000.SH", currency="CNY", report=[f"AP{n}" for n in range(len(frame))])


KNOWN = forecasts(
    ("甲", date(2024, 1, 10), 2024, 1.0),
    ("甲", date(2024, 3, 1), 2024, 1.4),
    ("乙", date(2024, 2, 1), 2024, 1.0),
    ("乙", date(2024, 3, 18), 2024, 0.9),
    ("丙", date(2024, 2, 15), 2024, 1.2),
    ("丁", date(2024, 3, 19), 2024, 9.0),
    ("戊", date(2023, 6, 1), 2024, 5.0),
)


def test_known_answer():
    row = rebuild_consensus(KNOWN, DAY).iloc[0]
    assert row["eps"] == pytest.approx((1.4 + 0.9 + 1.2) / 3)
    assert (row["eps_median"], row["eps_low"], row["eps_high"], row["analysts"]) == (1.2, 0.9, 1.4, 3)
    assert row["dispersion"] == pytest.approx(np.std([1.4, 0.9, 1.2], ddof=1) / row["eps"])
    assert (row["revised_up"], row["revised_down"]) == (1, 1)
    assert (row["oldest"].date(), row["newest"].date()) == (date(2024, 2, 15), DAY)


def test_window_decides_who_counts():
    assert rebuild_consensus(KNOWN, DAY, 365)["analysts"].tolist() == [4]
    assert rebuild_consensus(KNOWN, DAY, 1)["analysts"].tolist() == [1]
    assert rebuild_consensus(KNOWN, date(2020, 1, 1)).empty
    with pytest.raises(DateRangeError, match="window_days"):
        rebuild_consensus(KNOWN, DAY, 0)


def test_one_analyst_has_no_dispersion():
    row = rebuild_consensus(KNOWN[KNOWN["broker"] == "丙"], DAY).iloc[0]
    assert np.isnan(row["dispersion"])


rows = st.lists(
    st.tuples(
        st.sampled_from("甲乙丙丁"),
        st.integers(0, 400).map(lambda n: date(2023, 6, 1) + timedelta(days=n)),
        st.sampled_from([2023, 2024, 2025]),
        st.floats(-5, 5).map(lambda v: round(v, 2)),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(rows, st.integers(0, 400), st.sampled_from([30, 180, 400]))
def test_nothing_published_later_changes_the_past(rows, offset, window):
    as_of = date(2023, 6, 1) + timedelta(days=offset)
    frame = forecasts(*rows)
    past = frame[frame["published"] <= as_of]
    pd.testing.assert_frame_equal(
        rebuild_consensus(frame, as_of, window), rebuild_consensus(past, as_of, window), check_dtype=False
    )


@settings(max_examples=60, deadline=None)
@given(rows, st.integers(0, 400))
def test_against_a_naive_loop(rows, offset):
    as_of = date(2023, 6, 1) + timedelta(days=offset)
    frame = forecasts(*rows)
    latest = {}
    for row in frame.sort_values(["published", "report"], kind="stable").itertuples():
        if as_of - timedelta(days=180) < row.published <= as_of:
            latest.setdefault(row.fiscal_year, {})[row.broker] = row.eps
    table = rebuild_consensus(frame, as_of)
    assert table["fiscal_year"].tolist() == sorted(latest)
    for row in table.itertuples():
        values = list(latest[row.fiscal_year].values())
        assert row.eps == pytest.approx(np.mean(values))
        assert row.eps_median == pytest.approx(np.median(values))
        assert row.analysts == len(values)


# --- what counts, and from when ---------------------------------------------------------------------------------------


def records(stated=(), brokers=(), reported=()):
    names = ["symbol", "fiscal_year", "kind", "eps", "currency", "analysts", "source", "published"]
    made = pd.DataFrame(list(stated), columns=names)
    annual = pd.DataFrame(list(reported), columns=["symbol", "fiscal_year", "eps", "currency", "published"])
    empty = forecasts(("甲", DAY, 2024, 1.0)).iloc[:0]
    return EstimateRecords(made, forecasts(*brokers) if brokers else empty, annual)


def stated_row(eps, published, *, year=2024, kind="E", source="ths", currency="CNY", analysts=None):
    return ("600000.SH", year, kind, eps, currency, analysts, source, published)


def test_what_is_stated_counts_for_a_month_then_the_brokers_do():
    made = records(
        [stated_row(2.0, date(2024, 3, 1), analysts=7)],
        [("甲", date(2024, 2, 1), 2024, 1.0), ("乙", date(2024, 2, 20), 2024, 1.5)],
    )
    before, fresh, later = (consensus_as_of(made, day).iloc[0] for day in
                            (date(2024, 2, 25), date(2024, 3, 30), date(2024, 3, 31)))  # fmt: skip
    assert (before["source"], before["eps"], before["analysts"]) == ("rebuilt", 1.25, 2)
    assert (fresh["source"], fresh["eps"], fresh["analysts"]) == ("ths", 2.0, 7)
    assert (later["source"], later["eps"]) == ("rebuilt", 1.25)
    assert fresh["brokers"] == 2  # the forecasts stay beside it
    assert fresh["dispersion"] == pytest.approx(np.std([1.0, 1.5], ddof=1) / 1.25)
    old = consensus_as_of(made, date(2024, 12, 31)).iloc[0]
    assert (old["source"], old["eps"], old["published"]) == ("ths", 2.0, pd.Timestamp("2024-03-01"))


def test_an_actual_counts_from_the_day_it_was_known_and_not_before():
    made = records(
        [stated_row(0.9, date(2024, 3, 1), year=2023), stated_row(0.8, date(2024, 3, 5), year=2023, kind="A")],
        reported=[
            ("600000.SH", 2023, 0.7, "CNY", date(2024, 4, 20)),
            ("600000.SH", 2023, 0.6, "CNY", date(2024, 9, 1)),  # restated
        ],
    )
    known = [consensus_as_of(made, day).iloc[0] for day in
             (date(2024, 3, 4), date(2024, 3, 5), date(2024, 4, 19), date(2024, 4, 20), date(2024, 9, 1))]  # fmt: skip
    assert [row["eps"] for row in known] == [0.9, 0.8, 0.8, 0.7, 0.6]
    assert [row["kind"] for row in known] == ["E", "A", "A", "A", "A"]
    assert [row["source"] for row in known] == ["ths", "ths", "ths", "reported", "reported"]
    assert np.isnan(known[-1]["revision_30"])  # an actual is not revised


def test_revisions_compare_like_with_like():
    made = records(
        [
            stated_row(1.0, date(2024, 1, 1)),
            stated_row(1.2, date(2024, 3, 10)),
            stated_row(3.0, date(2024, 1, 5), source="x"),
        ],
        [("甲", date(2023, 11, 1), 2024, 1.0), ("甲", date(2024, 3, 1), 2024, 0.5)],
    )
    row = consensus_as_of(made, DAY).iloc[0]
    assert row["eps"] == 1.2
    assert row["revision_30"] == pytest.approx(0.2)  # the same source's
    assert row["revision_90"] == pytest.approx(-0.5)  # it had none then: rebuilt on both days
    assert consensus_as_of(records([stated_row(1.0, DAY)]), DAY)["revision_90"].isna().all()
    loss = records(brokers=[("甲", date(2023, 11, 1), 2024, -1.0), ("甲", date(2024, 3, 1), 2024, -0.5)])
    assert consensus_as_of(loss, DAY)["revision_30"].iloc[0] == pytest.approx(
        0.5
    )  # a smaller loss is an upward revision


def test_nothing_on_record_is_an_empty_frame_with_types():
    frame = consensus_as_of(records(), DAY)
    assert frame.empty
    assert tuple(frame.columns) == CONSENSUS_COLUMNS
    assert frame["eps"].dtype == "float64"


def test_other_currencies_are_converted_at_a_stated_rate_or_refused_with_the_reason():
    made = consensus_as_of(
        records([stated_row(1.0, DAY, currency="CNY"), stated_row(2.0, DAY, year=2025, currency="HKD")]), DAY
    )
    table, refused = in_trading_currency(made, {"600000.SH": "HKD"}, {"CNYHKD": 1.1})
    assert table["eps"].tolist() == pytest.approx([1.1, 2.0])
    assert set(table["currency"]) == {"HKD"}
    assert refused == {}
    table, refused = in_trading_currency(made, {"600000.SH": "HKD"}, {"HKDCNY": 0.8})
    assert table["eps"].tolist() == pytest.approx([1.25, 2.0])
    table, refused = in_trading_currency(made, {"600000.SH": "HKD"})
    assert table["fiscal_year"].tolist() == [2025]
    assert refused == {"600000.SH": "EPS in CNY, price in HKD, and no rate CNYHKD was given"}
    for bad in ({"CNY": 1.0}, {"CNYHKD": 0.0}, {"CNYHKD": float("nan")}, {"CNY/HK": 1.0}):
        with pytest.raises(AithemeError, match="such as CNYHKD"):
            in_trading_currency(made, {}, bad)


@pytest.mark.parametrize(
    ("day", "last", "year"),
    [("2024-03-28", 2022, 2023), ("2024-03-28", 2023, 2024), ("2024-05-01", 2022, 2024), ("2024-03-28", 0, 2024),
     ("2024-12-31", 2023, 2024), ("2024-01-02", 2021, 2023)],
)  # fmt: skip
def test_fy1_follows_the_last_actual_and_the_reporting_season(day, last, year):
    assert first_forecast_years(np.array(day, dtype="datetime64[D]"), np.array(last)) == year


@settings(max_examples=60, deadline=None)
@given(rows, st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["A", "E"]), st.sampled_from(["ths", "em"])), max_size=6),
       st.integers(0, 400))  # fmt: skip
def test_the_consensus_of_a_day_ignores_whatever_became_known_later(brokers, stated, offset):
    as_of = date(2023, 6, 1) + timedelta(days=offset)
    made = [
        stated_row(round(n * 0.1, 2), date(2023, 6, 1) + timedelta(days=day), kind=kind, source=source)
        for n, (day, kind, source) in enumerate(stated)
    ]
    annual = [("600000.SH", 2023, 0.5, "CNY", date(2024, 4, 1)), ("600000.SH", 2023, 0.4, "CNY", date(2024, 6, 1))]
    whole = records(made, brokers, annual)

    def until(frame):
        return frame[np.array([day <= as_of for day in frame["published"]], dtype=bool)]

    past = EstimateRecords(until(whole.stated), until(whole.forecasts), until(whole.reported))
    pd.testing.assert_frame_equal(consensus_as_of(whole, as_of), consensus_as_of(past, as_of), check_dtype=False)
