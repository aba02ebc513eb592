"""Forward PE through time: each session's price over the EPS that was known on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from aitheme.consensus import REBUILT, REPORTED, STATED_DAYS, WINDOW_DAYS, exchange_rates, first_forecast_years
from aitheme.errors import DateRangeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from aitheme.consensus import EstimateRecords

__all__ = [
    "REASONS",
    "ConsensusPath",
    "MissingPE",
    "basket_multiples",
    "consensus_path",
    "eps_of_year",
    "fiscal_years",
    "pe_reasons",
]

MissingPE = Literal["", "no price", "no estimate", "other currency", "EPS not positive"]
REASONS: Final[tuple[MissingPE, ...]] = ("no price", "no estimate", "other currency", "EPS not positive")
"""Why a session has no PE, the first that holds; an empty text where it has one."""


@dataclass(frozen=True, slots=True)
class ConsensusPath:
    """The consensus of :func:`aitheme.consensus.consensus_as_of`, on every session.

    Parameters
    ----------
    eps
        Earnings per share, sessions x (symbol, fiscal_year); NaN where nothing was on record.
    actual
        Whether it is an actual, same shape (bool).
    currency, source
        Same shape (text), None where there is no EPS.
    """

    eps: pd.DataFrame
    actual: pd.DataFrame
    currency: pd.DataFrame
    source: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Steps:
    """A value that holds from its day until the next one: days (n,) ascending, and parallel arrays (n,)."""

    days: np.ndarray
    eps: np.ndarray
    currency: np.ndarray
    source: np.ndarray

    def at(self, moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return for each moment the position of the last step, and its age in days (infinite without one)."""
        place = np.searchsorted(self.days, moments, side="right") - 1
        age = np.where(place >= 0, moments - self.days[np.maximum(place, 0)], np.inf)
        return np.maximum(place, 0), age


def consensus_path(
    records: EstimateRecords, sessions: pd.DatetimeIndex, window_days: int = WINDOW_DAYS
) -> ConsensusPath:
    """Return the consensus known on each session, by the rules of :mod:`aitheme.consensus`.

    Parameters
    ----------
    records
        What is on record; a row counts from its day of publication.
    sessions
        The sessions, ascending.
    window_days
        How long a broker's forecast counts.

    Raises
    ------
    DateRangeError
        `window_days` is not positive.
    """
    import pandas as pd

    if window_days <= 0:
        raise DateRangeError(f"window_days: {window_days} is not positive; give for example 180")
    moments = sessions.to_numpy().astype("datetime64[D]").astype(np.int64)
    stated = records.stated
    reported = _grouped(records.reported, ["published"], source=REPORTED)
    actual = _grouped(stated[stated["kind"] == "A"], ["published", "source"])
    estimate = _grouped(stated[stated["kind"] != "A"], ["published", "source"])
    brokers = _by_key(records.forecasts[records.forecasts["eps"].notna()])
    keys = sorted({*reported, *actual, *estimate, *brokers})
    layers = [
        _layers(moments, estimate.get(key), brokers.get(key), (actual.get(key), reported.get(key)), window_days)
        for key in keys
    ]
    names = ["symbol", "fiscal_year"]
    columns = pd.MultiIndex.from_tuples(keys, names=names) if keys else pd.MultiIndex.from_arrays([[], []], names=names)

    def frame(part: str) -> pd.DataFrame:
        stacked = {place: getattr(layer, part) for place, layer in enumerate(layers)}
        table = pd.DataFrame(stacked, index=sessions)
        table.columns = columns
        return table

    return ConsensusPath(frame("eps"), frame("actual"), frame("currency"), frame("source"))


class _Layers:
    """One symbol and year on every day; what counts more is laid over what counts less. Arrays (days,)."""

    def __init__(self, count: int) -> None:
        self.eps, self.actual = np.full(count, np.nan), np.zeros(count, dtype=bool)
        self.currency, self.source = np.full(count, None, dtype=object), np.full(count, None, dtype=object)

    def lay(self, where: np.ndarray, steps: _Steps, place: np.ndarray, *, actual: bool) -> None:
        self.eps[where], self.actual[where] = steps.eps[place[where]], actual
        self.currency[where], self.source[where] = steps.currency[place[where]], steps.source[place[where]]


