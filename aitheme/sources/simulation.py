"""A simulated stock market in plain numpy: factor returns, prices under the exchanges' rules, candles and turnover.

Arrays are (sessions, stocks). Prices are integer cents, so that limits and rounding are exact; returns are ratios.
The fair level of a stock moves freely; its close is that level where the daily limits allow it and the limit where they
do not. What a limit holds back therefore spills into the next sessions until it is released.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "STYLES",
    "Actions", "Candles", "Factors", "Settled", "Traits",
    "adjustment", "blend", "candles", "draw_actions", "draw_factors", "draw_traits", "fair_levels", "normal", "settle",
    "stock_returns", "stream", "student", "turnover",
]  # fmt: skip

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

STYLES = ("mkt_rf", "smb", "hml", "umd", "rmw", "cma")
FREE = 10**6
"""A limit in percent that no price reaches: no limit."""

_STYLE_VOLATILITY = (0.0105, 0.0070, 0.0050, 0.0060, 0.0035, 0.0035)
_INDUSTRY_VOLATILITY = 0.0065
_THEME_VOLATILITY = 0.0125
_MARKET_PREMIUM = 0.0003
_FACTOR_TAIL = 6.0
_OWN_TAIL = 4.0
_GARCH = (0.05, 0.93)
_GARCH_CEILING = 4.0
_WORST_RETURN = -0.5
_LOWEST_PRICE = 250.0
_BLANK_SESSIONS = 60
_SUSPENDED = 0.05
_EX_SESSIONS = (70, 145)
# One payer in 25 also issues 3, 4, 5 or 10 new shares for 10 old ones.
_BONUS = {0: 10 / 13, 1: 10 / 14, 2: 10 / 15, 3: 10 / 20}


def stream(seed: int, *names: str) -> np.random.Generator:
    """Return the random stream of a name, so that adding a symbol leaves every other symbol's draws alone."""
    digest = hashlib.sha256("|".join(names).encode()).digest()
    words = np.frombuffer(digest[:16], dtype="<u4")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words.tolist()])))


def student(rng: np.random.Generator, count: int, tail: float = _OWN_TAIL) -> Floats:
    """Draw fat-tailed shocks with unit variance; `tail` are Student's degrees of freedom."""
    shocks: Floats = rng.standard_t(tail, count)
    return shocks * float(np.sqrt((tail - 2) / tail))


def normal(rng: np.random.Generator, count: int) -> Floats:
    """Draw standard normal values."""
    return rng.standard_normal(count)


@dataclass(frozen=True, slots=True)
class Factors:
    """Daily factor returns of one market, in ratios.

    Parameters
    ----------
    styles
        (sessions, 6), columns as :data:`STYLES`.
    theme
        (sessions,), common to the theme's names.
    industries
        (sessions, industries).
    volatility
        (sessions,), market volatility relative to its long-run level.
    heat
        (sessions,), how much wilder than usual the theme is.
    """

    styles: Floats
    theme: Floats
    industries: Floats
    volatility: Floats
    heat: Floats


def _conditional_volatility(shocks: Floats) -> Floats:
    """Return GARCH(1,1) volatility of unit-variance shocks (sessions, series), long-run level 1."""
    alpha, beta = _GARCH
    variance = np.ones(shocks.shape[1])
    result = np.empty_like(shocks)
    for row, squared in enumerate(shocks**2):
        result[row] = variance
        variance = np.minimum(1 - alpha - beta + (alpha * squared + beta) * variance, _GARCH_CEILING)
    return np.sqrt(result)


