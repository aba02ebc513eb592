"""The source as the store uses it: plan, order of batches, increments, factors, explanations, circuits."""

import random
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from aitheme.sources.akshare import AkshareSource, Known, LiveRequest, OfflineError, Politeness, Universe
from aitheme.sources.base import RETURN_APPROXIMATE, FetchRequest

PRICES = frozenset({"bars", "adj_factors"})
SINCE = date(2024, 1, 2)


@pytest.fixture
def build(stub, politeness, clock):
    def make(*symbols, **options):
        universe = Universe(frozenset(symbols), **{"indices": frozenset(), "capex": frozenset(), **options})
        return AkshareSource(universe, politeness=politeness, clock=lambda: clock.now)

    return make


def run(source, **options):
    request = LiveRequest(**{"since": SINCE, "datasets": PRICES, **options})
    return {(batch.dataset, batch.symbol): batch for batch in source.batches(request)}


def test_bars_carry_the_factor_in_force(build, market):
    stock = market.add("600000.SH")
    stock.hfq = [("1900-01-01", "1.0"), ("2024-02-20", "1.25"), ("2024-05-06", "9.9")]
    batches = run(build("600000.SH"))
    bars = batches["bars", "600000.SH"].table.to_pandas()
    after = pd.to_datetime(bars["session"]) >= "2024-02-20"
    assert set(bars.loc[after, "adj_factor"]) == {1.25}
    assert set(bars.loc[~after, "adj_factor"]) == {1.0}
    factors = batches["adj_factors", "600000.SH"]
    assert factors.table.column("factor").to_pylist() == [1.0, 1.25], "an announced step is not in force yet"
    assert batches["bars", "600000.SH"].covers == (SINCE, date(2024, 4, 1))
    assert [a.endpoint for a in batches["bars", "600000.SH"].attempts] == [
        "stock_zh_a_hist@push2his.eastmoney.com",
        "stock_zh_a_daily@finance.sina.com.cn",
    ]


def test_hong_kong_cash_becomes_a_reinvested_factor(build, market):
    """A dividend of 3 per share: level ratio across the ex-date is P1 / (P0 - 3), not (P1 + 3) / P0."""
    stock = market.add("00700.HK", price=300.0)
    ex = stock.bars[20][0]
    stock.affine = [("1900-01-01", "1.0", "0"), (str(ex), "1.0", "3.0")]
    bars = run(build("00700.HK"))["bars", "00700.HK"].table.to_pandas()
    level = bars["close"] * bars["adj_factor"]
    closes = [row[4] for row in stock.bars]
    assert level[20] / level[19] == pytest.approx(closes[20] / (closes[19] - 3.0))
    assert level[30] / level[29] == pytest.approx(closes[30] / closes[29])


def test_american_split_and_dividend_steps(build, market):
    """Sina's American table is anchored at today: older rows carry scale and offset."""
    stock = market.add("MSFT.US", price=300.0)
    split, paid = stock.bars[10][0], stock.bars[30][0]
    stock.affine = [("1900-01-01", "0.5", "-2.0"), (str(split), "1.0", "-2.0"), (str(paid), "1.0", "0.0")]
    bars = run(build("MSFT.US"))["bars", "MSFT.US"].table.to_pandas()
    closes = np.array([row[4] for row in stock.bars])
    factor = bars["adj_factor"].to_numpy()
    assert factor[10] / factor[9] == pytest.approx(2.0)
    assert factor[30] / factor[29] == pytest.approx(closes[29] / (closes[29] - 2.0))


def test_factor_vendor_down_uses_the_dividend_record_and_says_so(build, market, stub):
    stock = market.add("600000.SH")
    ex = stock.bars[20][0]
    stub.fault("/hfq.js", 404)
    stub.fault("/hfq.js", 403)
    market.pages["webapi.cninfo.com.cn"] = dividends([(str(ex), 0, 0, 5.0)])
    batch = run(build("600000.SH"), anchors={"600000.SH": (date(2023, 12, 29), 2.0)})["bars", "600000.SH"]
    bars = batch.table.to_pandas()
    closes = [row[4] for row in stock.bars]
    assert bars["adj_factor"][19] == 2.0
    assert bars["adj_factor"][20] == pytest.approx(2.0 * closes[19] / (closes[19] - 0.5))
    assert set(bars["quality"]) == {RETURN_APPROXIMATE}


def dividends(rows):
    import json

    records = [
        {"F006D": "2024-01-20", "F044V": "年度分红", "F011N": transfer, "F010N": bonus, "F012N": cash,
         "F018D": ex, "F020D": ex, "F023D": ex, "F025D": ex, "F007V": "10派X元", "F001V": "2023年报"}
        for ex, bonus, transfer, cash in rows
    ]  # fmt: skip
    return "application/json", json.dumps({"records": records, "resultmsg": "success"})


