"""Datasets that are no bars: happy answers of every function used, traps of each, and the faults that matter."""

import json
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from aitheme.sources.akshare import AkshareSource, Known, LiveRequest, Universe
from tests.vendors import vendor_payloads as vendor

SEEN = date(2024, 4, 1)


@pytest.fixture
def fetch(stub, politeness, clock):
    """Run one dataset; returns its batches as (frame, batch) pairs in order."""

    def run(dataset, *symbols, request=None, **universe):
        options = {"indices": frozenset(), "capex": frozenset(), **universe}
        source = AkshareSource(Universe(frozenset(symbols), **options), politeness=politeness, clock=lambda: clock.now)
        request = {"datasets": frozenset({dataset}), **(request or {})}
        return [(b.table.to_pandas(), b) for b in source.batches(LiveRequest(**request))]

    return run


def only(batches):
    assert len(batches) == 1
    return batches[0]


# --- consensus ---------------------------------------------------------------------------------------------------
MARCH = [("A", 1.0), ("E", 1.2), ("E", 1.4), ("E", 1.6)]


def consensus_of(fetch, market, rows, **options):
    market.tables["RPT_WEB_RESPREDICT"] = vendor.profit_forecast(rows)
    market.pages["basic.10jqka.com.cn"] = vendor.ths_page("600000", [])
    symbols = options.pop("symbols", ("600000.SH",))
    batches = fetch("consensus", *symbols, **options)
    return next((frame, batch) for frame, batch in batches if batch.symbol is None)


def test_each_row_keeps_its_own_fiscal_years(fetch, market):
    """Two companies have not reported yet: akshare files their EPS under the other companies' years."""
    rows = [("600000", 20, 2023, MARCH), ("300364", 8, 2023, MARCH), ("000001", 12, 2022, MARCH)]
    frame, batch = consensus_of(fetch, market, rows)
    late = frame[frame["symbol"] == "000001.SZ"].set_index("fiscal_year")
    assert late["eps"].to_dict() == {2022: 1.0, 2023: 1.2, 2024: 1.4, 2025: 1.6}
    assert late["kind"].to_dict() == {2022: "A", 2023: "E", 2024: "E", 2025: "E"}
    assert frame[frame["symbol"] == "600000.SH"]["fiscal_year"].tolist() == [2023, 2024, 2025, 2026]
    assert set(frame["published"]) == {SEEN}
    assert set(frame["analysts"]) == {20, 8, 12}
    assert any("1 stocks have another first year" in note for note in batch.notes)


def test_swapped_columns_do_not_matter_since_fields_are_read_by_name(fetch, market):
    """akshare names columns by position: with two pairs swapped its own frame is wrong, silently."""
    rows = vendor.profit_forecast([("600000", 20, 2023, MARCH)])
    order = list(rows[0])
    for one, two in (("EPS1", "EPS2"), ("RATING_ORG_NUM", "RATING_BUY_NUM")):
        a, b = order.index(one), order.index(two)
        order[a], order[b] = two, one
    market.tables["RPT_WEB_RESPREDICT"] = [{name: row[name] for name in order} for row in rows]
    market.pages["basic.10jqka.com.cn"] = vendor.ths_page("600000", [])
    frame = next(f for f, b in fetch("consensus", "600000.SH") if b.symbol is None)
    assert dict(zip(frame["fiscal_year"], frame["eps"], strict=True)) == {2023: 1.0, 2024: 1.2, 2025: 1.4, 2026: 1.6}


@pytest.mark.parametrize(
    ("rows", "refused", "words"),
    [
        ([("600000", 20, 2019, MARCH)], 1, "first fiscal year"),
        ([("600000", 20, 2023, [("A", 1.0), ("X", 1.2), ("E", 1.4), ("E", 1.6)])], 1, "neither A nor E"),
        ([("600000", 20, 2023, [("A", 1.0), ("A", 1.2), ("E", 1.4), ("E", 1.6)])], 1, "not ended"),
        ([("600000", 20, 2023, [("A", 1e6), ("E", 1.2), ("E", 1.4), ("E", 1.6)])], 1, "absurd"),
    ],
)
def test_implausible_consensus_rows_are_refused(fetch, market, rows, refused, words):
    extra = [(f"60010{n}", 5, 2023, MARCH) for n in range(9)]
    frame, batch = consensus_of(fetch, market, rows + extra)
    assert len(batch.rejects) == refused
    assert batch.rejects["reason"].str.contains(words).all()
    assert len(frame) == 40 - (4 if "first" in words else refused)


