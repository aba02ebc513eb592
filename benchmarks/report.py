"""Chart books from the archive: all five in every form (time, memory of all processes), and one exhibit in a notebook.

Contract: all books under 120 s on two cores and under 1.5 GB (the highest sum of the resident sets of the command and its
children, sampled), the median exhibit in a running process under 0.5 s, shown as a notebook shows it.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import archive, median, verdict

_BOOKS_SECONDS, _MEGABYTES, _EXHIBIT_SECONDS = 120.0, 1500.0, 0.5
_SAMPLE_SECONDS = 0.2
_SLOWEST = 8


def resident(process: int) -> float:
    """Return the resident set of a process and all below it in MB; shared pages are counted once per process."""
    total = 0.0
    waiting = [process]
    while waiting:
        number = waiting.pop()
        try:
            status = Path(f"/proc/{number}/status").read_text(encoding="utf-8")
            children = Path(f"/proc/{number}/task/{number}/children").read_text(encoding="utf-8").split()
        except OSError:  # it has just ended
            continue
        total += sum(float(line.split()[1]) / 1e3 for line in status.splitlines() if line.startswith("VmRSS:"))
        waiting += [int(child) for child in children]
    return total


def books(data: str, out: str) -> tuple[float, float]:
    """Return seconds and highest memory of the installed command drawing everything."""
    command = [str(Path(sys.executable).with_name("aitheme")), "report", "all", "--data", data, "--out", out]
    started, highest = time.perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            highest = max(highest, resident(process.pid))
            time.sleep(_SAMPLE_SECONDS)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.perf_counter() - started, highest


def exhibits(data: str) -> list[tuple[float, str]]:
    """Return the seconds each exhibit takes in a process that has drawn one before, slowest first."""
    from aitheme.exhibits import book
    from aitheme.store import open_market
    from aitheme.themes import load_theme

    theme = load_theme("ai")
    times = []
    with open_market(data) as market:
        book(theme, next(iter(theme.reports)))[0](market, theme)._repr_html_()
        for report in theme.reports:
            for definition in book(theme, report):
                started = time.perf_counter()
                exhibit = definition(market, theme)
                exhibit._repr_html_()
                times.append((time.perf_counter() - started, f"{report}/{definition.id}"))
    return sorted(times, reverse=True)


def run() -> bool | None:
    root = archive()
    if root is None:
        return None
    with tempfile.TemporaryDirectory(prefix="aitheme-bench-") as target:
        command = str(Path(sys.executable).with_name("aitheme"))
        subprocess.run([command, "refresh", "--source", "archive", "--archive", str(root), "--universe", "all", "--data",
                        f"{target}/store"], check=True, capture_output=True)  # fmt: skip
        runs = []
        for number in range(2):
            runs.append(books(f"{target}/store", f"{target}/books-{number}"))
            shutil.rmtree(f"{target}/books-{number}")
        times = exhibits(f"{target}/store")
    seconds = [one for one, _ in times]
    print(f"  all books s: {median([one for one, _ in runs])}; highest memory MB: {max(one for _, one in runs):.0f}")
    print(f"  one exhibit s: {median(seconds)}; {sum(one > _EXHIBIT_SECONDS for one in seconds)} of {len(times)} above "
          f"{_EXHIBIT_SECONDS} s")  # fmt: skip
    for one, name in times[:_SLOWEST]:
        print(f"    {one:5.2f} s  {name}")
    kept = verdict("all books", min(one for one, _ in runs), _BOOKS_SECONDS, "s")
    kept &= verdict("memory", max(one for _, one in runs), _MEGABYTES, "MB")
    return verdict("median exhibit", statistics.median(seconds), _EXHIBIT_SECONDS, "s") and kept
