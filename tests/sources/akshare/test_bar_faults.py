"""The fault matrix of the price path: the class of outcome, what is asked next, and what must never get through."""

import json
from datetime import date

import pytest
from test_bars import SPAN, assert_equals_market, fetch

from aitheme.sources.akshare.bars import Window

SYMBOL = "600000.SH"


def edit_lines(change):
    """Rewrite the candle lines (lists of text cells) of an Eastmoney answer."""

    def edit(text):
        answer = json.loads(text)
        lines = [line.split(",") for line in answer["data"]["klines"]]
        answer["data"]["klines"] = [",".join(map(str, line)) for line in change(lines)]
        return json.dumps(answer)

    return edit


def each(change):
    return edit_lines(lambda lines: [change(n, list(line)) for n, line in enumerate(lines)])


def scaled(cell, factor, rows=None):
    def change(n, line):
        if rows is None or n in rows:
            line[cell] = float(line[cell]) * factor
        return line

    return each(change)


def set_data(value):
    return lambda _: json.dumps({"rc": 0, "data": value})


BROKEN = {
    "refused": (None, "network_failure"),
    "reset": ("reset", "blocked"),
    "dropped": ("drop", "blocked"),
    "cut mid-body": ("cut", "network_failure"),
    "hang": ("hang", "network_failure"),
    "HTTP 403": (403, "blocked"),
    "HTTP 429": (429, "blocked"),
    "HTTP 456": (456, "blocked"),
    "HTTP 502": (502, "network_failure"),
    "captcha with status 200": ("captcha", "blocked"),
    "empty body": ("empty", "network_failure"),
    "truncated JSON": (lambda text: text[: len(text) // 2], "network_failure"),
    "no data key": (lambda _: "{}", "schema_drift"),
    "null data": (set_data(None), "empty"),
    "empty list": (set_data({"klines": []}), "empty"),
    "one field more": (each(lambda _, line: [*line, "1"]), "schema_drift"),
    "one field fewer": (each(lambda _, line: line[:-1]), "schema_drift"),
    "open and close swapped": (
        each(lambda _, line: [line[0], line[2], line[1], *line[3:]]),
        "schema_drift",
    ),
    "close and high swapped": (each(lambda _, line: [*line[:2], line[3], line[2], *line[4:]]), "schema_drift"),
    "volume and amount swapped": (each(lambda _, line: [*line[:5], line[6], line[5], *line[7:]]), "rejected"),
    "words for numbers": (each(lambda _, line: [line[0], "-", "-", *line[3:]]), "rejected"),
    "another security": (lambda text: text.replace('"code": "600000"', '"code": "600001"'), "rejected"),
    "all volumes 100 times": (scaled(5, 100), "rejected"),
    "all volumes a hundredth": (scaled(5, 0.01), "rejected"),
    "all prices in cents": (each(lambda _, line: [line[0], *(float(c) * 100 for c in line[1:5]), *line[5:]]), None),
    "future dates": (each(lambda _, line: ["2099" + line[0][4:], *line[1:]]), "rejected"),
    "closed days": (each(lambda n, line: [f"2024-02-{10 + n % 8:02d}", *line[1:]]), "rejected"),
    "unreadable dates": (each(lambda _, line: ["soon", *line[1:]]), "rejected"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_first_vendor_is_named_and_the_second_delivers(gateway, market, stub, fault):
    stock = market.add(SYMBOL)
    kind, expected = BROKEN[fault]
    if kind is None:
        stub.refused.add("push2his")
    else:
        stub.fault("push2his", kind)
    fetched = fetch(gateway, SYMBOL)
    first = fetched.attempts[0].outcome
    assert first.kind == expected or (expected is None and first.kind in {"rejected", "schema_drift"})
    assert first.describe()
    assert (fetched.source, fetched.fallback) == ("tencent", True)
    assert_equals_market(fetched, stock, 1e-5)


ROWS = {
    "negative close": (lambda n, line: [*line[:2], "-1.00", *line[3:]] if n == 5 else line),
    "high below low": (lambda n, line: [*line[:3], line[4], line[3], *line[5:]] if n == 5 else line),
    "price 100 times": (lambda n, line: [line[0], *(float(c) * 100 for c in line[1:5]), *line[5:]] if n == 5 else line),
    "volume in shares": (lambda n, line: [*line[:5], int(line[5]) * 100, *line[6:]] if n == 5 else line),
    "future date": (lambda n, line: ["2099-01-05", *line[1:]] if n == 5 else line),
    "closed day": (lambda n, line: ["2024-02-12", *line[1:]] if n == 5 else line),
    "turnover of 900 %": (lambda n, line: [*line[:10], "900"] if n == 5 else line),
}


@pytest.mark.parametrize("fault", ROWS)
def test_single_bad_row_is_refused_with_its_raw_form(gateway, market, stub, fault):
    """All vendors agree on the bad row here: the good rows are kept, the bad one is never among them."""
    stock = market.add(SYMBOL)
    stub.fault("push2his", each(ROWS[fault]))
    stub.fault("qq.com", 502)
    stub.fault("sina", 502)
    fetched = fetch(gateway, SYMBOL)
    assert fetched.source == "eastmoney"
    assert len(fetched.reading.frame) == len(stock.bars) - 1
    assert stock.bars[5][0] not in set(fetched.reading.frame["session"].dt.date)
    assert fetched.rejects["symbol"].tolist() == [SYMBOL]
    assert json.loads(fetched.rejects["raw"].iloc[0])["股票代码"] == "600000"
    assert "stock_zh_a_hist" in fetched.rejects["reason"].iloc[0]


def test_single_bad_row_is_replaced_by_the_next_vendor(gateway, market, stub):
    stock = market.add(SYMBOL)
    stub.fault("push2his", each(ROWS["negative close"]))
    fetched = fetch(gateway, SYMBOL)
    assert (fetched.source, len(fetched.rejects)) == ("tencent", 1)
    assert_equals_market(fetched, stock, 1e-5)


def test_repeated_rows_are_stored_once_and_order_does_not_matter(gateway, market, stub):
    stock = market.add(SYMBOL)
    stub.fault("push2his", edit_lines(lambda lines: [*lines[::-1], *lines[:10]]))
    fetched = fetch(gateway, SYMBOL)
    # Reversed rows break the vendor's own arithmetic, so the second vendor is asked; either way nothing is doubled.
    assert_equals_market(fetched, stock, 1e-5)


def test_rows_with_one_date_and_two_closes_are_both_refused(gateway, market, stub):
    stock = market.add(SYMBOL)

    def clash(lines):
        twin = list(lines[5])
        twin[2], twin[3] = twin[1], max(twin[1:5])
        return [*lines, twin]

    stub.fault("push2his", edit_lines(clash))
    stub.fault("qq.com", 502)
    stub.fault("sina", 502)
    fetched = fetch(gateway, SYMBOL)
    assert len(fetched.reading.frame) == len(stock.bars) - 1
    assert fetched.rejects["reason"].str.contains("twice").all()
    assert len(fetched.rejects) == 2


def test_sessions_without_trade_are_no_bars(gateway, market, stub):
    stock = market.add(SYMBOL)
    stub.fault("push2his", each(lambda n, line: [*line[:5], 0, 0, *line[7:]] if n == 3 else line))
    fetched = fetch(gateway, SYMBOL)
    assert fetched.source == "eastmoney"
    assert len(fetched.reading.frame) == len(stock.bars) - 1
    assert "without a trade" in fetched.reading.notes[0]


def test_restated_history_arrives_as_delivered_for_the_store_to_compare(gateway, market, stub):
    market.add(SYMBOL)
    before = fetch(gateway, SYMBOL).reading.frame
    stub.fault("push2his", each(lambda n, line: [*line[:7], line[7], line[8], line[9], "0.5"] if n == 7 else line))
    after = fetch(gateway, SYMBOL).reading.frame
    assert (before["turnover"] != after["turnover"]).sum() == 1


def test_dropped_request_is_retried_once_then_served(gateway, market, stub):
    stock = market.add(SYMBOL)
    stub.fault("push2his", "drop", times=1)
    fetched = fetch(gateway, SYMBOL)
    assert fetched.source == "eastmoney"
    assert_equals_market(fetched, stock)
    assert len(stub.asked("push2his")) == 2


def test_truncated_answer_is_asked_for_again(gateway, market, stub):
    stock = market.add(SYMBOL)
    stub.fault("push2his", lambda text: text[: len(text) // 2], times=1)
    fetched = fetch(gateway, SYMBOL)
    assert fetched.source == "eastmoney"
    assert_equals_market(fetched, stock)


def test_two_vendors_without_rows_confirm_each_other(gateway, market):
    market.add(SYMBOL, end="2024-02-29")
    window = Window(date(2024, 3, 4), date(2024, 3, 8))
    fetched = fetch(gateway, SYMBOL, window)
    assert (fetched.outcome.kind, fetched.outcome.reason) == ("empty", "confirmed")
    assert fetched.outcome.settles


def test_unknown_symbol_settles_nothing(gateway, market):
    fetched = fetch(gateway, "600999.SH")
    assert fetched.reading is None
    assert not fetched.outcome.settles


def test_delisted_symbol_keeps_its_history(gateway, market):
    stock = market.add(SYMBOL, end="2024-02-08")
    fetched = fetch(gateway, SYMBOL, SPAN)
    assert fetched.outcome.kind == "ok"
    assert_equals_market(fetched, stock)


def test_all_vendors_down_gives_the_outcome_that_says_most(gateway, market, stub):
    market.add(SYMBOL)
    stub.fault("push2his", 403)
    stub.fault("qq.com", 502)
    stub.fault("gtimg", 502)
    stub.fault("sina", "hang")
    fetched = fetch(gateway, SYMBOL)
    assert fetched.reading is None
    assert fetched.outcome.kind == "blocked"
    assert [a.outcome.kind for a in fetched.attempts] == ["blocked", "network_failure", "network_failure"]


def test_window_is_respected_by_vendors_that_send_everything(gateway, market):
    market.add("00700.HK", price=300.0)
    window = Window(date(2024, 3, 1), date(2024, 3, 8), date(2024, 4, 1))
    frame = fetch(gateway, "00700.HK", window).reading.frame
    assert (frame["session"].dt.date.min(), frame["session"].dt.date.max()) == (date(2024, 3, 1), date(2024, 3, 8))


@pytest.mark.parametrize("part", ["qq.com", "klc_kl"])
def test_cut_off_scripts_are_network_failures_too(gateway, market, stub, part):
    market.add(SYMBOL)
    stub.fault("push2his", 403)
    if part == "klc_kl":
        stub.fault("gtimg", 502)
    stub.fault(part, lambda text: text[: len(text) // 2])
    fetched = fetch(gateway, SYMBOL)
    assert fetched.attempts[1 if part == "qq.com" else 2].outcome.kind == "network_failure"
