"""What a column of an exhibit means and how its cells are written, in print and in Excel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from aitheme.charts.tables import TableCells

__all__ = ["EXCEL_FORMATS", "Column", "Kind", "format_cell", "is_missing", "table_cells"]

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
    """

    zh: str
    en: str
    kind: Kind = "text"
    group_zh: str = ""
    group_en: str = ""
    merge: bool = False

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


def _merged(cells: list[str], *, merge: bool) -> list[str]:
    return [cell if not merge or not at or cells[at - 1] != cell else "" for at, cell in enumerate(cells)]


def table_cells(data: pd.DataFrame, columns: Mapping[str, Column], lang: str, most: int | None = None) -> TableCells:
    """Format a frame for print.

    Parameters
    ----------
    data
        Rows.
    columns
        The columns to show, in order.
    lang
        ``zh`` or ``en``.
    most
        Keep only the first rows.
    """
    from aitheme.charts.tables import TableCells

    shown = data if most is None else data.head(most)
    cells: Sequence[list[str]] = [
        _merged([format_cell(value, column.kind) for value in shown[name]], merge=column.merge)
        for name, column in columns.items()
    ]
    return TableCells(
        headers=tuple(column.label(lang) for column in columns.values()),
        groups=tuple(column.group(lang) for column in columns.values()),
        right=tuple(column.numeric for column in columns.values()),
        rows=tuple(zip(*cells, strict=True)),
    )
