"""Spacing, circuits, timeouts and the transport, curl_cffi included."""

import json
import random
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests

from aitheme.errors import AithemeError
from aitheme.sources.akshare.gateway import Endpoint, Gateway
from aitheme.sources.akshare.outcomes import Blocked, NetworkFailure, VendorSignal
from aitheme.sources.akshare.politeness import POLICIES, Politeness, behind_loopback_stub, policy_for
from aitheme.sources.akshare.transport import Transport, guarded

BAIDU = Endpoint("stock_hk_valuation_baidu", "baidu", "baidu", ("date", "value"))
OPEN = {
    "Result": [
        {"DisplayData": {"resultData": {"tplData": {"result": {"chartInfo": [{"body": [["2024-01-02", "9"]]}]}}}}}
    ]
}


@pytest.mark.parametrize(
    ("host", "group"),
    [
        ("push2his.eastmoney.com", "eastmoney"),
        ("82.push2.eastmoney.com", "eastmoney"),
        ("datacenter-web.eastmoney.com", "eastmoney-data"),
        ("stock.finance.sina.com.cn", "sina"),
        ("proxy.finance.qq.com", "tencent"),
        ("evilfinance.sina.com.cn.example", "evilfinance.sina.com.cn.example"),
    ],
)
def test_hosts_belong_to_groups(host, group):
    assert policy_for(host).group == group


def test_every_vendor_has_timeouts_and_eastmoney_at_least_a_second():
    assert all(0 < p.connect_timeout <= 10 and 0 < p.read_timeout <= 30 for p in POLICIES)
    assert all(p.spacing >= 1 for p in POLICIES if p.group.startswith("eastmoney"))


@pytest.mark.parametrize(
    ("spacing", "words"), [({"eastmoney": 0.5}, "below 1.0 s"), ({"nobody": 2}, "no vendor group")]
)
def test_spacing_is_checked(spacing, words):
    with pytest.raises(AithemeError, match=words):
        Politeness(spacing=spacing)


def test_requests_of_a_group_are_spaced_with_jitter():
    slept = []
    polite = Politeness(sleep=slept.append, rng=random.Random(3))  # noqa: S311
    policy = polite.policy("push2his.eastmoney.com")
    for _ in range(5):
        with polite.turn(policy):
            pass
    assert len(slept) == 4
    assert all(policy.spacing - 0.1 < pause <= policy.spacing + policy.jitter for pause in slept)
    assert len({round(pause, 3) for pause in slept}) > 1
    with polite.turn(polite.policy("finance.sina.com.cn")):
        assert len(slept) == 4, "another vendor does not wait"


def test_one_request_at_a_time_per_group():
    polite = Politeness(loopback=True)
    policy = polite.policy("push2his.eastmoney.com")
    inside, worst = [], []

    def ask():
        with polite.turn(policy):
            inside.append(1)
            worst.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert max(worst) == 1


def test_blocks_double_and_are_forgotten_after_success(tmp_path, clock):
    polite = Politeness(tmp_path, now=lambda: clock.now, sleep=lambda _: None)
    policy = polite.policy("push2his.eastmoney.com")
    hours = []
    for _ in range(5):
        outcome = polite.blocked(policy, "HTTP 403")
        hours.append((outcome.until - clock.now).total_seconds() / 3600)
        clock.now = outcome.until + timedelta(minutes=1)
    assert hours == [6, 12, 24, 48, 48]
    polite.check(policy)
    polite.succeeded(policy)
    assert (polite.blocked(policy, "HTTP 403").until - clock.now).total_seconds() == 6 * 3600


def test_circuit_file_is_shared_and_survives_damage(tmp_path, clock):
    one, two = (Politeness(tmp_path, now=lambda: clock.now, sleep=lambda _: None) for _ in range(2))
    policy = one.policy("push2his.eastmoney.com")
    one.blocked(policy, "captcha")
    with pytest.raises(VendorSignal) as caught:
        two.check(policy)
    assert isinstance(caught.value.outcome, Blocked)
    saved = json.loads((tmp_path / "vendors.json").read_text(encoding="utf-8"))
    assert saved["eastmoney"]["reason"] == "captcha"
    for damage in (
        "{",
        "[]",
        '{"eastmoney": 3}',
        '{"eastmoney": {"until": "2034-01-01", "reason": "x", "strikes": 1}}',
    ):
        (tmp_path / "vendors.json").write_text(damage, encoding="utf-8")
        Politeness(tmp_path, now=lambda: clock.now).check(policy)
    assert list(tmp_path.glob("*.tmp")) == []


def test_signal_is_no_value_error():
    """akshare retries ValueError and requests' own errors: a block must not look like one."""
    assert not issubclass(VendorSignal, ValueError | requests.RequestException)


def ask(transport, url, **kwargs):
    with guarded(transport):
        return requests.get(url, timeout=None, **kwargs)  # noqa: S113


def test_timeout_is_added_where_akshare_has_none(stub, politeness):
    stub.fault("push2his", "hang")
    started = time.monotonic()
    with pytest.raises(VendorSignal) as caught:
        ask(Transport(politeness), "https://push2his.eastmoney.com/x")
    assert "timed out" in caught.value.outcome.describe()
    assert time.monotonic() - started < 3


