"""The PowerPoint form of a book: one exhibit per slide, with charts and tables that can be edited."""

from __future__ import annotations

import importlib.util
import io
from typing import TYPE_CHECKING, Any

from aitheme.errors import AithemeError
from aitheme.exhibits.columns import EXCEL_FORMATS, is_missing, table_cells
from aitheme.reports.workbook import sheet_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from aitheme.exhibits import Exhibit

__all__ = ["MissingPackageError", "check_deck", "write_deck"]

_FONT = "Microsoft YaHei"
_WATERMARK = "SIMULATED 模拟数据"
# A slide of 13.33 x 7.5 inches; positions in inches.
_WIDTH, _HEIGHT, _EDGE = 13.333, 7.5, 0.5
_BODY_TOP, _BODY_HEIGHT = 1.25, 5.2
_MOST_ROWS, _MOST_COLUMNS = 16, 10
_BENCHMARKS = frozenset({"沪深300", "CSI 300"})


class MissingPackageError(AithemeError):
    """An optional package that a format needs is not installed."""


def check_deck() -> None:
    """Make sure that slides can be written (MissingPackageError otherwise)."""
    if importlib.util.find_spec("pptx") is None:
        raise MissingPackageError("formats: pptx needs python-pptx; run `pip install python-pptx` or leave pptx out")


def write_deck(path: Path, exhibits: Sequence[Exhibit], images: Mapping[str, bytes], *, title: str) -> None:
    """Write all exhibits that are available.

    Parameters
    ----------
    path
        The .pptx file.
    exhibits
        In the order of the book.
    images
        PNG by exhibit id, for what PowerPoint has no chart of, and for tables too long for a slide.
    title
        Text of the first slide.
    """
    import pptx
    from pptx.util import Inches

    deck = pptx.Presentation()
    deck.slide_width, deck.slide_height = Inches(_WIDTH), Inches(_HEIGHT)
    cover = _slide(deck)
    _text(cover, title, (_EDGE, 2.8, _WIDTH - 2 * _EDGE, 1.2), size=28)
    if any(exhibit.simulated for exhibit in exhibits):
        _text(cover, _WATERMARK, (_EDGE, 4.0, _WIDTH - 2 * _EDGE, 0.6), size=18, colour="B22222")
    for exhibit in exhibits:
        if exhibit.content is not None:
            _exhibit_slide(deck, exhibit, images[exhibit.id])
    deck.save(str(path))


def _slide(deck: Any) -> Any:
    blank = 6
    return deck.slides.add_slide(deck.slide_layouts[blank])


def _text(slide: Any, text: str, box: tuple[float, float, float, float], *, size: int, colour: str = "222222") -> Any:
    from pptx.util import Inches, Pt

    shape = slide.shapes.add_textbox(*(Inches(side) for side in box))
    frame = shape.text_frame
    frame.word_wrap = True
    frame.text = text
    for paragraph in frame.paragraphs:
        paragraph.font.size, paragraph.font.name = Pt(size), _FONT
        paragraph.font.color.rgb = _rgb(colour)
    return shape


def _rgb(colour: str) -> Any:
    from pptx.dml.color import RGBColor

    read: Any = RGBColor.from_string
    return read(colour.removeprefix("#"))


def _exhibit_slide(deck: Any, exhibit: Exhibit, image: bytes) -> None:
    assert exhibit.content is not None
    slide = _slide(deck)
    inner = _WIDTH - 2 * _EDGE
    if exhibit.simulated:
        mark = _text(slide, _WATERMARK, (2.2, 3.0, 9.0, 1.4), size=60, colour="EBEBEB")
        mark.rotation = -20
    _text(slide, exhibit.caption, (_EDGE, 0.3, inner, 0.5), size=20)
    _text(slide, exhibit.content.subtitle, (_EDGE, 0.78, inner, 0.4), size=12, colour="666666")
    if exhibit.content.native is not None:
        _native_chart(slide, exhibit)
    elif (
        exhibit.content.draw is None
        and len(exhibit.data) <= _MOST_ROWS
        and len(exhibit.content.columns) <= _MOST_COLUMNS
    ):
        _native_table(slide, exhibit)
    else:
        _picture(slide, image)
    _text(slide, "\n".join(exhibit.heading.footer), (_EDGE, 6.6, inner, 0.7), size=10, colour="7F7F7F")


