"""What a basket is made of: how its members move together, how concentrated it is, which reports share its names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aitheme.composition import (
    correlations,
    effective_number,
    herfindahl,
    independent_names,
    jaccard,
    mean_correlation,
    top_share,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    import pandas as pd

    from aitheme.analysis.room import StudyRoom
    from aitheme.themes import Theme

__all__ = [
    "TURNOVER_SESSIONS",
    "YEAR",
    "Comovement",
    "Concentration",
    "basket_overlap",
    "comovement",
    "concentration",
    "names_by_report",
]

YEAR = 250
"""Sessions of a correlation at most, before and after a date."""

TURNOVER_SESSIONS = 20
"""Sessions of a mean turnover."""

_MOST_STALE = 60


@dataclass(frozen=True, slots=True)
class Comovement:
    """Correlation of a basket's members up to a date and after it.

    Parameters
    ----------
    basket
        Its id.
    before, after
        Members x members, of returns less the benchmark's; NaN where a pair shares too few sessions.
    sessions_before, sessions_after
        Sessions the two are taken over.
    """

    basket: str
    before: pd.DataFrame
    after: pd.DataFrame
    sessions_before: int
    sessions_after: int

    def summary(self, side: str) -> dict[str, float]:
        """Return mean correlation, pairs and independent names of one side (``before`` or ``after``)."""
        matrix = self.before if side == "before" else self.after
        mean, pairs = mean_correlation(matrix)
        known = int(matrix.notna().sum(axis=1).gt(1).sum())
        return {"mean": mean, "pairs": pairs, "names": known, "independent": independent_names(known, mean)}


@dataclass(frozen=True, slots=True)
class Concentration:
    """How much of a basket its largest names are.

    Parameters
    ----------
    herfindahl, effective
        Sum of squared weights, and the number of equal weights as concentrated.
    top
        Share of the five largest (ratio).
    known
        Members with a weight.
    largest
        Symbol of the largest; empty without a weight.
    """

    herfindahl: float
    effective: float
    top: float
    known: int
    largest: str


def comovement(room: StudyRoom, basket: str, until: date, *, sessions: int = YEAR) -> Comovement:
    """Correlate a basket's members on their returns less the benchmark's.

    Parameters
    ----------
    room
        Snapshot, registry and date.
    basket
        Basket id; its A-shares count.
    until
        The last session of the first side; the other side begins after it.
    sessions
        Most sessions of each side.
    """
    stocks = room.stocks(basket)
    market, _ = room.benchmark(room.theme.benchmark, stocks.symbols)
    excess = stocks.returns.sub(market, axis=0)
    before, after = excess.loc[: str(until)], excess.loc[str(until) :]
    after = after.loc[[stamp.date() > until for stamp in after.index]]
    before, after = before.tail(sessions), after.head(sessions)
    return Comovement(basket, correlations(before), correlations(after), len(before), len(after))


def concentration(room: StudyRoom, basket: str, day: date) -> Mapping[str, Concentration]:
    """Return how concentrated a basket was on a day, by market value (``cap``) and by turnover (``turnover``).

    Market value is the close times the total shares the store holds, which may be dated later; a member that has not
    traded for 60 sessions has none. Turnover is the mean over the 20 sessions up to the day.

    Parameters
    ----------
    room, basket
        As in :func:`comovement`.
    day
        The date.
    """
    symbols = room.stocks(basket).symbols
    panel = room.theme_panel
    closes = panel.close[symbols].loc[: str(day)].tail(_MOST_STALE).ffill()
    amounts = panel.amount[symbols].loc[: str(day)].tail(TURNOVER_SESSIONS)
    nothing = closes.sum() * float("nan")
    caps = closes.iloc[-1] * room.shares.reindex(symbols) if len(closes) else nothing
    return {"cap": _concentration(caps), "turnover": _concentration(amounts.mean() if len(amounts) else nothing)}


def _concentration(weights: pd.Series[float]) -> Concentration:
    known = weights.dropna()
    largest = str(known.idxmax()) if len(known) and known.sum() > 0 else ""
    return Concentration(herfindahl(known), effective_number(known), top_share(known), len(known), largest)


def names_by_report(theme: Theme, baskets: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return which report lists which name.

    Parameters
    ----------
    theme
        Registry.
    baskets
        Basket ids by report.

    Returns
    -------
    pandas.DataFrame
        Symbols (also Hong Kong and American) x reports, True where one of the report's baskets holds the name; sorted by
        the number of reports, then by which reports, then by symbol.
    """
    import pandas as pd

    held = {
        report: {symbol for basket in ids for symbol in theme.symbols(basket, overseas=True)}
        for report, ids in baskets.items()
    }
    symbols = sorted({symbol for names in held.values() for symbol in names})
    table = pd.DataFrame(
        {report: [symbol in names for symbol in symbols] for report, names in held.items()}, index=symbols
    )
    listed = {symbol: tuple(not held[report] & {symbol} for report in held) for symbol in symbols}
    order = sorted(symbols, key=lambda symbol: (sum(listed[symbol]), listed[symbol], symbol))
    return table.loc[order]


def basket_overlap(theme: Theme, baskets: Iterable[str]) -> pd.DataFrame:
    """Return the overlap of every pair of baskets.

    Parameters
    ----------
    theme
        Registry.
    baskets
        Basket ids; all listed members count, Hong Kong and American ones too.

    Returns
    -------
    pandas.DataFrame
        One row per ordered pair of different baskets: basket, other, common (names), jaccard (common over all names).
    """
    import pandas as pd

    held = {basket: set(theme.symbols(basket, overseas=True)) for basket in baskets}
    rows = [
        (one, other, len(names & others), jaccard(names, others))
        for one, names in held.items()
        for other, others in held.items()
        if one != other
    ]
    return pd.DataFrame(rows, columns=["basket", "other", "common", "jaccard"])
