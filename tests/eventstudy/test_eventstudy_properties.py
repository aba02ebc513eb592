"""Identities that hold for any panel."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aitheme.eventstudy import event_study
from aitheme.eventstudy.arrays import midranks
from aitheme.eventstudy.correlation import dependence, mean_correlation
from aitheme.eventstudy.multiple import benjamini_hochberg, benjamini_yekutieli, holm
from tests.eventstudy.conftest import simulate

QUICK = settings(max_examples=12, deadline=None)
SEEDS = st.integers(0, 10_000)
DAY0 = 150
OPTIONS = {"window": (-2, 3), "estimation": (100, 20), "draws": 0, "min_valid": 30}
STATISTICS = ["test", "scope"]


def run(returns, market, **options):
    return event_study(returns, ("x", returns.index[DAY0]), benchmark=market, **{**OPTIONS, **options})


def panel(seed, holes=0.02):
    return simulate(stocks=7, days=160, seed=seed, holes=holes)


def statistics(result):
    return result.tests.set_index(STATISTICS)["statistic"].dropna()


@QUICK
@given(SEEDS)
def test_cars_add_up(seed):
    returns, market = panel(seed)
    result = run(returns, market, sub_windows=[(-2, 0), (1, 3)])
    np.testing.assert_allclose(result.abnormal_returns.sum(), result.car, atol=1e-14)
    parts = result.cars.loc["[-2, 0]"].fillna(0) + result.cars.loc["[1, 3]"].fillna(0)
    np.testing.assert_allclose(parts, result.car, atol=1e-14)
    assert result.caar.iloc[-1] == pytest.approx(result.car.mean(), abs=1e-15)


@QUICK
@given(SEEDS, st.sampled_from([0.01, 3.0, 250.0]))
def test_statistics_do_not_depend_on_the_unit_of_returns(seed, unit):
    returns, market = panel(seed)
    one, two = statistics(run(returns, market)), statistics(run(returns * unit, market * unit))
    pd.testing.assert_series_equal(one, two, rtol=1e-8, atol=1e-8)


@QUICK
@given(SEEDS)
def test_statistics_change_sign_with_returns(seed):
    returns, market = panel(seed)
    one, two = statistics(run(returns, market)), statistics(run(-returns, -market))
    even = {"joint_dates"}
    for key in one.index:
        assert two[key] == pytest.approx(one[key] if key[0] in even else -one[key], rel=1e-8, abs=1e-8), key


@QUICK
@given(SEEDS)
def test_order_of_stocks_does_not_matter(seed):
    returns, market = panel(seed)
    shuffled = returns[np.random.default_rng(seed).permutation(returns.columns)]
    one, two = run(returns, market), run(shuffled, market)
    pd.testing.assert_series_equal(statistics(one), statistics(two), rtol=1e-9, atol=1e-9)
    pd.testing.assert_series_equal(one.car, two.car[one.car.index])


@QUICK
@given(SEEDS)
def test_events_of_one_date_pool_like_one_basket(seed):
    returns, market = panel(seed)
    day = returns.index[DAY0]
    from aitheme.eventstudy import Event

    first, second = tuple(returns.columns[:3]), tuple(returns.columns[3:])
    pooled = event_study(returns, [Event("a", day, first), Event("b", day, second)], benchmark=market, **OPTIONS)
    one = run(returns, market)
    assert pooled.rbar == pytest.approx(one.rbar, rel=1e-10)
    table = pooled.tests.set_index(STATISTICS)["statistic"].dropna()
    pd.testing.assert_series_equal(table, statistics(one), rtol=1e-9, atol=1e-9)


@QUICK
@given(SEEDS, st.booleans())
def test_rbar_by_brute_force(seed, holes):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.02, (60, 9)) + rng.normal(0, 0.02, 60)[:, None]
    valid = np.ones(values.shape, dtype=bool)
    if holes:
        valid[rng.random(values.shape) < 0.1] = False
        valid[:, 0] = True
    values = np.where(valid, values, 0.0)
    means = np.array([values[valid[:, i], i].mean() for i in range(9)])
    total = 0.0
    for i in range(9):
        for j in range(9):
            if i == j:
                continue
            both = valid[:, i] & valid[:, j]
            a, b = values[both, i] - means[i], values[both, j] - means[j]
            total += a @ b / np.sqrt((a @ a) * (b @ b))
    assert mean_correlation(values, valid) == pytest.approx(total / 72, rel=1e-10)
    if not holes:
        table = np.corrcoef(values.T)
        assert mean_correlation(values, valid) == pytest.approx((table.sum() - 9) / 72, rel=1e-10)


def test_adjusted_equals_unadjusted_without_correlation():
    # Residuals made orthogonal to each other and to the regressors have rbar = 0 exactly.
    rng = np.random.default_rng(0)
    market = rng.normal(0, 0.01, 160)
    window = slice(DAY0 - 119, DAY0 - 19)
    basis, _ = np.linalg.qr(np.column_stack([np.ones(100), market[window], rng.standard_normal((100, 6))]))
    values = rng.normal(0, 0.02, (160, 6))
    values[window] = market[window, None] + 0.2 * basis[:, 2:]
    index = simulate(days=160)[0].index
    returns = pd.DataFrame(values, index=index, columns=list("abcdef"))
    result = run(returns, pd.Series(market, index=index))
    assert result.rbar == pytest.approx(0.0, abs=1e-12)
    assert result.inflation == pytest.approx(1.0)
    assert result.n_eff == pytest.approx(6.0)
    table = statistics(result)
    for name in ("patell", "bmp"):
        np.testing.assert_allclose(table[name], table[f"adj_{name}"], rtol=1e-9)


def test_perfect_negative_correlation_is_refused_with_a_reason():
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.02, 80)
    residuals, valid = np.column_stack([noise, -noise]), np.ones((80, 2), dtype=bool)
    link = dependence(residuals, valid, np.zeros(2, dtype=np.int64))
    assert "is not positive" in link.reason or link.inflation == pytest.approx(0.0, abs=1e-12)


def test_pairs_without_common_days_are_left_out():
    values, valid = np.random.default_rng(0).normal(0, 1, (40, 3)), np.ones((40, 3), dtype=bool)
    valid[:20, 0], valid[20:, 1] = False, False
    values = np.where(valid, values, 0.0)
    assert np.isfinite(mean_correlation(values, valid))


@QUICK
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusted_p_values_are_ordered(p):
    p = np.array(p)
    for adjust in (holm, benjamini_hochberg, benjamini_yekutieli):
        adjusted = adjust(p)
        assert (adjusted >= p - 1e-15).all()
        assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= -1e-15).all()
    assert (benjamini_yekutieli(p) >= benjamini_hochberg(p) - 1e-15).all()


@QUICK
@given(SEEDS)
def test_midranks_with_ties_and_holes(seed):
    from scipy.stats import rankdata

    rng = np.random.default_rng(seed)
    values = rng.integers(0, 6, (5, 12)).astype(float)
    valid = rng.random(values.shape) > 0.2
    ranks = midranks(values, valid)
    for row in range(5):
        np.testing.assert_allclose(ranks[row, valid[row]], rankdata(values[row, valid[row]]))
        assert (ranks[row, ~valid[row]] == 0).all()
