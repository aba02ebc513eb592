"""What the fault matrix tries: every live dataset with its first vendor, its happy answer, and where the answer's
dates, numbers and codes stand."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from tests.vendors import vendor_payloads as vendor

if TYPE_CHECKING:
    from collections.abc import Callable

SEEN = date(2024, 4, 1)


# --- reading and writing a vendor's rows ---------------------------------------------------------------------------
@dataclass(frozen=True)
class Json:
    """Rows under a path of a JSON answer, with or without a script around it."""

    path: tuple = ("result", "data")

    def edit(self, text, change):
        head, tail = re.match(r"^[^{\[]*", text)[0], text[text.rindex("}") + 1 :]
        answer = json.loads(text[len(head) : len(text) - len(tail)])
        holder = answer
        for step in self.path[:-1]:
            holder = holder[step] or {}
        if holder.get(self.path[-1]):
            holder[self.path[-1]] = change(holder[self.path[-1]])
        return head + json.dumps(answer, ensure_ascii=False) + tail

    def null(self, text):
        head, tail = re.match(r"^[^{\[]*", text)[0], text[text.rindex("}") + 1 :]
        return head + json.dumps(dict.fromkeys(json.loads(text[len(head) : len(text) - len(tail)]))) + tail


@dataclass(frozen=True)
class Candles(Json):
    """Eastmoney's candles: lines of comma-separated cells."""

    path: tuple = ("data", "klines")

    def edit(self, text, change):
        def lines(rows):
            return [",".join(map(str, row)) for row in change([row.split(",") for row in rows])]

        return super().edit(text, lines)


@dataclass(frozen=True)
class Page:
    """The tables of an HTML page; `table` picks one, None all of them. Row 0 is the header."""

    table: int | None = None
    encoding: str = "utf-8"

    def edit(self, text, change):
        page = text.decode(self.encoding) if isinstance(text, bytes) else text
        count = -1

        def replace(found):
            nonlocal count
            count += 1
            if self.table is not None and count != self.table:
                return found[0]
            rows = [re.findall(r"<t([dh])>(.*?)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", found[0])]
            head, body = [cell for _, cell in rows[0]], [[cell for _, cell in row] for row in rows[1:]]
            table = change([head, *body])
            lines = ["".join(f"<th>{cell}</th>" for cell in table[0])]
            lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in table[1:]]
            return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"

        changed = re.sub(r"<table>.*?</table>", replace, page)
        return changed.encode(self.encoding) if isinstance(text, bytes) else changed

    def null(self, text):
        page = text.decode(self.encoding) if isinstance(text, bytes) else text
        changed = re.sub(r"<table>.*?</table>", "", page)
        return changed.encode(self.encoding) if isinstance(text, bytes) else changed


@dataclass(frozen=True)
class Sheet:
    """The first sheet of a workbook. Row 0 is the header."""

    def edit(self, text, change):
        import openpyxl

        rows = [list(row) for row in openpyxl.load_workbook(io.BytesIO(text)).active.iter_rows(values_only=True)]
        changed = change(rows)
        return vendor.workbook(changed[0], changed[1:])[1]

    def null(self, _):
        return vendor.workbook((), [])[1]


# --- the subjects --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Subject:
    """A dataset as one vendor delivers it.

    Parameters
    ----------
    name
        In the test's name.
    asks
        The akshare function of the first vendor.
    tables
        Tables of the store it fills, the main one first.
    where
        Part of the vendor's address.
    prepare
        Gives the stub market its happy answer.
    codec
        Reads and writes the answer's rows.
    roles
        Where a row's ``date``, ``number``, ``code``, ``high`` and ``low`` stand: keys or positions.
    symbols, universe
        What is asked for.
    rival
        Part of the address of the vendors that stand in.
    header
        Whether row 0 is a header.
    positional
        Whether akshare names the fields by their order.
    pages
        Whether the answer comes in pages.
    """

    name: str
    asks: str
    tables: tuple
    where: str
    prepare: Callable
    codec: object
    roles: dict
    symbols: tuple = ()
    universe: dict = field(default_factory=dict)
    rival: tuple = ()
    header: bool = False
    positional: bool = False
    pages: bool = False

    @property
    def datasets(self):
        return frozenset(self.tables)