def test_bars_without_any_factor_are_withheld(build, market, stub):
    market.add("600000.SH")
    stub.fault("/hfq.js", 403)
    batch = run(build("600000.SH"))["bars", "600000.SH"]
    assert batch.table.num_rows == 0
    assert (batch.outcome.kind, batch.covers) == ("blocked", None)
    assert "withheld" in batch.notes[0]


def test_vendor_text_is_never_evaluated_as_code(build, market, stub, tmp_path):
    market.add("600000.SH")
    trap = tmp_path / "trap"
    stub.fault("/hfq.js", lambda _: f'var x=__import__("pathlib").Path("{trap}").touch()\n')
    batch = run(build("600000.SH"))["bars", "600000.SH"]
    assert not trap.exists()
    assert batch.outcome.kind == "schema_drift"
    assert "not evaluated" in batch.outcome.describe()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("1900-01-01", "1.0"), ("2024-02-20", "-1.25")], "negative"),
        ([("1900-01-01", "1.0"), ("2024-02-20", "125")], "not believable"),
        ([("1900-01-01", "1.0"), ("2024-02-20", "1.2"), ("2024-02-20", "1.3")], "twice"),
    ],
)
def test_absurd_factors_are_refused(build, market, rows, words):
    market.add("600000.SH").hfq = rows
    batch = run(build("600000.SH"))["bars", "600000.SH"]
    assert batch.outcome.kind == "rejected"
    assert words in batch.outcome.describe()


def test_factors_of_another_stock_are_refused(build, market, stub):
    market.add("600000.SH")
    stub.fault("/hfq.js", lambda text: text.replace("600000", "600001"))
    assert run(build("600000.SH"))["bars", "600000.SH"].outcome.kind == "rejected"


def test_missing_ex_date_is_marked_where_the_price_halves(build, market):
    stock = market.add("600000.SH")
    stock.bars = [
        row if n < 30 else (row[0], *(round(v / 2, 2) for v in row[1:5]), row[5] * 2, row[6])
        for n, row in enumerate(stock.bars)
    ]
    batch = run(build("600000.SH"))["bars", "600000.SH"]
    bars = batch.table.to_pandas()
    assert bars["quality"].to_numpy().nonzero()[0].tolist() == [30]
    assert "ex-date may be missing" in batch.notes[-1]


def test_increment_asks_from_the_overlap_on(build, market, stub):
    market.add("600000.SH", end="2024-04-01")
    source = build("600000.SH")
    marks = {("bars", "600000.SH"): date(2024, 3, 28)}
    batch = run(source, watermarks=marks, overlap_sessions=5)["bars", "600000.SH"]
    assert batch.covers == (date(2024, 3, 21), date(2024, 4, 1))
    assert batch.table.num_rows == 8
    assert stub.asked("push2his")[0].query["beg"] == "20240321"
    assert run(source, watermarks={("bars", "600000.SH"): date(2024, 4, 1)}) == {}


def test_nothing_is_asked_on_a_holiday_or_twice(build, market, stub, clock):
    """On Qingming (4 April 2024) the last closed session is the 3rd."""
    market.add("600000.SH")
    clock.now = datetime(2024, 4, 4, 12, 0, tzinfo=UTC)
    assert run(build("600000.SH"), watermarks={("bars", "600000.SH"): date(2024, 4, 3)}) == {}
    assert stub.seen == []


def test_a_bar_before_the_close_is_not_taken(build, market, clock):
    """At 14:00 Beijing vendors already show a row of the day."""
    market.add("600000.SH", end="2024-03-29")
    clock.now = datetime(2024, 3, 29, 6, 0, tzinfo=UTC)
    batch = run(build("600000.SH"))["bars", "600000.SH"]
    assert batch.covers[1] == date(2024, 3, 28)
    assert batch.table.column("session").to_pylist()[-1] == date(2024, 3, 28)
    assert len(batch.rejects) == 0


def test_year_end_without_a_calendar_goes_on(build, market, clock):
    """Beyond the published calendar every weekday may be a session; nothing stops."""
    market.add("600000.SH")
    clock.now = datetime(2031, 1, 7, 12, 0, tzinfo=UTC)
    batch = run(build("600000.SH"))["bars", "600000.SH"]
    assert batch.covers[1] == date(2031, 1, 7)


