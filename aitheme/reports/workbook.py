"""The Excel form of a book: one sheet per exhibit with its rows, native charts, number formats and source lines."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from aitheme.exhibits.columns import EXCEL_FORMATS, Column, is_missing
from aitheme.reports.excel_charts import insert_charts
from aitheme.reports.plots import FONT, WATERMARK
from aitheme.reports.sheets import sheet_form

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from aitheme.exhibits import Exhibit
    from aitheme.reports.plots import Rest, Shades, SheetForm

__all__ = ["sheet_name", "write_workbook"]

_FIRST_ROW = 4
_MOST_SHEET_NAME = 31
_WIDEST = 60
_GRID_WIDTH, _MANY = 9.0, 8
_TYPE, _HIGHEST = 10, 240.0
_A4 = 9
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", " "))


def sheet_name(exhibit: Exhibit, number: int) -> str:
    """Return a sheet name that Excel accepts and that no other exhibit of the book has."""
    text = f"{number:02d} {exhibit.label} {exhibit.title}".translate(_FORBIDDEN)
    return text[:_MOST_SHEET_NAME].strip().strip("'")


def write_workbook(path: Path, exhibits: Sequence[Exhibit], images: Mapping[str, bytes], *, title: str) -> None:
    """Write all exhibits that are available.

    Parameters
    ----------
    path
        The .xlsx file.
    exhibits
        In the order of the book.
    images
        PNG by exhibit id, placed where an exhibit declares no native form.
    title
        Heading of the contents sheet.
    """
    import xlsxwriter

    lang = exhibits[0].lang if exhibits else "zh"
    with xlsxwriter.Workbook(str(path), {"nan_inf_to_errors": False, "strings_to_formulas": False}) as book:
        formats = _Formats(book)
        contents = book.add_worksheet("目录" if lang == "zh" else "Contents")
        _contents(contents, exhibits, formats, title)
        for number, exhibit in enumerate(exhibits, start=1):
            if exhibit.content is not None:
                sheet = book.add_worksheet(sheet_name(exhibit, number))
                _sheet(book, sheet, exhibit, formats, images.get(exhibit.id))


class _Formats:
    """The cell formats of a workbook, made once each."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._book.add_format({"font_name": FONT, "font_size": _TYPE, **self._properties(name)})
        return self._made[name]

    @staticmethod
    def _properties(name: str) -> dict[str, Any]:
        head = {"bold": True, "bottom": 2, "text_wrap": True, "valign": "vcenter"}
        named: dict[str, dict[str, Any]] = {
            "title": {"font_size": 13, "bold": True},
            "subtitle": {"font_color": "#666666"},
            "source": {"font_color": "#7F7F7F", "font_size": 9},
            "watermark": {"font_color": "#B22222", "bold": True, "font_size": 12},
            "header": head,
            "header-right": {**head, "align": "right"},
            "header-up": {**head, "align": "center", "valign": "bottom", "rotation": 90, "text_wrap": False},
            "white": {"font_color": "#FFFFFF"},
            "own": {"font_color": "#7F7F7F", "align": "right", "valign": "top"},
            "link": {"font_color": "#1F3A68", "underline": 1},
        }
        return named[name] if name in named else _number_format(name)


def _number_format(name: str) -> dict[str, Any]:
    """Return the format of a kind of cell, of decimals as printed, or of a kind with something of its own.

    A mark stands behind the number, which stays a number; a zero is hidden by an empty third part.
    """
    what, _, kind = name.rpartition(" ") if not name.startswith("mark ") else ("mark", "", name.split(" ")[1])
    if what == "digits":
        after = "." + "0" * int(kind) if int(kind) else ""
        return {"num_format": f"[>=10000]#,##0{after};0{after}", "valign": "top"}
    written = EXCEL_FORMATS[kind]
    if what == "mark":
        mark = name.split(" ")[2]
        return {"num_format": ";".join(f'{part}"{mark}"' for part in written.split(";")), "valign": "top"}
    if what == "zero":
        return {"num_format": f"{written};-{written};", "valign": "top"}
    own: dict[str, dict[str, Any]] = {"text": {"text_wrap": True}, "date": {"align": "left"}}
    plain = {"num_format": written, "valign": "top", **own.get(kind, {})}
    return plain | ({"font_color": "#999999"} if what == "muted" else {})


