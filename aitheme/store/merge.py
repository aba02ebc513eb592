"""Check a batch and merge it: what fails goes to quarantine with its reason, nothing else enters a table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aitheme.errors import StoreError
from aitheme.sources.live_datasets import dataset_named
from aitheme.store.checks import failing_rows
from aitheme.store.restated import record_actions, record_changes, record_withdrawn, remembers

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from aitheme.sources.base import Batch

__all__ = ["MergeCount", "merge_batch", "record_dataset"]


# A vendor may know only part of a row (a delisted company's name, a quote list's turnover): what it leaves out keeps
# its stored value.
_PARTIAL: Final = frozenset({"securities", "bars", "index_bars"})
# Who said it, and when it was seen, are of the first time it was said: the same numbers again change nothing.
_FIRST_KNOWN: Final = frozenset({"seen", "source"})
# A second vendor rounds volume and amount its own way; only another price is news.
_BARS: Final = frozenset({"bars", "index_bars"})
_PRICES: Final = frozenset({"open", "high", "low", "close", "adj_factor"})
# Relative noise of a factor that was scaled to the store's; no vendor writes more than ten digits.
_NOISE: Final = 1e-12


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
    _note_withdrawn(connection, batch, run_id)
    if _disjoint(connection, batch.dataset, staged):
        columns = ", ".join(f'"{name}"' for name in dataset.columns)
        connection.execute(f"INSERT INTO {batch.dataset} SELECT {columns} FROM staged_arrow")  # noqa: S608
        counts = staged.num_rows, 0
    else:
        counts = _merge(connection, batch, run_id)
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
    """File the rows refused by the source and those that failed a check; return how many.

    A vendor that sends the same wrong row every day has it filed once.
    """
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
        """INSERT INTO quarantine
        SELECT run_id, dataset, symbol, session::DATE AS day, reason, raw::JSON AS row FROM rejected_rows AS fresh
        WHERE NOT EXISTS (
            SELECT 1 FROM quarantine AS held WHERE held.dataset = fresh.dataset AND held.reason = fresh.reason
            AND held.symbol IS NOT DISTINCT FROM fresh.symbol AND held.raw = fresh.raw::JSON
        )"""
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


def _differences(dataset: str, *, fallback: bool) -> dict[str, str]:
    """Return for each value column of a dataset the condition under which a fresh row changes a stored one."""
    described = dataset_named(dataset)
    conditions = {}
    for name, kind in described.columns.items():
        if name in described.key or name in _FIRST_KNOWN:
            continue
        if fallback and dataset in _BARS and name not in _PRICES:
            continue
        fresh, stored = f'fresh."{name}"', f'stored."{name}"'
        condition = f"{stored} IS DISTINCT FROM {fresh}"
        if kind == "float64":
            condition += f" AND coalesce(abs({fresh} - {stored}) > {_NOISE} * abs({stored}), TRUE)"
        if dataset in _PARTIAL:
            condition += f" AND {fresh} IS NOT NULL"
        conditions[name] = condition
    return conditions


def _merge(connection: duckdb.DuckDBPyConnection, batch: Batch, run_id: str) -> tuple[int, int]:
    """Insert new rows and replace changed ones, filing what they replace; return (inserted, changed)."""
    dataset = batch.dataset
    columns = ", ".join(f'"{name}"' for name in dataset_named(dataset).columns)
    key = dataset_named(dataset).key
    on = " AND ".join(f'stored."{name}" = fresh."{name}"' for name in key)
    differs = _differences(dataset, fallback=getattr(batch, "fallback", False))
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE changed_rows AS SELECT fresh.* FROM staged_arrow AS fresh
        JOIN {dataset} AS stored ON {on} WHERE ({") OR (".join(differs.values())})"""  # noqa: S608
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE new_rows AS
        SELECT fresh.* FROM staged_arrow AS fresh ANTI JOIN {dataset} AS stored ON {on}"""  # noqa: S608
    )
    changed = _count(connection, "SELECT count(*) FROM changed_rows")
    inserted = _count(connection, "SELECT count(*) FROM new_rows")
    if changed:
        if remembers(dataset):
            record_changes(connection, dataset, differs, run_id, batch.origin)
        kept = 'coalesce(fresh."{0}", stored."{0}")' if dataset in _PARTIAL else 'fresh."{0}"'
        values = [name for name in dataset_named(dataset).columns if name not in key]
        assign = ", ".join(f'"{name}" = {kept.format(name)}' for name in values)
        connection.execute(f"UPDATE {dataset} AS stored SET {assign} FROM changed_rows AS fresh WHERE {on}")  # noqa: S608
    if inserted and dataset == "adj_factors":
        record_actions(connection, run_id, batch.origin)
    connection.execute(f"INSERT INTO {dataset} ({columns}) SELECT {columns} FROM new_rows")  # noqa: S608
    connection.execute("DROP TABLE changed_rows")
    connection.execute("DROP TABLE new_rows")
    return inserted, changed


def _note_withdrawn(connection: duckdb.DuckDBPyConnection, batch: Batch, run_id: str) -> None:
    """File stored bars that a complete answer of a vendor no longer has."""
    covers: Any = getattr(batch, "covers", None)
    symbol: str | None = getattr(batch, "symbol", None)
    if covers is not None and symbol is not None and batch.dataset in _BARS and batch.table.num_rows:
        record_withdrawn(connection, batch.dataset, symbol, covers, run_id, batch.origin)


def record_dataset(connection: duckdb.DuckDBPyConnection, run_id: str, batch: Batch, count: MergeCount) -> None:
    """File what a batch did under its run."""
    connection.execute(
        "INSERT INTO dataset_run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            run_id, batch.dataset, getattr(batch, "symbol", None), batch.origin, getattr(batch, "fallback", False),
            count.received, count.inserted, count.changed, count.quarantined,
            json.dumps(list(batch.notes), ensure_ascii=False),
        ],
    )  # fmt: skip
