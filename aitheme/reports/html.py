"""The HTML form of a book: one file that works offline, prints to A4 and carries every exhibit's data."""

from __future__ import annotations

import base64
import json
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from aitheme.charts.fonts import FONT_STACK
from aitheme.exhibits.columns import table_cells
from aitheme.exhibits.labels import CHAPTERS, source_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aitheme.charts.render import Drawing
    from aitheme.charts.tables import TableCells
    from aitheme.exhibits import Exhibit

__all__ = ["book_html", "data_uri", "page_entry"]

_SHORT = 12


def data_uri(exhibit: Exhibit) -> str:
    """Return the exhibit's rows as a CSV that a click downloads; with a byte-order mark, so that Excel reads the Chinese."""
    csv = exhibit.data.to_csv(index=False, lineterminator="\r\n")
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(("\ufeff" + csv).encode()).decode()


def _inline_svg(svg: str, exhibit_id: str) -> str:
    """Return an SVG for a page with many: names of clip paths made unique, size left to the page."""
    text = re.sub(r'(id="|url\(#)(clip|gradient)', rf"\g<1>{exhibit_id}-\g<2>", svg)
    return re.sub(r'<svg([^>]*?) width="([\d.]+)" height="([\d.]+)"', r'<svg\1 style="width:\2px"', text, count=1)


@cache
def _scripts() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as the renderer carries them."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # the stub has no default for the snippet
    # A closing tag inside a string would end the script element.
    return bundle.replace("</script", "<\\/script")


def _script_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str).replace("</", "<\\/")


def page_entry(exhibit: Exhibit, drawing: Drawing | None = None) -> dict[str, Any]:
    """Return what a template shows of an exhibit; a chart needs its drawing."""
    entry: dict[str, Any] = {"exhibit": exhibit, "cells": None, "svg": None, "csv": None, "groups": []}
    if exhibit.content is None:
        return entry
    entry["csv"] = data_uri(exhibit)
    if exhibit.content.draw is None:
        cells = table_cells(exhibit.data, exhibit.content.columns, exhibit.lang)
        return {**entry, "cells": cells, "groups": _spans(cells.groups), "short": _short(cells)}
    assert drawing is not None
    return {**entry, "svg": _inline_svg(drawing.svg, exhibit.id)}


def _short(cells: TableCells) -> list[bool]:
    """Tell which columns hold nothing long: those are not broken, the long ones give way."""
    columns = zip(cells.headers, *cells.rows, strict=True)
    return [max(len(text) for text in column) <= _SHORT for column in columns]


def _spans(groups: Sequence[str]) -> list[tuple[str, int]]:
    """Return runs of equal group labels; nothing where there is no group."""
    spans: list[tuple[str, int]] = []
    for label in groups if any(groups) else ():
        if spans and spans[-1][0] == label:
            spans[-1] = (label, spans[-1][1] + 1)
        else:
            spans.append((label, 1))
    return spans


def book_html(
    head: Mapping[str, Any],
    exhibits: Sequence[Exhibit],
    drawings: Mapping[str, Drawing],
    specs: Mapping[str, Any],
    font: str = "",
) -> str:
    """Return the page.

    Parameters
    ----------
    head
        Title, broker, date and provenance, as in the manifest.
    exhibits
        In the order of the book; unavailable ones are listed with their reason.
    drawings
        Images by exhibit id.
    specs
        Vega-Lite specifications by exhibit id, for the interactive form.
    font
        CSS of an embedded font; empty to leave the choice to the reader's system.
    """
    from jinja2 import Environment, StrictUndefined

    source = resources.files("aitheme.reports").joinpath("templates/book.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    lang = head["lang"]
    chapters = [
        (
            key,
            names[0 if lang == "zh" else 1],
            [page_entry(one, drawings.get(one.id)) for one in exhibits if one.chapter == key],
        )
        for key, names in CHAPTERS.items()
    ]
    stack = f"'aitheme CJK',{FONT_STACK}" if font else FONT_STACK
    return environment.from_string(source).render(
        head=head,
        zh=lang == "zh",
        chapters=[chapter for chapter in chapters if chapter[2]],
        missing=[one for one in exhibits if one.content is None],
        font_stack=stack,
        source_name=source_name(head["source"], lang),
        font=font,
        specs=_script_json(specs).replace(json.dumps(FONT_STACK)[1:-1], stack),
        scripts=_scripts(),
    )
