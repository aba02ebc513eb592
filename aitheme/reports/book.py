"""Write the chart book of a report: HTML, PNG, SVG, XLSX and a manifest, as one folder that appears complete or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aitheme.errors import UnknownNameError
from aitheme.exhibits.base import check_lang
from aitheme.exhibits.books import book as exhibits_of
from aitheme.reports.folder import GENERATOR, MANIFEST, book_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Future

    from aitheme.charts.render import Drawing
    from aitheme.exhibits import Exhibit, ExhibitDefinition
    from aitheme.store import Market
    from aitheme.themes import Theme

__all__ = ["FORMATS", "WrittenBook", "available_books", "write_book", "write_exhibits"]

FORMATS = ("html", "png", "svg", "xlsx", "pptx")
DEFAULT_FORMATS = ("html", "png", "svg", "xlsx")
INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class WrittenBook:
    """What was written.

    Parameters
    ----------
    book
        Report id.
    folder, index
        The book's folder and the file to open first.
    drawn, missing
        Number of exhibits drawn, and of those the store has no data for.
    exhibits
        All of them, in order.
    """

    book: str
    folder: Path
    index: Path
    drawn: int
    missing: int
    exhibits: tuple[Exhibit, ...]

    def _repr_html_(self) -> str:
        from aitheme.display import card

        missing = [f"unavailable: {item.caption} ({item.reason})" for item in self.exhibits if item.status != "ok"]
        title = f"{self.book}: {self.drawn} exhibits drawn, {self.missing} unavailable; open {self.index}"
        return card(title, missing, simulated=any(item.simulated for item in self.exhibits))


def available_books(theme: Theme, name: str = "all") -> tuple[str, ...]:
    """Return the reports a name stands for: one of them, or all.

    Raises
    ------
    UnknownNameError
        The theme has no such report.
    """
    if name == "all":
        return tuple(theme.reports)
    return (theme.report(name).id,)


def _chosen(theme: Theme, book: str, only: Iterable[str]) -> list[ExhibitDefinition]:
    definitions = list(exhibits_of(theme, book))
    wanted = list(only)
    known = [definition.id for definition in definitions]
    for name in wanted:
        if name not in known:
            raise UnknownNameError.build("only", name, known, f"{book} has {', '.join(known)}")
    return [definition for definition in definitions if not wanted or definition.id in wanted]


def write_book(
    market: Market,
    theme: Theme,
    book: str,
    out: str | Path,
    *,
    lang: str = "zh",
    as_of: str | date | None = None,
    only: Iterable[str] = (),
    formats: Sequence[str] = DEFAULT_FORMATS,
    progress: Callable[[str], None] | None = None,
) -> WrittenBook:
    """Draw a report's exhibits from a store and write them.

    Parameters
    ----------
    market, theme
        Snapshot and registry.
    book
        Report id.
    out
        Folder of this book; an earlier book in it is replaced.
    lang
        ``zh`` or ``en``.
    as_of
        Nothing after this date is used.
    only
        Exhibit ids to draw; all by default.
    formats
        Some of ``html``, ``png``, ``svg``, ``xlsx`` and ``pptx`` (all but the last by default); the manifest is always
        written.
    progress
        Called with a line of text now and then.

    Raises
    ------
    UnknownNameError
        Unknown report, language, exhibit or format.
    FontError
        There is no font with Chinese glyphs.
    OutputError
        The folder cannot be written, or holds something else.
    MissingPackageError
        ``pptx`` is asked for and python-pptx is not installed.
    """
    tell = progress or (lambda _text: None)
    _check_formats(formats)
    chosen = check_lang(lang)
    definitions = _chosen(theme, book, only)
    tell(f"{book}: drawing {len(definitions)} exhibits")
    published = theme.report(book).published
    if market.as_of(as_of) < published:
        tell(f"{book}: published {published}, after the data ends here; its baskets and figures were not known then")
    exhibits = (definition(market, theme, lang=chosen, as_of=as_of) for definition in definitions)
    return _publish(Path(out), lambda: _head(market, theme, book, chosen, as_of), exhibits, formats, tell)


def write_exhibits(
    exhibits: Iterable[Exhibit],
    out: str | Path,
    *,
    name: str,
    title: str,
    source: str,
    as_of: date,
    lang: str = "zh",
    formats: Sequence[str] = DEFAULT_FORMATS,
    progress: Callable[[str], None] | None = None,
) -> WrittenBook:
    """Write exhibits that belong to no report, such as those of an analyst's own data, in the forms of a book.

    Parameters
    ----------
    exhibits
        In order.
    out
        Folder; earlier output in it is replaced.
    name, title
        What the files are called, and the heading.
    source
        Where the data comes from, for the heading and the manifest.
    as_of
        Last date of the data.
    lang, formats, progress
        As for :func:`write_book`.

    Raises
    ------
    AithemeError
        As for :func:`write_book`.
    """
    _check_formats(formats)
    head = {
        "generator": GENERATOR, "book": name, "title": title, "broker": "", "published": "", "published_basis": "stated",
        "lang": check_lang(lang), "generated": _now(), "source": source, "simulated": False, "snapshot": "",
        "as_of": as_of.isoformat(),
    }  # fmt: skip
    return _publish(Path(out), lambda: head, exhibits, formats, progress or (lambda _text: None))


def _check_formats(formats: Sequence[str]) -> None:
    for name in formats:
        if name not in FORMATS:
            raise UnknownNameError.build("formats", name, FORMATS, f"use some of {', '.join(FORMATS)}")
    if "pptx" in formats:
        from aitheme.reports.deck import check_deck

        check_deck()


def _publish(
    target: Path,
    heading: Callable[[], dict[str, Any]],
    exhibits: Iterable[Exhibit],
    formats: Sequence[str],
    tell: Callable[[str], None],
) -> WrittenBook:
    """Draw exhibits as they come and put the whole folder in its place."""
    with book_folder(target) as work:
        drawn, figures, pending = _drawn(exhibits, tell)
        head = heading()
        files = _write(work, head, drawn, formats, figures, pending)
        manifest = {
            **head,
            "exhibits": [_record(exhibit, files) for exhibit in drawn],
            "files": _book_files(head["book"], formats),
        }
        (work / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    available = sum(exhibit.status == "ok" for exhibit in drawn)
    index = target / (INDEX if "html" in formats else MANIFEST)
    return WrittenBook(head["book"], target, index, available, len(drawn) - available, tuple(drawn))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _head(market: Market, theme: Theme, book: str, lang: str, as_of: str | date | None) -> dict[str, Any]:
    report = theme.report(book)
    provenance = market.provenance(as_of)
    zh = lang == "zh"
    return {
        "generator": GENERATOR,
        "book": book,
        "title": report.title_zh if zh else report.title_en,
        "broker": report.broker_zh if zh else report.broker_en,
        "published": report.published.isoformat(),
        "published_basis": report.published_basis,
        "lang": lang,
        "generated": _now(),
        "source": provenance.source,
        "simulated": provenance.simulated,
        "snapshot": provenance.snapshot,
        "as_of": provenance.as_of.isoformat(),
    }


def _drawn(
    exhibits: Iterable[Exhibit], tell: Callable[[str], None]
) -> tuple[list[Exhibit], dict[str, Any], dict[str, Future[Drawing]]]:
    """Compute every exhibit; each is rendered elsewhere while the next one is computed."""
    from aitheme.charts.render import submit

    drawn: list[Exhibit] = []
    figures: dict[str, Any] = {}
    pending: dict[str, Future[Drawing]] = {}
    for exhibit in exhibits:
        drawn.append(exhibit)
        if exhibit.content is None:
            tell(f"{exhibit.report}: {exhibit.caption} unavailable: {exhibit.reason}")
        else:
            figures[exhibit.id] = exhibit.figure()
            pending[exhibit.id] = submit(figures[exhibit.id])
    return drawn, figures, pending


def _write(
    work: Path,
    head: Mapping[str, Any],
    exhibits: Sequence[Exhibit],
    formats: Sequence[str],
    figures: Mapping[str, Any],
    pending: Mapping[str, Future[Drawing]],
) -> dict[str, dict[str, str]]:
    """Write everything but the manifest; return the files of each exhibit."""
    drawings = {name: future.result() for name, future in pending.items()}
    files: dict[str, dict[str, str]] = {exhibit.id: {} for exhibit in exhibits}
    for name, drawing in drawings.items():
        files[name] = _write_images(work, name, drawing, formats)
    if "xlsx" in formats:
        from aitheme.reports.workbook import sheet_name, write_workbook

        images = {name: drawing.png for name, drawing in drawings.items()}
        write_workbook(work / f"{head['book']}.xlsx", exhibits, images, title=_title(head))
        for number, exhibit in enumerate(exhibits, start=1):
            if exhibit.content is not None:
                files[exhibit.id]["sheet"] = sheet_name(exhibit, number)
    if "pptx" in formats:
        from aitheme.reports.deck import write_deck

        images = {name: drawing.png for name, drawing in drawings.items()}
        write_deck(work / f"{head['book']}.pptx", exhibits, images, title=_title(head))
    if "html" in formats:
        _write_html(work, head, exhibits, drawings, figures)
    return files


def _title(head: Mapping[str, Any]) -> str:
    return f"{head['broker']}：{head['title']}" if head["broker"] else str(head["title"])


def _write_images(work: Path, name: str, drawing: Drawing, formats: Sequence[str]) -> dict[str, str]:
    written = {}
    for kind, content in (("png", drawing.png), ("svg", drawing.svg.encode())):
        if kind in formats:
            path = work / kind / f"{name}.{kind}"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            written[kind] = f"{kind}/{name}.{kind}"
    return written


def _write_html(
    work: Path,
    head: Mapping[str, Any],
    exhibits: Sequence[Exhibit],
    drawings: Mapping[str, Drawing],
    figures: Mapping[str, Any],
) -> None:
    from aitheme.reports.html import book_html

    specs = {name: figure for name, figure in figures.items() if isinstance(figure, dict)}
    (work / INDEX).write_text(book_html(head, exhibits, drawings, specs), encoding="utf-8")


def _record(exhibit: Exhibit, files: Mapping[str, dict[str, str]]) -> dict[str, Any]:
    """Return an exhibit's entry in the manifest."""
    provenance = exhibit.provenance
    return {
        "id": exhibit.id,
        "label": exhibit.label,
        "title": exhibit.title,
        "title_zh": exhibit.title_zh,
        "title_en": exhibit.title_en,
        "kind": exhibit.kind,
        "chapter": exhibit.chapter,
        "status": exhibit.status,
        "reason": exhibit.reason,
        "rows": len(exhibit.data),
        "source": exhibit.source,
        "note": "" if exhibit.content is None else exhibit.note,
        "as_of": None if exhibit.as_of is None else exhibit.as_of.isoformat(),
        "snapshot": None if provenance is None else provenance.snapshot,
        "simulated": exhibit.simulated,
        "files": files[exhibit.id],
    }


def _book_files(book: str, formats: Sequence[str]) -> dict[str, str]:
    named = {"html": INDEX, "xlsx": f"{book}.xlsx", "pptx": f"{book}.pptx"}
    return {name: path for name, path in named.items() if name in formats}
