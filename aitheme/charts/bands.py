"""Values inside the spread of what chance gives: quantile bands in groups, one coloured dot in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aitheme.charts import style
from aitheme.charts.fonts import text_width
from aitheme.charts.frame import FULL, Frame, Heading, Size, compose

if TYPE_CHECKING:
    from collections.abc import Sequence

    import altair as alt

__all__ = ["Band", "BandGroup", "band_dots"]

_LEGEND, _BELOW = 18, 40
_OUTER, _INNER, _MIDDLE = "#E9E9E9", "#CFCFCF", "#6B6B6B"
_WHOLE, _SOFT, _FAINT = "#222222", "#666666", "#9A9A9A"
# A group that has nothing to show yet needs room for a date only.
_EMPTY_SHARE = 0.5
_LABEL = 10
# Between the two uppermost grid lines, where no zero line can cross the words.
_EMPTY_DOWN = 18


@dataclass(frozen=True, slots=True)
class Band:
    """A value and the spread it is held against.

    Parameters
    ----------
    name
        Series: the same name has the same colour in every group.
    value
        Ratio.
    quantiles
        5th, 25th, 50th, 75th and 95th percentile of the spread (ratios); empty where there is none.
    label
        Short text at the dot.
    """

    name: str
    value: float
    quantiles: tuple[float, ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class BandGroup:
    """Values that belong together.

    Parameters
    ----------
    title, subtitle
        Two lines under the axis.
    bands
        One per series; empty where there is nothing yet, then `empty` stands in its place.
    reference
        A value common to the group, drawn as a dashed line (ratio); None for none.
    empty
        Text of a group without values.
    """

    title: str
    subtitle: str
    bands: tuple[Band, ...]
    reference: float | None = None
    empty: str = ""


def band_dots(
    groups: Sequence[BandGroup],
    heading: Heading,
    *,
    names: Sequence[str],
    key: tuple[str, str, str],
    reference: str = "",
    whole: str = "",
    size: Size = FULL,
) -> alt.LayerChart:
    """Draw groups of quantile bands, each with the dot of its value.

    Parameters
    ----------
    groups
        From left to right; at least one holds bands.
    heading
        Words around the plot.
    names
        Series in the order of drawing.
    key
        What the outer band, the inner band and the middle line are called.
    reference
        What the dashed line is called.
    whole
        The series that holds all others, drawn dark and last.
    size
        Size of the image.
    """
    order = [name for name in names if name != whole]
    colours = {**dict(zip(order, _palette(len(order)), strict=True)), **({whole: _WHOLE} if whole in names else {})}
    series = [("●", name, colours[name]) for name in names]
    spread = [("■", key[0], _OUTER), ("■", key[1], _INNER), ("━", key[2], _MIDDLE),
              *([("- -", reference, style.BENCHMARK)] if reference else [])]  # fmt: skip
    room = size.width - 70
    wrapped = _wrapped([*series, *spread], room)
    if len(wrapped) > 1:
        wrapped = [*_wrapped(series, room), *_wrapped(spread, room)]
    frame = Frame.around(heading, size, left=44, above=_LEGEND * len(wrapped), below=_BELOW)
    edges = _edges(groups)
    marks = [mark for at, group in enumerate(groups) for mark in _marks(group, edges[at], edges[at + 1], names)]
    span = [number for mark in marks for number in (mark["value"], mark["low"], mark["high"]) if number is not None]
    span += [group.reference for group in groups if group.reference is not None and group.bands]
    ticks = style.nice_ticks(min(0.0, *span), max(0.0, *span))
    step = frame.width / edges[-1] / (len(names) + 1)
    layers = [
        *_grounds(groups, edges, ticks, frame),
        *_spreads(marks, ticks, edges[-1], min(16.0, 0.7 * step)),
        *_dots(marks, colours, ticks, edges[-1], heading),
        *_legend(wrapped, edges[-1], frame),
        *_titles(groups, edges, frame),
    ]
    return compose(layers, heading, frame)


def _palette(count: int) -> list[str]:
    """Return distinct colours, then greys."""
    return [style.PALETTE[at] if at < len(style.PALETTE) else style.MUTED for at in range(count)]


def _edges(groups: Sequence[BandGroup]) -> list[float]:
    """Return where the groups begin and end along x; a group with values has width one."""
    edges = [0.0]
    for group in groups:
        edges.append(edges[-1] + (1.0 if group.bands else _EMPTY_SHARE))
    return edges


def _marks(group: BandGroup, left: float, right: float, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the marks of a group, each series at its own place."""
    marks = []
    for band in group.bands:
        place = left + (right - left) * (names.index(band.name) + 1) / (len(names) + 1)
        low, lower, middle, upper, high = band.quantiles or (None,) * 5
        marks.append(
            {"x": place, "name": band.name, "group": group.title, "value": band.value, "label": band.label,
             "low": low, "lower": lower, "middle": middle, "upper": upper, "high": high, "reference": group.reference,
             "above": middle is None or band.value >= middle}
        )  # fmt: skip
    return marks


