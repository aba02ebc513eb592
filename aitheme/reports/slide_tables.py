"""Tables of a slide that can be edited, the cells of a grid filled by their value."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from aitheme.exhibits.columns import format_cell, is_missing, table_cells
from aitheme.reports.plots import FONT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aitheme.charts.tables import TableCells
    from aitheme.exhibits import Exhibit
    from aitheme.reports.plots import SheetForm

__all__ = ["TablePage", "add_grid", "add_table", "grid_size", "table_pages"]

Box = tuple[float, float, float, float]

_BREAK, _PALE = 30.0, "#F2F2F2"
_POINTS = 72.0
_SIZES = (11, 10, 9, 8)
# Of a table over several slides.
_PAGED = (9, 8, 7)
# Left and right of a text in points, above and below it in type sizes.
_MARGIN, _PAD = 3.0, 0.3
# Height of a line of the font, and room beside a text, in type sizes.
_LINE, _SIDE, _LINES = 1.42, 0.7, 3
_LONG = 12.0
_MOST_HEAD = 2.0
# Widths are estimates, and a name that breaks would make its row higher than the slide has room for.
_SAFE = 1.08
# Widths of the narrowest cell that holds a number and of the widest that looks like one of a grid, in type sizes.
_LEAST_CELL, _WIDEST_CELL = 3.2, 9.0


@dataclass(frozen=True, slots=True)
class TablePage:
    """The rows of a table on one slide, and their type size in points."""

    cells: TableCells
    size: int


def table_pages(exhibit: Exhibit, box: Box) -> list[TablePage]:
    """Break a table into pages that can be read on a slide each: one where it fits at 8 points or more.

    Parameters
    ----------
    exhibit
        A table.
    box
        Left, top, width and height in inches.
    """
    assert exhibit.content is not None
    data, columns, lang = exhibit.data, exhibit.content.columns, exhibit.lang
    whole, room = table_cells(data, columns, lang), box[3] * _POINTS
    for size in _SIZES:
        heights = _heights(whole, box, size)
        if _wide_enough(whole, box, size) and sum(heights) <= room:
            return [TablePage(whole, size)]
    size = next((one for one in _PAGED if _wide_enough(whole, box, one)), _PAGED[-1])
    heights = _heights(whole, box, size)
    head, starts, used = heights[0], [0], 0.0
    for row, height in enumerate(heights[1:]):
        if used and head + used + height > room:
            starts.append(row)
            used = 0.0
        used += height
    return [
        TablePage(table_cells(data, columns, lang, slice(start, end)), size)
        for start, end in pairwise([*starts, len(data)])
    ]


def add_table(slide: Any, page: TablePage, box: Box) -> None:
    """Write a page of rows as a table.

    Parameters
    ----------
    slide, page
        The slide, and what is shown.
    box
        Left, top, width and most height in inches.
    """
    from pptx.oxml.ns import qn
    from pptx.util import Inches, Pt

    cells, size = page.cells, page.size
    heights = _heights(cells, box, size)
    grouped = int(any(cells.groups))
    count = 1 + grouped + len(cells.rows)
    shape = slide.shapes.add_table(count, len(cells.headers), *(Inches(side) for side in (*box[:3], 0.3 * count)))
    shape.table.horz_banding = False
    for at, width in enumerate(_shares(cells)):
        shape.table.columns[at].width = Pt(width * box[2] * _POINTS)
    for row, height in enumerate([*[heights[0] / (1 + grouped)] * (1 + grouped), *heights[1:]]):
        shape.table.rows[row].height = Pt(height)
    rows = [list(row.iter(qn("a:tc"))) for row in shape.element.iter(qn("a:tr"))]
    if grouped:
        _write_groups(rows[0], cells, size)
    for row, (parts, texts) in enumerate(zip(rows[grouped:], (cells.headers, *cells.rows), strict=True)):
        ground = _PALE if row == 0 else ""
        for at, (cell, text) in enumerate(zip(parts, texts, strict=True)):
            _write(cell, text, size, "r" if cells.right[at] else "l", ground=ground, bold=row == 0)


def _write_groups(parts: Sequence[Any], cells: TableCells, size: int) -> None:
    """Write the labels over neighbouring columns, each as one cell."""
    at = 0
    for group, run in groupby(cells.groups):
        span = len(list(run))
        for offset in range(span):
            merge = f' gridSpan="{span}"' if not offset and span > 1 else ' hMerge="1"' if offset else ""
            _write(parts[at + offset], "" if offset else group, size, "ctr", ground=_PALE, bold=True, merge=merge)
        at += span


def _wanted(cells: TableCells) -> list[float]:
    """Return the width each column asks for in type sizes: its longest text, where that is not one that has to break."""
    from aitheme.charts.fonts import text_width

    over = [text_width(group, 1.0) / max(1, cells.groups.count(group)) for group in cells.groups]
    heads = [
        max(text_width(head, 1.0) / 2, *(text_width(word, 1.0) for word in head.split())) for head in cells.headers
    ]
    texts = [max((text_width(text, 1.0) for text in column), default=0.0) for column in zip(*cells.rows, strict=True)]
    return [
        _SAFE * min(max(three), _BREAK) + 2 * _SIDE
        for three in zip(over, heads, texts or [0.0] * len(heads), strict=True)
    ]


def _shares(cells: TableCells) -> list[float]:
    wanted = _wanted(cells)
    return [width / sum(wanted) for width in wanted]


def _wide_enough(cells: TableCells, box: Box, size: int) -> bool:
    return sum(_wanted(cells)) * size <= box[2] * _POINTS


def _heights(cells: TableCells, box: Box, size: int) -> list[float]:
    """Return the heights of the head and of every row in points, by the lines their texts need."""
    from aitheme.charts.fonts import text_width

    room = [share * box[2] * _POINTS - 2 * _MARGIN for share in _shares(cells)]

    def height(texts: Sequence[str]) -> float:
        lines = max(
            max(1.0, -(-_SAFE * text_width(text, size) // width)) for text, width in zip(texts, room, strict=True)
        )
        return float(lines * size * _LINE + _PAD * size)

    head = height(cells.headers) + (height([""] * len(room)) if any(cells.groups) else 0.0)
    return [head, *(height(texts) for texts in cells.rows)]


def grid_size(form: SheetForm, box: Box, lang: str) -> int:
    """Return the largest type size at which a grid fits a box, 0 where not even 8 points do."""
    return next((size for size in _SIZES if _fits(form, box, lang, size)), 0)


def _fits(form: SheetForm, box: Box, lang: str, size: int) -> bool:
    assert form.shades is not None
    widths = _label_widths(form, lang, size)
    cell = (box[2] * _POINTS - sum(widths)) / len(form.shades.columns)
    head = _head_height(form, lang, size, cell)
    rows = size * _LINE * len(form.data)
    return cell >= _LEAST_CELL * size and head <= _MOST_HEAD * _POINTS and head + rows <= box[3] * _POINTS


def _heads(form: SheetForm, lang: str) -> list[str]:
    """Return what stands over the columns of a grid: numbers where the names are those of the rows, and long."""
    from aitheme.charts.fonts import text_width

    assert form.shades is not None
    names = [form.columns[name].label(lang) for name in form.shades.columns]
    rows = [str(one) for one in form.data.iloc[:, 0]]
    longest = max(text_width(name, 1.0) for name in names)
    return [str(at) for at in range(1, len(names) + 1)] if names == rows and longest > _LONG else names


def _labelled(form: SheetForm, lang: str, name: str) -> list[str]:
    """Return the texts of a column that names the rows, each with its number where numbers stand over the columns."""
    assert form.shades is not None
    texts = [format_cell(one, form.columns[name].kind) for one in form.data[name]]
    if _heads(form, lang) == [form.columns[one].label(lang) for one in form.shades.columns]:
        return texts
    return [f"{text}  {at}" for at, text in enumerate(texts, start=1)]


def _upright(form: SheetForm, lang: str, size: int, cell: float) -> bool:
    """Tell whether the names over the columns stand on end, since not even three lines of them fit."""
    from aitheme.charts.fonts import text_width

    return max(text_width(head, size) for head in _heads(form, lang)) > _LINES * (cell - 1.5 * _SIDE * size)


def _head_height(form: SheetForm, lang: str, size: int, cell: float) -> float:
    from aitheme.charts.fonts import text_width

    longest = max(text_width(head, size) for head in _heads(form, lang))
    if not _upright(form, lang, size, cell):
        lines = -(-longest // (cell - 1.5 * _SIDE * size))
        return float((lines + (1 if lines > 1 else 0)) * size * _LINE)
    return (1 + _SIDE) * size + longest


def _label_widths(form: SheetForm, lang: str, size: int) -> list[float]:
    """Return the widths of the columns that name the rows, in points."""
    from aitheme.charts.fonts import text_width

    assert form.shades is not None
    labels = [name for name in form.columns if name not in form.shades.columns]
    return [
        _SIDE * size + _SAFE * max(
            text_width(text, size) for text in [form.columns[name].label(lang), *_labelled(form, lang, name)]
        )
        for name in labels
    ]  # fmt: skip


def add_grid(slide: Any, form: SheetForm, box: Box, lang: str, size: int) -> None:
    """Write a grid as a table whose cells are filled by their value.

    Parameters
    ----------
    slide, form
        The slide, and the grid.
    box
        Left, top, width and most height in inches.
    lang
        Of the labels.
    size
        Type size in points, from :func:`grid_size`.
    """
    from pptx.oxml.ns import qn
    from pptx.util import Inches, Pt

    assert form.shades is not None
    names = list(form.columns)
    widths = _label_widths(form, lang, size)
    cell = min(_WIDEST_CELL * size, (box[2] * _POINTS - sum(widths)) / len(form.shades.columns))
    head = _head_height(form, lang, size, cell)
    height = min(size * 2.0, (box[3] * _POINTS - head) / len(form.data))
    left = box[0] + (box[2] - (sum(widths) + cell * len(form.shades.columns)) / _POINTS) / 2
    sides = (Inches(left), Inches(box[1]), Pt(10), Pt(10))
    shape = slide.shapes.add_table(len(form.data) + 1, len(names), *sides)
    table = shape.table
    table.horz_banding = False
    wide = iter(widths)
    for at, name in enumerate(names):
        table.columns[at].width = Pt(cell if name in form.shades.columns else next(wide))
    table.rows[0].height = Pt(head)
    upright = _upright(form, lang, size, cell)
    parts = list(shape.element.iter(qn("a:tr")))
    heads = dict(zip(form.shades.columns, _heads(form, lang), strict=True))
    labels = {name: _labelled(form, lang, name) for name in names if name not in heads}
    for name, part in zip(names, list(parts[0].iter(qn("a:tc"))), strict=True):
        grid = name in heads
        _write(part, heads.get(name, form.columns[name].label(lang)), size, "ctr" if grid else "l", ground=_PALE, bold=True,
               upright=upright and grid)  # fmt: skip
    for row, part in enumerate(parts[1:]):
        table.rows[row + 1].height = Pt(height)
        _write_row(list(part.iter(qn("a:tc"))), form, row, labels, size)


def _write_row(cells: Sequence[Any], form: SheetForm, row: int, labels: Mapping[str, Sequence[str]], size: int) -> None:
    shades = form.shades
    assert shades is not None
    for name, cell in zip(form.columns, cells, strict=True):
        value, kind = form.data[name].iloc[row], form.columns[name].kind
        if name not in shades.columns:
            _write(
                cell,
                labels[name][row],
                size,
                "l",
                ground="",
                ink="#999999" if row in shades.muted else "",
            )
        elif is_missing(value):
            _write(cell, shades.texts.get((row, name), "/"), size, "ctr", ground="#EFEFEF")
        else:
            text = "" if shades.hide_zero and not value else format_cell(value, kind)
            _write(
                cell, text + shades.marks.get((row, name), ""), size, "ctr", ground=shades.colour(float(value), name)
            )


def _write(
    cell: Any,
    text: str,
    size: int,
    align: str,
    *,
    ground: str,
    ink: str = "",
    bold: bool = False,
    upright: bool = False,
    merge: str = "",
) -> None:
    """Fill a cell as one piece of XML: python-pptx would take a second for the thousand cells of a matrix."""
    from xml.sax.saxutils import escape

    from pptx.oxml import parse_xml

    from aitheme.charts.heatmap import ink_on

    spaces = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    turned = ' vert="vert270"' if upright else ""
    weight, colour = ' b="1"' if bold else ' b="0"', (ink or ink_on(ground or "#FFFFFF"))[1:]
    run = (
        f'<a:r><a:rPr lang="zh-CN" sz="{size * 100}"{weight}><a:solidFill><a:srgbClr val="{colour}"/></a:solidFill>'
        f'<a:latin typeface="{FONT}"/><a:ea typeface="{FONT}"/></a:rPr><a:t>{escape(text)}</a:t></a:r>'
        if text else f'<a:endParaRPr lang="zh-CN" sz="{size * 100}"/>'
    )  # fmt: skip
    # What lies behind, the mark of a simulated market, has to shine through.
    fill = "<a:noFill/>" if not ground else f'<a:solidFill><a:srgbClr val="{ground[1:]}"/></a:solidFill>'
    made = parse_xml(
        f'<a:tc {spaces}{merge}><a:txBody><a:bodyPr/><a:lstStyle/><a:p><a:pPr algn="{align}"/>{run}</a:p></a:txBody>'
        f'<a:tcPr marL="38100" marR="38100" marT="0" marB="0" anchor="ctr"{turned}>'
        f"{fill}</a:tcPr></a:tc>"
    )
    cell.getparent().replace(cell, made)
