"""The headline statistic: a naive loop, identities, and its size under changing volatility."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from aitheme.eventstudy import event_study
from aitheme.eventstudy.randomisation import Portfolio
from aitheme.eventstudy.volatility import DECAY, SETTLED, volatility_scaled
from aitheme.eventstudy.windows import make_design
from tests.eventstudy.conftest import simulate


def naive(returns, market, day0, window, *, side, excluded=()):
    """Session by session, as the definition reads."""
    errors = {}
    days = [s for s in range(day0 - 279, day0 - 29) if np.isfinite(returns[s]) and s not in excluded]
    rows = [(1.0, market[session], returns[session]) for session in days]
    x, y = np.array(rows)[:, :2], np.array(rows)[:, 2]
    coefficients = np.linalg.lstsq(x, y, rcond=None)[0]
    for session in range(len(returns)):
        if np.isfinite(returns[session]):
            errors[session] = returns[session] - coefficients[0] - coefficients[1] * market[session]
    first, last = day0 + window[0], day0 + window[1]
    weighted = total = squares = 0.0
    for session, error in errors.items():
        if session in excluded or first <= session <= last or (session > last and side == "before"):
            continue
        weight = DECAY ** (first - 1 - session if session < first else session - last - 1)
        weighted, total, squares = weighted + weight * error**2, total + weight, squares + weight**2
    inside = [session for session in range(first, last + 1) if session in errors]
    design = np.array([[1.0, market[session]] for session in inside]).sum(axis=0)
    correction = len(inside) + design @ np.linalg.inv(x.T @ x) @ design
    statistic = sum(errors[session] for session in inside) / np.sqrt(weighted / total * correction)
    return statistic, 2 * stats.t.sf(abs(statistic), total**2 / squares)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([(0, 0), (0, 4), (-5, 10)]),
    st.sampled_from(["both", "before"]),
    st.booleans(),
)
def test_a_naive_loop_agrees(seed, window, side, holes):
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.01, 360)
    returns = 0.9 * market + rng.normal(0, 0.02, 360)
    if holes:
        returns[rng.choice(np.r_[0:295, 320:360], 30, replace=False)] = np.nan
    excluded = np.zeros(360, dtype=bool)
    excluded[rng.choice(250, 5, replace=False)] = True
    portfolio = Portfolio(300, returns, market, True, np.ones(360))  # noqa: FBT003
    design = make_design(window, (250, 30))
    done = volatility_scaled([portfolio], design.scopes(by_day=False), design, side=side, excluded=excluded)
    statistic, p_value = naive(returns, market, 300, window, side=side, excluded=set(np.flatnonzero(excluded)))
    assert done.statistic[-1] == pytest.approx(statistic, rel=1e-9)
    assert done.p_value[-1] == pytest.approx(p_value, rel=1e-9)


def test_degrees_of_freedom_are_kishs_numbers():
    returns, market = simulate(stocks=5, days=500, seed=3)
    result = event_study(returns, ("x", returns.index[400]), benchmark=market, window=(0, 0), draws=0)
    assert result.outcomes["volatility_scaled_t"].df[-1] == pytest.approx(38, abs=0.1)
    assert result.outcomes["volatility_scaled_t_before"].df[-1] == pytest.approx(19, abs=0.1)


def test_the_headline_is_provisional_until_enough_sessions_followed():
    returns, market = simulate(stocks=5, days=400, seed=3)
    for after in (0, SETTLED - 1, SETTLED, 60):
        result = event_study(returns, ("x", returns.index[399 - after]), benchmark=market, window=(0, 0), draws=0)
        assert result.headline.sessions_after == after
        assert result.headline.provisional == (after < SETTLED)
        assert ("provisional" in str(result.summary())) == (after < SETTLED)
    last = event_study(returns, ("x", returns.index[399]), benchmark=market, window=(0, 0), draws=0).headline
    assert last.p_value == pytest.approx(last.p_value_before)


def test_several_dates_pool_and_overlapping_ones_do_not():
    returns, market = simulate(stocks=5, days=600, seed=4)
    apart = event_study(
        returns, {"a": returns.index[400], "b": returns.index[450]}, benchmark=market, window=(0, 4), draws=0
    )
    one, two = (
        event_study(returns, (name, returns.index[row]), benchmark=market, window=(0, 4), draws=0)
        for name, row in (("a", 400), ("b", 450))
    )
    total = sum(item.caar.iloc[-1] for item in (one, two))
    spread = sum((item.caar.iloc[-1] / item.outcomes["volatility_scaled_t"].statistic[-1]) ** 2 for item in (one, two))
    assert apart.outcomes["volatility_scaled_t"].statistic[-1] == pytest.approx(total / np.sqrt(spread), rel=1e-6)
    close = event_study(
        returns, {"a": returns.index[400], "b": returns.index[402]}, benchmark=market, window=(0, 4), draws=0
    )
    assert "overlap" in close.outcomes["volatility_scaled_t"].reason[-1]


def test_size_survives_a_volatility_regime_where_the_estimation_window_does_not():
    """Volatility triples 20 sessions before the event: the exact crude-dependence t over-rejects, the headline does not."""
    rng = np.random.default_rng(7)
    trials, day0 = 1500, 300
    design = make_design((0, 4), (250, 30))
    scopes = design.scopes(by_day=False)
    scale = np.where(np.arange(360) < day0 - 20, 0.01, 0.03)
    market = rng.normal(0, 0.01, 360)
    rejected = crude = 0
    for _ in range(trials):
        returns = market + rng.normal(0, 1, 360) * scale
        portfolio = Portfolio(day0, returns, market, True, np.ones(360))  # noqa: FBT003
        rejected += volatility_scaled([portfolio], scopes, design).p_value[-1] < 0.05
        error = returns - market
        crude += abs(error[day0 : day0 + 5].sum()) > 1.97 * error[day0 - 279 : day0 - 29].std() * np.sqrt(5)
    assert 0.035 < rejected / trials < 0.07
    assert crude / trials > 0.3
