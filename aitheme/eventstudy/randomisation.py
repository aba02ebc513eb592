"""Randomisation over dates: the event's studentised CAR against the same statistic on placebo dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from aitheme.eventstudy.arrays import ratio
from aitheme.eventstudy.outcome import Outcome, given, inapplicable
from aitheme.eventstudy.portfolio import portfolio_paths, pre_event_volatility, scale_function, studentise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aitheme.eventstudy.arrays import BoolArray, FloatArray, IntArray
    from aitheme.eventstudy.portfolio import PortfolioPaths, Scale
    from aitheme.eventstudy.windows import Scopes

LEAST_PLACEBOS = 19
"""With fewer placebo dates the smallest possible p-value, 1 / (B + 1), is above 5 %."""

LEAST_SHARE = 0.5
"""A placebo date counts only if at least half of the basket traded: an earlier, smaller basket is another basket."""

REFERENCE = "placebo dates"

Side = Literal["before", "all"]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Equal-weight portfolio of one event's stocks over all sessions.

    Attributes
    ----------
    position : int
        Row of day 0.
    returns : ndarray, shape (T,)
        Mean return of the members that traded (ratio), NaN where none did.
    regressors : ndarray, shape (T, k), or None
        Regressors of its model; None for mean-adjusted returns.
    estimated : bool
        False where the model estimates nothing (market-adjusted, control portfolio).
    share : ndarray, shape (T,)
        Share of the members that traded.
    """

    position: int
    returns: FloatArray
    regressors: FloatArray | None
    estimated: bool
    share: FloatArray


@dataclass(frozen=True, slots=True)
class PlaceboRules:
    """Which dates may stand in for the event.

    Attributes
    ----------
    side : {"before", "all"}
        Only dates whose window ends before the event window starts, so that an analyst could have had the p-value
        on the day, or every date whose window does not overlap it.
    avoid : ndarray of int, shape (K,)
        Rows of other releases: no placebo window may contain one.
    least_days : int
        Fewest valid estimation days.
    nearest : int or None
        Keep only this many dates, nearest to the event in the volatility just before the window.
    draws : int
        Most placebo dates used; more than that are sampled without replacement.
    seed : int
        Of that sample.
    """

    side: Side
    avoid: IntArray
    least_days: int
    nearest: int | None
    draws: int
    seed: int


@dataclass(frozen=True, slots=True)
class DateRandomisation:
    """Result of a randomisation over dates.

    Attributes
    ----------
    statistic, p_value : ndarray, shape (S,)
        NaN where the test does not apply.
    draws : ndarray, shape (S, B)
        Placebo statistics; the same placebo date (or joint draw) in each column.
    positions : ndarray of int, shape (B,)
        Rows of the placebo dates; empty where several events are pooled.
    eligible, non_overlapping : int
        Placebo dates found, and how many of them have disjoint windows (smallest over pooled events).
    excluded : dict of str to int
        Dates left out, by reason.
    event_statistics : ndarray, shape (K, S)
        Statistic of each pooled event.
    band_paths : ndarray, shape (B, L2)
        Placebo CAAR paths, rescaled to the volatility of the event.
    reason : str
        Why the test does not apply, or empty.
    """

    statistic: FloatArray
    p_value: FloatArray
    draws: FloatArray
    positions: IntArray
    eligible: int
    non_overlapping: int
    excluded: dict[str, int]
    event_statistics: FloatArray
    band_paths: FloatArray
    reason: str

    def outcome(self) -> Outcome:
        """Give the test the common form."""
        scopes = self.statistic.size
        if self.reason:
            return inapplicable(scopes, self.reason, REFERENCE)
        return given(self.statistic, self.p_value, REFERENCE, ("",) * scopes)


@dataclass(frozen=True, slots=True)
class _Placebos:
    statistic: FloatArray  # (S,) of the event
    draws: FloatArray  # (S, D) of its placebo dates
    positions: IntArray  # (D,)
    band: FloatArray  # (D, L2)
    excluded: dict[str, int]


