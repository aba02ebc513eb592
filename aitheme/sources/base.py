"""The contract between sources and the store: datasets with fixed columns and units.

Units end here: volume in shares, money in the trading currency, returns and ratios as ratios, dates as calendar
dates of the exchange. A source emits :class:`Batch` objects in these schemas and reports every row it drops.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    import pandas as pd
    import pyarrow as pa

__all__ = ["DATASETS", "PRICE_RECONSTRUCTED", "RETURN_APPROXIMATE", "Batch", "Dataset", "FetchRequest", "Source"]

# Bits of bars.quality. A row without bits is an unadjusted vendor price with an exact total-return factor.
PRICE_RECONSTRUCTED = 1
RETURN_APPROXIMATE = 2


@dataclass(frozen=True, slots=True)
class Dataset:
    """A table of the store and the columns a batch for it must carry.

    Parameters
    ----------
    name
        Table name.
    key
        Columns that identify a row.
    columns
        Column name to Arrow type name.
    """

    name: str
    key: tuple[str, ...]
    columns: dict[str, str]

    def arrow_schema(self) -> pa.Schema:
        """Return the Arrow schema of the dataset."""
        import pyarrow as pa

        return pa.schema([(name, pa.type_for_alias(kind)) for name, kind in self.columns.items()])


DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            "securities",
            ("symbol",),
            {
                "symbol": "string", "name": "string", "currency": "string", "board": "string", "industry": "string",
                "listed": "date32", "delisted": "date32", "total_shares": "float64", "float_shares": "float64",
                "shares_as_of": "date32", "st": "bool",
            },
        ),
        Dataset(
            "bars",
            ("symbol", "session"),
            {
                "symbol": "string", "session": "date32", "open": "float64", "high": "float64", "low": "float64",
                "close": "float64", "volume": "float64", "amount": "float64", "turnover": "float64",
                "adj_factor": "float64", "quality": "int8",
            },
        ),
        Dataset(
            "index_bars",
            ("symbol", "session"),
            {
                "symbol": "string", "session": "date32", "open": "float64", "high": "float64", "low": "float64",
                "close": "float64", "amount": "float64", "pe_trailing": "float64",
            },
        ),
        Dataset(
            "indices",
            ("symbol",),
            {"symbol": "string", "name": "string", "provider": "string", "level": "int8"},
        ),
        Dataset(
            "factors",
            ("factor", "session"),
            {"factor": "string", "session": "date32", "value": "float64"},
        ),
        Dataset(
            "consensus",
            ("symbol", "fiscal_year", "source", "published"),
            {
                "symbol": "string", "fiscal_year": "int16", "kind": "string", "eps": "float64", "currency": "string",
                "analysts": "int16", "source": "string", "published": "date32",
            },
        ),
        Dataset(
            "capex",
            ("symbol", "quarter_end"),
            {"symbol": "string", "quarter_end": "date32", "capex": "float64", "currency": "string"},
        ),
    )
}  # fmt: skip
"""Every dataset by name. ``volume`` shares, ``amount`` trading currency, ``turnover`` ratio of float, ``adj_factor``
multiplicative (close x adj_factor is the total-return level), ``capex`` currency units, ``kind`` A (actual) or E."""


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """What a refresh asks a source for.

    Parameters
    ----------
    symbols
        Canonical symbols wanted, or ``None`` for the whole market.
    since, until
        First and last date wanted, both included; ``None`` means as far as the source goes.
    datasets
        Names wanted; ``None`` means all. Only a live source can be asked for some.
    """

    symbols: frozenset[str] | None = None
    since: date | None = None
    until: date | None = None
    datasets: frozenset[str] | None = None
    # Whether what arrives is kept batch by batch, so that an interrupted refresh goes on where it stopped.
    incremental: ClassVar[bool] = False


def empty_rejects() -> pd.DataFrame:
    """Return a frame of refused rows with no row in it."""
    import pandas as pd

    return pd.DataFrame({name: pd.Series(dtype="object") for name in ("symbol", "session", "reason", "raw")})


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one dataset, sorted by its key, with what was refused on the way.

    Parameters
    ----------
    dataset
        Name in :data:`DATASETS`.
    table
        Arrow table in the dataset's schema, sorted by key.
    rejects
        Refused rows: columns ``symbol``, ``session``, ``reason``, ``raw`` (JSON of the vendor row).
    notes
        Sentences for the run record (what was approximated, which file was used).
    origin
        File or endpoint the rows come from.
    """

    dataset: str
    table: pa.Table
    rejects: pd.DataFrame = field(default_factory=empty_rejects)
    notes: tuple[str, ...] = ()
    origin: str = ""


class Source(Protocol):
    """A place data comes from.

    Attributes
    ----------
    name
        Short name, stored with every row set it delivered.
    simulated
        Whether the data is made up; a store never mixes simulated and real data.
    """

    @property
    def name(self) -> str:
        """Short name."""
        ...

    @property
    def simulated(self) -> bool:
        """Whether the data is made up."""
        ...

    def fingerprint(self) -> str:
        """Return a text that changes when the source has something new; equal text lets a refresh skip the fetch."""
        ...

    def batches(self, request: FetchRequest) -> Iterator[Batch]:
        """Yield the data asked for, one dataset (or part of one) at a time."""
        ...


def wanted(symbols: frozenset[str] | None, symbol: str) -> bool:
    """Tell whether a request covers a symbol."""
    return symbols is None or symbol in symbols


def to_table(dataset: str, columns: Mapping[str, Any]) -> pa.Table:
    """Build an Arrow table in a dataset's schema from column values (arrays, lists or series)."""
    import pyarrow as pa

    schema = DATASETS[dataset].arrow_schema()
    arrays = [pa.array(columns[name], type=schema.field(name).type, from_pandas=True) for name in schema.names]
    return pa.Table.from_arrays(arrays, schema=schema)
