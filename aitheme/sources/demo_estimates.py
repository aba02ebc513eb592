"""Simulated broker forecasts and annual reports, so that a consensus of any day can be rebuilt offline.

Each company has a path of yearly earnings per share. Brokers see it with an error that shrinks towards the year's end and
renew their forecasts after each reporting season; the company reports it between late January and the end of April. Where
the theme prints an EPS, the path goes through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from aitheme.sources.live_datasets import dataset_named
from aitheme.sources.simulation import stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aitheme.sources.demo_market import Market
    from aitheme.sources.demo_universe import Profile
    from aitheme.sources.simulation import Floats
    from aitheme.themes import Theme

__all__ = ["broker_forecasts", "estimate_paths", "reported_eps"]

_BROKERS: Final = tuple(f"模拟券商{name}" for name in "甲乙丙丁戊己庚辛壬癸")
_AHEAD: Final = 3
"""A broker forecasts the fiscal year of publication and the two after it."""
_SEASONS: Final = ((1, 15), (4, 30), (8, 31), (10, 31))
"""Brokers renew their forecasts in the weeks after these days: an outlook, and the ends of the reporting seasons."""
_SEASON_WEEKS: Final = 4
_ERROR: Final = 0.22
"""Standard error of a forecast one year before the year's end, relative to the EPS."""
_LEAST_SCALE: Final = 0.05
_LOSS_SHARE: Final = 0.12
_REPORTING: Final = (25, 117)
"""Annual reports come so many days after the year's end: 25 January to 27 April."""
_CURRENCY: Final = {"hk": "HKD", "us": "USD"}
_CNY_PER_HKD: Final = 0.92


@dataclass(frozen=True, slots=True)
class EpsPath:
    """A company's yearly EPS and what brokers know of it.

    Parameters
    ----------
    profile
        The security.
    years
        Fiscal years, ascending.
    eps
        Earnings per share of each, in `currency`.
    currency
        Of the accounts: a Hong Kong share may report in CNY.
    known_from
        Per fiscal year the first day its report may come out: after a print that still calls the year an estimate.
    shares
        Total shares.
    covered
        How many brokers follow it.
    """

    profile: Profile
    years: tuple[int, ...]
    eps: Floats
    currency: str
    known_from: Mapping[int, date]
    shares: float
    covered: int


def estimate_paths(theme: Theme, seed: int, markets: Iterable[Market], start: date, end: date) -> list[EpsPath]:
    """Draw the yearly EPS of every security, through the printed ones.

    Parameters
    ----------
    theme
        Its printed estimates are met.
    seed
        Of the market.
    markets
        Simulated exchanges; the first close and the share counts are read.
    start, end
        Span of the simulation.
    """
    printed: dict[str, list[Any]] = {}
    for row in theme.estimates:
        if row.eps is not None:
            printed.setdefault(row.symbol, []).append(row)
    years = tuple(range(start.year - 2, end.year + _AHEAD))
    paths = []
    for market in markets:
        for column, profile in enumerate(market.profiles):
            traded = np.flatnonzero(market.actions.trades[:, column])
            if len(traded):
                close = float(market.settled.close[traded[0], column]) / 100.0
                rows = printed.get(profile.symbol, [])
                paths.append(_path(seed, profile, years, close, float(market.total_shares[column]), rows))
    return sorted(paths, key=lambda path: path.profile.symbol)


def _path(
    seed: int, profile: Profile, years: tuple[int, ...], close: float, shares: float, printed: Sequence[Any]
) -> EpsPath:
    rng = stream(seed, profile.symbol, "earnings")
    multiple = float(np.exp(rng.normal(3.6, 0.5)))
    growth = np.concatenate([[0.0], rng.normal(0.12, 0.25, len(years) - 1)])
    eps = close / multiple * np.exp(np.cumsum(growth))
    eps = np.where(rng.random(len(years)) < _LOSS_SHARE, -0.6 * eps, eps)
    in_cny, covered = rng.random() < 0.5, int(rng.integers(3, 9) if profile.kin > 0 else rng.integers(0, 4))  # noqa: PLR2004
    currency = _CURRENCY.get(profile.board, "CNY")
    if currency == "HKD" and in_cny:
        currency, eps = "CNY", eps * _CNY_PER_HKD
    return EpsPath(
        profile, years, _through(eps, years, {row.fiscal_year: row.eps for row in printed}), currency,
        {row.fiscal_year: row.as_of for row in printed if row.kind == "E"}, shares, covered,
    )  # fmt: skip


