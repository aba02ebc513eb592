"""The studentised portfolio CAR and its randomisation over dates, against loops."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from eventstudy_oracle import estimate

from aitheme.eventstudy import StudyError, event_study, portfolio_statistic
from aitheme.eventstudy.randomisation import non_overlapping, randomisation_p
from tests.eventstudy.conftest import simulate

WINDOW, ESTIMATION = (-2, 4), (120, 20)


def naive_statistic(portfolio, x, place, window, estimation, scale):
    length, gap = estimation
    first = place - gap - length + 1
    est, evt = slice(first, first + length), slice(place + window[0], place + window[1] + 1)
    residual, abnormal, sigma, inverse, design, coefficients = estimate(portfolio[est], x[est], portfolio[evt], x[evt])
    total = design[np.isfinite(abnormal)].sum(axis=0)
    c = np.isfinite(abnormal).sum() + total @ inverse @ total
    if scale == "ewma":
        history = slice(first, place + window[0])
        e = portfolio[history] - coefficients[0] - x[history] @ coefficients[1:]
        weights = 0.94 ** np.arange(e.size - 1, -1, -1)
        ok = np.isfinite(e)
        sigma = np.sqrt((weights[ok] * e[ok] ** 2).sum() / weights[ok].sum())
    if scale == "hac":
        e, days = residual, abnormal.size
        gamma = [(e[lag:] * e[: e.size - lag]).sum() for lag in range(days)]
        ratio = 1 + 2 * sum((1 - lag / days) * gamma[lag] / gamma[0] for lag in range(1, days))
        sigma *= np.sqrt(max(ratio, 0.1))
    return np.nansum(abnormal) / (sigma * np.sqrt(c))


@pytest.fixture(scope="module")
def portfolio():
    returns, market = simulate(stocks=10, days=500, seed=17)
    values = returns.mean(axis=1).to_numpy(copy=True)
    return values, market.to_numpy()


@pytest.mark.parametrize("scale", ["estimation", "ewma", "hac"])
@pytest.mark.parametrize("holes", [False, True])
def test_statistic_of_every_date(portfolio, scale, holes):
    values, market = portfolio
    values = values.copy()
    if holes and scale != "hac":
        values[[150, 200, 201, 303]] = np.nan
    places = np.arange(139, 490, 7)
    ours = portfolio_statistic(values, market, places, WINDOW, ESTIMATION, scale)
    expected = [naive_statistic(values, market[:, None], place, WINDOW, ESTIMATION, scale) for place in places]
    np.testing.assert_allclose(ours, expected, rtol=1e-10)


def test_statistic_with_two_factors_and_with_none(portfolio):
    values, market = portfolio
    second = np.random.default_rng(0).normal(0, 0.01, market.size)
    x = np.column_stack([market, second])
    places = np.arange(139, 490, 31)
    ours = portfolio_statistic(values, x, places, WINDOW, ESTIMATION)
    expected = [naive_statistic(values, x, place, WINDOW, ESTIMATION, "ewma") for place in places]
    np.testing.assert_allclose(ours, expected, rtol=1e-10)
    ours = portfolio_statistic(values, None, places, WINDOW, ESTIMATION, "estimation")
    empty = np.empty((values.size, 0))
    expected = [naive_statistic(values, empty, place, WINDOW, ESTIMATION, "estimation") for place in places]
    np.testing.assert_allclose(ours, expected, rtol=1e-10)


def test_a_function_can_replace_the_scale(portfolio):
    values, market = portfolio
    places = np.array([200, 300])
    ours = portfolio_statistic(
        values, market, places, (0, 0), ESTIMATION, lambda paths, _: np.full(len(paths.abnormal), 2.0)
    )
    exact = portfolio_statistic(
        values, market, places, (0, 0), ESTIMATION, lambda paths, _: np.ones(len(paths.abnormal))
    )
    np.testing.assert_allclose(2 * ours, exact)


def test_study_p_value_by_loop():
    returns, market = simulate(stocks=10, days=420, seed=23)
    place = 330
    result = event_study(
        returns,
        ("x", returns.index[place]),
        benchmark=market,
        window=WINDOW,
        estimation=ESTIMATION,
        other_events={"y": returns.index[250], "late": returns.index[400]},
        tests=["randomisation_dates"],
    )
    portfolio = returns.mean(axis=1).to_numpy()
    allowed = [day for day in range(139, place - 6) if not day + WINDOW[0] <= 250 <= day + WINDOW[1]]
    draws = [naive_statistic(portfolio, market.to_numpy()[:, None], day, WINDOW, ESTIMATION, "ewma") for day in allowed]
    own = naive_statistic(portfolio, market.to_numpy()[:, None], place, WINDOW, ESTIMATION, "ewma")
    row = result.tests.set_index(["test", "scope"]).loc[("randomisation_dates", "[-2, 4]")]
    assert row["statistic"] == pytest.approx(own, rel=1e-10)
    assert row["p_value"] == pytest.approx((1 + (np.abs(draws) >= abs(own)).sum()) / (len(draws) + 1), rel=1e-12)
    assert list(result.sessions.get_indexer(result.placebo_statistics.index)) == allowed
    assert result.randomisation.non_overlapping == non_overlapping(np.array(allowed), WINDOW)
    assert result.headline.test == "randomisation_dates"


def test_placebos_never_overlap_the_event_and_stay_before_it():
    returns, market = simulate(stocks=5, days=500, seed=2)
    place, event = 360, ("x", simulate(days=500)[0].index[360])
    before = event_study(returns, event, benchmark=market, tests=["randomisation_dates"])
    after = event_study(returns, event, benchmark=market, tests=["randomisation_dates"], placebos="all")
    first = returns.index.get_indexer(before.placebo_statistics.index)
    both = returns.index.get_indexer(after.placebo_statistics.index)
    assert (first + 10 < place - 5).all()
    assert (np.abs(both - place) >= 16).all()
    assert (both > place).any()


def test_nearest_regime_and_sampling_keep_fewer_dates():
    returns, market = simulate(stocks=5, days=500, seed=2)
    event = ("x", returns.index[460])
    near = event_study(returns, event, benchmark=market, tests=["randomisation_dates"], nearest_placebos=40)
    assert near.placebo_statistics.shape[0] == 40
    assert near.randomisation.excluded["another volatility regime"] > 0
    few = event_study(returns, event, benchmark=market, tests=["randomisation_dates"], draws=50)
    again = event_study(returns, event, benchmark=market, tests=["randomisation_dates"], draws=50)
    assert few.placebo_statistics.shape[0] == 50
    pd.testing.assert_frame_equal(few.placebo_statistics, again.placebo_statistics)


def test_several_events_are_pooled():
    returns, market = simulate(stocks=8, days=700, seed=31)
    places = (400, 500, 600)
    events = {f"e{place}": returns.index[place] for place in places}
    result = event_study(returns, events, benchmark=market, window=(0, 4), tests=["randomisation_dates"])
    portfolio = returns.mean(axis=1).to_numpy()
    single = portfolio_statistic(portfolio, market.to_numpy(), np.array(places), (0, 4), (250, 30))
    row = result.tests.iloc[-1]
    assert row["statistic"] == pytest.approx(single.sum() / np.sqrt(3), rel=1e-10)
    np.testing.assert_allclose(result.randomisation.event_statistics[:, -1], single, rtol=1e-10)
    assert result.randomisation.draws.shape[1] == 1000


def test_too_short_a_history_says_so():
    returns, market = simulate(stocks=5, days=320, seed=2)
    result = event_study(returns, ("x", returns.index[290]), benchmark=market)
    row = result.tests[result.tests["test"] == "randomisation_dates"].iloc[-1]
    assert not row["applicable"]
    assert "placebo dates, needs at least 19" in row["reason"]
    names = ["randomisation_dates", "crude_dependence_exact_t"]
    fewer = event_study(returns, ("x", returns.index[290]), benchmark=market, tests=names)
    assert fewer.headline.test == "crude_dependence_exact_t"


def test_thin_baskets_are_not_placebos():
    returns, market = simulate(stocks=10, days=500, seed=2)
    values = returns.to_numpy(copy=True)
    values[:330, :6] = np.nan
    thin = pd.DataFrame(values, index=returns.index, columns=returns.columns)
    result = event_study(thin, ("x", thin.index[480]), benchmark=market, window=(0, 0), min_valid=100)
    assert result.randomisation.excluded["less than half traded"] > 0
    assert returns.index.get_indexer(result.placebo_statistics.index).min() >= 330


def test_p_value_formula():
    assert randomisation_p(np.array([2.0]), np.array([[1.0, -2.0, 3.0, np.nan]]))[0] == pytest.approx(3 / 4)


def test_non_overlapping_is_greedy():
    assert non_overlapping(np.array([0, 1, 2, 3, 4, 5]), (0, 2)) == 2
    assert non_overlapping(np.array([], dtype=np.int64), (0, 2)) == 0


def test_unknown_scale():
    with pytest.raises(StudyError, match="scale='nope' is not known; choose one of ewma"):
        portfolio_statistic(np.zeros(400), None, np.array([300]), (0, 0), (250, 30), "nope")


def test_two_thousand_dates_take_under_two_seconds():
    returns, market = simulate(stocks=30, days=2320, seed=1)
    start = time.perf_counter()
    result = event_study(
        returns, ("x", returns.index[2310]), benchmark=market, window=(0, 4), tests=["randomisation_dates"], draws=2000
    )
    assert time.perf_counter() - start < 2.0
    assert result.randomisation.draws.shape[1] == 2000
