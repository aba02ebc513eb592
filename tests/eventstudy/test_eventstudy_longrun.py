"""Buy-and-hold returns and calendar-time portfolios."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from aitheme.eventstudy import StudyError, bhar_tests, calendar_time_portfolio, event_study
from aitheme.eventstudy.longrun import buy_and_hold, holding_periods
from tests.eventstudy.conftest import simulate


def test_bhar_by_loop(holed):
    returns, market = holed
    result = event_study(returns, ("x", returns.index[320]), benchmark=market, draws=0, min_valid=100)
    for symbol in result.labels:
        r = returns[symbol].to_numpy()[315:331]
        ar = result.abnormal_returns[symbol].to_numpy()
        actual = expected = 1.0
        for one, two in zip(r, ar, strict=True):
            if np.isfinite(one):
                actual *= 1 + one
                expected *= 1 + one - two
        assert result.bhar[symbol] == pytest.approx(actual - expected, abs=1e-14)


def test_a_stock_without_a_day_has_no_bhar():
    assert np.isnan(buy_and_hold(np.array([[np.nan]]), np.array([[np.nan]]))[0])


def test_bhar_tests():
    values = np.random.default_rng(0).lognormal(0, 0.4, 200) - 1.0
    tests = bhar_tests(values, draws=500, seed=1)
    mean, spread = values.mean(), values.std(ddof=1)
    assert tests["cross_sectional_t"].statistic[0] == pytest.approx(np.sqrt(200) * mean / spread)
    g = 200 / (199 * 198) * ((values - mean) ** 3).sum() / spread**3
    q = mean / spread
    assert tests["skewness_johnson"].statistic[0] == pytest.approx(np.sqrt(200) * (q + g * q**2 / 3 + g / 1200))
    assert 0 < tests["skewness_bootstrap"].p_value[0] <= 1
    assert bhar_tests(values[:1])["cross_sectional_t"].reason[0].startswith("needs at least two")
    assert bhar_tests(values[:8])["skewness_bootstrap"].reason[0].startswith("needs at least 12")


@pytest.mark.parametrize("weighting", ["equal", "sqrt_n"])
@pytest.mark.parametrize("errors", ["hc1", "newey_west"])
def test_calendar_time_against_statsmodels(weighting, errors):
    returns, market = simulate(stocks=15, days=400, seed=5)
    members = [list(returns.columns[:5]), list(returns.columns[3:12])]
    held = holding_periods(returns.index, returns.columns, np.array([100, 150]), members, (1, 80))
    factors = market.to_frame("mkt")
    ours = calendar_time_portfolio(returns, held, factors, weighting=weighting, errors=errors, lags=4)
    portfolio = returns.where(held).mean(axis=1)
    used = portfolio.notna()
    count = held.sum(axis=1)[used]
    root = np.sqrt(count) if weighting == "sqrt_n" else np.ones(used.sum())
    x = sm.add_constant(factors[used]).to_numpy() * np.asarray(root)[:, None]
    y = portfolio[used].to_numpy() * np.asarray(root)
    cov = (
        {"cov_type": "HC1"}
        if errors == "hc1"
        else {
            "cov_type": "HAC",
            "cov_kwds": {"maxlags": 4, "use_correction": True},
        }
    )
    reference = sm.OLS(y, x).fit(**cov)
    assert ours.alpha == pytest.approx(reference.params[0], rel=1e-10)
    assert ours.standard_error == pytest.approx(reference.bse[0], rel=1e-10)
    assert ours.days == used.sum()
    assert ours.mean_holdings == pytest.approx(count.mean())


def test_calendar_time_needs_days():
    returns, market = simulate(stocks=5, days=50)
    held = pd.DataFrame(data=False, index=returns.index, columns=returns.columns)
    with pytest.raises(StudyError, match="holdings cover 0 sessions"):
        calendar_time_portfolio(returns, held, market.to_frame())
