"""Charts drawn by PowerPoint itself, each with the workbook of its numbers inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aitheme.exhibits.columns import EXCEL_FORMATS, is_missing
from aitheme.reports.plots import FONT, WATERMARK, arranged, axis_format, date_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aitheme.exhibits import Exhibit
    from aitheme.reports.plots import Plot, Series, SheetForm

__all__ = ["add_charts", "rgb"]

Box = tuple[float, float, float, float]

_GAP = 0.15
_MOST_TICKS = 7
_MOST_LABELLED = 30
_ALONE, _PANEL = 11, 9
_WIDTHS = {"thin": 1.0, "line": 2.0, "dashed": 2.0}
_C = 'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
_GREY_BAR = '<c:spPr><a:solidFill><a:srgbClr val="E3E3E3"/></a:solidFill><a:ln><a:noFill/></a:ln></c:spPr>'
_STEM = (
    f'<c:errBars {_C}><c:errDir val="y"/><c:errBarType val="minus"/><c:errValType val="percentage"/><c:noEndCap val="1"/>'
    '<c:val val="100"/><c:spPr><a:ln w="9525"><a:solidFill><a:srgbClr val="B5B5B5"/></a:solidFill></a:ln></c:spPr></c:errBars>'
)
_BARS = (
    f'<c:upDownBars {_C}><c:gapWidth val="150"/><c:upBars>{_GREY_BAR}</c:upBars><c:downBars>{_GREY_BAR}</c:downBars>'
    "</c:upDownBars>"
)


def rgb(colour: str) -> Any:
    """Return a colour of python-pptx from ``#RRGGBB``."""
    from pptx.dml.color import RGBColor

    read: Any = RGBColor.from_string
    return read(colour.removeprefix("#"))


