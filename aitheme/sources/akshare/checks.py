"""Value checks of vendor rows: what fails goes to the rejects with its reason and raw form, the rest goes on.

A :class:`Contract` is evaluated as plain masks, fast enough for every frame of a whole market; the pandera schemas of
:mod:`aitheme.sources.akshare.schemas` check what leaves for the store.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from aitheme.sources.base import empty_rejects

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

__all__ = [
    "BAR_CONTRACT", "INDEX_CONTRACT", "NO_REJECTS", "Contract", "RowCheck", "drop_conflicts", "join_rejects", "numbers",
    "positive",
    "rejects_of", "split", "within",
]  # fmt: skip

# The average price of a day lies between its low and high; lots of 100 shares and amounts cut to whole units blur it.
_VWAP_SLACK: Final = 0.015
_PRICE_SLACK: Final = 1e-9
_BLANK: Final = ("", "-", "--", "nan", "None")
# Shared by everything that refuses nothing: building an empty frame takes a millisecond.
NO_REJECTS: Final = empty_rejects()


@dataclass(frozen=True, slots=True)
class RowCheck:
    """One condition on a row.

    Parameters
    ----------
    reason
        What is wrong with a row that fails, in words for the quarantine.
    holds
        Takes the frame, returns shape (n,): True where the row is fine.
    """

    reason: str
    holds: Callable[[pd.DataFrame], Mask]


@dataclass(frozen=True, slots=True)
class Contract:
    """The rows a dataset accepts.

    Parameters
    ----------
    name
        Dataset name.
    checks
        Conditions on rows.
    """

    name: str
    checks: tuple[RowCheck, ...] = ()


def split(
    contract: Contract, frame: pd.DataFrame, symbol: str | None, raw: pd.DataFrame, date_column: str = "session"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide rows into those that pass every check and the rejects.

    Parameters
    ----------
    contract
        What a row must satisfy.
    frame
        Canonical rows, shape (n, columns), index 0 … n-1.
    symbol
        Whose rows these are; None takes the frame's ``symbol`` column.
    raw
        The vendor's rows in the same order, written into the rejects.
    date_column
        The column that dates a reject.

    Returns
    -------
    tuple
        Passing rows, and the rejects (``symbol``, ``session``, ``reason``, ``raw``).
    """
    good = np.ones(len(frame), dtype=bool)
    reasons: dict[int, str] = {}
    for check in contract.checks:
        fails = ~check.holds(frame)
        if fails.any():
            for position in np.flatnonzero(fails & good):
                reasons[int(position)] = check.reason
            good &= ~fails
    if not reasons:
        return frame, NO_REJECTS
    return frame[good].reset_index(drop=True), rejects_of(frame, symbol, raw, reasons, date_column)


def rejects_of(
    frame: pd.DataFrame, symbol: str | None, raw: pd.DataFrame, reasons: dict[int, str], date_column: str = "session"
) -> pd.DataFrame:
    """Return the rejects of the rows at the positions in `reasons`."""
    if not reasons:
        return NO_REJECTS
    positions = sorted(reasons)
    symbols = [symbol] * len(positions) if symbol is not None else frame["symbol"].iloc[positions].tolist()
    dates = frame[date_column].iloc[positions].tolist() if date_column in frame else [None] * len(positions)
    records = raw.iloc[positions].to_dict("records")
    return pd.DataFrame(
        {
            "symbol": pd.Series(symbols, dtype="object"),
            "session": pd.Series([_day(value) for value in dates], dtype="object"),
            "reason": pd.Series([reasons[position] for position in positions], dtype="object"),
            "raw": pd.Series([json.dumps(r, ensure_ascii=False, default=str) for r in records], dtype="object"),
        }
    )


