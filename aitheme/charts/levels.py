"""Levels over sessions: shares, prices and bands as lines with a word at their ends, counts as bars at the foot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aitheme.charts import style
from aitheme.charts.fonts import text_width
from aitheme.charts.frame import FULL, Frame, Heading, Size, compose, plain_rows, text_layer
from aitheme.charts.labels import dodge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import altair as alt
    import pandas as pd

__all__ = ["Line", "level_lines"]

_LABEL_GAP = 14.0
# More than a chart can show; longer numbers would only swell the page.
_DIGITS = 6
_FOOT = 0.22
# The tallest bar leaves the line of words above it free.
_TALLEST = 0.7
_EVENT_STRIP, _TICK = 16, 9


@dataclass(frozen=True, slots=True)
class Line:
    """How a column is drawn.

    Parameters
    ----------
    column
        Name in the frame.
    label
        At the line's right end.
    colour
        Of line and label.
    dash
        Whether the line is dashed.
    width
        In pixels.
    """

    column: str
    label: str
    colour: str
    dash: bool = False
    width: float = 1.8


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    ticks: list[float]

    def pixel(self, value: float, height: int) -> float:
        return height * (1 - (value - self.low) / (self.high - self.low))

    def value(self, pixel: float, height: int) -> float:
        return self.low + (1 - pixel / height) * (self.high - self.low)


def level_lines(
    levels: pd.DataFrame,
    lines: Sequence[Line],
    heading: Heading,
    *,
    percent: bool = True,
    bars: pd.Series[float] | None = None,
    bars_word: str = "",
    mark: tuple[date, str] | None = None,
    ticks_at: Sequence[date] = (),
    size: Size = FULL,
) -> alt.LayerChart:
    """Draw levels.

    Parameters
    ----------
    levels
        Sessions (ascending) x names; a missing value breaks its line.
    lines
        Columns to draw, the first on top.
    heading
        Words around the plot.
    percent
        Whether values are ratios shown in per cent; else as they are, on an axis that need not begin at zero.
    bars
        Counts by session, drawn at the foot on a scale of their own.
    bars_word
        What the bars are, with the largest one's value.
    mark
        A session with a rule over the whole height, and its words.
    ticks_at
        Sessions with a small tick above the plot.
    size
        Size of the image.
    """
    names = [line.column for line in lines]
    right = round(max((text_width(line.label, style.LABEL_SIZE) for line in lines), default=0)) + 12
    frame = Frame.around(
        heading, size, left=46, right=right, above=_EVENT_STRIP + _TICK if mark else _TICK if ticks_at else 0
    )
    known = levels[names]
    low, high = float(known.min().min()), float(known.max().max())
    axis = _axis(0.0 if percent else low, high, foot=bars is not None and bool((bars > 0).any()))
    days = [stamp.date() for stamp in levels.index]
    layers: list[alt.Chart] = []
    if bars is not None and (bars > 0).any():
        layers += _bars(bars, axis, days, bars_word, frame)
    layers += _releases(ticks_at, days)
    layers += _drawn(levels, lines, axis, days, heading, percent=percent)
    layers.append(_ends(levels, lines, axis, days, frame, percent=percent))
    if mark is not None:
        layers += _mark(mark, days, frame)
    return compose(layers, heading, frame)


def _axis(low: float, high: float, *, foot: bool) -> _Axis:
    ticks = style.nice_ticks(low, high)
    # Room for the bars under the lowest line.
    bottom = ticks[0] - (ticks[-1] - ticks[0]) * _FOOT / (1 - _FOOT) if foot else ticks[0]
    return _Axis(bottom, ticks[-1], ticks)


def _channels(axis: _Axis, days: Sequence[date], *, percent: bool, y: str = "y") -> dict[str, Any]:
    import altair as alt

    marks = style.date_ticks(days)
    names = {str(at): label for at, label in marks}
    return {
        "x": alt.X(
            "at:Q", title=None, scale=alt.Scale(domain=[0, max(1, len(days) - 1)], nice=False),
            axis=alt.Axis(
                values=[at for at, _ in marks], labelExpr=f"{names}[datum.value] || ''", labelFlush=False, labelOverlap=False
            ),
        ),
        "y": alt.Y(
            f"{y}:Q", title=None, scale=alt.Scale(domain=[axis.low, axis.high], nice=False),
            axis=alt.Axis(values=axis.ticks, labelExpr=style.PERCENT_LABEL if percent else style.NUMBER_LABEL),
        ),
    }  # fmt: skip


def _long(levels: pd.DataFrame, lines: Sequence[Line], days: Sequence[date]) -> pd.DataFrame:
    """Return one row per session and line; the first line comes last, so that it lies on top."""
    import pandas as pd

    parts = [
        pd.DataFrame(
            {"at": range(len(days)), "y": levels[line.column].astype(float).round(_DIGITS).to_numpy(), "name": line.column,
             "session": [f"{day}" for day in days]}
        )
        for line in reversed(lines)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _drawn(
    levels: pd.DataFrame, lines: Sequence[Line], axis: _Axis, days: Sequence[date], heading: Heading, *, percent: bool
) -> list[alt.Chart]:
    """Return the lines, and what a pointer reads of them."""
    import altair as alt

    words = heading.words("日期|Date", "名称|Name", "值|Value")
    order = [line.column for line in reversed(lines)]
    colours = alt.Scale(domain=order, range=[line.colour for line in reversed(lines)])
    base = alt.Chart(plain_rows(_long(levels, lines, days))).encode(**_channels(axis, days, percent=percent))
    drawn = [
        base.transform_filter(alt.FieldOneOfPredicate(field="name", oneOf=[line.column for line in alike]))
        .mark_line(
            tooltip=None, invalid="break-paths-show-domains", strokeWidth=width, strokeDash=[4, 3] if dash else [1, 0]
        )
        .encode(color=alt.Color("name:N", scale=colours, legend=None))
        for (width, dash), alike in _alike(lines).items()
    ]  # fmt: skip
    points = base.mark_point(opacity=0, size=70, invalid="filter").encode(
        tooltip=[
            alt.Tooltip("session:N", title=words[0]),
            alt.Tooltip("name:N", title=words[1]),
            alt.Tooltip("y:Q", title=words[2], format=".2%" if percent else ",.1f"),
        ],
    )
    return [*drawn, points]


def _alike(lines: Sequence[Line]) -> dict[tuple[float, bool], list[Line]]:
    """Group lines by width and dash, the last lines first, so that the first ones are drawn on top."""
    groups: dict[tuple[float, bool], list[Line]] = {}
    for line in reversed(lines):
        groups.setdefault((line.width, line.dash), []).append(line)
    return groups


def _ends(
    levels: pd.DataFrame, lines: Sequence[Line], axis: _Axis, days: Sequence[date], frame: Frame, *, percent: bool
) -> alt.Chart:
    import altair as alt

    known = [(line, levels[line.column].dropna()) for line in lines]
    ends = [(line, float(values.iloc[-1])) for line, values in known if len(values)]
    pixels = dodge([axis.pixel(value, frame.height) for _, value in ends], _LABEL_GAP, 4, frame.height - 4)
    rows = [
        {"at": len(days) - 1, "y": axis.value(pixel, frame.height), "text": line.label, "colour": line.colour}
        for (line, _), pixel in zip(ends, pixels, strict=True)
    ]
    labels: alt.Chart = (
        alt.Chart({"values": tuple(rows)})
        .mark_text(align="left", baseline="middle", fontSize=style.LABEL_SIZE, tooltip=None, dx=6)
        .encode(**_channels(axis, days, percent=percent), text="text:N", color=alt.Color("colour:N", scale=None))
    )
    return labels


def _bars(bars: pd.Series[float], axis: _Axis, days: Sequence[date], word: str, frame: Frame) -> list[alt.Chart]:
    import altair as alt

    unit = (axis.ticks[0] - axis.low) * _TALLEST / float(bars.max())
    rows = [
        {"at": at, "y": axis.low, "y2": axis.low + float(count) * unit, "count": int(count), "session": f"{day}"}
        for at, (day, count) in enumerate(zip(days, bars, strict=True))
        if count > 0
    ]
    drawn: alt.Chart = (
        alt.Chart({"values": tuple(rows)})
        .mark_rule(color=style.PALETTE[2], strokeWidth=max(1.0, 0.7 * frame.width / len(days)))
        .encode(
            **_channels(axis, days, percent=True),
            y2="y2:Q",
            tooltip=[alt.Tooltip("session:N"), alt.Tooltip("count:Q")],
        )
    )
    top = frame.height * (1 - _FOOT) + 2
    return [drawn, text_layer([word], 4, top, color=style.PALETTE[2], fontSize=10)]


def _releases(ticks_at: Sequence[date], days: Sequence[date]) -> list[alt.Chart]:
    """Return a small tick per session above the plot."""
    import altair as alt

    places = [days.index(day) for day in dict.fromkeys(ticks_at) if day in set(days)]
    if not places:
        return []
    rows = [{"at": at, "session": f"{days[at]}"} for at in places]
    return [
        alt.Chart({"values": tuple(rows)})
        .mark_rule(color=style.BENCHMARK, strokeWidth=1)
        .encode(x="at:Q", y=alt.YValue(-7), y2=alt.Y2Value(-1), tooltip=[alt.Tooltip("session:N")])
    ]


def _mark(mark: tuple[date, str], days: Sequence[date], frame: Frame) -> list[alt.Chart]:
    import altair as alt

    at = next((place for place, day in enumerate(days) if day >= mark[0]), None)
    if at is None or days[0] > mark[0]:
        return []
    x = frame.width * at / max(1, len(days) - 1)
    flipped = x + text_width(mark[1], style.LABEL_SIZE) > frame.width
    rule = (
        alt.Chart(alt.InlineData(values=[{"at": at}]))
        .mark_rule(color=style.INK, strokeWidth=0.8, tooltip=None)
        .encode(x="at:Q", y=alt.YValue(-_TICK), y2=alt.Y2Value(frame.height))
    )
    return [
        rule,
        text_layer([mark[1]], x, -_EVENT_STRIP - _TICK, align="right" if flipped else "left", color=style.INK),
    ]
