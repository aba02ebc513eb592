"""Bring a store up to date from one source: fetch, check, merge, publish; or change nothing at all."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from aitheme.errors import NothingUsableError, StoreError
from aitheme.store.merge import merge_batch, record_dataset
from aitheme.store.runlog import RunLog
from aitheme.store.work import Run, check_kind, describe, open_work, writing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb

    from aitheme.sources.base import Batch, FetchRequest, Source
    from aitheme.store.files import StoreFiles
    from aitheme.store.live import LiveRecorder
    from aitheme.store.merge import MergeCount
    from aitheme.store.work import Work

__all__ = ["RefreshReport", "Universe", "refresh"]

Universe = Literal["theme", "all"]
Progress = Callable[[str], None]
_FAILURES_LOGGED = 20
# Batches fetched before the database takes them; a few, because the bulk of a source's rows may be in one.
_AHEAD = 4
_POLL = 0.05
_STOP_SECONDS = 5.0


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
    resumes
        The interrupted run whose finished work this one went on from.
    remarks
        What had to be said about the working file.
    """

    run_id: str
    source: str
    simulated: bool
    status: Literal["published", "unchanged"]
    snapshot: str
    seconds: float
    datasets: tuple[DatasetCount, ...]
    failures: tuple[str, ...] = ()
    resumes: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def quarantined(self) -> int:
        """Rows set aside by this run."""
        return sum(item.quarantined for item in self.datasets)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        return asdict(self)

    def _repr_html_(self) -> str:
        import pandas as pd

        from aitheme.display import Rows, card

        counts = ("dataset", "received", "inserted", "changed", "quarantined")
        rows = pd.DataFrame([{name: getattr(item, name) for name in counts} for item in self.datasets])
        title = f"{self.status}: {self.snapshot} from {self.source} in {self.seconds:.1f} s"
        told = [f"not settled: {line}" for line in self.failures]
        return card(title, told, [Rows(rows, formats=dict.fromkeys(counts[1:], ",d"))], simulated=self.simulated)


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
        Symbols, dates and datasets wanted. An incremental one is completed by what the store knows, and what it
        brought outlives an interruption: the next incremental refresh from the same source goes on from there.
    universe
        ``theme`` or ``all``; recorded with the run.
    progress
        Called with a line for each step.

    Returns
    -------
    RefreshReport

    Raises
    ------
    StoreBusyError
        Another refresh runs on this store.
    StoreError
        The directory cannot be written, or simulated and real data would mix.
    AithemeError
        The source is unusable; the store keeps its last snapshot.
    """
    files.prepare()
    started = datetime.now(UTC)
    lock = files.lock()
    log = RunLog(files, progress or (lambda _line: None))
    run = Run.of(source, request, universe, started)
    teller = Teller(progress, log)
    try:
        teller.log(f"refresh {run.run_id} from {run.source}, universe {universe}, datasets {run.datasets or 'all'}")
        report = _refresh_locked(files, source, request, run, teller)
    except BaseException as error:
        _log_failure(log, run, error, teller)
        raise
    else:
        _log_success(log, run, report)
    finally:
        log.close()
        lock.release()
    return report


@dataclass(slots=True)
class Teller:
    """Says what happens: every step to whoever watches, what matters later also to the log.

    Parameters
    ----------
    progress
        Who watches; None for nobody.
    record
        The store's logs.
    failures
        What could not be settled, for the record of a run that fails.
    """

    progress: Progress | None
    record: RunLog
    failures: list[str] = field(default_factory=list)

    def __call__(self, line: str) -> None:
        """Say a step."""
        if self.progress is not None:
            self.progress(line)

    def log(self, line: str) -> None:
        """Say a line and keep it."""
        self(line)
        self.record.say(line)


def _log_failure(log: RunLog, run: Run, error: BaseException, teller: Teller) -> None:
    status = "failed" if isinstance(error, Exception) else "interrupted"
    log.say(f"{status}: {describe(error)}")
    log.record(
        {
            "run_id": run.run_id, "source": run.source, "started": run.started.isoformat(), "universe": run.universe,
            "wanted": run.datasets, "status": status, "error": describe(error),
            "failures": teller.failures[:_FAILURES_LOGGED], "failed": len(teller.failures),
        }
    )  # fmt: skip


def _log_success(log: RunLog, run: Run, report: RefreshReport) -> None:
    for item in report.datasets:
        log.say(
            f"{item.dataset}: {item.received:,} received, {item.inserted:,} new, {item.changed:,} changed, "
            f"{item.quarantined:,} quarantined"
        )
    for line in report.failures:
        log.say(f"not settled: {line}")
    log.say(f"{report.status}: {report.snapshot} in {report.seconds:.1f} s")
    values = report.to_dict()
    values.update(failures=report.failures[:_FAILURES_LOGGED], failed=len(report.failures))
    log.record({"started": run.started.isoformat(), "universe": run.universe, "wanted": run.datasets, **values})


def _refresh_locked(
    files: StoreFiles, source: Source, request: FetchRequest, run: Run, teller: Teller
) -> RefreshReport:
    fingerprint = (
        f"{run.source}:{run.universe}:{run.datasets}:{request.since}:{request.until}:{_digest(request)}:"
        f"{source.fingerprint()}"
    )
    current = files.current()
    if current is not None and _already_have(current, run, fingerprint):
        teller("nothing new since the last refresh")
        return _report(run, "unchanged", current.name)
    teller("preparing the working copy")
    work = open_work(files, run, teller.log, teller.record.record)
    recorder = _Recorder(run)
    try:
        counts = _load(work, source, request, teller, recorder)
        if current is not None and not counts and not work.resumes:
            teller("nothing is due")
            work.drop()
            return _report(run, "unchanged", current.name, remarks=work.remarks)
        # A run that left something open must not pass for complete, or the next one would find nothing to do.
        work.finish(None if recorder.failures else fingerprint, json.dumps([asdict(item) for item in counts]))
    except BaseException as error:
        teller.failures.extend(recorder.failures)
        if work.abandon(error):
            teller.log("what was finished is kept; the next refresh goes on from there")
        raise
    teller("publishing")
    try:
        with writing(files):
            snapshot = files.publish()
    except StoreError:
        if not run.incremental:
            files.drop_work()
        raise
    return _report(
        run, "published", snapshot.name, counts, failures=recorder.failures, resumes=work.resumes, remarks=work.remarks
    )


def _report(
    run: Run,
    status: Literal["published", "unchanged"],
    snapshot: str,
    counts: tuple[DatasetCount, ...] = (),
    *,
    failures: Sequence[str] = (),
    resumes: str | None = None,
    remarks: Sequence[str] = (),
) -> RefreshReport:
    seconds = round((datetime.now(UTC) - run.started).total_seconds(), 3)
    return RefreshReport(
        run.run_id, run.source, run.simulated, status, snapshot, seconds, counts, tuple(failures), resumes,
        tuple(remarks),
    )  # fmt: skip


def _digest(request: FetchRequest) -> str:
    import hashlib

    return (
        "all"
        if request.symbols is None
        else hashlib.sha256(",".join(sorted(request.symbols)).encode()).hexdigest()[:16]
    )


def _already_have(current: Path, run: Run, fingerprint: str) -> bool:
    """Tell whether the last run for the same things saw exactly what the source has now."""
    import duckdb

    with duckdb.connect(str(current), read_only=True) as connection:
        check_kind(connection, run)
        rows = connection.execute(
            """SELECT fingerprint FROM refresh_run WHERE source = ? AND universe = ? AND datasets IS NOT DISTINCT FROM ?
            AND status = 'published' ORDER BY started DESC LIMIT 1""",
            [run.source, run.universe, run.datasets],
        ).fetchall()
    return rows == [(fingerprint,)]


class _Recorder:
    """Files what each batch came to; only a live source's batches can fail one by one."""

    def __init__(self, run: Run) -> None:
        self._live: LiveRecorder | None = None
        if run.incremental:
            from aitheme.store.live import LiveRecorder

            self._live = LiveRecorder(run.run_id)

    @property
    def failures(self) -> list[str]:
        """One line for each dataset and symbol that could not be settled."""
        return self._live.failures if self._live is not None else []

    def __call__(self, connection: duckdb.DuckDBPyConnection, batch: Batch) -> bool:
        """Record one batch; return whether it was settled."""
        return self._live is None or self._live(connection, batch)


