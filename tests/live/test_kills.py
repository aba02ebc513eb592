"""A refresh killed at any moment leaves the last snapshot as it was, and the next run ends as if nothing happened."""

import hashlib
import shutil
import time

import pytest

from aitheme.store import StoreFiles, open_market
from tests.live import worker
from tests.live.worker import DAY_ONE, DAY_TWO, PATHS, Trial
from tests.vendors import vendor_payloads as vendor
from tests.vendors.stub_market import StubMarket
from tests.vendors.vendor_stub import VendorStub

# What tells one run from another: its name, its clock, who answered in how many seconds.
RUNS = {"refresh_run", "dataset_run", "attempt"}
COUNTED = 100


@pytest.fixture(scope="module")
def server():
    """Vendors at day two: more sessions than at day one, one stock restated and one with an ex-date meanwhile."""
    market = StubMarket()
    for symbol in worker.SYMBOLS:
        market.add(symbol, price=3500.0 if symbol == "000300.SH" else 20.0)
    market.stocks["600000.SH"].hfq = [("1900-01-01", "1.0"), ("2024-03-20", "1.25")]
    market.pages["ys.endata.cn"] = vendor.films([("影片", 1.0e8, 40.0)])
    stub = VendorStub(market)
    yield stub
    stub.close()


def restate(stub):
    """Change a stored bar of one stock at every vendor."""
    stock = stub.route.stocks["300364.SZ"]
    row = next(n for n, bar in enumerate(stock.bars) if str(bar[0]) == "2024-03-12")
    day, o, h, lo, c, volume, amount = stock.bars[row]
    stock.bars[row] = (day, o, h, lo, c, volume + 100, amount + round(100 * c))


@pytest.fixture(scope="module")
def scene(server, tmp_path_factory):
    """For each path: a store at day one, what day two makes of it undisturbed, and how long that takes."""
    made = {}
    for path in PATHS:
        root = tmp_path_factory.mktemp(path)
        assert Trial(path, root / "one", DAY_ONE, server.port).end() == 0
        if path == "live":
            restate(server)
        shutil.copytree(root / "one", root / "two")
        started = time.monotonic()
        assert Trial(path, root / "two", DAY_TWO, server.port).end() == 0
        made[path] = (root / "one", tables(root / "two"), time.monotonic() - started)
        assert made[path][1] != tables(root / "one")
    return made


def tables(root):
    """Return every table's rows without the bookkeeping of runs."""
    with open_market(root) as market:
        names = market.sql("SELECT table_name FROM duckdb_tables() ORDER BY 1")["table_name"]
        held = {}
        for name in set(names) - RUNS:
            dropped = [c for c in market.sql(f"SELECT * FROM {name} LIMIT 0").columns if c in {"run_id", "replaced"}]
            frame = market.sql(
                f"SELECT * EXCLUDE ({', '.join(dropped)}) FROM {name}" if dropped else f"SELECT * FROM {name}"
            )
            held[name] = sorted(map(repr, frame.itertuples(index=False, name=None)))
        return held


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def survives(path, root, scene, kill, port):
    """Kill a refresh of a copy of the store, then look at the store and run again; return whether the kill hit."""
    base, undisturbed, seconds = scene[path]
    shutil.copytree(base, root)
    before = StoreFiles(root).current()
    held = digest(before)
    hit = kill(seconds)
    after = StoreFiles(root).current()
    assert after is not None
    if after.name == before.name:
        assert digest(after) == held
    else:
        assert tables(root) == undisturbed, "published, so it must be whole"
    tables(root)
    assert Trial(path, root, DAY_TWO, port).end() == 0
    assert tables(root) == undisturbed
    assert not (root / "work.duckdb").exists()
    return hit


def spread(count):
    """The first few kills are in every test run, the others in the soak."""
    early = (0.15, 0.5, 0.85)
    moments = [*early, *worker.moments(count, count - len(early))]
    return [
        pytest.param(fraction, marks=() if n < len(early) else pytest.mark.soak, id=f"{n}")
        for n, fraction in enumerate(moments)
    ]


@pytest.mark.trial("kill -9 at a random moment, live path")
@pytest.mark.parametrize("fraction", spread(COUNTED // 2))
def test_live_refresh_killed(fraction, tmp_path, scene, server):
    def kill(seconds):
        return Trial("live", tmp_path / "store", DAY_TWO, server.port).killed_after(fraction * seconds)

    survives("live", tmp_path / "store", scene, kill, server.port)


@pytest.mark.trial("kill -9 at a random moment, demo source")
@pytest.mark.parametrize("fraction", spread(COUNTED // 2))
def test_demo_refresh_killed(fraction, tmp_path, scene, server):
    def kill(seconds):
        return Trial("demo", tmp_path / "store", DAY_TWO).killed_after(fraction * seconds)

    survives("demo", tmp_path / "store", scene, kill, server.port)


@pytest.mark.trial("kill -9 at each step on a file")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("step", [pytest.param(n, marks=() if n == 8 else pytest.mark.soak) for n in range(1, 25)])
def test_refresh_killed_at_a_file_step(path, step, tmp_path, scene, server):
    def kill(_seconds):
        return Trial(path, tmp_path / "store", DAY_TWO, server.port, step).end() != 0

    if not survives(path, tmp_path / "store", scene, kill, server.port):
        pytest.skip(f"a refresh has fewer than {step} steps")