def draw_factors(seed: int, market: str, heat: Floats, industries: Sequence[str]) -> Factors:
    """Draw a market's factor returns.

    Parameters
    ----------
    seed, market
        Name the random streams.
    heat
        (sessions,), multiplies the theme factor's volatility, and part of it the own volatility of its names.
    industries
        Industry names, one factor each.
    """
    names = (*STYLES, "theme", *industries)
    shocks = np.column_stack([student(stream(seed, market, "factor", name), len(heat), _FACTOR_TAIL) for name in names])
    volatility = _conditional_volatility(shocks)
    scale = np.array([*_STYLE_VOLATILITY, _THEME_VOLATILITY, *[_INDUSTRY_VOLATILITY] * len(industries)])
    values = shocks * volatility * scale
    width = len(STYLES)
    values[:, 0] += _MARKET_PREMIUM
    return Factors(values[:, :width], values[:, width] * heat, values[:, width + 1 :], volatility[:, 0], heat)


def blend(
    own: Factors, own_days: NDArray[np.datetime64], home: Factors, home_days: NDArray[np.datetime64], share: float
) -> Factors:
    """Let a share of a market's and theme's moves come from the home market on the days on which both trade."""
    _, mine, theirs = np.intersect1d(own_days, home_days, assume_unique=True, return_indices=True)
    rest = np.sqrt(1 - share**2)
    styles, theme = own.styles.copy(), own.theme.copy()
    styles[mine, 0] = share * home.styles[theirs, 0] + rest * own.styles[mine, 0]
    theme[mine] = share * home.theme[theirs] + rest * own.theme[mine]
    return Factors(styles, theme, own.industries, own.volatility, own.heat)


@dataclass(frozen=True, slots=True)
class Traits:
    """What a stock is like; every array is (stocks,), ``styles`` (stocks, 6).

    ``value`` is the market value on the last session, ``price`` the price aimed at on the pivot session (both in the
    trading currency), ``noise`` the daily volatility of the stock's own shocks, ``activity`` the usual turnover
    (ratio), ``free`` the floating share of the capital, ``pop`` the log distance from issue price to fair level.
    """

    styles: Floats
    theme: Floats
    noise: Floats
    value: Floats
    price: Floats
    activity: Floats
    free: Floats
    pop: Floats


def draw_traits(seed: int, symbols: Sequence[str], kin: Floats) -> Traits:
    """Draw the traits of stocks.

    Parameters
    ----------
    seed, symbols
        Name the random streams.
    kin
        (stocks,), how close a stock is to the theme: 1 for its names, 0 for a stranger.
    """
    draws = np.array([stream(seed, symbol, "traits").standard_normal(12) for symbol in symbols]).reshape(-1, 12).T
    size = 9.75 + 0.4 * kin + 0.45 * draws[0]
    styles = np.stack(
        [
            1.0 + 0.15 * draws[1],
            # Small companies load on the size factor; the index of large ones does not, hence correlated residuals.
            np.clip(0.9 - 0.7 * (size - 9.75), -0.2, 1.6) + 0.15 * draws[2],
            -0.3 * kin + 0.35 * draws[3],
            0.25 * draws[4],
            0.30 * draws[5],
            0.30 * draws[6],
        ],
        axis=1,
    )
    return Traits(
        styles=styles,
        theme=kin * np.clip(1.0 + 0.2 * draws[7], 0.4, 1.6),
        noise=np.clip(0.023 + 0.004 * kin + 0.004 * draws[8], 0.012, 0.040),
        value=10.0**size,
        price=np.clip(17.0 * np.exp(0.6 * draws[9]), 6.0, 120.0),
        activity=np.exp(np.log(0.015) + 0.4 * draws[10]),
        free=np.clip(0.7 + 0.2 * draws[11], 0.3, 1.0),
        pop=0.7 + 0.3 * np.tanh(draws[9] - draws[8]),
    )


def stock_returns(factors: Factors, traits: Traits, industry: Ints, shocks: Floats, cash: float) -> Floats:
    """Return fair total returns (ratios): cash, style, industry and theme factors, and the stocks' own shocks.

    Parameters
    ----------
    factors, traits
        As drawn.
    industry
        (stocks,), column of ``factors.industries``.
    shocks
        (sessions, stocks), unit variance.
    cash
        Daily risk-free return.
    """
    # The stocks' own news is wilder when the market or the theme is, but less so than the common factor.
    mood = 1.0 + 0.4 * (factors.heat[:, None] - 1.0) * np.minimum(traits.theme, 1.0)
    own = shocks * traits.noise * mood * np.sqrt(factors.volatility)[:, None]
    common = factors.styles @ traits.styles.T + factors.theme[:, None] * traits.theme + factors.industries[:, industry]
    return np.maximum(cash + common + own, _WORST_RETURN)