def test_years_out_of_step_are_refused(fetch, market):
    rows = vendor.profit_forecast([(f"60010{n}", 5, 2023, MARCH) for n in range(9)])
    rows[0]["YEAR2"] = 2029
    market.tables["RPT_WEB_RESPREDICT"] = rows
    market.pages["basic.10jqka.com.cn"] = vendor.ths_page("600000", [])
    batch = next(b for _, b in fetch("consensus", "600000.SH") if b.symbol is None)
    assert batch.rejects["symbol"].tolist() == ["600100.SH"]


def test_missing_field_shows_as_a_column_difference(fetch, market):
    rows = vendor.profit_forecast([("600000", 20, 2023, MARCH)])
    market.tables["RPT_WEB_RESPREDICT"] = [
        {("EPS_NEW" if name == "EPS2" else name): value for name, value in row.items()} for row in rows
    ]
    batch = next(b for _, b in fetch("consensus", "600000.SH") if b.symbol is None)
    assert batch.outcome.kind == "schema_drift"
    assert batch.outcome.missing == ("EPS2",)
    assert "EPS_NEW" in batch.outcome.unexpected
    assert "- EPS2" in batch.outcome.describe()


@pytest.mark.parametrize("change", [1, -1])
def test_one_field_more_or_fewer_is_drift(fetch, market, change):
    rows = vendor.profit_forecast([("600000", 20, 2023, MARCH)])
    market.tables["RPT_WEB_RESPREDICT"] = [
        row | {"ONE_MORE": 1} if change > 0 else {k: v for k, v in row.items() if k != "EXTRA9"} for row in rows
    ]
    batch = next(b for _, b in fetch("consensus", "600000.SH") if b.symbol is None)
    assert batch.outcome.kind == "schema_drift"
    assert "Length mismatch" in batch.outcome.describe()


def test_overlapping_pages_are_counted_and_a_short_page_noted(fetch, market):
    table = vendor.profit_forecast([(f"60010{n}", 5, 2023, MARCH) for n in range(9)])
    market.tables["RPT_WEB_RESPREDICT"] = [*table, table[3]]
    market.tables["page_size"] = 4
    market.pages["basic.10jqka.com.cn"] = vendor.ths_page("600000", [])
    frame, batch = next((f, b) for f, b in fetch("consensus", "600000.SH") if b.symbol is None)
    assert len(frame) == 36
    assert any("came twice" in note for note in batch.notes)


def test_page_one_is_fetched_once_although_akshare_asks_twice(fetch, market, stub):
    consensus_of(fetch, market, [("600000", 20, 2023, MARCH)])
    assert len([seen for seen in stub.seen if seen.query.get("reportName") == "RPT_WEB_RESPREDICT"]) == 1


def test_a_drop_on_the_second_page_costs_one_retry(fetch, market, stub):
    market.tables["page_size"] = 4
    stub.fault("pageNumber=2", "drop", times=1)
    frame, batch = consensus_of(fetch, market, [(f"60010{n}", 5, 2023, MARCH) for n in range(9)])
    assert (batch.outcome.kind, len(frame)) == ("ok", 36)


THS = [(2023, 20, 1.0, 1.1, 1.2), (2024, 18, 1.2, 1.35, 1.5), (2025, 9, 1.4, 1.6, 1.9)]


