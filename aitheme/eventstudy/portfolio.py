"""The studentised portfolio CAR, computed for every candidate date at once.

A basket on a common date is one observation: its equal-weight return. Its CAR over a standard error known before
the window is the statistic that is randomised over dates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from aitheme.eventstudy.arrays import BoolArray, FloatArray, IntArray, ratio
from aitheme.eventstudy.errors import StudyError

DECAY = 0.94
"""RiskMetrics daily decay (J.P. Morgan 1996)."""


@dataclass(frozen=True, slots=True)
class PortfolioPaths:
    """Abnormal returns of one portfolio around D candidate dates, each with its own estimated model.

    Attributes
    ----------
    abnormal : ndarray, shape (D, H)
        From the first estimation day to the last day of the window (ratios), zero where not valid.
    valid : ndarray of bool, shape (D, H)
        Days with a portfolio return and every regressor.
    used : ndarray of bool, shape (D, L1)
        Estimation days that entered the regression.
    x : ndarray, shape (D, p, H)
        Design rows, the constant included; p = 0 where nothing is estimated.
    inverse : ndarray, shape (D, p, p)
        (X'X)^-1 of each candidate's regression.
    first_day : int
        Day of column 0 relative to the candidate date.
    estimation_length : int
        L1.
    """

    abnormal: FloatArray
    valid: BoolArray
    used: BoolArray
    x: FloatArray
    inverse: FloatArray
    first_day: int
    estimation_length: int

    def columns(self, window: tuple[int, int]) -> slice:
        """Columns of a window given in days relative to the candidate date."""
        return slice(window[0] - self.first_day, window[1] - self.first_day + 1)

    def car(self, window: tuple[int, int]) -> FloatArray:
        """Cumulated abnormal return over the valid days of a window, shape (D,)."""
        total: FloatArray = self.abnormal[:, self.columns(window)].sum(axis=1)
        return total

    def correction(self, window: tuple[int, int]) -> FloatArray:
        """C(W) = L2 + x_W' (X'X)^-1 x_W of the window, shape (D,)."""
        days = self.columns(window)
        valid = self.valid[:, days]
        total = np.einsum("dph,dh->dp", self.x[:, :, days], valid)
        quadratic = np.einsum("dp,dpq,dq->d", total, self.inverse, total)
        result: FloatArray = valid.sum(axis=1) + quadratic
        return result

    def sigma(self) -> FloatArray:
        """Residual standard deviation of each candidate's estimation window, shape (D,)."""
        residual = np.where(self.used, self.abnormal[:, : self.estimation_length], 0.0)
        count = self.used.sum(axis=1)
        parameters = self.x.shape[1]
        squares = np.einsum("dh,dh->d", residual, residual)
        if parameters == 0:
            # Nothing is estimated, so the mean is taken out here and costs one degree of freedom.
            squares, parameters = squares - residual.sum(axis=1) ** 2 / np.maximum(count, 1), 1
        result: FloatArray = np.sqrt(np.maximum(squares, 0.0) / np.maximum(count - parameters, 1))
        return result


Scale = Callable[[PortfolioPaths, tuple[int, int]], FloatArray]
"""Standard error of the CAR over a window for every candidate date, shape (D,)."""


def estimation_scale(paths: PortfolioPaths, window: tuple[int, int]) -> FloatArray:
    """Residual deviation of the estimation window times sqrt(C(W)): the exact crude-dependence t.

    References
    ----------
    Brown and Warner (1980), J. Financial Economics 8:205-258; Salinger (1992).
    """
    result: FloatArray = paths.sigma() * np.sqrt(paths.correction(window))
    return result


def ewma_scale(paths: PortfolioPaths, window: tuple[int, int], *, decay: float = DECAY) -> FloatArray:
    """Exponentially weighted volatility of the residuals up to the session before the window, times sqrt(C(W)).

    The residuals between the estimation window and the event window are prediction errors of the same model, so
    nothing later than that session is used. An estimation window that ends 30 sessions earlier misses a change of
    volatility regime; this does not.

    References
    ----------
    J.P. Morgan (1996), RiskMetrics Technical Document, ch. 5.
    """
    result: FloatArray = np.sqrt(_ewma_variance(paths, window, decay) * paths.correction(window))
    return result


def hac_scale(paths: PortfolioPaths, window: tuple[int, int]) -> FloatArray:
    """Estimation-window scale with the autocovariances of the residuals: Bartlett weights over the window length.

    References
    ----------
    Newey and West (1987), Econometrica 55:703-708.
    """
    result: FloatArray = estimation_scale(paths, window) * np.sqrt(_bartlett_ratio(paths, window))
    return result


