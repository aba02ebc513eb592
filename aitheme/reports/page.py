"""Templates of the pages and what they share: one style sheet, one table, a font cut to the page."""

from __future__ import annotations

import base64
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from aitheme.charts.fonts import FONT_STACK
from aitheme.exhibits.columns import table_cells
from aitheme.exhibits.reading import READING
from aitheme.reports.webfont import font_css

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jinja2 import Environment

    from aitheme.charts.tables import TableCells
    from aitheme.exhibits import Exhibit
    from aitheme.exhibits.labels import Chapter

__all__ = ["STACK", "data_uri", "group_spans", "page_table", "reading_terms", "render_page", "script_json"]

STACK = f"'aitheme CJK',{FONT_STACK}"
"""Fonts of a page: the one it carries, else the reader's own."""

_FACE = "/*font*/"
_SHORT = 12


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("aitheme.reports", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def render_page(template: str, **values: Any) -> str:
    """Return a page with its font inside.

    Parameters
    ----------
    template
        File name below ``templates``.
    **values
        What it shows.
    """
    page = _environment().get_template(template).render(values, font_stack=STACK, font_face=_FACE, quoted=_quoted)
    return page.replace(_FACE, font_css(page), 1)


def _quoted(text: str) -> str:
    """Return a text as a string of a style sheet, which must not end the element it stands in."""
    escaped = re.sub(r'[\\"<>&\n\r\f]', lambda found: f"\\{ord(found.group()):x} ", text)
    return f'"{escaped}"'


def script_json(value: Any) -> str:
    """Return a value for a script element, which no text inside may end."""
    return json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":")).replace("</", "<\\/")


def data_uri(exhibit: Exhibit) -> str:
    """Return the exhibit's rows as a CSV that a click downloads; with a byte-order mark, so that Excel reads the Chinese."""
    csv = exhibit.data.to_csv(index=False, lineterminator="\r\n")
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(("\ufeff" + csv).encode()).decode()


def page_table(exhibit: Exhibit) -> dict[str, Any]:
    """Return the cells of a table exhibit, the spans of its group labels, and which columns are not to be broken."""
    assert exhibit.content is not None
    cells = table_cells(exhibit.data, exhibit.content.columns, exhibit.lang)
    return {"cells": cells, "groups": group_spans(cells.groups), "short": _short(cells)}


def _short(cells: TableCells) -> list[bool]:
    """Tell which columns hold nothing long: those are not broken, the long ones give way."""
    columns = zip(cells.headers, *cells.rows, strict=True)
    return [max(len(text) for text in column) <= _SHORT for column in columns]


def group_spans(groups: Sequence[str]) -> list[tuple[str, int]]:
    """Return runs of equal group labels; nothing where there is no group."""
    spans: list[tuple[str, int]] = []
    for label in groups if any(groups) else ():
        if spans and spans[-1][0] == label:
            spans[-1] = (label, spans[-1][1] + 1)
        else:
            spans.append((label, 1))
    return spans


def reading_terms(chapters: Iterable[Chapter], lang: str) -> list[tuple[Chapter, list[tuple[str, str]]]]:
    """Return by chapter the terms to explain, each where it comes up first; chapters without any are left out."""
    told: set[str] = set()
    result = []
    for chapter in chapters:
        terms = [term.words(lang) for term in READING.get(chapter, ())]
        new = [(name, meaning) for name, meaning in terms if name not in told]
        told |= {name for name, _ in new}
        if new:
            result.append((chapter, new))
    return result
