"""What a column of an exhibit means and how its cells are written, in print and in Excel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from aitheme.charts.tables import TableCells

__all__ = ["EXCEL_FORMATS", "Column", "Kind", "digits_of", "format_cell", "is_missing", "table_cells", "with_digits"]

Kind = Literal[
    "text", "date", "integer", "price", "number", "ratio", "change", "pe", "fine", "share", "decimal", "probability",
]  # fmt: skip

EXCEL_FORMATS: Mapping[str, str] = {
    "text": "@",
    "date": "yyyy-mm-dd",
    "integer": "#,##0",
    "price": "#,##0.00",
    "number": "General",
    "ratio": "0.0%",
    "change": "+0.0%;-0.0%;0.0%",
    "pe": "#,##0",
    "fine": "0.00%",
    "share": "0%",
    "decimal": "#,##0.0",
    "probability": "0.000",
}
"""Excel number format by kind."""

_MISSING = "/"
# A column that reaches ten thousand is set with thousands separators.
_SEPARATED = 10_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column's label, kind and group.

    Parameters
    ----------
    zh, en
        Label with the unit where it has one.
    kind
        ``text``, ``date``, ``integer`` (thousands separators), ``price`` (two decimals), ``number`` (as it is),
        ``ratio`` (shown in per cent), ``change`` (per cent with a sign), ``pe`` (rounded half up), ``fine`` and ``share``
        (per cent with two decimals and with none), ``decimal`` (one decimal), ``probability`` (three decimals).
    group_zh, group_en
        Label over neighbouring columns; empty for none.
    merge
        Show a value only where it differs from the row above.
    digits
        Decimals of each cell, row by row, where a column of kind ``number`` keeps those of the print: ``73.0``, not ``73``.
    """

    zh: str
    en: str
    kind: Kind = "text"
    group_zh: str = ""
    group_en: str = ""
    merge: bool = False
    digits: tuple[int, ...] = ()

    def label(self, lang: str) -> str:
        """Return the label in a language."""
        return self.zh if lang == "zh" else self.en

    def group(self, lang: str) -> str:
        """Return the group label in a language."""
        return self.group_zh if lang == "zh" else self.group_en

    @property
    def numeric(self) -> bool:
        """Whether cells are numbers, set to the right."""
        return self.kind not in {"text", "date"}


def is_missing(value: Any) -> bool:
    """Tell whether a cell has no value (None, NaN, NA or NaT)."""
    import pandas as pd

    return value is None or bool(pd.isna(value))


def format_cell(value: Any, kind: Kind) -> str:
    """Return a cell as printed; a number that is missing or not meaningful is ``/``, a missing text is empty."""
    if is_missing(value):
        return "" if kind in {"text", "date"} else _MISSING
    if kind == "date":
        return f"{value:%Y-%m-%d}" if hasattr(value, "strftime") else str(value)
    return str(value) if kind == "text" else _number(float(value), kind)


def _number(value: float, kind: Kind) -> str:
    from aitheme.charts.style import half_up, percent_label
    from aitheme.valuation import format_pe

    written: dict[str, str] = {
        "change": percent_label(value),
        "ratio": f"{half_up(value * 100, 1):.1f}%",
        "pe": format_pe(value),
        "integer": f"{half_up(value):,.0f}",
        "price": f"{half_up(value, 2):,.2f}",
        "fine": f"{half_up(value * 100, 2):.2f}%",
        "share": f"{half_up(value * 100):.0f}%",
        "decimal": f"{half_up(value, 1):,.1f}",
        "probability": f"{half_up(value, 3):.3f}",
    }
    return written.get(kind, f"{value:,.15g}")


def with_digits(value: Any, digits: int, *, separated: bool = False) -> str:
    """Return a number with the decimals of the print, with thousands separators where asked for.

    >>> with_digits(73.0, 1), with_digits(1243.0, 0), with_digits(350000.0, 0, separated=True), with_digits(None, 2)
    ('73.0', '1243', '350,000', '/')
    """
    if is_missing(value):
        return _MISSING
    return f"{float(value):,.{digits}f}" if separated else f"{float(value):.{digits}f}"


def digits_of(texts: Iterable[str]) -> tuple[int, ...]:
    """Return how many decimals each number is printed with.

    >>> digits_of(["73.0", "70", ""])
    (1, 0, 0)
    """
    return tuple(len(str(text).partition(".")[2]) for text in texts)


def _cells(values: Iterable[Any], column: Column) -> list[str]:
    if column.digits:
        held = list(values)
        separated = any(abs(float(value)) >= _SEPARATED for value in held if not is_missing(value))
        pairs = zip(held, column.digits, strict=False)
        return [with_digits(value, digits, separated=separated) for value, digits in pairs]
    return [format_cell(value, column.kind) for value in values]


def _merged(cells: list[str], *, merge: bool) -> list[str]:
    return [cell if not merge or not at or cells[at - 1] != cell else "" for at, cell in enumerate(cells)]


def table_cells(data: pd.DataFrame, columns: Mapping[str, Column], lang: str, rows: slice | None = None) -> TableCells:
    """Format a frame for print.

    Parameters
    ----------
    data
        Rows.
    columns
        The columns to show, in order.
    lang
        ``zh`` or ``en``.
    rows
        Those to keep, written as they are among all of them.
    """
    from aitheme.charts.tables import TableCells

    kept = slice(None) if rows is None else rows
    cells: Sequence[list[str]] = [
        _merged(_cells(data[name], column)[kept], merge=column.merge) for name, column in columns.items()
    ]
    return TableCells(
        headers=tuple(column.label(lang) for column in columns.values()),
        groups=tuple(column.group(lang) for column in columns.values()),
        right=tuple(column.numeric for column in columns.values()),
        rows=tuple(zip(*cells, strict=True)),
    )
