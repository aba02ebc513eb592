"""What ``status`` says about a store: gaps with their reasons, staleness, failing runs, vendors; and its exit code."""

import json
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from aitheme.errors import NothingUsableError
from aitheme.sources.akshare import Blocked, Empty, NetworkFailure, Ok
from aitheme.sources.akshare.circuit import CircuitFile, OpenCircuit
from aitheme.sources.archive import ArchiveSource
from aitheme.sources.base import FetchRequest
from aitheme.store import StoreFiles, open_market, refresh, store_status
from aitheme.store.health import Sessions, run_streak
from aitheme.themes import load_theme
from tests.store.prepared import FETCHED, SESSIONS, bars, rows, run

EVENING = datetime(2024, 3, 29, 12, tzinfo=UTC)  # 20:00 in Beijing, a Friday
RESET = NetworkFailure("push2his.eastmoney.com", "connection reset")
NAMES = {name: f"60000{n}.SH" for n, name in enumerate("ABCDEFGH")}


@pytest.fixture
def files(tmp_path):
    return StoreFiles(tmp_path / "store")


def without(*places):
    return [session for n, session in enumerate(SESSIONS) if n not in places]


@pytest.fixture
def gappy(files):
    """A store in which every reason for a missing bar occurs."""
    halts = [
        {"symbol": NAMES["A"], "start": SESSIONS[5], "end": SESSIONS[7], "reason": "重大事项", "seen": SESSIONS[5]},
        {"symbol": NAMES["B"], "start": SESSIONS[11], "end": None, "reason": "", "seen": SESSIONS[11]},
    ]
    securities = [{"symbol": symbol, "board": "main", "name": name} for name, symbol in NAMES.items()]
    securities[3]["delisted"] = SESSIONS[12]
    securities[4]["listed"] = SESSIONS[-1] + timedelta(days=30)
    first = [
        rows("securities", securities),
        rows("suspensions", halts),
        bars(NAMES["A"], without(5, 6, 7)),
        bars(NAMES["B"], without(11, 12, 15)),
        bars(NAMES["C"], SESSIONS[:11]),
        bars(NAMES["D"], SESSIONS[:12]),
        bars(NAMES["E"], [], outcome=Empty("unknown_symbol")),
        bars(NAMES["F"], SESSIONS),
        bars(NAMES["G"], SESSIONS[:16]),
        bars(NAMES["H"], [], outcome=Blocked("push2his.eastmoney.com", "captcha")),
    ]
    run(files, *first, day="first")
    run(files, bars(NAMES["C"], [], outcome=RESET), bars(NAMES["F"], SESSIONS[-1:]), day="second")
    return files


def test_every_gap_has_its_reason(gappy):
    gaps = store_status(gappy, now=EVENING).gaps
    told = {
        (row["symbol"], row["reason"]): (row["sessions"], row["first"], row["last"]) for row in gaps.to_dict("records")
    }
    day = [str(session) for session in SESSIONS]
    assert told == {
        (NAMES["A"], "suspended"): (3, day[5], day[7]),
        (NAMES["B"], "suspended"): (2, day[11], day[12]),
        (NAMES["B"], "unexplained"): (1, day[15], day[15]),
        (NAMES["C"], "vendor_failed"): (10, day[11], day[20]),
        (NAMES["D"], "delisted"): (9, day[12], day[20]),
        (NAMES["E"], "not_listed"): (1, day[20], day[20]),
        (NAMES["G"], "not_fetched"): (5, day[16], day[20]),
        (NAMES["H"], "vendor_failed"): (1, day[20], day[20]),
    }
    details = gaps.set_index(["symbol", "reason"])["detail"]
    assert details[NAMES["A"], "suspended"] == "重大事项"
    assert details[NAMES["C"], "vendor_failed"] == "stock_zh_a_hist@eastmoney: push2his.eastmoney.com: connection reset"
    assert details[NAMES["D"], "delisted"] == f"delisted on {day[12]}"


