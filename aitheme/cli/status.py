"""``status``: what a store holds, what is missing and why, and whether its timer still does its work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aitheme.cli.app import app
from aitheme.cli.options import DataOption, Format, FormatOption, data_dir
from aitheme.cli.output import echo, note, print_json, print_rows, watermark

if TYPE_CHECKING:
    from aitheme.store import StoreStatus
    from aitheme.store.status import UnpublishedStatus

__all__ = ["status"]

_UNHEALTHY = 2
_SHOWN = 10


@app.command()
def status(
    data: DataOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 2 when something is overdue or the last refreshes failed.")
    ] = False,
    max_stale: Annotated[
        int, typer.Option("--max-stale", min=0, metavar="N", help="Sessions a dataset may be overdue.")
    ] = 2,
    max_failed: Annotated[
        int, typer.Option("--max-failed", min=1, metavar="K", help="Refreshes failing in a row that are too many.")
    ] = 3,
    output: FormatOption = Format.table,
) -> None:
    """Show coverage, staleness, gaps and their reasons, vendors, last runs and quarantine."""
    from aitheme.store import StoreFiles, store_status
    from aitheme.store.status import unpublished_status

    unpublished = unpublished_status(StoreFiles(data_dir(data)))
    if unpublished is not None:
        _show_unpublished(unpublished, output)
        _alarm(unpublished.problems, check=check)
        return
    state = store_status(StoreFiles(data_dir(data)), max_stale=max_stale, max_failed=max_failed)
    watermark(simulated=state.simulated)
    if output is Format.json:
        print_json(state.to_dict())
    elif output is Format.csv:
        print_rows(_records(state.coverage), output)
    else:
        _print_tables(state)
    _alarm(state.problems, check=check)


def _alarm(problems: tuple[str, ...], *, check: bool) -> None:
    if check and problems:
        for line in problems:
            note(f"problem: {line}")
        raise typer.Exit(_UNHEALTHY)


def _show_unpublished(state: UnpublishedStatus, output: Format) -> None:
    if output is Format.json:
        print_json(state.to_dict())
        return
    if output is Format.table:
        echo(state.problems[0])
    _print_runs(state, output)


def _records(frame: Any) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = frame.astype(object).to_dict("records")
    return records


def _print_tables(state: StoreStatus) -> None:
    held = [row for row in _records(state.coverage) if row["rows"]]
    print_rows(held, Format.table, title=f"{state.snapshot} ({state.source})", formats={"rows": ",", "keys": ","})
    print_rows(_records(state.staleness), Format.table, title="\nsessions overdue", formats={"behind": ","})
    echo(f"sessions closed since the last bar: {state.stale_sessions:,}")
    echo(
        f"closes rebuilt from average prices: {state.reconstructed:.1%}; "
        f"symbols with approximate returns: {state.approximate:,}"
    )
    _print_gaps(state)
    _print_vendors(state)
    if len(state.restatements):
        columns = ("dataset", "symbol", "kind", "first", "last", "changed_rows", "fields", "largest_change")
        rows = _records(state.restatements)
        print_rows(rows[:_SHOWN], Format.table, title=_title("changed after they were stored", len(rows)),
                   columns=columns, formats={"changed_rows": ",", "largest_change": ".4%"})  # fmt: skip
    if len(state.quarantine):
        print_rows(_records(state.quarantine), Format.table, title="\nquarantine", formats={"rows": ","})
    _print_runs(state)


def _title(text: str, rows: int) -> str:
    return f"\n{text}" + (f": {_SHOWN} of {rows:,}, all with --format json" if rows > _SHOWN else "")


def _print_gaps(state: StoreStatus) -> None:
    if not len(state.gaps):
        return
    gaps = state.gaps.assign(sessions=state.gaps["sessions"].fillna(0).astype(int))
    grouped = gaps.groupby(["dataset", "reason"], sort=True)
    summed = grouped.agg(symbols=("symbol", "nunique"), sessions=("sessions", "sum"), last=("last", "max"))
    print_rows(_records(summed.reset_index()), Format.table, title="\nmissing sessions by reason",
               formats={"symbols": ",", "sessions": ","})  # fmt: skip
    pressing = gaps[gaps["reason"].isin(["vendor_failed", "not_fetched"])]
    if len(pressing):
        rows = _records(pressing.sort_values("sessions", ascending=False))
        columns = ("dataset", "symbol", "reason", "sessions", "first", "last", "detail")
        print_rows(rows[:_SHOWN], Format.table, title=_title("not fetched", len(rows)), columns=columns)


def _print_vendors(state: StoreStatus) -> None:
    rows = [row | {"fallback": "fallback" if row["fallback"] else ""} for row in _records(state.origins)]
    counts = dict.fromkeys(("answers", "received", "inserted", "changed"), ",")
    print_rows(rows, Format.table, title="\nwhere the rows come from", formats=counts)
    for circuit in state.circuits:
        echo(f"{circuit['vendor']} is left alone until {circuit['until'][:16]} UTC: {circuit['reason']}")


def _print_runs(state: StoreStatus | UnpublishedStatus, output: Format = Format.table) -> None:
    columns = ("started", "source", "status", "inserted", "changed", "quarantined", "failed", "remark")
    rows = [
        {name: run.get(name, "") for name in columns}
        | {
            "started": str(run.get("started", ""))[:19],
            "remark": run.get("error") or (f"resumed run {run['resumes']}" if run.get("resumes") else ""),
        }
        for run in state.runs
    ]
    print_rows(rows, output, title="\nlast runs", columns=columns, formats={"inserted": ",", "changed": ","})
    if output is not Format.table:
        return
    if state.unfinished:
        echo("a working file is there: a refresh is running, or was interrupted and the next one goes on from it")
    if state.streak.failed:
        echo(
            f"the last {state.streak.failed} refreshes failed, the first at {str(state.streak.first)[:19]}; "
            f"sessions closed since the last success: {state.streak.sessions_without_success:,}"
        )
