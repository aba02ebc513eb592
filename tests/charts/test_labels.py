"""Label geometry: apart, in order, inside."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from aitheme.charts.labels import dodge, stagger

positions = st.lists(st.floats(0, 300), min_size=1, max_size=8)


@given(positions)
def test_dodged_labels_keep_their_distance_and_order(wanted):
    moved = dodge(wanted, 15, 0, 300)
    ranked = sorted(range(len(wanted)), key=lambda index: wanted[index])
    spread = [moved[index] for index in ranked]
    assert all(after - before >= 15 - 1e-6 for before, after in pairwise(spread))
    assert all(-1e-6 <= value <= 300 + 1e-6 for value in moved)


def test_labels_that_do_not_touch_stay():
    assert dodge([10.0, 100.0, 50.0], 15, 0, 300) == [10.0, 100.0, 50.0]


def test_a_pair_moves_evenly():
    assert dodge([100.0, 100.0], 20, 0, 300) == [90.0, 110.0]


def test_gap_shrinks_where_there_is_no_room():
    assert dodge([5.0, 5.0, 5.0], 100, 0, 30) == [0.0, 15.0, 30.0]


def test_nothing_to_dodge():
    assert dodge([], 15, 0, 100) == []


@given(st.lists(st.tuples(st.floats(0, 800), st.floats(10, 200)), min_size=1, max_size=6))
def test_staggered_labels_touch_neither_each_other_nor_a_stem(events):
    events = sorted(events)
    stems = [x for x, _ in events]
    spans = [(x + 3, x + 3 + width) for x, width in events]
    rows = stagger(stems, spans)
    for at in range(len(events)):
        for other in range(at):
            same_row = rows[at] == rows[other]
            overlap = spans[at][0] < spans[other][1] and spans[other][0] < spans[at][1]
            assert not (same_row and overlap)
            crosses_earlier = spans[other][0] <= stems[at] <= spans[other][1] and rows[at] <= rows[other]
            assert not crosses_earlier
