"""A-share bars from dumps: vendor units and adjustment end here.

Dumps may be unadjusted or forward-adjusted; the traded average price (amount / volume) tells which, and lets the
unadjusted price be recovered (:mod:`aitheme.sources.unadjust`). The total-return level is the back-adjusted close where
the archive has one, else the dump's own close, flagged approximate.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aitheme.errors import ArchiveError
from aitheme.sources.archive_rows import THREADS, VALUE_COLUMNS, Part, Rows, Runs, common_columns, read_runs
from aitheme.sources.base import DATASETS, PRICE_RECONSTRUCTED, RETURN_APPROXIMATE, Batch, FetchRequest
from aitheme.sources.unadjust import unadjusted_closes

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from aitheme.sources.archive_files import ArchiveFile

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Days = NDArray[np.int32]

__all__ = ["BarFiles", "a_share_bars"]

_LOT: Final = 100.0
_PERCENT: Final = 100.0
# amount / (volume x close) is about 1 for shares and about 100 for lots; the geometric middle separates them.
_LOT_THRESHOLD: Final = 10.0
_SAMPLE: Final = 10_000
_DTYPES: Final = {"session": np.int32, "quality": np.int8} | dict.fromkeys(
    ("open", "high", "low", "close", "volume", "amount", "turnover", "adj_factor"), np.float64
)


@dataclass(frozen=True, slots=True)
class BarFiles:
    """The files that together make the A-share bars."""

    bars: tuple[ArchiveFile, ...]
    hfq: tuple[ArchiveFile, ...]


def a_share_bars(files: BarFiles, request: FetchRequest) -> Batch:
    """Read every bar file and return one canonical batch.

    Raises
    ------
    ArchiveError
        A file is damaged, has no code, or holds no usable row.
    """
    symbols, runs, rejects = read_runs(files.bars, request, tuple(VALUE_COLUMNS))
    if runs is None:
        raise ArchiveError("archive: no bar of the wanted symbols and dates; check --universe, --since and --until")
    # Rows refused here (a back-adjusted close on a holiday, a repeat) leave their bar without an exact level.
    adjusted = read_runs(files.hfq, request, ("收盘",), symbols)[1]
    in_shares = _volume_in_shares(runs.parts)
    # Whole columns, filled block by block: large arrays get large memory pages, which come much faster.
    columns = {name: np.empty(runs.ends[-1], dtype=kind) for name, kind in _DTYPES.items()}

    def block(bounds: tuple[int, int]) -> list[int]:
        return _fill(columns, runs, adjusted, bounds, in_shares=in_shares)

    with ThreadPoolExecutor(THREADS) as pool:
        approximate = [symbols[code] for codes in pool.map(block, runs.blocks()) for code in codes]
    table = _table(columns, np.repeat(runs.code.astype(np.int32), runs.length), symbols)
    rebuilt = int(np.count_nonzero(columns["quality"] & PRICE_RECONSTRUCTED))
    notes = (
        f"{len(table):,} bars of {len(symbols):,} symbols; volume was in {'shares' if in_shares else 'lots of 100'}",
        f"{rebuilt:,} closes rebuilt from average prices and total-return levels (about 0.1 % accurate)",
        *_approximate_note(approximate),
    )
    origin = f"{len(files.bars)} bar files, {len(files.hfq)} back-adjusted files"
    return Batch("bars", table, rejects, notes, origin)


def _approximate_note(symbols: list[str]) -> tuple[str, ...]:
    if not symbols:
        return ()
    more = f" and {len(symbols) - 5:,} more" if len(symbols) > 5 else ""  # noqa: PLR2004 (five are named)
    return (
        f"{len(symbols):,} symbols lack a back-adjusted close, their returns are approximate: {', '.join(symbols[:5])}{more}",
    )


def _volume_in_shares(parts: list[Part]) -> bool:
    """Tell whether volumes are in shares rather than in lots, from a sample of the rows."""
    step = max(1, sum(len(part.day) for part in parts) // _SAMPLE)
    amount, volume, close = (
        np.concatenate([part.values[name][::step] for part in parts]) for name in ("amount", "volume", "close")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = amount / (volume * close)
    usable = ratio[np.isfinite(ratio) & (ratio > 0)]
    middle = np.median(usable) if len(usable) else _LOT
    return bool(middle < _LOT_THRESHOLD)


def _fill(
    columns: dict[str, NDArray[Any]], runs: Runs, adjusted: Runs | None, bounds: tuple[int, int], *, in_shares: bool
) -> list[int]:
    """Fill in the canonical bars of a range of symbols; return those whose returns are approximate."""
    here = slice(*runs.ends[list(bounds)])
    names = common_columns(runs.parts)
    rows = runs.gather(*bounds, {name: columns[name][here] for name in names})
    columns["session"][here] = rows.day
    if not in_shares:
        rows.values["volume"] *= _LOT
    if "turnover" in names:
        rows.values["turnover"] /= _PERCENT
    else:
        columns["turnover"][here] = np.nan
    level, whole = _total_return_level(rows, adjusted, bounds)
    columns["quality"][here] = np.repeat(~whole * RETURN_APPROXIMATE, np.diff(rows.starts))
    _unadjust(rows, level, columns["adj_factor"][here], columns["quality"][here])
    return [int(code) for code in rows.code[~whole]]


def _total_return_level(rows: Rows, adjusted: Runs | None, bounds: tuple[int, int]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the total-return level of each bar, and for which symbols it is exact (all back-adjusted closes exist)."""
    close = rows.values["close"].copy()
    low, high = (0, 0) if adjusted is None else adjusted.ends[list(bounds)].tolist()
    if adjusted is None or low == high:
        return close, np.zeros(len(rows.code), dtype=bool)
    levels = adjusted.gather(*bounds, {"close": np.empty(high - low)})
    key, wanted = levels.key, rows.key
    position = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    # A stock with holes in its back-adjusted history would jump between two scales: it is approximate as a whole.
    whole = np.logical_and.reduceat(key[position] == wanted, rows.starts[:-1])
    return np.where(np.repeat(whole, np.diff(rows.starts)), levels.values["close"][position], close), whole


def _unadjust(rows: Rows, level: Floats, factor: Floats, quality: NDArray[np.int8]) -> None:
    """Bring prices back to what was traded, on the cent grid, in place; factor = level / close."""
    values = rows.values
    close = values["close"]
    with np.errstate(divide="ignore", invalid="ignore"):
        average = np.where(values["volume"] > 0, values["amount"] / values["volume"], np.nan)
    typical = (values["high"] + values["low"] + 2 * close) / 4
    fit = unadjusted_closes(level, close, typical, average, rows.starts)
    scale = fit.close / close
    for name in ("open", "high", "low"):
        np.copyto(values[name], np.round(values[name] * scale, 2), where=fit.reconstructed)
    close[:] = fit.close
    np.divide(level, fit.close, out=factor)
    quality += fit.reconstructed * np.int8(PRICE_RECONSTRUCTED)


def _table(columns: dict[str, NDArray[Any]], code: Days, symbols: list[str]) -> pa.Table:
    import pyarrow as pa

    arrays = {name: pa.array(column, from_pandas=True) for name, column in columns.items()}
    arrays["session"] = arrays["session"].cast(pa.date32())
    arrays["symbol"] = pa.DictionaryArray.from_arrays(pa.array(code), pa.array(symbols))
    return pa.table({name: arrays[name] for name in DATASETS["bars"].columns})
