"""The event study: one call from returns and events to a result."""

from __future__ import annotations

from collections.abc import Sized
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from aitheme.eventstudy.account import DataLoss, refuse_loss
from aitheme.eventstudy.battery import chosen_tests, run_tests
from aitheme.eventstudy.fitting import fit_events, least_days, positions_of
from aitheme.eventstudy.inference import Options, placebo_dates, resampled_tests
from aitheme.eventstudy.inputs import make_data
from aitheme.eventstudy.limits import study_limits
from aitheme.eventstudy.result import EventStudyResult, Unit
from aitheme.eventstudy.sample import make_sample
from aitheme.eventstudy.universe import Universe
from aitheme.eventstudy.windows import make_design, make_events, window_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aitheme.eventstudy.arrays import FloatArray
    from aitheme.eventstudy.fitting import FittedEvent
    from aitheme.eventstudy.inputs import Data
    from aitheme.eventstudy.portfolio import Scale
    from aitheme.eventstudy.randomisation import Side
    from aitheme.eventstudy.windows import Event, StudyDesign


def event_study(
    returns: pd.DataFrame,
    events: object,
    *,
    benchmark: pd.Series | pd.DataFrame | None = None,
    benchmark_name: str | None = None,
    model: str = "market",
    window: tuple[int, int] = (-5, 10),
    estimation: tuple[int, int] = (250, 30),
    sub_windows: Sequence[tuple[int, int]] = (),
    factors: pd.DataFrame | None = None,
    dimson_lags: int = 1,
    limit_state: pd.DataFrame | None = None,
    other_events: object = (),
    exclude_other_events: bool = False,
    min_valid: int | None = None,
    max_loss: float = 0.35,
    tests: Iterable[str] | None = None,
    by_day: bool = True,
    draws: int = 1000,
    seed: int = 20240318,
    scale: str | Scale = "ewma",
    placebos: Side = "before",
    nearest_placebos: int | None = None,
    bootstrap_block: int = 1,
    universe_returns: pd.DataFrame | Universe | None = None,
    strata: pd.Series | None = None,
    controls: Mapping[str, Sequence[str]] | None = None,
) -> EventStudyResult:
    """Study the abnormal returns of stocks around one or more events.

    Parameters
    ----------
    returns : DataFrame
        Sessions x symbols, simple total returns (ratios), NaN where a stock was suspended or unlisted. The index
        holds every session of the exchange.
    events : Event, (id, day0), mapping of id to day0, date, or an iterable of these
        Several events are pooled, each with its own day 0 and, if given, its own symbols.
    benchmark : Series or DataFrame or None
        Returns on the same sessions; a DataFrame has one column a symbol (leave-one-out industry mean).
    benchmark_name : str or None
        Its label in every output; None for the name of the Series.
    model : str
        ``mean``, ``market_adjusted``, ``market``, ``scholes_williams``, ``dimson``, ``factor``, ``industry``,
        ``garch``, ``matched`` or ``synthetic``.
    window : (int, int)
        First and last day of the event window relative to day 0.
    estimation : (int, int)
        ``(length, gap)``: the ``length`` sessions ending ``gap`` sessions before day 0; (250, 30) is -279 .. -30.
    sub_windows : sequence of (int, int)
        Further windows inside ``window`` to test.
    factors : DataFrame or None
        Factor returns for ``model="factor"``; a column ``rf`` is the risk-free rate.
    dimson_lags : int
        Leads and lags of the Dimson model.
    limit_state : DataFrame or None
        +1 closed at limit up, -1 at limit down, 0 otherwise; same sessions and symbols as ``returns``.
    other_events : as ``events``
        Further releases: reported where they overlap, and never inside a placebo window.
    exclude_other_events : bool
        Leave the event windows of all other events out of the estimation window.
    min_valid : int or None
        Fewest valid estimation days of a stock; None for half the length, at least parameters + 4.
    max_loss : float
        Largest share of stocks that may be dropped.
    tests : iterable of str or None
        Names from ``TESTS``; None for all.
    by_day : bool
        Test every single day as well.
    draws : int
        Placebo dates, random baskets and bootstrap draws at most; 0 for none.
    seed : int
        Of all random numbers.
    scale : str or callable
        Studentisation of the portfolio CAR, see ``portfolio.SCALES``.
    placebos : {"before", "all"}
        Placebo dates only before the event (a p-value one could have had), or on both sides.
    nearest_placebos : int or None
        Keep only so many placebo dates, those nearest in pre-event volatility.
    bootstrap_block : int
        Days per block of the residual bootstrap.
    universe_returns : DataFrame, Universe or None
        Returns of the wider market: random baskets, matched controls, donors. A :class:`Universe` keeps what was worked
        out from it for the next study.
    strata : Series or None
        Symbol to group: random baskets match the basket's count in each.
    controls : mapping of str to sequence of str, or None
        Control symbols for ``model="matched"``.

    Returns
    -------
    EventStudyResult
        Frozen, with labelled abnormal returns, tests and the data-loss account.

    Raises
    ------
    StudyError
        With one line that names the parameter, its value, what is allowed and the next step.
    """
    design, wanted = make_design(window, estimation, sub_windows), make_events(events)
    others = tuple(item for item in _optional_events(other_events) if item.id not in {event.id for event in wanted})
    universe = Universe(universe_returns) if isinstance(universe_returns, pd.DataFrame) else universe_returns
    data = make_data(
        returns,
        model=model,
        benchmark=benchmark,
        benchmark_name=benchmark_name,
        factors=factors,
        universe_returns=None if universe is None else universe.returns,
        controls=controls,
        lags=dimson_lags,
    )
    releases = positions_of(data.sessions, (*wanted, *others))
    options = Options(
        least_days=least_days(min_valid, design, data),
        draws=draws,
        seed=seed,
        block=bootstrap_block,
        scale=scale,
        placebos=placebos,
        nearest=nearest_placebos,
        avoid=releases,
        excluded=window_mask(len(data.sessions), releases, design.window) if exclude_other_events else None,
        universe=universe,
        benchmark=benchmark,
        factors=factors,
        strata=strata,
    )
    names = chosen_tests(tests)
    return _study(data, wanted, others, design, names, options, max_loss, limit_state, by_day=by_day)


