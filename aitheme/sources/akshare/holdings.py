"""Dividends, share counts and the members of sectors."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from aitheme.sources.akshare import raw
from aitheme.sources.akshare.checks import Contract, RowCheck, positive, split, within
from aitheme.sources.akshare.consensus import share_symbol
from aitheme.sources.akshare.gateway import Answer, Endpoint
from aitheme.sources.akshare.outcomes import Rejected
from aitheme.sources.akshare.reading import Ask, Reading

if TYPE_CHECKING:
    from datetime import date

    from aitheme.sources.akshare.transport import Exchange
    from aitheme.symbols import Symbol

__all__ = ["dividend_ask", "member_ask", "plan_ask", "shares_ask"]

TEN: Final = 10.0
# Weights of a complete index add up to 100 %; rounding to two decimals of hundreds of members moves the sum a little.
_WEIGHT_SLACK: Final = 0.05
_MAX_EX_DAYS: Final = 366


def _no_records(exchanges: list[Exchange]) -> str:
    answer = exchanges[-1].json() if exchanges else None
    return "no dividend on record" if isinstance(answer, dict) and answer.get("records") == [] else ""


def _no_members(exchanges: list[Exchange]) -> str:
    answer = exchanges[-1].json() if exchanges else None
    data = answer.get("data") if isinstance(answer, dict) else None
    return "no members listed" if isinstance(data, dict) and not data.get("results") else ""


DIVIDENDS: Final = Endpoint(
    "stock_dividend_cninfo", "cninfo", "cninfo",
    ("实施方案公告日期", "送股比例", "转增比例", "派息比例", "股权登记日", "除权日", "派息日", "报告时间"), 1, _no_records,
    raw.words_for_numbers("records", fields=("F010N", "F011N", "F012N")),
)  # fmt: skip
PLANS: Final = Endpoint(
    "stock_fhps_em", "eastmoney", "eastmoney-data",
    ("代码", "送转股份-送转总比例", "现金分红-现金分红比例", "除权除息日", "方案进度", "最新公告日期"), 8, raw.datacenter_empty,
)  # fmt: skip
SHARES: Final = Endpoint(
    "stock_value_em", "eastmoney", "eastmoney-data", ("数据日期", "总股本", "流通股本", "总市值", "当日收盘价"), 1,
    raw.datacenter_empty,
)  # fmt: skip
SHARES_HK: Final = Endpoint(
    "stock_hk_financial_indicator_em", "eastmoney", "eastmoney-data", ("已发行股本(股)", "已发行股本-H股(股)"), 1,
    raw.datacenter_empty,
)  # fmt: skip
SW_MEMBERS: Final = Endpoint(
    "index_component_sw",
    "shenwan",
    "shenwan",
    ("证券代码", "证券名称", "最新权重", "计入日期"),
    1,
    _no_members,
    raw.words_for_numbers("data", "results", fields=("newweight",)),
)
CONCEPT: Final = Endpoint("stock_board_concept_cons_em", "eastmoney", "eastmoney", ("代码", "名称"), 2)

_DIVIDEND_CHECKS: Final = Contract(
    "dividends",
    (
        RowCheck("cash per share is not between 0 and 100", within("cash_per_share", 0.0, 100.0, missing=False)),
        RowCheck("new shares per share are not between 0 and 10", within("bonus_per_share", 0.0, 10.0, missing=False)),
        RowCheck("ex-date before the announcement", lambda f: ~(f["ex_date"] < f["announced"]).to_numpy()),
        RowCheck("ex-date more than a year after the announcement", lambda f: ~_long_after(f)),
    ),
)


def _long_after(frame: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return ((frame["ex_date"] - frame["announced"]).dt.days > _MAX_EX_DAYS).to_numpy()


def dividend_ask(symbol: Symbol) -> Ask:
    """Return how to ask Cninfo (the regulator's disclosure site) for a stock's carried-out dividends."""
    return Ask(DIVIDENDS, {"symbol": symbol.code}, partial(_read_dividends, symbol))


def _read_dividends(symbol: Symbol, answer: Answer) -> Reading:
    """Read cash (CNY before tax) and new shares, both stated per 10 shares; plans without an ex-date are left out."""
    frame = answer.frame
    assert frame is not None
    ex_date = pd.to_datetime(frame["除权日"], errors="coerce").astype("datetime64[s]")
    kept = frame[ex_date.notna().to_numpy()].reset_index(drop=True)
    rows = pd.DataFrame(
        {
            "symbol": str(symbol),
            "ex_date": ex_date[ex_date.notna()].reset_index(drop=True),
            "report": kept["报告时间"].astype(str),
            "announced": _days(kept["实施方案公告日期"]),
            "record_date": _days(kept["股权登记日"]),
            "pay_date": _days(kept["派息日"]),
            "cash_per_share": _amount(kept["派息比例"]) / TEN,
            "bonus_per_share": (_amount(kept["送股比例"]) + _amount(kept["转增比例"])) / TEN,
            "currency": "CNY",
            "source": "cninfo",
        }
    )
    good, refused = split(_DIVIDEND_CHECKS, rows, str(symbol), kept, date_column="ex_date")
    return Reading(good.drop_duplicates(["symbol", "ex_date", "report"], keep="last", ignore_index=True), refused)


def _days(values: pd.Series) -> pd.Series:
    return pd.to_datetime(values, errors="coerce", format="mixed").astype("datetime64[s]")


def _amount(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values, errors="coerce").fillna(0.0)


def plan_ask(period: date) -> Ask:
    """Return how to ask Eastmoney for the dividends of all companies of a report period (June or December)."""
    return Ask(PLANS, {"date": f"{period:%Y%m%d}"}, partial(_read_plans, period))


def _read_plans(period: date, answer: Answer) -> Reading:
    """Read the carried-out ones among the plans, all companies."""
    frame = answer.frame
    assert frame is not None
    ex_date = _days(frame["除权除息日"])
    symbols = pd.Series([share_symbol(code) for code in frame["代码"]], index=frame.index)
    keep = (ex_date.notna() & symbols.notna() & frame["方案进度"].astype(str).str.contains("实施")).to_numpy()
    kept = frame[keep].reset_index(drop=True)
    rows = pd.DataFrame(
        {
            "symbol": symbols[keep].reset_index(drop=True),
            "ex_date": ex_date[keep].reset_index(drop=True),
            "report": f"{period:%Y}{'半年报' if period.month < 12 else '年报'}",  # noqa: PLR2004
            "announced": _days(kept["最新公告日期"]),
            "record_date": _days(kept["股权登记日"]),
            "cash_per_share": _amount(kept["现金分红-现金分红比例"]) / TEN,
            "bonus_per_share": _amount(kept["送转股份-送转总比例"]) / TEN,
            "currency": "CNY",
            "source": "eastmoney",
        }
    )
    rows["announced"] = rows["announced"].where(rows["announced"] <= rows["ex_date"])
    good, refused = split(_DIVIDEND_CHECKS, rows, None, kept, date_column="ex_date")
    return Reading(good.drop_duplicates(["symbol", "ex_date", "report"], keep="last", ignore_index=True), refused)


def shares_ask(symbol: Symbol, seen: date) -> Ask:
    """Return how to ask Eastmoney for a stock's number of shares: its history (mainland) or today's (Hong Kong)."""
    if symbol.market == "HK":
        return Ask(SHARES_HK, {"symbol": symbol.code}, partial(_read_hk_shares, symbol, seen))
    return Ask(SHARES, {"symbol": symbol.code}, partial(_read_shares, symbol, seen))


_SHARE_CHECKS: Final = Contract(
    "share_counts",
    (
        RowCheck("the number of shares is missing, zero or negative", positive("total_shares")),
        RowCheck("more shares float than exist", lambda f: ~(f["float_shares"] > f["total_shares"] * 1.001).to_numpy()),
        RowCheck("the date cannot be read", lambda f: f["effective"].notna().to_numpy()),
        RowCheck("dated after today", lambda f: ~(f["effective"] > pd.to_datetime(f["seen"])).to_numpy()),
    ),
)


def _read_shares(symbol: Symbol, seen: date, answer: Answer) -> Reading:
    """Read the daily table and keep the days on which a count changed; 总市值 must be price times shares."""
    frame = answer.frame
    assert frame is not None
    rows = pd.DataFrame(
        {
            "symbol": str(symbol),
            "effective": _days(frame["数据日期"]),
            "total_shares": pd.to_numeric(frame["总股本"], errors="coerce"),
            "float_shares": pd.to_numeric(frame["流通股本"], errors="coerce"),
            "source": "eastmoney",
            "seen": seen,
        }
    )
    owners = {str(row.get("SECURITY_CODE")) for row in raw.datacenter_pages(answer.exchanges)[0]} - {symbol.code}
    if owners:
        return Reading(rows.iloc[:0], outcome=Rejected(len(rows), (f"the answer belongs to {', '.join(owners)}",)))
    implied = pd.to_numeric(frame["总市值"], errors="coerce") / pd.to_numeric(frame["当日收盘价"], errors="coerce")
    ratio = float((implied / rows["total_shares"]).median())
    if np.isfinite(ratio) and not 0.5 < ratio < 2:  # noqa: PLR2004  # B and H shares make it differ a little, units a lot
        return Reading(
            rows.iloc[:0], outcome=Rejected(len(rows), (f"market value / price is {ratio:.3g} x the shares",))
        )
    good, refused = split(_SHARE_CHECKS, rows, str(symbol), frame.reset_index(drop=True), date_column="effective")
    good = good.sort_values("effective", ignore_index=True)
    changed = good[["total_shares", "float_shares"]].ne(good[["total_shares", "float_shares"]].shift(1)).any(axis=1)
    return Reading(good[changed].reset_index(drop=True), refused)


def _read_hk_shares(symbol: Symbol, seen: date, answer: Answer) -> Reading:
    """Read today's issued shares; float is the H shares of a mainland company, otherwise all."""
    frame = answer.frame
    assert frame is not None
    total = pd.to_numeric(frame["已发行股本(股)"], errors="coerce").head(1)
    traded = pd.to_numeric(frame["已发行股本-H股(股)"], errors="coerce").head(1)
    rows = pd.DataFrame(
        {
            "symbol": str(symbol),
            "effective": pd.Series([pd.Timestamp(seen)], dtype="datetime64[s]"),
            "total_shares": total.to_numpy(float),
            "float_shares": traded.where(traded > 0, total).to_numpy(float),
            "source": "eastmoney",
            "seen": seen,
        }
    )
    good, refused = split(_SHARE_CHECKS, rows, str(symbol), frame.head(1), date_column="effective")
    return Reading(good, refused)


def member_ask(sector: str, seen: date) -> Ask:
    """Return how to ask for a sector's members today.

    Parameters
    ----------
    sector
        A Shenwan index (``801760.SI``) or an Eastmoney board (``BK0800``).
    seen
        Today; free vendors know no former members, so history begins with the first refresh.
    """
    if sector.startswith("BK"):
        return Ask(CONCEPT, {"symbol": sector}, partial(_read_concept, sector, seen))
    return Ask(SW_MEMBERS, {"symbol": sector.partition(".")[0]}, partial(_read_members, sector, seen))


def _read_members(sector: str, seen: date, answer: Answer) -> Reading:
    """Read a Shenwan index: weight in %, date of entry."""
    frame = answer.frame
    assert frame is not None
    rows = pd.DataFrame(
        {
            "sector": sector,
            "symbol": [share_symbol(code) for code in frame["证券代码"]],
            "seen": seen,
            "since": _days(frame["计入日期"]),
            "weight": pd.to_numeric(frame["最新权重"], errors="coerce") / 100.0,
            "provider": "shenwan",
        }
    )
    if len(frame) and rows["since"].isna().all():
        # akshare blanks a date it cannot read; one blank is a fact, an index without any is another layout.
        return Reading(rows.iloc[:0], outcome=Rejected(len(rows), ("no date of entry can be read",)))
    undated = (frame["计入日期"].isna() | (frame["计入日期"].astype(str).str.strip() == "")).to_numpy()
    contract = Contract(
        "sector_members",
        (
            RowCheck("the code is no A share", lambda f: f["symbol"].notna().to_numpy()),
            RowCheck("the date of entry cannot be read", lambda f: f["since"].notna().to_numpy() | undated),
            RowCheck("the weight is not between 0 and 100 %", within("weight", 0.0, 1.0)),
            RowCheck("joined after today", lambda f: ~(f["since"] > np.datetime64(seen)).to_numpy()),
        ),
    )
    good, refused = split(contract, rows, None, frame.reset_index(drop=True), date_column="since")
    good = good.drop_duplicates("symbol", ignore_index=True)
    total = float(good["weight"].sum())
    notes = (f"weights add up to {total:.1%}",) if abs(total - 1) > _WEIGHT_SLACK else ()
    return Reading(good, refused, notes)


def _read_concept(sector: str, seen: date, answer: Answer) -> Reading:
    """Read an Eastmoney board by field name; all of it must have arrived."""
    records, total = raw.list_pages(answer.exchanges)
    table = pd.DataFrame.from_records(records).drop_duplicates("f12")
    if len(table) < total:
        return Reading(table.iloc[:0], outcome=Rejected(len(table), (f"{len(table)} of {total} members arrived",)))
    symbols = pd.Series([share_symbol(code) for code in table["f12"]])
    rows = pd.DataFrame({"sector": sector, "symbol": symbols[symbols.notna()], "seen": seen, "provider": "eastmoney"})
    return Reading(rows.reset_index(drop=True))
