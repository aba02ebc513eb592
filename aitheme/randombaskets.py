"""Random baskets: pure functions that tell how much of a basket's return is luck.

A basket is held against baskets of the same size and board mix drawn from all stocks that could be bought at its start
(random portfolios; Burns 2007, "Random Portfolios for Performance Measurement"). What remains above the luck of the draw
is a good percentile; a good return in a rising market is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

__all__ = ["DRAWS", "QUANTILES", "RandomDraws", "draw_baskets", "percentile", "random_returns"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DRAWS = 1000
"""Random baskets of a comparison: a percentile is then good to 1.6 points (one standard error, at the median)."""

_TIE = 1e-12
"""Returns nearer than this are equal: the order of a sum must not decide."""

QUANTILES = (0.05, 0.25, 0.50, 0.75, 0.95)
"""Quantiles of the random baskets that are reported."""


@dataclass(frozen=True, slots=True)
class RandomDraws:
    """Members of random baskets.

    Parameters
    ----------
    members
        Positions in the pool's columns, shape (draws, size); no stock twice in a basket.
    pool
        Number of stocks that could be drawn, on the boards asked for.
    """

    members: IntArray
    pool: int


def draw_baskets(
    boards: Sequence[Hashable],
    eligible: NDArray[np.bool_],
    mix: Mapping[Hashable, int],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> RandomDraws | None:
    """Draw baskets with a given number of stocks per board, uniformly and without replacement.

    Parameters
    ----------
    boards
        Board of each column, length S.
    eligible
        Whether each column can be bought at the start, shape (S,).
    mix
        Number of stocks per board.
    draws
        Number of baskets.
    seed
        The same arguments give the same baskets.

    Returns
    -------
    RandomDraws or None
        None where a board has fewer eligible stocks than the mix asks for, or the mix is empty.
    """
    rng = np.random.default_rng(seed)
    names = np.array([str(board) for board in boards])
    parts, pool = [], 0
    for board, count in sorted(mix.items(), key=lambda item: str(item[0])):
        columns = np.flatnonzero(eligible & (names == str(board)))
        if count > columns.size:
            return None
        parts.append(columns[_without_replacement(columns.size, count, draws, rng)])
        pool += columns.size
    return RandomDraws(np.hstack(parts), pool) if parts else None


def _without_replacement(pool: int, count: int, draws: int, rng: np.random.Generator) -> IntArray:
    """Draw `count` of `pool` numbers in each row (Floyd's algorithm; Bentley and Floyd 1987, CACM 30:754)."""
    chosen = np.full((draws, count), -1, dtype=np.int64)
    for place in range(count):
        last = pool - count + place
        candidate = rng.integers(0, last + 1, size=draws)
        taken = (chosen[:, :place] == candidate[:, None]).any(axis=1)
        chosen[:, place] = np.where(taken, last, candidate)
    return chosen


def random_returns(draws: RandomDraws, returns: FloatArray) -> FloatArray:
    """Return what each random basket made, bought in equal parts and held.

    Parameters
    ----------
    draws
        From :func:`draw_baskets`.
    returns
        Total return of each column over the span (ratio), shape (S,); finite for every stock that could be drawn.

    Returns
    -------
    ndarray, shape (draws,)
    """
    result: FloatArray = returns[draws.members].mean(axis=1)
    return result


def percentile(value: float, sample: FloatArray) -> float:
    """Return the share of a sample that lies below a value, ties counted half (ratio from 0 to 1).

    Parameters
    ----------
    value
        The basket's own return.
    sample
        Returns of the random baskets, shape (N,), N > 0.
    """
    equal = np.abs(sample - value) <= _TIE
    return float((((sample < value) & ~equal).sum() + 0.5 * equal.sum()) / sample.size)