def _stock(symbol, **options):
    def prepare(market):
        market.add(symbol, **options)

    return prepare


def _with_factor(market):
    stock = market.add("600000.SH")
    days = [str(stock.bars[n][0]) for n in range(8, 56, 6)]
    stock.hfq = [("1900-01-01", "1.0"), *((day, f"{1.1 + n / 10:.6f}") for n, day in enumerate(days))]


def _lists(market):
    def shanghai(seen):
        start = 600000 if seen.query["STOCK_TYPE"] == "1" else 688000
        return vendor.sse_list([(str(start + n), f"测试{n}", "1999-11-10") for n in range(20)])

    market.pages["query.sse.com.cn/sseQuery"] = shanghai
    market.pages["query.sse.com.cn/commonQuery"] = vendor.sse_delisted(
        [("600902", "退市甲", "1998-04-08", "2006-04-24")]
    )
    market.pages["www.szse.cn"] = lambda seen: (
        vendor.szse_list([(f"{300000 + n}", f"创业{n}", "2011-01-29", 11_000_000, 9_000_000) for n in range(20)])
        if seen.query["CATALOGID"] == "1110"
        else vendor.workbook(
            ("证券代码", "证券简称", "上市日期", "终止上市日期"), [("000003", "退市乙", "1991-01-14", "2002-06-14")]
        )
    )
    market.pages["www.bse.cn"] = vendor.bse_list([("920002", "北交测试", "2023-05-04", 5000.0, 3000.0)])


def _suspensions(market):
    rows = [(f"6000{n:02d}", "2024-03-18", "2024-03-25", "上交所主板") for n in range(20)]
    market.tables["RPT_CUSTOM_SUSPEND_DATA_INTERFACE"] = vendor.suspensions(rows)


def _consensus(market):
    cells = [("A", 1.0), ("E", 1.2), ("E", 1.4), ("E", 1.6)]
    rows = [(f"6000{n:02d}", 5 + n, 2023, cells) for n in range(20)]
    market.tables |= {"RPT_WEB_RESPREDICT": vendor.profit_forecast(rows), "page_size": 8}


def _ths(market):
    rows = [(2023, 20, 1.0, 1.1, 1.2), (2024, 18, 1.2, 1.35, 1.5), (2025, 9, 1.4, 1.6, 1.9)]
    market.pages["basic.10jqka.com.cn"] = vendor.ths_page("600000", rows)


def _etnet(market):
    brokers = [(2024, 200.0 + n, f"券商{n}", "买入", f"{n + 1:02d}/03/2024") for n in range(12)]
    market.pages["www.etnet.com.hk"] = vendor.etnet_page([(2024, 200.0), (2025, 230.0)], brokers)


def _forecasts(market):
    rows = [(f"AQ{n}", "600000", f"券商{n}", f"2024-03-{n + 1:02d}", (1.0, 1.1, 1.2)) for n in range(20)]
    market.pages["reportapi.eastmoney.com"] = vendor.reports(rows)


def _reported(market):
    rows = [(f"6000{n:02d}", "2024-03-31", "2024-04-01", "2024-04-01", 1.0, 1e8) for n in range(20)]
    market.tables |= {
        "RPT_LICO_FN_CPD": lambda query: vendor.reported(rows) if "2024-03-31" in query["filter"] else [],
        "page_size": 8,
    }


def _dividends(market):
    records = [
        {"F006D": f"{2004 + n}-05-20", "F044V": "年度分红", "F011N": 0, "F010N": 1, "F012N": 5.0, "F018D": f"{2004 + n}-06-19",
         "F020D": f"{2004 + n}-06-20", "F023D": f"{2004 + n}-06-20", "F025D": "", "F007V": "10派5元",
         "F001V": f"{2003 + n}年报"}
        for n in range(20)
    ]  # fmt: skip
    market.pages["webapi.cninfo.com.cn"] = vendor.dump({"records": records, "resultmsg": "success"})


