"""Index bars: publisher first, units, and the same faults as for stocks where they can occur."""

import json
from datetime import date

import numpy as np
import pytest

from aitheme.sources.akshare import AkshareSource, LiveRequest, Universe
from aitheme.sources.akshare.bars import Window
from aitheme.sources.akshare.indices import index_asks
from aitheme.sources.akshare.reading import first_good
from aitheme.symbols import parse_symbol

SPAN = Window(date(2024, 1, 2), date(2024, 4, 1))


def fetch(gateway, text, window=SPAN):
    return first_good(gateway, index_asks(parse_symbol(text), window))


@pytest.mark.parametrize(
    ("symbol", "source"),
    [
        ("000300.SH", "csindex"),
        ("931151.CSI", "csindex"),
        ("399006.SZ", "eastmoney"),
        ("801760.SI", "shenwan"),
        ("HSI.HK", "sina"),
    ],
)
def test_each_family_has_its_publisher(gateway, market, symbol, source):
    stock = market.add(symbol, price=3500.0)
    fetched = fetch(gateway, symbol)
    assert (fetched.source, fetched.fallback) == (source, False)
    frame = fetched.reading.frame
    assert frame["session"].dt.date.tolist() == [row[0] for row in stock.bars]
    np.testing.assert_allclose(frame["close"], [row[4] for row in stock.bars])
    np.testing.assert_allclose(frame["open"], [row[1] for row in stock.bars])
    np.testing.assert_allclose(frame["amount"], [row[6] for row in stock.bars], rtol=1e-9)
    assert frame["pe_trailing"].notna().all() == (source == "csindex")


@pytest.mark.parametrize(
    ("symbol", "down", "source"),
    [("000300.SH", ["csindex"], "eastmoney"), ("000300.SH", ["csindex", "push2his"], "sina"), ("HSI.HK", ["sina"], "")],
)
def test_fallback_order(gateway, market, stub, symbol, down, source):
    market.add(symbol, price=3500.0)
    for host in down:
        stub.fault(host, "captcha")
    fetched = fetch(gateway, symbol)
    assert fetched.source == source
    assert [a.outcome.kind for a in fetched.attempts][: len(down)] == ["blocked"] * len(down)


def test_hang_seng_at_eastmoney_needs_the_list_of_codes(gateway, market, stub):
    market.add("HSI.HK", price=17_000.0)
    stub.fault("sina", 403)
    market.pages["15.push2.eastmoney.com"] = hong_kong_list
    fetched = fetch(gateway, "HSI.HK")
    assert (fetched.source, fetched.fallback) == ("eastmoney", True)
    assert fetched.reading.frame["amount"].isna().all()


def hong_kong_list(_):
    keys = ("f2", "f3", "f4", "f5", "f6", "f12", "f13", "f14", "f15", "f16", "f17", "f18")
    row = dict.fromkeys(keys, 1.0) | {"f12": "HSI", "f13": 100, "f14": "恒生指数"}
    return "application/json", json.dumps({"data": {"total": 1, "diff": [row]}})


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("hang", "network_failure"),
        (429, "blocked"),
        (lambda _: '{"code":"200","data":[]}', "empty"),
        (lambda _: '{"code":"200"}', "empty"),
        (lambda text: text.replace("closeindex", "close_index"), "schema_drift"),
        (lambda text: text.replace('"swindexcode": "801760"', '"swindexcode": "801750"'), "rejected"),
        (lambda text: text.replace('"bargaindate": "2024', '"bargaindate": "2034'), "rejected"),
        (lambda text: text.replace('"closeindex": ', '"closeindex": -'), "rejected"),
        (lambda text: text[:200], "network_failure"),
    ],
)
def test_faults_at_a_publisher_without_rival(gateway, market, stub, fault, kind):
    market.add("801760.SI", price=600.0)
    stub.fault("swsresearch", fault)
    fetched = fetch(gateway, "801760.SI")
    assert fetched.outcome.kind == kind
    assert fetched.reading is None


def test_indices_nobody_publishes_for_free_are_not_asked(stub, politeness, clock):
    assert index_asks(parse_symbol("CI005028.CI"), SPAN) == []
    source = AkshareSource(
        Universe(frozenset(), indices=frozenset({"CI005028.CI"})), politeness=politeness, clock=lambda: clock.now
    )
    assert list(source.batches(LiveRequest(datasets=frozenset({"index_bars"})))) == []


def test_one_bad_row_of_an_index_is_refused(gateway, market, stub):
    stock = market.add("801760.SI", price=600.0)

    def spoil(text):
        answer = json.loads(text)
        answer["data"][3]["maxindex"] = 1.0
        return json.dumps(answer)

    stub.fault("swsresearch", spoil)
    fetched = fetch(gateway, "801760.SI")
    assert (fetched.outcome.kind, len(fetched.reading.frame)) == ("ok", len(stock.bars) - 1)
    assert fetched.rejects["reason"].str.contains("high or low").all()
