"""Small multiples of a path around an event, each with the band of what is usual, on one shared axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aitheme.charts import style
from aitheme.charts.fonts import wrap
from aitheme.charts.frame import FULL, Frame, Heading, Size, compose, plain_rows, text_layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import altair as alt
    import pandas as pd

__all__ = ["PathPanel", "path_panels"]

_LINE = 14
_MOST_LINES = 2
_GAP_SHARE = 0.12
_DAY_TICKS = (-5, 0, 5, 10)
_BAND = "#D9D9D9"
# Sessions before the last one that its label must keep clear of.
_NEAR = 4


@dataclass(frozen=True, slots=True)
class PathPanel:
    """One path.

    Parameters
    ----------
    title, note
        Over the panel; the title may take two lines.
    path
        Columns day, value, low, high (ratios), ascending; low and high missing where there is no band.
    """

    title: str
    note: str
    path: pd.DataFrame


def path_panels(panels: Sequence[PathPanel], heading: Heading, *, size: Size = FULL) -> alt.LayerChart:
    """Draw paths side by side.

    Parameters
    ----------
    panels
        Up to four, left to right, with the same days.
    heading
        Words around the plot.
    size
        Size of the image.
    """
    first, last = int(panels[0].path["day"].min()), int(panels[0].path["day"].max())
    span = last - first
    step = span * (1 + _GAP_SHARE)
    above = _LINE * (_MOST_LINES + 1) + 10
    frame = Frame.around(heading, size, left=38, above=above)
    columns = [panel.path[["value", "low", "high"]] for panel in panels]
    ticks = style.nice_ticks(min(float(c.min().min()) for c in columns), max(float(c.max().max()) for c in columns))
    total = step * len(panels) - span * _GAP_SHARE
    scale = _Scale([0.0, total], [ticks[0], ticks[-1]], ticks, first)
    offsets = [step * at for at in range(len(panels))]
    layers = _marks(panels, offsets, scale, heading)
    for offset, panel in zip(offsets, panels, strict=True):
        left, wide = frame.width * offset / total, frame.width * span / total
        title = wrap(panel.title, style.LABEL_SIZE, wide)[:_MOST_LINES]
        top = -above + 4 + _LINE * (_MOST_LINES - len(title))
        layers.append(text_layer(title, left, top, lineHeight=_LINE, color="#111111"))
        layers.append(text_layer([panel.note], left, -above + 6 + _LINE * _MOST_LINES, fontSize=10, color="#666666"))
    return compose(layers, heading, frame)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Domains all panels share; x counts days from the left edge of the first panel."""

    x: list[float]
    y: list[float]
    ticks: list[float]
    first: int

    def channels(self, value: str) -> dict[str, Any]:
        import altair as alt

        return {
            "x": alt.X("x:Q", scale=alt.Scale(domain=self.x, nice=False), axis=None),
            "y": alt.Y(
                f"{value}:Q", scale=alt.Scale(domain=self.y, nice=False), title=None,
                axis=alt.Axis(values=self.ticks, labelExpr=style.PERCENT_LABEL),
            ),
        }  # fmt: skip


def _marks(panels: Sequence[PathPanel], offsets: Sequence[float], scale: _Scale, heading: Heading) -> list[alt.Chart]:
    """Return bands, paths, rules and labels of all panels, each in one layer."""
    import altair as alt
    import pandas as pd

    words = heading.words("日|Day", "累计|Cumulative")
    rows = pd.concat(
        [
            panel.path[["day", "value", "low", "high"]]
            .astype(float)
            .assign(x=panel.path["day"] - scale.first + offset, panel=at)
            for at, (offset, panel) in enumerate(zip(offsets, panels, strict=True))
        ],
        ignore_index=True,
    )
    base = alt.Chart(plain_rows(rows)).encode(detail="panel:N")
    line = base.mark_line(color=style.PALETTE[0], strokeWidth=1.8, tooltip=None).encode(**scale.channels("value"))
    dots = base.mark_point(opacity=0, size=80).encode(
        **scale.channels("value"),
        tooltip=[alt.Tooltip("day:Q", title=words[0]), alt.Tooltip("value:Q", title=words[1], format="+.2%")],
    )
    banded = rows[rows.groupby("panel")["low"].transform(lambda low: low.notna().all())]
    band = (
        alt.Chart(plain_rows(banded))
        .mark_area(color=_BAND, opacity=0.75, tooltip=None)
        .encode(**scale.channels("low"), y2="high:Q", detail="panel:N")
    )
    bands = [band] if len(banded) else []
    return [*bands, line, dots, _ticks(offsets, scale), _rules(offsets, scale), *_ends(rows, scale)]


def _ticks(offsets: Sequence[float], scale: _Scale) -> alt.Chart:
    import altair as alt

    rows = [
        {"x": offset + day - scale.first, "y": scale.y[0], "text": f"{day:+d}" if day else "0"}
        for offset in offsets
        for day in _DAY_TICKS
    ]
    ticks: alt.Chart = (
        alt.Chart({"values": tuple(rows)})
        .mark_text(baseline="top", dy=6, fontSize=10, color=style.INK, tooltip=None)
        .encode(**scale.channels("y"), text="text:N")
    )
    return ticks


def _rules(offsets: Sequence[float], scale: _Scale) -> alt.Chart:
    """Return the rule of day 0 and the zero line of every panel."""
    import altair as alt

    rows = []
    for offset in offsets:
        zero = offset - scale.first
        rows.append({"x": zero, "x2": zero, "y": scale.y[0], "y2": scale.y[1]})
        rows.append({"x": offset, "x2": zero + _DAY_TICKS[-1], "y": 0.0, "y2": 0.0})
    rule: alt.Chart = (
        alt.Chart({"values": tuple(rows)})
        .mark_rule(color=style.INK, strokeWidth=0.7, strokeDash=[3, 3], tooltip=None)
        .encode(**scale.channels("y"), x2="x2:Q", y2="y2:Q")
    )
    return rule


def _ends(rows: pd.DataFrame, scale: _Scale) -> list[alt.Chart]:
    """Return the last values over a white edge, each on the side of its line from which it did not come."""
    import altair as alt

    labels: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for _, panel in rows.groupby("panel"):
        last = panel.iloc[-1]
        below = bool(panel["value"].iloc[-_NEAR - 1 : -1].mean() > last["value"])
        text = style.percent_label(float(last["value"]))
        labels[below].append({"x": float(last["x"]), "value": float(last["value"]), "text": text})
    layers = []
    for below, values in labels.items():
        base = alt.Chart({"values": tuple(values)})
        place: dict[str, Any] = {
            "align": "right", "baseline": "top" if below else "bottom", "dy": 7 if below else -7, "fontSize": 11, "tooltip": None,
        }  # fmt: skip
        edge = base.mark_text(**place, stroke="#FFFFFF", strokeWidth=3, opacity=0.8)
        marks = [edge, base.mark_text(**place, color=style.PALETTE[0])] if values else []
        layers += [mark.encode(**scale.channels("value"), text="text:N") for mark in marks]
    return layers
