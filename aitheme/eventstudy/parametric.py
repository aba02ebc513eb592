"""Parametric tests of abnormal returns, every scope at once.

All functions take a :class:`~aitheme.eventstudy.sample.Sample` of N stocks and S scopes and return an
:class:`~aitheme.eventstudy.outcome.Outcome` of S values. Notation: CAR_i sum of abnormal returns over the scope,
s_i residual standard deviation, C_i forecast-error correction, SCAR_i = CAR_i / (s_i sqrt(C_i)), L1_i estimation
days, p parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from aitheme.eventstudy.arrays import mean_where, ratio, spread_where
from aitheme.eventstudy.outcome import Outcome, inapplicable, normal, reasons, student

if TYPE_CHECKING:
    from aitheme.eventstudy.arrays import FloatArray
    from aitheme.eventstudy.sample import Sample

NO_STOCK = "no stock has an abnormal return on these days"
ONE_STOCK = "needs at least two stocks: one stock has no cross-sectional variance"
THREE_STOCKS = "needs at least three stocks: skewness is undefined for fewer"
FEW_DAYS = "needs at least parameters + 3 estimation days for every stock"
PAIR, TRIPLE = 2, 3


def cross_sectional_t(sample: Sample) -> Outcome:
    """Cross-sectional t: sqrt(N) CAAR / S with S the cross-sectional standard deviation of CAR_i; t(N - 1).

    Allows any event-induced variance; assumes independent stocks, so it is invalid on a common date.

    References
    ----------
    Brown and Warner (1980), J. Financial Economics 8:205-258.
    """
    mean, count = mean_where(sample.car, sample.car_valid)
    statistic = ratio(np.sqrt(count) * mean, spread_where(sample.car, sample.car_valid))
    return student(statistic, count - 1.0, _needs(count, PAIR, ONE_STOCK))


def independence_t(sample: Sample, *, ddof: int | None = None) -> Outcome:
    """MacKinlay's t with Var(CAAR) = N^-2 sum_i s_i^2 C_i, the statistic most packages print; N(0, 1).

    Assumes independent stocks and unchanged variance. With ``ddof=1`` and C_i = L2 it is ``brown_warner_1980``
    of the R package estudy2.

    References
    ----------
    MacKinlay (1997), J. Economic Literature 35:13-39.
    """
    mean, count = mean_where(sample.car, sample.car_valid)
    sigma = sample.sigma if ddof is None else residual_spread(sample, ddof)
    scale = sample.correction if ddof is None else sample.scopes.weights @ sample.event_valid
    variance = (sigma**2 * scale * sample.car_valid).sum(axis=1)
    return normal(ratio(mean * count, np.sqrt(variance)), _needs(count, 1, NO_STOCK))


def crude_dependence_t(sample: Sample, *, ddof: int | None = None) -> Outcome:
    """Crude-dependence t: CAAR / (S_A sqrt(L2)), S_A the time-series standard deviation of the mean residual.

    All cross-correlation is in S_A; event-induced variance is not allowed for. t(L1 - p).

    Parameters
    ----------
    sample : Sample
        The sample.
    ddof : int or None
        Subtracted from L1 in S_A^2; None for p, 1 for Brown and Warner (1985) and estudy2.

    References
    ----------
    Brown and Warner (1980), J. Financial Economics 8:205-258; (1985), same journal 14:3-31.
    """
    length = sample.scopes.weights.sum(axis=1)
    return _portfolio_t(sample, length, ddof)


def crude_dependence_exact_t(sample: Sample, *, ddof: int | None = None) -> Outcome:
    """Crude-dependence t with the forecast-error correction of the portfolio: CAAR / (S_A sqrt(C_P)); t(L1 - p).

    References
    ----------
    Brown and Warner (1980); Salinger (1992), J. Financial and Quantitative Analysis 27:39-53, for C_P; Lamb
    (1995), J. Risk and Insurance 62:111-123, uses the one-day form.
    """
    return _portfolio_t(sample, sample.portfolio_correction, ddof)


def patell(sample: Sample, *, form: Literal["window", "summed"] = "window") -> Outcome:
    """Patell's Z: sum_i SCAR_i / sqrt(sum_i Q_i), Q_i = (L1_i - p) / (L1_i - p - 2); N(0, 1).

    Assumes independent stocks and unchanged variance.

    Parameters
    ----------
    sample : Sample
        The sample.
    form : {"window", "summed"}
        ``window`` standardises the CAR with C_i(W); ``summed`` adds standardised daily abnormal returns,
        N^-1/2 sum_i sum_t SAR_it / sqrt(L2_i Q_i), which ignores that prediction errors of one stock share the
        error of its coefficients.

    References
    ----------
    Patell (1976), J. Accounting Research 14:246-276; Campbell, Lo and MacKinlay (1997), statistic J2.
    """
    freedom = sample.days - sample.parameters
    _, count = mean_where(sample.scar, sample.car_valid)
    if np.any(freedom <= PAIR):
        return inapplicable(count.size, FEW_DAYS)
    quotient = freedom / (freedom - 2.0)
    if form == "summed":
        days = sample.scopes.weights @ sample.event_valid
        summed = sample.scopes.weights @ daily_standardised(sample)
        term = np.divide(summed, np.sqrt(days * quotient), out=np.zeros_like(summed), where=days > 0.0)
        statistic = ratio(term.sum(axis=1), np.sqrt(count))
    else:
        statistic = ratio(sample.scar.sum(axis=1), np.sqrt((quotient * sample.car_valid).sum(axis=1)))
    return normal(statistic, _needs(count, 1, NO_STOCK))


def adj_patell(sample: Sample, *, variant: Literal["kolari_pynnonen", "eventstudy2"] = "kolari_pynnonen") -> Outcome:
    """Patell's Z adjusted for cross-correlation: Z / sqrt(1 + (N - 1) rbar); N(0, 1).

    No 1 - rbar in the numerator, since Patell's denominator is theoretical and not estimated across stocks;
    ``variant="eventstudy2"`` applies the BMP factor as that Stata package does, for comparison only.

    References
    ----------
    Kolari and Pynnonen (2010), Review of Financial Studies 23:3996-4025.
    """
    plain = patell(sample)
    link = sample.dependence
    if link.reason:
        return inapplicable(plain.statistic.size, link.reason)
    numerator = 1.0 - link.rbar if variant == "eventstudy2" else 1.0
    return normal(plain.statistic * np.sqrt(numerator / _inflation(sample)), plain.reason)


def bmp(sample: Sample) -> Outcome:
    """Boehmer-Musumeci-Poulsen t: sqrt(N) mean(SCAR) / S(SCAR); t(N - 1).

    Allows event-induced variance; assumes independent stocks. The paper refers it to N(0, 1), eventstudy2 to
    t(L1 - p), estudy2 and this library to t(N - 1).

    References
    ----------
    Boehmer, Musumeci and Poulsen (1991), J. Financial Economics 30:253-272.
    """
    mean, count = mean_where(sample.scar, sample.car_valid)
    statistic = ratio(np.sqrt(count) * mean, spread_where(sample.scar, sample.car_valid))
    return student(statistic, count - 1.0, _needs(count, PAIR, ONE_STOCK))


def adj_bmp(sample: Sample) -> Outcome:
    """BMP adjusted for cross-correlation: t sqrt((1 - rbar) / (1 + (N - 1) rbar)); t(N - 1).

    E[S^2] = sigma^2 (1 - rho) while Var(mean) = sigma^2 (1 + (N - 1) rho) / N. Assumes the event changes
    variances but not correlations.

    References
    ----------
    Kolari and Pynnonen (2010), Review of Financial Studies 23:3996-4025.
    """
    plain = bmp(sample)
    link = sample.dependence
    if link.reason:
        return inapplicable(plain.statistic.size, link.reason)
    factor = np.sqrt((1.0 - link.rbar) / _inflation(sample))
    return student(plain.statistic * factor, plain.df, plain.reason)


def skewness_johnson(sample: Sample) -> Outcome:
    """Johnson's skewness-adjusted t: sqrt(N) (q + g q^2 / 3 + g / (6 N)); N(0, 1).

    q = CAAR / S, g the sample skewness of CAR_i. Assumes independent stocks.

    References
    ----------
    Johnson (1978), J. American Statistical Association 73:536-544; Lyon, Barber and Tsai (1999), J. Finance
    54:165-201.
    """
    return _skewness_t(sample, cubic=0.0)


def skewness_hall(sample: Sample) -> Outcome:
    """Hall's monotone skewness-adjusted t: sqrt(N) (q + g q^2 / 3 + g^2 q^3 / 27 + g / (6 N)); N(0, 1).

    References
    ----------
    Hall (1992), J. Royal Statistical Society B 54:221-228.
    """
    return _skewness_t(sample, cubic=1.0 / 27.0)


def skewness_statistic(
    mean: FloatArray, spread: FloatArray, third: FloatArray, count: FloatArray, cubic: float
) -> FloatArray:
    """Skewness-adjusted t from moments.

    Parameters
    ----------
    mean, spread, third, count : ndarray, shape (S,)
        Mean, sample standard deviation, sum of cubed deviations and number of values.
    cubic : float
        Weight of the cubic term: 0 for Johnson, 1/27 for Hall.

    Returns
    -------
    ndarray, shape (S,)
        sqrt(N) (q + g q^2 / 3 + cubic g^2 q^3 + g / (6 N)).
    """
    q = ratio(mean, spread)
    room = np.where(count > PAIR, (count - 1.0) * (count - 2.0), np.nan)
    g = ratio(count * third, room * spread**3)
    result: FloatArray = np.sqrt(count) * (
        q + g * q**2 / 3.0 + cubic * g**2 * q**3 + g / (6.0 * np.maximum(count, 1.0))
    )
    return result


def daily_standardised(sample: Sample) -> FloatArray:
    """SAR_it = AR_it / (s_i sqrt(C_it)) of the event window, shape (L2, N), zero where not valid."""
    if sample.scopes.weights.shape[1] == 1:
        return sample.scar
    return sample.scar[: sample.event.shape[0]]


def residual_spread(sample: Sample, ddof: int) -> FloatArray:
    """Take the standard deviation of each stock's residuals about their mean with L1_i - ddof, shape (N,)."""
    mean = sample.estimation.sum(axis=0) / sample.days
    squares = np.einsum("ln,ln->n", sample.estimation, sample.estimation) - sample.days * mean**2
    result: FloatArray = np.sqrt(squares / (sample.days - ddof))
    return result