def _picture(slide: Any, image: bytes) -> None:
    from pptx.util import Inches

    shape = slide.shapes.add_picture(io.BytesIO(image), Inches(_EDGE), Inches(_BODY_TOP))
    scale = min(Inches(_WIDTH - 2 * _EDGE) / shape.width, Inches(_BODY_HEIGHT) / shape.height)
    shape.width, shape.height = int(shape.width * scale), int(shape.height * scale)
    shape.left = int((Inches(_WIDTH) - shape.width) / 2)


def _native_table(slide: Any, exhibit: Exhibit) -> None:
    from pptx.enum.text import PP_ALIGN
    from pptx.util import Inches, Pt

    assert exhibit.content is not None
    cells = table_cells(exhibit.data, exhibit.content.columns, exhibit.lang)
    headers = [f"{group} {header}".strip() for group, header in zip(cells.groups, cells.headers, strict=True)]
    box = (_EDGE, _BODY_TOP, _WIDTH - 2 * _EDGE, 0.3 * (len(cells.rows) + 1))
    table = slide.shapes.add_table(len(cells.rows) + 1, len(headers), *(Inches(side) for side in box)).table
    for row, texts in enumerate((headers, *cells.rows)):
        for at, text in enumerate(texts):
            cell = table.cell(row, at)
            cell.text = text
            paragraph = cell.text_frame.paragraphs[0]
            paragraph.font.size, paragraph.font.name = Pt(10), _FONT
            paragraph.alignment = PP_ALIGN.RIGHT if cells.right[at] else PP_ALIGN.LEFT


def _native_chart(slide: Any, exhibit: Exhibit) -> None:
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    assert exhibit.content is not None
    native = exhibit.content.native
    assert native is not None
    data, columns = sheet_table(exhibit)
    values = [name for name in columns if name != native.category] if native.series else list(native.values)
    kind = columns[values[0]].kind
    make: Any = CategoryChartData
    content = make(number_format=EXCEL_FORMATS[kind])
    # As text, so that sessions stand side by side; a date axis would open gaps for holidays.
    content.categories = [f"{value:%y/%m/%d}" if native.kind == "line" else value for value in data[native.category]]
    for name in values:
        content.add_series(columns[name].label(exhibit.lang), [None if is_missing(v) else float(v) for v in data[name]])
    shapes = {"line": XL_CHART_TYPE.LINE, "bar": XL_CHART_TYPE.BAR_CLUSTERED, "column": XL_CHART_TYPE.COLUMN_CLUSTERED}
    box = (_EDGE, _BODY_TOP, _WIDTH - 2 * _EDGE, _BODY_HEIGHT)
    chart = slide.shapes.add_chart(shapes[native.kind], *(Inches(side) for side in box), content).chart
    _dress(chart, native.kind, EXCEL_FORMATS[kind])


def _dress(chart: Any, kind: str, number_format: str) -> None:
    """Give a native chart the house colours, quiet grid lines and a legend below where there is more than one series."""
    from pptx.enum.chart import XL_LEGEND_POSITION, XL_TICK_LABEL_POSITION
    from pptx.util import Pt

    from aitheme.charts.style import BENCHMARK, PALETTE

    plot = chart.plots[0]
    chart.font.size, chart.font.name = Pt(11), _FONT
    chart.has_title = False
    chart.has_legend = len(plot.series) > 1
    if chart.has_legend:
        chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    chart.value_axis.major_gridlines.format.line.color.rgb = _rgb("E6E6E6")
    chart.value_axis.tick_labels.number_format, chart.value_axis.tick_labels.number_format_is_linked = (
        number_format,
        False,
    )
    chart.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    if kind != "line":
        plot.has_data_labels = len(plot.series) == 1
        plot.gap_width = 60
        chart.category_axis.reverse_order = kind == "bar"
    for number, series in enumerate(plot.series):
        grey = series.name in _BENCHMARKS
        colour = _rgb(BENCHMARK if grey else PALETTE[number % len(PALETTE)])
        if kind == "line":
            series.smooth = False
            series.format.line.width, series.format.line.color.rgb = Pt(2), colour
        else:
            series.format.fill.solid()
            series.format.fill.fore_color.rgb = colour
