"""Recover unadjusted closes from a total-return level, an adjusted close and the traded average price.

Dumps of ``stock_zh_a_hist(adjust="qfq")`` carry forward-adjusted prices, which depend on the day of the dump and must
not be stored. Amount and volume in the same dump are unadjusted, so amount/volume is the day's unadjusted average
price. With a total-return level H = close x F, where F only steps up at ex-dates, F is the monotone step function
closest to H / average price: an isotonic regression (pool adjacent violators; Barlow et al. 1972).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["UnadjustedCloses", "unadjusted_closes"]

# A day's average price scatters about its (high + low + 2 close)/4 by roughly 0.5 to 0.8 %. A step is taken for an
# ex-date when it exceeds 0.6 % and five standard errors of the difference between the runs on either side: a monotone
# fit picks the most favourable split, so two or three standard errors would find steps in pure noise.
STEP: Final = 0.006
STANDARD_ERRORS: Final = 5.0
MIN_BLOCK: Final = 8
MAD_TO_SD: Final = 1.4826
# Within a block a forward-adjusted close equals the unadjusted one if the level ratio neither drifts nor differs.
SAME_LEVEL: Final = 0.004
SAME_DRIFT: Final = 0.002
CENT: Final = 2


@dataclass(frozen=True, slots=True)
class UnadjustedCloses:
    """Closes as traded, and how they were had.

    Parameters
    ----------
    close
        Shape (n,), trading currency, on the cent grid.
    reconstructed
        Shape (n,), True where the close was rebuilt from level and average price (good to about 0.5 %) rather than
        read from the dump.
    """

    close: Floats
    reconstructed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Known:
    """Rows with an average price, stock after stock: their row numbers, log factors, and where each stock begins."""

    row: Ints
    observed: Floats
    gap: Floats
    starts: Ints


def unadjusted_closes(
    level: Floats, close: Floats, typical: Floats, average: Floats, starts: NDArray[np.int64]
) -> UnadjustedCloses:
    """Split total-return levels into unadjusted closes and step factors, stock by stock.

    Parameters
    ----------
    level
        Total-return level, shape (n,), any scale, positive.
    close, typical
        Close and (high + low + 2 close)/4 in the dump's own adjustment, shape (n,), positive.
    average
        Unadjusted average price (amount / volume), shape (n,), NaN where nothing was traded.
    starts
        First row of each stock, ascending, followed by n: shape (stocks + 1,).

    Returns
    -------
    UnadjustedCloses
    """
    ratio = np.log(level / close)
    known = _known(level, close, typical, average, ratio, starts)
    fitted = _stocks_to_fit(known, ratio, starts)
    first, factor, kept = _segments(known, ratio, starts, fitted)
    lengths = np.diff(np.append(first, len(level)))
    rebuilt = np.repeat(~kept, lengths)
    raw = np.where(rebuilt, np.round(level / np.repeat(np.exp(factor), lengths), CENT), close)
    return UnadjustedCloses(np.where(raw > 0, raw, close), rebuilt)


def _known(level: Floats, close: Floats, typical: Floats, average: Floats, ratio: Floats, starts: Ints) -> _Known:
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = np.log(level * typical / (average * close))
    row = np.flatnonzero(np.isfinite(observed))
    if len(row) < len(observed):
        observed, ratio = observed[row], ratio[row]
    return _Known(row, observed, observed - ratio, np.searchsorted(row, starts))


def _stocks_to_fit(known: _Known, ratio: Floats, starts: Ints) -> NDArray[np.bool_]:
    """Tell which stocks need a fit: one whose average price always agrees with its close was never adjusted."""
    last = np.repeat(ratio[starts[1:] - 1], np.diff(starts))
    steady = np.maximum.reduceat(np.abs(ratio - last), starts[:-1]) < SAME_DRIFT
    fitted = np.diff(known.starts) > 0
    for stock in np.flatnonzero(steady & fitted).tolist():
        middle = _middle(known.gap[known.starts[stock] : known.starts[stock + 1]])
        fitted[stock] = not abs(middle) < SAME_LEVEL
    return fitted


def _segments(
    known: _Known, ratio: Floats, starts: Ints, fitted: NDArray[np.bool_]
) -> tuple[Ints, Floats, NDArray[np.bool_]]:
    """Return the runs between ex-dates: first row, log factor, and whether the dump's close is unadjusted already."""
    heads: list[int] = []
    edges: list[tuple[int, int]] = []
    cuts = _cuts(known, np.flatnonzero(fitted))
    for fit in fitted.tolist():
        heads.append(len(edges))
        edges.extend(pairwise(next(cuts)) if fit else [(0, 0)])
    first = np.append(known.row, 0)[[low for low, _ in edges]]
    # Rows before a stock's first average price belong to its first run.
    first[heads] = starts[:-1]
    drifts = np.maximum.reduceat(ratio, first) - np.minimum.reduceat(ratio, first) >= SAME_DRIFT
    factor = np.zeros(len(first))
    kept = np.ones(len(first), dtype=bool)
    for position, ((low, high), drifting) in enumerate(zip(edges, drifts.tolist(), strict=True)):
        if low < high and (drifting or not abs(_middle(known.gap[low:high])) < SAME_LEVEL):
            factor[position], kept[position] = _middle(known.observed[low:high]), False
    return first, factor, kept


def _middle(values: Floats) -> float:
    """Return the upper median; several times faster than `numpy.median` on the short runs between ex-dates."""
    half, values = len(values) // 2, values.copy()
    values.partition(half)
    return float(values[half])


def _cuts(known: _Known, stocks: Ints) -> Iterator[list[int]]:
    """Yield for each stock the edges of its runs: monotone fit, then steps too small or too short are merged."""
    from scipy.optimize import isotonic_regression

    if not len(stocks):
        return
    # One fit serves all stocks: each is lifted above the one before, so that no pool reaches across two of them.
    lift = np.arange(len(known.starts) - 1) * (np.ptp(known.observed) + 1.0)
    fit = isotonic_regression(known.observed + np.repeat(lift, np.diff(known.starts)))
    pools = np.searchsorted(fit.blocks, known.starts)
    levels = fit.x[fit.blocks[:-1]] - np.repeat(lift, np.diff(pools))
    steps = np.abs(np.diff(known.observed))
    for stock in stocks.tolist():
        low, high = known.starts[stock], known.starts[stock + 1]
        scatter = MAD_TO_SD * _middle(steps[low : high - 1]) / np.sqrt(2) if high - low > 1 else 0.0
        here = slice(pools[stock], pools[stock + 1])
        yield _merged([*fit.blocks[here].tolist(), int(high)], levels[here].tolist(), float(scatter))


def _merged(edges: list[int], levels: list[float], scatter: float) -> list[int]:
    """Return the edges of one stock's pools that are ex-dates, with its first and last."""
    start = edges[0]
    cuts = [edges[-1]]
    level = levels[-1]
    for position in range(len(levels) - 2, -1, -1):
        if level - levels[position] <= STEP:
            continue
        edge = edges[position + 1]
        right, left = cuts[-1] - edge, edge - start
        if right < MIN_BLOCK or left < MIN_BLOCK:
            continue
        if level - levels[position] > STANDARD_ERRORS * scatter * (1 / right + 1 / left) ** 0.5:
            cuts.append(edge)
            level = levels[position]
    cuts.append(start)
    return cuts[::-1]