def test_suspended_stock_is_explained_and_no_second_vendor_bothered(build, market, stub):
    market.add("600000.SH", end="2024-02-20")
    known = Known(pd.DataFrame({"symbol": ["600000.SH"], "start": [date(2024, 2, 21)], "end": [None]}))
    batch = run(build("600000.SH"), known=known, since=date(2024, 3, 1))["bars", "600000.SH"]
    assert (batch.outcome.kind, batch.outcome.reason) == ("empty", "suspended")
    assert batch.outcome.settles
    assert set(stub.hosts()) == {"push2his.eastmoney.com"}
    batch = run(build("600000.SH"), known=known, since=date(2024, 2, 1))["bars", "600000.SH"]
    assert batch.outcome.kind == "ok"
    assert "tencent" not in {attempt.endpoint for attempt in batch.attempts}


def test_stale_copy_at_the_first_vendor_is_noticed(build, market, stub):
    stock = market.add("600000.SH", end="2024-04-01")
    stub.fault("push2his", drop_last(3))
    batch = run(build("600000.SH"))["bars", "600000.SH"]
    assert (batch.source, batch.fallback) == ("tencent", True)
    assert batch.table.num_rows == len(stock.bars)


def test_gap_that_nobody_can_confirm_stays_open(build, market, stub):
    market.add("600000.SH", end="2024-04-01")
    stub.fault("push2his", drop_last(3))
    stub.fault("gtimg", 403)
    stub.fault("klc_kl", 502)
    batch = run(build("600000.SH"))["bars", "600000.SH"]
    assert batch.source == "eastmoney"
    assert batch.covers == (SINCE, date(2024, 3, 27))


def test_gap_at_two_vendors_is_confirmed_and_noted(build, market):
    market.add("600000.SH", end="2024-03-20")
    batch = run(build("600000.SH"))["bars", "600000.SH"]
    assert batch.covers == (SINCE, date(2024, 4, 1))
    assert "at two vendors" in batch.notes[-1]


def drop_last(count):
    import json

    def edit(text):
        answer = json.loads(text)
        answer["data"]["klines"] = answer["data"]["klines"][:-count]
        return json.dumps(answer)

    return edit


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (Known(listed={"600000.SH": date(2024, 6, 3)}), "not_listed"),
        (Known(delisted={"600000.SH": date(2023, 6, 1)}), "delisted"),
        (Known(), "unknown_symbol"),
    ],
)
def test_empty_answers_get_their_reason(build, known, reason):
    batch = run(build("600000.SH"), known=known)["bars", "600000.SH"]
    assert batch.outcome.reason == reason
    assert batch.outcome.settles == (reason != "unknown_symbol")


def test_plan_counts_and_sends_nothing(build, market, stub):
    source = build("600000.SH", "300364.SZ", "00700.HK", indices=frozenset({"000300.SH", "801760.SI"}))
    plan = source.plan(LiveRequest(since=SINCE, datasets=PRICES | {"index_bars"}))
    assert stub.seen == []
    assert {(item.dataset, item.vendor): item.requests for item in plan.items} == {
        ("index_bars", "csindex"): 1,
        ("index_bars", "shenwan"): 1,
        ("bars", "eastmoney"): 3,
        ("bars", "sina"): 4,
    }
    assert plan.requests == 9
    assert "9 requests" in plan.describe()


def test_default_plan_covers_every_dataset(build):
    source = build("600000.SH", "00700.HK", sectors=frozenset({"801760.SI"}), capex=frozenset({"META"}))
    plan = source.plan(FetchRequest(since=SINCE))
    assert {item.dataset for item in plan.items} == {
        "securities", "suspensions", "indices", "consensus", "reported_eps", "sector_members", "capex",
        "box_office", "bars", "broker_forecasts", "dividends", "share_counts",
    }  # fmt: skip


def test_open_circuit_spares_the_vendor_for_hours_and_across_processes(build, market, stub, clock, tmp_path):
    for symbol in ("600000.SH", "600004.SH", "600006.SH"):
        market.add(symbol)
    stub.fault("push2his", 403)
    batches = run(build("600000.SH", "600004.SH", "600006.SH"))
    assert {b.source for b in batches.values() if b.dataset == "bars"} == {"tencent"}
    assert all(b.fallback for b in batches.values() if b.dataset == "bars")
    assert len(stub.asked("push2his")) == 1
    again = Politeness(tmp_path / "state", loopback=True, now=lambda: clock.now, sleep=lambda _: None)
    assert again.circuits.get("eastmoney").reason == "HTTP 403"
    clock.now += timedelta(hours=7)
    assert again.circuits.get("eastmoney") is None
    assert again.circuits.strikes("eastmoney") == 1


