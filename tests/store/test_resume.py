"""A live refresh that is interrupted keeps what it finished; the next one goes on from there, or says why not."""

import importlib
import json
import os
import signal
import subprocess
import sys

import duckdb
import pytest

from aitheme.errors import NothingUsableError, StoreBusyError, StoreError
from aitheme.sources.akshare import LiveRequest, NetworkFailure, OfflineError
from aitheme.sources.base import FetchRequest
from aitheme.sources.demo import DemoSource
from aitheme.store import StoreFiles, refresh, store_status, work
from aitheme.store.runlog import past_runs
from tests.conftest import PROJECT
from tests.store.prepared import SESSIONS, Live, Vendor, bars, contents, run

SYMBOLS = [f"60{n:04}.SH" for n in range(8)]
FIRST = SESSIONS[:10]


@pytest.fixture(autouse=True)
def _commit_every_batch(monkeypatch):
    monkeypatch.setattr(work, "_COMMIT_SECONDS", 0.0)


@pytest.fixture
def files(tmp_path):
    return StoreFiles(tmp_path / "store")


@pytest.fixture
def undisturbed(tmp_path):
    """What the tables hold after the same refreshes without an interruption."""
    files = StoreFiles(tmp_path / "undisturbed")
    live(files, Vendor(SYMBOLS[:3], sessions=FIRST, day="before"))
    live(files, Vendor(SYMBOLS))
    return contents(files)


def live(files, source, lines=None):
    return refresh(files, source, LiveRequest(), universe="theme", progress=None if lines is None else lines.append)


def interrupt(files, stop, after=3):
    live(files, Vendor(SYMBOLS[:3], sessions=FIRST, day="before"))
    snapshot = files.current().read_bytes()
    with pytest.raises(type(stop)):
        live(files, Vendor(SYMBOLS, stop=stop, after=after))
    assert files.current().read_bytes() == snapshot
    return Vendor(SYMBOLS)


@pytest.mark.parametrize(
    ("kind", "said"),
    [(KeyboardInterrupt, ""), (OfflineError, "network: gone"), (RuntimeError, "a bug"), (SystemExit, "1")],
)
def test_the_next_refresh_goes_on_where_the_interrupted_one_stopped(files, undisturbed, kind, said):
    again = interrupt(files, kind(said))
    lines = []
    report = live(files, again, lines)
    assert again.asked == SYMBOLS[3:]
    assert contents(files) == undisturbed
    assert not files.work.exists()
    interrupted, published = list(past_runs(files))[1], next(iter(past_runs(files)))
    assert (report.resumes, published["resumes"]) == (interrupted["run_id"], interrupted["run_id"])
    assert interrupted["status"] == ("failed" if issubclass(kind, Exception) else "interrupted")
    assert any(line.startswith(f"resumed run {report.resumes}") for line in lines)
    with duckdb.connect(str(files.current()), read_only=True) as connection:
        held = connection.execute("SELECT status, resumes, error FROM refresh_run ORDER BY started").fetchall()
    assert held[1][0] == "interrupted"
    assert held[1][2] == (said or kind.__name__)
    assert held[2][:2] == ("published", report.resumes)


def test_interrupted_again_and_again(files, undisturbed):
    interrupt(files, RuntimeError("one"))
    for after in (1, 2):
        with pytest.raises(RuntimeError):
            live(files, Vendor(SYMBOLS, stop=RuntimeError("more"), after=after))
    last = Vendor(SYMBOLS)
    live(files, last)
    assert last.asked == SYMBOLS[6:]
    assert contents(files) == undisturbed


def test_a_refresh_of_other_datasets_publishes_what_was_left(files):
    interrupt(files, KeyboardInterrupt())
    report = refresh(files, Live(), LiveRequest(datasets=frozenset({"consensus"})), universe="theme")
    assert report.status == "published"
    with duckdb.connect(str(files.current()), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM watermark WHERE through = ?", [SESSIONS[-1]]).fetchall() == [
            (3,)
        ]


def test_interrupted_before_anything_was_finished_leaves_nothing(files):
    with pytest.raises(OfflineError):
        live(files, Vendor(SYMBOLS, stop=OfflineError("network: gone")))
    assert not files.work.exists()
    assert files.current() is None
    failed = bars(SYMBOLS[0], [], outcome=NetworkFailure("push2his.eastmoney.com", "timed out"))
    with pytest.raises(NothingUsableError, match=r"1 failed, first bars 600000\.SH: push2his"):
        run(files, failed)
    assert not files.work.exists()
    assert next(past_runs(files))["failures"] == ["bars 600000.SH: push2his.eastmoney.com: timed out"]


