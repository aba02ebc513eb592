"""What a sheet and a slide have to hold of a form: the numbers in their cells, and charts that point at them."""

from datetime import date, datetime

import pytest
from openpyxl.utils import get_column_letter, quote_sheetname

from aitheme.exhibits.columns import EXCEL_FORMATS, is_missing, table_cells

FIRST_ROW = 5
PICTURE = 13
CHARTS = {"line": "LineChart", "bar": "BarChart", "column": "BarChart", "scatter": "ScatterChart"}


def same_cells(sheet, form, where):
    """Every number of the table is in its cell with its format; a chart's missing number is an empty cell."""
    drawn = form.drawn
    for at, (name, column) in enumerate(form.columns.items(), start=1):
        for row, value in enumerate(form.data[name]):
            cell, place = sheet.cell(FIRST_ROW + row, at), f"{where} {name} row {row}"
            if is_missing(value) and name in drawn:
                assert cell.value is None, place
            elif is_missing(value) and form.shades and (row, name) in form.shades.texts:
                assert (cell.value or "") == form.shades.texts[row, name], place
            else:
                same_cell(cell, value, column, place)
                if column.numeric and not is_missing(value):
                    assert cell.number_format == number_format(form, column, name, row), place


def same_cell(cell, value, column, where):
    if is_missing(value):
        assert cell.value in (("/",) if column.numeric else (None, "")), where
    elif column.numeric:
        assert cell.value == pytest.approx(float(value), rel=1e-12), where
    elif column.kind == "date" and isinstance(value, date | datetime):
        assert cell.value.date() == (value.date() if isinstance(value, datetime) else value), where
        assert cell.number_format == EXCEL_FORMATS["date"], where
    else:
        assert (cell.value or "") == str(value), where


def number_format(form, column, name, row):
    plain = EXCEL_FORMATS[column.kind]
    if column.digits:
        places = "." + "0" * column.digits[row] if column.digits[row] else ""
        return f"[>=10000]#,##0{places};0{places}"
    if form.shades is None or name not in form.shades.columns:
        return plain
    if mark := form.shades.marks.get((row, name)):
        return ";".join(f'{part}"{mark}"' for part in plain.split(";"))
    return f"{plain};-{plain};" if form.shades.hide_zero else plain


def reference(sheet, form, column, plot, to=None):
    """The cells of a column that a plot draws, as Excel writes them."""
    names = list(form.columns)
    first, last = (get_column_letter(names.index(one) + 1) for one in (column, to or column))
    rows = FIRST_ROW + plot.first, FIRST_ROW + plot.last
    start, end = f"${first}${rows[0]}", f"${last}${rows[1]}"
    return f"{quote_sheetname(sheet.title)}!{start}" + ("" if start == end else f":{end}")


def same_charts(sheet, form, where):
    """Each chart's series point at the cells of their columns, over the rows of the chart."""
    charts = sheet._charts
    assert [type(chart).__name__ for chart in charts] == [CHARTS[plot.kind] for plot in form.plots], where
    for chart, plot in zip(charts, form.plots, strict=True):
        scatter = plot.kind == "scatter"
        found = [(one.yVal if scatter else one.val).numRef.f for one in chart.series]
        assert found == [reference(sheet, form, series.column, plot) for series in plot.series], where
        across = {(one.xVal.numRef or one.xVal.strRef if scatter else categories(one.cat)).f for one in chart.series}
        assert across == {reference(sheet, form, plot.category[0], plot, plot.category[-1])}, where
        assert (getattr(chart, "upDownBars", None) is not None) == plot.band, where


def categories(cat):
    return cat.numRef or cat.strRef or cat.multiLvlStrRef


def slide_texts(slide):
    return [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]


def slides_by_caption(slides, captions):
    """The slides of each exhibit in order: one with its caption, or several with `(1/n)` behind it."""
    left = list(slides)
    found = []
    for caption in captions:
        headed = [text for text in slide_texts(left[0]) if text.startswith(caption)]
        count = 1 if caption in headed else int(headed[0].removeprefix(caption).strip(" ()").split("/")[1])
        own, left = left[:count], left[count:]
        if count > 1:
            assert [f"{caption} ({at}/{count})" in slide_texts(one) for at, one in enumerate(own, 1)] == [True] * count
        found.append(own)
    assert left == []
    return found


def same_table(slides, data, columns, lang, where):
    """The tables of an exhibit's slides hold its rows as written elsewhere, every page beginning with whole names."""
    wanted = table_cells(data, columns, lang)
    pages = [next(shape.table for shape in slide.shapes if shape.has_table) for slide in slides]
    heads = 1 + any(wanted.groups)
    rows = []
    for table in pages:
        written = [[table.cell(row, at).text for at in range(len(columns))] for row in range(len(table.rows))]
        assert written[heads - 1] == list(wanted.headers), where
        if heads > 1:
            assert [text for text in written[0] if text] == list(dict.fromkeys(filter(None, wanted.groups))), where
        first = [text or "(blank)" for text in written[heads]]
        merged = [at for at, column in enumerate(columns.values()) if column.merge]
        assert rows == [] or all(first[at] != "(blank)" or is_missing(data.iloc[len(rows), at]) for at in merged), where
        rows += written[heads:]
    assert len(rows) == len(wanted.rows), where
    loose = [at for at, column in enumerate(columns.values()) if not column.merge]
    assert [[row[at] for at in loose] for row in rows] == [[row[at] for at in loose] for row in wanted.rows], where


def same_slide(slide, form, where):
    """The slide's charts hold the numbers of the columns; a grid has them in its cells, as written."""
    charts = [shape.chart for shape in slide.shapes if shape.has_chart]
    assert len(charts) == len(form.plots), where
    for chart, plot in zip(charts, form.plots, strict=True):
        series = list(chart.plots[0].series)
        assert [one.name for one in series] == [one.name for one in plot.series], where
        for one, drawn in zip(series, plot.series, strict=True):
            same_series(one, form.data[drawn.column].iloc[plot.first : plot.last + 1], plot, f"{where} {one.name}")
    if form.shades is not None:
        (table,) = [shape.table for shape in slide.shapes if shape.has_table]
        assert len(table.rows) == len(form.data) + 1, where
        assert len(table.columns) == len(form.columns), where
        marked = {place: mark for place, mark in form.shades.marks.items() if mark}
        for (row, name), mark in marked.items():
            assert table.cell(row + 1, list(form.columns).index(name)).text.endswith(mark), where


def same_series(one, column, plot, where):
    wanted = [None if is_missing(value) else float(value) for value in column]
    if plot.kind == "scatter":
        wanted = [value for value in wanted if value is not None]
    assert list(one.values) == pytest.approx(wanted), where
