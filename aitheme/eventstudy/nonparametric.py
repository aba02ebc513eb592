"""Sign, rank and generalised-rank tests, every scope at once.

Same arguments and results as :mod:`aitheme.eventstudy.parametric`. T is the number of estimation and event days
ranked together; U_it = rank_it / (T_i + 1) of stock i among its own valid days; N_t the stocks valid on day t.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import bdtr

from aitheme.eventstudy.arrays import midranks, ratio, spread_where, weighted_rank_totals
from aitheme.eventstudy.outcome import Outcome, given, inapplicable, normal, reasons, student
from aitheme.eventstudy.parametric import NO_STOCK, ONE_STOCK, daily_standardised

if TYPE_CHECKING:
    from aitheme.eventstudy.arrays import BoolArray, FloatArray
    from aitheme.eventstudy.sample import Sample

EXACT_LIMIT = 25
"""Up to this many stocks the binomial and signed-rank p-values are exact; beyond it the normal approximation is
within 0.002 of them."""

ALL_ZERO = "every CAR is exactly zero"
PAIR = 2


def sign(sample: Sample) -> Outcome:
    """Sign test: (w - N/2) / (sqrt(N) / 2), w the number of positive CARs; exact binomial p for N <= 25.

    Exact zeros (stocks locked at a limit against a flat benchmark) are dropped from N. Independence is assumed.

    References
    ----------
    Brown and Warner (1980), J. Financial Economics 8:205-258; Conover (1999), ch. 3.4, for the exact form.
    """
    nonzero = sample.car_valid & (sample.car != 0.0)
    count = nonzero.sum(axis=1).astype(np.float64)
    positive = ((sample.car > 0.0) & nonzero).sum(axis=1)
    safe = np.where(count > 0, count, np.nan)
    statistic = (positive - safe / 2.0) / (0.5 * np.sqrt(safe))
    tail = bdtr(np.minimum(positive, count - positive), count.astype(np.int64), 0.5)
    exact = np.minimum(1.0, 2.0 * tail)
    reason = reasons(count.size, (~sample.car_valid.any(axis=1), NO_STOCK), (count == 0, ALL_ZERO))
    approximate = normal(statistic, reason)
    p_value = np.where(count <= EXACT_LIMIT, exact, approximate.p_value)
    return given(statistic, p_value, "binomial" if count.max() <= EXACT_LIMIT else "normal", reason)


def generalised_sign(sample: Sample, *, pooling: Literal["firm", "panel"] = "firm") -> Outcome:
    """Generalised sign test: (w - N p) / sqrt(N p (1 - p)), p the share of positive residuals; N(0, 1).

    Assumes independent stocks.

    Parameters
    ----------
    sample : Sample
        The sample.
    pooling : {"firm", "panel"}
        Average the share over stocks (Cowan), or pool all stock-days (estudy2).

    References
    ----------
    Cowan (1992), Review of Quantitative Finance and Accounting 2:343-358.
    """
    positive = np.count_nonzero(sample.estimation > 0.0, axis=0)
    if pooling == "panel":
        share = np.full(sample.car.shape[0], positive.sum() / sample.days.sum())
    else:
        rate = positive / sample.days
        share = (sample.car_valid @ rate) / np.maximum(sample.car_valid.sum(axis=1), 1)
    count = sample.car_valid.sum(axis=1).astype(np.float64)
    above = ((sample.car > 0.0) & sample.car_valid).sum(axis=1)
    variance = count * share * (1.0 - share)
    statistic = ratio(above - count * share, np.sqrt(variance))
    return normal(statistic, reasons(count.size, (count == 0, NO_STOCK)))


def wilcoxon(sample: Sample) -> Outcome:
    """Wilcoxon signed-rank test of the CARs, standardised; exact p for N <= 25 without ties.

    W+ = sum of the ranks of |CAR_i| with CAR_i > 0, E = N (N + 1) / 4,
    Var = N (N + 1) (2 N + 1) / 24 - sum(ties^3 - ties) / 48. Zeros are dropped. (estudy2 prints W+ itself.)
    Independence is assumed.

    References
    ----------
    Wilcoxon (1945), Biometrics Bulletin 1:80-83; Lehmann (1975), Nonparametrics, ch. 3, for ties.
    """
    total, count, ties, exact = signed_rank(sample)
    expected = count * (count + 1.0) / 4.0
    variance = count * (count + 1.0) * (2.0 * count + 1.0) / 24.0 - ties / 48.0
    reason = reasons(count.size, (~sample.car_valid.any(axis=1), NO_STOCK), (count == 0, ALL_ZERO))
    statistic = (total - expected) / np.sqrt(np.where(variance > 0, variance, np.nan))
    approximate = normal(statistic, reason)
    p_value = np.where(np.isnan(exact), approximate.p_value, exact)
    return given(statistic, p_value, "normal" if np.isnan(exact).all() else "signed rank", reason)


def signed_rank(sample: Sample) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Wilcoxon's W+ and what its p-value needs.

    Returns
    -------
    total : ndarray, shape (S,)
        W+.
    count : ndarray, shape (S,)
        Non-zero CARs.
    ties : ndarray, shape (S,)
        sum over groups of equal |CAR| of t^3 - t.
    exact : ndarray, shape (S,)
        Exact two-sided p-value, NaN beyond 25 stocks or with ties.
    """
    nonzero = sample.car_valid & (sample.car != 0.0)
    size = np.abs(sample.car)
    ranks = midranks(size, nonzero)
    total = (ranks * (sample.car > 0.0)).sum(axis=1)
    count = nonzero.sum(axis=1).astype(np.float64)
    ties, exact = np.zeros(count.size), np.full(count.size, np.nan)
    for scope in range(count.size):
        _, repeats = np.unique(size[scope, nonzero[scope]], return_counts=True)
        ties[scope] = float((repeats.astype(np.float64) ** 3 - repeats).sum())
        if 0 < count[scope] <= EXACT_LIMIT and ties[scope] == 0.0:
            below = _signed_rank_distribution(int(count[scope]))
            low = round(min(total[scope], below.size - 1 - total[scope]))
            exact[scope] = min(1.0, 2.0 * float(below[low]))
    return total, count, ties, exact


