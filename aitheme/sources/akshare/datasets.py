"""Datasets the live vendors deliver beyond :data:`aitheme.sources.base.DATASETS`, in the same form.

Every table is append-only in its date of knowledge: a later row never replaces what was known before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aitheme.sources.base import DATASETS, Dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import pyarrow as pa

__all__ = ["CADENCE_DAYS", "EVENING_DATASETS", "LIVE_DATASETS", "PRICE_DATASETS", "dataset_named", "table_of"]

LIVE_DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            "adj_factors",
            ("symbol", "ex_date"),
            {"symbol": "string", "ex_date": "date32", "factor": "float64", "source": "string"},
        ),
        Dataset(
            "broker_forecasts",
            ("symbol", "broker", "published", "fiscal_year", "report"),
            {
                "symbol": "string", "broker": "string", "published": "date32", "fiscal_year": "int16",
                "report": "string", "eps": "float64", "currency": "string", "rating": "string", "seen": "date32",
            },
        ),
        Dataset(
            "consensus_ranges",
            ("symbol", "fiscal_year", "source", "published"),
            {
                "symbol": "string", "fiscal_year": "int16", "source": "string", "published": "date32",
                "eps_low": "float64", "eps_high": "float64", "industry_mean": "float64",
            },
        ),
        Dataset(
            "reported_eps",
            ("symbol", "period_end", "published"),
            {
                "symbol": "string", "period_end": "date32", "published": "date32", "announced": "date32",
                "eps": "float64", "net_profit": "float64", "revenue": "float64", "restated": "bool", "seen": "date32",
            },
        ),
        Dataset(
            "names",
            ("symbol", "seen"),
            {"symbol": "string", "seen": "date32", "name": "string", "st": "bool"},
        ),
        Dataset(
            "suspensions",
            ("symbol", "start"),
            {"symbol": "string", "start": "date32", "end": "date32", "reason": "string", "seen": "date32"},
        ),
        Dataset(
            "dividends",
            ("symbol", "ex_date", "report"),
            {
                "symbol": "string", "ex_date": "date32", "report": "string", "announced": "date32",
                "record_date": "date32", "pay_date": "date32", "cash_per_share": "float64",
                "bonus_per_share": "float64", "currency": "string", "source": "string",
            },
        ),
        Dataset(
            "share_counts",
            ("symbol", "effective"),
            {
                "symbol": "string", "effective": "date32", "total_shares": "float64", "float_shares": "float64",
                "source": "string", "seen": "date32",
            },
        ),
        Dataset(
            "sector_members",
            ("sector", "symbol", "seen"),
            {
                "sector": "string", "symbol": "string", "seen": "date32", "since": "date32", "weight": "float64",
                "provider": "string",
            },
        ),
        Dataset(
            "box_office",
            ("month", "seen"),
            {
                "month": "date32", "seen": "date32", "gross": "float64", "admissions": "float64", "films": "int32",
                "complete": "bool",
            },
        ),
    )
}  # fmt: skip
"""Proposed datasets by name.

``factor`` multiplicative total-return factor in force from ``ex_date`` on; ``bonus_per_share`` new shares per share
held (bonus and transfer together); ``cash_per_share`` before tax; ``weight`` a ratio; ``gross`` CNY, ``admissions``
tickets; ``published`` the first day on which the number was public, ``seen`` the day it was fetched."""

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


def dataset_named(name: str) -> Dataset:
    """Return a dataset of the store, or one proposed here."""
    return DATASETS[name] if name in DATASETS else LIVE_DATASETS[name]


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
