"""A screen as a whole: point in time, funnel, order, notes, display, and keeping it under a name."""

from __future__ import annotations

import dataclasses
import gc
import json
import subprocess
import sys
import weakref
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from screen_store import SESSIONS, InventedMarket, tables

import aitheme
from aitheme.screen import (
    CATALOGUE,
    ScreenError,
    diff_screen,
    load_screen,
    save_screen,
    saved_screens,
    screen,
)

ISSUE = "ret_60 > 0.3 and excess_20 > 0 and in_basket('ai/all') and not st"
EVERY = tuple(CATALOGUE)
SOME = (
    "ret_20 > 0 and beta_250 > 0.5",
    "pe_fy1 < 40 or dispersion > 0.2",
    "rank(ret_60) <= 10 and not suspended",
    "pct_rank(amount_20, industry) > 0.5",
    "zscore(vol_60) < 1 and listing_age > 100",
    "excess_ind_5 > 0 and board in ('main', 'chinext')",
    "limit_up_20 >= 1",
    "coalesce(revision_30, 0) >= 0 and n_reports = 0",
)


@pytest.fixture(scope="module")
def everything():
    return tables()


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(120, len(SESSIONS) - 2), st.sampled_from(SOME))
def test_later_data_changes_nothing(everything, invented, ai_theme, row, expression):
    day = SESSIONS[row].date()
    then = screen(InventedMarket(everything, until=day), ai_theme, expression, as_of=day, columns=EVERY)
    now = screen(invented, ai_theme, expression, as_of=day, columns=EVERY)
    pd.testing.assert_frame_equal(then.frame, now.frame)
    assert then.funnel[1:] == now.funnel[1:]
    assert then.nulls == now.nulls
    assert then.universe == now.universe


def until(theme, day):
    """The theme as it was: without the reports published later, and what they say."""
    public = {name: report for name, report in theme.reports.items() if report.published <= day}

    def from_public(rows):
        return tuple(row for row in rows if row.report in public)

    return dataclasses.replace(
        theme,
        reports=public,
        baskets={n: b for n, b in theme.baskets.items() if b.report in public or b.kind == "union"},
        members=tuple(row for row in theme.members if row.basket.split("/")[0] in public),
        unions={n: tuple(p for p in parts if p.split("/")[0] in public or p in theme.unions) for n, parts in theme.unions.items()},
        links=from_public(theme.links),
        estimates=from_public(theme.estimates),
        mentions=from_public(theme.mentions),
    )  # fmt: skip


@pytest.mark.parametrize("day", ["2023-04-19", "2023-04-20", "2023-12-29", "2024-02-29", "2024-03-08", "2024-03-28"])
def test_later_reports_change_nothing(demo_market, ai_theme, day):
    expression = (
        "in_basket('ai/all') or linked_to('kimi') or in_any_basket or n_reports > 0 or last_release is not null"
    )
    columns = [name for name, column in CATALOGUE.items() if column.source in {"theme", "releases"}]
    now = screen(demo_market, ai_theme, expression, as_of=day, columns=columns)
    then = screen(demo_market, until(ai_theme, date.fromisoformat(day)), expression, as_of=day, columns=columns)
    pd.testing.assert_frame_equal(then.frame, now.frame)
    assert (len(now.frame) == 0) == (day == "2023-04-19")


def test_a_basket_is_empty_before_its_report_and_the_note_says_so(demo_market, ai_theme):
    name = "mszq-20240328/text-corpus"
    before = screen(demo_market, ai_theme, f"in_basket('{name}')", as_of="2024-03-27")
    after = screen(demo_market, ai_theme, f"in_basket('{name}')", as_of="2024-03-28")
    assert before.matched == 0
    assert f"basket {name}: not public yet" in before.notes
    assert set(after.symbols) == set(ai_theme.symbols(name))
    assert not any("not public" in note for note in after.notes)
    union = screen(demo_market, ai_theme, "in_basket('ai/all')", as_of="2024-03-01")
    assert union.matched > 0
    assert any(note.startswith("basket ai/all: without") and "mszq-20240328" in note for note in union.notes)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(SOME), min_size=1, max_size=4), st.sampled_from(["2023-06-30", "2022-05-10"]))
