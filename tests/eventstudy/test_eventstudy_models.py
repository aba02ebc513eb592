"""Models fitted stock by stock: GARCH, matched controls, synthetic controls."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from aitheme.eventstudy import MODELS, StudyError, event_study, leave_one_out_mean, matched_controls
from aitheme.eventstudy.control import control_returns, synthetic_placebo, synthetic_weights
from tests.eventstudy.conftest import sessions, simulate

DAY0 = 320
OPTIONS = {"window": (-1, 3), "estimation": (250, 30), "draws": 0}


@pytest.fixture(scope="module")
def clustered():
    """Four stocks with GARCH(1,1) residuals."""
    rng = np.random.default_rng(4)
    days = 420
    market = rng.normal(0, 0.01, days)
    values = np.empty((days, 4))
    for stock in range(4):
        h, e = 0.0004, 0.0
        for day in range(days):
            h = 0.00002 + 0.10 * e**2 + 0.85 * h
            e = np.sqrt(h) * rng.standard_normal()
            values[day, stock] = 0.9 * market[day] + e
    index = sessions(days)
    return pd.DataFrame(values, index=index, columns=list("ABCD")), pd.Series(market, index=index, name="m")


def test_garch_against_arch_and_its_recursion(clustered):
    from arch import arch_model

    returns, market = clustered
    result = event_study(returns, ("x", returns.index[DAY0]), benchmark=market, model="garch", **OPTIONS)
    rows = slice(DAY0 - 279, DAY0 - 29)
    for stock, symbol in enumerate(result.labels):
        y, m = returns[symbol].to_numpy(), market.to_numpy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = arch_model(100 * y[rows], x=100 * m[rows, None], mean="LS", vol="GARCH", rescale=False).fit(
                disp="off"
            )
        const, beta, omega, a, b = fit.params
        assert result.betas[symbol] == pytest.approx(beta, rel=1e-8)
        e = 100 * y - const - beta * 100 * m
        h = fit.conditional_volatility[-1] ** 2
        for day in range(DAY0 - 30, DAY0 - 1):
            h = omega + a * e[day] ** 2 + b * h
        path = [h]
        for _ in range(4):
            path.append(omega + (a + b) * path[-1])
        abnormal = e[DAY0 - 1 : DAY0 + 4] / 100
        np.testing.assert_allclose(result.abnormal_returns[symbol], abnormal, rtol=1e-8)
        expected = abnormal.sum() / np.sqrt(np.sum(path) / 1e4)
        assert result.sample.scar[-1, stock] == pytest.approx(expected, rel=1e-8)
        day = abnormal[1] / np.sqrt(path[1] / 1e4)
        assert result.sample.scar[1, stock] == pytest.approx(day, rel=1e-8)
        assert result.sample.standardised[5, stock] == pytest.approx(
            e[rows][5] / fit.conditional_volatility[5], rel=1e-8
        )
    assert result.tests["applicable"].sum() > 50


def test_garch_with_suspensions_runs(clustered):
    returns, market = clustered
    holed = returns.copy()
    holed.iloc[100:103, 0] = np.nan
    holed.iloc[300, 1] = np.nan
    result = event_study(holed, ("x", returns.index[DAY0]), benchmark=market, model="garch", **OPTIONS)
    assert result.n == 4
    assert np.isfinite(result.sample.scar).all()


def test_synthetic_weights_solve_the_constrained_problem():
    rng = np.random.default_rng(1)
    donors = rng.normal(0, 0.02, (120, 6))
    target = donors @ np.array([0.5, 0.3, 0.2, 0, 0, 0]) + rng.normal(0, 0.004, 120)
    ours = synthetic_weights(target, donors)
    other = minimize(
        lambda w: 1e4 * ((target - donors @ w) ** 2).sum(),
        np.full(6, 1 / 6),
        bounds=[(0, 1)] * 6,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert ours.sum() == pytest.approx(1, abs=1e-12)
    assert (ours >= 0).all()
    np.testing.assert_allclose(ours, other.x, atol=1e-5)
    assert ((target - donors @ ours) ** 2).sum() <= ((target - donors @ other.x) ** 2).sum() + 1e-12


def test_synthetic_control_finds_an_injected_effect():
    returns, _ = simulate(stocks=25, days=420, common=0.02, seed=6)
    values = returns.to_numpy(copy=True)
    values[DAY0, :3] += 0.15
    treated = pd.DataFrame(values[:, :3], index=returns.index, columns=returns.columns[:3])
    result = event_study(
        treated, ("x", returns.index[DAY0]), model="synthetic", universe_returns=returns, window=(0, 0), draws=0
    )
    assert result.benchmark_name == "synthetic control"
    assert result.caar.iloc[-1] == pytest.approx(0.15, abs=0.04)
    pool, day = returns.iloc[:, 3:], DAY0
    outcome = synthetic_placebo(values[41:291, 0], pool.to_numpy()[41:291], values[[day], 0], pool.to_numpy()[[day]])
    assert outcome.p_value == pytest.approx(1 / 23)
    assert outcome.gap == pytest.approx(0.15, abs=0.06)


def test_matched_controls_by_distance_and_group():
    table = pd.DataFrame({"size": [1.0, 1.1, 5.0, 1.2, 9.0], "runup": [0.0, 0.1, 0.0, 0.0, 0.1]}, index=list("abcde"))
    assert matched_controls(table, ["a"], count=2)["a"] == ("d", "c")
    groups = pd.Series(["x", "y", "x", "y", "x"], index=table.index)
    assert matched_controls(table, ["a"], count=1, groups=groups)["a"] == ("c",)
    with pytest.raises(StudyError, match="characteristics has no complete row for z"):
        matched_controls(table, ["z"])


def test_matched_model_is_market_adjusted_on_the_controls():
    returns, _ = simulate(stocks=20, seed=9)
    basket = returns.iloc[:, :5]
    controls = {symbol: list(returns.columns[5 + 3 * k : 8 + 3 * k]) for k, symbol in enumerate(basket.columns)}
    event = ("x", returns.index[DAY0])
    matched = event_study(basket, event, model="matched", universe_returns=returns, controls=controls, **OPTIONS)
    frame = control_returns(returns, controls)
    plain = event_study(basket, event, model="market_adjusted", benchmark=frame, **OPTIONS)
    pd.testing.assert_frame_equal(matched.abnormal_returns, plain.abnormal_returns)
    np.testing.assert_allclose(frame.iloc[:, 0], returns.iloc[:, 5:8].mean(axis=1))


def every_model():
    returns, market = simulate(stocks=30, days=700, seed=19, holes=0.005)
    groups = pd.Series(np.where(np.arange(30) % 2, "media", "computing"), index=returns.columns)
    factors = pd.DataFrame({"mkt_rf": market, "smb": market.shift(3).fillna(0.0), "rf": 0.00005})
    basket = returns.iloc[:, :8]
    full = returns.dropna(axis=1, thresh=690).fillna(0.0)
    controls = {symbol: list(returns.columns[8:13]) for symbol in basket.columns}
    return basket, {
        "mean": {},
        "market_adjusted": {"benchmark": market},
        "market": {"benchmark": market},
        "scholes_williams": {"benchmark": market},
        "dimson": {"benchmark": market, "dimson_lags": 2},
        "factor": {"factors": factors},
        "industry": {"benchmark": leave_one_out_mean(returns, groups, basket.columns)},
        "garch": {"benchmark": market},
        "matched": {"universe_returns": returns, "controls": controls},
        "synthetic": {"universe_returns": full},
    }


@pytest.mark.parametrize("model", list(MODELS))
def test_every_model_runs_every_test_and_its_placebo_dates(model):
    basket, options = every_model()
    result = event_study(
        basket, ("x", basket.index[680]), model=model, window=(-1, 2), draws=120, max_loss=0.6, **options[model]
    )
    table = result.tests
    row = table[(table["test"] == "randomisation_dates") & (table["scope"] == "[-1, 2]")].iloc[0]
    assert row["applicable"], row["reason"]
    assert 0 < row["p_value"] <= 1
    missing = table["statistic"].isna()
    assert (table.loc[missing, "reason"] != "").all()
    assert set(table.loc[missing, "test"]) <= {
        "randomisation_baskets",
        "wild_cluster_bootstrap",
        "ibragimov_muller",
        "joint_dates",
    }
    assert result.model_title in str(result.summary())
