"""Members, returns and valuation of a basket, report, code or company name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aitheme.calendar import calendar_for, parse_date
from aitheme.consensus import first_forecast_years, in_trading_currency
from aitheme.errors import SymbolError, UnknownNameError
from aitheme.returns import PERCENT, BasketIndex, Performance, Rebalance, Weight, basket_index, performance
from aitheme.sources.base import RETURN_APPROXIMATE
from aitheme.symbols import parse_symbol
from aitheme.valuation import BasketPE, basket_pe
from aitheme.valuation import pe_table as priced_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    import pandas as pd

    from aitheme.panel import Panel, Provenance
    from aitheme.store import Market
    from aitheme.themes import Theme

__all__ = ["BasketReturns", "Valuation", "basket_returns", "pe_table", "resolve_members"]

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

    def _repr_html_(self) -> str:
        from aitheme.display import Rows, card

        done = self.performance
        facts = [*done.facts(), str(self.provenance)]
        return card(done.title, facts, [Rows(done.table(), formats=PERCENT)], simulated=self.provenance.simulated)


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
    notes
        What the reader must know: rates used, EPS left out for their currency and why.
    """

    table: pd.DataFrame
    basket: tuple[BasketPE, ...]
    provenance: Provenance
    notes: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        from dataclasses import asdict

        import pandas as pd

        from aitheme.display import Rows, card

        formats = {str(name): ".1f" if str(name).startswith("pe_") else ".2f" for name in self.table.columns[2:]
                   if str(name).startswith(("pe_", "eps_", "price")) and str(name) != "price_session"}  # fmt: skip
        whole = pd.DataFrame([asdict(row) for row in self.basket])
        tables = [
            Rows(self.table, formats=formats),
            Rows(whole, "basket PE", dict.fromkeys(("aggregate", "median"), ".1f")),
        ]
        facts = [str(self.provenance), *self.notes]
        return card("Forward valuation", facts, tables, simulated=self.provenance.simulated)


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


def pe_table(
    market: Market,
    theme: Theme,
    target: str,
    *,
    as_of: str | date,
    years: Iterable[int] | None = None,
    rates: Mapping[str, float] | None = None,
) -> Valuation:
    """Return price, EPS and forward PE of a basket, report or symbol as known on a date.

    Parameters
    ----------
    market, theme
        Snapshot and registry.
    target
        Basket id, report id, code or name.
    as_of
        Nothing published later is used; the price is the last close on or before it.
    years
        Fiscal years to show. By default those a report prints if `target` is one, else from the last one whose reports
        are all out to the third after it.
    rates
        Exchange rates for EPS in another currency than the price, ``{"CNYHKD": 1.084}`` for HKD per CNY. Without the rate
        such an EPS is left out and the notes say so.

    Raises
    ------
    DateRangeError
        `as_of` lies outside the data.
    AithemeError
        A rate cannot be read.
    """
    import pandas as pd

    moment, _ = market.check_range(as_of, as_of)
    symbols = resolve_members(theme, target, market=market, overseas=True)
    prices, last_traded = last_prices(market, symbols, moment)
    held = market.securities(moment)
    names = member_names(theme, held, symbols)
    currency = {symbol: parse_symbol(symbol).currency for symbol in symbols}
    stated = market.consensus(symbols, as_of=moment)
    wanted = frozenset(years) if years is not None else _shown_years(theme, target, moment)
    estimates, refused = in_trading_currency(stated[stated["fiscal_year"].isin(wanted)], currency, rates)
    table = priced_table(prices, estimates, names, pd.Series(currency))
    table.insert(3, "price_session", [None if pd.isna(stamp) else stamp.date() for stamp in last_traded])
    table.insert(4, "currency", [currency[symbol] for symbol in symbols])
    table["rating"] = [_rating(theme, symbol, moment) for symbol in symbols]
    shares = held["total_shares"].reindex(list(symbols))
    notes = tuple(f"{symbol}: {reason}" for symbol, reason in refused.items())
    foreign = stated["currency"].ne(stated["symbol"].map(currency)) & ~stated["symbol"].isin(refused)
    if rates and foreign.any():
        used = ", ".join(f"{pair} {rate:g}" for pair, rate in rates.items())
        notes = (
            f"EPS of {stated.loc[foreign, 'symbol'].nunique()} names converted at {used}, as stated by the caller",
            *notes,
        )
    return Valuation(table, basket_pe(prices, estimates, shares), market.provenance(moment), notes)


def last_prices(market: Market, symbols: Sequence[str], moment: date) -> tuple[pd.Series[float], list[Any]]:
    """Return the last close on or before a date by symbol, and its session (None where there is none)."""
    calendar = calendar_for("XSHG")
    early = max(market.span[0], calendar.shift(calendar.on_or_before(moment), -_LOOKBACK_SESSIONS))
    close = market.panel(symbols, min(early, moment), as_of=moment).close
    return close.ffill().iloc[-1], [close[symbol].last_valid_index() for symbol in symbols]


def member_names(theme: Theme, held: pd.DataFrame, symbols: Sequence[str]) -> pd.Series[str]:
    """Return names by symbol: the theme's, else those of the security list."""
    import pandas as pd

    known = {symbol: theme.security[symbol].name_zh for symbol in symbols if symbol in theme.security}
    return pd.Series(known, dtype=object).combine_first(held["name"].reindex(list(symbols)).dropna())


def _shown_years(theme: Theme, target: str, moment: date) -> frozenset[int]:
    import numpy as np

    printed = frozenset(row.fiscal_year for row in theme.estimates if row.report == target)
    first = int(first_forecast_years(np.array(moment, dtype="datetime64[D]"), np.array(1)))
    return printed or frozenset(range(first - 1, first + 3))


def _rating(theme: Theme, symbol: str, as_of: date) -> str:
    """Return the latest printed rating known on a date; a slash where a report covers without rating."""
    rows = [row for row in theme.estimates if row.symbol == symbol and row.as_of <= parse_date(as_of)]
    if not rows:
        return ""
    return max(rows, key=lambda row: row.as_of).rating or "/"
