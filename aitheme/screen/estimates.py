"""Columns from earnings estimates: what was published by the as-of date, nothing later."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ESTIMATE_COLUMNS", "EstimateFeatures"]

ESTIMATE_COLUMNS = frozenset(
    {"pe_ttm", "pe_fy1", "pe_fy2", "pe_fy3", "eps_growth", "peg", "analysts", "revision_30", "revision_90", "dispersion",
     "consensus_age"}
)  # fmt: skip
_RESULTS_DUE_MONTH = 5
_DISPERSION_DAYS = 180
_MIN_SOURCES = 3


@dataclass(frozen=True)
class EstimateFeatures:
    """Valuation columns of the catalogue.

    Parameters
    ----------
    rows
        Estimates published by `as_of`: symbol, fiscal_year, kind, eps, currency, analysts, source, published.
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
            return self._pe(self._trailing)
        if name.startswith("pe_fy"):
            return self._pe(self._forward(int(name[-1])))
        if name.startswith("revision_"):
            return self._revision(int(name.rpartition("_")[2]))
        if name == "eps_growth":
            return _over_positive(self._forward(2), self._forward(1)) - 1.0
        if name == "peg":
            return _over_positive(self.column("pe_fy1"), 100.0 * self.column("eps_growth"))
        return {"analysts": self._analysts, "dispersion": self._dispersion, "consensus_age": self._age}[name]()

    def _pe(self, eps: np.ndarray) -> np.ndarray:
        return _over_positive(self.price, eps)

    @cached_property
    def _known(self) -> pd.DataFrame:
        """Estimates in CNY of names in the universe, by publication, with the position of the name."""
        import pandas as pd

        rows = self.rows
        position = pd.Index(self.symbols).get_indexer(pd.Index(rows["symbol"], dtype=object))
        rows = rows.assign(at=position, published=pd.to_datetime(rows["published"]))
        cny = rows["currency"].isna() | (rows["currency"] == "CNY")
        usable: pd.DataFrame = rows[(position >= 0) & cny & (rows["published"] <= pd.Timestamp(self.as_of))]
        # Of two sources on one day the first in alphabetical order counts, as in Market.consensus.
        return usable.sort_values(["published", "source"], ascending=[True, False], kind="stable")

    @cached_property
    def _latest(self) -> pd.DataFrame:
        return self._known.drop_duplicates(["at", "fiscal_year"], keep="last")

    @cached_property
    def _last_actual(self) -> pd.Series[int]:
        """Latest fiscal year with a published actual, by position."""
        actual = self._latest[self._latest["kind"] == "A"]
        return actual.groupby("at")["fiscal_year"].max()

    @cached_property
    def _trailing(self) -> np.ndarray:
        actual = self._latest[self._latest["kind"] == "A"]
        last = actual.sort_values("fiscal_year").drop_duplicates("at", keep="last")
        return self._spread(last, "eps")

    @cached_property
    def _first_year(self) -> np.ndarray:
        """FY1 per name: the year after the last actual, and no year whose results are all out (30 April)."""
        floor = self.as_of.year if self.as_of.month >= _RESULTS_DUE_MONTH else self.as_of.year - 1
        years = np.full(len(self.symbols), self.as_of.year)
        actual = self._last_actual
        years[actual.index.to_numpy(dtype=int)] = np.maximum(actual.to_numpy(dtype=int) + 1, floor)
        return years

    def _of_year(self, rows: pd.DataFrame, ahead: int) -> pd.DataFrame:
        wanted = self._first_year[rows["at"].to_numpy(dtype=int)] + ahead
        chosen: pd.DataFrame = rows[rows["fiscal_year"].to_numpy(dtype=int) == wanted]
        return chosen

    def _spread(self, rows: pd.DataFrame, column: str) -> np.ndarray:
        values = np.full(len(self.symbols), np.nan)
        values[rows["at"].to_numpy(dtype=int)] = rows[column].to_numpy(dtype=float, na_value=np.nan)
        return values

    def _forward(self, year: int) -> np.ndarray:
        return self._spread(self._of_year(self._latest, year - 1), "eps")

    def _analysts(self) -> np.ndarray:
        stated = self._of_year(self._known, 0).dropna(subset=["analysts"])
        return self._spread(stated.drop_duplicates("at", keep="last"), "analysts")

    def _age(self) -> np.ndarray:
        import pandas as pd

        rows = self._of_year(self._latest, 0)
        return self._spread(rows.assign(age=(pd.Timestamp(self.as_of) - rows["published"]).dt.days), "age")

    def _revision(self, days: int) -> np.ndarray:
        import pandas as pd

        now = self._of_year(self._latest, 0)
        old = self._known[self._known["published"] <= pd.Timestamp(self.as_of - timedelta(days=days))]
        both = now.merge(old, on=["at", "fiscal_year", "source"], suffixes=("", "_old"))
        both = both.sort_values("published_old", kind="stable").drop_duplicates("at", keep="last")
        both = both[both["eps_old"] != 0]
        return self._spread(both.assign(change=(both["eps"] - both["eps_old"]) / both["eps_old"].abs()), "change")

    def _dispersion(self) -> np.ndarray:
        import pandas as pd

        rows = self._of_year(self._known, 0)
        recent = rows[rows["published"] > pd.Timestamp(self.as_of - timedelta(days=_DISPERSION_DAYS))]
        each = recent.drop_duplicates(["at", "source"], keep="last").groupby("at")["eps"].agg(["count", "mean", "std"])
        each = each[(each["count"] >= _MIN_SOURCES) & (each["mean"] != 0)].reset_index()
        return self._spread(each.assign(spread=each["std"] / each["mean"].abs()), "spread")


def _over_positive(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Divide where the divisor is positive; NaN elsewhere."""
    positive = np.greater(bottom, 0.0)
    return np.where(positive, top / np.where(positive, bottom, 1.0), np.nan)
