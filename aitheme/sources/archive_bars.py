"""A-share bars from dumps: vendor units and adjustment end here.

Dumps may be unadjusted or forward-adjusted; the traded average price (amount / volume) tells which, and lets the
unadjusted price be recovered (:mod:`aitheme.sources.unadjust`). The total-return level is the back-adjusted close where
the archive has one, else the dump's own close, flagged approximate.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aitheme.calendar import calendar_for
from aitheme.errors import ArchiveError, SymbolError
from aitheme.sources.archive_files import ArchiveFile, columns_of, read_table
from aitheme.sources.base import DATASETS, PRICE_RECONSTRUCTED, RETURN_APPROXIMATE, Batch, FetchRequest, empty_rejects
from aitheme.sources.unadjust import unadjusted_closes
from aitheme.symbols import parse_symbol

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["BarFiles", "a_share_bars"]

_LOT: Final = 100.0
_PERCENT: Final = 100.0
# amount / (volume x close) is about 1 for shares and about 100 for lots; the geometric middle separates them.
_LOT_THRESHOLD: Final = 10.0
_SAMPLE: Final = 10_000
_DAY_SPAN: Final = 1_000_000
_NOT_POSITIVE, _OFF_CALENDAR, _TWICE, _CONFLICT = 1, 2, 3, 4
_REASONS: Final = {
    _NOT_POSITIVE: "price is not positive",
    _OFF_CALENDAR: "not a trading session",
    _TWICE: "row stands twice",
    _CONFLICT: "second row with other values for the same day",
}
_PRICES: Final = ("open", "high", "low", "close")
_VALUE_COLUMNS: Final = {
    "开盘": "open", "最高": "high", "最低": "low", "收盘": "close", "成交量": "volume", "成交额": "amount", "换手率": "turnover",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BarFiles:
    """The files that together make the A-share bars."""

    bars: tuple[ArchiveFile, ...]
    hfq: tuple[ArchiveFile, ...]


@dataclass(slots=True)
class _Rows:
    """Bars as parallel arrays sorted by (symbol, day); `symbols` is the dictionary of `code`."""

    symbols: list[str]
    code: Ints
    day: Ints
    values: dict[str, Floats]

    @property
    def key(self) -> Ints:
        return self.code * _DAY_SPAN + self.day

    def starts(self) -> Ints:
        change = np.flatnonzero(np.diff(self.code)) + 1
        return np.concatenate(([0], change, [len(self.code)])).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Part:
    """One file's rows in file order: symbol slots, day numbers and value columns."""

    slot: Ints
    day: Ints
    values: dict[str, NDArray[Any]]


def a_share_bars(files: BarFiles, request: FetchRequest) -> Batch:
    """Read every bar file and return one canonical batch.

    Raises
    ------
    ArchiveError
        A file is damaged, has no code, or holds no usable row.
    """
    rows, rejects = _read(files.bars, request, tuple(_VALUE_COLUMNS))
    if not len(rows.code):
        raise ArchiveError("archive: no bar of the wanted symbols and dates; check --universe, --since and --until")
    in_shares = _volume_to_shares(rows)
    level, exact = _total_return_level(rows, files.hfq, request)
    batch, rebuilt = _canonical(rows, level, exact)
    notes = (
        f"{len(rows.code):,} bars of {len(rows.symbols):,} symbols; volume was in {'shares' if in_shares else 'lots of 100'}",
        f"{rebuilt:,} closes rebuilt from average prices and total-return levels (about 0.1 % accurate)",
        *_approximate_note(rows, exact),
    )
    origin = f"{len(files.bars)} bar files, {len(files.hfq)} back-adjusted files"
    return Batch("bars", batch, rejects, notes, origin)


def _approximate_note(rows: _Rows, exact: NDArray[np.bool_]) -> tuple[str, ...]:
    codes = np.unique(rows.code[~exact])
    if not len(codes):
        return ()
    names = ", ".join(rows.symbols[code] for code in codes[:5])
    more = f" and {len(codes) - 5:,} more" if len(codes) > 5 else ""  # noqa: PLR2004 (five named above)
    return (f"{len(codes):,} symbols lack a back-adjusted close, their returns are approximate: {names}{more}",)


def _read(files: tuple[ArchiveFile, ...], request: FetchRequest, values: tuple[str, ...]) -> tuple[_Rows, pd.DataFrame]:
    """Read files into rows sorted by symbol and day, without those that cannot be used, and the refused rows."""
    slots: dict[str, int] = {}
    parts = [part for file in files if (part := _read_one(file, request, values, slots)) is not None]
    ordered = sorted(slots)
    if not parts:
        return _Rows(ordered, np.array([], dtype=np.int64), np.array([], dtype=np.int64), {}), empty_rejects()
    rank = np.empty(len(slots), dtype=np.int64)
    rank[[slots[symbol] for symbol in ordered]] = np.arange(len(slots))
    code = rank[np.concatenate([part.slot for part in parts])]
    day = np.concatenate([part.day for part in parts])
    order, reason = _usable(parts, code * _DAY_SPAN + day, day)
    rejects = _reject_frame(parts, ordered, code, day, reason)
    names = [_VALUE_COLUMNS[name] for name in values if all(_VALUE_COLUMNS[name] in part.values for part in parts)]
    return _Rows(ordered, code[order], day[order], _scatter(parts, order, len(code), names)), rejects


