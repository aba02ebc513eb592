"""What a run changes in stored rows is named, and the rows as they were are kept."""

import json
import re
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from aitheme.calendar import calendar_for
from aitheme.store import StoreFiles, open_market, store_status
from aitheme.store.checks import failing_rows
from tests.conftest import PROJECT
from tests.store.prepared import SESSIONS, bars, rejected, rows, run

SYMBOL = "300364.SZ"


@pytest.fixture
def files(tmp_path):
    return StoreFiles(tmp_path / "store")


def filed(files):
    with open_market(files.root) as market:
        return market.sql("SELECT * FROM restatement ORDER BY run_id, dataset, symbol, kind")


def test_a_restated_price_is_named_and_its_old_row_kept(files):
    run(files, bars(SYMBOL, SESSIONS), bars("603533.SH", SESSIONS), day="first")
    prices = [10.0] * len(SESSIONS)
    prices[-3], prices[-2] = 10.1, 9.0
    report = run(files, bars(SYMBOL, SESSIONS, close=prices, vendor="tencent"), bars("603533.SH", SESSIONS))
    assert [(d.dataset, d.changed) for d in report.datasets] == [("bars", 2)]
    (row,) = filed(files).to_dict("records")
    assert (row["dataset"], row["symbol"], row["kind"], row["changed_rows"]) == ("bars", SYMBOL, "restated", 2)
    assert (row["first_date"].date(), row["last_date"].date()) == (SESSIONS[-3], SESSIONS[-2])
    assert (row["fields"], row["origin"]) == ("open, high, low, close", "tencent")
    assert row["largest_change"] == pytest.approx(0.1)
    old, new = json.loads(row["old_sample"]), json.loads(row["new_sample"])
    assert (old["session"], old["close"], new["close"]) == (str(SESSIONS[-2]), 10.0, 9.0)
    with open_market(files.root) as market:
        kept = market.sql(
            "SELECT date, old FROM superseded WHERE dataset = 'bars' AND symbol = ? ORDER BY date", [SYMBOL]
        )
    assert [stamp.date() for stamp in kept["date"]] == SESSIONS[-3:-1]
    assert [json.loads(text)["close"] for text in kept["old"]] == [10.0, 10.0]


def test_what_the_store_said_before_a_run_can_be_rebuilt(files):
    run(files, bars(SYMBOL, SESSIONS), day="first")
    run(files, bars(SYMBOL, SESSIONS, close=[11.0] * len(SESSIONS)), day="second")
    run(files, bars(SYMBOL, SESSIONS, close=[12.0] * len(SESSIONS)), day="third")
    text = (PROJECT / "docs" / "point-in-time.md").read_text(encoding="utf-8")
    query = re.search(r'"""(.+?)"""', text, re.DOTALL)[1]
    with open_market(files.root) as market:
        begun = market.sql("SELECT started FROM refresh_run ORDER BY started")["started"]
        said = [market.sql(query, [str(moment), SYMBOL])["close"].unique().tolist() for moment in begun[1:]]
        now = market.sql(query, [str(begun.iloc[-1] + timedelta(days=1)), SYMBOL])["close"].unique().tolist()
    assert [*said, now] == [[10.0], [11.0], [12.0]]


def test_a_late_ex_date_is_a_corporate_action(files):
    table = [{"symbol": SYMBOL, "ex_date": date(1900, 1, 1), "factor": 2.0, "source": "sina"}]
    run(files, rows("adj_factors", table, symbol=SYMBOL), bars(SYMBOL, SESSIONS), day="first")
    assert filed(files).empty
    table.append({"symbol": SYMBOL, "ex_date": SESSIONS[-3], "factor": 2.1, "source": "sina"})
    factor = [2.0] * (len(SESSIONS) - 3) + [2.1] * 3
    run(files, rows("adj_factors", table, symbol=SYMBOL), bars(SYMBOL, SESSIONS, adj_factor=factor))
    action, refactored = filed(files).to_dict("records")
    assert (action["dataset"], action["kind"], action["first_date"].date()) == (
        "adj_factors", "corporate_action", SESSIONS[-3],
    )  # fmt: skip
    assert action["largest_change"] == pytest.approx(0.05)
    assert json.loads(action["old_sample"]) == {"factor": 2.0}
    assert json.loads(action["new_sample"])["factor"] == 2.1
    assert (refactored["dataset"], refactored["kind"], refactored["changed_rows"]) == ("bars", "corporate_action", 3)
    assert refactored["fields"] == "adj_factor"


def test_a_factor_scaled_to_the_stores_by_rounding_is_no_news(files):
    run(files, bars(SYMBOL, SESSIONS, adj_factor=[2.1] * len(SESSIONS)), day="first")
    nearly = np.nextafter(np.nextafter(2.1, 3), 3)
    report = run(files, bars(SYMBOL, SESSIONS, adj_factor=[nearly] * len(SESSIONS)))
    assert report.datasets[0].changed == 0
    assert filed(files).empty


