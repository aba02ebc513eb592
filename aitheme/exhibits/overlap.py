"""Which names and baskets the reports share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aitheme.analysis.members import basket_overlap, names_by_report
from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.membership import headline_baskets, main_baskets
from aitheme.exhibits.native import NativeMatrix
from aitheme.exhibits.scope import basket_name, company_name
from aitheme.exhibits.uncounted import listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import altair as alt
    import pandas as pd

    from aitheme.charts.frame import Heading
    from aitheme.charts.heatmap import Cell
    from aitheme.themes.model import Report

__all__ = ["basket_overlaps", "shared_names"]

_PAIR = 2
_MOST_NAMES = 40
_FULL_JACCARD = 0.5
_NO_NAME = "#F4F4F4"


def _known_reports(context: Context) -> list[Report]:
    """Return the reports a reader had at the as-of date, and the book's own, by publication."""
    last = context.market.as_of(context.as_of)
    known = [one for one in context.theme.reports.values() if one.published <= last or one.id == context.report.id]
    return sorted(known, key=lambda one: one.published)


def _with_baskets(context: Context) -> Mapping[str, Sequence[str]]:
    found = {one.id: headline_baskets(context.theme, one.id) for one in _known_reports(context)}
    held = {report: baskets for report, baskets in found.items() if baskets}
    if len(held) < _PAIR:
        raise UnavailableError(
            context.t(
                "截至该日只有一份报告，无从对照",
                "only one report is known at this date, so there is nothing to compare",
            )
        )
    return held


def _short(context: Context, report: str) -> str:
    one = context.theme.report(report)
    return context.t(f"{one.broker_zh[:2]} {one.published:%y/%m}", f"{one.broker_en.split()[0]} {one.published:%y/%m}")


def shared_names(report: str) -> ExhibitDefinition:
    """Define the chart of names that two reports or more list."""

    def build(context: Context) -> Content:
        held = _with_baskets(context)
        table = names_by_report(context.theme, held)
        shared = table[table.sum(axis=1) >= _PAIR].head(_MOST_NAMES)
        if shared.empty:
            raise UnavailableError(context.t("各报告的标的没有重叠", "the reports share no name"))
        names = {one: _short(context, one) for one in held}
        data = shared.rename(columns=names).astype(int)
        data.insert(0, "count", data.sum(axis=1))
        data.insert(0, "name", [company_name(context, str(symbol)) for symbol in shared.index])
        data = data.rename_axis("symbol").reset_index()

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.frame import HALF
            from aitheme.charts.heatmap import heatmap

            rows = [f"{name}  {count}" for name, count in zip(data["name"], data["count"], strict=True)]
            return heatmap(rows, list(names.values()), _presence(context, shared), heading, size=HALF)

        columns = {
            "symbol": Column("代码", "Code"),
            "name": Column("公司", "Company"),
            "count": Column("提及报告数", "Reports", "integer"),
            **{name: Column(name, name, "integer") for name in names.values()},
        }
        alone = int((table.sum(axis=1) == 1).sum())
        subtitle = context.t(
            f"至少两份报告篮子所列的公司（{int((table.sum(axis=1) >= _PAIR).sum())}家），右侧数字为报告数；红色为本报告",
            f"Companies in the baskets of two reports or more ({int((table.sum(axis=1) >= _PAIR).sum())}), with the number of "
            "reports; red: this report",
        )
        note = context.t(
            f"另有{alone}家只在一份报告中；含港股、美股，截至所示日期已发布的报告",
            f"{alone} more names are in one report only; Hong Kong and American names count; reports published by the date shown",
        )
        cut = int((table.sum(axis=1) >= _PAIR).sum()) - len(shared)
        more = context.t(f"另有{cut}家排在其后，未画", f"{cut} more rank below and are not drawn") if cut else ""
        note = context.t("；", "; ").join(part for part in (note, more, _unseen(context, held)) if part)
        last = context.market.as_of(context.as_of)
        native = NativeMatrix(("symbol", "name", "count"), tuple(names.values()), 1.0, scale="sequential",
                              red=(names[report],), hide_zero=True)  # fmt: skip
        return Content(data, columns, *_registry_source(context), subtitle, note, last, draw, native, from_market=False)

    title = ("各报告共同看好的公司", "Names that several reports list")
    return ExhibitDefinition("shared-names", report, "附图", *title, "chart", "members", build)


