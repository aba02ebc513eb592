"""What releases did to baskets: the panel of CAARs and the paths of the headline days.

Releases with the same day 0 are one test: the market cannot tell their effects apart, and neither can a study.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from aitheme.analysis.room import Stocks
from aitheme.analysis.studies import study_release

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    import pandas as pd

    from aitheme.analysis.room import StudyRoom
    from aitheme.eventstudy import StudyError
    from aitheme.eventstudy.shared import BasketEffect
    from aitheme.themes.model import Release

__all__ = [
    "APART",
    "ESTIMATION",
    "MOST_DAYS",
    "REACH",
    "WINDOW",
    "CaarPath",
    "ReleaseDay",
    "ReleaseDays",
    "caar_panel",
    "caar_paths",
    "headline_days",
    "release_days",
]

WINDOW = (0, 4)
"""Sessions of the panel: day 0 and the four after it."""

PATH_WINDOW = (-5, 10)
"""Sessions of the paths."""

ESTIMATION = (250, 30)
"""Length and gap of the estimation window, in sessions."""

REACH = 120
"""Sessions around publication within which a release belongs to the panel even if the report does not mention it."""

MOST_DAYS = 30
"""Days the panel shows at most."""

APART = WINDOW[1] - WINDOW[0] + 1
"""Sessions between headline days, so that no session of the panel's window belongs to two of them."""

TESTS = ("volatility_scaled_t", "volatility_scaled_t_before")
_DRAWS = 1000

Gap = Literal["", "before-data", "after-data"]


@dataclass(frozen=True, slots=True)
class ReleaseDay:
    """The releases that share a day 0.

    Parameters
    ----------
    day0
        The first session that could react.
    releases
        Those most mentioned first.
    mentioned
        Passages of the report that mention one of them.
    reports, mentions
        Most reports, and most passages of all reports, that mention one of them.
    apart
        Sessions from publication to day 0, negative before it.
    gap
        Why the day cannot be studied: its estimation window starts before the data, or its event window ends after it.
    """

    day0: date
    releases: tuple[Release, ...]
    mentioned: int
    reports: int
    mentions: int
    apart: int
    gap: Gap = ""