def randomise_dates(
    portfolios: Sequence[Portfolio],
    scopes: Scopes,
    window: tuple[int, int],
    estimation: tuple[int, int],
    rules: PlaceboRules,
    *,
    scale: str | Scale = "ewma",
    excluded: BoolArray | None = None,
) -> DateRandomisation:
    """Compare the event's studentised portfolio CAR with those of placebo dates.

    One event: every eligible date is a placebo, p = (1 + #{|T_b| >= |T_0|}) / (B + 1). Several events: the
    statistic is sum_k T_k / sqrt(K) and each draw gives every event a placebo date of its own.

    Parameters
    ----------
    portfolios : sequence of Portfolio
        One an event.
    scopes : Scopes
        Spans to test.
    window, estimation : tuple of int
        The design.
    rules : PlaceboRules
        Which dates are eligible.
    scale : str or callable
        Studentisation, see :data:`aitheme.eventstudy.portfolio.SCALES`.
    excluded : ndarray of bool, shape (T,), or None
        Sessions left out of every estimation window.

    Returns
    -------
    DateRandomisation
        All cross-correlation is kept, since the basket is never taken apart. Overlapping placebo windows are
        dependent; ``non_overlapping`` says how many independent ones there are.

    References
    ----------
    Edgington (1980), Randomization Tests; Phipson and Smyth (2010), Statistical Applications in Genetics 9:39,
    for the p-value.
    """
    found = [_placebos(item, scopes, window, estimation, rules, scale, excluded) for item in portfolios]
    number = np.array([item.positions.size for item in found])
    own = np.stack([item.statistic for item in found])
    statistic = own.sum(axis=0) / np.sqrt(len(found))
    free = min(non_overlapping(item.positions, window) for item in found)
    dropped: dict[str, int] = {}
    for item in found:
        for why, count in item.excluded.items():
            dropped[why] = dropped.get(why, 0) + count
    reason = _why_not(int(number.min()), statistic, scopes, dropped)
    rng = np.random.default_rng(rules.seed)
    if len(found) == 1:
        pick = _sampled(found[0].positions.size, rules.draws, rng)
        draws, positions, band = found[0].draws[:, pick], found[0].positions[pick], found[0].band[pick]
    else:
        draws, band = _pooled(found, rules.draws, rng) if number.min() else (own[:1].T[:, :0], found[0].band[:0])
        positions = np.empty(0, dtype=np.int64)
    return DateRandomisation(
        statistic=statistic,
        p_value=randomisation_p(statistic, draws),
        draws=draws,
        positions=positions,
        eligible=int(number.min()),
        non_overlapping=free,
        excluded=dropped,
        event_statistics=own,
        band_paths=band,
        reason=reason,
    )


def randomisation_p(statistic: FloatArray, draws: FloatArray) -> FloatArray:
    """Two-sided randomisation p-value.

    Parameters
    ----------
    statistic : ndarray, shape (S,)
        Observed values.
    draws : ndarray, shape (S, B)
        Reference values; NaN draws are not counted.

    Returns
    -------
    ndarray, shape (S,)
        (1 + #{|T_b| >= |T_0|}) / (B + 1), never zero.
    """
    usable = np.isfinite(draws)
    beyond = (np.abs(draws) >= np.abs(statistic)[:, None]) & usable
    result: FloatArray = (1.0 + beyond.sum(axis=1)) / (usable.sum(axis=1) + 1.0)
    return result


def non_overlapping(positions: IntArray, window: tuple[int, int]) -> int:
    """Largest number of the dates whose windows share no session (greedy, which is exact for intervals)."""
    length, count, free = window[1] - window[0] + 1, 0, -(10**9)
    for place in np.sort(positions):
        if place >= free:
            count, free = count + 1, int(place) + length
    return count


