"""Which sessions are missing from the bars, and why: suspended, not listed, delisted, the vendor failed, or unexplained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from aitheme.sources.akshare.sessions import exchange_of

if TYPE_CHECKING:
    from datetime import date

    import duckdb

__all__ = ["bar_spans", "find_gaps", "unsettled"]

_TABLES: Final = ("bars", "index_bars")
_COLUMNS: Final = ("dataset", "symbol", "reason", "sessions", "first", "last", "detail")

# Days before the first known session cannot be missing, so they do not count as held.
_SPANS: Final = """
SELECT '{table}' AS dataset, symbol, min(session) AS first, max(session) AS last, count(*) AS n,
count(*) FILTER (session >= $start) AS held, {approximate} AS approximate, {rebuilt} AS rebuilt
FROM {table} GROUP BY symbol
"""
_QUALITY: Final = {
    "bars": {"approximate": "bool_or(quality & 2 > 0)", "rebuilt": "sum(quality & 1)::BIGINT"},
    "index_bars": {"approximate": "FALSE", "rebuilt": "0::BIGINT"},
}
# Symbols that were asked for and never delivered count from their listing, or from the first date wanted.
_ABSENT: Final = """
SELECT symbol, coalesce(max(listed), min(run.since)) AS first FROM attempt JOIN refresh_run AS run USING (run_id)
LEFT JOIN securities USING (symbol)
WHERE dataset = '{table}' AND symbol <> '' AND symbol NOT IN (SELECT symbol FROM {table}) GROUP BY symbol
"""
# A suspension without an end lasts until the stock's next bar.
_REASONS: Final = """
WITH missing AS MATERIALIZED (
    SELECT symbol, day.session, asked.last FROM asked JOIN sessions AS day
    ON day.exchange = asked.exchange AND day.session BETWEEN asked.first AND asked.upto
    ANTI JOIN {table} AS held ON held.symbol = asked.symbol AND held.session = day.session
), bounded AS (
    SELECT halt.symbol, halt.start, halt.reason, coalesce(halt."end", min(held.session) - 1, DATE '9999-12-31') AS until
    FROM suspensions AS halt SEMI JOIN missing ON missing.symbol = halt.symbol
    LEFT JOIN {table} AS held ON held.symbol = halt.symbol AND held.session > halt.start
    GROUP BY halt.symbol, halt.start, halt.reason, halt."end"
), suspended AS (
    SELECT missing.symbol, missing.session, any_value(bounded.reason) AS why FROM missing JOIN bounded
    ON bounded.symbol = missing.symbol AND missing.session BETWEEN bounded.start AND bounded.until GROUP BY ALL
), tried AS (
    SELECT symbol, max_by((endpoint, outcome, detail), (run_id, attempt.rowid)) AS answer FROM attempt
    WHERE dataset = '{table}' GROUP BY symbol
), told AS (
    SELECT missing.symbol, missing.session, CASE
    WHEN missing.session < listed THEN 'not_listed'
    WHEN missing.session >= delisted THEN 'delisted'
    WHEN suspended.symbol IS NOT NULL THEN 'suspended'
    WHEN missing.session <= coalesce(mark.through, CASE WHEN $live THEN missing.last ELSE missing.session END)
    THEN 'unexplained'
    WHEN answer[2] <> 'ok' THEN 'vendor_failed' ELSE 'not_fetched' END AS reason,
    CASE reason WHEN 'suspended' THEN why WHEN 'not_listed' THEN 'listed on ' || listed
    WHEN 'delisted' THEN 'delisted on ' || delisted WHEN 'vendor_failed' THEN answer[1] || ': ' || answer[3] END AS detail
    FROM missing LEFT JOIN securities USING (symbol)
    LEFT JOIN suspended ON suspended.symbol = missing.symbol AND suspended.session = missing.session
    LEFT JOIN watermark AS mark ON mark.dataset = '{table}' AND mark.symbol = missing.symbol
    LEFT JOIN tried ON tried.symbol = missing.symbol
)
SELECT '{table}' AS dataset, symbol, reason, count(*) AS sessions, min(session) AS first, max(session) AS last,
coalesce(max(detail), '') AS detail FROM told GROUP BY symbol, reason ORDER BY symbol, first
"""
_UNSETTLED: Final = """
WITH tried AS (
    SELECT dataset, symbol, max(run_id) AS run_id, max_by((endpoint, outcome, detail), (run_id, attempt.rowid)) AS answer
    FROM attempt WHERE dataset NOT IN ('bars', 'index_bars') GROUP BY dataset, symbol
)
SELECT dataset, symbol, 'vendor_failed' AS reason, NULL::BIGINT AS sessions, mark.through AS first, NULL::DATE AS last,
answer[1] || ': ' || answer[3] AS detail
FROM tried LEFT JOIN watermark AS mark USING (dataset, symbol) JOIN refresh_run AS run USING (run_id)
WHERE answer[2] NOT IN ('ok', 'empty') AND (mark.through IS NULL OR mark.through < run.started::DATE)
ORDER BY dataset, symbol
"""


def bar_spans(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Sum up the bars by symbol, in one pass over them.

    Parameters
    ----------
    connection
        A snapshot.

    Returns
    -------
    pandas.DataFrame
        ``dataset`` (``bars`` or ``index_bars``), ``symbol``, ``first``, ``last``, ``n`` (rows), ``held`` (rows inside the
        known calendar), ``approximate`` (whether returns are), ``rebuilt`` (rows whose close was).
    """
    query = " UNION ALL ".join(_SPANS.format(table=table, **_QUALITY[table]) for table in _TABLES)
    return connection.execute(query, {"start": _calendar_start(connection)}).df()


