"""Batched least squares over many stocks, with holes, and the forecast-error correction that goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from aitheme.eventstudy.arrays import day_counts
from aitheme.eventstudy.errors import StudyError
from aitheme.eventstudy.fits import Block, Fit, Regression

if TYPE_CHECKING:
    from aitheme.eventstudy.arrays import BoolArray, FloatArray, IntArray

SINGULAR = 1e-10
"""Smallest eigenvalue of the unit-diagonal Gram matrix that still counts as full rank: regressors with a
correlation of 1 - 1e-10 leave no usable digits in a slope."""

SHARED = 2
"""A design with two axes is common to all stocks; with three, each stock has its own."""

Moments = Literal["firm", "window"]


def least_squares(
    block: Block,
    weights: FloatArray,
    names: tuple[str, ...],
    *,
    ddof: int | None = None,
    moments: Moments = "firm",
) -> Fit:
    """Ordinary least squares of every stock on the regressors, in one batch.

    Stocks with a complete estimation window share one QR factorisation; the others use their own masked
    normal equations, so a suspended day takes no part and nothing is filled in.

    Parameters
    ----------
    block : Block
        Returns and regressors.
    weights : ndarray, shape (S, L2)
        Scopes for the forecast-error correction.
    names : tuple of str
        Names of the regressors.
    ddof : int or None
        Subtracted from L1_i in the residual variance; None for the number of parameters. The R package
        estudy2 uses 1.
    moments : {"firm", "window"}
        Days behind the regressor moments of the forecast-error correction: those of the stock's own
        regression, or (estudy2) the whole window even for a late listing, with 1 / L1_i and, for the portfolio,
        1 / mean(L1_i) as the first term.

    Returns
    -------
    Fit
        Residuals, abnormal returns and C_i(W) = L2_i + x_W' (X_i'X_i)^-1 x_W.

    Raises
    ------
    StudyError
        If the regressors are collinear.

    References
    ----------
    Patell (1976), J. Accounting Research 14:246-276, p. 256, for one day; Mikkelson and Partch (1988),
    Salinger (1992), Campbell, Lo and MacKinlay (1997) ch. 4.4 for the window sum.
    """
    x, x_event = _with_constant(block.x_estimation), _with_constant(block.x_event)
    y, valid, x = _zero_filled(block.estimation, x)
    y_event, valid_event, x_event = _zero_filled(block.event, x_event)
    solve = _solve_shared if x.ndim == SHARED else _solve_own
    coefficients, inverse, common = solve(x, y, valid, names)
    residual = _residual(y, valid, x, coefficients)
    abnormal = _residual(y_event, valid_event, x_event, coefficients)
    parameters = coefficients.shape[0]
    count = day_counts(valid)
    squares = np.einsum("ln,ln->n", residual, residual)
    portfolio = common
    if moments == "window":
        days = int(np.any(x != 0.0, axis=1).sum())
        inverse = _whole_window_inverse(common, count, days)
        portfolio = _whole_window_inverse(common, count.mean(keepdims=True), days)[0]
    return Fit(
        estimation=residual,
        event=abnormal,
        estimation_valid=valid,
        event_valid=valid_event,
        sigma=np.sqrt(squares / (count - (parameters if ddof is None else ddof))),
        parameters=parameters,
        coefficients=coefficients,
        names=("alpha", *names),
        r_squared=_r_squared(y, count, squares),
        correction=forecast_correction(weights, x_event, valid_event, inverse, common),
        portfolio_correction=_portfolio_correction(weights, x_event, portfolio),
        regression=Regression(x, x_event, inverse) if x.ndim == SHARED else None,
    )


def no_estimation(block: Block, expected: FloatArray, expected_event: FloatArray, weights: FloatArray) -> Fit:
    """Abnormal returns against a benchmark that needs no estimation (market-adjusted, control portfolio).

    Parameters
    ----------
    block : Block
        Returns; its regressors are not used.
    expected, expected_event : ndarray, shape (L1, 1 or N) and (L2, 1 or N)
        Expected returns in the two windows.
    weights : ndarray, shape (S, L2)
        Scopes.

    Returns
    -------
    Fit
        AR = R - expected; sigma is the sample standard deviation of R - expected about its mean (L1 - 1
        degrees of freedom) and C_i(W) = L2_i, since nothing is estimated.
    """
    difference, event = block.estimation - expected, block.event - expected_event
    valid, valid_event = np.isfinite(difference), np.isfinite(event)
    difference, event = np.where(valid, difference, 0.0), np.where(valid_event, event, 0.0)
    count = day_counts(valid)
    mean = difference.sum(axis=0) / count
    squares = np.einsum("ln,ln->n", difference, difference) - count * mean**2
    returns = np.where(valid, block.estimation, 0.0)
    return Fit(
        estimation=difference,
        event=event,
        estimation_valid=valid,
        event_valid=valid_event,
        sigma=np.sqrt(np.maximum(squares, 0.0) / (count - 1.0)),
        parameters=1,
        coefficients=np.empty((0, count.size)),
        names=(),
        r_squared=_r_squared(returns, count, np.einsum("ln,ln->n", difference, difference)),
        correction=weights @ valid_event,
        portfolio_correction=weights.sum(axis=1),
    )


def forecast_correction(
    weights: FloatArray, x_event: FloatArray, valid: BoolArray, inverse: FloatArray, common: FloatArray
) -> FloatArray:
    """Variance of the summed prediction error of each scope and stock, in units of the residual variance.

    Parameters
    ----------
    weights : ndarray, shape (S, L2)
        Scopes.
    x_event : ndarray, shape (L2, p) or (L2, p, N)
        Design rows, the constant included.
    valid : ndarray of bool, shape (L2, N)
        Days that enter a stock's sum.
    inverse : ndarray, shape (N, p, p)
        (X_i'X_i)^-1 of each stock's regression.
    common : ndarray, shape (p, p)
        (X'X)^-1 of a stock without holes; used where the design is shared.

    Returns
    -------
    ndarray, shape (S, N)
        C_i(W) = L2_i + x_W' (X_i'X_i)^-1 x_W with x_W the sum of the valid rows.
    """
    days = weights @ valid
    if x_event.ndim > SHARED:
        total = np.einsum("sl,lpn,ln->spn", weights, x_event, valid.astype(np.float64), optimize=True)
        own: FloatArray = days + np.einsum("spn,npq,sqn->sn", total, inverse, total, optimize=True)
        return own
    whole = weights @ x_event
    result = np.empty_like(days)
    rows = np.any(x_event != 0.0, axis=1)
    plain = valid[rows].all(axis=0) & (inverse == common).all(axis=(1, 2))
    base = np.einsum("sp,pq,sq->s", whole, common, whole)
    result[:, plain] = days[:, plain] + base[:, None]
    rest = np.flatnonzero(~plain)
    if rest.size:
        total = np.einsum("sl,lp,ln->spn", weights, x_event, valid[:, rest].astype(np.float64), optimize=True)
        result[:, rest] = days[:, rest] + np.einsum("spn,npq,sqn->sn", total, inverse[rest], total, optimize=True)
    return result


def _with_constant(x: FloatArray) -> FloatArray:
    constant = np.ones_like(x[:, :1]) if x.shape[1] else np.ones((x.shape[0], 1, *x.shape[2:]))
    result: FloatArray = np.concatenate([constant, x], axis=1)
    return result


def _zero_filled(y: FloatArray, x: FloatArray) -> tuple[FloatArray, BoolArray, FloatArray]:
    usable: BoolArray = np.asarray(np.isfinite(x).all(axis=1))
    valid: BoolArray = np.asarray(np.isfinite(y))
    if x.ndim == SHARED and not valid.all():
        # A session without any return (another release, excluded for all) must not reach the shared regression.
        usable &= valid.any(axis=1)
    if not usable.all():
        valid &= usable if x.ndim > SHARED else usable[:, None]
        x = np.where(usable[:, None], x, 0.0)
    if x.ndim > SHARED and not valid.all():
        x = x * valid[:, None, :]
    return (y if valid.all() else np.where(valid, y, 0.0)), valid, x


def _solve_shared(
    x: FloatArray, y: FloatArray, valid: BoolArray, names: tuple[str, ...]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    rows = np.any(x != 0.0, axis=1)
    _refuse_collinear(x, names)
    q, r = np.linalg.qr(x)
    r_inverse = np.linalg.inv(r)
    common = r_inverse @ r_inverse.T
    coefficients = r_inverse @ (q.T @ y)
    inverse = np.broadcast_to(common, (y.shape[1], *common.shape)).copy()
    partial = _with_holes(valid if rows.all() else valid[rows])
    if partial.size:
        scale = np.sqrt(np.einsum("lp,lp->p", x, x))
        unit = x / scale
        products = (unit[:, :, None] * unit[:, None, :]).reshape(x.shape[0], -1)
        gram = (products.T @ valid[:, partial].astype(np.float64)).T.reshape(partial.size, x.shape[1], x.shape[1])
        own = _inverted(gram)
        coefficients[:, partial] = np.einsum("npq,qn->pn", own, unit.T @ y[:, partial]) / scale[:, None]
        inverse[partial] = own / np.outer(scale, scale)
    return coefficients, inverse, common


def _solve_own(
    x: FloatArray, y: FloatArray, valid: BoolArray, names: tuple[str, ...]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    scale = np.sqrt(np.einsum("lpn,lpn->pn", x, x))
    scale = np.where(scale > 0.0, scale, 1.0)
    unit = x / scale
    gram = np.einsum("lpn,lqn->npq", unit, unit, optimize=True)
    own = _inverted(gram)
    coefficients = np.einsum("npq,qn->pn", own, np.einsum("lpn,ln->pn", unit, y)) / scale
    inverse = own / np.einsum("pn,qn->npq", scale, scale)
    average = x.sum(axis=2) / np.maximum(valid.sum(axis=1), 1)[:, None]
    _refuse_collinear(average, names)
    common = np.linalg.inv(average.T @ average)
    return coefficients, inverse, common


def _with_holes(valid: BoolArray) -> IntArray:
    return np.flatnonzero(~valid.all(axis=0)) if not valid.all() else np.empty(0, dtype=np.int64)


def _inverted(gram: FloatArray) -> FloatArray:
    # A stock whose own days leave the regressors collinear gets NaN here and is dropped with that reason.
    diagonal = np.sqrt(np.einsum("npp->np", gram))
    safe = np.where(diagonal > 0.0, diagonal, 1.0)
    normal = gram / (safe[:, :, None] * safe[:, None, :])
    weak = np.linalg.eigvalsh(normal)[:, 0] < SINGULAR
    gram = np.where(weak[:, None, None], np.eye(gram.shape[1]), gram)
    inverse: FloatArray = np.where(weak[:, None, None], np.nan, np.linalg.inv(gram))
    return inverse


def _refuse_collinear(x: FloatArray, names: tuple[str, ...]) -> None:
    scale = np.sqrt(np.einsum("lp,lp->p", x, x))
    flat = np.flatnonzero(scale == 0.0)
    if flat.size:
        raise StudyError(
            f"regressor {(('constant', *names)[flat[0]])!r} has no value in the estimation window; load it"
        )
    unit = x / scale
    if np.linalg.eigvalsh(unit.T @ unit)[0] < SINGULAR:
        listed = ", ".join(names)
        raise StudyError(
            f"regressors ({listed}) are constant or collinear in the estimation window, so no coefficient is defined; "
            "drop one, or use model='market_adjusted'"
        )


def _residual(y: FloatArray, valid: BoolArray, x: FloatArray, coefficients: FloatArray) -> FloatArray:
    fitted: FloatArray = x @ coefficients if x.ndim == SHARED else np.einsum("lpn,pn->ln", x, coefficients)
    np.subtract(y, fitted, out=fitted)
    partial = _with_holes(valid)
    if partial.size:
        fitted[:, partial] = np.where(valid[:, partial], fitted[:, partial], 0.0)
    return fitted


def _r_squared(y: FloatArray, count: FloatArray, squares: FloatArray) -> FloatArray:
    total = np.einsum("ln,ln->n", y, y) - y.sum(axis=0) ** 2 / count
    return 1.0 - squares / np.where(total > 0.0, total, np.nan)


def _whole_window_inverse(common: FloatArray, count: FloatArray, days: int) -> FloatArray:
    # 1/L1_i in place of 1/L1, the moments of the whole window kept: equals estudy2 for one regressor.
    inverse = np.broadcast_to(common, (count.size, *common.shape)).copy()
    inverse[:, 0, 0] += 1.0 / count - 1.0 / days
    return inverse


def _portfolio_correction(weights: FloatArray, x_event: FloatArray, common: FloatArray) -> FloatArray:
    shared = x_event if x_event.ndim == SHARED else x_event.mean(axis=2)
    total = weights @ shared
    result: FloatArray = weights.sum(axis=1) + np.einsum("sp,pq,sq->s", total, common, total)
    return result
