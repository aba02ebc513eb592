"""Answers of the vendors that deliver tables, in the shape akshare's parsers need; every number is invented."""

from __future__ import annotations

import io
import json
import re

JSON = "application/json"
HTML = "text/html; charset=utf-8"


def dump(value):
    return JSON, json.dumps(value, ensure_ascii=False)


def profit_forecast(rows):
    """Eastmoney's consensus table: (code, analysts, first year, [(mark, eps) x 4])."""
    table = []
    for code, analysts, year, cells in rows:
        row = {
            "SECUCODE": f"{code}.X", "SECURITY_CODE": code, "SECURITY_NAME_ABBR": "测试", "RATING_ORG_NUM": analysts,
            "RATING_BUY_NUM": analysts, "RATING_ADD_NUM": 0, "RATING_NEUTRAL_NUM": None, "RATING_REDUCE_NUM": None,
            "RATING_SALE_NUM": None,
        }  # fmt: skip
        for n, (mark, eps) in enumerate(cells, start=1):
            row |= {f"YEAR{n}": year + n - 1, f"YEAR_MARK{n}": mark, f"EPS{n}": eps}
        table.append(row | {f"EXTRA{n}": None for n in range(10)})
    return table


REPORTED_FIELDS = [
    "SECURITY_CODE",
    "SECURITY_NAME_ABBR",
    "TRADE_MARKET_CODE",
    "TRADE_MARKET",
    "SECURITY_TYPE_CODE",
    "SECURITY_TYPE",
    "UPDATE_DATE",
    "REPORTDATE",
    "BASIC_EPS",
    "DEDUCT_BASIC_EPS",
    "TOTAL_OPERATE_INCOME",
    "PARENT_NETPROFIT",
    "WEIGHTAVG_ROE",
    "YSTZ",
    "SJLTZ",
    "BPS",
    "MGJYXJJE",
    "XSMLL",
    "YSHZ",
    "SJLHZ",
    "ASSIGNDSCRPT",
    "PAYYEAR",
    "PUBLISHNAME",
    "ZXGXL",
    "NOTICE_DATE",
    "ORG_CODE",
    "TRADE_MARKET_ZJG",
    "ISNEW",
    "QDATE",
    "DATATYPE",
    "DATAYEAR",
    "DATEMMDD",
    "EITIME",
    "SECUCODE",
    "BOARD_NAME",
    "ORI_BOARD_CODE",
    "BOARD_CODE",
]


def reported(rows):
    """Eastmoney's earnings table: (code, period end, notice date, update date, eps, profit)."""
    return [
        dict.fromkeys(REPORTED_FIELDS, 1)
        | {
            "SECURITY_CODE": code, "SECURITY_NAME_ABBR": "测试", "REPORTDATE": f"{period} 00:00:00",
            "NOTICE_DATE": f"{notice} 00:00:00", "UPDATE_DATE": f"{update} 00:00:00", "BASIC_EPS": eps,
            "PARENT_NETPROFIT": profit, "TOTAL_OPERATE_INCOME": profit * 9,
        }
        for code, period, notice, update, eps, profit in rows
    ]  # fmt: skip


def suspensions(rows):
    """Eastmoney's suspensions: (code, first day, last day or None, market)."""
    return [
        {
            "SECURITY_CODE": code, "SECURITY_NAME_ABBR": "测试", "SUSPEND_START_TIME": start, "SUSPEND_END_TIME": end,
            "SUSPEND_EXPIRE": "停牌一天", "SUSPEND_REASON": "重大事项", "TRADE_MARKET": market,
            "SUSPEND_START_DATE": start, "PREDICT_RESUME_DATE": None, "A": 1, "B": 1, "C": 1,
        }
        for code, start, end, market in rows
    ]  # fmt: skip


def bonus_plans(rows):
    """Eastmoney's dividend plans: (code, shares per 10, cash per 10, ex-date, progress)."""
    return [
        {"f0": 0, "name": "测试", "f2": 0, "f3": 0, "code": code, "total": shares, "bonus": shares, "transfer": 0,
         "cash": cash, "plan": "2024-01-20", "record": ex, "ex": ex, "f12": 0, "progress": progress, "f14": 0,
         "latest": "2024-02-01", "f16": 0, "f17": 0, "f18": 0, "eps": 1, "bps": 1, "cap": 1, "undist": 1, "yoy": 1,
         "shares": 1, "f25": 0, "yield": 0.01, "f27": 0, "f28": 0, "f29": 0}
        for code, shares, cash, ex, progress in rows
    ]  # fmt: skip


def valuations(code, rows):
    """Eastmoney's daily valuation: (day, close, total shares, float shares)."""
    return [
        {"SECURITY_CODE": code, "TRADE_DATE": f"{day} 00:00:00", "CLOSE_PRICE": close, "CHANGE_RATE": 0,
         "TOTAL_MARKET_CAP": close * total, "NOTLIMITED_MARKETCAP_A": close * free, "TOTAL_SHARES": total,
         "FREE_SHARES_A": free, "PE_TTM": 10, "PE_LAR": 10, "PB_MRQ": 1, "PEG_CAR": 1, "PCF_OCF_TTM": 1, "PS_TTM": 1}
        for day, close, total, free in rows
    ]  # fmt: skip


