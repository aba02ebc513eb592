"""Inference that needs more than the sample: placebo dates, random baskets, bootstraps, several dates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from aitheme.eventstudy.arrays import mean_where
from aitheme.eventstudy.errors import StudyError
from aitheme.eventstudy.fitting import fit_events, least_days
from aitheme.eventstudy.inputs import make_data
from aitheme.eventstudy.models import ONE_SERIES, Inputs
from aitheme.eventstudy.multiple import ibragimov_muller, joint_dates
from aitheme.eventstudy.outcome import Outcome, inapplicable
from aitheme.eventstudy.parametric import crude_dependence_exact_t
from aitheme.eventstudy.randomisation import PlaceboRules, Portfolio, randomise_dates
from aitheme.eventstudy.resampling import basket_randomisation, residual_bootstrap, wild_cluster_bootstrap
from aitheme.eventstudy.sample import make_sample
from aitheme.eventstudy.universe import group_labels
from aitheme.eventstudy.volatility import Side as VolatilitySide
from aitheme.eventstudy.volatility import volatility_scaled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aitheme.eventstudy.arrays import BoolArray, FloatArray, IntArray
    from aitheme.eventstudy.fitting import FittedEvent
    from aitheme.eventstudy.inputs import Data
    from aitheme.eventstudy.portfolio import Scale
    from aitheme.eventstudy.randomisation import DateRandomisation, Side
    from aitheme.eventstudy.sample import Sample
    from aitheme.eventstudy.universe import Universe
    from aitheme.eventstudy.windows import Scopes, StudyDesign


VOLATILITY_SIDES: Mapping[str, VolatilitySide] = {"volatility_scaled_t": "both", "volatility_scaled_t_before": "before"}
"""The headline test, and the p-value one could have had on the evening of the window's last session."""


@dataclass(frozen=True, slots=True)
class Options:
    """Choices of the resampling tests, as documented in :func:`aitheme.eventstudy.study.event_study`.

    Attributes
    ----------
    least_days : int
        Fewest valid estimation days of a placebo date.
    draws, seed, block : int
        Number of draws, seed, and days per bootstrap block.
    scale : str or callable
        Studentisation of the portfolio CAR.
    placebos : {"before", "all"}
        Where placebo dates may lie.
    nearest : int or None
        Placebo dates kept, nearest in volatility.
    avoid : ndarray of int, shape (K,)
        Rows of every release.
    excluded : ndarray of bool, shape (T,), or None
        Sessions left out of estimation windows.
    universe : Universe or None
        Returns of the wider market.
    benchmark : Series or DataFrame or None
        Benchmark as passed, for the universe.
    factors : DataFrame or None
        Factors as passed.
    strata : Series or None
        Symbol to group.
    """

    least_days: int
    draws: int
    seed: int
    block: int
    scale: str | Scale
    placebos: Side
    nearest: int | None
    avoid: IntArray
    excluded: BoolArray | None
    universe: Universe | None
    benchmark: pd.Series | pd.DataFrame | None
    factors: pd.DataFrame | None
    strata: pd.Series | None


def placebo_dates(
    data: Data, fitted: Sequence[FittedEvent], design: StudyDesign, scopes: Scopes, options: Options
) -> DateRandomisation | None:
    """Randomise the study's portfolios over dates; None where no draws are wanted."""
    if options.draws < 1:
        return None
    rules = PlaceboRules(
        side=options.placebos,
        avoid=options.avoid,
        least_days=options.least_days,
        nearest=options.nearest,
        draws=options.draws,
        seed=options.seed,
    )
    portfolios = [event_portfolio(data, item) for item in fitted]
    return randomise_dates(
        portfolios, scopes, design.window, design.estimation, rules, scale=options.scale, excluded=options.excluded
    )


