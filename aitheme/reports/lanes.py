"""Heights at which the names of a timeline stand, so that no name covers another or a stem."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["lanes", "last_day"]

_MOST_SHARE = 0.6
_GAP = 0.02


def last_day(days: Sequence[date], widths: Sequence[float]) -> date:
    """Return where a date axis has to end so that every name right of its day stays on it.

    Parameters
    ----------
    days
        Of the events; the axis begins with the first.
    widths
        Of their names, as shares of the axis; more than 0.6 counts as that.
    """
    first = min(days)
    needed = (
        (day - first).days / (1 - min(width, _MOST_SHARE) - _GAP) for day, width in zip(days, widths, strict=True)
    )
    return first + timedelta(days=max(1, *(round(length + 0.5) for length in needed), (max(days) - first).days))


def lanes(days: Sequence[date], widths: Sequence[float], end: date) -> list[int]:
    """Return a lane per event, 1 the lowest; a name stands right of its event on top of the stem.

    An event stands above every later one whose stem its name would cross, so the longest pile of names that start
    within each other's reach is the number of lanes.

    Parameters
    ----------
    days
        Of the events, in any order.
    widths
        Of their names, as shares of the axis.
    end
        Where the axis ends.
    """
    first = min(days)
    length = max(1, (end - first).days)
    at = [(day - first).days / length for day in days]
    found = [0] * len(days)
    order = sorted(range(len(days)), key=lambda one: (at[one], one))
    for place in reversed(range(len(order))):
        one = order[place]
        under = [found[later] for later in order[place + 1 :] if at[later] <= at[one] + widths[one] + _GAP / 2]
        found[one] = max(under, default=0) + 1
    return found