def _through(eps: Floats, years: tuple[int, ...], printed: Mapping[int, float]) -> Floats:
    """Put the printed years into a path and scale the years around them to their size."""
    if not printed:
        return np.round(eps, 3)
    size = float(np.mean(np.abs(list(printed.values()))))
    scaled = eps * size / float(np.mean(np.abs(eps)))
    return np.array([printed.get(year, round(value, 3)) for year, value in zip(years, scaled, strict=True)])


def broker_forecasts(paths: Iterable[EpsPath], seed: int, start: date, end: date) -> pa.Table:
    """Return the ``broker_forecasts`` dataset: dated forecasts of the next three fiscal years."""
    parts = [part for path in paths if path.covered for part in _forecasts(path, seed, start, end)]
    columns = ("symbol", "broker", "published", "fiscal_year", "report", "eps", "currency", "rating", "seen")
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return _table("broker_forecasts", frame)


def _forecasts(path: EpsPath, seed: int, start: date, end: date) -> list[pd.DataFrame]:
    rng = stream(seed, path.profile.symbol, "forecasts")
    seasons = [date(year, month, day) for year in range(start.year - 1, end.year + 1) for month, day in _SEASONS]
    base = np.array(seasons, dtype="datetime64[D]")
    shape = (path.covered, len(base))
    published = base + rng.integers(1, 7 * _SEASON_WEEKS, shape)
    written = rng.random(shape) < 0.8  # noqa: PLR2004
    optimism = rng.normal(0.03, 0.05, path.covered)
    errors = rng.normal(0.0, 1.0, (*shape, _AHEAD))
    listed = np.datetime64(max(path.profile.listed, start.replace(year=start.year - 1)))
    kept = written & (published >= listed) & (published <= np.datetime64(end))
    broker, season = np.nonzero(kept)
    day = published[kept]
    year = day.astype("datetime64[Y]").astype(int) + 1970
    frames = []
    for ahead in range(_AHEAD):
        fiscal = year + ahead
        truth = path.eps[np.searchsorted(path.years, fiscal)]
        years_left = ((fiscal - 1970 + 1).astype("datetime64[Y]").astype("datetime64[D]") - day).astype(float) / 365.0
        scale = np.maximum(np.abs(truth), _LEAST_SCALE) * _ERROR * np.sqrt(years_left)
        eps = truth + scale * errors[broker, season, ahead] + np.abs(truth) * optimism[broker]
        frames.append(
            pd.DataFrame(
                {
                    "symbol": path.profile.symbol,
                    "broker": np.array(_BROKERS, dtype=object)[broker],
                    "published": day,
                    "fiscal_year": fiscal,
                    "report": [f"DEMO-{path.profile.symbol}-{b}-{s}" for b, s in zip(broker, season, strict=True)],
                    "eps": np.round(eps, 3),
                    "currency": path.currency,
                    "rating": np.where(optimism[broker] > 0, "买入", "增持"),
                    "seen": day,
                }
            )
        )
    return frames


def reported_eps(paths: Iterable[EpsPath], seed: int, end: date) -> pa.Table:
    """Return the ``reported_eps`` dataset: annual reports of mainland companies, each on the day it came out."""
    rows = []
    for path in paths:
        if path.profile.board in _CURRENCY:
            continue
        delays = stream(seed, path.profile.symbol, "reports").integers(*_REPORTING, len(path.years))
        for year, eps, delay in zip(path.years, path.eps, delays.tolist(), strict=True):
            earliest = path.known_from.get(year)
            due = date.fromordinal(date(year, 12, 31).toordinal() + delay)
            published = due if earliest is None or due > earliest else date(year + 1, 4, 28)
            if published <= end and published >= path.profile.listed:
                rows.append((path.profile.symbol, date(year, 12, 31), published, eps, round(eps * path.shares, 0)))
    frame = pd.DataFrame(rows, columns=["symbol", "period_end", "published", "eps", "net_profit"])
    frame = frame.assign(announced=frame["published"], seen=frame["published"], revenue=None, restated=False)
    return _table("reported_eps", frame)


def _table(dataset: str, frame: pd.DataFrame) -> pa.Table:
    known = dataset_named(dataset)
    schema = known.arrow_schema()
    arrays = [pa.array(frame[name], type=schema.field(name).type, from_pandas=True) for name in schema.names]
    return pa.Table.from_arrays(arrays, schema=schema).sort_by([(name, "ascending") for name in known.key])