def test_no_network_ends_at_once_with_one_line(build, stub, clock):
    stub.refused.update({"eastmoney", "sina", "gtimg", "qq.com", "cninfo"})
    source = build(*(f"6000{n:02d}.SH" for n in range(40)))
    seen = []
    with pytest.raises(OfflineError, match="no vendor can be reached") as caught:
        seen.extend(source.batches(LiveRequest(since=SINCE, datasets=PRICES)))
    assert "\n" not in str(caught.value)
    assert all(batch.table.num_rows == 0 for batch in seen)
    assert sum(clock.slept) < 30


def test_one_bad_symbol_does_not_stop_the_others(build, market, stub):
    for symbol in ("600000.SH", "600004.SH"):
        market.add(symbol)
    stub.fault("secid=1.600000", lambda _: "{}")
    stub.fault("sh600000", 502)
    batches = run(build("600000.SH", "600004.SH"))
    assert batches["bars", "600000.SH"].outcome.kind == "schema_drift"
    assert batches["bars", "600004.SH"].outcome.kind == "ok"


def test_same_request_twice_gives_identical_tables(build, market):
    market.add("600000.SH").hfq = [("1900-01-01", "1.0"), ("2024-02-20", "1.25")]
    first, second = (run(build("600000.SH")) for _ in range(2))
    assert first.keys() == second.keys()
    assert all(first[key].table.equals(second[key].table) for key in first)


def test_progress_counts_down(stub, market, politeness, clock):
    for symbol in ("600000.SH", "600004.SH"):
        market.add(symbol)
    told = []
    universe = Universe(frozenset(market.stocks), indices=frozenset())
    source = AkshareSource(universe, politeness=politeness, clock=lambda: clock.now, progress=told.append)
    list(source.batches(LiveRequest(since=SINCE, datasets=PRICES)))
    assert [(p.done, p.total, p.label) for p in told] == [(1, 2, "bars 600000.SH"), (2, 2, "bars 600004.SH")]
    assert told[-1].seconds_left == 0


def test_random_factor_tables_always_leave_positive_finite_levels(build, market):
    rng = random.Random(7)  # noqa: S311
    for n in range(5):
        symbol = f"60010{n}.SH"
        stock = market.add(symbol)
        value, rows = 1.0, [("1900-01-01", "1.0")]
        for day in sorted(rng.sample(range(5, 50), 3)):
            value *= 1 + rng.random()
            rows.append((str(stock.bars[day][0]), f"{value:.6f}"))
        stock.hfq = rows
    batches = run(build(*market.stocks))
    for (dataset, _), batch in batches.items():
        if dataset == "bars":
            factor = batch.table.column("adj_factor").to_numpy()
            assert np.isfinite(factor).all()
            assert (np.diff(factor) >= 0).all()


def test_fingerprint_changes_with_day_and_closed_session(build, clock):
    source = build("600000.SH")
    texts = []
    for hour, day in ((6, 1), (8, 1), (22, 1), (8, 2)):
        clock.now = datetime(2024, 4, day, hour, 0, tzinfo=UTC)
        texts.append(source.fingerprint())
    assert len(set(texts)) == 4
    assert source.fingerprint() == texts[-1]


def test_whole_market_means_every_listed_share(build, market, clock):
    for symbol in ("600000.SH", "300364.SZ"):
        market.add(symbol)
    listed = {"600000.SH": date(2000, 1, 4), "300364.SZ": date(2013, 1, 4), "600002.SH": date(1998, 1, 5)}
    known = Known(listed=listed, delisted={"600002.SH": date(2006, 4, 24)})
    source = AkshareSource(Universe(None, indices=frozenset()), politeness=build().politeness, clock=lambda: clock.now)
    assert {symbol for _, symbol in run(source, known=known)} == {"600000.SH", "300364.SZ"}


def test_symbols_of_a_request_may_name_indices(build, market):
    market.add("600000.SH")
    market.add("801760.SI", price=600.0)
    wanted = frozenset({"600000.SH", "801760.SI"})
    batches = run(build(), symbols=wanted, datasets=frozenset({"bars", "index_bars"}))
    assert set(batches) == {("bars", "600000.SH"), ("index_bars", "801760.SI")}


def test_computed_factor_needs_a_beginning(build, market, stub):
    """Without a stored factor and without full history nobody knows the scale: the bars wait."""
    market.add("600000.SH")
    stub.fault("/hfq.js", 403)
    market.pages["webapi.cninfo.com.cn"] = dividends([("2024-02-20", 0, 0, 5.0)])
    batch = run(build("600000.SH"), anchors={})["bars", "600000.SH"]
    assert (batch.table.num_rows, batch.outcome.kind) == (0, "blocked")
    assert stub.asked("cninfo") == []