def test_the_funnel_adds_up(invented, ai_theme, parts, as_of):
    result = screen(invented, ai_theme, " and ".join(f"({part})" for part in parts), as_of=as_of)
    steps = result.funnel
    assert len(steps) == 1 + len(parts)
    for first, second in pairwise(steps):
        assert first.after == second.before
    assert all(step.before - step.removed == step.after and 0 <= step.unknown <= step.removed for step in steps)
    assert steps[0].after == result.universe
    assert steps[-1].after == result.matched == len(result.frame)


def test_the_order_of_clauses_moves_the_funnel_not_the_names(invented, ai_theme):
    first = screen(invented, ai_theme, "ret_20 > 0 and pe_fy1 > 0 and not st")
    second = screen(invented, ai_theme, "not st and pe_fy1 > 0 and ret_20 > 0")
    assert first.symbols == second.symbols
    assert [step.clause for step in first.funnel[1:]] == ["ret_20 > 0", "pe_fy1 > 0", "not st"]
    assert first.funnel[2].unknown > 0


def test_order_limit_and_columns(invented, ai_theme):
    result = screen(invented, ai_theme, "price > 0", order_by="industry, pe_fy1 asc", limit=12, columns="ret_5")
    full = screen(invented, ai_theme, "price > 0", columns=["industry", "pe_fy1"]).frame
    sorted_ = full.sort_values(["industry", "pe_fy1", "symbol"], na_position="last", kind="stable")
    assert list(result.symbols) == list(sorted_["symbol"].head(12))
    assert list(result.frame.columns) == ["symbol", "name", "ret_5"]
    assert result.matched > len(result.frame) == 12
    falling = screen(invented, ai_theme, "price > 0", order_by="ret_20")
    known = falling.frame["ret_20"].dropna()
    assert known.is_monotonic_decreasing
    assert falling.frame["ret_20"].iloc[len(known) :].isna().all()


def test_universe_restricts_names_and_not_ranks(invented, ai_theme):
    pool = [f"6000{n:02d}.SH" for n in range(10)] + ["999999.SH"]
    whole = screen(invented, ai_theme, "rank(price) <= 12").symbols
    inside = screen(invented, ai_theme, "rank(price) <= 12", universe=pool)
    assert set(inside.symbols) == set(whole) & set(pool)
    assert inside.funnel[1].clause == "universe 11 symbols"
    assert any("1 of the symbols given" in note or "2 of the symbols given" in note for note in inside.notes)
    own = screen(invented, ai_theme, "rank(price, universe) <= 3", universe=pool)
    assert own.matched == 3


def test_basket_universe_equals_the_clause(demo_market, ai_theme):
    clause = screen(demo_market, ai_theme, "in_basket('ai/all') and ret_20 > 0", as_of="2024-03-28")
    pool = screen(demo_market, ai_theme, "ret_20 > 0", as_of="2024-03-28", universe="ai/all")
    assert clause.symbols == pool.symbols


def test_names_not_listed_yet_or_gone_are_counted(invented, ai_theme):
    gone, fresh = "600005.SH", "600009.SH"
    at_end = screen(invented, ai_theme, "price > 0", as_of="2023-06-30")
    assert gone not in at_end.symbols
    assert at_end.funnel[0].removed >= 1
    early = screen(invented, ai_theme, "price > 0", as_of="2021-02-26")
    assert gone in early.symbols
    assert fresh not in early.symbols
    assert "00700.HK" not in early.symbols
    assert any("1 names of other markets" in note for note in early.notes)