def test_gaps_agree_with_a_naive_loop(files):
    rng = np.random.default_rng(7)
    expected = {}
    batches = []
    for n in range(12):
        symbol = f"3000{n:02}.SZ"
        have = [SESSIONS[0], *(session for session in SESSIONS[1:-1] if rng.random() > 0.3), SESSIONS[-1]]
        batches.append(bars(symbol, have))
        expected[symbol] = len(SESSIONS) - len(have)
    run(files, *batches)
    gaps = store_status(files, now=EVENING).gaps.set_index("symbol")
    assert (gaps["reason"] == "unexplained").all()
    assert gaps["sessions"].to_dict() == {symbol: count for symbol, count in expected.items() if count}


def test_a_dataset_without_sessions_that_failed_is_named(files):
    blocked = Blocked("reportapi.eastmoney.com", "captcha page")
    forecast = rows("broker_forecasts", [], symbol="600000.SH", outcome=blocked)
    run(files, bars("600000.SH", SESSIONS), rows("box_office", [], outcome=Ok(0)), forecast)
    gaps = store_status(files, now=EVENING).gaps
    assert gaps.empty  # it was never asked of anybody: no attempt stands behind it
    attempt = bars("600000.SH", [], outcome=blocked).attempts
    forecast = rows("broker_forecasts", [], symbol="600000.SH", outcome=blocked, attempts=attempt)
    run(files, bars("600000.SH", SESSIONS), forecast, day="again")
    (row,) = store_status(files, now=EVENING).gaps.to_dict("records")
    assert (row["dataset"], row["symbol"], row["reason"]) == ("broker_forecasts", "600000.SH", "vendor_failed")


def test_staleness_follows_each_datasets_own_calendar(files):
    hong_kong = [session for session in SESSIONS if session != date(2024, 3, 29)]  # Good Friday
    run(
        files,
        bars("600000.SH", SESSIONS[:-1]),
        bars("603533.SH", SESSIONS[:-3]),
        bars("00700.HK", hong_kong),
        rows("consensus", [], symbol="600000.SH", fetched=FETCHED - timedelta(days=2)),
        rows("consensus", [], symbol="603533.SH", fetched=FETCHED - timedelta(days=9)),
        rows("sector_members", [], fetched=FETCHED - timedelta(days=2)),
    )
    state = store_status(files, now=EVENING)
    told = {(r["dataset"], r["market"]): (r["every"], r["last"], r["overdue"], r["behind"])
            for r in state.staleness.to_dict("records")}  # fmt: skip
    assert told == {
        ("bars", "mainland"): ("session", "2024-03-28", 1, 1),
        ("bars", "Hong Kong"): ("session", "2024-03-28", 0, 0),
        ("consensus", ""): ("day", "2024-03-27", 2, 1),
        ("sector_members", ""): ("7 days", "2024-03-27", 0, 0),
    }
    assert state.problems == ()
    stale = store_status(files, now=EVENING + timedelta(days=7))
    assert stale.stale_sessions == 4  # a week later; Qingming is no session
    assert any(line.startswith("bars mainland: 4 sessions overdue, last 2024-03-28") for line in stale.problems)
    assert not any(line.startswith("sector_members") for line in stale.problems)


def test_beyond_the_known_calendar_every_weekday_counts(files):
    run(files, bars("600000.SH", SESSIONS))
    with open_market(files.root) as market:
        last = market.sql("SELECT max(session) AS day FROM sessions WHERE exchange = 'XSHG'")["day"][0].date()
        now = datetime.combine(last + timedelta(days=14), datetime.min.time(), UTC).replace(hour=12)
        closed = Sessions(market._connection, now).closed_since(last)
    assert closed == len(pd.bdate_range(last + timedelta(days=1), last + timedelta(days=14)))


