"""Benchmarks made from the stocks themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from aitheme.eventstudy.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Iterable


def equal_weight_market(returns: pd.DataFrame) -> pd.Series:
    """Mean return of every stock that traded.

    Parameters
    ----------
    returns : DataFrame
        Sessions x symbols, simple returns (ratios), NaN where there is none.

    Returns
    -------
    Series
        By session; NaN where no stock traded.
    """
    return returns.mean(axis=1).rename("equal-weight market")


def leave_one_out_mean(returns: pd.DataFrame, groups: pd.Series, symbols: Iterable[str] | None = None) -> pd.DataFrame:
    """Mean return of every other stock of the same group (industry), one benchmark a stock.

    Leaving the stock out keeps its own move out of its expected return; sector-wide moves are taken out with it.

    Parameters
    ----------
    returns : DataFrame
        Sessions x symbols, simple returns (ratios).
    groups : Series
        Symbol to group.
    symbols : iterable of str or None
        Stocks that need a benchmark; None for all columns.

    Returns
    -------
    DataFrame
        Sessions x symbols; NaN where no other member traded.

    Raises
    ------
    StudyError
        If a stock has no group or is alone in it.
    """
    wanted = list(returns.columns) if symbols is None else list(symbols)
    label = groups.reindex(returns.columns)
    lost = [symbol for symbol in wanted if symbol not in label.index or pd.isna(label[symbol])]
    if lost:
        raise StudyError(f"groups has no entry for {lost[0]}; add it or drop the stock")
    sizes = label.value_counts()
    alone = [symbol for symbol in wanted if sizes[label[symbol]] <= 1]
    if alone:
        raise StudyError(f"{alone[0]} is the only stock of group {label[alone[0]]!r} in returns; use a wider group")
    values = returns.to_numpy(dtype=np.float64)
    valid = np.isfinite(values)
    filled = np.where(valid, values, 0.0)
    columns = {}
    for name, members in label.groupby(label).groups.items():
        place = returns.columns.get_indexer(members)
        total, count = filled[:, place].sum(axis=1), valid[:, place].sum(axis=1)
        for symbol in (item for item in wanted if label[item] == name):
            own = returns.columns.get_loc(symbol)
            others = count - valid[:, own]
            mean = np.full(total.size, np.nan)
            np.divide(total - filled[:, own], others, out=mean, where=others > 0)
            columns[symbol] = mean
    return pd.DataFrame(columns, index=returns.index)[wanted]
