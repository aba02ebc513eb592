"""Forward PE as the reports print it: price over EPS, rounded half up, a slash where earnings are not positive."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import numpy as np

from aitheme.errors import AithemeError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BasketPE", "basket_pe", "format_pe", "forward_pe", "pe_table"]

NOT_MEANINGFUL = "/"


def forward_pe(price: float | None, eps: float | None) -> float | None:
    """Return price / EPS, or None where either is missing or EPS is not positive."""
    if price is None or eps is None or not np.isfinite(price) or not np.isfinite(eps) or eps <= 0:
        return None
    pe = price / eps
    # A vanishing EPS gives no multiple either.
    return pe if np.isfinite(pe) else None


def format_pe(pe: float | None) -> str:
    """Return a PE as printed in a valuation table: rounded half up to an integer, ``/`` when not meaningful."""
    if pe is None or not np.isfinite(pe):
        return NOT_MEANINGFUL
    # repr gives the shortest decimal of the quotient, so 112.5 is a tie and not 112.49999.
    return str(Decimal(repr(round(pe, 9))).quantize(Decimal(1), rounding=ROUND_HALF_UP))


@dataclass(frozen=True, slots=True)
class BasketPE:
    """A basket's forward PE for one fiscal year.

    Parameters
    ----------
    fiscal_year, kind
        Year and ``A`` or ``E`` (``A/E`` where members differ).
    aggregate
        Total value / total earnings with losses in, by market value (needs share counts); None when total earnings
        are not positive or shares are missing.
    median
        Median of the meaningful PEs; None without any.
    n_members, n_eps, n_loss
        Members asked for, members with an EPS and a price, and members with EPS at or below zero.
    """

    fiscal_year: int
    kind: str
    aggregate: float | None
    median: float | None
    n_members: int
    n_eps: int
    n_loss: int


def _check_currency(estimates: pd.DataFrame, currency: pd.Series[str]) -> None:
    for symbol, stated in zip(estimates["symbol"], estimates["currency"], strict=True):
        held = currency.get(symbol)
        if held is not None and stated is not None and stated != held:
            raise AithemeError(
                f"consensus: EPS of {symbol} is in {stated} but its price in {held}; convert one of them first"
            )


def pe_table(
    prices: pd.Series[float], estimates: pd.DataFrame, names: pd.Series[str], currency: pd.Series[str]
) -> pd.DataFrame:
    """Return price, EPS and PE per fiscal year.

    Parameters
    ----------
    prices
        Price by symbol in trading currency, in the order wanted.
    estimates
        Columns symbol, fiscal_year, kind, eps, currency.
    names
        Name by symbol.
    currency
        Trading currency by symbol.

    Returns
    -------
    pandas.DataFrame
        Columns symbol, name, price, then ``eps_2024E`` … and ``pe_2024E`` … (unrounded, NaN where not meaningful);
        one row per symbol.

    Raises
    ------
    AithemeError
        An EPS is in another currency than its price.
    """
    import pandas as pd

    _check_currency(estimates, currency)
    table = pd.DataFrame(
        {"symbol": prices.index, "name": [names.get(s, "") for s in prices.index], "price": prices.to_numpy()}
    )
    by_key = dict(zip(zip(estimates["symbol"], estimates["fiscal_year"], strict=True), estimates["eps"], strict=True))
    years = sorted(set(estimates["fiscal_year"]))
    labels = {
        year: f"{year}{'A' if set(estimates[estimates['fiscal_year'] == year]['kind']) == {'A'} else 'E'}"
        for year in years
    }
    for year in years:
        table[f"eps_{labels[year]}"] = [float(by_key.get((symbol, year), np.nan)) for symbol in prices.index]
    for year in years:
        eps = table[f"eps_{labels[year]}"]
        quotients = [forward_pe(price, value) for price, value in zip(table["price"], eps, strict=True)]
        table[f"pe_{labels[year]}"] = pd.Series(quotients, dtype="float64")
    return table


def basket_pe(
    prices: pd.Series[float], estimates: pd.DataFrame, shares: pd.Series[float] | None = None
) -> tuple[BasketPE, ...]:
    """Return a basket's PE per fiscal year, aggregate and median.

    Parameters
    ----------
    prices
        Price by symbol.
    estimates
        Columns symbol, fiscal_year, kind, eps (same currency as the prices).
    shares
        Total shares by symbol; without them there is no aggregate.
    """
    result = []
    for year in sorted(set(estimates["fiscal_year"])):
        rows = estimates[estimates["fiscal_year"] == year]
        eps = rows.set_index("symbol")["eps"].astype(float)
        known = [symbol for symbol in prices.index if symbol in eps.index and np.isfinite(prices[symbol])]
        quotients = [pe for symbol in known if (pe := forward_pe(prices[symbol], eps[symbol])) is not None]
        kinds = sorted(set(rows["kind"]))
        result.append(
            BasketPE(
                fiscal_year=int(year),
                kind="/".join(kinds),
                aggregate=_aggregate(prices, eps, known, shares),
                median=float(np.median(quotients)) if quotients else None,
                n_members=len(prices),
                n_eps=len(known),
                n_loss=int(sum(eps[symbol] <= 0 for symbol in known)),
            )
        )
    return tuple(result)


def _aggregate(
    prices: pd.Series[float], eps: pd.Series[float], known: list[str], shares: pd.Series[float] | None
) -> float | None:
    if shares is None:
        return None
    held = [symbol for symbol in known if symbol in shares.index and np.isfinite(shares[symbol])]
    value = sum(prices[symbol] * shares[symbol] for symbol in held)
    earnings = sum(eps[symbol] * shares[symbol] for symbol in held)
    return float(value / earnings) if held and earnings > 0 else None
