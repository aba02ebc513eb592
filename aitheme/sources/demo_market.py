"""One exchange of the simulated market: from profiles and factors to bars, and its indices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aitheme.sources import simulation as sim
from aitheme.sources.demo_universe import INDUSTRIES, MAINLAND, Days, IndexSpec, Profile, Shock
from aitheme.sources.simulation import Actions, Candles, Factors, Floats, Ints, Settled, Traits
from aitheme.symbols import PriceLimit, price_limit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

__all__ = ["CASH", "IndexBars", "Market", "index_bars", "market_factors", "simulate"]

CASH = 0.00006
"""Daily risk-free return (1.5 % a year)."""

_HOT = (np.datetime64("2023-01-30"), np.datetime64("2023-06-30"))
_HEAT = 2.2
_HOME_SHARE = {"XHKG": 0.6, "XNYS": 0.15}
_FIRST_SESSIONS = 5
_WIDEST = 30
_CALM_SESSIONS = 5
# Of the limit; the rest is room for a release's effect and for what earlier limits held back.
_CALM_SHARE = 0.25
_UNBROKEN = 30
_PAYOUT = {MAINLAND: 0.6, "XHKG": 0.5}
_LOTS = {MAINLAND: 100}
_SHARE_UNIT = 10_000
_INDEX_THEME = 0.5
_AMOUNT = 4.0e11

Draw = Callable[[np.random.Generator, int], Floats]


def market_factors(seed: int, exchange: str, days: Days, home: tuple[Days, Factors] | None = None) -> Factors:
    """Draw an exchange's factors; a foreign one shares part of its moves with `home` (sessions and factors)."""
    heat = np.where((days >= _HOT[0]) & (days <= _HOT[1]), _HEAT, 1.0)
    own = sim.draw_factors(seed, exchange, heat, INDUSTRIES)
    return own if home is None else sim.blend(own, days, home[1], home[0], _HOME_SHARE[exchange])


@dataclass(frozen=True, slots=True)
class Market:
    """A simulated exchange; arrays are (sessions, stocks), in the order of ``days`` and ``profiles``.

    ``total_shares`` and ``float_shares`` (stocks,) are counts on the last session, ``volume`` is in shares,
    ``turnover`` a ratio of the float of its day.
    """

    days: Days
    profiles: Sequence[Profile]
    factors: Factors
    traits: Traits
    actions: Actions
    settled: Settled
    candles: Candles
    adj_factor: Floats
    total_shares: Floats
    float_shares: Floats
    volume: Floats
    turnover: Floats


def simulate(seed: int, days: Days, profiles: Sequence[Profile], factors: Factors, shocks: Iterable[Shock]) -> Market:
    """Simulate an exchange.

    Parameters
    ----------
    seed
        Names the random streams, together with the symbols.
    days, profiles, factors
        What trades when, and what moves it.
    shocks
        Abnormal returns added to the fair returns.
    """
    symbols = [profile.symbol for profile in profiles]
    first, last = _listed(profiles, days)
    traits = sim.draw_traits(seed, symbols, np.array([profile.kin for profile in profiles]))
    up, down = _limits(profiles, days, first)
    actions = _actions(seed, profiles, days, first, last)
    returns = _returns(seed, profiles, factors, traits)
    _calm(returns, profiles, days, up)
    _inject(returns, symbols, days, shocks)
    level, steps = _levels(returns, profiles, days, traits, actions, first)
    before = np.exp(level[first, np.arange(len(symbols))] - np.where(first > 0, traits.pop, steps[0]))
    settled = sim.settle(level, actions, before, up, down)
    draws = _draws(seed, symbols, "candle", 4, len(days), sim.normal)
    candles = sim.candles(settled, steps, traits.noise, draws[:3])
    age = np.where(first > 0, np.arange(len(days))[:, None] - first, -1)
    rate = sim.turnover(traits, factors, steps, age, candles.locked, draws[3])
    supply = _traded(profiles, traits, actions, settled, rate)
    factor = sim.adjustment(settled, actions.ex)
    return Market(days, profiles, factors, traits, actions, settled, candles, factor, *supply)


