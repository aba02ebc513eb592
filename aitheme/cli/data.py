"""``refresh`` and ``status``: the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from aitheme.cli.app import app
from aitheme.cli.options import DataOption, Format, FormatOption, SourceName, ThemeOption, data_dir
from aitheme.cli.output import echo, note, print_json, print_rows, watermark
from aitheme.errors import AithemeError

if TYPE_CHECKING:
    from aitheme.sources import FetchRequest, Source
    from aitheme.sources.akshare import AkshareSource
    from aitheme.store import RefreshReport
    from aitheme.themes import Theme

__all__ = ["build_source", "refresh", "run_refresh", "status"]

ArchiveOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--archive", metavar="DIR", help="Folder of dumps, for --source archive."),
]


def build_source(source: SourceName, archive: Path | None, theme: Theme, data: Path, universe: str) -> Source:
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
    if archive is not None:
        raise AithemeError(f"archive: {archive} is given, but --source is {source}; use --source archive")
    if source is SourceName.akshare:
        return _live_source(theme, data, universe)
    from aitheme.sources.demo import DemoSource

    return DemoSource(theme)


def _live_source(theme: Theme, data: Path, universe: str) -> AkshareSource:
    """Return the live source; it remembers in the data directory which vendors are to be left alone."""
    from aitheme.sources.akshare import AkshareSource, Universe

    indices = {report.sector_index for report in theme.reports.values()}
    indices |= {symbol for report in theme.reports.values() for symbol in report.rating_scale.benchmarks.values()}
    held = Universe(
        stocks=frozenset(theme.security) if universe == "theme" else None,
        indices=frozenset({theme.benchmark, *(symbol for symbol in indices if not symbol.endswith(".US"))}),
        sectors=frozenset(symbol for symbol in indices if symbol.endswith(".SI")),
    )
    data.mkdir(parents=True, exist_ok=True)
    return AkshareSource(held, data)


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

    from aitheme.store import StoreFiles
    from aitheme.store import refresh as refresh_store

    request = _request(source, theme, universe, since, until, data)
    console = Console(stderr=True)
    with console.status("starting") as line:
        return refresh_store(
            StoreFiles(data),
            build_source(source, archive, theme, data, universe),
            request,
            universe="theme" if universe == "theme" else "all",
            progress=line.update,
        )


def _request(
    source: SourceName, theme: Theme, universe: str, since: str | None, until: str | None, data: Path
) -> FetchRequest:
    """Return what a refresh asks for, with what the store knows already where the source is live.

    Raises
    ------
    AithemeError
        An unknown universe, or dates that are reversed.
    """
    from aitheme.calendar import parse_date
    from aitheme.errors import DateRangeError
    from aitheme.sources import FetchRequest

    if universe not in {"theme", "all"}:
        raise AithemeError(f"universe: {universe!r} is not theme or all")
    low = parse_date(since, "since") if since else None
    high = parse_date(until, "until") if until else None
    if low is not None and high is not None and low > high:
        raise DateRangeError(f"since: {low} lies after until {high}; swap them")
    symbols = frozenset(theme.security) if universe == "theme" else None
    if source is not SourceName.akshare:
        return FetchRequest(symbols, low, high)
    from aitheme.sources.akshare import LiveRequest
    from aitheme.store import StoreFiles
    from aitheme.store.live import live_request

    return live_request(StoreFiles(data), LiveRequest(symbols, low, high))


@app.command()
def refresh(
    source: Annotated[SourceName, typer.Option("--source", help="Where the data comes from.")] = SourceName.akshare,
    archive: ArchiveOption = None,
    universe: Annotated[
        str, typer.Option("--universe", metavar="theme|all", help="Theme members only, or all.")
    ] = "theme",
    since: Annotated[Optional[str], typer.Option("--since", metavar="DATE", help="First date to fetch.")] = None,  # noqa: UP045
    until: Annotated[Optional[str], typer.Option("--until", metavar="DATE", help="Last date to fetch.")] = None,  # noqa: UP045
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be asked of whom (akshare).")] = False,
    data: DataOption = None,
    theme: ThemeOption = "ai",
    output: FormatOption = Format.table,
) -> None:
    """Bring the store up to date and publish a snapshot."""
    from aitheme.themes import load_theme

    if dry_run:
        _print_plan(source, data_dir(data), load_theme(theme), universe, since, until, output)
        return
    report = run_refresh(
        source, archive, data_dir(data), load_theme(theme), universe=universe, since=since, until=until
    )
    watermark(simulated=report.simulated)
    if output is Format.json:
        print_json(report.to_dict())
        if report.failures:
            raise typer.Exit(_SOME_FAILED)
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
    for line in report.failures:
        note(f"not settled: {line}")
    if report.failures:
        raise typer.Exit(_SOME_FAILED)


_SOME_FAILED = 2


def _print_plan(
    source: SourceName,
    data: Path,
    theme: Theme,
    universe: str,
    since: str | None,
    until: str | None,
    output: Format,
) -> None:
    if source is not SourceName.akshare:
        raise AithemeError(f"dry-run: {source} sends no request; it is for --source akshare")
    plan = _live_source(theme, data, universe).plan(_request(source, theme, universe, since, until, data))
    print_rows(plan.rows(), output, title="what would be asked of whom", formats={"requests": ",", "symbols": ","})
    note(f"{plan.requests:,} requests, about {max(plan.seconds / 60, 0.1):.1f} minutes; nothing was sent")


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