def test_a_suspended_name_keeps_its_last_price(invented, ai_theme):
    result = screen(invented, ai_theme, "suspended", as_of="2022-09-09", columns=["price", "price_session", "turnover"])
    assert result.matched > 0
    for row in result.frame.itertuples():
        query = "SELECT close, session FROM bars WHERE symbol = ? AND session <= '2022-09-09' ORDER BY 2"
        bars = invented.sql(query, [row.symbol])
        assert row.price == bars["close"].iloc[-1]
        assert row.price_session == bars["session"].iloc[-1] < pd.Timestamp("2022-09-09")
    assert result.frame["turnover"].isna().all()


def test_notes_say_what_is_dated_and_missing(invented, ai_theme):
    result = screen(invented, ai_theme, "not st and market_cap > 0 and mean_car_releases > 0", as_of="2022-01-29")
    notes = "\n".join(result.notes)
    assert "2022-01-29 is no session: prices are of 2022-01-28" in notes
    assert "st, market_cap" in notes
    assert "2023-06-30 (shares_as_of), later than 2022-01-29: a look-ahead" in notes
    assert (
        f"mean_car_releases: NULL for {result.universe} of {result.universe} names; no such link, or no release"
        in notes
    )
    aged = screen(invented, ai_theme, "listing_age > 3")
    assert any("no listing date" in note and "lower bound" in note for note in aged.notes)


def test_release_cars_come_from_the_event_study_passed_in(demo_market, ai_theme):
    seen = []

    def study(releases, as_of):
        seen.append((releases, as_of))
        grouped = releases.groupby("symbol")
        names = sorted(set(releases["symbol"]))
        return pd.DataFrame({"symbol": names, "mean_car": 0.05, "t": 2.1, "p": 0.04, "n": grouped.size().to_numpy()})

    result = screen(
        demo_market, ai_theme, "mean_car_releases > 0.01 and p_car_releases < 0.05", as_of="2024-03-18",
        columns=["n_car_releases", "t_car_releases", "last_release"], release_cars=study,
    )  # fmt: skip
    ((releases, as_of),) = seen
    alive = screen(demo_market, ai_theme, "price > 0", as_of="2024-03-18").symbols
    assert as_of == date(2024, 3, 18)
    assert set(result.symbols) == set(releases["symbol"]) & set(alive)
    assert max(releases["day0"]) <= date(2024, 3, 12)
    assert (result.frame["n_car_releases"] >= 1).all()


def test_the_package_is_the_function(demo_market, ai_theme):
    by_name = aitheme.screen(demo_market, ISSUE, as_of="2024-03-28", order_by="ret_60", limit=20)
    assert (
        by_name.symbols == screen(demo_market, ai_theme, ISSUE, as_of="2024-03-28", order_by="ret_60", limit=20).symbols
    )
    assert aitheme.screen.history is aitheme.screen.screen_history


def test_a_result_carries_where_it_comes_from(demo_market, ai_theme):
    result = screen(demo_market, ai_theme, ISSUE, as_of="2024-03-28", order_by="ret_60", limit=5)
    assert result.expression == ISSUE
    assert result.snapshot == demo_market.snapshot.name
    assert result.session == date(2024, 3, 28)
    again = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert again["simulated"] is True
    assert [row["symbol"] for row in again["rows"]] == list(result.symbols)
    assert [step["clause"] for step in again["funnel"]][1:] == ISSUE.split(" and ")
    assert list(result.funnel_table()["after"])[-1] == result.matched
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.limit = 3
    assert result.formats["ret_60"] == ".1%"


def test_html_is_marked_escaped_and_short(demo_market, ai_theme):
    result = screen(demo_market, ai_theme, "price > 0 and name <> '<script>'", as_of="2024-03-28", columns=EVERY)
    page = result._repr_html_()
    assert "SIMULATED 模拟数据" in page
    assert "<script>" not in page
    assert page.count("<tr") == 51
    assert "more rows" in page
    assert "ScreenResult(" in repr(result)


