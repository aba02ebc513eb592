"""Known answers: the R package estudy2, under its conventions, to 1e-10."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aitheme.eventstudy import event_study
from aitheme.eventstudy.fits import Block
from aitheme.eventstudy.linear import least_squares, no_estimation
from aitheme.eventstudy.nonparametric import (
    generalised_sign,
    rank_totals,
    root_score_test,
    sign,
    sign_totals,
    signed_rank,
)
from aitheme.eventstudy.parametric import (
    bmp,
    cross_sectional_t,
    crude_dependence_exact_t,
    crude_dependence_t,
    independence_t,
    patell,
)
from aitheme.eventstudy.sample import make_sample
from aitheme.eventstudy.windows import make_design

MODELS = ("sim", "mrkt_adj", "mean_adj")
OURS = {"sim": "market", "mrkt_adj": "market_adjusted", "mean_adj": "mean"}
DAYS = 5


@pytest.fixture(scope="module")
def rates(estudy2):
    returns = pd.read_csv(estudy2 / "rates.csv", index_col="date", parse_dates=True)
    market = pd.read_csv(estudy2 / "rates_indx.csv", index_col="date", parse_dates=True)["^GSPC"]
    return returns, market


def sample_of(rates, model):
    """estudy2's sample: residual deviations with n - 1, market moments of the whole window for late listings."""
    returns, market = rates
    scopes = make_design((0, DAYS - 1), (240, 1)).scopes()
    first = returns.index.get_loc(pd.Timestamp("2020-03-16"))
    y, y_event = returns.to_numpy()[:first], returns.to_numpy()[first : first + DAYS]
    x = market.to_numpy()[:, None]
    if model == "mrkt_adj":
        empty = (np.empty((first, 0)), np.empty((DAYS, 0)))
        fit = no_estimation(Block(y, y_event, *empty), x[:first], x[first : first + DAYS], scopes.weights)
    else:
        part = slice(0, 1) if model == "sim" else slice(0, 0)
        block = Block(y, y_event, x[:first, part], x[first : first + DAYS, part])
        fit = least_squares(block, scopes.weights, ("beta",)[: x[:, part].shape[1]], ddof=1, moments="window")
    return make_sample([fit], [0], scopes)


@pytest.mark.parametrize("model", MODELS)
def test_abnormal_returns(estudy2, rates, model):
    returns, market = rates
    expected = pd.read_csv(estudy2 / f"abnormal_{model}.csv", index_col="date", parse_dates=True)
    study = event_study(
        returns,
        ("covid", "2020-03-16"),
        benchmark=market,
        model=OURS[model],
        window=(0, 11),
        estimation=(240, 1),
        draws=0,
    )
    ours = np.concatenate([study.residuals.to_numpy(), study.abnormal_returns.to_numpy()])
    np.testing.assert_allclose(ours, expected.to_numpy(), rtol=0, atol=1e-12)


def test_coefficients(estudy2, rates):
    returns, market = rates
    expected = pd.read_csv(estudy2 / "coef_sim.csv", index_col="firm")
    study = event_study(returns, ("covid", "2020-03-16"), benchmark=market, window=(0, 4), estimation=(240, 1), draws=0)
    np.testing.assert_allclose(study.coefficients["alpha"], expected["alpha"], rtol=1e-10)
    np.testing.assert_allclose(study.betas, expected["beta"], rtol=1e-10)
    assert (study.loss.stocks["estimation_days"].to_numpy() == expected["est_len"].to_numpy()).all()


@pytest.mark.parametrize("model", MODELS)
def test_parametric_days(estudy2, rates, model):
    expected = pd.read_csv(estudy2 / f"parametric_{model}.csv")
    sample = sample_of(rates, model)
    ours = {
        "bw_1980_stat": independence_t(sample, ddof=1),
        "bw_1985_stat": crude_dependence_t(sample, ddof=1),
        "t_test_stat": cross_sectional_t(sample),
    }
    if model == "sim":
        ours |= {
            "pt_stat": patell(sample),
            "bh_stat": bmp(sample),
            "lmb_stat": crude_dependence_exact_t(sample, ddof=1),
        }
    np.testing.assert_allclose(sample.car[:DAYS].mean(axis=1), expected["mean"], rtol=1e-10)
    for column, outcome in ours.items():
        np.testing.assert_allclose(outcome.statistic[:DAYS], expected[column], rtol=1e-10, err_msg=column)


@pytest.mark.parametrize("model", MODELS)
def test_nonparametric_days(estudy2, rates, model):
    expected = pd.read_csv(estudy2 / f"nonparametric_{model}.csv")
    sample = sample_of(rates, model)
    raw, count, days = rank_totals(sample.estimation, sample.event, sample, uniform=False)
    uniform, _, _ = rank_totals(sample.estimation, sample.event, sample)
    signs, _, _ = sign_totals(sample)
    ours = {
        "sign_stat": sign(sample).statistic,
        "gsign_stat": generalised_sign(sample, pooling="panel").statistic,
        "csign_stat": root_score_test(signs, count, sample, days=days.mean(), impute=True).statistic,
        "rank_stat": root_score_test(raw, count, sample, power=1.0, days=days.mean(), impute=True).statistic,
        "mrank_stat": root_score_test(uniform, count, sample, days=days.mean(), impute=True).statistic,
        "wlcx_stat": signed_rank(sample)[0],
    }
    for column, statistic in ours.items():
        np.testing.assert_allclose(statistic[:DAYS], expected[column], rtol=1e-10, err_msg=column)


@pytest.mark.parametrize("model", MODELS)
def test_multi_day_rank(estudy2, rates, model):
    expected = pd.read_csv(estudy2 / f"car_nonparametric_{model}.csv")["statistic"].iloc[0]
    sample = sample_of(rates, model)
    total, count, days = rank_totals(sample.estimation, sample.event, sample, uniform=False, centre="panel")
    ours = root_score_test(total, count, sample, power=1.0, days=days.mean()).statistic[-1]
    assert ours == pytest.approx(expected, rel=1e-10)


def test_multi_day_parametric(estudy2, rates):
    expected = pd.read_csv(estudy2 / "car_parametric_sim.csv", index_col="name")
    sample = sample_of(rates, "sim")
    assert sample.car[-1].mean() / DAYS == pytest.approx(expected.loc["car_lamb", "car_mean"], rel=1e-10)
    ours = crude_dependence_t(sample, ddof=1).statistic[-1]
    assert ours == pytest.approx(expected.loc["car_brown_warner_1985", "statistic"], rel=1e-10)
    lamb = crude_dependence_exact_t(sample, ddof=1).statistic[:DAYS].sum() / np.sqrt(DAYS)
    assert lamb == pytest.approx(expected.loc["car_lamb", "statistic"], rel=1e-10)
