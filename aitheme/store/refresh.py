"""Bring a store up to date from one source: fetch, check, merge, publish; or change nothing at all."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

from aitheme.calendar import calendar_for
from aitheme.errors import AithemeError, NothingUsableError, StoreError
from aitheme.store.files import SCHEMA_VERSION, StoreFiles
from aitheme.store.live import LiveRecorder
from aitheme.store.merge import merge_batch, record_dataset

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from aitheme.sources.base import Batch, FetchRequest, Source
    from aitheme.store.merge import MergeCount

__all__ = ["RefreshReport", "Universe", "refresh"]

Universe = Literal["theme", "all"]
Progress = Callable[[str], None]
_CALENDAR_START = date(2005, 1, 4)
# Batches fetched before the database takes them; a few, because the bulk of a source's rows may be in one.
_AHEAD = 4
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class DatasetCount:
    """What a refresh did to one dataset, summed over its batches."""

    dataset: str
    received: int
    inserted: int
    changed: int
    quarantined: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """Outcome of a refresh.

    Parameters
    ----------
    status
        ``published`` (a new snapshot), ``unchanged`` (the source has nothing new; nothing was written).
    snapshot
        The snapshot that is current now.
    failures
        One line for each dataset and symbol a live vendor could not settle; they are asked again next time.
    """

    run_id: str
    source: str
    simulated: bool
    status: Literal["published", "unchanged"]
    snapshot: str
    seconds: float
    datasets: tuple[DatasetCount, ...]
    failures: tuple[str, ...] = ()

    @property
    def quarantined(self) -> int:
        """Rows set aside by this run."""
        return sum(item.quarantined for item in self.datasets)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        return asdict(self)


def refresh(
    files: StoreFiles,
    source: Source,
    request: FetchRequest,
    *,
    universe: Universe,
    progress: Progress | None = None,
) -> RefreshReport:
    """Fetch from a source into a new snapshot.

    Parameters
    ----------
    files
        The store.
    source
        Where the data comes from.
    request
        Symbols and dates wanted.
    universe
        ``theme`` or ``all``; recorded with the run.
    progress
        Called with a line for each step.

    Returns
    -------
    RefreshReport

    Raises
    ------
    StoreError
        The directory cannot be written, another refresh runs, or simulated and real data would mix.
    AithemeError
        The source is unusable; the store keeps its last snapshot.
    """
    tell = progress or (lambda _line: None)
    files.prepare()
    started = datetime.now(UTC)
    lock = files.lock()
    try:
        report = _refresh_locked(files, source, request, universe, started, tell)
    except AithemeError as error:
        _log(files, {"source": source.name, "started": started.isoformat(), "status": "failed", "error": str(error)})
        raise
    finally:
        files.work.unlink(missing_ok=True)
        lock.release()
    _log(files, {"started": started.isoformat(), **report.to_dict()})
    return report


def _refresh_locked(
    files: StoreFiles, source: Source, request: FetchRequest, universe: Universe, started: datetime, tell: Progress
) -> RefreshReport:
    fingerprint = f"{source.name}:{universe}:{request.since}:{request.until}:{_digest(request)}:{source.fingerprint()}"
    run_id = started.strftime("%Y%m%dT%H%M%S%fZ")
    current = files.current()
    if current is not None and _already_have(current, source, universe, fingerprint):
        tell("nothing new since the last refresh")
        return RefreshReport(run_id, source.name, source.simulated, "unchanged", current.name, _since(started), ())
    tell("preparing the working copy")
    empty = files.start_work()
    connection = _open_work(files.work, source, empty=empty)
    recorder = LiveRecorder(run_id)
    try:
        counts = _load(connection, source, request, run_id, tell, recorder)
        # A run that left something open must not pass for complete, or the next one would find nothing to do.
        seen = None if recorder.failures else fingerprint
        finished = datetime.now(UTC).replace(tzinfo=None)
        details = json.dumps([asdict(item) for item in counts])
        connection.execute(
            "INSERT INTO refresh_run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [run_id, source.name, started.replace(tzinfo=None), finished, universe, request.since, request.until, seen,
             "published", details],
        )  # fmt: skip
        connection.execute("CHECKPOINT")
    finally:
        connection.close()
    tell("publishing")
    snapshot = files.publish()
    failures = tuple(recorder.failures)
    return RefreshReport(
        run_id, source.name, source.simulated, "published", snapshot.name, _since(started), counts, failures
    )


def _since(started: datetime) -> float:
    return round((datetime.now(UTC) - started).total_seconds(), 3)


def _digest(request: FetchRequest) -> str:
    import hashlib

    return (
        "all"
        if request.symbols is None
        else hashlib.sha256(",".join(sorted(request.symbols)).encode()).hexdigest()[:16]
    )


def _already_have(current: Path, source: Source, universe: Universe, fingerprint: str) -> bool:
    """Tell whether the last run of this source and universe saw exactly what the source has now."""
    import duckdb

    with duckdb.connect(str(current), read_only=True) as connection:
        _check_kind(connection, source)
        rows = connection.execute(
            "SELECT fingerprint FROM refresh_run WHERE source = ? AND universe = ? ORDER BY started DESC LIMIT 1",
            [source.name, universe],
        ).fetchall()
    return rows == [(fingerprint,)]


def _open_work(path: Path, source: Source, *, empty: bool) -> duckdb.DuckDBPyConnection:
    import duckdb

    connection = duckdb.connect(str(path))
    if empty:
        connection.execute(resources.files("aitheme").joinpath("store/schema.sql").read_text(encoding="utf-8"))
        connection.execute(
            "INSERT INTO meta VALUES ('schema_version', ?), ('simulated', ?)",
            [SCHEMA_VERSION, str(source.simulated).lower()],
        )
        _write_sessions(connection)
    _check_kind(connection, source)
    return connection


def _write_sessions(connection: duckdb.DuckDBPyConnection) -> None:
    import pandas as pd

    for exchange in ("XSHG", "XHKG", "XNYS"):
        calendar = calendar_for(exchange)
        frame = pd.DataFrame({"session": calendar.sessions(_CALENDAR_START, calendar.horizon)})
        connection.register("known_sessions", frame)
        connection.execute("INSERT INTO sessions SELECT ?, session::DATE FROM known_sessions", [exchange])
        connection.unregister("known_sessions")


def _check_kind(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Refuse another schema, and simulated data among real data or the reverse."""
    held = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    if held.get("schema_version") != SCHEMA_VERSION:
        raise StoreError(
            f"data: the store has schema {held.get('schema_version')}, this version writes {SCHEMA_VERSION}; "
            "refresh into a new --data directory"
        )
    if held.get("simulated") != str(source.simulated).lower():
        kind = "simulated" if held.get("simulated") == "true" else "real"
        raise StoreError(
            f"data: the store holds {kind} data and {source.name!r} is not; use another --data directory for it"
        )


