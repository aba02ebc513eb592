"""Daily bars of stocks: each vendor's columns and units into one frame, and the checks on it.

Canonical: prices in the trading currency, volume in shares, amount in the trading currency, turnover as a ratio.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from aitheme.sources.akshare import raw
from aitheme.sources.akshare.checks import BAR_CONTRACT, drop_conflicts, join_rejects, rejects_of, split
from aitheme.sources.akshare.gateway import Answer, Endpoint
from aitheme.sources.akshare.outcomes import Rejected, SchemaDrift
from aitheme.sources.akshare.reading import Ask, Reading
from aitheme.sources.akshare.sessions import exchange_of, trading_days

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from numpy.typing import NDArray

    from aitheme.symbols import Symbol

__all__ = ["BAR_COLUMNS", "Window", "bar_asks", "read_bars"]

BAR_COLUMNS: Final = ("session", "open", "high", "low", "close", "volume", "amount", "turnover")
LOT: Final = 100.0
_EM: Final = ("日期", "开盘", "收盘", "最高", "最低", "成交量", "成交额", "涨跌额", "换手率")
_SINA: Final = ("date", "open", "high", "low", "close", "volume")
_US_MARKETS: Final = ("105", "106", "107")
# Share of closes that must move by the vendor's own 涨跌额: ex-dates and gaps break a few, swapped columns break all.
_MIN_CONSISTENT: Final = 0.6
_MIN_MOVES: Final = 4
_CENT: Final = 0.0151

_KLINE_11 = raw.kline_drift(11)
EASTMONEY_CN: Final = Endpoint(
    "stock_zh_a_hist", "eastmoney", "eastmoney", (*_EM, "股票代码"), 1, raw.kline_empty, _KLINE_11
)
EASTMONEY_HK: Final = Endpoint("stock_hk_hist", "eastmoney", "eastmoney", _EM, 1, raw.kline_empty, _KLINE_11)
EASTMONEY_US: Final = Endpoint("stock_us_hist", "eastmoney", "eastmoney", _EM, 1, raw.kline_empty, _KLINE_11)
TENCENT_CN: Final = Endpoint(
    "stock_zh_a_hist_tx", "tencent", "tencent",
    ("date", "open", "close", "high", "low", "volume", "turnover", "amount"), 2,
    lambda exchanges: _tencent_empty(exchanges[-1].text()) if exchanges else "",
)  # fmt: skip
SINA_CN: Final = Endpoint("stock_zh_a_daily", "sina", "sina", (*_SINA, "amount", "outstanding_share", "turnover"), 2)
SINA_CDR: Final = Endpoint("stock_zh_a_cdr_daily", "sina", "sina", (*_SINA,), 1)
SINA_HK: Final = Endpoint("stock_hk_daily", "sina", "sina", _SINA, 1)
SINA_US: Final = Endpoint("stock_us_daily", "sina", "sina", _SINA, 2)


def _tencent_empty(text: str) -> str:
    """Say whether Tencent's answer names no candles: its sign for an unknown code, a BSE code, or a throttle."""
    compact = text.replace(" ", "")
    hollow = ('"data":[]', '"data":{}', '"data":""', '"day":[]', '"data":null')
    return "no candles in the answer" if any(sign in compact for sign in hollow) else ""


@dataclass(frozen=True, slots=True)
class Window:
    """The dates asked for, both included.

    Parameters
    ----------
    since, until
        First and last date wanted; `until` is never later than the last closed session.
    today
        The exchange's calendar day: a row between `until` and today is unfinished or not wanted and left out, a
        later one is refused. None takes `until`.
    """

    since: date
    until: date
    today: date | None = None

    def holds(self, sessions: NDArray[np.datetime64]) -> NDArray[np.bool_]:
        """Tell which days lie in the window, shape (n,)."""
        return (sessions >= np.datetime64(self.since)) & (sessions <= np.datetime64(self.until))

    def future(self, sessions: NDArray[np.datetime64]) -> NDArray[np.bool_]:
        """Tell which days have not come yet, shape (n,)."""
        return sessions > np.datetime64(self.today or self.until)


