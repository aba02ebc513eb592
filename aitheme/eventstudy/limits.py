"""Price limits: abnormal returns on a limit day are censored, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from aitheme.eventstudy.fitting import narrowed
from aitheme.eventstudy.inputs import aligned
from aitheme.eventstudy.models import Cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aitheme.eventstudy.arrays import BoolArray, FloatArray, IntArray
    from aitheme.eventstudy.fitting import FittedEvent
    from aitheme.eventstudy.inputs import Data
    from aitheme.eventstudy.windows import StudyDesign

LONGEST_RUN = 20
"""Sessions a censored move is carried at most; longer runs of limit days do not occur outside new listings."""


@dataclass(frozen=True, slots=True)
class LimitCounts:
    """Closes at the price limit in the event window.

    Attributes
    ----------
    up, down : ndarray of int, shape (N,)
        Days closed at limit up and limit down, by stock.
    up_by_day, down_by_day : ndarray of int, shape (L2,)
        Stocks closed at the limit, by day.
    locked_at_entry : ndarray of bool, shape (N,)
        Closed at the limit on the session before the window: part of that move falls into it.
    locked_at_exit : ndarray of bool, shape (N,)
        Closed at the limit on the last day: part of its move falls behind it.
    car : ndarray, shape (N,)
        Limit-aware CAR (ratio): carried through the first unlocked session.
    extended : ndarray of int, shape (N,)
        Sessions by which the window was extended for it.
    """

    up: IntArray
    down: IntArray
    up_by_day: IntArray
    down_by_day: IntArray
    locked_at_entry: BoolArray
    locked_at_exit: BoolArray
    car: FloatArray
    extended: IntArray


def limit_counts(
    abnormal: FloatArray, state: IntArray, position: int, window: tuple[int, int], *, longest: int = LONGEST_RUN
) -> LimitCounts:
    """Count limit days and carry censored moves to the first unlocked session.

    A stock that closes the window at its limit has not finished its move: its CAR is extended through the first
    session that does not close at a limit, that session included. Suspended sessions do not unlock.

    Parameters
    ----------
    abnormal : ndarray, shape (T, N)
        Abnormal returns (ratios) at every session from the window on, NaN where there is none.
    state : ndarray of int, shape (T, N)
        +1 closed at limit up, -1 at limit down, 0 otherwise.
    position : int
        Row of day 0.
    window : tuple of int
        Event window.
    longest : int
        Most sessions added.

    Returns
    -------
    LimitCounts
        A stock still locked when the data or ``longest`` sessions end keeps what was seen until then.
    """
    first, last = position + window[0], position + window[1]
    inside = state[first : last + 1]
    exit_locked = inside[-1] != 0
    entry = state[first - 1] != 0 if first > 0 else np.zeros(state.shape[1], dtype=np.bool_)
    filled = np.where(np.isfinite(abnormal), abnormal, 0.0)
    car = filled[first : last + 1].sum(axis=0)
    still, extended = exit_locked.copy(), np.zeros(state.shape[1], dtype=np.int64)
    for row in range(last + 1, min(last + 1 + longest, abnormal.shape[0])):
        if not still.any():
            break
        traded = np.isfinite(abnormal[row])
        car = car + np.where(still, filled[row], 0.0)
        extended += still
        still = still & ~(traded & (state[row] == 0))
    return LimitCounts(
        up=(inside > 0).sum(axis=0),
        down=(inside < 0).sum(axis=0),
        up_by_day=(inside > 0).sum(axis=1),
        down_by_day=(inside < 0).sum(axis=1),
        locked_at_entry=entry,
        locked_at_exit=exit_locked,
        car=car,
        extended=extended,
    )


@dataclass(frozen=True)
class StudyLimits:
    """Limit days of a study, counted when they are first asked for.

    Attributes
    ----------
    data : Data
        Aligned input.
    fitted : tuple of FittedEvent
        Events after estimation.
    design : StudyDesign
        Windows.
    state : ndarray, shape (T, N)
        Limit state as given, aligned with the returns.
    """

    data: Data = field(repr=False)
    fitted: tuple[FittedEvent, ...] = field(repr=False)
    design: StudyDesign
    state: FloatArray = field(repr=False)

    @cached_property
    def counts(self) -> tuple[LimitCounts, ...]:
        """Limit days of each event."""
        known = np.where(np.isfinite(self.state), self.state, 0.0)
        codes = np.sign(known).astype(np.int64)
        return tuple(
            limit_counts(_extended(self.data, item), codes[:, item.columns], item.position, self.design.window)
            for item in self.fitted
        )

    @property
    def stocks(self) -> pd.DataFrame:
        """One row per (event, stock).

        Columns ``event``, ``symbol``, ``limit_up``, ``limit_down``, ``locked_at_entry``, ``locked_at_exit``, ``car``,
        ``limit_aware_car``, ``extended``.
        """
        frames = [_stock_table(self.data, item, counts) for item, counts in zip(self.fitted, self.counts, strict=True)]
        return pd.concat(frames, ignore_index=True)

    @property
    def days(self) -> pd.DataFrame:
        """One row per day relative to day 0: ``limit_up``, ``limit_down``, summed over events."""
        by_day = sum(
            (np.column_stack([counts.up_by_day, counts.down_by_day]) for counts in self.counts),
            np.zeros((self.design.length, 2), dtype=np.int64),
        )
        days = pd.RangeIndex(self.design.window[0], self.design.window[1] + 1, name="day")
        return pd.DataFrame(by_day, index=days, columns=["limit_up", "limit_down"])

    @property
    def limit_aware_caar(self) -> float:
        """Mean limit-aware CAR (ratio)."""
        return float(self.stocks["limit_aware_car"].mean())


def study_limits(
    data: Data, fitted: Sequence[FittedEvent], design: StudyDesign, limit_state: pd.DataFrame
) -> StudyLimits:
    """Check the limit states of a study, so that its limit days can be counted and censored moves carried on.

    Parameters
    ----------
    data : Data
        Aligned input.
    fitted : sequence of FittedEvent
        Events after estimation.
    design : StudyDesign
        Windows.
    limit_state : DataFrame
        +1, -1 or 0, sessions x symbols; a missing entry counts as 0.

    Returns
    -------
    StudyLimits
        Labelled counts and limit-aware CARs.

    Raises
    ------
    StudyError
        If ``limit_state`` does not cover the stocks.
    """
    state = aligned("limit_state", limit_state, data.sessions, data.symbols)
    return StudyLimits(data, tuple(fitted), design, state)


def _stock_table(data: Data, item: FittedEvent, counts: LimitCounts) -> pd.DataFrame:
    assert item.fit is not None
    return pd.DataFrame(
        {
            "event": item.event.id,
            "symbol": data.symbols[item.columns],
            "limit_up": counts.up,
            "limit_down": counts.down,
            "locked_at_entry": counts.locked_at_entry,
            "locked_at_exit": counts.locked_at_exit,
            "car": item.fit.event.sum(axis=0),
            "limit_aware_car": counts.car,
            "extended": counts.extended,
        }
    )


def _extended(data: Data, item: FittedEvent) -> FloatArray:
    # The same model, its event window stretched over the sessions a locked stock may need.
    reach = data.inputs.lags if data.info.reach else 0
    start, stop = item.cut.event
    longer = min(stop + LONGEST_RUN, len(data.sessions) - reach)
    cut = Cut(item.cut.estimation, (start, longer), item.cut.excluded)
    fit = data.info.fit(*narrowed(data.inputs, cut, item.columns, reach), np.ones((1, longer - start)))
    abnormal = np.full((len(data.sessions), item.columns.size), np.nan)
    abnormal[start:longer] = np.where(fit.event_valid, fit.event, np.nan)
    assert item.fit is not None
    abnormal[start:stop] = np.where(item.fit.event_valid, item.fit.event, np.nan)
    return abnormal
