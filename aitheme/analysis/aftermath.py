"""What baskets and stocks did before and after a report, beside the benchmark and beside random baskets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

from aitheme.analysis.wholemarket import boards, held_levels, traded
from aitheme.calendar import calendar_for
from aitheme.errors import CalendarHorizonError
from aitheme.randombaskets import DRAWS, QUANTILES, RandomDraws, draw_baskets, percentile, random_returns
from aitheme.returns import basket_index, drawdown
from aitheme.symbols import board_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence
    from datetime import date

    import pandas as pd

    from aitheme.store import Market

__all__ = ["HORIZONS", "RUN_UP", "Outcome", "Span", "basket_outcomes", "index_return", "report_spans", "stock_outcomes"]

RUN_UP = (60, 20)
"""Sessions before publication."""

HORIZONS = (5, 20, 60, 120, 250)
"""Sessions after the first one on which a reader could trade."""

_SEED = 20230420


@dataclass(frozen=True, slots=True)
class Span:
    """A holding period between two closes.

    Parameters
    ----------
    kind
        ``before`` or ``after`` publication.
    sessions
        Number of sessions from the first close to the second.
    start, end
        The two sessions; None where the exchange's calendar does not reach.
    status
        ``reached``; ``not-yet``: the end lies beyond the data; ``before-data``: the start lies before it.
    """

    kind: Literal["before", "after"]
    sessions: int
    start: date | None
    end: date | None
    status: Literal["reached", "not-yet", "before-data"]

    @property
    def dates(self) -> tuple[date, date] | None:
        """Both closes where the data holds them, else None."""
        return (self.start, self.end) if self.status == "reached" and self.start and self.end else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a basket made over a span: bought in equal parts at the first close, held, dividends included.

    Parameters
    ----------
    span
        The holding period. Where it is not reached every number below is None: a shorter one never takes its place.
    members, used
        A-shares asked for, and those with a price at the start. One suspended there is held from its last level on.
    total_return, benchmark_return, excess_return, max_drawdown
        Ratios; the benchmark is a price index. None where the store has no such benchmark.
    beat_share
        Share of the used members whose return is above the benchmark's.
    percentile
        Where the return lies among random baskets of the same size and boards (0 to 1, ties half); None where a board
        has too few stocks to draw from.
    quantiles
        Returns of the random baskets at :data:`aitheme.randombaskets.QUANTILES`.
    pool
        Number of stocks that could be drawn.
    """

    span: Span
    members: int
    used: int = 0
    total_return: float | None = None
    benchmark_return: float | None = None
    excess_return: float | None = None
    max_drawdown: float | None = None
    beat_share: float | None = None
    percentile: float | None = None
    quantiles: tuple[float, ...] = ()
    pool: int = 0


_KNOWN: WeakKeyDictionary[Market, dict[object, tuple[Outcome, ...]]] = WeakKeyDictionary()
_INDICES: WeakKeyDictionary[Market, dict[str, pd.Series[float]]] = WeakKeyDictionary()


def report_spans(market: Market, published: date, entry: date, as_of: str | date | None = None) -> tuple[Span, ...]:
    """Return the spans a report is judged by: the run-up first, then what followed.

    Parameters
    ----------
    market
        Snapshot of the store: its span decides which are reached.
    published
        Day of publication. The run-up ends with the last close on or before it.
    entry
        First session on which a reader could trade; the reader buys at its close.
    as_of
        Nothing after this date is used.
    """
    first, last = market.span[0], market.as_of(as_of)
    known = calendar_for("XSHG").on_or_before(published)
    before = [_span("before", count, _shifted(known, -count), known, first, last) for count in RUN_UP]
    after = [_span("after", count, entry, _shifted(entry, count), first, last) for count in HORIZONS]
    return (*before, *after)


def _shifted(session: date, count: int) -> date | None:
    try:
        return calendar_for("XSHG").shift(session, count)
    except CalendarHorizonError:
        return None


def _span(
    kind: Literal["before", "after"], count: int, start: date | None, end: date | None, first: date, last: date
) -> Span:
    if start is None or start < first:
        return Span(kind, count, start, end, "before-data")
    return Span(kind, count, start, end, "not-yet" if end is None or end > last else "reached")


def index_return(market: Market, symbol: str, span: Span) -> float | None:
    """Return what an index made over a span, from its last close on or before each end (ratio, without dividends).

    Raises
    ------
    UnknownNameError
        The store has no such index.

    Returns
    -------
    float or None
        None where the span is not reached, or the index has no close up to its start.
    """
    known = _INDICES.setdefault(market, {})
    if symbol not in known:
        known[symbol] = market.index_closes([symbol])[symbol].ffill()
    if span.dates is None:
        return None
    first, last = (float(known[symbol].loc[str(day)]) for day in span.dates)
    return last / first - 1.0 if first == first else None  # noqa: PLR0124 (NaN is not itself)


