"""The writer's working file: laid out from the current snapshot, or taken up where an interrupted run left it.

A live refresh commits every batch together with its watermark, its attempts and its quarantined rows, so a working file
that outlives its run holds whole batches only. The next live refresh goes on from it when nothing about it is doubtful.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from aitheme.calendar import calendar_for
from aitheme.errors import StoreError
from aitheme.store.files import SCHEMA_VERSION, StoreFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import duckdb

    from aitheme.sources.base import FetchRequest, Source

__all__ = ["Run", "Work", "check_kind", "describe", "open_work", "writing"]

_CALENDAR_START: Final = date(2005, 1, 4)
# A kill loses what came since the last commit; a vendor that is asked once a second never waits for one.
_COMMIT_SECONDS: Final = 0.5
KILLED: Final = "ended without a word: killed, or the machine went down"


@dataclass(frozen=True, slots=True)
class Run:
    """Who refreshes what.

    Parameters
    ----------
    run_id
        Moment the run began, to the microsecond (UTC).
    incremental
        Whether batches are kept as they come.
    datasets
        Names wanted, joined by commas; None means all.
    """

    run_id: str
    source: str
    simulated: bool
    incremental: bool
    started: datetime
    universe: str
    datasets: str | None
    since: date | None
    until: date | None

    @classmethod
    def of(cls, source: Source, request: FetchRequest, universe: str, started: datetime) -> Run:
        """Describe a run before it begins."""
        named = ",".join(sorted(request.datasets)) if request.datasets is not None else None
        run_id = started.strftime("%Y%m%dT%H%M%S%fZ")
        return cls(
            run_id, source.name, source.simulated, request.incremental, started, universe, named, request.since,
            request.until,
        )  # fmt: skip


@contextmanager
def writing(files: StoreFiles) -> Iterator[None]:
    """Turn what the disk refuses into an error that says what to do.

    Raises
    ------
    StoreError
        The disk is full, read-only or broken.
    """
    import duckdb

    try:
        yield
    except (duckdb.OperationalError, duckdb.FatalException, OSError) as error:
        first = str(error).splitlines()[0][:200]
        raise StoreError(
            f"data: {files.root} could not be written ({first}); the last snapshot is untouched: make room or mend the "
            "disk, then run again"
        ) from error


@dataclass(slots=True)
class Work:
    """An open working file and the run that writes it.

    Parameters
    ----------
    base
        The snapshot it was made from; None for an empty store.
    resumes
        The interrupted run whose finished batches it holds already.
    remarks
        What had to be said about the working file.
    settled
        Batches of this run that were settled.
    """

    files: StoreFiles
    run: Run
    connection: duckdb.DuckDBPyConnection
    base: str | None = None
    resumes: str | None = None
    remarks: list[str] = field(default_factory=list)
    settled: int = 0
    _whole: bool = True
    _open: bool = False
    _committed: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        """Record the run as running and open a transaction."""
        run = self.run
        self.connection.execute("BEGIN")
        self.connection.execute(
            """INSERT INTO refresh_run (run_id, source, started, universe, datasets, since, until, status, base, resumes)
            VALUES (?, ?, ?, ?, ?, ?, ?, 'running', ?, ?)""",
            [run.run_id, run.source, run.started.replace(tzinfo=None), run.universe, run.datasets, run.since, run.until,
             self.base, self.resumes],
        )  # fmt: skip
        _write_sessions(self.connection)
        self._open = True
        if run.incremental:
            self._commit()
            self.connection.execute("BEGIN")
            self._open = True

    def _commit(self) -> None:
        self._open = False
        self.connection.execute("COMMIT")
        self._committed = time.monotonic()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Mark the merging of one batch: only whole batches are ever committed."""
        self._whole = False
        with writing(self.files):
            yield
            self._whole = True
            if self.run.incremental and time.monotonic() - self._committed >= _COMMIT_SECONDS:
                self._commit()
                self.connection.execute("BEGIN")
                self._open = True

    def finish(self, fingerprint: str | None, details: str) -> None:
        """Record the run as published, and close the file."""
        with writing(self.files):
            self.connection.execute(
                "UPDATE refresh_run SET finished = ?, fingerprint = ?, status = 'published', details = ? WHERE run_id = ?",
                [datetime.now(UTC).replace(tzinfo=None), fingerprint, details, self.run.run_id],
            )
            self._commit()
            self.connection.execute("CHECKPOINT")
            self.connection.close()

    def drop(self) -> None:
        """Close the file and delete it."""
        self.connection.close()
        self.files.drop_work()

    def abandon(self, error: BaseException) -> bool:
        """Close the file after an error; return whether its finished batches are kept for the next run."""
        import duckdb

        if not (self.run.incremental and (self.settled or self.resumes)):
            self.drop()
            return False
        try:
            if self._open:
                self.connection.execute("COMMIT" if self._whole else "ROLLBACK")
            self.connection.execute(
                "UPDATE refresh_run SET finished = ?, status = 'interrupted', error = ? WHERE run_id = ?",
                [datetime.now(UTC).replace(tzinfo=None), describe(error), self.run.run_id],
            )
        except duckdb.Error as second:
            # What was committed before stands; the next run finds this one unfinished.
            self.remarks.append(f"the working file could not be closed in order: {str(second).splitlines()[0][:160]}")
        finally:
            self.connection.close()
        return True


def describe(error: BaseException) -> str:
    """Return an error as one line."""
    text = " ".join(str(error).split())
    return text or type(error).__name__


