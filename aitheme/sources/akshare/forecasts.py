"""Dated forecasts of single brokers, and the consensus of any past day rebuilt from them.

Eastmoney titles the three forecast columns of every report, back to 2000, with today's years. A report's first column
is the fiscal year in which it was published.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from aitheme.errors import DateRangeError
from aitheme.sources.akshare.checks import Contract, RowCheck, split, within
from aitheme.sources.akshare.gateway import Answer, Endpoint
from aitheme.sources.akshare.outcomes import SchemaDrift
from aitheme.sources.akshare.reading import Ask, Reading

if TYPE_CHECKING:
    from aitheme.sources.akshare.transport import Exchange
    from aitheme.symbols import Symbol

__all__ = ["broker_ask", "rebuild_consensus"]

_TITLE: Final = re.compile(r"^(\d{4})-盈利预测-收益$")
_INFO: Final = re.compile(r"H3_(\w+?)_1\.pdf")
_YEARS: Final = 3
_MAX_EPS: Final = 1000.0
CONSENSUS_COLUMNS: Final = (
    "symbol", "fiscal_year", "currency", "eps", "eps_median", "eps_low", "eps_high", "dispersion", "analysts",
    "revised_up", "revised_down", "newest", "oldest",
)  # fmt: skip


def _no_reports(exchanges: list[Exchange]) -> str:
    answer = exchanges[-1].json() if exchanges else None
    return "no report on this stock" if isinstance(answer, dict) and answer.get("data") == [] else ""


REPORTS: Final = Endpoint(
    "stock_research_report_em", "eastmoney", "eastmoney-reports",
    ("股票代码", "报告名称", "东财评级", "机构", "日期", "报告PDF链接"), 1, _no_reports,
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


def rebuild_consensus(forecasts: pd.DataFrame, as_of: date, window_days: int = 180) -> pd.DataFrame:
    """Rebuild the consensus that could be known on a day from dated broker forecasts.

    Parameters
    ----------
    forecasts
        Rows of ``broker_forecasts``: ``symbol``, ``broker``, ``published``, ``fiscal_year``, ``eps``, ``currency``;
        ``report`` breaks ties of one day.
    as_of
        Nothing published after this day is used.
    window_days
        A broker's forecast counts if it was published at most this many days before `as_of`.

    Returns
    -------
    pandas.DataFrame
        One row per symbol, fiscal year and currency: ``eps`` (mean of each broker's latest), ``eps_median``,
        ``eps_low``, ``eps_high``, ``dispersion`` (sample standard deviation / |mean|, NaN for one analyst),
        ``analysts``, ``revised_up`` and ``revised_down`` (brokers whose latest lies above or below their one before
        it, inside the window), ``newest`` and ``oldest`` publication date used.

    Raises
    ------
    DateRangeError
        `window_days` is not positive.
    """
    if window_days <= 0:
        raise DateRangeError(f"window_days: {window_days} is not positive; give for example 180")
    published = pd.to_datetime(forecasts["published"])
    first = pd.Timestamp(as_of - timedelta(days=window_days))
    inside = forecasts[(published <= pd.Timestamp(as_of)) & (published > first)].assign(published=published)
    if inside.empty:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in CONSENSUS_COLUMNS})
    order = ["published", "report"] if "report" in inside.columns else ["published"]
    inside = inside.sort_values(order, kind="stable")
    one = ["symbol", "fiscal_year", "currency", "broker"]
    before = inside.groupby(one)["eps"].shift(1)
    latest = inside.assign(change=inside["eps"] - before).drop_duplicates(one, keep="last")
    latest = latest.assign(up=latest["change"] > 0, down=latest["change"] < 0)
    grouped = latest.groupby(["symbol", "fiscal_year", "currency"], sort=True)
    table = grouped.agg(
        eps=("eps", "mean"), eps_median=("eps", "median"), eps_low=("eps", "min"), eps_high=("eps", "max"),
        dispersion=("eps", "std"), analysts=("broker", "nunique"), revised_up=("up", "sum"),
        revised_down=("down", "sum"), newest=("published", "max"), oldest=("published", "min"),
    ).reset_index()  # fmt: skip
    table["dispersion"] = table["dispersion"] / table["eps"].abs().where(table["eps"] != 0)
    return table[[*CONSENSUS_COLUMNS]]
