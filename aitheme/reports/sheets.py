"""From what an exhibit declares to the table and the charts that Excel and PowerPoint draw alike."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Any

from aitheme.charts.style import BENCHMARK, MUTED, PALETTE, UP, nice_ticks
from aitheme.exhibits.columns import Column, is_missing
from aitheme.exhibits.native import (
    NativeBand,
    NativeChart,
    NativeMatrix,
    NativePanels,
    NativeSpread,
    NativeTimeline,
)
from aitheme.reports.plots import Plot, Rest, Series, Shades, SheetForm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from aitheme.exhibits import Exhibit

__all__ = ["sheet_form", "sheet_table"]

_BENCHMARKS = frozenset({"沪深300", "CSI 300"})
_PALE = "#9DB8D2"
# A second round of the palette, thinned, for charts of more series than it has colours.
_COLOURS = (*PALETTE, "#D98C8C", "#8397B3", "#E0C79A", "#8FBABA", "#B2A0B8")
_BAND = "#BFBFBF"
_MIDDLE = "#6B6B6B"
_NAME_PIXELS, _AXIS_PIXELS = 12.0, 860.0


def sheet_table(exhibit: Exhibit) -> tuple[pd.DataFrame, Mapping[str, Column]]:
    """Return an exhibit's rows as a reader wants them: long data of lines and bars spread over its series, else as they are."""
    assert exhibit.content is not None
    if isinstance(exhibit.content.native, NativeChart | NativePanels):
        form = sheet_form(exhibit)
        return form.data, form.columns
    return _shown(exhibit), exhibit.content.columns


def sheet_form(exhibit: Exhibit) -> SheetForm:
    """Return the table of an exhibit that is available and the charts of it."""
    assert exhibit.content is not None
    native = exhibit.content.native
    if isinstance(native, NativeChart | NativePanels):
        return _charts(exhibit, native.charts if isinstance(native, NativePanels) else (native,))
    if isinstance(native, NativeBand):
        return _band(exhibit, native)
    if isinstance(native, NativeSpread):
        return _spread(exhibit, native)
    if isinstance(native, NativeTimeline):
        return _timeline(exhibit, native)
    return SheetForm(_shown(exhibit), exhibit.content.columns) if native is None else _matrix(exhibit, native)


def _shown(exhibit: Exhibit) -> pd.DataFrame:
    assert exhibit.content is not None
    return exhibit.data[list(exhibit.content.columns)]


def _key(chart: NativeChart, name: object, *, alone: bool) -> str:
    return str(name) if alone else f"{chart.values[0]}: {name}"


def _charts(exhibit: Exhibit, charts: Sequence[NativeChart]) -> SheetForm:
    assert exhibit.content is not None
    labels = exhibit.content.columns
    series = charts[0].series
    if series is None:
        data, columns = _shown(exhibit), labels
        drawn = [[(name, labels[name].label(exhibit.lang)) for name in chart.values] for chart in charts]
    else:
        data, columns = _spread_out(exhibit, charts, series)
        names = list(dict.fromkeys(exhibit.data[series]))
        drawn = [[(_key(chart, name, alone=len(charts) == 1), str(name)) for name in names] for chart in charts]
        drawn = [[one for one in own if data[one[0]].notna().any()] for own in drawn]
    plots = tuple(
        _plot(chart, own, data, labels[chart.values[0]], exhibit.lang, alone=len(charts) == 1)
        for chart, own in zip(charts, drawn, strict=True)
    )
    return SheetForm(data, columns, plots)


def _spread_out(
    exhibit: Exhibit, charts: Sequence[NativeChart], series: str
) -> tuple[pd.DataFrame, Mapping[str, Column]]:
    """Return one column per series, for each of the charts' values."""
    import pandas as pd

    assert exhibit.content is not None
    data, category = exhibit.data, charts[0].category
    order, categories = (list(dict.fromkeys(data[name])) for name in (series, category))
    if all(isinstance(one, date) for one in categories):
        categories.sort()
    columns = {category: exhibit.content.columns[category]}
    parts = []
    for chart in charts:
        value = chart.values[0]
        label, alone = exhibit.content.columns[value], len(charts) == 1
        keys = [_key(chart, one, alone=alone) for one in order]
        wide = data.pivot_table(index=category, columns=series, values=value)
        parts.append(wide.reindex(index=categories, columns=order).set_axis(keys, axis=1))
        groups = ("", "") if alone else (label.zh, label.en)
        columns |= {key: Column(str(one), str(one), label.kind, *groups) for key, one in zip(keys, order, strict=True)}
    return pd.concat(parts, axis=1).rename_axis(index=category, columns=None).reset_index(), columns


