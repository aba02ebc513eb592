"""Test statistics of many baskets on many dates: portfolio tests vectorised, per-stock tests by the library's kernels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import stdtr

from aitheme.eventstudy.battery import run_tests
from aitheme.eventstudy.fitting import fit_events, least_days
from aitheme.eventstudy.inference import event_portfolio
from aitheme.eventstudy.inputs import make_data
from aitheme.eventstudy.portfolio import DECAY as RANDOMISATION_DECAY
from aitheme.eventstudy.randomisation import LEAST_PLACEBOS, PlaceboRules, Portfolio, randomise_dates
from aitheme.eventstudy.sample import make_sample
from aitheme.eventstudy.volatility import DECAY, volatility_scaled
from aitheme.eventstudy.windows import Event, make_design

ESTIMATION = (250, 30)
HEADLINE, EVENING, PLACEBO = "headline", "headline, that evening", "randomisation_dates"
CRUDE = "crude_dependence_exact_t"
PER_STOCK = (
    "cross_sectional_t",
    "patell",
    "adj_patell",
    "bmp",
    "adj_bmp",
    CRUDE,
    "generalised_sign",
    "corrado_rank",
    "grank_t",
)
TOLERANCE = 1e-10


@dataclass(frozen=True)
class Scaled:
    """Standard error of a CAR and its degrees of freedom, (T, P), NaN where the design does not fit."""

    error: np.ndarray
    df: np.ndarray


class Market:
    """The market model of P portfolios, estimated on every date at once from prefix sums.

    Parameters
    ----------
    returns, regressor
        Shape (T, P); only the first session may be missing.
    """

    def __init__(self, returns: np.ndarray, regressor: np.ndarray) -> None:
        rows = np.stack([returns, np.ones_like(returns), regressor], axis=-1)
        valid = np.isfinite(rows).all(axis=-1)
        if not valid[1:].all():
            raise ValueError(f"{int((~valid[1:]).sum())} portfolio days have no return; vectorised sums need all")
        self.returns, self.regressor = returns, regressor
        self.rows = np.where(valid[..., None], rows, 0.0)
        self.moments = self.rows[..., :, None] * self.rows[..., None, :]

    @cached_property
    def positions(self) -> np.ndarray:
        """Dates with a whole estimation window."""
        return np.arange(sum(ESTIMATION) - 1, len(self.rows))

    @cached_property
    def inverse(self) -> np.ndarray:
        return np.linalg.inv(self._estimation[..., 1:, 1:])

    @cached_property
    def residual(self) -> np.ndarray:
        """(1, -b): its product with (r, 1, x) is the prediction error."""
        slope = np.einsum("tpij,tpj->tpi", self.inverse, self._estimation[..., 1:, 0])
        return np.concatenate([np.ones((*slope.shape[:2], 1)), -slope], axis=-1)

    @cached_property
    def _estimation(self) -> np.ndarray:
        total = _prefix(self.moments)
        first = self.positions - sum(ESTIMATION) + 1
        return total[first + ESTIMATION[0]] - total[first]

    def abnormal(self, window: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """CAR and forecast correction C by date, (T, P)."""
        total = _prefix(self.rows)
        place = self.positions[self.positions + window[1] < len(self.rows)]
        sums = total[place + window[1] + 1] - total[place + window[0]]
        keep = slice(0, place.size)
        quadratic = np.einsum("tpi,tpij,tpj->tp", sums[..., 1:], self.inverse[keep], sums[..., 1:], optimize=True)
        car = np.einsum("tpi,tpi->tp", self.residual[keep], sums)
        return self._spread(car), self._spread(window[1] - window[0] + 1 + quadratic)

    def nearby(self, window: tuple[int, int], *, both: bool, decay: float = DECAY) -> Scaled:
        """The headline's standard error: nearby volatility, before the window or on both sides of it."""
        place = self.positions[self.positions + window[1] < len(self.rows)]
        one = self.moments[:, :1, 1, 1]
        squares, weight, square_weight = (
            _discounted(values, rate)[place + window[0]]
            for values, rate in ((self.moments, decay), (one, decay), (one, decay**2))
        )
        if both:
            left = len(self.rows) - (place + window[1] + 1)  # sessions after the window
            squares += _discounted(self.moments[::-1], decay)[left]
            weight += _discounted(one[::-1], decay)[left]
            square_weight += _discounted(one[::-1], decay**2)[left]
        residual = self.residual[: place.size]
        variance = np.einsum("tpi,tpij,tpj->tp", residual, squares, residual, optimize=True) / weight
        freedom = np.broadcast_to(weight**2 / square_weight, variance.shape)
        return Scaled(np.sqrt(self._spread(variance) * self.abnormal(window)[1]), self._spread(freedom))

    def crude(self, window: tuple[int, int]) -> Scaled:
        """The exact crude-dependence standard error of the portfolio: estimation-window volatility."""
        squares = np.einsum("tpi,tpij,tpj->tp", self.residual, self._estimation, self.residual, optimize=True)
        freedom = self._estimation[..., 1, 1] - 2.0
        return Scaled(np.sqrt(self._spread(squares / freedom) * self.abnormal(window)[1]), self._spread(freedom))

    def portfolio(self, basket: int, position: int) -> Portfolio:
        """One portfolio as the library's tests take it."""
        series = self.returns[:, basket]
        return Portfolio(position, series, self.regressor[:, basket], estimated=True, share=np.ones(series.size))

    def _spread(self, values: np.ndarray) -> np.ndarray:
        out = np.full(self.returns.shape, np.nan)
        out[self.positions[: len(values)]] = values
        return out


