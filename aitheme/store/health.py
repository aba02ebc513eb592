"""Whether a store on a timer still does its work: staleness by dataset, and refreshes that fail one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from aitheme.sources.akshare.datasets import CADENCE_DAYS
from aitheme.sources.akshare.sessions import exchange_of, last_final_day

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

    from aitheme.calendar import Exchange

__all__ = ["RunStreak", "Sessions", "problems", "run_streak", "staleness"]

_BARS: Final = ("bars", "index_bars")
_PLACES: Final[dict[Exchange, str]] = {"XSHG": "mainland", "XHKG": "Hong Kong", "XNYS": "New York"}
_GOOD: Final = frozenset({"published", "unchanged"})


@dataclass(frozen=True, slots=True)
class RunStreak:
    """The refreshes that failed since the last one that did not.

    Parameters
    ----------
    failed
        How many in a row, up to the newest.
    first, last
        When the first and the last of them began; None without any.
    first_error, last_error
        What they said.
    last_success
        When the last refresh that published, or found nothing new, began; None where the log knows of none.
    sessions_without_success
        Mainland sessions that closed since; 0 where the log knows of none.
    """

    failed: int
    first: str | None
    last: str | None
    first_error: str | None
    last_error: str | None
    last_success: str | None
    sessions_without_success: int


class Sessions:
    """The sessions a store knows, without building a calendar.

    Parameters
    ----------
    connection
        A snapshot.
    now
        Current time (aware).
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
        found = connection.execute("SELECT exchange, session FROM sessions ORDER BY session").fetchnumpy()
        days = np.asarray(found["session"]).astype("datetime64[D]")
        self._days = {name: days[found["exchange"] == name] for name in _PLACES}
        self.now = now

    def closed_since(self, day: date, exchange: Exchange = "XSHG") -> int:
        """Count the sessions that closed after a day; beyond the known ones every weekday counts."""
        known, until = self._days[exchange], np.datetime64(last_final_day(exchange, self.now), "D")
        low, high = np.searchsorted(known, [np.datetime64(day, "D"), until], side="right")
        if not len(known) or until <= known[-1]:
            return max(int(high - low), 0)
        beyond = np.busday_count(max(known[-1], np.datetime64(day, "D")) + 1, until + 1)
        return int(high - low) + max(int(beyond), 0)


def run_streak(runs: Iterable[dict[str, Any]], sessions: Sessions | None) -> RunStreak:
    """Count the refreshes that failed in a row.

    Parameters
    ----------
    runs
        Records of the run log, newest first.
    sessions
        The sessions up to now; None for a store without a snapshot, which knows none.
    """
    failing: list[dict[str, Any]] = []
    success = None
    for run in runs:
        if run.get("status") in _GOOD:
            success = str(run["started"])
            break
        failing.append(run)
    # A refresh in the evening has seen its day's session, one in the morning has not.
    seen = last_final_day("XSHG", datetime.fromisoformat(success)) if success is not None else None
    idle = sessions.closed_since(seen) if sessions is not None and seen is not None else 0
    first, last = (failing[-1], failing[0]) if failing else ({}, {})
    return RunStreak(
        len(failing), first.get("started"), last.get("started"), first.get("error"), last.get("error"), success, idle
    )


def staleness(connection: duckdb.DuckDBPyConnection, sessions: Sessions, spans: pd.DataFrame) -> pd.DataFrame:
    """Measure each dataset against its own calendar.

    Parameters
    ----------
    connection
        A snapshot.
    sessions
        Its sessions up to now.
    spans
        From :func:`aitheme.store.gaps.bar_spans`.

    Returns
    -------
    pandas.DataFrame
        ``dataset``, ``market``, ``every`` (a session, or days between two fetches), ``last`` (last bar, or day of the
        last complete fetch), ``overdue`` (sessions that closed since it was due) and ``behind`` (symbols that are
        further back than the dataset). Datasets nobody fetches on a schedule are left out.
    """
    gone = connection.execute("SELECT symbol, delisted FROM securities WHERE delisted IS NOT NULL").fetchall()
    rows = [row for table in _BARS for row in _bar_rows(spans[spans["dataset"] == table], table, sessions, dict(gone))]
    marks = connection.execute(
        """SELECT dataset, max(through) AS last, count(*) FILTER (symbol <> '') AS symbols FROM watermark
        WHERE dataset NOT IN ('bars', 'index_bars', 'adj_factors') GROUP BY dataset ORDER BY dataset"""
    ).fetchall()
    for dataset, last, symbols in marks:
        days = CADENCE_DAYS.get(dataset, 1)
        behind = 0
        if symbols:
            behind = connection.execute(
                "SELECT count(*) FROM watermark WHERE dataset = ? AND symbol <> '' AND through < ?",
                [dataset, last - timedelta(days=days - 1)],
            ).fetchall()[0][0]
        overdue = sessions.closed_since(last + timedelta(days=days - 1))
        rows.append((dataset, "", "day" if days == 1 else f"{days} days", last, overdue, behind))
    frame = pd.DataFrame(rows, columns=pd.Index(["dataset", "market", "every", "last", "overdue", "behind"]))
    return frame.assign(last=frame["last"].astype(str).str[:10])


def _bar_rows(
    spans: pd.DataFrame, table: str, sessions: Sessions, delisted: dict[str, date]
) -> list[tuple[str, str, str, date, int, int]]:
    by_exchange: dict[Exchange, list[date]] = {}
    for symbol, last in zip(spans["symbol"], spans["last"].dt.date, strict=True):
        if symbol not in delisted or delisted[symbol] > last:
            by_exchange.setdefault(exchange_of(symbol), []).append(last)
    rows = []
    for exchange, place in _PLACES.items():
        if dates := by_exchange.get(exchange):
            newest = max(dates)
            overdue = sessions.closed_since(newest, exchange)
            rows.append((table, place, "session", newest, overdue, sum(day < newest for day in dates)))
    return rows


def problems(stale: pd.DataFrame, streak: RunStreak, *, max_stale: int, max_failed: int) -> tuple[str, ...]:
    """Say what somebody should look at.

    Parameters
    ----------
    stale
        From :func:`staleness`.
    streak
        From :func:`run_streak`.
    max_stale
        Sessions a dataset may be overdue, and a store without a successful refresh.
    max_failed
        So many refreshes failing in a row are too many.

    Returns
    -------
    tuple of str
        One line for each; empty when all is well.
    """
    found = [
        f"{row['dataset']} {row['market']}".strip() + f": {row['overdue']} sessions overdue, last {row['last']}"
        for row in stale.to_dict("records")
        if row["overdue"] > max_stale
    ]
    if streak.sessions_without_success > max_stale:
        found.append(
            f"no refresh succeeded for {streak.sessions_without_success} sessions, the last one at {streak.last_success}"
        )
    if streak.failed >= max_failed:
        found.append(
            f"the last {streak.failed} refreshes failed: first at {streak.first} ({streak.first_error}), "
            f"last at {streak.last} ({streak.last_error})"
        )
    return tuple(found)