def resampled_tests(
    data: Data,
    fitted: Sequence[FittedEvent],
    sample: Sample,
    design: StudyDesign,
    names: Iterable[str],
    options: Options,
    randomised: DateRandomisation | None,
) -> dict[str, Outcome]:
    """Run the tests that draw and those over several dates.

    Parameters
    ----------
    data, fitted, sample, design
        The study.
    names : iterable of str
        Tests wanted.
    options : Options
        Choices.
    randomised : DateRandomisation or None
        Result of :func:`placebo_dates`.

    Returns
    -------
    dict of str to Outcome
        One entry per wanted test of these families.
    """
    scopes, wanted = sample.car.shape[0], set(names)
    found: dict[str, Outcome] = {}
    portfolios = _date_portfolios(data, fitted) if wanted & set(VOLATILITY_SIDES) else []
    for name, side in VOLATILITY_SIDES.items():
        if name in wanted:
            found[name] = volatility_scaled(portfolios, sample.scopes, design, side=side, excluded=options.excluded)
    if "randomisation_dates" in wanted:
        none = inapplicable(scopes, "draws=0: no placebo dates were asked for", "placebo dates")
        found["randomisation_dates"] = none if randomised is None else randomised.outcome()
    if "randomisation_baskets" in wanted:
        found["randomisation_baskets"] = _random_baskets(data, fitted, sample, design, options)
    if "residual_bootstrap" in wanted:
        fits = [item.fit for item in fitted if item.fit is not None]
        drawn = residual_bootstrap(sample, fits, draws=options.draws, seed=options.seed, block=options.block)
        found["residual_bootstrap"] = drawn.outcome
    if "wild_cluster_bootstrap" in wanted:
        found["wild_cluster_bootstrap"] = wild_cluster_bootstrap(sample, draws=options.draws, seed=options.seed).outcome
    if wanted & {"ibragimov_muller", "joint_dates"}:
        found |= {name: value for name, value in _over_dates(fitted, sample, design).items() if name in wanted}
    return found


def _date_portfolios(data: Data, fitted: Sequence[FittedEvent]) -> list[Portfolio]:
    """Return one portfolio per event date: events of the same date are one basket, whatever they are called."""
    portfolios = []
    for place in np.unique([item.position for item in fitted]):
        same = [item for item in fitted if item.position == place]
        columns = np.concatenate([item.columns for item in same])
        portfolios.append(event_portfolio(data, replace(same[0], columns=columns)))
    return portfolios


def event_portfolio(data: Data, item: FittedEvent) -> Portfolio:
    """Equal-weight portfolio of an event's stocks and the regressors of its model.

    Parameters
    ----------
    data : Data
        Aligned input.
    item : FittedEvent
        The event.

    Returns
    -------
    Portfolio
        Its residuals under the study's model are those of the basket; a model fitted stock by stock (Scholes-
        Williams, GARCH) is represented by its least-squares market model, a synthetic control by the mean donor.
    """
    inputs = data.inputs
    members = inputs.returns[:, item.columns]
    traded = np.isfinite(members)
    mean, count = mean_where(np.where(traded, members, 0.0), traded)
    if data.model == "factor" and inputs.risk_free is not None:
        mean = mean - inputs.risk_free
    return Portfolio(
        position=item.position,
        returns=mean,
        regressors=_portfolio_regressors(data, item.columns),
        estimated=data.model not in ("market_adjusted", "matched"),
        share=count / max(item.columns.size, 1),
    )


def _portfolio_regressors(data: Data, columns: IntArray) -> FloatArray | None:
    inputs = data.inputs
    if data.model == "mean":
        return None
    if data.model == "factor":
        return inputs.factors
    series = _common_benchmark(inputs, columns)
    if data.model == "dimson":
        lagged = np.full((series.size, 2 * inputs.lags + 1), np.nan)
        for column, shift in enumerate(range(-inputs.lags, inputs.lags + 1)):
            start, stop = max(0, -shift), series.size - max(0, shift)
            lagged[start:stop, column] = series[start + shift : stop + shift]
        return lagged
    return series


def _common_benchmark(inputs: Inputs, columns: IntArray) -> FloatArray:
    table = inputs.donors if inputs.benchmark is None else inputs.benchmark
    assert table is not None
    if table.ndim == ONE_SERIES:
        return table
    members = table if inputs.benchmark is None else table[:, columns]
    present = np.isfinite(members)
    return mean_where(np.where(present, members, 0.0), present)[0]


