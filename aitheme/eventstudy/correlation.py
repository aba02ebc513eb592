"""Mean cross-correlation of estimation-window residuals, and what it does to the variance of a mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aitheme.eventstudy.arrays import day_counts

if TYPE_CHECKING:
    from aitheme.eventstudy.arrays import BoolArray, FloatArray, IntArray

CHUNK = 128
"""Stocks with holes handled per matrix product, which bounds memory at CHUNK x N."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """Cross-sectional dependence of a sample.

    Attributes
    ----------
    rbar : float
        Mean residual correlation over all pairs of stocks; pairs of different event dates count as zero.
        NaN for fewer than two stocks.
    inflation : float
        1 + (N - 1) rbar: variance of the mean abnormal return relative to independence.
    n : int
        Stocks, N.
    n_eff : float
        N / inflation: independent stocks that would give the same variance.
    by_date : tuple of float
        rbar within each event date.
    reason : str
        Why rbar cannot be used, or empty.
    """

    rbar: float
    inflation: float
    n: int
    n_eff: float
    by_date: tuple[float, ...]
    reason: str = ""


def mean_correlation(residuals: FloatArray, valid: BoolArray) -> float:
    """Mean off-diagonal correlation of residuals.

    Stocks without holes need no N x N matrix: with z_i the centred residual of unit length and v = sum z_i, the sum
    over pairs is v'v - N. A pair with a hole is correlated over the common days, each residual centred by
    its own mean: r_ij = sum e_i e_j / sqrt(sum e_i^2 m_j * sum e_j^2 m_i), m the validity.

    Parameters
    ----------
    residuals : ndarray, shape (L1, N)
        Estimation-window residuals, zero where not valid.
    valid : ndarray of bool, shape (L1, N)
        Days with a residual.

    Returns
    -------
    float
        NaN for fewer than two stocks. Pairs without two common days are left out.

    References
    ----------
    Kolari and Pynnonen (2010), Review of Financial Studies 23:3996-4025.
    """
    stocks = residuals.shape[1]
    if stocks <= 1:
        return float("nan")
    # A session nobody traded carries no information and must not turn every stock into one with a hole.
    days = valid.any(axis=1)
    complete = valid[days].all(axis=0) if not valid.all() else np.ones(stocks, dtype=np.bool_)
    count = day_counts(valid)
    mean = residuals.sum(axis=0) / np.maximum(count, 1)
    length = np.sqrt(np.maximum(np.einsum("ln,ln->n", residuals, residuals) - count * mean**2, 0.0))
    whole = np.flatnonzero(complete)
    # z_i = (e_i - mean_i) / length_i summed over i, without materialising the z_i.
    inverse = 1.0 / length[whole]
    total = residuals[:, whole] @ inverse if whole.size < stocks else residuals @ inverse
    total = np.where(days, total - float(mean[whole] @ inverse), 0.0)
    pairs = whole.size * (whole.size - 1)
    score = float(total @ total) - whole.size
    holes = np.flatnonzero(~complete)
    if holes.size:
        full = residuals[:, whole] - mean[whole]
        full[~days] = 0.0
        part, mask = residuals[:, holes], valid[:, holes]
        part = np.where(mask, part - mean[holes], 0.0)
        for more, further in (_holes_with_whole(part, mask, full), _holes_with_holes(part, mask)):
            score, pairs = score + more, pairs + further
    return score / pairs if pairs else float("nan")


def dependence(residuals: FloatArray, valid: BoolArray, date: IntArray) -> Dependence:
    """Mean correlation within event dates and the variance inflation it causes.

    Parameters
    ----------
    residuals : ndarray, shape (L1, N)
        Estimation-window residuals, zero where not valid.
    valid : ndarray of bool, shape (L1, N)
        Days with a residual.
    date : ndarray of int, shape (N,)
        Code of each column's event date. Columns of different dates count as uncorrelated.

    Returns
    -------
    Dependence
        With several dates rbar = sum_d N_d (N_d - 1) rbar_d / (N (N - 1)), so that 1 + (N - 1) rbar is
        the variance inflation of the pooled mean.
    """
    total = residuals.shape[1]
    if total <= 1:
        reason = "needs at least two stocks: one stock has no cross-section"
        return Dependence(float("nan"), float("nan"), total, float(total), (), reason)
    codes = np.unique(date)
    parts, weight = [], 0.0
    for code in codes:
        members = date == code if codes.size > 1 else slice(None)
        here = mean_correlation(residuals[:, members], valid[:, members])
        size = int(np.sum(date == code))
        parts.append(here)
        weight += 0.0 if size <= 1 else size * (size - 1) * here
    rbar = weight / (total * (total - 1))
    inflation = 1.0 + (total - 1) * rbar
    reason = ""
    if not np.isfinite(rbar):
        reason = "no pair of stocks shares two estimation days"
    elif inflation <= 0.0:
        reason = f"1 + (N - 1) rbar = {inflation:.4g} is not positive, so the adjustment is undefined"
    n_eff = total / inflation if inflation > 0.0 else float("nan")
    return Dependence(rbar, inflation, total, n_eff, tuple(parts), reason)


def _holes_with_whole(part: FloatArray, mask: BoolArray, full: FloatArray) -> tuple[float, int]:
    # A stock without holes is valid wherever the other is, so one sum of squares is the other's own; such a pair
    # counts twice, as ij and as ji.
    score, pairs = 0.0, 0
    running = np.zeros((full.shape[0] + 1, full.shape[1]))
    np.cumsum(full**2, axis=0, out=running[1:])
    own = np.einsum("ln,ln->n", part, part)
    for start in range(0, part.shape[1], CHUNK):
        here = slice(start, min(start + CHUNK, part.shape[1]))
        first = np.broadcast_to(own[here, None], (here.stop - start, full.shape[1]))
        second = np.stack([_sum_over_runs(running, column) for column in mask[:, here].T])
        sums, found = _sum_of_correlations(part[:, here].T @ full, first, second)
        score, pairs = score + 2.0 * sums, pairs + 2 * found
    return score, pairs


def _sum_over_runs(running: FloatArray, valid: BoolArray) -> FloatArray:
    # A mask has few runs of valid days, so running totals beat a matrix product over all of them.
    edges = np.flatnonzero(np.diff(np.concatenate([[False], valid, [False]])))
    total: FloatArray = running[edges[1]] - running[edges[0]]
    for start, stop in zip(edges[2::2], edges[3::2], strict=True):
        total += running[stop] - running[start]
    return total


def _holes_with_holes(part: FloatArray, mask: BoolArray) -> tuple[float, int]:
    score, pairs = 0.0, 0
    squares, present = part**2, mask.astype(np.float64)
    for start in range(0, part.shape[1], CHUNK):
        here = slice(start, min(start + CHUNK, part.shape[1]))
        rows = np.arange(here.stop - start)
        product, own = part[:, here].T @ part, squares[:, here].T @ present
        # The diagonal is a stock with itself.
        product[rows, start + rows] = own[rows, start + rows] = 0.0
        sums, found = _sum_of_correlations(product, own, present[:, here].T @ squares)
        score, pairs = score + sums, pairs + found
    return score, pairs


def _sum_of_correlations(product: FloatArray, first: FloatArray, second: FloatArray) -> tuple[float, int]:
    # A pair whose common days leave one of the two without variance has no correlation and is not counted.
    common = np.multiply(first, second, out=second)
    usable = common > 0.0
    found = int(np.count_nonzero(usable))
    np.sqrt(common, out=common)
    if found == usable.size:
        np.divide(product, common, out=product)
    else:
        product = np.divide(product, common, out=np.zeros_like(product), where=usable)
    return float(product.sum()), found
