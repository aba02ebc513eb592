"""Who is not in an exhibit's numbers, in words: no basket and no member is left out in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aitheme.exhibits.membership import main_baskets
from aitheme.exhibits.scope import basket_name, company_name
from aitheme.symbols import board_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aitheme.exhibits.base import Context
    from aitheme.themes.model import Member

__all__ = ["empty_baskets", "listing", "outside", "uncounted", "uncounted_main"]

_MOST_NAMES = 4
_MARKETS = {"hk": ("港股", "Hong Kong"), "us": ("美股", "US"), "": ("未上市", "unlisted")}


def listing(context: Context, names: Sequence[str], most: int = _MOST_NAMES) -> str:
    """Return the first names, and how many there are where some are left out."""
    shown = context.t("、", ", ").join(names[:most])
    if len(names) <= most:
        return shown
    return shown + context.t(f"等{len(names)}家", f" and {len(names) - most} more")


def _member_name(context: Context, member: Member) -> str:
    if member.symbol is None:
        return member.name_printed
    return f"{company_name(context, member.symbol)} {member.symbol}"


def empty_baskets(context: Context, baskets: Iterable[str]) -> str:
    """Name the baskets that hold no A-share, with their members, and those the theme does not have."""
    known = [basket for basket in baskets if basket in context.theme.baskets]
    unknown = [basket for basket in baskets if basket not in context.theme.baskets]
    words = []
    for basket in (one for one in known if not context.theme.symbols(one)):
        names = [_member_name(context, member) for member in context.theme.member_rows(basket)]
        inside = listing(context, names) or context.t("没有成分", "no member")
        words.append(
            context.t(
                f"{basket_name(context, basket)}没有A股成分（{inside}），未计",
                f"{basket_name(context, basket)} holds no A-share ({inside}) and is left out",
            )
        )
    if unknown:
        words.append(
            context.t(f"主题库没有篮子：{listing(context, unknown)}", f"the theme lacks {listing(context, unknown)}")
        )
    return context.t("；", "; ").join(words)


def outside(context: Context, baskets: Iterable[str]) -> str:
    """Count the members of some baskets that are no A-shares, by market, each company once."""
    groups: dict[str, list[str]] = {market: [] for market in _MARKETS}
    known = [basket for basket in baskets if basket in context.theme.baskets and context.theme.symbols(basket)]
    rows = {
        (member.symbol or member.name_printed): member for one in known for member in context.theme.member_rows(one)
    }
    for member in rows.values():
        market = "" if member.symbol is None else str(board_of(member.symbol))
        if market in groups:
            name = member.name_printed if member.symbol is None else company_name(context, member.symbol)
            groups[market].append(name)
    parts = [
        context.t(
            f"{_MARKETS[market][0]}{len(names)}家（{listing(context, names)}）",
            f"{len(names)} {_MARKETS[market][1]} ({listing(context, names)})",
        )
        for market, names in groups.items()
        if names
    ]
    joined = context.t("、", ", ").join(parts)
    return context.t(f"不计{joined}", f"not counted: {joined}") if parts else ""


def uncounted(context: Context, baskets: Iterable[str]) -> str:
    """Say which of some baskets have no A-share, and which members of the others are none."""
    chosen = list(baskets)
    parts = (empty_baskets(context, chosen), outside(context, chosen))
    return context.t("；", "; ").join(part for part in parts if part)


def uncounted_main(context: Context) -> str:
    """Say the same of the main baskets of the report."""
    return uncounted(context, main_baskets(context.theme, context.report.id))
