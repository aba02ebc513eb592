"""What surrounds every plot: title, subtitle, source line and watermark, inside the image and at an exact size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aitheme.charts import style
from aitheme.charts.fonts import FONT_STACK, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    import altair as alt
    import pandas as pd

__all__ = ["FULL", "HALF", "Frame", "Heading", "Size", "compose", "plain_rows", "text_layer"]

_PAD = 10
_TITLE_LINE, _SUBTITLE_LINE, _SOURCE_LINE = 19, 15, 13
_GAP = 12
_AXIS = 24
_MARGIN = 0.96


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height of an image in pixels, before the scale of a PNG."""

    width: int
    height: int


HALF = Size(640, 320)
FULL = Size(900, 380)


@dataclass(frozen=True, slots=True)
class Heading:
    """The words around a plot.

    Parameters
    ----------
    title
        Label and title: ``图3：…``.
    subtitle
        Base date, unit and as-of date in one line.
    footer
        Source line and notes, each wrapped where it is too long.
    simulated
        Whether to set the watermark.
    lang
        ``zh`` or ``en``, for tooltips and legends.
    """

    title: str
    subtitle: str = ""
    footer: tuple[str, ...] = ()
    simulated: bool = False
    lang: str = "zh"

    def words(self, *pairs: str) -> list[str]:
        """Return the half of each ``Chinese|English`` pair that fits the language."""
        return [pair.split("|")[0 if self.lang == "zh" else 1] for pair in pairs]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the plot lies in the image.

    Parameters
    ----------
    size
        The whole image.
    top, right, bottom, left
        Space around the plot in pixels.
    """

    size: Size
    top: int
    right: int
    bottom: int
    left: int

    @property
    def width(self) -> int:
        """Width of the plot."""
        return self.size.width - self.left - self.right

    @property
    def height(self) -> int:
        """Height of the plot."""
        return self.size.height - self.top - self.bottom

    @classmethod
    def around(
        cls, heading: Heading, size: Size, *, left: int = 44, right: int = 8, above: int = 0, below: int = _AXIS
    ) -> Frame:
        """Lay out an image.

        Parameters
        ----------
        heading
            Its lines take the space they need.
        size
            The whole image; it does not grow.
        left, right
            Room for axis labels and end labels, without the outer padding.
        above, below
            Room between the heading and the plot, and for the x axis.
        """
        top = _PAD + len(_title(heading, size)) * _TITLE_LINE + len(_subtitle(heading, size)) * _SUBTITLE_LINE
        footer = len(_footer(heading, size)) * _SOURCE_LINE
        return cls(size, top + _GAP + above, _PAD + right, below + footer + _PAD, _PAD + left)


def _inner(size: Size) -> int:
    return size.width - 2 * _PAD


def _title(heading: Heading, size: Size) -> list[str]:
    return wrap(heading.title, style.TITLE_SIZE, _inner(size))


def _subtitle(heading: Heading, size: Size) -> list[str]:
    return wrap(heading.subtitle, style.SUBTITLE_SIZE, _inner(size)) if heading.subtitle else []


def _footer(heading: Heading, size: Size) -> list[str]:
    # Widths are estimates; a long Latin line may be a few per cent wider than its estimate.
    room = _inner(size) * _MARGIN
    return [line for text in heading.footer for line in wrap(text, style.SOURCE_SIZE, room)]


def plain_rows(rows: pd.DataFrame) -> dict[str, Any]:
    """Return rows as a chart's data, missing numbers as null.

    A plain dictionary is taken as it is; Altair would check an object of its own row by row against the schema, and refuse a
    frame of more than 5,000 rows. The rows are a tuple, because lists are copied anew for every layer.
    """
    known = rows.astype(object).where(rows.notna(), None)
    return {"values": tuple(known.to_dict("records"))}


def text_layer(lines: Sequence[str], x: float, y: float, **mark: Any) -> alt.Chart:
    """Return text at a pixel position of the plot; several lines run downwards."""
    import altair as alt

    options = {"align": "left", "baseline": "top", "fontSize": style.LABEL_SIZE, **mark}
    content = list(lines) if len(lines) > 1 else lines[0]
    layer: alt.Chart = (
        alt.Chart(alt.InlineData(values=[{}]))
        .mark_text(text=content, tooltip=None, **options)
        .encode(x=alt.XValue(x), y=alt.YValue(y))
    )
    return layer


def _ground(frame: Frame) -> alt.Chart:
    """Return an invisible sheet: the image keeps its size whatever is drawn on it."""
    import altair as alt

    sheet: alt.Chart = (
        alt.Chart(alt.InlineData(values=[{}]))
        .mark_rect(color="#FFFFFF", opacity=0, tooltip=None)
        .encode(
            x=alt.XValue(-frame.left),
            x2=alt.X2Value(frame.width + frame.right),
            y=alt.YValue(-frame.top),
            y2=alt.Y2Value(frame.height + frame.bottom),
        )
    )
    return sheet


def _words(heading: Heading, frame: Frame) -> list[alt.Chart]:
    left, y = _PAD - frame.left, float(_PAD - frame.top)
    title, subtitle, footer = (part(heading, frame.size) for part in (_title, _subtitle, _footer))
    layers = [text_layer(title, left, y, fontSize=style.TITLE_SIZE, color="#111111", lineHeight=_TITLE_LINE)]
    if subtitle:
        y += len(title) * _TITLE_LINE
        layers.append(
            text_layer(subtitle, left, y, fontSize=style.SUBTITLE_SIZE, color="#666666", lineHeight=_SUBTITLE_LINE)
        )
    if footer:
        y = frame.height + frame.bottom - _PAD - len(footer) * _SOURCE_LINE
        layers.append(
            text_layer(footer, left, y + 2, fontSize=style.SOURCE_SIZE, color="#7F7F7F", lineHeight=_SOURCE_LINE)
        )
    return layers


def _watermark(frame: Frame) -> alt.Chart:
    return text_layer(
        [style.WATERMARK],
        frame.width / 2,
        frame.height / 2,
        align="center",
        baseline="middle",
        angle=340,
        fontSize=round(min(frame.width / 11, frame.height / 2.5)),
        color="#EBEBEB",
    )


def compose(layers: Sequence[alt.Chart | alt.LayerChart], heading: Heading, frame: Frame) -> alt.LayerChart:
    """Set a plot into its frame.

    Parameters
    ----------
    layers
        The marks, back to front, drawn in a plot of ``frame.width`` by ``frame.height``.
    heading, frame
        From the caller's layout.

    Returns
    -------
    altair.LayerChart
        Self-contained: data, words and configuration included.
    """
    import altair as alt

    behind = [_ground(frame), *([_watermark(frame)] if heading.simulated else [])]
    whole: alt.LayerChart = (
        alt.layer(*behind, *layers, *_words(heading, frame))
        .properties(width=frame.width, height=frame.height, description=heading.title)
        .configure(**style.theme_config(FONT_STACK))
    )
    return whole
