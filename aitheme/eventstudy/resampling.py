"""Resampling tests other than dates: matched baskets, the vector residual bootstrap, the wild cluster bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from aitheme.eventstudy.arrays import ratio
from aitheme.eventstudy.errors import StudyError
from aitheme.eventstudy.outcome import Outcome, given, inapplicable, reasons
from aitheme.eventstudy.parametric import NO_STOCK, bmp
from aitheme.eventstudy.randomisation import randomisation_p

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aitheme.eventstudy.arrays import FloatArray, IntArray
    from aitheme.eventstudy.fits import Fit
    from aitheme.eventstudy.sample import Sample

WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])
"""Six-point weights of Webb (2014, Queen's Economics Department Working Paper 1315) for few clusters."""

FEW_CLUSTERS = 12
"""Below this many dates two-point weights give too few distinct draws and Webb's are used."""

LEAST_CLUSTERS = 4
"""With fewer dates even Webb's weights cannot reach a p-value of 5 % reliably."""

LEAST_BASKETS = 19
CELLS = 4_000_000
"""Numbers held at once while drawing (32 MB), which sets the chunk of draws."""


@dataclass(frozen=True, slots=True)
class Draws:
    """A test with its reference draws.

    Attributes
    ----------
    outcome : Outcome
        Statistic and p-value of each scope.
    draws : ndarray, shape (S, B)
        Reference statistics, for Romano-Wolf; no columns where the test does not apply.
    """

    outcome: Outcome
    draws: FloatArray


def residual_bootstrap(sample: Sample, fits: Sequence[Fit], *, draws: int, seed: int, block: int = 1) -> Draws:
    """Vector residual bootstrap of the BMP statistic: whole days are resampled, all stocks together.

    Returns are rebuilt from the fitted coefficients, the real regressors and resampled residual days; each draw
    re-estimates coefficients and residual variances and recomputes the statistic (|SCAR| of one stock). Row-wise
    resampling keeps the cross-correlation. A stock with holes keeps (X_i'X_i)^-1 and C_i of its own days, its
    absent residuals contribute nothing; where stocks have regressors of their own the coefficients are held.

    Parameters
    ----------
    sample : Sample
        Abnormal returns.
    fits : sequence of Fit
        One an event; events of one date share their resampled days.
    draws : int
        Number of draws, B.
    seed : int
        Of the random numbers.
    block : int
        Length of moving blocks of days, for serial dependence.

    Returns
    -------
    Draws
        p = (1 + #{|T_b| >= |T_0|}) / (B + 1).

    References
    ----------
    Hein and Westfall (2004), J. Financial Econometrics 2:451-471; Kuensch (1989), Annals of Statistics
    17:1217-1241, for blocks.
    """
    scopes = sample.car.shape[0]
    if draws < 1:
        return Draws(inapplicable(scopes, "draws=0: no bootstrap was asked for", "bootstrap"), np.empty((scopes, 0)))
    active = np.flatnonzero(sample.scopes.active)
    total, squares = np.zeros((draws, active.size)), np.zeros((draws, active.size))
    codes = sample.date[np.cumsum([0] + [fit.sigma.size for fit in fits[:-1]])]
    for fit, code in zip(fits, codes, strict=True):
        rows = np.flatnonzero(fit.estimation_valid.any(axis=1))
        slopes = np.empty((0, rows.size)) if fit.regression is None else fit.regression.x[rows, 1:].T
        scheme = _Scheme((seed, int(code)), draws, block, slopes, sample.scopes.weights[active])
        for part, drawn in _day_weights(scheme, fit.sigma.size):
            scar = _bootstrap_scar(fit, rows, drawn, scheme.scopes, active)
            total[part] += scar.sum(axis=2).T
            squares[part] += np.einsum("sbn,sbn->bs", scar, scar)
    own = bmp(sample)
    if sample.n == 1:
        statistic, reference = sample.scar[:, 0], total
    else:
        count = float(sample.n)
        spread = np.sqrt((squares - total**2 / count) / (count - 1.0))
        statistic, reference = own.statistic, total / np.sqrt(count) / spread
    table = np.full((scopes, draws), np.nan)
    table[active] = reference.T
    reason = reasons(scopes, (~sample.car_valid.any(axis=1), NO_STOCK), (~sample.scopes.active, "not reported"))
    return Draws(given(statistic, randomisation_p(statistic, table), "bootstrap", reason), table)


def basket_randomisation(
    car: FloatArray, universe_car: FloatArray, *, strata: IntArray, universe_strata: IntArray, draws: int, seed: int
) -> Draws:
    """Compare a basket's CAAR with random baskets of the same date, size and strata.

    This asks whether the basket differs from its market on the day, not whether the day moved prices. The statistic
    is CAAR less the expected CAAR of a matched basket, over the standard deviation of the random baskets.

    Parameters
    ----------
    car : ndarray, shape (S, N)
        CARs of the basket (ratios), NaN where a stock has none.
    universe_car : ndarray, shape (S, M)
        CARs of the candidates, the basket's own stocks left out.
    strata, universe_strata : ndarray of int, shape (N,) and (M,)
        Stratum (size or industry group) of each stock; every draw has the basket's count in each.
    draws : int
        Random baskets, B.
    seed : int
        Of the random numbers.

    Returns
    -------
    Draws
        p = (1 + #{|T_b| >= |T_0|}) / (B + 1).

    References
    ----------
    Lyon, Barber and Tsai (1999), J. Finance 54:165-201, pseudoportfolios.
    """
    scopes = car.shape[0]
    needed = {int(code): int((strata == code).sum()) for code in np.unique(strata)}
    short = [code for code, count in needed.items() if int((universe_strata == code).sum()) < count + LEAST_BASKETS]
    if short or draws < LEAST_BASKETS:
        why = (
            f"the universe has too few stocks outside the basket in {len(short)} of {len(needed)} strata; widen them"
            if short
            else f"draws={draws}, needs at least {LEAST_BASKETS}"
        )
        return Draws(inapplicable(scopes, why, "random baskets"), np.empty((scopes, 0)))
    rng = np.random.default_rng(seed)
    total, count = np.zeros((scopes, draws)), np.zeros((scopes, draws))
    filled, present = np.where(np.isfinite(universe_car), universe_car, 0.0), np.isfinite(universe_car)
    for code, size in needed.items():
        members = np.flatnonzero(universe_strata == code)
        pick = members[_distinct(members.size, size, draws, rng)]
        total += filled[:, pick].sum(axis=2)
        count += present[:, pick].sum(axis=2)
    drawn = total / np.maximum(count, 1.0)
    valid = np.isfinite(car)
    observed = np.where(valid, car, 0.0).sum(axis=1) / np.maximum(valid.sum(axis=1), 1)
    centre, spread = drawn.mean(axis=1), drawn.std(axis=1, ddof=1)
    reason = reasons(scopes, (~valid.any(axis=1), NO_STOCK), (spread == 0.0, "random baskets do not vary"))
    safe = np.where(spread > 0.0, spread, np.nan)
    statistic, reference = (observed - centre) / safe, (drawn - centre[:, None]) / safe[:, None]
    return Draws(given(statistic, randomisation_p(statistic, reference), "random baskets", reason), reference)


def wild_cluster_bootstrap(sample: Sample, *, draws: int, seed: int) -> Draws:
    """Wild bootstrap of the mean CAR with one weight per event date, the null imposed.

    T = CAAR over its cluster-robust standard error; CAR*_i = w_date(i) CAR_i. Rademacher weights, enumerated where
    2^K does not exceed the draws; Webb's six-point weights below twelve dates. One date leaves one weight and
    no variation: use randomisation over dates.

    Parameters
    ----------
    sample : Sample
        Abnormal returns over several dates.
    draws : int
        Number of draws, B.
    seed : int
        Of the random numbers.

    Returns
    -------
    Draws
        p = (1 + #{|T_b| >= |T_0|}) / (B + 1).

    References
    ----------
    Cameron, Gelbach and Miller (2008), Review of Economics and Statistics 90:414-427; Webb (2014).
    """
    scopes = sample.car.shape[0]
    codes, member = np.unique(sample.date, return_inverse=True)
    if codes.size < LEAST_CLUSTERS:
        why = f"needs at least {LEAST_CLUSTERS} event dates, has {codes.size}: weights are drawn per date"
        return Draws(inapplicable(scopes, why, "bootstrap"), np.empty((scopes, 0)))
    group = np.zeros((sample.n, codes.size))
    group[np.arange(sample.n), member] = 1.0
    sums, sizes = sample.car @ group, sample.car_valid @ group
    rng = np.random.default_rng(seed)
    weights = cluster_weights(codes.size, draws, rng)
    observed = _cluster_t(sums, sizes, np.ones((1, codes.size)))[:, 0]
    drawn = _cluster_t(sums, sizes, weights)
    reason = reasons(scopes, (sizes.sum(axis=1) == 0, NO_STOCK))
    return Draws(given(observed, randomisation_p(observed, drawn), "bootstrap", reason), drawn)


def cluster_weights(clusters: int, draws: int, rng: np.random.Generator) -> FloatArray:
    """Bootstrap weights of each cluster.

    Parameters
    ----------
    clusters : int
        Number of dates, K.
    draws : int
        Draws wanted, B.
    rng : numpy.random.Generator
        Random numbers.

    Returns
    -------
    ndarray, shape (B, K)
        Webb's weights for fewer than twelve clusters, otherwise signs; all sign patterns but the two trivial ones
        where they number at most B.
    """
    if clusters < FEW_CLUSTERS:
        return np.asarray(rng.choice(WEBB, size=(draws, clusters)), dtype=np.float64)
    if 2**clusters <= draws:
        return np.array(list(product((-1.0, 1.0), repeat=clusters))[1:-1])
    return np.asarray(rng.choice([-1.0, 1.0], size=(draws, clusters)), dtype=np.float64)


def _cluster_t(sums: FloatArray, sizes: FloatArray, weights: FloatArray) -> FloatArray:
    clusters = weights.shape[1]
    total = sizes.sum(axis=1)[:, None]
    drawn = sums[:, None, :] * weights[None, :, :]
    mean = drawn.sum(axis=2) / np.maximum(total, 1.0)
    deviation = drawn - mean[:, :, None] * sizes[:, None, :]
    variance = (deviation**2).sum(axis=2) * clusters / (clusters - 1.0) / np.maximum(total, 1.0) ** 2
    return ratio(mean, np.sqrt(variance))


@dataclass(frozen=True)
class _Scheme:
    """What the resampled days of a date depend on: every basket of one release has the same.

    Attributes
    ----------
    seed : tuple of int
        Of the random numbers, and the code of the date.
    draws, block : int
        Number of draws, B, and days per block.
    slopes : ndarray, shape (q, L1)
        Regressors on the usable estimation days, without the constant.
    scopes : ndarray, shape (A, L2)
        Weights of the event days in each reported scope.
    """

    seed: tuple[int, int]
    draws: int
    block: int
    slopes: FloatArray
    scopes: FloatArray

    def _values(self) -> tuple[object, ...]:
        arrays = (self.slopes, self.scopes)
        return (self.seed, self.draws, self.block, *((part.shape, part.tobytes()) for part in arrays))

    def __hash__(self) -> int:
        return hash(self._values())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Scheme) and self._values() == other._values()


