"""Bars: rankings and returns lying down with their values, quarters standing up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aitheme.charts import style
from aitheme.charts.fonts import text_width
from aitheme.charts.frame import HALF, Frame, Heading, Size, compose

if TYPE_CHECKING:
    from collections.abc import Sequence

    import altair as alt
    import pandas as pd

__all__ = ["columns", "ranked_bars", "return_bars"]

_ROW = 24
_THICKEST = 24
_WIDEST = 56
_HEADROOM = 1.12


def return_bars(
    values: pd.Series[float],
    heading: Heading,
    *,
    benchmarks: Sequence[str] = (),
    size: Size = HALF,
) -> alt.LayerChart:
    """Draw returns as horizontal bars from the zero line, red for gains and green for losses, values at their ends.

    Parameters
    ----------
    values
        Ratios by name, drawn top down in the order given.
    heading
        Words around the plot.
    benchmarks
        Names drawn grey.
    size
        Smallest image; it grows downwards where the rows need more room.
    """
    names = [str(name) for name in values.index]
    colours = [style.BENCHMARK if name in benchmarks else style.sign_colour(values[name]) for name in names]
    texts = [style.percent_label(float(value)) for value in values]
    return _lying(names, [float(value) for value in values], texts, colours, heading, size, percent=True)


def ranked_bars(
    values: pd.Series[float],
    heading: Heading,
    *,
    highlight: Sequence[str] = (),
    digits: int = 1,
    texts: Sequence[str] | None = None,
    dots: bool = False,
    size: Size = HALF,
) -> alt.LayerChart:
    """Draw a ranking as horizontal bars with their values.

    Parameters
    ----------
    values
        Scores by name, best first.
    heading
        Words around the plot.
    highlight
        Names in red; the others are navy.
    digits
        Decimals of the values.
    texts
        What is written beside each, instead of the value with `digits` decimals.
    dots
        Draw dots on an axis that need not begin at zero, for ratings that differ by little.
    size
        Smallest image.
    """
    names = [str(name) for name in values.index]
    colours = [style.PALETTE[0] if name in highlight else style.PALETTE[1] for name in names]
    written = list(texts) if texts is not None else [f"{float(value):,.{digits}f}" for value in values]
    return _lying(names, [float(value) for value in values], written, colours, heading, size, percent=False, dots=dots)


def _lying(
    names: Sequence[str], values: Sequence[float], texts: Sequence[str], colours: Sequence[str],
    heading: Heading, size: Size, *, percent: bool, dots: bool = False,
) -> alt.LayerChart:  # fmt: skip
    import altair as alt

    left = round(max(text_width(name, style.LABEL_SIZE) for name in names)) + 10
    room = max(text_width(text, style.LABEL_SIZE) for text in texts) + 6
    bare = Frame.around(heading, size, left=left, below=20)
    grown = Size(size.width, max(size.height, size.height - bare.height + _ROW * len(names)))
    frame = Frame.around(heading, grown, left=left, below=20)
    domain, ticks = _domain(values, room / frame.width, zero=not dots)
    rows = [
        {"name": name, "value": value, "text": text, "colour": colour}
        for name, value, text, colour in zip(names, values, texts, colours, strict=True)
    ]
    title = heading.words("名称|Name", "数值|Value")
    written = style.PERCENT_LABEL if percent else style.NUMBER_LABEL
    x_axis = alt.Axis(values=ticks, labelExpr=written, grid=True, domain=False, ticks=False)
    y_axis = alt.Axis(labelLimit=0, domain=False, ticks=False)
    y_scale = alt.Undefined if dots else alt.Scale(paddingInner=0.35, paddingOuter=0.2)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("name:N", sort=list(names), title=None, axis=y_axis, scale=y_scale),
        x=alt.X("value:Q", scale=alt.Scale(domain=domain, nice=False), title=None, axis=x_axis),
        tooltip=[alt.Tooltip("name:N", title=title[0]), alt.Tooltip("text:N", title=title[1])],
    )
    drawn = (
        base.mark_circle(size=90, opacity=1)
        if dots
        else base.mark_bar(size=min(_THICKEST, 0.62 * frame.height / len(names)))
    )
    bars = drawn.encode(color=alt.Color("colour:N", scale=None))
    labels = [
        alt.Chart(
            alt.InlineData(values=[row for row, value in zip(rows, values, strict=True) if (value < 0) == negative])
        )
        .mark_text(align="right" if negative else "left", baseline="middle", dx=-4 if negative else 8 if dots else 4)
        .encode(y=alt.Y("name:N", sort=list(names)), x="value:Q", text="text:N")
        for negative in (False, True)
    ]
    zero = alt.Chart(alt.InlineData(values=[{"value": 0}])).mark_rule(color=style.BENCHMARK).encode(x="value:Q")
    return compose([bars, *([] if dots else [zero]), *labels], heading, frame)


def _domain(values: Sequence[float], room: float, *, zero: bool) -> tuple[list[float], list[float]]:
    """Return the x domain, with `room` (share of the width) beyond the longest bars for their values, and its ticks."""
    if not zero:
        ticks = style.nice_ticks(min(values), max(values))
        end = max(ticks[-1], max(values) + (max(values) - ticks[0]) * room / (1 - room))
        return [ticks[0], end], ticks
    low, high = min([*values, 0.0]), max([*values, 0.0])
    span = (high - low) or 1.0
    pad = span * room / max(0.2, 1 - room * ((low < 0) + (high > 0)))
    domain = [low - pad if low < 0 else 0.0, high + pad if high > 0 else 0.0]
    return domain, [tick for tick in style.nice_ticks(domain[0], domain[1]) if domain[0] <= tick <= domain[1]]


def columns(
    values: pd.Series[float],
    heading: Heading,
    *,
    unit: str = "",
    digits: int = 1,
    notes: Sequence[str] = (),
    texts: Sequence[str] = (),
    size: Size = HALF,
) -> alt.LayerChart:
    """Draw standing bars, one per period, with their values on top.

    Parameters
    ----------
    values
        Amounts by period label, in order of time; a missing one leaves a gap.
    heading
        Words around the plot.
    unit
        Unit shown in tooltips.
    digits
        Decimals of the values.
    notes
        A second line above each bar, such as its growth, red or with a leading minus green; empty for none.
    texts
        The values as written on the bars, such as ``>20`` for a lower bound; with ``digits`` decimals by default.
    size
        Size of the image.
    """
    import altair as alt

    frame = Frame.around(heading, size, left=38)
    known = values.dropna()
    ticks = style.nice_ticks(0.0, float(known.max()) * _HEADROOM)
    rows = [
        {
            "period": str(period),
            "value": float(value),
            "text": text or f"{float(value):,.{digits}f}",
            "unit": unit,
            "note": note,
            "colour": style.DOWN if note.startswith("-") else style.UP,
        }
        for period, value, note, text in zip(
            values.index, values, notes or [""] * len(values), texts or [""] * len(values), strict=True
        )
        if value == value  # noqa: PLR0124 (NaN)
    ]
    order = [str(period) for period in values.index]
    title = heading.words("期间|Period", "数值|Value", "单位|Unit")
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("period:N", sort=order, title=None, scale=alt.Scale(domain=order, paddingInner=0.45, paddingOuter=0.3),
                axis=alt.Axis(labelAngle=0, ticks=False, labelLimit=0)),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(domain=[0, ticks[-1]], nice=False),
                axis=alt.Axis(values=ticks, labelExpr=style.NUMBER_LABEL)),
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("period:N", title=title[0]),
        alt.Tooltip("text:N", title=title[1]),
        alt.Tooltip("unit:N", title=title[2]),
    ]
    bars = base.mark_bar(color=style.PALETTE[1], size=min(_WIDEST, 0.55 * frame.width / len(order))).encode(
        tooltip=tooltip
    )
    labels = base.mark_text(baseline="bottom", dy=-3, fontSize=10).encode(text="text:N")
    second = base.mark_text(baseline="bottom", dy=-17, fontSize=10).encode(
        text="note:N", color=alt.Color("colour:N", scale=None)
    )
    return compose([bars, labels, *([second] if any(notes) else [])], heading, frame)