def bar_asks(symbol: Symbol, window: Window, us_markets: dict[str, str] | None = None) -> list[Ask]:
    """Return the vendors for a stock's unadjusted daily bars, in order.

    Parameters
    ----------
    symbol
        A share of a mainland exchange, Hong Kong or the United States.
    window
        Dates wanted. Hong Kong and American answers always carry the full history.
    us_markets
        Eastmoney's market number per American ticker (``{"BIDU": "105"}``); unlisted tickers try 105, 106, 107.
    """
    read = partial(read_bars, symbol, window)
    if symbol.market == "HK":
        return [
            Ask(EASTMONEY_HK, {"symbol": symbol.code}, partial(read, from_eastmoney)),
            Ask(SINA_HK, {"symbol": symbol.code}, partial(read, from_sina)),
        ]
    if symbol.market == "US":
        known = (us_markets or {}).get(symbol.code)
        markets = (known,) if known else _US_MARKETS
        spelled = [f"{market}.{symbol.code}" for market in markets]
        asks = [Ask(EASTMONEY_US, {"symbol": text}, partial(read, from_eastmoney)) for text in spelled]
        return [*asks, Ask(SINA_US, {"symbol": symbol.code}, partial(read, from_sina))]
    return _mainland_asks(symbol, window, read)


def _mainland_asks(symbol: Symbol, window: Window, read: Callable[..., Reading]) -> list[Ask]:
    """Eastmoney, then Tencent (which has no Beijing exchange), then Sina."""
    compact = {"start_date": f"{window.since:%Y%m%d}", "end_date": f"{window.until:%Y%m%d}"}
    dashed = {"start_date": f"{window.since:%Y-%m-%d}", "end_date": f"{window.until:%Y-%m-%d}"}
    lower = symbol.spelled("sina")
    asks = [Ask(EASTMONEY_CN, {"symbol": symbol.code, **compact}, partial(read, from_eastmoney_lots))]
    if symbol.market != "BJ":
        asks.append(Ask(TENCENT_CN, {"symbol": lower, **dashed}, partial(read, from_tencent)))
    if symbol.code.startswith("689"):
        asks.append(Ask(SINA_CDR, {"symbol": lower, **compact}, partial(read, from_sina)))
    else:
        asks.append(Ask(SINA_CN, {"symbol": lower, **compact}, partial(read, from_sina)))
    return asks


