"""Consensus earnings per share as vendors show it today, each row dated with the day it was seen.

The fiscal year of a number is taken from the vendor's own row, never from a column title: akshare titles Eastmoney's
columns by the commonest year of all stocks. Etnet's currency stands in the page's header, which akshare drops.
"""

from __future__ import annotations

import re
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from aitheme.errors import SymbolError
from aitheme.sources.akshare import raw
from aitheme.sources.akshare.checks import Contract, RowCheck, join_rejects, numbers, rejects_of, split, within
from aitheme.sources.akshare.gateway import Answer, Endpoint
from aitheme.sources.akshare.outcomes import Rejected, SchemaDrift
from aitheme.sources.akshare.reading import Ask, Reading
from aitheme.symbols import Symbol, parse_symbol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

__all__ = ["eastmoney_ask", "etnet_ask", "etnet_brokers_ask", "share_symbol", "ths_ask"]

_YEARS: Final = 4
_MAX_EPS: Final = 1000.0
_REPORT: Final = "RPT_WEB_RESPREDICT"
_FIELDS: Final = (
    "SECURITY_CODE", "RATING_ORG_NUM",
    *(f"{name}{n}" for n in range(1, _YEARS + 1) for name in ("YEAR", "YEAR_MARK", "EPS")),
)  # fmt: skip
_UNITS: Final[Mapping[str, tuple[str, str]]] = {
    "分": ("CNY", "人民币"),
    "港仙": ("HKD", "港元"),
    "美仙": ("USD", "美元"),
}
_EPS_UNIT: Final = re.compile(r"每股盈利\*?\s*/\s*\(亏损\)\s*\((分|港仙|美仙)\)")
_PROFIT_UNIT: Final = re.compile(r"纯利\s*/\s*\(亏损\)\s*\(百万(?:元)?(人民币|港元|美元)\)")
_TITLE_CODE: Final = re.compile(r"<title>[^<]*?[(（](\d{6})[)）]")

EASTMONEY: Final = Endpoint(
    "stock_profit_forecast_em", "eastmoney", "eastmoney-data", ("代码", "研报数"), 7,
    raw.datacenter_empty, raw.named_fields(_REPORT, _FIELDS),
)  # fmt: skip
THS: Final = Endpoint(
    "stock_profit_forecast_ths", "ths", "ths", ("年度", "预测机构数", "最小值", "均值", "最大值"), 1, raw.ths_empty
)
ETNET: Final = Endpoint("stock_hk_profit_forecast_et", "etnet", "etnet", ("财政年度", "每股盈利/每股亏损"), 1)
ETNET_BROKERS: Final = Endpoint(
    "stock_hk_profit_forecast_et", "etnet", "etnet", ("财政年度", "每股盈利", "证券商", "评级", "更新日期"), 0
)


def share_symbol(code: Any) -> str | None:
    """Return the canonical symbol of a bare six-digit code, None when it belongs to no A share."""
    text = str(code).strip()
    if not re.fullmatch(r"\d{6}", text):
        return None
    try:
        symbol = parse_symbol(text)
    except SymbolError:
        return None
    return None if symbol.code.startswith(("900", "200")) else str(symbol)


def _plausible(seen: date) -> RowCheck:
    return RowCheck(
        f"the fiscal year is not between {seen.year - 2} and {seen.year + 5}",
        within("fiscal_year", seen.year - 2, seen.year + 5, missing=False),
    )


def _contract(seen: date) -> Contract:
    """Return what a consensus row must satisfy on the day it is seen."""
    return Contract(
        "consensus",
        (
            _plausible(seen),
            RowCheck("the EPS is missing or absurd", within("eps", -_MAX_EPS, _MAX_EPS, missing=False)),
            RowCheck("the mark is neither A nor E", lambda f: f["kind"].isin(["A", "E"]).to_numpy()),
            RowCheck("the number of analysts is not between 0 and 200", within("analysts", 0, 200)),
            RowCheck("an actual of a year that has not ended", lambda f: _ended(f, seen)),
        ),
    )  # fmt: skip