def join_rejects(*parts: pd.DataFrame) -> pd.DataFrame:
    """Return the rejects of several steps as one frame."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else NO_REJECTS


def _day(value: Any) -> Any:
    """Return a date for any date-like value, None for a missing one."""
    stamp = pd.to_datetime(value, errors="coerce") if value is not None else pd.NaT
    return None if stamp is pd.NaT else stamp.date()


def drop_conflicts(
    frame: pd.DataFrame, key: Sequence[str], raw: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, dict[int, str]]:
    """Keep one of identical rows; mark all rows of a key that come with different numbers.

    Returns
    -------
    tuple
        The frame and raw rows without exact repeats, and the reasons by position of rows in conflict.
    """
    if not (frame[key[0]].duplicated() if len(key) == 1 else frame.duplicated(list(key))).any():
        return frame, raw, {}
    keep = ~frame.duplicated().to_numpy()
    frame, raw = frame[keep].reset_index(drop=True), raw[keep].reset_index(drop=True)
    clash = frame.duplicated(list(key), keep=False).to_numpy()
    return frame, raw, {int(i): "the same key twice with different numbers" for i in clash.nonzero()[0]}


def numbers(values: pd.Series) -> pd.Series:
    """Return values as floats: blank is missing, a word is infinite, so that a check of the range refuses its row."""
    parsed = pd.to_numeric(values, errors="coerce").astype(float)
    blank = values.isna() | values.astype(str).str.strip().isin(_BLANK)
    return parsed.where(parsed.notna() | blank, np.inf)


def positive(*columns: str) -> Callable[[pd.DataFrame], Mask]:
    """Return a check that columns are finite and above zero."""

    def holds(frame: pd.DataFrame) -> Mask:

        fine = np.ones(len(frame), dtype=bool)
        for column in columns:
            values = frame[column].to_numpy(dtype=float)
            fine &= np.isfinite(values) & (values > 0)
        return fine

    return holds


def within(column: str, low: float, high: float, *, missing: bool = True) -> Callable[[pd.DataFrame], Mask]:
    """Return a check that a column lies in a closed range; `missing` values pass unless told otherwise."""

    def holds(frame: pd.DataFrame) -> Mask:

        values = frame[column].to_numpy(dtype=float)
        inside = (values >= low) & (values <= high)
        return np.asarray(inside | np.isnan(values) if missing else inside, dtype=bool)

    return holds


def _ordered(frame: pd.DataFrame) -> Mask:
    """High is the highest and low the lowest price of the row; a missing open, high or low passes."""
    opened, high, low, close = (frame[name].to_numpy(dtype=float) for name in ("open", "high", "low", "close"))
    slack = _PRICE_SLACK * np.abs(close)
    wrong = (high + slack < np.fmax(opened, close)) | (low - slack > np.fmin(opened, close)) | (high + slack < low)
    return np.asarray(~wrong, dtype=bool)


def _traded(frame: pd.DataFrame) -> Mask:
    """Volume and amount are there and not negative."""
    volume, amount = frame["volume"].to_numpy(dtype=float), frame["amount"].to_numpy(dtype=float)
    return np.asarray((volume >= 0) & ((amount >= 0) | np.isnan(amount)), dtype=bool)


def _average_price(frame: pd.DataFrame) -> Mask:
    """Amount / volume is a price of the day: catches lots taken for shares, and any hundredfold slip."""
    volume, amount = frame["volume"].to_numpy(dtype=float), frame["amount"].to_numpy(dtype=float)
    high, low = frame["high"].to_numpy(dtype=float), frame["low"].to_numpy(dtype=float)
    unit = frame["volume_unit"].to_numpy(dtype=float) if "volume_unit" in frame else 1.0
    money = frame["amount_unit"].to_numpy(dtype=float) if "amount_unit" in frame else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        average = amount / volume
        slack = _VWAP_SLACK + unit / volume + money / amount
        outside = (average < low * (1 - slack)) | (average > high * (1 + slack))
    return np.asarray(~(outside & (volume > 0) & np.isfinite(average)), dtype=bool)


BAR_CONTRACT: Final = Contract(
    "bars",
    (
        RowCheck("a price is missing, zero or negative", positive("open", "high", "low", "close")),
        RowCheck("high or low contradicts open and close", _ordered),
        RowCheck("volume or amount is missing or negative", _traded),
        RowCheck("amount/volume is no price of the day (unit slip?)", _average_price),
        RowCheck("turnover is not between 0 and 100 %", within("turnover", 0.0, 1.0)),
    ),
)

INDEX_CONTRACT: Final = Contract(
    "index_bars",
    (
        RowCheck("the close is missing, zero or negative", positive("close")),
        RowCheck("high or low contradicts open and close", _ordered),
        RowCheck("the amount is negative", within("amount", 0.0, float("inf"))),
    ),
)
