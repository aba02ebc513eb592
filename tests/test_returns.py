import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aitheme.errors import DateRangeError
from aitheme.returns import basket_index, drawdown, performance, rebase

SESSIONS = pd.bdate_range("2024-03-01", periods=8)


def frame(columns):
    return pd.DataFrame(columns, index=SESSIONS[: len(next(iter(columns.values())))], dtype=float)


def test_buy_and_hold_and_daily_rebalanced_by_hand():
    levels = frame({"a": [10, 20, 20], "b": [10, 10, 20]})
    assert basket_index(levels).values.tolist() == [1.0, 1.5, 2.0]
    assert np.allclose(basket_index(levels, rebalance="daily").values, [1.0, 1.5, 2.25])


def test_cap_weights_by_hand():
    levels = frame({"a": [10, 20], "b": [10, 10]})
    index = basket_index(levels, weight="cap", caps=pd.Series({"a": 300.0, "b": 100.0}))
    assert index.values.tolist() == [1.0, 1.75]
    with pytest.raises(DateRangeError, match="needs share counts"):
        basket_index(levels, weight="cap")


def test_members_without_prices_are_counted_not_dropped_in_silence():
    levels = frame({"a": [10, 11, np.nan, 12], "late": [np.nan, np.nan, 5, 10], "none": [np.nan] * 4})
    held = basket_index(levels)
    assert (held.used, held.not_listed, held.no_data, held.members) == (("a",), ("late",), ("none",), 3)
    assert held.suspended.tolist() == [0, 0, 1, 0]
    assert np.allclose(held.values, [1, 1.1, 1.1, 1.2])
    daily = basket_index(levels, rebalance="daily")
    assert daily.used == ("a", "late")
    assert daily.members == 3
    # Session 3: a suspended, late has no return yet; session 4: mean of a's gap return and late's doubling.
    assert np.allclose(daily.values, [1, 1.1, 1.1, 1.1 * (1 + (12 / 11 - 1 + 1.0) / 2)])


def test_no_usable_member_is_an_error():
    with pytest.raises(DateRangeError, match="none of its 1 members has a price"):
        basket_index(frame({"a": [np.nan, 1.0]}))


def test_performance_by_hand():
    levels = frame({"a": [10, 12, 9, 11]})
    benchmark = pd.Series([100.0, 101, 102, 105], index=levels.index, name="000300.SH")
    result = performance("x", basket_index(levels), benchmark)
    assert result.total_return == pytest.approx(0.1)
    assert result.benchmark_return == pytest.approx(0.05)
    assert result.excess_return == pytest.approx(0.05)
    assert result.max_drawdown == pytest.approx(-0.25)
    daily = [0.2, -0.25, 11 / 9 - 1]
    assert result.volatility_annual == pytest.approx(np.std(daily, ddof=1) * np.sqrt(242))
    assert performance("x", basket_index(levels.iloc[:2]), None).volatility_annual is None


def test_rebase_takes_the_last_close_on_or_before():
    levels = frame({"a": [10, np.nan, 12, 15], "b": [np.nan, np.nan, 5, 6]})
    based = rebase(levels, SESSIONS[1].date())
    assert based["a"].tolist()[1:] == [1.2, 1.5]
    assert based["b"].isna().all()
    with pytest.raises(DateRangeError, match="before the first session"):
        rebase(levels, pd.Timestamp("2024-01-01").date())


LEVELS = arrays(float, (6, 3), elements=st.floats(1, 100))


@settings(max_examples=50)
@given(LEVELS)
def test_a_naive_loop_agrees(values):
    levels = frame({str(i): values[:, i] for i in range(3)})
    held = [np.mean([values[t, i] / values[0, i] for i in range(3)]) for t in range(6)]
    assert np.allclose(basket_index(levels).values, held)
    chained = [1.0]
    for t in range(1, 6):
        chained.append(chained[-1] * np.mean([values[t, i] / values[t - 1, i] for i in range(3)]))
    assert np.allclose(basket_index(levels, rebalance="daily").values, chained)


@settings(max_examples=50)
@given(LEVELS, st.floats(0.1, 10))
def test_scale_does_not_matter_and_drawdown_is_bounded(values, scale):
    levels = frame({str(i): values[:, i] for i in range(3)})
    index = basket_index(levels).values
    assert np.allclose(basket_index(levels * scale).values, index)
    fall = drawdown(index)
    assert ((fall <= 0) & (fall > -1)).all()
    worst = min(index.iloc[j] / index.iloc[i] - 1 for i in range(6) for j in range(i, 6))
    assert fall.min() == pytest.approx(worst)