def _listed(profiles: Sequence[Profile], days: Days) -> tuple[Ints, Ints]:
    """Return the first and last session (stocks,) on which each security is listed."""
    end = [np.datetime64("9999-01-01") if row.delisted is None else np.datetime64(row.delisted) for row in profiles]
    first = np.searchsorted(days, np.array([row.listed for row in profiles], dtype="datetime64[D]"))
    last = np.searchsorted(days, np.array(end, dtype="datetime64[D]")) - 1
    return first.astype(np.int64), last.astype(np.int64)


def _limits(profiles: Sequence[Profile], days: Days, first: Ints) -> tuple[Ints, Ints]:
    """Return upper and lower limits in whole percent, (sessions, stocks) each."""
    sessions: list[date] = days.tolist()
    regimes: dict[tuple[str, bool], Ints] = {}
    limits = np.empty((len(days), len(profiles), 2), dtype=np.int64)
    for column, row in enumerate(profiles):
        key = (row.board, row.st)
        if key not in regimes:
            regimes[key] = np.array([_percent(price_limit(row.symbol, day, st=row.st)) for day in sessions])
        limits[:, column] = regimes[key]
        start = int(first[column])
        if start > 0:
            for age, day in enumerate(sessions[start : start + _FIRST_SESSIONS], 1):
                limits[start + age - 1, column] = _percent(price_limit(row.symbol, day, st=row.st, listed_sessions=age))
    return limits[..., 0], limits[..., 1]


def _percent(limit: PriceLimit) -> tuple[int, int]:
    up = sim.FREE if limit.up is None else round(100 * limit.up)
    down = sim.FREE if limit.down is None else round(-100 * limit.down)
    return up, down


def _anchored(profiles: Sequence[Profile], days: Days) -> Iterator[tuple[int, int]]:
    """Yield column and row of each printed close."""
    for column, profile in enumerate(profiles):
        if profile.anchor is not None:
            yield column, int(np.searchsorted(days, np.datetime64(profile.anchor[0])))


def _actions(seed: int, profiles: Sequence[Profile], days: Days, first: Ints, last: Ints) -> Actions:
    """Draw corporate actions, none of them near a printed close."""
    exchange = profiles[0].exchange if profiles else MAINLAND
    years = days.astype("datetime64[Y]").astype(np.int64)
    symbols = [profile.symbol for profile in profiles]
    actions = sim.draw_actions(seed, symbols, years, first, last, payout=_PAYOUT.get(exchange, 0.0))
    for column, row in _anchored(profiles, days):
        near = slice(max(row - _UNBROKEN, 0), row + _UNBROKEN)
        actions.ex[near, column] = actions.split[near, column] = 1.0
        actions.trades[near, column] = True
    return actions


def _draws(seed: int, symbols: Sequence[str], kind: str, rows: int, count: int, draw: Draw) -> Floats:
    """Draw (rows, count, stocks) values, each stock from a stream of its own."""
    values = np.empty((len(symbols), rows, count))
    for column, symbol in enumerate(symbols):
        rng = sim.stream(seed, symbol, kind)
        # Session by session, so that a longer span repeats the shorter one's draws.
        values[column] = draw(rng, rows * count).reshape(count, rows).T
    return np.ascontiguousarray(values.transpose(1, 2, 0))


def _returns(seed: int, profiles: Sequence[Profile], factors: Factors, traits: Traits) -> Floats:
    symbols = [profile.symbol for profile in profiles]
    shocks = _draws(seed, symbols, "returns", 1, len(factors.theme), sim.student)[0]
    industry = np.array([INDUSTRIES.index(profile.industry) for profile in profiles], dtype=np.int64)
    return sim.stock_returns(factors, traits, industry, shocks, CASH)


