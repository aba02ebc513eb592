"""What studies of one snapshot share: returns, benchmarks, releases and the wider market, each read once."""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from aitheme.analysis.baskets import resolve_members
from aitheme.analysis.wholemarket import whole_market
from aitheme.crowding import above_mean
from aitheme.errors import DateRangeError, UnknownNameError
from aitheme.symbols import board_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    import pandas as pd

    from aitheme.eventstudy import Event, Universe
    from aitheme.panel import Panel
    from aitheme.store import Market
    from aitheme.themes import Theme

__all__ = ["EQUAL_WEIGHT", "INDUSTRY", "StudyRoom", "study_room"]

EQUAL_WEIGHT = "equal-weight"
INDUSTRY = "industry"
FACTOR_SETS: Mapping[str, tuple[str, ...]] = {
    "ff3": ("mkt_rf", "smb", "hml"),
    "carhart": ("mkt_rf", "smb", "hml", "umd"),
    "ff5": ("mkt_rf", "smb", "hml", "rmw", "cma"),
}
_SIZE_GROUPS = 3
# Sessions back to look for the last close of a suspended stock when it is sized.
_RECENT = 60


# Books of one run share a room; two, so that a second language or date does not read everything again and again.
_MOST_ROOMS = 2


class _Left(NamedTuple):
    """What is left of a market once its store may not be read: any other attribute is an error."""

    span: tuple[date, date]


class Stocks(NamedTuple):
    """A basket's A-shares.

    Parameters
    ----------
    symbols
        Its members.
    returns, limit_state
        Sessions x symbols.
    """

    symbols: list[str]
    returns: pd.DataFrame
    limit_state: pd.DataFrame


