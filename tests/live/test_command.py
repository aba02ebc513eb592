"""The command as a user runs it: a process of its own, akshare's own code, every vendor behind a proxy on loopback."""

import hashlib
import json
import socket
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from aitheme.sources.demo import DemoSource
from aitheme.themes import load_theme
from tests.conftest import PROJECT, TOY_THEME
from tests.vendors.proxy import StubProxy
from tests.vendors.simulated import SimulatedMarket

AITHEME = Path(sys.executable).with_name("aitheme")
SPAN = ("--since", "2024-01-02", "--until", "2024-03-29")


@pytest.fixture(scope="module")
def toys():
    return SimulatedMarket(DemoSource(load_theme(TOY_THEME), background=0, start=date(2023, 6, 1)), date.today())  # noqa: DTZ011


@pytest.fixture(scope="module")
def server(tmp_path_factory, toys):
    proxy = StubProxy(toys, tmp_path_factory.mktemp("authority"))
    yield proxy
    proxy.close()


@pytest.fixture
def vendors(server, toys):
    server.faults.clear()
    server.seen.clear()
    server.refused.clear()
    server.release.clear()
    server.route = toys
    yield server
    server.release.set()


@pytest.fixture
def run(vendors, tmp_path):
    """Run the command; returns its completed process. Everything a store needs is under the test's folder."""

    def command(*arguments, theme=TOY_THEME, **environment):
        return subprocess.run(
            [AITHEME, *arguments, "--data", tmp_path / "store", "--theme", theme]
            if arguments[0] != "status"
            else [AITHEME, *arguments, "--data", tmp_path / "store"],
            env=vendors.environment(**environment), capture_output=True, text=True, timeout=300, check=False,
            cwd=PROJECT,
        )  # fmt: skip

    return command


def files_of(root):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*.duckdb")}


def refresh(run, *more, **environment):
    return run("refresh", "--source", "akshare", "--universe", "theme", *SPAN, "--format", "json", *more, **environment)


@pytest.mark.trial("command, a desk's first days")
def test_a_desk_s_first_days(run, vendors, tmp_path):
    """Plan, first refresh, the same again, a vendor that blocks, and no network: exit codes, report, store."""
    plan = run("refresh", "--source", "akshare", "--dry-run", *SPAN, "--format", "json")
    assert (plan.returncode, vendors.seen) == (0, [])
    asked = sum(row["requests"] for row in json.loads(plan.stdout))
    assert f"{asked:,} requests" in plan.stderr

    first = refresh(run)
    assert first.returncode == 0, first.stderr
    report = json.loads(first.stdout)
    assert (report["status"], list(report["failures"])) == ("published", [])
    assert asked * 0.3 < len(vendors.seen) < asked * 2.0
    bars = next(item for item in report["datasets"] if item["dataset"] == "bars")
    assert bars["inserted"] == sum(
        date(2024, 1, 2) <= row[0] <= date(2024, 3, 29)
        for symbol in load_theme(TOY_THEME).security
        for row in vendors.route.stocks[symbol].bars
    )

    status = run("status", "--format", "json")
    assert status.returncode == 0, status.stderr
    told = json.loads(status.stdout)
    covered = {row["dataset"]: row for row in told["coverage"]}
    assert (covered["bars"]["rows"], covered["bars"]["last"]) == (bars["inserted"], "2024-03-29")
    assert (told["simulated"], told["quarantine"]) == (False, [])

    held = files_of(tmp_path / "store")
    vendors.seen.clear()
    again = refresh(run)
    assert (again.returncode, json.loads(again.stdout)["status"]) == (0, "unchanged")
    assert (vendors.seen, files_of(tmp_path / "store")) == ([], held)


@pytest.mark.soak
@pytest.mark.trial("command, first vendor blocks")
def test_a_blocked_vendor_is_replaced_and_marked(run, vendors, tmp_path):
    vendors.fault("push2his", 403)
    done = refresh(run)
    assert done.returncode in {0, 2}, done.stderr
    from aitheme.store import open_market

    with open_market(tmp_path / "store") as market:
        sources = market.sql("SELECT DISTINCT symbol, source FROM watermark WHERE dataset = 'bars'")
        assert set(sources["source"]) <= {"tencent", "sina"}
        assert len(sources) == len([s for s in load_theme(TOY_THEME).security if s])
        blocked = market.sql("SELECT outcome, fallback FROM attempt WHERE endpoint LIKE 'stock_%_hist@eastmoney'")
        assert set(blocked["outcome"]) == {"blocked"}
    circuit = json.loads((tmp_path / "store" / "vendors.json").read_text())
    assert circuit["eastmoney"]["reason"] == "HTTP 403"
    assert len(vendors.asked("push2his")) == 1


@pytest.mark.trial("command, no network")
def test_no_network_is_one_line_within_a_minute_and_an_untouched_store(run, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"
    proxies = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), nobody)
    started = time.monotonic()
    done = refresh(run, AITHEME_UNSPACED="", **proxies)
    assert done.returncode == 1
    assert time.monotonic() - started < 60
    assert done.stderr.strip().splitlines()[-1].startswith("aitheme: network: no vendor can be reached")
    assert "Traceback" not in done.stderr
    assert files_of(tmp_path / "store") == {}
    assert not (tmp_path / "store" / "CURRENT").exists()


@pytest.mark.soak
@pytest.mark.trial("command, plan of the packaged theme")
def test_dry_run_of_the_packaged_theme_sends_nothing(run, vendors):
    plan = run("refresh", "--source", "akshare", "--dry-run", theme="ai")
    assert (plan.returncode, vendors.seen) == (0, [])
    assert "nothing was sent" in plan.stderr


@pytest.mark.soak
@pytest.mark.trial("command, book from live vendors")
def test_a_book_from_live_vendors(run, tmp_path):
    """What ``make report SOURCE=akshare`` does, for a theme of a few companies."""
    out = tmp_path / "books"
    done = run("report", "all", "--source", "akshare", "--formats", "html,xlsx", "--as-of", "2024-03-29", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "exhibits drawn" in done.stdout
    page = next(out.rglob("index.html")).read_text(encoding="utf-8")
    assert "SIMULATED" not in page


@pytest.mark.soak
@pytest.mark.trial("packaged theme by command")
def test_the_packaged_theme_and_its_book(run, vendors, tmp_path):
    theme = load_theme("ai")
    vendors.route = SimulatedMarket(DemoSource(theme, background=0, start=date(2023, 1, 3)), date.today())  # noqa: DTZ011
    out = tmp_path / "books"
    done = run("report", "mszq-20240328", "--source", "akshare", "--as-of", "2024-03-28", "--out", out, theme="ai")
    assert done.returncode == 0, done.stderr
    assert (out / "mszq-20240328" / "index.html").is_file()
    assert "mszq-20240328" in done.stdout