def test_ths_page_gives_mean_range_and_count(fetch, market):
    market.pages["basic.10jqka.com.cn"] = vendor.ths_page("600000", THS)
    batches = fetch("consensus", "600000.SH", request={"datasets": frozenset({"consensus", "consensus_ranges"})})
    mine = {b.dataset: f for f, b in batches if b.symbol}
    assert mine["consensus"]["eps"].tolist() == [1.1, 1.35, 1.6]
    assert mine["consensus"]["analysts"].tolist() == [20, 18, 9]
    assert set(mine["consensus"]["source"]) == {"ths"}
    assert mine["consensus_ranges"]["eps_high"].tolist() == [1.2, 1.5, 1.9]


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        (vendor.ths_page("600000", []), "empty"),
        (vendor.ths_page("600001", THS), "rejected"),
        (vendor.ths_page("600000", [(2023, 20, 1.0, 9.9, 1.2), *THS[1:]]), "rejected"),
        (vendor.ths_page("600000", [THS[0], (2030, 1, 1, 1, 1)]), "schema_drift"),
        (vendor.ths_page("600000", [(1998 + n, *row[1:]) for n, row in enumerate(THS)]), "rejected"),
        ((vendor.HTML, "<html>请输入验证码</html>"), "blocked"),
        ((vendor.HTML, "<html><p>new layout</p></html>"), "schema_drift"),
    ],
)
def test_ths_pages_that_must_not_count(fetch, market, page, kind):
    market.pages["basic.10jqka.com.cn"] = page
    frame, batch = next((f, b) for f, b in fetch("consensus", "600000.SH") if b.symbol)
    assert batch.outcome.kind == kind
    assert frame.empty
    assert batch.outcome.settles == (kind == "empty")


BROKERS = [(2024, 210.0, "甲证券", "买入", "15/03/2024"), (2024, 190.0, "乙证券", "持有", "20/02/2024")]


@pytest.mark.parametrize("currency", ["CNY", "HKD", "USD"])
def test_hong_kong_cents_become_the_headers_currency(fetch, market, currency):
    market.pages["www.etnet.com.hk"] = vendor.etnet_page([(2024, 200.0), (2025, 230.0)], BROKERS, currency)
    batches = fetch("consensus", "00700.HK", request={"datasets": frozenset({"consensus", "broker_forecasts"})})
    frames = {b.dataset: f for f, b in batches if b.symbol}
    assert frames["consensus"]["eps"].tolist() == [2.0, 2.3]
    assert set(frames["consensus"]["currency"]) == {currency}
    if currency != "USD":  # akshare cannot read the brokers of a company that reports in dollars
        assert set(frames["broker_forecasts"]["eps"]) == {1.9, 2.1}
        assert frames["consensus"]["analysts"].iloc[0] == 2
        assert set(frames["broker_forecasts"]["published"]) == {date(2024, 3, 15), date(2024, 2, 20)}


def test_hong_kong_page_is_fetched_once_and_mixed_currencies_are_refused(fetch, market, stub):
    content, text = vendor.etnet_page([(2024, 200.0)], BROKERS, "CNY")
    market.pages["www.etnet.com.hk"] = (content, text.replace("百万元人民币", "百万港元"))
    batch = next(b for _, b in fetch("consensus", "00700.HK") if b.symbol)
    assert batch.outcome.kind == "rejected"
    assert len(stub.asked("etnet")) == 1


# --- broker forecasts --------------------------------------------------------------------------------------------
def test_report_years_come_from_the_publication_date(fetch, market):
    rows = [
        ("AP1", "600000", "甲证券", "2022-11-03", (1.0, 1.2, 1.5)),
        ("AP2", "600000", "乙证券", "2024-01-15", (1.1, "", 0.0)),
        ("AP3", "600001", "丙证券", "2024-02-15", (9.0, 9.1, 9.2)),
        ("AP4", "600000", "丁证券", "2031-02-15", (9.0, 9.1, 9.2)),
        *[(f"AQ{n}", "600000", f"券商{n}", "2024-03-01", (1.0, 1.1, 1.2)) for n in range(12)],
    ]
    market.pages["reportapi.eastmoney.com"] = vendor.reports(rows, current_year=2024)
    frame, batch = only(fetch("broker_forecasts", "600000.SH"))
    old = frame[frame["report"] == "AP1"]
    assert dict(zip(old["fiscal_year"], old["eps"], strict=True)) == {2022: 1.0, 2023: 1.2, 2024: 1.5}
    assert frame[frame["report"] == "AP2"]["fiscal_year"].tolist() == [2024]
    assert set(batch.rejects["reason"].str.partition(" [")[0]) == {
        "the report is about another stock",
        "dated after today",
    }


