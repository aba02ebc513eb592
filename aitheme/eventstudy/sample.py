"""What the tests read: abnormal returns, their scale and their sums over every scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from aitheme.eventstudy.arrays import day_counts
from aitheme.eventstudy.correlation import Dependence, dependence

Number = TypeVar("Number", bound=np.generic)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from aitheme.eventstudy.arrays import BoolArray, FloatArray, IntArray
    from aitheme.eventstudy.fits import Fit
    from aitheme.eventstudy.windows import Scopes


@dataclass(frozen=True, slots=True)
class Sample:
    """Abnormal returns of N (event, stock) pairs over S scopes.

    Attributes
    ----------
    scopes : Scopes
        Days, sub-windows and, last, the window.
    date : ndarray of int, shape (N,)
        Code of the event date of each column.
    estimation, event : ndarray, shape (L1, N) and (L2, N)
        Residuals and abnormal returns (ratios), zero where not valid.
    estimation_valid, event_valid : ndarray of bool
        Same shapes.
    sigma : ndarray, shape (N,)
        Residual standard deviation.
    days : ndarray, shape (N,)
        Valid estimation days, L1_i.
    parameters : int
        Estimated parameters of the model, p.
    correction : ndarray, shape (S, N)
        C_i(W), in units of sigma^2.
    portfolio_correction : ndarray, shape (S,)
        The same for the portfolio.
    car, scar : ndarray, shape (S, N)
        Cumulated abnormal returns and CAR / (sigma sqrt(C)), zero where not valid.
    car_valid : ndarray of bool, shape (S, N)
        Stocks with at least one valid day in the scope.
    conditional_sigma : ndarray, shape (L1, N), or None
        In-sample conditional volatility of a GARCH model.
    dependence : Dependence
        rbar and what follows from it.
    """

    scopes: Scopes
    date: IntArray
    estimation: FloatArray
    event: FloatArray
    estimation_valid: BoolArray
    event_valid: BoolArray
    sigma: FloatArray
    days: FloatArray
    parameters: int
    correction: FloatArray
    portfolio_correction: FloatArray
    car: FloatArray
    scar: FloatArray
    car_valid: BoolArray
    conditional_sigma: FloatArray | None
    dependence: Dependence

    @property
    def n(self) -> int:
        """Number of (event, stock) pairs."""
        return int(self.sigma.size)

    @property
    def standardised(self) -> FloatArray:
        """e_it / sigma_i, or over the conditional volatility of a GARCH model, shape (L1, N)."""
        scale = self.sigma if self.conditional_sigma is None else self.conditional_sigma
        return self.estimation / scale

    @property
    def ranked_residuals(self) -> tuple[FloatArray, FloatArray]:
        """Residuals in the order of the standardised ones, and the unit (N,) that standardised values have there.

        A constant sigma does not change the order of a stock's residuals, so the division is saved.
        """
        if self.conditional_sigma is None:
            return self.estimation, self.sigma
        return self.standardised, np.ones(self.n)


def make_sample(fits: Sequence[Fit], dates: Sequence[int], scopes: Scopes) -> Sample:
    """Stack the fits of one or more events and sum them over the scopes.

    Parameters
    ----------
    fits : sequence of Fit
        One an event, with the same windows.
    dates : sequence of int
        Code of each event's date; events of one day share a code.
    scopes : Scopes
        Spans to test.

    Returns
    -------
    Sample
        With the portfolio correction averaged over events by their number of stocks.
    """
    sizes = np.array([fit.sigma.size for fit in fits])
    estimation, event = _joined([fit.estimation for fit in fits]), _joined([fit.event for fit in fits])
    valid = _joined([fit.estimation_valid for fit in fits])
    valid_event = _joined([fit.event_valid for fit in fits])
    sigma = _joined([fit.sigma for fit in fits])
    correction = _joined([fit.correction for fit in fits])
    date = np.repeat(np.asarray(dates, dtype=np.int64), sizes)
    car = scopes.weights @ event
    car_valid = (scopes.weights @ valid_event) > 0.0
    scale = sigma * np.sqrt(correction)
    scar = np.divide(car, scale, out=np.zeros_like(car), where=car_valid)
    return Sample(
        scopes=scopes,
        date=date,
        estimation=estimation,
        event=event,
        estimation_valid=valid,
        event_valid=valid_event,
        sigma=sigma,
        days=day_counts(valid),
        parameters=fits[0].parameters,
        correction=correction,
        portfolio_correction=np.average([fit.portfolio_correction for fit in fits], axis=0, weights=sizes),
        car=car,
        scar=scar,
        car_valid=car_valid,
        conditional_sigma=_conditional(fits),
        dependence=dependence(estimation, valid, date),
    )


def _conditional(fits: Sequence[Fit]) -> FloatArray | None:
    found = [fit.conditional_sigma for fit in fits if fit.conditional_sigma is not None]
    return _joined(found) if found else None


def _joined(parts: Sequence[NDArray[Number]]) -> NDArray[Number]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