@dataclass(frozen=True, slots=True)
class ReleaseDays:
    """The days of a report's panel.

    Parameters
    ----------
    days
        Chosen days that can be studied, ascending.
    impossible
        Days that belong to the panel and cannot be studied, ascending.
    left_out
        Days that could be studied and did not fit.
    """

    days: tuple[ReleaseDay, ...]
    impossible: tuple[ReleaseDay, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class CaarPath:
    """A basket's path around a day.

    Parameters
    ----------
    day
        The day.
    table
        Columns day, caar, low, high (ratios); the first row is the session before the window, all zero.
    n, placebos
        Members studied, and placebo dates behind the band.
    p_value
        Headline test over the window.
    reason
        Why there is no band or no path, or empty.
    """

    day: ReleaseDay
    table: pd.DataFrame
    n: int
    placebos: int
    p_value: float
    reason: str = ""


def release_days(
    room: StudyRoom, report: str, *, window: tuple[int, int] = WINDOW, reach: int = REACH, most: int = MOST_DAYS
) -> ReleaseDays:
    """Choose the days of a report's panel.

    Every day with a release the report mentions, and every day within `reach` sessions of publication. Where more than
    `most` can be studied, the days the report mentions come first, then those most reports mention, then the nearest.

    Parameters
    ----------
    room
        Snapshot, registry and date; a release after that date is not known.
    report
        Report id.
    window
        Event window, sessions.
    reach, most
        See above.
    """
    known = [day for day in _all_days(room, report, window) if day.mentioned or abs(day.apart) <= reach]
    usable = sorted((day for day in known if not day.gap), key=_rank)
    chosen = sorted(usable[:most], key=lambda day: day.day0)
    return ReleaseDays(tuple(chosen), tuple(day for day in known if day.gap), len(usable) - len(chosen))


def headline_days(room: StudyRoom, report: str, *, most: int = 4) -> tuple[ReleaseDay, ...]:
    """Return the days of a report's headline releases, ascending: those most of its passages mention.

    Only days that the report mentions and whose windows lie in the data, at least :data:`APART` sessions apart; among
    equals those most reports mention, then the nearest to publication.
    """
    days = [day for day in _all_days(room, report, PATH_WINDOW) if day.mentioned and not day.gap]
    chosen: list[ReleaseDay] = []
    for day in sorted(days, key=lambda day: (-day.mentioned, -day.reports, abs(day.apart))):
        if len(chosen) < most and all(abs(day.apart - other.apart) >= APART for other in chosen):
            chosen.append(day)
    return tuple(sorted(chosen, key=lambda day: day.day0))


def _rank(day: ReleaseDay) -> tuple[bool, int, int, int]:
    return (not day.mentioned, -day.reports, -day.mentions, abs(day.apart))


def _all_days(room: StudyRoom, report: str, window: tuple[int, int]) -> list[ReleaseDay]:
    """Return every day 0 known at the room's date."""
    sessions = room.theme_panel.sessions
    published = int(sessions.searchsorted(_stamp(room.theme.report(report).published), side="right")) - 1
    dated = [release for release in room.theme.dated_releases() if release.day0 and release.day0 <= room.as_of]
    return [
        _day(room, report, day0, tuple(rows), published, window)
        for day0, rows in groupby(dated, key=lambda release: release.day0)
        if day0 is not None
    ]


def _day(
    room: StudyRoom, report: str, day0: date, rows: tuple[Release, ...], published: int, window: tuple[int, int]
) -> ReleaseDay:
    from aitheme.calendar import calendar_for

    sessions = room.theme_panel.sessions
    place = int(sessions.searchsorted(_stamp(day0)))
    first = room.market.span[0]
    if day0 < first:
        place = 1 - calendar_for("XSHG").count(day0, first)
    counts = {row.id: sum(mention.release == row.id for mention in room.theme.mentions) for row in rows}
    reports = {row.id: room.theme.release_reports(row.id) for row in rows}
    gap: Gap = ""
    if place - sum(ESTIMATION) + 1 < 0:
        gap = "before-data"
    elif place + window[1] >= len(sessions):
        gap = "after-data"
    return ReleaseDay(
        day0,
        tuple(sorted(rows, key=lambda row: (report not in reports[row.id], -len(reports[row.id]), -counts[row.id]))),
        sum((mention.release in counts) and mention.report == report for mention in room.theme.mentions),
        max(len(names) for names in reports.values()),
        max(counts.values()),
        place - published,
        gap,
    )


def _stamp(day: date) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(day)


def caar_panel(
    room: StudyRoom, days: Iterable[ReleaseDay], baskets: Sequence[str], *, window: tuple[int, int] = WINDOW
) -> pd.DataFrame:
    """Study every basket around every day with the headline test, and adjust for having asked so often.

    Parameters
    ----------
    room
        Snapshot, registry and date.
    days
        From :func:`release_days`.
    baskets
        Basket ids.
    window
        Event window.

    Returns
    -------
    pandas.DataFrame
        One row per day and basket: day0, basket, n, caar (ratio), statistic, p_value (headline), p_before (that evening),
        sessions_after, limit_closes (member-sessions of the window closed at a price limit), reason, and the p-value
        adjusted over all rows: holm, benjamini_hochberg, benjamini_yekutieli.
    """
    import pandas as pd

    from aitheme.eventstudy.multiple import benjamini_hochberg, benjamini_yekutieli, holm

    stocks = _all_stocks(room, baskets)
    rows = [row for day in days for row in _day_rows(room, day, baskets, stocks, window)]
    table = pd.DataFrame(rows, columns=[*_CELL])
    p_values = table["p_value"].to_numpy(dtype=float)
    return table.assign(
        holm=holm(p_values),
        benjamini_hochberg=benjamini_hochberg(p_values),
        benjamini_yekutieli=benjamini_yekutieli(p_values),
    )


_CELL = (
    "day0", "basket", "n", "caar", "statistic", "p_value", "p_before", "sessions_after", "limit_closes", "reason",
)  # fmt: skip


def _all_stocks(room: StudyRoom, baskets: Sequence[str]) -> Stocks:
    """Return the A-shares of some baskets, each once."""
    import pandas as pd

    held = [room.stocks(basket) for basket in baskets]
    frames = [pd.concat(parts, axis=1) for parts in ([one.returns for one in held], [one.limit_state for one in held])]
    returns, limit_state = (frame.loc[:, ~frame.columns.duplicated()] for frame in frames)
    return Stocks(list(returns.columns), returns, limit_state)


def _day_rows(
    room: StudyRoom, day: ReleaseDay, baskets: Sequence[str], stocks: Stocks, window: tuple[int, int]
) -> list[dict[str, Any]]:
    """Return a row per basket; a stock of several baskets is estimated once."""
    from aitheme.eventstudy import StudyError, basket_effects

    event = day.releases[0].id
    found: Mapping[str, BasketEffect | StudyError]
    try:
        found = basket_effects(
            stocks.returns, (event, room.day0(event)), {basket: room.stocks(basket).symbols for basket in baskets},
            benchmark=room.benchmark(room.theme.benchmark, stocks.symbols)[0], window=window, estimation=ESTIMATION,
        )  # fmt: skip
    except StudyError as error:
        found = dict.fromkeys(baskets, error)
    return [_cell(day, basket, found[basket], stocks.limit_state, window) for basket in baskets]


def _cell(
    day: ReleaseDay, basket: str, found: BasketEffect | StudyError, limit_state: pd.DataFrame, window: tuple[int, int]
) -> dict[str, Any]:
    from aitheme.eventstudy import StudyError

    row: dict[str, Any] = {"day0": day.day0, "basket": basket, "n": 0, "reason": ""}
    if isinstance(found, StudyError):
        return {**row, "reason": str(found)}
    rows = slice(found.position + window[0], found.position + window[1] + 1)
    closes = limit_state.to_numpy()[rows, limit_state.columns.get_indexer(found.symbols)]
    return {
        **row,
        "n": len(found.symbols),
        "caar": found.caar,
        "statistic": found.statistic,
        "p_value": found.p_value,
        "p_before": found.p_before,
        "sessions_after": found.sessions_after,
        "limit_closes": int((closes != 0).sum()),
        "reason": found.reason,
    }


def caar_paths(room: StudyRoom, days: Iterable[ReleaseDay], basket: str) -> tuple[CaarPath, ...]:
    """Return a basket's CAAR path around some days with the band of its own paths at placebo dates.

    Parameters
    ----------
    room
        Snapshot, registry and date.
    days
        From :func:`headline_days`.
    basket
        Basket id.

    Returns
    -------
    tuple of CaarPath
        Placebo dates lie before the event and hold no release in their window; their paths are rescaled to the volatility
        before the event. A day that cannot be studied keeps its reason.
    """
    return tuple(_path(room, day, basket) for day in days)


def _path(room: StudyRoom, day: ReleaseDay, basket: str) -> CaarPath:
    import pandas as pd

    from aitheme.eventstudy import StudyError
    from aitheme.eventstudy.plotting import band_table

    try:
        done = study_release(
            room, basket, day.releases[0].id, window=PATH_WINDOW, estimation=ESTIMATION, random_baskets=False,
            draws=_DRAWS, tests=(*TESTS, "randomisation_dates"), by_day=False,
        ).result  # fmt: skip
    except StudyError as error:
        return CaarPath(day, pd.DataFrame(columns=["day", "caar", "low", "high"]), 0, 0, float("nan"), str(error))
    drawn = done.randomisation
    assert drawn is not None
    placebos = 0 if drawn.reason else drawn.draws.shape[1]
    return CaarPath(day, band_table(done), done.n, placebos, done.headline.p_value, drawn.reason)
