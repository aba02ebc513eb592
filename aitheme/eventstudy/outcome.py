"""The values of one test over every scope, and how statistics become p-values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, stdtr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aitheme.eventstudy.arrays import BoolArray, FloatArray

NORMAL = "normal"
STUDENT = "t"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test over S scopes.

    Attributes
    ----------
    statistic, p_value : ndarray, shape (S,)
        NaN exactly where ``reason`` is not empty.
    df : ndarray, shape (S,)
        Degrees of freedom of a t reference, otherwise NaN.
    reference : str
        Distribution behind the p-value.
    reason : tuple of str
        Why the test does not apply in a scope; empty where it does.
    """

    statistic: FloatArray
    p_value: FloatArray
    df: FloatArray
    reference: str
    reason: tuple[str, ...]

    @property
    def applicable(self) -> BoolArray:
        """Scopes in which the test applies, shape (S,)."""
        return np.array([not reason for reason in self.reason], dtype=np.bool_)


def normal(statistic: FloatArray, reason: Sequence[str]) -> Outcome:
    """Two-sided p-values of N(0, 1) statistics, shape (S,)."""
    statistic, kept = _checked(statistic, reason)
    return Outcome(statistic, 2.0 * ndtr(-np.abs(statistic)), np.full(statistic.size, np.nan), NORMAL, kept)


def student(statistic: FloatArray, df: FloatArray | float, reason: Sequence[str]) -> Outcome:
    """Two-sided p-values of t(df) statistics, shape (S,)."""
    statistic, kept = _checked(statistic, reason)
    freedom = np.where(np.isnan(statistic), np.nan, np.broadcast_to(np.asarray(df, dtype=np.float64), statistic.shape))
    return Outcome(statistic, 2.0 * stdtr(freedom, -np.abs(statistic)), freedom, STUDENT, kept)


def given(statistic: FloatArray, p_value: FloatArray, reference: str, reason: Sequence[str]) -> Outcome:
    """Statistics with p-values from their own reference set, shape (S,)."""
    statistic, kept = _checked(statistic, reason)
    p_value = np.where(np.isnan(statistic), np.nan, p_value)
    return Outcome(statistic, p_value, np.full(statistic.size, np.nan), reference, kept)


def inapplicable(scopes: int, reason: str, reference: str = NORMAL) -> Outcome:
    """Make the outcome of a test that applies in no scope."""
    nothing = np.full(scopes, np.nan)
    return Outcome(nothing, nothing, nothing, reference, (reason,) * scopes)


def reasons(scopes: int, *checks: tuple[BoolArray | np.bool_, str]) -> tuple[str, ...]:
    """First failing check of each scope.

    Parameters
    ----------
    scopes : int
        Number of scopes, S.
    *checks : (ndarray of bool, shape (S,), str)
        Where a check fails and what that means; earlier checks win.

    Returns
    -------
    tuple of str
        Empty where nothing fails.
    """
    text = [""] * scopes
    for failed, meaning in reversed(checks):
        if not np.any(failed):
            continue
        for place in np.flatnonzero(np.broadcast_to(failed, scopes)):
            text[place] = meaning
    return tuple(text)


def _checked(statistic: FloatArray, reason: Sequence[str]) -> tuple[FloatArray, tuple[str, ...]]:
    # The statistic and its reason are two views of one fact: whichever is missing is completed.
    statistic = np.asarray(statistic, dtype=np.float64)
    blocked = np.array([bool(text) for text in reason], dtype=np.bool_)
    finite = np.isfinite(statistic)
    kept = tuple(
        text if text or good else "the statistic is undefined: its standard error is zero"
        for text, good in zip(reason, finite, strict=True)
    )
    return np.where(blocked | ~finite, np.nan, statistic), kept
