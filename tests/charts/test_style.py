"""Numbers, ticks and dates as a broker writes them."""

import math
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitheme.charts.style import date_ticks, half_up, nice_ticks, percent_label, sign_colour


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [(62.5, 0, 63), (-62.5, 0, -63), (0.125, 2, 0.13), (1.005, 2, 1.01), (2.675, 2, 2.68)],
)
def test_half_up(value, digits, expected):
    assert half_up(value, digits) == expected


@pytest.mark.parametrize(
    ("ratio", "text"), [(0.1234, "+12.3%"), (-0.05, "-5.0%"), (0.0004, "0.0%"), (-0.0001, "0.0%"), (1.5, "+150.0%")]
)
def test_percent_label(ratio, text):
    assert percent_label(ratio) == text


def test_red_is_up_and_green_is_down():
    assert sign_colour(0.01) == "#B22222"
    assert sign_colour(-0.01) == "#2E7D32"


@given(st.floats(-1000, 1000), st.floats(1e-3, 2000))
def test_ticks_enclose_the_range_and_are_few(low, span):
    ticks = nice_ticks(low, low + span)
    assert len(ticks) <= 7
    assert ticks[0] <= low + 1e-6 * span
    assert ticks[-1] >= low + span - 1e-6 * span
    steps = {round(after - before, 9) for before, after in pairwise(ticks)}
    assert max(steps) - min(steps) < 1e-6 * max(1, span)


def test_ticks_of_a_flat_range():
    assert len(nice_ticks(0.0, 0.0)) >= 2
    assert all(math.isfinite(tick) for tick in nice_ticks(5.0, 5.0))


def days(count, start=date(2024, 1, 2)):
    return [start + timedelta(days=number) for number in range(count)]


def test_short_spans_are_labelled_by_day_and_long_ones_by_month():
    assert date_ticks(days(30))[0] == (0, "24/01/02")
    assert all(len(label) == 5 for _, label in date_ticks(days(300)))
    assert date_ticks(days(1)) == [(0, "24/01/02")]


@given(st.integers(1, 900))
def test_date_axis_has_at_most_seven_labels(count):
    assert 1 <= len(date_ticks(days(count))) <= 7 or count < 2
