"""Members, returns and valuation of a basket, report, code or company name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aitheme.calendar import calendar_for, parse_date
from aitheme.errors import SymbolError, UnknownNameError
from aitheme.returns import BasketIndex, Performance, Rebalance, Weight, basket_index, performance
from aitheme.sources.base import RETURN_APPROXIMATE
from aitheme.symbols import parse_symbol
from aitheme.valuation import BasketPE, basket_pe, pe_table

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from aitheme.panel import Panel, Provenance
    from aitheme.store import Market
    from aitheme.themes import Theme

__all__ = ["BasketReturns", "Valuation", "basket_returns", "resolve_members", "valuation"]

# How far back a member suspended at the base session may have traded last.
_LOOKBACK_SESSIONS = 250


@dataclass(frozen=True, slots=True)
class BasketReturns:
    """A basket's index with its benchmark and summary.

    Parameters
    ----------
    performance
        The summary.
    index
        The basket index, 1.0 at the base session.
    members
        Total-return level of each used member from the base session, 1.0 there.
    benchmark
        Benchmark closes over the same sessions, or None.
    provenance
        Snapshot and as-of date.
    """

    performance: Performance
    index: BasketIndex
    members: pd.DataFrame
    benchmark: pd.Series[float] | None
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Valuation:
    """Forward valuation of some symbols.

    Parameters
    ----------
    table
        One row per symbol: symbol, name, price, price_session, currency, ``eps_2024E`` …, ``pe_2024E`` … , rating.
    basket
        Basket PE per fiscal year.
    provenance
        Snapshot and as-of date.
    """

    table: pd.DataFrame
    basket: tuple[BasketPE, ...]
    provenance: Provenance


def resolve_members(
    theme: Theme, target: str, *, market: Market | None = None, overseas: bool = False
) -> tuple[str, ...]:
    """Return the symbols a basket id, report id, code or company name stands for.

    Parameters
    ----------
    theme
        Registry to look in.
    market
        Also look among the names of this snapshot's securities.
    target
        ``mszq-20240328/text-corpus``, ``mszq-20240328`` (its valuation table, else its recommended names), ``300364``
        or ``中文在线``.
    overseas
        Include Hong Kong and American members of a basket.

    Raises
    ------
    UnknownNameError, SymbolError
        Nothing has that name.
    """
    if target in theme.baskets or "/" in target:
        return theme.symbols(target, overseas=overseas)
    if target in theme.reports:
        printed = tuple(dict.fromkeys(row.symbol for row in theme.estimates if row.report == target))
        if printed:
            return printed
        return theme.symbols(f"{target}/recommended", overseas=overseas)
    if market is not None and not target.isascii() and target not in theme.directory:
        return (market.directory.resolve(target),)
    try:
        return (theme.directory.resolve(target),)
    except SymbolError as error:
        if not target.isascii():
            raise
        known = [*theme.baskets, *theme.reports]
        raise UnknownNameError.build("target", target, known, f"or a code: {error}") from error


def _levels_from(panel: Panel, base: date) -> pd.DataFrame:
    """Return levels from the base session on, the first row carrying each member's last level before it."""
    levels = panel.level.loc[str(base) :].copy()
    levels.iloc[0] = panel.level.loc[: str(base)].ffill().iloc[-1]
    return levels


