"""A timeline: events on one axis, their labels spread evenly above and below it and joined by leaders."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aitheme.charts import style
from aitheme.charts.fonts import balanced, text_width
from aitheme.charts.frame import FULL, Frame, Heading, Size, compose, text_layer
from aitheme.charts.labels import dodge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import altair as alt

__all__ = ["Moment", "timeline"]

_TEXT = 11
_LINE = 14
_WIDEST, _NARROWEST = 104.0, 74.0
_GAP = 8.0
_FARTHEST = 90.0
_LEADER = 34.0
_AXIS_ROOM = 20
_MOST_AXIS_TICKS = 14


@dataclass(frozen=True, slots=True)
class Moment:
    """Something on the timeline.

    Parameters
    ----------
    day
        Where it stands; the middle of a month or year where no day is known.
    when
        The date as shown.
    label
        What happened.
    group
        Vendor or region, told by the colour.
    exact
        Whether the day is known; a hollow mark says that it is not.
    """

    day: date
    when: str
    label: str
    group: str = ""
    exact: bool = True


@dataclass(frozen=True, slots=True)
class _Flag:
    """A placed label: x of its event and of its text, side of the axis (+1 above), tier away from it (0 is the nearest)."""

    moment: Moment
    lines: tuple[str, ...]
    x: float
    text_x: float
    side: int
    tier: int


def timeline(
    moments: Sequence[Moment], heading: Heading, *, groups: Sequence[str] = (), size: Size = FULL
) -> alt.LayerChart:
    """Draw events along a time axis.

    Parameters
    ----------
    moments
        In any order; at least one.
    heading
        Words around the plot.
    groups
        Groups with a colour of their own, in the order of the palette; the others are grey.
    size
        Smallest image; it grows in height where the labels need more room.
    """
    ordered = sorted(moments, key=lambda moment: moment.day)
    above = _AXIS_ROOM if groups else 0
    bare = Frame.around(heading, size, left=4, right=4, above=above, below=8)
    flags = [*_placed(ordered, 1, bare.width), *_placed(ordered, -1, bare.width)]
    up, down = _depth(flags, 1), _depth(flags, -1)
    grown = Size(size.width, max(size.height, math.ceil(size.height - bare.height + up + down + _AXIS_ROOM)))
    frame = Frame.around(heading, grown, left=4, right=4, above=above, below=8)
    middle = up + max(0.0, frame.height - up - down - _AXIS_ROOM) / 2
    colours = dict(zip(groups, style.PALETTE, strict=False))
    words = heading.words("日期|Date", "事件|Event", "厂商|Vendor")
    layers = [*_axis(ordered, middle, frame), *_flags(flags, middle, colours, words), *_key(colours, flags, heading)]
    return compose(layers, heading, frame)


def _placed(ordered: Sequence[Moment], side: int, width: float) -> list[_Flag]:
    """Place the labels of one side: every second event, in one tier or, where that is too narrow, in two.

    In two tiers every second label stands behind the first tier and its leader passes between two labels there, so
    neighbours need only half a label's room each. Leaders keep the order of their events and cannot cross.
    """
    first, last = ordered[0].day, ordered[-1].day
    span = max(1, (last - first).days)
    own = list(ordered[0 if side > 0 else 1 :: 2])
    positions = [width * (moment.day - first).days / span for moment in own]
    for tiers in (1, 2):
        label = max(_NARROWEST, min(_WIDEST, width * tiers / max(1, len(own)) - _GAP))
        spread = dodge(positions, (label + _GAP) / tiers, label / 2, width - label / 2)
        moved = max((abs(x - text_x) for x, text_x in zip(positions, spread, strict=True)), default=0.0)
        if moved <= _FARTHEST and len(own) * (_NARROWEST + _GAP) <= width * tiers:
            break
    return [
        _Flag(moment, (moment.when, *balanced(moment.label, _TEXT, label)), x, text_x, side, number % tiers)
        for number, (moment, x, text_x) in enumerate(zip(own, positions, spread, strict=True))
    ]


def _tier_height(flags: Sequence[_Flag], side: int, tier: int) -> float:
    lines = [len(flag.lines) for flag in flags if flag.side == side and flag.tier == tier]
    return max(lines) * _LINE + 6.0 if lines else 0.0


def _depth(flags: Sequence[_Flag], side: int) -> float:
    """Return the room the labels of a side need, leaders included."""
    return _LEADER + sum(_tier_height(flags, side, tier) for tier in (0, 1))


def _axis(ordered: Sequence[Moment], middle: float, frame: Frame) -> list[alt.Chart]:
    """Return the time axis as a band with month or year marks inside it."""
    first, last = ordered[0].day, ordered[-1].day
    span = max(1, (last - first).days)
    starts = [
        {"x": frame.width * (day - first).days / span, "y": middle, "to": middle + _AXIS_ROOM, "text": label}
        for day, label in _period_starts(first, last)
    ]
    band = [{"x": -4.0, "right": frame.width + 4.0, "y": middle, "to": middle + _AXIS_ROOM}]
    ground = _marks(band, "right:Q").mark_rect(color="#F0F0F0", tooltip=None)
    if not starts:
        return [ground]
    rules = _marks(starts).mark_rule(color=style.MUTED, tooltip=None)
    texts = _marks(starts, to=False).mark_text(
        align="left", baseline="top", fontSize=10, color="#666666", dx=3, dy=4, tooltip=None
    )
    return [ground, rules, texts.encode(text="text:N")]


def _marks(values: list[dict[str, Any]], right: str | None = None, *, to: bool = True) -> alt.Chart:
    """Return a chart whose fields are pixels: x and y, down to ``to`` and across to `right`."""
    import altair as alt

    channels: dict[str, Any] = {"x": alt.X("x:Q", scale=None, axis=None), "y": alt.Y("y:Q", scale=None, axis=None)}
    if to:
        channels["y2"] = alt.Y2("to:Q")
    if right:
        channels["x2"] = alt.X2(right)
    return alt.Chart(alt.InlineData(values=values)).encode(**channels)


def _period_starts(first: date, last: date) -> list[tuple[date, str]]:
    """Return the first days of months, quarters or years inside a span, the finest that are few enough."""
    months = [
        (year, month) for year in range(first.year, last.year + 1) for month in range(1, 13)
        if first <= first.replace(year=year, month=month, day=1) <= last
    ]  # fmt: skip
    for every in (1, 3, 6, 12, 24, 60):
        chosen = [(year, month) for year, month in months if ((year * 12) + month - 1) % every == 0]
        if len(chosen) <= _MOST_AXIS_TICKS:
            break
    starts = [(first.replace(year=year, month=month, day=1), f"{year % 100:02d}/{month:02d}") for year, month in chosen]
    # The span's own start is named too where the first mark lies well inside it.
    inside = not starts or (starts[0][0] - first).days > (last - first).days / _MOST_AXIS_TICKS
    return [(first, f"{first:%y/%m}"), *starts] if inside else starts


def _flags(flags: Sequence[_Flag], middle: float, colours: dict[str, str], words: Sequence[str]) -> list[alt.Chart]:
    """Return leaders, points and texts."""
    import altair as alt

    leaders, points, texts = [], [], []
    for flag in flags:
        moment = flag.moment
        colour = colours.get(moment.group, style.BENCHMARK if colours else style.PALETTE[1])
        foot = middle if flag.side > 0 else middle + _AXIS_ROOM
        knee = foot - flag.side * (_LEADER - 4)
        near = knee - flag.side * (_tier_height(flags, flag.side, 0) if flag.tier else 0.0)
        top = near - len(flag.lines) * _LINE - 2 if flag.side > 0 else near + 4
        told = {"when": moment.when, "label": moment.label, "group": moment.group}
        points.append({"x": flag.x, "y": foot, "colour": colour, "fill": colour if moment.exact else "#FFFFFF", **told})
        leaders.append({"x": flag.x, "y": foot, "right": flag.text_x, "to": knee, "colour": colour})
        if flag.tier:
            leaders.append({"x": flag.text_x, "y": knee, "right": flag.text_x, "to": near, "colour": colour})
        texts += [
            {"x": flag.text_x, "y": top + number * _LINE, "text": line, "colour": style.INK if number else colour}
            for number, line in enumerate(flag.lines)
        ]
    hue = alt.Color("colour:N", scale=None)
    tooltip = [
        alt.Tooltip(f"{name}:N", title=word) for name, word in zip(("when", "label", "group"), words, strict=True)
    ]
    return [
        _marks(leaders, "right:Q").mark_rule(strokeWidth=0.9, opacity=0.6, tooltip=None).encode(color=hue),
        _marks(points, to=False)
        .mark_point(size=42, opacity=1, strokeWidth=1.4)
        .encode(stroke=alt.Stroke("colour:N", scale=None), fill=alt.Fill("fill:N", scale=None), tooltip=tooltip),
        _marks(texts, to=False)
        .mark_text(align="center", baseline="top", fontSize=_TEXT, tooltip=None)
        .encode(color=hue, text="text:N"),
    ]


def _key(colours: dict[str, str], flags: Sequence[_Flag], heading: Heading) -> list[alt.Chart]:
    """Return the colour key, with an entry for the groups in grey where there are any."""
    if not colours:
        return []
    entries = [(name, colour) for name, colour in colours.items() if any(flag.moment.group == name for flag in flags)]
    if any(flag.moment.group not in colours for flag in flags):
        entries.append((heading.words("其他|Other")[0], style.BENCHMARK))
    layers, x = [], 0.0
    for name, colour in entries:
        layers += [
            text_layer(["●"], x, -_AXIS_ROOM, color=colour, fontSize=12),
            text_layer([name], x + 14, -_AXIS_ROOM),
        ]
        x += text_width(name, style.LABEL_SIZE) + 28
    return layers