def test_a_failing_week_shows(files):
    run(files, bars("600000.SH", SESSIONS), day="good")
    for day in range(4):
        with pytest.raises(NothingUsableError):
            run(files, bars("600000.SH", [], outcome=RESET), day=str(day))
    state = store_status(files)
    assert state.streak.failed == 4
    assert "push2his.eastmoney.com: connection reset" in state.streak.last_error
    assert state.streak.first < state.streak.last
    assert any(line.startswith("the last 4 refreshes failed: first at ") for line in state.problems)
    assert [run["status"] for run in state.runs] == ["failed"] * 4 + ["published"]
    run(files, bars("600000.SH", SESSIONS[-2:]), day="mended")
    assert store_status(files).streak.failed == 0


def test_sessions_without_a_success_are_counted_from_what_a_run_could_see(files):
    run(files, bars("600000.SH", SESSIONS))
    with open_market(files.root) as market:
        sessions = Sessions(market._connection, datetime(2024, 4, 8, 12, tzinfo=UTC))
    failed = {"status": "failed", "started": "2024-04-02T09:00:00+00:00", "error": "network"}
    morning = {"status": "published", "started": "2024-04-01T02:00:00+00:00"}
    evening = {"status": "unchanged", "started": "2024-04-01T09:00:00+00:00"}
    assert run_streak([failed, morning], sessions).sessions_without_success == 4  # 1, 2, 3 and 8 April
    assert run_streak([failed, evening], sessions).sessions_without_success == 3
    assert run_streak([], sessions).sessions_without_success == 0


def test_open_circuits_and_unfinished_work_show(files):
    run(files, bars("600000.SH", SESSIONS))
    now = datetime.now(UTC)
    CircuitFile(files.root, lambda: now).open("eastmoney", OpenCircuit(now + timedelta(hours=6), "captcha page", 1))
    files.work.write_bytes(b"")
    state = store_status(files)
    assert [(c["vendor"], c["reason"]) for c in state.circuits] == [("eastmoney", "captcha page")]
    assert state.unfinished


def command(*arguments):
    line = [sys.executable, "-c", "from aitheme.cli import main; main()", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_the_command_prints_everything_and_checks(gappy):
    shown = command("status", "--data", gappy.root)
    assert shown.returncode == 0, shown.stderr
    for word in (
        "sessions overdue",
        "missing sessions by reason",
        "vendor_failed",
        "where the rows come from",
        "last runs",
    ):
        assert word in shown.stdout
    checked = command("status", "--data", gappy.root, "--check", "--format", "json")
    assert checked.returncode == 2
    assert "problem: bars mainland: " in checked.stderr
    values = json.loads(checked.stdout)
    assert {gap["reason"] for gap in values["gaps"]} >= {"suspended", "delisted", "vendor_failed"}
    assert values["problems"]
    fine = command("status", "--data", gappy.root, "--check", "--max-stale", 100_000, "--max-failed", 9)
    assert fine.returncode == 0


def test_a_store_that_never_published_tells_of_its_failed_runs(files):
    for day in ("1", "2"):
        with pytest.raises(NothingUsableError):
            run(files, bars("600000.SH", [], outcome=RESET), day=day)
    shown = command("status", "--data", files.root, "--format", "json")
    assert shown.returncode == 0, shown.stderr
    values = json.loads(shown.stdout)
    assert values["snapshot"] is None
    assert values["streak"]["failed"] == 2
    assert "connection reset" in values["problems"][0]
    table = command("status", "--data", files.root, "--check")
    assert table.returncode == 2
    assert "nothing was ever published" in table.stdout
    never = command("status", "--data", files.root / "elsewhere")
    assert never.returncode == 2
    assert "holds no published snapshot" in never.stderr


@pytest.mark.archive
def test_status_of_the_whole_market_is_quick(tmp_path, archive_root):
    files = StoreFiles(tmp_path / "store")
    refresh(files, ArchiveSource(archive_root, load_theme("ai")), FetchRequest(), universe="all")
    begun = time.process_time()
    state = store_status(files)
    assert state.coverage.set_index("dataset").loc["bars", "rows"] > 3_900_000
    # Processor seconds, of both cores: the wall clock of a machine that others use says nothing.
    assert time.process_time() - begun < 2.5