def _axes(ticks: Sequence[float], end: float, field: str) -> dict[str, Any]:
    import altair as alt

    return {
        "x": alt.X("x:Q", scale=alt.Scale(domain=[0, end], nice=False), axis=None),
        "y": alt.Y(
            f"{field}:Q",
            scale=alt.Scale(domain=[ticks[0], ticks[-1]], nice=False),
            axis=alt.Axis(values=list(ticks), labelExpr=style.PERCENT_LABEL, title=None),
        ),
    }


def _grounds(
    groups: Sequence[BandGroup], edges: Sequence[float], ticks: Sequence[float], frame: Frame
) -> list[alt.Chart]:
    """Return the zero line, the rules between groups and each group's reference."""
    import altair as alt

    rows = [{"x": 0.0, "x2": edges[-1], "y": 0.0}]
    zero = alt.Chart(alt.InlineData(values=rows)).mark_rule(color=style.BENCHMARK, strokeWidth=0.8)
    layers = [zero.encode(**_axes(ticks, edges[-1], "y"), x2="x2:Q")]
    between = alt.Chart(alt.InlineData(values=[{"x": edge} for edge in edges[1:-1]])).mark_rule(color=style.GRID)
    layers.append(
        between.encode(x=_axes(ticks, edges[-1], "y")["x"], y=alt.YValue(0), y2=alt.Y2Value(frame.height + 34))
    )
    known = [
        {"x": edges[at] + 0.03, "x2": edges[at + 1] - 0.03, "y": group.reference}
        for at, group in enumerate(groups)
        if group.bands and group.reference is not None
    ]
    dashed = alt.Chart(alt.InlineData(values=known)).mark_rule(
        color=style.BENCHMARK, strokeDash=[4, 3], strokeWidth=1.4
    )
    return [*layers, dashed.encode(**_axes(ticks, edges[-1], "y"), x2="x2:Q")] if known else layers


def _spreads(marks: Sequence[dict[str, Any]], ticks: Sequence[float], end: float, width: float) -> list[alt.Chart]:
    import altair as alt

    spread = alt.Chart(alt.InlineData(values=[mark for mark in marks if mark["low"] is not None]))
    outer = spread.mark_rule(color=_OUTER, strokeWidth=width).encode(**_axes(ticks, end, "low"), y2="high:Q")
    inner = spread.mark_rule(color=_INNER, strokeWidth=width).encode(**_axes(ticks, end, "lower"), y2="upper:Q")
    middle = spread.mark_tick(orient="horizontal", color=_MIDDLE, size=width, thickness=1.6, opacity=1)
    return [outer, inner, middle.encode(**_axes(ticks, end, "middle"))]