def test_no_report_on_a_stock_is_an_answer(fetch, market):
    market.pages["reportapi.eastmoney.com"] = vendor.dump({"TotalPage": 0, "currentYear": 2024, "data": []})
    _, batch = only(fetch("broker_forecasts", "600000.SH"))
    assert (batch.outcome.kind, batch.outcome.reason, batch.outcome.settles) == ("empty", "no_coverage", True)


# --- reported earnings -------------------------------------------------------------------------------------------
def test_reported_eps_is_known_from_its_last_change_on(fetch, market):
    tables = {
        "2023-12-31": [
            ("600000", "2023-12-31", "2024-03-20", "2024-03-20", 1.5, 1e8),
            ("300364", "2023-12-31", "2024-03-01", "2024-03-28", 0.5, 2e7),
            ("900901", "2023-12-31", "2024-03-01", "2024-03-28", 0.5, 2e7),
        ]
    }
    market.tables["RPT_LICO_FN_CPD"] = lambda query: vendor.reported(
        next((rows for end, rows in tables.items() if end in query["filter"]), [])
    )
    batches = fetch("reported_eps", "600000.SH")
    frame = next(f for f, b in batches if b.outcome.kind == "ok").set_index("symbol")
    assert frame.loc["600000.SH", "published"] == date(2024, 3, 20)
    assert (frame.loc["300364.SZ", "published"], frame.loc["300364.SZ", "announced"]) == (
        date(2024, 3, 28),
        date(2024, 3, 1),
    )
    assert frame["restated"].to_dict() == {"600000.SH": False, "300364.SZ": True}
    assert len(frame) == 2, "a B share is no A share"
    assert all(b.outcome.settles for _, b in batches), "a period nobody reported yet is an answer"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("600000", "2023-09-30", "2024-03-20", "2024-03-20", 1.5, 1e8), "another period"),
        (("600000", "2023-12-31", "2023-11-20", "2023-11-20", 1.5, 1e8), "before the period ended"),
        (("600000", "2023-12-31", "2024-06-20", "2024-06-20", 1.5, 1e8), "after today"),
    ],
)
def test_reports_with_impossible_dates_are_refused(fetch, market, row, words):
    good = [(f"6001{n:02d}", "2023-12-31", "2024-03-20", "2024-03-20", 1.0, 1e8) for n in range(9)]
    market.tables["RPT_LICO_FN_CPD"] = lambda query: vendor.reported(
        [row, *good] if "2023-12-31" in query["filter"] else []
    )
    frame, batch = next((f, b) for f, b in fetch("reported_eps", "600000.SH") if b.outcome.kind == "ok")
    assert words in batch.rejects["reason"].iloc[0]
    assert "600000.SH" not in set(frame["symbol"])


# --- listings ----------------------------------------------------------------------------------------------------
def lists(market):
    market.pages["query.sse.com.cn/sseQuery"] = lambda seen: vendor.sse_list(
        [("600000", "测试银行", "1999-11-10"), ("600001", "*ST旧", "2000-01-04")]
        if seen.query["STOCK_TYPE"] == "1"
        else [("688041", "测试芯片", "2022-08-12")]
    )
    market.pages["query.sse.com.cn/commonQuery"] = vendor.sse_delisted(
        [("600002", "退市甲", "1998-04-08", "2006-04-24")]
    )
    market.pages["www.szse.cn"] = lambda seen: (
        vendor.szse_list([("000002", "万  科Ａ", "1991-01-29", 11_000_000, 9_000_000)])
        if seen.query["CATALOGID"] == "1110"
        else vendor.workbook(
            ("证券代码", "证券简称", "上市日期", "终止上市日期"), [("000003", "退市乙", "1991-01-14", "2002-06-14")]
        )
    )
    market.pages["www.bse.cn"] = vendor.bse_list([("920002", "北交测试", "2023-05-04", 5000.0, 3000.0)])