def _calendar_start(connection: duckdb.DuckDBPyConnection) -> date:
    start: date = connection.execute("SELECT min(session) FROM sessions").fetchall()[0][0]
    return start


def find_gaps(connection: duckdb.DuckDBPyConnection, spans: pd.DataFrame) -> pd.DataFrame:
    """Name the reason of every session without a bar, from each symbol's first bar to the last of its exchange.

    Parameters
    ----------
    connection
        A snapshot.
    spans
        From :func:`bar_spans`.

    Returns
    -------
    pandas.DataFrame
        One row per dataset, symbol and reason: ``dataset``, ``symbol``, ``reason`` (``suspended``, ``not_listed``,
        ``delisted``, ``vendor_failed``: the last vendor asked failed, ``not_fetched``: not asked for yet,
        ``unexplained``: the vendors answered and had no bar), ``sessions`` (count), ``first``, ``last``, ``detail``.
    """
    parts = [_gaps_of(connection, table, spans[spans["dataset"] == table]) for table in _TABLES]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=pd.Index(_COLUMNS))


def _gaps_of(connection: duckdb.DuckDBPyConnection, table: str, spans: pd.DataFrame) -> pd.DataFrame:
    absent = connection.execute(_ABSENT.format(table=table)).df().assign(held=0)
    known = spans[["symbol", "first", "last", "held"]]
    asked = _lacking(connection, pd.concat([known, absent], ignore_index=True) if len(absent) else known)
    if not len(asked):
        return pd.DataFrame(columns=pd.Index(_COLUMNS))
    live = bool(connection.execute("SELECT 1 FROM watermark WHERE dataset = ? LIMIT 1", [table]).fetchall())
    connection.register("asked_frame", asked)
    # Types are told: a column in which no symbol has a bar carries none of its own.
    connection.execute(
        """CREATE OR REPLACE TEMP VIEW asked AS SELECT symbol, exchange, first::DATE AS first, last::DATE AS last,
        upto::DATE AS upto FROM asked_frame"""
    )
    found = connection.execute(_REASONS.format(table=table), {"live": live}).df()
    connection.execute("DROP VIEW asked")
    connection.unregister("asked_frame")
    return found


def _lacking(connection: duckdb.DuckDBPyConnection, spans: pd.DataFrame) -> pd.DataFrame:
    """Return the symbols with fewer bars than sessions, with the span to look at."""
    spans = spans.assign(exchange=[exchange_of(symbol) for symbol in spans["symbol"]])
    upto = spans.groupby("exchange")["last"].transform("max")
    start = pd.Timestamp(_calendar_start(connection))
    begun = spans["first"].fillna(upto).clip(upper=upto)
    begun = begun.where(begun > start, start)
    spans = spans.assign(upto=upto, first=begun)
    expected = np.zeros(len(spans), dtype=np.int64)
    for exchange in spans["exchange"].unique():
        days = connection.execute(
            "SELECT session FROM sessions WHERE exchange = ? ORDER BY session", [exchange]
        ).fetchnumpy()["session"]
        here = (spans["exchange"] == exchange).to_numpy()
        low = np.searchsorted(days, spans.loc[here, "first"].to_numpy(), side="left")
        expected[here] = np.searchsorted(days, spans.loc[here, "upto"].to_numpy(), side="right") - low
    return spans[spans["upto"].notna() & (expected > spans["held"].to_numpy())].reset_index(drop=True)


def unsettled(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return what the last question about a dataset without sessions left open, in the columns of :func:`find_gaps`.

    Parameters
    ----------
    connection
        A snapshot.

    Returns
    -------
    pandas.DataFrame
        ``symbol`` is empty for a market-wide table, ``first`` the day up to which it is known, ``sessions`` missing.
    """
    return connection.execute(_UNSETTLED).df()