def _dots(
    marks: Sequence[dict[str, Any]], colours: dict[str, str], ticks: Sequence[float], end: float, heading: Heading
) -> list[alt.Chart]:
    import altair as alt

    order = list(colours)
    colour = alt.Color("name:N", scale=alt.Scale(domain=order, range=[colours[name] for name in order]), legend=None)
    words = heading.words("篮子|Basket", "期限|Horizon", "百分位|Percentile", "收益|Return", "基准|Benchmark",
                          "随机5%|Random 5%", "随机中位数|Random median", "随机95%|Random 95%")  # fmt: skip
    texts, numbers = ("name", "group", "label"), ("value", "reference", "low", "middle", "high")
    tooltip = [alt.Tooltip(f"{field}:N", title=word) for field, word in zip(texts, words[:3], strict=True)]
    tooltip += [
        alt.Tooltip(f"{field}:Q", title=word, format="+.1%") for field, word in zip(numbers, words[3:], strict=True)
    ]
    dots = (
        alt.Chart(alt.InlineData(values=list(marks)))
        .mark_circle(size=64, opacity=1, stroke="#FFFFFF", strokeWidth=0.8)
        .encode(**_axes(ticks, end, "value"), color=colour, tooltip=tooltip)
    )
    layers = [dots]
    for above in (True, False):
        side = [mark for mark in marks if mark["above"] is above and mark["label"]]
        if side:
            text = alt.Chart(alt.InlineData(values=side)).mark_text(
                fontSize=_LABEL, dy=-8 if above else 8, baseline="bottom" if above else "top"
            )
            layers.append(text.encode(**_axes(ticks, end, "value"), text="label:N", color=colour))
    return layers


def _wrapped(entries: Sequence[tuple[str, str, str]], width: float) -> list[list[tuple[float, str, str, str]]]:
    """Return the rows of the key: x, glyph, name and colour of each entry."""
    rows: list[list[tuple[float, str, str, str]]] = [[]]
    x = 0.0
    for glyph, name, colour in entries:
        step = 16 + text_width(name, style.LABEL_SIZE) + 14
        if rows[-1] and x + step > width:
            rows.append([])
            x = 0.0
        rows[-1].append((x, glyph, name, colour))
        x += step
    return rows


def _legend(rows: Sequence[Sequence[tuple[float, str, str, str]]], end: float, frame: Frame) -> list[alt.Chart]:
    layers = []
    for number, row in enumerate(rows):
        y = -_LEGEND * (len(rows) - number) - 4
        glyphs = [(x, glyph, colour) for x, glyph, _, colour in row]
        words = [(x + 16, name, style.INK) for x, _, name, _ in row]
        layers += [_texts(glyphs, y, end, frame, fontSize=12), _texts(words, y, end, frame)]
    return layers


def _texts(texts: Sequence[tuple[float, str, str]], y: float, end: float, frame: Frame, **mark: Any) -> alt.Chart:
    """Return texts in one line: x in pixels, text and colour of each. One layer is drawn faster than many."""
    import altair as alt

    rows = [{"x": x / frame.width * end, "text": text, "colour": colour} for x, text, colour in texts]
    options = {"align": "left", "baseline": "top", "fontSize": style.LABEL_SIZE, **mark}
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_text(tooltip=None, **options)
        .encode(
            x=_axes((0.0, 1.0), end, "x")["x"],
            y=alt.YValue(y),
            text="text:N",
            color=alt.Color("colour:N", scale=None),
        )
    )
    return chart


def _titles(groups: Sequence[BandGroup], edges: Sequence[float], frame: Frame) -> list[alt.Chart]:
    """Return the two lines under each group, and the words of the empty ones."""
    end = edges[-1]
    middle = [frame.width * (edges[at] + edges[at + 1]) / 2 / end for at in range(len(groups))]
    placed = list(zip(middle, groups, strict=True))
    under = frame.height
    layers = [
        _texts([(x, one.title, style.INK) for x, one in placed], under + 8, end, frame, align="center"),
        _texts(
            [(x, one.subtitle, _SOFT) for x, one in placed], under + 23, end, frame, align="center", fontSize=_LABEL
        ),
    ]
    empty = [(x, one.empty, _FAINT) for x, one in placed if not one.bands]
    return [*layers, _texts(empty, _EMPTY_DOWN, end, frame, align="center", baseline="middle")] if empty else layers
