"""Yardsticks for a study of one event date: the nine statistics written out in numpy, and PyPI's eventstudy.

The first is about the least that a study of complete stocks can cost: one least-squares call for all stocks, no
labels, no missing data, no account of anything. N stocks, L1 estimation days, L2 window days; CAR is the summed
abnormal return, SCAR the CAR over its forecast standard error.
"""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["NINE", "complete", "floor", "package_study"]

NINE = (
    "cross_sectional_t", "crude_dependence_t", "patell", "adj_patell", "bmp", "adj_bmp", "generalised_sign",
    "corrado_rank", "grank_t",
)  # fmt: skip
_PARAMETERS = 2


class Fit(NamedTuple):
    """Market model of every stock: residuals (L1, N), abnormal returns (L2, N), deviation (N,) and CAR's inflation."""

    residual: NDArray[np.float64]
    abnormal: NDArray[np.float64]
    sigma: NDArray[np.float64]
    correction: float


def rows(sessions: pd.Index, day0: str, window: tuple[int, int], estimation: tuple[int, int]) -> tuple[slice, slice]:
    """Return where the estimation window and the event window lie."""
    place = sessions.get_loc(day0)
    length, gap = estimation
    return slice(place - gap - length + 1, place - gap + 1), slice(place + window[0], place + window[1] + 1)


def complete(returns: pd.DataFrame, day0: str, window: tuple[int, int], estimation: tuple[int, int]) -> pd.DataFrame:
    """Return the stocks that have a return on every day of both windows."""
    before, around = rows(returns.index, day0, window, estimation)
    values = returns.to_numpy()
    return returns.loc[:, np.isfinite(values[before]).all(axis=0) & np.isfinite(values[around]).all(axis=0)]


def fit(stocks: NDArray[np.float64], market: NDArray[np.float64], before: slice, around: slice) -> Fit:
    design, later = (np.column_stack([np.ones(market[part].size), market[part]]) for part in (before, around))
    coefficients, squares, _, _ = np.linalg.lstsq(design, stocks[before], rcond=None)
    total = later.sum(axis=0)
    return Fit(
        residual=stocks[before] - design @ coefficients,
        abnormal=stocks[around] - later @ coefficients,
        sigma=np.sqrt(squares / (design.shape[0] - _PARAMETERS)),
        correction=float(later.shape[0] + total @ np.linalg.inv(design.T @ design) @ total),
    )


def t_of_mean(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(values.size) * values.mean() / values.std(ddof=1))


def parametric(done: Fit, car: NDArray[np.float64], scar: NDArray[np.float64]) -> dict[str, float]:
    """Return all but the rank tests; rbar is the mean pairwise correlation of residuals, without the N x N matrix."""
    stocks, freedom = car.size, done.residual.shape[0] - _PARAMETERS
    portfolio = done.residual.mean(axis=1)
    spread = np.sqrt(portfolio @ portfolio / freedom)
    unit = (done.residual / (done.sigma * np.sqrt(freedom))).sum(axis=1)
    rbar = (unit @ unit - stocks) / (stocks * (stocks - 1))
    inflation = 1 + (stocks - 1) * rbar
    patell = scar.sum() / np.sqrt(stocks * freedom / (freedom - 2))
    bmp = t_of_mean(scar)
    share = (done.residual > 0).mean()
    return {
        "cross_sectional_t": t_of_mean(car),
        "crude_dependence_t": car.mean() / (spread * np.sqrt(done.abnormal.shape[0])),
        "patell": patell,
        "adj_patell": patell / np.sqrt(inflation),
        "bmp": bmp,
        "adj_bmp": bmp * np.sqrt((1 - rbar) / inflation),
        "generalised_sign": ((car > 0).sum() - stocks * share) / np.sqrt(stocks * share * (1 - share)),
    }


def mean_rank(days: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over stocks, by day, of rank / (T + 1) - 1/2, each stock ranked through time; no ties."""
    stocks = np.ascontiguousarray(days.T)
    order = np.argsort(stocks, axis=1)
    rank = np.empty(stocks.shape)
    np.put_along_axis(rank, order, np.arange(1.0, stocks.shape[1] + 1.0)[None], axis=1)
    return rank.mean(axis=0) / (stocks.shape[1] + 1.0) - 0.5


def ranked(done: Fit, scar: NDArray[np.float64]) -> dict[str, float]:
    """Return Corrado's test over all days, and GRANK-T, in which the whole window is one more day."""
    window = done.abnormal.shape[0]
    path = mean_rank(np.vstack([done.residual, done.abnormal]))
    corrado = np.sqrt(window) * path[-window:].mean() / np.sqrt((path**2).mean())
    path = mean_rank(np.vstack([done.residual / done.sigma, scar[None] / scar.std(ddof=1)]))
    z = path[-1] / np.sqrt((path**2).mean())
    days = done.residual.shape[0]
    return {"corrado_rank": corrado, "grank_t": z * np.sqrt((days - 1) / (days - z**2))}


def floor(
    returns: pd.DataFrame, market: pd.Series[float], day0: str, window: tuple[int, int], estimation: tuple[int, int]
) -> dict[str, float]:
    """Return the nine statistics; every stock needs a return on every day of both windows."""
    before, around = rows(returns.index, day0, window, estimation)
    done = fit(returns.to_numpy(), market.to_numpy(), before, around)
    car = done.abnormal.sum(axis=0)
    scar = car / (done.sigma * np.sqrt(done.correction))
    return parametric(done, car, scar) | ranked(done, scar)


def package_study(
    returns: pd.DataFrame, market: pd.Series[float], day0: str, window: tuple[int, int], estimation: tuple[int, int]
) -> Callable[[], float]:
    """Give eventstudy its returns, which it takes from a CSV; return what runs its studies and gives their CAAR."""
    from eventstudy import Multiple, Single

    with tempfile.TemporaryDirectory(prefix="aitheme-bench-") as folder:
        returns.assign(market=market).iloc[1:].to_csv(f"{folder}/returns.csv", index_label="date")
        started = time.perf_counter()
        Single.import_returns(f"{folder}/returns.csv")
        print(f"  eventstudy reads its CSV of these returns in {time.perf_counter() - started:.1f} s, not counted")
    date = np.datetime64(day0)
    events = [{"security_ticker": name, "market_ticker": "market", "event_date": date} for name in returns.columns]
    length, gap = estimation

    def packaged() -> float:
        # Its buffer counts from the window, our gap from day 0.
        done = Multiple.from_list(events, Single.market_model, window, length, gap + window[0] - 1)
        if len(done.sample) != len(events):
            raise ValueError(f"it dropped {len(events) - len(done.sample)} complete stocks")
        return float(done.CAAR[-1])

    return packaged