def _ended(frame: pd.DataFrame, seen: date) -> Any:
    return ~((frame["kind"] == "A") & (frame["fiscal_year"] >= seen.year)).to_numpy()


def eastmoney_ask(seen: date) -> Ask:
    """Return how to ask Eastmoney for the consensus table of all A shares, dated `seen`."""
    return Ask(EASTMONEY, {}, partial(_read_eastmoney, seen))


def _read_eastmoney(seen: date, answer: Answer) -> Reading:
    """Read every stock's own years from the raw rows; note what akshare's titles would have mislabelled."""
    records, count = raw.datacenter_pages(answer.exchanges, _REPORT)
    table = pd.DataFrame.from_records(records)
    distinct = table.drop_duplicates("SECURITY_CODE").reset_index(drop=True)
    notes = list(_mislabelled(answer, distinct))
    if len(distinct) < len(table):
        notes.append(f"{len(table) - len(distinct)} rows came twice (pages overlap at the vendor)")
    short = raw.short_table(len(table), count)
    if short is not None:
        return Reading(table.iloc[:0], outcome=short)
    broken = _broken_years(distinct, seen)
    rejects = _whole_rejects(distinct, broken)
    fine = distinct[~distinct.index.isin(list(broken))].reset_index(drop=True)
    rows, origin = _long(fine, seen)
    good, refused = split(_contract(seen), rows, None, origin, date_column="published")
    return Reading(good, join_rejects(rejects, refused), tuple(notes))


def _whole_rejects(table: pd.DataFrame, reasons: dict[int, str]) -> pd.DataFrame:
    """Return rejects of vendor rows that never became canonical ones."""
    named = table.assign(symbol=pd.Series([share_symbol(code) for code in table["SECURITY_CODE"]], dtype="object"))
    return rejects_of(named, None, table, reasons, date_column="none")


def _broken_years(table: pd.DataFrame, seen: date) -> dict[int, str]:
    """Return stocks whose fiscal years do not follow each other from the last or present one on, by position."""
    years = table[[f"YEAR{n}" for n in range(1, _YEARS + 1)]].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    steps = np.diff(years, axis=1)
    gaps = ~((steps == 1) | np.isnan(steps)).all(axis=1)
    reasons = dict.fromkeys(np.flatnonzero(gaps).tolist(), "the fiscal years of the row do not follow each other")
    start = ~((years[:, 0] >= seen.year - 2) & (years[:, 0] <= seen.year))
    words = f"the first fiscal year is not between {seen.year - 2} and {seen.year}"
    return reasons | dict.fromkeys(np.flatnonzero(start).tolist(), words)


def _mislabelled(answer: Answer, table: pd.DataFrame) -> list[str]:
    """Count the stocks whose first year differs from akshare's column title."""
    assert answer.frame is not None
    titles = [match[1] for name in answer.frame.columns if (match := re.match(r"(\d{4})预测每股收益", str(name)))]
    if not titles:
        return []
    differing = int((table["YEAR1"].astype(str) != titles[0]).sum())
    return [f"{differing} stocks have another first year than akshare's title {titles[0]}"] if differing else []