HK_FIELDS = [
    "BASIC_EPS",
    "BPS",
    "COMMON_ACS",
    "PER_SHARES",
    "DIVIDEND_TTM",
    "DIVI_RATIO",
    "PER_NETCASH_OPERATE",
    "DIVIDEND_RATE",
    "TOTAL_MARKET_CAP",
    "HKSK_MARKET_CAP",
    "OPERATE_INCOME",
    "OPERATE_INCOME_QOQ",
    "NET_PROFIT_RATIO",
    "HOLDER_PROFIT",
    "HOLDER_PROFIT_QOQ",
    "ROE_AVG",
    "PE_TTM",
    "PB_TTM",
    "ROA",
]


def hk_indicator(total, h_shares=None):
    return [dict.fromkeys(HK_FIELDS, 1.0) | {"ISSUED_COMMON_SHARES": total, "HK_COMMON_SHARES": h_shares}]


def cash_flow(ticker, rows, currency="美元"):
    """Eastmoney's American cash flow: (label, period end, purchases of fixed assets to date, negative)."""

    def answer(query):
        if "STD_ITEM_CODE" not in query["columns"]:
            return [
                {"SECUCODE": f"{ticker}.O", "SECURITY_CODE": ticker, "REPORT": label, "REPORT_DATE": f"{end} 00:00:00",
                 "CURRENCY": currency}
                for label, end, _ in rows
            ]  # fmt: skip
        wanted = re.findall(r'"(\d{4}/\w+)"', query["filter"])
        return [
            {"SECUCODE": f"{ticker}.O", "SECURITY_CODE": ticker, "SECURITY_NAME_ABBR": "X",
             "REPORT_DATE": f"{end} 00:00:00", "REPORT_TYPE": "x", "REPORT": label, "STD_ITEM_CODE": item,
             "AMOUNT": amount, "ITEM_NAME": name}
            for label, end, amount in rows
            if label in wanted
            for item, name in (("005002", "购买固定资产"), ("003999", "经营活动产生的现金流量净额"))
        ]  # fmt: skip

    return {
        "RPT_USF10_INFO_ORGPROFILE": [{"SECUCODE": f"{ticker}.O", "SECURITY_CODE": ticker}],
        "RPT_USSK_FN_CASHFLOW": answer,
    }


def ths_page(code, rows):
    """Tonghuashun's forecast page, GBK: (year, institutions, low, mean, high); no rows means no coverage."""
    body = "本年度暂无机构做出业绩预测"
    if rows:
        names = ("年度", "预测机构数", "最小值", "均值", "最大值", "行业平均数")
        head = "".join(f"<th>{name}</th>" for name in names)
        lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in (*row, 1.5)) + "</tr>" for row in rows)
        body = f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>" * 2
    page = f"<html><head><title>测试({code}) 盈利预测</title></head><body>{body}</body></html>"
    return "text/html; charset=gbk", page.encode("gbk")


UNITS = {
    "CNY": ("百万元人民币", "分", "人民币元"),
    "HKD": ("百万港元", "港仙", "港元"),
    "USD": ("百万美元", "美仙", "美元"),
}


def etnet_page(rows, brokers=(), currency="CNY"):
    """Etnet's page: consensus (year, eps in cents) and brokers (year, eps, broker, rating, day/month/year)."""
    money, cent, unit = UNITS[currency]
    consensus = _table(
        ("财政年度", f"纯利/(亏损)<br> ({money})", f"每股盈利/<br> (亏损)({cent})", f"每股派息<br> ({cent})",
         f"每股资产净值<br> ({unit})", f"最高<br> ({money})", f"最低<br> ({money})"),
        [(year, 100, eps, 1, 2, 120, 80) for year, eps in rows],
    )  # fmt: skip
    overview = _table(
        ("财政年度", f"纯利/(亏损)<br> ({money})", f"每股盈利*/ (亏损)<br> ({cent})", f"每股派息*<br> ({cent})",
         "证券商", "评级", "目标价* (港元)", "目标价* (港元)", "更新日期"),
        [(year, 100, eps, 1, broker, rating, 50, 50, day) for year, eps, broker, rating, day in brokers],
    )  # fmt: skip
    plain = _table(("a", "b"), [(1, 2)])
    return HTML, f"<html><body>{plain}{plain}{plain}{consensus}{overview}</body></html>"


