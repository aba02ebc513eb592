"""The demo source's simulated market as the vendors would tell it: every vendor's columns, units and spelling.

A refresh of these vendors through the live path must come to what the demo source itself delivers.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from aitheme.sources.base import FetchRequest
from tests.vendors import vendor_payloads as vendor
from tests.vendors.stub_market import StubMarket, StubStock

if TYPE_CHECKING:
    from datetime import date

    from aitheme.sources.demo import DemoSource

_QUARTERS = {3: "Q1", 6: "Q6", 9: "Q9", 12: "FY"}


class SimulatedMarket(StubMarket):
    """Vendors of a simulated market.

    Parameters
    ----------
    source
        The market.
    today
        The day the vendors believe it is: forecasts of the printed tables are moved so that they are current.
    """

    def __init__(self, source: DemoSource, today: date):
        super().__init__()
        self.today = today
        self.frames = {
            batch.dataset: batch.table.to_pandas(date_as_object=True) for batch in source.batches(FetchRequest())
        }
        for symbol, bars in self.frames["bars"].groupby("symbol"):
            self.stocks[symbol] = _stock(symbol, bars)
        for symbol, bars in self.frames["index_bars"].groupby("symbol"):
            self.stocks[symbol] = _index(symbol, bars)
        industry = next(stock for symbol, stock in self.stocks.items() if symbol.endswith(".SI"))
        for report in source.theme.reports.values():
            # A theme's own industry may be none of the simulated ones.
            if report.sector_index.endswith(".SI"):
                self.stocks.setdefault(report.sector_index, StubStock(report.sector_index, bars=industry.bars))
        self._securities = {row.symbol: row for row in self.frames["securities"].itertuples()}
        self._lists()
        self._estimates()
        self._shares()
        self._capex()
        films = [(f"影片{n}", 1.0e8 + 1e6 * n, 40.0) for n in range(5)]
        self.pages["ys.endata.cn"] = vendor.films(films)
        self.pages["webapi.cninfo.com.cn"] = vendor.dump({"records": [], "resultmsg": "success"})
        members = [row.symbol for row in self.mainland()][:20]
        rows = [(symbol[:6], 100 / len(members), "2021-12-13") for symbol in members]
        self.pages["www.swsresearch.com/institute-sw/api/index_publish/details"] = vendor.sector(rows)
        levels = [(row.symbol, row.name) for row in self.frames["indices"].itertuples() if row.symbol.endswith(".SI")]
        self.pages["legulegu.com"] = vendor.legulegu_page(levels, [("801764.SI", "游戏Ⅱ", "传媒")])

    def mainland(self, *markets):
        """Return the securities of mainland exchanges."""
        wanted = markets or ("SH", "SZ", "BJ")
        return [row for row in self._securities.values() if row.symbol.endswith(wanted)]

    def _lists(self):
        def shanghai(seen):
            star = seen.query["STOCK_TYPE"] != "1"
            rows = [row for row in self.mainland("SH") if row.symbol.startswith("68") == star]
            return vendor.sse_list([(row.symbol[:6], row.name, str(row.listed)) for row in rows])

        def shenzhen(seen):
            if seen.query["CATALOGID"] != "1110":
                columns = ("证券代码", "证券简称", "上市日期", "终止上市日期")
                return vendor.workbook(columns, [("000003", "退市乙", "1991-01-14", "2002-06-14")])
            return vendor.szse_list(
                [
                    (row.symbol[:6], row.name, str(row.listed), int(row.total_shares), int(row.float_shares))
                    for row in self.mainland("SZ")
                ]
            )

        self.pages["query.sse.com.cn/sseQuery"] = shanghai
        self.pages["query.sse.com.cn/commonQuery"] = vendor.sse_delisted(
            [("600002", "退市甲", "1998-04-08", "2006-04-24")]
        )
        self.pages["www.szse.cn"] = shenzhen
        self.pages["www.bse.cn"] = vendor.bse_list([("920002", "北交测试", "2023-05-04", 5000.0, 3000.0)])

    def _estimates(self):
        shift = self.today.year - 2024
        rows = defaultdict(dict)
        for row in self.frames["consensus"].itertuples():
            rows[row.symbol][row.fiscal_year + shift] = (row.kind, row.eps)
        table = []
        for symbol, years in rows.items():
            first = min(years)
            cells = [years.get(first + n, ("E", None)) for n in range(4)]
            table.append((symbol[:6], 5, first, cells))
        self.tables["RPT_WEB_RESPREDICT"] = vendor.profit_forecast(table)
        self.pages["basic.10jqka.com.cn"] = lambda seen: vendor.ths_page(seen.path.strip("/").split("/")[0], [])
        self.pages["reportapi.eastmoney.com"] = vendor.dump(
            {"TotalPage": 0, "currentYear": self.today.year, "data": []}
        )
        years = [(self.today.year, 200.0), (self.today.year + 1, 230.0)]
        self.pages["www.etnet.com.hk"] = vendor.etnet_page(
            years, [(self.today.year, 200.0, "甲证券", "买入", f"{self.today:%d/%m/%Y}")]
        )

    def _shares(self):
        day = str(min(max(self.frames["bars"]["session"]), self.today))

        def valuations(query):
            code = query["filter"].split('"')[1]
            row = next((row for row in self.mainland() if row.symbol.startswith(code)), None)
            if row is None:
                return []
            return vendor.valuations(code, [(day, 10.0, row.total_shares, row.float_shares)])

        self.tables["RPT_VALUEANALYSIS_DET"] = valuations
        self.tables["RPT_CUSTOM_HKF10_FN_MAININDICATORMAX"] = vendor.hk_indicator(9.5e9)

    def _capex(self):
        answers, profiles = {}, {}
        for symbol, rows in self.frames["capex"].groupby("symbol"):
            ticker, spent, lines = symbol.partition(".")[0], defaultdict(float), []
            for row in rows.itertuples():
                end = row.quarter_end
                spent[end.year] += row.capex
                lines.append((f"{end.year}/{_QUARTERS[end.month]}", str(end), -spent[end.year]))
            tables = vendor.cash_flow(ticker, lines)
            answers[ticker], profiles[ticker] = tables["RPT_USSK_FN_CASHFLOW"], tables["RPT_USF10_INFO_ORGPROFILE"]

        def owner(query):
            return next((ticker for ticker in answers if ticker in query.get("filter", "")), None)

        self.tables["RPT_USSK_FN_CASHFLOW"] = lambda query: answers[owner(query)](query) if owner(query) else []
        self.tables["RPT_USF10_INFO_ORGPROFILE"] = lambda query: profiles.get(owner(query), [])


def _rows(bars):
    names = ("session", "open", "high", "low", "close", "volume", "amount")
    return list(zip(*(bars[name].tolist() for name in names), strict=True))


def _stock(symbol, bars):
    """A share with its factors as Sina writes them: multiplicative at home, scale and offset abroad."""
    stock = StubStock(symbol, bars=_rows(bars))
    stock.extra["turnover"] = dict(zip(bars["session"], bars["turnover"], strict=True))
    steps = bars[bars["adj_factor"].ne(bars["adj_factor"].shift(1))]
    last = float(bars["adj_factor"].iloc[-1]) if symbol.endswith(".US") else 1.0
    days = ["1900-01-01", *(str(day) for day in steps["session"].iloc[1:])]
    factors = [repr(value / last) for value in steps["adj_factor"]]
    stock.hfq = list(zip(days, factors, strict=True))
    stock.affine = [(day, factor, "0") for day, factor in stock.hfq]
    return stock


def _index(symbol, bars):
    """An index: amounts in its currency, trailing PE where the publisher prints one."""
    return StubStock(
        symbol,
        bars=_rows(bars.assign(volume=1e8)),
        extra={"pe": dict(zip(bars["session"], bars["pe_trailing"], strict=True))},
    )