def test_a_second_screen_reuses_what_is_in_memory(demo_market, ai_theme):
    screen(demo_market, ai_theme, "ret_20 > 0", as_of="2023-08-01")
    queries = []
    from aitheme.screen.reading import reader_of

    reader = reader_of(demo_market)
    reader._sql = lambda query, parameters=None: queries.append(query) or demo_market.sql(query, parameters)
    try:
        screen(demo_market, ai_theme, "beta_250 > 0.5", as_of="2023-08-01")
        assert queries == []
        screen(demo_market, ai_theme, "amount_20 > 0", as_of="2023-08-01")
        assert len(queries) == 1
    finally:
        del reader._sql


def test_a_market_is_let_go(everything, ai_theme):
    market = InventedMarket(everything)
    screen(market, ai_theme, "price > 0")
    gone = weakref.ref(market)
    del market
    gc.collect()
    assert gone() is None


def test_save_and_diff_round_trip(invented, ai_theme, tmp_path):
    folder = tmp_path / "screens"
    question = {"order_by": "ret_20", "limit": 15}
    old = screen(invented, ai_theme, "ret_20 > 0", as_of="2023-03-31", **question)
    path = save_screen(old, "动量.top-15", folder)
    saved = load_screen("动量.top-15", folder)
    assert saved_screens(folder) == ("动量.top-15",)
    assert path.parent == folder
    assert (saved.expression, saved.as_of, saved.snapshot, saved.limit) == (
        "ret_20 > 0",
        date(2023, 3, 31),
        old.snapshot,
        15,
    )
    assert tuple(saved.names) == old.symbols
    same = diff_screen(old, saved)
    assert same.same_question
    assert not same.came_in
    assert not same.went_out
    assert same.stayed == old.symbols
    new = screen(invented, ai_theme, "ret_20 > 0", as_of="2023-06-30", **question)
    change = diff_screen(new, saved)
    assert set(change.came_in) == set(new.symbols) - set(old.symbols)
    assert set(change.went_out) == set(old.symbols) - set(new.symbols)
    assert len(change.frame) == len(change.came_in) + len(change.went_out) > 0
    assert change.summary().startswith("since 2023-03-31")
    assert "came in" in change._repr_html_()
    json.dumps(change.to_dict())
    other = diff_screen(screen(invented, ai_theme, "ret_20 > 0.1", as_of="2023-06-30"), saved)
    assert not other.same_question
    assert "asked differently" in other.summary()


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".hidden", "x" * 65, "a b"])
def test_a_name_cannot_leave_the_folder(invented, ai_theme, tmp_path, name):
    result = screen(invented, ai_theme, "ret_20 > 0")
    with pytest.raises(ScreenError, match="is no name for a screen"):
        save_screen(result, name, tmp_path)


def test_diff_refuses_what_it_cannot_compare(invented, ai_theme, tmp_path):
    result = screen(invented, ai_theme, "ret_20 > 0")
    with pytest.raises(ScreenError, match="no screen 'nothing' is saved"):
        load_screen("nothing", tmp_path)
    path = save_screen(result, "mine", tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | {"simulated": False}), encoding="utf-8")
    with pytest.raises(ScreenError, match="was saved from real data"):
        diff_screen(result, load_screen("mine", tmp_path))
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ScreenError, match="is damaged"):
        load_screen("mine", tmp_path)


@pytest.mark.archive
def test_the_question_of_the_documentation_on_real_data(archive_market, ai_theme):
    result = screen(archive_market, ai_theme, ISSUE, as_of="2024-03-28", order_by="ret_60", limit=20)
    assert 0 < result.matched <= 20
    assert "300133.SZ" in result.symbols
    assert (result.frame["ret_60"] > 0.3).all()
    assert np.all(np.diff(result.frame["ret_60"]) <= 0)
    assert not result.provenance.simulated


def test_a_screen_of_prices_does_without_the_event_study(demo_market):
    code = (
        "import sys; from aitheme.screen import screen; from aitheme.store import open_market; "
        f"screen(open_market({str(demo_market.snapshot.parents[1])!r}), 'ai', 'ret_60 > 0', as_of='2024-03-28'); "
        "print([name for name in ('scipy.stats', 'aitheme.screen.releases') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