def eligible_dates(
    item: Portfolio, sessions: int, window: tuple[int, int], estimation: tuple[int, int], rules: PlaceboRules
) -> tuple[IntArray, dict[str, int]]:
    """Candidate placebo dates before their models are estimated.

    Parameters
    ----------
    item : Portfolio
        The basket and its day 0.
    sessions : int
        Number of sessions, T.
    window, estimation : tuple of int
        The design.
    rules : PlaceboRules
        What is allowed.

    Returns
    -------
    positions : ndarray of int
        Eligible rows.
    excluded : dict of str to int
        Dates left out by reason; each counts once, under the first reason that applies.
    """
    length, gap = estimation
    span = window[1] - window[0] + 1
    every = np.arange(gap + length - 1, sessions - max(window[1], 0))
    later = every > item.position - span
    near = np.abs(every - item.position) < span
    barred = later if rules.side == "before" else near
    released = np.zeros(every.size, dtype=np.bool_)
    others = rules.avoid[rules.avoid != item.position]
    if others.size:
        distance = others[None, :] - every[:, None]
        released = ((distance >= window[0]) & (distance <= window[1])).any(axis=1)
    low = np.concatenate([[0], np.cumsum(item.share < LEAST_SHARE)])
    thin = low[every + window[1] + 1] - low[every + window[0]] > 0
    meaning = "after or overlapping the event window" if rules.side == "before" else "overlapping the event window"
    checks = ((barred, meaning), (released, "another release in the window"), (thin, "less than half traded"))
    keep, excluded = np.ones(every.size, dtype=np.bool_), {}
    for failed, why in checks:
        if (keep & failed).any():
            excluded[why] = int((keep & failed).sum())
        keep &= ~failed
    return every[keep], excluded


def _placebos(
    item: Portfolio,
    scopes: Scopes,
    window: tuple[int, int],
    estimation: tuple[int, int],
    rules: PlaceboRules,
    scale: str | Scale,
    skip: BoolArray | None,
) -> _Placebos:
    candidates, excluded = eligible_dates(item, item.returns.size, window, estimation, rules)
    positions = np.concatenate([[item.position], candidates])
    paths = portfolio_paths(
        item.returns, item.regressors, positions, window, estimation, estimated=item.estimated, excluded=skip
    )
    statistics = np.full((len(scopes.spans), positions.size), np.nan)
    for scope in np.flatnonzero(scopes.active):
        statistics[scope] = studentise(paths, scopes.spans[scope], scale)
    keep = _estimated(paths, statistics, rules.least_days)[1:]
    if (~keep).any():
        excluded["too few estimation days"] = int((~keep).sum())
    volatility = pre_event_volatility(paths, window)
    if rules.nearest is not None and int(keep.sum()) > rules.nearest:
        distance = np.where(keep, np.abs(np.log(volatility[1:] / volatility[0])), np.inf)
        far = np.argsort(distance, kind="stable")[rules.nearest :]
        excluded["another volatility regime"] = int(keep[far].sum())
        keep[far] = False
    band = _band(paths, window, scale)
    return _Placebos(statistics[:, 0], statistics[:, 1:][:, keep], candidates[keep], band[1:][keep], excluded)


def _estimated(paths: PortfolioPaths, statistics: FloatArray, least_days: int) -> BoolArray:
    result: BoolArray = (paths.used.sum(axis=1) >= least_days) & np.isfinite(statistics[-1])
    return result


def _band(paths: PortfolioPaths, window: tuple[int, int], scale: str | Scale) -> FloatArray:
    # Placebo paths in the event's own units: each is scaled by the ratio of the two standard errors.
    error = scale_function(scale)(paths, window)
    unit = ratio(np.full(error.size, error[0]), error)
    path: FloatArray = np.cumsum(paths.abnormal[:, paths.columns(window)], axis=1) * unit[:, None]
    return path


def _sampled(number: int, draws: int, rng: np.random.Generator) -> IntArray:
    if number <= draws:
        return np.arange(number)
    return np.sort(rng.choice(number, size=draws, replace=False))


def _pooled(found: Sequence[_Placebos], draws: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    total, band = np.zeros((found[0].statistic.size, draws)), np.zeros((draws, found[0].band.shape[1]))
    for item in found:
        pick = rng.integers(item.positions.size, size=draws)
        total += item.draws[:, pick]
        band += item.band[pick]
    return total / np.sqrt(len(found)), band / len(found)


def _why_not(number: int, statistic: FloatArray, scopes: Scopes, dropped: dict[str, int]) -> str:
    if not np.isfinite(statistic[scopes.active]).any():
        return "the portfolio has no variance or no return in the window"
    if number < LEAST_PLACEBOS:
        account = "; ".join(f"{count} {why}" for why, count in dropped.items()) or "the data are short"
        return f"only {number} placebo dates, needs at least {LEAST_PLACEBOS} ({account}); load a longer history"
    return ""