def open_work(
    files: StoreFiles, run: Run, tell: Callable[[str], None], record: Callable[[dict[str, Any]], None]
) -> Work:
    """Open the working file of a run, with its record begun and a transaction open.

    Parameters
    ----------
    files
        The store, locked.
    run
        The run that begins.
    tell
        Called with a line when an earlier run's work is taken up or dropped.
    record
        Called with the record of a run that was killed and could not write its own.

    Raises
    ------
    StoreError
        Another schema, simulated and real data would mix, or the disk refuses.
    """
    current = files.current()
    base = current.name if current is not None else None
    remarks = []
    work = None
    if files.work.exists():
        work, doubt = _taken_up(files, run, base, record)
        remarks.append(
            f"resumed run {work.resumes}: what it finished is not asked again"
            if work is not None
            else f"dropped what an earlier run left unpublished: {doubt}"
        )
        tell(remarks[-1])
    with writing(files):
        if work is None:
            try:
                work = Work(files, run, _laid_out(files, run), base)
            except BaseException:
                # Nothing is in it yet, and on a full disk its room is wanted.
                files.drop_work()
                raise
        work.remarks.extend(remarks)
        work.begin()
    return work


def _taken_up(
    files: StoreFiles, run: Run, base: str | None, record: Callable[[dict[str, Any]], None]
) -> tuple[Work | None, str]:
    """Open what an interrupted run left, or say why it is not to be trusted."""
    import duckdb

    if not run.incremental:
        return None, f"a refresh from {run.source} starts anew"
    try:
        connection = duckdb.connect(str(files.work))
    except duckdb.Error as error:
        return None, f"it cannot be opened ({str(error).splitlines()[0][:120]})"
    try:
        doubt, left = _examined(connection, run, base)
    except duckdb.Error as error:
        doubt, left = f"it cannot be read ({str(error).splitlines()[0][:120]})", ""
    if doubt:
        connection.close()
        return None, doubt
    killed = connection.execute(
        """UPDATE refresh_run SET status = 'interrupted', fingerprint = NULL, error = ?
        WHERE base IS NOT DISTINCT FROM ? AND status <> 'interrupted' RETURNING run_id, started""",
        [KILLED, base],
    ).fetchall()
    for run_id, started in killed:
        begun = started.replace(tzinfo=UTC).isoformat()
        record({"run_id": run_id, "source": run.source, "started": begun, "status": "killed", "error": KILLED})
    return Work(files, run, connection, base, left), ""


def _examined(connection: duckdb.DuckDBPyConnection, run: Run, base: str | None) -> tuple[str, str]:
    """Return what is doubtful about a leftover (or nothing), and the run that left it."""
    meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    if meta.get("schema_version") != SCHEMA_VERSION:
        return f"it has schema {meta.get('schema_version')}, not {SCHEMA_VERSION}", ""
    if meta.get("simulated") != str(run.simulated).lower():
        return "it mixes simulated and real data", ""
    rows = connection.execute(
        "SELECT run_id, source FROM refresh_run WHERE base IS NOT DISTINCT FROM ? ORDER BY started DESC LIMIT 1", [base]
    ).fetchall()
    if not rows:
        return "it was not made from the snapshot that is current now", ""
    left, source = rows[0]
    return ("", left) if source == run.source else (f"it is a refresh from {source}", "")


def _laid_out(files: StoreFiles, run: Run) -> duckdb.DuckDBPyConnection:
    """Return a fresh working file: a copy of the current snapshot, or an empty store."""
    import duckdb

    empty = files.start_work()
    connection = duckdb.connect(str(files.work))
    if empty:
        connection.execute(resources.files("aitheme").joinpath("store/schema.sql").read_text(encoding="utf-8"))
        connection.execute(
            "INSERT INTO meta VALUES ('schema_version', ?), ('simulated', ?)",
            [SCHEMA_VERSION, str(run.simulated).lower()],
        )
    check_kind(connection, run)
    return connection


def _write_sessions(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the table of sessions up to the calendars, which learn each year's holidays late in the year before."""
    import pandas as pd

    for exchange in ("XSHG", "XHKG", "XNYS"):
        calendar = calendar_for(exchange)
        frame = pd.DataFrame({"session": calendar.sessions(_CALENDAR_START, calendar.horizon)})
        connection.register("known_sessions", frame)
        connection.execute(
            """DELETE FROM sessions WHERE exchange = $1
            AND session NOT IN (SELECT session::DATE FROM known_sessions)""",
            [exchange],
        )
        connection.execute(
            """INSERT INTO sessions SELECT $1, session::DATE AS day FROM known_sessions
            WHERE day NOT IN (SELECT session FROM sessions WHERE exchange = $1)""",
            [exchange],
        )
        connection.unregister("known_sessions")


def check_kind(connection: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Refuse another schema, and simulated data among real data or the reverse.

    Raises
    ------
    StoreError
        The store is of another kind than the run.
    """
    held: dict[str, Any] = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    if held.get("schema_version") != SCHEMA_VERSION:
        raise StoreError(
            f"data: the store has schema {held.get('schema_version')}, this version writes {SCHEMA_VERSION}; "
            "refresh into a new --data directory"
        )
    if held.get("simulated") != str(run.simulated).lower():
        kind = "simulated" if held.get("simulated") == "true" else "real"
        raise StoreError(
            f"data: the store holds {kind} data and {run.source!r} is not; use another --data directory for it"
        )