def _unseen(context: Context, held: Mapping[str, Sequence[str]]) -> str:
    """Say which main baskets and members the overlap does not see."""
    chosen = {basket for ids in held.values() for basket in ids}
    mains = [basket for one in _known_reports(context) for basket in main_baskets(context.theme, one.id)]
    bare = [basket_name(context, basket) for basket in mains if basket not in chosen]
    rows = [member for ids in held.values() for basket in ids for member in context.theme.member_rows(basket)]
    unlisted = list(dict.fromkeys(member.name_printed for member in rows if member.symbol is None))
    names, companies = listing(context, bare), listing(context, unlisted)
    parts = [
        context.t(f"没有A股成分的篮子未计：{names}", f"baskets without an A-share left out: {names}") if bare else "",
        context.t(f"未上市公司不计：{companies}", f"unlisted, not counted: {companies}") if unlisted else "",
    ]
    return context.t("；", "; ").join(part for part in parts if part)


def _registry_source(context: Context) -> tuple[str, str]:
    brokers = _known_reports(context)
    return "、".join(one.broker_zh for one in brokers) + "研究报告", ", ".join(
        one.broker_en for one in brokers
    ) + " reports"


def _presence(context: Context, shared: pd.DataFrame) -> list[Cell]:
    from aitheme.charts.heatmap import Cell
    from aitheme.charts.style import PALETTE

    own = {report: PALETTE[0] if report == context.report.id else PALETTE[1] for report in shared.columns}
    return [
        Cell(row, column, "", own[report] if listed else _NO_NAME, "√" if listed else "")
        for row, names in enumerate(shared.to_numpy(dtype=bool).tolist())
        for column, (report, listed) in enumerate(zip(shared.columns, names, strict=True))
    ]


def basket_overlaps(report: str) -> ExhibitDefinition:
    """Define the chart of the overlap of all reports' main baskets."""

    def build(context: Context) -> Content:
        held = _with_baskets(context)
        baskets = [basket for ids in held.values() for basket in ids]
        pairs = basket_overlap(context.theme, baskets)
        names = {
            basket: f"{_short(context, basket.split('/', 1)[0]).split(' ')[0]} {basket_name(context, basket)}"
            for basket in baskets
        }
        data = pairs.assign(
            name=[names[one] for one in pairs["basket"]],
            other_name=[names[one] for one in pairs["other"]],
            size=[len(context.theme.symbols(one, overseas=True)) for one in pairs["basket"]],
        )

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.heatmap import heatmap

            rows = [f"{names[basket]}  {at}" for at, basket in enumerate(baskets, start=1)]
            numbers = [str(at) for at in range(1, len(baskets) + 1)]
            return heatmap(rows, numbers, _overlap_cells(context, pairs, baskets), heading)

        columns = {
            "name": Column("篮子", "Basket", merge=True),
            "other_name": Column("另一篮子", "Other basket"),
            "common": Column("共同成分", "Common names", "integer"),
            "jaccard": Column("Jaccard系数", "Jaccard index", "share"),
        }
        subtitle = context.t(
            "共同成分占两篮子全部成分之比（%）；斜线为成分数；空格为无共同成分",
            "Common names over all names of the two baskets, in per cent; diagonal: number of names; empty: none in common",
        )
        last = context.market.as_of(context.as_of)
        native = NativeMatrix(
            ("name",), ("jaccard",), _FULL_JACCARD, "other_name", "sequential", own="size", hide_zero=True
        )
        note = _unseen(context, held)
        return Content(data, columns, *_registry_source(context), subtitle, note, last, draw, native, from_market=False)

    title = ("各报告篮子的重叠", "Overlap of the reports' baskets")
    return ExhibitDefinition("basket-overlap", report, "附图", *title, "chart", "members", build)


def _overlap_cells(context: Context, pairs: pd.DataFrame, baskets: Sequence[str]) -> list[Cell]:
    from aitheme.charts.heatmap import BLANK, Cell, sequential
    from aitheme.charts.style import half_up

    places = {basket: at for at, basket in enumerate(baskets)}
    cells = [
        Cell(at, at, str(len(context.theme.symbols(basket, overseas=True))), BLANK, basket_name(context, basket))
        for basket, at in places.items()
    ]
    for row in pairs.to_dict("records"):
        text = f"{half_up(row['jaccard'] * 100):.0f}" if row["common"] else ""
        tip = context.t(f"共同{row['common']}家", f"{row['common']} in common")
        cells.append(
            Cell(places[row["basket"]], places[row["other"]], text, sequential(row["jaccard"], 0.0, _FULL_JACCARD), tip)
        )
    return cells
