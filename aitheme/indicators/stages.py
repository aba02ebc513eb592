"""Ratios, growth and the stage of each app: pure functions on one frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from aitheme.errors import AithemeError
from aitheme.indicators.metrics import GIVEN, GROWN, METRICS, REVENUE_LINE

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AppIndicators", "Stage", "StageRule", "Verdict", "app_indicators"]

Stage = Literal["growth", "maturity", "transition", "undecided"]
GrowthBasis = Literal["year", "annualised", "none"]

_YEAR = 12
_SHORT_SPANS = (3, 2, 1)
_COST_MONTHS = 3
# Where a given growth and the computed one are further apart than rounding explains.
_GROWTH_TOLERANCE = 0.005


@dataclass(frozen=True, slots=True)
class StageRule:
    """Where the line between the stages is drawn. The report gives the idea but no numbers; these are ours.

    Parameters
    ----------
    fast_growth
        MAU growth on a year (ratio) from which users still carry an app.
    paying_ratio
        Paying users to MAU (ratio) from which an app counts as paid for.

    Raises
    ------
    AithemeError
        A threshold outside 0 to 10, or 0 to 1.
    """

    fast_growth: float = 0.20
    paying_ratio: float = 0.05

    def __post_init__(self) -> None:
        if not 0 <= self.fast_growth <= 10:  # noqa: PLR2004 (elevenfold in a year)
            raise AithemeError(f"fast_growth: {self.fast_growth} must be a ratio from 0 to 10; 0.2 is 20 % a year")
        if not 0 < self.paying_ratio <= 1:
            raise AithemeError(f"paying_ratio: {self.paying_ratio} must be a ratio above 0 and up to 1; 0.05 is 5 %")


@dataclass(frozen=True, slots=True)
class Verdict:
    """An app's stage in its last month, and what decided it.

    Parameters
    ----------
    app, month
        Which app, and the last month with a MAU (ISO ``YYYY-MM``; empty where there is none).
    stage
        ``growth``, ``maturity``, ``transition`` (users no longer grow fast, profit is not there: watch both), or
        ``undecided`` (fewer than two months of MAU).
    user_growth, growth_basis, growth_months
        MAU growth a year as a ratio (NaN where unknown): on the ``year`` before, or ``annualised`` from the last three
        (fewer where the file is shorter) months.
    paying_ratio, paying
        Last known paying users to MAU, and whether it reaches the rule's (None where unknown).
    cost_cover, covered
        Revenue to costs over the last three months with both, and whether it is at least 1 (None where unknown).
    """

    app: str
    month: str
    stage: Stage
    user_growth: float
    growth_basis: GrowthBasis
    growth_months: int
    paying_ratio: float
    paying: bool | None
    cost_cover: float
    covered: bool | None

    @property
    def monetised(self) -> bool | None:
        """Whether the app is paid for or covers its costs; None where neither is known."""
        known = [one for one in (self.paying, self.covered) if one is not None]
        return any(known) if known else None


@dataclass(frozen=True, slots=True)
class AppIndicators:
    """App metrics with ratios and growth, and each app's stage.

    Parameters
    ----------
    metrics
        One row per app and calendar month from its first to its last; columns ``date`` (first of the month), ``app``, every
        metric of :data:`~aitheme.indicators.METRICS` that has a value, ``*_mom`` and ``*_yoy`` of the levels, and the share of
        each revenue line in revenue as ``share_*``. Ratios are ratios, money is CNY.
    verdicts
        One per app, in the order of the file.
    rule
        The thresholds used.
    gaps
        Months inside an app's span that the file leaves out.
    growth_conflicts
        Rows in which the given revenue growth is not the computed one; the computed one is kept.
    """

    metrics: pd.DataFrame
    verdicts: tuple[Verdict, ...]
    rule: StageRule
    gaps: int
    growth_conflicts: int

    @property
    def until(self) -> date:
        """Last day of the last month."""
        last = self.metrics["date"].max()
        return date(last.year, last.month, last.days_in_month)


def app_indicators(data: pd.DataFrame, rule: StageRule | None = None) -> AppIndicators:
    """Compute ratios and growth, and decide each app's stage.

    The report watches growth (users, activity, downloads, updates) while an app is young and profit (revenue, share, paying
    users, costs) once it is mature. As a rule: an app whose MAU still grow by `rule.fast_growth` a year is in its growth stage,
    whatever it earns. One that no longer does is mature if it is paid for (paying ratio of at least `rule.paying_ratio`) or
    covers its costs; otherwise it is in transition, and both groups matter.

    Parameters
    ----------
    data
        One row per app and month, as :func:`~aitheme.indicators.read_indicators` returns them.
    rule
        Thresholds; 20 % a year and 5 % by default.

    Returns
    -------
    AppIndicators

    Raises
    ------
    AithemeError
        No rows.
    """
    import pandas as pd

    if data.empty:
        raise AithemeError("data: holds no rows; give at least one app and month")
    chosen = rule if rule is not None else StageRule()
    frames, gaps, conflicts = [], 0, 0
    for app in dict.fromkeys(data["app"]):
        monthly = _monthly(data[data["app"] == app])
        gaps += len(monthly) - int((data["app"] == app).sum())
        derived, differing = _derived(monthly)
        conflicts += differing
        frames.append((str(app), derived))
    verdicts = tuple(_verdict(app, frame, chosen) for app, frame in frames)
    rows = [frame.assign(app=app, date=pd.PeriodIndex(frame.index).to_timestamp()) for app, frame in frames]
    whole = pd.concat(rows, ignore_index=True).drop(columns="revenue_yoy")  # it is revenue_growth
    return AppIndicators(_ordered(whole), verdicts, chosen, gaps, conflicts)


def _monthly(rows: pd.DataFrame) -> pd.DataFrame:
    """Return an app's metrics on every calendar month of its span; a month left out is NaN."""
    import pandas as pd

    months = pd.PeriodIndex(pd.to_datetime(rows["date"]), freq="M")
    values = rows.drop(columns=["date", "app"]).set_axis(months, axis=0).sort_index()
    full = values.reindex(pd.period_range(months.min(), months.max(), freq="M"))
    return full.reindex(columns=list(dict.fromkeys([*GIVEN, *full.columns])))


