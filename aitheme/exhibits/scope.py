"""What the chapters on effects, crowding, members and valuation look at: a report's baskets, and the words for a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aitheme.analysis.room import study_room
from aitheme.exhibits.membership import headline_baskets, whole_basket

if TYPE_CHECKING:
    from aitheme.analysis.releases import ReleaseDay
    from aitheme.analysis.room import StudyRoom
    from aitheme.exhibits.base import Context

__all__ = [
    "basket_name",
    "company_name",
    "day_label",
    "index_name",
    "main_basket",
    "release_names",
    "room_of",
    "shown_baskets",
]

_LABEL_EMS = 17.0
_INDICES = {
    "000300.SH": ("沪深300", "CSI 300"), "HSI.HK": ("恒生指数", "Hang Seng Index"), "SPX.US": ("标普500", "S&P 500"),
    "IXIC.US": ("纳斯达克综合指数", "Nasdaq Composite"),
}  # fmt: skip


def shown_baskets(context: Context) -> list[str]:
    """Return the report's main baskets, and the one above them where there is one."""
    whole = whole_basket(context.theme, context.report.id)
    return [*headline_baskets(context.theme, context.report.id), *(() if whole is None else (whole,))]


def main_basket(context: Context) -> str:
    """Return the basket that stands for the report: the whole, or its first main basket."""
    whole = whole_basket(context.theme, context.report.id)
    return whole if whole is not None else headline_baskets(context.theme, context.report.id)[0]


def basket_name(context: Context, basket: str) -> str:
    """Return a basket's name in the language asked for."""
    row = context.theme.basket(basket)
    return context.t(row.name_zh, row.name_en)


def room_of(context: Context) -> StudyRoom:
    """Return the room all exhibits of a date share."""
    return study_room(context.market, context.theme, context.as_of)


def release_names(context: Context, day: ReleaseDay) -> str:
    """Return the releases of a day, the most mentioned first."""
    return context.t("、", "; ").join(context.t(release.name_zh, release.name_en) for release in day.releases)


def day_label(context: Context, day: ReleaseDay, most: float = _LABEL_EMS) -> str:
    """Return a day and its releases: as many names as fit into `most` times the type size, and how many there are."""
    from aitheme.charts.fonts import text_width

    names = [context.t(release.name_zh, release.name_en) for release in day.releases]
    count = len(names)
    for shown in range(count, 0, -1):
        text = context.t("、", "; ").join(names[:shown])
        if shown < count:
            text += context.t(f"等{count}项", f" +{count - shown}")
        if text_width(text, 1.0) <= most:
            return f"{day.day0:%y/%m/%d} {text}"
    end = "…" + (context.t(f"等{count}项", f" +{count - 1}") if count > 1 else "")
    name = names[0]
    while text_width(name + end, 1.0) > most:
        name = name[:-1].rstrip()
    return f"{day.day0:%y/%m/%d} {name}{end}"


def company_name(context: Context, symbol: str) -> str:
    """Return a company's name in the language asked for, its code where the theme does not name it."""
    known = context.theme.security.get(symbol)
    return symbol if known is None else context.t(known.name_zh, known.name_en or known.name_zh)


def index_name(context: Context, symbol: str) -> str:
    """Return a benchmark as readers know it, its code where it has no common name."""
    return context.t(*_INDICES.get(symbol, (symbol, symbol)))
