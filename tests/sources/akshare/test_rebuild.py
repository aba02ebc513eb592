"""Consensus of a past day: known answers, and the property that nothing later leaks in."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aitheme.errors import DateRangeError
from aitheme.sources.akshare import rebuild_consensus

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
