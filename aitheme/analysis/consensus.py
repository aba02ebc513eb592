"""Forward PE then against now, and what the consensus did since: for a basket, report, code or name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aitheme.analysis.baskets import last_prices, member_names, resolve_members
from aitheme.analysis.multiples import rate_notes
from aitheme.consensus import first_forecast_years, in_trading_currency
from aitheme.symbols import parse_symbol
from aitheme.valuation import BasketPE, basket_pe, forward_pe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pandas as pd

    from aitheme.multiples import MissingPE
    from aitheme.panel import Provenance
    from aitheme.store import Market
    from aitheme.themes import Theme

__all__ = ["ConsensusRevision", "PEChange", "consensus_revision", "pe_change"]


@dataclass(frozen=True, slots=True)
class PEChange:
    """Forward PE on two dates, each as known then.

    Parameters
    ----------
    table
        One row per symbol: symbol, name, fiscal_year, price_then, price_now, eps_then, eps_now, pe_then, pe_now,
        price_change and eps_change (ratios; of EPS over its size then), reason (why a PE is missing, now before then).
    then, now
        The basket's PE on each date.
    fiscal_year
        The year both are about.
    provenance
        Snapshot and later date.
    notes
        What the reader must know.
    """

    table: pd.DataFrame
    then: BasketPE
    now: BasketPE
    fiscal_year: int
    provenance: Provenance
    notes: tuple[str, ...]

    def _repr_html_(self) -> str:
        from aitheme.display import Rows, card

        formats = {"price_change": ".1%", "eps_change": ".1%", "pe_then": ".1f", "pe_now": ".1f"}
        rows = Rows(self.table, formats=formats)
        facts = [str(self.provenance), *self.notes]
        return card(
            f"Forward PE of {self.fiscal_year}, then and now", facts, [rows], simulated=self.provenance.simulated
        )


def pe_change(
    market: Market,
    theme: Theme,
    target: str,
    since: str | date,
    as_of: str | date,
    *,
    fiscal_year: int | None = None,
    rates: Mapping[str, float] | None = None,
) -> PEChange:
    """Compare a basket's forward PE with a past date's, for one fiscal year.

    Parameters
    ----------
    market, theme, target, rates
        As in :func:`pe_history`.
    since, as_of
        The two dates.
    fiscal_year
        By default FY1 of `as_of` by the calendar: the first year whose reports are not all out.

    Raises
    ------
    DateRangeError
        Dates reversed or outside the data.
    """
    low, high = market.check_range(since, as_of)
    symbols = resolve_members(theme, target, market=market, overseas=True)
    year = fiscal_year or _calendar_year(high)
    sides = [_side(market, symbols, moment, year, rates) for moment in (low, high)]
    names = member_names(theme, market.securities(high), symbols)
    (price_then, eps_then, refused_then, then), (price_now, eps_now, refused_now, now) = sides
    rows = []
    for symbol in symbols:
        p0, p1, e0, e1 = price_then[symbol], price_now[symbol], eps_then.get(symbol), eps_now.get(symbol)
        reason = _reason(p1, e1, symbol in refused_now) or _reason(p0, e0, symbol in refused_then)
        rows.append(
            {
                "symbol": symbol, "name": names.get(symbol, ""), "fiscal_year": year, "price_then": p0, "price_now": p1,
                "eps_then": e0, "eps_now": e1, "pe_then": forward_pe(p0, e0), "pe_now": forward_pe(p1, e1),
                "price_change": p1 / p0 - 1.0, "eps_change": _relative(e0, e1), "reason": reason,
            }
        )  # fmt: skip
    notes = (*rate_notes(rates), *(f"{symbol}: {why}" for symbol, why in {**refused_then, **refused_now}.items()))
    return PEChange(_numbers(rows), then, now, year, market.provenance(high), notes)


def _side(
    market: Market, symbols: Sequence[str], moment: date, year: int, rates: Mapping[str, float] | None
) -> tuple[pd.Series[float], dict[str, float], dict[str, str], BasketPE]:
    currency = {symbol: parse_symbol(symbol).currency for symbol in symbols}
    stated = market.consensus(symbols, as_of=moment)
    estimates, refused = in_trading_currency(stated[stated["fiscal_year"] == year], currency, rates)
    prices, _ = last_prices(market, symbols, moment)
    shares = market.securities(moment)["total_shares"].reindex(list(symbols))
    found = basket_pe(prices, estimates, shares)
    empty = BasketPE(year, "", None, None, len(symbols), 0, 0)
    eps = dict(zip(estimates["symbol"], estimates["eps"].astype(float), strict=True))
    return prices, eps, refused, found[0] if found else empty


def _reason(price: float, eps: float | None, foreign: bool) -> MissingPE:
    if not np.isfinite(price):
        return "no price"
    if foreign:
        return "other currency"
    if eps is None:
        return "no estimate"
    return "EPS not positive" if eps <= 0 else ""


def _relative(then: float | None, now: float | None) -> float | None:
    return None if then is None or now is None or then == 0 else (now - then) / abs(then)


def _numbers(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(rows)
    texts = {"symbol", "name", "fiscal_year", "source_then", "source_now", "reason"}
    return frame.astype({name: "float64" for name in frame.columns if name not in texts})


def _calendar_year(moment: date) -> int:
    return int(first_forecast_years(np.array(moment, dtype="datetime64[D]"), np.array(1)))


@dataclass(frozen=True, slots=True)
class ConsensusRevision:
    """What the consensus of one fiscal year did between two dates.

    Parameters
    ----------
    table
        One row per symbol: symbol, name, fiscal_year, eps_then, eps_now (in the currency of the estimates), revision
        (ratio, over its size then), source_then, source_now, analysts_then, analysts_now, reason (``no estimate`` or
        ``other currency`` where there is no revision, else empty).
    fiscal_year
        The year.
    provenance
        Snapshot and later date.
    """

    table: pd.DataFrame
    fiscal_year: int
    provenance: Provenance

    @property
    def mean(self) -> float:
        """Mean revision (ratio), NaN without any."""
        return float(self.table["revision"].mean())

    @property
    def median(self) -> float:
        """Median revision (ratio), NaN without any."""
        return float(self.table["revision"].median())

    @property
    def n_up(self) -> int:
        """Names revised up."""
        return int((self.table["revision"] > 0).sum())

    @property
    def n_down(self) -> int:
        """Names revised down."""
        return int((self.table["revision"] < 0).sum())

    @property
    def n_same(self) -> int:
        """Names with the same EPS."""
        return int((self.table["revision"] == 0).sum())

    def _repr_html_(self) -> str:
        from aitheme.display import Rows, card

        facts = [f"{self.n_up} up, {self.n_down} down, {self.n_same} unchanged", str(self.provenance)]
        rows = Rows(self.table, formats={"revision": ".1%"})
        return card(f"EPS revisions of {self.fiscal_year}", facts, [rows], simulated=self.provenance.simulated)

    @property
    def n_missing(self) -> int:
        """Names without a revision."""
        return int(self.table["revision"].isna().sum())


def consensus_revision(
    market: Market,
    theme: Theme,
    target: str,
    since: str | date,
    as_of: str | date,
    *,
    fiscal_year: int | None = None,
) -> ConsensusRevision:
    """Return how the expected EPS of a basket's members changed between two dates, each as known then.

    Both sides follow the precedence of :mod:`aitheme.consensus`, so their sources may differ: the table names them. An
    actual that came out in between counts as the EPS now.

    Parameters
    ----------
    market, theme, target
        As in :func:`pe_history`.
    since, as_of
        The two dates.
    fiscal_year
        By default FY1 of `since` by the calendar: the year that was expected then.

    Raises
    ------
    DateRangeError
        Dates reversed or outside the data.
    """
    low, high = market.check_range(since, as_of)
    symbols = resolve_members(theme, target, market=market, overseas=True)
    year = fiscal_year or _calendar_year(low)
    then, now = (
        frame[frame["fiscal_year"] == year].set_index("symbol").to_dict("index")
        for frame in (market.consensus(symbols, as_of=moment) for moment in (low, high))
    )
    names = member_names(theme, market.securities(high), symbols)
    rows = [_revised(symbol, names.get(symbol, ""), year, then.get(symbol), now.get(symbol)) for symbol in symbols]
    return ConsensusRevision(_numbers(rows), year, market.provenance(high))


def _revised(
    symbol: str, name: str, year: int, then: dict[Any, Any] | None, now: dict[Any, Any] | None
) -> dict[str, Any]:
    before, after = then or {}, now or {}
    reason: MissingPE = "no estimate" if not (then and now) else ""
    if then and now and then["currency"] != now["currency"]:
        reason = "other currency"
    return {
        "symbol": symbol, "name": name, "fiscal_year": year, "eps_then": before.get("eps"), "eps_now": after.get("eps"),
        "revision": None if reason else _relative(before["eps"], after["eps"]),
        "source_then": before.get("source"), "source_now": after.get("source"),
        "analysts_then": before.get("analysts"), "analysts_now": after.get("analysts"), "reason": reason,
    }  # fmt: skip