def p_value(statistic: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    return 2.0 * stdtr(freedom, -np.abs(statistic))


def placebo_p(statistic: np.ndarray, length: int, allowed: np.ndarray) -> np.ndarray:
    """Randomisation over earlier dates: rank of |T| among the dates whose window ends before this one starts."""
    size = np.abs(statistic)
    pool = np.where(allowed[:, None] & np.isfinite(size), size, -1.0)
    p = np.full(size.shape, np.nan)
    for day in range(length, len(size)):
        past = pool[: day - length + 1]
        number = (past >= 0.0).sum(axis=0)
        beyond = (past >= size[day]).sum(axis=0)
        usable = np.isfinite(size[day]) & (number >= LEAST_PLACEBOS)
        p[day] = np.where(usable, (1.0 + beyond) / (number + 1.0), np.nan)
    return p


def portfolio_p(market: Market, window: tuple[int, int], allowed: np.ndarray) -> dict[str, np.ndarray]:
    """p-values (T, P) of the headline, of the one that evening, and of the randomisation over earlier dates."""
    car, _ = market.abnormal(window)
    found = {}
    for name, both in ((HEADLINE, True), (EVENING, False)):
        scale = market.nearby(window, both=both)
        found[name] = p_value(car / scale.error, scale.df)
    ewma = market.nearby(window, both=False, decay=RANDOMISATION_DECAY)
    found[PLACEBO] = placebo_p(car / ewma.error, window[1] - window[0] + 1, allowed)
    return found


def power_p(market: Market, window: tuple[int, int], effect: float) -> dict[str, np.ndarray]:
    """p-values after an effect is added inside the window, which enters no standard error."""
    car = market.abnormal(window)[0] + effect
    scales = {HEADLINE: market.nearby(window, both=True), EVENING: market.nearby(window, both=False)}
    scales[CRUDE] = market.crude(window)
    return {name: p_value(car / scale.error, scale.df) for name, scale in scales.items()}


def cross_check(market: Market, window: tuple[int, int], number: int, rng: np.random.Generator) -> float:
    """Largest difference from the library's own headline on random (basket, date) pairs."""
    design = make_design(window, ESTIMATION)
    scopes = design.scopes(by_day=False)
    car, _ = market.abnormal(window)
    scale = {side: market.nearby(window, both=side == "both") for side in ("both", "before")}
    days = np.flatnonzero(np.isfinite(car[:, 0]))
    worst = 0.0
    for _ in range(number):
        day, basket = int(rng.choice(days)), int(rng.integers(car.shape[1]))
        for side, error in scale.items():
            found = volatility_scaled([market.portfolio(basket, day)], scopes, design, side=side)
            ours = (car / error.error)[day, basket], p_value(car / error.error, error.df)[day, basket]
            worst = max(worst, *np.abs(np.subtract(ours, (found.statistic[-1], found.p_value[-1]))))
    return worst


def check_placebos(market: Market, window: tuple[int, int], avoid: np.ndarray, p: np.ndarray, day: int) -> float:
    """Difference of one basket's placebo p-value from the library's randomisation over dates."""
    design = make_design(window, ESTIMATION)
    rules = PlaceboRules(side="before", avoid=avoid, least_days=125, nearest=None, draws=10**6, seed=0)
    found = randomise_dates([market.portfolio(0, day)], design.scopes(by_day=False), window, ESTIMATION, rules)
    return abs(float(found.p_value[-1] - p[day, 0]))


class PerStock:
    """Classical tests by per-stock regressions, one (basket, date) at a time, through the library's kernels."""

    def __init__(self, returns, benchmark, name: str) -> None:
        self.model = "industry" if name == "industry" else "market"
        self.data = make_data(returns, model=self.model, benchmark=benchmark, benchmark_name=name)

    def study(self, symbols: tuple[str, ...], position: int, window: tuple[int, int]):
        """Fit one event and make its sample."""
        design = make_design(window, ESTIMATION)
        scopes = design.scopes(by_day=False)
        event = Event("placebo", self.data.sessions[position], symbols)
        fitted = fit_events(self.data, [event], [], design, scopes, least_days(None, design, self.data))
        return make_sample([fitted[0].fit], [0], scopes), fitted[0], design, scopes

    def p_values(self, symbols: tuple[str, ...], position: int, window: tuple[int, int]) -> np.ndarray:
        sample, *_ = self.study(symbols, position, window)
        found = run_tests(sample, PER_STOCK)
        return np.array([found[name].p_value[-1] for name in PER_STOCK])

    def example(self, symbols: tuple[str, ...], position: int, window: tuple[int, int]) -> dict[str, object]:
        """One study for the written example: dependence, classical tests and the headline."""
        sample, fitted, design, scopes = self.study(symbols, position, window)
        found = run_tests(sample, PER_STOCK)
        portfolio = event_portfolio(self.data, fitted)
        for name, side in ((HEADLINE, "both"), (EVENING, "before")):
            found[name] = volatility_scaled([portfolio], scopes, design, side=side)
        tests = {name: (value.statistic[-1], value.p_value[-1]) for name, value in found.items()}
        caar = sample.car[-1][sample.car_valid[-1]].mean()
        return {"n": sample.n, "caar": caar, "rbar": sample.dependence.rbar, "n_eff": sample.dependence.n_eff} | tests


def _prefix(values: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])


def _discounted(values: np.ndarray, decay: float) -> np.ndarray:
    """Row t: sum over s < t of decay^(t-1-s) values[s]."""
    out = np.zeros((len(values) + 1, *values.shape[1:]))
    for t, row in enumerate(values):
        out[t + 1] = decay * out[t] + row
    return out
