"""Limit days and limit-aware CARs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aitheme.eventstudy import StudyError, event_study
from aitheme.eventstudy.limits import limit_counts
from tests.eventstudy.conftest import simulate

DAY0 = 320


def test_censored_move_is_carried_to_the_first_unlocked_session():
    abnormal = np.zeros((12, 4))
    abnormal[5:9, 0] = [0.1, 0.1, 0.03, 0.5]
    abnormal[5, 1] = 0.02
    abnormal[5:8, 2] = [-0.1, np.nan, -0.04]
    abnormal[5:, 3] = 0.1
    state = np.zeros((12, 4), dtype=np.int64)
    state[5:7, 0] = 1
    state[5, 2] = -1
    state[5:, 3] = 1
    counts = limit_counts(abnormal, state, 5, (0, 0), longest=3)
    np.testing.assert_allclose(counts.car, [0.23, 0.02, -0.14, 0.4])
    assert list(counts.extended) == [2, 0, 2, 3]
    assert list(counts.up) == [1, 0, 0, 1]
    assert list(counts.down) == [0, 0, 1, 0]
    assert list(counts.locked_at_exit) == [True, False, True, True]
    assert not counts.locked_at_entry.any()


def test_study_counts_limit_days_and_extends_cars():
    returns, market = simulate(stocks=5, seed=2)
    state = pd.DataFrame(0, index=returns.index, columns=returns.columns, dtype="int8")
    state.iloc[DAY0 + 4 : DAY0 + 6, 0] = 1
    state.iloc[DAY0 + 1, 1] = -1
    state.iloc[DAY0 - 1, 2] = 1
    options = {"benchmark": market, "draws": 0}
    result = event_study(returns, ("x", returns.index[DAY0]), limit_state=state, window=(0, 4), **options)
    longer = event_study(returns, ("x", returns.index[DAY0]), window=(0, 6), **options)
    stocks = result.limits.stocks.set_index("symbol")
    first = returns.columns[0]
    assert stocks.loc[first, "limit_aware_car"] == pytest.approx(longer.car[first], rel=1e-12)
    assert stocks.loc[first, "extended"] == 2
    others = stocks.drop(index=first)
    np.testing.assert_allclose(others["limit_aware_car"], others["car"])
    assert result.limits.days["limit_up"].to_list() == [0, 0, 0, 0, 1]
    assert result.limits.days["limit_down"].to_list() == [0, 1, 0, 0, 0]
    assert stocks["locked_at_entry"].to_list() == [False, False, True, False, False]
    assert result.limits.limit_aware_caar == pytest.approx(stocks["limit_aware_car"].mean())
    assert "limit days in the window: 1 up, 1 down" in str(result.summary())


def test_limit_state_must_cover_the_stocks():
    returns, market = simulate(stocks=5, seed=2)
    state = pd.DataFrame(0, index=returns.index, columns=returns.columns[:3])
    with pytest.raises(StudyError, match="limit_state has no column"):
        event_study(returns, ("x", returns.index[DAY0]), benchmark=market, limit_state=state, draws=0)