def _long(table: pd.DataFrame, seen: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Stack the four years of each row; rows without EPS and codes that are no A share are left out."""
    symbols = pd.Series([share_symbol(code) for code in table["SECURITY_CODE"]], index=table.index)
    parts, origins = [], []
    for n in range(1, _YEARS + 1):
        eps = numbers(table[f"EPS{n}"])
        keep = symbols.notna() & eps.notna() & table[f"YEAR{n}"].notna()
        parts.append(
            pd.DataFrame(
                {
                    "symbol": symbols[keep],
                    "fiscal_year": pd.to_numeric(table.loc[keep, f"YEAR{n}"]).astype("int64"),
                    "kind": table.loc[keep, f"YEAR_MARK{n}"].astype(str),
                    "eps": eps[keep],
                    "analysts": pd.to_numeric(table.loc[keep, "RATING_ORG_NUM"], errors="coerce"),
                }
            )
        )
        origins.append(table[keep])
    rows = pd.concat(parts, ignore_index=True).assign(currency="CNY", source="eastmoney", published=seen)
    return rows, pd.concat(origins, ignore_index=True)


def ths_ask(symbol: Symbol, seen: date) -> Ask:
    """Return how to ask Tonghuashun for one stock's consensus page."""
    return Ask(THS, {"symbol": symbol.code, "indicator": "预测年报每股收益"}, partial(_read_ths, symbol, seen))


def _read_ths(symbol: Symbol, seen: date, answer: Answer) -> Reading:
    """Read the per-year table: number of institutions, lowest, mean and highest EPS (CNY)."""
    frame = answer.frame
    assert frame is not None
    title = _TITLE_CODE.search(answer.exchanges[-1].text("gbk")) if answer.exchanges else None
    if title and title[1] != symbol.code:
        return Reading(frame.iloc[:0], outcome=Rejected(len(frame), (f"the page shows {title[1]}, not {symbol.code}",)))
    year = pd.to_numeric(frame["年度"].astype(str).str.extract(r"(\d{4})", expand=False), errors="coerce")
    if year.isna().any() or (np.diff(np.sort(year.to_numpy(float))) != 1).any():
        return Reading(frame.iloc[:0], outcome=SchemaDrift(detail=f"years read as {frame['年度'].tolist()}"))
    rows = pd.DataFrame(
        {
            "symbol": str(symbol), "fiscal_year": year.astype("int64"), "kind": "E",
            "eps": pd.to_numeric(frame["均值"], errors="coerce"),
            "analysts": pd.to_numeric(frame["预测机构数"], errors="coerce"),
            "currency": "CNY", "source": "ths", "published": seen,
            "eps_low": pd.to_numeric(frame["最小值"], errors="coerce"),
            "eps_high": pd.to_numeric(frame["最大值"], errors="coerce"),
            "industry_mean": pd.to_numeric(frame["行业平均数"], errors="coerce") if "行业平均数" in frame else np.nan,
        }
    )  # fmt: skip
    contract = _contract(seen)
    ordered = RowCheck("the mean lies outside lowest and highest", _mean_inside)
    good, refused = split(
        Contract(contract.name, (*contract.checks, ordered)), rows, str(symbol), frame,
        date_column="published",
    )  # fmt: skip
    return Reading(good, refused)


def _mean_inside(frame: pd.DataFrame) -> Any:
    slack = 0.011
    low, high = frame["eps_low"].to_numpy(float) - slack, frame["eps_high"].to_numpy(float) + slack
    mean = frame["eps"].to_numpy(float)
    return ((mean >= low) & (mean <= high)) | np.isnan(low) | np.isnan(high)


def etnet_ask(symbol: Symbol, seen: date) -> Ask:
    """Return how to ask Etnet for a Hong Kong stock's consensus."""
    return Ask(ETNET, {"symbol": symbol.code, "indicator": "综合盈利预测"}, partial(_read_etnet, symbol, seen))


def etnet_currency(text: str) -> str | None:
    """Return the currency of the EPS on an Etnet page (CNY, HKD or USD), None when the headers do not agree."""
    plain = re.sub(r"<[^>]+>|&nbsp;", " ", text)
    plain = re.sub(r"\s+", " ", plain)
    units = {match[1] for match in _EPS_UNIT.finditer(plain)}
    profits = {match[1] for match in _PROFIT_UNIT.finditer(plain)}
    if len(units) != 1:
        return None
    currency, profit = _UNITS[units.pop()]
    return currency if not profits or profits == {profit} else None


def etnet_table(text: str) -> pd.DataFrame | None:
    """Return the consensus table of an Etnet page with akshare's column names, whatever its currency.

    akshare knows only the headers of companies that report in CNY or HKD.
    """
    try:
        tables = pd.read_html(StringIO(text), header=0)
    except ValueError:
        return None
    for table in tables:
        names = [re.sub(r"\s+", "", str(name)) for name in table.columns]
        eps = [n for n, name in enumerate(names) if name.startswith("每股盈利/(亏损)")]
        if eps and names[0] == "财政年度" and "证券商" not in names:
            return pd.DataFrame({"财政年度": table.iloc[:, 0], "每股盈利/每股亏损": table.iloc[:, eps[0]]})
    return None


def _read_etnet(symbol: Symbol, seen: date, answer: Answer) -> Reading:
    """Read EPS in cents of the header's currency."""
    assert answer.frame is not None
    return etnet_reading(symbol, seen, answer.frame, answer.exchanges[-1].text())


def etnet_reading(symbol: Symbol, seen: date, frame: pd.DataFrame, text: str) -> Reading:
    """Turn an Etnet consensus table into canonical rows.

    Parameters
    ----------
    symbol, seen
        Whose page, fetched when.
    frame
        ``财政年度``, ``每股盈利/每股亏损`` (cents).
    text
        The page, whose headers name the currency.
    """
    currency = etnet_currency(text)
    if currency is None:
        return Reading(frame.iloc[:0], outcome=Rejected(len(frame), ("the page does not say the EPS's currency",)))
    year = pd.to_numeric(frame["财政年度"].astype(str).str.extract(r"(\d{4})", expand=False), errors="coerce")
    rows = pd.DataFrame(
        {
            "symbol": str(symbol), "fiscal_year": year.fillna(0).astype("int64"), "kind": "E",
            "eps": pd.to_numeric(frame["每股盈利/每股亏损"], errors="coerce") / 100.0,
            "analysts": np.nan, "currency": currency, "source": "etnet", "published": seen,
        }
    )  # fmt: skip
    good, refused = split(_contract(seen), rows, str(symbol), frame.reset_index(drop=True), date_column="published")
    return Reading(good, refused)


def etnet_brokers_ask(symbol: Symbol, seen: date) -> Ask:
    """Return how to ask Etnet for the brokers behind a Hong Kong consensus (same page, no further request)."""
    return Ask(
        ETNET_BROKERS, {"symbol": symbol.code, "indicator": "盈利预测概览"}, partial(_read_brokers, symbol, seen)
    )


def _read_brokers(symbol: Symbol, seen: date, answer: Answer) -> Reading:
    """Read one row per broker and fiscal year into the broker_forecasts columns."""
    frame = answer.frame
    assert frame is not None
    currency = etnet_currency(answer.exchanges[-1].text())
    if currency is None:
        return Reading(frame.iloc[:0], outcome=Rejected(len(frame), ("the page does not say the EPS's currency",)))
    rows = pd.DataFrame(
        {
            "symbol": str(symbol),
            "broker": frame["证券商"].astype(str).str.strip(),
            "published": pd.to_datetime(frame["更新日期"], errors="coerce").astype("datetime64[s]"),
            "fiscal_year": pd.to_numeric(frame["财政年度"], errors="coerce").fillna(0).astype("int64"),
            "report": "etnet",
            "eps": pd.to_numeric(frame["每股盈利"], errors="coerce") / 100.0,
            "currency": currency,
            "rating": frame["评级"].astype(str),
            "seen": seen,
        }
    )
    contract = Contract(
        "broker_forecasts",
        (
            _plausible(seen),
            RowCheck("the EPS is missing or absurd", within("eps", -_MAX_EPS, _MAX_EPS, missing=False)),
            RowCheck(
                "published after the day it was seen", lambda f: (f["published"] <= np.datetime64(seen)).to_numpy()
            ),
        ),
    )
    good, refused = split(contract, rows, str(symbol), frame.reset_index(drop=True), date_column="published")
    good = good.drop_duplicates(["broker", "published", "fiscal_year"], keep="last", ignore_index=True)
    return Reading(good, refused)
