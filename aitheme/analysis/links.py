"""Linked against unlinked companies: whether names with a link to a released model moved more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from aitheme.analysis.releases import ESTIMATION, TESTS, WINDOW

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from aitheme.analysis.releases import ReleaseDay
    from aitheme.analysis.room import StudyRoom

__all__ = ["LEAST_LINKED", "linked_effects", "linked_members"]

LEAST_LINKED = 2
"""Companies on either side that a comparison needs."""

_HALF = 0.5


def linked_members(room: StudyRoom, report: str, day: ReleaseDay) -> frozenset[str]:
    """Return the listed companies with a link to a model released on a day.

    Links are those of reports published by the room's date, and of the report itself.
    """
    models = {release.model for release in day.releases if release.model is not None}
    known = _known_reports(room, report)
    return frozenset(
        link.symbol
        for link in room.theme.links
        if link.symbol is not None and link.model in models and link.report in known
    )


def _known_reports(room: StudyRoom, report: str) -> set[str]:
    return {report, *(one.id for one in room.theme.reports.values() if one.published <= room.as_of)}


def linked_effects(
    room: StudyRoom, report: str, days: Iterable[ReleaseDay], *, window: tuple[int, int] = WINDOW
) -> tuple[pd.DataFrame, int]:
    """Compare companies linked to a released model with the theme's other A-shares.

    Both sides are equal-weight series; the difference is tested as one series with the headline test, so what both
    sides share is taken out and the common date needs no correction.

    Parameters
    ----------
    room
        Snapshot, registry and date.
    report
        Whose links count even before its publication.
    days
        From :func:`release_days`.
    window
        Event window.

    Returns
    -------
    pandas.DataFrame
        One row per day: day0, n_linked, n_unlinked, linked, unlinked, difference (CAARs, ratios), statistic, p_value,
        benjamini_hochberg (over the rows), reason.
    int
        Days left out for fewer than two companies on a side.
    """
    from aitheme.eventstudy.multiple import benjamini_hochberg

    returns = room.theme_panel.returns
    members = _known_members(room, report)
    rows, skipped = [], 0
    for day in days:
        found = linked_members(room, report, day)
        linked = [symbol for symbol in members if symbol in found]
        others = [symbol for symbol in members if symbol not in set(linked)]
        traded = [_traded(returns, names, day.day0) for names in (linked, others)]
        if min(len(names) for names in traded) < LEAST_LINKED:
            skipped += 1
            continue
        rows.append({"day0": day.day0, **_contrast(room, returns[traded[0]], returns[traded[1]], day, window)})
    table = pd.DataFrame(rows, columns=[*_CONTRAST])
    return table.assign(benjamini_hochberg=benjamini_hochberg(table["p_value"].to_numpy(dtype=float))), skipped


_CONTRAST = (
    "day0", "n_linked", "n_unlinked", "linked", "unlinked", "difference", "statistic", "p_value", "reason",
)  # fmt: skip


def _known_members(room: StudyRoom, report: str) -> list[str]:
    """Return the A-shares that reports known at the room's date name in a basket or a link."""
    known = _known_reports(room, report)
    named = {row.symbol for row in room.theme.members if row.basket.split("/", 1)[0] in known}
    named |= {link.symbol for link in room.theme.links if link.report in known}
    return [symbol for symbol in room.theme_panel.symbols if symbol in named]


def _traded(returns: pd.DataFrame, names: list[str], day0: date) -> list[str]:
    """Return the stocks that traded on most sessions of the estimation window of a day."""
    place = int(returns.index.searchsorted(pd.Timestamp(day0)))
    length, gap = ESTIMATION
    share = returns[names].iloc[place - length - gap + 1 : place - gap + 1].notna().mean()
    return [str(name) for name in share.index[share >= _HALF]]


def _contrast(
    room: StudyRoom, linked: pd.DataFrame, others: pd.DataFrame, day: ReleaseDay, window: tuple[int, int]
) -> dict[str, Any]:
    from aitheme.eventstudy import StudyError, event_study

    sides = {"linked": linked.mean(axis=1), "unlinked": others.mean(axis=1)}
    series = {**sides, "difference": sides["linked"] - sides["unlinked"]}
    benchmark, name = room.benchmark(room.theme.benchmark, [])
    row: dict[str, Any] = {"n_linked": linked.shape[1], "n_unlinked": others.shape[1], "reason": ""}
    try:
        studies = {
            side: event_study(
                values.to_frame(side), [(day.releases[0].id, pd.Timestamp(day.day0))], benchmark=benchmark, benchmark_name=name,
                window=window, estimation=ESTIMATION, tests=TESTS[:1], by_day=False, draws=0,
            )
            for side, values in series.items()
        }  # fmt: skip
    except StudyError as error:
        return {**row, "reason": str(error)}
    head = studies["difference"].headline
    caars = {side: float(done.caar.iloc[-1]) for side, done in studies.items()}
    return {**row, **caars, "statistic": head.statistic, "p_value": head.p_value, "reason": head.reason}
