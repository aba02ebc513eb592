"""The ``demo`` source: a deterministic simulated market, so that everything runs without a vendor.

Sessions, codes, names of theme securities and the printed estimates are real; every price, index, factor, broker forecast,
annual report and capital expenditure is simulated. Real is also how the market works: limits, suspensions, ex-dates and
new listings. The effects of the theme's releases are of known size (:meth:`DemoSource.truth`), so that a study can be
checked against them.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aitheme.calendar import calendar_for
from aitheme.errors import AithemeError, DateRangeError
from aitheme.sources import demo_universe as universe
from aitheme.sources.archive import printed_consensus
from aitheme.sources.base import DATASETS, Batch, FetchRequest, to_table
from aitheme.sources.demo_estimates import broker_forecasts, estimate_paths, reported_eps
from aitheme.sources.demo_market import CASH, Market, index_bars, market_factors, simulate
from aitheme.sources.simulation import STYLES, stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aitheme.sources.demo_universe import Days, Profile, Shock
    from aitheme.sources.simulation import Floats, Ints
    from aitheme.themes import Theme

__all__ = ["DemoSource"]

_VERSION = 2
_MOST_BACKGROUND = 1000
_LEAST_SESSIONS = 20
_WATERMARK = "SIMULATED 模拟数据: no price, index, factor, forecast, report or capital expenditure in this data is real"
_DATED = {
    "bars": "session", "index_bars": "session", "factors": "session", "capex": "quarter_end", "consensus": "published",
    "broker_forecasts": "published", "reported_eps": "published",
}  # fmt: skip
_BY_SYMBOL = frozenset({"securities", "bars", "broker_forecasts", "reported_eps"})
_CAPEX = {"AMZN.US": 14.0e9, "GOOGL.US": 6.5e9, "META.US": 5.0e9, "MSFT.US": 5.5e9}
"""Simulated quarterly capital expenditure starts near these levels, in USD."""


class DemoSource:
    """A simulated market around a theme.

    Parameters
    ----------
    theme
        Its listed securities trade, its dated releases move prices, its printed closes and EPS are met exactly.
    seed
        Names every random stream, not negative; the same seed gives the same market.
    start, end
        Span, both included.
    background
        Number of stocks outside the theme.
    events
        False leaves the effects of releases out and everything else as it is: the counterfactual market.

    Raises
    ------
    AithemeError
        `background` is negative or beyond the invented code ranges, or `seed` is negative.
    DateRangeError
        The span holds too few sessions to simulate.
    """

    name = "demo"
    simulated = True

    def __init__(
        self,
        theme: Theme,
        *,
        seed: int = 20240328,
        start: date = date(2021, 1, 4),
        end: date = date(2024, 5, 22),
        background: int = 300,
        events: bool = True,
    ) -> None:
        if not 0 <= background <= _MOST_BACKGROUND:
            raise AithemeError(f"background: {background} stocks; choose 0 to {_MOST_BACKGROUND}")
        if seed < 0:
            raise AithemeError(f"seed: {seed} is negative; choose 0 or more")
        if calendar_for(universe.MAINLAND).count(start, end) < _LEAST_SESSIONS:
            raise DateRangeError(f"start: {start} to {end} has fewer than {_LEAST_SESSIONS} sessions; widen the span")
        self.theme, self.seed, self.background, self.events = theme, seed, background, events
        self.start, self.end = start, end

    def fingerprint(self) -> str:
        """Return a digest of the settings and of what the theme contributes; nothing is simulated for it."""
        parts = (
            _VERSION, self.seed, self.start, self.end, self.background, self.events,
            [(row.id, row.published, row.sector_zh) for row in self.theme.reports.values()],
            [(row.symbol, row.name_zh, row.description_zh) for row in self.theme.securities],
            [(row.symbol, row.basket) for row in self.theme.members],
            [(row.id, row.kind, row.model, row.day0) for row in self.theme.dated_releases()],
            [(row.symbol, row.model) for row in self.theme.links],
            [(row.report, row.symbol, row.as_of, row.price, row.fiscal_year, row.eps) for row in self.theme.estimates],
        )  # fmt: skip
        return hashlib.sha256(json.dumps(parts, default=str, ensure_ascii=False).encode()).hexdigest()

    def batches(self, request: FetchRequest) -> Iterator[Batch]:
        """Yield every dataset, sorted by key.

        Securities, bars and estimates are cut to the symbols asked for; bars, index bars and factors to the dates.
        Estimates and capital expenditure, which a chart of any date needs, are cut at the end only. The values are the
        same whatever is asked for.
        """
        for dataset, table in self._tables.items():
            yield Batch(dataset, _cut(dataset, table, request), notes=(_WATERMARK,), origin=self._origin)
        consensus = printed_consensus(self.theme, request)
        span = FetchRequest(until=min(self.end, request.until or self.end))
        table = consensus.table.sort_by([(name, "ascending") for name in DATASETS["consensus"].key])
        notes = (*consensus.notes, "printed in the theme's reports: the only values of this source that are real")
        yield Batch("consensus", _cut("consensus", table, span), notes=notes, origin=consensus.origin)

    def truth(self) -> pd.DataFrame:
        """Return the abnormal returns injected for releases, before limits delay any of them.

        Returns
        -------
        pandas.DataFrame
            ``release``, ``symbol``, ``session`` and ``effect`` (ratio added to the day's return), sorted.
        """
        columns = ["release", "symbol", "session", "effect"]
        rows = [(shock.release, shock.symbol, shock.session, shock.effect) for shock in self._shocks]
        frame = pd.DataFrame(rows, columns=columns).astype({"session": "datetime64[ns]", "effect": "float64"})
        return frame.sort_values(columns[:3], ignore_index=True)

    @property
    def _origin(self) -> str:
        return f"demo simulation, seed {self.seed}"

    def _days(self, exchange: str) -> Days:
        return calendar_for(exchange).sessions(self.start, self.end).to_numpy().astype("datetime64[D]")

    @cached_property
    def _profiles(self) -> list[Profile]:
        days = self._days(universe.MAINLAND)
        rows = [
            *universe.theme_profiles(self.theme, self.seed, days),
            *universe.background_profiles(self.background, self.seed, days),
        ]
        return sorted(rows, key=lambda row: row.symbol)

    @cached_property
    def _shocks(self) -> list[Shock]:
        days = self._days(universe.MAINLAND)
        return list(universe.event_shocks(self.theme, self._profiles, days)) if self.events else []

    @cached_property
    def _markets(self) -> dict[str, Market]:
        """Exchanges by name, the mainland first because the others share its moves."""
        home_days = self._days(universe.MAINLAND)
        home = market_factors(self.seed, universe.MAINLAND, home_days)
        result = {}
        for exchange in (universe.MAINLAND, "XHKG", "XNYS"):
            days = self._days(exchange)
            foreign = exchange != universe.MAINLAND
            factors = market_factors(self.seed, exchange, days, (home_days, home)) if foreign else home
            profiles = [row for row in self._profiles if row.exchange == exchange]
            result[exchange] = simulate(self.seed, days, profiles, factors, () if foreign else self._shocks)
        return result

    @cached_property
    def _tables(self) -> dict[str, pa.Table]:
        markets = self._markets
        paths = estimate_paths(self.theme, self.seed, markets.values(), self.start, self.end)
        return {
            "securities": _securities(markets.values(), self.end),
            "bars": _bars(markets.values()),
            "indices": _indices(),
            "index_bars": _index_bars(self.seed, markets),
            "factors": _factors(markets[universe.MAINLAND]),
            "capex": _capex(self.seed, self.start, self.end),
            "broker_forecasts": broker_forecasts(paths, self.seed, self.start, self.end),
            "reported_eps": reported_eps(paths, self.seed, self.end),
        }


def _cut(dataset: str, table: pa.Table, request: FetchRequest) -> pa.Table:
    """Return the rows a request asks for."""
    if dataset in _BY_SYMBOL and request.symbols is not None:
        wanted = pa.array(sorted(request.symbols), type=pa.string())
        table = table.filter(pc.is_in(table["symbol"], value_set=wanted))
    column = _DATED.get(dataset)
    if column is not None and request.until is not None:
        table = table.filter(pc.less_equal(table[column], request.until))
    # Capital expenditure, reports and estimates keep their past, since later charts need it.
    if column == "session" and request.since is not None:
        table = table.filter(pc.greater_equal(table[column], request.since))
    return table


def _securities(markets: Iterable[Market], end: date) -> pa.Table:
    rows = [
        (row, total, floating)
        for market in markets
        for row, total, floating in zip(market.profiles, market.total_shares, market.float_shares, strict=True)
    ]
    rows.sort(key=lambda item: item[0].symbol)
    profiles = [row for row, _, _ in rows]
    names = ("symbol", "name", "currency", "board", "industry", "listed", "delisted", "st")
    columns: dict[str, Iterable[object]] = {name: [getattr(row, name) for row in profiles] for name in names}
    columns |= {"total_shares": [total for _, total, _ in rows], "float_shares": [floating for _, _, floating in rows]}
    return to_table("securities", {**columns, "shares_as_of": [end] * len(rows)})


def _bars(markets: Iterable[Market]) -> pa.Table:
    """Stack the exchanges' bars; a session without trading has none."""
    table = pa.concat_tables([_market_bars(market) for market in markets])
    return table.sort_by([("symbol", "ascending"), ("session", "ascending")])


def _market_bars(market: Market) -> pa.Table:
    keep = market.actions.trades.T
    settled, candles = market.settled, market.candles

    def column(values: Floats | Ints, scale: float = 1.0) -> Floats:
        return values.T[keep] / scale

    close, volume = column(settled.close, 100), column(market.volume)
    # The average price lies between low and high, as an exchange's does.
    average = (column(candles.open, 100) + column(candles.high, 100) + column(candles.low, 100) + 2 * close) / 5
    counts = keep.sum(axis=1)
    symbols = np.repeat(np.array([row.symbol for row in market.profiles], dtype=object), counts)
    return to_table(
        "bars",
        {
            "symbol": symbols,
            "session": np.broadcast_to(market.days, keep.shape)[keep],
            "open": column(candles.open, 100),
            "high": column(candles.high, 100),
            "low": column(candles.low, 100),
            "close": close,
            "volume": volume,
            "amount": np.round(average * volume, 2),
            "turnover": column(market.turnover),
            "adj_factor": column(market.adj_factor),
            "quality": np.zeros(len(close), dtype=np.int8),
        },
    )


def _indices() -> pa.Table:
    rows = sorted(universe.INDICES, key=lambda row: row.symbol)
    return to_table("indices", {name: [getattr(row, name) for row in rows] for name in DATASETS["indices"].columns})


def _index_bars(seed: int, markets: Mapping[str, Market]) -> pa.Table:
    tables = []
    for spec in sorted(universe.INDICES, key=lambda row: row.symbol):
        market = markets[spec.exchange]
        bars = index_bars(seed, spec, market.factors)
        columns = {
            name: getattr(bars, name) for name in DATASETS["index_bars"].columns if name not in {"symbol", "session"}
        }
        tables.append(
            to_table("index_bars", {"symbol": [spec.symbol] * len(market.days), "session": market.days, **columns})
        )
    return pa.concat_tables(tables)


def _factors(market: Market) -> pa.Table:
    count = len(market.days)
    series = {**dict(zip(STYLES, market.factors.styles.T, strict=True)), "rf": np.full(count, CASH)}
    names = sorted(series)
    return to_table(
        "factors",
        {
            "factor": np.repeat(np.array(names, dtype=object), count),
            "session": np.tile(market.days, len(names)),
            "value": np.concatenate([series[name] for name in names]),
        },
    )


def _capex(seed: int, start: date, end: date) -> pa.Table:
    """Simulate capital expenditure for the calendar quarters that end inside the span."""
    quarters = pd.date_range(start, end, freq="QE").date
    growth = np.arange(len(quarters)) * 0.03
    values = [
        base * np.exp(growth + 0.05 * stream(seed, symbol, "capex").standard_normal(len(quarters)))
        for symbol, base in _CAPEX.items()
    ]
    return to_table(
        "capex",
        {
            "symbol": np.repeat(np.array(list(_CAPEX), dtype=object), len(quarters)),
            "quarter_end": np.tile(quarters, len(_CAPEX)),
            "capex": np.round(np.concatenate(values), -6),
            "currency": ["USD"] * (len(_CAPEX) * len(quarters)),
        },
    )
