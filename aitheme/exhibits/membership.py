"""Which baskets and names of a report its shared chapters follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aitheme.themes import Theme

__all__ = ["headline_baskets", "judged_baskets", "main_baskets", "whole_basket"]


def main_baskets(theme: Theme, report: str) -> tuple[str, ...]:
    """Return the ids of a report's main baskets, those without an A-share too.

    Those its registry entry names as headline; without such an entry the recommended baskets that have no parent.

    Raises
    ------
    UnknownNameError
        The theme has no such report.
    """
    named = [f"{report}/{name}" for name in theme.report(report).headline]
    tops = [
        name
        for name, row in theme.baskets.items()
        if (row.report, row.kind, row.parent) == (report, "recommended", None)
    ]
    return tuple(named or tops)


def headline_baskets(theme: Theme, report: str) -> tuple[str, ...]:
    """Return the ids of a report's main baskets that hold an A-share.

    Raises
    ------
    UnknownNameError
        The theme has no such report.
    """
    return tuple(name for name in main_baskets(theme, report) if theme.symbols(name))


def whole_basket(theme: Theme, report: str) -> str | None:
    """Return the basket that holds all headline baskets of a report, or None where there is none above them."""
    headline = headline_baskets(theme, report)
    tops = {_top(theme, name) for name in headline}
    return tops.pop() if len(tops) == 1 and not tops & set(headline) else None


def _top(theme: Theme, basket: str) -> str:
    parent = theme.baskets[basket].parent
    return basket if parent is None else _top(theme, parent)


def judged_baskets(theme: Theme, report: str) -> tuple[str, ...]:
    """Return the headline baskets, each followed by its parts, and the whole at the end; each holds an A-share."""
    whole = whole_basket(theme, report)
    found = [part for name in headline_baskets(theme, report) for part in (name, *_parts(theme, name))]
    return (*found, *(() if whole is None else (whole,)))


def _parts(theme: Theme, basket: str) -> list[str]:
    children = [name for name, row in theme.baskets.items() if row.parent == basket and theme.symbols(name)]
    return [part for child in children for part in (child, *_parts(theme, child))]
