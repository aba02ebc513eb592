"""Trading sessions of each exchange, and the first session at which the market can react to an announcement.

Sessions come from `exchange_calendars`, corrected by ``calendar_overrides.csv`` (closures the library lacks). The
calendar never extrapolates: a date outside the published schedule raises :class:`CalendarHorizonError`.
"""

from __future__ import annotations

import csv
import warnings
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from aitheme.errors import CalendarHorizonError, DateRangeError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BEIJING", "Exchange", "SessionCalendar", "calendar_for", "first_session", "parse_date"]

Exchange = Literal["XSHG", "XHKG", "XNYS"]
BEIJING = ZoneInfo("Asia/Shanghai")
_CLOSE_AUCTION_END = time(15, 0)
_FIRST_SESSION_YEAR: dict[str, str] = {"XSHG": "1990-12-19", "XHKG": "2000-01-03", "XNYS": "2000-01-03"}
_ALIASES: dict[str, Exchange] = {
    "SSE": "XSHG", "SZSE": "XSHG", "XSHE": "XSHG", "SH": "XSHG", "SZ": "XSHG", "BJ": "XSHG", "XSHG": "XSHG",
    "HKEX": "XHKG", "HK": "XHKG", "XHKG": "XHKG",
    "NYSE": "XNYS", "NASDAQ": "XNYS", "US": "XNYS", "XNYS": "XNYS",
}  # fmt: skip


def parse_date(value: str | date, parameter: str = "date") -> date:
    """Read an ISO date (``2024-03-18`` or ``20240318``).

    Raises
    ------
    DateRangeError
        The text is not a date.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value.strip())
    except ValueError as error:
        raise DateRangeError(f"{parameter}: {value!r} is not a date; write it like 2024-03-18") from error


@dataclass(frozen=True, slots=True)
class _Override:
    exchange: str
    day: date
    is_open: bool


@cache
def _overrides() -> tuple[_Override, ...]:
    text = resources.files("aitheme").joinpath("calendar_overrides.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return tuple(_Override(r["exchange"], date.fromisoformat(r["date"]), r["status"] == "open") for r in rows)


class SessionCalendar:
    """Sessions of one exchange with an explicit horizon.

    Parameters
    ----------
    exchange
        ``XSHG`` (also Shenzhen and Beijing), ``XHKG`` or ``XNYS``, or a usual alias (``SSE``, ``HKEX``, ``NYSE``).
    """

    def __init__(self, exchange: str) -> None:
        import exchange_calendars
        import numpy as np

        if exchange not in _ALIASES:
            raise CalendarHorizonError(f"exchange: {exchange!r} is unknown; use one of {', '.join(sorted(_ALIASES))}")
        self.exchange: Exchange = _ALIASES[exchange]
        with warnings.catch_warnings():
            # The library still uses pandas calls that pandas 3.1 deprecates; its sessions are right all the same.
            warnings.simplefilter("ignore", DeprecationWarning)
            library = exchange_calendars.get_calendar(self.exchange, start=_FIRST_SESSION_YEAR[self.exchange])
        days = {stamp.date() for stamp in library.sessions}
        for override in _overrides():
            if override.exchange == self.exchange:
                (days.add if override.is_open else days.discard)(override.day)
        self._days = np.array(sorted(days), dtype="datetime64[D]")

    @property
    def first(self) -> date:
        """First known session."""
        return self._days[0].item()  # type: ignore[no-any-return]

    @property
    def horizon(self) -> date:
        """Last known session."""
        return self._days[-1].item()  # type: ignore[no-any-return]

    def sessions(self, start: str | date, end: str | date) -> pd.DatetimeIndex:
        """Return all sessions from `start` to `end`, both included.

        Raises
        ------
        DateRangeError
            `start` lies after `end`.
        CalendarHorizonError
            Part of the range is outside the known schedule.
        """
        import numpy as np
        import pandas as pd

        low, high = parse_date(start, "start"), parse_date(end, "end")
        if low > high:
            raise DateRangeError(f"start: {low} lies after end {high}; swap them")
        self._check(low)
        self._check(high)
        left = np.searchsorted(self._days, np.datetime64(low), side="left")
        right = np.searchsorted(self._days, np.datetime64(high), side="right")
        return pd.DatetimeIndex(self._days[left:right].astype("datetime64[ns]"), name="session")

    def is_session(self, day: str | date) -> bool:
        """Tell whether the exchange trades on a day."""
        moment = parse_date(day)
        self._check(moment)
        return self.on_or_before(moment) == moment

    def on_or_before(self, day: str | date) -> date:
        """Return the last session on or before a day (the close a base date means)."""
        return self._at(day, "right", -1)

    def on_or_after(self, day: str | date) -> date:
        """Return the first session on or after a day."""
        return self._at(day, "left", 0)

    def after(self, day: str | date) -> date:
        """Return the first session strictly after a day."""
        return self._at(day, "right", 0)

    def shift(self, session: str | date, count: int) -> date:
        """Return the session `count` sessions later (negative: earlier) than the session on or after a day."""
        return self._at(session, "left", count)

    def count(self, start: str | date, end: str | date) -> int:
        """Return the number of sessions from `start` to `end`, both included."""
        return len(self.sessions(start, end))

    def _at(self, day: str | date, side: Literal["left", "right"], offset: int) -> date:
        import numpy as np

        moment = parse_date(day)
        self._check(moment)
        position = int(np.searchsorted(self._days, np.datetime64(moment), side=side)) + offset
        if not 0 <= position < len(self._days):
            raise self._horizon_error(moment)
        return self._days[position].item()  # type: ignore[no-any-return]

    def _check(self, day: date) -> None:
        # The year of the last session is known to its end: what follows the last session in it is a holiday.
        if not self.first <= day <= date(self.horizon.year, 12, 31):
            raise self._horizon_error(day)

    def _horizon_error(self, day: date) -> CalendarHorizonError:
        return CalendarHorizonError(
            f"date: {day} is outside the known sessions of {self.exchange} ({self.first} to {self.horizon}); "
            "upgrade exchange_calendars, or add the official schedule to calendar_overrides.csv"
        )


@cache
def calendar_for(exchange: str = "XSHG") -> SessionCalendar:
    """Return the calendar of an exchange, built once per process."""
    return SessionCalendar(exchange)


def first_session(announced: str | date | datetime, zone: str = "Asia/Shanghai", *, exchange: str = "XSHG") -> date:
    """Return event day 0: the first session at which the mainland market can react.

    Parameters
    ----------
    announced
        A datetime (naive ones are in `zone`) when the instant is known, otherwise a date in `zone`.
    zone
        IANA name of the zone the announcement is dated in.
    exchange
        Whose market reacts.

    Returns
    -------
    datetime.date
        A known instant before 15:00 Beijing on a session gives that session, otherwise the next one. A bare Asian
        date gives that session or the next; a bare American or European date gives the session after it, since that
        working day falls into the Beijing evening and night.
    """
    calendar = calendar_for(exchange)
    if isinstance(announced, str) and "T" in announced:
        announced = datetime.fromisoformat(announced)
    if isinstance(announced, datetime):
        aware = announced if announced.tzinfo else announced.replace(tzinfo=ZoneInfo(zone))
        local = aware.astimezone(BEIJING)
        day = local.date() if local.time() < _CLOSE_AUCTION_END else local.date() + timedelta(days=1)
        return calendar.on_or_after(day)
    day = parse_date(announced, "announced")
    if zone.startswith(("America/", "US/", "Europe/")):
        return calendar.after(day)
    return calendar.on_or_after(day)