def corrado_rank(sample: Sample) -> Outcome:
    """Corrado's rank test with Cowan's multi-day form; N(0, 1).

    D_t = mean_i(U_it - 1/2), S^2 = T^-1 sum_{all T} (N_t / N) D_t^2; one day D_t / S, a scope of L days
    sqrt(L) mean(D_t) / S. S is the time-series deviation of a cross-sectional mean, so it contains the
    cross-correlation of a common date.

    References
    ----------
    Corrado (1989), J. Financial Economics 23:385-395; Cowan (1992), p. 346; Corrado and Zivney (1992) for U_it.
    """
    total, count, _ = rank_totals(sample.estimation, sample.event, sample)
    path = total / np.maximum(count, 1.0)
    days = float((count > 0).sum())
    spread = np.sqrt(float((count / sample.n * path**2).sum()) / days)
    return _scope_scores(path, spread, count, sample)


def corrado_zivney_rank(sample: Sample) -> Outcome:
    """Corrado-Zivney rank test: event-day SARs divided by their cross-sectional deviation before ranking; N(0, 1).

    Z_t = N_t^-1/2 sum_i (U_it - 1/2), S^2 = T^-1 sum_{all T} Z_t^2; a scope of L days sum(Z_t) / (sqrt(L) S).
    Allows event-induced variance and cross-correlation.

    References
    ----------
    Corrado and Zivney (1992), J. Financial and Quantitative Analysis 27:465-478.
    """
    if sample.n < PAIR:
        return inapplicable(sample.car.shape[0], ONE_STOCK)
    daily = daily_standardised(sample)
    spread = spread_where(daily, sample.event_valid)
    usable = np.where(np.isfinite(spread) & (spread > 0.0), spread, 1.0)
    total, count, _ = rank_totals(sample.standardised, daily / usable[:, None], sample)
    return root_score_test(total, count, sample)


def corrado_zivney_sign(sample: Sample) -> Outcome:
    """Corrado-Zivney sign test on G_it = sign(AR_it - median_i), the median over all T days; N(0, 1).

    Scaled as :func:`corrado_zivney_rank`. Allows cross-correlation.

    References
    ----------
    Corrado and Zivney (1992), J. Financial and Quantitative Analysis 27:465-478.
    """
    total, count, _ = sign_totals(sample)
    return root_score_test(total, count, sample)