def _plot(
    chart: NativeChart,
    drawn: Sequence[tuple[str, str]],
    data: pd.DataFrame,
    label: Column,
    lang: str,
    *,
    alone: bool,
) -> Plot:
    loud = [key for key, name in drawn if key not in chart.quiet and name not in _BENCHMARKS]
    colours = {key: _COLOURS[at % len(_COLOURS)] for at, key in enumerate(loud)}
    series = [
        Series(key, name, BENCHMARK if name in _BENCHMARKS else colours.get(key, _PALE), _look(chart, key, name))
        for key, name in drawn
    ]
    signed = chart.kind != "line" and len(series) == 1 and bool((data[series[0].column] < 0).any())
    if signed:
        series = [Series(series[0].column, series[0].name, UP, "bar")]
    elif chart.kind != "line" and len(series) == 1 and label.kind != "change":
        # Red is for what has risen.
        series = [Series(series[0].column, series[0].name, PALETTE[1], "bar")]
    one = len(chart.values) == 1
    numbers = data[[key for key, _ in drawn]].astype(float)
    least, most = float(numbers.min().min()), float(numbers.max().max())
    # Bars on a logarithmic axis begin a decade below the smallest, which would have no length otherwise.
    bounds = (
        (10.0 ** (math.ceil(math.log10(least)) - 1), 10.0 ** math.ceil(math.log10(most)), 10.0) if chart.log else None
    )
    return Plot(
        chart.kind, (chart.category,), tuple(series), 0, len(data) - 1, label.kind,
        title="" if alone else label.label(lang), axis=label.label(lang) if alone and one else "", log=chart.log,
        signed=signed, from_zero=chart.kind != "line" and not chart.log and least >= 0, bounds=bounds,
    )  # fmt: skip


def _look(chart: NativeChart, key: str, name: str) -> Any:
    if chart.kind != "line":
        return "bar"
    return "dashed" if name in _BENCHMARKS else "thin" if key in chart.quiet else "line"


def _band(exhibit: Exhibit, band: NativeBand) -> SheetForm:
    assert exhibit.content is not None
    data, columns, lang = _shown(exhibit), exhibit.content.columns, exhibit.lang
    numbers = data[[band.value, band.low, band.high]].astype(float)
    ticks = nice_ticks(min(0.0, float(numbers.min().min())), max(0.0, float(numbers.max().max())))
    names = {name: columns[name].label(lang) for name in (band.low, band.value, band.high)}
    plots = []
    for panel in dict.fromkeys(data[band.panel]):
        at = [row for row, name in enumerate(data[band.panel]) if name == panel]
        days = [int(day) for day in data[band.category].iloc[at]]
        known = bool(numbers[band.low].iloc[at].notna().any())
        line = Series(band.value, names[band.value], PALETTE[0], "line")
        low, high = (Series(name, names[name], _BAND, "thin") for name in (band.low, band.high))
        plots.append(
            Plot("line", (band.category,), (low, line, high) if known else (line,), at[0], at[-1], columns[band.value].kind,
                 title=str(panel), category_axis=columns[band.category].label(lang), band=known,
                 bounds=(ticks[0], ticks[-1], ticks[1] - ticks[0]), cross=days.index(band.cross) + 1)
        )  # fmt: skip
    return SheetForm(data, columns, tuple(plots))


