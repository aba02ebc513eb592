"""Value checks that hold for every source: pure functions from a batch to a reason per row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aitheme.calendar import calendar_for
from aitheme.sources.live_datasets import dataset_named

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

__all__ = ["REPEATED", "failing_rows"]

REPEATED: Final = "row stands twice"
# Vendors round prices to the tick; a close may leave the day's range by one tick and no more.
_TICK: Final = 0.011
# Day 0 of 1970 was a Thursday; Saturday is the fifth day after Monday.
_THURSDAY: Final = 3
_WEEKEND: Final = 5
_PIECE: Final = 1 << 19
_BOARDS: Final = frozenset({"main", "chinext", "star", "bse", "hk", "us", "index"})
_EXCHANGES: Final = {"HK": "XHKG", "US": "XNYS"}
Rule = tuple[str, Callable[["_Columns"], "Mask"]]


class _Columns:
    """A record batch's columns as numpy arrays, each converted once."""

    def __init__(self, table: pa.RecordBatch) -> None:
        self._table = table
        self._cache: dict[str, NDArray[Any]] = {}
        self._days: dict[str, NDArray[np.int32]] = {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._cache:
            self._cache[name] = self._table[name].to_numpy(zero_copy_only=False)
        return self._cache[name]

    def codes(self, name: str) -> tuple[NDArray[np.int32], list[Any]]:
        """Return a column as dictionary codes and the dictionary."""
        column = self._table[name]
        encoded = column if hasattr(column, "indices") else column.dictionary_encode()
        return encoded.indices.to_numpy(), encoded.dictionary.to_pylist()

    def days(self, name: str) -> NDArray[np.int32]:
        """Return a date column as days since 1970."""
        if name not in self._days:
            # An Arrow date is that very number: a view, where the way over datetime64 copies millions of rows twice.
            self._days[name] = self._table[name].view("int32").to_numpy(zero_copy_only=False)
        return self._days[name]


def _off_calendar(columns: _Columns) -> Mask:
    """Tell which rows lie on no session of their symbol's exchange."""
    day = columns.days("session")
    code, symbols = columns.codes("symbol")
    exchange_of = np.array([_EXCHANGES.get(str(symbol).rsplit(".", 1)[-1], "XSHG") for symbol in symbols])
    first, last = int(day.min()), int(day.max())
    off = np.zeros(len(day), dtype=bool)
    for exchange in np.unique(exchange_of):
        closed = ~_session_table(str(exchange), first, last)
        here = exchange_of == exchange
        off |= closed[day - first] if here.all() else closed[day - first] & here[code]
    return off


def _session_table(exchange: str, first: int, last: int) -> Mask:
    """Tell for each day number of a span whether it is a session; every weekday is beyond the known calendar."""
    calendar = calendar_for(exchange)
    bounds = np.array([first, last]).astype("datetime64[D]")
    low, high = max(bounds[0].item(), calendar.first), min(bounds[1].item(), calendar.horizon)
    table = np.zeros(last - first + 1, dtype=bool)
    if low <= high:
        known = calendar.sessions(low, high).to_numpy().astype("datetime64[D]").astype(np.int64)
        table[known - first] = True
    number = np.arange(first, last + 1)
    beyond = number > np.datetime64(calendar.horizon, "D").astype(np.int64)
    return table | (beyond & ((number + _THURSDAY) % 7 < _WEEKEND))


def _outside_range(columns: _Columns) -> Mask:
    high, low = columns["high"], columns["low"]
    outside = np.zeros(len(high), dtype=bool)
    for name in ("open", "close"):
        outside |= (columns[name] > high + _TICK) | (columns[name] < low - _TICK)
    return outside


_CLOSE: Final[Rule] = ("close is not positive", lambda c: ~(c["close"] > 0))
_HIGH_LOW: Final[Rule] = ("high is below low", lambda c: c["high"] < c["low"])
_SESSION: Final[Rule] = ("not a session of its exchange", _off_calendar)
RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "bars": (
        _CLOSE,
        _HIGH_LOW,
        ("open or close lies outside low to high", _outside_range),
        ("volume is negative", lambda c: c["volume"] < 0),
        ("adjustment factor is not positive", lambda c: ~(c["adj_factor"] > 0)),
        _SESSION,
    ),
    "index_bars": (_CLOSE, _HIGH_LOW, _SESSION),
    "factors": (("daily factor return is not within ±100 %", lambda c: ~(np.abs(c["value"]) < 1)),),
    "consensus": (
        ("EPS is not a number", lambda c: ~np.isfinite(c["eps"])),
        (
            "fiscal year is not within two years before and four after publication",
            lambda c: np.abs(c["fiscal_year"] - c["published"].astype("datetime64[Y]").astype(int) - 1971) > 3,  # noqa: PLR2004
        ),
    ),
    "securities": (("board is unknown", lambda c: ~np.isin(c["board"].astype(str), list(_BOARDS))),),
    "capex": (("capital expenditure is negative", lambda c: c["capex"] < 0),),
}


def failing_rows(dataset: str, table: pa.Table) -> dict[str, NDArray[np.int64]]:
    """Return the rows that fail a check, by reason; a row fails under its first reason only.

    Parameters
    ----------
    dataset
        Name in :data:`aitheme.sources.base.DATASETS`.
    table
        A batch sorted by the dataset's key.
    """
    failing: dict[str, list[NDArray[np.int64]]] = {}
    offset = 0
    previous: pa.RecordBatch | None = None
    # Piece by piece: nothing is copied into one column, and each check's scratch arrays fit memory that is used again.
    for batch in table.to_batches(max_chunksize=_PIECE):
        if not batch.num_rows:
            continue
        for reason, mask in _failing_masks(dataset, batch, previous):
            failing.setdefault(reason, []).append(np.flatnonzero(mask) + offset)
        offset += batch.num_rows
        previous = batch
    return {reason: np.concatenate(failing[reason]) for reason in (*_reasons(dataset), REPEATED) if reason in failing}


def _reasons(dataset: str) -> tuple[str, ...]:
    return tuple(reason for reason, _ in RULES.get(dataset, ()))


def _failing_masks(dataset: str, batch: pa.RecordBatch, previous: pa.RecordBatch | None) -> Iterator[tuple[str, Mask]]:
    """Yield the reasons for which rows of a record batch fail, each with its rows."""
    columns = _Columns(batch)
    taken = np.zeros(batch.num_rows, dtype=bool)
    with np.errstate(invalid="ignore"):
        for reason, rule in RULES.get(dataset, ()):
            mask = rule(columns) & ~taken
            if mask.any():
                yield reason, mask
                taken |= mask
    repeated = _repeats(dataset, columns)
    if previous is not None and len(repeated):
        repeated[0] = _key(dataset, previous, previous.num_rows - 1) == _key(dataset, batch, 0)
    repeated &= ~taken
    if repeated.any():
        yield REPEATED, repeated


def _key(dataset: str, batch: pa.RecordBatch, row: int) -> tuple[Any, ...]:
    return tuple(batch[name][row].as_py() for name in dataset_named(dataset).key)


def _repeats(dataset: str, columns: _Columns) -> Mask:
    """Tell which rows have the key of the row before; a batch is sorted by key, so that finds every repeat."""
    same: Mask | None = None
    for name in dataset_named(dataset).key:
        values = columns.days(name) if dataset_named(dataset).columns[name] == "date32" else columns.codes(name)[0]
        step = values[1:] == values[:-1]
        same = step if same is None else same & step
    return np.concatenate(([False], same)) if same is not None else np.array([], dtype=bool)
