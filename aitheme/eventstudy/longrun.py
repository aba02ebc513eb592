"""Long windows: buy-and-hold abnormal returns and calendar-time portfolios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from aitheme.eventstudy.arrays import ratio
from aitheme.eventstudy.errors import StudyError
from aitheme.eventstudy.outcome import Outcome, inapplicable, normal, reasons, student
from aitheme.eventstudy.parametric import ONE_STOCK, PAIR, THREE_STOCKS, TRIPLE, skewness_statistic

if TYPE_CHECKING:
    from aitheme.eventstudy.arrays import FloatArray, IntArray

LEAST_MONTHS = 10
"""Fewest calendar days with a holding: below it a regression with robust errors has no meaning."""

Errors = Literal["hc1", "newey_west"]


@dataclass(frozen=True, slots=True)
class CalendarTime:
    """Regression of a calendar-time portfolio.

    Attributes
    ----------
    alpha : float
        Mean abnormal return a day (ratio).
    standard_error, t_statistic, p_value : float
        Of alpha; t(days - parameters).
    coefficients : Series
        All coefficients, ``alpha`` first.
    days : int
        Sessions with a holding.
    mean_holdings : float
        Average number of stocks held.
    errors : str
        Kind of standard error.
    """

    alpha: float
    standard_error: float
    t_statistic: float
    p_value: float
    coefficients: pd.Series
    days: int
    mean_holdings: float
    errors: str


def buy_and_hold(returns: FloatArray, abnormal: FloatArray) -> FloatArray:
    """Buy-and-hold abnormal return: prod(1 + R) - prod(1 + R - AR) over the valid days.

    Parameters
    ----------
    returns, abnormal : ndarray, shape (L2, N)
        Returns and abnormal returns of the window (ratios), NaN where there is none.

    Returns
    -------
    ndarray, shape (N,)
        NaN for a stock without a valid day.

    References
    ----------
    Barber and Lyon (1997), J. Financial Economics 43:341-372.
    """
    valid = np.isfinite(returns) & np.isfinite(abnormal)
    actual = np.where(valid, 1.0 + returns, 1.0).prod(axis=0)
    expected = np.where(valid, 1.0 + returns - abnormal, 1.0).prod(axis=0)
    result: FloatArray = np.where(valid.any(axis=0), actual - expected, np.nan)
    return result


def bhar_tests(bhar: FloatArray, *, draws: int = 1000, seed: int = 0) -> dict[str, Outcome]:
    """Test a mean buy-and-hold abnormal return.

    Parameters
    ----------
    bhar : ndarray, shape (N,)
        Buy-and-hold abnormal returns (ratios); NaN is left out.
    draws : int
        Bootstrap draws, B.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict of str to Outcome
        ``cross_sectional_t``, ``skewness_johnson``, ``skewness_hall`` and ``skewness_bootstrap``, one scope each.
        The bootstrap resamples N/4 stocks and recomputes Johnson's t about the sample mean. All assume
        independent stocks.

    References
    ----------
    Lyon, Barber and Tsai (1999), J. Finance 54:165-201.
    """
    values = bhar[np.isfinite(bhar)]
    mean, spread, third, count = _moments(values[None, :])
    few = reasons(1, (count < PAIR, ONE_STOCK))
    fewer = reasons(1, (count < TRIPLE, THREE_STOCKS))
    if any(few):
        return {name: inapplicable(1, few[0]) for name in ("cross_sectional_t", "skewness_johnson", "skewness_hall")}
    t = ratio(np.sqrt(count) * mean, spread)
    johnson = skewness_statistic(mean, spread, third, count, 0.0)
    hall = skewness_statistic(mean, spread, third, count, 1.0 / 27.0)
    return {
        "cross_sectional_t": student(t, count - 1.0, few),
        "skewness_johnson": normal(johnson, fewer),
        "skewness_hall": normal(hall, fewer),
        "skewness_bootstrap": _bootstrapped_johnson(values, johnson, fewer, draws, seed),
    }


def calendar_time_portfolio(
    returns: pd.DataFrame,
    holdings: pd.DataFrame,
    factors: pd.DataFrame,
    *,
    risk_free: pd.Series | None = None,
    weighting: Literal["equal", "sqrt_n"] = "equal",
    errors: Errors = "hc1",
    lags: int = 5,
) -> CalendarTime:
    """Regress the daily return of all stocks with a recent event on factors.

    Parameters
    ----------
    returns : DataFrame
        Sessions x symbols, simple returns (ratios).
    holdings : DataFrame of bool
        Same shape: True on the sessions a stock is held, see :func:`holding_periods`.
    factors : DataFrame
        Sessions x factors (ratios); one benchmark column gives the market model.
    risk_free : Series or None
        Subtracted from the portfolio.
    weighting : {"equal", "sqrt_n"}
        Days weigh the same, or each row is multiplied by the square root of the number of stocks held.
    errors : {"hc1", "newey_west"}
        White's heteroskedasticity-robust errors, or Newey-West with ``lags``.
    lags : int
        Newey-West lags in sessions.

    Returns
    -------
    CalendarTime
        alpha and its t. Cross-correlation is in the variance of the portfolio.

    Raises
    ------
    StudyError
        If fewer than ten sessions have a holding and a factor.

    References
    ----------
    Jaffe (1974), J. Business 47:410-428; Mandelker (1974), J. Financial Economics 1:303-335; Fama (1998), same
    journal 49:283-306; Mitchell and Stafford (2000), J. Business 73:287-329.
    """
    held = returns.where(holdings)
    portfolio, count = held.mean(axis=1), held.count(axis=1).to_numpy(dtype=np.float64)
    if risk_free is not None:
        portfolio = portfolio - risk_free.reindex(portfolio.index)
    x = factors.reindex(portfolio.index).to_numpy(dtype=np.float64)
    y = portfolio.to_numpy(dtype=np.float64)
    usable = np.isfinite(y) & np.isfinite(x).all(axis=1) & (count > 0)
    days = int(usable.sum())
    if days < max(LEAST_MONTHS, x.shape[1] + PAIR):
        raise StudyError(f"holdings cover {days} sessions with factors, needs {LEAST_MONTHS}; use longer holdings")
    root = (np.sqrt(count[usable]) if weighting == "sqrt_n" else np.ones(days))[:, None]
    design = np.column_stack([np.ones(days), x[usable]]) * root
    coefficients, error = _robust_regression(design, y[usable] * root[:, 0], errors, lags)
    freedom = float(days - design.shape[1])
    outcome = student(coefficients[:1] / error[:1], freedom, ("",))
    return CalendarTime(
        alpha=float(coefficients[0]),
        standard_error=float(error[0]),
        t_statistic=float(outcome.statistic[0]),
        p_value=float(outcome.p_value[0]),
        coefficients=pd.Series(coefficients, index=["alpha", *map(str, factors.columns)]),
        days=days,
        mean_holdings=float(count[usable].mean()),
        errors=errors if errors == "hc1" else f"newey_west({lags})",
    )


def holding_periods(
    sessions: pd.DatetimeIndex,
    symbols: pd.Index,
    positions: IntArray,
    members: list[list[str]],
    window: tuple[int, int],
) -> pd.DataFrame:
    """Sessions on which each stock is held after its events.

    Parameters
    ----------
    sessions : DatetimeIndex
        All sessions.
    symbols : Index
        All stocks.
    positions : ndarray of int, shape (K,)
        Rows of the day 0s.
    members : list of list of str
        Stocks of each event.
    window : tuple of int
        First and last day held.

    Returns
    -------
    DataFrame of bool
        Sessions x symbols.
    """
    held = np.zeros((len(sessions), len(symbols)), dtype=np.bool_)
    for place, names in zip(positions, members, strict=True):
        first, last = max(int(place) + window[0], 0), int(place) + window[1] + 1
        held[first:last, symbols.get_indexer(pd.Index(names))] = True
    return pd.DataFrame(held, index=sessions, columns=symbols)


def _moments(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    rows, size = values.shape
    count = np.full(rows, float(size))
    mean = values.mean(axis=1) if size else np.zeros(rows)
    centred = values - mean[:, None]
    spread = np.sqrt((centred**2).sum(axis=1) / max(size - 1, 1))
    return mean, spread, (centred**3).sum(axis=1), count


def _bootstrapped_johnson(
    values: FloatArray, johnson: FloatArray, reason: tuple[str, ...], draws: int, seed: int
) -> Outcome:
    size = values.size // 4
    if size < TRIPLE:
        return inapplicable(1, f"needs at least {4 * TRIPLE} stocks: resamples hold a quarter of them", "bootstrap")
    rng = np.random.default_rng(seed)
    sample = values[rng.integers(values.size, size=(draws, size))]
    mean, spread, third, count = _moments(sample)
    drawn = skewness_statistic(mean - values.mean(), spread, third, count, 0.0)
    p_value = (1.0 + float((np.abs(drawn) >= abs(johnson[0])).sum())) / (draws + 1.0)
    plain = normal(johnson, reason)
    return Outcome(plain.statistic, np.array([p_value]), plain.df, "bootstrap", plain.reason)


def _robust_regression(x: FloatArray, y: FloatArray, errors: Errors, lags: int) -> tuple[FloatArray, FloatArray]:
    days, parameters = x.shape
    inverse = np.linalg.inv(x.T @ x)
    coefficients = inverse @ (x.T @ y)
    score = x * (y - x @ coefficients)[:, None]
    meat = score.T @ score
    if errors == "newey_west":
        for lag in range(1, lags + 1):
            cross = score[lag:].T @ score[:-lag]
            meat += (1.0 - lag / (lags + 1.0)) * (cross + cross.T)
    covariance = inverse @ meat @ inverse * days / (days - parameters)
    return coefficients, np.sqrt(np.diag(covariance))
