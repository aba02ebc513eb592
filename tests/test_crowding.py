"""Crowding measures against naive loops and by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitheme.crowding import above_mean, around, trailing_percentile, turnover_share

SESSIONS = pd.bdate_range("2024-01-01", periods=40)


def made(seed=1, columns=("a", "b", "c"), holes=0.15):
    rng = np.random.default_rng(seed)
    values = 10 * np.exp(np.cumsum(rng.normal(0, 0.03, (40, len(columns))), axis=0))
    return pd.DataFrame(np.where(rng.random(values.shape) < holes, np.nan, values), SESSIONS, list(columns))


def test_turnover_share_by_hand():
    amounts = pd.DataFrame({"a": [2.0, np.nan, np.nan], "b": [3.0, 1.0, np.nan]}, SESSIONS[:3])
    market = pd.Series([10.0, 4.0, 5.0], SESSIONS[:3])
    assert turnover_share(amounts, market).tolist()[:2] == [0.5, 0.25]
    assert np.isnan(turnover_share(amounts, market).iloc[2])


def test_a_market_without_turnover_gives_no_share():
    amounts = pd.DataFrame({"a": [1.0, 1.0]}, SESSIONS[:2])
    share = turnover_share(amounts, pd.Series([0.0], SESSIONS[:1]))
    assert share.isna().all()


def test_percentile_against_a_loop():
    values = made()["a"]
    found = trailing_percentile(values, 12)
    for at in range(40):
        window = values.iloc[max(0, at - 11) : at + 1].dropna()
        if at < 11 or np.isnan(values.iloc[at]):
            assert np.isnan(found.iloc[at])
        else:
            assert found.iloc[at] == pytest.approx((window <= values.iloc[at]).mean())


@given(st.integers(2, 30), st.integers(0, 1000))
def test_the_highest_of_a_window_stands_at_one(length, seed):
    values = pd.Series(np.random.default_rng(seed).normal(size=40), SESSIONS)
    found = trailing_percentile(values, length).dropna()
    assert ((found > 0) & (found <= 1)).all()
    at = int(np.argmax(values.to_numpy()[length - 1 :])) + length - 1
    if values.iloc[at - length + 1 : at + 1].idxmax() == values.index[at]:
        assert found.loc[values.index[at]] == 1.0


def test_above_mean_against_a_loop():
    levels = made()
    found = above_mean(levels, 5)
    for name in levels:
        traded = [value for value in levels[name] if not np.isnan(value)]
        seen = 0
        for session, value in levels[name].items():
            if np.isnan(value):
                assert np.isnan(found.loc[session, name])
                continue
            seen += 1
            if seen < 5:
                assert np.isnan(found.loc[session, name])
            else:
                assert found.loc[session, name] == float(value > np.mean(traded[seen - 5 : seen]))


def test_a_stock_that_never_traded_is_missing_not_below():
    levels = made().assign(d=np.nan)
    assert above_mean(levels)["d"].isna().all()


def test_around_averages_what_is_known_and_refuses_a_span_outside_the_data():
    table = pd.DataFrame({"x": [1.0, 2.0, np.nan, 4.0, 5.0]}, SESSIONS[:5])
    found = around(table, [2, 4], {"before": (-2, -1), "day0": (0, 0), "after": (1, 2)})["x"]
    assert found.iloc[0].tolist()[0] == 1.5
    assert np.isnan(found.loc[0, "day0"])
    assert found.loc[0, "after"] == 4.5
    assert found.loc[1, "before"] == 4.0
    assert found.loc[1, "day0"] == 5.0
    assert np.isnan(found.loc[1, "after"])