def _usable(parts: list[_Part], key: Ints, day: Ints) -> tuple[Ints, NDArray[np.int8]]:
    """Return the order that sorts the usable rows, and for every row the reason it is refused (0 for none)."""
    reason = np.zeros(len(key), dtype=np.int8)
    offset = 0
    for part in parts:
        for name in _PRICES:
            if name in part.values:
                reason[offset : offset + len(part.day)][~(part.values[name] > 0)] = _NOT_POSITIVE
        offset += len(part.day)
    reason[~_is_session(day)] = _OFF_CALENDAR
    order = np.arange(len(key)) if np.all(key[1:] >= key[:-1]) else np.argsort(key, kind="stable")
    ranked = key[order]
    for position in np.flatnonzero(ranked[1:] == ranked[:-1]) + 1:
        earlier, later = int(order[position - 1]), int(order[position])
        reason[later] = _TWICE if _row(parts, earlier) == _row(parts, later) else _CONFLICT
    return (order if not reason.any() else order[reason[order] == 0]), reason


def _row(parts: list[_Part], index: int) -> dict[str, float]:
    """Return the values of one row, counted over all parts."""
    for part in parts:
        if index < len(part.day):
            return {name: float(column[index]) for name, column in part.values.items()}
        index -= len(part.day)
    raise IndexError(index)


def _scatter(parts: list[_Part], order: Ints, total: int, names: list[str]) -> dict[str, Floats]:
    """Copy each column from the parts into sorted order, on two threads (numpy releases the interpreter lock)."""
    target = np.full(total, -1, dtype=np.int64)
    target[order] = np.arange(len(order))
    bounds = np.cumsum([0, *(len(part.day) for part in parts)])
    slices = [target[low:high] for low, high in zip(bounds[:-1], bounds[1:], strict=True)]
    kept = [None if (positions >= 0).all() else positions >= 0 for positions in slices]

    def column(name: str) -> Floats:
        result = np.empty(len(order))
        for part, positions, keep in zip(parts, slices, kept, strict=True):
            if keep is None:
                result[positions] = part.values[name]
            else:
                result[positions[keep]] = part.values[name][keep]
        return result

    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip(names, pool.map(column, names), strict=True))


def _is_session(day: Ints) -> NDArray[np.bool_]:
    """Tell which day numbers are mainland sessions, by a table over the span."""
    first, last = int(day.min()), int(day.max())
    bounds = np.array([first, last]).astype("datetime64[D]")
    sessions = calendar_for("XSHG").sessions(bounds[0].item(), bounds[1].item()).to_numpy().astype("datetime64[D]")
    table = np.zeros(last - first + 1, dtype=bool)
    table[sessions.astype(np.int64) - first] = True
    return table[day - first]


def _reject_frame(
    parts: list[_Part], symbols: list[str], code: Ints, day: Ints, reason: NDArray[np.int8]
) -> pd.DataFrame:
    import pandas as pd

    bad = np.flatnonzero(reason)
    if not len(bad):
        return empty_rejects()
    return pd.DataFrame(
        {
            "symbol": [symbols[code[i]] for i in bad],
            "session": day[bad].astype("datetime64[D]").astype(object),
            "reason": [_REASONS[int(reason[i])] for i in bad],
            "raw": [json.dumps(_row(parts, int(i))) for i in bad],
        }
    )


def _read_one(file: ArchiveFile, request: FetchRequest, values: tuple[str, ...], slots: dict[str, int]) -> _Part | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    present = columns_of(file.path)
    code_column = next((name for name in ("股票代码", "代码") if name in present), None)
    wanted = [name for name in values if name in present]
    filters = None
    if code_column and request.symbols is not None:
        spelled = sorted({form for symbol in request.symbols for form in (symbol, symbol.split(".")[0])})
        filters = [(code_column, "in", spelled)]
    table = read_table(file.path, [*([code_column] if code_column else []), "日期", *wanted], filters)
    if not len(table):
        return None
    if code_column:
        encoded = table[code_column].combine_chunks().dictionary_encode()
        local = [_symbol(file, text) for text in encoded.dictionary.to_pylist()]
        index = encoded.indices.to_numpy(zero_copy_only=False)
    else:
        local = [_symbol(file, file.path.stem)]
        index = np.zeros(len(table), dtype=np.int32)
    day = pc.cast(table["日期"], pa.date32()).combine_chunks().cast(pa.int32()).to_numpy(zero_copy_only=False)
    keep = _requested(day, request)
    if request.symbols is not None:
        keep &= np.array([symbol in request.symbols for symbol in local])[index]
    if not keep.all():
        table, index, day = table.filter(pa.array(keep)), index[keep], day[keep]
    number = np.array([slots.setdefault(symbol, len(slots)) for symbol in local], dtype=np.int64)
    columns = {_VALUE_COLUMNS[name]: table[name].to_numpy() for name in wanted}
    return _Part(number[index], day.astype(np.int64), columns) if len(table) else None


