"""When the live datasets are fetched, and how their Arrow tables are built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aitheme.sources.live_datasets import LIVE_DATASETS, dataset_named

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import pyarrow as pa

__all__ = ["CADENCE_DAYS", "EVENING_DATASETS", "LIVE_DATASETS", "PRICE_DATASETS", "dataset_named", "table_of"]

PRICE_DATASETS: frozenset[str] = frozenset(
    {"securities", "names", "suspensions", "adj_factors", "bars", "index_bars", "indices"}
)
"""What the run after the close fetches."""

EVENING_DATASETS: frozenset[str] = frozenset(
    {
        "consensus", "consensus_ranges", "broker_forecasts", "reported_eps", "dividends", "share_counts",
        "sector_members", "capex", "box_office",
    }
)  # fmt: skip
"""What the evening run fetches."""

CADENCE_DAYS: Mapping[str, int] = {
    "securities": 1, "names": 1, "suspensions": 1, "indices": 7, "consensus": 1, "consensus_ranges": 1,
    "broker_forecasts": 1, "reported_eps": 1, "dividends": 7, "share_counts": 7, "sector_members": 7, "capex": 7,
    "box_office": 1,
}  # fmt: skip
"""Days after which a dataset without sessions is fetched again."""


def table_of(name: str, frame: pd.DataFrame, *, ordered: bool = False) -> pa.Table:
    """Build the Arrow table of a dataset from a frame with (at least) its columns, sorted by its key.

    Parameters
    ----------
    name
        Dataset name.
    frame
        Canonical units; dates as ``datetime.date``, ``datetime64`` or None. A missing column becomes null.
    ordered
        Whether the rows are in the order of the key already.
    """
    import pyarrow as pa

    dataset = dataset_named(name)
    schema = dataset.arrow_schema()
    if not len(frame):
        return schema.empty_table()
    rows = frame if ordered else frame.sort_values([*dataset.key], kind="stable")
    arrays = [_array(rows, field) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(frame: pd.DataFrame, field: pa.Field) -> pa.Array:
    """Convert one column; days are truncated to dates, absent columns are null."""
    import pyarrow as pa
    from pyarrow import types

    if field.name not in frame.columns:
        return pa.nulls(len(frame), type=field.type)
    values = frame[field.name]
    if types.is_date32(field.type) and values.dtype.kind == "M":
        return pa.array(values.to_numpy().astype("datetime64[D]"), type=field.type, from_pandas=True)
    if types.is_string(field.type):
        return pa.array(values.to_numpy(dtype=object, na_value=None), type=field.type, from_pandas=True)
    return pa.array(values, type=field.type, from_pandas=True)
