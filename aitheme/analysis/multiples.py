"""Forward PE of a basket, report, code or name on every session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aitheme.analysis.baskets import member_names, resolve_members
from aitheme.calendar import calendar_for
from aitheme.consensus import WINDOW_DAYS
from aitheme.errors import DateRangeError
from aitheme.multiples import REASONS, basket_multiples, consensus_path, eps_of_year, fiscal_years, pe_reasons
from aitheme.symbols import parse_symbol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pandas as pd

    from aitheme.panel import Provenance
    from aitheme.store import Market
    from aitheme.themes import Theme

__all__ = ["PEHistory", "pe_history", "rate_notes"]

_QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
_LOOKBACK_SESSIONS: Final = 250


@dataclass(frozen=True, slots=True)
class PEHistory:
    """Forward PE of some shares and of their basket on every session.

    Parameters
    ----------
    price, eps, pe
        Sessions x symbols: last close on or before the session and EPS known on it in the trading currency, and their
        quotient (NaN where there is none or EPS is not positive).
    years
        Fiscal year the EPS is of, same shape.
    reasons
        Why a PE is missing (:data:`aitheme.multiples.MissingPE`), same shape, empty text where it is not.
    basket
        By session: aggregate and median PE, n_members, n_eps, n_loss; see
        :func:`aitheme.multiples.basket_multiples`.
    coverage
        One row per symbol: symbol, name, sessions, with_eps, with_pe, first and last session with a PE, and the
        reason most of the missing ones have (empty when none is missing).
    provenance
        Snapshot and last date used.
    notes
        What the reader must know.
    """

    price: pd.DataFrame
    eps: pd.DataFrame
    pe: pd.DataFrame
    years: pd.DataFrame
    reasons: pd.DataFrame
    basket: pd.DataFrame
    coverage: pd.DataFrame
    provenance: Provenance
    notes: tuple[str, ...]

    def _repr_html_(self) -> str:
        from aitheme.display import Rows, card

        facts = [str(self.provenance), *self.notes]
        title = f"Forward PE of {len(self.price.columns)} shares over {len(self.price):,} sessions"
        return card(title, facts, [Rows(self.coverage, "coverage")], simulated=self.provenance.simulated)

    @property
    def missing(self) -> pd.DataFrame:
        """Members without a PE by session and reason."""
        import pandas as pd

        return pd.DataFrame({reason: (self.reasons == reason).sum(axis=1) for reason in REASONS})

    def bands(self, quantiles: Sequence[float] = _QUANTILES, *, of: str = "median") -> pd.Series[float]:
        """Return quantiles over the sessions of the basket's ``median`` or ``aggregate`` PE; NaN without any."""
        result: pd.Series[float] = self.basket[of].quantile(list(quantiles))
        return result


def pe_history(
    market: Market,
    theme: Theme,
    target: str,
    start: str | date,
    end: str | date,
    *,
    fiscal_year: int | None = None,
    window_days: int = WINDOW_DAYS,
    rates: Mapping[str, float] | None = None,
) -> PEHistory:
    """Return the forward PE of a basket, report, code or name on every session: its close over the EPS known on it.

    Parameters
    ----------
    market, theme
        Snapshot and registry.
    target
        Basket id, report id, code or name; Hong Kong and American members included.
    start, end
        First and last date.
    fiscal_year
        The same fiscal year throughout; by default FY1 then current, see
        :func:`aitheme.consensus.first_forecast_years`. FY1 moves on when a company reports: its PE steps then.
    window_days
        How long a broker's forecast counts.
    rates
        See :func:`aitheme.analysis.valuation`; one rate for all sessions, which the notes say.

    Raises
    ------
    DateRangeError
        Dates reversed or outside the data.
    AithemeError
        A rate cannot be read.
    """
    low, high = market.check_range(start, end)
    symbols = list(resolve_members(theme, target, market=market, overseas=True))
    calendar = calendar_for("XSHG")
    early = max(market.span[0], calendar.shift(calendar.on_or_before(low), -_LOOKBACK_SESSIONS))
    price = market.panel(symbols, min(early, low), high, as_of=high).close.ffill().loc[str(low) :]
    if price.empty:
        raise DateRangeError(f"from: {low} to {high} holds no session; widen the span")
    path = consensus_path(market.estimate_records(symbols, as_of=high), price.index, window_days)  # type: ignore[arg-type]
    years = fiscal_years(path, symbols, fiscal_year)
    currency = {symbol: parse_symbol(symbol).currency for symbol in symbols}
    eps, foreign = eps_of_year(path, years, currency, rates)
    reasons = pe_reasons(price, eps, foreign)
    shares, dated = _share_path(market, symbols, price, high)
    names = member_names(theme, market.securities(high), symbols)
    coverage = _coverage(reasons, eps, names)
    return PEHistory(
        price, eps, price / eps.where(eps > 0), years, reasons, basket_multiples(price, eps, shares), coverage,
        market.provenance(high), (*_coverage_notes(coverage), *rate_notes(rates), *dated),
    )  # fmt: skip


def _share_path(
    market: Market, symbols: list[str], price: pd.DataFrame, high: date
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return total shares in force on each session; where their history is not on record, those of the list throughout."""
    import pandas as pd

    listed = market.securities(high)["total_shares"].reindex(symbols)
    changes = market.share_counts(symbols, as_of=high)
    if changes.empty:
        shares = pd.DataFrame(np.nan, index=price.index, columns=price.columns)
    else:
        wide = changes.set_index(["effective", "symbol"])["total_shares"].unstack().sort_index()  # noqa: PD010 (no aggregation)
        days = pd.DatetimeIndex(wide.index)
        shares = (
            wide.set_axis(days)
            .reindex(days.union(pd.DatetimeIndex(price.index)))
            .ffill()
            .reindex(index=price.index, columns=price.columns)
        )
    undated = int(shares.isna().any().sum())
    note = (
        f"share counts of {undated} of {len(symbols)} names before their history are those of the store's security list"
    )
    return shares.fillna(listed), (note,) if undated else ()


def _coverage(reasons: pd.DataFrame, eps: pd.DataFrame, names: pd.Series[str]) -> pd.DataFrame:
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for symbol in reasons.columns:
        own = reasons[symbol]
        having, missing = own.index[own == ""], own[own != ""].value_counts()
        rows.append(
            {
                "symbol": symbol, "name": names.get(symbol, ""), "sessions": len(own),
                "with_eps": int(eps[symbol].notna().sum()), "with_pe": len(having),
                "first": having[0].date() if len(having) else None, "last": having[-1].date() if len(having) else None,
                "reason": str(missing.index[0]) if len(missing) else "",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _coverage_notes(coverage: pd.DataFrame) -> tuple[str, ...]:
    empty = coverage[coverage["with_pe"] == 0]
    partial = coverage[(coverage["with_pe"] > 0) & (coverage["with_pe"] < coverage["sessions"])]
    lines = [
        f"no PE on any session for {len(part)} of {len(coverage)} names: {reason}"
        for reason, part in empty.groupby("reason")
    ]
    if len(partial):
        lines.append(f"{len(partial)} names have a PE on part of the sessions only; coverage names their reasons")
    return tuple(lines)


def rate_notes(rates: Mapping[str, float] | None) -> tuple[str, ...]:
    """Return a sentence for each exchange rate used."""
    return tuple(
        f"EPS converted at {pair} {rate:g} throughout, as stated by the caller" for pair, rate in (rates or {}).items()
    )
