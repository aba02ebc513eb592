"""Jobs of the run after the close: a stock's bars with its factors, and index bars."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from aitheme.sources.akshare.bars import Window, bar_asks
from aitheme.sources.akshare.batching import bars_with_factor, live_batch, rejects_inside
from aitheme.sources.akshare.checks import join_rejects
from aitheme.sources.akshare.factors import affine_factors, dividend_factors, factor_ask, factor_on
from aitheme.sources.akshare.holdings import dividend_ask
from aitheme.sources.akshare.indices import index_asks
from aitheme.sources.akshare.outcomes import Empty, LiveBatch, Ok
from aitheme.sources.akshare.plan import Job
from aitheme.sources.akshare.reading import Ask, Fetched, first_good
from aitheme.sources.akshare.request import EARLIEST, Known, LiveRequest, Universe
from aitheme.sources.akshare.sessions import exchange_of, last_closed_session, missing_sessions, shift_back
from aitheme.symbols import Symbol, parse_symbol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    import pandas as pd
    from numpy.typing import NDArray

    from aitheme.sources.akshare.gateway import Gateway

    Days = NDArray[np.datetime64]

__all__ = ["Context", "bar_job", "index_job", "window_for"]

_MAINLAND: Final = ("SH", "SZ", "BJ")
# How many sessions back a gap is worth a second vendor; older ones are suspensions nobody recorded.
_RECENT: Final = 10
_SAME_SCALE: Final = 1e-9


@dataclass(slots=True)
class Context:
    """What every job of a run shares.

    Parameters
    ----------
    gateway
        Calls akshare.
    request
        What the run was asked for.
    universe
        What the source covers.
    now
        When the run began (aware).
    seen
        Its calendar day in Beijing.
    known
        Suspensions and listing dates, extended by what this run learns.
    plans
        Market-wide dividend tables fetched in this run, by report period.
    validated
        Vendors whose first bars of this run passed the pandera schema; the masks check every row of all of them.
    """

    gateway: Gateway
    request: LiveRequest
    universe: Universe
    now: datetime
    seen: date
    known: Known
    plans: dict[date, Fetched] = field(default_factory=dict)
    validated: set[str] = field(default_factory=set)


def window_for(context: Context, dataset: str, symbol: str) -> Window | None:
    """Return the dates to fetch for a symbol, overlap included; None when nothing new can exist.

    Parameters
    ----------
    context
        The run.
    dataset
        ``bars`` or ``index_bars``.
    symbol
        Canonical symbol.
    """
    request, exchange = context.request, exchange_of(symbol)
    until = last_closed_session(exchange, context.now)
    until = min(until, request.until) if request.until else until
    watermark = request.watermark(dataset, symbol)
    if watermark is not None and watermark >= until:
        return None
    since = request.since or EARLIEST
    if watermark is not None:
        since = shift_back(exchange, watermark, request.overlap_sessions)
    return Window(since, until, context.seen) if since <= until else None


def bar_job(context: Context, text: str) -> Job | None:
    """Return the job for a stock's bars and factors, None when they are up to date."""
    window = window_for(context, "bars", text)
    if window is None:
        return None
    symbol = parse_symbol(text)
    factor = factor_ask(symbol, window.until)
    wide = window if symbol.market in _MAINLAND else Window(EARLIEST, window.until, window.today)
    first = bar_asks(symbol, wide, dict(context.universe.us_markets))[0].endpoint
    calls = {first.group: first.requests}
    calls[factor.endpoint.group] = calls.get(factor.endpoint.group, 0) + factor.endpoint.requests
    return Job(("bars", "adj_factors"), text, calls, partial(_run_bars, context, symbol, window, wide))


def _run_bars(context: Context, symbol: Symbol, window: Window, wide: Window) -> Iterator[LiveBatch]:
    """Fetch bars, then factors; bars without a factor are withheld, since their returns would be wrong."""
    name, span = str(symbol), (window.since, window.until)
    asks = bar_asks(symbol, wide, dict(context.universe.us_markets))
    fetched = first_good(context.gateway, asks, partial(context.known.explain, name, window))
    fetched, gap = _closed_gap(context, name, window, asks, fetched)
    fetched = replace(fetched, rejects=rejects_inside(fetched.rejects, window.since))
    span = (window.since, gap - timedelta(days=1)) if gap is not None else span
    if fetched.reading is None:
        yield live_batch("bars", fetched, name, covers=span, now=context.now)
        return
    table, factored = _factors(context, symbol, window, fetched.reading.frame)
    attempts = (*fetched.attempts, *factored.attempts)
    if table is None:
        why = ("bars arrived, but no adjustment factor: withheld",)
        withheld = replace(fetched, reading=None, outcome=factored.outcome, attempts=attempts)
        yield live_batch("bars", withheld, name, now=context.now, notes=why)
        return
    table = table.assign(symbol=name, source=factored.source or "cninfo")
    yield live_batch("adj_factors", factored, name, frame=table, covers=span, now=context.now, validate=False)
    table, scaled = _on_stored_scale(table, context.request.anchors.get(name))
    rows, jumps = bars_with_factor(name, fetched.reading.frame, table, approximate=factored.fallback)
    days = rows["session"].to_numpy().astype("datetime64[D]")
    rows = rows[window.holds(days)]
    notes = (*fetched.reading.notes, *scaled, *jumps)
    batch = live_batch(
        "bars", fetched, name, frame=rows, covers=span, now=context.now, notes=notes, attempts=attempts,
        validate=fetched.source not in context.validated,
    )  # fmt: skip
    context.validated.add(fetched.source)
    if not len(rows):
        empty = context.known.explain(name, window, Empty("unexplained", "no bar inside the window"))
        batch = replace(batch, outcome=empty, covers=span if empty.settles else None)
    yield batch


