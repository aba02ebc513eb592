"""Array types and the rank transform shared by the event-study room.

Every array is laid out days x stocks: a day is a row, a stock (or an (event, stock) pair) a column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
IntArray: TypeAlias = NDArray[np.int64]


CHUNK = 256
"""Stocks ranked at a time: 256 x 266 days of float64 stay in a core's cache."""


def midranks(values: FloatArray, valid: BoolArray) -> FloatArray:
    """Rank each row over its valid entries, ties sharing their mean rank.

    Parameters
    ----------
    values : ndarray, shape (N, T)
        Any real numbers; entries that are not valid are ignored.
    valid : ndarray of bool, shape (N, T)
        Which entries take part.

    Returns
    -------
    ndarray, shape (N, T)
        Ranks 1 .. T_i of each row, 0 where not valid.
    """
    rows = np.where(valid, values, np.inf)
    order = np.argsort(rows, axis=1)
    order += np.arange(0, rows.size, rows.shape[1])[:, None]
    ranks = np.empty(rows.shape)
    ranks.ravel()[order] = np.arange(1.0, rows.shape[1] + 1.0)
    ordered = np.sort(rows, axis=1)
    equal = ordered[:, 1:] == ordered[:, :-1]
    # Adjacent infinities are holes, not ties, and their ranks are dropped below.
    tied = (equal & np.isfinite(ordered[:, 1:])).any(axis=1)
    if tied.any():
        from scipy.stats import rankdata  # as long to import as a study takes

        ranks[tied] = rankdata(rows[tied], axis=1)
    ranks[~valid] = 0.0
    return ranks


def weighted_rank_totals(parts: Sequence[tuple[FloatArray, BoolArray]], weights: FloatArray) -> FloatArray:
    """Weighted sum over stocks of each stock's ranks through time, by day.

    Parameters
    ----------
    parts : sequence of (ndarray, ndarray of bool), shapes (T_k, N)
        Consecutive spans of days that are ranked together, and their validity.
    weights : ndarray, shape (N, M)
        Weights of the stocks, one column a set.

    Returns
    -------
    ndarray, shape (T, M)
        sum_i weight_im rank_it, T the days of all parts.
    """
    days, stocks = sum(values.shape[0] for values, _ in parts), weights.shape[0]
    totals = np.zeros((days, weights.shape[1]))
    for start in range(0, stocks, CHUNK):
        here = slice(start, min(start + CHUNK, stocks))
        values = np.empty((here.stop - start, days))
        valid = np.empty(values.shape, dtype=np.bool_)
        row = 0
        for part, mask in parts:
            values[:, row : row + part.shape[0]] = part[:, here].T
            valid[:, row : row + part.shape[0]] = mask[:, here].T
            row += part.shape[0]
        totals += midranks(values, valid).T @ weights[here]
    return totals


def day_counts(valid: BoolArray) -> FloatArray:
    """Count the valid days of each stock, without a pass over columns where there is no hole.

    Parameters
    ----------
    valid : ndarray of bool, shape (L, N)
        Days with a value.

    Returns
    -------
    ndarray, shape (N,)
        Number of True entries of each column.
    """
    if valid.all():
        return np.full(valid.shape[1], float(valid.shape[0]))
    result: FloatArray = np.count_nonzero(valid, axis=0).astype(np.float64)
    return result


def mean_where(values: FloatArray, valid: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Average each row over its valid entries.

    Parameters
    ----------
    values : ndarray, shape (S, N)
        Zero where not valid.
    valid : ndarray of bool, shape (S, N)
        Which entries count.

    Returns
    -------
    mean : ndarray, shape (S,)
        NaN for a row without a valid entry.
    count : ndarray, shape (S,)
        Number of valid entries.
    """
    count = np.count_nonzero(valid, axis=1).astype(np.float64)
    safe = np.where(count > 0, count, np.nan)
    return values.sum(axis=1) / safe, count


def spread_where(values: FloatArray, valid: BoolArray) -> FloatArray:
    """Sample standard deviation (n - 1) of each row over its valid entries.

    Parameters
    ----------
    values, valid : ndarray, shape (S, N)
        As in :func:`mean_where`.

    Returns
    -------
    ndarray, shape (S,)
        NaN where fewer than two entries are valid.
    """
    mean, count = mean_where(values, valid)
    centred = np.where(valid, values - mean[:, None], 0.0)
    freedom = np.where(count > 1, count - 1.0, np.nan)
    result: FloatArray = np.sqrt(np.einsum("sn,sn->s", centred, centred) / freedom)
    return result


def ratio(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Divide, giving NaN wherever the divisor (a standard error) is not positive.

    Parameters
    ----------
    top : ndarray
        Numerator.
    bottom : ndarray
        Divisor, of a shape that broadcasts to that of ``top``.

    Returns
    -------
    ndarray
        Shape of ``top``.
    """
    usable = np.isfinite(bottom) & (bottom > 0.0)
    result: FloatArray = np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=usable)
    return result
