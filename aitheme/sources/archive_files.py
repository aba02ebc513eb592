"""What an archive file is, told by its header."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aitheme.errors import ArchiveError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

__all__ = [
    "BARS",
    "HFQ_CLOSE",
    "LAYOUTS",
    "ArchiveFile",
    "Layout",
    "columns_of",
    "read_frame",
    "read_table",
    "recognise",
]

_HFQ_MARKS = ("hfq", "后复权")


@dataclass(frozen=True, slots=True)
class Layout:
    """A header that is understood.

    Parameters
    ----------
    name
        Short name, used in messages.
    required, optional
        Column names that must and may be there.
    """

    name: str
    required: frozenset[str]
    optional: frozenset[str] = frozenset()

    def fits(self, columns: tuple[str, ...]) -> bool:
        """Tell whether a file with these columns has this layout."""
        present = set(columns)
        return self.required <= present <= self.required | self.optional

    def distance(self, columns: tuple[str, ...]) -> int:
        """Return how many columns are missing or unknown."""
        present = set(columns)
        return len(self.required - present) + len(present - self.required - self.optional)


BARS = Layout(
    "A-share bars (akshare stock_zh_a_hist)",
    frozenset({"日期", "开盘", "收盘", "最高", "最低", "成交量", "成交额"}),
    frozenset({"股票代码", "代码", "名称", "振幅", "涨跌幅", "涨跌额", "换手率"}),
)
HFQ_CLOSE = Layout("back-adjusted closes", frozenset({"代码", "日期", "收盘"}), frozenset({"股票代码"}))
INDEX = Layout(
    "index bars",
    frozenset({"symbol", "name", "date", "close"}),
    frozenset({"open", "high", "low", "amount_yi", "pe", "level", "volume"}),
)
OVERSEAS = Layout(
    "Hong Kong or US bars", frozenset({"symbol", "date", "open", "high", "low", "close"}), frozenset({"volume"})
)
FACTORS = Layout(
    "daily factors",
    frozenset({"date", "mkt_rf", "smb", "hml", "rf"}),
    frozenset({"umd", "rmw", "cma", "smb_equal", "hml_equal", "umd_equal", "rmw_equal", "cma_equal"}),
)
STOCK_LIST = Layout(
    "stock list", frozenset({"code", "name", "总股本", "流通股"}), frozenset({"总市值", "流通市值", "行业"})
)
CAPEX = Layout(
    "quarterly capital expenditure", frozenset({"calendar_quarter", "company", "capex_usd_bn"}), frozenset({"basis"})
)

LAYOUTS: tuple[Layout, ...] = (BARS, HFQ_CLOSE, STOCK_LIST, INDEX, OVERSEAS, FACTORS, CAPEX)


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A recognised file."""

    path: Path
    layout: Layout


def recognise(path: Path, columns: tuple[str, ...], root: Path) -> Layout:
    """Return the layout of a file.

    Raises
    ------
    ArchiveError
        No layout fits; the message is a column diff against the nearest.
    """
    back_adjusted = any(mark in part.lower() for part in path.relative_to(root).parts for mark in _HFQ_MARKS)
    if back_adjusted and (BARS.fits(columns) or HFQ_CLOSE.fits(columns)):
        return HFQ_CLOSE
    for layout in LAYOUTS:
        if layout.fits(columns):
            return layout
    nearest = min(LAYOUTS, key=lambda layout: layout.distance(columns))
    missing = sorted(nearest.required - set(columns))
    unknown = sorted(set(columns) - nearest.required - nearest.optional)
    raise ArchiveError(
        f"archive: {path} has an unknown header; nearest is {nearest.name}: "
        f"missing {', '.join(missing) or 'nothing'}; unknown {', '.join(unknown) or 'nothing'}; "
        "rename the columns or move the file out of the archive"
    )


def columns_of(path: Path) -> tuple[str, ...]:
    """Return a file's column names without reading its rows.

    Raises
    ------
    ArchiveError
        The file is empty, truncated or not what its suffix says.
    """
    if path.suffix.lower() == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return tuple(pq.read_schema(path).names)
        except (pa.ArrowInvalid, OSError) as error:
            raise _unreadable(path, error) from error
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            return tuple(next(csv.reader(handle)))
    except StopIteration as error:
        raise ArchiveError(f"archive: {path} is empty; restore it or move it out of the archive") from error
    except (UnicodeDecodeError, OSError) as error:
        raise _unreadable(path, error) from error


def read_table(path: Path, columns: list[str], filters: list[tuple[str, str, list[str]]] | None = None) -> pa.Table:
    """Read columns of a file as an Arrow table; codes stay text.

    Raises
    ------
    ArchiveError
        The file is damaged or a row does not parse.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as pv
    import pyarrow.parquet as pq

    text = {name: pa.string() for name in ("股票代码", "代码", "code", "symbol", "名称", "name")}
    try:
        if path.suffix.lower() == ".parquet":
            return pq.read_table(path, columns=columns, filters=filters)
        table = pv.read_csv(path, convert_options=pv.ConvertOptions(column_types=text, include_columns=columns))
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error
    for name, _, values in filters or []:
        table = table.filter(pc.is_in(table[name], value_set=pa.array(values)))
    return table


def read_frame(path: Path) -> pd.DataFrame:
    """Read a small file as a frame; codes and symbols stay text."""
    import pandas as pd

    columns = list(columns_of(path))
    frame: pd.DataFrame = read_table(path, columns).to_pandas()
    for name in ("date", "日期"):
        if name in frame:
            frame[name] = pd.to_datetime(frame[name], errors="coerce")
    return frame


def _unreadable(path: Path, error: Exception) -> ArchiveError:
    first = str(error).splitlines()[0][:160]
    return ArchiveError(f"archive: {path} cannot be read ({first}); restore the file or move it out of the archive")
