"""Many tests at once: adjusted p-values, and inference over several release dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc, ndtri

from aitheme.eventstudy.arrays import ratio
from aitheme.eventstudy.errors import StudyError
from aitheme.eventstudy.outcome import Outcome, given, inapplicable, reasons, student

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from aitheme.eventstudy.arrays import FloatArray, IntArray

TWO_DATES = "needs at least two event dates"
PAIR = 2
SMALLEST_P = 1e-300
"""Keeps a normal score finite."""


def holm(p_values: ArrayLike) -> FloatArray:
    """Holm's step-down adjustment (family-wise error, any dependence).

    Parameters
    ----------
    p_values : array_like, shape (K,)
        Raw p-values; NaN (a test that does not apply) stays NaN and is not counted.

    Returns
    -------
    ndarray, shape (K,)
        Adjusted p-values, in the order given.

    Raises
    ------
    StudyError
        If a p-value lies outside [0, 1].

    References
    ----------
    Holm (1979), Scandinavian J. Statistics 6:65-70.
    """
    raw, place, order = _ordered(p_values)
    count = order.size
    stepped = np.maximum.accumulate(raw[place][order] * np.arange(count, 0, -1))
    return _restored(raw, place, order, stepped)


def benjamini_hochberg(p_values: ArrayLike) -> FloatArray:
    """Benjamini-Hochberg step-up adjustment (false discovery rate, independent or positively dependent tests).

    Parameters and result as in :func:`holm`.

    References
    ----------
    Benjamini and Hochberg (1995), J. Royal Statistical Society B 57:289-300.
    """
    raw, place, order = _ordered(p_values)
    return _restored(raw, place, order, _step_up(raw[place][order], 1.0))


def benjamini_yekutieli(p_values: ArrayLike) -> FloatArray:
    """Benjamini-Yekutieli step-up adjustment (false discovery rate, any dependence: overlapping windows).

    Parameters and result as in :func:`holm`.

    References
    ----------
    Benjamini and Yekutieli (2001), Annals of Statistics 29:1165-1188.
    """
    raw, place, order = _ordered(p_values)
    penalty = float((1.0 / np.arange(1, order.size + 1)).sum())
    return _restored(raw, place, order, _step_up(raw[place][order], penalty))


def romano_wolf(statistics: ArrayLike, draws: ArrayLike) -> FloatArray:
    """Romano-Wolf step-down adjustment from joint draws, which keep the dependence between the tests.

    Parameters
    ----------
    statistics : array_like, shape (K,)
        Observed statistics; NaN is not counted.
    draws : array_like, shape (K, B)
        Reference statistics; column b holds one joint draw (the same placebo date for every test). Columns with a
        NaN among the counted tests are left out.

    Returns
    -------
    ndarray, shape (K,)
        Adjusted two-sided p-values; NaN where the statistic is.

    Raises
    ------
    StudyError
        If the shapes differ or no joint draw is left.

    References
    ----------
    Romano and Wolf (2005), Econometrica 73:1237-1282; (2016), Statistics and Probability Letters 113:38-40.
    """
    observed, table = np.abs(np.asarray(statistics, dtype=np.float64)), np.abs(np.asarray(draws, dtype=np.float64))
    if table.ndim != PAIR or table.shape[0] != observed.size:
        raise StudyError(f"draws has shape {table.shape}, must be ({observed.size}, B): one row per statistic")
    place = np.flatnonzero(np.isfinite(observed))
    table = table[place]
    table = table[:, np.isfinite(table).all(axis=0)]
    if place.size and not table.shape[1]:
        raise StudyError("draws has no column without NaN; use placebo dates all tests share")
    result = np.full(observed.size, np.nan)
    order = place[np.argsort(-observed[place], kind="stable")]
    ranked = table[np.argsort(-observed[place], kind="stable")]
    # The largest draw among the hypotheses not yet rejected, from the last to the first.
    largest = np.maximum.accumulate(ranked[::-1], axis=0)[::-1]
    beyond = (largest >= observed[order][:, None]).sum(axis=1)
    result[order] = np.maximum.accumulate((1.0 + beyond) / (table.shape[1] + 1.0))
    return result


def ibragimov_muller(caar: FloatArray, *, overlapping: bool = False) -> Outcome:
    """t-test over event dates: one CAAR per date, sqrt(K) mean / sd, t(K - 1).

    Valid for any dependence within a date and unequal variances between dates at two-sided levels up to 8.3 %,
    provided the dates' windows do not overlap.

    Parameters
    ----------
    caar : ndarray, shape (K, S)
        CAAR of each date and scope (ratios), NaN where a date has none.
    overlapping : bool
        Whether windows of different dates share sessions; the test is then not applied.

    Returns
    -------
    Outcome
        One value a scope.

    References
    ----------
    Ibragimov and Muller (2010), J. Business and Economic Statistics 28:453-468.
    """
    scopes = caar.shape[1]
    if caar.shape[0] < PAIR:
        return inapplicable(scopes, TWO_DATES, "t")
    if overlapping:
        why = "event windows of different dates share sessions, so the dates are not independent; shorten the window"
        return inapplicable(scopes, why, "t")
    valid = np.isfinite(caar)
    count = valid.sum(axis=0).astype(np.float64)
    filled = np.where(valid, caar, 0.0)
    mean = filled.sum(axis=0) / np.maximum(count, 1.0)
    squares = (np.where(valid, caar - mean, 0.0) ** 2).sum(axis=0)
    spread = np.sqrt(squares / np.maximum(count - 1.0, 1.0))
    statistic = ratio(np.sqrt(count) * mean, spread)
    return student(statistic, count - 1.0, reasons(scopes, (count < PAIR, TWO_DATES)))


def joint_dates(p_values: FloatArray, *, overlapping: bool = False) -> Outcome:
    """Joint test that no date had an effect: sum of squared normal scores of the dates' p-values, chi2(K).

    Sensitive to effects of either sign, where a mean over dates would cancel them.

    Parameters
    ----------
    p_values : ndarray, shape (K, S)
        Two-sided p-value of each date, from a test that holds on a common date.
    overlapping : bool
        As in :func:`ibragimov_muller`.

    Returns
    -------
    Outcome
        sum_k z_k^2 with z_k = Phi^-1(1 - p_k / 2), over the dates that have a p-value.

    References
    ----------
    Stouffer et al. (1949); Lancaster (1961), Australian J. Statistics 3:20-33, for the chi-square form.
    """
    dates, scopes = p_values.shape
    if dates < PAIR:
        return inapplicable(scopes, TWO_DATES, "chi2")
    if overlapping:
        why = "event windows of different dates share sessions, so the dates are not independent; shorten the window"
        return inapplicable(scopes, why, "chi2")
    valid = np.isfinite(p_values)
    score = ndtri(np.maximum(np.where(valid, p_values, 1.0), SMALLEST_P) / 2.0)
    count = valid.sum(axis=0)
    total = np.where(valid, score**2, 0.0).sum(axis=0)
    return given(total, chdtrc(np.maximum(count, 1), total), "chi2", reasons(scopes, (count < PAIR, TWO_DATES)))


def _ordered(p_values: ArrayLike) -> tuple[FloatArray, IntArray, IntArray]:
    raw = np.asarray(p_values, dtype=np.float64)
    place = np.flatnonzero(np.isfinite(raw))
    if place.size and (raw[place].min() < 0.0 or raw[place].max() > 1.0):
        raise StudyError(f"p_values={raw[place].tolist()} must lie in [0, 1]; pass p-values, not statistics")
    return raw, place, np.argsort(raw[place], kind="stable")


def _step_up(ordered: FloatArray, penalty: float) -> FloatArray:
    count = ordered.size
    scaled = ordered * penalty * count / np.arange(1, count + 1)
    result: FloatArray = np.minimum.accumulate(scaled[::-1])[::-1]
    return result


def _restored(raw: FloatArray, place: IntArray, order: IntArray, stepped: FloatArray) -> FloatArray:
    result = np.full(raw.shape, np.nan)
    result[place[order]] = np.minimum(stepped, 1.0)
    return result
