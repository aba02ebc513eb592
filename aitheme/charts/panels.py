"""Small multiples: one small panel per measure, the same lines in each, last values written at their ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from aitheme.charts import style
from aitheme.charts.fonts import text_width
from aitheme.charts.frame import Frame, Heading, Size, compose, text_layer
from aitheme.charts.labels import dodge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import altair as alt
    import pandas as pd

__all__ = ["Panel", "compact", "panels"]

_COLUMNS = 3
_PLOT, _CELL = 104, 156
_HEADER = 24
_KEY = 22
_GUTTER = 18
_SMALL = 10
_MOST_COLOURED = 5
_MOST_TICKS = 4
_WIDE_RANGE = 15.0
_LABEL_GAP = 12.0


@dataclass(frozen=True, slots=True)
class Panel:
    """One measure.

    Parameters
    ----------
    title
        What is measured, with its unit.
    values
        Periods (ascending) x names; a missing value breaks the line.
    kind
        ``number``, ``ratio`` (shown in per cent) or ``change`` (per cent with a sign).
    group
        Panels of one group stand together under its name.
    """

    title: str
    values: pd.DataFrame
    kind: Literal["number", "ratio", "change"] = "number"
    group: str = ""

    @property
    def log(self) -> bool:
        """Whether the lines are so far apart that only a logarithmic axis shows them all."""
        middles = self.values.median().dropna()
        if self.kind == "change" or len(middles) <= 1 or min(self.known) <= 0:
            return False
        return bool(middles.max() > _WIDE_RANGE * middles.min())

    @property
    def known(self) -> list[float]:
        """All values that are there."""
        return [float(value) for value in self.values.to_numpy(dtype=float).ravel() if not math.isnan(value)]


@dataclass(frozen=True, slots=True)
class _Scale:
    """Values to pixels of one panel."""

    low: float
    high: float
    top: float
    log: bool

    def __call__(self, value: float) -> float:
        low, high, at = (
            (math.log(one) for one in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        )
        return self.top + _PLOT * (1 - (at - low) / ((high - low) or 1.0))


def compact(value: float, lang: str) -> str:
    """Return a number in three digits with the language's own thousands: ``4,520万`` or ``45.2m``."""
    steps = ((1e8, "亿"), (1e4, "万")) if lang == "zh" else ((1e9, "bn"), (1e6, "m"), (1e3, "k"))
    for size, unit in steps:
        if abs(value) >= size * 0.9995:
            return f"{_three(value / size)}{unit}"
    return _three(value)


def _three(value: float) -> str:
    if 0 < abs(value) < 0.0995:  # noqa: PLR2004 (three digits would be mostly zeros)
        return f"{value:.2g}"
    digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2  # noqa: PLR2004 (three significant digits)
    text = f"{style.half_up(value, digits):,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _written(value: float, kind: str, lang: str) -> str:
    if kind == "change":
        return style.percent_label(value, 0 if abs(value) >= 1 else 1)
    return f"{_three(value * 100)}%" if kind == "ratio" else compact(value, lang)


def panels(
    measures: Sequence[Panel], heading: Heading, *, highlight: Sequence[str] = (), width: int = 900
) -> alt.LayerChart:
    """Draw panels three in a row, a new row for each group.

    Parameters
    ----------
    measures
        At least one, with the same periods in all.
    heading
        Words around the plot.
    highlight
        Names in colour where there are more than five; the rest is grey.
    width
        Width of the image; its height follows the rows.

    Returns
    -------
    altair.LayerChart
        Axes are drawn as marks, so that all panels are one chart of a fixed size.
    """
    names = list(dict.fromkeys(str(name) for panel in measures for name in panel.values.columns))
    shown = names if len(names) <= _MOST_COLOURED else [name for name in names if name in highlight][:_MOST_COLOURED]
    colours = {**dict.fromkeys(names, style.MUTED), **dict(zip(shown, style.PALETTE, strict=False))}
    cells, height = _grid(measures)
    bare = Frame.around(heading, Size(width, 0), left=0, right=0, above=_KEY, below=4)
    frame = Frame.around(heading, Size(width, height + bare.top + bare.bottom), left=0, right=0, above=_KEY, below=4)
    step = (frame.width + _GUTTER) / _COLUMNS
    layers = [*_key(colours, heading)]
    for panel, column, top in cells:
        layers += _panel(panel, colours, (column * step, step - _GUTTER, top), heading)
    layers += [
        text_layer([group], 0, top - _HEADER + 4, fontSize=12, color=style.PALETTE[0]) for group, top in _headers(cells)
    ]
    return compose(layers, heading, frame)


def _grid(measures: Sequence[Panel]) -> tuple[list[tuple[Panel, int, float]], int]:
    """Return each panel's column and top, and the height of all."""
    cells: list[tuple[Panel, int, float]] = []
    top, column, group = 0.0, 0, None
    for panel in measures:
        if panel.group != group:
            top += (_CELL if cells else 0) + (_HEADER if panel.group else 0)
            column, group = 0, panel.group
        elif column == _COLUMNS:
            top, column = top + _CELL, 0
        cells.append((panel, column, top))
        column += 1
    return cells, round(top + _CELL)


def _headers(cells: Sequence[tuple[Panel, int, float]]) -> list[tuple[str, float]]:
    first: dict[str, float] = {}
    for panel, _, top in cells:
        first.setdefault(panel.group, top)
    return [(group, top) for group, top in first.items() if group]


def _key(colours: Mapping[str, str], heading: Heading) -> list[alt.Chart]:
    layers, x = [], 0.0
    coloured = {name: colour for name, colour in colours.items() if colour != style.MUTED}
    if len(coloured) < len(colours):
        coloured[heading.words("其他|Others")[0]] = style.MUTED
    for name, colour in coloured.items():
        layers += [text_layer(["●"], x, -_KEY + 2, color=colour, fontSize=12), text_layer([name], x + 14, -_KEY + 2)]
        x += text_width(name, style.LABEL_SIZE) + 30
    return layers


