"""The column catalogue: every name an expression may use, with unit, meaning and the reason it may be NULL."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aitheme.screen.errors import ScreenError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

__all__ = ["CATALOGUE", "HORIZONS", "Column", "Kind", "Source", "checked_columns", "columns_table", "nearest"]

Kind = Literal["number", "text", "boolean", "date"]
Source = Literal["bars", "index", "securities", "consensus", "theme", "releases"]

HORIZONS = (1, 5, 20, 60, 120, 250)
"""Sessions over which returns are offered."""
_BENCHMARK = "沪深300 (000300.SH)"
_MAX_NEAR = 3


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the screener.

    Parameters
    ----------
    name
        As written in an expression.
    kind
        ``number``, ``text``, ``boolean`` or ``date``.
    unit
        Unit of a number: ``ratio`` (0.1 is 10 %), ``CNY``, ``sessions``, ``multiple`` …
    meaning
        What it says.
    computed
        How it is computed.
    null_when
        Why a value may be missing.
    source
        Which part of the store it needs.
    fields
        Bar fields it needs besides close and level.
    """

    name: str
    kind: Kind
    unit: str
    meaning: str
    computed: str
    null_when: str
    source: Source = "bars"
    fields: tuple[str, ...] = ()


def _identity() -> list[Column]:
    dated = "latest seen by the as-of date; before the first one, of the store's security list (a note says so)"
    listed = "as of the date of the store's security list, not of the as-of date"
    absent = "the store's security list lacks it"
    return [
        Column("symbol", "text", "", "canonical symbol", "300364.SZ", "never"),
        Column("name", "text", "", "short name", dated, absent, "securities"),
        Column("board", "text", "", "listing board", "main, chinext, star or bse, from the code", "never"),
        Column("industry", "text", "", "industry of the security list", listed, absent, "securities"),
        Column("st", "boolean", "", "special treatment", dated, absent, "securities"),
        Column(
            "listing_age", "number", "sessions", "sessions since listing, the first being 1",
            "from the listing date; where the store lacks it, from the first bar held (a lower bound)", "never",
            "securities",
        ),
        Column("suspended", "boolean", "", "no bar on the as-of session", "then price is the last close", "never"),
        Column("price", "number", "CNY", "last unadjusted close on or before the as-of date", "not adjusted", "never"),
        Column("price_session", "date", "", "session of that close", "", "never"),
    ]  # fmt: skip


def _moves() -> list[Column]:
    columns = []
    short = "no close on or before the session the return starts at (listed later)"
    for n in HORIZONS:
        columns += [
            Column(
                f"ret_{n}", "number", "ratio", f"total return over {n} sessions",
                f"(close x adj_factor) at the as-of session / {n} sessions earlier - 1, last values known at both", short,
            ),
            Column(
                f"excess_{n}", "number", "ratio", f"ret_{n} less the price return of {_BENCHMARK}",
                "same two sessions", f"{short}, or the store lacks the index", "index",
            ),
            Column(
                f"excess_ind_{n}", "number", "ratio", f"ret_{n} less the industry's",
                f"industry: equal-weight mean ret_{n} of its names, itself included, over the whole market",
                f"{short}, no industry, or fewer than 5 names in it", "securities",
            ),
        ]  # fmt: skip
    return columns


def _risk() -> list[Column]:
    gap = "daily returns between consecutive sessions; a return that spans a suspension is left out"
    many = "fewer than 120 such returns in 250 sessions, or the store lacks the index"
    return [
        Column(
            "vol_60", "number", "ratio per year", "volatility over 60 sessions",
            f"sample standard deviation x sqrt(242); {gap}", "fewer than 40 such returns in 60 sessions",
        ),
        Column("beta_250", "number", "", f"beta to {_BENCHMARK}", f"least squares over 250 sessions; {gap}", many, "index"),
        Column(
            "idio_vol", "number", "ratio per year", "idiosyncratic volatility",
            "residual standard deviation of the beta_250 regression (n - 2) x sqrt(242)", many, "index",
        ),
        Column(
            "dist_high_250", "number", "ratio", "distance from the 250-session high, 0 or negative",
            "last level / highest level of the last 250 sessions - 1 (closes, total return)", "never",
        ),
        Column(
            "limit_up_20", "number", "sessions", "closes at the upper limit in the last 20 sessions",
            "board limit x ex-rights previous close; ST stocks held to their board's limit", "never",
        ),
        Column(
            "approximate", "boolean", "", "some return of the last 250 sessions is approximate",
            "quality flag of the bars", "never", fields=("approximate",),
        ),
    ]  # fmt: skip


def _liquidity() -> list[Column]:
    shares = "share count in force; before its history, of the store's security list (a note says so)"
    absent = "the store's security list lacks the share count"
    return [
        Column(
            "turnover", "number", "ratio", "shares traded / float on the as-of session", "as the vendor says",
            "suspended, or not in the bar", fields=("turnover",),
        ),
        Column(
            "turnover_20", "number", "ratio", "mean daily turnover of the last 20 sessions", "over the sessions traded",
            "no trade in 20 sessions", fields=("turnover",),
        ),
        Column(
            "amount_20", "number", "CNY", "mean daily amount of the last 20 sessions", "over the sessions traded",
            "no trade in 20 sessions", fields=("amount",),
        ),
        Column("market_cap", "number", "CNY", "price x total shares", shares, absent, "securities"),
        Column("float_cap", "number", "CNY", "price x float shares", shares, absent, "securities"),
    ]  # fmt: skip