def grank_t(sample: Sample) -> Outcome:
    """GRANK-T: the cumulated, re-standardised abnormal return ranked as one more day; t(L1 - 1).

    Z = Ubar_0 / S with S^2 = T^-1 sum_{all T} (N_t / N) Ubar_t^2, T = L1 + 1, and t = Z sqrt((T - 2) / (T - 1 - Z^2)).
    Allows event-induced variance, serial and cross-correlation.

    References
    ----------
    Kolari and Pynnonen (2011), J. Empirical Finance 18:953-971. eventstudy2 leaves day 0 out of S and uses T = L1.
    """
    event, path, count = _generalised_ranks(sample)
    days = (count[:, :-1] > 0).sum(axis=1).astype(np.float64)
    squares = (count[:, :-1] / sample.n * path**2).sum(axis=1)
    variance = (squares + count[:, -1] / sample.n * event**2) / (days + 1.0)
    z = ratio(event, np.sqrt(variance))
    # Z^2 <= T by construction; equality with T - 1 would need every estimation day to average zero.
    room = days - z**2
    statistic = z * np.sqrt((days - 1.0) / np.where(room > 0.0, room, np.nan))
    reason = reasons(
        event.size, (~sample.car_valid.any(axis=1), NO_STOCK), (sample.car_valid.sum(axis=1) < PAIR, ONE_STOCK)
    )
    return student(statistic, days - 1.0, reason)


def grank_z(sample: Sample) -> Outcome:
    """GRANK-Z: Ubar_0 over its standard error under independent stocks; N(0, 1).

    Var = (12 N^2)^-1 sum_i (T_i - 1) / (T_i + 1), T_i = L1_i + 1. Not for a common date.

    References
    ----------
    Kolari and Pynnonen (2011), J. Empirical Finance 18:953-971.
    """
    event, _, _ = _generalised_ranks(sample)
    count = sample.car_valid.sum(axis=1)
    term = (sample.car_valid * (sample.days / (sample.days + 2.0))).sum(axis=1)
    error = np.sqrt(term / 12.0) / np.maximum(count, 1)
    reason = reasons(event.size, (count == 0, NO_STOCK), (count < PAIR, ONE_STOCK))
    return normal(ratio(event, error), reason)


