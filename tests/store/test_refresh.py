import hashlib
import json
import os
from datetime import UTC, date, datetime

import duckdb
import pandas as pd
import pytest
from filelock import FileLock

from aitheme.errors import ArchiveError, DateRangeError, StoreError, UnknownNameError
from aitheme.sources.archive import ArchiveSource
from aitheme.sources.base import FetchRequest
from aitheme.sources.demo import DemoSource
from aitheme.store import StoreFiles, open_market, refresh, store_status
from tests.conftest import made_bars

TABLES = ("securities", "bars", "indices", "index_bars", "factors", "consensus", "capex", "quarantine", "sessions")


@pytest.fixture
def files(tmp_path):
    return StoreFiles(tmp_path / "store")


def run(files, root, theme, **request):
    return refresh(files, ArchiveSource(root, theme), FetchRequest(**request), universe="all")


def digest(files):
    """A digest of every data table of the current snapshot, without run ids and times."""
    parts = []
    with duckdb.connect(str(files.current()), read_only=True) as connection:
        for table in TABLES:
            columns = "* EXCLUDE (run_id)" if table == "quarantine" else "*"
            rows = connection.execute(f"SELECT {columns} FROM {table} ORDER BY ALL").fetchall()
            parts.append(hashlib.sha256(repr(rows).encode()).hexdigest())
    return parts


def test_a_refresh_publishes_a_snapshot_with_its_record(files, made_archive, toy_theme):
    report = run(files, made_archive, toy_theme)
    assert report.status == "published"
    assert files.current().name == report.snapshot
    assert {item.dataset: item.inserted for item in report.datasets}["bars"] == 3 * 118 + 20
    assert not files.work.exists()
    with open_market(files.root) as market:
        assert market.source == "archive"
        assert not market.simulated
        assert market.span == (date(2023, 1, 3), date(2023, 6, 30))


def test_twice_is_once(files, made_archive, toy_theme):
    first = run(files, made_archive, toy_theme)
    before = digest(files)
    again = run(files, made_archive, toy_theme)
    assert (again.status, again.snapshot) == ("unchanged", first.snapshot)
    os.utime(made_archive / "index.csv", (1, 1))
    third = run(files, made_archive, toy_theme)
    assert third.status == "published"
    assert sum(item.inserted + item.changed for item in third.datasets) == 0
    assert digest(files) == before


def test_new_days_are_added_and_restated_ones_replaced(files, made_archive, toy_theme):
    path = made_archive / "bars" / "300222.csv"
    whole = pd.read_csv(path, dtype={"股票代码": str})
    whole.iloc[:100].to_csv(path, index=False)
    run(files, made_archive, toy_theme)
    restated = whole.copy()
    restated.loc[3, "成交额"] += 1000.0
    restated.to_csv(path, index=False)
    report = run(files, made_archive, toy_theme)
    (bars,) = [item for item in report.datasets if item.dataset == "bars"]
    assert (bars.inserted, bars.changed) == (18, 1)
    with open_market(files.root) as market:
        amount = market.sql("SELECT amount FROM bars WHERE symbol = '300222.SZ' ORDER BY session")["amount"]
        assert len(amount) == 118
        assert amount[3] == restated["成交额"][3]


def test_what_fails_a_check_goes_to_quarantine_with_its_reason(files, made_archive, toy_theme):
    path = made_archive / "bars" / "300222.csv"
    frame = pd.read_csv(path, dtype={"股票代码": str})
    frame.loc[4, "最高"] = frame.loc[4, "最低"] - 1
    frame.loc[6, "收盘"] = frame.loc[6, "最高"] + 1
    frame.loc[8, "收盘"] = -3.0
    frame.to_csv(path, index=False)
    report = run(files, made_archive, toy_theme)
    assert report.quarantined == 3
    with open_market(files.root) as market:
        held = market.sql("SELECT session, reason, raw FROM quarantine WHERE symbol = '300222.SZ' ORDER BY session")
        assert held["reason"].tolist() == [
            "high is below low",
            "open or close lies outside low to high",
            "price is not positive",
        ]
        assert json.loads(held["raw"][0])["symbol"] == "300222.SZ"
        stored = market.sql("SELECT count(*) AS n FROM bars WHERE symbol = '300222.SZ'")
        assert stored["n"][0] == 115


