"""``screen``: the market by one expression, point in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from aitheme.cli.app import app
from aitheme.cli.options import DataOption, Format, FormatOption, ThemeOption, data_dir
from aitheme.cli.output import echo, note, origin, print_json, print_rows, watermark
from aitheme.errors import AithemeError

if TYPE_CHECKING:
    from pathlib import Path

    from aitheme.screen import ScreenHistory, ScreenResult

__all__ = ["screen"]


@app.command()
def screen(
    expression: Annotated[
        Optional[str],  # noqa: UP045 (typer reads the annotation at run time)
        typer.Argument(metavar="[EXPR]", help="SQL condition, e.g. \"ret_60 > 0.3 and in_basket('ai/all')\"."),
    ] = None,
    as_of: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--as-of", metavar="DATE", help="Nothing known later is used [default: the last session]."),
    ] = None,
    order_by: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--order-by", metavar="COL[,COL]", help="Highest first; add ' asc' for lowest first."),
    ] = None,
    limit: Annotated[Optional[int], typer.Option("--limit", min=1, help="Most rows.")] = None,  # noqa: UP045
    universe: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--universe", metavar="BASKET", help="Choose from a basket [default: the whole market]."),
    ] = None,
    show: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--show", metavar="COL,COL", help="Columns to show [default: those the expression uses]."),
    ] = None,
    columns: Annotated[bool, typer.Option("--columns", help="List the columns with their units, and stop.")] = False,
    save: Annotated[Optional[str], typer.Option("--save", metavar="NAME", help="Keep the result under a name.")] = None,  # noqa: UP045
    diff: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--diff", metavar="NAME", help="Who came in and went out since a saved result."),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Run it at each month end and follow its names for a month.")
    ] = False,
    since: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--since", metavar="DATE", help="First month end of --history [default: as early as the data]."),
    ] = None,
    until: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--until", metavar="DATE", help="Last month end of --history [default: the last session]."),
    ] = None,
    data: DataOption = None,
    theme: ThemeOption = "ai",
    output: FormatOption = Format.table,
) -> None:
    """Screen the market with one expression, as known on a date or, with --history, at each month end."""
    from aitheme.screen import columns_table, screen_history
    from aitheme.screen import screen as run_screen
    from aitheme.store import open_market

    if columns:
        catalogue: list[Any] = columns_table().to_dict("records")
        print_rows(catalogue, output, title="columns of a screen")
        return
    if expression is None:
        raise AithemeError("expression: missing; write one, or see --columns for what it can use")
    folder = data_dir(data) / "screens"
    given = {"--as-of": as_of, "--show": show, "--save": save, "--diff": diff}
    _check_mode(given, {"--since": since, "--until": until}, history=history)
    if history:
        with open_market(data_dir(data)) as market:
            watermark(simulated=market.simulated)
            past = screen_history(
                market, theme, expression, start=since, end=until, order_by=order_by, limit=limit, universe=universe
            )
        _print_history(past, output)
        return
    with open_market(data_dir(data)) as market:
        watermark(simulated=market.simulated)
        result = run_screen(
            market, theme, expression,
            as_of=as_of, order_by=order_by, limit=limit, universe=universe, columns=show.split(",") if show else None,
        )  # fmt: skip
    _print(result, output)
    _compare(result, folder, save, diff, output)


def _check_mode(single: dict[str, str | None], span: dict[str, str | None], *, history: bool) -> None:
    """Refuse an option of the other mode rather than ignore it."""
    for option, value in (single if history else span).items():
        if value is not None and history:
            raise AithemeError(
                f"{option}: {value!r} has no meaning with --history, which screens at month ends; drop one"
            )
        if value is not None:
            raise AithemeError(f"{option}: {value!r} belongs to --history; add --history, or use --as-of for one date")


def _print_history(past: ScreenHistory, output: Format) -> None:
    if output is Format.json:
        print_json(past.to_dict())
        return
    rows: list[Any] = past.frame.to_dict("records")
    if output is Format.csv:
        print_rows([{**row, **origin(past.provenance)} for row in rows], output, columns=list(past.frame.columns))
        return
    print_rows(rows, output, columns=list(past.frame.columns), formats=past.formats)
    echo(past.summary())
    for line in past.notes:
        echo(f"  {line}")


def _print(result: ScreenResult, output: Format) -> None:
    if output is Format.json:
        print_json(result.to_dict())
        return
    rows: list[Any] = result.frame.to_dict("records")
    if output is Format.csv:
        print_rows([{**row, **origin(result.provenance)} for row in rows], output, columns=list(result.frame.columns))
        return
    print_rows(rows, output, columns=list(result.frame.columns), formats=result.formats)
    echo(result.summary())
    funnel: list[Any] = result.funnel_table().to_dict("records")
    print_rows(funnel, output, title="what each clause removed")
    for line in result.notes:
        echo(f"  {line}")


def _compare(result: ScreenResult, folder: Path, save: str | None, diff: str | None, output: Format) -> None:
    from aitheme.screen import diff_screen, load_screen, save_screen

    if diff is not None:
        change = diff_screen(result, load_screen(diff, folder))
        if output is Format.json:
            print_json(change.to_dict())
        else:
            echo(change.summary())
    if save is not None:
        note(f"saved: {save_screen(result, save, folder)}")
