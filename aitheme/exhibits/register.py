"""Everything a report prints with a number, and where it is in the book: nothing is left out in silence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.english import has_chinese, in_english
from aitheme.exhibits.labels import english_label
from aitheme.exhibits.printed import kept_note, printed_source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aitheme.themes.model import ExhibitEntry

__all__ = ["exhibit_register"]

_COVER = {"cover": "封面表", "封面走势图": "封面图"}
_REASONS = {
    "partly": (
        "收录于主题库（正文所及部分），本册未画",
        "packaged with the theme as far as the text goes, not drawn here",
    ),
    "yes": ("收录于主题库，本册未画", "packaged with the theme, not drawn here"),
    "chart-from-data": ("需行情数据，本册未画", "needs market data, not drawn here"),
}
_LISTS = {"相关报告", "相关研究"}
_LABEL = re.compile(r"(封面表|封面图|图表|图|表)(\d*)")


def exhibit_register(report: str) -> ExhibitDefinition:
    """Define the list of a report's exhibits with their place in the book, or the reason why they have none."""

    def build(context: Context) -> Content:
        import pandas as pd

        entries = [entry for entry in context.theme.exhibits if entry.report == report]
        if not entries:
            raise UnavailableError(
                context.t("主题库没有该报告的图表目录", "the theme holds no list of this report's exhibits")
            )
        from aitheme.exhibits.books import book

        drawn = [
            one
            for one in book(context.theme, report)
            if one.chapter in {"print", "rating"} and one.id != "exhibit-register"
        ]
        rows, pictures = [], []
        for entry in entries:
            found = [one for one in drawn if _same(entry, one)]
            if entry.carried == "picture" and not found:
                pictures.append(context.t(entry.label, english_label(entry.label)))
                continue
            rows.append(
                {
                    "label": context.t(entry.label, english_label(entry.label)),
                    "title": context.t(entry.title_zh, _english_title(context, entry, found)),
                    "place": context.t("、", ", ").join(one.id for one in found),
                    "remark": _remark(context, entry, found),
                }
            )
        columns = {
            "label": Column("编号", "Number"),
            "title": Column("原题", "Title"),
            "place": Column("本册图表", "In this book"),
            "remark": Column("说明", "Remark"),
        }
        known = sum(bool(row["place"]) for row in rows)
        subtitle = context.t(
            f"原报告图表{len(entries)}项，有内容可录者{len(rows)}项，本册重画{known}项",
            f"{len(entries)} exhibits in the report, {len(rows)} of them with content to hold, {known} redrawn in this book",
        )
        left_out = context.t(
            f"另{len(pictures)}项为图片或示意图，正文没有可列成表的内容：{'、'.join(pictures)}",
            f"{len(pictures)} are pictures or diagrams of which the text tells nothing to tabulate: {', '.join(pictures)}",
        )
        if any(one.id == "figures" for one in drawn):
            left_out += context.t("；正文所引的数字见figures", "; single figures of the text are in figures")
        kept = context.lang == "en" and any(has_chinese(row["title"]) for row in rows)
        chinese = kept_note(("Title",)) if kept else ""
        note = "; ".join(text for text in (left_out if pictures else "", chinese) if text)
        return Content(pd.DataFrame(rows), columns, *printed_source(context), subtitle, note, from_market=False)

    title = ("原报告图表一览", "The report's exhibits and where they are")
    return ExhibitDefinition("exhibit-register", report, "附表", *title, "table", "print", build)


def _labels(text: str) -> set[str]:
    """Return the labels a text names, ``图9、图12`` or ``图表9、12``."""
    found, kind = set(), ""
    for part in re.split(r"[、;]", re.sub(r"（.*?）", "", text)):
        match = _LABEL.fullmatch(part)
        kind = match.group(1) if match else kind
        found.add(part if match else f"{kind}{part}")
    return found


def _same(entry: ExhibitEntry, definition: ExhibitDefinition) -> bool:
    label = _COVER.get(entry.label, entry.label)
    if "走势" in entry.title_zh and label != "封面表" and not re.search(r"\d", label):
        label = "封面图"
    if "评级" in entry.title_zh and ("说明" in entry.title_zh or "声明" in entry.title_zh):
        return definition.id == "rating-scale"
    return label in _labels(definition.label) or (entry.table_id is not None and entry.table_id == definition.id)


def _english_title(context: Context, entry: ExhibitEntry, found: Sequence[ExhibitDefinition]) -> str:
    """Return the English title of what is drawn or packaged in an exhibit's place; the printed one where there is neither."""
    tables = {meta.id: meta.title_en for meta in context.report.tables}
    if found:
        return found[0].title_en
    return tables.get(entry.table_id or "") or in_english(entry.title_zh, context.theme)


def _remark(context: Context, entry: ExhibitEntry, found: Sequence[ExhibitDefinition]) -> str:
    if not found and entry.title_zh in _LISTS:
        return context.t("封面所列文章，没有数据可画", "titles listed on the cover, nothing to draw")
    if not found:
        return context.t(*_REASONS[entry.carried])
    if entry.carried == "partly":
        return context.t("正文所及部分", "as far as the text goes")
    if entry.carried == "chart-from-data":
        return context.t("以行情重画", "redrawn from market data")
    return context.t("原为图片，按正文重画", "a picture, redrawn from the text") if entry.carried == "picture" else ""