def portfolio_residuals(sample: Sample) -> FloatArray:
    """Mean residual of the stocks that have one, by estimation day that has any, shape (days,)."""
    mean, count = mean_where(sample.estimation, sample.estimation_valid)
    return mean[count > 0]


def _portfolio_t(sample: Sample, scale: FloatArray, ddof: int | None) -> Outcome:
    residual = portfolio_residuals(sample)
    freedom = residual.size - sample.parameters
    mean, count = mean_where(sample.car, sample.car_valid)
    if freedom < 1:
        return inapplicable(count.size, "needs more estimation days than parameters")
    squares = float(((residual - residual.mean()) ** 2).sum())
    spread = np.sqrt(squares / (freedom if ddof is None else residual.size - ddof))
    return student(ratio(mean, spread * np.sqrt(scale)), float(freedom), _needs(count, 1, NO_STOCK))


def _skewness_t(sample: Sample, cubic: float) -> Outcome:
    mean, count = mean_where(sample.car, sample.car_valid)
    spread = spread_where(sample.car, sample.car_valid)
    centred = np.where(sample.car_valid, sample.car - mean[:, None], 0.0)
    third = np.einsum("sn,sn,sn->s", centred, centred, centred)
    return normal(skewness_statistic(mean, spread, third, count, cubic), _needs(count, TRIPLE, THREE_STOCKS))


def _inflation(sample: Sample) -> FloatArray:
    # Scopes that lack some stocks average fewer of them.
    count = sample.car_valid.sum(axis=1)
    result: FloatArray = 1.0 + (count - 1.0) * sample.dependence.rbar
    return result


def _needs(count: FloatArray, least: int, meaning: str) -> tuple[str, ...]:
    return reasons(count.size, (count == 0, NO_STOCK), (count < least, meaning))
