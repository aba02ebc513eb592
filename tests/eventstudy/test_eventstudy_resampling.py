"""Bootstraps and random baskets, against loops over the same draws."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from eventstudy_oracle import estimate

from aitheme.eventstudy import StudyError, event_study
from aitheme.eventstudy.resampling import (
    WEBB,
    _distinct,
    _resampled_days,
    basket_randomisation,
    cluster_weights,
    residual_bootstrap,
    wild_cluster_bootstrap,
)
from tests.eventstudy.conftest import simulate

DAY0 = 320


def internals(returns, market, events=None, **options):
    """Sample and fits behind a study."""
    from aitheme.eventstudy.fitting import fit_events
    from aitheme.eventstudy.inputs import make_data
    from aitheme.eventstudy.sample import make_sample
    from aitheme.eventstudy.windows import make_design, make_events

    design = make_design(options.get("window", (0, 4)), options.get("estimation", (120, 20)))
    data = make_data(returns, benchmark=market, model=options.get("model", "market"))
    wanted = make_events(events or ("x", returns.index[DAY0]))
    scopes = design.scopes(by_day=False)
    fits = [item.fit for item in fit_events(data, wanted, [], design, scopes, 30)]
    return make_sample(fits, list(range(len(fits))), scopes), fits


def test_residual_bootstrap_by_loop():
    returns, market = simulate(stocks=6, days=400, seed=3)
    sample, fits = internals(returns, market)
    drawn = residual_bootstrap(sample, fits, draws=40, seed=9)
    fit, length = fits[0], 5
    rng = np.random.default_rng([9, 0])
    days = _resampled_days(120, (40, 125), 1, rng)
    x = market.to_numpy()[DAY0 - 139 : DAY0 - 19]
    x_event = market.to_numpy()[DAY0 : DAY0 + 5]
    expected = []
    for draw in days:
        scar = []
        for stock in range(6):
            alpha, beta = fit.coefficients[:, stock]
            y = alpha + beta * x + fit.estimation[draw[:120], stock]
            y_event = alpha + beta * x_event + fit.estimation[draw[120:], stock]
            _, abnormal, sigma, inverse, design, _ = estimate(y, x[:, None], y_event, x_event[:, None])
            total = design.sum(axis=0)
            scar.append(abnormal.sum() / (sigma * np.sqrt(length + total @ inverse @ total)))
        scar = np.array(scar)
        expected.append(np.sqrt(6) * scar.mean() / scar.std(ddof=1))
    np.testing.assert_allclose(drawn.draws[-1], expected, rtol=1e-8)
    own = drawn.outcome.statistic[-1]
    assert drawn.outcome.p_value[-1] == pytest.approx((1 + (np.abs(expected) >= abs(own)).sum()) / 41)


@pytest.mark.parametrize("model", ["market_adjusted", "mean"])
def test_residual_bootstrap_of_other_models(model):
    returns, market = simulate(stocks=5, days=400, seed=3, holes=0.02)
    sample, fits = internals(returns, market, model=model)
    drawn = residual_bootstrap(sample, fits, draws=200, seed=1)
    assert 0 < drawn.outcome.p_value[-1] <= 1
    assert np.isfinite(drawn.draws[-1]).all()


def test_residual_bootstrap_of_one_stock_uses_its_scar():
    returns, market = simulate(stocks=1, days=400, seed=3)
    sample, fits = internals(returns, market)
    drawn = residual_bootstrap(sample, fits, draws=300, seed=1)
    assert drawn.outcome.statistic[-1] == pytest.approx(sample.scar[-1, 0])
    assert drawn.draws[-1].std() == pytest.approx(1.0, abs=0.15)


def test_residual_bootstrap_keeps_cross_correlation():
    returns, market = simulate(stocks=40, days=400, common=0.03, seed=3)
    sample, fits = internals(returns, market)
    spread = residual_bootstrap(sample, fits, draws=500, seed=1).draws[-1].std()
    assert spread > 3.0


def test_blocks_are_runs_of_days():
    days = _resampled_days(50, (20, 30), 5, np.random.default_rng(0))
    assert (np.diff(days.reshape(20, 6, 5), axis=2) == 1).all()
    with pytest.raises(StudyError, match="block=51 must lie between 1 and the 50"):
        _resampled_days(50, (20, 30), 51, np.random.default_rng(0))


def test_wild_cluster_bootstrap_by_loop():
    returns, market = simulate(stocks=6, days=500, seed=4)
    events = {f"e{place}": returns.index[place] for place in range(200, 440, 40)}
    sample, _ = internals(returns, market, events)
    drawn = wild_cluster_bootstrap(sample, draws=60, seed=5)
    weights = cluster_weights(6, 60, np.random.default_rng(5))

    def t(car):
        mean = car.mean()
        score = [(car[sample.date == code] - mean).sum() for code in range(6)]
        return mean / np.sqrt(np.square(score).sum() * 6 / 5 / car.size**2)

    car = sample.car[-1]
    np.testing.assert_allclose(drawn.draws[-1], [t(w[sample.date] * car) for w in weights], rtol=1e-10)
    assert drawn.outcome.statistic[-1] == pytest.approx(t(car), rel=1e-10)


def test_cluster_weights():
    rng = np.random.default_rng(0)
    assert set(np.round(np.unique(cluster_weights(5, 500, rng)), 12)) == set(np.round(WEBB, 12))
    assert np.mean(WEBB**2) == pytest.approx(1.0)
    every = cluster_weights(12, 5000, rng)
    assert every.shape == (2**12 - 2, 12)
    assert {tuple(row) for row in every} < set(product((-1.0, 1.0), repeat=12))
    assert cluster_weights(20, 100, rng).shape == (100, 20)


def test_random_baskets_match_strata_and_find_a_difference():
    rng = np.random.default_rng(2)
    universe = rng.normal(0, 0.05, (1, 400)) + np.repeat([0.0, 0.1], 200)
    strata = np.repeat([0, 1], 200)
    basket_strata = np.repeat([0, 1], [8, 2])
    same = rng.normal(0, 0.05, (1, 10)) + 0.1 * basket_strata
    drawn = basket_randomisation(same, universe, strata=basket_strata, universe_strata=strata, draws=999, seed=0)
    assert drawn.outcome.p_value[0] > 0.05
    moved = basket_randomisation(same + 0.1, universe, strata=basket_strata, universe_strata=strata, draws=999, seed=0)
    assert moved.outcome.p_value[0] < 0.01
    expected = (8 * universe[0, :200].mean() + 2 * universe[0, 200:].mean()) / 10
    assert drawn.outcome.statistic[0] == pytest.approx((same.mean() - expected) / (0.05 / np.sqrt(10)), abs=0.3)


@pytest.mark.parametrize(("population", "size"), [(500, 10), (30, 12)])
def test_random_baskets_hold_distinct_stocks(population, size):
    pick = _distinct(population, size, 300, np.random.default_rng(0))
    assert pick.shape == (300, size)
    assert all(len(set(row)) == size for row in pick)
    assert pick.min() >= 0
    assert pick.max() < population


def test_random_baskets_in_a_study():
    returns, market = simulate(stocks=120, days=420, seed=12)
    basket = returns.iloc[:, :15].copy()
    basket.iloc[DAY0] += 0.05
    strata = pd.Series(np.where(np.arange(120) % 2, "large", "small"), index=returns.columns)
    result = event_study(
        basket,
        ("x", returns.index[DAY0]),
        benchmark=market,
        window=(0, 0),
        universe_returns=returns,
        strata=strata,
        tests=["randomisation_baskets"],
    )
    row = result.tests.iloc[-1]
    assert row["p_value"] < 0.01
    assert row["statistic"] > 4
