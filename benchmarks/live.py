"""The live path against vendors on loopback, without spacing: merging bars, one day of a whole market, publication.

Contract: at least 200 symbol-years of bars per second normalised and merged; a day of 5,400 stocks in under 20 s of our
own time and 1 GB; a snapshot of four million rows published in under 2 s; opening it and reading a basket's panel in
under 100 ms; ``import aitheme`` without akshare. Our own time is wall time less what the calls of akshare took, which
include its parsing and the vendor.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import types
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from benchmarks import median, verdict

_ROOT = Path(__file__).resolve().parents[1]
_SYMBOL_YEARS = 200.0
_DAY_SECONDS, _DAY_MB = 20.0, 1000.0
_PUBLISH_SECONDS = 2.0
_PANEL_SECONDS = 0.1
_STOCKS, _HISTORY = 5400, ("2021-03-15", "2024-03-29")
_YEARS = 10
_MANY = 40
_DAY = "2024-04-01"
_REPEATS = 3


# --- the vendors, in a process of their own --------------------------------------------------------------------------
def market_of(kind: str) -> object:
    """Return the stub market of a measurement."""
    from tests.vendors.stub_market import StubMarket, make_bars

    market = StubMarket()
    if kind == "years":
        for symbol in symbols(_MANY):
            stock = market.add(symbol, start="2014-01-02", end="2023-12-29", price=40.0)
            stock.hfq = [
                ("1900-01-01", "1.0"),
                *((f"{year}-06-20", f"{1 + (year - 2013) / 50}") for year in range(2014, 2024)),
            ]
        return market
    quotes = [(symbol[:6], make_bars(symbol, "2024-03-29", _DAY, 20.0)) for symbol in symbols(_STOCKS)]
    market.pages["82.push2.eastmoney.com"] = lambda seen: quote_page(quotes, seen)
    return market


def quote_page(quotes: list, seen: object) -> tuple[str, str]:
    """Answer a page of Eastmoney's quote list."""
    fields = sorted({*(int(name[1:]) for name in seen.query["fields"].split(",")), 140, 141})
    page = int(seen.query["pn"])
    rows = []
    for code, ((*_, previous, _, _), (_, opened, high, low, close, volume, amount)) in quotes[
        (page - 1) * 100 : page * 100
    ]:
        known = {12: code, 14: "测试", 17: opened, 15: high, 16: low, 2: close, 5: volume // 100, 6: amount, 8: 1.5,
                 18: previous, 3: 0.1}  # fmt: skip
        rows.append({f"f{n}": known.get(n, 1.0) for n in fields})
    return "application/json", json.dumps({"data": {"total": len(quotes), "diff": rows}})


def symbols(count: int) -> list[str]:
    """Return canonical codes of main-board stocks."""
    from aitheme.symbols import parse_symbol

    codes = [f"{start + n:06d}" for start in (600000, 601000, 603000, 300000, 2000, 688000) for n in range(1000)]
    return [str(parse_symbol(code)) for code in codes[:count]]


def serve(kind: str) -> None:
    """Answer until the parent goes away."""
    from tests.vendors.vendor_stub import VendorStub

    stub = VendorStub(market_of(kind))
    print(stub.port, flush=True)
    sys.stdin.read()


@contextmanager
def vendors(kind: str):
    """Run the vendors beside us, and send akshare's requests there."""
    import importlib

    import pytest

    from tests.vendors.vendor_stub import Remote, steer

    command = [sys.executable, "-m", "benchmarks.live", "serve", kind]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT)
    patch = pytest.MonkeyPatch()
    try:
        patch.setenv("TQDM_DISABLE", "1")
        steer(patch, Remote(int(server.stdout.readline())))
        import akshare  # noqa: F401  (loaded before the clock starts)

        for name in ("akshare.request", "akshare.utils.request", "akshare.utils.func"):
            patch.setattr(importlib.import_module(name), "time", types.SimpleNamespace(sleep=lambda _: None))
        yield
    finally:
        patch.undo()
        server.stdin.close()
        server.wait(10)


