"""Consensus earnings per share as of any day, from what was public on it.

Three kinds of record say what a company will earn: a consensus that a report prints or a vendor shows (*stated*, dated by
the day it was printed or seen), dated forecasts of single brokers, from which the consensus of any past day is *rebuilt*,
and the annual report itself (*reported*). Per symbol and fiscal year one of them counts, in this order:

1. the annual report, from the day its number became known (``reported``, kind A);
2. a stated actual (kind A);
3. a stated consensus at most :data:`STATED_DAYS` old: on its day it is what the market saw;
4. the rebuilt consensus (``rebuilt``): the mean of each broker's latest forecast of :data:`WINDOW_DAYS`;
5. a stated consensus, however old.

Free vendors show only today's consensus, so a past day is mostly rebuilt. Forecasts are per share as it was: a bonus issue
halves price and, as brokers renew their forecasts, EPS a little later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from aitheme.errors import AithemeError, DateRangeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = [
    "CONSENSUS_COLUMNS",
    "REBUILT",
    "REPORTED",
    "REVISION_DAYS",
    "STATED_DAYS",
    "WINDOW_DAYS",
    "EstimateRecords",
    "consensus_as_of",
    "exchange_rates",
    "first_forecast_years",
    "forecast_order",
    "in_trading_currency",
    "rebuild_consensus",
]

WINDOW_DAYS: Final = 180
"""A broker's forecast counts for so many days after it was published; brokers renew theirs after each quarterly report."""
STATED_DAYS: Final = 30
"""A printed or vendor-seen consensus stands for so many days, then dated forecasts say more."""
REVISION_DAYS: Final = (30, 90)
REPORTED: Final = "reported"
REBUILT: Final = "rebuilt"
CONSENSUS_COLUMNS: Final = (
    "symbol", "fiscal_year", "kind", "eps", "currency", "analysts", "source", "published",
    "eps_median", "eps_low", "eps_high", "dispersion", "brokers", "revision_30", "revision_90",
)  # fmt: skip
_REBUILT_COLUMNS: Final = (
    "symbol", "fiscal_year", "currency", "eps", "eps_median", "eps_low", "eps_high", "dispersion", "analysts",
    "revised_up", "revised_down", "newest", "oldest",
)  # fmt: skip
_DTYPES: Final = {
    **dict.fromkeys(("symbol", "kind", "currency", "source"), "object"), "fiscal_year": "int64", "published": "datetime64[us]",
}  # fmt: skip
_KEY: Final = ["symbol", "fiscal_year"]
_RESULTS_DUE_MONTH: Final = 5
_PER_SHARE: Final = ("eps", "eps_median", "eps_low", "eps_high")
_PAIR_LETTERS: Final = 6


@dataclass(frozen=True, slots=True)
class EstimateRecords:
    """What is on record about some companies' earnings per share.

    Parameters
    ----------
    stated
        Printed or vendor-seen consensus: ``symbol``, ``fiscal_year``, ``kind`` (A or E), ``eps``, ``currency``,
        ``analysts``, ``source``, ``published`` (the day printed or seen).
    forecasts
        Forecasts of single brokers: ``symbol``, ``broker``, ``published``, ``fiscal_year``, ``report``, ``eps``,
        ``currency``.
    reported
        Annual reports: ``symbol``, ``fiscal_year``, ``eps``, ``currency``, ``published`` (the day the number became
        known; a restated one the day of its restatement).
    """

    stated: pd.DataFrame
    forecasts: pd.DataFrame
    reported: pd.DataFrame


def first_forecast_years(days: np.ndarray, last_actual: np.ndarray) -> np.ndarray:
    """Return FY1, the fiscal year that a forward PE of one year is about.

    The year after the last reported one, and no year whose results are all out: annual reports are due by 30 April.
    Where no actual is known, the calendar year.

    Parameters
    ----------
    days
        Dates, datetime64[D].
    last_actual
        Latest fiscal year with a known actual, 0 for none; any shape that broadcasts with `days`.
    """
    year = days.astype("datetime64[Y]").astype(np.int64) + 1970
    month = days.astype("datetime64[M]").astype(np.int64) % 12 + 1
    floor = np.where(month >= _RESULTS_DUE_MONTH, year, year - 1)
    return np.where(last_actual > 0, np.maximum(last_actual + 1, floor), year)


