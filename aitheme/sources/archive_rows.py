"""Rows of A-share bar files, read without copies and brought into the order of symbol and day."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aitheme.calendar import calendar_for
from aitheme.errors import ArchiveError, SymbolError
from aitheme.sources.archive_files import ArchiveFile, columns_of, read_table
from aitheme.sources.base import FetchRequest, empty_rejects
from aitheme.symbols import parse_symbol

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Days = NDArray[np.int32]

__all__ = ["THREADS", "VALUE_COLUMNS", "Part", "Rows", "Runs", "common_columns", "read_runs"]


# numpy and Arrow let go of the interpreter while they work, so that two threads fill two cores.
THREADS: Final = 2
# Rows worked on at a time: small enough for the processor's cache and for memory to be used again at once.
_BLOCK: Final = 60_000
_DAY_SPAN: Final = 1_000_000
_NOT_POSITIVE, _OFF_CALENDAR, _TWICE, _CONFLICT = 1, 2, 3, 4
_REASONS: Final = {
    _NOT_POSITIVE: "price is not positive",
    _OFF_CALENDAR: "not a trading session",
    _TWICE: "row stands twice",
    _CONFLICT: "second row with other values for the same day",
}
_PRICES: Final = ("open", "high", "low", "close")
VALUE_COLUMNS: Final = {
    "开盘": "open", "最高": "high", "最低": "low", "收盘": "close", "成交量": "volume", "成交额": "amount", "换手率": "turnover",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one file or row group in file order; `code` points into the sorted list of all symbols."""

    code: Days
    day: Days
    values: dict[str, NDArray[Any]]

    def where(self, keep: NDArray[np.bool_]) -> Part:
        """Return the rows to keep."""
        if keep.all():
            return self
        return Part(self.code[keep], self.day[keep], {name: column[keep] for name, column in self.values.items()})

    def row(self, index: int) -> dict[str, float]:
        """Return one row's values by column."""
        return {name: float(column[index]) for name, column in self.values.items()}


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of neighbouring symbols as parallel arrays sorted by (symbol, day); a symbol begins at each of `starts`."""

    code: Ints
    day: Days
    values: dict[str, Floats]
    starts: Ints

    @property
    def key(self) -> Ints:
        """Symbol and day of each row as one ascending number."""
        return np.repeat(self.code * _DAY_SPAN, np.diff(self.starts)) + self.day


@dataclass(frozen=True, slots=True)
class Runs:
    """Stretches of rows of one symbol, sorted by symbol and day, each in one part; no two of them overlap.

    The rows of symbol i stand from ``ends[i]`` to before ``ends[i + 1]`` once they are sorted.
    """

    parts: list[Part]
    part: Ints
    start: Ints
    length: Ints
    code: Ints
    ends: Ints

    def blocks(self) -> list[tuple[int, int]]:
        """Return ranges of symbols that hold about a block of rows each."""
        bounds = [0]
        while bounds[-1] < len(self.ends) - 1:
            full = int(np.searchsorted(self.ends, self.ends[bounds[-1]] + _BLOCK, side="right")) - 1
            bounds.append(max(bounds[-1] + 1, full))
        return list(pairwise(bounds))

    def gather(self, low: int, high: int, values: dict[str, Floats]) -> Rows:
        """Return the rows of the symbols from `low` to before `high` in order, their values in the arrays given."""
        here = slice(*np.searchsorted(self.code, [low, high]))
        part, start, length, code = self.part[here], self.start[here], self.length[here], self.code[here]
        source, total = np.empty(len(part), dtype=np.int64), 0
        pieces: list[tuple[Part, slice]] = []
        for number in np.unique(part).tolist():
            mine = part == number
            # A part is sorted, so what these symbols have in it is one slice.
            piece = slice(int(start[mine].min()), int((start + length)[mine].max()))
            source[mine] = start[mine] + (total - piece.start)
            pieces.append((self.parts[number], piece))
            total += piece.stop - piece.start
        target = np.cumsum(length) - length
        order = np.repeat(source - target, length) + np.arange(total)
        for name, column in values.items():
            loose = np.concatenate([item.values[name][piece] for item, piece in pieces], dtype=np.float64)
            loose.take(order, out=column, mode="clip")
        day = np.concatenate([item.day[piece] for item, piece in pieces])[order]
        first = np.flatnonzero(np.diff(code, prepend=-1))
        return Rows(code[first], day, values, np.append(target[first], total))


def read_runs(
    files: tuple[ArchiveFile, ...], request: FetchRequest, values: tuple[str, ...], symbols: list[str] | None = None
) -> tuple[list[str], Runs | None, pd.DataFrame]:
    """Read files; return their symbols (or those given), the usable rows and the refused ones."""
    with _small_pages(), ThreadPoolExecutor(THREADS) as pool:
        read = [part for parts in pool.map(lambda file: _read_one(file, request, values), files) for part in parts]
        if symbols is None:
            symbols = sorted({symbol for local, _ in read for symbol in local})
        number = {symbol: position for position, symbol in enumerate(symbols)}
        parts = [part for part in pool.map(lambda item: _numbered(item[0], item[1], number), read) if len(part.day)]
        if not parts:
            return symbols, None, empty_rejects()
        sessions = _session_table(parts)
        reason = np.concatenate(list(pool.map(lambda part: _reasons(part, *sessions), parts)))
    runs = _runs(parts, len(symbols))
    order = None if runs is not None else _mark_repeats(parts, reason)
    rejects = _reject_frame(parts, symbols, reason)
    if order is not None:
        runs = _runs([_joined(parts, order[reason[order] == 0])], len(symbols))
    elif reason.any():
        ends = np.cumsum([len(part.day) for part in parts])[:-1]
        parts = [part.where(mine == 0) for part, mine in zip(parts, np.split(reason, ends), strict=True)]
        runs = _runs(parts, len(symbols))
    return symbols, runs if runs is not None and len(runs.code) else None, rejects


@contextmanager
def _small_pages() -> Iterator[None]:
    """Let Arrow take its memory from the C library meanwhile.

    Its own allocator asks for pages of 2 MB and spreads columns over many of them: the system then clears several times
    the memory that is used, which took longer than the reading itself.
    """
    import pyarrow as pa

    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


def _numbered(local: list[str], part: Part, number: dict[str, int]) -> Part:
    """Turn a part's own symbol numbers into common ones, without the symbols that have none."""
    common = np.array([number.get(symbol, -1) for symbol in local], dtype=np.int32)
    part = Part(common[part.code], part.day, part.values)
    return part.where(part.code >= 0)


