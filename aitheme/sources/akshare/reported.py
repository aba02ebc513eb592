"""Reported earnings per share with the day they became known, quarterly capex of American companies, box office."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from aitheme.sources.akshare import raw
from aitheme.sources.akshare.checks import Contract, RowCheck, numbers, rejects_of, split, within
from aitheme.sources.akshare.consensus import share_symbol
from aitheme.sources.akshare.gateway import Answer, Endpoint
from aitheme.sources.akshare.outcomes import Rejected, SchemaDrift
from aitheme.sources.akshare.reading import Ask, Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aitheme.sources.akshare.transport import Exchange

__all__ = ["box_office_ask", "capex_asks", "quarterly_capex", "report_periods", "reported_ask"]

_REPORT: Final = "RPT_LICO_FN_CPD"
_FIELDS: Final = (
    "SECURITY_CODE", "REPORTDATE", "NOTICE_DATE", "UPDATE_DATE", "BASIC_EPS", "PARENT_NETPROFIT",
    "TOTAL_OPERATE_INCOME",
)  # fmt: skip
_QUARTER_ENDS: Final = ((3, 31), (6, 30), (9, 30), (12, 31))
REPORTED: Final = Endpoint(
    "stock_yjbb_em", "eastmoney", "eastmoney-data", ("股票代码", "每股收益", "最新公告日期"), 12,
    raw.datacenter_empty, raw.named_fields(_REPORT, _FIELDS),
)  # fmt: skip
CAPEX: Final = Endpoint(
    "stock_financial_us_report_em", "eastmoney", "eastmoney-data",
    ("SECURITY_CODE", "REPORT_DATE", "REPORT", "STD_ITEM_CODE", "AMOUNT", "ITEM_NAME"), 3, raw.datacenter_empty,
)  # fmt: skip


def _no_films(exchanges: list[Exchange]) -> str:
    answer = exchanges[-1].json() if exchanges else None
    data = answer.get("data") if isinstance(answer, dict) and answer.get("status") == 1 else None
    return "no film in the list" if isinstance(data, dict) and not data.get("table1") else ""


BOX_OFFICE: Final = Endpoint(
    "movie_boxoffice_monthly", "endata", "endata", ("影片名称", "单月票房", "平均票价", "月度占比"), 1, _no_films
)


def report_periods(today: date, since: date | None = None, latest: int = 3) -> list[date]:
    """Return the report period ends that may have news: the last few, or all since a date, ascending."""
    first = since or today - timedelta(days=92 * (latest + 1))
    ends = [date(year, month, day) for year in range(first.year, today.year + 1) for month, day in _QUARTER_ENDS]
    ended = [end for end in ends if first <= end <= today]
    return ended if since is not None else ended[-latest:]


def reported_ask(period: date, seen: date) -> Ask:
    """Return how to ask Eastmoney for all companies' reports of a period."""
    return Ask(REPORTED, {"date": f"{period:%Y%m%d}"}, partial(_read_reported, period, seen))


def _read_reported(period: date, seen: date, answer: Answer) -> Reading:
    """Read EPS (CNY, year to date) by field name, dated without look-ahead.

    Eastmoney keeps one row per report and overwrites it: NOTICE_DATE is the first disclosure, UPDATE_DATE the last
    change. The numbers we see are those of UPDATE_DATE; dating them with NOTICE_DATE would let a restatement travel
    back in time, so a changed row counts as published on its UPDATE_DATE and is marked ``restated``.
    """
    records, count = raw.datacenter_pages(answer.exchanges, _REPORT)
    table = pd.DataFrame.from_records(records)
    symbols = pd.Series([share_symbol(code) for code in table["SECURITY_CODE"]])
    kept = table[symbols.notna().to_numpy()].reset_index(drop=True)
    notice = pd.to_datetime(kept["NOTICE_DATE"], errors="coerce", format="ISO8601").astype("datetime64[s]")
    update = pd.to_datetime(kept["UPDATE_DATE"], errors="coerce", format="ISO8601").astype("datetime64[s]")
    published = pd.concat([notice, update], axis=1).max(axis=1).astype("datetime64[s]")
    rows = pd.DataFrame(
        {
            "symbol": symbols[symbols.notna()].reset_index(drop=True),
            "period_end": pd.to_datetime(kept["REPORTDATE"], errors="coerce", format="ISO8601").astype("datetime64[s]"),
            "published": published, "announced": notice,
            "eps": numbers(kept["BASIC_EPS"]),
            "net_profit": pd.to_numeric(kept["PARENT_NETPROFIT"], errors="coerce"),
            "revenue": pd.to_numeric(kept["TOTAL_OPERATE_INCOME"], errors="coerce"),
            "restated": (published > notice).to_numpy(), "seen": seen,
        }
    )  # fmt: skip
    good, refused = split(_reported_contract(period, seen), rows, None, kept, date_column="period_end")
    good = good[good["eps"].notna() | good["net_profit"].notna()]
    good = good.drop_duplicates(["symbol", "period_end", "published"], ignore_index=True)
    short = raw.short_table(len(table), count)
    return Reading(good, refused) if short is None else Reading(good.iloc[:0], outcome=short)