def _valuation() -> list[Column]:
    first = "FY1: the year after the last reported one, at the latest the one whose reports are not all out (30 April)"
    none = "no FY1 estimate known by the as-of date, or not in CNY"
    known = "reported, stated by a report or vendor, or rebuilt from broker forecasts: see aitheme.consensus"
    growth = "an EPS is missing, or the FY1 EPS is not positive"
    brokers = "each broker's latest forecast of the last 180 days"
    forward = [
        Column(
            f"pe_fy{n}", "number", "multiple", f"forward PE, fiscal year {n}", f"price / EPS, {known}; {first}",
            "no estimate of that year known by the as-of date, or not in CNY, or EPS <= 0", "consensus",
        )
        for n in (1, 2, 3)
    ]  # fmt: skip
    return [
        Column(
            "pe_ttm", "number", "multiple", "trailing PE", "price / EPS of the last annual report known by the as-of date",
            "no actual EPS known by the as-of date, or EPS <= 0", "consensus",
        ),
        *forward,
        Column("eps_growth", "number", "ratio", "EPS growth FY1 to FY2", "FY2 / FY1 - 1", growth, "consensus"),
        Column(
            "peg", "number", "multiple", "PE to growth", "pe_fy1 / (100 x eps_growth)",
            f"{growth}, or growth is not positive", "consensus",
        ),
        Column(
            "analysts", "number", "count", "analysts behind the FY1 estimate", f"as its source states, else {brokers}, counted",
            f"{none}; or the source states no number and no forecasts are on record", "consensus",
        ),
        *(
            Column(
                f"revision_{days}", "number", "ratio", f"change of the FY1 EPS over {days} calendar days",
                "(now - then) / |then| of the same fiscal year and source, else of the rebuilt consensus",
                f"{none}, or none {days} days earlier", "consensus",
            )
            for days in (30, 90)
        ),
        Column(
            "dispersion", "number", "ratio", "disagreement of brokers on the FY1 EPS",
            f"sample standard deviation / |mean| of {brokers}", "fewer than 3 brokers", "consensus",
        ),
        Column(
            "consensus_age", "number", "days", "calendar days since the FY1 estimate was published",
            "of a rebuilt one since its newest forecast", none, "consensus",
        ),
    ]  # fmt: skip


def _theme() -> list[Column]:
    linked = "models a report published by the as-of date links it to"
    none = "no such link, or no release of them by the as-of date"
    study = f"releases of {linked} whose window is over by the as-of date; market model on {_BENCHMARK}, sessions -279 to -30"
    cars = f"{none}; or too few returns to estimate a model from (120 of 250), or none in the window"
    return [
        Column(
            "in_any_basket", "boolean", "", "member of a basket of the theme", "reports published by the as-of date",
            "never", "theme",
        ),
        Column(
            "n_reports", "number", "count", "reports that name it", "published by the as-of date", "never", "theme",
        ),
        Column("last_release", "date", "", "day 0 of the latest release", linked, none, "releases"),
        Column("last_release_id", "text", "", "id of the latest release", linked, none, "releases"),
        Column("sessions_since_release", "number", "sessions", "sessions since day 0, 0 on it", linked, none, "releases"),
        Column(
            "mean_car_releases", "number", "ratio", "mean CAR[0,4] over past releases", f"{study}; releases of a day are one",
            cars, "releases",
        ),
        Column(
            "t_car_releases", "number", "", "honest t of mean_car_releases",
            "exact for windows that share days or estimation sessions; volatility known before day 0 (EWMA)",
            cars, "releases",
        ),
        Column("p_car_releases", "number", "", "its two-sided p value", "Student's t, 32 degrees of freedom", cars, "releases"),
        Column("n_car_releases", "number", "count", "release days in mean_car_releases", "", cars, "releases"),
    ]  # fmt: skip


CATALOGUE: dict[str, Column] = {
    column.name: column
    for group in (_identity, _moves, _risk, _liquidity, _valuation, _theme)
    for column in group()
}  # fmt: skip
"""Every column by name."""


def columns_table() -> pd.DataFrame:
    """Return the catalogue as a frame: name, kind, unit, meaning, computed, null_when, source."""
    import pandas as pd

    names = ("name", "kind", "unit", "meaning", "computed", "null_when", "source")
    return pd.DataFrame([{key: getattr(column, key) for key in names} for column in CATALOGUE.values()])


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a ``did you mean …?`` with the nearest known names, empty when none is near."""
    near = difflib.get_close_matches(name.lower(), sorted(known), n=_MAX_NEAR, cutoff=0.6)
    return f"did you mean {', '.join(near)}? " if near else ""


def checked_columns(parameter: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return column names in lower case, each once.

    Raises
    ------
    ScreenError
        A name is not in the catalogue.
    """
    wanted = tuple(dict.fromkeys(name.strip().lower() for name in names))
    for name in wanted:
        if name not in CATALOGUE:
            raise ScreenError(
                f"{parameter}: {name!r} is not one of the {len(CATALOGUE)} columns; {nearest(name, CATALOGUE)}"
                "run `aitheme screen --columns` to list them"
            )
    return wanted
