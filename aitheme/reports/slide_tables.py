"""Tables of a slide that can be edited, the cells of a grid filled by their value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aitheme.exhibits.columns import format_cell, is_missing, table_cells
from aitheme.reports.plots import FONT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aitheme.exhibits import Exhibit
    from aitheme.reports.plots import SheetForm

__all__ = ["add_grid", "add_table", "grid_size", "table_fits"]

Box = tuple[float, float, float, float]

_MOST_ROWS, _MOST_COLUMNS = 16, 10
_TABLE, _BREAK, _PALE = 10, 30.0, "#F2F2F2"
_POINTS = 72.0
_SIZES = (11, 10, 9, 8)
# Height of a line of the font, and room beside a text, in type sizes.
_LINE, _SIDE, _LINES = 1.42, 0.7, 3
_LONG = 12.0
_MOST_HEAD = 2.0
# Widths are estimates, and a name that breaks would make its row higher than the slide has room for.
_SAFE = 1.08
# Widths of the narrowest cell that holds a number and of the widest that looks like one of a grid, in type sizes.
_LEAST_CELL, _WIDEST_CELL = 3.2, 9.0


def table_fits(exhibit: Exhibit) -> bool:
    """Tell whether a table can be read on one slide."""
    assert exhibit.content is not None
    return len(exhibit.data) <= _MOST_ROWS and len(exhibit.content.columns) <= _MOST_COLUMNS


def add_table(slide: Any, exhibit: Exhibit, box: Box) -> None:
    """Write an exhibit's rows as a table.

    Parameters
    ----------
    slide, exhibit
        The slide, and what is shown.
    box
        Left, top, width and most height in inches.
    """
    from pptx.oxml.ns import qn
    from pptx.util import Inches, Pt

    assert exhibit.content is not None
    cells = table_cells(exhibit.data, exhibit.content.columns, exhibit.lang)
    headers = [f"{group} {header}".strip() for group, header in zip(cells.groups, cells.headers, strict=True)]
    place = (*box[:3], 0.3 * (len(cells.rows) + 1))
    shape = slide.shapes.add_table(len(cells.rows) + 1, len(headers), *(Inches(side) for side in place))
    shape.table.horz_banding = False
    for at, width in enumerate(_shares(headers, cells.rows)):
        shape.table.columns[at].width = Pt(width * box[2] * _POINTS)
    for row, (part, texts) in enumerate(zip(list(shape.element.iter(qn("a:tr"))), (headers, *cells.rows), strict=True)):
        for at, (cell, text) in enumerate(zip(list(part.iter(qn("a:tc"))), texts, strict=True)):
            ground = _PALE if row == 0 else "#FFFFFF"
            _write(cell, text, _TABLE, "r" if cells.right[at] else "l", ground=ground, bold=row == 0)


def _shares(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[float]:
    """Return the share of the width that each column takes, by its longest text; a very long one has to break."""
    from aitheme.charts.fonts import text_width

    heads = [max(text_width(head, 1.0) / 2, *(text_width(word, 1.0) for word in head.split())) for head in headers]
    cells = [max((text_width(text, 1.0) for text in column), default=0.0) for column in zip(*rows, strict=True)]
    wanted = [min(max(pair), _BREAK) + 2 * _SIDE for pair in zip(heads, cells, strict=True)]
    return [width / sum(wanted) for width in wanted]


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
                ground="#FFFFFF",
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
) -> None:
    """Fill a cell as one piece of XML: python-pptx would take a second for the thousand cells of a matrix."""
    from xml.sax.saxutils import escape

    from pptx.oxml import parse_xml

    from aitheme.charts.heatmap import ink_on

    spaces = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    turned = ' vert="vert270"' if upright else ""
    weight, colour = ' b="1"' if bold else ' b="0"', (ink or ink_on(ground))[1:]
    run = (
        f'<a:r><a:rPr lang="zh-CN" sz="{size * 100}"{weight}><a:solidFill><a:srgbClr val="{colour}"/></a:solidFill>'
        f'<a:latin typeface="{FONT}"/><a:ea typeface="{FONT}"/></a:rPr><a:t>{escape(text)}</a:t></a:r>'
        if text else f'<a:endParaRPr lang="zh-CN" sz="{size * 100}"/>'
    )  # fmt: skip
    made = parse_xml(
        f'<a:tc {spaces}><a:txBody><a:bodyPr/><a:lstStyle/><a:p><a:pPr algn="{align}"/>{run}</a:p></a:txBody>'
        f'<a:tcPr marL="38100" marR="38100" marT="0" marB="0" anchor="ctr"{turned}>'
        f'<a:solidFill><a:srgbClr val="{ground[1:]}"/></a:solidFill></a:tcPr></a:tc>'
    )
    cell.getparent().replace(cell, made)