def _scale(panel: Panel, top: float) -> tuple[_Scale, list[float]]:
    """Return the y scale of a panel and its ticks."""
    low, high = min(panel.known), max(panel.known)
    if panel.log:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        return _Scale(10.0 ** powers[0], 10.0 ** powers[-1], top, log=True), [10.0**power for power in powers]
    ticks = style.nice_ticks(min(low, 0.0), max(high, 0.0), _MOST_TICKS)
    return _Scale(ticks[0], ticks[-1], top, log=False), ticks


def _panel(
    panel: Panel, colours: Mapping[str, str], place: tuple[float, float, float], heading: Heading
) -> list[alt.Chart]:
    x, width, top = place
    lang = heading.lang
    title = panel.title + (heading.words("，对数|, log")[0] if panel.log else "")
    scale, ticks = _scale(panel, top + 20)
    left = x + max(text_width(_tick(tick, panel, lang), _SMALL) for tick in ticks) + 6
    last = {str(name): panel.values[name].dropna() for name in panel.values if panel.values[name].notna().any()}
    ends = {name: _written(float(series.iloc[-1]), panel.kind, lang) for name, series in last.items()}
    right = x + width - max(text_width(text, _SMALL) for text in ends.values()) - 6
    count = max(1, len(panel.values) - 1)
    across = [left + (right - left) * at / count for at in range(len(panel.values))]
    return [
        text_layer([title], x, top + 1, fontSize=11, color=style.INK),
        *_axes(panel, scale, ticks, (left, right), lang),
        *_lines(panel, colours, scale, across, heading),
        *_ends(last, ends, colours, scale, right),
    ]


def _tick(value: float, panel: Panel, lang: str) -> str:
    return f"{style.half_up(value * 100, 4):g}%" if panel.kind != "number" else compact(value, lang)


def _marks(rows: list[dict[str, Any]], *channels: str) -> alt.Chart:
    """Return a chart whose position fields are pixels."""
    import altair as alt

    axes: dict[str, Any] = {"x": alt.X("x:Q", scale=None, axis=None), "y": alt.Y("y:Q", scale=None, axis=None)}
    if "x2" in channels:
        axes["x2"] = alt.X2("x2:Q")
    return alt.Chart(alt.InlineData(values=rows)).encode(**axes)


def _axes(
    panel: Panel, scale: _Scale, ticks: Sequence[float], edges: tuple[float, float], lang: str
) -> list[alt.Chart]:
    left, right = edges
    grid = [{"x": left, "x2": right, "y": scale(tick)} for tick in ticks]
    labels = [{"x": left - 5, "y": scale(tick), "text": _tick(tick, panel, lang)} for tick in ticks]
    periods = panel.values.index
    foot = [{"x": left, "y": scale.top + _PLOT + 5, "text": f"{periods[0]:%y/%m}"}]
    rules = _marks(grid, "x2").mark_rule(color=style.GRID, tooltip=None)
    ticked = (
        _marks(labels).mark_text(align="right", baseline="middle", fontSize=_SMALL, tooltip=None).encode(text="text:N")
    )
    first = _marks(foot).mark_text(align="left", baseline="top", fontSize=_SMALL, tooltip=None).encode(text="text:N")
    end = text_layer([f"{periods[-1]:%y/%m}"], right, scale.top + _PLOT + 5, align="right", fontSize=_SMALL)
    return [rules, ticked, first, *([end] if len(periods) > 1 else [])]


def _lines(
    panel: Panel, colours: Mapping[str, str], scale: _Scale, across: Sequence[float], heading: Heading
) -> list[alt.Chart]:
    import altair as alt

    rows = [
        {"x": at, "y": scale(float(value)), "name": str(name), "month": f"{period:%Y-%m}",
         "text": _written(float(value), panel.kind, heading.lang), "run": f"{name}-{run}"}
        for name in reversed(list(panel.values))
        for at, period, value, run in zip(
            across, panel.values.index, panel.values[name], panel.values[name].isna().cumsum(), strict=True
        )
        if value == value  # noqa: PLR0124 (NaN)
    ]  # fmt: skip
    words = heading.words("月份|Month", "应用|App", "数值|Value")
    tooltip = [
        alt.Tooltip(f"{field}:N", title=word) for field, word in zip(("month", "name", "text"), words, strict=True)
    ]
    order = list(colours)
    colour = alt.Color("name:N", scale=alt.Scale(domain=order, range=[colours[name] for name in order]), legend=None)
    base = _marks(rows).encode(color=colour)
    lines = base.mark_line(strokeWidth=1.6, tooltip=None).encode(detail="run:N")
    points = base.mark_circle(size=14, opacity=1).encode(tooltip=tooltip)
    return [lines, points]


def _ends(
    last: Mapping[str, pd.Series[float]],
    ends: Mapping[str, str],
    colours: Mapping[str, str],
    scale: _Scale,
    right: float,
) -> list[alt.Chart]:
    import altair as alt

    wanted = [scale(float(series.iloc[-1])) for series in last.values()]
    spread = dodge(wanted, _LABEL_GAP, scale.top, scale.top + _PLOT)
    rows = [
        {"x": right + 5, "y": y, "text": ends[name], "colour": colours[name]}
        for name, y in zip(last, spread, strict=True)
    ]
    texts = _marks(rows).mark_text(align="left", baseline="middle", fontSize=_SMALL, tooltip=None)
    return [texts.encode(text="text:N", color=alt.Color("colour:N", scale=None))]