def _shares(market):
    days = [(f"2024-01-{n + 2:02d}", 10.0, 1000 + 100 * (n // 5), 800) for n in range(20)]
    market.tables["RPT_VALUEANALYSIS_DET"] = vendor.valuations("600000", days)


def _hk_shares(market):
    market.tables["RPT_CUSTOM_HKF10_FN_MAININDICATORMAX"] = vendor.hk_indicator(9.5e9)


def _members(market):
    rows = [(f"6000{n:02d}", 5.0, "2021-12-13") for n in range(20)]
    market.pages["www.swsresearch.com/institute-sw/api/index_publish/details"] = vendor.sector(rows)


def _board(market):
    market.pages["29.push2.eastmoney.com"] = vendor.quote_list([(f"60{n:04d}", "测试") for n in range(150)])


def _industries(market):
    first = [(f"8017{n}0.SI", f"行业{n}") for n in range(6)]
    market.pages["legulegu.com"] = vendor.legulegu_page(first, [("801764.SI", "游戏Ⅱ", "行业6")])


def _capex(market):
    rows = [("2023/Q1", "2023-03-31", -7.0e9), ("2023/Q6", "2023-06-30", -13.5e9), ("2023/Q9", "2023-09-30", -20.0e9),
            ("2023/FY", "2023-12-31", -27.5e9)]  # fmt: skip
    market.tables |= vendor.cash_flow("META", rows)


def _films(market):
    market.pages["ys.endata.cn"] = vendor.films([(f"影片{n}", 1.0e8, 40.0) for n in range(20)])


_CANDLE = {"date": 0, "number": 2, "high": 3, "low": 4, "volume": 5}
_SINA = ("qq.com", "gtimg", "sina")
SUBJECTS = {
    subject.name: subject
    for subject in (
        Subject(
            "bars",
            "stock_zh_a_hist",
            ("bars", "adj_factors"),
            "push2his",
            _stock("600000.SH"),
            Candles(),
            _CANDLE,
            ("600000.SH",),
            rival=_SINA,
            positional=True,
        ),
        Subject(
            "bars of Hong Kong",
            "stock_hk_hist",
            ("bars", "adj_factors"),
            "push2his",
            _stock("00700.HK", price=300.0),
            Candles(),
            _CANDLE,
            ("00700.HK",),
            rival=_SINA,
            positional=True,
        ),
        Subject(
            "bars of America",
            "stock_us_hist",
            ("bars", "adj_factors"),
            "push2his",
            _stock("MSFT.US", price=300.0),
            Candles(),
            _CANDLE,
            ("MSFT.US",),
            {"us_markets": {"MSFT": "105"}},
            rival=_SINA,
            positional=True,
        ),
        Subject(
            "adj_factors",
            "stock_zh_a_daily",
            ("adj_factors", "bars"),
            "hfq.js",
            _with_factor,
            Json(("data",)),
            {"date": "d", "number": "f"},
            ("600000.SH",),
            positional=True,
        ),
        Subject(
            "index_bars",
            "stock_zh_index_hist_csindex",
            ("index_bars",),
            "csindex",
            _stock("000300.SH", price=3500.0),
            Json(("data",)),
            {
                "date": "tradeDate",
                "number": "close",
                "high": "high",
                "low": "low",
                "code": "indexCode",
                "volume": "tradingValue",
            },
            universe={"indices": frozenset({"000300.SH"})},
            rival=("push2his", "sina"),
            positional=True,
        ),
        Subject(
            "index_bars of Shenwan",
            "index_hist_sw",
            ("index_bars",),
            "swsresearch",
            _stock("801760.SI", price=600.0),
            Json(("data",)),
            {
                "date": "bargaindate",
                "number": "closeindex",
                "high": "maxindex",
                "low": "minindex",
                "code": "swindexcode",
            },
            universe={"indices": frozenset({"801760.SI"})},
        ),
        Subject(
            "securities",
            "stock_info_sh_name_code",
            ("securities", "names"),
            "sse.com.cn/sseQuery",
            _lists,
            Json(("result",)),
            {"date": "LIST_DATE", "code": "A_STOCK_CODE"},
        ),
        Subject(
            "securities of Shenzhen",
            "stock_info_sz_name_code",
            ("securities", "names"),
            "CATALOGID=1110",
            _lists,
            Sheet(),
            {"date": 3, "number": 4, "code": 1},
            header=True,
        ),
        Subject(
            "suspensions",
            "stock_tfp_em",
            ("suspensions",),
            "RPT_CUSTOM_SUSPEND",
            _suspensions,
            Json(),
            {"date": "SUSPEND_START_TIME", "end": "SUSPEND_END_TIME", "code": "SECURITY_CODE"},
            positional=True,
        ),
        Subject("indices", r"sw_index_\w+_info", ("indices",), "legulegu", _industries, None, {}),
        Subject(
            "consensus",
            "stock_profit_forecast_em",
            ("consensus",),
            "RPT_WEB_RESPREDICT",
            _consensus,
            Json(),
            {"number": "EPS2", "year": "YEAR1", "code": "SECURITY_CODE"},
            positional=True,
            pages=True,
        ),
        Subject(
            "consensus of Tonghuashun",
            "stock_profit_forecast_ths",
            ("consensus", "consensus_ranges"),
            "10jqka",
            _ths,
            Page(None, "gbk"),
            {"number": 3, "high": 4, "low": 2, "year": 0},
            ("600000.SH",),
            header=True,
        ),
        Subject(
            "consensus of Hong Kong",
            "stock_hk_profit_forecast_et",
            ("consensus", "broker_forecasts"),
            "etnet",
            _etnet,
            Page(3),
            {"number": 2, "year": 0},
            ("00700.HK",),
            header=True,
        ),
        Subject(
            "broker_forecasts",
            "stock_research_report_em",
            ("broker_forecasts",),
            "reportapi",
            _forecasts,
            Json(("data",)),
            {"date": "publishDate", "number": "predictThisYearEps", "code": "stockCode"},
            ("600000.SH",),
            positional=True,
        ),
        Subject(
            "reported_eps",
            "stock_yjbb_em",
            ("reported_eps",),
            "RPT_LICO_FN_CPD",
            _reported,
            Json(),
            {"date": "NOTICE_DATE", "end": "UPDATE_DATE", "number": "BASIC_EPS", "code": "SECURITY_CODE"},
            positional=True,
            pages=True,
        ),
        Subject(
            "dividends",
            "stock_dividend_cninfo",
            ("dividends",),
            "cninfo",
            _dividends,
            Json(("records",)),
            {"date": "F020D", "number": "F012N"},
            ("600000.SH",),
        ),
        Subject(
            "share_counts",
            "stock_value_em",
            ("share_counts",),
            "RPT_VALUEANALYSIS_DET",
            _shares,
            Json(),
            {"date": "TRADE_DATE", "number": "TOTAL_SHARES", "code": "SECURITY_CODE"},
            ("600000.SH",),
        ),
        Subject(
            "share_counts of Hong Kong",
            "stock_hk_financial_indicator_em",
            ("share_counts",),
            "MAININDICATORMAX",
            _hk_shares,
            Json(),
            {"number": "ISSUED_COMMON_SHARES"},
            ("00700.HK",),
        ),
        Subject(
            "sector_members",
            "index_component_sw",
            ("sector_members",),
            "swsresearch",
            _members,
            Json(("data", "results")),
            {"date": "beginningdate", "number": "newweight", "code": "stockcode"},
            universe={"sectors": frozenset({"801760.SI"})},
        ),
        Subject(
            "sector_members of a board",
            "stock_board_concept_cons_em",
            ("sector_members",),
            "29.push2",
            _board,
            Json(("data", "diff")),
            {"code": "f12"},
            universe={"sectors": frozenset({"BK0800"})},
            positional=True,
            pages=True,
        ),
        Subject(
            "capex",
            "stock_financial_us_report_em",
            ("capex",),
            "RPT_USSK_FN_CASHFLOW",
            _capex,
            Json(),
            {"date": "REPORT_DATE", "number": "AMOUNT", "code": "SECURITY_CODE"},
            universe={"capex": frozenset({"META"})},
        ),
        Subject(
            "box_office",
            "movie_boxoffice_monthly",
            ("box_office",),
            "endata",
            _films,
            Json(("data", "table1")),
            {"number": "BoxOffice", "price": "AvgBoxOffice"},
        ),
    )
}
