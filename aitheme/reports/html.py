"""The HTML form of a book: one file that works offline, prints to A4 and carries every exhibit's data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aitheme.charts.fonts import FONT_STACK
from aitheme.charts.frame import FULL
from aitheme.charts.offline import vega_library
from aitheme.exhibits.columns import table_cells
from aitheme.exhibits.labels import CHAPTERS, source_name
from aitheme.exhibits.reading import READING
from aitheme.reports.page import STACK, data_uri, group_spans, page_table, reading_terms, render_page, script_json
from aitheme.reports.sheets import sheet_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aitheme.charts.render import Drawing
    from aitheme.exhibits import Exhibit
    from aitheme.exhibits.labels import Chapter

__all__ = ["book_html"]

MOST_ROWS = 400
"""Rows of a chart's data that the page lists; the CSV beside them holds all."""

_UNSEEN = re.compile(r'<path (?:[^<>]* )?opacity="0"[^<>]*/>')
_SPOKEN = re.compile(r' (?:aria-[a-z]+|role|font-family)="[^"]*"')
_WIDTH = re.compile(r'<svg([^<>]*?) width="([\d.]+)" height="([\d.]+)"')


def _inline_svg(svg: str, exhibit_id: str) -> tuple[str, str]:
    """Return an SVG for a page with many, and its width in pixels.

    Names of clip paths are made unique. What the page says once for the whole picture (its text, its font) and the points
    that only answer the pointer of the interactive form are left out, often half of the file. The size is the page's choice.
    """
    text = re.sub(r'(id="|url\(#)(clip|gradient)', rf"\g<1>{exhibit_id}-\g<2>", svg)
    text = _SPOKEN.sub("", _UNSEEN.sub("", text))
    found = _WIDTH.search(text)
    return _WIDTH.sub(r"<svg\1", text, count=1), found.group(2) if found else str(FULL.width)


def _listed(exhibit: Exhibit) -> dict[str, Any]:
    """Return a chart's rows as its sheet in the workbook has them, ready to be listed on demand."""
    data, columns = sheet_table(exhibit)
    cells = table_cells(data, columns, exhibit.lang, slice(MOST_ROWS))
    return {
        "groups": group_spans(cells.groups),
        "headers": cells.headers,
        "right": [int(right) for right in cells.right],
        "rows": cells.rows,
        "total": len(data),
    }


def _entry(exhibit: Exhibit, drawing: Drawing | None, spec: Any) -> dict[str, Any]:
    """Return what the template shows of an exhibit; a chart needs its drawing and its specification."""
    entry: dict[str, Any] = {"exhibit": exhibit, "svg": None, "table": None, "csv": None}
    if exhibit.content is None:
        return entry
    entry["csv"] = data_uri(exhibit)
    if exhibit.content.draw is None:
        return {**entry, "table": page_table(exhibit)}
    assert drawing is not None
    svg, width = _inline_svg(drawing.svg, exhibit.id)
    own = script_json(spec).replace(FONT_STACK, STACK)
    rows = _listed(exhibit)
    return {**entry, "svg": svg, "width": width, "spec": own, "rows": script_json(rows), "total": rows["total"]}


def _where_explained(chapters: Iterable[Chapter], reading: Sequence[tuple[Chapter, Any]]) -> dict[Chapter, str]:
    """Return by chapter where on the page its terms are explained, which may be with an earlier chapter."""
    own = {key for key, _ in reading}
    return {key: f"reading-{key}" if key in own else "reading" for key in chapters if key in READING}


def book_html(
    head: Mapping[str, Any], exhibits: Sequence[Exhibit], drawings: Mapping[str, Drawing], specs: Mapping[str, Any]
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
    """
    lang = head["lang"]
    chapters = [
        (
            key,
            names[0 if lang == "zh" else 1],
            [_entry(one, drawings.get(one.id), specs.get(one.id)) for one in exhibits if one.chapter == key],
        )
        for key, names in CHAPTERS.items()
    ]
    shown = [chapter for chapter in chapters if chapter[2]]
    reading = reading_terms((key for key, _, _ in shown), lang)
    drawn = sum(one.content is not None for one in exhibits)
    zh = lang == "zh"
    words = {
        "book": head["book"],
        "stack": FONT_STACK,
        "copied": "已复制" if zh else "Copied",
        "failed": "未能完成" if zh else "Failed",
    }
    return render_page(
        "book.html.j2",
        head=head,
        zh=zh,
        chapters=shown,
        names=CHAPTERS,
        reading=reading,
        how=_where_explained((key for key, _, _ in shown), reading),
        words=script_json(words),
        drawn=drawn,
        missing=len(exhibits) - drawn,
        source_name=source_name(head["source"], lang),
        library=vega_library()[0],
        most=MOST_ROWS,
    )
