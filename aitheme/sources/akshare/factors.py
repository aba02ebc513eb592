"""Multiplicative factors that make returns total returns, from Sina's tables or from dividends.

A factor table has ``ex_date`` (ascending, the first 1900-01-01) and ``factor``: the product in force from that day on.
close x factor is the total-return level; only steps matter, so the first factor is 1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from aitheme.sources.akshare.gateway import Answer, Endpoint
from aitheme.sources.akshare.outcomes import Rejected
from aitheme.sources.akshare.reading import Ask, Reading

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from aitheme.symbols import Symbol

    Floats = NDArray[np.float64]
    Days = NDArray[np.datetime64]

__all__ = [
    "affine_factors", "dividend_factors", "factor_ask", "factor_on", "sina_affine", "sina_factors",
]  # fmt: skip

SINA_FACTOR: Final = Endpoint("stock_zh_a_daily", "sina", "sina", ("date", "hfq_factor"), 1)
SINA_FACTOR_HK: Final = Endpoint("stock_hk_daily", "sina", "sina", ("date", "hfq_factor", "cash"), 2)
SINA_FACTOR_US: Final = Endpoint("stock_us_daily", "sina", "sina", ("date", "qfq_factor", "adjust"), 2)
_EPOCH: Final = "1900-01-01"
# A single step outside this is a typing error at the vendor: 10-for-1 bonus issues and 1-for-10 merges fit in.
_STEP_LOW: Final = 0.05
_STEP_HIGH: Final = 20.0
_LABEL: Final = re.compile(r"(?:sh|sz|bj|hk)(\d{5,6})", re.IGNORECASE)


def factor_ask(symbol: Symbol, until: date) -> Ask:
    """Return how to ask Sina for a stock's adjustment table.

    Parameters
    ----------
    symbol
        Mainland, Hong Kong or American share.
    until
        Steps after this date are announced, not yet in force, and left out.
    """
    if symbol.market == "HK":
        return Ask(SINA_FACTOR_HK, {"symbol": symbol.code, "adjust": "hfq-factor"}, lambda a: sina_affine(a, until))
    if symbol.market == "US":
        return Ask(SINA_FACTOR_US, {"symbol": symbol.code, "adjust": "qfq-factor"}, lambda a: sina_affine(a, until))
    return Ask(
        SINA_FACTOR,
        {"symbol": symbol.spelled("sina"), "adjust": "hfq-factor"},
        lambda answer: sina_factors(answer, symbol, until),
    )


def sina_factors(answer: Answer, symbol: Symbol, until: date) -> Reading:
    """Read Sina's hfq table of a mainland share: ``ex_date``, ``factor``."""
    frame = answer.frame
    assert frame is not None
    label = _LABEL.search(answer.exchanges[-1].text()[:60].partition("=")[0]) if answer.exchanges else None
    if label and label[1] != symbol.code:
        return Reading(
            frame.iloc[:0], outcome=Rejected(len(frame), (f"the factors belong to {label[1]}, not {symbol.code}",))
        )
    table = pd.DataFrame(
        {
            "ex_date": pd.to_datetime(frame["date"], errors="coerce").astype("datetime64[s]"),
            "factor": pd.to_numeric(frame["hfq_factor"], errors="coerce"),
        }
    )
    table = table.drop_duplicates().sort_values("ex_date", ignore_index=True)
    table = table[~(table["ex_date"] > np.datetime64(until))].reset_index(drop=True)
    problem = _problem(table)
    if problem:
        return Reading(table.iloc[:0], outcome=Rejected(len(table), (problem,)))
    return Reading(table)


def _problem(table: pd.DataFrame) -> str:
    """Say what makes a factor table unusable, or return an empty text."""
    factor = table["factor"].to_numpy(dtype=float)
    if not len(factor) or not np.isfinite(factor).all() or (factor <= 0).any():
        return "a factor is missing, zero or negative"
    if table["ex_date"].isna().any() or table["ex_date"].duplicated().any():
        return "an ex-date is unreadable or appears twice"
    step = factor[1:] / factor[:-1]
    if ((step < _STEP_LOW) | (step > _STEP_HIGH)).any():
        return f"a factor step of {float(step[np.argmax(np.abs(np.log(step)))]):.3g} is not believable"
    return ""


