"""How crowded a basket is: its share of the market's turnover, its breadth, its limit-up closes, session by session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aitheme.crowding import around, trailing_percentile, turnover_share

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    import pandas as pd

    from aitheme.analysis.room import StudyRoom

__all__ = ["SPANS", "BasketCrowding", "basket_crowding", "crowding_around"]

SPANS: Mapping[str, tuple[int, int]] = {"before": (-20, -1), "day0": (0, 0), "week": (1, 5), "month": (6, 20)}
"""Sessions around a release over which crowding is averaged."""


@dataclass(frozen=True, slots=True)
class BasketCrowding:
    """Crowding of a basket.

    Parameters
    ----------
    basket
        Its id.
    table
        By session: share (of the turnover of the store's A-shares, ratio), percentile (of that share over 250 sessions,
        ratio), above (share of members above their 20-session mean, ratio), known (members it is taken over), limit_ups
        (closes at the upper limit) and traded (members that traded).
    members
        A-shares of the basket.
    market_stocks
        A-shares that traded on the last session.
    whole
        Whether the store holds A-shares beyond the theme; else share and percentile are missing.
    """

    basket: str
    table: pd.DataFrame
    members: int
    market_stocks: int
    whole: bool


def basket_crowding(room: StudyRoom, basket: str) -> BasketCrowding:
    """Return a basket's crowding on every session of the data.

    Members are those the report names, on every session; a stock that was not listed yet counts from its first session.

    Parameters
    ----------
    room
        Snapshot, registry and date.
    basket
        Basket id; its A-shares count.
    """
    import numpy as np
    import pandas as pd

    stocks, panel, market = room.stocks(basket), room.theme_panel, room.market_turnover
    amounts = panel.amount[stocks.symbols]
    share = turnover_share(amounts, market["amount"])
    if not room.holds_market:
        share = share * np.nan
    above = room.above_mean(stocks.symbols)
    table = pd.DataFrame(
        {
            "share": share,
            "percentile": trailing_percentile(share),
            "above": above.mean(axis=1),
            "known": above.notna().sum(axis=1),
            "limit_ups": (stocks.limit_state > 0).sum(axis=1),
            "traded": amounts.notna().sum(axis=1),
        }
    )
    return BasketCrowding(basket, table, len(stocks.symbols), int(market["stocks"].iloc[-1]), room.holds_market)


def crowding_around(crowded: BasketCrowding, days: Iterable[date]) -> pd.DataFrame:
    """Return the means of crowding measures over :data:`SPANS` around some sessions.

    Parameters
    ----------
    crowded
        From :func:`basket_crowding`.
    days
        Sessions of the table.

    Returns
    -------
    pandas.DataFrame
        One row per day: day0 and ``share_before`` … ``limit_ups_month``; missing where a span leaves the data.
    """
    import pandas as pd

    wanted = list(days)
    sessions = crowded.table.index
    places = [int(sessions.searchsorted(pd.Timestamp(day))) for day in wanted]
    found = around(crowded.table[["share", "above", "limit_ups"]], places, SPANS)
    parts = [frame.add_prefix(f"{name}_") for name, frame in found.items()]
    return pd.concat([pd.DataFrame({"day0": wanted}), *parts], axis=1)