@dataclass(frozen=True, slots=True)
class Actions:
    """Corporate actions, (sessions, stocks) each.

    ``ex`` is the ratio by which the reference price falls on an ex-date, ``split`` the part of it that comes from new
    shares (10转N: 10 / (10 + N)); both 1 elsewhere. ``trades`` is False where there is no bar.
    """

    ex: Floats
    split: Floats
    trades: Bools


def draw_actions(seed: int, symbols: Sequence[str], years: Ints, first: Ints, last: Ints, *, payout: float) -> Actions:
    """Draw dividends, bonus issues and suspensions.

    Parameters
    ----------
    seed, symbols
        Name the random streams.
    years
        (sessions,), the year of each session.
    first, last
        (stocks,), first and last session with a listing.
    payout
        Probability that a stock pays a dividend in a year.
    """
    count = len(years)
    ex, split = np.ones((count, len(symbols))), np.ones((count, len(symbols)))
    trades: Bools = (np.arange(count)[:, None] >= first) & (np.arange(count)[:, None] <= last)
    starts = np.unique(years, return_index=True)[1].tolist()
    for column, symbol in enumerate(symbols):
        rng = stream(seed, symbol, "actions")
        gap, at, length = rng.random(), rng.random(), rng.choice([1, 3, 6, 10, 10, 20])
        begin = first[column] + _BLANK_SESSIONS + int(at * (count - first[column]))
        if gap < _SUSPENDED:
            trades[begin : begin + length, column] = False
        for start in starts:
            pays, when, amount, bonus = rng.random(), rng.integers(*_EX_SESSIONS), rng.standard_normal(), rng.random()
            row = int(start + when)
            if pays < payout and first[column] + _BLANK_SESSIONS < row < count and trades[row, column]:
                split[row, column] = _BONUS.get(int(bonus * 100), 1.0)
                ex[row, column] = split[row, column] * (1.0 - min(0.012 * np.exp(0.6 * amount), 0.05))
    return Actions(ex, split, trades)


def fair_levels(returns: Floats, ex: Floats, price: Floats, pivot: Ints, pinned: Bools) -> tuple[Floats, Floats]:
    """Return log fair prices in cents, and their daily log steps without ex-date drops.

    Parameters
    ----------
    returns
        (sessions, stocks), fair total returns.
    ex
        Ratios of :class:`Actions`.
    price
        (stocks,), price on the pivot session.
    pivot
        (stocks,), session on which `price` holds.
    pinned
        (stocks,), whether `price` is to hold exactly; otherwise a path that falls too low is lifted as a whole.
    """
    steps = np.log1p(returns)
    path = np.cumsum(steps + np.log(ex), axis=0)
    level = path - path[pivot, np.arange(path.shape[1])] + np.log(100.0 * price)
    lift = np.maximum(np.log(_LOWEST_PRICE) - level.min(axis=0), 0.0)
    return level + np.where(pinned, 0.0, lift), steps


@dataclass(frozen=True, slots=True)
class Settled:
    """Prices after the limits, integer cents, (sessions, stocks).

    ``prior`` is the last close before the session, ``reference`` the same after an ex-date's drop, to which the limits
    ``upper`` and ``lower`` refer, ``fair`` the rounded fair price, ``close`` the fair price between the limits.
    """

    prior: Ints
    reference: Ints
    lower: Ints
    upper: Ints
    fair: Ints
    close: Ints


