"""Basket indices and performance: pure functions on total-return levels.

A basket starts at the base session's close. Members without a price there are handled by rule and counted, never
dropped in silence.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from aitheme.errors import DateRangeError

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

__all__ = ["BasketIndex", "Performance", "Rebalance", "Weight", "basket_index", "drawdown", "performance", "rebase"]

Weight = Literal["equal", "cap"]
Rebalance = Literal["none", "daily"]

PERCENT = dict.fromkeys(
    ("total_return", "benchmark_return", "excess_return", "max_drawdown", "volatility_annual"), ".1%"
)
"""How a summary shows its ratios."""

SESSIONS_PER_YEAR = 242
"""Sessions of a mainland calendar year (242 in 2022, 2023 and 2024), used to annualise volatility."""


@dataclass(frozen=True, slots=True)
class BasketIndex:
    """A basket's total-return index.

    Parameters
    ----------
    values
        Index by session, 1.0 at the base session.
    used
        Symbols that carry weight.
    not_listed
        Symbols without any price up to the base session: left out of a buy-and-hold basket, joining a daily
        rebalanced one on their second traded session.
    no_data
        Symbols without any price in the range.
    suspended
        Per session, how many used symbols did not trade.
    approximate
        Used symbols whose returns are approximate.
    """

    values: pd.Series[float]
    used: tuple[str, ...]
    not_listed: tuple[str, ...]
    no_data: tuple[str, ...]
    suspended: pd.Series[int]
    approximate: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        from aitheme.display import card

        first, last = self.values.index[0], self.values.index[-1]
        facts = [f"{len(self.used)} of {self.members} members used"]
        return card(f"Index {first:%Y-%m-%d} to {last:%Y-%m-%d}: {self.values.iloc[-1]:.4f} from 1", facts)

    @property
    def members(self) -> int:
        """Number of symbols asked for."""
        return len(self.used) + len(self.no_data) + len(set(self.not_listed) - set(self.used))


@dataclass(frozen=True, slots=True)
class Performance:
    """What a basket did between two closes; all returns, drawdown and volatility are ratios.

    Parameters
    ----------
    start_session, end_session
        Closes compared: the last on or before the dates asked for.
    total_return, benchmark_return, excess_return
        Total return of basket; price return of the benchmark index; their difference.
    max_drawdown
        Largest fall from a running peak, as a negative ratio.
    volatility_annual
        Sample standard deviation of daily returns x sqrt(242); None with fewer than two of them.
    """

    basket: str
    start_session: date
    end_session: date
    weight: Weight
    rebalance: Rebalance
    benchmark: str
    n_members: int
    n_used: int
    n_not_listed: int
    n_no_data: int
    n_suspended_at_end: int
    n_approximate: int
    total_return: float
    benchmark_return: float | None
    excess_return: float | None
    max_drawdown: float
    volatility_annual: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        values = asdict(self)
        values["start_session"] = self.start_session.isoformat()
        values["end_session"] = self.end_session.isoformat()
        return values

    @property
    def title(self) -> str:
        """Basket, closes compared and how it was held."""
        held = "rebalanced daily" if self.rebalance == "daily" else "bought and held"
        return f"{self.basket}: {self.start_session} to {self.end_session}, {self.weight} weight, {held}"

    def facts(self) -> list[str]:
        """Return one line for every member that did not take part as the others did."""
        counts = {
            "not listed at the base session": self.n_not_listed, "without any price": self.n_no_data,
            "suspended at the end": self.n_suspended_at_end, "with approximate returns": self.n_approximate,
        }  # fmt: skip
        return [f"{self.n_used} of {self.n_members} members used"] + [f"{n} {what}" for what, n in counts.items() if n]

    def table(self) -> pd.DataFrame:
        """Return the returns and risks as one row of ratios."""
        import pandas as pd

        values = {name: getattr(self, name) for name in PERCENT}
        return pd.DataFrame([{"benchmark": self.benchmark, **values}])

    def _repr_html_(self) -> str:
        from aitheme.display import Rows, card

        return card(self.title, self.facts(), [Rows(self.table(), formats=PERCENT)])


def rebase(levels: pd.DataFrame, base: date) -> pd.DataFrame:
    """Divide each column by its last value on or before the base date.

    Parameters
    ----------
    levels
        Prices or levels, sessions x names.
    base
        Base date; a column without a value up to it becomes all missing.

    Returns
    -------
    pandas.DataFrame
        From the base session on, 1.0 there, as ratios.
    """
    known = levels.ffill().loc[: str(base)]
    if known.empty:
        raise DateRangeError(f"base: {base} lies before the first session of the data ({levels.index[0]:%Y-%m-%d})")
    return levels.loc[known.index[-1] :] / known.iloc[-1]


def basket_index(
    levels: pd.DataFrame,
    *,
    weight: Weight = "equal",
    rebalance: Rebalance = "none",
    caps: pd.Series[float] | None = None,
    approximate: tuple[str, ...] = (),
) -> BasketIndex:
    """Return a basket's index from its members' total-return levels.

    Parameters
    ----------
    levels
        Sessions x symbols, NaN where nothing traded; the first row is the base session. A member suspended there must
        carry its last level before it in that row, so that the base is its last known close.
    weight
        ``equal``, or ``cap`` with `caps` at the base.
    rebalance
        ``none``: bought at the base close and held; a suspended member keeps its last level. ``daily``: each session
        the mean return over the members that traded (weights renewed daily; the return after a suspension spans it).
    caps
        Market value by symbol at the base, for ``cap``.
    approximate
        Symbols whose returns are flagged approximate.

    Returns
    -------
    BasketIndex

    Raises
    ------
    DateRangeError
        No member has a price in the range.
    """
    import pandas as pd

    held = levels.ffill()
    no_data = tuple(levels.columns[levels.isna().all()])
    not_listed = tuple(name for name in levels.columns[levels.iloc[0].isna()] if name not in no_data)
    used = [name for name in levels.columns if name not in no_data and (rebalance == "daily" or name not in not_listed)]
    weights = _weights(used, weight, caps)
    used = [name for name in used if weights[name] > 0]
    if not used:
        raise DateRangeError(f"basket: none of its {levels.shape[1]} members has a price at {levels.index[0]:%Y-%m-%d}")
    share = np.array([weights[name] for name in used])
    if rebalance == "none":
        values = (held[used] / held[used].iloc[0]).to_numpy() @ (share / share.sum())
    else:
        values = _daily_rebalanced(levels[used], share)
    index = pd.Series(values, index=levels.index, name="index")
    traded = levels[used].notna()
    listed = held[used].notna()
    suspended = (listed & ~traded).sum(axis=1).rename("suspended")
    return BasketIndex(
        index, tuple(used), not_listed, no_data, suspended, tuple(name for name in used if name in approximate)
    )


def _weights(used: list[str], weight: Weight, caps: pd.Series[float] | None) -> dict[str, float]:
    if weight == "equal":
        return dict.fromkeys(used, 1.0)
    if caps is None:
        raise DateRangeError("weight: 'cap' needs share counts; this store has none, use --weight equal")
    return {name: float(caps.get(name, np.nan)) if np.isfinite(caps.get(name, np.nan)) else 0.0 for name in used}


def _daily_rebalanced(levels: pd.DataFrame, share: np.ndarray) -> np.ndarray:
    """Chain the weighted mean returns of the members that traded each session."""
    returns = (levels / levels.ffill().shift() - 1.0).to_numpy()
    valid = np.isfinite(returns)
    total = valid @ share
    mean = np.divide(np.where(valid, returns, 0.0) @ share, total, out=np.zeros(len(returns)), where=total > 0)
    return np.asarray(np.cumprod(1.0 + mean))


def drawdown(index: pd.Series[float]) -> pd.Series[float]:
    """Return the fall from the running peak at each session (ratio, zero or negative)."""
    return index / index.cummax() - 1.0


def performance(
    basket: str,
    index: BasketIndex,
    benchmark: pd.Series[float] | None,
    *,
    weight: Weight = "equal",
    rebalance: Rebalance = "none",
) -> Performance:
    """Summarise an index against a benchmark over the same sessions.

    Parameters
    ----------
    basket
        Name for the result.
    index
        From :func:`basket_index`.
    benchmark
        Closes of the benchmark on the same sessions, named by its symbol; None for no comparison.
    weight, rebalance
        Recorded with the result.
    """
    values = index.values
    daily = values.pct_change().iloc[1:]
    total = float(values.iloc[-1] / values.iloc[0] - 1.0)
    other: float | None = None
    if benchmark is not None:
        known = benchmark.ffill()
        other = float(known.iloc[-1] / known.iloc[0] - 1.0)
    two = 2
    return Performance(
        basket=basket,
        start_session=values.index[0].date(),
        end_session=values.index[-1].date(),
        weight=weight,
        rebalance=rebalance,
        benchmark=str(benchmark.name) if benchmark is not None else "",
        n_members=index.members,
        n_used=len(index.used),
        n_not_listed=len(index.not_listed),
        n_no_data=len(index.no_data),
        n_suspended_at_end=int(index.suspended.iloc[-1]),
        n_approximate=len(index.approximate),
        total_return=total,
        benchmark_return=other,
        excess_return=None if other is None else total - other,
        max_drawdown=float(drawdown(values).min()),
        volatility_annual=float(daily.std(ddof=1) * np.sqrt(SESSIONS_PER_YEAR)) if len(daily) >= two else None,
    )
