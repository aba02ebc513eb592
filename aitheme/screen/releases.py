"""Mean CAR[0,4] over a stock's past releases, with a t that holds when windows overlap.

One stock, several release days: nothing is pooled over stocks, so no cross-correlation arises. What does arise is overlap in
time. Two windows may share days, and release days within a year share most of their estimation windows, so that one error in
beta runs through all of them. Both are exact here: the mean CAR is a weighted sum of the stock's daily residuals, each day
weighted by the windows it lies in less its part in the coefficients they were predicted with, and its variance is the sum of the
squared weights times the daily variance. The daily variance of each release is the exponentially weighted one of the session
before day 0, as in :func:`aitheme.eventstudy.portfolio.ewma_scale`; for one release the t is that study's statistic.

References
----------
Salinger (1992), J. Financial and Quantitative Analysis 27:39-53 (errors shared by event windows of one estimation period).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from aitheme.eventstudy.portfolio import DECAY

if TYPE_CHECKING:
    from datetime import date

    from aitheme.screen.reading import Reader
    from aitheme.screen.registry import ReleaseCars

__all__ = ["WINDOW_DAYS", "ReleaseCar", "mean_release_cars", "release_cars"]

WINDOW_DAYS: Final = 5
"""Sessions of the window [0,4]."""
LENGTH, GAP = 250, 30
_FIRST: Final = -(LENGTH + GAP - 1)
_LEAST_ESTIMATION: Final = 120
# Observations that an exponentially weighted variance is worth: (1 + decay) / (1 - decay), RiskMetrics (1996), ch. 5.
_FREEDOM: Final = (1.0 + DECAY) / (1.0 - DECAY)


@dataclass(frozen=True, slots=True)
class ReleaseCar:
    """Stocks with their releases taken together; arrays of shape (N,).

    Parameters
    ----------
    mean_car
        Mean over release days of the cumulated abnormal return of sessions 0 to 4 (ratio).
    t, p
        Its t and two-sided p (Student's, with the 32 observations the volatility is worth as degrees of freedom).
    n
        Release days used; several releases on a day are one.
    """

    mean_car: np.ndarray
    t: np.ndarray
    p: np.ndarray
    n: np.ndarray


def mean_release_cars(returns: np.ndarray, benchmark: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> ReleaseCar:
    """Return the mean CAR[0,4] of each stock over its release days.

    Parameters
    ----------
    returns
        Simple returns (ratios), shape (T, N), NaN where there is none.
    benchmark
        Returns of the benchmark, shape (T,).
    columns, rows
        Stock and row of day 0 of each pair, shape (P,); a pair given twice counts once. A pair whose windows leave the data,
        with fewer than 120 returns to estimate from or none in the window is left out.

    Returns
    -------
    ReleaseCar
        Arrays of shape (N,); NaN (n = 0) for a stock without a usable pair.
    """
    from scipy.stats import t as student

    shape = returns.shape
    inside = (rows + _FIRST >= 0) & (rows + WINDOW_DAYS <= shape[0])
    pairs = np.unique(columns[inside] * shape[0] + rows[inside])
    column, day0 = pairs // shape[0], pairs % shape[0]
    at = day0[:, None] + np.arange(_FIRST, WINDOW_DAYS)
    weights, car, sigma = _weights(returns[at, column[:, None]], benchmark[at])
    usable = np.isfinite(sigma) & (sigma > 0)
    column, at, weights, car, sigma = column[usable], at[usable], weights[usable], car[usable], sigma[usable]
    count = np.bincount(column, minlength=shape[1]).astype(float)
    cells = (at * shape[1] + column[:, None]).ravel()
    loaded = np.bincount(cells, (weights * sigma[:, None]).ravel(), shape[0] * shape[1]).reshape(shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(column, car, shape[1]) / count
        t = mean / (np.sqrt((loaded**2).sum(axis=0)) / count)
    return ReleaseCar(mean, t, 2.0 * student.sf(np.abs(t), _FREEDOM), count)


def _weights(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each pair its weight on every day, the CAR and the volatility; (P, H), (P,), (P,)."""
    valid = np.isfinite(y) & np.isfinite(x)
    used = valid.copy()
    used[:, LENGTH:] = False
    event = valid.copy()
    event[:, :-WINDOW_DAYS] = False
    count = used.sum(axis=1)
    x, y = np.where(valid, x, 0.0), np.where(valid, y, 0.0)
    # A pair without estimation days has no model; it is left out below.
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_x = (x * used).sum(axis=1) / count
        off = (x - mean_x[:, None]) * valid
        spread = (off**2 * used).sum(axis=1)
        beta = (off * y * used).sum(axis=1) / spread
        alpha = (y * used).sum(axis=1) / count - beta * mean_x
        abnormal = np.where(valid, y - alpha[:, None] - beta[:, None] * x, 0.0)
        # The error of the prediction over the window, as weights on the estimation days.
        shared = event.sum(axis=1)[:, None] / count[:, None] + off * ((off * event).sum(axis=1) / spread)[:, None]
        before = x.shape[1] - WINDOW_DAYS
        decay = DECAY ** np.arange(before - 1, -1, -1, dtype=float)
        variance = (abnormal[:, :before] ** 2 @ decay) / (valid[:, :before] @ decay)
        weights = event - used * shared
    enough = (count >= _LEAST_ESTIMATION) & event.any(axis=1)
    return weights, (abnormal * event).sum(axis=1), np.where(enough, np.sqrt(variance), np.nan)


def release_cars(reader: Reader, row: int) -> ReleaseCars:
    """Return the event study that fills the release columns of a screen.

    Parameters
    ----------
    reader
        Snapshot; the returns of the stocks asked for are read once and kept.
    row
        Row of the as-of session in its sessions; nothing later is looked at.
    """
    import pandas as pd

    def study(releases: pd.DataFrame, as_of: date) -> pd.DataFrame:  # noqa: ARG001 (the row stands for the date)
        symbols = sorted(set(releases["symbol"]))
        returns, benchmark, begin = reader.returns(symbols)
        days = pd.DatetimeIndex(releases["day0"]).to_numpy().astype("datetime64[D]")
        day0 = np.searchsorted(reader.sessions, days) - begin
        columns = np.searchsorted(np.array(symbols, dtype=object), releases["symbol"].to_numpy(dtype=object))
        cars = mean_release_cars(returns[: row + 1 - begin], benchmark[: row + 1 - begin], columns, day0)
        return pd.DataFrame({"symbol": symbols, "mean_car": cars.mean_car, "t": cars.t, "p": cars.p, "n": cars.n})

    return study
