"""What a chart in Excel or PowerPoint draws: columns of one table of rows, and how each of them looks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from aitheme.exhibits.columns import EXCEL_FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pandas as pd

    from aitheme.exhibits.columns import Column, Kind

__all__ = ["FONT", "WATERMARK", "Plot", "Series", "Shades", "SheetForm", "arranged", "axis_format", "date_format"]

FONT = "Microsoft YaHei"
WATERMARK = "SIMULATED 模拟数据"

_WIDE, _NARROW = 0.1, 0.01
_MONTHLY = 20
_SIDE_BY_SIDE = 2
_THREE_ACROSS = 4


@dataclass(frozen=True, slots=True)
class Series:
    """A column as drawn.

    Parameters
    ----------
    column, name
        Its key in the table, and what the legend says.
    colour
        As ``#RRGGBB``.
    look
        ``line``, ``dashed``, ``thin``, ``bar``, ``tick`` (a short lying dash), ``dot``, or ``stem`` (a dot on a line down to
        the axis).
    labels
        Text column written at the points; empty for none.
    hollow
        Rows whose dot is hollow.
    """

    column: str
    name: str
    colour: str
    look: Literal["line", "dashed", "thin", "bar", "tick", "dot", "stem"]
    labels: str = ""
    hollow: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart over some rows of a table.

    Parameters
    ----------
    kind
        ``scatter`` has dates along x, the others categories.
    category
        One column, or an outer and an inner one.
    series
        In the order of drawing.
    first, last
        Rows of the table, from 0, both drawn.
    values
        Kind of the numbers on the value axis.
    title
        Of one chart among several; empty for the exhibit's own.
    axis, category_axis
        Titles of the axes; empty for none.
    band
        Whether grey bars stand between the first and the last series.
    log
        Whether the value axis is logarithmic.
    signed
        Whether bars below zero are green.
    from_zero
        Whether the value axis has to begin with zero, as that of bars without a negative one.
    days
        First and last day of the x axis of a scatter chart.
    bounds
        Low and high end of the value axis and the step of its ticks; None where the program chooses.
    cross
        Category, counted from 1, at which the value axis stands as a dashed line; None for the edge.
    """

    kind: Literal["line", "bar", "column", "scatter"]
    category: tuple[str, ...]
    series: tuple[Series, ...]
    first: int
    last: int
    values: Kind
    title: str = ""
    axis: str = ""
    category_axis: str = ""
    band: bool = False
    log: bool = False
    signed: bool = False
    from_zero: bool = False
    days: tuple[date, date] | None = None
    bounds: tuple[float, float, float] | None = None
    cross: int | None = None

    @property
    def legend(self) -> bool:
        """Whether there is more than one series to tell apart."""
        return len(self.series) > 1


@dataclass(frozen=True, slots=True)
class Shades:
    """The part of a table whose ground follows the numbers.

    Parameters
    ----------
    columns
        Its columns; all rows belong to it.
    full
        Value from which on the colour is full.
    diverging
        Red above zero and green below, or navy above zero.
    marks
        Text behind the number by row and column.
    texts
        What is written where no number belongs, such as a name against itself; often nothing.
    red
        Columns that are red where they are not diverging.
    muted
        Rows whose names are grey.
    hide_zero
        Whether a zero is left blank.
    """

    columns: tuple[str, ...]
    full: float
    diverging: bool
    marks: Mapping[tuple[int, str], str]
    texts: Mapping[tuple[int, str], str]
    red: frozenset[str] = frozenset()
    muted: frozenset[int] = frozenset()
    hide_zero: bool = False

    def colour(self, value: float, column: str) -> str:
        """Return the ground of a cell."""
        from aitheme.charts.heatmap import diverging, sequential

        two_sided = self.diverging or column in self.red
        return diverging(value, self.full) if two_sided else sequential(value, 0.0, self.full)


@dataclass(frozen=True, slots=True)
class SheetForm:
    """An exhibit as a sheet or slide shows it.

    Parameters
    ----------
    data, columns
        The table that all charts are drawn from.
    plots
        The charts.
    shades
        Where the table itself is the picture; None elsewhere.
    rest
        The exhibit's own rows where the table holds one column of them only, with the column the table holds and its place
        in the table by row; None elsewhere.
    """

    data: pd.DataFrame
    columns: Mapping[str, Column]
    plots: tuple[Plot, ...] = ()
    shades: Shades | None = None
    rest: Rest | None = None

    @property
    def drawn(self) -> frozenset[str]:
        """Columns of the charts: a missing number in them is an empty cell, since a text would be drawn as zero."""
        return frozenset(series.column for plot in self.plots for series in plot.series)


@dataclass(frozen=True, slots=True)
class Rest:
    """The rows behind a grid.

    Parameters
    ----------
    data, columns
        All of them, as the exhibit has them.
    value
        The column that the grid holds.
    places
        Row and column of the grid for each row.
    """

    data: pd.DataFrame
    columns: Mapping[str, Column]
    value: str
    places: Sequence[tuple[int, str]]


def axis_format(plot: Plot, data: pd.DataFrame) -> str:
    """Return the number format of the value axis: no more decimals of a per cent than its range needs."""
    if plot.values not in {"change", "ratio", "fine", "share"}:
        return EXCEL_FORMATS["integer" if plot.values in {"integer", "price"} and not plot.log else "number"]
    numbers = data[[series.column for series in plot.series]].iloc[plot.first : plot.last + 1].astype(float)
    reach = max(float(numbers.max().max()), 0.0) - min(float(numbers.min().min()), 0.0)
    digits = "0%" if reach >= _WIDE else "0.0%" if reach >= _NARROW else "0.00%"
    return f"+{digits};-{digits};{digits}" if plot.values == "change" else digits


def date_format(days: pd.Series[date]) -> str:
    """Return the strftime format of a date axis: days, or months where the dates are that far apart."""
    steps = [(later - sooner).days for sooner, later in pairwise(days)]
    return "%y/%m" if steps and min(steps) > _MONTHLY else "%y/%m/%d"


def arranged(count: int, *, shared: bool) -> tuple[int, int]:
    """Return columns and rows of several charts; two over the same rows stand above each other."""
    across = 1 if count == 1 or (shared and count == _SIDE_BY_SIDE) else 2 if count <= _THREE_ACROSS else 3
    return across, -(-count // across)