def settle(level: Floats, actions: Actions, before: Floats, up: Ints, down: Ints) -> Settled:
    """Run the sessions in order: each close is the fair price, clipped to limits around the previous close.

    Parameters
    ----------
    level
        Log fair prices in cents.
    actions
        Ex-dates and the sessions that trade.
    before
        (stocks,), price in cents before the first session: the issue price of a new listing.
    up, down
        Limits in whole percent, :data:`FREE` for none.
    """
    fair = np.maximum(np.rint(np.exp(level)), 1).astype(np.int64)
    prior, reference, lower, upper, close = (np.empty_like(fair) for _ in range(5))
    last = np.maximum(np.rint(before), 1).astype(np.int64)
    for row in range(len(fair)):
        prior[row] = last
        base = np.rint(last * actions.ex[row]).astype(np.int64)
        # Half a cent rounds up, as the exchanges compute limits.
        low = np.where(down[row] == FREE, 1, (base * (100 - down[row]) + 50) // 100)
        high = (base * (100 + up[row]) + 50) // 100
        last = np.where(actions.trades[row], np.clip(fair[row], low, high), last)
        reference[row], lower[row], upper[row], close[row] = base, low, high, last
    return Settled(prior, reference, lower, upper, fair, close)


def adjustment(settled: Settled, ex: Floats) -> Floats:
    """Return the cumulative factor that makes close x factor a total-return level: prior close / ex reference."""
    drops = np.where(ex < 1.0, settled.prior / settled.reference, 1.0)
    return np.cumprod(drops, axis=0).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Candles:
    """Open, high and low in cents, and whether a session was locked at a limit from open to close."""

    open: Ints
    high: Ints
    low: Ints
    locked: Bools


def candles(settled: Settled, steps: Floats, noise: Floats, draws: Floats) -> Candles:
    """Put opens, highs and lows around the closes, within the limits.

    Parameters
    ----------
    settled
        Prices of the sessions.
    steps
        Log moves of the fair level on each session.
    noise
        (stocks,), daily volatility.
    draws
        (4, sessions, stocks), standard normal.
    """
    reference = settled.reference.astype(np.float64)
    # What earlier limits or a suspension held back is there at the open; today's news comes in part.
    carried = np.log(settled.fair / reference) - steps
    gap = carried + 0.3 * steps + 0.3 * noise * draws[0]
    start = np.clip(np.rint(reference * np.exp(gap)).astype(np.int64), settled.lower, settled.upper)
    locked: Bools = ((settled.close == settled.upper) & (carried > np.log(settled.upper / reference))) | (
        (settled.close == settled.lower) & (carried < np.log(settled.lower / reference))
    )
    start = np.where(locked, settled.close, start)
    reach = np.where(locked, 0.0, 0.4 * noise)
    top = np.maximum(start, settled.close) * np.exp(reach * np.abs(draws[1]))
    bottom = np.minimum(start, settled.close) * np.exp(-reach * np.abs(draws[2]))
    high = np.minimum(np.rint(top).astype(np.int64), settled.upper)
    low = np.maximum(np.rint(bottom).astype(np.int64), settled.lower)
    return Candles(start, high, low, locked)


def turnover(traits: Traits, factors: Factors, steps: Floats, age: Ints, locked: Bools, draws: Floats) -> Floats:
    """Return turnover (ratio of the float): high after large moves and new listings, low when locked at a limit."""
    surprise = np.minimum(np.abs(steps) / traits.noise, 4.0)
    mood = np.empty_like(draws)
    state = np.zeros(draws.shape[1])
    for row, fresh in enumerate(draws):
        state = 0.9 * state + 0.2 * fresh
        mood[row] = state
    young = np.where(age >= 0, 2.5 * np.exp(-np.maximum(age, 0) / 15.0), 0.0)
    crowd = 0.5 * np.log(factors.volatility)[:, None]
    log = np.log(traits.activity) + 0.3 * (surprise - 1.0) + mood + crowd + young - 1.9 * locked
    return np.clip(np.exp(log), 1e-4, 0.5)