def sina_affine(answer: Answer, until: date) -> Reading:
    """Read Sina's Hong Kong or American table: level = close x ``scale`` + ``offset`` from ``ex_date`` on."""
    frame = answer.frame
    assert frame is not None
    scale, offset = ("hfq_factor", "cash") if "hfq_factor" in frame.columns else ("qfq_factor", "adjust")
    table = pd.DataFrame(
        {
            "ex_date": pd.to_datetime(frame["date"], errors="coerce").astype("datetime64[s]"),
            "scale": pd.to_numeric(frame[scale], errors="coerce"),
            "offset": pd.to_numeric(frame[offset], errors="coerce").fillna(0.0),
        }
    ).drop_duplicates()
    table = table.sort_values("ex_date", ignore_index=True)
    table = table[~(table["ex_date"] > np.datetime64(until))].reset_index(drop=True)
    values = table["scale"].to_numpy(dtype=float)
    if table["ex_date"].isna().any() or not np.isfinite(values).all() or (values <= 0).any():
        return Reading(table.iloc[:0], outcome=Rejected(len(table), ("a factor or date cannot be used",)))
    return Reading(table)


def affine_factors(table: pd.DataFrame, sessions: Days, close: Floats) -> pd.DataFrame:
    """Turn scale-and-offset adjustments into a multiplicative factor table.

    The level close x scale + offset carries dividends as cash beside the share; its returns are too small. The
    theoretical ex-price P* solves P* x scale1 + offset1 = P x scale0 + offset0 with the last close P before the
    ex-date, and the factor steps by P / P* there: the dividend is reinvested at the ex-price, as in mainland factors.

    Parameters
    ----------
    table
        ``ex_date``, ``scale``, ``offset``, ascending.
    sessions, close
        Full unadjusted history, shape (n,), ascending.

    Returns
    -------
    pandas.DataFrame
        ``ex_date``, ``factor``; steps before the first session are left out.
    """
    dates = [np.datetime64(_EPOCH)]
    factors = [1.0]
    days = table["ex_date"].to_numpy().astype("datetime64[D]")
    scale, offset = table["scale"].to_numpy(dtype=float), table["offset"].to_numpy(dtype=float)
    before = np.searchsorted(sessions, days, side="left") - 1
    for row in range(1, len(table)):
        last = close[before[row]] if before[row] >= 0 else np.nan
        ex_price = (last * scale[row - 1] + offset[row - 1] - offset[row]) / scale[row]
        if np.isfinite(ex_price) and ex_price > 0 and _STEP_LOW < last / ex_price < _STEP_HIGH:
            dates.append(days[row])
            factors.append(factors[-1] * float(last / ex_price))
    return pd.DataFrame({"ex_date": np.array(dates, dtype="datetime64[s]"), "factor": factors})


def dividend_factors(
    dividends: pd.DataFrame, sessions: Days, close: Floats, start: float = 1.0
) -> tuple[pd.DataFrame, int]:
    """Compute a factor table from dividends: the independent audit of Sina's, and its stand-in.

    Each ex-date steps by P / ((P - cash) / (1 + bonus)) with the last close P before it (the exchanges' reference
    price). Rights issues are not in the dividend record.

    Parameters
    ----------
    dividends
        ``ex_date``, ``cash_per_share`` (trading currency), ``bonus_per_share`` (new shares per share).
    sessions, close
        Unadjusted history, shape (n,), ascending.
    start
        Factor in force on the first session.

    Returns
    -------
    tuple
        The factor table, and the number of ex-dates that could not be computed.
    """
    dates, factors, unknown = [np.datetime64(_EPOCH)], [start], 0
    ordered = dividends.sort_values("ex_date")
    days = ordered["ex_date"].to_numpy().astype("datetime64[D]")
    cash = ordered["cash_per_share"].fillna(0.0).to_numpy(dtype=float)
    bonus = ordered["bonus_per_share"].fillna(0.0).to_numpy(dtype=float)
    for day, paid, new in zip(days, cash, bonus, strict=True):
        position = int(np.searchsorted(sessions, day, side="left")) - 1
        if position < 0:
            continue
        last = float(close[position])
        if last <= paid:
            unknown += 1
            continue
        dates.append(day)
        factors.append(factors[-1] * last * (1 + new) / (last - paid))
    table = pd.DataFrame({"ex_date": np.array(dates, dtype="datetime64[s]"), "factor": factors})
    return table.drop_duplicates("ex_date", keep="last").reset_index(drop=True), unknown


def factor_on(table: pd.DataFrame, sessions: Days) -> Floats:
    """Return the factor in force on each session, shape (n,)."""
    days = table["ex_date"].to_numpy().astype("datetime64[D]")
    position = np.searchsorted(days, sessions.astype("datetime64[D]"), side="right") - 1
    return np.asarray(table["factor"].to_numpy(dtype=float)[position.clip(min=0)], dtype=float)