def test_exchange_lists_become_securities_and_dated_names(fetch, market):
    lists(market)
    batches = fetch("securities", request={"datasets": frozenset({"securities", "names"})})
    rows = pd.concat([f for f, b in batches if b.dataset == "securities"]).set_index("symbol")
    assert rows.loc["000002.SZ", ["name", "board", "total_shares"]].tolist() == ["万科A", "main", 11_000_000]
    assert rows.loc["688041.SH", "board"] == "star"
    assert rows.loc["920002.BJ", ["board", "float_shares"]].tolist() == ["bse", 3000.0]
    assert bool(rows.loc["600001.SH", "st"])
    assert rows.loc["600002.SH", "delisted"] == date(2006, 4, 24)
    assert rows.loc["000003.SZ", "delisted"] == date(2002, 6, 14)
    names = pd.concat([f for f, b in batches if b.dataset == "names"])
    assert set(names["seen"]) == {SEEN}
    assert names.set_index("symbol")["st"].to_dict()["600001.SH"]


def test_one_exchange_down_leaves_the_others(fetch, market, stub):
    lists(market)
    stub.fault("szse", 502)
    kinds = {b.origin: b.outcome.kind for _, b in fetch("securities")}
    assert sorted(kinds.values()).count("network_failure") == 2
    assert sum(kind == "ok" for kind in kinds.values()) >= 2


def test_cut_off_list_is_refused(fetch, market):
    lists(market)
    known = Known(listed={f"6001{n:02d}.SH": date(2000, 1, 4) for n in range(50)})
    batches = fetch("securities", request={"known": known})
    batch = next(b for _, b in batches if b.outcome.kind == "rejected")
    assert "in a list that had 50" in batch.outcome.describe()


def test_captcha_instead_of_a_workbook_is_a_block(fetch, market, stub):
    lists(market)
    stub.fault("szse", "captcha")
    assert [b.outcome.kind for _, b in fetch("securities")].count("blocked") == 2


def test_suspensions_are_learned_before_bars_need_them(fetch, market, stub):
    market.tables["RPT_CUSTOM_SUSPEND_DATA_INTERFACE"] = vendor.suspensions(
        [
            ("600000", "2024-03-18", None, "上交所主板"),
            ("00700", "2024-03-18", None, "港股"),
            ("300364", "2024-03-20", "2024-03-21", "深交所创业板"),
        ]
    )
    market.add("600000.SH", end="2024-02-20")
    request = {"datasets": frozenset({"suspensions", "bars"}), "since": date(2024, 3, 18)}
    batches = fetch("suspensions", "600000.SH", request=request)
    frame = next(f for f, b in batches if b.dataset == "suspensions")
    assert sorted(frame["symbol"]) == ["300364.SZ", "600000.SH"], "the Hong Kong code 00700 is no Shenzhen share"
    bars = next(b for _, b in batches if b.dataset == "bars")
    assert bars.outcome.reason == "suspended"
    assert len(stub.asked("gtimg")) == 0


# --- dividends, shares, sectors ----------------------------------------------------------------------------------
def test_dividends_per_ten_become_per_share(fetch, market):
    from test_source import dividends

    market.pages["webapi.cninfo.com.cn"] = dividends([("2024-02-20", 2, 3, 5.0), ("", 0, 0, 9.0)])
    frame, batch = only(fetch("dividends", "600000.SH"))
    assert frame[["cash_per_share", "bonus_per_share"]].to_numpy().tolist() == [[0.5, 0.5]]
    assert batch.source == "cninfo"


def test_dividends_fall_back_to_the_market_wide_plans_fetched_once(fetch, market, stub):
    stub.fault("cninfo", 403)
    plans = vendor.bonus_plans(
        [
            ("600000", 5, 2.0, "2024-02-20", "实施分配"),
            ("600004", 0, 1.0, "2024-02-21", "实施分配"),
            ("600006", 0, 1.0, None, "董事会决议通过"),
        ]
    )
    market.tables["RPT_SHAREBONUS_DET"] = lambda query: plans if "2023-12-31" in query["filter"] else []
    batches = fetch("dividends", "600000.SH", "600004.SH", "600006.SH")
    assert [len(f) for f, _ in batches] == [1, 1, 0]
    assert all(b.fallback for _, b in batches)
    assert len([s for s in stub.seen if s.query.get("reportName") == "RPT_SHAREBONUS_DET"]) == 2