def _derived(monthly: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the metrics with ratios and growth added, and how many given growths contradict the computed ones."""
    frame = monthly.copy()
    for level in GROWN:
        frame[f"{level}_mom"] = _growth(frame[level], 1)
        frame[f"{level}_yoy"] = _growth(frame[level], _YEAR)
    own, given = frame["revenue_yoy"], frame["revenue_growth"]
    differing = int(((own - given).abs() > _GROWTH_TOLERANCE).sum())
    frame["revenue_growth"] = own.fillna(given)
    frame["dau_mau"] = _ratio(frame["dau"], frame["mau"])
    frame["paying_ratio"] = _ratio(frame["paying_users"], frame["mau"]).fillna(frame["paying_ratio"])
    frame["arpu"] = _ratio(frame["revenue"], frame["mau"])
    frame["arppu"] = _ratio(frame["revenue"], frame["paying_users"])
    frame["cost_ratio"] = _ratio(frame["costs"], frame["revenue"])
    for name in [name for name in monthly.columns if str(name).startswith(REVENUE_LINE)]:
        frame[f"share_{str(name).removeprefix(REVENUE_LINE)}"] = _ratio(frame[name], frame["revenue"])
    return frame, differing


def _ratio(part: pd.Series[float], whole: pd.Series[float]) -> pd.Series[float]:
    """Return a quotient, NaN where the whole is zero."""
    return part / whole.where(whole > 0)


def _growth(values: pd.Series[float], months: int) -> pd.Series[float]:
    return _ratio(values, values.shift(months)) - 1.0


def _ordered(whole: pd.DataFrame) -> pd.DataFrame:
    """Return the columns in a fixed order, without those that no row fills."""
    filled = [name for name in whole.columns if name not in {"date", "app"} and whole[name].notna().any()]
    first = [name for name in METRICS if name in filled]
    return whole[["date", "app", *first, *[name for name in filled if name not in first]]]


def _user_growth(mau: pd.Series[float]) -> tuple[float, GrowthBasis, int]:
    """Return MAU growth a year at the last known month, how it was had, and over how many months."""
    known = mau.loc[: mau.last_valid_index()] if mau.notna().any() else mau.iloc[:0]
    for months in (_YEAR, *_SHORT_SPANS):
        if len(known) > months:
            ratio = float(known.iloc[-1] / known.iloc[-1 - months]) if known.iloc[-1 - months] > 0 else float("nan")
            if ratio == ratio:  # noqa: PLR0124 (NaN)
                return ratio ** (_YEAR / months) - 1.0, "year" if months == _YEAR else "annualised", months
    return float("nan"), "none", 0


def _reaches(value: float, line: float) -> bool:
    """Tell whether a value is at least the line, with 120/100 - 1 being 20 % whatever the last bit says."""
    return value >= line or math.isclose(value, line, rel_tol=1e-9, abs_tol=1e-12)


def _verdict(app: str, frame: pd.DataFrame, rule: StageRule) -> Verdict:
    growth, basis, months = _user_growth(frame["mau"])
    ratios = frame["paying_ratio"].dropna()
    ratio = float(ratios.iloc[-1]) if len(ratios) else float("nan")
    both = frame[["revenue", "costs"]].dropna().tail(_COST_MONTHS).sum()
    cover = float(both["revenue"] / both["costs"]) if both["costs"] > 0 else float("nan")
    paying = None if ratio != ratio else _reaches(ratio, rule.paying_ratio)  # noqa: PLR0124 (NaN)
    covered = None if cover != cover else _reaches(cover, 1.0)  # noqa: PLR0124 (NaN)
    last = frame["mau"].last_valid_index()
    stage: Stage = "undecided" if basis == "none" else "growth" if _reaches(growth, rule.fast_growth) else "transition"
    if stage == "transition" and (paying or covered):
        stage = "maturity"
    return Verdict(app, "" if last is None else str(last), stage, growth, basis, months, ratio, paying, cover, covered)
