"""What a store holds, how fresh it is, what is missing and why, and what went wrong."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from aitheme.sources.akshare.circuit import CircuitFile
from aitheme.store.gaps import bar_spans, find_gaps, unsettled
from aitheme.store.health import RunStreak, Sessions, problems, run_streak, staleness
from aitheme.store.market import Market
from aitheme.store.restated import DATE_OF
from aitheme.store.runlog import past_runs

if TYPE_CHECKING:
    import duckdb

    from aitheme.store.files import StoreFiles

__all__ = ["MAX_FAILED", "MAX_STALE", "StoreStatus", "UnpublishedStatus", "store_status", "unpublished_status"]

MAX_STALE: Final = 2
MAX_FAILED: Final = 3
_BARS: Final = ("bars", "index_bars")
_RUNS_SHOWN: Final = 5
_RESTATEMENTS_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """A store at a glance.

    Parameters
    ----------
    coverage
        Per table: rows, keys (symbols or factors), first and last date.
    stale_sessions
        Mainland sessions that closed since the last bar.
    staleness
        Per dataset: see :func:`aitheme.store.health.staleness`.
    gaps
        Per dataset, symbol and reason: see :func:`aitheme.store.gaps.find_gaps`.
    origins
        Per dataset and endpoint: answers, rows received, new and changed, and whether it stood in for another vendor.
    restatements
        What the last runs changed in stored rows, newest first.
    runs
        The last refreshes, newest first, failed ones included.
    streak
        Refreshes that failed one after the other.
    unfinished
        Whether a working file is there: a refresh is running, or was interrupted and will be resumed.
    circuits
        Vendors that blocked us and are left alone until a time.
    quarantine
        Rows set aside, counted by dataset and reason.
    approximate, reconstructed
        Symbols whose returns are approximate; share of closes that were rebuilt.
    problems
        What somebody should look at, one line each.
    """

    snapshot: str
    source: str
    simulated: bool
    schema_version: str
    coverage: pd.DataFrame
    stale_sessions: int
    staleness: pd.DataFrame
    gaps: pd.DataFrame
    origins: pd.DataFrame
    restatements: pd.DataFrame
    runs: tuple[dict[str, Any], ...]
    streak: RunStreak
    unfinished: bool
    circuits: tuple[dict[str, Any], ...]
    quarantine: pd.DataFrame
    approximate: int
    reconstructed: float
    problems: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        values: dict[str, Any] = {}
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, pd.DataFrame):
                values[entry.name] = json.loads(value.to_json(orient="records", date_format="iso", force_ascii=False))
            else:
                values[entry.name] = asdict(value) if isinstance(value, RunStreak) else value
        return values

    def _repr_html_(self) -> str:
        from aitheme.display import Rows, card

        facts = [
            f"sessions closed since the last bar: {self.stale_sessions:,}",
            f"closes rebuilt from average prices: {self.reconstructed:.1%}",
            f"symbols with approximate returns: {self.approximate:,}",
            *self.problems,
        ]
        shown = ("started", "source", "status", "inserted", "changed", "quarantined", "error")
        runs = pd.DataFrame([{name: run.get(name, "") for name in shown} for run in self.runs])
        tables = [
            Rows(self.coverage, "coverage", dict.fromkeys(("rows", "keys"), ",d")),
            Rows(self.quarantine, "quarantine"),
            Rows(runs, "last runs"),
        ]
        return card(f"{self.snapshot} ({self.source})", facts, tables, simulated=self.simulated)


@dataclass(frozen=True, slots=True)
class UnpublishedStatus:
    """A store in which no refresh has published anything yet.

    Parameters
    ----------
    runs, streak, unfinished, circuits, problems
        As in :class:`StoreStatus`.
    """

    runs: tuple[dict[str, Any], ...]
    streak: RunStreak
    unfinished: bool
    circuits: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; ``snapshot`` is None."""
        return {"snapshot": None, **asdict(self)}


def unpublished_status(files: StoreFiles, *, now: datetime | None = None) -> UnpublishedStatus | None:
    """Describe the refreshes of a store that holds no snapshot; None where it holds one, or none was ever tried.

    Parameters
    ----------
    files
        The store.
    now
        Moment at which a vendor may be left alone; the clock by default.
    """
    runs = _runs(files) if files.current() is None else ()
    if not runs:
        return None
    streak = run_streak(past_runs(files), None)
    found = (f"nothing was ever published; the last refresh said: {streak.last_error or runs[0].get('status')}",)
    circuits = _circuits(files, now or datetime.now(UTC))
    return UnpublishedStatus(runs, streak, files.work.exists(), circuits, found)