def _study(
    data: Data,
    events: Sequence[Event],
    others: Sequence[Event],
    design: StudyDesign,
    names: Sequence[str],
    options: Options,
    max_loss: float,
    limit_state: pd.DataFrame | None,
    *,
    by_day: bool,
) -> EventStudyResult:
    scopes = design.scopes(by_day=by_day)
    exclude = options.excluded is not None
    fitted = fit_events(data, events, others, design, scopes, options.least_days, exclude_other_events=exclude)
    loss = DataLoss(tuple(item.loss for item in fitted))
    refuse_loss(loss, max_loss, options.least_days)
    fitted = [item for item in fitted if item.fit is not None]
    fits = [item.fit for item in fitted if item.fit is not None]
    dates = np.unique([item.position for item in fitted], return_inverse=True)[1]
    sample = make_sample(fits, [int(code) for code in dates], scopes)
    randomised = placebo_dates(data, fitted, design, scopes, options) if "randomisation_dates" in names else None
    outcomes = run_tests(sample, names) | resampled_tests(data, fitted, sample, design, names, options, randomised)
    return EventStudyResult(
        design=design,
        events=tuple(item.event for item in fitted),
        model=data.model,
        model_title=data.info.title,
        benchmark_name=data.benchmark_name,
        sessions=data.sessions,
        units=tuple(Unit(item.event.id, item.position, data.symbols[item.columns]) for item in fitted),
        sample=sample,
        coefficient_names=fits[0].names,
        coefficient_values=np.concatenate([fit.coefficients for fit in fits], axis=1),
        explained=np.concatenate([fit.r_squared for fit in fits]),
        window_returns=_window_returns(data, fitted),
        outcomes={name: outcomes[name] for name in names},
        randomisation=randomised,
        loss=loss,
        limits=None if limit_state is None else study_limits(data, fitted, design, limit_state),
        asked=tuple(events),
        others=tuple(others),
    )


def _window_returns(data: Data, fitted: Sequence[FittedEvent]) -> FloatArray:
    parts = [item.cut.of(data.inputs.returns)[1][:, item.columns] for item in fitted]
    return np.concatenate(parts, axis=1)


def _optional_events(other_events: object) -> tuple[Event, ...]:
    if other_events is None or (isinstance(other_events, Sized) and not len(other_events)):
        return ()
    return make_events(other_events)
