"""What makes a live refresh incremental: how far each dataset is complete, and what the store knows already."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from aitheme.calendar import calendar_for
from aitheme.sources.akshare.outcomes import LiveBatch
from aitheme.sources.akshare.request import Known, LiveRequest
from aitheme.sources.akshare.sessions import exchange_of

if TYPE_CHECKING:
    from datetime import date

    import duckdb

    from aitheme.sources.base import Batch
    from aitheme.store.files import StoreFiles

__all__ = ["LiveRecorder", "known_to", "live_request"]

_BULK: Final = ("bars", "index_bars")


def live_request(files: StoreFiles, request: LiveRequest) -> LiveRequest:
    """Add to a request what the current snapshot knows: watermarks, factor anchors, last bars, suspensions, listings.

    Parameters
    ----------
    files
        The store; an empty one leaves the request as it is.
    request
        What is wanted.
    """
    import duckdb

    current = files.current()
    if current is None:
        return request
    with duckdb.connect(str(current), read_only=True) as connection:
        return known_to(connection, request)


def known_to(connection: duckdb.DuckDBPyConnection, request: LiveRequest) -> LiveRequest:
    """Add to a request what an open database knows.

    Parameters
    ----------
    connection
        A snapshot, or the working file an interrupted run left: what that finished is not asked again.
    request
        What is wanted.
    """
    marks: dict[tuple[str, str], date] = {
        (dataset, symbol): through
        for dataset, symbol, through in connection.execute("SELECT dataset, symbol, through FROM watermark").fetchall()
    }
    for table in _BULK:
        held = connection.execute(f"SELECT symbol, max(session) FROM {table} GROUP BY symbol").fetchall()  # noqa: S608
        for symbol, last in held:
            marks.setdefault((table, symbol), last)
    return replace(
        request,
        watermarks=marks,
        anchors=_anchors(connection, marks, request.overlap_sessions),
        last_bars=_last_bars(connection),
        known=_known(connection),
    )


def _anchors(
    connection: duckdb.DuckDBPyConnection, marks: dict[tuple[str, str], date], overlap: int
) -> dict[str, tuple[date, float]]:
    """Return each symbol's stored factor at the first session that is fetched again."""
    starts = [
        (symbol, calendar_for(exchange_of(symbol)).shift(last, -overlap))
        for (dataset, symbol), last in marks.items()
        if dataset == "bars" and symbol
    ]
    if not starts:
        return {}
    import pandas as pd

    connection.register("overlap_start", pd.DataFrame(starts, columns=["symbol", "first"]))
    rows = connection.execute(
        """SELECT bars.symbol, max(session), arg_max(adj_factor, session) FROM bars
        JOIN overlap_start ON bars.symbol = overlap_start.symbol AND session <= first::DATE GROUP BY bars.symbol"""
    ).fetchall()
    connection.unregister("overlap_start")
    return {symbol: (session, factor) for symbol, session, factor in rows}


def _last_bars(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[date, float, float]]:
    rows = connection.execute(
        "SELECT symbol, max(session), arg_max(close, session), arg_max(adj_factor, session) FROM bars GROUP BY symbol"
    ).fetchall()
    return {symbol: (session, close, factor) for symbol, session, close, factor in rows}


def _known(connection: duckdb.DuckDBPyConnection) -> Known:
    suspensions = connection.execute('SELECT symbol, start, "end" FROM suspensions').df()
    rows = connection.execute("SELECT symbol, listed, delisted FROM securities").fetchall()
    return Known(
        suspensions=suspensions,
        listed={symbol: listed for symbol, listed, _ in rows if listed is not None},
        delisted={symbol: delisted for symbol, _, delisted in rows if delisted is not None},
    )


@dataclass(slots=True)
class LiveRecorder:
    """Moves watermarks and files every vendor asked, batch by batch.

    Parameters
    ----------
    run_id
        Run the attempts belong to.
    failures
        One line per dataset and symbol that could not be settled.
    """

    run_id: str
    failures: list[str] = field(default_factory=list)
    _open: set[str] = field(default_factory=set)

    def __call__(self, connection: duckdb.DuckDBPyConnection, batch: Batch) -> bool:
        """Record one batch; return whether it was settled. Batches of other sources have no outcome and pass."""
        if not isinstance(batch, LiveBatch):
            return True
        symbol = batch.symbol or ""
        for attempt in batch.attempts:
            row: list[Any] = [
                self.run_id, batch.dataset, symbol, attempt.endpoint, attempt.outcome.kind, attempt.outcome.describe(),
                attempt.seconds, batch.fallback,
            ]  # fmt: skip
            connection.execute("INSERT INTO attempt VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        if not batch.outcome.settles:
            self.failures.append(f"{batch.dataset} {symbol}".strip() + f": {batch.outcome.describe()}")
            self._open.update({batch.dataset} - {*_BULK} if not symbol else ())
            return False
        self._mark(connection, batch)
        return True

    def _mark(self, connection: duckdb.DuckDBPyConnection, batch: LiveBatch) -> None:
        """Move the watermark of what a settled batch completes.

        A market-wide table that comes in several answers is complete with the last of them and if none failed; days
        that come one by one count up to the first that failed.
        """
        through = batch.covers[1] if batch.covers is not None else batch.fetched.date() if batch.fetched else None
        if through is None:
            return
        symbols = [batch.symbol or ""]
        if batch.symbol is None and batch.dataset in _BULK:
            # A quote list of the whole market settles only the symbols it holds.
            symbols = sorted(set(batch.table["symbol"].to_pylist()))
        elif batch.symbol is None and (batch.dataset in self._open or (batch.more and batch.covers is None)):
            return
        connection.execute(
            "DELETE FROM watermark WHERE dataset = ? AND symbol IN (SELECT unnest(?))", [batch.dataset, symbols]
        )
        connection.execute(
            "INSERT INTO watermark SELECT ?, unnest(?), ?, ?", [batch.dataset, symbols, through, batch.source]
        )
