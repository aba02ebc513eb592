"""Every live dataset against every fault: the right outcome, nothing wrong in the tables, and the next run heals."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from aitheme.sources.akshare import AkshareSource, LiveRequest, Politeness, Universe
from aitheme.store import StoreFiles, open_market, refresh
from tests.live.fault_kinds import DEVIATES, FAULTS, Inapplicable
from tests.live.subjects import SUBJECTS
from tests.vendors import vendor_payloads as vendor
from tests.vendors.stub_market import StubMarket

SINCE = date(2024, 1, 2)


@dataclass
class Desk:
    """A store, and refreshes of it at one moment."""

    files: StoreFiles
    clock: object
    patience: float = 10.0

    def refresh(self, subject):
        companion = "indices" if "box_office" in subject.tables else "box_office"
        options = {"indices": frozenset(), "capex": frozenset(), **subject.universe}
        politeness = Politeness(
            None, loopback=True, timeouts=(5.0, self.patience), now=lambda: self.clock.now, sleep=lambda _: None
        )
        source = AkshareSource(
            Universe(frozenset(subject.symbols), **options), politeness=politeness, clock=lambda: self.clock.now
        )
        wanted = frozenset(subject.symbols) or None
        request = LiveRequest(wanted, SINCE, datasets=subject.datasets | {companion})
        return refresh(self.files, source, request, universe="theme")

    def read(self, subject):
        """Return the rows of the subject's tables, without what says when and where they were fetched."""
        with open_market(self.files.root) as market:
            return {table: _rows(market, table) for table in subject.tables}


def _rows(market, table):
    dropped = f" EXCLUDE ({DROPPED[table]})" if table in DROPPED else ""
    frame = market.sql(f"SELECT *{dropped} FROM {table}")
    return {tuple(map(_cell, row)) for row in frame.itertuples(index=False)}


def _cell(value):
    if isinstance(value, float):
        return None if value != value else round(value, 4)  # noqa: PLR0124
    return None if value is pd.NaT else value


# Vendors differ in how finely they give these.
DROPPED = {"bars": "turnover, volume, amount", "adj_factors": "source", "index_bars": "amount, pe_trailing"}


@pytest.fixture
def happy(stub, tmp_path_factory, clock, cache={}):  # noqa: B006
    """Return what a subject's tables hold when nothing goes wrong; worked out once."""

    def answer(subject):
        if subject.name not in cache:
            install(stub, subject)
            desk = Desk(StoreFiles(tmp_path_factory.mktemp("happy")), clock)
            assert desk.refresh(subject).failures == (), subject.name
            rows = desk.read(subject)
            assert all(rows.values()), subject.name
            cache[subject.name] = rows
        return cache[subject.name]

    return answer


def install(stub, subject):
    """Let every vendor answer well."""
    stub.faults.clear()
    stub.refused.clear()
    stub.route = market = StubMarket()
    market.pages["ys.endata.cn"] = vendor.films([("影片", 1.0e8, 40.0)])
    market.pages["legulegu.com"] = vendor.legulegu_page([("801760.SI", "传媒")], [("801764.SI", "游戏Ⅱ", "传媒")])
    market.pages["basic.10jqka.com.cn"] = vendor.ths_page("600000", [])
    market.tables["RPT_WEB_RESPREDICT"] = vendor.profit_forecast([("600001", 5, 2023, [("A", 1.0)] + [("E", 1.2)] * 3)])
    subject.prepare(market)
    return market


# One function of akshare also answers another question in the same run, and well.
SHARED = {"adj_factors": {"ok"}, "consensus of Hong Kong": {"ok"}}
# Run with every test; the whole matrix is for the soak.
SAMPLE_OF = {
    "bars": {"connection dropped", "HTTP 502", "columns reordered", "future dates", "one negative number"},
    "index_bars of Shenwan": {"HTTP 403", "one column fewer", "one negative number", "future dates"},
    "securities": {"captcha with status 200", "unreadable dates", "rows twice"},
    "suspensions": {"hang", "columns reordered"},
    "consensus": {"a short page among many", "words for numbers", "empty list"},
    "consensus of Tonghuashun": {"captcha with status 200", "high below low"},
    "reported_eps": {"a short page among many"},
    "dividends": {"words for numbers", "future dates"},
    "share_counts": {"another security's rows"},
    "capex": {"future dates"},
    "box_office": {"hundredfold numbers", "closed in mid-body"},
}


def cells():
    return [
        pytest.param(
            name, fault, marks=() if fault in SAMPLE_OF.get(name, ()) else pytest.mark.soak, id=f"{name}-{fault}"
        )
        for name in SUBJECTS
        for fault in FAULTS
    ]