def _layers(
    moments: np.ndarray,
    estimate: _Steps | None,
    brokers: pd.DataFrame | None,
    actuals: tuple[_Steps | None, ...],
    window_days: int,
) -> _Layers:
    result = _Layers(len(moments))
    if estimate is not None:
        place, age = estimate.at(moments)
        result.lay(np.isfinite(age), estimate, place, actual=False)
    if brokers is not None:
        eps, currency = _rebuilt(brokers, moments, window_days)
        daily = _Steps(moments, eps, currency, np.full(len(moments), REBUILT, dtype=object))
        result.lay(np.isfinite(eps), daily, np.arange(len(moments)), actual=False)
    if estimate is not None:
        result.lay(age < STATED_DAYS, estimate, place, actual=False)
    for known in actuals:
        if known is not None:
            place, age = known.at(moments)
            result.lay(np.isfinite(age), known, place, actual=True)
    return result


def _by_key(rows: pd.DataFrame) -> dict[tuple[str, int], pd.DataFrame]:
    groups: Any = rows.groupby(["symbol", "fiscal_year"], sort=False)
    return {(str(symbol), int(year)): part for (symbol, year), part in groups}


def _grouped(rows: pd.DataFrame, order: list[str], source: str | None = None) -> dict[tuple[str, int], _Steps]:
    """Return the steps of each symbol and year; of several on a day the first by source stands last, and counts."""
    usable = rows[rows["eps"].notna()]
    ordered = usable.sort_values(order, ascending=[True, False][: len(order)], kind="stable")
    return {key: _steps(part, source) for key, part in _by_key(ordered).items()}


def _steps(part: pd.DataFrame, source: str | None = None) -> _Steps:
    named = (
        np.full(len(part), source, dtype=object) if source or "source" not in part else part["source"].to_numpy(object)
    )
    return _Steps(
        part["published"].to_numpy(dtype="datetime64[D]").astype(np.int64), part["eps"].to_numpy(dtype=float),
        part["currency"].to_numpy(dtype=object), named,
    )  # fmt: skip


