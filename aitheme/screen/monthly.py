"""The same screen at each month end, and what its names did afterwards; a look back, not a strategy.

The screen sees the month-end close. Names are bought at the close of the next session, so no price that decided is also
paid, and held to the close of the session after the next month end. Before costs.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from aitheme.calendar import parse_date
from aitheme.errors import DateRangeError
from aitheme.screen.features import LOOKBACK, PriceFeatures
from aitheme.screen.notes import dated_attributes
from aitheme.screen.reading import BENCHMARK, Window, reader_of
from aitheme.screen.result import frame_html, json_ready, watermark
from aitheme.screen.run import plan_of, select, theme_of, view_of
from aitheme.screen.view import fields_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import date

    import pandas as pd

    from aitheme.panel import Provenance
    from aitheme.screen.features import Prices
    from aitheme.screen.reading import Reader
    from aitheme.screen.registry import ReleaseCars
    from aitheme.screen.run import Plan
    from aitheme.store import Market
    from aitheme.themes import Theme

__all__ = ["ScreenHistory", "screen_history"]

# Periods read at a time: half a year of the whole market and its lookback take some 17 MB per field.
_CHUNK = 6
_MIN_PERIODS = 2
_FORMATS = dict.fromkeys(("return", "benchmark", "excess", "turnover"), ".2%")


@dataclass(frozen=True, slots=True)
class ScreenHistory:
    """A screen at each month end against 沪深300.

    Parameters
    ----------
    frame
        One row per period: month_end, bought, sold (sessions), selected, limit_up and suspended (not bought), unsold
        (left the screen but did not trade that day; sold at the last price), held, and as ratios return, benchmark,
        excess and turnover (share of the portfolio bought anew).
    members
        Symbols held, by month end.
    expression, order_by, limit
        As asked for.
    provenance
        Source, snapshot and whether the data is simulated.
    notes
        What the reader must know.
    """

    frame: pd.DataFrame
    members: dict[date, tuple[str, ...]]
    expression: str
    order_by: tuple[str, ...]
    limit: int | None
    provenance: Provenance
    notes: tuple[str, ...]

    @property
    def statistics(self) -> dict[str, float | int]:
        """Compounded returns (ratios), mean excess per period with its plain t, share of periods ahead, mean turnover."""
        frame = self.frame
        excess = frame["excess"].to_numpy(dtype=float)
        excess = excess[np.isfinite(excess)]
        count = len(excess)
        spread = float(excess.std(ddof=1)) if count >= _MIN_PERIODS else np.nan
        return {
            "periods": len(frame),
            "total_return": float(np.prod(1 + frame["return"]) - 1),
            "benchmark_return": float(np.prod(1 + frame["benchmark"]) - 1),
            "mean_excess": float(excess.mean()) if count else np.nan,
            "t_excess": float(excess.mean() / spread * np.sqrt(count)) if spread > 0 else np.nan,
            "share_ahead": float((excess > 0).mean()) if count else np.nan,
            "mean_turnover": float(frame["turnover"].mean()),
            "mean_held": float(frame["held"].mean()),
            "limit_up_excluded": int(frame["limit_up"].sum()),
            "suspended_excluded": int(frame["suspended"].sum()),
        }

    @property
    def formats(self) -> dict[str, str]:
        """How the columns of ratios are shown."""
        return dict(_FORMATS)

    def summary(self) -> str:
        """Return one line."""
        s = self.statistics
        return (
            f"{self.expression}: {s['periods']} months, {s['total_return']:.1%} against {s['benchmark_return']:.1%} of "
            f"沪深300, mean excess {s['mean_excess']:.2%} a month (t {s['t_excess']:.2f}), turnover {s['mean_turnover']:.0%}, "
            f"{s['limit_up_excluded']} limit-up and {s['suspended_excluded']} suspended buys excluded"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        rows = self.frame.to_dict("records")
        return {
            "expression": self.expression,
            "order_by": list(self.order_by),
            "limit": self.limit,
            "snapshot": self.provenance.snapshot,
            "source": self.provenance.source,
            "simulated": self.provenance.simulated,
            "statistics": {key: json_ready(value) for key, value in self.statistics.items()},
            "notes": list(self.notes),
            "rows": [{str(key): json_ready(value) for key, value in row.items()} for row in rows],
        }

    def _repr_html_(self) -> str:
        head = f"<p>{watermark(simulated=self.provenance.simulated)}{html.escape(self.summary())}</p>"
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return f"{head}{frame_html(self.frame, _FORMATS)}<ul>{notes}</ul>"


@dataclass(frozen=True, slots=True)
class _Period:
    """Rows of the sessions: decided at the close of `decided`, bought at `bought`, sold at `sold`."""

    decided: int
    bought: int
    sold: int


def screen_history(
    market: Market,
    theme: Theme | str,
    expression: str,
    *,
    start: str | date | None = None,
    end: str | date | None = None,
    order_by: str | Sequence[str] | None = None,
    limit: int | None = None,
    universe: str | Iterable[str] | None = None,
    release_cars: ReleaseCars | None = None,
) -> ScreenHistory:
    """Run a screen at each month end and follow its names for a month.

    Parameters
    ----------
    market, theme, expression, order_by, limit, universe, release_cars
        See :func:`aitheme.screen.screen`. With `limit` a name that cannot be bought is not replaced.
    start, end
        First and last date of the month ends; by default a year after the store's first session, and its last.

    Returns
    -------
    ScreenHistory

    Raises
    ------
    ScreenError
        The request is refused.
    DateRangeError
        Fewer than two complete months lie between the dates.
    """
    plan = plan_of(expression, order_by, limit, universe, ())
    reader = reader_of(market)
    periods = _periods(reader, start, end)
    registry = theme_of(theme, plan)
    rows: list[dict[str, Any]] = []
    members: dict[date, tuple[str, ...]] = {}
    weights: dict[str, float] = {}
    notes: tuple[str, ...] = ()
    for begin in range(0, len(periods), _CHUNK):
        chunk = periods[begin : begin + _CHUNK]
        first, last = max(chunk[0].decided + 1 - LOOKBACK, 0), chunk[-1].sold
        block = reader.prices(first, last, fields_of(plan.columns) | {"close", "level"})
        for period in chunk:
            local = _Period(period.decided - first, period.bought - first, period.sold - first)
            moment = reader.sessions[period.decided].item()
            view = view_of(
                reader, Window(block.until(local.decided)), moment, period.decided, plan, registry, release_cars
            )
            chosen = view.symbols[select(plan, view, len(reader.symbols))[0][:limit]]
            row, weights = _follow(block, local, chosen, weights)
            rows.append(row)
            members[moment] = tuple(weights)
            notes = notes or tuple(dated_attributes(plan, view, moment))
    empty = sum(not row["held"] for row in rows)
    cash = (f"{empty} of {len(rows)} months hold nothing: cash without interest",) if empty else ()
    return _history(market, plan, rows, members, (*notes, *cash, *_warnings(reader, periods[0])))


def _history(
    market: Market, plan: Plan, rows: list[dict[str, Any]], members: dict[date, tuple[str, ...]], notes: tuple[str, ...]
) -> ScreenHistory:
    import pandas as pd

    order = tuple(f"{name} {'desc' if falling else 'asc'}" for name, falling in plan.order)
    return ScreenHistory(
        pd.DataFrame(rows), members, plan.expression.text.strip(), order, plan.limit,
        market.provenance(rows[-1]["sold"]), notes,
    )  # fmt: skip


def _periods(reader: Reader, start: str | date | None, end: str | date | None) -> list[_Period]:
    """Return the periods whose month ends lie between two dates and whose sale lies within the data."""
    sessions = reader.sessions
    first = int(np.searchsorted(sessions, np.datetime64(reader.span[0])))
    low = (
        sessions[min(first + LOOKBACK, len(sessions) - 1)]
        if start is None
        else np.datetime64(parse_date(start, "start"))
    )
    high = sessions[-1] if end is None else np.datetime64(parse_date(end, "end"))
    months = sessions.astype("datetime64[M]")
    closing = np.flatnonzero(months[1:] != months[:-1]).tolist()
    ends = [row for row in closing if row >= first and low <= sessions[row] <= high]
    periods = [_Period(at, at + 1, after + 1) for at, after in pairwise(ends)]
    if not periods:
        raise DateRangeError(
            f"start: {low} to {high} holds no complete month within the store's data ({reader.span[0]} to {reader.span[1]}); "
            "choose at least two month ends"
        )
    return periods


def _follow(
    block: Prices, period: _Period, chosen: np.ndarray, before: dict[str, float]
) -> tuple[dict[str, Any], dict[str, float]]:
    """Buy, hold and value one period.

    Parameters
    ----------
    block
        Bars of the market; only the sessions up to the sale are looked at.
    period
        Rows of the block.
    chosen
        Symbols the screen left.
    before
        Weights the portfolio has when it is renewed.

    Returns
    -------
    tuple
        The row of the result, and the weights at the sale.
    """
    picked = frozenset(chosen)
    wanted = _among(block.symbols, picked | before.keys())
    buying = PriceFeatures(block.until(period.bought).select(wanted))
    symbols = buying.column("symbol")
    selected, owned = _among(symbols, picked), _among(symbols, before.keys())
    suspended = buying.column("suspended")
    at_limit = buying.limit_up(1)[-1] & ~suspended
    held = selected & (owned | ~(suspended | at_limit))
    levels = _levels(block, period, wanted)
    growth = (levels[1] / levels[0])[held]
    count = int(held.sum())
    old = np.array([before.get(symbol, 0.0) for symbol in symbols[held]])
    value = float(growth.mean()) if count else 1.0
    benchmark = _benchmark(block.benchmark, period)
    row = {
        "month_end": block.sessions[period.decided].item(),
        "bought": block.sessions[period.bought].item(),
        "sold": block.sessions[period.sold].item(),
        "selected": len(chosen),
        "limit_up": int((selected & at_limit & ~owned).sum()),
        "suspended": int((selected & suspended & ~owned).sum()),
        "unsold": int((owned & ~selected & suspended).sum()),
        "held": count,
        "return": value - 1.0,
        "benchmark": benchmark,
        "excess": value - 1.0 - benchmark,
        "turnover": float(np.maximum(1.0 / count - old, 0.0).sum()) if count else 0.0,
    }
    after = growth / growth.sum() if count else growth
    return row, dict(zip(symbols[held].tolist(), after.tolist(), strict=True))


def _among(symbols: np.ndarray, chosen: Collection[str]) -> np.ndarray:
    return np.array([symbol in chosen for symbol in symbols], dtype=bool)


def _levels(block: Prices, period: _Period, wanted: np.ndarray) -> np.ndarray:
    """Return the last total-return levels at purchase and sale, shape (2, names wanted)."""
    begin = max(period.bought + 1 - LOOKBACK, 0)
    part = block.fields["level"][begin : period.sold + 1, wanted]
    rows = np.maximum.accumulate(np.where(np.isfinite(part), np.arange(len(part))[:, None], 0), axis=0)
    at = rows[[period.bought - begin, period.sold - begin]]
    return np.asarray(np.take_along_axis(part, at, axis=0))


def _benchmark(closes: np.ndarray, period: _Period) -> float:
    """Return the benchmark's price return over the period; NaN where the store lacks it."""
    return float(closes[period.sold] / closes[period.bought] - 1.0)


def _warnings(reader: Reader, first: _Period) -> Iterator[str]:
    yield "decided at the month-end close, bought at the next session's close, equal weights, before costs"
    yield "names at the upper limit or suspended when they should be bought are left out; those already held stay"
    yield f"benchmark {BENCHMARK} is a price index, the names' returns include dividends"
    listed = reader.securities(reader.span[1])["shares_as_of"].dropna()
    start = reader.sessions[first.decided].item()
    if not listed.empty and listed.max().date() > start:
        yield f"names delisted before {listed.max():%Y-%m-%d} may be missing from the store: results lean to survivors"