def test_no_dividend_ever_is_an_answer(fetch, market):
    market.pages["webapi.cninfo.com.cn"] = vendor.dump({"records": [], "resultmsg": "success"})
    _, batch = only(fetch("dividends", "600000.SH"))
    assert batch.outcome.reason == "no_coverage"


def test_share_counts_keep_the_days_of_change(fetch, market):
    days = [("2024-01-02", 10, 1000, 800), ("2024-01-03", 11, 1000, 800), ("2024-01-04", 5, 2000, 1600)]
    market.tables["RPT_VALUEANALYSIS_DET"] = vendor.valuations("600000", days[::-1])
    frame, _ = only(fetch("share_counts", "600000.SH"))
    assert frame["effective"].tolist() == [date(2024, 1, 2), date(2024, 1, 4)]
    assert frame["total_shares"].tolist() == [1000, 2000]


def test_share_counts_in_another_unit_are_refused(fetch, market):
    rows = vendor.valuations("600000", [("2024-01-02", 10, 1000, 800)])
    market.tables["RPT_VALUEANALYSIS_DET"] = [row | {"TOTAL_SHARES": 0.1} for row in rows]
    _, batch = only(fetch("share_counts", "600000.SH"))
    assert batch.outcome.kind == "rejected"


def test_hong_kong_shares(fetch, market):
    market.tables["RPT_CUSTOM_HKF10_FN_MAININDICATORMAX"] = vendor.hk_indicator(9.5e9)
    frame, _ = next((f, b) for f, b in fetch("share_counts", "00700.HK"))
    assert frame[["total_shares", "float_shares"]].to_numpy().tolist() == [[9.5e9, 9.5e9]]


def test_sector_members_with_weights(fetch, market):
    rows = [("600000", 60.0, "2021-12-13"), ("300364", 40.0, "2023-06-12")]
    market.pages["www.swsresearch.com"] = vendor.sector(rows)
    frame, batch = only(fetch("sector_members", sectors=frozenset({"801760.SI"})))
    assert frame["weight"].tolist() == [0.4, 0.6]
    assert batch.notes == ()


def test_board_members_must_all_arrive(fetch, market, stub):
    codes = [(f"60{n:04d}", "测试") for n in range(150)]
    market.pages["29.push2.eastmoney.com"] = vendor.quote_list(codes)
    frame, _ = only(fetch("sector_members", sectors=frozenset({"BK0800"})))
    assert len(frame) == 150

    def shorten(text):
        answer = json.loads(text)
        answer["data"]["diff"] = answer["data"]["diff"][:-5]
        return json.dumps(answer)

    stub.fault("pn=2", shorten)
    _, batch = only(fetch("sector_members", sectors=frozenset({"BK0800"})))
    assert batch.outcome.kind == "rejected"


def test_industries_of_two_levels(fetch, market):
    market.pages["legulegu.com"] = vendor.legulegu_page(
        [("801760.SI", "传媒"), ("801750.SI", "计算机")], [("801764.SI", "游戏Ⅱ", "传媒")]
    )
    frame = pd.concat([f for f, _ in fetch("indices")])
    assert frame.set_index("symbol")["level"].to_dict() == {"801760.SI": 1, "801750.SI": 1, "801764.SI": 2}


def test_blocked_industry_page(fetch, market):
    market.pages["legulegu.com"] = (vendor.HTML, "<html>Access Denied</html>")
    assert {b.outcome.kind for _, b in fetch("indices")} == {"blocked"}


# --- capex and box office ----------------------------------------------------------------------------------------
CAPEX = [
    ("2023/Q1", "2023-03-31", -7.0e9), ("2023/Q6", "2023-06-30", -13.5e9), ("2023/Q9", "2023-09-30", -20.0e9),
    ("2023/FY", "2023-12-31", -27.5e9), ("2024/Q1", "2024-03-31", -6.5e9),
]  # fmt: skip