def test_a_failing_source_leaves_the_last_snapshot_and_a_record(files, made_archive, toy_theme):
    run(files, made_archive, toy_theme)
    snapshot, before = files.current(), digest(files)
    (made_archive / "bars" / "300222.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(ArchiveError, match="cannot be read"):
        run(files, made_archive, toy_theme)
    assert files.current() == snapshot
    assert digest(files) == before
    assert not files.work.exists()
    last = json.loads(files.run_log.read_text(encoding="utf-8").splitlines()[-1])
    assert last["status"] == "failed"
    assert "300222.csv" in last["error"]


def test_a_run_killed_half_way_leaves_nothing_behind_that_matters(files, made_archive, toy_theme):
    run(files, made_archive, toy_theme)
    before = digest(files)
    files.work.write_bytes(b"half a database")
    files.work.with_suffix(".duckdb.wal").write_bytes(b"half a log")
    os.utime(made_archive / "index.csv", (1, 1))
    assert run(files, made_archive, toy_theme).status == "published"
    assert digest(files) == before


def test_a_second_writer_is_refused(files, made_archive, toy_theme):
    files.prepare()
    with FileLock(files.root / "refresh.lock"), pytest.raises(StoreError, match="another refresh is writing"):
        run(files, made_archive, toy_theme)


def test_readers_keep_their_snapshot_while_others_are_published(files, made_archive, toy_theme):
    run(files, made_archive, toy_theme)
    with open_market(files.root) as market:
        before = market.sql("SELECT count(*) AS n FROM bars")["n"][0]
        sessions = pd.DatetimeIndex(pd.date_range("2023-01-03", "2023-01-06"))
        made_bars("002001", sessions, seed=5)[0].to_csv(made_archive / "bars" / "002001.csv", index=False)
        run(files, made_archive, toy_theme)
        assert market.sql("SELECT count(*) AS n FROM bars")["n"][0] == before
        with market.reload() as fresh:
            assert fresh.sql("SELECT count(*) AS n FROM bars")["n"][0] == before + 4


def test_the_last_three_snapshots_are_kept(files, made_archive, toy_theme):
    for stamp in range(5):
        os.utime(made_archive / "index.csv", (stamp, stamp))
        run(files, made_archive, toy_theme)
    kept = files.published()
    assert len(kept) == 3
    assert files.current() == kept[-1]


def test_simulated_and_real_data_never_mix(files, made_archive, toy_theme):
    run(files, made_archive, toy_theme)
    with pytest.raises(StoreError, match="holds real data and 'demo' is not"):
        refresh(files, DemoSource(toy_theme, background=3), FetchRequest(), universe="theme")


def test_no_permission_and_a_file_in_the_way(tmp_path, made_archive, toy_theme):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be written"):
        run(StoreFiles(tmp_path / "file" / "store"), made_archive, toy_theme)


def test_nothing_published_yet_and_damaged_stores(files, made_archive, toy_theme):
    with pytest.raises(StoreError, match="holds no published snapshot; run `aitheme refresh"):
        open_market(files.root)
    run(files, made_archive, toy_theme)
    snapshot = files.current()
    whole = snapshot.read_bytes()
    snapshot.write_bytes(whole[:5000])
    with pytest.raises(StoreError, match="cannot be opened"):
        open_market(files.root)
    snapshot.write_bytes(whole)
    files.pointer.write_text("market-gone.duckdb\n", encoding="utf-8")
    with pytest.raises(StoreError, match=r"names 'market-gone\.duckdb'.*write one of these names"):
        open_market(files.root)
    files.pointer.write_text(snapshot.name, encoding="utf-8")
    with duckdb.connect(str(snapshot)) as connection:
        connection.execute("UPDATE meta SET value = '0' WHERE key = 'schema_version'")
    with pytest.raises(StoreError, match="has schema 0, this version reads 2"):
        open_market(files.root)
    with duckdb.connect(str(snapshot)) as connection:
        connection.execute("DROP TABLE meta")
    with pytest.raises(StoreError, match="is no aitheme store"):
        open_market(files.root)


def test_nothing_wanted_is_there(files, made_archive, toy_theme):
    with pytest.raises(ArchiveError, match="no bar of the wanted symbols"):
        run(files, made_archive, toy_theme, symbols=frozenset({"002999.SZ"}))


def test_status_tells_coverage_staleness_runs_and_quarantine(files, made_archive, toy_theme):
    with (made_archive / "hk.csv").open("a", encoding="utf-8") as handle:
        handle.write("00999.HK,2023-04-07,5.0,5.2,4.9,5.1,1000\n")  # Good Friday
    run(files, made_archive, toy_theme)
    state = store_status(files, now=datetime(2023, 7, 4, 8, 0, tzinfo=UTC))
    bars = state.coverage.set_index("dataset").loc["bars"]
    assert (bars["rows"], bars["keys"], bars["first"], bars["last"]) == (3 * 118 + 20, 4, "2023-01-03", "2023-06-30")
    assert state.stale_sessions == 2  # 3 and 4 July; it is 16:00 in Beijing
    assert store_status(files, now=datetime(2023, 7, 4, 6, 0, tzinfo=UTC)).stale_sessions == 1
    assert state.runs[0]["status"] == "published"
    assert state.quarantine["reason"].tolist() == ["not a trading session"]
    assert json.loads(json.dumps(state.to_dict()))["source"] == "archive"


def test_reads_are_point_in_time(files, made_archive, toy_theme):
    run(files, made_archive, toy_theme)
    with open_market(files.root) as market:
        panel = market.panel(["600111.SH", "300222.SZ"], as_of="2023-03-15")
        assert panel.sessions[-1] == pd.Timestamp("2023-03-15")
        assert panel.provenance.as_of == date(2023, 3, 15)
        assert market.consensus(["600111.SH"], as_of="2023-06-14").empty
        assert market.consensus(["600111.SH"], as_of="2023-06-15")["eps"].tolist() == [-0.1, 0.08]
        with pytest.raises(UnknownNameError, match=r"benchmark: '000905\.SH'"):
            market.index_closes(["000905.SH"])
        with pytest.raises(DateRangeError, match="to: 2023-12-01 is outside the store's data"):
            market.check_range("2023-02-01", "2023-12-01")
        with pytest.raises(DateRangeError, match="lies after"):
            market.panel(["600111.SH"], "2023-05-01", "2023-04-01")
