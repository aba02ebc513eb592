"""The page that stands above several books: where each is, and all reports side by side."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aitheme.exhibits.base import check_lang
from aitheme.exhibits.crossreport import cross_report
from aitheme.exhibits.labels import source_name
from aitheme.reports.folder import GENERATOR, OutputError
from aitheme.reports.page import data_uri, page_table, reading_terms, render_page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from aitheme.reports.book import WrittenBook
    from aitheme.store import Market
    from aitheme.themes import Theme

__all__ = ["write_overview"]

_NAME = "index.html"
_MARK = f'<meta name="generator" content="{GENERATOR}">'


def write_overview(
    market: Market,
    theme: Theme,
    books: Sequence[WrittenBook],
    out: str | Path,
    *,
    lang: str = "zh",
    as_of: str | date | None = None,
) -> Path:
    """Write a page that links the books of a folder and holds every report against what followed.

    Parameters
    ----------
    market, theme
        Snapshot and registry.
    books
        Books written below `out`.
    out
        Folder of the page; an earlier overview in it is replaced.
    lang
        ``zh`` or ``en``.
    as_of
        Nothing after this date is used.

    Returns
    -------
    pathlib.Path
        The page.

    Raises
    ------
    OutputError
        The folder holds an ``index.html`` that is no overview, or cannot be written.
    """
    target = Path(out) / _NAME
    _check(target)
    page = _page(market, theme, books, target.parent, check_lang(lang), as_of)
    try:
        handle, name = tempfile.mkstemp(prefix=".index-", suffix=".html", dir=target.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(page)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except OSError as error:
        raise OutputError(
            f"out: {target} cannot be written ({error.strerror}); choose a folder you may write to"
        ) from error
    return target


def _check(target: Path) -> None:
    """Make sure that writing there destroys nothing but an earlier overview."""
    if target.exists() and _MARK not in target.read_text(encoding="utf-8", errors="replace"):
        raise OutputError(f"out: {target} is no overview of aitheme; move it away or choose another folder")


def _page(
    market: Market, theme: Theme, books: Sequence[WrittenBook], root: Path, lang: str, as_of: str | date | None
) -> str:
    zh, provenance = lang == "zh", market.provenance(as_of)
    exhibit = cross_report(next(iter(theme.reports)))(market, theme, lang=lang, as_of=as_of)
    rows = []
    for book in sorted(books, key=lambda one: theme.report(one.book).published):
        report = theme.report(book.book)
        files = [book.folder / f"{book.book}.{kind}" for kind in ("xlsx", "pptx")]
        rows.append(
            {
                "broker": report.broker_zh if zh else report.broker_en,
                "title": report.title_zh if zh else report.title_en,
                "published": report.published.isoformat(),
                "inferred": report.published_basis != "stated",
                "href": _link(book.index, root),
                "drawn": book.drawn,
                "missing": book.missing,
                "files": [(path.suffix[1:].upper(), _link(path, root)) for path in files if path.exists()],
            }
        )
    return render_page(
        "overview.html.j2",
        mark=_MARK,
        zh=zh,
        books=rows,
        theme=theme.name_zh if zh else theme.name_en,
        exhibit=exhibit,
        table=None if exhibit.content is None else page_table(exhibit),
        csv=None if exhibit.content is None else data_uri(exhibit),
        reading=[entry for _, entries in reading_terms(["across"], lang) for entry in entries],
        provenance=provenance,
        source=source_name(provenance.source, lang),
    )


def _link(path: Path, root: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()