@pytest.mark.trial("fault matrix, dataset against fault")
@pytest.mark.parametrize(("name", "fault"), cells())
def test_matrix(name, fault, stub, clock, tmp_path, happy):
    subject, planted = SUBJECTS[name], FAULTS[fault]
    right = happy(subject)
    install(stub, subject)
    try:
        planted.plant(stub, subject)
    except Inapplicable as why:
        pytest.skip(f"inapplicable: {why}")
    desk = Desk(StoreFiles(tmp_path / "store"), clock, 0.5 if fault == "hang" else 10.0)
    report = desk.refresh(subject)
    desk.patience = 10.0
    assert stub.errors == []
    held = desk.read(subject)
    outcomes, whole = assert_recorded(desk, subject, planted, report), held == right
    if (name, fault) not in DEVIATES:
        assert not {table: held[table] - right[table] for table in held if held[table] - right[table]}
    mine = [line for line in report.failures if line.partition(" ")[0].rstrip(":") in subject.tables]
    if subject.rival:
        assert whole
        assert mine == []
    elif not outcomes <= {"ok"}:
        assert mine or fault == "empty list", report.failures
    if mine:
        assert not whole or subject.name == "reported_eps"
        install(stub, subject)
        assert desk.refresh(subject).failures == ()
        assert desk.read(subject) == right


def assert_recorded(desk, subject, planted, report):
    """Check the records of the run; return the outcomes of the first vendor."""
    with open_market(desk.files.root) as market:
        run = market.sql("SELECT * FROM refresh_run ORDER BY started").iloc[-1]
        attempts = market.sql("SELECT * FROM attempt")
        quarantine = market.sql("SELECT * FROM quarantine")
        marks = market.sql("SELECT dataset, symbol FROM watermark")
    assert run["status"] == "published"
    assert pd.isna(run["fingerprint"]) == bool(report.failures)
    mine = attempts[attempts["dataset"].isin(subject.tables)]
    outcomes = set(mine.loc[mine["endpoint"].str.fullmatch(f"{subject.asks}@.*"), "outcome"])
    assert outcomes, sorted(attempts["endpoint"])
    assert outcomes <= planted.outcomes | (SHARED.get(subject.name, set()))
    if subject.rival and not outcomes <= {"ok"}:
        assert mine["fallback"].any()
    if "rejected" in outcomes:
        assert len(quarantine) or mine["detail"].str.contains("rows refused: ").any()
    assert quarantine["reason"].notna().all()
    assert quarantine["raw"].notna().all()
    marked = {f"{row.dataset} {row.symbol}".strip() for row in marks.itertuples()}
    assert not marked & {line.partition(":")[0] for line in report.failures}
    return outcomes


# --- what only a history can show -----------------------------------------------------------------------------------
PRICED = {"bars": "600000.SH", "index_bars": "000300.SH"}


def later(clock, day):
    clock.now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@pytest.mark.trial("fault matrix, history")
@pytest.mark.parametrize("name", PRICED)
def test_changed_history_is_replaced_and_recorded(name, stub, clock, tmp_path):
    """The vendor restates a close three sessions ago; the next session finds it inside the overlap window."""
    subject = SUBJECTS[name]
    install(stub, subject)
    desk = Desk(StoreFiles(tmp_path / "store"), clock)
    later(clock, date(2024, 3, 28))
    assert desk.refresh(subject).failures == ()
    stock = stub.route.stocks[PRICED[name]]
    row = next(n for n, bar in enumerate(stock.bars) if bar[0] == date(2024, 3, 25))
    day, o, h, lo, c, volume, amount = stock.bars[row]
    stock.bars[row] = (day, o, h, lo, round(c + 0.01, 2), volume, amount)
    later(clock, date(2024, 3, 29))
    assert desk.refresh(subject).failures == ()
    with open_market(desk.files.root) as market:
        close = market.sql(f"SELECT close FROM {name} WHERE session = '2024-03-25'")["close"].item()
        known = market.sql("SELECT dataset, symbol, kind, changed_rows FROM restatement")
    assert close == round(c + 0.01, 2)
    assert known.to_numpy().tolist() == [[name, PRICED[name], "restated", 1]]


@pytest.mark.trial("fault matrix, history")
@pytest.mark.parametrize("name", PRICED)
def test_a_symbol_that_ends_keeps_its_history_and_does_not_fail_for_ever(name, stub, clock, tmp_path):
    subject = SUBJECTS[name]
    market = install(stub, subject)
    desk = Desk(StoreFiles(tmp_path / "store"), clock)
    later(clock, date(2024, 3, 28))
    desk.refresh(subject)
    held = desk.read(subject)[name]
    stock = market.stocks[PRICED[name]]
    stock.bars = [bar for bar in stock.bars if bar[0] <= date(2024, 3, 28)]
    later(clock, date(2024, 4, 1))
    report = desk.refresh(subject)
    assert desk.read(subject)[name] == held
    assert report.failures == ()


@pytest.mark.trial("fault matrix, history")
@pytest.mark.parametrize("name", PRICED)
def test_a_year_end_without_a_calendar_goes_on(name, stub, clock, tmp_path):
    """Beyond the published calendar every weekday may be a session: what is known is stored, and nothing stops."""
    subject = SUBJECTS[name]
    install(stub, subject)
    desk = Desk(StoreFiles(tmp_path / "store"), clock)
    later(clock, date(2031, 1, 7))
    report = desk.refresh(subject)
    assert report.status == "published"
    assert len(desk.read(subject)[name]) == 59
