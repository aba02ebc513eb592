"""Control portfolios: matched stocks, synthetic controls and their placebo inference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from aitheme.eventstudy.arrays import ratio
from aitheme.eventstudy.errors import StudyError
from aitheme.eventstudy.fits import Block, Fit
from aitheme.eventstudy.linear import no_estimation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aitheme.eventstudy.arrays import FloatArray, IntArray
    from aitheme.eventstudy.models import Cut, Inputs

DONOR_LIMIT = 50
"""Donors kept per stock, by correlation in the estimation window: more than that and a 250-day window
fits noise (Abadie 2021, J. Economic Literature 59:391-425, asks for few and similar donors)."""

FEWEST_DONORS = 2


@dataclass(frozen=True, slots=True)
class SyntheticPlacebo:
    """Placebo inference of one synthetic control.

    Attributes
    ----------
    gap : float
        Cumulated return of the stock less that of its synthetic control over the window (ratio).
    ratio : float
        |gap| over the root mean squared error of the estimation window.
    placebo_ratios : ndarray, shape (M,)
        The same for every donor, treated in turn.
    p_value : float
        (1 + #{placebo >= ratio}) / (M + 1).
    """

    gap: float
    ratio: float
    placebo_ratios: FloatArray
    p_value: float


def matched_controls(
    characteristics: pd.DataFrame, treated: Sequence[str], *, count: int = 5, groups: pd.Series | None = None
) -> dict[str, tuple[str, ...]]:
    """Find for every treated stock the nearest others in characteristics.

    Parameters
    ----------
    characteristics : DataFrame
        Index symbols, columns such as log size or prior run-up; compared after division by their
        cross-sectional standard deviation. Rows with a hole are left out.
    treated : sequence of str
        Stocks that need controls; none of them serves as a control.
    count : int
        Controls a stock.
    groups : Series or None
        Symbol to group (industry): controls come from the stock's own group.

    Returns
    -------
    dict of str to tuple of str
        Control symbols, nearest first.

    Raises
    ------
    StudyError
        If a stock has no characteristics or no candidate.

    References
    ----------
    Barber and Lyon (1997), J. Financial Economics 43:341-372; Lyon, Barber and Tsai (1999), J. Finance
    54:165-201.
    """
    table = characteristics.dropna()
    missing = [symbol for symbol in treated if symbol not in table.index]
    if missing:
        raise StudyError(f"characteristics has no complete row for {missing[0]}; add it or drop the stock")
    scaled = table / table.std(ddof=1).replace(0.0, 1.0)
    pool = scaled.drop(index=list(treated))
    chosen: dict[str, tuple[str, ...]] = {}
    for symbol in treated:
        candidates = pool
        if groups is not None:
            candidates = pool[groups.reindex(pool.index).eq(groups[symbol]).to_numpy()]
        if candidates.empty:
            raise StudyError(f"no candidate control for {symbol} is left; pass more symbols or no groups")
        distance = ((candidates - scaled.loc[symbol]) ** 2).sum(axis=1)
        chosen[symbol] = tuple(str(name) for name in distance.nsmallest(count).index)
    return chosen


def control_returns(universe_returns: pd.DataFrame, controls: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Equal-weight return of every stock's control portfolio.

    Parameters
    ----------
    universe_returns : DataFrame
        Sessions x symbols, simple returns (ratios).
    controls : mapping of str to sequence of str
        Control symbols of each stock.

    Returns
    -------
    DataFrame
        Sessions x treated symbols; a session on which no control traded is NaN.

    Raises
    ------
    StudyError
        If a control is not in the universe.
    """
    unknown = sorted({name for names in controls.values() for name in names} - set(universe_returns.columns))
    if unknown:
        raise StudyError(f"controls names {unknown[0]!r}, which universe_returns does not have; add it or drop it")
    return pd.DataFrame({symbol: universe_returns[list(names)].mean(axis=1) for symbol, names in controls.items()})


def synthetic_weights(target: FloatArray, donors: FloatArray) -> FloatArray:
    """Weights of a synthetic control: non-negative, summing to one, nearest in the estimation window.

    With D = target - donors the problem min |D w|, w >= 0, sum w = 1 is the point of a convex hull nearest to
    the origin; the solution u of the non-negative least squares problem [D; 1'] u = [0; 1] lies on the same ray.

    Parameters
    ----------
    target : ndarray, shape (L1,)
        Returns of the stock.
    donors : ndarray, shape (L1, M)
        Returns of the donors.

    Returns
    -------
    ndarray, shape (M,)
        The weights.

    References
    ----------
    Abadie, Diamond and Hainmueller (2010), J. American Statistical Association 105:493-505; Acemoglu et al.
    (2016), J. Financial Economics 121:368-391, for daily stock returns.
    """
    difference = target[:, None] - donors
    scale = np.sqrt((difference**2).sum(axis=0).mean())
    stacked = np.vstack([difference / scale, np.ones(donors.shape[1])])
    from scipy.optimize import nnls  # takes longer to import than most studies take

    solution, _ = nnls(stacked, np.concatenate([np.zeros(target.size), [1.0]]))
    result: FloatArray = solution / solution.sum()
    return result


def synthetic_control(inputs: Inputs, cut: Cut, weights: FloatArray) -> Fit:
    """Abnormal returns against a synthetic control made of donors.

    Donors must trade on every session of both windows; each stock keeps the ``DONOR_LIMIT`` most correlated.
    sigma is that of the estimation-window difference.

    Parameters
    ----------
    inputs : Inputs
        Returns and donors.
    cut : Cut
        The windows.
    weights : ndarray, shape (S, L2)
        Scopes.

    Returns
    -------
    Fit
        AR = R_i - sum_j w_j R_j, with C_i(W) = L2_i.

    Raises
    ------
    StudyError
        If fewer than two donors are complete.
    """
    assert inputs.donors is not None
    estimation, event = cut.returns(inputs.returns)
    pool, pool_event = _complete_donors(inputs.donors, cut)
    expected, expected_event = np.empty_like(estimation), np.empty_like(event)
    for stock in range(estimation.shape[1]):
        rows = np.isfinite(estimation[:, stock])
        target, donors = estimation[rows, stock], pool[rows]
        near = _most_correlated(target, donors)
        share = synthetic_weights(target, donors[:, near])
        expected[:, stock], expected_event[:, stock] = pool[:, near] @ share, pool_event[:, near] @ share
    empty = (np.empty((estimation.shape[0], 0)), np.empty((event.shape[0], 0)))
    return no_estimation(Block(estimation, event, *empty), expected, expected_event, weights)


def synthetic_placebo(
    target: FloatArray, donors: FloatArray, target_event: FloatArray, donors_event: FloatArray
) -> SyntheticPlacebo:
    """Treat every donor in turn and see how unusual the treated stock's gap is.

    Parameters
    ----------
    target : ndarray, shape (L1,)
        Estimation-window returns of the stock.
    donors : ndarray, shape (L1, M)
        Those of the donors.
    target_event, donors_event : ndarray, shape (L2,) and (L2, M)
        The same in the event window.

    Returns
    -------
    SyntheticPlacebo
        The gap, its ratio and the p-value.

    References
    ----------
    Abadie, Diamond and Hainmueller (2010), J. American Statistical Association 105:493-505, section 2.4.
    """
    gap, ratio = _gap_ratio(target, donors, target_event, donors_event)
    others = np.arange(donors.shape[1])
    placebo = np.array(
        [
            _gap_ratio(donors[:, j], donors[:, others != j], donors_event[:, j], donors_event[:, others != j])[1]
            for j in others
        ]
    )
    p_value = (1.0 + float((placebo >= ratio).sum())) / (placebo.size + 1.0)
    return SyntheticPlacebo(gap=gap, ratio=ratio, placebo_ratios=placebo, p_value=p_value)


def _gap_ratio(
    target: FloatArray, donors: FloatArray, target_event: FloatArray, donors_event: FloatArray
) -> tuple[float, float]:
    share = synthetic_weights(target, donors)
    gap = float((target_event - donors_event @ share).sum())
    error = float(np.sqrt(np.mean((target - donors @ share) ** 2)))
    return gap, abs(gap) / error


def _complete_donors(donors: FloatArray, cut: Cut) -> tuple[FloatArray, FloatArray]:
    estimation, event = cut.of(donors)
    complete = np.isfinite(estimation).all(axis=0) & np.isfinite(event).all(axis=0)
    if int(complete.sum()) < FEWEST_DONORS:
        raise StudyError(
            f"universe_returns has {int(complete.sum())} donors that trade on every session of both windows, "
            f"model='synthetic' needs at least {FEWEST_DONORS}; pass a wider universe"
        )
    return estimation[:, complete], event[:, complete]


def _most_correlated(target: FloatArray, donors: FloatArray) -> IntArray:
    centred = donors - donors.mean(axis=0)
    score = ratio((target - target.mean()) @ centred, np.sqrt((centred**2).sum(axis=0)))
    # NaN, a donor that never moves, sorts last.
    order: IntArray = np.argsort(-score, kind="stable")[:DONOR_LIMIT]
    return order
