"""The pandera schema of every live dataset: the last gate before a batch leaves for the store."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from aitheme.sources.akshare.datasets import dataset_named

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["schema_for", "violations"]

_SYMBOL: Final = r"^[0-9A-Z]+\.(SH|SZ|BJ|HK|US|SI|CSI)$"
_CURRENCY: Final = ("CNY", "HKD", "USD")
# Columns that must not be missing, beyond the key.
_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "securities": ("name", "currency", "board", "st"),
    "bars": ("open", "high", "low", "close", "volume", "adj_factor", "quality"),
    "index_bars": ("close",),
    "indices": ("name", "provider", "level"),
    "consensus": ("kind", "eps", "currency"),
    "capex": ("capex", "currency"),
    "adj_factors": ("factor", "source"),
    "broker_forecasts": ("eps", "currency", "seen"),
    "reported_eps": ("restated", "seen"),
    "names": ("name", "st"),
    "suspensions": ("seen",),
    "dividends": ("cash_per_share", "bonus_per_share", "currency", "source"),
    "share_counts": ("total_shares", "source", "seen"),
    "sector_members": ("provider",),
    "box_office": ("gross", "films", "complete"),
}
_ABOVE_ZERO: Final = frozenset(
    {"open", "high", "low", "close", "adj_factor", "factor", "capex", "total_shares", "gross"}
)
_NOT_NEGATIVE: Final = frozenset({"volume", "amount", "turnover", "cash_per_share", "bonus_per_share", "weight"})
_KINDS: Final[Mapping[str, str]] = {"float64": "float64", "int8": "int64", "int16": "float64", "int32": "int64"}


@cache
def schema_for(name: str) -> Any:
    """Return the pandera schema of a dataset.

    Parameters
    ----------
    name
        Dataset of the store, or one proposed in :mod:`aitheme.sources.akshare.datasets`.

    Returns
    -------
    pandera.DataFrameSchema
        Columns, missing values, signs, currencies, symbols, and the key's uniqueness.
    """
    import pandera.pandas as pa

    dataset = dataset_named(name)
    required = {*dataset.key, *_REQUIRED.get(name, ())}
    columns = {}
    for column, kind in dataset.columns.items():
        needed = column in required
        columns[column] = pa.Column(
            _KINDS.get(kind), _checks(pa, column), nullable=not needed, required=needed, coerce=kind in _KINDS
        )
    ordered = pa.Check(lambda f: f["low"] <= f["high"], error="low above high", ignore_na=True)
    whole = [ordered] if name == "bars" else []
    return pa.DataFrameSchema(columns, checks=whole, unique=list(dataset.key), name=name, strict=False)


def _checks(pa: Any, column: str) -> list[Any]:
    """Return the value checks of a column, the same in every dataset."""
    if column in _ABOVE_ZERO:
        return [pa.Check.gt(0)]
    if column in _NOT_NEGATIVE:
        return [pa.Check.ge(0)]
    if column == "symbol":
        return [pa.Check.str_matches(_SYMBOL)]
    if column == "currency":
        return [pa.Check.isin(_CURRENCY)]
    if column == "kind":
        return [pa.Check.isin(("A", "E"))]
    return []


def violations(name: str, frame: pd.DataFrame) -> tuple[str, ...]:
    """Return what is wrong with a dataset's rows, one sentence per failed check; nothing when they are fine."""
    import pandera.errors

    if frame.empty:
        return ()
    try:
        schema_for(name).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        grouped = cases.groupby(["column", "check"], dropna=False, sort=False)["failure_case"]
        return tuple(
            f"{column}: {check} fails for {list(values.head(3))!r}"[:200] for (column, check), values in grouped
        )
    return ()
