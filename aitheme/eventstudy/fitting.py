"""Estimation of every event of a study, and which stocks drop out of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from aitheme.eventstudy.account import NO_VARIANCE, NOT_FITTED, SMALLEST_SIGMA, EventLoss, account_for
from aitheme.eventstudy.errors import StudyError
from aitheme.eventstudy.fits import Fit, keep_stocks
from aitheme.eventstudy.models import ONE_SERIES, Cut, Inputs
from aitheme.eventstudy.windows import Event, Scopes, StudyDesign, locate, overlaps, window_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aitheme.eventstudy.arrays import BoolArray, IntArray
    from aitheme.eventstudy.inputs import Data

SPARE_DAYS = 4
"""Estimation days beyond the parameters that every test can live with (Patell's Q needs L1 - p - 2 > 0)."""


@dataclass(frozen=True, slots=True)
class FittedEvent:
    """One event after estimation.

    Attributes
    ----------
    event : Event
        The event.
    position : int
        Row of day 0.
    columns : ndarray of int, shape (N,)
        Columns of the stocks that stay.
    cut : Cut
        Rows of the windows.
    fit : Fit or None
        Abnormal returns of those stocks; None where none stays.
    loss : EventLoss
        What was dropped.
    """

    event: Event
    position: int
    columns: IntArray
    cut: Cut
    fit: Fit | None
    loss: EventLoss


def least_days(min_valid: int | None, design: StudyDesign, data: Data) -> int:
    """Fewest valid estimation days of a stock.

    Parameters
    ----------
    min_valid : int or None
        The wish; None for half the estimation window.
    design : StudyDesign
        Windows.
    data : Data
        Supplies the number of parameters.

    Returns
    -------
    int
        At least parameters + 4.

    Raises
    ------
    StudyError
        If the estimation window is shorter than that, or the wish lies outside.
    """
    length, gap = design.estimation
    floor = data.info.parameters(data.inputs) + SPARE_DAYS
    if length < floor:
        raise StudyError(
            f"estimation=({length}, {gap}) has {length} days, model={data.model!r} needs at least {floor} "
            "(parameters + 4); use a longer estimation window"
        )
    if min_valid is None:
        return max(floor, length // 2)
    if not floor <= min_valid <= length:
        raise StudyError(f"min_valid={min_valid} must lie between {floor} (parameters + 4) and {length} (the window)")
    return min_valid


def positions_of(sessions: pd.DatetimeIndex, events: Iterable[Event]) -> IntArray:
    """Rows of the events' first sessions, sorted; events beyond the data are left out."""
    days = _days(tuple(event.day0 for event in events))
    places = np.unique(sessions.searchsorted(days[days >= sessions[0]])).astype(np.int64)
    return places[places < len(sessions)]


@lru_cache(maxsize=32)
def _days(moments: tuple[pd.Timestamp, ...]) -> pd.DatetimeIndex:
    # Every basket of a release has the same neighbours.
    return pd.DatetimeIndex(moments)


def colliding(
    events: Sequence[Event], others: Sequence[Event], sessions: pd.DatetimeIndex, design: StudyDesign
) -> pd.DataFrame:
    """Pairs of event windows that share sessions, at least one of them studied; columns as in ``windows.overlaps``."""
    # Releases far from every studied event cannot collide with one; leaving them out keeps the pairs few.
    own = {item.id for item in events}
    if others:
        places = sessions.searchsorted(_days(tuple(item.day0 for item in others)))
        apart = np.abs(positions_of(sessions, events)[:, None] - places).min(axis=0)
        others = [item for item, distance in zip(others, apart, strict=True) if distance < design.length]
    table = overlaps([*events, *others], sessions, design.window)
    return table[table["event"].isin(own) | table["other"].isin(own)].reset_index(drop=True)


def fit_events(
    data: Data,
    events: Sequence[Event],
    others: Sequence[Event],
    design: StudyDesign,
    scopes: Scopes,
    least: int,
    *,
    exclude_other_events: bool = False,
) -> list[FittedEvent]:
    """Estimate the model for every event.

    Parameters
    ----------
    data : Data
        Aligned input.
    events, others : sequence of Event
        Events to study, and further releases.
    design : StudyDesign
        Windows.
    scopes : Scopes
        Spans that are summed.
    least : int
        Fewest valid estimation days.
    exclude_other_events : bool
        Blank the event windows of all other events in the estimation window.

    Returns
    -------
    list of FittedEvent
        In the order of the events.

    Raises
    ------
    StudyError
        If a window leaves the data or nothing can be estimated.
    """
    reach = data.inputs.lags if data.info.reach else 0
    fitted = []
    for event in events:
        position = locate(data.sessions, event, design, leads=reach, lags=reach)
        mask = None
        if exclude_other_events:
            rest = [item for item in (*events, *others) if item.day0 != event.day0]
            mask = window_mask(len(data.sessions), positions_of(data.sessions, rest), design.window)
        fitted.append(_fit_event(data, event, position, design, scopes, least, mask))
    return fitted


def narrowed(inputs: Inputs, cut: Cut, columns: IntArray, reach: int) -> tuple[Inputs, Cut]:
    """Restrict the inputs to the sessions one event reads and to some stocks.

    Parameters
    ----------
    inputs : Inputs
        Inputs of T sessions and N stocks.
    cut : Cut
        Rows of the windows.
    columns : ndarray of int, shape (M,)
        Stocks to keep.
    reach : int
        Sessions the model reads beyond both windows.

    Returns
    -------
    inputs : Inputs
        Views of the rows; the columns are copied only where some are left out.
    cut : Cut
        The same windows in the new rows.
    """
    start, stop = cut.estimation[0] - reach, cut.event[1] + reach
    rows = slice(start, stop)
    every = np.array_equal(columns, np.arange(inputs.returns.shape[1]))
    returns = inputs.returns[rows]
    own = inputs.benchmark is not None and inputs.benchmark.ndim > ONE_SERIES
    benchmark = None if inputs.benchmark is None else inputs.benchmark[rows]
    if not every:
        returns = returns[:, columns]
        benchmark = benchmark[:, columns] if own and benchmark is not None else benchmark
    narrow = replace(
        inputs,
        returns=returns,
        benchmark=benchmark,
        factors=None if inputs.factors is None else inputs.factors[rows],
        risk_free=None if inputs.risk_free is None else inputs.risk_free[rows],
        donors=None if inputs.donors is None else inputs.donors[rows],
    )
    (first, last), (begin, end) = cut.estimation, cut.event
    return narrow, Cut((first - start, last - start), (begin - start, end - start), cut.excluded)


def _fit_event(
    data: Data, event: Event, position: int, design: StudyDesign, scopes: Scopes, least: int, mask: BoolArray | None
) -> FittedEvent:
    cut = _cut(design, position, mask)
    asked, reach = data.columns(event.symbols), data.inputs.lags if data.info.reach else 0
    inputs, local = narrowed(data.inputs, cut, asked, reach)
    valid = _valid_days(inputs, local)
    if not valid[0].any():
        raise nothing_to_estimate(event, data)
    loss = account_for(event.id, data.symbols[asked], valid, least, _lost_sessions(data, cut))
    keep = np.flatnonzero(loss.reason == "")
    if not keep.size:
        return FittedEvent(event, position, keep, cut, None, loss)
    inputs, local = narrowed(inputs, local, keep, reach)
    fit = data.info.fit(inputs, local, scopes.weights)
    good = np.isfinite(fit.sigma) & (fit.sigma > SMALLEST_SIGMA)
    if not good.all():
        reason = loss.reason.copy()
        reason[keep[~good]] = np.where(np.isfinite(fit.sigma[~good]), NO_VARIANCE, NOT_FITTED)
        loss, fit, keep = replace(loss, reason=reason), keep_stocks(fit, good), keep[good]
    return FittedEvent(event, position, asked[keep], cut, fit if keep.size else None, loss)


def nothing_to_estimate(event: Event, data: Data) -> StudyError:
    """Return the error for an event whose stocks have not a single estimation day."""
    return StudyError(
        f"no stock of {event.id} has a return and a benchmark ({data.benchmark_name}) on any estimation day; "
        "check both over the estimation window"
    )


def _cut(design: StudyDesign, position: int, mask: BoolArray | None) -> Cut:
    first, last = (position + day for day in design.estimation_days)
    start, end = (position + day for day in design.window)
    excluded = None if mask is None else mask[first : last + 1]
    if excluded is not None and excluded.all():
        raise StudyError(
            f"exclude_other_events=True leaves no estimation day: other releases fill estimation={design.estimation}; "
            "use a longer estimation window or keep them in"
        )
    return Cut((first, last + 1), (start, end + 1), excluded)


def _valid_days(inputs: Inputs, cut: Cut) -> tuple[BoolArray, BoolArray]:
    valid: list[BoolArray] = [np.asarray(np.isfinite(part), dtype=np.bool_) for part in cut.returns(inputs.returns)]
    for series in (inputs.benchmark, inputs.factors, inputs.risk_free):
        if series is None:
            continue
        own = series.ndim > ONE_SERIES and series is inputs.benchmark
        for place, part in enumerate(cut.of(series)):
            present: BoolArray = np.asarray(np.isfinite(part), dtype=np.bool_)
            valid[place] = valid[place] & (present if own else _every(present))
    return valid[0], valid[1]


def _every(present: BoolArray) -> BoolArray:
    # A session counts for all stocks only if each common regressor has a value on it, shape (L, 1).
    flat = present.reshape(present.shape[0], -1)
    every: BoolArray = np.count_nonzero(flat, axis=1) == flat.shape[1]
    return every[:, None]


def _lost_sessions(data: Data, cut: Cut) -> list[tuple[pd.Timestamp, str]]:
    inputs, lost = data.inputs, []
    for series in (inputs.benchmark, inputs.factors, inputs.risk_free):
        if series is None or (series is inputs.benchmark and series.ndim > ONE_SERIES):
            continue
        for start, stop in (cut.estimation, cut.event):
            absent = data.sessions[start:stop][~_every(np.isfinite(series[start:stop]))[:, 0]]
            lost += [(day, f"{data.benchmark_name} has no return") for day in absent]
    if cut.excluded is not None:
        lost += [(day, "window of another release") for day in data.sessions[slice(*cut.estimation)][cut.excluded]]
    return lost
