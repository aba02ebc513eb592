"""Readers and one writer: nobody waits, nobody sees half a refresh, nothing changes under an open notebook."""

import time
from dataclasses import dataclass

import numpy as np
import pytest

from aitheme.calendar import calendar_for
from aitheme.errors import StoreError
from aitheme.sources.base import Batch, FetchRequest, to_table
from aitheme.store import StoreFiles, open_market, refresh
from tests.live import worker

SESSIONS = calendar_for("XSHG").sessions("2023-09-01", "2024-03-29").date
SYMBOLS = [f"600{n:03d}.SH" for n in range(20)]


@dataclass
class Numbered:
    """A source whose every close is the number of its publication: a reader that sees two numbers saw two refreshes."""

    number: int
    name: str = "numbered"
    simulated: bool = False

    def fingerprint(self):
        return str(self.number)

    def batches(self, _request):
        sessions = SESSIONS[: 100 + self.number]
        count = len(sessions) * len(SYMBOLS)
        price = np.full(count, float(self.number))
        columns = dict.fromkeys(("open", "high", "low", "close"), price) | {
            "symbol": np.repeat(SYMBOLS, len(sessions)), "session": np.tile(sessions, len(SYMBOLS)),
            "volume": price, "amount": price, "turnover": price * 0, "adj_factor": price, "quality": np.zeros(count, "i1"),
        }  # fmt: skip
        yield Batch("bars", to_table("bars", columns))


def publish(root, number):
    return refresh(StoreFiles(root), Numbered(number), FetchRequest(), universe="all")


def look(market):
    """Return what one connection sees: every query must tell of the same publication."""
    count, low, high = market.sql("SELECT count(*), min(close), max(close) FROM bars").iloc[0]
    runs = int(market.sql("SELECT count(*) AS n FROM refresh_run").iloc[0, 0])
    sessions = int(market.sql("SELECT count(DISTINCT session) AS n FROM bars").iloc[0, 0])
    assert low == high == runs, (low, high, runs)
    assert sessions == 100 + low
    assert count == sessions * len(SYMBOLS)
    return int(low)


def read(root, stop, results):
    """Read in a loop, each market several times over, until told to stop; report what was seen or what went wrong."""
    seen, reads = set(), 0
    try:
        while not stop.is_set():
            with open_market(root) as market:
                first = look(market)
                for _ in range(3):
                    assert look(market) == first, "an open market changed"
                    reads += 4
                with market.reload() as fresh:
                    later = look(fresh)
                assert look(market) == first, "reloading changed an open market"
                assert later >= first
                seen |= {first, later}
        results.put(("fine", sorted(seen), reads))
    except BaseException as error:  # noqa: BLE001  (whatever it is, the test is to show it)
        results.put(("failed", repr(error), reads))


@pytest.mark.trial("publications under readers")
@pytest.mark.parametrize(
    ("readers", "publications"), [(2, 4), pytest.param(8, 20, marks=pytest.mark.soak)], ids=["few", "many"]
)
def test_readers_never_notice_the_writer(tmp_path, readers, publications):
    root = tmp_path / "store"
    publish(root, 1)
    context = worker.context()
    stop, results = context.Event(), context.Queue()
    processes = [context.Process(target=read, args=(root, stop, results), daemon=True) for _ in range(readers)]
    for process in processes:
        process.start()
    for number in range(2, publications + 1):
        assert publish(root, number).status == "published"
        time.sleep(0.1)
    stop.set()
    told = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(30)
    assert [kind for kind, *_ in told] == ["fine"] * readers, told
    assert any(publications in seen for _, seen, _ in told)
    assert len(StoreFiles(root).published()) == 3


@pytest.mark.trial("a second writer")
def test_a_second_writer_is_refused_with_a_clear_line(tmp_path):
    root = tmp_path / "store"
    publish(root, 1)
    lock = StoreFiles(root).lock()
    try:
        with pytest.raises(StoreError, match="another refresh is writing") as caught:
            publish(root, 2)
    finally:
        lock.release()
    assert "\n" not in str(caught.value)
    assert publish(root, 2).status == "published"


@pytest.mark.trial("a snapshot pruned under its reader")
def test_a_reader_keeps_a_snapshot_that_was_pruned(tmp_path):
    """POSIX keeps an unlinked file for who has it open; Windows refuses to unlink, and the file goes later."""
    root = tmp_path / "store"
    publish(root, 1)
    with open_market(root) as market:
        name = market.snapshot.name
        for number in range(2, 6):
            publish(root, number)
        assert look(market) == 1
        with market.reload() as fresh:
            assert look(fresh) == 5
    publish(root, 6)
    assert name not in {path.name for path in StoreFiles(root).published()}
    assert len(StoreFiles(root).published()) == 3
