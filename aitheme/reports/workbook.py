"""The Excel form of a book: one sheet per exhibit with its rows, a native chart, number formats and source lines."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from aitheme.exhibits.columns import EXCEL_FORMATS, Column, is_missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from aitheme.exhibits import Exhibit

__all__ = ["sheet_name", "write_workbook"]

_FONT = "Microsoft YaHei"
_FIRST_ROW = 4
_MOST_SHEET_NAME = 31
_WIDEST = 60
_CHART_SIZE = {"width": 760, "height": 380}
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
_WATERMARK = "SIMULATED 模拟数据"


def sheet_name(exhibit: Exhibit, number: int) -> str:
    """Return a sheet name that Excel accepts and that no other exhibit of the book has."""
    text = f"{number:02d} {exhibit.label} {exhibit.title}".translate(_FORBIDDEN)
    return text[:_MOST_SHEET_NAME].strip().strip("'")


def sheet_table(exhibit: Exhibit) -> tuple[pd.DataFrame, Mapping[str, Column]]:
    """Return the rows of a sheet: long chart data spread over its series, else the columns shown."""
    assert exhibit.content is not None
    content, data = exhibit.content, exhibit.data
    native = content.native
    if native is None or native.series is None:
        return data[list(content.columns)], content.columns
    value = native.values[0]
    order = list(dict.fromkeys(data[native.series]))
    categories = list(dict.fromkeys(data[native.category]))
    wide = data.pivot_table(index=native.category, columns=native.series, values=value).reindex(
        index=categories, columns=order
    )
    columns = {native.category: content.columns[native.category]}
    columns |= {str(name): Column(str(name), str(name), content.columns[value].kind) for name in order}
    return wide.rename_axis(index=native.category, columns=None).reset_index(), columns


def write_workbook(path: Path, exhibits: Sequence[Exhibit], images: Mapping[str, bytes], *, title: str) -> None:
    """Write all exhibits that are available.

    Parameters
    ----------
    path
        The .xlsx file.
    exhibits
        In the order of the book.
    images
        PNG by exhibit id, placed where Excel has no chart of the kind.
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
    """Cell formats of a workbook, made once each."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._book.add_format({"font_name": _FONT, "font_size": 10, **self._properties(name)})
        return self._made[name]

    @staticmethod
    def _properties(name: str) -> dict[str, Any]:
        named: dict[str, dict[str, Any]] = {
            "title": {"font_size": 13, "bold": True},
            "subtitle": {"font_color": "#666666"},
            "source": {"font_color": "#7F7F7F", "font_size": 9},
            "watermark": {"font_color": "#B22222", "bold": True, "font_size": 12},
            "header": {"bold": True, "bottom": 2, "text_wrap": True, "valign": "vcenter"},
            "header-right": {"bold": True, "bottom": 2, "align": "right", "text_wrap": True, "valign": "vcenter"},
            "link": {"font_color": "#1F3A68", "underline": 1},
        }
        if name in named:
            return named[name]
        number = {"num_format": EXCEL_FORMATS[name], "valign": "top"}
        return number if name != "text" else {**number, "text_wrap": True}


def _contents(sheet: Any, exhibits: Sequence[Exhibit], formats: _Formats, title: str) -> None:
    sheet.write(0, 0, title, formats["title"])
    if any(exhibit.simulated for exhibit in exhibits):
        sheet.write(1, 0, _WATERMARK, formats["watermark"])
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


def _sheet(book: Any, sheet: Any, exhibit: Exhibit, formats: _Formats, image: bytes | None) -> None:
    assert exhibit.content is not None
    data, columns = sheet_table(exhibit)
    sheet.hide_gridlines(2)
    sheet.write(0, 0, exhibit.caption, formats["title"])
    sheet.write(1, 0, exhibit.content.subtitle, formats["subtitle"])
    if exhibit.simulated:
        sheet.write(2, 0, _WATERMARK, formats["watermark"])
    for at, (name, column) in enumerate(columns.items()):
        group = column.group(exhibit.lang)
        label = f"{group} {column.label(exhibit.lang)}" if group else column.label(exhibit.lang)
        sheet.write(_FIRST_ROW - 1, at, label, formats["header-right" if column.numeric else "header"])
        for row, value in enumerate(data[name], start=_FIRST_ROW):
            _cell(sheet, row, at, value, column, formats)
        sheet.set_column(at, at, _width(data[name], label, column))
    foot = _FIRST_ROW + len(data) + 1
    for at, text in enumerate(exhibit.heading.footer):
        sheet.write(foot + at, 0, text, formats["source"])
    sheet.freeze_panes(_FIRST_ROW, 0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    if exhibit.simulated:
        sheet.set_header(f"&C&24{_WATERMARK}")
    _chart(book, sheet, exhibit, data, columns, image)


def _cell(sheet: Any, row: int, at: int, value: Any, column: Column, formats: _Formats) -> None:
    cell = formats[column.kind]
    if is_missing(value):
        sheet.write_string(row, at, "/" if column.numeric else "", cell)
    elif column.numeric:
        sheet.write_number(row, at, float(value), cell)
    elif column.kind == "date" and isinstance(value, date | datetime):
        sheet.write_datetime(row, at, datetime(value.year, value.month, value.day), cell)  # noqa: DTZ001 (Excel has no zones)
    else:
        sheet.write_string(row, at, str(value), cell)


def _width(values: pd.Series[Any], label: str, column: Column) -> float:
    """Return a column width in characters, Chinese ones counted twice."""
    if column.kind == "date":
        return 12
    texts = [label, *("" if column.numeric else str(value) for value in values)]
    longest = max(sum(2 if ord(character) > 0x2E80 else 1 for character in text) for text in texts)  # noqa: PLR2004
    return float(min(_WIDEST, max(9, longest + 2)))


def _chart(
    book: Any, sheet: Any, exhibit: Exhibit, data: pd.DataFrame, columns: Mapping[str, Column], image: bytes | None
) -> None:
    assert exhibit.content is not None
    native = exhibit.content.native
    place = (1, len(columns) + 1)
    if native is None:
        if exhibit.kind == "chart" and image is not None:
            sheet.insert_image(
                *place, f"{exhibit.id}.png", {"image_data": io.BytesIO(image), "x_scale": 0.5, "y_scale": 0.5}
            )
        return
    names = list(columns)
    category = names.index(native.category)
    values = [name for name in names if name != native.category] if native.series else list(native.values)
    chart = book.add_chart({"type": native.kind})
    for number, name in enumerate(values):
        at = names.index(name)
        span = (_FIRST_ROW, _FIRST_ROW + len(data) - 1)
        chart.add_series(
            {
                "name": columns[name].label(exhibit.lang),
                "categories": [sheet.name, span[0], category, span[1], category],
                "values": [sheet.name, span[0], at, span[1], at],
                **_series_style(native.kind, number, len(values), name),
            }
        )
    _axes(chart, exhibit, native.kind, columns[values[0]], legend=len(values) > 1)
    sheet.insert_chart(*place, chart)


def _series_style(kind: str, number: int, count: int, name: str) -> dict[str, Any]:
    from aitheme.charts.style import BENCHMARK, DOWN, PALETTE, UP

    grey = name in {"沪深300", "CSI 300"}
    colour = BENCHMARK if grey else PALETTE[number % len(PALETTE)]
    if kind == "line":
        return {"line": {"color": colour, "width": 1.75, **({"dash_type": "dash"} if grey else {})}}
    fill = {"fill": {"color": colour}, "gap": 60}
    if kind == "bar" and count == 1:
        fill |= {"fill": {"color": UP}, "invert_if_negative": True, "invert_if_negative_color": DOWN}
    return fill | ({"data_labels": {"value": True}} if count == 1 else {})


def _axes(chart: Any, exhibit: Exhibit, kind: str, column: Column, *, legend: bool) -> None:
    assert exhibit.content is not None
    number = {
        "num_format": EXCEL_FORMATS[column.kind],
        "major_gridlines": {"visible": True, "line": {"color": "#E6E6E6"}},
    }
    font = {"name": _FONT, "size": 9}
    category: dict[str, Any] = {"num_font": font, "label_position": "low"}
    if kind == "line":
        # Sessions stand side by side; a date axis would open gaps for holidays.
        category |= {"text_axis": True, "num_format": "yy/mm/dd"}
    if kind == "bar":
        category["reverse"] = True
    chart.set_x_axis(category)
    chart.set_y_axis({**number, "num_font": font, "line": {"none": True}})
    chart.set_title({"name": exhibit.caption, "name_font": {"name": _FONT, "size": 11}, "overlay": False})
    chart.set_legend({"position": "bottom", "font": font} if legend else {"none": True})
    chart.set_size(_CHART_SIZE)