def _random_baskets(
    data: Data, fitted: Sequence[FittedEvent], sample: Sample, design: StudyDesign, options: Options
) -> Outcome:
    scopes = sample.car.shape[0]
    why = ""
    if options.draws < 1:
        why = "draws=0: no random baskets were asked for"
    elif options.universe is None:
        why = "universe_returns was not given: there are no other stocks to draw from"
    elif len(fitted) > 1:
        why = "is defined for one event: run it event by event"
    elif data.model in ("matched", "synthetic", "garch"):
        why = f"model={data.model!r} has no control for every stock of the universe; use model='market'"
    if why:
        return inapplicable(scopes, why, "random baskets")
    assert options.universe is not None
    item = fitted[0]
    basket = data.symbols[item.columns]
    key = (item.event.day0, data.model, data.benchmark_name, id(options.benchmark), design, sample.scopes.spans,
           options.least_days, data.inputs.lags, data.inputs.factor_names)  # fmt: skip
    try:
        cars, names = options.universe.cars(key, lambda: _universe_car(data, item, design, sample.scopes, options))
    except StudyError as error:
        return inapplicable(scopes, f"the universe cannot be studied: {error}", "random baskets")
    place, active = names.get_indexer(data.symbols), sample.scopes.active
    other = np.ones(len(names), dtype=np.bool_)
    other[place[place >= 0]] = False
    codes = _strata_codes(options.strata, basket, place[item.columns], names, options.universe)
    # Only what is reported is drawn: a study that does not test its single days has one scope of seventeen.
    own = np.where(sample.car_valid, sample.car, np.nan)[active]
    car = cars[np.ix_(active, other)]
    drawn = basket_randomisation(
        own, car, strata=codes[0], universe_strata=codes[1][other], draws=options.draws, seed=options.seed
    )
    return _spread_out(drawn.outcome, active)


def _universe_car(
    data: Data, item: FittedEvent, design: StudyDesign, scopes: Scopes, options: Options
) -> tuple[FloatArray, pd.Index]:
    """Return the CARs of every stock of the universe over the scopes, and their symbols."""
    assert options.universe is not None
    frame = options.universe.returns.reindex(data.sessions)
    wider = make_data(
        frame, model=data.model, benchmark=options.benchmark, factors=options.factors, lags=data.inputs.lags
    )
    least = least_days(options.least_days, design, wider)
    fitted = fit_events(wider, [replace(item.event, symbols=None)], [], design, scopes, least)[0]
    if fitted.fit is None:
        raise StudyError("none of its stocks has enough days; pass a wider universe")
    car = scopes.weights @ fitted.fit.event
    seen = scopes.weights @ fitted.fit.event_valid > 0.0
    return np.where(seen, car, np.nan), wider.symbols[fitted.columns]


def _spread_out(outcome: Outcome, active: BoolArray) -> Outcome:
    """Put the values of the reported scopes in their places among all scopes."""
    fields = {name: np.full(active.size, np.nan) for name in ("statistic", "p_value", "df")}
    for name, values in fields.items():
        values[active] = getattr(outcome, name)
    given = iter(outcome.reason)
    reason = tuple(next(given) if reported else "not reported" for reported in active)
    return Outcome(**fields, reference=outcome.reference, reason=reason)


def _strata_codes(
    strata: pd.Series | None, basket: pd.Index, place: IntArray, names: pd.Index, universe: Universe
) -> tuple[IntArray, IntArray]:
    if strata is None:
        return np.zeros(len(basket), dtype=np.int64), np.zeros(len(names), dtype=np.int64)
    labels, codes = universe.groups(strata, names)
    # Groups are numbered as the basket meets them, which is the order they are drawn in; no others are drawn.
    groups = group_labels(strata, basket) if (place < 0).any() else labels[codes[place]]
    own, met = pd.factorize(groups)
    number = pd.Index(met).get_indexer(labels)
    return np.asarray(own, dtype=np.int64), np.asarray(number[codes], dtype=np.int64)


def _over_dates(fitted: Sequence[FittedEvent], sample: Sample, design: StudyDesign) -> dict[str, Outcome]:
    places = np.unique([item.position for item in fitted])
    if places.size == 1:
        none = np.full((1, sample.car.shape[0]), np.nan)
        return {"ibragimov_muller": ibragimov_muller(none), "joint_dates": joint_dates(none)}
    overlapping = bool((np.diff(places) < design.length).any())
    caar, p_values = [], []
    for place in places:
        fits = [item.fit for item in fitted if item.position == place and item.fit is not None]
        part = make_sample(fits, [0] * len(fits), sample.scopes)
        caar.append(mean_where(part.car, part.car_valid)[0])
        p_values.append(crude_dependence_exact_t(part).p_value)
    return {
        "ibragimov_muller": ibragimov_muller(np.stack(caar), overlapping=overlapping),
        "joint_dates": joint_dates(np.stack(p_values), overlapping=overlapping),
    }
