"""What a store holds, how fresh it is, and what went wrong."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from aitheme.calendar import BEIJING, calendar_for
from aitheme.store.market import Market

if TYPE_CHECKING:
    import pandas as pd

    from aitheme.store.files import StoreFiles

__all__ = ["StoreStatus", "store_status"]

_DATASETS = {
    "bars": "session", "index_bars": "session", "factors": "session", "consensus": "published", "capex": "quarter_end",
}  # fmt: skip
_RUNS_SHOWN = 5
_CLOSE = time(15, 0)


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """A store at a glance.

    Parameters
    ----------
    coverage
        Per table: rows, keys (symbols or factors), first and last date.
    stale_sessions
        Sessions that closed since the last bar.
    runs
        The last refreshes, newest first, failed ones included.
    quarantine
        Rows set aside, counted by dataset and reason.
    approximate, reconstructed
        Symbols whose returns are approximate; share of closes that were rebuilt.
    """

    snapshot: str
    source: str
    simulated: bool
    schema_version: str
    coverage: pd.DataFrame
    stale_sessions: int
    runs: tuple[dict[str, Any], ...]
    quarantine: pd.DataFrame
    approximate: int
    reconstructed: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        values = {name: value for name, value in asdict(self).items() if name not in {"coverage", "quarantine"}}
        values["coverage"] = json.loads(self.coverage.to_json(orient="records", date_format="iso"))
        values["quarantine"] = json.loads(self.quarantine.to_json(orient="records"))
        return values


def store_status(files: StoreFiles, *, now: datetime | None = None) -> StoreStatus:
    """Describe the current snapshot.

    Parameters
    ----------
    files
        The store.
    now
        Moment against which staleness is measured; the clock by default.

    Raises
    ------
    StoreError
        There is no usable snapshot.
    """
    with Market(files) as market:
        coverage = _coverage(market)
        quality = market.sql(
            """SELECT count(DISTINCT symbol) FILTER (quality & 2 > 0) AS approximate,
            coalesce(avg((quality & 1)::DOUBLE), 0) AS rebuilt FROM bars"""
        ).iloc[0]
        quarantine = market.sql(
            "SELECT dataset, reason, count(*) AS n FROM quarantine GROUP BY ALL ORDER BY dataset, n DESC, reason"
        ).rename(columns={"n": "rows"})
        return StoreStatus(
            snapshot=market.snapshot.name,
            source=market.source,
            simulated=market.simulated,
            schema_version=str(market.sql("SELECT value FROM meta WHERE key = 'schema_version'").iloc[0, 0]),
            coverage=coverage,
            stale_sessions=_sessions_since(market.span[1], now or datetime.now(UTC)),
            runs=_runs(files),
            quarantine=quarantine,
            approximate=int(quality["approximate"]),
            reconstructed=float(quality["rebuilt"]),
        )


def _coverage(market: Market) -> pd.DataFrame:
    parts = []
    for table, column in _DATASETS.items():
        key = "factor" if table == "factors" else "symbol"
        parts.append(
            f"SELECT '{table}' AS dataset, count(*) AS n, count(DISTINCT {key}) AS keys, min({column}) AS first, "  # noqa: S608
            f"max({column}) AS last FROM {table}"
        )
    parts.append("SELECT 'securities', count(*), count(*), NULL, NULL FROM securities")
    frame = market.sql(" UNION ALL ".join(parts)).rename(columns={"n": "rows"})
    for name in ("first", "last"):
        frame[name] = frame[name].map(lambda stamp: None if stamp is None or stamp != stamp else str(stamp)[:10])  # noqa: PLR0124
    return frame


def _sessions_since(last: date, now: datetime) -> int:
    """Count the sessions that have closed after `last`."""
    local = now.astimezone(BEIJING)
    calendar = calendar_for("XSHG")
    end = min(local.date(), calendar.horizon)
    if end <= last:
        return 0
    sessions = calendar.sessions(last, end)
    closed = [stamp.date() for stamp in sessions if stamp.date() < local.date() or local.time() >= _CLOSE]
    return sum(session > last for session in closed)


def _runs(files: StoreFiles) -> tuple[dict[str, Any], ...]:
    try:
        with files.run_log.open(encoding="utf-8") as handle:
            lines = deque(handle, maxlen=_RUNS_SHOWN)
    except FileNotFoundError:
        return ()
    runs = []
    for line in reversed(lines):
        record = json.loads(line)
        datasets = record.pop("datasets", [])
        record["inserted"] = sum(item["inserted"] for item in datasets)
        record["changed"] = sum(item["changed"] for item in datasets)
        record["quarantined"] = sum(item["quarantined"] for item in datasets)
        runs.append(record)
    return tuple(runs)
