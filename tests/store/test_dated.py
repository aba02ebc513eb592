"""Every reader, as of any day: what became known later changes no answer."""

from __future__ import annotations

from datetime import date, timedelta
from importlib import resources

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aitheme.calendar import calendar_for
from aitheme.store import StoreFiles, open_market
from aitheme.store.files import SCHEMA_VERSION

SYMBOLS = ["300364.SZ", "603533.SH", "600000.SH"]
SESSIONS = calendar_for("XSHG").sessions("2023-01-03", "2023-12-29")
DAYS = pd.date_range("2023-01-03", "2023-12-29", freq="D")
# The day on which a row became known; box office and capital expenditure have rules of their own, told by their readers.
KNOWN = {
    "bars": lambda f: f["session"],
    "index_bars": lambda f: f["session"],
    "factors": lambda f: f["session"],
    "consensus": lambda f: f["published"],
    "broker_forecasts": lambda f: f["published"],
    "reported_eps": lambda f: f["published"],
    "names": lambda f: f["seen"],
    "share_counts": lambda f: f["effective"],
    "suspensions": lambda f: f["start"],
    "dividends": lambda f: f["announced"].fillna(f["ex_date"]),
    "sector_members": lambda f: f["seen"],
    "box_office": lambda f: f["seen"],
    "capex": lambda f: f["quarter_end"] + pd.Timedelta(days=60),
}


def invented(seed=0):
    rng = np.random.default_rng(seed)

    def day(count):
        return pd.DatetimeIndex(rng.choice(DAYS, count))

    def symbol(count):
        return rng.choice(SYMBOLS, count)

    bars = [(s, d) for n, s in enumerate(SYMBOLS) for d in SESSIONS[n * 40 :] if n == 0 or rng.random() > 0.05]
    n = 40
    quarter = pd.DataFrame(
        {"symbol": symbol(n), "period_end": "2022-12-31", "published": day(n), "eps": rng.normal(size=n)}
    )
    seen = day(30)
    months = pd.DataFrame({"month": seen.to_period("M").to_timestamp(), "seen": seen, "complete": False})
    closed = months.assign(seen=months["month"] + pd.offsets.MonthBegin(1), complete=True)
    tables = {
        "bars": pd.DataFrame(bars, columns=["symbol", "session"]).assign(
            close=lambda f: rng.uniform(5, 50, len(f)).round(2), adj_factor=1.0, amount=1e8, quality=0
        ),
        "index_bars": pd.DataFrame({"symbol": "000300.SH", "session": SESSIONS, "close": rng.uniform(3000, 4000, len(SESSIONS))}),
        "indices": pd.DataFrame({"symbol": ["000300.SH"], "name": ["沪深300"]}),
        "factors": pd.DataFrame({"factor": "mkt", "session": SESSIONS, "value": rng.normal(0, 0.01, len(SESSIONS))}),
        "securities": pd.DataFrame({"symbol": SYMBOLS, "name": list("甲乙丙"), "total_shares": 1e8, "st": False}),
        "consensus": pd.DataFrame(
            {"symbol": symbol(n), "fiscal_year": rng.choice([2022, 2023], n), "kind": rng.choice(["A", "E"], n, p=[0.2, 0.8]),
             "eps": rng.normal(size=n), "currency": "CNY", "source": rng.choice(["ths", "em"], n), "published": day(n)}
        ).drop_duplicates(["symbol", "fiscal_year", "source", "published"]),
        "broker_forecasts": pd.DataFrame(
            {"symbol": symbol(90), "broker": rng.choice(list("xyz"), 90), "published": day(90),
             "fiscal_year": rng.choice([2023, 2024], 90), "report": [f"r{k}" for k in range(90)],
             "eps": rng.normal(size=90).round(2), "currency": "CNY"}
        ),
        "reported_eps": quarter.drop_duplicates(["symbol", "published"]),
        "names": pd.DataFrame({"symbol": symbol(n), "seen": day(n), "st": rng.random(n) < 0.5}).assign(
            name=[f"名{k}" for k in range(n)]
        ).drop_duplicates(["symbol", "seen"]),
        "share_counts": pd.DataFrame(
            {"symbol": symbol(n), "effective": day(n), "total_shares": rng.uniform(1e8, 1e9, n), "seen": "2023-12-29"}
        ).drop_duplicates(["symbol", "effective"]),
        "suspensions": pd.DataFrame({"symbol": symbol(9), "start": day(9)}).drop_duplicates(["symbol", "start"]),
        "dividends": pd.DataFrame(
            {"symbol": symbol(9), "ex_date": day(9), "report": [f"年报{k}" for k in range(9)], "cash_per_share": 0.1}
        ).assign(announced=lambda f: (f["ex_date"] - pd.Timedelta(days=20)).where(rng.random(9) < 0.7)),
        "sector_members": pd.DataFrame({"sector": "801760.SI", "symbol": symbol(30), "seen": day(30)}).drop_duplicates(),
        "box_office": pd.concat([months, closed]).drop_duplicates(["month", "seen"]).assign(
            gross=lambda f: rng.uniform(1e9, 9e9, len(f))
        ),
        "capex": pd.DataFrame({"symbol": "META.US", "quarter_end": pd.date_range("2022-03-31", "2023-09-30", freq="QE"),
                               "capex": 5e9, "currency": "USD"}),
    }  # fmt: skip
    end = tables["suspensions"]["start"] + pd.to_timedelta(rng.integers(1, 90, len(tables["suspensions"])), unit="D")
    tables["suspensions"] = tables["suspensions"].assign(end=end)
    return tables