def _table(head, rows):
    cells = "".join(f"<th>{name}</th>" for name in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{cells}</tr>{lines}</table>"


REPORT_FIELDS = [
    "title",
    "stockName",
    "stockCode",
    "orgCode",
    "orgName",
    "orgSName",
    "publishDate",
    "infoCode",
    "column",
    "predictNextTwoYearEps",
    "predictNextTwoYearPe",
    "predictNextYearEps",
    "predictNextYearPe",
    "predictThisYearEps",
    "predictThisYearPe",
    "indvInduName",
    "emRatingName",
    "count",
]


def reports(rows, current_year=2024):
    """Eastmoney's broker reports: (id, code, broker, published, [eps x 3])."""
    data = [
        dict.fromkeys(REPORT_FIELDS, "")
        | {
            "title": "点评", "stockName": "测试", "stockCode": code, "orgSName": broker, "infoCode": key,
            "publishDate": f"{day} 00:00:00.000", "predictThisYearEps": eps[0], "predictNextYearEps": eps[1],
            "predictNextTwoYearEps": eps[2], "indvInduName": "软件", "emRatingName": "买入", "count": 3,
        }
        for key, code, broker, day, eps in rows
    ]  # fmt: skip
    return dump({"hits": len(data), "size": len(data), "data": data, "TotalPage": 1, "currentYear": current_year})


def sse_list(rows):
    """Shanghai's list: (code, name, listing date)."""
    keys = ("A_STOCK_CODE", "SEC_NAME_CN", "SEC_NAME_FULL", "COMPANY_ABBR", "FULL_NAME", "LIST_DATE")
    return dump(
        {"result": [dict(zip(keys, (code, name, name, name, name, day), strict=True)) for code, name, day in rows]}
    )


def sse_delisted(rows):
    keys = ("COMPANY_CODE", "COMPANY_ABBR", "LIST_DATE", "DELIST_DATE")
    return dump({"result": [dict(zip(keys, row, strict=True)) for row in rows]})


def workbook(columns, rows):
    """An XLSX answer of the Shenzhen exchange."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(list(columns))
    for row in rows:
        book.active.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return "application/vnd.openxmlformats", buffer.getvalue()


def szse_list(rows):
    """Shenzhen's list: (code, name, listing date, total shares, float shares)."""
    columns = ("板块", "A股代码", "A股简称", "A股上市日期", "A股总股本", "A股流通股本", "所属行业")
    filler = [("主板", f"{2000 + n:06d}", f"填充{n}", "2010-01-04", "1,000", "900", "C 制造业") for n in range(11)]
    return workbook(columns, [("主板", c, n, d, f"{t:,}", f"{f:,}", "J 金融业") for c, n, d, t, f in rows] + filler)


def bse_list(rows):
    """Beijing's list: (code, name, listing date, total, float), 48 positional fields."""
    content = []
    for code, name, day, total, free in rows:
        record = {f"f{n:02d}": "" for n in range(48)}
        record |= {"f00": day, "f11": free, "f17": "软件", "f22": "2024-03-29", "f36": total, "f38": code, "f40": name}
        content.append(record)
    return JSON, f"null({json.dumps([{'totalPages': 1, 'content': content}], ensure_ascii=False)})"


def legulegu_page(first, second):
    """Legulegu's industry page: level 1 (code, name), level 2 (code, name, parent)."""

    def item(code, name, parent=""):
        inner = f"<span>({parent})</span>" if parent else ""
        values = "".join('<span class="value">1</span>' for _ in range(4))
        return (
            f'<div class="lg-industries-item-chinese-title">{code}</div>'
            f'<div class="lg-industries-item-number">{name}(12){inner}</div>'
            f'<div class="lg-sw-industries-item-value">{values}</div>'
        )

    one = "".join(item(*row) for row in first)
    two = "".join(item(*row) for row in second)
    return HTML, f'<html><div id="level1Items">{one}</div><div id="level2Items">{two}</div></html>'


def sector(rows):
    """Shenwan's members: (code, weight in %, entry date)."""
    keys = ("stockcode", "stockname", "newweight", "beginningdate")
    results = [dict(zip(keys, (code, "测试", weight, day), strict=True)) for code, weight, day in rows]
    return dump({"data": {"count": len(results), "results": results}})


def films(rows, pages=1):
    """Endata's month: (film, gross in CNY, average price)."""
    table = [
        {"Irank": n, "MovieName": name, "BoxOffice": gross, "BoxOfficePercent": 1.0, "AvgBoxOffice": price,
         "AvgShowAudienceCount": 9, "ReleaseDate": "2024-02-10", "ReleaseDay": 20}
        for n, (name, gross, price) in enumerate(rows, start=1)
    ]  # fmt: skip
    return dump({"status": 1, "des": "", "data": {"table1": table, "table2": [{"TotalPage": pages}]}})


def quote_list(rows, page_size=100):
    """Eastmoney's quote lists: (code, name); the fields asked for and two that come unasked, by number."""

    def answer(seen):
        page = int(seen.query["pn"])
        fields = sorted({*(int(name[1:]) for name in seen.query["fields"].split(",")), 140, 141})
        chunk = rows[(page - 1) * page_size : page * page_size]
        diff = []
        for code, name in chunk:
            record = {f"f{n}": 1.0 for n in fields}
            diff.append(record | {"f12": code, "f14": name, "f3": 0.5})
        return dump({"rc": 0, "data": {"total": len(rows), "diff": diff}})

    return answer
