"""Read what a screen needs from a snapshot, in few bulk queries, and keep the last windows in memory."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import numpy as np

from aitheme.calendar import parse_date
from aitheme.errors import DateRangeError, StoreError
from aitheme.screen.features import LOOKBACK, PriceFeatures, Prices
from aitheme.symbols import board_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd

    from aitheme.store import Market

__all__ = ["BENCHMARK", "Reader", "Window", "reader_of"]

BENCHMARK = "000300.SH"
_BOARDS = frozenset({"main", "chinext", "star", "bse"})
_WINDOWS_KEPT = 2
_FIELDS = {
    "close": "close",
    "level": "close * adj_factor",
    "amount": "amount",
    "turnover": "turnover",
    "approximate": "(quality & 2)::DOUBLE",
}
_NAMES = "SELECT symbol, min(session)::TIMESTAMP_NS AS first FROM bars GROUP BY symbol ORDER BY symbol"
_READERS: WeakKeyDictionary[Market, Reader] = WeakKeyDictionary()


class Window:
    """The market as of one session: names alive, their bars, and columns as they are computed.

    Parameters
    ----------
    prices
        Bars of all A-shares of the store; the last row is the session.
    """

    def __init__(self, prices: Prices) -> None:
        self.alive = prices.alive()
        self.features = PriceFeatures(prices.select(self.alive))
        self.estimates: dict[date, pd.DataFrame] = {}
        self.securities: dict[date, pd.DataFrame] = {}
        self.cars: dict[tuple[str, date], pd.DataFrame] = {}

    def add(self, fields: dict[str, np.ndarray]) -> None:
        """Take in further bar fields, shaped like those of the constructor."""
        self.features.prices.fields.update({name: values[:, self.alive] for name, values in fields.items()})


class Reader:
    """Bulk reads of one snapshot.

    Parameters
    ----------
    market
        The snapshot.
    """

    def __init__(self, market: Market) -> None:
        # A strong reference would keep every market ever screened alive.
        self._market = ref(market)
        self.span = market.span
        self._windows: OrderedDict[int, Window] = OrderedDict()
        self._held: tuple[int, int, dict[str, np.ndarray]] = (0, -1, {})
        self._returns: dict[str, np.ndarray] = {}
        self._benchmark_returns: np.ndarray | None = None

    @property
    def _owner(self) -> Market:
        market = self._market()
        assert market is not None, "whoever holds a reader also holds its market"
        return market

    def _sql(self, query: str, parameters: Sequence[Any] | None = None) -> pd.DataFrame:
        return self._owner.sql(query, parameters)

    @cached_property
    def sessions(self) -> np.ndarray:
        """All sessions of the mainland exchanges up to the last bar, datetime64[D]."""
        rows = self._sql(
            "SELECT session FROM sessions WHERE exchange = 'XSHG' AND session <= ? ORDER BY session", [self.span[1]]
        )
        if rows.empty:
            raise StoreError("data: the snapshot holds no mainland sessions; run `aitheme refresh` again")
        return np.asarray(rows["session"].to_numpy(dtype="datetime64[D]"))

    @cached_property
    def _listed(self) -> pd.DataFrame:
        return self._sql(_NAMES)

    @cached_property
    def _columns(self) -> np.ndarray:
        """For each name of the bars its column among the A-shares, -1 for another market."""
        mainland = np.array([board_of(symbol) in _BOARDS for symbol in self._listed["symbol"]], dtype=bool)
        return np.where(mainland, np.cumsum(mainland) - 1, -1)

    @cached_property
    def symbols(self) -> np.ndarray:
        """A-shares with bars, ascending, shape (N,)."""
        return np.asarray(self._listed["symbol"].to_numpy(dtype=object)[self._columns >= 0])

    @cached_property
    def n_overseas(self) -> int:
        """Names with bars that are no A-shares."""
        return int((self._columns < 0).sum())

    @cached_property
    def _first_traded(self) -> np.ndarray:
        return np.asarray(self._listed["first"].to_numpy(dtype="datetime64[D]")[self._columns >= 0])

    def securities(self, as_of: date) -> pd.DataFrame:
        """Return the security list as of a date aligned with :attr:`symbols`; missing where it lacks a name."""
        return self._owner.securities(as_of).reindex(list(self.symbols))

    def row_of(self, as_of: str | date | None) -> tuple[date, int]:
        """Return the as-of date and the row of its session: the last one on or before it.

        Raises
        ------
        DateRangeError
            The date lies before the data, or after its last session and another session has passed since.
        """
        first, last = self.span
        moment = last if as_of is None else parse_date(as_of, "as_of")
        row = int(np.searchsorted(self.sessions, np.datetime64(moment), side="right")) - 1
        passed = moment > last and self._next_session(last) <= moment
        if moment < first or passed:
            raise DateRangeError(
                f"as_of: {moment} is outside the store's data ({first} to {last}); choose a date within it or refresh"
            )
        return moment, row

    def _next_session(self, day: date) -> date:
        rows = self._sql("SELECT min(session) AS day FROM sessions WHERE exchange = 'XSHG' AND session > ?", [day])
        found: date = rows["day"].iloc[0].date()
        return found

    def window(self, row: int, fields: frozenset[str]) -> Window:
        """Return the market as of a session, with at least the bar fields asked for."""
        begin = max(row + 1 - LOOKBACK, 0)
        window = self._windows.pop(row, None)
        if window is None:
            window = Window(self._prices(begin, row, self._spliced(begin, row, fields | {"close", "level"})))
        missing = fields - set(window.features.prices.fields)
        if missing:
            window.add(self._bars(begin, row, missing))
        self._windows[row] = window
        while len(self._windows) > _WINDOWS_KEPT:
            self._windows.popitem(last=False)
        return window

    def prices(self, begin: int, end: int, fields: frozenset[str]) -> Prices:
        """Read the bars of all A-shares between two rows of :attr:`sessions`, both included."""
        return self._prices(begin, end, self._bars(begin, end, fields))

    def _prices(self, begin: int, end: int, fields: dict[str, np.ndarray]) -> Prices:
        return Prices(
            sessions=self.sessions[begin : end + 1],
            symbols=self.symbols,
            fields=fields,
            benchmark=self._benchmark(begin, end),
            first_traded=self._first_traded,
            data_start=np.datetime64(self.span[0]),
        )

    def _spliced(self, begin: int, end: int, fields: frozenset[str]) -> dict[str, np.ndarray]:
        """Read bars, taking the sessions shared with the last window from memory."""
        first, last, held = self._held
        low, high = max(begin, first), min(end, last)
        if low > high or not fields <= set(held):
            result = self._bars(begin, end, fields)
        else:
            parts = [{name: held[name][low - first : high - first + 1] for name in fields}]
            if begin < low:
                parts.insert(0, self._bars(begin, low - 1, fields))
            if high < end:
                parts.append(self._bars(high + 1, end, fields))
            result = {name: np.concatenate([part[name] for part in parts]) for name in fields}
        self._held = (begin, end, result)
        return result

    def _bars(self, begin: int, end: int, fields: frozenset[str]) -> dict[str, np.ndarray]:
        low, high = self.sessions[begin].item(), self.sessions[end].item()
        wanted = sorted(fields)
        selected = ", ".join(f"{_FIELDS[name]} AS {name}" for name in wanted)
        # The database turns names and days into small integers; strings would cost more than all the rest.
        rows = self._sql(
            f"""SELECT code::INTEGER AS code, (session - ?::DATE)::INTEGER AS day, {selected}
            FROM bars JOIN (SELECT symbol, row_number() OVER (ORDER BY symbol) - 1 AS code
                            FROM (SELECT DISTINCT symbol FROM bars)) USING (symbol)
            WHERE session BETWEEN ? AND ?""",  # noqa: S608 (constant names)
            [low, low, high],
        )
        days = (self.sessions[begin : end + 1] - self.sessions[begin]).astype(int)
        row_of_day = np.full(int(days[-1]) + 1, -1)
        row_of_day[days] = np.arange(len(days))
        at, column = row_of_day[rows["day"].to_numpy()], self._columns[rows["code"].to_numpy()]
        # Bars of other markets, and of days the mainland was closed, fall into a last cell that is cut off.
        size = len(days) * len(self.symbols)
        flat = np.where((at >= 0) & (column >= 0), at * len(self.symbols) + column, size)
        result = {}
        for name in wanted:
            grid = np.full(size + 1, np.nan)
            grid[flat] = rows.pop(name).to_numpy(dtype=float, na_value=np.nan)
            result[name] = grid[:size].reshape(len(days), len(self.symbols))
        return result

    def _benchmark(self, begin: int, end: int) -> np.ndarray:
        rows = self._sql(
            "SELECT session, close FROM index_bars WHERE symbol = ? AND session BETWEEN ? AND ?",
            [BENCHMARK, self.sessions[begin].item(), self.sessions[end].item()],
        )
        closes = np.full(end + 1 - begin, np.nan)
        days = rows["session"].to_numpy(dtype="datetime64[D]")
        at = np.searchsorted(self.sessions[begin : end + 1], days)
        known = np.isin(days, self.sessions[begin : end + 1])
        closes[at[known]] = rows["close"].to_numpy(dtype=float)[known]
        return closes

    def estimates(self, as_of: date) -> pd.DataFrame:
        """Return the consensus known on a date."""
        return self._owner.consensus(as_of=as_of)

    def returns(self, symbols: list[str]) -> tuple[np.ndarray, np.ndarray, int]:
        """Return daily total returns of some names and of the benchmark over the whole store.

        Returns
        -------
        tuple
            Returns, shape (T, len(symbols)), NaN without a bar, the first after a suspension spanning it; the benchmark's,
            shape (T,); and the row of :attr:`sessions` they begin at.
        """
        begin = int(np.searchsorted(self.sessions, np.datetime64(self.span[0])))
        new = [symbol for symbol in symbols if symbol not in self._returns]
        if new:
            panel = self._levels(new, begin)
            self._returns.update(zip(new, panel.T, strict=True))
        if self._benchmark_returns is None:
            closes = self._benchmark(begin, len(self.sessions) - 1)
            self._benchmark_returns = _simple_returns(closes[:, None])[:, 0]
        return np.column_stack([self._returns[symbol] for symbol in symbols]), self._benchmark_returns, begin

    def _levels(self, symbols: list[str], begin: int) -> np.ndarray:
        rows = self._sql(
            "SELECT symbol, session, close * adj_factor AS level FROM bars WHERE list_contains(?, symbol)", [symbols]
        )
        sessions = self.sessions[begin:]
        days = rows["session"].to_numpy(dtype="datetime64[D]")
        known = np.isin(days, sessions)
        column = np.searchsorted(np.array(symbols, dtype=object), rows["symbol"].to_numpy(dtype=object))
        level = np.full((len(sessions), len(symbols)), np.nan)
        level[np.searchsorted(sessions, days[known]), column[known]] = rows["level"].to_numpy(dtype=float)[known]
        return _simple_returns(level)


def _simple_returns(level: np.ndarray) -> np.ndarray:
    """Return level / last level before - 1, shape (T, N)."""
    rows = np.maximum.accumulate(np.where(np.isfinite(level), np.arange(len(level))[:, None], 0), axis=0)
    filled = np.take_along_axis(level, rows, axis=0)
    moves = np.full(level.shape, np.nan)
    moves[1:] = level[1:] / filled[:-1] - 1.0
    return moves


def reader_of(market: Market) -> Reader:
    """Return the reader of a snapshot, one per open market."""
    if market not in _READERS:
        _READERS[market] = Reader(market)
    return _READERS[market]