def source_of(universe: object, now: datetime) -> object:
    """Return the live source, unspaced, at a moment."""
    from aitheme.sources.akshare import AkshareSource, Politeness

    politeness = Politeness(None, loopback=True, now=lambda: now)
    return AkshareSource(universe, politeness=politeness, clock=lambda: now)


def asking(files: object, run_id: str) -> float:
    """Return the seconds a run spent inside akshare."""
    import duckdb

    with duckdb.connect(str(files.current()), read_only=True) as connection:
        return float(connection.execute("SELECT sum(seconds) FROM attempt WHERE run_id = ?", [run_id]).fetchall()[0][0])


# --- the measurements ------------------------------------------------------------------------------------------------
def years(target: Path) -> dict[str, float]:
    """Refresh ten years of bars of some stocks into an empty store."""
    from aitheme.calendar import calendar_for
    from aitheme.sources.akshare import LiveRequest, Universe
    from aitheme.store import StoreFiles, refresh

    for exchange in ("XSHG", "XHKG", "XNYS"):
        calendar_for(exchange)
    universe = Universe(frozenset(symbols(_MANY)), frozenset(), capex=frozenset())
    request = LiveRequest(None, date(2014, 1, 2), None, frozenset({"bars", "adj_factors"}))
    now = datetime(2024, 1, 1, 12, tzinfo=UTC)
    with vendors("years"):
        files = StoreFiles(target)
        started = time.perf_counter()
        report = refresh(files, source_of(universe, now), request, universe="theme")
        seconds = time.perf_counter() - started
    assert not report.failures, report.failures[:3]
    own = seconds - asking(files, report.run_id)
    return {"seconds": seconds, "own": own, "rate": _MANY * _YEARS / own}


@dataclass
class Settled:
    """A source that fills a store with a market's history in one piece."""

    name: str = "akshare"
    simulated: bool = False

    def fingerprint(self) -> str:
        return "history"

    def batches(self, _request: object):
        import numpy as np
        import pyarrow as pa

        from aitheme.calendar import calendar_for
        from aitheme.sources.base import Batch, to_table
        from tests.vendors.stub_market import make_bars

        days = calendar_for("XSHG").sessions(*_HISTORY).to_numpy().astype("datetime64[D]")
        path = 20 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, len(days)))).round(2)
        tables = []
        for symbol in sorted(symbols(_STOCKS)):
            close = path.copy()
            close[-1] = make_bars(symbol, "2024-03-29", "2024-03-29", 20.0)[0][4]
            flat = np.full(len(days), 1e6)
            tables.append(
                to_table("bars", {
                    "symbol": np.repeat(np.array([symbol], object), len(days)), "session": days, "open": close,
                    "high": close * 1.01, "low": close * 0.99, "close": close, "volume": flat, "amount": flat * close,
                    "turnover": flat * 1e-8, "adj_factor": np.ones(len(days)), "quality": np.zeros(len(days), np.int8),
                })
            )  # fmt: skip
        yield Batch("bars", pa.concat_tables(tables).combine_chunks())


def history(target: Path) -> dict[str, float]:
    """Fill a store with some four million bars."""
    from aitheme.sources.base import FetchRequest
    from aitheme.store import StoreFiles, refresh

    report = refresh(StoreFiles(target), Settled(), FetchRequest(), universe="all")
    return {"rows": float(report.datasets[0].inserted)}


def day(target: Path) -> dict[str, float]:
    """Bring that store forward by a session, from the quote list of the whole market."""
    from aitheme.calendar import calendar_for
    from aitheme.sources.akshare import LiveRequest, Universe
    from aitheme.store import StoreFiles, refresh

    for exchange in ("XSHG", "XHKG", "XNYS"):
        calendar_for(exchange)
    universe = Universe(frozenset(symbols(_STOCKS)), frozenset(), capex=frozenset())
    now = datetime(2024, 4, 1, 12, tzinfo=UTC)
    with vendors("day"):
        files = StoreFiles(target)
        started = time.perf_counter()
        report = refresh(
            files,
            source_of(universe, now),
            LiveRequest(None, None, None, frozenset({"bars", "adj_factors"})),
            universe="all",
        )
        seconds = time.perf_counter() - started
    assert sum(item.inserted for item in report.datasets) == _STOCKS, report.datasets
    return {"seconds": seconds, "own": seconds - asking(files, report.run_id)}


