"""The headline test: a basket's CAR over the volatility it had just before and just after the window.

One series stands for the basket, its equal-weight return, so all cross-correlation of the members is in it. What is
left to get right is the volatility regime: a theme's stocks can be three times as volatile as in an estimation window
that ended weeks earlier. The abnormal return is therefore cumulated over the window and divided by the weighted mean
square of the model's prediction errors next to the window, the nearest sessions counting most, the window itself never.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from aitheme.eventstudy.outcome import Outcome, student

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aitheme.eventstudy.arrays import BoolArray, FloatArray
    from aitheme.eventstudy.randomisation import Portfolio
    from aitheme.eventstudy.windows import Scopes, StudyDesign

DECAY = 0.90
"""Daily decay of the weights; .88 to .94 keep the size alike on the A-share archive (docs/size.md)."""

SETTLED = 22
"""Sessions after the window that carry 90 % of the later side's weight; with fewer the p-value is provisional."""

Side = Literal["both", "before"]


@dataclass(frozen=True, slots=True)
class _Fit:
    """One portfolio's model: prediction errors of all sessions and what the forecast correction needs."""

    errors: FloatArray
    design: FloatArray
    inverse: FloatArray


def volatility_scaled(
    portfolios: Sequence[Portfolio],
    scopes: Scopes,
    design: StudyDesign,
    *,
    side: Side = "both",
    excluded: BoolArray | None = None,
    decay: float = DECAY,
) -> Outcome:
    """Test a zero mean CAR of one or several portfolios.

    Parameters
    ----------
    portfolios : sequence of Portfolio
        One per event.
    scopes : Scopes
        Spans of days to test.
    design : StudyDesign
        Windows; no session of the event window enters the volatility.
    side : {"both", "before"}
        Sessions on both sides of the window, or only those before it: the p-value one could have had that evening.
    excluded : ndarray of bool, shape (T,), or None
        Sessions of other releases, left out of estimation and volatility.
    decay : float
        Weight of a session relative to the next nearer one.

    Returns
    -------
    Outcome
        For one event, with the model's OLS coefficients b on the estimation window, errors e_s = r_s - x_s' b, weights
        w_s = decay^(sessions between s and the window) and x_W the design summed over the scope:
        v = sum w_s e_s^2 / sum w_s, C = L + x_W' (X'X)^-1 x_W, T = CAR / sqrt(v C), referred to Student's t with
        Kish's (sum w)^2 / sum w^2 degrees of freedom (19 for one full side, 38 for both). Several events: the sum of
        the CARs over the root of the summed variances, degrees of freedom after Satterthwaite (1946).

    Notes
    -----
    Kish (1965), Survey Sampling, sec. 8.2, for the effective number; the search among alternatives and the size and
    power of this one on real data are in docs/size.md.
    """
    car, variance, freedom = (np.zeros((len(portfolios), len(scopes.spans))) for _ in range(3))
    why = _overlap(portfolios, design)
    for row, portfolio in enumerate(portfolios):
        fit = _fit(portfolio, design, excluded)
        if fit is None:
            why = why or "a portfolio has fewer valid estimation days than its model has parameters"
            continue
        scale, df = _nearby_variance(fit.errors, portfolio.position, design, side, excluded, decay)
        why = why or ("" if scale > 0 else "a portfolio has no variance next to its window")
        for column in np.flatnonzero(scopes.active):
            car[row, column], correction = _window(fit, portfolio.position, scopes.spans[column])
            variance[row, column] = scale * correction
            freedom[row, column] = df
    total = variance.sum(axis=0)
    empty = np.where(scopes.active, "no valid day in the window", "not reported")
    reason = [why or ("" if value > 0 else str(text)) for value, text in zip(total, empty, strict=True)]
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where([not text for text in reason], car.sum(axis=0) / np.sqrt(total), np.nan)
        pooled = total**2 / (variance**2 / freedom).sum(axis=0)
    return student(statistic, pooled, reason)


def sessions_after(portfolio: Portfolio, design: StudyDesign) -> int:
    """Return how many sessions of data follow the event window."""
    return max(0, portfolio.returns.size - (portfolio.position + design.window[1]) - 1)


def _overlap(portfolios: Sequence[Portfolio], design: StudyDesign) -> str:
    places = np.sort([portfolio.position for portfolio in portfolios])
    if len(places) > 1 and np.diff(places).min() < design.length:
        return "event windows overlap, so their CARs are not independent"
    return ""


def _fit(portfolio: Portfolio, design: StudyDesign, excluded: BoolArray | None) -> _Fit | None:
    """Estimate the portfolio's model; None where it cannot be."""
    days = portfolio.returns.size
    regressors = np.empty((days, 0)) if portfolio.regressors is None else portfolio.regressors.reshape(days, -1)
    usable = np.isfinite(portfolio.returns) & np.isfinite(regressors).all(axis=1)
    if not portfolio.estimated:
        errors = np.where(usable, portfolio.returns - regressors.sum(axis=1), np.nan)
        return _Fit(errors, np.empty((days, 0)), np.empty((0, 0)))
    x = np.column_stack([np.ones(days), regressors])
    first, last = (portfolio.position + day for day in design.estimation_days)
    rows = np.zeros(days, dtype=bool)
    rows[max(first, 0) : last + 1] = True
    rows &= usable if excluded is None else usable & ~excluded
    if rows.sum() <= x.shape[1]:
        return None
    inverse: FloatArray = np.linalg.pinv(x[rows].T @ x[rows]).astype(np.float64)
    coefficients = inverse @ (x[rows].T @ portfolio.returns[rows])
    errors = np.where(usable, portfolio.returns - np.where(usable[:, None], x, 0.0) @ coefficients, np.nan)
    return _Fit(errors, x, inverse)


def _nearby_variance(
    errors: FloatArray, position: int, design: StudyDesign, side: Side, excluded: BoolArray | None, decay: float
) -> tuple[float, float]:
    """Return the weighted mean square of the errors next to the window and Kish's effective number."""
    before, after = position + design.window[0], position + design.window[1] + 1
    sessions = np.arange(errors.size)
    distance = np.where(sessions < before, before - 1 - sessions, sessions - after)
    weights = np.where((sessions < before) | ((sessions >= after) & (side == "both")), decay ** np.abs(distance), 0.0)
    usable = np.isfinite(errors) if excluded is None else np.isfinite(errors) & ~excluded
    weights = np.where(usable, weights, 0.0)
    if not weights.any():
        return 0.0, float("nan")
    square = float(weights @ np.where(usable, errors, 0.0) ** 2 / weights.sum())
    return square, float(weights.sum() ** 2 / (weights**2).sum())


def _window(fit: _Fit, position: int, span: tuple[int, int]) -> tuple[float, float]:
    """Return the CAR over a span and the forecast correction C; zero where no day is valid."""
    inside = slice(position + span[0], position + span[1] + 1)
    valid = np.isfinite(fit.errors[inside])
    total = np.where(valid[:, None], fit.design[inside], 0.0).sum(axis=0)
    quadratic = float(total @ fit.inverse @ total) if total.size else 0.0
    car = float(np.where(valid, fit.errors[inside], 0.0).sum())
    return car, float(valid.sum()) + quadratic if valid.any() else 0.0