def test_the_first_day_something_was_seen_stays(files):
    forecast = {
        "symbol": SYMBOL,
        "broker": "某证券",
        "published": SESSIONS[0],
        "fiscal_year": 2024,
        "report": "r",
        "eps": 0.5,
    }
    run(
        files,
        bars(SYMBOL, SESSIONS),
        rows("broker_forecasts", [forecast | {"seen": SESSIONS[0]}], symbol=SYMBOL),
        day="1",
    )
    report = run(files, rows("broker_forecasts", [forecast | {"seen": SESSIONS[5]}], symbol=SYMBOL), day="2")
    assert report.datasets[0].changed == 0
    run(files, rows("broker_forecasts", [forecast | {"seen": SESSIONS[6], "eps": 0.6}], symbol=SYMBOL), day="3")
    with open_market(files.root) as market:
        held = market.sql("SELECT eps, seen FROM broker_forecasts")
        old = json.loads(market.sql("SELECT old FROM superseded")["old"][0])
    assert (held["eps"][0], held["seen"][0].date()) == (0.6, SESSIONS[6])
    assert (old["eps"], old["seen"]) == (0.5, str(SESSIONS[0]))


def test_what_a_second_vendor_leaves_out_or_rounds_keeps_its_stored_value(files):
    count = len(SESSIONS)
    run(files, bars(SYMBOL, SESSIONS, amount=[123_456.78] * count), day="first")
    rough = bars(SYMBOL, SESSIONS, amount=[120_000.0] * count, turnover=[None] * count, vendor="sina", fallback=True)
    assert run(files, rough, day="second").datasets[0].changed == 0
    prices = [10.0] * (count - 1) + [10.5]
    rough = bars(SYMBOL, SESSIONS, turnover=[None] * count, vendor="sina", fallback=True, close=prices)
    assert run(files, rough, day="third").datasets[0].changed == 1
    with open_market(files.root) as market:
        held = market.sql("SELECT close, amount, turnover FROM bars ORDER BY session")
    assert held["amount"].iloc[:-1].eq(123_456.78).all()
    assert held["turnover"].eq(0.01).all()
    assert held["close"].iloc[-1] == 10.5
    origins = store_status(files).origins
    told = origins[["endpoint", "fallback", "answers", "changed"]].sort_values("fallback").to_numpy().tolist()
    assert told == [["eastmoney", False, 1, 0], ["sina", True, 2, 1]]


def test_a_withdrawn_bar_is_named_once_and_stays(files):
    run(files, bars(SYMBOL, SESSIONS), day="first")
    shorter = bars(SYMBOL, [session for session in SESSIONS if session != SESSIONS[-4]])
    run(files, shorter, day="second")
    run(files, shorter, day="third")
    (row,) = filed(files).to_dict("records")
    assert (row["kind"], row["first_date"].date(), row["changed_rows"]) == ("withdrawn", SESSIONS[-4], 1)
    with open_market(files.root) as market:
        assert market.sql("SELECT count(*) AS n FROM bars")["n"][0] == len(SESSIONS)


def test_securities_describe_today_and_have_no_restatements(files):
    security = {"symbol": SYMBOL, "name": "甲", "board": "chinext"}
    run(files, bars(SYMBOL, SESSIONS), rows("securities", [security]), day="first")
    report = run(files, rows("securities", [security | {"name": "乙"}]), day="second")
    assert report.datasets[0].changed == 1
    assert filed(files).empty


def test_the_same_wrong_row_is_quarantined_once(files):
    def wrong():
        return replace(bars(SYMBOL, SESSIONS), rejects=rejected(SYMBOL, SESSIONS[0]))

    for day in ("first", "second"):
        assert run(files, wrong(), day=day).quarantined == 1
    with open_market(files.root) as market:
        assert market.sql("SELECT count(*) AS n FROM quarantine")["n"][0] == 1


def test_status_shows_what_changed(files):
    run(files, bars(SYMBOL, SESSIONS), day="first")
    run(files, bars(SYMBOL, SESSIONS, close=10.1))
    state = store_status(files)
    assert state.restatements[["dataset", "kind", "changed_rows"]].to_numpy().tolist() == [["bars", "restated", 21]]
    assert state.to_dict()["restatements"][0]["first"] == str(SESSIONS[0])


def test_bars_of_a_year_whose_holidays_are_not_known_yet_are_kept():
    horizon = calendar_for("XSHG").horizon
    after = [stamp.date() for stamp in pd.bdate_range(horizon + timedelta(days=1), periods=3)]
    weekend = next(horizon + timedelta(days=n) for n in range(1, 8) if (horizon + timedelta(days=n)).weekday() == 5)
    days = sorted({*after, weekend})
    failing = failing_rows("bars", bars(SYMBOL, days).table)
    assert [days[row] for row in failing["not a session of its exchange"]] == [weekend]


def test_the_overlap_fetched_again_changes_nothing(files):
    run(files, bars(SYMBOL, SESSIONS), day="first")
    assert run(files, bars(SYMBOL, SESSIONS[-10:]), day="second").datasets[0].changed == 0
    assert filed(files).empty
