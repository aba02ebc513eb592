"""The month-end look back: no look-ahead, and every number again by hand."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from screen_oracle import all_sessions, limit_up
from screen_store import InventedMarket, tables

from aitheme.errors import DateRangeError
from aitheme.screen import screen, screen_history

RULE = {"expression": "ret_20 > 0", "order_by": "ret_20", "limit": 10}


@pytest.fixture(scope="module")
def history(invented, ai_theme):
    return screen_history(invented, ai_theme, **RULE, start="2021-06-01")


@pytest.fixture(scope="module")
def bars(invented):
    frame = invented.sql("SELECT * FROM bars ORDER BY symbol, session")
    frame["session"] = pd.to_datetime(frame["session"])
    return {symbol: part.set_index("session") for symbol, part in frame.groupby("symbol")}


def test_periods_are_month_ends_bought_a_session_later(invented, history):
    sessions = all_sessions(invented, date(2023, 6, 30))
    frame = history.frame
    assert len(frame) == 23
    for row in frame.itertuples():
        at = sessions.get_loc(pd.Timestamp(row.month_end))
        assert sessions[at + 1].month != row.month_end.month
        assert row.bought == sessions[at + 1].date()
    assert list(frame["sold"][:-1]) == list(frame["bought"][1:])
    assert frame["sold"].iloc[-1] == date(2023, 6, 1)


def test_every_number_by_hand(invented, ai_theme, history, bars):
    sessions = all_sessions(invented, date(2023, 6, 30))
    index = invented.sql("SELECT session, close FROM index_bars").set_index("session")["close"]
    index.index = pd.to_datetime(index.index)
    weights = {}
    limited = suspended = 0
    for row in history.frame.itertuples():
        chosen = screen(invented, ai_theme, as_of=row.month_end, **RULE).symbols
        bought, sold = pd.Timestamp(row.bought), pd.Timestamp(row.sold)
        held, at_limit, halted = [], 0, 0
        for symbol in sorted(chosen):
            if symbol in weights:
                held.append(symbol)
            elif bought not in bars[symbol].index:
                halted += 1
            elif limit_up(symbol, bars[symbol], sessions, bought, pd.Timestamp("2021-01-04")):
                at_limit += 1
            else:
                held.append(symbol)
        levels = {s: (bars[s]["close"] * bars[s]["adj_factor"]) for s in held}
        growth = np.array([levels[s][:sold].iloc[-1] / levels[s][:bought].iloc[-1] for s in held])
        turnover = sum(max(1 / len(held) - weights.get(s, 0.0), 0.0) for s in held)
        assert history.members[row.month_end] == tuple(held)
        assert (row.selected, row.limit_up, row.suspended, row.held) == (len(chosen), at_limit, halted, len(held))
        assert history.frame.loc[row.Index, "return"] == pytest.approx(growth.mean() - 1)
        assert row.benchmark == pytest.approx(index[sold] / index[bought] - 1)
        assert row.turnover == pytest.approx(turnover)
        weights = dict(zip(held, growth / growth.sum(), strict=True))
        limited, suspended = limited + at_limit, suspended + halted
    assert limited > 0
    statistics = history.statistics
    assert statistics["limit_up_excluded"] == limited
    assert statistics["suspended_excluded"] == suspended
    assert statistics["total_return"] == pytest.approx((1 + history.frame["return"]).prod() - 1)


@pytest.mark.parametrize("until", ["2022-03-10", "2022-12-01"])
def test_data_that_comes_later_changes_no_earlier_row(ai_theme, history, until):
    short = screen_history(InventedMarket(tables(), until=until), ai_theme, **RULE, start="2021-06-01")
    rows = len(short.frame)
    assert 5 < rows < len(history.frame)
    pd.testing.assert_frame_equal(short.frame, history.frame.head(rows))
    for day, members in short.members.items():
        assert history.members[day] == members


def test_prices_after_the_month_end_never_decide(ai_theme, history):
    """Another future with the same past chooses the same names."""
    data = tables()
    later = pd.to_datetime(data["bars"]["session"]) > "2022-06-30"
    noise = np.random.default_rng(3).uniform(0.5, 1.5, int(later.sum()))
    data["bars"].loc[later, "close"] = data["bars"].loc[later, "close"] * noise
    other = screen_history(InventedMarket(data), ai_theme, **RULE, start="2021-06-01")
    same = [day for day in history.members if day <= date(2022, 5, 31)]
    assert same
    assert all(other.frame["selected"][k] == history.frame["selected"][k] for k in range(len(same)))
    assert all(other.members[day] == history.members[day] for day in same)


def test_a_month_without_names_is_cash(invented, ai_theme):
    nothing = screen_history(invented, ai_theme, "price < 0", start="2022-01-01", end="2022-06-30")
    assert (nothing.frame["return"] == 0).all()
    assert (nothing.frame["turnover"] == 0).all()
    assert any("hold nothing" in note for note in nothing.notes)


def test_it_shows_itself_and_says_its_limits(history, invented, ai_theme):
    page = history._repr_html_()
    assert "SIMULATED 模拟数据" in page
    assert "before costs" in page
    assert "limit-up" in history.summary()
    json.dumps(history.to_dict(), allow_nan=False)
    dated = screen_history(invented, ai_theme, "not st", start="2022-01-01", end="2022-04-30")
    assert any("look-ahead" in note for note in dated.notes)
    assert any("survivors" in note for note in dated.notes)


@pytest.mark.parametrize("span", [("2022-01-05", "2022-01-20"), ("2023-06-01", "2023-06-30"), ("2024-01-01", None)])
def test_too_short_a_span_is_refused(invented, ai_theme, span):
    with pytest.raises(DateRangeError, match="holds no complete month"):
        screen_history(invented, ai_theme, "price > 0", start=span[0], end=span[1])


def test_on_the_demo_with_theme_clauses(demo_market, ai_theme):
    result = screen_history(demo_market, ai_theme, "in_any_basket and ret_60 > 0", start="2023-03-01")
    assert (result.frame["selected"].iloc[0] == 0) or result.frame["month_end"].iloc[0] >= date(2023, 4, 20)
    assert result.frame["held"].max() > 5
