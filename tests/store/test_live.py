"""How the store takes what a live source delivers: watermarks, failures, and what the next request knows."""

from datetime import date

import pytest

from aitheme.calendar import calendar_for
from aitheme.errors import NothingUsableError
from aitheme.sources.akshare import Empty, LiveBatch, LiveRequest, NetworkFailure, Ok
from aitheme.sources.base import to_table
from aitheme.sources.live_datasets import LIVE_DATASETS, dataset_named
from aitheme.store import StoreFiles, open_market
from aitheme.store.live import live_request
from tests.store.prepared import FETCHED, SESSIONS, bars, rows, run


@pytest.fixture
def files(tmp_path):
    return StoreFiles(tmp_path / "store")


def test_every_live_dataset_has_its_table_with_its_columns(files):
    run(files, bars("300364.SZ", SESSIONS))
    with open_market(files.root) as market:
        for name in LIVE_DATASETS:
            assert tuple(market.sql(f"SELECT * FROM {name}").columns) == tuple(dataset_named(name).columns)


def test_what_settles_moves_its_watermark_and_what_fails_is_named_and_asked_again(files):
    failed = bars("603533.SH", [], outcome=NetworkFailure("push2his.eastmoney.com", "timed out"))
    report = run(files, bars("300364.SZ", SESSIONS[:10], fallback=True), failed)
    assert report.failures == ("bars 603533.SH: push2his.eastmoney.com: timed out",)
    with open_market(files.root) as market:
        marks = market.sql("SELECT * FROM watermark")
        assert marks[["dataset", "symbol"]].to_numpy().tolist() == [["bars", "300364.SZ"]]
        attempts = market.sql("SELECT symbol, outcome, fallback FROM attempt ORDER BY symbol")
        assert attempts.to_numpy().tolist() == [["300364.SZ", "ok", True], ["603533.SH", "network_failure", False]]
    # The same day again: an incomplete run must not pass for done.
    again = run(files, bars("603533.SH", SESSIONS[:10]))
    assert (again.status, again.failures) == ("published", ())
    assert run(files, bars("603533.SH", SESSIONS)).status == "unchanged"


def test_an_explained_absence_settles_without_rows(files):
    absent = bars("603533.SH", [], outcome=Empty("suspended", "5 sessions"))
    report = run(files, bars("300364.SZ", SESSIONS), absent)
    assert report.failures == ()


def test_the_next_request_knows_what_the_store_holds(files):
    assert live_request(files, LiveRequest()).watermarks == {}
    run(files, bars("300364.SZ", SESSIONS))
    request = live_request(files, LiveRequest(overlap_sessions=5))
    assert request.watermark("bars", "300364.SZ") == date(2024, 3, 29)
    assert request.last_bars == {"300364.SZ": (date(2024, 3, 29), 10.0, 2.0)}
    assert request.anchors == {"300364.SZ": (calendar_for("XSHG").shift("2024-03-29", -5), 2.0)}


def test_a_partial_row_keeps_what_it_leaves_out(files):
    def security(**given):
        columns = {name: [given.get(name)] for name in dataset_named("securities").columns}
        return LiveBatch("securities", to_table("securities", columns), outcome=Ok(1), fetched=FETCHED)

    whole = security(
        symbol="300364.SZ", name="中文在线", currency="CNY", board="chinext", listed=date(2015, 1, 21), st=False
    )
    failing = bars("603533.SH", [], outcome=Empty("unexplained"))
    run(files, bars("300364.SZ", SESSIONS[:5]), whole, failing)
    run(files, security(symbol="300364.SZ", delisted=date(2024, 3, 5), board="chinext"))
    with open_market(files.root) as market:
        row = market.securities().loc["300364.SZ"]
        assert (row["name"], str(row["delisted"])[:10]) == ("中文在线", "2024-03-05")


def test_nothing_at_all_is_an_error_that_leaves_the_store_alone(files):
    with pytest.raises(NothingUsableError, match="delivered nothing"):
        run(files, bars("603533.SH", [], outcome=NetworkFailure("host", "refused")))
    assert files.current() is None


def test_a_market_wide_table_is_complete_with_its_last_answer_and_only_if_none_failed(files):
    def part(name, **options):
        return rows("securities", [{"symbol": name, "board": "main", "name": name}], **options)

    failed = rows("securities", [], outcome=NetworkFailure("www.sse.com.cn", "timed out"), more=True)
    run(files, bars("300364.SZ", SESSIONS), part("600000.SH", more=True), failed, part("000001.SZ"))
    assert live_request(files, LiveRequest()).watermark("securities") is None
    run(files, part("600000.SH", more=True), part("600001.SH", more=True), part("000001.SZ"), day="again")
    assert live_request(files, LiveRequest()).watermark("securities") == FETCHED.date()


def test_days_that_come_one_by_one_count_up_to_the_first_that_failed(files):
    def day(session, outcome=None):
        halt = {"symbol": "300364.SZ", "start": session, "seen": session}
        given = {"outcome": outcome} if outcome else {"covers": (session, session)}
        return rows("suspensions", [] if outcome else [halt], more=session != SESSIONS[3], **given)

    timed_out = NetworkFailure("datacenter-web.eastmoney.com", "timed out")
    run(
        files,
        bars("300364.SZ", SESSIONS),
        day(SESSIONS[0]),
        day(SESSIONS[1]),
        day(SESSIONS[2], timed_out),
        day(SESSIONS[3]),
    )
    assert live_request(files, LiveRequest()).watermark("suspensions") == SESSIONS[1]