def rebuild_consensus(forecasts: pd.DataFrame, as_of: date, window_days: int = WINDOW_DAYS) -> pd.DataFrame:
    """Rebuild the consensus that could be known on a day from dated broker forecasts.

    Parameters
    ----------
    forecasts
        Rows of ``broker_forecasts``: ``symbol``, ``broker``, ``published``, ``fiscal_year``, ``eps``, ``currency``;
        ``report`` breaks ties of one day. Rows without EPS do not count.
    as_of
        Nothing published after this day is used.
    window_days
        A broker's forecast counts if it was published at most this many days before `as_of`.

    Returns
    -------
    pandas.DataFrame
        One row per symbol, fiscal year and currency: ``eps`` (mean of each broker's latest), ``eps_median``,
        ``eps_low``, ``eps_high``, ``dispersion`` (sample standard deviation / |mean|, NaN for one analyst),
        ``analysts``, ``revised_up`` and ``revised_down`` (brokers whose latest lies above or below their one before
        it, inside the window), ``newest`` and ``oldest`` publication date used.

    Raises
    ------
    DateRangeError
        `window_days` is not positive.
    """
    import pandas as pd

    if window_days <= 0:
        raise DateRangeError(f"window_days: {window_days} is not positive; give for example 180")
    published = pd.to_datetime(forecasts["published"])
    first = pd.Timestamp(as_of - timedelta(days=window_days))
    usable = (published <= pd.Timestamp(as_of)) & (published > first) & forecasts["eps"].notna()
    inside = forecasts[usable].assign(published=published[usable])
    if inside.empty:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in _REBUILT_COLUMNS})
    rows, starts, up, down = _latest_of_each_broker(inside)
    days = inside["published"].to_numpy()[rows]
    groups: pd.DataFrame = inside.iloc[rows[starts]][[*_KEY, "currency"]].reset_index(drop=True)
    table: pd.DataFrame = groups.assign(
        **_spread(inside["eps"].to_numpy(dtype=float)[rows], starts),
        revised_up=np.add.reduceat(up.astype(np.int64), starts),
        revised_down=np.add.reduceat(down.astype(np.int64), starts),
        newest=np.maximum.reduceat(days, starts),
        oldest=np.minimum.reduceat(days, starts),
    )
    return table[[*_REBUILT_COLUMNS]]