def store(root, tables, until=None):
    """Publish tables as a snapshot; `until` leaves out what became known later, and what ends later has no end yet."""
    files = StoreFiles(root)
    files.prepare()
    with duckdb.connect(str(files.work)) as connection:
        connection.execute(resources.files("aitheme.store").joinpath("schema.sql").read_text(encoding="utf-8"))
        connection.execute("INSERT INTO meta VALUES ('schema_version', ?), ('simulated', 'false')", [SCHEMA_VERSION])
        connection.execute(
            """INSERT INTO refresh_run (run_id, source, started, finished, universe, status)
            VALUES ('r', 'test', TIMESTAMP '2024-01-01', TIMESTAMP '2024-01-01', 'all', 'published')"""
        )
        for name, frame in tables.items():
            rows = frame
            if until is not None and name in KNOWN:
                rows = frame[pd.to_datetime(KNOWN[name](frame)) <= pd.Timestamp(until)]
            if until is not None and name == "suspensions":
                rows = rows.assign(end=rows["end"].where(rows["end"] <= pd.Timestamp(until)))
            connection.register("given", rows)
            connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM given")
            connection.unregister("given")
    files.publish()
    return files.root


def answers(root, as_of):
    with open_market(root) as market:
        panel = market.panel([*SYMBOLS, "300999.SZ"], as_of=as_of)
        tables = {name: getattr(panel, name) for name in ("close", "level", "amount", "quality", "limit_state")}
        return tables | {
            "first_traded": panel.first_traded.to_frame(),
            "index_closes": market.index_closes(["000300.SH"], as_of=as_of),
            "factor_returns": market.factor_returns(as_of=as_of),
            "securities": market.securities(as_of),
            "consensus": market.consensus(as_of=as_of),
            **{
                name: getattr(market, name)(as_of=as_of)
                for name in ("broker_forecasts", "reported_eps", "names", "share_counts", "suspensions", "dividends",
                             "sector_members", "box_office", "capex")
            },
        }  # fmt: skip


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    tables = invented()
    return tables, store(tmp_path_factory.mktemp("whole"), tables)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(20, len(DAYS) - 1))
def test_what_becomes_known_later_changes_no_answer(everything, tmp_path_factory, offset):
    tables, whole = everything
    as_of = DAYS[offset].date()
    past = store(tmp_path_factory.mktemp("past"), tables, until=as_of)
    now, then = answers(whole, as_of), answers(past, as_of)
    for name, frame in now.items():
        pd.testing.assert_frame_equal(frame, then[name], check_dtype=False, check_freq=False, obj=name)


