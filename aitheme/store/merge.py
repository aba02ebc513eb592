"""Check a batch and merge it: what fails goes to quarantine with its reason, nothing else enters a table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aitheme.errors import StoreError
from aitheme.sources.base import DATASETS, Batch

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["MergeCount", "merge_batch"]

# An average price may leave [low, high] by vendor rounding of amounts; a close may not leave it by more than a tick.
_TICK: Final = 0.011
_PRICE_RULES: Final = (
    ("close is not positive", "NOT close > 0"),
    ("high is below low", "high < low"),
    (
        "open or close lies outside low to high",
        f"close > high + {_TICK} OR close < low - {_TICK} OR open > high + {_TICK} OR open < low - {_TICK}",
    ),
)
_SESSION_RULE: Final = (
    "not a session of its exchange",
    """NOT EXISTS (FROM sessions AS known WHERE known.session = staged.session AND known.exchange =
    CASE split_part(symbol, '.', 2) WHEN 'HK' THEN 'XHKG' WHEN 'US' THEN 'XNYS' ELSE 'XSHG' END)""",
)
RULES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "bars": (
        *_PRICE_RULES,
        ("volume is negative", "volume < 0"),
        ("adjustment factor is not positive", "NOT adj_factor > 0"),
        _SESSION_RULE,
    ),
    "index_bars": (*_PRICE_RULES[:2], _SESSION_RULE),
    "factors": (("daily factor return is not within ±100 %", "NOT abs(value) < 1"),),
    "consensus": (
        ("EPS is not a number", "NOT isfinite(eps)"),
        ("fiscal year is not within two years before and four after publication",
         "fiscal_year NOT BETWEEN year(published) - 2 AND year(published) + 4"),
    ),
    "securities": (("board is unknown", "board NOT IN ('main','chinext','star','bse','hk','us','index')"),),
    "capex": (("capital expenditure is negative", "capex < 0"),),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MergeCount:
    """Rows of a batch: received, new, changed, and sent to quarantine (by the source or a check)."""

    received: int
    inserted: int
    changed: int
    quarantined: int


def merge_batch(connection: duckdb.DuckDBPyConnection, batch: Batch, run_id: str) -> MergeCount:
    """Check a batch and merge it into its table.

    Parameters
    ----------
    connection
        The writer's connection, inside a transaction.
    batch
        Canonical rows.
    run_id
        Run under which quarantine rows are filed.

    Returns
    -------
    MergeCount

    Raises
    ------
    StoreError
        The batch does not have its dataset's columns (a fault of the source, not of the data).
    """
    dataset = DATASETS[batch.dataset]
    if tuple(batch.table.column_names) != tuple(dataset.columns):
        raise StoreError(f"{batch.dataset}: columns {batch.table.column_names} are not {list(dataset.columns)}; mend the source")
    connection.register("staged_arrow", batch.table)
    refused = _file_rejects(connection, batch, run_id)
    source = "staged_arrow"
    if _failing(connection, batch.dataset) or _has_repeats(batch):
        refused += _set_aside(connection, batch.dataset, run_id)
        source = "staged_clean"
    counts = _merge(connection, batch.dataset, source)
    connection.unregister("staged_arrow")
    connection.execute("DROP TABLE IF EXISTS staged_clean")
    return MergeCount(batch.table.num_rows + len(batch.rejects), *counts, refused)


def _file_rejects(connection: duckdb.DuckDBPyConnection, batch: Batch, run_id: str) -> int:
    if len(batch.rejects):
        frame: pd.DataFrame = batch.rejects.assign(run_id=run_id, dataset=batch.dataset)
        connection.register("rejected_rows", frame)
        connection.execute(
            "INSERT INTO quarantine SELECT run_id, dataset, symbol, session::DATE, reason, raw::JSON FROM rejected_rows"
        )
        connection.unregister("rejected_rows")
    return len(batch.rejects)


def _has_repeats(batch: Batch) -> bool:
    """Tell whether neighbouring rows share a key; a batch is sorted by key, so that finds every repeat."""
    import numpy as np

    repeated = np.ones(max(batch.table.num_rows - 1, 0), dtype=bool)
    for name in DATASETS[batch.dataset].key:
        column = batch.table[name].combine_chunks()
        codes = (column if hasattr(column, "indices") else column.dictionary_encode()).indices.to_numpy()
        step = np.diff(codes)
        repeated &= step == 0
    return bool(repeated.any())


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """Return a query's single number. All rows are fetched: DuckDB 2 blocks a connection with an unread result."""
    return int(connection.execute(query).fetchall()[0][0])