def _latest_of_each_broker(inside: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the rows that count, by symbol, year, currency and EPS; where each such group starts; who raised, who cut."""
    cell, broker, order = forecast_order(inside)
    eps = inside["eps"].to_numpy(dtype=float)[order]
    same = (cell[1:] == cell[:-1]) & (broker[1:] == broker[:-1])
    step = np.zeros(len(eps))
    step[1:][same] = np.diff(eps)[same]
    last = np.flatnonzero(np.append(~same, True))
    # In order of EPS the median lies in the middle, and the sum does not depend on who wrote what.
    last = last[np.lexsort([eps[last], cell[last]])]
    starts = np.flatnonzero(np.append(True, np.diff(cell[last]) != 0))
    return order[last], starts, step[last] > 0, step[last] < 0


def forecast_order(forecasts: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort forecasts by symbol, fiscal year and currency (none last), then broker, day and report.

    Parameters
    ----------
    forecasts
        Rows of ``broker_forecasts``, at least one; of one broker and day the last ``report`` stands last.

    Returns
    -------
    tuple
        In the sorted order, each (n,): the number of the group of symbol, year and currency, that of the broker, and the
        position of the row in `forecasts`.
    """
    import pandas as pd

    names = [*_KEY, "currency", "broker", "published", *(["report"] if "report" in forecasts.columns else [])]
    # A column of strings is sorted by the rank of its distinct values: there are far fewer of them.
    ranks = [pd.factorize(forecasts[name], sort=True, use_na_sentinel=False)[0] for name in names]
    order = np.lexsort(ranks[::-1])
    groups = np.stack([rank[order] for rank in ranks[: len(_KEY) + 1]])
    cell = np.append(0, np.cumsum((np.diff(groups, axis=1) != 0).any(axis=0)))
    return cell, ranks[len(_KEY) + 1][order], order


def _spread(eps: np.ndarray, starts: np.ndarray) -> dict[str, np.ndarray]:
    """Return the statistics of each group of EPS; each is ascending and begins at its start."""
    count = np.diff(np.append(starts, len(eps)))
    low, high = eps[starts], eps[starts + count - 1]
    # Around the lowest value, so that equal forecasts have exactly their mean and no dispersion.
    mean = low + np.add.reduceat(eps - np.repeat(low, count), starts) / count
    squares = np.add.reduceat((eps - np.repeat(mean, count)) ** 2, starts)
    deviation = np.sqrt(squares / np.where(count > 1, count - 1, np.nan))
    return {
        "eps": mean,
        "eps_median": (eps[starts + (count - 1) // 2] + eps[starts + count // 2]) / 2.0,
        "eps_low": low,
        "eps_high": high,
        "dispersion": deviation / np.where(mean == 0, np.nan, np.abs(mean)),
        "analysts": count,
    }


def consensus_as_of(records: EstimateRecords, as_of: date, window_days: int = WINDOW_DAYS) -> pd.DataFrame:
    """Return the earnings per share known or expected on a day: one row per symbol and fiscal year.

    Parameters
    ----------
    records
        What is on record; rows published after `as_of` are not looked at.
    as_of
        The day.
    window_days
        See :func:`rebuild_consensus`.

    Returns
    -------
    pandas.DataFrame
        Columns of :data:`CONSENSUS_COLUMNS`, sorted by symbol and fiscal year. ``eps`` per share in ``currency``,
        ``kind`` A (actual) or E, ``source`` as in the order of this module, ``published`` the day it was public (of a
        rebuilt one the newest forecast in it), ``analysts`` as the source states or the number of brokers. Of the
        dated forecasts in the same currency, whatever ``source`` is: ``eps_median``, ``eps_low``, ``eps_high``,
        ``dispersion`` (ratio) and ``brokers``; NaN without any. ``revision_30`` and ``revision_90`` are the change of
        the same fiscal year's EPS over so many days, (now - then) / |then|: of the same source where it had one then,
        otherwise rebuilt on both days; NaN for an actual.

    Raises
    ------
    DateRangeError
        `window_days` is not positive.
    """
    import pandas as pd

    moment = pd.Timestamp(as_of)
    rebuilt = _one_currency(rebuild_consensus(records.forecasts, as_of, window_days))
    stated = records.stated[pd.to_datetime(records.stated["published"]) <= moment]
    chosen = _chosen(_reported_rows(records.reported, moment), _stated_rows(stated, moment), rebuilt)
    if chosen.empty:
        return pd.DataFrame({name: pd.Series(dtype=_DTYPES.get(name, "float64")) for name in CONSENSUS_COLUMNS})
    spread = ["eps_median", "eps_low", "eps_high", "dispersion", "analysts", "eps"]
    beside = rebuilt[[*_KEY, "currency", *spread]].rename(columns={"analysts": "brokers", "eps": "rebuilt_now"})
    table = chosen.merge(beside, on=[*_KEY, "currency"], how="left")
    table["analysts"] = table["analysts"].astype(float).fillna(table["brokers"].astype(float))
    for days in REVISION_DAYS:
        table[f"revision_{days}"] = _revision(table, records, stated, as_of - timedelta(days=days), window_days)
    numbers = ["eps", "analysts", *(name for name in spread if name not in {"analysts", "eps"}), "brokers"]
    table = table.astype(dict.fromkeys(numbers, "float64")).astype({"fiscal_year": "int64"})
    return table[[*CONSENSUS_COLUMNS]].sort_values(_KEY, ignore_index=True)


def _chosen(reported: pd.DataFrame, stated: pd.DataFrame, rebuilt: pd.DataFrame) -> pd.DataFrame:
    """Return the record that counts per symbol and fiscal year."""
    import pandas as pd

    estimates = rebuilt.rename(columns={"newest": "published"}).assign(kind="E", source=REBUILT, rank=3)
    columns = [*_KEY, "kind", "eps", "currency", "analysts", "source", "published", "rank"]
    parts = [part[columns] for part in (reported, stated, estimates) if len(part)]
    if not parts:
        return pd.DataFrame(columns=columns)
    parts = [part.assign(analysts=part["analysts"].astype(float)) for part in parts]
    every = pd.concat(parts, ignore_index=True)
    return every.sort_values("rank", kind="stable").drop_duplicates(_KEY)


def _reported_rows(reported: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """Return the latest version known of each annual report."""
    import pandas as pd

    known = reported.assign(published=pd.to_datetime(reported["published"]))
    known = known[(known["published"] <= moment) & known["eps"].notna()]
    last = known.sort_values("published", kind="stable").drop_duplicates(_KEY, keep="last")
    return last.assign(kind="A", source=REPORTED, rank=0, analysts=np.nan)


def _stated_rows(stated: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """Return each year's latest stated row, an actual before any estimate; of two on a day the first source counts."""
    import pandas as pd

    rows = stated.assign(published=pd.to_datetime(stated["published"]), estimate=(stated["kind"] != "A").to_numpy())
    order = ["estimate", "published", "source"]
    last = rows.sort_values(order, ascending=[True, False, True], kind="stable").drop_duplicates(_KEY)
    fresh = last["published"] > moment - pd.Timedelta(days=STATED_DAYS)
    return last.assign(rank=np.where(~last["estimate"], 1, np.where(fresh, 2, 4)))


def _one_currency(rebuilt: pd.DataFrame) -> pd.DataFrame:
    """Keep for each symbol and year the currency most brokers write in; then the newest, then the first by name."""
    order = ["analysts", "newest", "currency"]
    best = rebuilt.sort_values(order, ascending=[False, False, True], kind="stable")
    return best.drop_duplicates(_KEY)


def _revision(
    table: pd.DataFrame, records: EstimateRecords, stated: pd.DataFrame, then: date, window_days: int
) -> np.ndarray:
    """Return (now - then) / |then| of the same fiscal year, source and currency, else of the rebuilt consensus."""
    import pandas as pd

    old = stated[pd.to_datetime(stated["published"]) <= pd.Timestamp(then)]
    last = old.assign(published=pd.to_datetime(old["published"])).sort_values("published", kind="stable")
    same = last.drop_duplicates([*_KEY, "currency", "source"], keep="last")
    earlier = rebuild_consensus(records.forecasts, then, window_days)
    keyed = table[[*_KEY, "currency", "source"]]
    of_source = keyed.merge(same, on=[*_KEY, "currency", "source"], how="left")["eps"].to_numpy(dtype=float)
    of_brokers = keyed.merge(earlier, on=[*_KEY, "currency"], how="left")["eps"].to_numpy(dtype=float)
    alike = np.isfinite(of_source)
    now = np.where(alike, table["eps"].to_numpy(dtype=float), table["rebuilt_now"].to_numpy(dtype=float))
    before = np.where(alike, of_source, of_brokers)
    usable = np.isfinite(before) & (before != 0) & (table["kind"] == "E").to_numpy()
    return np.where(usable, (now - before) / np.where(usable, np.abs(before), 1.0), np.nan)


def in_trading_currency(
    estimates: pd.DataFrame, currency: Mapping[str, str], rates: Mapping[str, float] | None = None
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Bring EPS into the currency each share trades in, or refuse and say why.

    Parameters
    ----------
    estimates
        Rows of :func:`consensus_as_of`; one without a currency is taken to be in the trading currency.
    currency
        Trading currency by symbol.
    rates
        Units of the second currency for one of the first by pair: ``{"CNYHKD": 1.084}``. A pair also serves its
        reverse. The rate is the caller's: it should be of the as-of date.

    Returns
    -------
    tuple
        The estimates, converted where a rate was given and without the rows that could not be, and the reason by symbol.

    Raises
    ------
    AithemeError
        A pair or a rate cannot be read.
    """
    stated = exchange_rates(rates)
    table = estimates.reset_index(drop=True).copy()
    factor = np.ones(len(table))
    refused: dict[str, str] = {}
    for row, (symbol, given) in enumerate(zip(table["symbol"], table["currency"], strict=True)):
        held = currency.get(symbol)
        if not isinstance(given, str) or held is None or given == held:
            continue
        factor[row] = stated.get(given + held, np.nan)
        if not np.isfinite(factor[row]):
            refused[symbol] = f"EPS in {given}, price in {held}, and no rate {given}{held} was given"
    for name in (*_PER_SHARE,):
        if name in table.columns:
            table[name] = table[name].astype(float) * factor
    moved = factor != 1.0
    table.loc[moved, "currency"] = [currency[symbol] for symbol in table.loc[moved, "symbol"]]
    return table[np.isfinite(factor)].reset_index(drop=True), refused


def exchange_rates(rates: Mapping[str, float] | None) -> dict[str, float]:
    """Return stated rates by pair and by reverse pair: units of the second currency for one of the first.

    Raises
    ------
    AithemeError
        A pair or a rate cannot be read.
    """
    result: dict[str, float] = {}
    for pair, rate in (rates or {}).items():
        name = pair.upper()
        if len(name) != _PAIR_LETTERS or not name.isalpha() or not np.isfinite(rate) or rate <= 0:
            raise AithemeError(
                f"rates: {pair}={rate} cannot be read; write a pair and a positive rate, such as CNYHKD=1.084"
            )
        result[name] = float(rate)
        result.setdefault(name[3:] + name[:3], 1.0 / float(rate))
    return result