def _open_sessions(context: Context, name: str, window: Window, fetched: Fetched) -> Days:
    """Return the last sessions of a window that have no bar and no known reason for it."""
    assert fetched.reading is not None
    exchange, known = exchange_of(name), context.known
    since = max(window.since, shift_back(exchange, window.until, _RECENT))
    if name in known.listed:
        since = max(since, known.listed[name])
    until = min(window.until, known.delisted[name] - timedelta(days=1)) if name in known.delisted else window.until
    have = fetched.reading.frame["session"].to_numpy().astype("datetime64[D]")
    missing = missing_sessions(exchange, have, since, until)
    return missing[~known.suspended(name, missing)]


def _closed_gap(
    context: Context, name: str, window: Window, asks: list[Ask], fetched: Fetched
) -> tuple[Fetched, date | None]:
    """Ask the next vendor about recent sessions without a bar; return what to use and the first day left open.

    A vendor's stale copy looks like a suspension. A second vendor without these bars confirms the gap.
    """
    if fetched.reading is None or not len(missing := _open_sessions(context, name, window, fetched)):
        return fetched, None
    rest = [ask for ask in asks if ask.endpoint.vendor != fetched.source]
    second = first_good(context.gateway, rest, partial(context.known.explain, name, window))
    attempts = (*fetched.attempts, *second.attempts)
    rejects = join_rejects(fetched.rejects, second.rejects)
    first_open: date = missing[0].item()
    if second.reading is None:
        return replace(fetched, attempts=attempts, rejects=rejects), first_open
    still = _open_sessions(context, name, window, second)
    if len(still) < len(missing):
        return replace(second, attempts=attempts, rejects=rejects, fallback=True), None
    words = f"{len(missing)} sessions from {first_open} without a bar at two vendors"
    reading = replace(fetched.reading, notes=(*fetched.reading.notes, words))
    return replace(fetched, reading=reading, attempts=attempts, rejects=rejects), None


def _factors(
    context: Context, symbol: Symbol, window: Window, bars: pd.DataFrame
) -> tuple[pd.DataFrame | None, Fetched]:
    """Return the factor table from Sina, or for mainland shares computed from the dividend record."""
    fetched = first_good(context.gateway, [factor_ask(symbol, window.until)])
    sessions = bars["session"].to_numpy().astype("datetime64[D]")
    close = bars["close"].to_numpy(dtype=float)
    if fetched.reading is not None:
        table = fetched.reading.frame
        return (table if "factor" in table.columns else affine_factors(table, sessions, close)), fetched
    if symbol.market not in _MAINLAND:
        return None, fetched
    return _computed_factors(context, symbol, window, fetched, sessions, close)


def _on_stored_scale(table: pd.DataFrame, anchor: tuple[date, float] | None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Scale a factor table so that it meets the stored factor; only ratios of factors mean anything."""
    if anchor is None:
        return table, ()
    session, stored = anchor
    scale = stored / float(factor_on(table, np.array([session], dtype="datetime64[D]"))[0])
    if abs(scale - 1) < _SAME_SCALE:
        return table, ()
    return table.assign(factor=table["factor"] * scale), (f"factors multiplied by {scale:.6g} to go on from the store",)


def _computed_factors(
    context: Context,
    symbol: Symbol,
    window: Window,
    failed: Fetched,
    sessions: np.ndarray[tuple[int], np.dtype[np.datetime64]],
    close: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> tuple[pd.DataFrame | None, Fetched]:
    """Continue the stored factor by the dividends since; without a stored one only full history will do."""
    last = context.request.anchors.get(str(symbol))
    if last is None and window.since > EARLIEST:
        return None, failed
    fetched = first_good(context.gateway, [dividend_ask(symbol)])
    attempts = (*failed.attempts, *fetched.attempts)
    nothing = isinstance(fetched.outcome, Empty) and "no dividend" in fetched.outcome.detail
    if fetched.reading is None and not nothing:
        return None, replace(failed, attempts=attempts)
    day, start = last if last is not None else (EARLIEST, 1.0)
    if fetched.reading is None:
        dividends = _no_dividends()
    else:
        known = fetched.reading.frame
        after = (known["ex_date"] > np.datetime64(day)) & (known["ex_date"] <= np.datetime64(window.until))
        dividends = known[after]
    table, unknown = dividend_factors(dividends, sessions, close, start)
    if unknown:
        return None, replace(failed, attempts=attempts)
    return table, replace(fetched, outcome=Ok(len(table)), attempts=attempts, fallback=True)


def _no_dividends() -> pd.DataFrame:
    import pandas as pd

    empty = pd.DataFrame({"cash_per_share": [], "bonus_per_share": []}, dtype=float)
    return empty.assign(ex_date=pd.Series([], dtype="datetime64[s]"))


def index_job(context: Context, text: str) -> Job | None:
    """Return the job for an index's bars, None when they are up to date or nobody publishes them for free."""
    window = window_for(context, "index_bars", text)
    if window is None:
        return None
    symbol = parse_symbol(text)
    asks = index_asks(symbol, window)
    if not asks:
        return None

    def run() -> Iterator[LiveBatch]:
        fetched = first_good(context.gateway, asks, partial(context.known.explain, text, window))
        fetched = replace(fetched, rejects=rejects_inside(fetched.rejects, window.since))
        rows = fetched.reading.frame.assign(symbol=text) if fetched.reading is not None else None
        yield live_batch("index_bars", fetched, text, frame=rows, covers=(window.since, window.until), now=context.now)

    return Job(("index_bars",), text, {asks[0].endpoint.group: asks[0].endpoint.requests}, run)
