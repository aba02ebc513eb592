"""Crowding and breadth of a basket: pure functions on sessions x members.

How much of the market's turnover a basket draws, how many of its members stand above their own mean, how many closed at
the limit. A session without data is missing, never zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

__all__ = ["MEAN_SESSIONS", "YEAR", "above_mean", "around", "trailing_percentile", "turnover_share"]

YEAR = 250
"""Sessions a percentile looks back over, the session itself included."""

MEAN_SESSIONS = 20
"""Traded sessions of the mean that a member stands above or below."""


def turnover_share(amounts: pd.DataFrame, market: pd.Series[float]) -> pd.Series[float]:
    """Return a basket's share of the market's turnover.

    Parameters
    ----------
    amounts
        Turnover in CNY, sessions x members; NaN where a member did not trade.
    market
        Turnover of the whole market in CNY by session.

    Returns
    -------
    pandas.Series
        Ratio by session of `amounts`; NaN where no member traded or the market has no turnover.
    """
    total = market.reindex(amounts.index)
    return (amounts.sum(axis=1, min_count=1) / total.where(total > 0)).rename("share")


def trailing_percentile(values: pd.Series[float], sessions: int = YEAR) -> pd.Series[float]:
    """Return which share of the trailing window's values lies at or below each value.

    Parameters
    ----------
    values
        By session.
    sessions
        Length of the window, the session itself included.

    Returns
    -------
    pandas.Series
        Ratio in (0, 1]; NaN before the first full window, and where fewer than half of the window's values are known.
    """
    rank = values.rolling(sessions, min_periods=max(1, sessions // 2)).rank(method="max", pct=True)
    rank.iloc[: sessions - 1] = np.nan
    return rank.rename("percentile")


def above_mean(levels: pd.DataFrame, sessions: int = MEAN_SESSIONS) -> pd.DataFrame:
    """Tell which members close above the mean of their own last traded sessions, the session itself included.

    Parameters
    ----------
    levels
        Total-return levels, sessions x members; NaN where a member did not trade.
    sessions
        Traded sessions in the mean.

    Returns
    -------
    pandas.DataFrame
        1.0 above, 0.0 not, NaN where the member did not trade or has too little history; shape of `levels`.
    """
    result = levels.copy()
    for name in levels.columns:
        traded = levels[name].dropna()
        mean = traded.rolling(sessions).mean()
        result[name] = (traded > mean).astype(float).where(mean.notna()).reindex(levels.index)
    return result


def around(
    table: pd.DataFrame, places: Sequence[int], spans: Mapping[str, tuple[int, int]]
) -> Mapping[str, pd.DataFrame]:
    """Return the mean of each column over spans of sessions around some rows.

    Parameters
    ----------
    table
        Sessions x measures.
    places
        Row numbers of day 0.
    spans
        First and last session of each span relative to day 0.

    Returns
    -------
    mapping of str to pandas.DataFrame
        By measure: one row per place, one column per span; NaN where the span leaves the table or holds no value.
    """
    import pandas as pd

    values = table.to_numpy(dtype=float)
    means = np.full((len(places), len(spans), values.shape[1]), np.nan)
    for row, place in enumerate(places):
        for column, (first, last) in enumerate(spans.values()):
            inside = values[max(0, place + first) : place + last + 1]
            if place + first < 0 or place + last >= len(values):
                continue
            known = np.isfinite(inside)
            count = known.sum(axis=0)
            total = np.where(known, inside, 0.0).sum(axis=0)
            means[row, column] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return {
        str(name): pd.DataFrame(means[:, :, at], columns=pd.Index(list(spans))) for at, name in enumerate(table.columns)
    }
