"""Data-loss account: which stocks and days a study could not use, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from aitheme.eventstudy.arrays import day_counts
from aitheme.eventstudy.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aitheme.eventstudy.arrays import BoolArray, IntArray

SMALLEST_SIGMA = 1e-9
"""A residual deviation below this (ratio a day) is rounding: the smallest price tick moves a 1,000-yuan stock 1e-5."""

NO_WINDOW = "no return on any day of the event window"
FEW_DAYS = "fewer valid estimation days than min_valid"
NO_VARIANCE = "returns do not vary around the model in the estimation window"
NOT_FITTED = "the model could not be estimated on its days (collinear regressors, or no convergence)"

STOCK_COLUMNS = (
    "event",
    "symbol",
    "estimation_days",
    "estimation_missing",
    "window_days",
    "window_missing",
    "dropped",
    "reason",
)


@dataclass(frozen=True, slots=True)
class EventLoss:
    """Losses of one event.

    Attributes
    ----------
    event : str
        Id of the event.
    symbols : Index
        All stocks asked for, N.
    estimation_days, window_days : ndarray of int, shape (N,)
        Valid days.
    lengths : tuple of int
        Days the two windows have.
    reason : ndarray of object, shape (N,)
        Why a stock was dropped; empty where it stays.
    sessions : tuple of (Timestamp, str)
        Sessions left out for every stock, and why.
    """

    event: str
    symbols: pd.Index
    estimation_days: IntArray
    window_days: IntArray
    lengths: tuple[int, int]
    reason: np.ndarray
    sessions: tuple[tuple[pd.Timestamp, str], ...]


@dataclass(frozen=True, slots=True)
class DataLoss:
    """What a study dropped.

    Attributes
    ----------
    parts : tuple of EventLoss
        One an event.
    """

    parts: tuple[EventLoss, ...]

    @property
    def asked(self) -> int:
        """(Event, stock) pairs asked for."""
        return sum(len(part.symbols) for part in self.parts)

    @property
    def dropped(self) -> int:
        """(Event, stock) pairs dropped."""
        return sum(int((part.reason != "").sum()) for part in self.parts)

    @property
    def share(self) -> float:
        """Share dropped."""
        return self.dropped / self.asked

    @property
    def stocks(self) -> pd.DataFrame:
        """One row per (event, stock): valid and missing days, whether dropped, and why."""
        frames = [
            pd.DataFrame(
                {
                    "event": part.event,
                    "symbol": part.symbols,
                    "estimation_days": part.estimation_days,
                    "estimation_missing": part.lengths[0] - part.estimation_days,
                    "window_days": part.window_days,
                    "window_missing": part.lengths[1] - part.window_days,
                    "dropped": part.reason != "",
                    "reason": part.reason,
                },
                columns=list(STOCK_COLUMNS),
            )
            for part in self.parts
        ]
        return pd.concat(frames, ignore_index=True)

    @property
    def sessions(self) -> pd.DataFrame:
        """Sessions left out for every stock: columns ``event``, ``session``, ``reason``."""
        rows = [(part.event, day, why) for part in self.parts for day, why in part.sessions]
        return pd.DataFrame(rows, columns=["event", "session", "reason"])

    def counts(self) -> dict[str, int]:
        """Count dropped pairs by reason, most frequent first."""
        found: dict[str, int] = {}
        for part in self.parts:
            for why in part.reason[part.reason != ""]:
                found[str(why)] = found.get(str(why), 0) + 1
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def __str__(self) -> str:
        missing = sum(
            int((size - days[part.reason == ""]).sum())
            for part in self.parts
            for size, days in zip(part.lengths, (part.estimation_days, part.window_days), strict=True)
        )
        kept = self.asked - self.dropped
        text = f"{kept} of {self.asked} stocks kept, {missing} stock-days without a return masked"
        return "; ".join([text, *(f"{count} dropped: {why}" for why, count in self.counts().items())])


def account_for(
    event: str,
    symbols: pd.Index,
    valid: tuple[BoolArray, BoolArray],
    min_valid: int,
    sessions: Sequence[tuple[pd.Timestamp, str]] = (),
) -> EventLoss:
    """Decide before estimation which stocks have enough days.

    Parameters
    ----------
    event : str
        Id of the event.
    symbols : Index
        Stocks asked for.
    valid : (ndarray of bool, shape (L1, N), ndarray of bool, shape (L2, N))
        Days with a return in the estimation and the event window.
    min_valid : int
        Fewest valid estimation days.
    sessions : sequence of (Timestamp, str)
        Sessions left out for all, and why.

    Returns
    -------
    EventLoss
        The account; later stages may add reasons.
    """
    estimation_days, window_days = (day_counts(part).astype(np.int64) for part in valid)
    reason = np.full(len(symbols), "", dtype=object)
    reason[estimation_days < min_valid] = FEW_DAYS
    reason[window_days == 0] = NO_WINDOW
    lengths = (valid[0].shape[0], valid[1].shape[0])
    return EventLoss(event, symbols, estimation_days, window_days, lengths, reason, tuple(sessions))


def refuse_loss(loss: DataLoss, max_loss: float, min_valid: int) -> None:
    """Refuse a study that lost too many of its stocks.

    Raises
    ------
    StudyError
        If the dropped share is above ``max_loss``, or nothing is left.
    """
    if loss.dropped == 0:
        return
    why = "; ".join(f"{count} {text}" for text, count in loss.counts().items())
    if loss.dropped == loss.asked:
        raise StudyError(
            f"none of the {loss.asked} stocks can be studied ({why}; min_valid={min_valid}); "
            "choose another window, a lower min_valid or other stocks"
        )
    if loss.share > max_loss:
        raise StudyError(
            f"max_loss={max_loss:g} is exceeded: {loss.dropped} of {loss.asked} stocks dropped ({why}; "
            f"min_valid={min_valid}); drop those stocks or raise max_loss"
        )