def _rebuilt(part: pd.DataFrame, moments: np.ndarray, window_days: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of the brokers' latest on each day and its currency: that of most brokers, then of the newest."""
    order = ["published", "report"] if "report" in part.columns else ["published"]
    ordered = part.sort_values(order, kind="stable")
    best_count = np.zeros(len(moments))
    best_newest = np.full(len(moments), -np.inf)
    mean, money = np.full(len(moments), np.nan), np.full(len(moments), None, dtype=object)
    for currency, rows in ordered.groupby("currency", sort=True, dropna=False):
        total, count = np.zeros(len(moments)), np.zeros(len(moments))
        newest = np.full(len(moments), -np.inf)
        for _, own in rows.groupby("broker", sort=False):
            steps = _steps(own)
            place, age = steps.at(moments)
            counts = age < window_days
            total += np.where(counts, steps.eps[place], 0.0)
            count += counts
            newest = np.where(counts, np.maximum(newest, steps.days[place]), newest)
        better = (count > best_count) | ((count == best_count) & (count > 0) & (newest > best_newest))
        mean = np.where(better, total / np.maximum(count, 1.0), mean)
        money[better] = currency if isinstance(currency, str) else None
        best_count, best_newest = np.where(better, count, best_count), np.where(better, newest, best_newest)
    return mean, money


def fiscal_years(path: ConsensusPath, symbols: list[str], fiscal_year: int | None = None) -> pd.DataFrame:
    """Return the fiscal year each session's PE is about, sessions x symbols.

    Parameters
    ----------
    path
        Consensus by session.
    symbols
        Columns of the answer.
    fiscal_year
        The same year throughout; by default FY1 then current, see :func:`aitheme.consensus.first_forecast_year`.
    """
    import pandas as pd

    index, columns = path.eps.index, pd.Index(symbols, name="symbol")
    if fiscal_year is not None:
        return pd.DataFrame(fiscal_year, index=index, columns=columns, dtype="int64")
    named = path.eps.columns.get_level_values("fiscal_year").to_numpy(dtype=np.int64)
    owner = path.eps.columns.get_level_values("symbol").to_numpy(dtype=object)
    reported = np.where(path.actual.to_numpy(), named, 0)
    last = np.stack([reported[:, owner == symbol].max(axis=1, initial=0) for symbol in symbols], axis=1)
    days = index.to_numpy().astype("datetime64[D]")[:, None]
    return pd.DataFrame(first_forecast_years(days, last), index=index, columns=columns)


def eps_of_year(
    path: ConsensusPath, years: pd.DataFrame, currency: Mapping[str, str], rates: Mapping[str, float] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the EPS known on each session for a fiscal year, in the trading currency.

    Parameters
    ----------
    path
        Consensus by session.
    years
        Fiscal year wanted, sessions x symbols.
    currency
        Trading currency by symbol.
    rates
        See :func:`aitheme.consensus.in_trading_currency`; one rate for all sessions.

    Returns
    -------
    tuple
        EPS, and whether one is on record in another currency for which no rate was given (bool); sessions x symbols.
    """
    import pandas as pd

    factors = exchange_rates(rates)
    eps, foreign = np.full(years.shape, np.nan), np.zeros(years.shape, dtype=bool)
    held: set[Any] = set(path.eps.columns)
    for column, symbol in enumerate(years.columns):
        wanted = years[symbol].to_numpy()
        for year in np.unique(wanted):
            if (symbol, int(year)) not in held:
                continue
            rows = wanted == year
            money = path.currency[symbol, int(year)].to_numpy(dtype=object)[rows]
            factor = np.array([_factor(given, currency.get(symbol), factors) for given in money], dtype=float)
            known = path.eps[symbol, int(year)].to_numpy()[rows]
            eps[rows, column] = known * factor
            foreign[rows, column] = np.isfinite(known) & np.isnan(factor)
    return tuple(pd.DataFrame(values, index=years.index, columns=years.columns) for values in (eps, foreign))  # type: ignore[return-value]


def _factor(given: object, held: str | None, factors: Mapping[str, float]) -> float:
    if not isinstance(given, str) or held is None or given == held:
        return 1.0
    return factors.get(given + held, np.nan)


def pe_reasons(price: pd.DataFrame, eps: pd.DataFrame, foreign: pd.DataFrame) -> pd.DataFrame:
    """Return why a session has no PE (:data:`MissingPE`), empty where it has one; sessions x symbols.

    Parameters
    ----------
    price, eps, foreign
        Price, EPS, and whether EPS is in a currency that could not be converted; sessions x symbols.
    """
    conditions = [price.isna(), eps.isna() & ~foreign, foreign, eps <= 0]
    result = price.astype(object)
    result[:] = np.select([part.to_numpy() for part in conditions], list(REASONS), default="")
    return result


def basket_multiples(price: pd.DataFrame, eps: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Return a basket's PE through time, aggregate and median.

    Parameters
    ----------
    price, eps, shares
        Sessions x symbols: price and EPS in one currency, total shares; NaN where missing.

    Returns
    -------
    pandas.DataFrame
        By session: ``aggregate`` (total value / total earnings with losses in, over the members with price, EPS and
        shares; NaN when total earnings are not positive), ``median`` of the positive PEs, ``n_members``, ``n_eps``
        (members with price and EPS) and ``n_loss`` (of those, EPS at or below zero).
    """
    import pandas as pd

    known = price.notna() & eps.notna()
    counted = known & shares.notna()
    earnings = (eps * shares).where(counted).sum(axis=1)
    value = (price * shares).where(counted).sum(axis=1)
    return pd.DataFrame(
        {
            "aggregate": (value / earnings.where(earnings > 0)).astype(float),
            "median": (price / eps.where(eps > 0)).median(axis=1),
            "n_members": price.shape[1],
            "n_eps": known.sum(axis=1),
            "n_loss": (known & (eps <= 0)).sum(axis=1),
        }
    )
