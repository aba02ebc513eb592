"""Which exhibits make the book of a report."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from aitheme.exhibits.aftermath import after_chapter, before_chapter
from aitheme.exhibits.baskets import after_lines, basket_members, basket_summary
from aitheme.exhibits.companies import valuation_table
from aitheme.exhibits.crossreport import cross_chapter
from aitheme.exhibits.crowding import crowding_chapter
from aitheme.exhibits.labels import CHAPTERS, numbered
from aitheme.exhibits.members import member_chapter
from aitheme.exhibits.membership import headline_baskets
from aitheme.exhibits.outcomes import rating_outcome
from aitheme.exhibits.printed import printed_table, rating_scale
from aitheme.exhibits.quotes import sector_line
from aitheme.exhibits.releases_effect import release_chapter
from aitheme.exhibits.valuation_band import valuation_chapter

if TYPE_CHECKING:
    from collections.abc import Callable

    from aitheme.exhibits.base import ExhibitDefinition
    from aitheme.themes import Theme

__all__ = ["book"]

_OWN = {
    "glsc-20231229": "glsc_20231229",
    "hfzq-202402": "hfzq_202402",
    "htsc-20230420": "htsc_20230420",
    "mszq-20240328": "mszq_20240328",
    "tfzq-20240309": "tfzq_20240309",
}


# Chapters that every book has: each function returns the exhibits of a chapter for a report (none where they make no sense).
_SHARED: tuple[Callable[[Theme, str], tuple[ExhibitDefinition, ...]], ...] = (
    before_chapter,
    after_chapter,
    cross_chapter,
    release_chapter,
    valuation_chapter,
    crowding_chapter,
    member_chapter,
)


def book(theme: Theme, report: str) -> tuple[ExhibitDefinition, ...]:
    """Return the exhibits of a report: what it printed, redrawn, and the chapters that every book has.

    They come in the order of :data:`aitheme.exhibits.labels.CHAPTERS`, and those the report did not print are numbered
    in that order (``附图1``, ``附表1`` …).

    Raises
    ------
    UnknownNameError
        The theme has no such report.
    """
    theme.report(report)
    own = import_module(f"aitheme.exhibits.{_OWN[report]}").EXHIBITS if report in _OWN else _generic(theme, report)
    order = list(CHAPTERS)
    every = sorted(
        [*own, *(one for chapter in _SHARED for one in chapter(theme, report))],
        key=lambda definition: order.index(definition.chapter),
    )
    labels = numbered(definition.label for definition in every)
    return tuple(replace(definition, label=label) for definition, label in zip(every, labels, strict=True))


def _generic(theme: Theme, report: str) -> tuple[ExhibitDefinition, ...]:
    """Return what the registry rows of a report without a module of its own allow.

    Valuation, sector line, every packaged table, headline baskets and the rating scale.
    """
    known = theme.report(report)
    cover = []
    if any(row.report == report for row in theme.estimates):
        cover.append(
            valuation_table(
                report, "封面表", ("重点公司盈利预测、估值与评级", "Valuation and ratings of key companies")
            )
        )
    if known.sector_index:
        cover.append(sector_line(report, "封面图", ("行业走势图", "Sector against the market")))
    tables = [
        printed_table(report, meta.id, meta.exhibit or "正文", (meta.title_zh, meta.title_en))
        for meta in known.tables
        if meta.id != "valuation"
    ]
    baskets = headline_baskets(theme, report)
    own = [basket_summary(report, "附表", baskets=baskets)] if baskets else []
    members = [basket_members(report, "附表", ("关注标的", "Names to watch"), baskets=baskets)] if baskets else []
    lines = [after_lines(report, baskets=baskets)] if baskets else []
    return (*cover, *tables, *own, *members, *lines, rating_outcome(report), rating_scale(report))