def _spread(exhibit: Exhibit, spread: NativeSpread) -> SheetForm:
    """Return dots in grey bars; the outer category is written once, as a two-level axis wants it."""
    assert exhibit.content is not None
    order = [
        spread.group,
        spread.category,
        *(one for one in exhibit.content.columns if one not in {spread.group, spread.category}),
    ]
    lang = exhibit.lang
    columns = {name: exhibit.content.columns[name] for name in order}
    columns[spread.label] = Column("标签", "Label")
    data = exhibit.data[list(columns)]
    groups = list(dict.fromkeys(data[spread.group]))
    data = data.sort_values(spread.group, key=lambda names: names.map(groups.index), kind="stable", ignore_index=True)
    data[spread.group] = data[spread.group].mask(data[spread.group] == data[spread.group].shift(), "")
    low, *inner, high = spread.quantiles
    middle = spread.quantiles[len(spread.quantiles) // 2]
    ticks = [
        Series(name, columns[name].label(lang), _MIDDLE if name == middle else _BAND, "tick") for name in (low, *inner)
    ]
    if spread.reference is not None and data[spread.reference].notna().any():
        ticks.append(Series(spread.reference, columns[spread.reference].label(lang), PALETTE[1], "tick"))
    dots = Series(spread.value, columns[spread.value].label(lang), PALETTE[0], "dot", labels=spread.label)
    top = Series(high, columns[high].label(lang), _BAND, "tick")
    known = bool(data[low].notna().any())
    plot = Plot(
        "line", (spread.group, spread.category), (*ticks, dots, top) if known else (*ticks[len(inner) + 1 :], dots), 0,
        len(data) - 1, columns[spread.value].kind, axis=columns[spread.value].label(lang), band=known,
    )  # fmt: skip
    return SheetForm(data, columns, (plot,))


def _timeline(exhibit: Exhibit, timeline: NativeTimeline) -> SheetForm:
    """Return one column of stem heights per group, so that each is a series with its colour and name."""
    from aitheme.charts.fonts import text_width
    from aitheme.reports.lanes import lanes, last_day

    assert exhibit.content is not None
    zh = exhibit.lang == "zh"
    data = exhibit.data
    shares = [text_width(str(text), _NAME_PIXELS) / _AXIS_PIXELS for text in data[timeline.label]]
    days = list(data[timeline.day])
    end = last_day(days, shares)
    heights = lanes(days, shares, end)
    other, height = ("其他", "高度") if zh else ("Others", "Height")
    owners = [height] * len(data) if timeline.group is None else [str(one) or other for one in data[timeline.group]]
    # The longest series first: LibreOffice drops those of a scatter chart that are shorter than a later one.
    names = sorted(dict.fromkeys(owners), key=lambda name: -owners.count(name))
    coloured = [name for name in names if name != other]
    columns = dict(exhibit.content.columns)
    columns[timeline.day] = Column("位置", "Position", "date")
    columns[timeline.label] = Column("标签", "Label")
    keys = {name: f"height: {name}" for name in names}
    for name, key in keys.items():
        columns[key] = Column(name, name, "integer", *(("", "") if name == height else ("高度", "Height")))
        data[key] = [float(up) if owner == name else float("nan") for up, owner in zip(heights, owners, strict=True)]
    vague = frozenset(row for row, exact in enumerate(data[timeline.exact]) if not exact)
    series = tuple(
        Series(keys[name], name, MUTED if name == other else PALETTE[coloured.index(name) % len(PALETTE)], "stem",
               timeline.label, vague)
        for name in names
    )  # fmt: skip
    plot = Plot("scatter", (timeline.day,), series, 0, len(data) - 1, "integer", days=(min(days), end),
                bounds=(0.0, max(heights) + 1.0, 1.0))  # fmt: skip
    return SheetForm(data[list(columns)], columns, (plot,))


def _matrix(exhibit: Exhibit, matrix: NativeMatrix) -> SheetForm:
    assert exhibit.content is not None
    if matrix.column is None:
        shades = Shades(
            matrix.values, matrix.full, matrix.scale == "diverging", {}, {}, frozenset(matrix.red),
            hide_zero=matrix.hide_zero,
        )  # fmt: skip
        return SheetForm(_shown(exhibit), exhibit.content.columns, shades=shades)
    own, data, value = exhibit.content.columns, exhibit.data, matrix.values[0]
    heads = list(data[list(matrix.rows)].itertuples(index=False, name=None))
    rows = list(dict.fromkeys(heads))
    names = [str(name) for name in dict.fromkeys(data[matrix.column])]
    if set(names) == {str(row[0]) for row in rows}:
        names = [str(row[0]) for row in rows]
    where = {row: at for at, row in enumerate(rows)}
    places = [(where[head], str(name)) for head, name in zip(heads, data[matrix.column], strict=True)]
    grid = _grid(matrix.rows, rows, names, dict(zip(places, data[value], strict=True)))
    columns = {name: Column(own[name].zh, own[name].en, own[name].kind) for name in matrix.rows}
    columns |= {name: Column(name, name, matrix.kind or own[value].kind) for name in names}
    rest = Rest(_shown(exhibit), own, value, places)
    return SheetForm(grid, columns, shades=_shades(matrix, data, rows, tuple(names), places), rest=rest)


def _shades(
    matrix: NativeMatrix,
    data: pd.DataFrame,
    rows: Sequence[tuple[Any, ...]],
    names: tuple[str, ...],
    places: Sequence[tuple[int, str]],
) -> Shades:
    """Return the colours of a grid of long data, and what stands in and beside its cells."""
    texts = dict.fromkeys({(at, name) for at in range(len(rows)) for name in names} - set(places), "")
    if matrix.own is not None:
        sizes = {at: str(size) for (at, _), size in zip(places, data[matrix.own], strict=True)}
        texts |= {(at, str(row[0])): f"({sizes[at]})" for at, row in enumerate(rows) if (at, str(row[0])) in texts}
    marks = (
        {}
        if matrix.mark is None
        else {at: str(mark) for at, mark in zip(places, data[matrix.mark], strict=True) if mark}
    )
    muted = (
        [] if matrix.muted is None else [at for (at, _), one in zip(places, data[matrix.muted], strict=True) if not one]
    )
    return Shades(
        names,
        matrix.full,
        matrix.scale == "diverging",
        marks,
        texts,
        muted=frozenset(muted),
        hide_zero=matrix.hide_zero,
    )


def _grid(
    labels: Sequence[str], rows: Sequence[tuple[Any, ...]], names: Sequence[str], cells: Mapping[tuple[int, str], Any]
) -> pd.DataFrame:
    import pandas as pd

    grid = pd.DataFrame(list(rows), columns=list(labels), dtype=object)
    numbers = {
        name: [float("nan") if is_missing(cells.get((at, name))) else float(cells[at, name]) for at in range(len(rows))]
        for name in names
    }
    return pd.concat([grid, pd.DataFrame(numbers, dtype=float)], axis=1)