def _requested(day: NDArray[np.integer[Any]], request: FetchRequest) -> NDArray[np.bool_]:
    keep = np.ones(len(day), dtype=bool)
    if request.since is not None:
        keep &= day >= np.datetime64(request.since).astype(int)
    if request.until is not None:
        keep &= day <= np.datetime64(request.until).astype(int)
    return keep


def _symbol(file: ArchiveFile, text: str) -> str:
    try:
        return str(parse_symbol(text))
    except SymbolError as error:
        raise ArchiveError(f"archive: {file.path}: {error}") from error


def _volume_to_shares(rows: _Rows) -> bool:
    """Convert lots to shares in place; return whether the dump was in shares already."""
    volume, amount, close = rows.values["volume"], rows.values["amount"], rows.values["close"]
    with np.errstate(divide="ignore", invalid="ignore"):
        sample = slice(None, None, max(1, len(close) // _SAMPLE))
        ratio = amount[sample] / (volume[sample] * close[sample])
    usable = ratio[np.isfinite(ratio) & (ratio > 0)]
    middle = np.median(usable) if len(usable) else _LOT
    in_shares = bool(middle < _LOT_THRESHOLD)
    if not in_shares:
        rows.values["volume"] = volume * _LOT
    if "turnover" in rows.values:
        rows.values["turnover"] = rows.values["turnover"] / _PERCENT
    else:
        rows.values["turnover"] = np.full(len(rows.code), np.nan)
    return in_shares


def _total_return_level(
    rows: _Rows, files: tuple[ArchiveFile, ...], request: FetchRequest
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the total-return level of each bar, and where it is exact (a back-adjusted close exists)."""
    level = rows.values["close"].copy()
    exact = np.zeros(len(level), dtype=bool)
    if not files:
        return level, exact
    # Rows refused here (a back-adjusted close on a holiday, a repeat) leave their bar without an exact level.
    adjusted, _ = _read(files, request, ("收盘",))
    if not len(adjusted.code):
        return level, exact
    slot = {symbol: position for position, symbol in enumerate(rows.symbols)}
    translate = np.array([slot.get(symbol, -1) for symbol in adjusted.symbols], dtype=np.int64)
    known = translate[adjusted.code] >= 0
    key = translate[adjusted.code][known] * _DAY_SPAN + adjusted.day[known]
    closes = adjusted.values["close"][known]
    position = np.minimum(np.searchsorted(key, rows.key), len(key) - 1)
    exact = (key[position] == rows.key) & (closes[position] > 0)
    level[exact] = closes[position][exact]
    # A stock with holes in its back-adjusted history would jump between two scales: it is approximate as a whole.
    partial = np.zeros(len(rows.symbols), dtype=bool)
    partial[np.unique(rows.code[~exact])] = True
    mixed = partial[rows.code]
    level[mixed] = rows.values["close"][mixed]
    return level, exact & ~mixed


def _canonical(rows: _Rows, level: Floats, exact: NDArray[np.bool_]) -> tuple[object, int]:
    """Build the Arrow table: unadjusted prices on the cent grid, factor = level / close."""
    import pyarrow as pa

    values = rows.values
    close = values["close"]
    with np.errstate(divide="ignore", invalid="ignore"):
        average = np.where(values["volume"] > 0, values["amount"] / values["volume"], np.nan)
    typical = (values["high"] + values["low"] + 2 * close) / 4
    fit = unadjusted_closes(level, close, typical, average, rows.starts())
    scale = fit.close / close
    quality = fit.reconstructed * PRICE_RECONSTRUCTED + ~exact * RETURN_APPROXIMATE
    prices = {
        name: np.where(fit.reconstructed, np.round(values[name] * scale, 2), values[name]) for name in ("open", "high", "low")
    }
    schema = DATASETS["bars"].arrow_schema()
    symbol = pa.DictionaryArray.from_arrays(pa.array(rows.code.astype(np.int32)), pa.array(rows.symbols))
    columns = {
        "session": pa.array(rows.day.astype(np.int32)).cast(pa.date32()),
        "close": fit.close,
        "volume": values["volume"],
        "amount": values["amount"],
        "turnover": values["turnover"],
        "adj_factor": level / fit.close,
        "quality": quality.astype(np.int8),
        **prices,
    }
    arrays = [symbol, *(pa.array(columns[name], from_pandas=True) for name in schema.names[1:])]
    return pa.Table.from_arrays(arrays, names=schema.names), int(fit.reconstructed.sum())
