"""Expected-return models: from aligned inputs and one day 0 to the abnormal returns of every stock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from aitheme.eventstudy.errors import StudyError
from aitheme.eventstudy.fits import Block, Fit
from aitheme.eventstudy.linear import least_squares, no_estimation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aitheme.eventstudy.arrays import BoolArray, FloatArray

ONE_SERIES = 1
"""A benchmark with one axis is common to all stocks."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the models read, aligned to the same sessions.

    Attributes
    ----------
    returns : ndarray, shape (T, N)
        Simple returns (ratios), NaN where there is none.
    benchmark : ndarray, shape (T,) or (T, N), or None
        Benchmark returns; one column a stock for an industry or control benchmark.
    factors : ndarray, shape (T, k), or None
        Factor returns without the risk-free rate.
    factor_names : tuple of str
        Their names.
    risk_free : ndarray, shape (T,), or None
        Risk-free return.
    donors : ndarray, shape (T, M), or None
        Returns of the donor pool of a synthetic control.
    lags : int
        Leads and lags of the Dimson model.
    """

    returns: FloatArray
    benchmark: FloatArray | None = None
    factors: FloatArray | None = None
    factor_names: tuple[str, ...] = ()
    risk_free: FloatArray | None = None
    donors: FloatArray | None = None
    lags: int = 1


@dataclass(frozen=True, slots=True)
class Cut:
    """Rows of one event's windows.

    Attributes
    ----------
    estimation, event : tuple of int
        First row and row after the last.
    excluded : ndarray of bool, shape (L1,), or None
        Estimation sessions left out for every stock.
    """

    estimation: tuple[int, int]
    event: tuple[int, int]
    excluded: BoolArray | None = None

    def of(self, values: FloatArray, shift: int = 0) -> tuple[FloatArray, FloatArray]:
        """Cut a (T, ...) array to the two windows, ``shift`` sessions later (earlier if negative)."""
        (start, stop), (first, last) = self.estimation, self.event
        return values[start + shift : stop + shift], values[first + shift : last + shift]

    def returns(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Cut returns and blank the excluded estimation sessions."""
        estimation, event = self.of(values)
        if self.excluded is not None and self.excluded.any():
            estimation = np.where(self.excluded[:, None], np.nan, estimation)
        return estimation, event


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a model is and what it needs.

    Attributes
    ----------
    fit : callable
        ``(inputs, cut, weights) -> Fit``.
    title : str
        One line for summaries.
    needs : tuple of str
        Fields of :class:`Inputs` that must be present.
    parameters : callable
        Estimated parameters given the inputs, the constant included.
    reach : bool
        Whether the model reads ``lags`` sessions beyond both windows.
    """

    fit: Callable[[Inputs, Cut, FloatArray], Fit]
    title: str
    needs: tuple[str, ...]
    parameters: Callable[[Inputs], int]
    reach: bool = False


def mean_adjusted(inputs: Inputs, cut: Cut, weights: FloatArray) -> Fit:
    """Mean-adjusted model: the expected return is the stock's own mean over the estimation window.

    References
    ----------
    Masulis (1980), J. Financial Economics 8:139-178; Brown and Warner (1980), same volume, 205-258.
    """
    estimation, event = cut.returns(inputs.returns)
    empty = (np.empty((estimation.shape[0], 0)), np.empty((event.shape[0], 0)))
    return least_squares(Block(estimation, event, *empty), weights, ())


def market_adjusted(inputs: Inputs, cut: Cut, weights: FloatArray) -> Fit:
    """Market-adjusted model: the expected return is the benchmark's, or the control portfolio's.

    References
    ----------
    Brown and Warner (1980), J. Financial Economics 8:205-258.
    """
    assert inputs.benchmark is not None
    benchmark = inputs.benchmark if inputs.benchmark.ndim > ONE_SERIES else inputs.benchmark[:, None]
    estimation, event = cut.returns(inputs.returns)
    empty = (np.empty((estimation.shape[0], 0)), np.empty((event.shape[0], 0)))
    return no_estimation(Block(estimation, event, *empty), *cut.of(benchmark), weights)


def market_model(inputs: Inputs, cut: Cut, weights: FloatArray) -> Fit:
    """Market model by ordinary least squares; industry-adjusted when each stock has its own benchmark.

    References
    ----------
    Fama, Fisher, Jensen and Roll (1969), International Economic Review 10:1-21; Brown and Warner (1985),
    J. Financial Economics 14:3-31.
    """
    regressors = _as_regressor(inputs.benchmark)
    return least_squares(Block(*cut.returns(inputs.returns), *cut.of(regressors)), weights, ("beta",))


def multi_factor(inputs: Inputs, cut: Cut, weights: FloatArray) -> Fit:
    """Multi-factor model on returns in excess of the risk-free rate (FF3, Carhart, FF5: any columns).

    References
    ----------
    Fama and French (1993), J. Financial Economics 33:3-56; Carhart (1997), J. Finance 52:57-82; Fama and
    French (2015), J. Financial Economics 116:1-22.
    """
    assert inputs.factors is not None
    excess = inputs.returns if inputs.risk_free is None else inputs.returns - inputs.risk_free[:, None]
    block = Block(*cut.returns(excess), *cut.of(inputs.factors))
    return least_squares(block, weights, inputs.factor_names)


def scholes_williams(inputs: Inputs, cut: Cut, weights: FloatArray) -> Fit:
    """Market model with the Scholes-Williams beta for stocks that trade out of step with the index.

    b = (b_-1 + b_0 + b_+1) / (1 + 2 rho_m), each b_j the slope of a simple regression on R_m,t+j over the
    estimation days but the first and the last, rho_m the first autocorrelation of the benchmark;
    a = mean(R_i) - b mean(R_m) over the same days. sigma has L1_i - 2 degrees of freedom and the
    forecast-error correction is that of the market model, as no exact one exists for this estimator.

    References
    ----------
    Scholes and Williams (1977), J. Financial Economics 5:309-327.
    """
    base = market_model(inputs, cut, weights)
    benchmark = inputs.benchmark if inputs.benchmark is not None else np.empty(0)
    benchmark = benchmark if benchmark.ndim > ONE_SERIES else benchmark[:, None]
    y, y_event = cut.returns(inputs.returns)
    market, market_event = cut.of(benchmark)
    inner = slice(1, -1)
    slopes = [_slope(y[inner], cut.of(benchmark, shift)[0][inner]) for shift in (-1, 0, 1)]
    beta = sum(slopes) / (1.0 + 2.0 * autocorrelation(market, 1))
    paired = np.isfinite(y[inner]) & np.isfinite(market[inner])
    count = paired.sum(axis=0)
    centre = np.where(paired, y[inner], 0.0).sum(axis=0) / count
    alpha = centre - beta * np.where(paired, market[inner], 0.0).sum(axis=0) / count
    residual = np.where(base.estimation_valid, y - alpha - beta * market, 0.0)
    event = np.where(base.event_valid, y_event - alpha - beta * market_event, 0.0)
    days = base.estimation_valid.sum(axis=0)
    old = base.sigma**2 * (days - base.parameters)
    squares = np.einsum("ln,ln->n", residual, residual)
    return replace(
        base,
        estimation=residual,
        event=event,
        sigma=np.sqrt(squares / (days - base.parameters)),
        coefficients=np.stack([alpha, beta]),
        # SSE / SST = (SSE_ols / SST) * (SSE / SSE_ols)
        r_squared=1.0 - (1.0 - base.r_squared) * squares / old,
    )


def dimson(inputs: Inputs, cut: Cut, weights: FloatArray) -> Fit:
    """Aggregated-coefficients model: one regression on leads and lags of the benchmark.

    Abnormal returns are prediction errors of that regression, leads and lags included. The reported beta
    (last coefficient row, ``beta``) weights the slopes as Fowler and Rorke do:
    w_j = (1 + sum_{s<=l} rho_s + sum_{s<=l-j} rho_s) / (1 + 2 sum_{s<=l} rho_s).

    References
    ----------
    Dimson (1979), J. Financial Economics 7:197-226; Fowler and Rorke (1983), same journal 12:279-283.
    """
    assert inputs.benchmark is not None
    shifts = range(-inputs.lags, inputs.lags + 1)
    pieces = [cut.of(_as_regressor(inputs.benchmark), shift) for shift in shifts]
    block = Block(
        *cut.returns(inputs.returns),
        np.concatenate([piece[0] for piece in pieces], axis=1),
        np.concatenate([piece[1] for piece in pieces], axis=1),
    )
    fit = least_squares(block, weights, tuple(f"beta[{shift:+d}]" if shift else "beta[0]" for shift in shifts))
    market = cut.of(inputs.benchmark if inputs.benchmark.ndim > ONE_SERIES else inputs.benchmark[:, None])[0]
    factor = fowler_rorke_weights(market, inputs.lags)
    beta = np.einsum("jn,jn->n", np.broadcast_to(factor, fit.coefficients[1:].shape), fit.coefficients[1:])
    return replace(fit, coefficients=np.vstack([fit.coefficients, beta]), names=(*fit.names, "beta"))


def fowler_rorke_weights(market: FloatArray, lags: int) -> FloatArray:
    """Weights of the lead and lag slopes in a Dimson beta.

    Parameters
    ----------
    market : ndarray, shape (L1, 1 or N)
        Benchmark returns of the estimation window.
    lags : int
        Leads and lags, l.

    Returns
    -------
    ndarray, shape (2 l + 1, 1 or N)
        From the longest lag to the longest lead; 1 in the middle.

    References
    ----------
    Fowler and Rorke (1983), J. Financial Economics 12:279-283.
    """
    rho = [autocorrelation(market, lag) for lag in range(1, lags + 1)]
    full = sum(rho, np.zeros(market.shape[1]))
    weights = [
        (1.0 + full + sum(rho[: lags - abs(shift)], np.zeros(market.shape[1]))) / (1.0 + 2.0 * full)
        for shift in range(-lags, lags + 1)
    ]
    return np.stack(weights)


def autocorrelation(market: FloatArray, lag: int) -> FloatArray:
    """Sample correlation of each column with itself ``lag`` sessions earlier, over pairs without holes.

    Parameters
    ----------
    market : ndarray, shape (L1, M)
        Returns.
    lag : int
        Sessions.

    Returns
    -------
    ndarray, shape (M,)
        Pearson correlations.
    """
    now, before = market[lag:], market[:-lag]
    paired = np.isfinite(now) & np.isfinite(before)
    count = paired.sum(axis=0)
    now, before = np.where(paired, now, 0.0), np.where(paired, before, 0.0)
    now = np.where(paired, now - now.sum(axis=0) / count, 0.0)
    before = np.where(paired, before - before.sum(axis=0) / count, 0.0)
    result: FloatArray = (now * before).sum(axis=0) / np.sqrt((now**2).sum(axis=0) * (before**2).sum(axis=0))
    return result


def _slope(y: FloatArray, x: FloatArray) -> FloatArray:
    paired = np.isfinite(y) & np.isfinite(x)
    count = paired.sum(axis=0)
    x = np.where(paired, x, 0.0)
    x = np.where(paired, x - x.sum(axis=0) / count, 0.0)
    result: FloatArray = (x * np.where(paired, y, 0.0)).sum(axis=0) / (x * x).sum(axis=0)
    return result


def _as_regressor(benchmark: FloatArray | None) -> FloatArray:
    assert benchmark is not None
    return benchmark[:, None] if benchmark.ndim == ONE_SERIES else benchmark[:, None, :]


def _garch(inputs: Inputs, cut: Cut, weights: FloatArray) -> Fit:
    # arch takes a second to import; only this model pays for it.
    from aitheme.eventstudy.garch import garch_market_model

    return garch_market_model(inputs, cut, weights)


def _synthetic(inputs: Inputs, cut: Cut, weights: FloatArray) -> Fit:
    from aitheme.eventstudy.control import synthetic_control

    return synthetic_control(inputs, cut, weights)


MODELS: Mapping[str, ModelInfo] = {
    "mean": ModelInfo(mean_adjusted, "mean-adjusted returns", (), lambda _: 1),
    "market_adjusted": ModelInfo(market_adjusted, "market-adjusted returns", ("benchmark",), lambda _: 1),
    "market": ModelInfo(market_model, "market model (OLS)", ("benchmark",), lambda _: 2),
    "scholes_williams": ModelInfo(
        scholes_williams, "market model, Scholes-Williams beta", ("benchmark",), lambda _: 2, reach=True
    ),
    "dimson": ModelInfo(
        dimson, "Dimson model, Fowler-Rorke weights", ("benchmark",), lambda inputs: 2 + 2 * inputs.lags, reach=True
    ),
    "factor": ModelInfo(multi_factor, "multi-factor model", ("factors",), lambda inputs: 1 + len(inputs.factor_names)),
    "industry": ModelInfo(market_model, "industry-adjusted market model", ("benchmark",), lambda _: 2),
    "garch": ModelInfo(_garch, "market model, GARCH(1,1) errors", ("benchmark",), lambda _: 5),
    "matched": ModelInfo(market_adjusted, "matched control portfolio", ("benchmark",), lambda _: 1),
    "synthetic": ModelInfo(_synthetic, "synthetic control", ("donors",), lambda _: 1),
}


def model_info(model: str) -> ModelInfo:
    """Look a model up by name.

    Parameters
    ----------
    model : str
        A key of ``MODELS``.

    Returns
    -------
    ModelInfo
        The model.

    Raises
    ------
    StudyError
        If there is no such model.
    """
    if model not in MODELS:
        raise StudyError(f"model={model!r} is not known; choose one of {', '.join(MODELS)}")
    return MODELS[model]
