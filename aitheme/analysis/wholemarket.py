"""Every A-share of a store, read once for all that need the whole market."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from aitheme.symbols import board_of

if TYPE_CHECKING:
    from datetime import date

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from aitheme.panel import Panel
    from aitheme.store import Market

__all__ = ["boards", "held_levels", "traded", "whole_market"]

_PANELS: WeakKeyDictionary[Market, dict[date, Panel]] = WeakKeyDictionary()
_SYMBOLS: WeakKeyDictionary[Market, tuple[str, ...]] = WeakKeyDictionary()
_LEVELS: WeakKeyDictionary[Market, tuple[pd.DataFrame, pd.DataFrame]] = WeakKeyDictionary()
_BOARDS: WeakKeyDictionary[Market, tuple[str, ...]] = WeakKeyDictionary()


def whole_market(market: Market, as_of: str | date | None = None) -> Panel:
    """Return bars of every A-share of a snapshot, from its first session on; the same object each time.

    Parameters
    ----------
    market
        Snapshot of the store. It is read once, whatever the dates asked for.
    as_of
        Last session; the end of the data by default.

    Returns
    -------
    Panel
        All sessions up to `as_of` x all A-shares, by symbol.
    """
    known = _PANELS.setdefault(market, {})
    last = market.as_of(as_of)
    if market.span[1] not in known:
        known[market.span[1]] = market.panel(_symbols(market))
    if last not in known:
        known[last] = _until(known[market.span[1]], last)
    return known[last]


def held_levels(market: Market, as_of: str | date | None = None) -> pd.DataFrame:
    """Return the total-return level a holder of each A-share has: that of its last traded session.

    Returns
    -------
    pandas.DataFrame
        All sessions up to `as_of` x all A-shares; NaN before a stock's first bar.
    """
    return _levels(market)[1].loc[: str(market.as_of(as_of))]


def traded(market: Market, session: date) -> NDArray[np.bool_]:
    """Tell which A-shares have a bar on a session, in the order of the columns of :func:`held_levels`."""
    return _levels(market)[0].loc[str(session)].notna().to_numpy()


def boards(market: Market) -> tuple[str, ...]:
    """Return the board of each A-share, in the order of the columns of :func:`held_levels`."""
    if market not in _BOARDS:
        _BOARDS[market] = tuple(str(board_of(symbol)) for symbol in _symbols(market))
    return _BOARDS[market]


def _symbols(market: Market) -> tuple[str, ...]:
    if market not in _SYMBOLS:
        symbols = market.sql("SELECT DISTINCT symbol FROM bars ORDER BY symbol")["symbol"]
        _SYMBOLS[market] = tuple(symbol for symbol in symbols if board_of(symbol) not in {"hk", "us"})
    return _SYMBOLS[market]


def _levels(market: Market) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the levels of all A-shares as traded and as held."""
    if market not in _LEVELS:
        levels = market.levels(_symbols(market))
        _LEVELS[market] = levels, levels.ffill()
    return _LEVELS[market]


def _until(panel: Panel, last: date) -> Panel:
    stop = str(last)
    return replace(
        panel,
        close=panel.close.loc[:stop],
        level=panel.level.loc[:stop],
        amount=panel.amount.loc[:stop],
        quality=panel.quality.loc[:stop],
        provenance=replace(panel.provenance, as_of=last),
    )
