"""Who is listed, under which name, and who is suspended: the exchanges' own lists, Eastmoney for suspensions."""

from __future__ import annotations

import re
import unicodedata
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from aitheme.sources.akshare import raw
from aitheme.sources.akshare.checks import Contract, RowCheck, numbers, split
from aitheme.sources.akshare.consensus import share_symbol
from aitheme.sources.akshare.gateway import Answer, Endpoint
from aitheme.sources.akshare.outcomes import Rejected
from aitheme.sources.akshare.reading import Ask, Reading
from aitheme.symbols import board_of

if TYPE_CHECKING:
    from datetime import date

__all__ = ["LISTS", "clean_name", "delisted_asks", "is_st", "listing_ask", "names_of", "suspension_ask"]

_ST: Final = re.compile(r"^(?:N|C)?(?:S?\*?ST|SST)")
# A live list this much shorter than the last known one was cut off.
_MIN_KEPT: Final = 0.9
SSE_MAIN: Final = Endpoint("stock_info_sh_name_code", "sse", "sse", ("证券代码", "证券简称", "上市日期"), 1)
SZSE: Final = Endpoint(
    "stock_info_sz_name_code", "szse", "szse",
    ("A股代码", "A股简称", "A股上市日期", "A股总股本", "A股流通股本", "所属行业"), 1,
)  # fmt: skip
BSE: Final = Endpoint(
    "stock_info_bj_name_code", "bse", "bse", ("证券代码", "证券简称", "总股本", "流通股本", "上市日期", "所属行业"), 7
)
SSE_DELISTED: Final = Endpoint(
    "stock_info_sh_delist", "sse", "sse", ("公司代码", "公司简称", "上市日期", "暂停上市日期"), 1
)
SZSE_DELISTED: Final = Endpoint("stock_info_sz_delist", "szse", "szse", ("证券代码", "上市日期", "终止上市日期"), 1)
SUSPENSIONS: Final = Endpoint(
    "stock_tfp_em", "eastmoney", "eastmoney-data", ("代码", "停牌时间", "停牌截止时间", "停牌原因", "所属市场"), 1,
    raw.datacenter_empty,
)  # fmt: skip
LISTS: Final[dict[str, tuple[Endpoint, dict[str, str]]]] = {
    "SH main": (SSE_MAIN, {"symbol": "主板A股"}),
    "SH star": (SSE_MAIN, {"symbol": "科创板"}),
    "SZ": (SZSE, {"symbol": "A股列表"}),
    "BJ": (BSE, {}),
}
"""The live lists that together are the A-share market."""


