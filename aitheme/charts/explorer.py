"""One chart to ask questions of: basket lines with a brush over dates, and the event path of a basket and a release to choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aitheme.charts import style
from aitheme.charts.fonts import FONT_STACK

if TYPE_CHECKING:
    from collections.abc import Sequence

    import altair as alt
    import pandas as pd

    from aitheme.charts.frame import Heading

__all__ = ["BASKET_PARAM", "BRUSH", "EVENT_PARAM", "LEGEND", "explorer_chart"]

BASKET_PARAM, EVENT_PARAM, BRUSH, LEGEND = "basket_shown", "event_shown", "dates", "names"
_WIDTH, _DETAIL, _OVERVIEW, _PATH = 820, 240, 56, 210
_FOOTER_LINE = 14
_FADED = 0.12


def explorer_chart(
    lines: pd.DataFrame, paths: pd.DataFrame, heads: pd.DataFrame, heading: Heading, *, benchmark: str
) -> alt.VConcatChart:
    """Draw basket lines and event paths that a reader can brush, filter and switch.

    Parameters
    ----------
    lines
        Columns session (ISO text), name and level (1.0 at the base); the benchmark is one of the names.
    paths
        Columns basket, event, day, caar, low and high (ratios); ``basket`` uses the names of `lines`.
    heads
        Columns basket, event, session (ISO text of day 0) and text (what the study found), one row per path.
    heading
        Words around the chart.
    benchmark
        Name drawn grey and dashed.

    Returns
    -------
    altair.VConcatChart
        Two drop-downs, a brush and a legend to click; it needs no server.
    """
    import altair as alt

    names = list(dict.fromkeys(lines["name"]))
    basket = _choice(BASKET_PARAM, list(dict.fromkeys(heads["basket"])), heading.words("篮子|Basket")[0])
    event = _choice(EVENT_PARAM, list(dict.fromkeys(heads["event"])), heading.words("发布|Release")[0])
    brush = alt.selection_interval(name=BRUSH, encodings=["x"])
    legend = alt.selection_point(name=LEGEND, fields=["name"], bind="legend")
    colour = _colour(names, benchmark)
    parts: list[Any] = [
        _detail(lines, heads, heading, benchmark, colour, brush, legend),
        _overview(lines, colour, brush),
        _path(paths, heads, heading),
        _footer(heading.footer),
    ]
    title = alt.Title(heading.title, subtitle=heading.subtitle, anchor="start", fontWeight="normal", offset=10)
    whole: alt.VConcatChart = (
        alt.vconcat(*parts, spacing=14)
        .add_params(basket, event)
        .properties(title=title, description=heading.title, padding=10)
        .configure(**(style.theme_config(FONT_STACK) | {"title": {"font": FONT_STACK, "subtitleFont": FONT_STACK}}))
    )
    return whole


def _choice(name: str, options: Sequence[str], label: str) -> alt.Parameter:
    import altair as alt

    return alt.param(name=name, value=options[0], bind=alt.binding_select(options=list(options), name=f"{label} "))


def _colour(names: Sequence[str], benchmark: str) -> alt.Color:
    import altair as alt

    own = iter(style.PALETTE)
    colours = [style.BENCHMARK if name == benchmark else next(own) for name in names]
    return alt.Color(
        "name:N",
        scale=alt.Scale(domain=list(names), range=colours),
        legend=alt.Legend(orient="top", title=None, symbolType="stroke", columns=3, labelLimit=260),
    )


def _dates(**axis: Any) -> alt.X:
    import altair as alt

    return alt.X(
        "session:T",
        # Dates without a time are midnight UTC to a browser; any other scale would move them by a day somewhere.
        scale=alt.Scale(type="utc", nice=False),
        axis=alt.Axis(format="%y/%m/%d", title=None, tickCount=style.MOST_TICKS, labelOverlap=True, **axis),
    )


def _percent(field: str, title: str | None = None) -> alt.Y:
    import altair as alt

    return alt.Y(f"{field}:Q", axis=alt.Axis(format=".0%", title=title, tickCount=5))


def _detail(
    lines: pd.DataFrame,
    heads: pd.DataFrame,
    heading: Heading,
    benchmark: str,
    colour: alt.Color,
    brush: alt.Parameter,
    legend: alt.Parameter,
) -> Any:
    """Return the lines of the brushed span, each measured from the span's first session."""
    import altair as alt

    words = heading.words("名称|Name", "日期|Date", "区间涨跌幅|Change in the span")
    base = (
        alt.Chart(lines)
        .transform_filter(brush)
        .transform_window(
            first="first_value(level)", frame=[None, None], groupby=["name"], sort=[alt.SortField("session")]
        )
        .transform_calculate(change="datum.level / datum.first - 1")
        .encode(x=_dates(), y=_percent("change"), color=colour)
    )
    drawn = base.mark_line().encode(
        opacity=alt.condition(legend, alt.value(1), alt.value(_FADED)),
        strokeWidth=alt.condition(f"datum.name == {BASKET_PARAM}", alt.value(2.4), alt.value(1.4)),
        strokeDash=alt.condition(alt.datum.name == benchmark, alt.value([4, 3]), alt.value([1, 0])),
    )
    hover = base.mark_point(opacity=0, size=80).encode(
        tooltip=[
            alt.Tooltip("name:N", title=words[0]),
            alt.Tooltip("session:T", title=words[1], format="%Y-%m-%d"),
            alt.Tooltip("change:Q", title=words[2], format="+.2%"),
        ]
    )
    day0 = (
        alt.Chart(heads)
        .transform_filter(f"datum.event == {EVENT_PARAM} && datum.basket == {BASKET_PARAM}")
        .transform_filter(brush)
    )
    rule = day0.mark_rule(color=style.INK, strokeWidth=0.8).encode(x=_dates())
    mark = [_watermark(_DETAIL)] if heading.simulated else []
    layered: Any = alt.layer(*mark, drawn.add_params(legend), rule, hover).properties(width=_WIDTH, height=_DETAIL)
    return layered


