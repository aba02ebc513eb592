"""Which exhibits make the book of a report."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from aitheme.exhibits.baskets import basket_members, basket_summary
from aitheme.exhibits.companies import valuation_table
from aitheme.exhibits.outcomes import rating_outcome
from aitheme.exhibits.printed import printed_table, rating_scale
from aitheme.exhibits.quotes import sector_line

if TYPE_CHECKING:
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


def book(theme: Theme, report: str) -> tuple[ExhibitDefinition, ...]:
    """Return the exhibits of a report, in order.

    A report without a module of its own gets the exhibits its registry rows allow: valuation, sector line, every
    packaged table, recommended baskets and the rating scale.

    Raises
    ------
    UnknownNameError
        The theme has no such report.
    """
    known = theme.report(report)
    if report in _OWN:
        exhibits: tuple[ExhibitDefinition, ...] = import_module(f"aitheme.exhibits.{_OWN[report]}").EXHIBITS
        return exhibits
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
    baskets = [name for name, row in theme.baskets.items() if row.report == report and row.kind == "recommended"]
    own = [basket_summary(report, "附表1", baskets=baskets)] if baskets else []
    members = [basket_members(report, "附表2", ("关注标的", "Names to watch"), baskets=baskets)] if baskets else []
    return (*cover, *tables, *own, *members, rating_outcome(report), rating_scale(report))