def _calm(returns: Floats, profiles: Sequence[Profile], days: Days, up: Ints) -> None:
    """Bound returns, in place, before each printed close: it must be met, so no limit may hold anything back then."""
    for column, row in _anchored(profiles, days):
        bound = _CALM_SHARE * min(up[row, column], _WIDEST) / 100
        calm = slice(max(row - _CALM_SESSIONS + 1, 0), row + 1)
        returns[calm, column] = np.clip(returns[calm, column], -bound, bound)


def _inject(returns: Floats, symbols: Sequence[str], days: Days, shocks: Iterable[Shock]) -> None:
    """Add abnormal returns in place."""
    columns = {symbol: column for column, symbol in enumerate(symbols)}
    rows = {day: row for row, day in enumerate(days.tolist())}
    for shock in shocks:
        if shock.symbol in columns:
            returns[rows[shock.session], columns[shock.symbol]] += shock.effect


def _levels(
    returns: Floats, profiles: Sequence[Profile], days: Days, traits: Traits, actions: Actions, first: Ints
) -> tuple[Floats, Floats]:
    """Return log fair prices in cents and their steps, scaled to the printed closes where there are any."""
    pivot = np.maximum(first, len(days) // 2)
    price = traits.price.copy()
    pinned = np.zeros(len(profiles), dtype=bool)
    for column, row in _anchored(profiles, days):
        anchor = profiles[column].anchor
        assert anchor is not None
        pivot[column], price[column], pinned[column] = row, anchor[1], True
    return sim.fair_levels(returns, actions.ex, price, pivot, pinned)


def _traded(
    profiles: Sequence[Profile], traits: Traits, actions: Actions, settled: Settled, rate: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return total and floating shares on the last session, and volume and turnover in whole lots."""
    lot = np.array([_LOTS.get(profile.exchange, 1) for profile in profiles])
    total = np.rint(traits.value / (settled.close[-1] / 100) / _SHARE_UNIT) * _SHARE_UNIT
    floating = np.rint(total * traits.free / _SHARE_UNIT) * _SHARE_UNIT
    # Counts before a later bonus issue are smaller.
    growth = np.cumprod(actions.split, axis=0)
    available = floating * growth[-1] / growth
    volume = np.maximum(np.floor(rate * available / lot), 1) * lot
    return total, floating, volume, volume / available


@dataclass(frozen=True, slots=True)
class IndexBars:
    """Open, high, low and close in points, amount in CNY and trailing PE; (sessions,) each, NaN where not published."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    amount: Floats
    pe_trailing: Floats


def index_bars(seed: int, spec: IndexSpec, factors: Factors) -> IndexBars:
    """Compute an index from its loadings; event effects are not in it, so that abnormal returns keep their size."""
    count = len(factors.theme)
    noise, gap, top, bottom, busy = sim.stream(seed, spec.symbol, "index").standard_normal((count, 5)).T
    loadings = np.array([1.0, spec.smb, spec.hml, 0.0, 0.0, 0.0])
    returns = CASH + factors.styles @ loadings + spec.noise * noise
    if spec.industry is not None:
        returns += factors.industries[:, INDUSTRIES.index(spec.industry)] + _INDEX_THEME * factors.theme
    close = np.round(spec.base * np.cumprod(1 + returns), 2)
    prior = np.concatenate([[spec.base], close[:-1]])
    first = np.round(prior * (1 + 0.2 * returns + 0.002 * gap), 2)
    high = np.round(np.maximum(first, close) * (1 + 0.003 * np.abs(top)), 2)
    low = np.round(np.minimum(first, close) * (1 - 0.003 * np.abs(bottom)), 2)
    blank = np.full(count, np.nan)
    amount = np.round(_AMOUNT * factors.volatility * np.exp(0.1 * busy), 2) if spec.pe > 0 else blank
    # Earnings grow by 8 % a year, so that the multiple moves with prices.
    pe = np.round(spec.pe * close / spec.base / np.exp(0.08 * np.arange(count) / 244), 2) if spec.pe > 0 else blank
    return IndexBars(first, high, low, close, amount, pe)