def ewma_hac_scale(paths: PortfolioPaths, window: tuple[int, int]) -> FloatArray:
    """EWMA volatility with the autocorrelation of the estimation residuals over the window length."""
    result: FloatArray = ewma_scale(paths, window) * np.sqrt(_bartlett_ratio(paths, window))
    return result


SCALES: Mapping[str, Scale] = {
    "ewma": ewma_scale,
    "estimation": estimation_scale,
    "hac": hac_scale,
    "ewma_hac": ewma_hac_scale,
}
"""Studentisations by name; any other callable of the same form can be passed in their place."""


def portfolio_statistic(
    portfolio_returns: FloatArray,
    benchmark: FloatArray | None,
    day0_positions: IntArray,
    window: tuple[int, int],
    estimation: tuple[int, int],
    scale: str | Scale = "ewma",
) -> FloatArray:
    """Studentised portfolio CAR of every candidate date.

    Parameters
    ----------
    portfolio_returns : ndarray, shape (T,)
        Simple returns (ratios) of the portfolio, NaN where it has none.
    benchmark : ndarray, shape (T,) or (T, k), or None
        Regressors of the model; None for mean-adjusted returns.
    day0_positions : ndarray of int, shape (D,)
        Rows of the candidate dates; both windows must lie inside the data.
    window : tuple of int
        ``(a, b)`` relative to the candidate date.
    estimation : tuple of int
        ``(length, gap)``.
    scale : str or callable
        A key of ``SCALES`` or a function ``(paths, window) -> ndarray (D,)``.

    Returns
    -------
    ndarray, shape (D,)
        CAR over its standard error; NaN where a date has no valid day in the window or no variance.

    Raises
    ------
    StudyError
        If the scale is not known or a window leaves the data.
    """
    paths = portfolio_paths(portfolio_returns, benchmark, day0_positions, window, estimation)
    return studentise(paths, window, scale)


def portfolio_paths(
    portfolio_returns: FloatArray,
    benchmark: FloatArray | None,
    day0_positions: IntArray,
    window: tuple[int, int],
    estimation: tuple[int, int],
    *,
    estimated: bool = True,
    excluded: BoolArray | None = None,
) -> PortfolioPaths:
    """Estimate the model of every candidate date and take its abnormal returns.

    Parameters
    ----------
    portfolio_returns, benchmark, day0_positions, window, estimation
        As in :func:`portfolio_statistic`.
    estimated : bool
        False: abnormal return = portfolio less benchmark (which must be one series), nothing estimated.
    excluded : ndarray of bool, shape (T,), or None
        Sessions left out of every estimation window.

    Returns
    -------
    PortfolioPaths
        One row a candidate.

    Raises
    ------
    StudyError
        If a window leaves the data.
    """
    length, gap = estimation
    first = -(gap + length - 1)
    span = window[1] - first + 1
    starts = np.asarray(day0_positions, dtype=np.int64) + first
    if starts.size and (starts.min() < 0 or starts.max() + span > portfolio_returns.size):
        raise StudyError(
            f"day0_positions={starts.min() - first}..{starts.max() - first} put window={window} or "
            f"estimation={estimation} outside the {portfolio_returns.size} sessions; drop those dates"
        )
    y, x, usable = _design(portfolio_returns, benchmark, estimated=estimated)
    used = usable if excluded is None else usable & ~excluded
    shared = _design_windows(x.tobytes(), x.shape[1], usable.tobytes(), used.tobytes(), starts.tobytes(), span, length)
    valid, used, paths, rows, inverse = shared
    abnormal = sliding_window_view(y, span)[starts]
    if x.shape[1]:
        moments = np.einsum("dql,dl->dq", rows, abnormal[:, :length])
        coefficients = np.einsum("dpq,dq->dp", inverse, moments)
        abnormal = abnormal - np.einsum("dph,dp->dh", paths, coefficients)
    return PortfolioPaths(np.where(valid, abnormal, 0.0), valid, used, paths, inverse, first, length)


