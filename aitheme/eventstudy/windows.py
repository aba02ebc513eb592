"""The design of a study: windows around day 0, where they fall in the data, and which of them collide."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from aitheme.eventstudy.errors import StudyError

if TYPE_CHECKING:
    from aitheme.eventstudy.arrays import BoolArray, FloatArray, IntArray

ISO_DATE = re.compile(r"\d{4}-?\d{2}-?\d{2}$")
"""Tells two dates from an id and its date; ids of releases may end in digits but do not begin with them."""

PAIR = 2
"""A window and an estimation design are each two integers."""


@dataclass(frozen=True, slots=True)
class Event:
    """One release and the first session that could react to it.

    Attributes
    ----------
    id : str
        Name of the event, used in every label.
    day0 : pandas.Timestamp
        A session of the exchange.
    symbols : tuple of str or None
        The stocks of this event; None for every column of the returns.
    """

    id: str
    day0: pd.Timestamp
    symbols: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Scopes:
    """The spans of days that are tested: every day, every sub-window, and the window last.

    Attributes
    ----------
    spans : tuple of (int, int)
        First and last day of each scope relative to day 0.
    weights : ndarray, shape (S, L2)
        1 where a scope covers a day of the event window.
    active : ndarray of bool, shape (S,)
        Scopes that are reported; the days are always summed, since standardised daily returns need them.
    """

    spans: tuple[tuple[int, int], ...]
    weights: FloatArray
    active: BoolArray

    @property
    def labels(self) -> tuple[str, ...]:
        """Name of each scope: ``day 3`` for one day inside a longer window, ``[-5, 10]`` for a window."""
        last = len(self.spans) - 1
        return tuple(
            f"day {first}" if first == final and place != last else f"[{first}, {final}]"
            for place, (first, final) in enumerate(self.spans)
        )


@dataclass(frozen=True, slots=True)
class StudyDesign:
    """Event window and estimation window in sessions relative to day 0.

    Attributes
    ----------
    window : tuple of int
        ``(a, b)``: first and last day of the event window.
    estimation : tuple of int
        ``(length, gap)``: the ``length`` sessions that end ``gap`` sessions before day 0, so
        ``(250, 30)`` is days -279 .. -30.
    sub_windows : tuple of (int, int)
        Further windows inside ``window`` that are tested too.
    """

    window: tuple[int, int]
    estimation: tuple[int, int]
    sub_windows: tuple[tuple[int, int], ...] = ()

    @property
    def length(self) -> int:
        """Days in the event window, L2."""
        return self.window[1] - self.window[0] + 1

    @property
    def estimation_days(self) -> tuple[int, int]:
        """First and last day of the estimation window relative to day 0."""
        length, gap = self.estimation
        return -(gap + length - 1), -gap

    def scopes(self, *, by_day: bool = True) -> Scopes:
        """Every day, every sub-window and the window, without repeats; the window is last."""
        first, last = self.window
        days = [(day, day) for day in range(first, last + 1)]
        spans = [span for span in dict.fromkeys([*days, *self.sub_windows]) if span != self.window]
        spans.append(self.window)
        weights = np.zeros((len(spans), self.length))
        for row, (start, end) in enumerate(spans):
            weights[row, start - first : end - first + 1] = 1.0
        named = {*self.sub_windows, self.window}
        active = np.array([by_day or span in named for span in spans], dtype=np.bool_)
        return Scopes(spans=tuple(spans), weights=weights, active=active)


def make_design(
    window: Iterable[int], estimation: Iterable[int], sub_windows: Iterable[Iterable[int]] = ()
) -> StudyDesign:
    """Check the windows of a study against each other.

    Parameters
    ----------
    window : two ints
        ``(a, b)`` with a <= b, relative to day 0.
    estimation : two ints
        ``(length, gap)``.
    sub_windows : iterable of two ints
        Windows inside ``window``.

    Returns
    -------
    StudyDesign
        The checked design.

    Raises
    ------
    StudyError
        If a window is reversed or reaches into the estimation window.
    """
    start, end = _pair("window", window)
    if start > end:
        raise StudyError(f"window=({start}, {end}) is reversed: the first day must not lie after the last; swap them")
    length, gap = _pair("estimation", estimation)
    if length < 1 or gap < 1:
        raise StudyError(
            f"estimation=({length}, {gap}) is (length, gap) in sessions, both at least 1; the usual choice is (250, 30)"
        )
    if start <= -gap:
        raise StudyError(
            f"window=({start}, {end}) starts inside the estimation window, which ends on day {-gap}; "
            f"use estimation=({length}, {1 - start}) or a later first day"
        )
    inner = tuple(_sub_window(pair, (start, end)) for pair in sub_windows)
    return StudyDesign(window=(start, end), estimation=(length, gap), sub_windows=inner)


def make_events(events: object) -> tuple[Event, ...]:
    """Read events from the spellings an analyst uses.

    Parameters
    ----------
    events : Event, str, Timestamp, (id, day0) pair, mapping of id to day0, or an iterable of these
        What to study. A bare date is named by itself.

    Returns
    -------
    tuple of Event
        At least one, with distinct ids.

    Raises
    ------
    StudyError
        If there is none, an id repeats, or a date cannot be read.
    """
    made = tuple(_flatten(events))
    if not made:
        raise StudyError("events is empty: pass at least one event as (id, day0)")
    ids = [event.id for event in made]
    repeated = sorted({name for name in ids if ids.count(name) > 1})
    if repeated:
        raise StudyError(f"events repeats the id {repeated[0]!r}: ids must be distinct; rename or drop one")
    return made


def locate(sessions: pd.DatetimeIndex, event: Event, design: StudyDesign, *, leads: int = 0, lags: int = 0) -> int:
    """Position of day 0 in the sessions, with both windows inside the data.

    Parameters
    ----------
    sessions : DatetimeIndex
        Sessions of the returns.
    event : Event
        The event.
    design : StudyDesign
        Its windows.
    leads, lags : int
        Further sessions a model needs after the event window and before the estimation window.

    Returns
    -------
    int
        Row of day 0.

    Raises
    ------
    StudyError
        If day 0 is not a session or a window leaves the data.
    """
    span = f"{sessions[0]:%Y-%m-%d} .. {sessions[-1]:%Y-%m-%d}"
    place = int(sessions.searchsorted(event.day0))
    if place >= len(sessions) or sessions[place] != event.day0:
        raise StudyError(_not_a_session(sessions, event, place, span))
    before, after = -design.estimation_days[0] + lags, design.window[1] + leads
    if place < before:
        length, gap = design.estimation
        hint = f"use estimation=({place - gap + 1 - lags}, {gap})" if place - gap - lags > length // 2 else "use less"
        raise StudyError(
            f"estimation=({length}, {gap}) needs {before} sessions before day 0 of {event.id} "
            f"({event.day0:%Y-%m-%d}), returns has {place} ({span}); load earlier returns or {hint}"
        )
    left = len(sessions) - 1 - place
    if left < after:
        raise StudyError(
            f"window={design.window} needs {after} sessions after day 0 of {event.id} ({event.day0:%Y-%m-%d}), "
            f"returns has {left} ({span}); end the window earlier or load later returns"
        )
    return place


def window_mask(length: int, positions: IntArray, window: tuple[int, int]) -> BoolArray:
    """Sessions covered by a window around any of the positions.

    Parameters
    ----------
    length : int
        Number of sessions, T.
    positions : ndarray of int, shape (K,)
        Rows of the day 0s.
    window : tuple of int
        First and last day.

    Returns
    -------
    ndarray of bool, shape (T,)
        True inside a window.
    """
    mask = np.zeros(length, dtype=np.bool_)
    for place in positions:
        mask[max(place + window[0], 0) : max(place + window[1] + 1, 0)] = True
    return mask


def overlaps(events: Iterable[Event], sessions: pd.DatetimeIndex, window: tuple[int, int]) -> pd.DataFrame:
    """Pairs of events whose event windows share sessions.

    Parameters
    ----------
    events : iterable of Event
        Events to compare; those outside the sessions are placed at the next session.
    sessions : DatetimeIndex
        The exchange's sessions.
    window : tuple of int
        The event window.

    Returns
    -------
    DataFrame
        Columns ``event``, ``other``, ``sessions_apart``, ``shared_sessions``; one row a pair.
    """
    found = list(events)
    places = sessions.searchsorted(pd.DatetimeIndex([event.day0 for event in found]))
    placed = sorted((int(place), event.id) for place, event in zip(places, found, strict=True))
    length = window[1] - window[0] + 1
    rows = [
        (name, other, later - place, length - (later - place))
        for at, (place, name) in enumerate(placed)
        for later, other in placed[at + 1 :]
        if later - place < length
    ]
    return pd.DataFrame(rows, columns=["event", "other", "sessions_apart", "shared_sessions"])


def _pair(name: str, value: Iterable[int]) -> tuple[int, int]:
    try:
        numbers = tuple(int(number) for number in value)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != PAIR:
        raise StudyError(f"{name}={value!r} must be two whole numbers of sessions, for example (-5, 10)")
    return numbers[0], numbers[1]


def _sub_window(value: Iterable[int], window: tuple[int, int]) -> tuple[int, int]:
    start, end = _pair("sub_windows", value)
    if start > end or start < window[0] or end > window[1]:
        raise StudyError(f"sub_windows has ({start}, {end}), which must lie inside window={window}; widen the window")
    return start, end


def _flatten(events: object) -> Iterable[Event]:
    if isinstance(events, Event):
        yield events
    elif isinstance(events, Mapping):
        for name, day in events.items():
            yield Event(id=str(name), day0=_day(day, str(name)))
    elif isinstance(events, str) or not isinstance(events, Iterable):
        day = _day(events, str(events))
        yield Event(id=f"{day:%Y-%m-%d}", day0=day)
    elif isinstance(events, tuple) and len(events) == PAIR and isinstance(events[0], str) and not _is_date(events[0]):
        yield Event(id=events[0], day0=_day(events[1], events[0]))
    else:
        for item in events:
            yield from _flatten(item)


def _is_date(text: str) -> bool:
    return ISO_DATE.match(text) is not None


def _day(value: object, name: str) -> pd.Timestamp:
    try:
        day = pd.Timestamp(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        day = pd.NaT  # type: ignore[assignment]
    if pd.isna(day):
        raise StudyError(f"day0={value!r} of event {name!r} is not a date; write it as 2024-03-18")
    return day.normalize()


def _not_a_session(sessions: pd.DatetimeIndex, event: Event, place: int, span: str) -> str:
    if 0 < place < len(sessions):
        near = f"its neighbours are {sessions[place - 1]:%Y-%m-%d} and {sessions[place]:%Y-%m-%d}"
        step = "pass the first session that could react"
    else:
        near, step = "it lies outside the data", "load returns that cover it"
    return f"day0={event.day0:%Y-%m-%d} of {event.id} is not a session of returns ({span}): {near}; {step}"