def _runs(parts: list[Part], symbols: int) -> Runs | None:
    """Return the runs of sorted parts; None where a part is not sorted, or two mix the days of a symbol."""
    found = []
    for number, part in enumerate(parts):
        step = np.diff(part.code)
        if not np.all((step > 0) | ((step == 0) & (part.day[1:] >= part.day[:-1]))):
            return None
        edges = (
            np.concatenate(([0], np.flatnonzero(step) + 1, [len(part.code)])) if len(part.code) else np.zeros(1, int)
        )
        start, last = edges[:-1], edges[1:] - 1
        found.append(
            (np.full(len(start), number), start, last + 1 - start, part.code[start], part.day[start], part.day[last])
        )
    part_number, start, length, code, first, last = (
        np.concatenate(column).astype(np.int64) for column in zip(*found, strict=True)
    )
    order = np.lexsort((first, code))
    code, first, last = code[order], first[order], last[order]
    if np.any((code[1:] == code[:-1]) & (first[1:] <= last[:-1])):
        return None
    ends = np.append(0, np.cumsum(np.bincount(code, weights=length[order], minlength=symbols))).astype(np.int64)
    return Runs(parts, part_number[order], start[order], length[order], code, ends)


def _joined(parts: list[Part], order: Ints) -> Part:
    """Put rows of all parts into one part in the order given."""
    return Part(
        np.concatenate([part.code for part in parts])[order],
        np.concatenate([part.day for part in parts])[order],
        {name: np.concatenate([part.values[name] for part in parts])[order] for name in common_columns(parts)},
    )


def common_columns(parts: list[Part]) -> tuple[str, ...]:
    """Return the value columns that every part has."""
    return tuple(name for name in parts[0].values if all(name in part.values for part in parts))