def test_computed_factor_of_a_stock_that_never_paid_is_one(build, market, stub):
    market.add("600000.SH")
    stub.fault("/hfq.js", 403)
    market.pages["webapi.cninfo.com.cn"] = ("application/json", '{"records": [], "resultmsg": "success"}')
    batches = run(build("600000.SH"), since=None)
    bars = batches["bars", "600000.SH"].table.to_pandas()
    assert set(bars["adj_factor"]) == {1.0}
    assert set(bars["quality"]) == {RETURN_APPROXIMATE}
    assert batches["adj_factors", "600000.SH"].table.column("source").to_pylist() == ["cninfo"]


def test_dividend_larger_than_the_price_is_not_computed_with(build, market, stub):
    stock = market.add("600000.SH")
    stub.fault("/hfq.js", 403)
    market.pages["webapi.cninfo.com.cn"] = dividends([(str(stock.bars[20][0]), 0, 0, 500.0)])
    batch = run(build("600000.SH"), since=None)["bars", "600000.SH"]
    assert batch.table.num_rows == 0


def test_bonus_and_cash_on_one_day_follow_the_exchange_formula(build, market, stub):
    """10 for 10 and 2 yuan per 10 shares: reference price (P - 0.2) / 2."""
    stock = market.add("600000.SH")
    stub.fault("/hfq.js", 403)
    market.pages["webapi.cninfo.com.cn"] = dividends([(str(stock.bars[20][0]), 4, 6, 2.0)])
    factor = run(build("600000.SH"), since=None)["bars", "600000.SH"].table.column("adj_factor").to_pylist()
    close = stock.bars[19][4]
    assert factor[20] / factor[19] == pytest.approx(close / ((close - 0.2) / 2))


def test_hong_kong_without_factors_is_withheld(build, market, stub):
    market.add("00700.HK", price=300.0)
    stub.fault("/hfq.js", 403)
    assert run(build("00700.HK"))["bars", "00700.HK"].outcome.kind == "blocked"


def test_rejects_before_the_window_are_not_reported_again(build, market, stub):
    """Hong Kong answers carry all history, with the same bad row in it every day."""
    import json

    market.add("00700.HK", price=300.0)

    def spoil(text):
        answer = json.loads(text)
        cells = answer["data"]["klines"][5].split(",")
        cells[3] = "1.0"
        answer["data"]["klines"][5] = ",".join(cells)
        return json.dumps(answer)

    stub.fault("push2his", spoil)
    whole = run(build("00700.HK"))["bars", "00700.HK"]
    recent = run(build("00700.HK"), watermarks={("bars", "00700.HK"): date(2024, 3, 27)})["bars", "00700.HK"]
    assert (len(whole.rejects), len(recent.rejects)) == (1, 0)


def test_factors_go_on_from_the_stored_scale(build, market):
    """The store was filled from an archive whose factors are 3.2 times Sina's; returns across the seam stay right."""
    stock = market.add("600000.SH")
    ex = stock.bars[50][0]
    stock.hfq = [("1900-01-01", "1.0"), (str(ex), "1.25")]
    anchor = {"600000.SH": (stock.bars[40][0], 3.2)}
    marks = {("bars", "600000.SH"): stock.bars[48][0]}
    batches = run(build("600000.SH"), anchors=anchor, watermarks=marks, overlap_sessions=8)
    bars = batches["bars", "600000.SH"].table.to_pandas().set_index("session")["adj_factor"]
    assert bars[stock.bars[49][0]] == pytest.approx(3.2)
    assert bars[ex] == pytest.approx(4.0)
    assert "multiplied by 3.2" in batches["bars", "600000.SH"].notes[0]
    assert batches["adj_factors", "600000.SH"].table.column("factor").to_pylist() == [1.0, 1.25]


def test_late_ex_date_inside_the_overlap_shows_as_restated(build, market):
    stock = market.add("600000.SH")
    late = stock.bars[46][0]
    stock.hfq = [("1900-01-01", "1.0"), (str(late), "1.25")]
    marks = {("bars", "600000.SH"): stock.bars[48][0]}
    anchor = {"600000.SH": (stock.bars[40][0], 1.0)}
    batch = run(build("600000.SH"), anchors=anchor, watermarks=marks, overlap_sessions=8)["bars", "600000.SH"]
    bars = batch.table.to_pandas().set_index("session")["adj_factor"]
    assert (bars[stock.bars[45][0]], bars[late], bars[stock.bars[48][0]]) == (1.0, 1.25, 1.25)
