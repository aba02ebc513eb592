"""Size and power on simulated data whose stocks share the event day."""

from __future__ import annotations

import numpy as np
import pytest

from aitheme.eventstudy import event_study
from tests.eventstudy.conftest import simulate

TESTS = ["cross_sectional_t", "bmp", "patell", "adj_bmp", "crude_dependence_exact_t", "grank_t", "randomisation_dates"]
REPEATS = 240
EVENT = 290
OPTIONS = {"window": (0, 4), "estimation": (120, 20), "by_day": False, "tests": TESTS}


def rejections(effect=0.0, repeats=REPEATS, **options):
    """Share of 5 % rejections per test over independent panels with a common residual factor."""
    hits = dict.fromkeys(TESTS, 0)
    for seed in range(repeats):
        returns, market = simulate(stocks=20, days=300, common=0.012, seed=seed)
        values = returns.to_numpy(copy=True)
        values[EVENT] += effect
        frame = returns.copy()
        frame[:] = values
        result = event_study(frame, ("x", frame.index[EVENT]), benchmark=market, **{**OPTIONS, **options})
        for name in TESTS:
            hits[name] += result.outcomes[name].p_value[-1] < 0.05
    return {name: count / repeats for name, count in hits.items()}


@pytest.fixture(scope="module")
def null():
    return rejections()


def test_classical_tests_reject_a_true_null_far_too_often(null):
    for name in ("cross_sectional_t", "bmp", "patell"):
        assert null[name] > 0.25, null


def test_tests_that_allow_a_common_date_hold_their_size(null):
    # Three binomial standard errors around 5 % for 240 draws, a little more for the approximate tests.
    for name, highest in {
        "randomisation_dates": 0.095,
        "crude_dependence_exact_t": 0.095,
        "adj_bmp": 0.12,
        "grank_t": 0.12,
    }.items():
        assert 0.008 <= null[name] <= highest, (name, null)


def test_a_large_effect_is_found():
    power = rejections(effect=0.10, repeats=60)
    assert power["randomisation_dates"] > 0.7, power


def test_injected_effects_are_recovered():
    estimates = []
    for seed in range(60):
        returns, market = simulate(stocks=20, days=300, common=0.012, seed=1000 + seed)
        values = returns.to_numpy(copy=True)
        values[EVENT, :10] += 0.02
        values[EVENT : EVENT + 5, :10] += 0.01
        frame = returns.copy()
        frame[:] = values
        result = event_study(
            frame, ("x", frame.index[EVENT]), benchmark=market, window=(0, 4), estimation=(120, 20), draws=0
        )
        car = result.car.to_numpy()
        estimates.append(car[:10].mean() - car[10:].mean())
    error = np.std(estimates, ddof=1) / np.sqrt(len(estimates))
    assert abs(np.mean(estimates) - 0.07) < 3 * error
    assert error < 0.01