def _load(
    work: Work, source: Source, request: FetchRequest, teller: Teller, recorder: _Recorder
) -> tuple[DatasetCount, ...]:
    """Merge every batch inside the working file's transactions; return what was done by dataset."""
    if request.incremental:
        from aitheme.sources.akshare.request import LiveRequest
        from aitheme.store.live import known_to

        request = known_to(work.connection, LiveRequest.of(request))
    run_id, connection = work.run.run_id, work.connection
    totals: dict[str, list[tuple[MergeCount, tuple[str, ...]]]] = {}
    for batch in _ahead(source.batches(request)):
        teller(f"{batch.dataset}: {batch.table.num_rows:,} rows from {batch.origin or source.name}")
        with work.batch():
            count = merge_batch(connection, batch, run_id)
            record_dataset(connection, run_id, batch, count)
            work.settled += recorder(connection, batch)
        totals.setdefault(batch.dataset, []).append((count, batch.notes))
    received = sum(count.received for items in totals.values() for count, _ in items)
    idle = not totals and bool(work.resumes or work.base)
    if not received and not (work.run.incremental and (work.settled or idle)):
        raise NothingUsableError(_nothing_usable(source.name, recorder.failures))
    return tuple(_summed(dataset, items) for dataset, items in totals.items())


def _nothing_usable(source: str, failures: list[str]) -> str:
    if failures:
        return (
            f"refresh: {source} delivered nothing ({len(failures)} failed, first {failures[0]}); the store is as it was: "
            "see `aitheme status` for vendors that are left alone, and run again later"
        )
    return f"refresh: {source} delivered nothing for this request; check --universe, --since and --until"


def _summed(dataset: str, items: list[tuple[MergeCount, tuple[str, ...]]]) -> DatasetCount:
    return DatasetCount(
        dataset,
        sum(count.received for count, _ in items),
        sum(count.inserted for count, _ in items),
        sum(count.changed for count, _ in items),
        sum(count.quarantined for count, _ in items),
        tuple(note for _, notes in items for note in notes),
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
        # A vendor may take its time to answer; nobody waits for what is not wanted any more.
        worker.join(_STOP_SECONDS)
