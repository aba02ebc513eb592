from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitheme.calendar import SessionCalendar, calendar_for, first_session, parse_date
from aitheme.errors import CalendarHorizonError, DateRangeError


def test_the_2024_spring_festival_closed_the_market():
    sessions = calendar_for("SSE").sessions("2024-02-05", "2024-02-20")
    assert [str(s.date()) for s in sessions] == [
        "2024-02-05",
        "2024-02-06",
        "2024-02-07",
        "2024-02-08",
        "2024-02-19",
        "2024-02-20",
    ]


@pytest.mark.parametrize(("year", "count"), [(2022, 242), (2023, 242), (2024, 242), (2025, 243)])
def test_sessions_per_year(year, count):
    assert calendar_for().count(f"{year}-01-01", f"{year}-12-31") == count


def test_overrides_close_hong_kong_on_storm_days():
    hong_kong = calendar_for("HKEX")
    assert not hong_kong.is_session("2023-09-01")
    assert not hong_kong.is_session("2023-09-08")
    assert hong_kong.is_session("2023-09-07")


def test_base_date_on_a_sunday_means_the_close_before():
    calendar = calendar_for()
    assert calendar.on_or_before("2024-02-18") == date(2024, 2, 8)
    assert calendar.on_or_after("2024-02-18") == date(2024, 2, 19)
    assert calendar.after("2024-02-08") == date(2024, 2, 19)
    assert calendar.shift("2024-02-18", -1) == date(2024, 2, 8)
    assert calendar.shift("2024-02-19", 2) == date(2024, 2, 21)


@pytest.mark.parametrize("day", ["1980-01-01", "2031-01-01"])
def test_beyond_the_horizon_is_an_error_that_says_what_to_do(day):
    with pytest.raises(CalendarHorizonError, match="calendar_overrides"):
        calendar_for().on_or_after(day)


def test_the_last_known_session_has_no_successor():
    calendar = calendar_for()
    with pytest.raises(CalendarHorizonError, match="known sessions"):
        calendar.shift(calendar.horizon, 1)


def test_the_horizon_is_at_least_six_weeks_ahead():
    """Turns red when the exchange library must be upgraded: the schedule of the next year comes out in December."""
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    assert calendar_for().horizon - today > timedelta(days=-366)


def test_reversed_and_malformed_dates():
    with pytest.raises(DateRangeError, match="lies after"):
        calendar_for().sessions("2024-03-02", "2024-03-01")
    with pytest.raises(DateRangeError, match="as-of: '2024/03/01'"):
        parse_date("2024/03/01", "as-of")
    with pytest.raises(CalendarHorizonError, match="exchange: 'LSE'"):
        SessionCalendar("LSE")


@pytest.mark.parametrize(
    ("announced", "zone", "day0"),
    [
        ("2024-02-16T02:15+08:00", "Asia/Shanghai", date(2024, 2, 19)),  # Sora, in the holiday
        ("2024-03-18T14:59+08:00", "Asia/Shanghai", date(2024, 3, 18)),
        ("2024-03-18T15:00+08:00", "Asia/Shanghai", date(2024, 3, 19)),
        ("2024-03-15T18:00+08:00", "Asia/Shanghai", date(2024, 3, 18)),
        ("2023-11-06T10:00", "America/Los_Angeles", date(2023, 11, 7)),  # 02:00 in Beijing, before the open
        ("2024-03-18", "Asia/Shanghai", date(2024, 3, 18)),
        ("2024-03-16", "Asia/Shanghai", date(2024, 3, 18)),
        ("2023-12-06", "America/Los_Angeles", date(2023, 12, 7)),  # Gemini
        ("2024-03-01", "America/New_York", date(2024, 3, 4)),
        ("2023-12-11", "Europe/Paris", date(2023, 12, 12)),
    ],
)
def test_event_day_zero(announced, zone, day0):
    assert first_session(announced, zone) == day0


@given(st.datetimes(datetime(2021, 1, 5), datetime(2025, 12, 20)))
def test_day_zero_is_a_session_whose_close_lies_after_the_announcement(moment):
    aware = moment.replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    day0 = first_session(aware)
    close = datetime(day0.year, day0.month, day0.day, 15, tzinfo=ZoneInfo("Asia/Shanghai"))
    before = calendar_for().shift(day0, -1)
    assert aware < close
    assert datetime(before.year, before.month, before.day, 15, tzinfo=ZoneInfo("Asia/Shanghai")) <= aware
