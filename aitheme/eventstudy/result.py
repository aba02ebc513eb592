"""The result of an event study: frozen, labelled, and able to say what it means."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from aitheme.eventstudy.arrays import mean_where
from aitheme.eventstudy.battery import TESTS, table_of_tests
from aitheme.eventstudy.fitting import colliding
from aitheme.eventstudy.longrun import buy_and_hold
from aitheme.eventstudy.volatility import SETTLED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aitheme.eventstudy.account import DataLoss
    from aitheme.eventstudy.arrays import FloatArray
    from aitheme.eventstudy.limits import StudyLimits
    from aitheme.eventstudy.outcome import Outcome
    from aitheme.eventstudy.randomisation import DateRandomisation
    from aitheme.eventstudy.rendering import Summary
    from aitheme.eventstudy.sample import Sample
    from aitheme.eventstudy.windows import Event, StudyDesign

HEADLINE_ORDER = (
    "volatility_scaled_t",
    "randomisation_dates",
    "ibragimov_muller",
    "crude_dependence_exact_t",
    "crude_dependence_t",
)
"""Tests that survive a common date, best first; the first that applies is the headline."""

NAIVE_ORDER = ("cross_sectional_t", "bmp", "patell", "sign")
"""What most packages would have printed."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The stocks of one event.

    Attributes
    ----------
    event : str
        Id of the event.
    position : int
        Row of day 0 among the sessions.
    symbols : Index
        Stocks that stayed in.
    """

    event: str
    position: int
    symbols: pd.Index


@dataclass(frozen=True, slots=True)
class Headline:
    """The p-value that survives a common event date, and what a naive test would have claimed.

    Attributes
    ----------
    test, scope : str
        Which test over which days.
    statistic, p_value : float
        NaN with a reason where no robust test applies.
    naive_test : str
        Test that takes the stocks as independent.
    naive_p_value : float
        Its p-value.
    p_value_before : float
        The p-value one could have had on the evening of the window's last session; NaN if it was not asked for.
    sessions_after : int
        Sessions of data after the window (the fewest over the events). The headline weighs volatility on both sides, so
        below ``volatility.SETTLED`` of them it is provisional.
    reason : str
        Why there is no robust p-value, or empty.
    """

    test: str
    scope: str
    statistic: float
    p_value: float
    naive_test: str
    naive_p_value: float
    p_value_before: float
    sessions_after: int
    reason: str

    @property
    def provisional(self) -> bool:
        """Whether sessions still to come can move the p-value."""
        return self.test == "volatility_scaled_t" and self.sessions_after < SETTLED


@dataclass(frozen=True, slots=True)
class EventStudyResult:
    """Abnormal returns around events, their tests and everything that was left out.

    Attributes
    ----------
    design : StudyDesign
        Windows.
    events : tuple of Event
        Events that were studied.
    model, model_title, benchmark_name : str
        Expected-return model and what it is measured against.
    sessions : DatetimeIndex
        T sessions of the input.
    units : tuple of Unit
        Stocks of each event.
    sample : Sample
        Arrays behind the labels.
    coefficient_names : tuple of str
        Names of the model's coefficients.
    coefficient_values : ndarray, shape (p, N)
        Their values.
    explained : ndarray, shape (N,)
        R squared.
    window_returns : ndarray, shape (L2, N)
        Returns of the event window (ratios).
    outcomes : mapping of str to Outcome
        Values of every test.
    randomisation : DateRandomisation or None
        Placebo dates behind the headline.
    loss : DataLoss
        Stocks and sessions that were dropped.
    limits : StudyLimits or None
        Limit days, where ``limit_state`` was given.
    asked, others : tuple of Event
        Events that were asked for, and further releases.
    """

    design: StudyDesign
    events: tuple[Event, ...]
    model: str
    model_title: str
    benchmark_name: str
    sessions: pd.DatetimeIndex
    units: tuple[Unit, ...]
    sample: Sample
    coefficient_names: tuple[str, ...]
    coefficient_values: FloatArray
    explained: FloatArray
    window_returns: FloatArray
    outcomes: Mapping[str, Outcome]
    randomisation: DateRandomisation | None
    loss: DataLoss
    limits: StudyLimits | None
    asked: tuple[Event, ...]
    others: tuple[Event, ...]

    @property
    def overlapping(self) -> pd.DataFrame:
        """Events whose windows collide: ``event``, ``other``, ``sessions_apart``, ``shared_sessions``."""
        return colliding(self.asked, self.others, self.sessions, self.design)

    @property
    def n(self) -> int:
        """Number of (event, stock) pairs."""
        return self.sample.n

    @property
    def labels(self) -> pd.Index:
        """Symbols, or (event, symbol) where several events are pooled, length N."""
        if len(self.units) == 1:
            return self.units[0].symbols.rename("symbol")
        pairs = [(unit.event, symbol) for unit in self.units for symbol in unit.symbols]
        return pd.MultiIndex.from_tuples(pairs, names=["event", "symbol"])

    @property
    def days(self) -> pd.RangeIndex:
        """Days of the event window relative to day 0, length L2."""
        return pd.RangeIndex(self.design.window[0], self.design.window[1] + 1, name="day")

    @property
    def abnormal_returns(self) -> pd.DataFrame:
        """Abnormal returns (ratios), days x stocks, NaN where a stock did not trade."""
        values = np.where(self.sample.event_valid, self.sample.event, np.nan)
        return pd.DataFrame(values, index=self.days, columns=self.labels)

    @property
    def residuals(self) -> pd.DataFrame:
        """Estimation-window residuals (ratios), days x stocks."""
        first, last = self.design.estimation_days
        values = np.where(self.sample.estimation_valid, self.sample.estimation, np.nan)
        return pd.DataFrame(values, index=pd.RangeIndex(first, last + 1, name="day"), columns=self.labels)

    @property
    def car(self) -> pd.Series:
        """Cumulated abnormal return of each stock over the window (ratio)."""
        return pd.Series(
            np.where(self.sample.car_valid[-1], self.sample.car[-1], np.nan), index=self.labels, name="car"
        )

    @property
    def cars(self) -> pd.DataFrame:
        """Cumulated abnormal returns (ratios), scopes x stocks."""
        values = np.where(self.sample.car_valid, self.sample.car, np.nan)
        keep = self.sample.scopes.active
        index = pd.Index(self.sample.scopes.labels, name="scope")
        return pd.DataFrame(values, index=index, columns=self.labels)[keep]

    @property
    def bhar(self) -> pd.Series:
        """Buy-and-hold abnormal return of each stock over the window (ratio)."""
        abnormal = np.where(self.sample.event_valid, self.sample.event, np.nan)
        return pd.Series(buy_and_hold(self.window_returns, abnormal), index=self.labels, name="bhar")

    @property
    def aar(self) -> pd.Series:
        """Average abnormal return of each day over the stocks that traded (ratio)."""
        return pd.Series(mean_where(self.sample.event, self.sample.event_valid)[0], index=self.days, name="aar")

    @property
    def caar(self) -> pd.Series:
        """Mean over stocks of the abnormal return cumulated from the first day of the window (ratio), by day."""
        path = np.cumsum(self.sample.event, axis=0)
        seen = np.cumsum(self.sample.event_valid, axis=0) > 0
        return pd.Series(mean_where(path, seen)[0], index=self.days, name="caar")

    @property
    def coefficients(self) -> pd.DataFrame:
        """Model coefficients, stocks x names."""
        return pd.DataFrame(self.coefficient_values.T, index=self.labels, columns=list(self.coefficient_names))

    @property
    def betas(self) -> pd.Series:
        """Market beta of each stock: the last coefficient, NaN where the model has none."""
        if self.coefficient_values.shape[0] < len(("alpha", "beta")):
            return pd.Series(np.nan, index=self.labels, name="beta")
        name = "beta" if "beta" in self.coefficient_names else self.coefficient_names[1]
        return self.coefficients[name]

    @property
    def r_squared(self) -> pd.Series:
        """R squared of the estimation window."""
        return pd.Series(self.explained, index=self.labels, name="r_squared")

    @property
    def sigma(self) -> pd.Series:
        """Residual standard deviation (ratio a day)."""
        return pd.Series(self.sample.sigma, index=self.labels, name="sigma")

    @property
    def tests(self) -> pd.DataFrame:
        """Every test over every reported scope, one row each; see ``battery.TABLE_COLUMNS``."""
        return table_of_tests(self.outcomes, self.sample.scopes)

    @property
    def rbar(self) -> float:
        """Mean residual correlation within event dates."""
        return self.sample.dependence.rbar

    @property
    def inflation(self) -> float:
        """1 + (N - 1) rbar."""
        return self.sample.dependence.inflation

    @property
    def n_eff(self) -> float:
        """Number of independent stocks that would give the same variance."""
        return self.sample.dependence.n_eff

    @property
    def placebo_statistics(self) -> pd.DataFrame:
        """Reference statistics of the date randomisation, placebo day 0 x scope; empty without one."""
        if self.randomisation is None:
            return pd.DataFrame()
        draws, place = self.randomisation.draws, self.randomisation.positions
        index = self.sessions[place] if place.size else pd.RangeIndex(draws.shape[1])
        return pd.DataFrame(draws.T, index=index, columns=list(self.sample.scopes.labels)).loc[
            :, list(self.sample.scopes.active)
        ]

    @property
    def headline(self) -> Headline:
        """The robust p-value of the window, and the naive one beside it."""
        found = [name for name in HEADLINE_ORDER if name in self.outcomes]
        usable = [name for name in found if not self.outcomes[name].reason[-1]]
        # The first choice that fails is the one whose reason an analyst needs.
        chosen = (usable or found or [""])[0]
        naive = next((name for name in NAIVE_ORDER if self._applies(name)), "")
        outcome, before = self.outcomes.get(chosen), self.outcomes.get("volatility_scaled_t_before")
        reason = "no test that survives a common date was asked for" if outcome is None else outcome.reason[-1]
        return Headline(
            test=chosen,
            scope=self.sample.scopes.labels[-1],
            statistic=float("nan") if outcome is None else float(outcome.statistic[-1]),
            p_value=float("nan") if outcome is None else float(outcome.p_value[-1]),
            naive_test=naive,
            naive_p_value=float(self.outcomes[naive].p_value[-1]) if naive else float("nan"),
            p_value_before=float(before.p_value[-1]) if before is not None else float("nan"),
            sessions_after=min(len(self.sessions) - 1 - unit.position - self.design.window[1] for unit in self.units),
            reason=reason,
        )

    def tidy(self) -> pd.DataFrame:
        """One row per event, stock and day.

        Returns
        -------
        DataFrame
            Columns ``event``, ``symbol``, ``day``, ``session``, ``return``, ``abnormal_return``, ``car``.
        """
        rows, length = [], self.design.length
        for unit, part in zip(self.units, self._parts(), strict=True):
            valid, abnormal = self.sample.event_valid[:, part], self.sample.event[:, part]
            first = unit.position + self.design.window[0]
            size = len(unit.symbols)
            rows.append(
                pd.DataFrame(
                    {
                        "event": unit.event,
                        "symbol": np.repeat(unit.symbols.to_numpy(), length),
                        "day": np.tile(self.days.to_numpy(), size),
                        "session": np.tile(self.sessions[first : first + length].to_numpy(), size),
                        "return": self.window_returns[:, part].T.ravel(),
                        "abnormal_return": np.where(valid, abnormal, np.nan).T.ravel(),
                        "car": np.cumsum(abnormal, axis=0).T.ravel(),
                    }
                )
            )
        return pd.concat(rows, ignore_index=True)

    def by_event(self) -> pd.DataFrame:
        """CAAR of each event over the window: columns ``event``, ``day0``, ``n``, ``caar``."""
        rows = []
        for unit, part in zip(self.units, self._parts(), strict=True):
            here, valid = self.sample.car[-1, part], self.sample.car_valid[-1, part]
            size = int(valid.sum())
            rows.append((unit.event, self.sessions[unit.position], size, float(here[valid].mean()) if size else np.nan))
        return pd.DataFrame(rows, columns=["event", "day0", "n", "caar"])

    def to_dict(self) -> dict[str, Any]:
        """Everything a machine wants, JSON-ready: NaN becomes None.

        Returns
        -------
        dict
            ``event``, ``day0``, ``window``, ``estimation_first``, ``estimation_last``, ``n``, ``caar``, ``rbar``,
            ``n_eff``, ``tests`` and ``headline_p``, among others. With several events the dates are lists.
        """
        from aitheme.eventstudy.rendering import as_dict

        return as_dict(self)

    def summary(self) -> Summary:
        """Text and HTML account of the study; ``print`` it or let a notebook show it."""
        from aitheme.eventstudy.rendering import summarise

        return summarise(self)

    def plot(self, *, lang: str = "zh", watermark: str = "") -> Any:
        """CAAR path with a band of placebo paths, as an Altair chart.

        Parameters
        ----------
        lang : {"zh", "en"}
            Language of titles.
        watermark : str
            Set behind the marks, for data that is made up.

        Returns
        -------
        altair.LayerChart
            The band holds 90 % of the placebo paths; without placebo dates there is none, and the subtitle says so.
        """
        from aitheme.eventstudy.plotting import caar_chart

        return caar_chart(self, lang=lang, watermark=watermark)

    def to_excel(self, path: str | Path) -> None:
        """Write summary, tests, CARs, abnormal returns and the data-loss account as sheets of a workbook.

        Parameters
        ----------
        path : str or Path
            File to write.
        """
        from aitheme.eventstudy.rendering import write_excel

        write_excel(self, path)

    def _applies(self, name: str) -> bool:
        return name in self.outcomes and not self.outcomes[name].reason[-1] and TESTS[name].assumes_independence

    def _parts(self) -> list[slice]:
        edges = np.cumsum([0, *(len(unit.symbols) for unit in self.units)])
        return [slice(int(start), int(stop)) for start, stop in pairwise(edges)]

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()
