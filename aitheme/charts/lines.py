"""Lines over sessions: percentage change since a base, labelled at their ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aitheme.charts import style
from aitheme.charts.fonts import text_width
from aitheme.charts.frame import FULL, Frame, Heading, Size, compose
from aitheme.charts.labels import dodge, stagger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import altair as alt
    import pandas as pd

__all__ = ["Event", "return_lines"]

_LABEL_GAP = 15.0
_EVENT_ROW = 15
_MOST_COLOURED = 5


@dataclass(frozen=True, slots=True)
class Event:
    """A dated mark on the x axis: the session it stands on and a short label."""

    session: date
    label: str


@dataclass(frozen=True, slots=True)
class _Axis:
    """The y axis: round ticks, and a domain that leaves the strip of event labels free above the lines."""

    ticks: tuple[float, ...]
    low: float
    high: float

    @classmethod
    def around(cls, low: float, high: float, height: int, strip: int) -> _Axis:
        ticks = style.nice_ticks(min(low, 0.0), max(high, 0.0))
        free = strip + 4 if strip else 0
        top = max(ticks[-1] if not strip else high, ticks[0] + (high - ticks[0]) * height / (height - free))
        return cls(tuple(tick for tick in ticks if tick <= top + 1e-12), ticks[0], top)

    def pixel(self, value: float, height: int) -> float:
        return height * (1 - (value - self.low) / (self.high - self.low))

    def value(self, pixel: float, height: int) -> float:
        return self.low + (1 - pixel / height) * (self.high - self.low)


def return_lines(
    returns: pd.DataFrame,
    heading: Heading,
    *,
    benchmark: str | None = None,
    events: Sequence[Event] = (),
    highlight: Sequence[str] = (),
    size: Size = FULL,
) -> alt.LayerChart:
    """Draw percentage changes since a base, one line per column.

    Parameters
    ----------
    returns
        Sessions (ascending) x names, ratios; the first row is the base and all zero. A missing value breaks the line.
    heading
        Words around the plot.
    benchmark
        Column drawn grey and dashed.
    events
        Vertical marks; their labels stand in a strip above the lines, staggered. One outside the sessions is left out.
    highlight
        Columns in colour where there are more than five; the rest turns grey.
    size
        Size of the image.

    Returns
    -------
    altair.LayerChart
    """
    columns = [str(name) for name in returns.columns]
    colours = _colours(columns, benchmark, highlight)
    ends = {name: returns[name].dropna().iloc[-1] for name in columns if returns[name].notna().any()}
    texts = {name: f"{name} {style.percent_label(value)}" for name, value in ends.items()}
    right = round(max((text_width(text, style.LABEL_SIZE) for text in texts.values()), default=0)) + 12
    frame = Frame.around(heading, size, right=right, left=38)
    marks = _event_marks(events, returns, frame)
    strip = _EVENT_ROW * (1 + max((mark.row for mark in marks), default=-1))
    axis = _Axis.around(float(returns.min().min()), float(returns.max().max()), frame.height, strip)
    gap = axis.value(0, frame.height) - axis.value(_LABEL_GAP, frame.height)
    layers = [
        _rules(returns, axis, frame),
        *_event_layers(marks, frame.height),
        *_line_layers(returns, colours, benchmark, axis, heading.words("日期|Date", "名称|Name", "涨跌幅|Change"), gap),
        _end_labels(ends, texts, colours, axis, frame),
    ]
    return compose(layers, heading, frame)


def _colours(columns: Sequence[str], benchmark: str | None, highlight: Sequence[str]) -> dict[str, str]:
    own = [name for name in columns if name != benchmark]
    shown = own if len(own) <= _MOST_COLOURED else [name for name in own if name in set(highlight)][:_MOST_COLOURED]
    colours = dict.fromkeys(columns, style.MUTED)
    colours.update(zip(shown, style.PALETTE, strict=False))
    if benchmark is not None:
        colours[benchmark] = style.BENCHMARK
    return colours


def _scales(returns: pd.DataFrame, axis: _Axis) -> Mapping[str, Any]:
    """Return the x and y channels all layers share: x counts sessions, so a holiday takes no room."""
    import altair as alt

    ticks = style.date_ticks([stamp.date() for stamp in returns.index])
    names = {str(at): label for at, label in ticks}
    return {
        "x": alt.X(
            "at:Q",
            scale=alt.Scale(domain=[0, max(1, len(returns) - 1)], nice=False),
            axis=alt.Axis(
                values=[at for at, _ in ticks], labelExpr=f"{names}[datum.value] || ''", title=None, labelFlush=False,
                labelOverlap=False,
            ),
        ),
        "y": alt.Y(
            "change:Q",
            scale=alt.Scale(domain=[axis.low, axis.high], nice=False),
            axis=alt.Axis(values=list(axis.ticks), labelExpr=style.PERCENT_LABEL, title=None),
        ),
    }  # fmt: skip


def _long(returns: pd.DataFrame) -> pd.DataFrame:
    """Return one row per session and name: position, date, change."""
    rows = returns.set_axis(range(len(returns)), axis=0).rename_axis("at").reset_index()
    long = rows.melt(id_vars="at", var_name="name", value_name="change").dropna(subset=["change"])
    return long.assign(session=[f"{returns.index[at]:%Y-%m-%d}" for at in long["at"]])


def _line_layers(
    returns: pd.DataFrame,
    colours: Mapping[str, str],
    benchmark: str | None,
    axis: _Axis,
    words: Sequence[str],
    gap: float,
) -> list[alt.Chart]:
    import altair as alt

    # Drawn in reverse, so that the first column lies on top.
    order = list(reversed(list(colours)))
    base = alt.Chart(_long(returns)).encode(
        **_scales(returns, axis),
        color=alt.Color("name:N", scale=alt.Scale(domain=order, range=[colours[name] for name in order]), legend=None),
    )
    dashes = [[4, 3] if name == benchmark else [1, 0] for name in order]
    lines = base.mark_line(strokeWidth=1.8, clip=True).encode(
        strokeDash=alt.StrokeDash("name:N", scale=alt.Scale(domain=order, range=dashes), legend=None)
    )
    hover = base.mark_point(opacity=0, size=90, clip=True).encode(
        tooltip=[
            alt.Tooltip("session:N", title=words[0]),
            alt.Tooltip("name:N", title=words[1]),
            alt.Tooltip("change:Q", title=words[2], format="+.2%"),
        ]
    )
    return [lines, *_brush(hover, _scales(returns, axis), lines.encoding.color, gap)]


def _brush(hover: alt.Chart, scales: Mapping[str, Any], colour: alt.Color, gap: float) -> list[alt.Chart]:
    """Let a reader drag over some sessions and read each line's change within them at the brush's right edge.

    Labels stand at least `gap` (a change) apart: from the lowest up, each is lifted above the one before.
    """
    import altair as alt

    span = alt.selection_interval(encodings=["x"], name="span", mark=alt.BrushConfig(fill="#F2EBDD", fillOpacity=0.6))
    lowest_first: list[Any] = [alt.SortField("change", order="ascending")]
    text = (
        alt.Chart(hover.data)
        .transform_filter("isValid(span.at) && datum.at >= span.at[0] && datum.at <= span.at[1]")
        .transform_aggregate(first="argmin(at)", last="argmax(at)", groupby=["name"])
        .transform_calculate(
            at="datum.last.at", change="datum.last.change",
            inside="format((1 + datum.last.change) / (1 + datum.first.change) - 1, '+.1%')",
        )
        .transform_window(rank="row_number()", sort=lowest_first)
        .transform_calculate(floor=f"datum.change - {gap} * datum.rank")
        .transform_window(highest="max(floor)", sort=lowest_first, frame=[None, 0])
        .transform_calculate(change=f"datum.highest + {gap} * datum.rank")
        .encode(x=scales["x"], y=scales["y"], text="inside:N")
    )  # fmt: skip
    mark: dict[str, Any] = {"align": "left", "baseline": "bottom", "dx": 4, "dy": -2, "fontSize": style.LABEL_SIZE}
    # The stroke of a text covers its fill, so the white edge is a layer of its own.
    edge = text.mark_text(**mark, color="white", stroke="white", strokeWidth=3)
    return [hover.add_params(span), edge, text.mark_text(**mark).encode(color=colour)]


def _rules(returns: pd.DataFrame, axis: _Axis, frame: Frame) -> alt.Chart:
    """Return the zero line, darker than the grid."""
    import altair as alt

    rule: alt.Chart = (
        alt.Chart(alt.InlineData(values=[{"change": 0.0}]))
        .mark_rule(color=style.BENCHMARK, strokeWidth=0.8)
        .encode(y=_scales(returns, axis)["y"], x=alt.XValue(0), x2=alt.X2Value(frame.width))
    )
    return rule


@dataclass(frozen=True, slots=True)
class _Mark:
    """An event on the axis: position in sessions, label, row of the label, and the side of the rule it stands on."""

    at: int
    label: str
    row: int
    flipped: bool


def _event_marks(events: Sequence[Event], returns: pd.DataFrame, frame: Frame) -> list[_Mark]:
    """Place the labels of the events that fall on a session, in rows where they do not touch."""
    days = [stamp.date() for stamp in returns.index]
    known = sorted((event for event in events if event.session in days), key=lambda event: event.session)
    at = [days.index(event.session) for event in known]
    widths = [text_width(event.label, style.LABEL_SIZE) + 6 for event in known]
    pixels = [frame.width * position / max(1, len(days) - 1) for position in at]
    # A label that would leave the plot on the right stands to the left of its rule.
    flipped = [x + 3 + width > frame.width for x, width in zip(pixels, widths, strict=True)]
    starts = [x - 3 - width if flip else x + 3 for x, width, flip in zip(pixels, widths, flipped, strict=True)]
    rows = stagger(pixels, [(start, start + width) for start, width in zip(starts, widths, strict=True)])
    return [_Mark(at, event.label, row, flip) for at, event, row, flip in zip(at, known, rows, flipped, strict=True)]


def _event_layers(marks: Sequence[_Mark], height: int) -> list[alt.Chart]:
    import altair as alt

    if not marks:
        return []
    rules = [
        alt.Chart(alt.InlineData(values=[{"at": mark.at}]))
        .mark_rule(color=style.INK, strokeWidth=0.8, clip=True)
        .encode(x="at:Q", y=alt.YValue(_EVENT_ROW * mark.row), y2=alt.Y2Value(height))
        for mark in marks
    ]
    texts = [
        alt.Chart(alt.InlineData(values=[{"at": mark.at}]))
        .mark_text(
            text=mark.label, align="right" if mark.flipped else "left", baseline="top", fontSize=style.LABEL_SIZE,
            color=style.INK, dy=_EVENT_ROW * mark.row + 1, dx=-3 if mark.flipped else 3, clip=True,
        )
        .encode(x="at:Q", y=alt.YValue(0))
        for mark in marks
    ]  # fmt: skip
    return [*rules, *texts]


def _end_labels(
    ends: Mapping[str, float], texts: Mapping[str, str], colours: Mapping[str, str], axis: _Axis, frame: Frame
) -> alt.Chart:
    import altair as alt

    pixels = dodge([axis.pixel(value, frame.height) for value in ends.values()], _LABEL_GAP, 4, frame.height - 4)
    values = [
        {"change": axis.value(pixel, frame.height), "text": texts[name], "colour": colours[name]}
        for name, pixel in zip(ends, pixels, strict=True)
    ]
    labels: alt.Chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_text(align="left", baseline="middle", fontSize=style.LABEL_SIZE)
        .encode(
            x=alt.XValue(frame.width + 6),
            y="change:Q",
            text="text:N",
            color=alt.Color("colour:N", scale=None),
        )
    )
    return labels
