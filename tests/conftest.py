"""Fixtures that several rooms' tests share."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aitheme.calendar import calendar_for
from aitheme.themes import load_theme

PROJECT = Path(__file__).parents[1]
TOY_THEME = PROJECT / "tests" / "toy_theme"


@pytest.fixture(scope="session")
def archive_root():
    """The real market archive, never part of the project."""
    root = Path(os.environ.get("AITHEME_ARCHIVE", PROJECT.parent / "shared" / "market"))
    if not (root / "bars").is_dir():
        pytest.skip(f"needs the real market archive at {root} (set AITHEME_ARCHIVE)")
    return root


@pytest.fixture
def toy_theme_dir(tmp_path):
    """A copy of the toy theme that a test may damage."""
    return Path(shutil.copytree(TOY_THEME, tmp_path / "theme"))


@pytest.fixture(scope="session")
def toy_theme():
    return load_theme(TOY_THEME)


def made_bars(symbol_code, sessions, *, seed, start_price=10.0, dividend_at=None, dividend=0.0):
    """Invented raw bars of one stock in akshare's columns, and its back-adjusted closes."""
    rng = np.random.default_rng(seed)
    shock = rng.normal(0, 0.02, len(sessions))
    raw = np.empty(len(sessions))
    factor = np.ones(len(sessions))
    price = start_price
    for i, move in enumerate(shock):
        if dividend_at is not None and i == dividend_at:
            factor[i:] *= price / (price - dividend)
            price -= dividend
        price = round(price * (1 + move), 2)
        raw[i] = price
    high = np.round(raw * (1 + np.abs(rng.normal(0, 0.006, len(raw)))), 2)
    low = np.round(raw * (1 - np.abs(rng.normal(0, 0.006, len(raw)))), 2)
    opened = np.clip(np.round(raw * (1 + rng.normal(0, 0.004, len(raw))), 2), low, high)
    lots = rng.integers(10_000, 50_000, len(raw))
    amount = lots * 100 * (high + low + 2 * raw) / 4
    frame = pd.DataFrame(
        {
            "股票代码": symbol_code,
            "日期": sessions.strftime("%Y-%m-%d"),
            "开盘": opened, "收盘": raw, "最高": high, "最低": low,
            "成交量": lots, "成交额": amount.round(2), "振幅": 0.0, "涨跌幅": 0.0, "涨跌额": 0.0, "换手率": 1.5,
        }
    )  # fmt: skip
    hfq = pd.DataFrame({"代码": symbol_code, "日期": frame["日期"], "收盘": raw * factor * 3.7})
    return frame, hfq


def write_archive(root, *, sessions=None, forward_adjusted=False):
    """Write an invented archive: three A-shares, one Hong Kong stock, an index."""
    if sessions is None:
        sessions = calendar_for("XSHG").sessions("2023-01-03", "2023-06-30")
    (root / "bars").mkdir(parents=True)
    (root / "hfq").mkdir()
    levels = []
    for seed, code in enumerate(("600111", "300222", "688333")):
        dividend = 0.5 if code == "600111" else 0.0
        frame, hfq = made_bars(code, sessions, seed=seed, dividend_at=60, dividend=dividend)
        if forward_adjusted and dividend:
            for column in ("开盘", "收盘", "最高", "最低"):
                frame.loc[:59, column] = (frame.loc[:59, column] - dividend).round(2)
        frame.to_csv(root / "bars" / f"{code}.csv", index=False)
        levels.append(hfq)
    pd.concat(levels).to_csv(root / "hfq" / "close.csv", index=False)
    days = sessions.strftime("%Y-%m-%d")
    points = 4000 * np.cumprod(1 + np.random.default_rng(9).normal(0, 0.01, len(days)))
    index = pd.DataFrame({"symbol": "000300.SH", "name": "沪深300", "date": days, "open": points, "close": points})
    index = index.assign(high=points * 1.01, low=points * 0.99, amount_yi=2000.0, pe=12.0)
    index.to_csv(root / "index.csv", index=False)
    hong_kong = pd.DataFrame({"symbol": "00999.HK", "date": days, "open": 5.0, "high": 5.2, "low": 4.9, "close": 5.1})
    hong_kong.assign(volume=1000).iloc[:20].to_csv(root / "hk.csv", index=False)
    return root


@pytest.fixture
def made_archive(tmp_path):
    return write_archive(tmp_path / "archive")