def test_readers_do_answer(everything):
    """The property above would hold of readers that return nothing."""
    for name, frame in answers(everything[1], "2023-12-01").items():
        assert len(frame) > 0, name
        assert frame.notna().to_numpy().any(), name


def test_dated_attributes_say_how_old_they_are(tmp_path):
    tables = {
        "bars": pd.DataFrame({"symbol": SYMBOLS[:1], "session": SESSIONS[:1], "close": 9.0, "adj_factor": 1.0, "quality": 0}),
        "securities": pd.DataFrame(
            {"symbol": SYMBOLS, "name": list("甲乙丙"), "total_shares": 1.0, "float_shares": 1.0, "st": False,
             "shares_as_of": "2024-06-30", "listed": [None, "2023-06-01", None], "delisted": ["2023-09-01", None, None]}
        ),
        "names": pd.DataFrame(
            {"symbol": SYMBOLS[0], "seen": ["2023-03-01", "2023-05-01"], "name": ["ST甲", "甲"], "st": [True, False]}
        ),
        "share_counts": pd.DataFrame({"symbol": SYMBOLS[0], "effective": ["2023-02-01"], "total_shares": 5.0, "float_shares": 4.0}),
    }  # fmt: skip
    with open_market(store(tmp_path, tables)) as market:
        early, middle, late = (
            market.securities(day).loc[SYMBOLS[0]] for day in ("2023-01-10", "2023-04-01", "2023-10-01")
        )
        assert (early["name"], early["st"], early["total_shares"]) == ("甲", False, 1.0)
        assert pd.isna(early["name_as_of"])
        assert early["shares_as_of"] == pd.Timestamp("2024-06-30")  # later than the day: a look-ahead one can see
        assert (middle["name"], middle["st"], middle["total_shares"], middle["float_shares"]) == (
            "ST甲",
            True,
            5.0,
            4.0,
        )
        assert middle["name_as_of"] == pd.Timestamp("2023-03-01")
        assert pd.isna(middle["delisted"])
        assert late["delisted"] == pd.Timestamp("2023-09-01")
        assert SYMBOLS[1] not in market.securities("2023-05-31").index  # not listed yet
        assert SYMBOLS[1] in market.securities("2023-06-01").index


def test_a_month_of_box_office_is_known_when_it_is_over_and_corrected_when_seen(tmp_path):
    month = date(2023, 3, 1)
    rows = [
        (month, date(2023, 3, 20), 1.0, False),
        (month, date(2023, 6, 1), 2.0, True),
        (month, date(2023, 7, 1), 3.0, True),
    ]
    tables = {
        "bars": pd.DataFrame({"symbol": SYMBOLS[:1], "session": SESSIONS[:1], "close": 9.0, "adj_factor": 1.0, "quality": 0}),
        "box_office": pd.DataFrame(rows, columns=["month", "seen", "gross", "complete"]),
        "capex": pd.DataFrame({"symbol": ["META.US"], "quarter_end": [date(2023, 3, 31)], "capex": 1.0, "currency": "USD"}),
    }  # fmt: skip
    with open_market(store(tmp_path, tables)) as market:
        known = {day: market.box_office(as_of=day)["gross"].tolist() for day in
                 ("2023-03-19", "2023-03-20", "2023-04-01", "2023-06-30", "2023-07-01")}  # fmt: skip
        assert list(known.values()) == [[], [1.0], [2.0], [2.0], [3.0]]
        filed = date(2023, 3, 31) + timedelta(days=60)
        assert market.capex(as_of=filed - timedelta(days=1)).empty
        assert market.capex(["META.US"], as_of=filed)["known"].tolist() == [pd.Timestamp(filed)]


def test_a_query_sees_the_snapshot_and_cannot_write(everything):
    with open_market(everything[1]) as market:
        assert market.sql("SELECT count(*) AS n FROM bars WHERE symbol = ?", [SYMBOLS[0]])["n"].iloc[0] > 100
        with pytest.raises(duckdb.Error, match="read-only"):
            market.sql("DELETE FROM bars")
