"""Recover unadjusted closes from a total-return level, an adjusted close and the traded average price.

Dumps of ``stock_zh_a_hist(adjust="qfq")`` carry forward-adjusted prices, which depend on the day of the dump and must
not be stored. Amount and volume in the same dump are unadjusted, so amount/volume is the day's unadjusted average
price. With a total-return level H = close x F, where F only steps up at ex-dates, F is the monotone step function
closest to H / average price: an isotonic regression (pool adjacent violators; Barlow et al. 1972).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

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
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = np.log(level * typical / (average * close))
    ratio = np.log(level / close)
    factor = np.empty_like(level)
    rebuilt = np.ones(len(level), dtype=bool)
    for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        _fit_stock(observed[begin:end], ratio[begin:end], factor[begin:end], rebuilt[begin:end])
    raw = np.where(rebuilt, np.round(level / np.exp(factor), CENT), close)
    return UnadjustedCloses(np.where(raw > 0, raw, close), rebuilt)


def _fit_stock(observed: Floats, ratio: Floats, factor: Floats, rebuilt: NDArray[np.bool_]) -> None:
    """Fill one stock's log step factors in place, marking rows whose dump close is already unadjusted."""
    known = np.flatnonzero(np.isfinite(observed))
    # A stock whose average price always agrees with its close was never adjusted: the usual case of a raw dump.
    steady = np.abs(ratio - ratio[-1]).max() < SAME_DRIFT
    if len(known) == 0 or (steady and abs(_middle(observed[known] - ratio[known])) < SAME_LEVEL):
        factor[:] = ratio
        rebuilt[:] = False
        return
    for begin, end in _blocks(observed[known]):
        first = 0 if begin == 0 else known[begin]
        last = len(observed) if end == len(known) else known[end]
        gap = observed[known[begin:end]] - ratio[known[begin:end]]
        inside = ratio[first:last]
        if abs(_middle(gap)) < SAME_LEVEL and inside.max() - inside.min() < SAME_DRIFT:
            rebuilt[first:last] = False
        factor[first:last] = _middle(observed[known[begin:end]])


def _middle(values: Floats) -> float:
    """Return the upper median; several times faster than `numpy.median` on the short runs between ex-dates."""
    half = len(values) // 2
    return float(np.partition(values, half)[half])


def _blocks(observed: Floats) -> list[tuple[int, int]]:
    """Return the runs between ex-dates: monotone fit, then steps too small or too short are merged."""
    from scipy.optimize import isotonic_regression

    fit = isotonic_regression(observed)
    edges, levels = fit.blocks.tolist(), fit.x[fit.blocks[:-1]].tolist()
    scatter = MAD_TO_SD * _middle(np.abs(np.diff(observed))) / np.sqrt(2) if len(observed) > 1 else 0.0
    cuts = [edges[-1]]
    level = levels[-1]
    for position in range(len(levels) - 2, -1, -1):
        right, left = cuts[-1] - edges[position + 1], edges[position + 1]
        noise = STANDARD_ERRORS * scatter * (1 / right + 1 / left) ** 0.5
        if level - levels[position] > max(STEP, noise) and right >= MIN_BLOCK and left >= MIN_BLOCK:
            cuts.append(edges[position + 1])
            level = levels[position]
    cuts.append(0)
    return list(zip(cuts[:0:-1], cuts[-2::-1], strict=True))
