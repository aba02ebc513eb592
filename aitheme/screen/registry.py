"""Columns from a theme: baskets, reports, company-model links and releases as public on the as-of date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from aitheme.themes import Theme

__all__ = ["THEME_COLUMNS", "ReleaseCars", "ThemeFeatures"]

ReleaseCars = Callable[["pd.DataFrame", date], "pd.DataFrame"]
"""An event study over past releases: it gets one row per symbol and release (``symbol``, ``release``, ``day0``) whose
window [0,4] is over, and the as-of date; it returns one row per symbol: ``symbol``, ``mean_car`` (ratio), ``t``, ``p`` (of a
test that holds its size) and ``n`` (release days used). A stock's releases are those of the models that a report published by the
as-of date links it to: the releases of the theme at large move every stock and say nothing about this one."""
CAR_SESSIONS = 4
"""A release counts in the mean CAR[0,4] once this many sessions after day 0 are over."""
_CARS = ("mean_car_releases", "t_car_releases", "p_car_releases", "n_car_releases")
THEME_COLUMNS = frozenset(
    {"in_any_basket", "n_reports", "last_release", "last_release_id", "sessions_since_release", *_CARS}
)


@dataclass(frozen=True)
class ThemeFeatures:
    """Theme columns of the catalogue.

    Parameters
    ----------
    theme
        The registry.
    symbols
        Names of the universe, shape (N,).
    as_of
        The as-of date: reports published later do not exist.
    sessions
        All sessions of the exchange up to the as-of session, datetime64[D].
    release_cars
        Event study over past releases, see :data:`ReleaseCars`; None where no column needs it.
    """

    theme: Theme
    symbols: np.ndarray
    as_of: date
    sessions: np.ndarray
    release_cars: ReleaseCars | None = None
    _memo: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    def column(self, name: str) -> np.ndarray:
        """Return a column of :data:`THEME_COLUMNS`, shape (N,); NaN, NaT or None for NULL."""
        if name not in self._memo:
            self._memo[name] = self._compute(name)
        return self._memo[name]

    def _compute(self, name: str) -> np.ndarray:
        if name == "in_any_basket":
            return self._among(self._member_symbols(self._published_baskets))
        if name == "n_reports":
            return np.array([float(len(self._naming.get(symbol, ()))) for symbol in self.symbols])
        if name in _CARS:
            return self._cars[name]
        last = self._last_release
        if name == "last_release_id":
            return last["release"].to_numpy(dtype=object)
        days = last["day0"].to_numpy(dtype="datetime64[D]")
        if name == "last_release":
            return np.asarray(days)
        position = np.searchsorted(self.sessions, days).astype(float)
        return np.where(np.isnat(days), np.nan, len(self.sessions) - 1 - position)

    def _among(self, chosen: Iterable[str]) -> np.ndarray:
        wanted = frozenset(chosen)
        return np.array([symbol in wanted for symbol in self.symbols], dtype=bool)

    def _public(self, report: str) -> bool:
        return report in self.theme.reports and self.theme.reports[report].published <= self.as_of

    @cached_property
    def _published_baskets(self) -> frozenset[str]:
        """Baskets of reports published by the as-of date; unions are resolved into these."""
        return frozenset(name for name, basket in self.theme.baskets.items() if self._public(basket.report))

    def _parts(self, basket: str) -> set[str]:
        """Return the baskets of reports that a basket or union consists of."""
        if basket not in self.theme.unions:
            return {basket}
        return {part for child in self.theme.unions[basket] for part in self._parts(child)}

    def unpublished(self, basket: str) -> tuple[str, ...]:
        """Return the parts of a basket whose reports were not published yet; for a plain basket itself or nothing."""
        return tuple(sorted(self._parts(basket) - self._published_baskets))

    def _member_symbols(self, baskets: Iterable[str]) -> set[str]:
        return {symbol for basket in baskets for symbol in self.theme.symbols(basket)}

    def in_basket(self, basket: str) -> np.ndarray:
        """Return membership of a basket as published by the as-of date, shape (N,).

        A union has the members of those of its parts whose reports were out.
        """
        key = f"in_basket:{basket}"
        if key not in self._memo:
            self._memo[key] = self._among(self._member_symbols(self._parts(basket) & self._published_baskets))
        return self._memo[key]

    def linked_to(self, model: str) -> np.ndarray:
        """Return which companies a report published by the as-of date links to a model, shape (N,)."""
        rows = self.theme.links
        return self._among(
            r.symbol for r in rows if r.model == model and r.symbol is not None and self._public(r.report)
        )

    @cached_property
    def _naming(self) -> dict[str, set[str]]:
        """Reports published by the as-of date that name each symbol."""
        naming: dict[str, set[str]] = {}
        pairs = [(row.symbol, part.split(":", 1)[0]) for row in self.theme.securities for part in row.mentions]
        pairs += [(row.symbol, self.theme.baskets[row.basket].report) for row in self.theme.members]
        pairs += [(row.symbol, row.report) for row in self.theme.links]
        pairs += [(row.symbol, row.report) for row in self.theme.estimates]
        for symbol, report in pairs:
            if symbol is not None and self._public(report):
                naming.setdefault(symbol, set()).add(report)
        return naming

    @cached_property
    def _past_releases(self) -> pd.DataFrame:
        """Releases of linked models with day 0 up to the as-of session: symbol, release, day0."""
        import pandas as pd

        by_model: dict[str, list[tuple[str, date]]] = {}
        for release in self.theme.dated_releases():
            if release.model is not None and release.day0 is not None and release.day0 <= self.sessions[-1].item():
                by_model.setdefault(release.model, []).append((release.id, release.day0))
        links = dict.fromkeys(
            (row.symbol, row.model) for row in self.theme.links if row.symbol is not None and self._public(row.report)
        )
        rows = [(symbol, *release) for symbol, model in links for release in by_model.get(model or "", ())]
        frame = pd.DataFrame(rows, columns=["symbol", "release", "day0"])
        return frame.drop_duplicates().sort_values(["symbol", "day0", "release"], ignore_index=True)

    @cached_property
    def _last_release(self) -> pd.DataFrame:
        import pandas as pd

        last = self._past_releases.drop_duplicates("symbol", keep="last").set_index("symbol")
        chosen = last.reindex(list(self.symbols))
        return chosen.assign(day0=pd.to_datetime(chosen["day0"]))

    @cached_property
    def _cars(self) -> dict[str, np.ndarray]:
        """Mean CAR, t, p and number of releases from the event study; all NaN without one."""
        nothing = {name: np.full(len(self.symbols), np.nan) for name in _CARS}
        if self.release_cars is None or len(self.sessions) <= CAR_SESSIONS:
            return nothing
        past = self._past_releases
        complete = past[[day <= self.sessions[-1 - CAR_SESSIONS].item() for day in past["day0"]]]
        if complete.empty:
            return nothing
        found = self.release_cars(complete.reset_index(drop=True), self.as_of).set_index("symbol")
        return {
            name: found[short].reindex(list(self.symbols)).to_numpy(dtype=float)
            for name, short in zip(_CARS, ("mean_car", "t", "p", "n"), strict=True)
        }
