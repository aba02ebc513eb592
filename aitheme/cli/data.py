"""``refresh``: bring the store up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from aitheme.cli.app import app
from aitheme.cli.options import DataOption, Format, FormatOption, SourceName, ThemeOption, data_dir
from aitheme.cli.output import echo, note, print_json, print_rows, watermark
from aitheme.errors import AithemeError, StoreBusyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aitheme.sources import FetchRequest, Source
    from aitheme.sources.akshare import AkshareSource, Progress
    from aitheme.store import RefreshReport
    from aitheme.themes import Theme

__all__ = ["build_source", "refresh", "run_refresh"]

ArchiveOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--archive", metavar="DIR", help="Folder of dumps, for --source archive."),
]


def build_source(
    source: SourceName,
    archive: Path | None,
    theme: Theme,
    data: Path,
    universe: str,
    *,
    progress: Callable[[Progress], None] | None = None,
) -> Source:
    """Return the source a command asked for; a live one calls `progress` after each job.

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
        return _live_source(theme, data, universe, progress)
    from aitheme.sources.demo import DemoSource

    return DemoSource(theme)


def _live_source(
    theme: Theme, data: Path, universe: str, progress: Callable[[Progress], None] | None = None
) -> AkshareSource:
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
    return AkshareSource(held, data, progress=progress)


def run_refresh(
    source: SourceName,
    archive: Path | None,
    data: Path,
    theme: Theme,
    *,
    universe: str,
    since: str | None,
    until: str | None,
    datasets: str | None = None,
) -> RefreshReport:
    """Refresh a store with a progress line on standard error."""
    from rich.console import Console

    from aitheme.store import StoreFiles
    from aitheme.store import refresh as refresh_store

    request = _request(source, theme, universe, since, until, datasets)
    files = StoreFiles(data)
    console = Console(stderr=True)
    try:
        with console.status("starting") as line:
            return refresh_store(
                files,
                build_source(source, archive, theme, data, universe, progress=lambda done: line.update(_how_far(done))),
                request,
                universe="theme" if universe == "theme" else "all",
                progress=line.update,
            )
    except StoreBusyError:
        raise
    except BaseException:
        if files.work.exists():
            note("what was finished is kept; the next refresh goes on from there")
        raise


def _how_far(done: Progress) -> str:
    left = f"about {done.seconds_left / 60:.0f} min left" if done.seconds_left >= _MINUTE else "nearly done"
    return f"{done.done:,} of {done.total:,}: {done.label}, {left}"


def _datasets(named: str | None, source: SourceName) -> frozenset[str] | None:
    """Return the datasets of ``--datasets``: names, or the groups ``prices`` and ``evening``.

    Raises
    ------
    AithemeError
        A source that delivers everything at once.
    UnknownNameError
        No such dataset or group.
    """
    if named is None:
        return None
    if source is not SourceName.akshare:
        raise AithemeError(f"datasets: {source} delivers all it has; --datasets is for --source akshare")
    from aitheme.errors import UnknownNameError
    from aitheme.sources.akshare import EVENING_DATASETS, PRICE_DATASETS

    groups = {"prices": PRICE_DATASETS, "evening": EVENING_DATASETS}
    wanted: set[str] = set()
    for name in filter(None, (part.strip() for part in named.split(","))):
        if name not in groups and name not in PRICE_DATASETS | EVENING_DATASETS:
            known = {*groups, *PRICE_DATASETS, *EVENING_DATASETS}
            raise UnknownNameError.build(
                "datasets", name, known, "name datasets of `aitheme status`, prices or evening"
            )
        wanted |= groups.get(name, {name})
    if not wanted:
        raise AithemeError("datasets: nothing is named; give prices, evening or dataset names, joined by commas")
    return frozenset(wanted)


def _request(
    source: SourceName, theme: Theme, universe: str, since: str | None, until: str | None, datasets: str | None
) -> FetchRequest:
    """Return what a refresh asks for.

    Raises
    ------
    AithemeError
        An unknown universe or dataset, or dates that are reversed.
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
    named = _datasets(datasets, source)
    if source is not SourceName.akshare:
        return FetchRequest(symbols, low, high)
    from aitheme.sources.akshare import LiveRequest

    return LiveRequest(symbols, low, high, named)


@app.command()
def refresh(
    source: Annotated[SourceName, typer.Option("--source", help="Where the data comes from.")] = SourceName.akshare,
    archive: ArchiveOption = None,
    universe: Annotated[
        str, typer.Option("--universe", metavar="theme|all", help="Theme members only, or all.")
    ] = "theme",
    since: Annotated[Optional[str], typer.Option("--since", metavar="DATE", help="First date to fetch.")] = None,  # noqa: UP045
    until: Annotated[Optional[str], typer.Option("--until", metavar="DATE", help="Last date to fetch.")] = None,  # noqa: UP045
    datasets: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--datasets", metavar="NAMES", help="prices, evening or dataset names (akshare) [default: all]."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be asked of whom (akshare).")] = False,
    data: DataOption = None,
    theme: ThemeOption = "ai",
    output: FormatOption = Format.table,
) -> None:
    """Bring the store up to date and publish a snapshot."""
    from aitheme.themes import load_theme

    if dry_run:
        if source is not SourceName.akshare:
            raise AithemeError(f"dry-run: {source} sends no request; it is for --source akshare")
        request = _request(source, load_theme(theme), universe, since, until, datasets)
        _print_plan(_live_source(load_theme(theme), data_dir(data), universe), request, data_dir(data), output)
        return
    report = run_refresh(
        source, archive, data_dir(data), load_theme(theme), universe=universe, since=since, until=until,
        datasets=datasets,
    )  # fmt: skip
    watermark(simulated=report.simulated)
    _print_report(report, output)
    if report.failures:
        raise typer.Exit(_SOME_FAILED)


def _print_report(report: RefreshReport, output: Format) -> None:
    if output is Format.json:
        print_json(report.to_dict())
        return
    counts = ("received", "inserted", "changed", "quarantined")
    rows = [{"dataset": item.dataset, **{name: getattr(item, name) for name in counts}} for item in report.datasets]
    print_rows(rows, output, columns=("dataset", *counts), formats=dict.fromkeys(counts, ","))
    if output is Format.table:
        for item in report.datasets:
            for text in item.notes:
                echo(f"  {item.dataset}: {text}")
        for text in report.remarks:
            echo(text)
        echo(f"{report.status}: {report.snapshot} in {report.seconds:.1f} s")
    for line in report.failures:
        note(f"not settled: {line}")


_SOME_FAILED = 2
_MINUTE = 60


def _print_plan(source: AkshareSource, request: FetchRequest, data: Path, output: Format) -> None:
    from aitheme.sources.akshare import LiveRequest
    from aitheme.store import StoreFiles
    from aitheme.store.live import live_request

    plan = source.plan(live_request(StoreFiles(data), LiveRequest.of(request)))
    print_rows(plan.rows(), output, title="what would be asked of whom", formats={"requests": ",", "symbols": ","})
    note(f"{plan.requests:,} requests, about {max(plan.seconds / 60, 0.1):.1f} minutes; nothing was sent")