def _overview(lines: pd.DataFrame, colour: alt.Color, brush: alt.Parameter) -> alt.Chart:
    import altair as alt

    chart: alt.Chart = (
        alt.Chart(lines)
        .mark_line(strokeWidth=0.9)
        .encode(x=_dates(), y=alt.Y("level:Q", axis=None, scale=alt.Scale(zero=False)), color=colour)
        .add_params(brush)
        .properties(width=_WIDTH, height=_OVERVIEW)
    )
    return chart


def _path(paths: pd.DataFrame, heads: pd.DataFrame, heading: Heading) -> Any:
    """Return the CAAR path of the chosen basket and release with its placebo band and what the tests say."""
    import altair as alt

    words = heading.words("相对事件日（交易日）|Sessions relative to day 0", "累计平均超额收益|CAAR", "日|Day")
    chosen = f"datum.event == {EVENT_PARAM} && datum.basket == {BASKET_PARAM}"
    x = alt.X("day:Q", title=words[0], axis=alt.Axis(format="d", tickMinStep=1))
    base = alt.Chart(paths).transform_filter(chosen)
    band = base.mark_area(color=style.BENCHMARK, opacity=0.22).encode(x=x, y=_percent("low", words[1]), y2="high:Q")
    path = base.mark_line(color=style.UP, point=alt.OverlayMarkDef(color=style.UP, size=22)).encode(
        x=x,
        y=_percent("caar", words[1]),
        tooltip=[alt.Tooltip("day:Q", title=words[2]), alt.Tooltip("caar:Q", title="CAAR", format="+.2%")],
    )
    rule: dict[str, Any] = {"color": style.INK, "strokeWidth": 0.7}
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(**rule).encode(y="zero:Q")
    day0 = alt.Chart(alt.InlineData(values=[{"day": 0}])).mark_rule(strokeDash=[4, 3], **rule).encode(x="day:Q")
    found = (
        alt.Chart(heads)
        .transform_filter(chosen)
        .mark_text(align="left", baseline="top", fontSize=style.LABEL_SIZE + 1, color=style.INK)
        .encode(text="text:N", x=alt.XValue(4), y=alt.YValue(-18))
    )
    mark = [_watermark(_PATH)] if heading.simulated else []
    layered: Any = alt.layer(*mark, band, path, zero, day0, found).properties(width=_WIDTH, height=_PATH)
    return layered


def _watermark(height: int) -> alt.Chart:
    import altair as alt

    mark: alt.Chart = (
        alt.Chart(alt.InlineData(values=[{}]))
        .mark_text(text=style.WATERMARK, fontSize=42, angle=345, color="#EBEBEB", tooltip=None)
        .encode(x=alt.XValue(_WIDTH / 2), y=alt.YValue(height / 2))
    )
    return mark


def _footer(lines: Sequence[str]) -> alt.Chart:
    import altair as alt

    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=[{}]))
        .mark_text(text=list(lines), align="left", baseline="top", fontSize=style.SOURCE_SIZE, color=style.BENCHMARK)
        .encode(x=alt.XValue(0), y=alt.YValue(0))
        .properties(width=_WIDTH, height=_FOOTER_LINE * len(lines))
    )
    return chart
