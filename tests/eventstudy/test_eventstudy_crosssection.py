"""Regressions of CARs on attributes with errors that allow for the common date."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from eventstudy_oracle import correction, estimate

from aitheme.eventstudy import StudyError, attribute_regression, event_study, group_effects
from tests.eventstudy.conftest import simulate

DAY0 = 320


@pytest.fixture(scope="module")
def study():
    returns, market = simulate(stocks=20, days=420, seed=14)
    result = event_study(returns, ("x", returns.index[DAY0]), benchmark=market, window=(0, 4), draws=0)
    return result, returns, market


def attributes_of(returns, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"size": rng.normal(23, 1, returns.shape[1]), "linked": np.arange(returns.shape[1]) < 6},
        index=returns.columns,
    )


def test_portfolio_errors_are_those_of_the_weighted_portfolio(study):
    result, returns, market = study
    table = attributes_of(returns)
    ours = attribute_regression(result, table)
    x = sm.add_constant(table.astype(float)).to_numpy()
    reference = sm.OLS(result.car.to_numpy(), x).fit(cov_type="HC1")
    np.testing.assert_allclose(ours.table["coefficient"], reference.params, rtol=1e-9)
    np.testing.assert_allclose(ours.table["naive_error"], reference.bse, rtol=1e-9)
    assert ours.r_squared == pytest.approx(reference.rsquared)
    weights = np.linalg.inv(x.T @ x) @ x.T
    for row in range(3):
        portfolio = returns.to_numpy() @ weights[row]
        m = market.to_numpy()[:, None]
        est, evt = slice(DAY0 - 279, DAY0 - 29), slice(DAY0, DAY0 + 5)
        _, abnormal, sigma, inverse, design, _ = estimate(portfolio[est], m[est], portfolio[evt], m[evt])
        error = sigma * np.sqrt(correction(abnormal, inverse, design, range(5)))
        assert ours.table["standard_error"].iloc[row] == pytest.approx(error, rel=1e-9)
        assert ours.table["coefficient"].iloc[row] == pytest.approx(abnormal.sum(), rel=1e-8)
    assert ours.df == 248
    assert "linked" in ours._repr_html_()


def test_common_shock_that_follows_an_attribute_is_not_called_significant():
    rng = np.random.default_rng(3)
    naive = robust = 0
    for seed in range(40):
        returns, market = simulate(stocks=40, days=420, seed=seed)
        linked = pd.Series((np.arange(40) < 20).astype(float), index=returns.columns)
        sector = pd.DataFrame(np.outer(rng.normal(0, 0.02, 420), linked), index=returns.index, columns=returns.columns)
        result = event_study(returns + sector, ("x", returns.index[DAY0]), benchmark=market, window=(0, 0), draws=0)
        table = attribute_regression(result, linked.to_frame("linked")).table.loc["linked"]
        naive += table["naive_p"] < 0.05
        robust += table["p_value"] < 0.05
    assert naive > 15
    assert robust <= 6


def test_missing_attributes_and_text(study):
    result, returns, _ = study
    table = pd.DataFrame({"board": ["main", "chinext", "star", "main"] * 5}, index=returns.columns)
    table.iloc[0, 0] = None
    ours = attribute_regression(result, table)
    assert list(ours.table.index) == ["constant", "board=main", "board=star"]
    assert ours.n == 19
    assert ours.dropped == 1


def test_cluster_errors_over_dates():
    returns, market = simulate(stocks=10, days=700, seed=14)
    events = {f"e{place}": returns.index[place] for place in (350, 450, 550, 650)}
    result = event_study(returns, events, benchmark=market, window=(0, 4), draws=0)
    table = attributes_of(returns)[["size"]]
    ours = attribute_regression(result, table, errors="cluster")
    x = np.column_stack([np.ones(40), np.tile(table["size"], 4)])
    reference = sm.OLS(result.car.to_numpy(), x).fit(cov_type="cluster", cov_kwds={"groups": np.repeat(range(4), 10)})
    np.testing.assert_allclose(ours.table["standard_error"], reference.bse, rtol=1e-9)
    assert ours.df == 3
    plain = attribute_regression(result, table)
    assert (plain.table["standard_error"] > 0).all()


def test_group_effects(study):
    result, returns, _ = study
    groups = pd.Series(["linked"] * 6 + ["other"] * 14, index=returns.columns)
    table = group_effects(result, groups).set_index("group")
    car = result.car.to_numpy()
    assert table.loc["linked", "caar"] == pytest.approx(car[:6].mean())
    assert table.loc["linked", "difference"] == pytest.approx(car[:6].mean() - car[6:].mean())
    assert table.loc["linked", "difference"] == pytest.approx(-table.loc["other", "difference"])
    slope = attribute_regression(result, (groups == "linked").to_frame("linked")).table.loc["linked"]
    assert table.loc["linked", "difference"] == pytest.approx(slope["coefficient"])
    assert table.loc["linked", "difference_error"] == pytest.approx(slope["standard_error"], rel=1e-9)
    whole = group_effects(result, pd.Series("all", index=returns.columns))
    exact = result.tests.set_index(["test", "scope"]).loc[("crude_dependence_exact_t", "[0, 4]"), "statistic"]
    assert whole["t_statistic"].iloc[0] == pytest.approx(exact, rel=1e-10)


def test_bad_attributes(study):
    result, returns, _ = study
    constant = pd.DataFrame({"flat": np.ones(20)}, index=returns.columns)
    with pytest.raises(StudyError, match="constant or collinear"):
        attribute_regression(result, constant)
    with pytest.raises(StudyError, match="attributes leaves 0 stocks"):
        attribute_regression(result, pd.DataFrame({"size": [1.0]}, index=["nobody"]))
    with pytest.raises(StudyError, match="needs at least two event dates"):
        attribute_regression(result, attributes_of(returns), errors="cluster")
    with pytest.raises(StudyError, match=r"scope='\[0, 9\]' was not studied"):
        attribute_regression(result, attributes_of(returns), scope="[0, 9]")
    with pytest.raises(StudyError, match="groups has no entry"):
        group_effects(result, pd.Series({"nobody": "x"}))
