"""Columns from earnings estimates: what was known on the as-of date, nothing later."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from aitheme.consensus import first_forecast_years

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

__all__ = ["ESTIMATE_COLUMNS", "EstimateFeatures"]

ESTIMATE_COLUMNS = frozenset(
    {"pe_ttm", "pe_fy1", "pe_fy2", "pe_fy3", "eps_growth", "peg", "analysts", "revision_30", "revision_90", "dispersion",
     "consensus_age"}
)  # fmt: skip
_MIN_BROKERS = 3


@dataclass(frozen=True)
class EstimateFeatures:
    """Valuation columns of the catalogue.

    Parameters
    ----------
    rows
        The consensus as of `as_of`, one row per symbol and fiscal year: :meth:`aitheme.store.Market.consensus`.
    symbols
        Names of the universe, shape (N,).
    price
        Their prices in CNY, shape (N,).
    as_of
        The as-of date.
    """

    rows: pd.DataFrame
    symbols: np.ndarray
    price: np.ndarray
    as_of: date
    _memo: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    def column(self, name: str) -> np.ndarray:
        """Return a column of :data:`ESTIMATE_COLUMNS`, shape (N,), NaN for NULL."""
        if name not in self._memo:
            self._memo[name] = self._compute(name)
        return self._memo[name]

    def _compute(self, name: str) -> np.ndarray:
        if name == "pe_ttm":
            return _over_positive(self.price, self._trailing)
        if name.startswith("pe_fy"):
            return _over_positive(self.price, self._forward(int(name[-1])))
        if name == "eps_growth":
            return _over_positive(self._forward(2), self._forward(1)) - 1.0
        if name == "peg":
            return _over_positive(self.column("pe_fy1"), 100.0 * self.column("eps_growth"))
        if name == "consensus_age":
            return self._age()
        values = self._of_year(0, name)
        return np.where(self._of_year(0, "brokers") >= _MIN_BROKERS, values, np.nan) if name == "dispersion" else values

    @cached_property
    def _known(self) -> pd.DataFrame:
        """Estimates in CNY of names in the universe, with the position of the name."""
        import pandas as pd

        rows = self.rows
        position = pd.Index(self.symbols).get_indexer(pd.Index(rows["symbol"], dtype=object))
        cny = (rows["currency"].isna() | (rows["currency"] == "CNY")).to_numpy()
        known: pd.DataFrame = rows.assign(at=position)[(position >= 0) & cny]
        return known

    @cached_property
    def _actual(self) -> pd.DataFrame:
        """Each name's last fiscal year with a known actual."""
        actual = self._known[self._known["kind"] == "A"]
        return actual.sort_values("fiscal_year").drop_duplicates("at", keep="last")

    @cached_property
    def _trailing(self) -> np.ndarray:
        return self._spread(self._actual, "eps")

    @cached_property
    def _first_year(self) -> np.ndarray:
        last = np.nan_to_num(self._spread(self._actual, "fiscal_year")).astype(np.int64)
        return first_forecast_years(np.array(self.as_of, dtype="datetime64[D]"), last)

    def _of_year(self, ahead: int, column: str) -> np.ndarray:
        """Return a column of the rows of FY1 plus some years, shape (N,)."""
        rows = self._known
        wanted = self._first_year[rows["at"].to_numpy(dtype=int)] + ahead
        return self._spread(rows[rows["fiscal_year"].to_numpy(dtype=int) == wanted], column)

    def _spread(self, rows: pd.DataFrame, column: str) -> np.ndarray:
        values = np.full(len(self.symbols), np.nan)
        values[rows["at"].to_numpy(dtype=int)] = rows[column].to_numpy(dtype=float, na_value=np.nan)
        return values

    def _forward(self, year: int) -> np.ndarray:
        return self._of_year(year - 1, "eps")

    def _age(self) -> np.ndarray:
        import pandas as pd

        days = self._known["published"].to_numpy(dtype="datetime64[D]").astype(np.int64)
        today = pd.Timestamp(self.as_of).to_datetime64().astype("datetime64[D]").astype(np.int64)
        rows = self._known.assign(age=(today - days).astype(float))
        wanted = self._first_year[rows["at"].to_numpy(dtype=int)]
        return self._spread(rows[rows["fiscal_year"].to_numpy(dtype=int) == wanted], "age")


def _over_positive(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Divide where the divisor is positive; NaN elsewhere."""
    positive = np.greater(bottom, 0.0)
    return np.where(positive, top / np.where(positive, bottom, 1.0), np.nan)
