"""Dated forecasts of single brokers, from which :mod:`aitheme.consensus` rebuilds the consensus of any past day.

Eastmoney titles the three forecast columns of every report, back to 2000, with today's years. A report's first column
is the fiscal year in which it was published.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from aitheme.sources.akshare import raw
from aitheme.sources.akshare.checks import Contract, RowCheck, split, within
from aitheme.sources.akshare.gateway import Answer, Endpoint
from aitheme.sources.akshare.outcomes import SchemaDrift
from aitheme.sources.akshare.reading import Ask, Reading

if TYPE_CHECKING:
    from datetime import date

    from aitheme.sources.akshare.transport import Exchange
    from aitheme.symbols import Symbol

__all__ = ["broker_ask"]

_TITLE: Final = re.compile(r"^(\d{4})-盈利预测-收益$")
_INFO: Final = re.compile(r"H3_(\w+?)_1\.pdf")
_YEARS: Final = 3
_MAX_EPS: Final = 1000.0


def _no_reports(exchanges: list[Exchange]) -> str:
    answer = exchanges[-1].json() if exchanges else None
    return "no report on this stock" if isinstance(answer, dict) and answer.get("data") == [] else ""


REPORTS: Final = Endpoint(
    "stock_research_report_em", "eastmoney", "eastmoney-reports",
    ("股票代码", "报告名称", "东财评级", "机构", "日期", "报告PDF链接"), 1, _no_reports,
    raw.words_for_numbers(
        "data", fields=("predictThisYearEps", "predictNextYearEps", "predictNextTwoYearEps")
    ),
)  # fmt: skip


def broker_ask(symbol: Symbol, seen: date, since: date | None = None) -> Ask:
    """Return how to ask Eastmoney for every report on an A share.

    Parameters
    ----------
    symbol
        A mainland share.
    seen
        Today.
    since
        Leave out reports published before this date.
    """
    return Ask(REPORTS, {"symbol": symbol.code}, partial(_read, symbol, seen, since))


def _read(symbol: Symbol, seen: date, since: date | None, answer: Answer) -> Reading:
    """One row per report and forecast year; EPS in CNY, a missing or exactly zero forecast is none."""
    frame = answer.frame
    assert frame is not None
    columns = sorted(name for name in frame.columns if _TITLE.match(str(name)))
    if len(columns) != _YEARS:
        return Reading(frame.iloc[:0], outcome=SchemaDrift(detail=f"forecast columns found: {', '.join(columns)}"))
    frame = frame.reset_index(drop=True)
    published = pd.to_datetime(frame["日期"], errors="coerce").astype("datetime64[s]")
    base = pd.DataFrame(
        {
            "symbol": str(symbol), "broker": frame["机构"].astype(str).str.strip(), "published": published,
            "report": frame["报告PDF链接"].astype(str).str.extract(_INFO, expand=False),
            "currency": "CNY", "rating": frame["东财评级"].astype(str), "seen": seen,
            "owner": frame["股票代码"].astype(str).str.zfill(6),
        }
    )  # fmt: skip
    parts = []
    for offset, column in enumerate(columns):
        part = base.assign(
            fiscal_year=published.dt.year.fillna(0).astype("int64") + offset,
            eps=pd.to_numeric(frame[column], errors="coerce"),
        )
        part["source_row"] = np.arange(len(part))
        parts.append(part[part["eps"].notna() & (part["eps"] != 0)])
    rows = pd.concat(parts, ignore_index=True)
    origin = frame.iloc[rows["source_row"].to_numpy()].reset_index(drop=True)
    good, refused = split(_contract(symbol, seen), rows, str(symbol), origin, date_column="published")
    if since is not None:
        good = good[good["published"] >= np.datetime64(since)]
    key = ["symbol", "broker", "published", "fiscal_year", "report"]
    return Reading(good.drop_duplicates(key, keep="last", ignore_index=True), refused)


def _contract(symbol: Symbol, seen: date) -> Contract:
    return Contract(
        "broker_forecasts",
        (
            RowCheck("the report is about another stock", lambda f: (f["owner"] == symbol.code).to_numpy()),
            RowCheck("the report has no date", lambda f: f["published"].notna().to_numpy()),
            RowCheck("dated after today", lambda f: (f["published"] <= np.datetime64(seen)).to_numpy()),
            RowCheck("the report has no broker or number", _identified),
            RowCheck("the EPS is absurd", within("eps", -_MAX_EPS, _MAX_EPS, missing=False)),
        ),
    )


def _identified(frame: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return (frame["report"].notna() & (frame["broker"] != "") & (frame["broker"] != "nan")).to_numpy()
