"""Check a batch and merge it: what fails goes to quarantine with its reason, nothing else enters a table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aitheme.errors import StoreError
from aitheme.sources.live_datasets import dataset_named
from aitheme.store.checks import failing_rows

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from aitheme.sources.base import Batch

__all__ = ["MergeCount", "merge_batch"]


# A vendor may know only part of a row (a delisted company's name, say): what it leaves out keeps its stored value.
_PARTIAL = frozenset({"securities"})


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
    dataset = dataset_named(batch.dataset)
    if tuple(batch.table.column_names) != tuple(dataset.columns):
        raise StoreError(
            f"{batch.dataset}: columns {batch.table.column_names} are not {list(dataset.columns)}; mend the source"
        )
    failing = failing_rows(batch.dataset, batch.table)
    refused = _quarantine(connection, batch, failing, run_id)
    staged = _without(batch.table, failing)
    connection.register("staged_arrow", staged)
    if _disjoint(connection, batch.dataset, staged):
        columns = ", ".join(dataset.columns)
        connection.execute(f"INSERT INTO {batch.dataset} SELECT {columns} FROM staged_arrow")  # noqa: S608
        counts = staged.num_rows, 0
    else:
        counts = _merge(connection, batch.dataset, "staged_arrow")
    connection.unregister("staged_arrow")
    return MergeCount(batch.table.num_rows + len(batch.rejects), *counts, refused)


def _without(table: pa.Table, failing: dict[str, NDArray[np.int64]]) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    if not failing:
        return table
    keep = np.ones(table.num_rows, dtype=bool)
    keep[np.concatenate(list(failing.values()))] = False
    return table.filter(pa.array(keep))


def _quarantine(
    connection: duckdb.DuckDBPyConnection, batch: Batch, failing: dict[str, NDArray[np.int64]], run_id: str
) -> int:
    """File the rows refused by the source and those that failed a check; return how many."""
    import pandas as pd

    columns = dataset_named(batch.dataset).columns
    symbol = next((name for name in ("symbol", "factor") if name in columns), None)
    session = next((name for name in ("session", "published", "quarter_end") if name in columns), None)
    parts = [batch.rejects]
    for reason, rows in failing.items():
        records = batch.table.take(rows).to_pylist()
        parts.append(
            pd.DataFrame(
                {
                    "symbol": [record[symbol] if symbol else None for record in records],
                    "session": [record[session] if session else None for record in records],
                    "reason": reason,
                    "raw": [json.dumps(record, ensure_ascii=False, default=str) for record in records],
                }
            )
        )
    filed = [part for part in parts if len(part)]
    if not filed:
        return 0
    frame = pd.concat(filed, ignore_index=True).assign(run_id=run_id, dataset=batch.dataset)
    connection.register("rejected_rows", frame)
    connection.execute(
        "INSERT INTO quarantine SELECT run_id, dataset, symbol, session::DATE, reason, raw::JSON FROM rejected_rows"
    )
    connection.unregister("rejected_rows")
    return len(frame)


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """Return a query's single number. All rows are fetched: DuckDB 2 blocks a connection with an unread result."""
    return int(connection.execute(query).fetchall()[0][0])


def _disjoint(connection: duckdb.DuckDBPyConnection, dataset: str, staged: pa.Table) -> bool:
    """Tell whether the table has no row with a symbol (factor) of the staged ones: then all of them are new."""
    import pyarrow.compute as pc

    if _count(connection, f"SELECT count(*) FROM (SELECT 1 FROM {dataset} LIMIT 1)") == 0:  # noqa: S608
        return True
    name = dataset_named(dataset).key[0]
    found = connection.execute(
        f"SELECT 1 FROM {dataset} WHERE {name} IN (SELECT unnest(?)) LIMIT 1",  # noqa: S608
        [pc.unique(staged[name]).to_pylist()],
    ).fetchall()
    return not found


def _merge(connection: duckdb.DuckDBPyConnection, dataset: str, source: str) -> tuple[int, int]:
    """Insert new rows and replace changed ones; return (inserted, changed)."""
    columns = ", ".join(f'"{name}"' for name in dataset_named(dataset).columns)
    key = dataset_named(dataset).key
    on = " AND ".join(f'stored."{name}" = fresh."{name}"' for name in key)
    values = [name for name in dataset_named(dataset).columns if name not in key]
    given = ' AND fresh."{0}" IS NOT NULL' if dataset in _PARTIAL else ""
    differs = " OR ".join(f'(stored."{name}" IS DISTINCT FROM fresh."{name}"{given.format(name)})' for name in values)
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
        kept = 'coalesce(fresh."{0}", stored."{0}")' if dataset in _PARTIAL else 'fresh."{0}"'
        assign = ", ".join(f'"{name}" = {kept.format(name)}' for name in values)
        connection.execute(f"UPDATE {dataset} AS stored SET {assign} FROM changed_rows AS fresh WHERE {on}")  # noqa: S608
    connection.execute(f"INSERT INTO {dataset} ({columns}) SELECT {columns} FROM new_rows")  # noqa: S608
    connection.execute("DROP TABLE changed_rows")
    connection.execute("DROP TABLE new_rows")
    return inserted, changed


def record_dataset(connection: duckdb.DuckDBPyConnection, run_id: str, batch: Batch, count: MergeCount) -> None:
    """File what a batch did under its run."""
    connection.execute(
        "INSERT INTO dataset_run VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            run_id, batch.dataset, batch.origin, count.received, count.inserted, count.changed, count.quarantined,
            json.dumps(list(batch.notes), ensure_ascii=False),
        ],
    )  # fmt: skip
