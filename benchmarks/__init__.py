"""Benchmarks of the project's time and memory contracts: ``python -m benchmarks NAME|all``.

Every module here with a ``run()`` is a benchmark: it prints medians and ratios measured in one go, and returns whether
its contract was kept (None where it could not be measured).
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path

__all__ = ["archive", "median", "verdict"]

_DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "market"


def archive() -> Path | None:
    """Return the real archive, or None after saying where it was looked for."""
    named = os.environ.get("AITHEME_ARCHIVE")
    root = Path(named) if named else _DEFAULT
    origin = "$AITHEME_ARCHIVE" if named else "default, set $AITHEME_ARCHIVE for another"
    if not root.is_dir():
        print(f"  skipped: no archive at {root} ({origin})")
        return None
    print(f"  archive: {root} ({origin})")
    return root


def median(values: list[float]) -> str:
    """Return a median with its range."""
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f}, n={len(values)})"


def verdict(name: str, value: float, limit: float, unit: str) -> bool:
    """Print a measured value against its limit; return whether it is kept."""
    kept = value <= limit
    print(f"  {name}: {value:.3f} {unit}, limit {limit:g} {unit}: {'kept' if kept else 'MISSED'}")
    return kept