def from_eastmoney_lots(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read Eastmoney's mainland candles: volume in 手 (100 shares), turnover in %."""
    bars, notes = from_eastmoney(frame)
    bars["volume"] *= LOT
    bars["volume_unit"] = LOT
    return bars, notes


def from_eastmoney(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read Eastmoney's Hong Kong and American candles: volume in shares, turnover in %."""
    bars = _frame(frame, ("日期", "开盘", "最高", "最低", "收盘", "成交量", "成交额", "换手率"))
    bars["turnover"] /= 100.0
    return bars, ()


def from_tencent(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read Tencent's candles, whose volume akshare leaves in 手 for Shenzhen's 000xxx (and only says 股).

    Whether volumes are shares or lots is decided by amount / volume, which must be a price.
    """
    bars = _frame(frame, ("date", "open", "high", "low", "close", "volume", "amount", "turnover"))
    bars["volume_unit"], bars["amount_unit"] = LOT, 100.0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (bars["amount"] / bars["volume"] / bars["close"]).to_numpy()
    typical = float(np.nanmedian(ratio)) if np.isfinite(ratio).any() else 1.0
    if LOT / 2 < typical < LOT * 2:
        bars["volume"] *= LOT
        return bars, ("Tencent's volumes were lots of 100, not shares: multiplied",)
    if 1 / (LOT * 2) < typical < 2 / LOT:
        bars["volume"] /= LOT
        return bars, ("Tencent's volumes were shares multiplied by 100: divided",)
    return bars, ()


def from_sina(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read Sina's candles: volume in shares, turnover as a ratio; Hong Kong and America may lack the amount."""
    bars = _frame(frame, ("date", "open", "high", "low", "close", "volume", "amount", "turnover"))
    return bars, ()


def _frame(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Take columns in the order session, open, high, low, close, volume, amount, turnover; absent ones are NaN."""
    data: dict[str, object] = {"session": pd.to_datetime(frame[columns[0]], errors="coerce").astype("datetime64[s]")}
    for name, column in zip(BAR_COLUMNS[1:], columns[1:], strict=True):
        if column in frame.columns:
            data[name] = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float, copy=True)
        else:
            data[name] = np.full(len(frame), np.nan)
    return pd.DataFrame(data).reset_index(drop=True)


def read_bars(
    symbol: Symbol,
    window: Window,
    convert: Callable[[pd.DataFrame], tuple[pd.DataFrame, tuple[str, ...]]],
    answer: Answer,
) -> Reading:
    """Turn a vendor's candles into checked canonical bars inside the window.

    Parameters
    ----------
    symbol
        Whose bars were asked for.
    window
        Dates wanted; later rows are refused, earlier ones left out.
    convert
        Reads the vendor's columns and units.
    answer
        What the gateway returned, with a frame.
    """
    vendor = answer.frame
    assert vendor is not None
    bars, notes = convert(vendor)
    alien = _alien(symbol, answer)
    if alien:
        everything = dict.fromkeys(range(len(bars)), alien)
        refused = rejects_of(bars, str(symbol), vendor.reset_index(drop=True), everything)
        return Reading(bars.iloc[:0], refused, outcome=Rejected(len(bars), (alien,)))
    swapped = _swapped(vendor, bars)
    if swapped is not None:
        return Reading(bars.iloc[:0], outcome=swapped)
    return _checked(symbol, window, bars, vendor, notes)


def _checked(
    symbol: Symbol, window: Window, bars: pd.DataFrame, vendor: pd.DataFrame, notes: tuple[str, ...]
) -> Reading:
    """Sort, drop what lies outside the window or did not trade, refuse the rest of what is wrong."""
    bars, vendor, reasons = drop_conflicts(bars, ["session"], vendor)
    days = bars["session"].to_numpy().astype("datetime64[D]")
    inside = window.holds(days)
    _date_reasons(reasons, symbol, window, days, inside)
    idle = inside & (bars["volume"].to_numpy() == 0)
    keep = inside & ~idle
    keep[list(reasons)] = False
    dated = rejects_of(bars, str(symbol), vendor, reasons)
    if not keep.all():
        bars, vendor = bars[keep].reset_index(drop=True), vendor[keep].reset_index(drop=True)
    good, refused = split(BAR_CONTRACT, bars, str(symbol), vendor)
    if idle.any():
        notes = (*notes, f"{int(idle.sum())} sessions without a trade left out")
    if not good["session"].is_monotonic_increasing:
        good = good.sort_values("session", ignore_index=True)
    return Reading(good[[*BAR_COLUMNS]], join_rejects(dated, refused), notes)


def _date_reasons(
    reasons: dict[int, str],
    symbol: Symbol,
    window: Window,
    days: NDArray[np.datetime64],
    inside: NDArray[np.bool_],
) -> None:
    """Add the rows whose date is unreadable, in the future, or no session, by position."""
    for wrong, words in (
        (np.isnat(days), "the date cannot be read"),
        (window.future(days), "the date lies in the future"),
        (inside & ~trading_days(exchange_of(str(symbol)), days), "the exchange was closed that day"),
    ):
        if wrong.any():
            reasons.update(dict.fromkeys(np.flatnonzero(wrong).tolist(), words))


def _alien(symbol: Symbol, answer: Answer) -> str:
    """Say when the vendor's own label shows another security than the one asked for."""
    code = raw.kline_code(answer.exchanges)
    if code is not None and code != symbol.code:
        return f"the answer belongs to {code}, asked for {symbol.code}"
    return ""


def _swapped(vendor: pd.DataFrame, bars: pd.DataFrame) -> SchemaDrift | None:
    """Detect reordered fields by Eastmoney's own arithmetic: a close differs from the previous one by 涨跌额."""
    if "涨跌额" not in vendor.columns or len(bars) <= _MIN_MOVES:
        return None
    change = pd.to_numeric(vendor["涨跌额"], errors="coerce").to_numpy(dtype=float)[1:]
    close = bars["close"].to_numpy()
    moves = np.diff(close)
    known = np.isfinite(change) & np.isfinite(moves)
    agree = np.abs(moves - change) <= np.maximum(_CENT, 0.0005 * np.abs(close[1:]))
    share = float(agree[known].mean()) if known.any() else 1.0
    if share >= _MIN_CONSISTENT:
        return None
    return SchemaDrift(detail=f"fields reordered? only {share:.0%} of closes move by the vendor's own 涨跌额")