def basket_returns(
    market: Market,
    theme: Theme,
    basket: str,
    start: str | date,
    end: str | date,
    *,
    benchmark: str | None = None,
    weight: Weight = "equal",
    rebalance: Rebalance = "none",
    overseas: bool = False,
) -> BasketReturns:
    """Return what a basket did between two closes.

    Parameters
    ----------
    market, theme
        Snapshot and registry.
    basket
        Basket id, report id, code or name.
    start, end
        The closes compared are the last on or before these dates.
    benchmark
        Index symbol; the theme's by default.
    weight, rebalance
        See :func:`aitheme.returns.basket_index`. Market values for ``cap`` use the share counts held, which may be dated
        later than the base.
    overseas
        Include Hong Kong and American members, in their own currency, on mainland sessions.

    Raises
    ------
    DateRangeError
        Dates reversed or outside the data, or no member has a price.
    """
    symbols = resolve_members(theme, basket, market=market, overseas=overseas)
    low, high = market.check_range(start, end)
    calendar = calendar_for("XSHG")
    base, last = calendar.on_or_before(low), calendar.on_or_before(high)
    early = max(market.span[0], calendar.shift(base, -_LOOKBACK_SESSIONS))
    panel = market.panel(symbols, min(early, base), last)
    levels = _levels_from(panel, base)
    approximate = panel.quality.ge(0) & (panel.quality.astype(int) & RETURN_APPROXIMATE).gt(0)
    index = basket_index(
        levels,
        weight=weight,
        rebalance=rebalance,
        caps=_market_values(market, panel, base) if weight == "cap" else None,
        approximate=tuple(approximate.columns[approximate.any()]),
    )
    chosen = benchmark or theme.benchmark
    closes = market.index_closes([chosen], early, last)[chosen].ffill().loc[str(base) :]
    summary = performance(basket, index, closes, weight=weight, rebalance=rebalance)
    members = levels[list(index.used)].ffill() / levels[list(index.used)].bfill().iloc[0]
    return BasketReturns(summary, index, members, closes, market.provenance(last))


def _market_values(market: Market, panel: Panel, base: date) -> pd.Series[float]:
    closes = panel.close.loc[: str(base)].ffill().iloc[-1]
    shares = market.securities()["total_shares"].reindex(closes.index)
    return closes * shares


def valuation(market: Market, theme: Theme, target: str, *, as_of: str | date) -> Valuation:
    """Return price, EPS and forward PE of a basket, report or symbol as known on a date.

    Parameters
    ----------
    market, theme
        Snapshot and registry.
    target
        Basket id, report id, code or name.
    as_of
        Nothing published later is used; the price is the last close on or before it.

    Raises
    ------
    DateRangeError
        `as_of` lies outside the data.
    AithemeError
        An EPS is in another currency than its price.
    """
    import pandas as pd

    moment, _ = market.check_range(as_of, as_of)
    symbols = resolve_members(theme, target, market=market, overseas=True)
    calendar = calendar_for("XSHG")
    early = max(market.span[0], calendar.shift(calendar.on_or_before(moment), -_LOOKBACK_SESSIONS))
    panel = market.panel(symbols, min(early, moment), as_of=moment)
    prices = panel.close.ffill().iloc[-1]
    names = pd.Series({symbol: theme.security[symbol].name_zh for symbol in symbols if symbol in theme.security})
    held = market.securities()
    names = names.combine_first(held["name"].reindex(list(symbols)).dropna())
    currency = pd.Series({symbol: parse_symbol(symbol).currency for symbol in symbols})
    estimates = market.consensus(symbols, as_of=moment)
    table = pe_table(prices, estimates, names, currency)
    last_traded = panel.close.apply(lambda column: column.last_valid_index())
    table.insert(3, "price_session", [None if pd.isna(stamp) else stamp.date() for stamp in last_traded[list(symbols)]])
    table.insert(4, "currency", list(currency[list(symbols)]))
    table["rating"] = [_rating(theme, symbol, moment) for symbol in symbols]
    shares = held["total_shares"].reindex(list(symbols))
    return Valuation(table, basket_pe(prices, estimates, shares), market.provenance(moment))


def _rating(theme: Theme, symbol: str, as_of: date) -> str:
    """Return the latest printed rating known on a date; a slash where a report covers without rating."""
    rows = [row for row in theme.estimates if row.symbol == symbol and row.as_of <= parse_date(as_of)]
    if not rows:
        return ""
    return max(rows, key=lambda row: row.as_of).rating or "/"