def test_capex_to_date_is_differenced(fetch, market):
    market.tables |= vendor.cash_flow("META", CAPEX)
    frame, batch = only(fetch("capex", capex=frozenset({"META"})))
    assert frame["capex"].tolist() == [7.0e9, 6.5e9, 6.5e9, 7.5e9, 6.5e9]
    assert set(frame["currency"]) == {"USD"}
    assert batch.outcome.kind == "ok"


def test_capex_without_its_predecessor_is_left_out_and_a_shrinking_one_refused(fetch, market):
    market.tables |= vendor.cash_flow("META", [r for r in CAPEX if r[0] != "2023/Q6"])
    frame, _ = only(fetch("capex", capex=frozenset({"META"})))
    assert frame["quarter_end"].tolist() == [date(2023, 3, 31), date(2023, 12, 31), date(2024, 3, 31)]
    rows = [(label, end, 5.0e9 if label == "2023/FY" else v) for label, end, v in CAPEX]
    market.tables |= vendor.cash_flow("META", rows)
    frame, batch = only(fetch("capex", capex=frozenset({"META"})))
    assert date(2023, 12, 31) not in set(frame["quarter_end"])
    assert "not to date" in batch.rejects["reason"].iloc[-1]


def test_capex_item_renamed_is_drift(fetch, market):
    tables = vendor.cash_flow("META", CAPEX)
    inner = tables["RPT_USSK_FN_CASHFLOW"]
    tables["RPT_USSK_FN_CASHFLOW"] = lambda query: [
        row | {"ITEM_NAME": "资本开支", "STD_ITEM_CODE": "009"} if "ITEM_NAME" in row else row for row in inner(query)
    ]
    market.tables |= tables
    _, batch = only(fetch("capex", capex=frozenset({"META"})))
    assert batch.outcome.kind == "schema_drift"


def test_box_office_sums_films_and_counts_tickets(fetch, market, clock):
    market.pages["ys.endata.cn"] = vendor.films([("甲", 4.0e8, 40.0), ("乙", 1.0e8, 50.0), ("乙", 1.0e8, 50.0)])
    batches = fetch("box_office")
    frame = pd.concat([f for f, _ in batches])
    assert frame["gross"].tolist() == [5.0e8, 5.0e8]
    assert frame["admissions"].tolist() == [1.2e7, 1.2e7]
    assert frame["complete"].tolist() == [True, False]
    assert frame["month"].tolist() == [date(2024, 3, 1), date(2024, 4, 1)]


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        (vendor.films([("甲", -4.0e8, 40.0)]), "rejected"),
        (vendor.films([("甲", 4.0e8, 4000.0)]), "rejected"),
        (vendor.films([]), "empty"),
        (vendor.dump({"status": 0, "des": "系统错误", "data": {}}), "schema_drift"),
    ],
)
def test_box_office_faults(fetch, market, page, kind):
    market.pages["ys.endata.cn"] = page
    assert {b.outcome.kind for _, b in fetch("box_office")} == {kind}


def test_cadence_spares_what_is_fresh(fetch, market, stub, clock):
    clock.now = datetime(2024, 4, 3, 12, 0, tzinfo=UTC)
    marks = {("dividends", "600000.SH"): date(2024, 4, 1)}
    assert fetch("dividends", "600000.SH", request={"watermarks": marks}) == []
    assert stub.seen == []


def test_truncated_page_is_asked_for_again_even_while_answers_are_shared(fetch, market, stub):
    market.tables |= vendor.cash_flow("META", CAPEX)
    stub.fault("RPT_USF10_INFO_ORGPROFILE", lambda text: text[:40], times=1)
    frame, batch = only(fetch("capex", capex=frozenset({"META"})))
    assert (batch.outcome.kind, len(frame)) == ("ok", 5)


def test_earnings_history_is_fetched_once_then_only_the_latest_periods(fetch, market, stub):
    fetch("reported_eps", request={"since": date(2022, 1, 1)})
    first = len(stub.seen)
    stub.seen.clear()
    fetch("reported_eps", request={"since": date(2022, 1, 1), "watermarks": {("reported_eps", ""): date(2024, 3, 29)}})
    assert (first, len(stub.seen)) == (9, 3)
