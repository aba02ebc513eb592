"""Value checks over a table in pieces."""

from datetime import date

import pytest

from aitheme.sources.base import to_table
from aitheme.store import checks


def bars():
    """Ten rows: the fourth repeats the third, the seventh has its high below its low, the last lies on a Sunday."""
    days = [date(2024, 4, day) for day in (1, 2, 3, 3, 8, 9, 10, 11, 12, 14)]
    prices = {name: [10.0] * 10 for name in ("open", "high", "low", "close")}
    prices["high"][6] = 9.0
    plain = dict.fromkeys(("volume", "amount", "turnover", "adj_factor"), [1.0] * 10)
    return to_table("bars", {"symbol": ["600000.SH"] * 10, "session": days, **prices, **plain, "quality": [0] * 10})


@pytest.mark.parametrize("piece", [1, 2, 3, 4, 7, 100])
def test_pieces_change_nothing(monkeypatch, piece):
    monkeypatch.setattr(checks, "_PIECE", piece)
    found = {reason: rows.tolist() for reason, rows in checks.failing_rows("bars", bars()).items()}
    assert found == {"high is below low": [6], "not a session of its exchange": [9], checks.REPEATED: [3]}