def publish(target: Path) -> dict[str, float]:
    """Copy the snapshot into a working file, and publish it again."""
    from aitheme.store import StoreFiles

    files = StoreFiles(target)
    files.prepare()
    started = time.perf_counter()
    files.start_work()
    copied = time.perf_counter()
    files.publish()
    return {"copy": copied - started, "seconds": time.perf_counter() - started}


def panel(target: Path) -> dict[str, float]:
    """Open the store and read a year of a basket of fourteen stocks."""
    from aitheme.store import open_market

    members, times = symbols(_STOCKS)[100:5000:350], []
    for _ in range(12):
        started = time.perf_counter()
        with open_market(target) as market:
            market.panel(members, "2023-04-03", "2024-03-29")
        times.append(time.perf_counter() - started)
    return {"seconds": statistics.median(times[2:])}


def imports(_target: Path) -> dict[str, float]:
    """Tell whether ``import aitheme`` loads akshare."""
    import aitheme  # noqa: F401

    return {"akshare": float("akshare" in sys.modules)}


_MEASURES = {measure.__name__: measure for measure in (years, history, day, publish, panel, imports)}


def child(kind: str, target: str) -> None:
    """Measure once; print the result and peak memory as JSON."""
    import resource

    result = _MEASURES[kind](Path(target))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e3 if sys.platform != "darwin" else 1e6)
    print(json.dumps({**result, "peak_mb": peak}))


def measure(kind: str, target: Path) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.live", kind, str(target)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=_ROOT)
    return json.loads(done.stdout.splitlines()[-1])


def run() -> bool:
    import shutil

    with tempfile.TemporaryDirectory(prefix="aitheme-bench-") as folder:
        root = Path(folder)
        merged = [measure("years", root / f"years-{n}") for n in range(_REPEATS)]
        print(f"  bars: {_MANY} stocks, {_YEARS} years: s {median([m['seconds'] for m in merged])}, "
              f"own {median([m['own'] for m in merged])}, peak {max(m['peak_mb'] for m in merged):.0f} MB")  # fmt: skip
        rows = measure("history", root / "base")["rows"]
        days = []
        for n in range(_REPEATS):
            shutil.copytree(root / "base", root / f"day-{n}")
            days.append(measure("day", root / f"day-{n}"))
            shutil.rmtree(root / f"day-{n}")
        print(f"  a day of {_STOCKS:,} stocks onto {rows:,.0f} bars: s {median([d['seconds'] for d in days])}, "
              f"own {median([d['own'] for d in days])}")  # fmt: skip
        published = [measure("publish", root / "base") for _ in range(_REPEATS)]
        print(f"  publish {rows:,.0f} bars: s {median([p['seconds'] for p in published])}, "
              f"of which copy {median([p['copy'] for p in published])}")  # fmt: skip
        read = measure("panel", root / "base")["seconds"]
        loaded = measure("imports", root)["akshare"]
    pace = statistics.median(m["rate"] for m in merged)
    kept = pace >= _SYMBOL_YEARS
    print(f"  symbol-years per second: {pace:.0f}, at least {_SYMBOL_YEARS:g}: {'kept' if kept else 'MISSED'}")
    return all(
        [
            kept,
            verdict("a day, our own time", statistics.median(d["own"] for d in days), _DAY_SECONDS, "s"),
            verdict("a day, peak memory", max(d["peak_mb"] for d in days), _DAY_MB, "MB"),
            verdict("publish", statistics.median(p["seconds"] for p in published), _PUBLISH_SECONDS, "s"),
            verdict("open and read a basket's panel", read, _PANEL_SECONDS, "s"),
            verdict("import aitheme loads akshare", loaded, 0.0, "times"),
        ]
    )


if __name__ == "__main__":
    serve(sys.argv[2]) if sys.argv[1] == "serve" else child(*sys.argv[1:3])
