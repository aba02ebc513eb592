"""Forward PE through time: each session's price over the EPS that was known on it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from aitheme.consensus import (
    REBUILT,
    REPORTED,
    STATED_DAYS,
    WINDOW_DAYS,
    exchange_rates,
    first_forecast_years,
    forecast_order,
)
from aitheme.errors import DateRangeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    reported = _by_key(records.reported, REPORTED)
    actual = _by_key(stated[stated["kind"] == "A"])
    estimate = _by_key(stated[stated["kind"] != "A"])
    brokers = _spells_by_key(records.forecasts, moments, window_days)
    keys = sorted({*reported, *actual, *estimate, *brokers})
    layers = [
        _layers(moments, estimate.get(key), brokers.get(key), (actual.get(key), reported.get(key))) for key in keys
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
    brokers: list[_Spells] | None,
    actuals: tuple[_Steps | None, ...],
) -> _Layers:
    result = _Layers(len(moments))
    if estimate is not None:
        place, age = estimate.at(moments)
        result.lay(np.isfinite(age), estimate, place, actual=False)
    if brokers is not None:
        eps, currency = _rebuilt(brokers, len(moments))
        daily = _Steps(moments, eps, currency, np.full(len(moments), REBUILT, dtype=object))
        result.lay(np.isfinite(eps), daily, np.arange(len(moments)), actual=False)
    if estimate is not None:
        result.lay(age < STATED_DAYS, estimate, place, actual=False)
    for known in actuals:
        if known is not None:
            place, age = known.at(moments)
            result.lay(np.isfinite(age), known, place, actual=True)
    return result


def _by_key(rows: pd.DataFrame, source: str | None = None) -> dict[tuple[str, int], _Steps]:
    """Return the steps of each symbol and year; of several on a day the first by source stands last, and counts."""
    usable = rows[rows["eps"].notna()]
    order = ["symbol", "fiscal_year", "published", *([] if source else ["source"])]
    ordered = usable.sort_values(order, ascending=[True, True, True, False][: len(order)], kind="stable")
    days, eps = _days(ordered["published"]), ordered["eps"].to_numpy(dtype=float)
    named = np.full(len(ordered), source, dtype=object) if source else ordered["source"].to_numpy(dtype=object)
    arrays = (days, eps, ordered["currency"].to_numpy(dtype=object), named)
    return {key: _Steps(*(values[part] for values in arrays)) for key, part in _runs(ordered)}


def _days(published: pd.Series[Any]) -> np.ndarray:
    return published.to_numpy(dtype="datetime64[D]").astype(np.int64)


def _runs(ordered: pd.DataFrame) -> Iterator[tuple[tuple[str, int], slice]]:
    """Yield each symbol and year of sorted rows with the rows it spans."""
    symbols = ordered["symbol"].to_numpy(dtype=object)
    years = ordered["fiscal_year"].to_numpy(dtype=np.int64)
    if not len(years):
        return
    first = np.flatnonzero(np.append(True, (symbols[1:] != symbols[:-1]) | (years[1:] != years[:-1])))
    for start, stop in zip(first, np.append(first[1:], len(years)), strict=True):
        yield (str(symbols[start]), int(years[start])), slice(int(start), int(stop))


@dataclass(frozen=True, slots=True)
class _Spells:
    """Forecasts in one currency and the sessions on which each is its broker's latest; arrays (n,)."""

    currency: object
    days: np.ndarray
    eps: np.ndarray
    start: np.ndarray
    stop: np.ndarray


def _spells_by_key(
    forecasts: pd.DataFrame, moments: np.ndarray, window_days: int
) -> dict[tuple[str, int], list[_Spells]]:
    """Return the forecasts of each symbol and year by currency, in order of its name, none last."""
    usable = forecasts[forecasts["eps"].notna()]
    if usable.empty:
        return {}
    cell, broker, order = forecast_order(usable)
    rows = usable.iloc[order]
    days, eps, currency = (
        _days(rows["published"]), rows["eps"].to_numpy(dtype=float), rows["currency"].to_numpy(dtype=object)
    )  # fmt: skip
    renewed = np.append((cell[1:] == cell[:-1]) & (broker[1:] == broker[:-1]), False)
    until = np.where(renewed, np.minimum(np.append(days[1:], 0), days + window_days), days + window_days)
    start, stop = np.searchsorted(moments, days), np.searchsorted(moments, until)
    result: dict[tuple[str, int], list[_Spells]] = {}
    for key, part in _runs(rows):
        bounds = part.start + np.flatnonzero(np.append(True, np.diff(cell[part]) != 0))
        pieces = [slice(low, high) for low, high in pairwise((*bounds, part.stop))]
        result[key] = [_Spells(currency[p.start], days[p], eps[p], start[p], stop[p]) for p in pieces]
    return result


def _rebuilt(currencies: list[_Spells], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of the brokers' latest on each session and its currency: that of most brokers, then of the newest."""
    best_count, best_newest = np.zeros(count), np.full(count, -np.inf)
    mean, money = np.full(count, np.nan), np.full(count, None, dtype=object)
    for spells in currencies:
        length = spells.stop - spells.start
        row = np.repeat(np.arange(len(length)), length)
        session = np.arange(len(row)) - np.repeat(np.cumsum(length) - length - spells.start, length)
        brokers = np.bincount(session, minlength=count).astype(float)
        total = np.bincount(session, spells.eps[row], minlength=count)
        newest = np.full(count, -np.inf)
        np.maximum.at(newest, session, spells.days[row])
        better = (brokers > best_count) | ((brokers == best_count) & (brokers > 0) & (newest > best_newest))
        mean = np.where(better, total / np.maximum(brokers, 1.0), mean)
        money[better] = spells.currency if isinstance(spells.currency, str) else None
        best_count, best_newest = np.where(better, brokers, best_count), np.where(better, newest, best_newest)
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
