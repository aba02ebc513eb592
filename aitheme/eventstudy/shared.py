"""Many baskets around one day: a stock is estimated once, however many of the baskets hold it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from aitheme.eventstudy.account import DataLoss, refuse_loss
from aitheme.eventstudy.arrays import mean_where
from aitheme.eventstudy.errors import StudyError
from aitheme.eventstudy.fitting import fit_events, least_days, nothing_to_estimate
from aitheme.eventstudy.inference import event_portfolio
from aitheme.eventstudy.inputs import make_data
from aitheme.eventstudy.volatility import sessions_after, volatility_scaled
from aitheme.eventstudy.windows import make_design, make_events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from aitheme.eventstudy.arrays import BoolArray, FloatArray, IntArray
    from aitheme.eventstudy.fitting import FittedEvent
    from aitheme.eventstudy.inputs import Data
    from aitheme.eventstudy.outcome import Outcome
    from aitheme.eventstudy.windows import StudyDesign

MAX_LOSS = 0.35
"""Largest share of a basket's stocks that may be dropped, as for a study."""


@dataclass(frozen=True, slots=True)
class BasketEffect:
    """What a day did to a basket: its CAAR over the window and the headline test.

    Attributes
    ----------
    symbols : Index
        Stocks that stayed in.
    position : int
        Row of day 0.
    caar : float
        Mean CAR of the window (ratio).
    statistic, p_value, p_before : float
        The headline test, and its p-value as one could have had it that evening; NaN where it does not apply.
    sessions_after : int
        Sessions of data behind the window.
    reason : str
        Why the headline test does not apply, or empty.
    """

    symbols: pd.Index
    position: int
    caar: float
    statistic: float
    p_value: float
    p_before: float
    sessions_after: int
    reason: str


def basket_effects(
    returns: pd.DataFrame,
    event: object,
    baskets: Mapping[str, Sequence[str]],
    *,
    benchmark: pd.Series | pd.DataFrame | None = None,
    model: str = "market",
    window: tuple[int, int] = (-5, 10),
    estimation: tuple[int, int] = (250, 30),
    max_loss: float = MAX_LOSS,
) -> dict[str, BasketEffect | StudyError]:
    """Study baskets that share stocks around one day.

    The numbers are those of :func:`aitheme.eventstudy.study.event_study` basket by basket.

    Parameters
    ----------
    returns
        Sessions x symbols of all baskets, simple total returns (ratios), NaN where suspended or unlisted.
    event
        The day, as a study takes it.
    baskets
        Symbols by name.
    benchmark, model, window, estimation, max_loss
        As for a study, of a model that needs no more than returns and a benchmark.

    Returns
    -------
    dict of str to BasketEffect or StudyError
        One entry a basket; the error says why one could not be studied.

    Raises
    ------
    StudyError
        The windows, the event or the data fit no basket at all.
    """
    design, (wanted,) = make_design(window, estimation), make_events(event)
    data = make_data(returns, model=model, benchmark=benchmark)
    least = least_days(None, design, data)
    whole = fit_events(data, [replace(wanted, symbols=None)], [], design, design.scopes(by_day=False), least)[0]
    found: dict[str, BasketEffect | StudyError] = {}
    for name, symbols in baskets.items():
        try:
            found[name] = _effect(data, whole, symbols, design, least, max_loss)
        except StudyError as error:
            found[name] = error
    return found


def _effect(
    data: Data, whole: FittedEvent, symbols: Sequence[str], design: StudyDesign, least: int, max_loss: float
) -> BasketEffect:
    asked, every = data.columns(symbols), whole.loss
    loss = replace(
        every,
        symbols=data.symbols[asked],
        estimation_days=every.estimation_days[asked],
        window_days=every.window_days[asked],
        reason=every.reason[asked],
    )
    if not loss.estimation_days.any():
        raise nothing_to_estimate(whole.event, data)
    refuse_loss(DataLoss((loss,)), max_loss, least)
    kept = asked[loss.reason == ""]
    portfolio = event_portfolio(data, replace(whole, columns=kept))
    scopes = design.scopes(by_day=False)
    headline, before = (volatility_scaled([portfolio], scopes, design, side=side) for side in ("both", "before"))
    return BasketEffect(
        symbols=data.symbols[kept],
        position=whole.position,
        caar=_mean_car(whole, kept),
        statistic=_last(headline, "statistic"),
        p_value=_last(headline, "p_value"),
        p_before=_last(before, "p_value"),
        sessions_after=sessions_after(portfolio, design),
        reason=headline.reason[-1],
    )


def _mean_car(whole: FittedEvent, kept: IntArray) -> float:
    assert whole.fit is not None
    place = np.searchsorted(whole.columns, kept)  # every stock stays at most once, in the order of the data
    abnormal, valid = whole.fit.event[:, place], whole.fit.event_valid[:, place]
    car: FloatArray = abnormal.sum(axis=0)
    seen: BoolArray = np.asarray(valid.any(axis=0))
    return float(mean_where(car[None, :], seen[None, :])[0][0])


def _last(outcome: Outcome, field: str) -> float:
    return float(getattr(outcome, field)[-1])