def add_charts(slide: Any, exhibit: Exhibit, form: SheetForm, box: Box) -> None:
    """Draw the charts of an exhibit into a box of a slide.

    Parameters
    ----------
    slide
        The slide.
    exhibit, form
        What is shown, and its table and charts.
    box
        Left, top, width and height in inches.
    """
    from pptx.util import Inches

    left, top, width, height = box
    shared = len({(plot.first, plot.last) for plot in form.plots}) == 1
    across, down = arranged(len(form.plots), shared=shared)
    wide, high = (width - _GAP * (across - 1)) / across, (height - _GAP * (down - 1)) / down
    for number, plot in enumerate(form.plots):
        place = (left + number % across * (wide + _GAP), top + number // across * (high + _GAP), wide, high)
        shape, content = _content(form, plot)
        chart = slide.shapes.add_chart(shape, *(Inches(side) for side in place), content).chart
        _dress(chart, exhibit, form, plot, size=_ALONE if len(form.plots) == 1 else _PANEL)


def _content(form: SheetForm, plot: Plot) -> tuple[Any, Any]:
    """Return the chart type and the numbers of a plot."""
    from pptx.chart.data import CategoryChartData, XyChartData
    from pptx.enum.chart import XL_CHART_TYPE

    data = form.data.iloc[plot.first : plot.last + 1]
    if plot.kind == "scatter":
        scatter: Any = XyChartData
        points = scatter(number_format=EXCEL_FORMATS[plot.values])
        for series in plot.series:
            one = points.add_series(series.name)
            for day, height in zip(data[plot.category[0]], data[series.column], strict=True):
                if not is_missing(height):
                    one.add_data_point(_serial(day), float(height))
        return XL_CHART_TYPE.XY_SCATTER, points
    make: Any = CategoryChartData
    content = make(number_format=EXCEL_FORMATS[plot.values])
    _categories(content, form, plot)
    for series in plot.series:
        content.add_series(series.name, [None if is_missing(one) else float(one) for one in data[series.column]])
    shapes = {
        "line": XL_CHART_TYPE.LINE_MARKERS,
        "bar": XL_CHART_TYPE.BAR_CLUSTERED,
        "column": XL_CHART_TYPE.COLUMN_CLUSTERED,
    }
    return shapes[plot.kind], content


def _serial(day: Any) -> int:
    from datetime import date

    return (date(day.year, day.month, day.day) - date(1899, 12, 30)).days


def _categories(content: Any, form: SheetForm, plot: Plot) -> None:
    data = form.data.iloc[plot.first : plot.last + 1]
    if len(plot.category) > 1:
        outer = None
        for group, name in zip(data[plot.category[0]], data[plot.category[1]], strict=True):
            outer = content.add_category(str(group)) if group or outer is None else outer
            outer.add_sub_category(str(name))
        return
    own = data[plot.category[0]]
    if form.columns[plot.category[0]].kind == "date":
        # As text, so that sessions stand side by side; a date axis would open gaps for holidays.
        written = date_format(own)
        content.categories = [f"{day:{written}}" for day in own]
    else:
        content.categories = [str(one) for one in own]


def _dress(chart: Any, exhibit: Exhibit, form: SheetForm, plot: Plot, *, size: int) -> None:
    from pptx.enum.chart import XL_LEGEND_POSITION
    from pptx.util import Pt

    from aitheme.charts.style import DOWN

    chart.font.size, chart.font.name = Pt(size), FONT
    title = "  ".join(text for text in (plot.title, WATERMARK if exhibit.simulated else "") if text)
    chart.has_title = bool(title)
    if title:
        chart.chart_title.text_frame.text = title
        font = chart.chart_title.text_frame.paragraphs[0].font
        font.size, font.bold, font.name = Pt(size + 1), bool(plot.title), FONT
        chart.chart_title.include_in_layout = False
    chart.has_legend = plot.legend
    if plot.legend:
        chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    if plot.kind in {"bar", "column"}:
        chart.plots[0].gap_width = 60
        if not plot.legend and plot.last - plot.first < _MOST_LABELLED:
            chart.plots[0].has_data_labels = True
    own = chart.element.iter(_tag("c:ser"))
    for series, drawn, element in zip(plot.series, chart.plots[0].series, list(own), strict=True):
        _style(drawn, form, plot, series, size)
        if series.look == "stem":
            _before(element, _STEM, "c:xVal")
        elif plot.signed:
            element.append(_parsed(_inverted(DOWN.removeprefix("#"))))
    _axes(chart, form, plot, size)
    if plot.band:
        _before(next(chart.element.iter(_tag("c:lineChart"))), _BARS, "c:marker")


def _style(drawn: Any, form: SheetForm, plot: Plot, series: Series, size: int) -> None:
    from pptx.enum.chart import XL_MARKER_STYLE
    from pptx.enum.dml import MSO_LINE
    from pptx.util import Pt

    colour = rgb(series.colour)
    if series.look == "bar":
        drawn.format.fill.solid()
        drawn.format.fill.fore_color.rgb = colour
        drawn.invert_if_negative = plot.signed
        return
    drawn.smooth = False
    if series.look in _WIDTHS:
        drawn.marker.style = XL_MARKER_STYLE.NONE
        drawn.format.line.width, drawn.format.line.color.rgb = Pt(_WIDTHS[series.look]), colour
        if series.look == "dashed":
            drawn.format.line.dash_style = MSO_LINE.DASH
        return
    drawn.format.line.fill.background()
    drawn.marker.style = XL_MARKER_STYLE.DASH if series.look == "tick" else XL_MARKER_STYLE.CIRCLE
    drawn.marker.size = 9 if series.look == "tick" else 8
    _fill_marker(drawn.marker, colour, colour)
    if series.labels:
        _label(drawn, form, plot, series, size)


def _fill_marker(marker: Any, ground: Any, edge: Any) -> None:
    marker.format.fill.solid()
    marker.format.fill.fore_color.rgb = ground
    marker.format.line.color.rgb = edge


def _label(drawn: Any, form: SheetForm, plot: Plot, series: Series, size: int) -> None:
    """Write the texts at the points, and make the dots hollow that are."""
    from pptx.enum.chart import XL_LABEL_POSITION
    from pptx.util import Pt

    rows: Sequence[int] = [
        row for row in range(plot.first, plot.last + 1)
        if plot.kind != "scatter" or not is_missing(form.data[series.column].iloc[row])
    ]  # fmt: skip
    for at, row in enumerate(rows):
        text = str(form.data[series.labels].iloc[row])
        point = drawn.points[at]
        if text:
            frame = point.data_label.text_frame
            frame.text, frame.word_wrap = text, False
            font = frame.paragraphs[0].font
            font.size, font.name = Pt(min(size, 10)), FONT
            point.data_label.position = XL_LABEL_POSITION.RIGHT
        if row in series.hollow:
            _fill_marker(point.marker, rgb("FFFFFF"), rgb(series.colour))


def _axes(chart: Any, form: SheetForm, plot: Plot, size: int) -> None:
    from pptx.enum.chart import XL_TICK_LABEL_POSITION
    from pptx.enum.dml import MSO_LINE

    value, category = chart.value_axis, chart.category_axis
    value.has_major_gridlines = plot.kind != "scatter"
    if value.has_major_gridlines:
        value.major_gridlines.format.line.color.rgb = rgb("E6E6E6")
    value.format.line.fill.background()
    value.tick_labels.number_format, value.tick_labels.number_format_is_linked = axis_format(plot, form.data), False
    category.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    category.has_major_gridlines = False
    if plot.bounds is not None:
        value.minimum_scale, value.maximum_scale, value.major_unit = plot.bounds
    elif plot.from_zero:
        value.minimum_scale = 0
    _title(value, plot.axis, size)
    _title(category, plot.category_axis, size)
    if plot.kind == "scatter":
        value.visible = False
        _days(category, plot)
    elif plot.kind == "bar":
        category.reverse_order = True
        _crossing(chart).set("val", "max")
    elif form.columns[plot.category[0]].kind == "date":
        step = max(1, -(-(plot.last - plot.first + 1) // _MOST_TICKS))
        for tag in ("tickLblSkip", "tickMarkSkip"):
            _before(next(chart.element.iter(_tag("c:catAx"))), f'<c:{tag} {_C} val="{step}"/>', "c:noMultiLvlLbl")
    if plot.cross is not None:
        value.tick_label_position = XL_TICK_LABEL_POSITION.LOW
        value.format.line.fill.solid()
        value.format.line.color.rgb, value.format.line.dash_style = rgb("333333"), MSO_LINE.DASH
        crossing = _crossing(chart)
        crossing.addnext(_parsed(f'<c:crossBetween {_C} val="midCat"/>'))
        crossing.getparent().replace(crossing, _parsed(f'<c:crossesAt {_C} val="{plot.cross}"/>'))
    if plot.log:
        next(chart.element.iter(_tag("c:valAx"))).find(_tag("c:scaling")).insert(
            0, _parsed(f'<c:logBase {_C} val="10"/>')
        )


def _crossing(chart: Any) -> Any:
    """Return the element that says where the value axis crosses the other; python-pptx sets only the reverse."""
    return next(chart.element.iter(_tag("c:valAx"))).find(_tag("c:crosses"))


def _title(axis: Any, text: str, size: int) -> None:
    from pptx.util import Pt

    axis.has_title = bool(text)
    if text:
        axis.axis_title.text_frame.text = text
        font = axis.axis_title.text_frame.paragraphs[0].font
        font.size, font.bold, font.name, font.color.rgb = Pt(size - 1), False, FONT, rgb("666666")


def _days(axis: Any, plot: Plot) -> None:
    assert plot.days is not None
    first, last = (_serial(day) for day in plot.days)
    pad = max(1, (last - first) // 50)
    axis.minimum_scale, axis.maximum_scale = first - pad, last + pad
    axis.major_unit = max(1, -(-(last - first + 2 * pad) // _MOST_TICKS))
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = "yy/mm/dd", False


def _tag(name: str) -> str:
    from pptx.oxml.ns import qn

    return str(qn(name))


def _inverted(colour: str) -> str:
    """Return what colours a bar below zero, an extension of 2010 that Excel writes too."""
    return (
        f'<c:extLst {_C}><c:ext uri="{{6F2FDCE9-48DA-4B69-8628-5D25D57E5C99}}" '
        'xmlns:c14="http://schemas.microsoft.com/office/drawing/2007/8/2/chart"><c14:invertSolidFillFmt>'
        f'<c14:spPr><a:solidFill><a:srgbClr val="{colour}"/></a:solidFill></c14:spPr></c14:invertSolidFillFmt>'
        "</c:ext></c:extLst>"
    )


def _parsed(xml: str) -> Any:
    from pptx.oxml import parse_xml

    return parse_xml(xml)


def _before(element: Any, xml: str, follower: str) -> None:
    """Put an element python-pptx has no name for before the one that the schema wants after it."""
    element.find(_tag(follower)).addprevious(_parsed(xml))
