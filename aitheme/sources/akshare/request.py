"""What a live refresh asks for: datasets, watermarks, and what the store already knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import pandas as pd

from aitheme.sources.akshare.outcomes import Empty
from aitheme.sources.akshare.sessions import exchange_of, missing_sessions
from aitheme.sources.base import FetchRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aitheme.sources.akshare.bars import Window

__all__ = ["EARLIEST", "Known", "LiveRequest", "Universe"]

EARLIEST: Final = date(1990, 12, 19)
_DEFAULT_INDICES: Final = frozenset({"000300.SH", "000905.SH", "000852.SH", "000001.SH", "399006.SZ", "HSI.HK"})
_DEFAULT_CAPEX: Final = frozenset({"META", "MSFT", "GOOGL", "AMZN"})
_NO_DAYS: Final = np.array([], dtype="datetime64[D]")


@dataclass(frozen=True, slots=True)
class Universe:
    """What the live source covers.

    Parameters
    ----------
    stocks
        Canonical symbols of shares; None means every listed A share.
    indices
        Canonical symbols of indices.
    sectors
        Shenwan indices or Eastmoney boards whose members are recorded.
    capex
        American tickers.
    us_markets
        Eastmoney's market number per American ticker.
    """

    stocks: frozenset[str] | None
    indices: frozenset[str] = _DEFAULT_INDICES
    sectors: frozenset[str] = frozenset()
    capex: frozenset[str] = _DEFAULT_CAPEX
    us_markets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """What the store can say about an empty answer.

    Parameters
    ----------
    suspensions
        ``symbol``, ``start``, ``end`` (missing while open).
    listed, delisted
        Dates by symbol.
    """

    suspensions: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"symbol": [], "start": [], "end": []}))
    listed: Mapping[str, date] = field(default_factory=dict)
    delisted: Mapping[str, date] = field(default_factory=dict)

    def suspended(self, symbol: str, sessions: np.ndarray[tuple[int], np.dtype[np.datetime64]]) -> np.ndarray[
        tuple[int], np.dtype[np.bool_]
    ]:  # fmt: skip
        """Tell for each session (shape (n,)) whether the stock was suspended."""
        covered = np.zeros(len(sessions), dtype=bool)
        rows = self.suspensions[self.suspensions["symbol"] == symbol]
        for start, end in zip(rows["start"], rows["end"], strict=True):
            first = np.datetime64(pd.Timestamp(start).date())
            last = np.datetime64("9999-12-31") if pd.isna(end) else np.datetime64(pd.Timestamp(end).date())
            covered |= (sessions >= first) & (sessions <= last)
        return covered

    def explain(self, symbol: str, window: Window, empty: Empty) -> Empty:
        """Put the known reason to an empty answer, or return it unchanged."""
        sessions = missing_sessions(exchange_of(symbol), _NO_DAYS, window.since, window.until)
        if not len(sessions):
            return Empty("no_session", f"no session from {window.since} to {window.until}")
        listed, delisted = self.listed.get(symbol), self.delisted.get(symbol)
        if listed is not None and listed > window.until:
            return Empty("not_listed", f"listed on {listed}")
        if delisted is not None and delisted <= window.since:
            return Empty("delisted", f"delisted on {delisted}")
        if self.suspended(symbol, sessions).all():
            return Empty("suspended", f"{len(sessions)} sessions")
        return empty


@dataclass(frozen=True, slots=True)
class LiveRequest(FetchRequest):
    """A request with everything that makes a live refresh incremental.

    Parameters
    ----------
    watermarks
        Last date stored, by dataset and symbol (``""`` for market-wide tables). Datasets without sessions give the
        day they were last fetched in full.
    overlap_sessions
        How many stored sessions are fetched again, to notice restated history.
    anchors
        Session and stored adjustment factor of each symbol's bar at (or before) the first session fetched again.
        Factors go on from there: a vendor's own scale may differ, and a late ex-date after it shows as restated.
    last_bars
        Session, unadjusted close and adjustment factor of each symbol's last stored bar: how a quote list of the
        whole market is checked for corporate actions.
    known
        Suspensions and listing dates of the store.
    """

    incremental: ClassVar[bool] = True
    watermarks: Mapping[tuple[str, str], date] = field(default_factory=dict)
    overlap_sessions: int = 10
    anchors: Mapping[str, tuple[date, float]] = field(default_factory=dict)
    last_bars: Mapping[str, tuple[date, float, float]] = field(default_factory=dict)
    known: Known = field(default_factory=Known)

    @classmethod
    def of(cls, request: FetchRequest) -> LiveRequest:
        """Return a request as a live one."""
        return (
            request
            if isinstance(request, cls)
            else cls(request.symbols, request.since, request.until, request.datasets)
        )

    def wants(self, *datasets: str) -> bool:
        """Tell whether any of some datasets is wanted."""
        return self.datasets is None or any(name in self.datasets for name in datasets)

    def watermark(self, dataset: str, symbol: str = "") -> date | None:
        """Return the last date stored."""
        return self.watermarks.get((dataset, symbol))
