"""Which days a vendor's rows may carry: closed sessions of the security's exchange, and nothing later."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np

from aitheme.calendar import BEIJING, Exchange, calendar_for
from aitheme.errors import CalendarHorizonError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["exchange_of", "last_closed_session", "last_final_day", "missing_sessions", "shift_back", "trading_days"]

# Time after which a day's bar is final at the vendors: the close plus the time they take to settle it.
_FINAL: Final[dict[Exchange, tuple[ZoneInfo, time]]] = {
    "XSHG": (BEIJING, time(15, 30)),
    "XHKG": (ZoneInfo("Asia/Hong_Kong"), time(16, 40)),
    "XNYS": (ZoneInfo("America/New_York"), time(17, 0)),
}
_WEEKEND: Final = 5


def exchange_of(symbol: str) -> Exchange:
    """Return the exchange whose sessions a canonical symbol follows."""
    market = symbol.rpartition(".")[2]
    return "XHKG" if market == "HK" else "XNYS" if market == "US" else "XSHG"


def last_final_day(exchange: Exchange, now: datetime) -> date:
    """Return the last calendar day whose bar is final at an exchange, if the day is a session at all."""
    zone, final = _FINAL[exchange]
    local = now.astimezone(zone)
    return local.date() if local.time() >= final else local.date() - timedelta(days=1)


def last_closed_session(exchange: Exchange, now: datetime) -> date:
    """Return the last session whose daily bar is final.

    Parameters
    ----------
    exchange
        ``XSHG``, ``XHKG`` or ``XNYS``.
    now
        Current time (aware). Beyond the calendar's horizon every weekday counts as a session.
    """
    day = last_final_day(exchange, now)
    try:
        return calendar_for(exchange).on_or_before(day)
    except CalendarHorizonError:
        while day.weekday() >= _WEEKEND:
            day -= timedelta(days=1)
        return day


@cache
def _known_days(exchange: Exchange) -> NDArray[np.datetime64]:
    calendar = calendar_for(exchange)
    return calendar.sessions(calendar.first, calendar.horizon).to_numpy().astype("datetime64[D]")


def trading_days(exchange: Exchange, days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Tell for each day (shape (n,)) whether the exchange traded; outside the calendar every weekday may have."""
    known = _known_days(exchange)
    year_end = np.datetime64(f"{known[-1].astype('datetime64[Y]')}-12-31")
    outside = (days < known[0]) | (days > year_end)
    position = np.searchsorted(known, days).clip(max=len(known) - 1)
    weekday = (days.astype("int64") + 3) % 7 < _WEEKEND
    return np.where(outside, weekday, known[position] == days)


def missing_sessions(
    exchange: Exchange, have: NDArray[np.datetime64], since: date, until: date
) -> NDArray[np.datetime64]:
    """Return the known sessions from `since` to `until`, both included, that are not in `have`."""
    known = _known_days(exchange)
    inside = known[(known >= np.datetime64(since)) & (known <= np.datetime64(until))]
    return inside[~np.isin(inside, have.astype("datetime64[D]"))]


def shift_back(exchange: Exchange, day: date, sessions: int) -> date:
    """Return the day `sessions` sessions before a day: where an overlap window begins."""
    known = _known_days(exchange)
    position = int(np.searchsorted(known, np.datetime64(day)))
    start: date = known[max(position - sessions, 0)].item()
    return min(start, day)
