"""The real archive as the size benchmark reads it: returns, three benchmarks, baskets and release dates."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from aitheme.eventstudy.benchmarks import equal_weight_market, leave_one_out_mean
from aitheme.symbols import parse_symbol
from aitheme.themes import load_theme

SEED = 20240318
RANDOM_BASKETS, BASKET_SIZE = 200, 30
TRADED_SHARE = 0.95  # of all sessions, for a stock to be drawn into a random basket
UNLIMITED_SESSIONS = 5  # of a new listing: no price limit, so no return is used
HALF_YEARS = ("2022H2", "2023H1", "2023H2", "2024")
AI_BASKETS = (
    "mszq-20240328/text-corpus",
    "mszq-20240328/video-corpus",
    "mszq-20240328/applications",
    "glsc-20231229/compute",
    "glsc-20231229/applications",
    "tfzq-20240309/recommended",
    "hfzq-202402/recommended",
    "htsc-20230420/opportunities",
)


def archive_folder() -> Path:
    """Where the archive is, or would be."""
    project = Path(__file__).resolve().parent.parent
    return Path(os.environ.get("AITHEME_ARCHIVE", project.parent / "shared" / "market"))


@dataclass(frozen=True)
class Panel:
    """Returns of every Shanghai and Shenzhen stock, and what they are measured against.

    Attributes
    ----------
    returns
        Sessions x symbols, simple total returns, NaN where a stock did not trade.
    index
        CSI 300 returns.
    industries
        Symbol to industry.
    industry_indices
        CITIC industry indices, sessions x codes: series that played no part in choosing the headline.
    releases
        Release id to its first session.
    """

    returns: pd.DataFrame
    index: pd.Series
    industries: pd.Series
    industry_indices: pd.DataFrame
    releases: dict[str, pd.Timestamp]

    @property
    def sessions(self) -> pd.DatetimeIndex:
        return self.returns.index

    @cached_property
    def equal_weight(self) -> pd.Series:
        return equal_weight_market(self.returns)

    @cached_property
    def industry_means(self) -> pd.DataFrame:
        """Leave-one-out industry mean of every stock."""
        return leave_one_out_mean(self.returns, self.industries)

    @cached_property
    def half_years(self) -> np.ndarray:
        """Half-year of each session; 2024 holds January to the end of the archive in May."""
        year, second = self.sessions.year, self.sessions.month > 6
        return np.array(
            [str(y) if y == 2024 else f"{y}H{1 + late}" for y, late in zip(year, second, strict=True)], dtype=object
        )

    @cached_property
    def months(self) -> np.ndarray:
        return (self.sessions.year * 12 + self.sessions.month).to_numpy()

    def clear(self, window: tuple[int, int]) -> np.ndarray:
        """Sessions whose window holds no release."""
        hit = self.released_sessions
        total = np.concatenate([[0], np.cumsum(hit)])
        place = np.arange(hit.size)
        last = np.clip(place + window[1] + 1, 0, hit.size)
        return total[last] == total[np.clip(place + window[0], 0, hit.size)]

    @cached_property
    def released_sessions(self) -> np.ndarray:
        return np.asarray(self.sessions.isin(list(self.releases.values())))


def load_panel(folder: Path) -> Panel:
    """Read the archive; a suspended session, repeated in the closes, is dropped by the daily bars."""
    traded = _traded(folder)
    sessions = traded.index
    close = _closes(folder).reindex(index=sessions).where(lambda frame: _aligned(traded, frame), np.nan)
    returns = close / close.ffill().shift() - 1.0
    listed = close.notna().cumsum().to_numpy()
    fresh = (listed <= UNLIMITED_SESSIONS) & close.iloc[0].isna().to_numpy()
    returns = returns.mask(fresh)
    industries = _industries(folder).reindex(returns.columns)
    crowd = industries.map(industries.value_counts())
    usable = (crowd > 1) & returns.notna().any()
    returns = returns.loc[:, usable]
    return Panel(
        returns=returns,
        index=_index(folder, sessions),
        industries=industries[usable],
        industry_indices=_citic(folder, sessions),
        releases={item.id: pd.Timestamp(item.day0) for item in load_theme("ai").dated_releases()},
    )


def baskets(panel: Panel) -> dict[str, dict[str, tuple[str, ...]]]:
    """Members by group and basket; a member that is not in the archive is left out."""
    theme, known = load_theme("ai"), set(panel.returns.columns)
    share = panel.returns.iloc[1:].notna().mean()
    pool = share.index[share > TRADED_SHARE].to_numpy()
    rng = np.random.default_rng(SEED)
    drawn = {
        f"random {number:03d}": tuple(rng.choice(pool, BASKET_SIZE, replace=False)) for number in range(RANDOM_BASKETS)
    }
    themed = {name: tuple(item for item in theme.symbols(name) if item in known) for name in AI_BASKETS}
    return {"random": drawn, "AI": themed}


def _closes(folder: Path) -> pd.DataFrame:
    rows = pd.read_parquet(folder / "hfq" / "close.parquet")
    rows = rows[rows["代码"].str.endswith((".SH", ".SZ"))]
    table = rows.pivot_table(index="日期", columns="代码", values="收盘", aggfunc="last").astype(np.float64)
    table.index = pd.DatetimeIndex(table.index.astype(str))
    return table


def _traded(folder: Path) -> pd.DataFrame:
    names = ["股票代码", "日期"]
    years = [pd.read_parquet(path, columns=names) for path in sorted((folder / "bars").glob("*.parquet"))]
    rows = pd.concat(years).drop_duplicates()
    code, symbols = pd.factorize(rows["股票代码"])
    day, days = pd.factorize(rows["日期"].astype(str), sort=True)
    mask = np.zeros((len(days), len(symbols)), dtype=bool)
    mask[day, code] = True
    return pd.DataFrame(mask, index=pd.DatetimeIndex(days), columns=symbols)


def _aligned(traded: pd.DataFrame, close: pd.DataFrame) -> np.ndarray:
    place = traded.columns.get_indexer(close.columns.str[:6])
    return traded.to_numpy()[:, place] & (place >= 0)


def _industries(folder: Path) -> pd.Series:
    rows = pd.read_csv(folder / "stock_list_2024-06.csv", dtype=str).dropna(subset=["行业"])
    rows = rows[rows["code"].str[0].isin(list("036"))]
    return pd.Series(rows["行业"].to_numpy(), index=[str(parse_symbol(code)) for code in rows["code"]])


def _index(folder: Path, sessions: pd.DatetimeIndex) -> pd.Series:
    rows = pd.read_csv(folder / "index_daily.csv", usecols=["symbol", "date", "close"], parse_dates=["date"])
    level = rows[rows["symbol"] == "000300.SH"].drop_duplicates("date").set_index("date")["close"]
    return level.reindex(sessions).pct_change(fill_method=None).rename("CSI 300")


def _citic(folder: Path, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    rows = pd.read_parquet(folder / "citic_industry_daily.parquet", columns=["date", "symbol", "close"])
    table = rows.pivot_table(index="date", columns="symbol", values="close", aggfunc="last")
    table.index = pd.DatetimeIndex(table.index.astype(str))
    table = table.reindex(sessions)
    return table.where(table > 0).pct_change(fill_method=None).dropna(axis=1, thresh=len(sessions) - 1)