@lru_cache(maxsize=4)
def _design_windows(
    x: bytes, width: int, usable: bytes, used: bytes, starts: bytes, span: int, length: int
) -> tuple[BoolArray, BoolArray, FloatArray, FloatArray, FloatArray]:
    """Cut the regressors into windows and invert their moments, once for all portfolios that trade on the same days.

    The arrays come as bytes, so that equal designs are one design however often they are built.
    """
    begin = np.frombuffer(starts, dtype=np.int64)
    mask = np.frombuffer(usable, dtype=np.bool_)
    table = np.frombuffer(x, dtype=np.float64).reshape(mask.size, width)
    valid = sliding_window_view(mask, span)[begin]
    estimation = sliding_window_view(np.frombuffer(used, dtype=np.bool_), length)[begin]
    paths = sliding_window_view(table, span, axis=0)[begin]
    rows = paths[:, :, :length] * estimation[:, None, :]
    inverse = _inverses(rows @ rows.transpose(0, 2, 1)) if width else np.empty((begin.size, 0, 0))
    for array in (valid, estimation, paths, rows, inverse):
        array.flags.writeable = False
    return valid, estimation, paths, rows, inverse


def studentise(paths: PortfolioPaths, window: tuple[int, int], scale: str | Scale = "ewma") -> FloatArray:
    """CAR over a window divided by its standard error.

    Parameters
    ----------
    paths : PortfolioPaths
        Abnormal returns.
    window : tuple of int
        Days inside the window of the paths.
    scale : str or callable
        As in :func:`portfolio_statistic`.

    Returns
    -------
    ndarray, shape (D,)
        NaN where the window has no valid day or the standard error is zero.

    Raises
    ------
    StudyError
        If the scale is not known.
    """
    error = scale_function(scale)(paths, window)
    seen = paths.valid[:, paths.columns(window)].any(axis=1)
    return ratio(paths.car(window), np.where(seen, error, np.nan))


def scale_function(scale: str | Scale) -> Scale:
    """Resolve a scale by name.

    Raises
    ------
    StudyError
        If there is no such scale.
    """
    if callable(scale):
        return scale
    if scale not in SCALES:
        raise StudyError(f"scale={scale!r} is not known; choose one of {', '.join(SCALES)} or pass a function")
    return SCALES[scale]


def pre_event_volatility(paths: PortfolioPaths, window: tuple[int, int]) -> FloatArray:
    """EWMA volatility (ratio a day) known the session before the window, shape (D,)."""
    result: FloatArray = np.sqrt(_ewma_variance(paths, window, DECAY))
    return result


def _design(
    portfolio: FloatArray, benchmark: FloatArray | None, *, estimated: bool
) -> tuple[FloatArray, FloatArray, BoolArray]:
    regressors = np.empty((portfolio.size, 0)) if benchmark is None else benchmark.reshape(portfolio.size, -1)
    usable = np.isfinite(portfolio) & np.isfinite(regressors).all(axis=1)
    if not estimated:
        difference = portfolio - regressors[:, 0]
        return np.where(usable, difference, 0.0), np.empty((portfolio.size, 0)), usable
    x = np.where(usable[:, None], np.column_stack([np.ones(portfolio.size), regressors]), 0.0)
    return np.where(usable, portfolio, 0.0), x, usable


def _inverses(gram: FloatArray) -> FloatArray:
    # Scaled to a unit diagonal first: returns are a hundred times smaller than the constant. A candidate whose
    # regressors do not vary gets NaN and is not eligible.
    diagonal = np.sqrt(np.einsum("dpp->dp", gram))
    safe = np.where(diagonal > 0.0, diagonal, 1.0)
    outer = safe[:, :, None] * safe[:, None, :]
    normal = gram / outer
    weak = np.abs(np.linalg.det(normal)) < np.finfo(np.float64).eps
    normal = np.where(weak[:, None, None], np.eye(gram.shape[1]), normal)
    inverse: FloatArray = np.where(weak[:, None, None], np.nan, np.linalg.inv(normal) / outer)
    return inverse


def _ewma_variance(paths: PortfolioPaths, window: tuple[int, int], decay: float) -> FloatArray:
    stop = window[0] - paths.first_day
    weights = decay ** np.arange(stop - 1, -1, -1, dtype=np.float64)
    history = paths.abnormal[:, :stop]
    total = paths.valid[:, :stop] @ weights
    return ratio((history**2) @ weights, total)


def _bartlett_ratio(paths: PortfolioPaths, window: tuple[int, int]) -> FloatArray:
    days = window[1] - window[0] + 1
    residual = np.where(paths.used, paths.abnormal[:, : paths.estimation_length], 0.0)
    own = np.einsum("dh,dh->d", residual, residual)
    ratio = np.ones(own.size)
    for lag in range(1, days):
        cross = np.einsum("dh,dh->d", residual[:, lag:], residual[:, :-lag])
        ratio += 2.0 * (1.0 - lag / days) * cross / np.where(own > 0.0, own, 1.0)
    # Bartlett weights keep the sum non-negative; a tenth guards against a denominator that is nearly zero.
    return np.maximum(ratio, 0.1)