def clean_name(name: Any) -> str:
    """Return a short name without the exchanges' full-width letters and inner spaces (``万  科Ａ`` -> ``万科A``)."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", str(name)))


def is_st(name: str) -> bool:
    """Tell from a short name whether the stock is under special treatment."""
    return bool(_ST.match(clean_name(name).upper()))


def listing_ask(key: str, seen: date, known: int = 0) -> Ask:
    """Return how to ask an exchange for its live list.

    Parameters
    ----------
    key
        One of :data:`LISTS`.
    seen
        Today.
    known
        How many stocks the list had last time; a list much shorter was cut off and is refused.
    """
    endpoint, arguments = LISTS[key]
    return Ask(endpoint, arguments, partial(_read_listing, seen, known))


def _read_listing(seen: date, known: int, answer: Answer) -> Reading:
    """Read a live list into the ``securities`` columns."""
    frame = answer.frame
    assert frame is not None
    frame = frame.reset_index(drop=True)
    prefix = "A股" if "A股代码" in frame.columns else ""
    codes = frame[f"{prefix}代码" if prefix else "证券代码"]
    rows = pd.DataFrame(
        {
            "symbol": [share_symbol(code) for code in codes],
            "name": [clean_name(name) for name in frame[f"{prefix}简称" if prefix else "证券简称"]],
            "currency": "CNY",
            "industry": frame["所属行业"].astype(str) if "所属行业" in frame.columns else None,
            "listed": pd.to_datetime(frame[f"{prefix}上市日期"], errors="coerce", format="mixed").astype(
                "datetime64[s]"
            ),
            "delisted": pd.NaT,
            "total_shares": _number(frame, f"{prefix}总股本"),
            "float_shares": _number(frame, f"{prefix}流通股本"),
        }
    )
    rows["shares_as_of"] = [seen if shares == shares else None for shares in rows["total_shares"]]  # noqa: PLR0124
    good, refused = _split(rows, frame, seen)
    if known and len(good) < _MIN_KEPT * known:
        reason = f"only {len(good)} stocks in a list that had {known}"
        return Reading(good.iloc[:0], refused, outcome=Rejected(len(good), (reason,)))
    return Reading(good, refused)


def _number(frame: pd.DataFrame, column: str) -> Any:
    if column not in frame.columns:
        return np.full(len(frame), np.nan)
    return numbers(frame[column].astype(str).str.replace(",", "")).to_numpy(float)


def _split(rows: pd.DataFrame, frame: pd.DataFrame, seen: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    contract = Contract(
        "securities",
        (
            RowCheck("the code is no A share", lambda f: f["symbol"].notna().to_numpy()),
            RowCheck("the name is missing", lambda f: (~f["name"].isin(["", "nan", "None"])).to_numpy()),
            RowCheck("the listing date cannot be read", lambda f: (f["listed"].notna() | f["delisted"].notna()).to_numpy()),
            RowCheck("the code comes twice", lambda f: (~f["symbol"].duplicated()).to_numpy()),
            RowCheck("listed in the far future", lambda f: ~(f["listed"] > np.datetime64(seen, "s") + 30 * 86400).to_numpy()),
            RowCheck("the number of shares is no number", lambda f: ~np.isinf(f["total_shares"]).to_numpy()),
            RowCheck("more shares float than exist", lambda f: ~(f["float_shares"] > f["total_shares"] * 1.001).to_numpy()),
        ),
    )  # fmt: skip
    good, refused = split(contract, rows, None, frame, date_column="listed")
    good = good.assign(board=[board_of(s) for s in good["symbol"]], st=[is_st(name) for name in good["name"]])
    return good, refused


def delisted_asks(seen: date) -> list[Ask]:
    """Return how to ask Shanghai and Shenzhen for the stocks they no longer list."""
    return [
        Ask(SSE_DELISTED, {"symbol": "全部"}, partial(_read_delisted, seen, ("公司代码", "公司简称", "暂停上市日期"))),
        Ask(SZSE_DELISTED, {}, partial(_read_delisted, seen, ("证券代码", "证券简称", "终止上市日期"))),
    ]


def _read_delisted(seen: date, columns: tuple[str, str, str], answer: Answer) -> Reading:
    """Read a list of delisted stocks into the ``securities`` columns; B shares and funds are left out."""
    frame = answer.frame
    assert frame is not None
    code, name, ended = columns
    symbols = pd.Series([share_symbol(text) for text in frame[code]])
    frame = frame.reset_index(drop=True)[symbols.notna().to_numpy()].reset_index(drop=True)
    rows = pd.DataFrame(
        {
            "symbol": symbols[symbols.notna()].reset_index(drop=True),
            "name": [clean_name(text) for text in (frame[name] if name in frame.columns else frame[code])],
            "currency": "CNY",
            "industry": None,
            "listed": pd.to_datetime(frame["上市日期"], errors="coerce", format="mixed").astype("datetime64[s]"),
            "delisted": pd.to_datetime(frame[ended], errors="coerce", format="mixed").astype("datetime64[s]"),
            "total_shares": np.nan,
            "float_shares": np.nan,
            "shares_as_of": None,
        }
    )
    rows = rows[rows["delisted"].notna()].reset_index(drop=True)
    good, refused = _split(rows.drop_duplicates("symbol", ignore_index=True), frame, seen)
    return Reading(good, refused)


def names_of(securities: pd.DataFrame, seen: date) -> pd.DataFrame:
    """Return the dated names and special-treatment marks of a live list, for the ``names`` table."""
    return securities[["symbol", "name", "st"]].assign(seen=seen)


def suspension_ask(day: date, seen: date) -> Ask:
    """Return how to ask Eastmoney who is suspended on a session."""
    return Ask(SUSPENSIONS, {"date": f"{day:%Y%m%d}"}, partial(_read_suspensions, seen))


def _read_suspensions(seen: date, answer: Answer) -> Reading:
    """Read suspensions of A shares: first day, last day (None while open), reason."""
    frame = answer.frame
    assert frame is not None
    local = ~frame["所属市场"].astype(str).str.contains("港|美|三板").to_numpy()
    symbols = np.array([share_symbol(code) for code in frame["代码"]], dtype=object)
    keep = local & np.array([symbol is not None for symbol in symbols])
    kept = frame[keep].reset_index(drop=True)
    rows = pd.DataFrame(
        {
            "symbol": symbols[keep],
            "start": pd.to_datetime(kept["停牌时间"], errors="coerce", format="mixed").astype("datetime64[s]"),
            "end": pd.to_datetime(kept["停牌截止时间"], errors="coerce", format="mixed").astype("datetime64[s]"),
            "reason": kept["停牌原因"].astype(str),
            "seen": seen,
        }
    )
    contract = Contract(
        "suspensions",
        (
            RowCheck("the first day is missing", lambda f: f["start"].notna().to_numpy()),
            RowCheck("it ends before it begins", lambda f: ~(f["end"] < f["start"]).to_numpy()),
        ),
    )
    good, refused = split(contract, rows, None, kept, date_column="start")
    return Reading(good.drop_duplicates(["symbol", "start"], keep="last", ignore_index=True), refused)
