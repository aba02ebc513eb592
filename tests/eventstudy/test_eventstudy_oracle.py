"""Every model and test against the naive per-firm loop, on panels with holes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from eventstudy_oracle import Firms, correction, estimate
from eventstudy_oracle import tests as naive_tests
from scipy import stats

from aitheme.eventstudy import event_study, leave_one_out_mean
from aitheme.eventstudy.battery import PARAMETRIC_AND_RANK
from tests.eventstudy.conftest import simulate

DAY0 = 320
WINDOW = (-5, 10)
ESTIMATION = (250, 30)
EST = slice(DAY0 - 279, DAY0 - 29)
EVT = slice(DAY0 + WINDOW[0], DAY0 + WINDOW[1] + 1)
LENGTH = WINDOW[1] - WINDOW[0] + 1
SPANS = {f"day {day}": [day - WINDOW[0]] for day in range(WINDOW[0], WINDOW[1] + 1)}
SPANS |= {"[0, 4]": list(range(5, 10)), "[-5, 10]": list(range(LENGTH))}
SYMMETRIC = [name for name in PARAMETRIC_AND_RANK if name != "crude_dependence_exact_t"]


def firms_of(y, x_of, parameters=None, *, fitted=True):
    """Oracle firms: ``x_of(stock)`` gives the (T, k) regressors, or the benchmark where nothing is fitted."""
    residuals, abnormal, sigma, corrections = [], [], [], {span: [] for span in SPANS}
    for stock in range(y.shape[1]):
        x = x_of(stock)
        if fitted:
            e, a, s, inverse, design, _ = estimate(y[EST, stock], x[EST], y[EVT, stock], x[EVT])
        else:
            e, a = y[EST, stock] - x[EST], y[EVT, stock] - x[EVT]
            s, inverse, design = np.nanstd(e, ddof=1), None, None
        residuals.append(e)
        abnormal.append(a)
        sigma.append(s)
        for span, days in SPANS.items():
            corrections[span].append(correction(a, inverse, design, days))
    return Firms(
        np.column_stack(residuals),
        np.column_stack(abnormal),
        np.array(sigma),
        {span: np.array(values) for span, values in corrections.items()},
        SPANS,
        parameters,
    )


def study(returns, **options):
    options = {
        "window": WINDOW,
        "estimation": ESTIMATION,
        "sub_windows": [(0, 4)],
        "draws": 0,
        "min_valid": 60,
        **options,
    }
    return event_study(returns, ("release", returns.index[DAY0]), **options)


def keep_of(result, returns):
    return [returns.columns.get_loc(symbol) for symbol in result.labels]


def compare(result, firms, tolerance=1e-10):
    np.testing.assert_allclose(result.residuals, firms.residuals, rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.abnormal_returns, firms.abnormal, rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.sigma, firms.sigma, rtol=tolerance)
    table = result.tests.set_index(["test", "scope"])["statistic"]
    for span in SPANS:
        expected = naive_tests(firms, span)
        for name in SYMMETRIC:
            ours = table[name, span]
            assert ours == pytest.approx(expected[name], rel=tolerance, abs=tolerance), (name, span)
    assert result.rbar == pytest.approx(firms.rbar(), rel=tolerance)


@pytest.fixture(scope="module")
def small():
    returns, market = simulate(stocks=12, holes=0.03, seed=11)
    values = returns.to_numpy(copy=True)
    values[:120, 2] = np.nan
    values[318:324, 4] = np.nan
    return pd.DataFrame(values, index=returns.index, columns=returns.columns), market


def test_market_model(small):
    returns, market = small
    result = study(returns, benchmark=market)
    y, x = returns.to_numpy()[:, keep_of(result, returns)], market.to_numpy()[:, None]
    firms = firms_of(y, lambda _: x, 2)
    compare(result, firms)
    for stock, symbol in enumerate(result.labels):
        fit = estimate(y[EST, stock], x[EST], y[EVT, stock], x[EVT])
        np.testing.assert_allclose(result.coefficients.loc[symbol], fit[5], rtol=1e-10)
        total = np.nansum((y[EST, stock] - np.nanmean(y[EST, stock])) ** 2)
        assert result.r_squared[symbol] == pytest.approx(1 - np.nansum(fit[0] ** 2) / total, rel=1e-10)


def test_market_model_without_holes():
    returns, market = simulate(stocks=8, seed=3)
    compare(study(returns, benchmark=market), firms_of(returns.to_numpy(), lambda _: market.to_numpy()[:, None], 2))


def test_mean_adjusted(small):
    returns, _ = small
    result = study(returns, model="mean")
    y = returns.to_numpy()[:, keep_of(result, returns)]
    compare(result, firms_of(y, lambda _: np.empty((len(returns), 0)), 1))


def test_market_adjusted(small):
    returns, market = small
    result = study(returns, benchmark=market, model="market_adjusted")
    y = returns.to_numpy()[:, keep_of(result, returns)]
    compare(result, firms_of(y, lambda _: market.to_numpy(), 1, fitted=False))


def test_multi_factor_with_risk_free(small):
    returns, market = small
    rng = np.random.default_rng(8)
    factors = pd.DataFrame(rng.normal(0, 0.005, (len(returns), 2)), index=returns.index, columns=["smb", "hml"])
    factors.insert(0, "mkt_rf", market)
    factors["rf"] = 0.00006
    result = study(returns, factors=factors, model="factor")
    y = returns.to_numpy()[:, keep_of(result, returns)] - 0.00006
    compare(result, firms_of(y, lambda _: factors[["mkt_rf", "smb", "hml"]].to_numpy(), 4))


def test_industry_adjusted(small):
    returns, _ = small
    groups = pd.Series(["media"] * 7 + ["computing"] * 5, index=returns.columns)
    benchmark = leave_one_out_mean(returns, groups)
    by_hand = returns[groups.index[groups == "media"]].drop(columns=returns.columns[1]).mean(axis=1)
    np.testing.assert_allclose(benchmark.iloc[:, 1], by_hand, rtol=1e-12)
    result = study(returns, benchmark=benchmark, model="industry")
    columns = keep_of(result, returns)
    table = benchmark.to_numpy()[:, columns]
    compare(result, firms_of(returns.to_numpy()[:, columns], lambda stock: table[:, [stock]], 2))


def test_dimson_with_fowler_rorke(small):
    returns, market = small
    result = study(returns, benchmark=market, model="dimson")
    lagged = np.column_stack([market.shift(1), market, market.shift(-1)])
    y = returns.to_numpy()[:, keep_of(result, returns)]
    firms = firms_of(y, lambda _: lagged, 4)
    compare(result, firms)
    window = market.to_numpy()[EST]
    rho = np.corrcoef(window[1:], window[:-1])[0, 1]
    weight = (1 + rho) / (1 + 2 * rho)
    for stock, symbol in enumerate(result.labels):
        slopes = estimate(y[EST, stock], lagged[EST], y[EVT, stock], lagged[EVT])[5][1:]
        assert result.betas[symbol] == pytest.approx(weight * (slopes[0] + slopes[2]) + slopes[1], rel=1e-10)


def test_dimson_two_lags_weights(small):
    returns, market = small
    result = study(returns, benchmark=market, model="dimson", dimson_lags=2)
    m = market.to_numpy()[EST]
    one, two = np.corrcoef(m[1:], m[:-1])[0, 1], np.corrcoef(m[2:], m[:-2])[0, 1]
    full = 1 + 2 * one + 2 * two
    weights = np.array([(1 + one + two) / full, (1 + 2 * one + two) / full, 1.0])
    slopes = result.coefficients[["beta[-2]", "beta[-1]", "beta[0]", "beta[+1]", "beta[+2]"]].to_numpy()
    np.testing.assert_allclose(result.betas, slopes @ np.array([*weights, *weights[1::-1]]), rtol=1e-10)


def test_scholes_williams(small):
    returns, market = small
    result = study(returns, benchmark=market, model="scholes_williams")
    y = returns.to_numpy()[:, keep_of(result, returns)]
    m = market.to_numpy()
    e, rho = m[EST], np.corrcoef(m[EST][1:], m[EST][:-1])[0, 1]
    for stock, symbol in enumerate(result.labels):
        own = y[EST, stock][1:-1]
        ok = np.isfinite(own)
        slopes = []
        for shift in (-1, 0, 1):
            x = m[EST.start + shift : EST.stop + shift][1:-1]
            slopes.append(np.polyfit(x[ok], own[ok], 1)[0])
        beta = sum(slopes) / (1 + 2 * rho)
        alpha = own[ok].mean() - beta * e[1:-1][ok].mean()
        assert result.betas[symbol] == pytest.approx(beta, rel=1e-10)
        residual = y[EST, stock] - alpha - beta * e
        sigma = np.sqrt(np.nansum(residual**2) / (np.isfinite(residual).sum() - 2))
        assert result.sigma[symbol] == pytest.approx(sigma, rel=1e-10)
        np.testing.assert_allclose(result.abnormal_returns[symbol], y[EVT, stock] - alpha - beta * m[EVT], atol=1e-12)
        total = np.nansum((y[EST, stock] - np.nanmean(y[EST, stock])) ** 2)
        assert result.r_squared[symbol] == pytest.approx(1 - np.nansum(residual**2) / total, rel=1e-9)


def test_exact_crude_dependence_is_the_portfolio_regression():
    returns, market = simulate(stocks=9, seed=21)
    result = study(returns, benchmark=market)
    portfolio = returns.mean(axis=1).to_numpy()
    x = market.to_numpy()[:, None]
    _, abnormal, sigma, inverse, design, _ = estimate(portfolio[EST], x[EST], portfolio[EVT], x[EVT])
    table = result.tests.set_index(["test", "scope"])
    for span, days in SPANS.items():
        expected = abnormal[days].sum() / (sigma * np.sqrt(correction(abnormal, inverse, design, days)))
        row = table.loc[("crude_dependence_exact_t", span)]
        assert row["statistic"] == pytest.approx(expected, rel=1e-10)
        assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(expected), 248), rel=1e-9)


def test_p_values_and_references(small):
    returns, market = small
    table = study(returns, benchmark=market).tests
    table = table[(table["scope"] == "[-5, 10]") & table["applicable"]].set_index("test")
    for name in ("patell", "adj_patell", "corrado_rank", "grank_z", "generalised_sign"):
        assert table.loc[name, "p_value"] == pytest.approx(
            2 * stats.norm.sf(abs(table.loc[name, "statistic"])), rel=1e-9
        )
    for name, df in {
        "cross_sectional_t": 11,
        "bmp": 11,
        "adj_bmp": 11,
        "crude_dependence_t": 248,
        "grank_t": 249,
    }.items():
        assert table.loc[name, "df"] == df
        expected = 2 * stats.t.sf(abs(table.loc[name, "statistic"]), df)
        assert table.loc[name, "p_value"] == pytest.approx(expected, rel=1e-9)


def test_exact_small_sample_p_values():
    returns, market = simulate(stocks=9, seed=2)
    result = study(returns, benchmark=market)
    car = result.car.to_numpy()
    table = result.tests.set_index(["test", "scope"])["p_value"]
    assert table["wilcoxon", "[-5, 10]"] == pytest.approx(stats.wilcoxon(car, mode="exact").pvalue, rel=1e-12)
    assert table["sign", "[-5, 10]"] == pytest.approx(stats.binomtest(int((car > 0).sum()), 9).pvalue, rel=1e-12)
