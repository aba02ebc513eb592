"""What goes into a batch of regressions and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aitheme.eventstudy.arrays import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class Block:
    """Returns and regressors of one event, cut to its two windows.

    Attributes
    ----------
    estimation : ndarray, shape (L1, N)
        Returns (ratios), NaN where there is none.
    event : ndarray, shape (L2, N)
        The same in the event window.
    x_estimation : ndarray, shape (L1, k) or (L1, k, N)
        Regressors without the constant; a third axis gives every stock its own.
    x_event : ndarray, shape (L2, k) or (L2, k, N)
        The same in the event window.
    """

    estimation: FloatArray
    event: FloatArray
    x_estimation: FloatArray
    x_event: FloatArray


@dataclass(frozen=True, slots=True)
class Regression:
    """The shared design of a batch of regressions, kept for resampling.

    Attributes
    ----------
    x : ndarray, shape (L1, p)
        Estimation rows, the constant included; zero on unusable sessions.
    x_event : ndarray, shape (L2, p)
        Event rows.
    inverse : ndarray, shape (N, p, p)
        (X_i'X_i)^-1 of each stock.
    """

    x: FloatArray
    x_event: FloatArray
    inverse: FloatArray


@dataclass(frozen=True, slots=True)
class Fit:
    """Abnormal returns of one expected-return model.

    Attributes
    ----------
    estimation, event : ndarray, shape (L1, N) and (L2, N)
        Residuals and abnormal returns (ratios), zero where not valid.
    estimation_valid, event_valid : ndarray of bool, shape (L1, N) and (L2, N)
        Days that have a return and every regressor.
    sigma : ndarray, shape (N,)
        Residual standard deviation, sqrt(sum e^2 / (L1_i - parameters)).
    parameters : int
        Estimated parameters p, the constant included.
    coefficients : ndarray, shape (p, N)
        The constant first; no rows where nothing is estimated.
    names : tuple of str
        Names of the coefficients.
    r_squared : ndarray, shape (N,)
        1 - SSE / SST over the estimation window.
    correction : ndarray, shape (S, N)
        C_i(W): variance of the summed prediction error of each scope, in units of sigma^2.
    portfolio_correction : ndarray, shape (S,)
        The same for the equal-weight portfolio of the stocks.
    conditional_sigma : ndarray, shape (L1, N), or None
        In-sample conditional volatility where the model has one.
    regression : Regression or None
        The design, where all stocks share one and coefficients are estimated.
    """

    estimation: FloatArray
    event: FloatArray
    estimation_valid: BoolArray
    event_valid: BoolArray
    sigma: FloatArray
    parameters: int
    coefficients: FloatArray
    names: tuple[str, ...]
    r_squared: FloatArray
    correction: FloatArray
    portfolio_correction: FloatArray
    conditional_sigma: FloatArray | None = None
    regression: Regression | None = None


def keep_stocks(fit: Fit, keep: BoolArray) -> Fit:
    """Drop the stocks that are not kept from a fit.

    Parameters
    ----------
    fit : Fit
        Fit of N stocks.
    keep : ndarray of bool, shape (N,)
        Stocks that stay.

    Returns
    -------
    Fit
        The same object where every stock stays.
    """
    if keep.all():
        return fit
    regression = fit.regression
    return replace(
        fit,
        estimation=fit.estimation[:, keep],
        event=fit.event[:, keep],
        estimation_valid=fit.estimation_valid[:, keep],
        event_valid=fit.event_valid[:, keep],
        sigma=fit.sigma[keep],
        coefficients=fit.coefficients[:, keep],
        r_squared=fit.r_squared[keep],
        correction=fit.correction[:, keep],
        conditional_sigma=None if fit.conditional_sigma is None else fit.conditional_sigma[:, keep],
        regression=None if regression is None else replace(regression, inverse=regression.inverse[keep]),
    )