def _reported_contract(period: date, seen: date) -> Contract:
    """Return what a report row must satisfy when it is seen."""
    return Contract(
        "reported_eps",
        (
            RowCheck("another period than asked for", lambda f: (f["period_end"] == np.datetime64(period)).to_numpy()),
            RowCheck("the notice date cannot be read", lambda f: f["announced"].notna().to_numpy()),
            RowCheck("published before the period ended", lambda f: (f["published"] > f["period_end"]).to_numpy()),
            RowCheck("published after today", lambda f: (f["published"] <= np.datetime64(seen)).to_numpy()),
            RowCheck("the EPS is absurd", within("eps", -1000.0, 1000.0)),
        ),
    )


_CAPEX_CODE: Final = "005002"
_CAPEX_NAME: Final = "购买固定资产"
_LABEL: Final = re.compile(r"^(\d{4})/(Q1|Q6|Q9|FY)$")
_INDICATORS: Final = ("单季报", "累计季报", "年报")
_MAX_QUARTER_DAYS: Final = 100
# The best months of Chinese cinemas brought some 1.6e10 CNY.
_MAX_MONTH: Final = 5e10


def capex_asks(ticker: str) -> list[Ask]:
    """Return the three calls that give a company's cash flow to date: first quarter, half and nine months, year."""
    return [
        Ask(CAPEX, {"stock": ticker, "symbol": "现金流量表", "indicator": indicator}, partial(_read_capex, ticker))
        for indicator in _INDICATORS
    ]


def _read_capex(ticker: str, answer: Answer) -> Reading:
    """Read capital expenditure to date per fiscal label: ``label``, ``quarter_end``, ``to_date``, ``currency``."""
    frame = answer.frame
    assert frame is not None
    codes, names = frame["STD_ITEM_CODE"].astype(str), frame["ITEM_NAME"].astype(str)
    items = frame[(codes == _CAPEX_CODE) | names.str.startswith(_CAPEX_NAME)].reset_index(drop=True)
    if items.empty:
        return Reading(items, outcome=SchemaDrift((f"{_CAPEX_CODE} {_CAPEX_NAME}",), (), "no such cash-flow item"))
    owners = set(items["SECURITY_CODE"].astype(str)) - {ticker}
    if owners:
        return Reading(items.iloc[:0], outcome=Rejected(len(items), (f"the answer belongs to {', '.join(owners)}",)))
    currency = _currencies(answer)
    label = items["REPORT"].astype(str).str.strip()
    rows = pd.DataFrame(
        {
            "label": label,
            "quarter_end": pd.to_datetime(items["REPORT_DATE"], errors="coerce", format="ISO8601").astype(
                "datetime64[s]"
            ),
            "to_date": pd.to_numeric(items["AMOUNT"], errors="coerce").abs(),
            "currency": [currency.get(text) for text in label],
        }
    )
    known = rows["label"].str.match(_LABEL)
    year = pd.to_numeric(rows["label"].str[:4], errors="coerce")
    reasons = dict.fromkeys(
        np.flatnonzero(known & ((rows["quarter_end"].dt.year - year).abs() > 1)).tolist(),
        "the quarter does not end in its fiscal year",
    )
    reasons |= dict.fromkeys(
        np.flatnonzero(
            known & (rows["quarter_end"].isna() | ~(rows["to_date"] > 0) | rows["currency"].isna())
        ).tolist(),
        "the period, the amount or the currency is missing",
    )
    refused = rejects_of(rows, f"{ticker}.US", items, reasons, date_column="quarter_end")
    good = rows[known & ~rows.index.isin(list(reasons))].drop_duplicates("label", ignore_index=True)
    return Reading(good, refused)


