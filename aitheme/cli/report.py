"""``report``: the chart books."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from aitheme.cli.app import app
from aitheme.cli.data import ArchiveOption, run_refresh
from aitheme.cli.options import DataOption, SourceName, ThemeOption, data_dir
from aitheme.cli.output import echo, note, watermark

__all__ = ["report"]


@app.command()
def report(
    name: Annotated[str, typer.Argument(metavar="[REPORT|all]", help="Which book to draw.")] = "all",
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the books go.")] = Path("build/report"),
    source: Annotated[
        Optional[SourceName],  # noqa: UP045
        typer.Option("--source", help="Refresh the store from this source first."),
    ] = None,
    archive: ArchiveOption = None,
    universe: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--universe", metavar="theme|all", help="For the refresh before [default: theme from akshare, else all]."
        ),
    ] = None,
    only: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--only", metavar="ID", help="Draw only this exhibit; may be repeated."),
    ] = None,
    as_of: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--as-of", metavar="DATE", help="Nothing later is used [default: the last session]."),
    ] = None,
    formats: Annotated[
        str, typer.Option("--formats", metavar="LIST", help="Of html,png,svg,xlsx,pptx.")
    ] = "html,png,svg,xlsx,pptx",
    lang: Annotated[str, typer.Option("--lang", metavar="zh|en", help="Language of titles and notes.")] = "zh",
    data: DataOption = None,
    theme: ThemeOption = "ai",
) -> None:
    """Draw the chart book of a report: HTML, PNG, SVG, XLSX, PPTX and a manifest."""
    from aitheme.reports import available_books, write_book, write_overview
    from aitheme.store import open_market
    from aitheme.themes import load_theme

    registry = load_theme(theme)
    chosen = tuple(part.strip() for part in formats.split(",") if part.strip())
    store = data_dir(data)
    if source is not None:
        # The whole market is what a basket is compared with; live vendors would be asked for it for most of a day.
        wanted = universe or ("theme" if source is SourceName.akshare else "all")
        run_refresh(source, archive, store, registry, universe=wanted, since=None, until=None)
    with open_market(store) as market:
        watermark(simulated=market.simulated)
        books = []
        for book in available_books(registry, name):
            written = write_book(
                market, registry, book, out / book,
                lang=lang, as_of=as_of, only=only or (), formats=chosen, progress=note,
            )  # fmt: skip
            echo(f"{book}: {written.drawn} exhibits drawn, {written.missing} unavailable -> {written.index}")
            books.append(written)
        if name == "all" and "html" in chosen and not only:
            echo(
                f"all books, and the reports side by side -> {write_overview(market, registry, books, out, lang=lang, as_of=as_of)}"
            )
