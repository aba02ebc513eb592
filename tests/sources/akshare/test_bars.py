"""Stock bars: each vendor's units, the fallback order, and what is wrong with an answer."""

from datetime import date

import numpy as np
import pytest

from aitheme.sources.akshare.bars import Window, bar_asks
from aitheme.sources.akshare.reading import first_good
from aitheme.symbols import parse_symbol

SPAN = Window(date(2024, 1, 2), date(2024, 4, 1))


def fetch(gateway, symbol, window=SPAN, **options):
    return first_good(gateway, bar_asks(parse_symbol(symbol), window, **options))


def assert_equals_market(fetched, stock, tolerance=1e-6):
    frame = fetched.reading.frame
    assert frame["session"].dt.date.tolist() == [row[0] for row in stock.bars]
    for position, name in enumerate(["open", "high", "low", "close", "volume", "amount"], start=1):
        np.testing.assert_allclose(frame[name], [row[position] for row in stock.bars], rtol=tolerance, err_msg=name)


@pytest.mark.parametrize("symbol", ["600000.SH", "000001.SZ", "300364.SZ", "688041.SH", "920002.BJ"])
def test_eastmoney_lots_become_shares(gateway, market, symbol):
    stock = market.add(symbol)
    fetched = fetch(gateway, symbol)
    assert (fetched.outcome.kind, fetched.source, fetched.fallback) == ("ok", "eastmoney", False)
    assert_equals_market(fetched, stock)
    assert fetched.reading.frame["turnover"].iloc[0] == pytest.approx(stock.bars[0][5] / 1e9, abs=1e-6)


@pytest.mark.parametrize("symbol", ["600000.SH", "000001.SZ", "300364.SZ", "688041.SH"])
def test_tencent_is_second_and_its_lots_are_recognised(gateway, market, stub, symbol):
    stock = market.add(symbol)
    stub.fault("push2his", 403)
    fetched = fetch(gateway, symbol)
    assert (fetched.source, fetched.fallback) == ("tencent", True)
    assert [a.outcome.kind for a in fetched.attempts] == ["blocked", "ok"]
    assert_equals_market(fetched, stock, 1e-5)
    assert bool(fetched.reading.notes) == symbol.startswith("000")


@pytest.mark.parametrize("symbol", ["600000.SH", "920002.BJ"])
def test_sina_is_last(gateway, market, stub, symbol):
    stock = market.add(symbol)
    stub.fault("push2his", "captcha")
    stub.fault("gtimg", 429)
    fetched = fetch(gateway, symbol)
    assert (fetched.source, fetched.fallback) == ("sina", True)
    assert_equals_market(fetched, stock)


@pytest.mark.parametrize(("symbol", "source"), [("00700.HK", "eastmoney"), ("MSFT.US", "eastmoney")])
def test_overseas_volumes_are_shares_already(gateway, market, symbol, source):
    stock = market.add(symbol, price=300.0)
    fetched = fetch(gateway, symbol)
    assert fetched.source == source
    assert_equals_market(fetched, stock)


@pytest.mark.parametrize("symbol", ["00700.HK", "MSFT.US"])
def test_overseas_falls_back_to_sina(gateway, market, stub, symbol):
    stock = market.add(symbol, price=300.0)
    stub.fault("push2his", 456)
    fetched = fetch(gateway, symbol)
    assert fetched.source == "sina"
    np.testing.assert_allclose(fetched.reading.frame["close"], [row[4] for row in stock.bars])


def test_american_market_number_is_found_or_given(gateway, market, stub):
    market.add("MSFT.US", price=300.0)
    assert fetch(gateway, "MSFT.US", us_markets={"MSFT": "105"}).source == "eastmoney"
    assert [seen.query["secid"] for seen in stub.seen] == ["105.MSFT"]


def test_another_american_market_is_no_fallback_and_no_confirmation(gateway, market, stub):
    market.add("MSFT.US", price=300.0)
    stub.fault("secid=105.", lambda _: '{"rc":0,"data":null}')
    stub.fault("sina", 502)
    fetched = fetch(gateway, "MSFT.US")
    assert fetched.reading is None
    assert not fetched.outcome.settles, "one vendor asked three times confirms nothing"
    assert [a.outcome.kind for a in fetched.attempts] == ["empty", "empty", "empty", "network_failure"]