class StudyRoom:
    """Returns, benchmarks and releases of one snapshot, read once for many studies.

    Parameters
    ----------
    market, theme
        Snapshot and registry.
    as_of
        Nothing after this date is read; the end of the data by default.
    """

    def __init__(self, market: Market, theme: Theme, as_of: str | date | None = None) -> None:
        self.market = market
        self.theme = theme
        self.as_of = market.as_of(as_of)
        self._strata: dict[pd.Timestamp, pd.Series[str]] = {}
        self._stocks: dict[str, Stocks] = {}
        self._benchmarks: dict[str, tuple[pd.Series[float], str]] = {}
        self._above: dict[str, pd.Series[float]] = {}

    @cached_property
    def universe(self) -> Panel:
        """Bars of every A-share of the store."""
        return whole_market(self.market, self.as_of)

    @cached_property
    def theme_panel(self) -> Panel:
        """Bars of the theme's A-shares."""
        symbols = [symbol for symbol in self.theme.security if board_of(symbol) not in {"hk", "us"}]
        return self.market.panel(symbols, as_of=self.as_of)

    def stocks(self, basket: str) -> Stocks:
        """Return what studies read of a basket's A-shares; the same objects for every release."""
        if basket not in self._stocks:
            members = resolve_members(self.theme, basket, market=self.market)
            symbols = [symbol for symbol in members if board_of(symbol) not in {"hk", "us"}]
            held = set(self.theme_panel.symbols)
            panel = self.theme_panel if set(symbols) <= held else self.market.panel(symbols, as_of=self.as_of)
            self._stocks[basket] = Stocks(symbols, panel.returns[symbols], panel.limit_state[symbols])
        return self._stocks[basket]

    def above_mean(self, symbols: Sequence[str]) -> pd.DataFrame:
        """Tell which of the theme's A-shares close above their recent mean; baskets overlap, each stock is asked once.

        See :func:`aitheme.crowding.above_mean` for the numbers.
        """
        import pandas as pd

        new = [symbol for symbol in symbols if symbol not in self._above]
        found = above_mean(self.theme_panel.level[new])
        self._above.update({symbol: found[symbol] for symbol in new})
        return pd.DataFrame({symbol: self._above[symbol] for symbol in symbols}, index=self.theme_panel.sessions)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The releases in the form that studies take."""
        from aitheme.eventstudy import Event

        return tuple(Event(release, day0.normalize()) for release, day0 in self.releases)

    def read_ahead(self, baskets: Iterable[str], benchmark: str | None) -> None:
        """Read what studies of these baskets need, so that a forked process need not touch the store."""
        for basket in baskets:
            self.stocks(basket)
        if benchmark not in {None, INDUSTRY}:
            self.benchmark(str(benchmark), self.theme_panel.symbols)
        _ = self.events, self.wider_market, self.shares, self._boards, self.industries, self.market.span

    def leave_store(self) -> None:
        """Drop the store for good, in a forked process: its threads are not there, and a query could wait for ever."""
        self._left = self.market  # closing it is for the process that opened it
        self.market = _Left(self.market.span)  # type: ignore[assignment]

    @cached_property
    def market_turnover(self) -> pd.DataFrame:
        """Turnover (``amount``, CNY) and number (``stocks``) of all A-shares of the store that traded, by session."""
        return self.market.sql(
            """SELECT session::TIMESTAMP_NS AS session, sum(amount) AS amount, count(amount) AS stocks FROM bars
            WHERE right(symbol, 3) IN ('.SH', '.SZ', '.BJ') AND session <= ? GROUP BY session ORDER BY session""",
            [self.as_of],
        ).set_index("session")

    @cached_property
    def holds_market(self) -> bool:
        """Whether the store holds A-shares that the theme does not name, so that its turnover is more than the theme's."""
        named = set(self.theme_panel.symbols)
        held = self.market.sql("SELECT DISTINCT symbol FROM bars")["symbol"]
        return any(symbol not in named and board_of(symbol) not in {"hk", "us"} for symbol in held)

    @cached_property
    def industries(self) -> pd.Series[str]:
        """Industry by symbol, as far as the store knows it."""
        return self.market.securities()["industry"].dropna()

    @cached_property
    def releases(self) -> tuple[tuple[str, pd.Timestamp], ...]:
        """Id and day 0 of every release inside the data."""
        import pandas as pd

        first, last = self.market.span[0], self.as_of
        return tuple(
            (release.id, pd.Timestamp(release.day0))
            for release in self.theme.dated_releases()
            if release.day0 is not None and first <= release.day0 <= last
        )

    def day0(self, event: str) -> pd.Timestamp:
        """Return a release's day 0.

        Raises
        ------
        UnknownNameError
            No such release.
        DateRangeError
            The release has no exact day, or lies outside the data.
        """
        import pandas as pd

        moment = self.theme.release(event).day0
        if moment is None:
            raise DateRangeError(f"event: {event} has no exact day, so it has no day 0; choose one of `aitheme events`")
        first, last = self.market.span[0], self.as_of
        if not first <= moment <= last:
            raise DateRangeError(f"event: day 0 of {event} is {moment}, outside the store's data ({first} to {last})")
        return pd.Timestamp(moment)

    def benchmark(self, name: str, symbols: Sequence[str]) -> tuple[pd.Series[float] | pd.DataFrame, str]:
        """Return benchmark returns and their label.

        Parameters
        ----------
        name
            An index symbol, ``equal-weight`` (mean of all A-shares of the store), or ``industry`` (mean of the other
            stocks of each stock's industry).
        symbols
            Stocks that need a benchmark.

        Raises
        ------
        UnknownNameError
            The store has no such index.
        """
        from aitheme.eventstudy import equal_weight_market, leave_one_out_mean

        if name == EQUAL_WEIGHT:
            return equal_weight_market(
                self.universe.returns
            ), f"equal-weight mean of {len(self.universe.symbols):,} A-shares"
        if name == INDUSTRY:
            known = self.industries
            missing = [symbol for symbol in symbols if symbol not in known.index]
            if missing:
                raise UnknownNameError(
                    f"benchmark: 'industry' needs an industry for {missing[0]} ({len(missing)} missing); "
                    "use an index symbol or refresh with a stock list"
                )
            returns = self.universe.returns[[symbol for symbol in self.universe.symbols if symbol in known.index]]
            return leave_one_out_mean(returns, known, symbols), "leave-one-out industry mean"
        if name not in self._benchmarks:
            closes = self.market.index_closes([name], as_of=self.as_of)[name]
            self._benchmarks[name] = (
                (closes.ffill() / closes.ffill().shift() - 1).where(closes.notna()).rename(name),
                name,
            )
        return self._benchmarks[name]

    def factors(self, names: str) -> pd.DataFrame:
        """Return daily factor returns of a named set (``ff3``, ``carhart``, ``ff5``) or of columns joined by commas.

        Raises
        ------
        UnknownNameError
            The store has no factors, or not this one.
        """
        table = self.market.factor_returns(end=self.as_of)
        wanted = FACTOR_SETS.get(names, tuple(part.strip() for part in names.split(",")))
        for name in wanted:
            if name not in table.columns:
                known = [*FACTOR_SETS, *table.columns]
                raise UnknownNameError.build("factors", name, known, "the store holds what its source delivered")
        return table[[*wanted, *(["rf"] if "rf" in table.columns else [])]]

    @cached_property
    def wider_market(self) -> Universe:
        """Returns of every A-share, for random baskets and donors."""
        from aitheme.eventstudy import Universe

        return Universe(self.universe.returns)

    @cached_property
    def shares(self) -> pd.Series[float]:
        """Total shares by symbol, as the store holds them."""
        return self.market.securities()["total_shares"]

    @cached_property
    def _boards(self) -> tuple[str, ...]:
        return tuple(str(board_of(symbol)) for symbol in self.universe.symbols)

    def strata(self, event: pd.Timestamp) -> pd.Series[str]:
        """Return board and size group of every A-share before an event, to match random baskets on."""
        if event not in self._strata:
            self._strata[event] = self._board_and_size(event)
        return self._strata[event]

    def controls(self, event: pd.Timestamp, symbols: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return control stocks from outside the theme: same board, nearest in size, volatility and run-up before an event.

        Raises
        ------
        StudyError
            A stock has too little history, or no candidate is left.
        """
        import numpy as np
        import pandas as pd

        from aitheme.eventstudy import matched_controls

        panel, theme = self.universe, set(self.theme.security)
        before = panel.returns.loc[: event - pd.Timedelta(days=1)].tail(_RECENT)
        closes = panel.close.loc[before.index].ffill().iloc[-1]
        traits = pd.DataFrame(
            {
                "size": np.log(closes * self.shares.reindex(closes.index)),
                "volatility": before.std(),
                "run_up": before.sum(min_count=_RECENT // 2),
            }
        )
        candidates = traits[[symbol in symbols or symbol not in theme for symbol in traits.index]]
        boards = pd.Series({symbol: board_of(symbol) for symbol in candidates.index}, dtype=object)
        chosen: dict[str, tuple[str, ...]] = matched_controls(candidates, symbols, groups=boards)
        return chosen

    def _board_and_size(self, event: pd.Timestamp) -> pd.Series[str]:
        import numpy as np
        import pandas as pd

        panel = self.universe
        before = panel.close.index < event
        closes = panel.close[before].tail(_RECENT).ffill().iloc[-1] if before.any() else panel.close.iloc[0]
        value = closes.to_numpy() * self.shares.reindex(closes.index).to_numpy()
        order = pd.Series(value).rank(pct=True).to_numpy()
        size = np.where(np.isfinite(order), np.ceil(np.nan_to_num(order) * _SIZE_GROUPS), 0).astype(int)
        names = [f"{board}/{group}" for board, group in zip(self._boards, size.tolist(), strict=True)]
        return pd.Series(names, index=list(panel.symbols), dtype=object)


_rooms: deque[StudyRoom] = deque(maxlen=_MOST_ROOMS)


def study_room(market: Market, theme: Theme, as_of: str | date | None = None) -> StudyRoom:
    """Return the room of a snapshot, a theme and a date: the same one for whoever asks next.

    Parameters
    ----------
    market, theme, as_of
        See :class:`StudyRoom`. The two rooms asked for last are kept.
    """
    moment = market.as_of(as_of)
    for room in _rooms:
        if room.market is market and room.theme is theme and room.as_of == moment:
            return room
    _rooms.append(StudyRoom(market, theme, moment))
    return _rooms[-1]
