"""Refresh of the whole archive into a published snapshot against DuckDB's own load of the same Parquet files.

Contract: at most twice the time, and under 2 GB of memory. Each measurement is a process of its own; the two kinds
take turns, so that both meet the same machine. Imports and the calendars' tables are not counted.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import archive, median, verdict

_REPEATS = 5
_RATIO = 2.0
_MEMORY_MB = 2000.0
_BULK = {"bars": "bars/*.parquet", "hfq": "hfq/close.parquet", "industry": "citic_industry_daily.parquet"}


def base(root: Path, target: Path) -> tuple[float, float]:
    """Load the Parquet files into tables of a database file, as DuckDB does it by itself."""
    import duckdb

    started, used = time.perf_counter(), time.process_time()
    connection = duckdb.connect(str(target / "base.duckdb"))
    for table, pattern in _BULK.items():
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM read_parquet('{root / pattern}')").fetchall()  # noqa: S608
    connection.execute("CHECKPOINT").fetchall()
    connection.close()
    return time.perf_counter() - started, time.process_time() - used


def ours(root: Path, target: Path) -> tuple[float, float]:
    """Refresh everything into an empty store."""
    import duckdb  # noqa: F401 (loaded before the clock starts, as all that follows and as in `base`)
    import filelock  # noqa: F401
    import pandas as pd  # noqa: F401
    import pyarrow.compute
    import pyarrow.csv
    import pyarrow.parquet  # noqa: F401
    import scipy.optimize  # noqa: F401

    from aitheme.calendar import calendar_for
    from aitheme.sources.archive import ArchiveSource
    from aitheme.sources.base import FetchRequest
    from aitheme.store import StoreFiles, refresh
    from aitheme.themes import load_theme

    for exchange in ("XSHG", "XHKG", "XNYS"):
        calendar_for(exchange)
    theme = load_theme("ai")
    started, used = time.perf_counter(), time.process_time()
    refresh(StoreFiles(target), ArchiveSource(root, theme), FetchRequest(), universe="all")
    return time.perf_counter() - started, time.process_time() - used


def child(kind: str, root: str) -> None:
    """Measure once and print seconds, processor seconds and peak memory as JSON."""
    import resource

    with tempfile.TemporaryDirectory(prefix="aitheme-bench-") as target:
        seconds, cpu = {"base": base, "ours": ours}[kind](Path(root), Path(target))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    # Linux counts kilobytes, macOS bytes.
    peak = usage.ru_maxrss / (1e3 if sys.platform != "darwin" else 1e6)
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak}))


def measure(kind: str, root: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.ingest", kind, str(root)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    # DuckDB may draw a progress bar before our line.
    return json.loads(done.stdout.splitlines()[-1])


def run() -> bool | None:
    root = archive()
    if root is None:
        return None
    if missing := [pattern for pattern in _BULK.values() if not list(root.glob(pattern))]:
        print(f"  skipped: the archive has no {', '.join(missing)}")
        return None
    for kind in ("base", "ours"):
        measure(kind, root)  # fills the file cache
    rounds = [(measure("base", root), measure("ours", root)) for _ in range(_REPEATS)]
    bases, refreshes = ([float(item["seconds"]) for item in column] for column in zip(*rounds, strict=True))
    print(f"  base (DuckDB reads Parquet) s: {median(bases)}, peak {max(b['peak_mb'] for b, _ in rounds):.0f} MB")
    print(f"  ours (refresh, published)   s: {median(refreshes)}, peak {max(o['peak_mb'] for _, o in rounds):.0f} MB")
    print(f"  processor s: base {median([b['cpu'] for b, _ in rounds])}, ours {median([o['cpu'] for _, o in rounds])}")
    # Each round's own ratio: a busy neighbour then slows both of its sides.
    ratio = statistics.median(refresh / load for load, refresh in zip(bases, refreshes, strict=True))
    kept = verdict("ratio, median of rounds", ratio, _RATIO, "x")
    return verdict("peak memory", max(o["peak_mb"] for _, o in rounds), _MEMORY_MB, "MB") and kept


if __name__ == "__main__":
    child(*sys.argv[1:3])
