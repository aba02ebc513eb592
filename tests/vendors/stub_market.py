"""Invented securities, and every vendor's way of writing them down. No number here was ever quoted anywhere."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import isnan

from aitheme.calendar import calendar_for
from tests.vendors.sina_codec import encode

JSON = "application/json"
SCRIPT = "application/javascript"


@dataclass
class StubStock:
    """A security with its daily bars (day, open, high, low, close, shares, amount) and what else vendors know."""

    symbol: str
    name: str = "测试"
    bars: list = field(default_factory=list)
    hfq: list = field(default_factory=lambda: [("1900-01-01", "1.0")])
    affine: list = field(default_factory=lambda: [("1900-01-01", "1.0", "0")])
    extra: dict = field(default_factory=dict)

    @property
    def code(self):
        return self.symbol.partition(".")[0]


def make_bars(symbol, start, end, price=10.0, shares=2_000_000):
    """A deterministic path: prices on the cent grid, volumes in whole lots, amounts in whole units."""
    exchange = {"HK": "XHKG", "US": "XNYS"}.get(symbol.rpartition(".")[2], "XSHG")
    seed = sum(map(ord, symbol))
    rows, close = [], price
    for n, stamp in enumerate(calendar_for(exchange).sessions(start, end)):
        move = ((seed * 7919 + n * 104729) % 601 - 300) / 10_000
        opened = round(close * (1 + move / 3), 2)
        last = round(close * (1 + move), 2)
        high = round(max(opened, last) * 1.008, 2)
        low = round(min(opened, last) * 0.992, 2)
        volume = shares + 100 * ((seed + n * 37) % 5000)
        rows.append((stamp.date(), opened, high, low, last, volume, round(volume * (opened + high + low + last) / 4)))
        close = last
    return rows


class StubMarket:
    """Answers every vendor's addresses; a route returns (content type, text) or None."""

    def __init__(self, stocks=()):
        self.stocks = {stock.symbol: stock for stock in stocks}
        self.tables = {}  # Eastmoney data centre: reportName -> rows, or a function of the query
        self.pages = {}  # host+path prefix -> (content type, text) or function of Seen
        self.float_shares = 1_000_000_000

    def add(self, symbol, start="2024-01-02", end="2024-04-01", **options):
        price = options.pop("price", 10.0)
        stock = StubStock(symbol, bars=make_bars(symbol, start, end, price), **options)
        self.stocks[symbol] = stock
        return stock

    def turnover(self, stock, day, volume):
        """Turnover as a ratio: the security's own, or volume over an invented float."""
        return stock.extra.get("turnover", {}).get(day, volume / self.float_shares)

    def find(self, code, *markets):
        for market in markets:
            if f"{code}.{market}" in self.stocks:
                return self.stocks[f"{code}.{market}"]
        return None

    def __call__(self, seen):
        address = seen.host + seen.path
        for prefix, answer in self.pages.items():
            if address.startswith(prefix):
                return answer(seen) if callable(answer) else answer
        for host, path, answer in (
            ("push2his.eastmoney.com", "/kline/get", self.eastmoney_candles),
            ("", "/api/data/v1/get", self.datacenter),
            ("web.ifzq.gtimg.cn", "", self.tencent_start),
            ("proxy.finance.qq.com", "", self.tencent_candles),
            ("finance.sina.com.cn", "", self.sina),
            ("www.csindex.com.cn", "", self.csindex),
            ("", "/index_publish/trend/", self.shenwan),
        ):
            if seen.host.endswith(host) and seen.path.endswith(path):
                return answer(seen)
        return None

    # --- Eastmoney -----------------------------------------------------------------------------------------------
    def eastmoney_candles(self, seen):
        market, _, code = seen.query["secid"].partition(".")
        markets = {"1": ("SH",), "0": ("SZ", "BJ"), "2": ("CSI", "SH"), "116": ("HK",), "105": ("US",), "100": ("HK",)}
        stock = self.find(code, *markets.get(market, ()))
        if stock is None:
            return JSON, '{"rc":100,"data":null}'
        lot = 100 if market in {"0", "1", "2"} else 1
        first = _compact(seen.query.get("beg", "19700101"))
        last = _compact(seen.query.get("end", "20500000"))
        lines, previous = [], None
        for day, o, h, lo, c, volume, amount in stock.bars:
            change = 0.0 if previous is None else round(c - previous, 2)
            base = previous or o
            previous = c
            if not first <= f"{day:%Y%m%d}" <= last:
                continue
            cells = [day, o, c, h, lo, round(volume / lot), f"{amount:.2f}", f"{(h - lo) / base * 100:.2f}",
                     f"{change / base * 100:.2f}", change, f"{self.turnover(stock, day, volume) * 100:.4f}"]  # fmt: skip
            wanted = len(seen.query["fields2"].replace(",f116", "").split(","))
            lines.append(",".join(map(str, [*cells, 0, 0, 0][:wanted])))
        data = {"code": code, "market": int(market), "name": stock.name, "klines": lines}
        return JSON, json.dumps({"rc": 0, "data": data}, ensure_ascii=False)

    def datacenter(self, seen):
        rows = self.tables.get(seen.query.get("reportName"))
        rows = rows(seen.query) if callable(rows) else rows
        if not rows:
            return JSON, '{"version":null,"result":null,"success":false,"message":"返回数据为空","code":9201}'
        size = int(seen.query.get("pageSize") or 500)
        size = self.tables.get("page_size", size)
        page = int(seen.query.get("pageNumber") or 1)
        chunk = rows[(page - 1) * size : page * size]
        result = {"pages": -(-len(rows) // size), "data": chunk, "count": len(rows)}
        return JSON, json.dumps({"result": result, "success": True, "message": "ok", "code": 0}, ensure_ascii=False)

    # --- Tencent -------------------------------------------------------------------------------------------------
    def tencent_start(self, seen):
        stock = self._lower(seen.query["code"])
        data = [[str(stock.bars[0][0])]] if stock and stock.bars else []
        return SCRIPT, f"trend_qfq={json.dumps({'code': 0, 'data': data})}"

    def tencent_candles(self, seen):
        symbol, _, first, last, *_ = seen.query["param"].split(",")
        stock = self._lower(symbol)
        name = seen.query["_var"]
        if stock is None or stock.symbol.endswith(".BJ"):
            return SCRIPT, f'{name}={{"code":0,"data":[]}}'
        shares = stock.code.startswith("688")
        rows = [
            [str(day), o, c, h, lo, volume if shares else volume // 100, {},
             self.turnover(stock, day, volume) * 100, round(amount / 1e4, 4), ""]
            for day, o, h, lo, c, volume, amount in stock.bars
            if not first or first <= str(day) <= last
        ]  # fmt: skip
        return SCRIPT, f"{name}={json.dumps({'code': 0, 'data': {symbol: {'day': rows}}})}"

    def _lower(self, text):
        return self.stocks.get(f"{text[2:]}.{text[:2].upper()}")

    # --- Sina ----------------------------------------------------------------------------------------------------
    def sina(self, seen):
        parts = seen.path.strip("/").split("/")
        if "getAmountBySymbol" in seen.path:
            rows = f'[{{date:"1990-12-19",amount:"{self.float_shares / 1e4:.4f}"}}]'
            return SCRIPT, f"var KKE=({rows});"
        if "hkstock" in parts:
            stock = self.stocks.get(f"{parts[2]}.HK")
        elif "us" in parts or "reinstatement" in parts:
            stock = self.stocks.get(f"{parts[-1].removesuffix('_qfq.js')}.US")
        else:
            stock = self._lower(parts[2])
        if stock is None:
            return None
        label = parts[2] if parts[0] == "realstock" else "x"
        if parts[-1] == "hfq.js" and "hkstock" not in parts:
            rows = [{"d": day, "f": factor} for day, factor in reversed(stock.hfq)]
            return SCRIPT, f"var {label}hfq={json.dumps({'total': len(rows), 'data': rows})}\n/* v */"
        if parts[-1] == "hfq.js" or parts[-1].endswith("_qfq.js"):
            rows = [{"d": day, "f": factor, "c": cash} for day, factor, cash in reversed(stock.affine)]
            return SCRIPT, f"var x={json.dumps({'total': len(rows), 'data': rows})}\n"
        return SCRIPT, f'var KLC_{label}="{encode(stock.bars)}";'

    # --- publishers of indices -----------------------------------------------------------------------------------
    def csindex(self, seen):
        stock = self.find(seen.query["indexCode"], "SH", "CSI")
        first, last = seen.query["startDate"], seen.query["endDate"]
        data = [
            {"tradeDate": f"{day:%Y%m%d}", "indexCode": stock.code, "indexNameCnAll": "指数", "indexNameCn": "指数",
             "indexNameEnAll": "I", "indexNameEn": "I", "open": o, "high": h, "low": lo, "close": c, "change": 0.1,
             "changePct": 0.1, "tradingVol": volume / 1e6, "tradingValue": amount / 1e8, "consNumber": 300,
             "peg": stock.extra.get("pe", {}).get(day, 12.5)}
            for day, o, h, lo, c, volume, amount in (stock.bars if stock else [])
            if first <= f"{day:%Y%m%d}" <= last
        ]  # fmt: skip
        return JSON, json.dumps({"code": "200", "data": data})

    def shenwan(self, seen):
        stock = self.find(seen.query["swindexcode"], "SI")
        data = [
            {"swindexcode": stock.code, "bargaindate": str(day), "openindex": str(o), "maxindex": h, "minindex": lo,
             "closeindex": c, "hike": 0, "markup": 0, "bargainamount": volume / 1e8,
             "bargainsum": None if isnan(amount) else amount / 1e8}
            for day, o, h, lo, c, volume, amount in (stock.bars if stock else [])
        ]  # fmt: skip
        return JSON, json.dumps({"code": "200", "data": data})


def _compact(text):
    return text.replace("-", "")


def days_before(day, count):
    return date.fromisoformat(str(day)) - timedelta(days=count)
