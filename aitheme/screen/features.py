"""Columns from prices: pure functions on dense arrays, sessions x names, as of the last row."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from aitheme.screen.columns import HORIZONS
from aitheme.symbols import board_of, price_limit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ALIVE", "LOOKBACK", "PRICE_COLUMNS", "PriceFeatures", "Prices", "excess_over_group", "industry_codes"]

LOOKBACK = 281
"""Sessions read: 250 returns and, before them, 30 sessions in which the level of a suspended name is looked up."""
ALIVE = 250
"""A name without a bar in this many sessions is not listed yet or no longer."""
MIN_INDUSTRY = 5
"""An industry with fewer returns has no mean."""
_YEAR = 242
_MIN_BETA, _MIN_VOL = 120, 40
_TICK, _SLACK = 0.005, 0.002
_FREE_SESSIONS = 5
_LIMIT_SESSIONS = 20
_BOARDS = {"main": "600000.SH", "chinext": "300001.SZ", "star": "688001.SH", "bse": "920000.BJ"}


@dataclass(frozen=True, slots=True)
class Prices:
    """Bars of the market up to the as-of session, which is the last row.

    Parameters
    ----------
    sessions
        Sessions, datetime64[D], shape (S,).
    symbols
        Canonical symbols, shape (N,).
    fields
        ``close`` and ``level`` (close x adj_factor), and on demand ``amount``, ``turnover``, ``approximate``: shape
        (S, N), NaN where nothing traded.
    benchmark
        Closes of the benchmark index, shape (S,); NaN where the store has none.
    first_traded
        First session with a bar in the store, datetime64[D], shape (N,).
    data_start
        First session of the store.
    """

    sessions: np.ndarray
    symbols: np.ndarray
    fields: dict[str, np.ndarray]
    benchmark: np.ndarray
    first_traded: np.ndarray
    data_start: np.datetime64

    def alive(self) -> np.ndarray:
        """Return which names have a bar in the last 250 sessions, shape (N,)."""
        return np.asarray(np.isfinite(self.fields["close"][-ALIVE:]).any(axis=0))

    def until(self, row: int) -> Prices:
        """Return the window that ends at a row; nothing after it is in the result."""
        begin = max(row + 1 - LOOKBACK, 0)
        fields = {name: values[begin : row + 1] for name, values in self.fields.items()}
        part = slice(begin, row + 1)
        return Prices(
            self.sessions[part], self.symbols, fields, self.benchmark[part], self.first_traded, self.data_start
        )

    def select(self, keep: np.ndarray) -> Prices:
        """Return some of the names."""
        chosen = {name: values[:, keep] for name, values in self.fields.items()}
        return Prices(
            self.sessions, self.symbols[keep], chosen, self.benchmark, self.first_traded[keep], self.data_start
        )


@dataclass(frozen=True)
class PriceFeatures:
    """Columns of the catalogue that need bars only; each is computed when it is first asked for.

    Parameters
    ----------
    prices
        Bars of the names in the universe.
    """

    prices: Prices
    _memo: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    def column(self, name: str) -> np.ndarray:
        """Return a column, shape (N,); NaN (NaT) for NULL.

        Parameters
        ----------
        name
            One of the catalogue's columns with source ``bars`` or ``index``.
        """
        if name not in self._memo:
            head, _, tail = name.rpartition("_")
            if head in {"ret", "excess"}:
                self._memo[name] = self._moves(int(tail), excess=head == "excess")
            else:
                self._memo[name] = _COLUMNS[name](self)
        return self._memo[name]

    @cached_property
    def _close(self) -> np.ndarray:
        return self.prices.fields["close"]

    @cached_property
    def _level(self) -> np.ndarray:
        return self.prices.fields["level"]

    @cached_property
    def _last_row(self) -> np.ndarray:
        """For each session and name, the row of the last bar on or before it; -1 without one."""
        rows = np.arange(len(self._level), dtype=np.int32)[:, None]
        traded = np.where(np.isfinite(self._level), rows, np.int32(-1))
        return np.asarray(np.maximum.accumulate(traded, axis=0))

    def _level_at(self, row: int) -> np.ndarray:
        """Return the last level on or before a row, counted from the end."""
        if len(self._level) < -row:
            return np.full(self._level.shape[1], np.nan)
        at = self._last_row[row]
        return np.where(at >= 0, self._level[at, np.arange(len(at))], np.nan)

    def _moves(self, n: int, *, excess: bool) -> np.ndarray:
        if excess:
            return np.asarray(self.column(f"ret_{n}") - self._benchmark_move(n))
        return np.asarray(self._level_at(-1) / self._level_at(-1 - n) - 1.0)

    def _benchmark_move(self, n: int) -> float:
        closes = self.prices.benchmark
        return float(closes[-1] / closes[-1 - n] - 1.0) if len(closes) > n else np.nan

    @cached_property
    def _daily(self) -> np.ndarray:
        """Returns between consecutive sessions of the last 250, without those that span a suspension."""
        level = self._level[-1 - ALIVE :]
        return np.asarray(level[1:] / level[:-1] - 1.0)

    @cached_property
    def _regression(self) -> tuple[np.ndarray, np.ndarray]:
        """Return beta and residual standard deviation per name over 250 sessions."""
        closes = self.prices.benchmark[-1 - ALIVE :]
        market = closes[1:] / closes[:-1] - 1.0
        valid = np.isfinite(self._daily) & np.isfinite(market)[:, None]
        count = valid.sum(axis=0)
        weights, x = valid.astype(float), np.where(np.isfinite(market), market, 0.0)
        x -= x.mean()
        with np.errstate(all="ignore"):
            y = np.where(valid, self._daily, 0.0)
            y -= weights * (y.sum(axis=0) / np.maximum(count, 1))
            mean_x = (x @ weights) / count
            xx = (x**2) @ weights - count * mean_x**2
            xy, yy = x @ y, np.einsum("ij,ij->j", y, y)
            beta = np.where((count >= _MIN_BETA) & (xx > 0), xy / xx, np.nan)
            residual = np.sqrt(np.maximum(yy - beta * xy, 0.0) / (count - 2))
        return beta, np.where(np.isfinite(beta), residual, np.nan)

    def _volatility(self) -> np.ndarray:
        recent = self._daily[-60:]
        valid = np.isfinite(recent)
        count = valid.sum(axis=0)
        with np.errstate(all="ignore"):
            filled = np.where(valid, recent, 0.0)
            off = np.where(valid, filled - filled.sum(axis=0) / count, 0.0)
            spread = np.sqrt((off**2).sum(axis=0) / (count - 1))
        return np.where(count >= _MIN_VOL, spread * np.sqrt(_YEAR), np.nan)

    def _mean_20(self, name: str) -> np.ndarray:
        recent = self.prices.fields[name][-20:]
        valid = np.isfinite(recent)
        count = valid.sum(axis=0)
        total = np.where(valid, recent, 0.0).sum(axis=0)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def _high_distance(self) -> np.ndarray:
        # fmax ignores missing values and, unlike nanmax, is quiet where all are missing.
        return np.asarray(self._level_at(-1) / np.fmax.reduce(self._level[-ALIVE:], axis=0) - 1.0)

    def _price(self) -> np.ndarray:
        at = self._last_row[-1]
        return np.where(at >= 0, self._close[at, np.arange(len(at))], np.nan)

    def _price_session(self) -> np.ndarray:
        at = self._last_row[-1]
        return np.where(at >= 0, self.prices.sessions[at], np.datetime64("NaT"))

    def limit_up(self, rows: int) -> np.ndarray:
        """Return which closes of the last `rows` sessions stand at the upper price limit, shape (rows, N).

        The limit price is the previous close adjusted for the day's ex-rights times one plus the board's limit, as in
        :attr:`aitheme.panel.Panel.limit_state`.
        """
        rows = min(rows, len(self._level) - 1)
        close, level = self._close[-rows:], self._level[-rows:]
        before = self._last_row[-rows - 1 : -1]
        with np.errstate(all="ignore"):
            prior = np.where(before >= 0, np.take_along_axis(self._level, np.maximum(before, 0), axis=0), np.nan)
            ceiling = np.round(prior / (level / close) * (1.0 + self._ceilings(rows)), 2)
            return np.asarray(close >= ceiling - np.maximum(_TICK, _SLACK * close))

    @cached_property
    def _board(self) -> np.ndarray:
        return np.array([_board_of(symbol) for symbol in self.prices.symbols], dtype=object)

    def _ceilings(self, rows: int) -> np.ndarray:
        """Return the upper limits (ratios, infinite for none) of the last sessions, shape (rows, N)."""
        days = self.prices.sessions[-rows:]
        begin = np.searchsorted(self.prices.sessions, self.prices.first_traded)
        # A name that trades on the store's first session was listed before it, as far as the store can tell.
        seasoned = (self.prices.first_traded <= self.prices.data_start) | (
            self.prices.first_traded < self.prices.sessions[0]
        )
        row = np.arange(len(self.prices.sessions))[-rows:, None]
        age = np.where(seasoned, _FREE_SESSIONS + 1, np.clip(row - begin + 1, 1, _FREE_SESSIONS + 1))
        ceilings = np.full(age.shape, np.inf)
        for board, example in _BOARDS.items():
            table = np.array([[_up(example, day, n) for n in range(1, _FREE_SESSIONS + 2)] for day in days.tolist()])
            own = self._board == board
            ceilings[:, own] = np.take_along_axis(table, age[:, own] - 1, axis=1)
        return ceilings


_board_of = cache(board_of)


@cache
def _up(symbol: str, day: Any, age: int) -> float:
    limit = price_limit(symbol, day, listed_sessions=age if age <= _FREE_SESSIONS else None).up
    return np.inf if limit is None else limit


_COLUMNS: dict[str, Callable[[PriceFeatures], np.ndarray]] = {
    "symbol": lambda f: f.prices.symbols,
    "board": lambda f: f._board,  # noqa: SLF001 (same module)
    "suspended": lambda f: ~np.isfinite(f.prices.fields["close"][-1]),
    "price": PriceFeatures._price,  # noqa: SLF001
    "price_session": PriceFeatures._price_session,  # noqa: SLF001
    "vol_60": PriceFeatures._volatility,  # noqa: SLF001
    "beta_250": lambda f: f._regression[0],  # noqa: SLF001
    "idio_vol": lambda f: np.asarray(f._regression[1] * np.sqrt(_YEAR)),  # noqa: SLF001
    "dist_high_250": PriceFeatures._high_distance,  # noqa: SLF001
    "limit_up_20": lambda f: f.limit_up(_LIMIT_SESSIONS).sum(axis=0).astype(float),
    "approximate": lambda f: np.asarray((f.prices.fields["approximate"][-ALIVE:] > 0).any(axis=0)),
    "turnover": lambda f: f.prices.fields["turnover"][-1],
    "turnover_20": lambda f: f._mean_20("turnover"),  # noqa: SLF001
    "amount_20": lambda f: f._mean_20("amount"),  # noqa: SLF001
}
PRICE_COLUMNS = frozenset(_COLUMNS) | {f"{head}_{n}" for head in ("ret", "excess") for n in HORIZONS}
"""Columns this module computes."""


def industry_codes(industry: np.ndarray) -> np.ndarray:
    """Return a number per industry, -1 where it is missing.

    Parameters
    ----------
    industry
        Names, None where missing, shape (N,).
    """
    known = {name: number for number, name in enumerate(sorted({name for name in industry if isinstance(name, str)}))}
    return np.array([known.get(name, -1) for name in industry], dtype=np.int64)


def excess_over_group(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return values less the equal-weight mean of their group; NaN without a group or with fewer than 5 values in it."""
    usable = np.isfinite(values) & (groups >= 0)
    buckets = int(groups.max(initial=0)) + 1
    count = np.bincount(groups[usable], minlength=buckets)
    total = np.bincount(groups[usable], values[usable], buckets)
    mean = np.where(count >= MIN_INDUSTRY, total / np.maximum(count, 1), np.nan)
    return np.where(usable, values - mean[np.maximum(groups, 0)], np.nan)
