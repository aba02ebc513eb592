"""Charts drawn by Excel itself, from the cells of the sheet they stand on."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from aitheme.exhibits.columns import is_missing
from aitheme.reports.plots import FONT, WATERMARK, arranged, axis_format, date_format

if TYPE_CHECKING:
    from aitheme.exhibits import Exhibit
    from aitheme.reports.plots import Plot, Series, SheetForm

__all__ = ["insert_charts"]

_ALONE, _PANEL, _GAP = (760, 380), (460, 270), 12
_TALL, _BAR = 120, 13
# Excel breaks a long name into two lines.
_LANE, _TIMELINE = 28, 1000
_MOST_HEIGHT = 1200
_MOST_TICKS = 7
_EPOCH = date(1899, 12, 30)
_TYPES = {"thin": 1.0, "line": 1.75, "dashed": 1.75}


def insert_charts(book: Any, sheet: Any, exhibit: Exhibit, form: SheetForm, *, first_row: int) -> None:
    """Draw the charts of a sheet right of its table.

    Parameters
    ----------
    book, sheet
        The workbook and the sheet, whose cells are written.
    exhibit, form
        What is shown, and its table and charts.
    first_row
        Row of the sheet (from 0) with the first row of the table; the labels stand above it.
    """
    shared = len({(plot.first, plot.last) for plot in form.plots}) == 1
    across, _ = arranged(len(form.plots), shared=shared)
    alone = len(form.plots) == 1
    size = _ALONE if alone or across == 1 else _PANEL
    for number, plot in enumerate(form.plots):
        width, height = _size(plot) if alone else size if across > 1 else (size[0], _PANEL[1])
        offset = {"x_offset": number % across * (width + _GAP), "y_offset": number // across * (height + _GAP)}
        chart = _chart(book, sheet, exhibit, form, plot, first_row)
        chart.set_size({"width": width, "height": height})
        sheet.insert_chart(first_row, len(form.columns) + 1, chart, {**offset, "object_position": 2})


def _size(plot: Plot) -> tuple[int, int]:
    """Return the size of a chart alone on its sheet: lying bars and the lanes of a timeline need their own room."""
    if plot.kind == "bar":
        bars = (plot.last - plot.first + 1) * (len(plot.series) + 1)
        return _ALONE[0], max(_ALONE[1], min(_MOST_HEIGHT, _TALL + _BAR * bars))
    if plot.kind == "scatter" and plot.bounds is not None:
        return _TIMELINE, max(_ALONE[1], round(_TALL + _LANE * plot.bounds[1]))
    return _ALONE


def _chart(book: Any, sheet: Any, exhibit: Exhibit, form: SheetForm, plot: Plot, first_row: int) -> Any:
    names = list(form.columns)
    chart = book.add_chart({"type": plot.kind})
    rows = (first_row + plot.first, first_row + plot.last)
    places = [names.index(name) for name in plot.category]
    for series in plot.series:
        at = names.index(series.column)
        grouped = form.columns[series.column].group(exhibit.lang)
        chart.add_series(
            {
                "name": series.name if grouped else [sheet.name, first_row - 1, at],
                "categories": [sheet.name, rows[0], places[0], rows[1], places[-1]],
                "values": [sheet.name, rows[0], at, rows[1], at],
                **_look(plot, series),
                **_labels(sheet, form, plot, series, first_row),
            }
        )
    if plot.band:
        grey = {"fill": {"color": "#E3E3E3"}, "border": {"none": True}}
        chart.set_up_down_bars({"up": {**grey}, "down": {**grey}})
    _axes(chart, form, plot)
    _words(chart, exhibit, plot)
    return chart


def _look(plot: Plot, series: Series) -> dict[str, Any]:
    from aitheme.charts.style import DOWN

    colour = {"color": series.colour}
    if series.look == "bar":
        green = {"invert_if_negative": True, "invert_if_negative_color": DOWN} if plot.signed else {}
        label = {} if plot.legend else {"data_labels": {"value": True, "font": {"name": FONT, "size": 9}}}
        return {"fill": colour, "gap": 60, **green, **label}
    if series.look in _TYPES:
        dash = {"dash_type": "dash"} if series.look == "dashed" else {}
        return {"line": {**colour, "width": _TYPES[series.look], **dash}}
    kind = "long_dash" if series.look == "tick" else "circle"
    marker = {"type": kind, "size": 9 if series.look == "tick" else 7, "fill": colour, "border": colour}
    if series.look != "stem":
        return {"line": {"none": True}, "marker": marker}
    stem = {"type": "percentage", "value": 100, "direction": "minus", "end_style": 0,
            "line": {"color": "#B5B5B5", "width": 0.75}}  # fmt: skip
    hollow = {"fill": {"color": "#FFFFFF"}, "border": colour}
    points = [hollow if row in series.hollow else None for row in range(plot.first, plot.last + 1)]
    return {"line": {"none": True}, "marker": marker, "y_error_bars": stem,
            **({"points": points} if any(points) else {})}  # fmt: skip


def _labels(sheet: Any, form: SheetForm, plot: Plot, series: Series, first_row: int) -> dict[str, Any]:
    """Return labels that read the cells of a text column, at the points that are there."""
    from xlsxwriter.utility import quote_sheetname, xl_rowcol_to_cell

    if not series.labels:
        return {}
    at = list(form.columns).index(series.labels)
    custom = [
        {"delete": True} if is_missing(value) or not text
        else {"value": f"={quote_sheetname(sheet.name)}!{xl_rowcol_to_cell(first_row + row, at, row_abs=True, col_abs=True)}"}
        for row, (value, text) in enumerate(zip(form.data[series.column], form.data[series.labels], strict=True))
    ]  # fmt: skip
    return {"data_labels": {"value": True, "custom": custom[plot.first : plot.last + 1], "position": "right",
                            "font": {"name": FONT, "size": 9}}}  # fmt: skip


def _axes(chart: Any, form: SheetForm, plot: Plot) -> None:
    font = {"name": FONT, "size": 9}
    title = {"name_font": {**font, "bold": False, "color": "#666666"}}
    value: dict[str, Any] = {
        "num_format": axis_format(plot, form.data),
        "major_gridlines": {"visible": True, "line": {"color": "#E6E6E6"}},
        "num_font": font,
        "line": {"none": True},
        **({"name": plot.axis, **title} if plot.axis else {}),
        **({"log_base": 10} if plot.log else {}),
    }
    if plot.bounds is not None:
        value |= dict(zip(("min", "max", "major_unit"), plot.bounds, strict=True))
    category: dict[str, Any] = {"label_position": "low", "line": {"color": "#7F7F7F"},
                                **({"name": plot.category_axis, **title} if plot.category_axis else {})}  # fmt: skip
    if plot.kind == "scatter":
        value |= {"visible": False, "major_gridlines": {"visible": False}}
        category |= _date_axis(plot)
    elif plot.kind == "line" and form.columns[plot.category[0]].kind == "date":
        days = form.data[plot.category[0]].iloc[plot.first : plot.last + 1]
        step = max(1, -(-len(days) // _MOST_TICKS))
        # Sessions stand side by side; a date axis would open gaps for holidays.
        written = {"%y/%m": "yy/mm", "%y/%m/%d": "yy/mm/dd"}[date_format(days)]
        category |= {"text_axis": True, "num_format": written, "interval_unit": step, "interval_tick": step}
    elif plot.kind == "bar":
        category |= {"reverse": True, "crossing": "max"}
    if plot.cross is not None:
        category |= {"crossing": plot.cross, "position_axis": "on_tick"}
        value |= {"label_position": "low", "line": {"color": "#333333", "dash_type": "dash", "width": 0.75}}
    if plot.from_zero:
        value["min"] = 0
    lying = plot.kind == "bar"
    # In XlsxWriter x is across, whatever stands on it.
    (chart.set_y_axis if lying else chart.set_x_axis)({**category, "num_font": font})
    (chart.set_x_axis if lying else chart.set_y_axis)(value)


def _date_axis(plot: Plot) -> dict[str, Any]:
    assert plot.days is not None
    first, last = ((day - _EPOCH).days for day in plot.days)
    pad = max(1, (last - first) // 50)
    step = max(1, -(-(last - first + 2 * pad) // _MOST_TICKS))
    return {"min": first - pad, "max": last + pad, "major_unit": step, "num_format": "yy/mm/dd",
            "major_gridlines": {"visible": False}}  # fmt: skip


def _words(chart: Any, exhibit: Exhibit, plot: Plot) -> None:
    title = plot.title or exhibit.caption
    if exhibit.simulated:
        title += f"  {WATERMARK}"
    chart.set_title({"name": title, "name_font": {"name": FONT, "size": 11}, "overlay": False})
    chart.set_legend({"position": "bottom", "font": {"name": FONT, "size": 9}} if plot.legend else {"none": True})
    chart.show_blanks_as("gap")