def _day_weights(scheme: _Scheme, stocks: int) -> Iterator[tuple[slice, FloatArray]]:
    """Weights each draw puts on the residual days, a chunk of draws at a time.

    Parameters
    ----------
    scheme : _Scheme
        What is drawn.
    stocks : int
        Number of stocks, which bounds the chunk.

    Yields
    ------
    part : slice
        Draws of the chunk, b of B.
    weights : ndarray, shape (1 + q + A, b, L1)
        How often a day stands in the estimation window, its summed regressors there, and its weight in each scope.

    Raises
    ------
    StudyError
        If the block is longer than the estimation window.
    """
    (rows, length), active = scheme.slopes.shape, scheme.scopes.shape[0]
    if scheme.draws * max(length * (1 + rows + active), stocks * active) <= CELLS:
        yield slice(0, scheme.draws), _kept(scheme)
        return
    days = _drawn_days(scheme)
    chunk = max(1, CELLS // (max(stocks, length) * active))
    for start in range(0, scheme.draws, chunk):
        part = slice(start, start + chunk)
        yield part, _weights(days[part], scheme)


@lru_cache(maxsize=2)
def _kept(scheme: _Scheme) -> FloatArray:
    weights = _weights(_drawn_days(scheme), scheme)
    weights.flags.writeable = False
    return weights


def _weights(days: IntArray, scheme: _Scheme) -> FloatArray:
    length = scheme.slopes.shape[1]
    estimation_days, event_days = days[:, :length], days[:, length:]
    draws = days.shape[0]
    in_scope = np.zeros((scheme.scopes.shape[0], draws, length))
    for day in range(event_days.shape[1]):
        in_scope[:, np.arange(draws), event_days[:, day]] += scheme.scopes[:, day, None]
    counts = [_weighted_counts(estimation_days, x, length) for x in (np.ones(length), *scheme.slopes)]
    return np.concatenate([np.stack(counts), in_scope])


def _drawn_days(scheme: _Scheme) -> IntArray:
    days, rng = scheme.slopes.shape[1], np.random.default_rng(list(scheme.seed))
    return _resampled_days(days, (scheme.draws, days + scheme.scopes.shape[1]), scheme.block, rng)


def _resampled_days(days: int, shape: tuple[int, int], block: int, rng: np.random.Generator) -> IntArray:
    if not 1 <= block <= days:
        raise StudyError(f"block={block} must lie between 1 and the {days} estimation days")
    blocks = -(-shape[1] // block)
    start = rng.integers(days - block + 1, size=(shape[0], blocks))
    path = (start[:, :, None] + np.arange(block)).reshape(shape[0], -1)
    return path[:, : shape[1]]


def _weighted_counts(days: IntArray, weight: FloatArray, length: int) -> FloatArray:
    # Row b, column l: sum of the weights of the places that draw b filled with day l.
    draws = days.shape[0]
    flat = (days + np.arange(draws)[:, None] * length).ravel()
    full = np.broadcast_to(weight, days.shape).ravel()
    total = np.bincount(flat, weights=full, minlength=draws * length).astype(np.float64)
    return total.reshape(draws, length)


def _bootstrap_scar(fit: Fit, rows: IntArray, drawn: FloatArray, weights: FloatArray, active: IntArray) -> FloatArray:
    # Every quantity is linear in the residual days, so a draw is a row of weights on them: (B x L1) @ (L1 x N).
    residual, valid = fit.estimation[rows], fit.estimation_valid[rows]
    kinds, draws, length = drawn.shape
    sums = (drawn.reshape(-1, length) @ residual).reshape(kinds, draws, -1)
    moments, car = sums[: kinds - active.size], sums[kinds - active.size :]
    squares = drawn[0] @ residual**2
    count = float(length) if valid.all() else drawn[0] @ valid.astype(np.float64)
    regression = fit.regression
    if regression is None:
        squares -= moments[0] ** 2 / np.maximum(count, 1.0)
    else:
        # The constant comes first, and its moment is the plain total.
        shift = _times_inverse(regression.inverse, moments)
        squares -= np.einsum("pbn,pbn->bn", shift, moments)
        x_scope = weights @ regression.x_event
        car -= (x_scope @ shift.reshape(shift.shape[0], -1)).reshape(car.shape)
    variance = np.maximum(squares, 0.0) / np.maximum(count - fit.parameters, 1.0)
    error = np.sqrt(variance * fit.correction[active][:, None, :])
    return np.nan_to_num(ratio(car, error))


def _times_inverse(inverse: FloatArray, moments: FloatArray) -> FloatArray:
    # A sum over so few regressors is quicker written out than as an einsum of three axes.
    terms = [
        sum((inverse[:, row, column] * moment for column, moment in enumerate(moments)), np.zeros(moments.shape[1:]))
        for row in range(inverse.shape[1])
    ]
    return np.stack(terms)


def _distinct(population: int, size: int, draws: int, rng: np.random.Generator) -> IntArray:
    # Rejection is quick while a basket is small against its stratum; a partial shuffle is not.
    if size * size < population:
        pick = rng.integers(population, size=(draws, size))
        while True:
            ordered = np.sort(pick, axis=1)
            repeated = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
            if not repeated.any():
                return pick
            pick[repeated] = rng.integers(population, size=(int(repeated.sum()), size))
    keys = rng.random((draws, population))
    return np.argpartition(keys, size - 1, axis=1)[:, :size]
