"""What a person at the command line waits for: help, a theme's refresh, a basket's panel."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import archive, median, verdict

_HELP_SECONDS = 0.4
_REFRESH_SECONDS = 10.0
_PANEL_MS = 100.0


def seconds(*arguments: str) -> float:
    """Return how long the installed command takes."""
    started = time.perf_counter()
    subprocess.run([str(Path(sys.executable).with_name("aitheme")), *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


def refreshed(root: Path, target: str) -> float:
    return seconds("refresh", "--source", "archive", "--archive", str(root), "--universe", "theme", "--data", target)


def panel_ms(data: str) -> list[float]:
    """Open the market and read the largest basket, over and over; the first time (imports, calendar) is left out."""
    from aitheme.store import open_market
    from aitheme.themes import load_theme

    theme = load_theme("ai")
    symbols = max((theme.symbols(basket) for basket in theme.baskets), key=len)
    times = []
    for _ in range(10):
        started = time.perf_counter()
        with open_market(data) as market:
            panel = market.panel(symbols)
        times.append((time.perf_counter() - started) * 1e3)
    print(f"  panel of {panel.close.shape[1]} symbols on {panel.close.shape[0]} sessions; first time {times[0]:.0f} ms")
    return times[1:]


def run() -> bool | None:
    helps = [seconds("--help") for _ in range(7)]
    print(f"  aitheme --help s: {median(helps)}")
    kept = verdict("aitheme --help", statistics.median(helps), _HELP_SECONDS, "s")
    root = archive()
    if root is None:
        return kept
    with tempfile.TemporaryDirectory(prefix="aitheme-bench-") as target:
        refreshes = [refreshed(root, f"{target}/{number}") for number in range(3)]
        panels = panel_ms(f"{target}/0")
    print(f"  theme-only refresh s: {median(refreshes)}")
    print(f"  open the market and read a panel ms: {median(panels)}")
    kept &= verdict("theme-only refresh", statistics.median(refreshes), _REFRESH_SECONDS, "s")
    return verdict("open and read", statistics.median(panels), _PANEL_MS, "ms") and kept