def rank_totals(
    estimation: FloatArray,
    event: FloatArray,
    sample: Sample,
    *,
    uniform: bool = True,
    centre: Literal["firm", "panel"] = "firm",
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sum over stocks of centred ranks, by day.

    Parameters
    ----------
    estimation, event : ndarray, shape (L1, N) and (L2, N)
        What is ranked, each stock over its own valid days of both windows.
    sample : Sample
        Supplies validity.
    uniform : bool
        rank / (T_i + 1) - 1/2 (Corrado-Zivney), or rank - (T_i + 1) / 2 (Corrado 1989).
    centre : {"firm", "panel"}
        Subtract each stock's own mean rank, or (estudy2, multi-day) the mean of them for all.

    Returns
    -------
    total : ndarray, shape (L1 + L2,)
        Sum over the stocks valid on the day.
    count : ndarray, shape (L1 + L2,)
        How many they are, N_t.
    days : ndarray, shape (N,)
        Valid days of each stock, T_i.
    """
    days = sample.days + sample.event_valid.sum(axis=0)
    weight = 1.0 / (days + 1.0) if uniform else np.ones(days.size)
    parts = ((estimation, sample.estimation_valid), (event, sample.event_valid))
    ranks = weighted_rank_totals(parts, weight[:, None])[:, 0]
    middle = weight * (days + 1.0) / 2.0
    count = np.concatenate([mask.sum(axis=1) for _, mask in parts]).astype(np.float64)
    expected = np.concatenate([mask @ middle for _, mask in parts]) if centre == "firm" else count * middle.mean()
    return ranks - expected, count, days


def sign_totals(sample: Sample) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sum over stocks of the signs of AR_it - median_i, by day; returned as by :func:`rank_totals`."""
    values, valid = _all_days(sample.estimation, sample.event, sample)
    median = column_medians(values, valid)
    signs = (values > median).sum(axis=1, where=valid) - (values < median).sum(axis=1, where=valid)
    return signs.astype(np.float64), valid.sum(axis=1).astype(np.float64), valid.sum(axis=0).astype(np.float64)


def root_score_test(
    total: FloatArray,
    count: FloatArray,
    sample: Sample,
    *,
    power: float = 0.5,
    days: float | None = None,
    impute: bool = False,
) -> Outcome:
    """Test of day scores N_t^-power sum_i score_it against their own time-series deviation.

    Parameters
    ----------
    total, count : ndarray, shape (L1 + L2,)
        Sum of scores and number of stocks, by day.
    sample : Sample
        Supplies the scopes.
    power : float
        1/2 for Corrado and Zivney, 1 for a mean.
    days : float or None
        T of the variance; None for the number of days with a stock, estudy2 uses the mean of T_i.
    impute : bool
        Fill the sum over absent stocks with the mean of the present ones, as estudy2 does.

    Returns
    -------
    Outcome
        sum_W / (sqrt(L) S); N(0, 1).
    """
    safe = np.maximum(count, 1.0)
    path = total / safe**power
    if impute:
        path = path * (sample.n / safe)
    spread = np.sqrt(float(path @ path) / (float((count > 0).sum()) if days is None else days))
    return _scope_scores(path, spread, count, sample)


def column_medians(values: FloatArray, valid: BoolArray) -> FloatArray:
    """Median of the valid entries of each column, shape (N,)."""
    ordered = np.sort(np.where(valid, values, np.inf).T, axis=1)
    count = valid.sum(axis=0)
    rows = np.arange(count.size)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    result: FloatArray = 0.5 * (ordered[rows, low] + ordered[rows, np.minimum(high, ordered.shape[1] - 1)])
    return result


def _scope_scores(path: FloatArray, spread: float, count: FloatArray, sample: Sample) -> Outcome:
    length = sample.event.shape[0]
    weights = sample.scopes.weights * (count[-length:] > 0)
    days = weights.sum(axis=1)
    scale = np.sqrt(days) * spread
    statistic = ratio(weights @ path[-length:], scale)
    return normal(statistic, reasons(days.size, (days == 0, NO_STOCK)))


def _all_days(estimation: FloatArray, event: FloatArray, sample: Sample) -> tuple[FloatArray, BoolArray]:
    return np.concatenate([estimation, event]), np.concatenate([sample.estimation_valid, sample.event_valid])


def _generalised_ranks(sample: Sample) -> tuple[FloatArray, FloatArray, FloatArray]:
    # Ranks of L1 estimation days plus one cumulated day. The estimation days are ranked once; the cumulated day
    # shifts the rank of every estimation day above it by one. Rows of scopes that are not reported stay zero.
    spread = spread_where(sample.scar, sample.car_valid)
    usable = np.where(np.isfinite(spread) & (spread > 0.0), spread, 1.0)
    values, unit = sample.ranked_residuals
    valid, here = sample.estimation_valid, sample.car_valid
    threshold = sample.scar / usable[:, None] * unit
    # A stock without the cumulated day keeps T_i = L1_i ranks.
    weight = 1.0 / (sample.days + here + 1.0)
    present = valid.sum(axis=1).astype(np.float64)
    scopes, days = here.shape[0], present.size
    path, event, count = np.zeros((scopes, days)), np.zeros(scopes), np.zeros((scopes, days + 1))
    active = np.flatnonzero(sample.scopes.active)
    base = weighted_rank_totals([(values, valid)], weight[active].T)
    for column, scope in enumerate(active):
        by_day, by_stock = _above(values, threshold[scope], valid, here[scope] * weight[scope])
        path[scope] = (base[:, column] + by_day) / np.maximum(present, 1.0) - 0.5 * (present > 0.0)
        rank = 1.0 + sample.days - by_stock
        count[scope, :days], count[scope, days] = present, here[scope].sum()
        event[scope] = (here[scope] * (rank * weight[scope] - 0.5)).sum() / max(count[scope, days], 1.0)
    return event, path, count


def _above(
    values: FloatArray, threshold: FloatArray, valid: BoolArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    # Weighted number of stocks above their threshold by day, and number of days above it by stock; ties count half.
    above = values > threshold
    above &= valid
    equal = values == threshold
    equal &= valid
    by_stock = above.sum(axis=0) + 0.5 * equal.sum(axis=0)
    if weight.size and np.all(weight == weight[0]):
        by_day = weight[0] * (np.count_nonzero(above, axis=1) + 0.5 * np.count_nonzero(equal, axis=1))
    else:
        by_day = np.einsum("ln,n->l", above, weight) + 0.5 * np.einsum("ln,n->l", equal, weight)
    return by_day, by_stock


@lru_cache(maxsize=EXACT_LIMIT)
def _signed_rank_distribution(count: int) -> FloatArray:
    ways = np.zeros(count * (count + 1) // 2 + 1)
    ways[0] = 1.0
    for rank in range(1, count + 1):
        ways[rank:] += ways[:-rank].copy()
    return np.cumsum(ways) / 2.0**count