def _load(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    request: FetchRequest,
    run_id: str,
    tell: Progress,
    recorder: LiveRecorder,
) -> tuple[DatasetCount, ...]:
    """Merge every batch, all in one transaction: a refresh is there as a whole or not at all."""
    connection.execute("BEGIN")
    totals: dict[str, list[tuple[MergeCount, tuple[str, ...]]]] = {}
    for batch in _ahead(source.batches(request)):
        tell(f"{batch.dataset}: {batch.table.num_rows:,} rows from {batch.origin or source.name}")
        count = merge_batch(connection, batch, run_id)
        record_dataset(connection, run_id, batch, count)
        recorder(connection, batch)
        totals.setdefault(batch.dataset, []).append((count, batch.notes))
    connection.execute("COMMIT")
    if not any(count.received for items in totals.values() for count, _ in items):
        raise NothingUsableError(
            f"refresh: {source.name} delivered nothing for this request; check --universe, --since and --until"
        )
    return tuple(
        DatasetCount(
            dataset,
            sum(count.received for count, _ in items),
            sum(count.inserted for count, _ in items),
            sum(count.changed for count, _ in items),
            sum(count.quarantined for count, _ in items),
            tuple(note for _, notes in items for note in notes),
        )
        for dataset, items in totals.items()
    )


def _ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield batches while a thread fetches the next ones: the source works as the database writes."""
    ready: queue.Queue[Batch | BaseException | None] = queue.Queue(_AHEAD)
    stopped = threading.Event()

    def put(item: Batch | BaseException | None) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=_POLL)
            except queue.Full:
                continue
            return True
        return False

    def fetch() -> None:
        try:
            if all(put(batch) for batch in batches):
                put(None)
        except BaseException as error:  # noqa: BLE001 (whatever the source raises is raised to the caller)
            put(error)

    worker = threading.Thread(target=fetch, name="aitheme-source", daemon=True)
    worker.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        worker.join()


def _log(files: StoreFiles, record: dict[str, Any]) -> None:
    with files.run_log.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(record, ensure_ascii=False, default=str) + "\n")
