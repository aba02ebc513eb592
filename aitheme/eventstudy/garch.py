"""Market model with GARCH(1,1) errors, one stock at a time through ``arch``."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from aitheme.eventstudy.errors import StudyError
from aitheme.eventstudy.models import ONE_SERIES, market_model

if TYPE_CHECKING:
    from aitheme.eventstudy.arrays import FloatArray
    from aitheme.eventstudy.fits import Fit
    from aitheme.eventstudy.models import Cut, Inputs

PERCENT = 100.0
"""arch's optimiser wants returns of order one."""


def garch_market_model(inputs: Inputs, cut: Cut, weights: FloatArray) -> Fit:
    """Market model whose residual variance follows GARCH(1,1), estimated jointly by maximum likelihood.

    The parameters come from the estimation window; the variance recursion then runs on through the sessions
    between the two windows and forecasts the event window from the session before it, so that
    SAR_it = AR_it / sqrt(h_it) uses only what was known. C_i(W) = sum_W h_it / sigma_i^2; the uncertainty of
    the coefficients is left out, as is usual for conditional forecasts.

    Parameters
    ----------
    inputs : Inputs
        Returns and benchmark.
    cut : Cut
        The windows.
    weights : ndarray, shape (S, L2)
        Scopes.

    Returns
    -------
    Fit
        With ``conditional_sigma``; a stock whose likelihood did not converge has sigma NaN.

    Raises
    ------
    StudyError
        If no stock converged.

    References
    ----------
    Bollerslev (1986), J. Econometrics 31:307-327; Corhay and Tourani Rad (1996), Quarterly Review of
    Economics and Finance 36:529-538, for the market model.
    """
    assert inputs.benchmark is not None
    base = market_model(inputs, cut, weights)
    benchmark = inputs.benchmark if inputs.benchmark.ndim > ONE_SERIES else inputs.benchmark[:, None]
    coefficients, sigma = base.coefficients.copy(), np.full_like(base.sigma, np.nan)
    residual, abnormal = base.estimation.copy(), base.event.copy()
    conditional, variance = np.ones_like(residual), np.ones_like(abnormal)
    days = base.estimation_valid.sum(axis=0)
    for stock in range(sigma.size):
        market = benchmark[:, min(stock, benchmark.shape[1] - 1)]
        path = _fit_one(inputs.returns[:, stock], market, cut, base.estimation_valid[:, stock])
        if path is None:
            continue
        coefficients[:, stock], errors, conditional[:, stock], variance[:, stock] = path
        inside, event = cut.of(errors)
        residual[:, stock] = np.where(base.estimation_valid[:, stock], inside, 0.0)
        abnormal[:, stock] = np.where(base.event_valid[:, stock], event, 0.0)
        sigma[stock] = np.sqrt(residual[:, stock] @ residual[:, stock] / (days[stock] - base.parameters))
    if np.isnan(sigma).all():
        raise StudyError("model='garch' did not converge for any stock; use a longer estimation or model='market'")
    return replace(
        base,
        estimation=residual,
        event=abnormal,
        sigma=sigma,
        coefficients=coefficients,
        # SSE / SST = (SSE_ols / SST) * (SSE / SSE_ols), the degrees of freedom being the same
        r_squared=1.0 - (1.0 - base.r_squared) * (sigma / base.sigma) ** 2,
        correction=weights @ (variance * base.event_valid) / sigma**2,
        conditional_sigma=conditional,
    )


def _fit_one(
    returns: FloatArray, market: FloatArray, cut: Cut, valid: Any
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray] | None:
    from arch.univariate import GARCH, LS

    rows = np.arange(*cut.estimation)[valid]
    model = LS(returns[rows] * PERCENT, market[rows, None] * PERCENT, volatility=GARCH(p=1, q=1), rescale=False)
    with warnings.catch_warnings():
        # Convergence is read from the flag below; the optimiser's own warnings would only repeat it.
        warnings.simplefilter("ignore")
        result = model.fit(disp="off", show_warning=False)
    if result.convergence_flag != 0:
        return None
    constant, slope, omega, alpha, beta = (float(value) for value in result.params)
    constant, omega = constant / PERCENT, omega / PERCENT**2
    errors = returns - constant - slope * market
    in_sample = np.ones(valid.size)
    in_sample[valid] = np.asarray(result.conditional_volatility) / PERCENT
    ahead = _filtered_forecast(errors, (omega, alpha, beta), (int(rows[-1]), in_sample[valid][-1] ** 2), cut.event)
    return np.array([constant, slope]), errors, in_sample, ahead


def _filtered_forecast(
    errors: FloatArray, parameters: tuple[float, float, float], last: tuple[int, float], event: tuple[int, int]
) -> FloatArray:
    omega, alpha, beta = parameters
    row, variance = last
    for place in range(row, event[0]):
        # A suspended session has no shock: its square is replaced by its expectation.
        shock = errors[place] ** 2 if np.isfinite(errors[place]) else variance
        variance = omega + alpha * shock + beta * variance
    path = np.empty(event[1] - event[0])
    for step in range(path.size):
        path[step] = variance
        variance = omega + (alpha + beta) * variance
    return path
