"""One session of a whole market from the quote list."""

import json
from datetime import UTC, date, datetime

import pytest

from aitheme.sources.akshare import AkshareSource, LiveRequest, Universe

PREVIOUS, SESSION = date(2024, 3, 29), date(2024, 4, 1)


@pytest.fixture
def crowd(market):
    """310 stocks with two sessions each; the store has the first one."""
    for n in range(310):
        market.add(f"60{n:04d}.SH", start="2024-03-29", end="2024-04-01", price=10 + n / 10)
    market.pages["82.push2.eastmoney.com"] = lambda seen: eastmoney_list(market, seen)
    market.pages["vip.stock.finance.sina.com.cn"] = lambda seen: sina_list(market, seen)
    return market


def eastmoney_list(market, seen, size=100):
    fields = sorted({*(int(f[1:]) for f in seen.query["fields"].split(",")), 140, 141})
    stocks = [stock for stock in market.stocks.values() if stock.symbol.endswith(("SH", "SZ"))]
    page = int(seen.query["pn"])
    diff = []
    for stock in stocks[(page - 1) * size : page * size]:
        _, o, h, lo, c, volume, amount = stock.bars[-1]
        quote = {12: stock.code, 14: "测试", 17: o, 15: h, 16: lo, 2: c, 5: volume // 100, 6: amount, 8: 1.5,
                 18: stock.extra.get("reference", stock.bars[-2][4]), 3: 0.1}  # fmt: skip
        if stock.extra.get("suspended"):
            quote |= dict.fromkeys((2, 5, 6, 8, 15, 16, 17), "-")
        diff.append({f"f{n}": quote.get(n, 1.0) for n in fields})
    return "application/json", json.dumps({"data": {"total": len(stocks), "diff": diff}})


def sina_list(market, seen):
    stocks = list(market.stocks.values())
    if "Count" in seen.path:
        return "application/json", f'"{len(stocks)}"'
    page = int(seen.query["page"])
    rows = []
    for stock in stocks[(page - 1) * 80 : page * 80]:
        _, o, h, lo, c, volume, amount = stock.bars[-1]
        rows.append(
            {"symbol": f"sh{stock.code}", "code": stock.code, "name": "测试", "trade": f"{c}", "pricechange": "0.1",
             "changepercent": "1", "buy": "1", "sell": "1", "settlement": f"{stock.bars[-2][4]}", "open": f"{o}",
             "high": f"{h}", "low": f"{lo}", "volume": volume, "amount": amount, "ticktime": "15:00:00", "per": "1",
             "pb": "1", "mktcap": "1", "nmc": "1", "turnoverratio": "1"}
        )  # fmt: skip
    return "application/json", json.dumps(rows)


def run(market, politeness, clock, **options):
    last = {s: (PREVIOUS, stock.bars[0][4], 2.0) for s, stock in market.stocks.items()}
    request = {
        "datasets": frozenset({"bars"}),
        "watermarks": {("bars", symbol): PREVIOUS for symbol in market.stocks},
        "last_bars": last,
    }
    universe = Universe(frozenset(market.stocks), indices=frozenset())
    source = AkshareSource(universe, politeness=politeness, clock=lambda: clock.now)
    return list(source.batches(LiveRequest(**(request | options))))


def test_one_list_serves_the_market(crowd, stub, politeness, clock):
    batches = run(crowd, politeness, clock)
    assert [(b.symbol, b.outcome.kind) for b in batches] == [(None, "ok")]
    frame = batches[0].table.to_pandas().set_index("symbol")
    assert len(frame) == 310
    for symbol in ("600000.SH", "600309.SH"):
        _, o, h, lo, c, volume, amount = crowd.stocks[symbol].bars[-1]
        assert frame.loc[symbol, ["open", "high", "low", "close", "amount"]].tolist() == [o, h, lo, c, amount]
        assert frame.loc[symbol, "volume"] == volume
    assert set(frame["adj_factor"]) == {2.0}
    assert batches[0].covers == (SESSION, SESSION)
    assert len(stub.seen) == 4


def test_corporate_action_sends_that_stock_its_own_way(crowd, politeness, clock):
    stock = crowd.stocks["600005.SH"]
    stock.extra["reference"] = round(stock.bars[0][4] - 0.5, 2)
    stock.hfq = [("1900-01-01", "2.0"), ("2024-04-01", "2.1")]
    market_wide, alone = run(crowd, politeness, clock)
    assert "600005.SH" not in market_wide.table.column("symbol").to_pylist()
    assert alone.symbol == "600005.SH"
    assert alone.table.column("adj_factor").to_pylist() == [2.0, 2.1]


def test_suspended_stock_gets_no_bar(crowd, politeness, clock):
    crowd.stocks["600005.SH"].extra["suspended"] = True
    (batch,) = run(crowd, politeness, clock)
    assert batch.table.num_rows == 309
    assert batch.notes == ("1 stocks without a trade",)


def test_short_or_blocked_list_falls_back_to_sina(crowd, stub, politeness, clock):
    def shorten(text):
        answer = json.loads(text)
        answer["data"]["diff"] = answer["data"]["diff"][:50]
        return json.dumps(answer)

    stub.fault("pn=2", shorten)
    (batch,) = run(crowd, politeness, clock)
    assert (batch.source, batch.fallback, batch.table.num_rows) == ("sina", True, 310)
    assert batch.attempts[0].outcome.kind == "rejected"


def test_whole_market_is_never_asked_one_by_one_when_lists_are_blocked(crowd, stub, politeness, clock):
    stub.fault("push2", 403)
    stub.fault("sina", 456)
    (batch,) = run(crowd, politeness, clock)
    assert (batch.outcome.kind, batch.table.num_rows) == ("blocked", 0)
    assert len(stub.seen) == 2


def test_list_is_not_used_once_the_next_session_prepares(crowd, stub, politeness, clock):
    clock.now = datetime(2024, 4, 2, 1, 30, tzinfo=UTC)
    few = dict(list(crowd.stocks.items())[:3])
    crowd.stocks = few
    batches = run(crowd, politeness, clock)
    assert {b.symbol for b in batches} == set(few)
    assert stub.asked("82.push2") == []