def _contents(sheet: Any, exhibits: Sequence[Exhibit], formats: _Formats, title: str) -> None:
    sheet.write(0, 0, title, formats["title"])
    if any(exhibit.simulated for exhibit in exhibits):
        sheet.write(1, 0, WATERMARK, formats["watermark"])
    for number, exhibit in enumerate(exhibits, start=1):
        row = number + 2
        if exhibit.content is None:
            sheet.write(row, 0, exhibit.caption, formats["text"])
            sheet.write(row, 1, exhibit.reason, formats["source"])
        else:
            sheet.write_url(row, 0, f"internal:'{sheet_name(exhibit, number)}'!A1", formats["link"], exhibit.caption)
            sheet.write(row, 1, exhibit.source, formats["source"])
    sheet.set_column(0, 0, _WIDEST)
    sheet.set_column(1, 1, _WIDEST)
    sheet.hide_gridlines(2)
    sheet.freeze_panes(3, 0)
    sheet.set_paper(_A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _sheet(book: Any, sheet: Any, exhibit: Exhibit, formats: _Formats, image: bytes | None) -> None:
    assert exhibit.content is not None
    form = sheet_form(exhibit)
    sheet.hide_gridlines(2)
    sheet.write(0, 0, exhibit.caption, formats["title"])
    sheet.write(1, 0, exhibit.content.subtitle, formats["subtitle"])
    if exhibit.simulated:
        sheet.write(2, 0, WATERMARK, formats["watermark"])
    for at, name in enumerate(form.columns):
        _column(sheet, at, name, form, formats, exhibit.lang)
    foot = _FIRST_ROW + len(form.data) + 1
    for at, text in enumerate(exhibit.heading.footer):
        sheet.write(foot + at, 0, text, formats["source"])
    if form.shades is not None:
        sheet.set_row(_FIRST_ROW - 1, _head_height(form, form.shades, exhibit.lang))
        _shade(sheet, form, form.shades, formats)
    if form.rest is not None:
        _rest(sheet, form, form.rest, formats, exhibit.lang)
    _print_setup(sheet, simulated=exhibit.simulated)
    if form.plots:
        insert_charts(book, sheet, exhibit, form, first_row=_FIRST_ROW)
    elif form.shades is None and exhibit.kind == "chart" and image is not None:
        place = (_FIRST_ROW, len(form.columns) + 1)
        picture = {"image_data": io.BytesIO(image), "x_scale": 0.5, "y_scale": 0.5}
        sheet.insert_image(*place, f"{exhibit.id}.png", picture)


def _column(sheet: Any, at: int, name: str, form: SheetForm, formats: _Formats, lang: str) -> None:
    """Write a column of a sheet's table with its label."""
    column, shades = form.columns[name], form.shades
    label = _label(column, lang)
    grid = shades is not None and name in shades.columns
    upright = grid and shades is not None and len(shades.columns) > _MANY
    head = "header-up" if upright else "header-right" if column.numeric else "header"
    sheet.write(_FIRST_ROW - 1, at, label, formats[head])
    for row, value in enumerate(form.data[name]):
        place = (_FIRST_ROW + row, at)
        if is_missing(value) and name in form.drawn:
            continue
        if shades is not None and is_missing(value) and (row, name) in shades.texts:
            sheet.write_string(*place, shades.texts[row, name], formats["own"])
        else:
            _cell(sheet, *place, value, column, formats[_format(column, row, name, shades)])
    sheet.set_column(at, at, _GRID_WIDTH if grid else _width(form.data[name], label, column))


def _format(column: Column, row: int, name: str, shades: Shades | None) -> str:
    """Return the name of a cell's format: its column's kind, and what the print or the grid adds to it."""
    if column.digits:
        return f"digits {column.digits[row]}"
    if shades is None:
        return column.kind
    if name not in shades.columns:
        return f"muted {column.kind}" if row in shades.muted else column.kind
    mark = shades.marks.get((row, name), "")
    return f"mark {column.kind} {mark}" if mark else f"zero {column.kind}" if shades.hide_zero else column.kind


def _label(column: Column, lang: str) -> str:
    return f"{column.group(lang)} {column.label(lang)}".strip()


def _cell(sheet: Any, row: int, at: int, value: Any, column: Column, cell: Any) -> None:
    if is_missing(value) and column.numeric:
        sheet.write_string(row, at, "/", cell)
    elif is_missing(value) or value == "":
        # An empty text would be a label of its own on a two-level axis.
        sheet.write_blank(row, at, None, cell)
    elif column.numeric:
        sheet.write_number(row, at, float(value), cell)
    elif column.kind == "date" and isinstance(value, date | datetime):
        sheet.write_datetime(row, at, datetime(value.year, value.month, value.day), cell)  # noqa: DTZ001 (Excel has no zones)
    else:
        sheet.write_string(row, at, str(value), cell)


def _head_height(form: SheetForm, shades: Shades, lang: str) -> float:
    """Return the height of the labels of a grid in points; Excel does not find it itself for texts on end."""
    from aitheme.charts.fonts import text_width

    longest = max(text_width(_label(form.columns[name], lang), _TYPE) for name in shades.columns)
    lines = -(-longest // (_GRID_WIDTH * _TYPE * 0.5))
    return min(_HIGHEST, longest * 1.1 + _TYPE if len(shades.columns) > _MANY else lines * 1.5 * _TYPE)


def _shade(sheet: Any, form: SheetForm, shades: Shades, formats: _Formats) -> None:
    """Colour the grid by rules of Excel's own, which follow what is typed into it."""
    names, full = list(form.columns), shades.full
    for start, end in _runs(shades):
        one = shades.columns[start]
        area = (_FIRST_ROW, names.index(one), _FIRST_ROW + len(form.data) - 1, names.index(shades.columns[end]))
        for sign, criteria in ((1.0, ">="), (-1.0, "<=")):
            dark = next(
                (sign * full * step / 100 for step in range(1, 101) if _dark(shades, sign * full * step / 100, one)),
                None,
            )
            if dark is not None:
                rule = {"type": "cell", "criteria": criteria, "value": dark, "format": formats["white"]}
                sheet.conditional_format(*area, rule)
        scale = {"type": "3_color_scale", "min_type": "num", "mid_type": "num", "max_type": "num", "min_value": -full,
                 "mid_value": 0, "max_value": full, "min_color": shades.colour(-full, one), "mid_color": "#FFFFFF",
                 "max_color": shades.colour(full, one)}  # fmt: skip
        sheet.conditional_format(*area, scale)


def _runs(shades: Shades) -> list[tuple[int, int]]:
    """Return first and last of neighbouring columns that are coloured alike."""
    starts = [at for at, name in enumerate(shades.columns)
              if not at or (name in shades.red) != (shades.columns[at - 1] in shades.red)]  # fmt: skip
    return list(zip(starts, [*(at - 1 for at in starts[1:]), len(shades.columns) - 1], strict=True))


def _dark(shades: Shades, value: float, column: str) -> bool:
    from aitheme.charts.heatmap import ink_on

    return ink_on(shades.colour(value, column)) == "#FFFFFF"


def _rest(sheet: Any, form: SheetForm, rest: Rest, formats: _Formats, lang: str) -> None:
    """Write the rows behind a grid right of it; the grid's number in them is a reference to its cell."""
    from xlsxwriter.utility import xl_rowcol_to_cell

    names = list(form.columns)
    for at, (name, column) in enumerate(rest.columns.items(), start=len(names) + 1):
        label = _label(column, lang)
        sheet.write(_FIRST_ROW - 1, at, label, formats["header-right" if column.numeric else "header"])
        sheet.set_column(at, at, _width(rest.data[name], label, column))
        for row, value in enumerate(rest.data[name]):
            if name == rest.value and not is_missing(value):
                place, grid = rest.places[row]
                target = xl_rowcol_to_cell(_FIRST_ROW + place, names.index(grid))
                sheet.write_formula(_FIRST_ROW + row, at, f"={target}", formats[column.kind], float(value))
            else:
                _cell(sheet, _FIRST_ROW + row, at, value, column, formats[column.kind])


def _width(values: pd.Series[Any], label: str, column: Column) -> float:
    """Return a column width in characters, Chinese ones counted twice."""
    if column.kind == "date":
        return 12
    texts = [label, *("" if column.numeric else str(value) for value in values)]
    longest = max(sum(2 if ord(character) > 0x2E80 else 1 for character in text) for text in texts)  # noqa: PLR2004
    return float(min(_WIDEST, max(9, longest + 2)))


def _print_setup(sheet: Any, *, simulated: bool) -> None:
    sheet.freeze_panes(_FIRST_ROW, 0)
    sheet.set_paper(_A4)
    sheet.set_landscape()
    sheet.repeat_rows(_FIRST_ROW - 1)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&8&A&R&8&P / &N")
    if simulated:
        sheet.set_header(f"&C&24{WATERMARK}")
