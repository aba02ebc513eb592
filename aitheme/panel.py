"""The dense panel every analysis works on: all sessions x the symbols asked for, missing where nothing traded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from aitheme.symbols import PriceLimit, price_limit

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Panel", "Provenance"]

# A rebuilt close is good to about 0.1 %, so a limit move is recognised with a margin of half a tick and 0.2 %.
_LIMIT_TOLERANCE = 0.002
_HALF_TICK = 0.005
# The longest span after a listing in which limits differ from the steady rule.
_FIRST_SESSIONS = 5
# The steady rule of a board changed once: ChiNext went from 10 % to 20 %.
_REGIMES = ((False, date(2020, 8, 21)), (True, date(2020, 8, 24)))


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where numbers come from.

    Parameters
    ----------
    source
        Source name of the store.
    simulated
        Whether the data is made up.
    snapshot
        File name of the store snapshot.
    as_of
        Last date anything in the result may depend on.
    fetched
        UTC time of the refresh that published the snapshot.
    """

    source: str
    simulated: bool
    snapshot: str
    as_of: date
    fetched: str

    def __str__(self) -> str:
        return f"{self.source} {self.snapshot}, as of {self.as_of}, fetched {self.fetched}"

    def _repr_html_(self) -> str:
        from aitheme.display import card

        return card(str(self), simulated=self.simulated)


@dataclass(frozen=True)
class Panel:
    """Daily bars of some symbols on all sessions of their exchange.

    Parameters
    ----------
    close
        Unadjusted close, trading currency; index sessions, columns symbols; NaN where nothing traded.
    level
        Total-return level (close x adj_factor), same shape.
    amount
        Turnover in trading currency, same shape.
    quality
        Bit field per bar (:data:`aitheme.sources.base.PRICE_RECONSTRUCTED`, ``RETURN_APPROXIMATE``), -1 without a bar.
    first_traded
        First session each symbol ever traded in the store, NaT if never.
    provenance
        Store snapshot and as-of date.
    """

    close: pd.DataFrame
    level: pd.DataFrame
    amount: pd.DataFrame
    quality: pd.DataFrame
    first_traded: pd.Series[pd.Timestamp]
    provenance: Provenance

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """The sessions, ascending."""
        return self.close.index  # type: ignore[return-value]

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols, in the order asked for."""
        return tuple(self.close.columns)

    def _repr_html_(self) -> str:
        from aitheme.display import Rows, card

        sessions = self.sessions
        span = f", {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}" if len(sessions) else ""
        last = self.close.iloc[-5:, :8].rename_axis("session").reset_index()
        last["session"] = [f"{stamp:%Y-%m-%d}" for stamp in last["session"]]
        formats = {str(name): ",.2f" for name in last.columns[1:]}
        title = f"Panel: {len(sessions):,} sessions x {len(self.symbols):,} symbols{span}"
        rows = Rows(last, "last closes, unadjusted", formats)
        return card(title, [str(self.provenance)], [rows], simulated=self.provenance.simulated)

    @cached_property
    def returns(self) -> pd.DataFrame:
        """Simple total returns between consecutive traded sessions, as ratios.

        A session without a bar has no return; the first return after a suspension spans the gap (see :attr:`spans_gap`).
        """
        filled = self.level.ffill().shift()
        return self.level / filled - 1.0

    @cached_property
    def spans_gap(self) -> pd.DataFrame:
        """Where a return reaches back over at least one session without a bar."""
        return self.level.notna() & self.level.shift().isna() & self.level.ffill().shift().notna()

    @cached_property
    def limit_state(self) -> pd.DataFrame:
        """Closes at the daily price limit: +1 up, -1 down, 0 otherwise, shape of :attr:`close` (int8).

        The limit price is the previous close, adjusted for the day's ex-rights, times one plus the board's limit,
        rounded to the cent. Special-treatment status by date is not in the store, so a main-board stock is held to
        10 % and an ST stock's 5 % limit goes unseen.
        """
        import pandas as pd

        reference = (self.level.ffill().shift() / (self.level / self.close)).to_numpy()
        close = self.close.to_numpy()
        state = np.zeros(close.shape, dtype=np.int8)
        for column, symbol in enumerate(self.symbols):
            up, down = self._limits(symbol)
            with np.errstate(invalid="ignore"):
                ceiling = np.round(reference[:, column] * (1 + up), 2)
                floor = np.round(reference[:, column] * (1 + down), 2)
                slack = np.maximum(_HALF_TICK, _LIMIT_TOLERANCE * close[:, column])
                state[:, column] += (close[:, column] >= ceiling - slack).astype(np.int8)
                state[:, column] -= (close[:, column] <= floor + slack).astype(np.int8)
        return pd.DataFrame(state, index=self.close.index, columns=self.close.columns)

    def _limits(self, symbol: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the symbol's up and down limits per session; infinite where there is none."""
        import pandas as pd

        first: Any = self.first_traded[symbol]
        up, down = np.full(len(self.sessions), np.inf), np.full(len(self.sessions), -np.inf)
        if pd.isna(first):
            return up, down
        begin = int(self.sessions.searchsorted(first))
        # A stock that trades on the panel's first session was listed before it, as far as the store can tell.
        young = begin + _FIRST_SESSIONS if begin > 0 else 0
        steady = {reformed: _bounds(price_limit(symbol, day)) for reformed, day in _REGIMES}
        reformed = self.sessions >= pd.Timestamp(_REGIMES[1][1])
        for regime, (ceiling, floor) in steady.items():
            up[reformed == regime], down[reformed == regime] = ceiling, floor
        up[:begin], down[:begin] = np.inf, -np.inf
        for row in range(begin, min(young, len(self.sessions))):
            limit = price_limit(symbol, self.sessions[row].date(), listed_sessions=row - begin + 1)
            up[row], down[row] = _bounds(limit)
        return up, down


def _bounds(limit: PriceLimit) -> tuple[float, float]:
    return (np.inf if limit.up is None else limit.up, -np.inf if limit.down is None else limit.down)
