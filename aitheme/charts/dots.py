"""Dots on rows: scores of several models on several tests, and values before and after."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from aitheme.charts import style
from aitheme.charts.fonts import text_width
from aitheme.charts.frame import FULL, Frame, Heading, Size, compose, text_layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import altair as alt
    import pandas as pd

__all__ = ["dumbbells", "score_dots"]

_ROW = 27
_LEGEND = 20
_LOG_MARGIN = 1.25


def _legend(entries: Sequence[tuple[str, str]], width: float) -> list[alt.Chart]:
    """Return a key above the plot, dots and names in one row, wrapped where it is full."""
    layers, x, row = [], 0.0, 0
    for name, colour in entries:
        step = text_width(name, style.LABEL_SIZE) + 26
        if x + step > width and x > 0:
            x, row = 0.0, row + 1
        y = -_LEGEND * (_rows(entries, width) - row) + 2
        layers.append(text_layer(["●"], x, y, color=colour, fontSize=12))
        layers.append(text_layer([name], x + 14, y))
        x += step
    return layers


def _rows(entries: Sequence[tuple[str, str]], width: float) -> int:
    x, rows = 0.0, 1
    for name, _ in entries:
        step = text_width(name, style.LABEL_SIZE) + 26
        if x + step > width and x > 0:
            x, rows = 0.0, rows + 1
        x += step
    return rows


def _layout(names: Sequence[str], heading: Heading, size: Size, above: int, right: int) -> Frame:
    left = round(max(text_width(name, style.LABEL_SIZE) for name in names)) + 10
    bare = Frame.around(heading, size, left=left, right=right, above=above)
    grown = Size(size.width, max(size.height, size.height - bare.height + _ROW * len(names)))
    return Frame.around(heading, grown, left=left, right=right, above=above)


def score_dots(
    scores: pd.DataFrame,
    heading: Heading,
    *,
    highlight: Sequence[str] = (),
    unit: str = "",
    digits: pd.DataFrame | None = None,
    size: Size = FULL,
) -> alt.LayerChart:
    """Draw the scores of models as dots, one row per test, with the best of each row written at its end.

    Parameters
    ----------
    scores
        Tests x models; a missing score has no dot.
    heading
        Words around the plot.
    highlight
        Up to five models in colour, drawn on top; the others are grey and told by the tooltip.
    unit
        Unit of all scores.
    digits
        Decimals each score is written with, tests x models; as few as it takes by default.
    size
        Smallest image.
    """
    import altair as alt

    tests = [str(name) for name in scores.index]
    shown = [name for name in highlight if name in scores.columns][: len(style.PALETTE)]
    colours = dict(zip(shown, style.PALETTE, strict=False))
    others = [name for name in scores.columns if name not in colours]
    rest = heading.words("其他模型|Other models")[0]
    entries = [*colours.items(), *([(rest, style.MUTED)] if others else [])]

    def written(test: str, model: str) -> str:
        score = float(scores[model][test])
        return f"{score:g}" if digits is None else f"{score:.{int(digits[model][test])}f}"

    leaders = scores.idxmax(axis="columns")
    best = [f"{leaders[test]} {written(test, leaders[test])}" for test in scores.index]
    right = round(max(text_width(text, 10) for text in best)) + 14
    rows = _rows(entries, size.width - 200)
    frame = _layout(tests, heading, size, _LEGEND * rows, right)
    ticks = style.nice_ticks(float(scores.min().min()), float(scores.max().max()))
    values = [
        {"test": str(test), "model": str(model), "score": float(scores.loc[test, model]), "unit": unit,
         "text": written(test, model), "colour": colours.get(model, style.MUTED)}
        for model in [*others, *reversed(shown)]
        for test in scores.index
        if scores.loc[test, model] == scores.loc[test, model]
    ]  # fmt: skip
    words = heading.words("测试|Test", "模型|Model", "得分|Score", "单位|Unit")
    y = alt.Y("test:N", sort=tests, title=None, axis=alt.Axis(labelLimit=0, domain=False, ticks=False, grid=True))
    fields = ("test", "model", "text", "unit")
    tooltip = [alt.Tooltip(f"{field}:N", title=word) for field, word in zip(fields, words, strict=True)]
    dots = (
        alt.Chart(alt.InlineData(values=values))
        .mark_circle(size=75, opacity=0.92)
        .encode(
            x=alt.X(
                "score:Q",
                title=None,
                scale=alt.Scale(domain=[ticks[0], ticks[-1]], nice=False),
                axis=alt.Axis(values=ticks, labelExpr=style.NUMBER_LABEL),
            ),
            y=y,
            color=alt.Color("colour:N", scale=None),
            tooltip=tooltip,
        )
    )
    ends = (
        alt.Chart(alt.InlineData(values=[{"test": test, "text": text} for test, text in zip(tests, best, strict=True)]))
        .mark_text(align="left", baseline="middle", fontSize=10, color="#666666")
        .encode(x=alt.XValue(frame.width + 12), y=alt.Y("test:N", sort=tests), text="text:N")
    )
    head = text_layer(heading.words("最高分|Best"), frame.width + 12, -_LEGEND + 4, fontSize=10, color="#666666")
    return compose([dots, ends, head, *_legend(entries, frame.width)], heading, frame)


def dumbbells(
    pairs: pd.DataFrame,
    heading: Heading,
    *,
    names: tuple[str, str],
    unit: str = "",
    log: bool = True,
    size: Size = FULL,
) -> alt.LayerChart:
    """Draw a value before and after per row, joined by a line, with the change in per cent at the right.

    Parameters
    ----------
    pairs
        Index the row names, columns ``old``, ``new`` (positive) and ``change`` (ratio).
    heading
        Words around the plot.
    names
        What the two dots are called in the key.
    unit
        Unit of both values.
    log
        Logarithmic axis, for values of different orders of magnitude.
    size
        Smallest image.
    """
    import altair as alt

    rows = [str(name) for name in pairs.index]
    frame = _layout(rows, heading, size, _LEGEND, 70)
    values = pairs[["old", "new"]].to_numpy(dtype=float)
    low, high = float(values.min()), float(values.max())
    ticks = _log_ticks(low, high) if log else style.nice_ticks(0.0, high)
    domain = [low / _LOG_MARGIN, high * _LOG_MARGIN] if log else [ticks[0], ticks[-1]]
    changes = pairs["change"].to_numpy(dtype=float)
    marks = [
        {"row": str(name), "old": float(old), "new": float(new), "change": style.percent_label(float(change), 0),
         "unit": unit, "colour": style.sign_colour(float(change)) if change else style.BENCHMARK}
        for name, (old, new), change in zip(pairs.index, values, changes, strict=True)
    ]  # fmt: skip
    words = heading.words("项目|Item", "变动|Change", "单位|Unit")
    scale = alt.Scale(type="log" if log else "linear", domain=domain, nice=False)
    base = alt.Chart(alt.InlineData(values=marks)).encode(
        y=alt.Y("row:N", sort=rows, title=None, axis=alt.Axis(labelLimit=0, domain=False, ticks=False)),
        tooltip=[alt.Tooltip("row:N", title=words[0]), alt.Tooltip("old:Q", title=names[0]), alt.Tooltip("new:Q", title=names[1]),
                 alt.Tooltip("change:N", title=words[1]), alt.Tooltip("unit:N", title=words[2])],
    )  # fmt: skip
    x = alt.X("old:Q", title=None, scale=scale, axis=alt.Axis(values=ticks, labelExpr=style.NUMBER_LABEL, grid=True))
    line = base.mark_rule(color=style.MUTED, strokeWidth=3).encode(x=x, x2="new:Q")
    before = base.mark_circle(size=90, color=style.BENCHMARK, opacity=1).encode(x=x)
    after = base.mark_circle(size=90, color=style.PALETTE[0], opacity=1).encode(
        x=alt.X("new:Q", title=None, scale=scale)
    )
    change = base.mark_text(align="left", baseline="middle").encode(
        x=alt.XValue(frame.width + 14), text="change:N", color=alt.Color("colour:N", scale=None)
    )
    head = text_layer([words[1]], frame.width + 14, -_LEGEND + 4, fontSize=10, color="#666666")
    key = _legend([(names[0], style.BENCHMARK), (names[1], style.PALETTE[0])], frame.width)
    return compose([line, before, after, change, head, *key], heading, frame)


def _log_ticks(low: float, high: float) -> list[float]:
    """Return the 1-2-5 values inside a positive range."""
    powers = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    steps = [float(f"{factor * 10.0**power:.6g}") for power in powers for factor in (1, 2, 5)]
    return [step for step in steps if low <= step <= high]
