"""``refresh`` and ``status``: the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from aitheme.cli.app import app
from aitheme.cli.options import DataOption, Format, FormatOption, SourceName, ThemeOption, data_dir
from aitheme.cli.output import echo, print_json, print_rows, watermark
from aitheme.errors import AithemeError

if TYPE_CHECKING:
    from aitheme.sources import Source
    from aitheme.store import RefreshReport
    from aitheme.themes import Theme

__all__ = ["build_source", "refresh", "run_refresh", "status"]

ArchiveOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--archive", metavar="DIR", help="Folder of dumps, for --source archive."),
]


def build_source(source: SourceName, archive: Path | None, theme: Theme) -> Source:
    """Return the source a command asked for.

    Raises
    ------
    AithemeError
        ``archive`` without a folder, or a folder for another source.
    """
    if source is SourceName.archive:
        from aitheme.sources.archive import ArchiveSource

        if archive is None:
            raise AithemeError("archive: --source archive needs a folder; add --archive DIR")
        return ArchiveSource(archive, theme)
    from aitheme.sources.demo import DemoSource

    if archive is not None:
        raise AithemeError(f"archive: {archive} is given, but --source is {source}; use --source archive")
    return DemoSource(theme)


def run_refresh(
    source: SourceName,
    archive: Path | None,
    data: Path,
    theme: Theme,
    *,
    universe: str,
    since: str | None,
    until: str | None,
) -> RefreshReport:
    """Refresh a store with a progress line on standard error."""
    from rich.console import Console

    from aitheme.calendar import parse_date
    from aitheme.errors import DateRangeError
    from aitheme.sources import FetchRequest
    from aitheme.store import StoreFiles
    from aitheme.store import refresh as refresh_store

    if universe not in {"theme", "all"}:
        raise AithemeError(f"universe: {universe!r} is not theme or all")
    low = parse_date(since, "since") if since else None
    high = parse_date(until, "until") if until else None
    if low is not None and high is not None and low > high:
        raise DateRangeError(f"since: {low} lies after until {high}; swap them")
    symbols = frozenset(theme.security) if universe == "theme" else None
    console = Console(stderr=True)
    with console.status("starting") as line:
        return refresh_store(
            StoreFiles(data),
            build_source(source, archive, theme),
            FetchRequest(symbols, low, high),
            universe="theme" if universe == "theme" else "all",
            progress=line.update,
        )


@app.command()
def refresh(
    source: Annotated[SourceName, typer.Option("--source", help="Where the data comes from.")] = SourceName.demo,
    archive: ArchiveOption = None,
    universe: Annotated[
        str, typer.Option("--universe", metavar="theme|all", help="Theme members only, or all.")
    ] = "theme",
    since: Annotated[Optional[str], typer.Option("--since", metavar="DATE", help="First date to fetch.")] = None,  # noqa: UP045
    until: Annotated[Optional[str], typer.Option("--until", metavar="DATE", help="Last date to fetch.")] = None,  # noqa: UP045
    data: DataOption = None,
    theme: ThemeOption = "ai",
    output: FormatOption = Format.table,
) -> None:
    """Bring the store up to date and publish a snapshot."""
    from aitheme.themes import load_theme

    report = run_refresh(
        source, archive, data_dir(data), load_theme(theme), universe=universe, since=since, until=until
    )
    watermark(simulated=report.simulated)
    if output is Format.json:
        print_json(report.to_dict())
        return
    rows = [
        {
            "dataset": d.dataset,
            "received": d.received,
            "inserted": d.inserted,
            "changed": d.changed,
            "quarantined": d.quarantined,
        }
        for d in report.datasets
    ]
    print_rows(rows, output, columns=("dataset", "received", "inserted", "changed", "quarantined"),
               formats=dict.fromkeys(("received", "inserted", "changed", "quarantined"), ","))  # fmt: skip
    if output is Format.table:
        for item in report.datasets:
            for text in item.notes:
                echo(f"  {item.dataset}: {text}")
        echo(f"{report.status}: {report.snapshot} in {report.seconds:.1f} s")


@app.command()
def status(data: DataOption = None, output: FormatOption = Format.table) -> None:
    """Show coverage, staleness, last runs and quarantine."""
    from aitheme.store import StoreFiles, store_status

    state = store_status(StoreFiles(data_dir(data)))
    watermark(simulated=state.simulated)
    if output is Format.json:
        print_json(state.to_dict())
        return
    coverage: list[Any] = state.coverage.astype(object).to_dict("records")
    print_rows(coverage, output, title=f"{state.snapshot} ({state.source})", formats={"rows": ",", "keys": ","})
    if output is Format.csv:
        return
    echo(f"sessions closed since the last bar: {state.stale_sessions:,}")
    echo(
        f"closes rebuilt from average prices: {state.reconstructed:.1%}; symbols with approximate returns: {state.approximate:,}"
    )
    quarantine: list[Any] = state.quarantine.to_dict("records")
    print_rows(quarantine, output, title="quarantine", columns=("dataset", "reason", "rows"))
    runs = [
        {
            "started": str(run.get("started", ""))[:19],
            "source": run.get("source", ""),
            "status": run.get("status", ""),
            "inserted": run["inserted"],
            "changed": run["changed"],
            "quarantined": run["quarantined"],
            "error": run.get("error", ""),
        }
        for run in state.runs
    ]
    print_rows(runs, output, title="last runs",
               columns=("started", "source", "status", "inserted", "changed", "quarantined", "error"))  # fmt: skip
