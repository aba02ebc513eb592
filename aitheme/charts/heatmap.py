"""Heatmaps: a number or a mark in every cell, its colour the value, rows and columns named outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aitheme.charts import style
from aitheme.charts.fonts import balanced, text_width
from aitheme.charts.frame import FULL, Frame, Heading, Size, compose

if TYPE_CHECKING:
    from collections.abc import Sequence

    import altair as alt

__all__ = ["BLANK", "Cell", "diverging", "heatmap", "ink_on", "sequential"]

BLANK = "#EFEFEF"
"""Ground of a cell without a value."""

_WHITE = (255, 255, 255)
_GREY = "#999999"
_LINE = 14
_GAP = 8
_DARK = 0.45
_LARGE, _SMALL = 11, 9
_NARROW = 34
_LEAST_ROW, _MOST_ROW = 17, 30
# Widths are estimates; a long Latin label may be a few per cent wider than its estimate.
_MARGIN = 1.06


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell.

    Parameters
    ----------
    row, column
        Where it stands, from 0.
    text
        What is written in it.
    colour
        Its ground.
    tip
        What the tooltip says.
    """

    row: int
    column: int
    text: str
    colour: str
    tip: str


def diverging(value: float, most: float) -> str:
    """Return red for a positive and green for a negative value, the paler the nearer to zero.

    Parameters
    ----------
    value
        The value.
    most
        Size from which on the colour is full.
    """
    share = min(1.0, abs(value) / most) if most > 0 else 0.0
    return _mix(style.DOWN if value < 0 else style.UP, 0.78 * share)


def sequential(value: float, low: float, high: float) -> str:
    """Return navy, the paler the nearer to `low`; gold below it."""
    share = (value - low) / (high - low) if high > low else 1.0
    return _mix(style.PALETTE[2], min(0.6, -share)) if share < 0 else _mix(style.PALETTE[1], 0.85 * min(1.0, share))


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def _mix(colour: str, share: float) -> str:
    """Return a colour thinned with white."""
    mixed = [round(white + (full - white) * share) for white, full in zip(_WHITE, _rgb(colour), strict=True)]
    return "#" + "".join(f"{part:02X}" for part in mixed)


def ink_on(colour: str) -> str:
    """Return the text colour that can be read on a ground."""
    red, green, blue = _rgb(colour)
    return "#FFFFFF" if (0.299 * red + 0.587 * green + 0.114 * blue) / 255 < 1 - _DARK else style.INK


def heatmap(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Sequence[Cell],
    heading: Heading,
    *,
    muted: Sequence[int] = (),
    upright: bool = False,
    size: Size = FULL,
) -> alt.LayerChart:
    """Draw a heatmap.

    Parameters
    ----------
    rows, columns
        Names, top down and left to right.
    cells
        What stands where; a place without a cell stays white.
    heading
        Words around the plot.
    muted
        Rows whose names are grey.
    upright
        Whether column names stand on end, for many columns.
    size
        The width; the height follows the rows.
    """
    import altair as alt

    left = round(_MARGIN * max(text_width(name, style.LABEL_SIZE) for name in rows)) + 10
    wide = (size.width - left - 2 * _GAP - 20) / len(columns)
    heads = [[name] if upright else balanced(name, style.LABEL_SIZE, wide - 8) for name in columns]
    above = round(_MARGIN * max(text_width(name, style.LABEL_SIZE) for name in columns)) if upright else 0
    above = max(above, _LINE * max(len(lines) for lines in heads)) + 6
    height = _row_height(len(rows), size)
    bare = Frame.around(heading, size, left=left, above=above, below=6)
    grown = Size(size.width, size.height - bare.height + round(height * len(rows)))
    frame = Frame.around(heading, grown, left=left, above=above, below=6)
    words = heading.words("行|Row", "列|Column", "值|Value")
    values = [
        {
            "x": cell.column, "x2": cell.column + 1, "y": cell.row, "y2": cell.row + 1, "middle": cell.row + 0.5,
            "centre": cell.column + 0.5, "row": rows[cell.row], "column": columns[cell.column], "text": cell.text,
            "tip": cell.tip, "colour": cell.colour, "ink": ink_on(cell.colour),
        }
        for cell in cells
    ]  # fmt: skip
    x_scale = alt.Scale(domain=[0, len(columns)], nice=False)
    y_scale = alt.Scale(domain=[0, len(rows)], nice=False, reverse=True)
    base = alt.Chart({"values": tuple(values)})
    ground = base.mark_rect(stroke="#FFFFFF", strokeWidth=1).encode(
        x=alt.X("x:Q", scale=x_scale, axis=None), x2="x2:Q", y=alt.Y("y:Q", scale=y_scale, axis=None), y2="y2:Q",
        color=alt.Color("colour:N", scale=None),
        tooltip=[alt.Tooltip(f"{name}:N", title=title) for name, title in zip(("row", "column", "tip"), words, strict=True)],
    )  # fmt: skip
    texts = base.mark_text(fontSize=_LARGE if frame.width / len(columns) > _NARROW else _SMALL, tooltip=None).encode(
        x=alt.X("centre:Q", scale=x_scale, axis=None), y=alt.Y("middle:Q", scale=y_scale, axis=None), text="text:N",
        color=alt.Color("ink:N", scale=None),
    )  # fmt: skip
    return compose([ground, texts, *_names(rows, heads, muted, y_scale, upright=upright)], heading, frame)


def _row_height(rows: int, size: Size) -> float:
    return float(min(_MOST_ROW, max(_LEAST_ROW, size.height / rows)))


def _names(
    rows: Sequence[str],
    heads: Sequence[Sequence[str]],
    muted: Sequence[int],
    y_scale: alt.Scale,
    *,
    upright: bool,
) -> list[alt.Chart]:
    import altair as alt

    grey = set(muted)
    values = [
        {"middle": at + 0.5, "name": name, "ink": _GREY if at in grey else style.INK} for at, name in enumerate(rows)
    ]
    sides = (
        alt.Chart({"values": tuple(values)})
        .mark_text(align="right", baseline="middle", fontSize=style.LABEL_SIZE, tooltip=None)
        .encode(
            x=alt.XValue(-6), y=alt.Y("middle:Q", scale=y_scale, axis=None), text="name:N",
            color=alt.Color("ink:N", scale=None),
        )
    )  # fmt: skip
    return [sides, *_column_names(heads, upright=upright)]


def _column_names(heads: Sequence[Sequence[str]], *, upright: bool) -> list[alt.Chart]:
    """Return the column names, those of one line and of several in a layer each, ending above the plot."""
    import altair as alt

    scale = alt.Scale(domain=[0, len(heads)], nice=False)
    layers = []
    for count in sorted({len(lines) for lines in heads}):
        values = [
            {"centre": at + 0.5, "name": "\n".join(lines)} for at, lines in enumerate(heads) if len(lines) == count
        ]
        place: dict[str, Any] = {"align": "center", "baseline": "top", "lineHeight": _LINE, "lineBreak": "\n"}
        if upright:
            place = {"align": "left", "angle": 270, "baseline": "middle"}
        layers.append(
            alt.Chart({"values": tuple(values)})
            .mark_text(fontSize=style.LABEL_SIZE, color=style.INK, tooltip=None, **place)
            .encode(
                x=alt.X("centre:Q", scale=scale, axis=None),
                y=alt.YValue(-5 if upright else -_LINE * count - 2),
                text="name:N",
            )
        )
    return layers
