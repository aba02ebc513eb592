"""PE bands: where a price would stand at the quantiles of its own multiple."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aitheme.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd

    from aitheme.store import Market

__all__ = ["QUANTILES", "IndexBand", "index_band", "indices_with_pe", "pe_bands"]

QUANTILES = (0.10, 0.25, 0.50, 0.75, 0.90)
"""Quantiles of the multiple that are drawn."""


@dataclass(frozen=True, slots=True)
class IndexBand:
    """An index in the bands of its trailing PE.

    Parameters
    ----------
    symbol, name
        The index.
    table
        By session: close (points), pe (trailing, as its provider gives it), and a column per quantile with the points at
        which the index would have that PE.
    quantiles
        PE at each quantile, over the sessions of the table.
    percentile
        Share of the sessions whose PE is at or below the last one (ratio).
    """

    symbol: str
    name: str
    table: pd.DataFrame
    quantiles: pd.Series[float]
    percentile: float


def indices_with_pe(market: Market, *, as_of: date) -> dict[str, str]:
    """Return symbol and name of the indices whose trailing PE the store holds on or before a date."""
    rows = market.sql(
        """SELECT symbol, any_value(name) AS name FROM index_bars LEFT JOIN indices USING (symbol)
        WHERE pe_trailing > 0 AND session <= ? GROUP BY symbol ORDER BY symbol""",
        [as_of],
    )
    return dict(zip(rows["symbol"], rows["name"], strict=True))


def pe_bands(
    close: pd.Series[float], pe: pd.Series[float], quantiles: Sequence[float] = QUANTILES
) -> tuple[pd.DataFrame, pd.Series[float]]:
    """Return the prices at the quantiles of a multiple, and those quantiles.

    Parameters
    ----------
    close
        Price or points by session.
    pe
        Its multiple, same sessions; one that is not positive counts as missing.
    quantiles
        Ratios.

    Returns
    -------
    pandas.DataFrame
        Sessions x quantiles: quantile x close / pe, so that the price touches a band where its multiple has that value.
    pandas.Series
        Multiple by quantile.
    """
    import pandas as pd

    known = pe.where(pe > 0)
    levels = known.quantile(list(quantiles))
    earnings = close / known
    return pd.DataFrame({quantile: levels[quantile] * earnings for quantile in quantiles}), levels


def index_band(market: Market, symbol: str, start: date, end: date) -> IndexBand:
    """Return an index between two dates in the bands of its own trailing PE.

    Parameters
    ----------
    market
        Snapshot.
    symbol
        Index symbol.
    start, end
        First and last date; the quantiles are taken over the sessions between them.

    Raises
    ------
    UnknownNameError
        The store holds no PE of the index between the dates.
    """
    import pandas as pd

    rows = market.sql(
        """SELECT session::TIMESTAMP_NS AS session, close, pe_trailing AS pe FROM index_bars
        WHERE symbol = ? AND session BETWEEN ? AND ? ORDER BY session""",
        [symbol, start, end],
    ).set_index("session")
    known = rows["pe"][rows["pe"] > 0]
    if known.empty:
        raise UnknownNameError.build(
            "index", symbol, indices_with_pe(market, as_of=end), f"no trailing PE between {start} and {end}"
        )
    bands, levels = pe_bands(rows["close"], rows["pe"])
    name = market.sql("SELECT name FROM indices WHERE symbol = ?", [symbol])["name"]
    table = pd.concat([rows, bands], axis=1)
    return IndexBand(
        symbol, str(name.iloc[0]) if len(name) else symbol, table, levels, float((known <= known.iloc[-1]).mean())
    )