def store_status(
    files: StoreFiles, *, now: datetime | None = None, max_stale: int = MAX_STALE, max_failed: int = MAX_FAILED
) -> StoreStatus:
    """Describe the current snapshot.

    Parameters
    ----------
    files
        The store.
    now
        Moment against which staleness is measured; the clock by default.
    max_stale, max_failed
        Sessions overdue, and refreshes failing in a row, from which on they are called problems.

    Raises
    ------
    StoreError
        There is no usable snapshot.
    """
    import duckdb

    moment = now or datetime.now(UTC)
    with Market(files) as market, duckdb.connect(str(market.snapshot), read_only=True) as connection:
        sessions = Sessions(connection, moment)
        spans = bar_spans(connection)
        stale = staleness(connection, sessions, spans)
        streak = run_streak(past_runs(files), sessions)
        return StoreStatus(
            snapshot=market.snapshot.name,
            source=market.source,
            simulated=market.simulated,
            schema_version=str(market.sql("SELECT value FROM meta WHERE key = 'schema_version'").iloc[0, 0]),
            coverage=_coverage(connection, spans),
            stale_sessions=sessions.closed_since(market.span[1]),
            staleness=stale,
            gaps=_gaps(connection, spans),
            origins=_origins(connection),
            restatements=_restatements(connection),
            runs=_runs(files),
            streak=streak,
            unfinished=files.work.exists(),
            circuits=_circuits(files, moment),
            quarantine=market.sql(
                "SELECT dataset, reason, count(*) AS n FROM quarantine GROUP BY ALL ORDER BY dataset, n DESC, reason"
            ).rename(columns={"n": "rows"}),
            approximate=int(spans["approximate"].sum()),
            reconstructed=_share_rebuilt(spans),
            problems=problems(stale, streak, max_stale=max_stale, max_failed=max_failed),
        )


def _share_rebuilt(spans: pd.DataFrame) -> float:
    bars = spans[spans["dataset"] == "bars"]
    return float(bars["rebuilt"].sum() / max(bars["n"].sum(), 1))


def _coverage(connection: duckdb.DuckDBPyConnection, spans: pd.DataFrame) -> pd.DataFrame:
    keys = {"factors": "factor", "sector_members": "sector", "box_office": "month"}
    parts = [
        f"SELECT '{table}' AS dataset, count(*) AS n, count(DISTINCT {keys.get(table, 'symbol')}) AS keys, "  # noqa: S608
        f"min({column}) AS first, max({column}) AS last FROM {table}"
        for table, column in DATE_OF.items()
        if table not in _BARS
    ]
    parts += [f"SELECT '{name}', count(*), count(*), NULL, NULL FROM {name}" for name in ("securities", "indices")]  # noqa: S608
    bars = [
        {
            "dataset": table,
            "n": own["n"].sum(),
            "keys": len(own),
            "first": own["first"].min(),
            "last": own["last"].max(),
        }
        for table in _BARS
        for own in [spans[spans["dataset"] == table]]
    ]
    others = connection.execute(" UNION ALL ".join(parts)).df()
    frame = pd.concat([pd.DataFrame(bars).astype(object), others.astype(object)], ignore_index=True)
    return _dated(frame.rename(columns={"n": "rows"}))


def _dated(frame: pd.DataFrame) -> pd.DataFrame:
    """Write the columns first and last as ISO dates, None where there is none."""
    for name in ("first", "last"):
        frame[name] = [None if pd.isna(stamp) else str(stamp)[:10] for stamp in frame[name]]
    return frame


def _gaps(connection: duckdb.DuckDBPyConnection, spans: pd.DataFrame) -> pd.DataFrame:
    parts = [part for part in (find_gaps(connection, spans), unsettled(connection)) if len(part)]
    return _dated(pd.concat([part.astype(object) for part in parts], ignore_index=True)) if parts else _no_gaps()


def _no_gaps() -> pd.DataFrame:
    columns = ["dataset", "symbol", "reason", "sessions", "first", "last", "detail"]
    return pd.DataFrame(columns=pd.Index(columns), dtype=object)


def _origins(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.execute(
        """SELECT dataset, coalesce(origin, '') AS endpoint, fallback, count(*) AS answers,
        sum(received)::BIGINT AS received, sum(inserted)::BIGINT AS inserted, sum(changed)::BIGINT AS changed
        FROM dataset_run WHERE received > 0 GROUP BY ALL ORDER BY dataset, received DESC, endpoint, fallback"""
    ).df()


def _restatements(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    frame = connection.execute(
        """SELECT run_id, dataset, symbol, kind, first_date AS first, last_date AS last, changed_rows, fields,
        largest_change, old_sample, new_sample, origin FROM restatement ORDER BY run_id DESC, dataset, symbol LIMIT ?""",
        [_RESTATEMENTS_SHOWN],
    ).df()
    return _dated(frame)


def _circuits(files: StoreFiles, now: datetime) -> tuple[dict[str, Any], ...]:
    held = CircuitFile(files.root, lambda: now).all_open()
    return tuple(
        {"vendor": vendor, "until": circuit.until.isoformat(), "reason": circuit.reason, "strikes": circuit.strikes}
        for vendor, circuit in sorted(held.items())
    )


def _runs(files: StoreFiles) -> tuple[dict[str, Any], ...]:
    runs = []
    for record in islice(past_runs(files), _RUNS_SHOWN):
        datasets = record.pop("datasets", [])
        for name in ("inserted", "changed", "quarantined"):
            record[name] = sum(item[name] for item in datasets)
        runs.append(record)
    return tuple(runs)
