"""The mean CAR over releases: the study engine's own t for one, and a t that keeps its size when windows overlap."""

from __future__ import annotations

import numpy as np
import pytest

from aitheme.eventstudy import portfolio_statistic
from aitheme.screen.releases import mean_release_cars


def market(days, stocks, seed=0):
    rng = np.random.default_rng(seed)
    benchmark = rng.normal(0, 0.01, days)
    returns = 0.001 + 1.2 * benchmark[:, None] + rng.standard_t(5, (days, stocks)) * 0.02
    return returns, benchmark


def test_one_release_has_the_t_of_the_event_study():
    returns, benchmark = market(400, 3)
    returns[[60, 200, 331], 0] = np.nan
    found = mean_release_cars(returns, benchmark, np.array([0, 1, 2]), np.array([330, 330, 350]))
    for stock, row in ((0, 330), (1, 330), (2, 350)):
        wanted = portfolio_statistic(returns[:, stock], benchmark, np.array([row]), (0, 4), (250, 30), "ewma")
        assert found.t[stock] == pytest.approx(wanted[0])
    assert found.n.tolist() == [1, 1, 1]


def test_releases_of_a_day_are_one_and_windows_outside_the_data_none():
    returns, benchmark = market(400, 2)
    once = mean_release_cars(returns, benchmark, np.array([0]), np.array([330]))
    twice = mean_release_cars(returns, benchmark, np.array([0, 0, 0, 1]), np.array([330, 330, 397, 100]))
    assert twice.n.tolist() == [1, 0]
    assert twice.t[0] == once.t[0]
    assert np.isnan(twice.mean_car[1])
    young = returns.copy()
    young[:200, 0] = np.nan
    assert mean_release_cars(young, benchmark, np.array([0]), np.array([330])).n[0] == 0  # 101 returns are too few
    assert mean_release_cars(returns, benchmark, np.array([], dtype=int), np.array([], dtype=int)).n.tolist() == [0, 0]


@pytest.mark.parametrize(("count", "span"), [(1, 1), (4, 6), (10, 60)])
def test_the_t_keeps_its_size_when_windows_overlap(count, span):
    returns, benchmark = market(420, 1500, seed=count)
    rng = np.random.default_rng(1)
    rows = 300 + rng.integers(0, span, (1500, count))
    found = mean_release_cars(returns, benchmark, np.repeat(np.arange(1500), count), rows.ravel())
    # Fifteen hundred independent stocks: two standard errors of a 5 % rate are 1.1 points.
    assert np.mean(found.p < 0.05) == pytest.approx(0.05, abs=0.015)


def test_counting_overlapping_windows_as_independent_would_not():
    """What the exact weights are for: the same draws with the variance of separate windows."""
    returns, benchmark = market(420, 1500, seed=4)
    rows = 300 + np.random.default_rng(1).integers(0, 6, (1500, 4))
    each = [mean_release_cars(returns, benchmark, np.arange(1500), rows[:, k]).t for k in range(4)]
    naive = np.sum(each, axis=0) / 2.0
    assert np.mean(np.abs(naive) > 2.04) > 0.2
