"""How a spreadsheet and a slide draw an exhibit with charts of their own: exhibits declare it, reports draw it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from aitheme.exhibits.columns import Kind

__all__ = [
    "Native",
    "NativeBand",
    "NativeChart",
    "NativeMatrix",
    "NativePanels",
    "NativeSpread",
    "NativeTimeline",
]


@dataclass(frozen=True, slots=True)
class NativeChart:
    """Lines or bars over a category axis.

    Parameters
    ----------
    kind
        ``line``, ``bar`` (lying) or ``column`` (standing).
    category
        Column along the category axis.
    values
        Columns drawn as series; with `series` a single column that is spread over the series.
    series
        Column that names the series of long data; None for wide data.
    quiet
        Those of `values` that are drawn thin and pale, such as quantile lines.
    log
        Whether the value axis is logarithmic.
    """

    kind: Literal["line", "bar", "column"]
    category: str
    values: tuple[str, ...]
    series: str | None = None
    quiet: tuple[str, ...] = ()
    log: bool = False


@dataclass(frozen=True, slots=True)
class NativePanels:
    """Several charts of the same rows, each headed by the label of its first value.

    Parameters
    ----------
    charts
        With one category column in common, and either all of them spread over one series column or none.
    """

    charts: tuple[NativeChart, ...]


@dataclass(frozen=True, slots=True)
class NativeBand:
    """A line inside a grey band; a chart for each run of rows with the same panel.

    Parameters
    ----------
    panel
        Column that names the charts.
    category
        Column along the category axis.
    value, low, high
        The line and the edges of the band.
    cross
        Category at which a dashed line stands.
    """

    panel: str
    category: str
    value: str
    low: str
    high: str
    cross: int


@dataclass(frozen=True, slots=True)
class NativeSpread:
    """Dots inside the quantiles they are held against.

    Parameters
    ----------
    group, category
        Outer and inner column along the category axis.
    value
        Column of the dots.
    quantiles
        Columns in ascending order; the first and the last bound the grey bar.
    label
        Text column written at the dots.
    reference
        Column of a value common to a group; None for none.
    """

    group: str
    category: str
    value: str
    quantiles: tuple[str, ...]
    label: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class NativeTimeline:
    """Events on a date axis, their names at stems of staggered heights.

    Parameters
    ----------
    day
        Column of dates.
    label
        Text column written at the stems.
    exact
        Column that tells whether the day is known; a hollow mark says that it is not.
    group
        Column told by the colour, empty for what stays grey; None for one colour.
    """

    day: str
    label: str
    exact: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class NativeMatrix:
    """A grid of numbers whose ground follows their value.

    Parameters
    ----------
    rows
        Columns that name the rows of the grid.
    values
        Columns of the grid; with `column` a single one that is spread over it.
    full
        Value from which on the colour is full.
    column
        Column of long data that heads the grid; None for wide data.
    scale
        ``diverging`` (red above zero, green below) or ``sequential`` (navy above zero).
    mark
        Text column set behind the number, such as stars of significance.
    kind
        How the numbers are written; as in the column of values by default.
    own
        Text column written where a name of the rows meets itself, in brackets; nothing stands there without it.
    muted
        Column that is zero for the rows whose names are grey.
    red
        Columns of a wide grid that are red, not navy.
    hide_zero
        Whether a zero is left blank.
    """

    rows: tuple[str, ...]
    values: tuple[str, ...]
    full: float
    column: str | None = None
    scale: Literal["diverging", "sequential"] = "diverging"
    mark: str | None = None
    kind: Kind | None = None
    own: str | None = None
    muted: str | None = None
    red: tuple[str, ...] = ()
    hide_zero: bool = False


Native = NativeChart | NativePanels | NativeBand | NativeSpread | NativeTimeline | NativeMatrix
"""What an exhibit may declare."""