def test_network_errors_are_retried_with_backoff_and_blocks_are_not(stub, politeness, clock):
    stub.fault("sina", 502)
    with pytest.raises(VendorSignal) as caught:
        ask(Transport(politeness), "https://finance.sina.com.cn/x")
    assert isinstance(caught.value.outcome, NetworkFailure)
    assert len(stub.seen) == 3
    assert clock.slept == sorted(clock.slept)
    assert len(clock.slept) == 2
    stub.seen.clear()
    stub.fault("10jqka", 403)
    with pytest.raises(VendorSignal):
        ask(Transport(politeness), "https://basic.10jqka.com.cn/x")
    assert len(stub.seen) == 1


def test_a_vendor_that_fails_twice_is_left_alone_for_minutes(stub, politeness, clock):
    stub.fault("sina", 502)
    transport = Transport(politeness)
    for _ in range(4):
        with pytest.raises(VendorSignal):
            ask(transport, "https://finance.sina.com.cn/x")
    assert len(stub.seen) == 6
    clock.now += timedelta(minutes=11)
    stub.faults.clear()
    assert ask(transport, "https://finance.sina.com.cn/realstock/company/sh600999/hfq.js").status_code == 404


def test_redirect_to_a_captcha_page_is_a_block(stub, market, politeness):
    stub.fault("qq.com/x", "redirect")
    with pytest.raises(VendorSignal, match="安全验证") as caught:
        ask(Transport(politeness), "https://proxy.finance.qq.com/x")
    assert caught.value.outcome.host == "tencent"


def test_other_threads_and_later_calls_are_untouched(stub, market, politeness):
    market.pages["example.org"] = ("text/html", "<html>fine</html>")
    transport, answers = Transport(politeness), []
    with guarded(transport):
        thread = threading.Thread(target=lambda: answers.append(requests.get("https://example.org/", timeout=2).text))
        thread.start()
        thread.join()
    answers.append(requests.get("https://example.org/", timeout=2).text)
    assert answers == ["<html>fine</html>"] * 2
    assert transport.exchanges == []


def test_the_wrapping_is_undone(stub, politeness):
    from curl_cffi.requests import Session
    from requests.adapters import HTTPAdapter

    before = HTTPAdapter.send, Session.request
    with guarded(Transport(politeness)), guarded(Transport(politeness)):
        assert HTTPAdapter.send is not before[0]
    assert (HTTPAdapter.send, Session.request) == before


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (None, "ok"),
        ("drop", "network_failure"),
        ("hang", "network_failure"),
        (403, "blocked"),
        ("captcha", "blocked"),
    ],
)
def test_curl_cffi_calls_are_guarded_too(gateway, market, stub, fault, kind):
    market.pages["finance.baidu.com"] = ("application/json", json.dumps(OPEN))
    if fault is not None:
        stub.fault("baidu", fault)
    answer = gateway.fetch(BAIDU, symbol="00700")
    assert (answer.outcome.kind if answer.outcome else "ok") == kind
    assert {seen.host for seen in stub.seen} == {"finance.baidu.com"}


def test_function_missing_from_akshare_is_drift(gateway):
    answer = gateway.fetch(Endpoint("stock_no_such_thing", "x", "x"))
    assert answer.outcome.kind == "schema_drift"
    assert "no such function" in answer.outcome.describe()


def test_form_posts_and_user_agents_pass_through(stub, market, politeness):
    market.pages["ys.endata.cn"] = lambda seen: ("application/json", json.dumps(seen.form))
    with guarded(Transport(politeness)):
        assert requests.post("https://ys.endata.cn/x", data={"a": "1"}, timeout=1).json() == {"a": "1"}


def test_default_clock_is_aware():
    polite = Politeness()
    assert polite.blocked(polite.policy("sse.com.cn"), "x").until > datetime.now(UTC)


def test_gateway_keeps_akshare_quiet(gateway, market, stub, capfd):
    market.add("801760.SI")
    Gateway(gateway.transport).fetch(
        Endpoint("index_hist_sw", "shenwan", "shenwan"), symbol="801760"
    )  # verify=False would warn, and warnings are errors here
    out, err = capfd.readouterr()
    assert out == err == ""


@pytest.mark.parametrize(
    ("proxy", "switch", "allowed"),
    [
        ("http://127.0.0.1:8080", "1", True),
        ("http://127.0.0.1:8080", "", False),
        ("http://proxy.example:8080", "1", False),
        ("", "1", False),
    ],
)
def test_unspaced_requests_need_a_proxy_on_this_machine(monkeypatch, proxy, switch, allowed):
    for name in ("https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("AITHEME_UNSPACED", switch)
    assert behind_loopback_stub() == allowed


def test_missing_columns_are_shown_as_a_difference(gateway, market):
    market.add("600000.SH")
    answer = gateway.fetch(
        Endpoint("stock_zh_a_hist", "eastmoney", "eastmoney", ("日期", "均价")), symbol="600000", start_date="20240102"
    )
    assert answer.frame is None
    assert answer.outcome.missing == ("均价",)
    assert "收盘" in answer.outcome.unexpected
