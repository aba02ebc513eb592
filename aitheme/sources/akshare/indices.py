"""Daily bars of indices: the publisher first (China Securities Index, Shenwan), quote vendors after it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from aitheme.sources.akshare import raw
from aitheme.sources.akshare.checks import INDEX_CONTRACT, drop_conflicts, join_rejects, rejects_of, split
from aitheme.sources.akshare.gateway import Answer, Endpoint
from aitheme.sources.akshare.outcomes import Rejected
from aitheme.sources.akshare.reading import Ask, Reading
from aitheme.sources.akshare.sessions import exchange_of, trading_days

if TYPE_CHECKING:
    from aitheme.sources.akshare.bars import Window
    from aitheme.symbols import Symbol

__all__ = ["INDEX_COLUMNS", "index_asks", "industry_ask"]

INDEX_COLUMNS: Final = ("session", "open", "high", "low", "close", "amount", "pe_trailing")
YI: Final = 1e8
_QUOTE: Final = ("date", "open", "high", "low", "close")

CSINDEX: Final = Endpoint(
    "stock_zh_index_hist_csindex", "csindex", "csindex",
    ("日期", "指数代码", "开盘", "最高", "最低", "收盘", "成交金额", "滚动市盈率"), 1,
    lambda exchanges: "no rows" if isinstance(a := exchanges[-1].json(), dict) and not a.get("data") else "",
)  # fmt: skip
EASTMONEY: Final = Endpoint(
    "stock_zh_index_daily_em", "eastmoney", "eastmoney", (*_QUOTE, "amount"), 1, raw.kline_empty, raw.kline_drift(8)
)
SINA: Final = Endpoint("stock_zh_index_daily", "sina", "sina", _QUOTE, 1)
SHENWAN: Final = Endpoint(
    "index_hist_sw", "shenwan", "shenwan", ("代码", "日期", "收盘", "开盘", "最高", "最低", "成交额"), 1,
    lambda exchanges: "no rows" if isinstance(a := exchanges[-1].json(), dict) and not a.get("data") else "",
)  # fmt: skip
SINA_HK: Final = Endpoint("stock_hk_index_daily_sina", "sina", "sina", _QUOTE, 1)
EASTMONEY_HK: Final = Endpoint(
    "stock_hk_index_daily_em", "eastmoney", "eastmoney", ("date", "open", "high", "low", "latest"), 4,
    raw.kline_empty, raw.kline_drift(14), ("akshare.index.index_stock_hk:_symbol_code_dict",),
)  # fmt: skip


def index_asks(symbol: Symbol, window: Window) -> list[Ask]:
    """Return the vendors for an index, in order; none for a family no free vendor publishes (CITIC)."""
    read = partial(_read, symbol, window)
    if symbol.market == "SI":
        columns = ("日期", "开盘", "最高", "最低", "收盘", "成交额", "")
        return [Ask(SHENWAN, {"symbol": symbol.code}, partial(read, columns, YI, "代码"))]
    if symbol.market == "HK":
        latest = ("date", "open", "high", "low", "latest", "", "")
        quote = ("date", "open", "high", "low", "close", "amount", "")
        return [
            Ask(SINA_HK, {"symbol": symbol.code}, partial(read, quote, 1.0, "")),
            Ask(EASTMONEY_HK, {"symbol": symbol.code}, partial(read, latest, 1.0, "")),
        ]
    if symbol.market not in {"SH", "SZ", "BJ", "CSI"}:
        return []
    return _mainland(symbol, window, read)


def _mainland(symbol: Symbol, window: Window, read: partial[Reading]) -> list[Ask]:
    span = {"start_date": f"{window.since:%Y%m%d}", "end_date": f"{window.until:%Y%m%d}"}
    quote = ("date", "open", "high", "low", "close", "amount", "")
    own = ("日期", "开盘", "最高", "最低", "收盘", "成交金额", "滚动市盈率")
    asks = []
    if symbol.market in {"SH", "CSI"}:
        asks.append(Ask(CSINDEX, {"symbol": symbol.code, **span}, partial(read, own, YI, "指数代码")))
    spelled = symbol.spelled("sina")
    asks.append(Ask(EASTMONEY, {"symbol": spelled, **span}, partial(read, quote, 1.0, "")))
    if symbol.market in {"SH", "SZ"}:
        asks.append(Ask(SINA, {"symbol": spelled}, partial(read, quote, 1.0, "")))
    return asks


def _read(
    symbol: Symbol, window: Window, columns: tuple[str, ...], amount_unit: float, label: str, answer: Answer
) -> Reading:
    """Turn a vendor's index rows into canonical ones inside the window.

    Parameters
    ----------
    symbol, window
        What was asked for.
    columns
        The vendor's names for :data:`INDEX_COLUMNS`; an empty name means the vendor has none.
    amount_unit
        What one unit of the vendor's amount is in CNY or HKD.
    label
        Column with the vendor's own code, or an empty text.
    answer
        The gateway's answer, with a frame.
    """
    frame = answer.frame
    assert frame is not None
    bars = _canonical(frame, columns, amount_unit)
    owners = {str(code) for code in frame[label]} if label else {raw.kline_code(answer.exchanges) or symbol.code}
    if owners != {symbol.code}:
        reason = f"the answer belongs to {', '.join(sorted(owners))}, asked for {symbol.code}"
        refused = rejects_of(bars, str(symbol), frame.reset_index(drop=True), dict.fromkeys(range(len(bars)), reason))
        return Reading(bars.iloc[:0], refused, outcome=Rejected(len(bars), (reason,)))
    return _checked(symbol, window, bars, frame.reset_index(drop=True))


def _canonical(frame: pd.DataFrame, columns: tuple[str, ...], amount_unit: float) -> pd.DataFrame:

    data: dict[str, object] = {"session": pd.to_datetime(frame[columns[0]], errors="coerce").astype("datetime64[s]")}
    for name, column in zip(INDEX_COLUMNS[1:], columns[1:], strict=True):
        if column and column in frame.columns:
            data[name] = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float, copy=True)
        else:
            data[name] = np.full(len(frame), np.nan)
    bars = pd.DataFrame(data).reset_index(drop=True)
    bars["amount"] *= amount_unit
    return bars


def _checked(symbol: Symbol, window: Window, bars: pd.DataFrame, vendor: pd.DataFrame) -> Reading:

    bars, vendor, reasons = drop_conflicts(bars, ["session"], vendor)
    days = bars["session"].to_numpy().astype("datetime64[D]")
    inside = window.holds(days)
    late = np.isnat(days) | window.future(days)
    reasons.update(dict.fromkeys(np.flatnonzero(late).tolist(), "the date is unreadable or lies in the future"))
    closed = inside & ~trading_days(exchange_of(str(symbol)), days)
    reasons.update(dict.fromkeys(np.flatnonzero(closed).tolist(), "the exchange was closed that day"))
    dated = rejects_of(bars, str(symbol), vendor, reasons)
    keep = inside.copy()
    keep[list(reasons)] = False
    good, refused = split(
        INDEX_CONTRACT, bars[keep].reset_index(drop=True), str(symbol), vendor[keep].reset_index(drop=True)
    )
    rejects = join_rejects(dated, refused)
    return Reading(good.sort_values("session", ignore_index=True), rejects)


_INDUSTRIES: Final = {
    level: Endpoint(f"sw_index_{word}_info", "legulegu", "legulegu", ("行业代码", "行业名称", "成份个数"), 1)
    for level, word in ((1, "first"), (2, "second"))
}


def industry_ask(level: int) -> Ask:
    """Return how to ask for the Shenwan industries of level 1 or 2 (one page carries both)."""
    return Ask(_INDUSTRIES[level], {}, partial(_read_industries, level))


def _read_industries(level: int, answer: Answer) -> Reading:
    """Read codes and names into the ``indices`` columns."""
    frame = answer.frame
    assert frame is not None
    rows = pd.DataFrame(
        {
            "symbol": frame["行业代码"].astype(str).str.strip(),
            "name": frame["行业名称"].astype(str).str.strip(),
            "provider": "shenwan",
            "level": level,
        }
    )
    fine = rows["symbol"].str.fullmatch(r"\d{6}\.SI") & (rows["name"] != "")
    reasons = dict.fromkeys(np.flatnonzero(~fine).tolist(), "no Shenwan code or no name")
    return Reading(
        rows[fine].drop_duplicates("symbol", ignore_index=True),
        rejects_of(rows, None, frame.reset_index(drop=True), reasons, date_column="none"),
    )