def _currencies(answer: Answer) -> Mapping[str, str]:
    """Return the reporting currency per label, from the period list that akshare reads and forgets."""
    names = {"美元": "USD", "人民币": "CNY", "港元": "HKD"}
    listed: dict[str, str] = {}
    for exchange in answer.exchanges:
        if exchange.query.get("reportName") != "RPT_USSK_FN_CASHFLOW":
            continue
        page, _ = raw.datacenter_pages([exchange])
        for row in page:
            if row.get("CURRENCY"):
                listed[str(row["REPORT"]).strip()] = names.get(str(row["CURRENCY"]), str(row["CURRENCY"]))
    return listed


def quarterly_capex(to_date: pd.DataFrame, symbol: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Difference cash flow to date into quarters.

    Parameters
    ----------
    to_date
        ``label`` (``2024/Q1``, ``2024/Q6``, ``2024/Q9``, ``2024/FY``; fiscal years), ``quarter_end``, ``to_date``
        (currency units), ``currency``.
    symbol
        Canonical symbol.

    Returns
    -------
    tuple
        Rows of the ``capex`` dataset, and the rejects: a quarter whose predecessor is missing is left out, one that
        comes out negative or spans more than a quarter is refused.
    """
    parts = to_date["label"].str.extract(_LABEL)
    frame = to_date.assign(year=parts[0], step=parts[1].map({"Q1": 1, "Q6": 2, "Q9": 3, "FY": 4}))
    frame = frame.sort_values(["year", "step"]).reset_index(drop=True)
    same = (frame["year"] == frame["year"].shift(1)) & (frame["step"] == frame["step"].shift(1) + 1)
    first = frame["step"] == 1
    capex = np.where(first, frame["to_date"], frame["to_date"] - frame["to_date"].shift(1))
    rows = frame.assign(symbol=symbol, capex=capex)[first | same].reset_index(drop=True)
    gap = (
        (frame["quarter_end"] - frame["quarter_end"].shift(1)).dt.days[(first | same).to_numpy()].reset_index(drop=True)
    )
    reasons: dict[int, str] = {}
    for n in range(len(rows)):
        if not rows["capex"].iloc[n] > 0:
            reasons[n] = "the quarter's capex comes out zero or negative: the labels are not to date"
        elif rows["step"].iloc[n] > 1 and not 0 < gap.iloc[n] <= _MAX_QUARTER_DAYS:
            reasons[n] = "the period before does not end a quarter earlier"
    rejects = rejects_of(rows, symbol, rows, reasons, date_column="quarter_end")
    good = rows[~rows.index.isin(list(reasons))]
    return good[["symbol", "quarter_end", "capex", "currency"]].reset_index(drop=True), rejects


def box_office_ask(month: date, seen: date) -> Ask:
    """Return how to ask Endata for a month's films.

    Parameters
    ----------
    month
        Any day of the month.
    seen
        Today; a month that has not ended yet is marked incomplete.
    """
    return Ask(BOX_OFFICE, {"date": f"{month:%Y%m%d}"}, partial(_read_box_office, month.replace(day=1), seen))


def _read_box_office(month: date, seen: date, answer: Answer) -> Reading:
    """Sum the films: gross in CNY (the vendor's 万元), admissions as gross over the film's average price."""
    frame = answer.frame
    assert frame is not None
    films = frame.drop_duplicates("影片名称").reset_index(drop=True)
    gross = pd.to_numeric(films["单月票房"], errors="coerce") * 1e4
    price = pd.to_numeric(films["平均票价"], errors="coerce")
    reasons: dict[int, str] = dict.fromkeys(np.flatnonzero(~(gross >= 0)).tolist(), "the gross is missing or negative")
    odd = ~price.between(5, 300) & (gross > 0)
    reasons.update(dict.fromkeys(np.flatnonzero(odd).tolist(), "the average ticket price is not believable"))
    refused = rejects_of(films, "box_office", films, reasons, date_column="none")
    fine = ~films.index.isin(list(reasons))
    paid = fine & (gross > 0)
    following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    row: dict[str, Any] = {
        "month": month, "seen": seen, "gross": float(gross[fine].sum()),
        "admissions": float((gross[paid] / price[paid]).sum()), "films": int(fine.sum()), "complete": seen >= following,
    }  # fmt: skip
    if row["gross"] > _MAX_MONTH:
        words = f"a month's gross of {row['gross']:.3g} CNY is not believable"
        return Reading(films.iloc[:0], refused, outcome=Rejected(len(films), (words,)))
    if len(reasons) > 0.2 * len(films) or not row["gross"] > 0:
        return Reading(films.iloc[:0], refused, outcome=Rejected(len(reasons), tuple(dict.fromkeys(reasons.values()))))
    return Reading(pd.DataFrame([row]), refused.iloc[:0] if not reasons else refused)
