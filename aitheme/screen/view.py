"""The market as an expression sees it: any column of the catalogue, by name, as of one date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from aitheme.screen import vectors
from aitheme.screen.columns import CATALOGUE
from aitheme.screen.estimates import ESTIMATE_COLUMNS, EstimateFeatures
from aitheme.screen.features import PRICE_COLUMNS, excess_over_group, industry_codes
from aitheme.screen.registry import ReleaseCars, ThemeFeatures

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from aitheme.screen.reading import Window
    from aitheme.screen.vectors import Vector
    from aitheme.themes import Theme

__all__ = ["View", "fields_of"]


def fields_of(columns: tuple[str, ...]) -> frozenset[str]:
    """Return the bar fields that some columns need besides close and level."""
    return frozenset(name for column in columns for name in CATALOGUE[column].fields)


class View:
    """Columns of the names alive as of a session; computed on demand.

    Parameters
    ----------
    window
        Bars and columns computed from them.
    securities
        The security list aligned with all A-shares of the store.
    sessions
        All sessions up to the as-of session.
    as_of
        The as-of date.
    estimates
        Consensus rows published by it; None when no column needs them.
    theme
        The registry; None when nothing needs it.
    release_cars
        Event study over past releases.
    """

    def __init__(
        self,
        window: Window,
        securities: pd.DataFrame,
        sessions: np.ndarray,
        as_of: date,
        *,
        estimates: pd.DataFrame | None = None,
        theme: Theme | None = None,
        release_cars: ReleaseCars | None = None,
    ) -> None:
        self.prices = window.features
        self.symbols = self.prices.prices.symbols
        self.securities = securities[window.alive]
        self._sessions = sessions
        self.inside = np.ones(len(self.symbols), dtype=bool)
        self.theme = None if theme is None else ThemeFeatures(theme, self.symbols, as_of, sessions, release_cars)
        self._estimates = (
            None if estimates is None else EstimateFeatures(estimates, self.symbols, self.prices.column("price"), as_of)
        )
        self._memo: dict[str, Vector] = {}

    def column(self, name: str) -> Vector:
        """Return a column of the catalogue."""
        if name not in self._memo:
            self._memo[name] = self._vector(name)
        return self._memo[name]

    def _vector(self, name: str) -> Vector:
        kind = CATALOGUE[name].kind
        values = self._values(name)
        if kind != "boolean":
            return vectors.absent(kind, values)
        if values.dtype == bool:
            return vectors.known(values)
        null = np.array([not isinstance(value, bool | np.bool_) for value in values], dtype=bool)
        return vectors.Vector("boolean", np.where(null, False, values).astype(bool), null)  # noqa: FBT003 (a value)

    def _values(self, name: str) -> np.ndarray:
        if name in PRICE_COLUMNS:
            return self.prices.column(name)
        if name in ESTIMATE_COLUMNS:
            assert self._estimates is not None
            return self._estimates.column(name)
        if CATALOGUE[name].source in {"theme", "releases"}:
            assert self.theme is not None
            return self.theme.column(name)
        return self._attribute(name)

    def _attribute(self, name: str) -> np.ndarray:
        if name.startswith("excess_ind_"):
            return excess_over_group(self.prices.column(f"ret_{name.rpartition('_')[2]}"), self.groups("industry"))
        if name in {"market_cap", "float_cap"}:
            shares = self.securities["total_shares" if name == "market_cap" else "float_shares"]
            return np.asarray(self.prices.column("price") * shares.to_numpy(dtype=float, na_value=np.nan))
        if name == "listing_age":
            begin = self._listed_since()
            return np.asarray(len(self._sessions) - np.searchsorted(self._sessions, begin)).astype(float)
        return np.asarray(self.securities[name].to_numpy(dtype=object))

    def _listed_since(self) -> np.ndarray:
        """Return the listing date, or the first bar where the list lacks it or says something later."""
        listed: Any = self.securities["listed"].to_numpy(dtype="datetime64[D]")
        first = self.prices.prices.first_traded
        return np.where(np.isnat(listed), first, np.minimum(listed, first))

    def groups(self, scope: str) -> np.ndarray:
        """Return the group of each name: one market, its industry, or inside the universe or not."""
        if scope == "industry":
            return industry_codes(self.securities["industry"].to_numpy(dtype=object))
        if scope == "universe":
            return np.where(self.inside, 0, -1)
        return np.zeros(len(self.symbols), dtype=np.int64)

    def in_basket(self, basket: str) -> np.ndarray:
        """Return membership of a basket."""
        assert self.theme is not None
        return self.theme.in_basket(basket)

    def linked_to(self, model: str) -> np.ndarray:
        """Return whether a company is linked to a model."""
        assert self.theme is not None
        return self.theme.linked_to(model)
