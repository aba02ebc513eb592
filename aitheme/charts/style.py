"""The look all charts share: colours, type sizes, axes and tick rules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from aitheme.charts.fonts import FONT_STACK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

__all__ = [
    "BENCHMARK",
    "DOWN",
    "INK",
    "MUTED",
    "PALETTE",
    "UP",
    "date_ticks",
    "enable_theme",
    "half_up",
    "nice_ticks",
    "percent_label",
    "sign_colour",
    "theme_config",
]

PALETTE = ("#B22222", "#1F3A68", "#C8963E", "#2A7F7F", "#6E4B7B")
BENCHMARK = "#7F7F7F"
MUTED = "#B5B5B5"
INK = "#333333"
GRID = "#E6E6E6"
UP, DOWN = "#B22222", "#2E7D32"
WATERMARK = "SIMULATED 模拟数据"

TITLE_SIZE, SUBTITLE_SIZE, LABEL_SIZE, SOURCE_SIZE = 14, 11, 11, 10
MOST_TICKS = 7
NUMBER_LABEL = "'' + datum.value"
PERCENT_LABEL = "round(datum.value * 10000) / 100 + '%'"
"""Axis labels as written by the tick itself; a d3 format would take its precision from ticks that are not drawn."""
_LONG_SPAN_DAYS = 150


def theme_config(font: str = FONT_STACK) -> dict[str, Any]:
    """Return the Vega-Lite configuration of the house look.

    Parameters
    ----------
    font
        Font family or stack; the renderer takes the first one it has.
    """
    axis = {
        "labelColor": INK, "labelFontSize": LABEL_SIZE, "titleColor": INK, "titleFontSize": LABEL_SIZE,
        "titleFontWeight": "normal", "tickColor": BENCHMARK, "domainColor": BENCHMARK, "gridColor": GRID,
        "labelFont": font, "titleFont": font,
    }  # fmt: skip
    return {
        "font": font,
        "background": "#FFFFFF",
        "padding": 0,
        "view": {"stroke": None},
        "axis": axis,
        "axisX": {"grid": False},
        "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
        "range": {"category": list(PALETTE)},
        "legend": {"labelFontSize": LABEL_SIZE, "labelFont": font, "titleFont": font, "labelColor": INK},
        "text": {"font": font, "fontSize": LABEL_SIZE, "color": INK},
    }


def enable_theme() -> None:
    """Make the house look the default of Altair in this process (importing this package does not)."""
    import altair as alt

    alt.theme.register("aitheme", enable=True)(lambda: {"config": theme_config()})  # type: ignore[typeddict-item]


def sign_colour(value: float) -> str:
    """Return red for a gain and green for a loss, as the mainland market colours them."""
    return DOWN if value < 0 else UP


def percent_label(value: float, digits: int = 1) -> str:
    """Return a ratio as a signed percentage: ``+12.3%``."""
    rounded = half_up(value * 100, digits)
    return f"{rounded:+.{digits}f}%" if rounded else f"{0:.{digits}f}%"


def half_up(value: float, digits: int = 0) -> float:
    """Round half away from zero, as reports do: 62.5 gives 63."""
    from decimal import ROUND_HALF_UP, Decimal

    # Nine decimals first, so that 62.49999999999999 of a quotient is the tie it stands for.
    exact = Decimal(repr(round(float(value), 9)))
    return float(exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))


def nice_ticks(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """Return evenly spaced round values that enclose a range, at most `most` of them.

    The step is 1, 2, 2.5 or 5 times a power of ten.
    """
    if not high > low:
        high = low + (abs(low) or 1.0)
    exponent = math.floor(math.log10((high - low) / most)) - 1
    for power in range(exponent, exponent + 4):
        for factor in (1.0, 2.0, 2.5, 5.0):
            step = factor * 10.0**power
            first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
            if last - first + 1 <= most:
                return [round(index * step, 12) for index in range(first, last + 1)]
    return [low, high]


def date_ticks(sessions: Sequence[date], most: int = MOST_TICKS) -> list[tuple[int, str]]:
    """Return positions and labels of the date axis of a run of sessions.

    A long run is marked at the first session of months and labelled ``24/03``, a short one at even steps and labelled
    ``24/03/18``.
    """
    count = len(sessions)
    if count < 2:  # noqa: PLR2004 (one session is one tick)
        return [(index, f"{day:%y/%m/%d}") for index, day in enumerate(sessions)]
    if (sessions[-1] - sessions[0]).days > _LONG_SPAN_DAYS:
        starts = [at for at in range(1, count) if sessions[at].month != sessions[at - 1].month]
        step = math.ceil(len(starts) / most)
        return [(at, f"{sessions[at]:%y/%m}") for at in starts[::step]]
    step = max(1, math.ceil((count - 1) / (most - 1)))
    return [(at, f"{sessions[at]:%y/%m/%d}") for at in range(0, count, step)]