def _reasons(part: Part, first: int, session: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return for every row why it cannot be used, 0 where it can."""
    reason = np.zeros(len(part.day), dtype=np.int8)
    for name in _PRICES:
        if name in part.values:
            reason[~(part.values[name] > 0)] = _NOT_POSITIVE
    reason[~session[part.day - first]] = _OFF_CALENDAR
    repeated = (part.day[1:] == part.day[:-1]) & (part.code[1:] == part.code[:-1])
    for index in np.flatnonzero(repeated).tolist():
        reason[index + 1] = _TWICE if part.row(index) == part.row(index + 1) else _CONFLICT
    return reason


def _mark_repeats(parts: list[Part], reason: NDArray[np.int8]) -> Ints:
    """Refuse every row but the first of a symbol and day; return the order that sorts all rows."""
    key = np.concatenate([part.code.astype(np.int64) * _DAY_SPAN + part.day for part in parts])
    order = np.argsort(key, kind="stable")
    ranked = key[order]
    for position in np.flatnonzero(ranked[1:] == ranked[:-1]) + 1:
        earlier, later = int(order[position - 1]), int(order[position])
        (first, one), (second, other) = _locate(parts, earlier), _locate(parts, later)
        reason[later] = _TWICE if first.row(one) == second.row(other) else _CONFLICT
    return order


def _locate(parts: list[Part], index: int) -> tuple[Part, int]:
    """Return the part that holds a row counted over all parts, and the row's number there."""
    for part in parts:
        if index < len(part.day):
            return part, index
        index -= len(part.day)
    raise IndexError(index)


def _session_table(parts: list[Part]) -> tuple[int, NDArray[np.bool_]]:
    """Return the first day of the parts, and for each day from it on whether it is a mainland session."""
    first, last = min(int(part.day.min()) for part in parts), max(int(part.day.max()) for part in parts)
    bounds = np.array([first, last]).astype("datetime64[D]")
    sessions = calendar_for("XSHG").sessions(bounds[0].item(), bounds[1].item()).to_numpy().astype("datetime64[D]")
    table = np.zeros(last - first + 1, dtype=bool)
    table[sessions.astype(np.int64) - first] = True
    return first, table


def _reject_frame(parts: list[Part], symbols: list[str], reason: NDArray[np.int8]) -> pd.DataFrame:
    import pandas as pd

    bad = np.flatnonzero(reason).tolist()
    if not bad:
        return empty_rejects()
    rows = [_locate(parts, index) for index in bad]
    return pd.DataFrame(
        {
            "symbol": [symbols[part.code[index]] for part, index in rows],
            "session": np.array([part.day[index] for part, index in rows]).astype("datetime64[D]").astype(object),
            "reason": [_REASONS[int(reason[index])] for index in bad],
            "raw": [json.dumps(part.row(index)) for part, index in rows],
        }
    )


def _read_one(file: ArchiveFile, request: FetchRequest, values: tuple[str, ...]) -> list[tuple[list[str], Part]]:
    """Read what is asked for from a file: each row group's symbols, and its rows numbered by them."""
    present = columns_of(file.path)
    code = next((name for name in ("股票代码", "代码") if name in present), None)
    wanted = [name for name in values if name in present]
    table = _read_table(file, code, [*([code] if code else []), "日期", *wanted], request)
    return [_requested(*_part(file, batch, code, wanted), request) for batch in table.to_batches() if batch.num_rows]


def _read_table(file: ArchiveFile, code: str | None, columns: list[str], request: FetchRequest) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if code is None:
        return read_table(file.path, columns)
    if request.symbols is not None:
        spelled = sorted({form for symbol in request.symbols for form in (symbol, symbol.split(".")[0])})
        return read_table(file.path, columns, [(code, "in", spelled)])
    if file.path.suffix.lower() == ".parquet":
        # Codes as stored, numbers into a dictionary: no text is made of them. What fails here is told by `read_table`.
        with suppress(pa.ArrowException, OSError):
            return pq.read_table(file.path, columns=columns, read_dictionary=[code], memory_map=True)
    return read_table(file.path, columns)


def _part(file: ArchiveFile, batch: pa.RecordBatch, code: str | None, wanted: list[str]) -> tuple[list[str], Part]:
    import pyarrow as pa

    if code is None:
        local, index = [_symbol(file, file.path.stem)], np.zeros(len(batch), dtype=np.int32)
    else:
        column = batch[code]
        encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        local = [_symbol(file, text) for text in encoded.dictionary.to_pylist()]
        index = encoded.indices.to_numpy(zero_copy_only=False)
    day = batch["日期"].cast(pa.date32()).cast(pa.int32()).to_numpy(zero_copy_only=False)
    return local, Part(index, day, {VALUE_COLUMNS[name]: batch[name].to_numpy(zero_copy_only=False) for name in wanted})


def _requested(local: list[str], part: Part, request: FetchRequest) -> tuple[list[str], Part]:
    """Take the dates and symbols asked for out of a part."""
    keep = np.ones(len(part.day), dtype=bool)
    if request.since is not None:
        keep &= part.day >= np.datetime64(request.since).astype(int)
    if request.until is not None:
        keep &= part.day <= np.datetime64(request.until).astype(int)
    if request.symbols is not None:
        keep &= np.array([symbol in request.symbols for symbol in local])[part.code]
    if keep.all():
        return local, part
    part = part.where(keep)
    used, code = np.unique(part.code, return_inverse=True)
    return [local[i] for i in used.tolist()], Part(code.astype(np.int32), part.day, part.values)


@cache
def _parsed(text: str) -> str:
    return str(parse_symbol(text))


def _symbol(file: ArchiveFile, text: str) -> str:
    try:
        return _parsed(text)
    except SymbolError as error:
        raise ArchiveError(f"archive: {file.path}: {error}") from error