def _failing(connection: duckdb.DuckDBPyConnection, dataset: str) -> bool:
    rules = RULES.get(dataset, ())
    if not rules:
        return False
    condition = " OR ".join(f"coalesce({rule}, false)" for _, rule in rules)
    return _count(connection, f"SELECT count(*) FROM staged_arrow AS staged WHERE {condition}") > 0  # noqa: S608


def _set_aside(connection: duckdb.DuckDBPyConnection, dataset: str, run_id: str) -> int:
    """Split the staged rows: those with a reason to quarantine, the rest to ``staged_clean``."""
    key = ", ".join(DATASETS[dataset].key)
    cases = " ".join(f"WHEN coalesce({rule}, false) THEN '{reason}'" for reason, rule in RULES.get(dataset, ()))
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE staged_checked AS
        SELECT *, CASE {cases} WHEN row_number() OVER (PARTITION BY {key}) > 1 THEN 'row stands twice' END AS reason
        FROM staged_arrow AS staged"""  # noqa: S608
    )
    columns = DATASETS[dataset].columns
    symbol = "symbol" if "symbol" in columns else "factor" if "factor" in columns else "NULL"
    session = "session" if "session" in columns else "published" if "published" in columns else "NULL"
    connection.execute(
        f"""INSERT INTO quarantine SELECT ?, ?, {symbol}, {session}, reason, to_json(staged_checked)
        FROM staged_checked WHERE reason IS NOT NULL""",  # noqa: S608
        [run_id, dataset],
    )
    refused = _count(connection, "SELECT count(*) FROM staged_checked WHERE reason IS NOT NULL")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE staged_clean AS SELECT * EXCLUDE (reason) FROM staged_checked WHERE reason IS NULL"
    )
    connection.execute("DROP TABLE staged_checked")
    return refused


def _merge(connection: duckdb.DuckDBPyConnection, dataset: str, source: str) -> tuple[int, int]:
    """Insert new rows and replace changed ones; return (inserted, changed)."""
    columns = ", ".join(DATASETS[dataset].columns)
    if _count(connection, f"SELECT count(*) FROM (SELECT 1 FROM {dataset} LIMIT 1)") == 0:  # noqa: S608
        connection.execute(f"INSERT INTO {dataset} SELECT {columns} FROM {source}")  # noqa: S608
        return _count(connection, f"SELECT count(*) FROM {source}"), 0  # noqa: S608
    key = DATASETS[dataset].key
    on = " AND ".join(f"stored.{name} = fresh.{name}" for name in key)
    values = [name for name in DATASETS[dataset].columns if name not in key]
    differs = " OR ".join(f"stored.{name} IS DISTINCT FROM fresh.{name}" for name in values)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE changed_rows AS
        SELECT fresh.* FROM {source} AS fresh JOIN {dataset} AS stored ON {on} WHERE {differs}"""  # noqa: S608
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE new_rows AS
        SELECT fresh.* FROM {source} AS fresh ANTI JOIN {dataset} AS stored ON {on}"""  # noqa: S608
    )
    changed = _count(connection, "SELECT count(*) FROM changed_rows")
    inserted = _count(connection, "SELECT count(*) FROM new_rows")
    if changed:
        assign = ", ".join(f"{name} = fresh.{name}" for name in values)
        connection.execute(f"UPDATE {dataset} AS stored SET {assign} FROM changed_rows AS fresh WHERE {on}")  # noqa: S608
    connection.execute(f"INSERT INTO {dataset} ({columns}) SELECT {columns} FROM new_rows")  # noqa: S608
    connection.execute("DROP TABLE changed_rows")
    connection.execute("DROP TABLE new_rows")
    return inserted, changed


def record_dataset(
    connection: duckdb.DuckDBPyConnection, run_id: str, batch: Batch, count: MergeCount
) -> None:
    """File what a batch did under its run."""
    connection.execute(
        "INSERT INTO dataset_run VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            run_id, batch.dataset, batch.origin, count.received, count.inserted, count.changed, count.quarantined,
            json.dumps(list(batch.notes), ensure_ascii=False),
        ],
    )  # fmt: skip
