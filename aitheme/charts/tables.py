"""Tables as images: a header under a bold rule, numbers to the right, long text wrapped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from aitheme.charts import style
from aitheme.charts.fonts import FONT_STACK, text_width, wrap
from aitheme.charts.frame import FULL, Heading, Size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["TableCells", "table_svg"]

_PAD = 10
_CELL = 11
_LINE = 15
_ROW_PAD = 6
_COLUMN_GAP, _TURN_GAP = 14, 30
_TITLE_LINE, _SUBTITLE_LINE, _SOURCE_LINE = 19, 15, 13
_MOST_WORD = 120.0
_LEAST_TEXT = 70.0


@dataclass(frozen=True, slots=True)
class TableCells:
    """A table ready to print.

    Parameters
    ----------
    headers
        One label per column.
    groups
        Label over neighbouring columns, one entry per column; empty for none.
    right
        Which columns are set to the right.
    rows
        Formatted cells.
    """

    headers: tuple[str, ...]
    groups: tuple[str, ...]
    right: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]


def _widths(cells: TableCells, room: float) -> list[float]:
    """Return column widths that fill the room: natural ones where they fit, else long text columns give way."""
    columns = list(zip(cells.headers, *cells.rows, strict=True))
    over = [text_width(group, _CELL) / max(1, cells.groups.count(group)) if group else 0.0 for group in cells.groups]
    natural = [
        max(share, *(text_width(text, _CELL) for text in column)) + 2
        for share, column in zip(over, columns, strict=True)
    ]
    free = room - sum(_gaps(cells))
    if sum(natural) <= free:
        extra = (free - sum(natural)) / len(natural)
        return [width + extra for width in natural]
    least = [
        min(width, max(_LEAST_TEXT, text_width(column[0], _CELL), _longest_word(column)))
        for width, column in zip(natural, columns, strict=True)
    ]
    least = [natural[at] if cells.right[at] or over[at] else width for at, width in enumerate(least)]
    spare = max(0.0, free - sum(least))
    # Square roots: a column five times as long gets about twice the room, and wraps more.
    want = [max(0.0, full - small) ** 0.5 for full, small in zip(natural, least, strict=True)]
    widths = list(least)
    for _ in range(len(widths)):
        total = sum(want)
        if spare <= 1 or not total:
            break
        given = [min(spare * share / total, natural[at] - widths[at]) for at, share in enumerate(want)]
        widths = [width + gain for width, gain in zip(widths, given, strict=True)]
        spare -= sum(given)
        want = [share if widths[at] < natural[at] - 1 else 0.0 for at, share in enumerate(want)]
    scale = free / sum(widths) if sum(widths) > free else 1.0
    return [width * scale for width in widths]


def _longest_word(texts: Iterable[str]) -> float:
    """Return the width of the longest Latin word, up to a bound: Chinese breaks anywhere."""
    words = {word for text in texts for word in re.findall(r"[!-\u024F]+", text)}
    return min(_MOST_WORD, max((text_width(word, _CELL) + 2 for word in words), default=0.0))


def _gaps(cells: TableCells) -> list[float]:
    """Return the gap before each column: wider where a left-set column follows a right-set one."""
    pairs = zip(cells.right, cells.right[1:], strict=False)
    return [0.0, *(float(_TURN_GAP if before and not after else _COLUMN_GAP) for before, after in pairs)]


class _Canvas:
    """Collects SVG elements from the top down."""

    def __init__(self, width: float) -> None:
        self.width = width
        self.y = float(_PAD)
        self._parts: list[str] = []

    def text(self, text: str, x: float, y: float, *, size: float, colour: str, anchor: str = "start") -> None:
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}px" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'
        )

    def rule(self, y: float, *, weight: float, colour: str, left: float = _PAD, right: float | None = None) -> None:
        end = self.width - _PAD if right is None else right
        self._parts.append(
            f'<line x1="{left:.1f}" x2="{end:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" stroke-width="{weight}"/>'
        )

    def block(self, text: str, *, size: float, line: float, colour: str) -> None:
        for part in wrap(text, size, self.width - 2 * _PAD):
            self.text(part, _PAD, self.y + size, size=size, colour=colour)
            self.y += line

    def watermark(self, top: float, bottom: float) -> None:
        x, y = self.width / 2, (top + bottom) / 2
        size = min(self.width / 11, max(24.0, (bottom - top) / 2.5))
        self._parts.insert(
            0,
            f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size:.0f}px" fill="#EBEBEB" text-anchor="middle" '
            f'transform="rotate(-20 {x:.0f} {y:.0f})">{style.WATERMARK}</text>',
        )

    def svg(self) -> str:
        height = round(self.y + _PAD)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:.0f}" height="{height}" '
            f'viewBox="0 0 {self.width:.0f} {height}" font-family="{FONT_STACK}">'
            f'<rect width="100%" height="100%" fill="#FFFFFF"/>{"".join(self._parts)}</svg>'
        )


def table_svg(cells: TableCells, heading: Heading, *, size: Size = FULL) -> str:
    """Return a table as an SVG of the given width; its height follows the rows.

    Parameters
    ----------
    cells
        Formatted cells.
    heading
        Words around the table.
    size
        The width is taken from it.
    """
    canvas = _Canvas(size.width)
    canvas.block(heading.title, size=style.TITLE_SIZE, line=_TITLE_LINE, colour="#111111")
    if heading.subtitle:
        canvas.block(heading.subtitle, size=style.SUBTITLE_SIZE, line=_SUBTITLE_LINE, colour="#666666")
    canvas.y += 6
    top = canvas.y
    widths = _widths(cells, size.width - 2 * _PAD)
    gaps = _gaps(cells)
    lefts = [_PAD + sum(widths[:at]) + sum(gaps[: at + 1]) for at in range(len(widths))]
    _header(canvas, cells, lefts, widths)
    for number, row in enumerate(cells.rows):
        if number:
            canvas.rule(canvas.y, weight=0.5, colour="#EDEDED")
        _row(canvas, row, cells.right, lefts, widths)
    canvas.rule(canvas.y, weight=1.0, colour=style.INK)
    if heading.simulated:
        canvas.watermark(top, canvas.y)
    canvas.y += 6
    for text in heading.footer:
        canvas.block(text, size=style.SOURCE_SIZE, line=_SOURCE_LINE, colour="#7F7F7F")
    return canvas.svg()


def _header(canvas: _Canvas, cells: TableCells, lefts: Sequence[float], widths: Sequence[float]) -> None:
    canvas.rule(canvas.y, weight=1.0, colour=style.INK)
    if any(cells.groups):
        at = 0
        for label, members in groupby(cells.groups):
            count = len(list(members))
            if label:
                left, right = lefts[at], lefts[at + count - 1] + widths[at + count - 1]
                canvas.text(
                    label, (left + right) / 2, canvas.y + _LINE + 2, size=_CELL, colour="#111111", anchor="middle"
                )
                canvas.rule(canvas.y + _LINE + 7, weight=0.6, colour=style.MUTED, left=left, right=right)
            at += count
        canvas.y += _LINE + 6
    _row(canvas, cells.headers, cells.right, lefts, widths, colour="#111111")
    canvas.rule(canvas.y, weight=1.8, colour=style.INK)


def _row(
    canvas: _Canvas,
    row: Sequence[str],
    right: Sequence[bool],
    lefts: Sequence[float],
    widths: Sequence[float],
    colour: str = style.INK,
) -> None:
    # Where a text must be broken, its punctuation may hang over by one character.
    wrapped = [
        [text] if text_width(text, _CELL) <= width and "\n" not in text else wrap(text, _CELL, width - _CELL)
        for text, width in zip(row, widths, strict=True)
    ]
    for lines, to_right, left, width in zip(wrapped, right, lefts, widths, strict=True):
        for number, line in enumerate(lines):
            y = canvas.y + _ROW_PAD + _CELL - 1 + number * _LINE
            canvas.text(
                line,
                left + width if to_right else left,
                y,
                size=_CELL,
                colour=colour,
                anchor="end" if to_right else "start",
            )
    canvas.y += max(len(lines) for lines in wrapped) * _LINE + 2 * _ROW_PAD - (_LINE - _CELL)