def basket_outcomes(
    market: Market, symbols: Sequence[str], spans: Sequence[Span], *, benchmark: str | None
) -> tuple[Outcome, ...]:
    """Return what a basket made over some spans.

    Parameters
    ----------
    market
        Snapshot of the store.
    symbols
        Its A-shares.
    spans
        From :func:`report_spans`.
    benchmark
        Index symbol; None for no comparison.

    Raises
    ------
    UnknownNameError
        The store has no such benchmark.
    """
    known = _KNOWN.setdefault(market, {})
    key = (tuple(symbols), tuple(spans), benchmark)
    if key not in known:
        drawn: dict[tuple[date, tuple[str, ...]], RandomDraws | None] = {}
        known[key] = tuple(_outcome(market, symbols, span, benchmark, drawn) for span in spans)
    return known[key]


def _outcome(
    market: Market,
    symbols: Sequence[str],
    span: Span,
    benchmark: str | None,
    drawn: dict[tuple[date, tuple[str, ...]], RandomDraws | None],
) -> Outcome:
    import pandas as pd

    other = None if benchmark is None else index_return(market, benchmark, span)
    if span.dates is None:
        return Outcome(span, len(symbols))
    held = held_levels(market)
    first, last = (pd.Timestamp(day) for day in span.dates)
    rows = slice(held.index.searchsorted(first), held.index.searchsorted(last, side="right"))
    places = held.columns.get_indexer(pd.Index(symbols))
    window = held.iloc[rows, places[places >= 0]]
    levels = window.loc[:, window.iloc[0].notna().to_numpy()]
    if levels.empty:
        return Outcome(span, len(symbols))
    used, path = list(levels.columns), basket_index(levels).values
    moves = levels.iloc[-1] / levels.iloc[0] - 1.0
    total = float(path.iloc[-1] - 1.0)
    share, quantiles, pool = _luck(market, total, used, span.dates, drawn)
    return Outcome(
        span, len(symbols), len(used), total, other,
        None if other is None else total - other,
        float(drawdown(path).min()),
        None if other is None else float((moves > other).mean()),
        share, quantiles, pool,
    )  # fmt: skip


def _luck(
    market: Market,
    total: float,
    used: Sequence[str],
    dates: tuple[date, date],
    drawn: dict[tuple[date, tuple[str, ...]], RandomDraws | None],
) -> tuple[float | None, tuple[float, ...], int]:
    """Return percentile, quantiles and pool size of a basket's return among random baskets bought at the same close."""
    import numpy as np

    start, end = dates
    held = held_levels(market)
    key = (start, tuple(used))
    if key not in drawn:
        counts: Counter[Hashable] = Counter(str(board_of(symbol)) for symbol in used)
        drawn[key] = draw_baskets(boards(market), traded(market, start), counts, draws=DRAWS, seed=_SEED)
    draws = drawn[key]
    if draws is None:
        return None, (), 0
    sample = random_returns(draws, held.loc[str(end)].to_numpy() / held.loc[str(start)].to_numpy() - 1.0)
    return percentile(total, sample), tuple(float(one) for one in np.quantile(sample, QUANTILES)), draws.pool


def stock_outcomes(
    market: Market, symbols: Sequence[str], spans: Sequence[Span], *, benchmarks: Mapping[str, str | None]
) -> pd.DataFrame:
    """Return what each stock made over some spans, in its own currency.

    Parameters
    ----------
    market
        Snapshot of the store.
    symbols
        Stocks of any exchange; another exchange's prices are taken at the last close up to each mainland session.
    spans
        From :func:`report_spans`.
    benchmarks
        Index symbol by stock; None for no comparison.

    Returns
    -------
    pandas.DataFrame
        One row per stock and span: symbol, kind, sessions, total_return, benchmark_return, excess_return, max_drawdown
        (ratios, NaN where the span is not reached, the stock has no price up to its start, or the store no benchmark).

    Raises
    ------
    UnknownNameError
        The store has no such benchmark.
    """
    import pandas as pd

    wanted = list(dict.fromkeys(symbols))
    ends = [span.dates[1] for span in spans if span.dates is not None]
    levels = market.panel(wanted, end=max(ends)).level.ffill() if ends else None
    rows = []
    for span in spans:
        window = None if span.dates is None or levels is None else levels.loc[str(span.dates[0]) : str(span.dates[1])]
        for symbol in wanted:
            index = benchmarks[symbol]
            other = None if index is None else index_return(market, index, span)
            total, fall = (None, None) if window is None else _held(window[symbol])
            excess = None if total is None or other is None else total - other
            rows.append((symbol, span.kind, span.sessions, total, other, excess, fall))
    names = ["total_return", "benchmark_return", "excess_return", "max_drawdown"]
    table = pd.DataFrame(rows, columns=["symbol", "kind", "sessions", *names])
    return table.astype(dict.fromkeys(names, "float64"))


def _held(path: pd.Series[float]) -> tuple[float | None, float | None]:
    if path.isna().iloc[0]:
        return None, None
    return float(path.iloc[-1] / path.iloc[0] - 1.0), float(drawdown(path).min())