def dropped(files, source, lines):
    live(files, source, lines)
    assert source.asked == SYMBOLS
    assert not files.work.exists()
    return next(line for line in lines if line.startswith("dropped what an earlier run left"))


def test_work_that_is_no_database_is_dropped(files, undisturbed):
    again = interrupt(files, KeyboardInterrupt())
    files.work.write_bytes(b"half a database")
    assert "it cannot be opened" in dropped(files, again, [])
    assert contents(files) == undisturbed


def test_work_of_another_schema_is_dropped(files):
    again = interrupt(files, KeyboardInterrupt())
    with duckdb.connect(str(files.work)) as connection:
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
    assert "it has schema 1, not 2" in dropped(files, again, [])


def test_work_made_from_another_snapshot_is_dropped(files):
    again = interrupt(files, KeyboardInterrupt())
    left = files.work.read_bytes()
    files.drop_work()
    run(files, bars(SYMBOLS[0], FIRST), day="another")
    files.work.write_bytes(left)
    assert "not made from the snapshot that is current" in dropped(files, again, [])


def test_work_of_another_source_is_dropped(files, made_archive, toy_theme):
    from aitheme.sources.archive import ArchiveSource

    interrupt(files, KeyboardInterrupt())
    lines = []
    request = FetchRequest()
    refresh(files, ArchiveSource(made_archive, toy_theme), request, universe="all", progress=lines.append)
    assert any("a refresh from archive starts anew" in line for line in lines)
    assert not files.work.exists()


def test_a_source_that_comes_as_a_whole_keeps_nothing(files, toy_theme):
    class Broken(DemoSource):
        def batches(self, request):
            yield next(iter(super().batches(request)))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        refresh(files, Broken(toy_theme, background=1), FetchRequest(), universe="theme")
    assert not files.work.exists()


def test_a_batch_that_cannot_be_merged_takes_nothing_half_with_it(files, monkeypatch):
    module = importlib.import_module("aitheme.store.refresh")
    record, calls = module.record_dataset, []

    def failing(connection, run_id, batch, count):
        calls.append(batch.symbol)
        if len(calls) == 3:
            raise duckdb.IOException("No space left on device")
        record(connection, run_id, batch, count)

    monkeypatch.setattr(module, "record_dataset", failing)
    with pytest.raises(StoreError, match=r"could not be written \(No space left.*the last snapshot is untouched"):
        live(files, Vendor(SYMBOLS))
    again = Vendor(SYMBOLS)
    live(files, again)
    assert again.asked == SYMBOLS[2:]
    with duckdb.connect(str(files.current()), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM bars").fetchall() == [(len(SYMBOLS) * len(SESSIONS),)]


KILLED = """
import os, signal, sys
from aitheme.store import work
from tests.store.prepared import Vendor
from tests.store.test_resume import SYMBOLS, live
from aitheme.store import StoreFiles
from pathlib import Path

class Dying(Vendor):
    def batches(self, request):
        for batch in super().batches(request):
            if len(self.asked) == 4:
                import time
                time.sleep(1.0)
                os.kill(os.getpid(), signal.SIGKILL)
            yield batch

work._COMMIT_SECONDS = 0.0
live(StoreFiles(Path(sys.argv[1])), Dying(SYMBOLS))
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_killed_run_is_resumed_and_put_on_record(files, undisturbed):
    live(files, Vendor(SYMBOLS[:3], sessions=FIRST, day="before"))
    before = files.current()
    code = subprocess.run([sys.executable, "-c", KILLED, files.root], cwd=PROJECT, check=False).returncode
    assert code == -signal.SIGKILL
    assert files.current() == before
    assert store_status(files).unfinished
    again = Vendor(SYMBOLS)
    report = live(files, again)
    assert again.asked == SYMBOLS[3:]
    assert contents(files) == undisturbed
    published, killed = list(past_runs(files))[:2]
    assert (killed["run_id"], killed["status"]) == (report.resumes, "killed")
    assert published["resumes"] == report.resumes
    assert not store_status(files).unfinished


def test_nothing_due_is_no_failure_and_publishes_nothing(files):
    live(files, Vendor(SYMBOLS))
    snapshot = files.current()
    report = live(files, Vendor(SYMBOLS, day="a holiday"))
    assert (report.status, files.current()) == ("unchanged", snapshot)
    assert not files.work.exists()
    assert json.loads(files.run_log.read_text(encoding="utf-8").splitlines()[-1])["status"] == "unchanged"


def test_a_second_writer_is_told_to_come_back(files):
    files.prepare()
    lock = files.lock()
    try:
        with pytest.raises(StoreBusyError, match="another refresh is writing"):
            live(files, Vendor(SYMBOLS))
    finally:
        lock.release()
    assert not files.run_log.exists()
