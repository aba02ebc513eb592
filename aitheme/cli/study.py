"""``study``: abnormal returns of a basket around model releases."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (typer reads the annotation at run time)
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from aitheme.cli.app import app
from aitheme.cli.options import DataOption, Format, FormatOption, ThemeOption, data_dir
from aitheme.cli.output import echo, print_json, print_rows, watermark
from aitheme.errors import AithemeError

if TYPE_CHECKING:
    from aitheme.analysis.studies import BasketStudy, StudyRoom

__all__ = ["study"]

_MODEL_HELP = "mean, market_adjusted, market, scholes_williams, dimson, factor, industry, garch, matched or synthetic."
_TEST_COLUMNS = ("test", "scope", "statistic", "p_value", "assumes_independence", "allows_event_variance", "reason")


@app.command()
def study(
    basket: Annotated[
        list[str], typer.Option("--basket", metavar="BASKET", help="Basket id, report id, code or name.")
    ],
    event: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--event", metavar="EVENT", help="Release id; several are pooled."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every release inside the data, one study each.")] = False,
    model: Annotated[str, typer.Option("--model", help=_MODEL_HELP)] = "market",
    window: Annotated[
        str, typer.Option("--window", metavar="A,B", help="Event window, write --window=-5,10.")
    ] = "-5,10",
    estimation: Annotated[
        str, typer.Option("--estimation", metavar="LENGTH,GAP", help="Sessions, and where they end.")
    ] = "250,30",
    benchmark: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--benchmark", metavar="NAME", help="Index symbol, equal-weight or industry [default: 000300.SH]."
        ),
    ] = None,
    factors: Annotated[
        str, typer.Option("--factors", help="For --model factor: ff3, carhart, ff5 or column names.")
    ] = "ff3",
    exclude_events: Annotated[
        bool, typer.Option("--exclude-events", help="Leave other releases out of the estimation window.")
    ] = False,
    by: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--by", metavar="link|basket|board", help="Compare the groups' CARs within the date."),
    ] = None,
    regress: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--regress", metavar="LIST", help="CARs on linked,size,turnover,run_up,forward_pe."),
    ] = None,
    draws: Annotated[
        int, typer.Option("--draws", min=0, help="Placebo dates, random baskets and bootstrap draws.")
    ] = 1000,
    xlsx: Annotated[Optional[Path], typer.Option("--xlsx", metavar="FILE", help="Also write a workbook.")] = None,  # noqa: UP045
    data: DataOption = None,
    theme: ThemeOption = "ai",
    output: FormatOption = Format.table,
) -> None:
    """Test a basket's abnormal return around releases; the headline p-value survives the common date."""
    from aitheme.analysis.studies import StudyRoom
    from aitheme.store import open_market
    from aitheme.themes import load_theme

    if bool(event) == every:
        raise AithemeError("event: give --event ID (several are pooled) or --all; `aitheme events` lists the ids")
    options: dict[str, Any] = {
        "model": model,
        "window": _pair(window, "window", "--window=-5,10"),
        "estimation": _pair(estimation, "estimation", "--estimation 250,30"),
        "benchmark": benchmark,
        "factors": factors,
        "exclude_other_events": exclude_events,
        "draws": draws,
    }
    with open_market(data_dir(data)) as market:
        watermark(simulated=market.simulated)
        room = StudyRoom(market, load_theme(theme))
        if every:
            _print_all(room, basket, options, output)
            return
        for name in basket:
            _print_one(room, name, list(event or []), options, output, by=by, xlsx=xlsx, regress=regress)


def _pair(text: str, parameter: str, example: str) -> tuple[int, int]:
    try:
        first, second = (int(part) for part in text.split(","))
    except ValueError as error:
        raise AithemeError(f"{parameter}: {text!r} is not two whole numbers; write it like {example}") from error
    return first, second


def _print_one(
    room: StudyRoom,
    basket: str,
    events: list[str],
    options: dict[str, Any],
    output: Format,
    *,
    by: str | None,
    xlsx: Path | None,
    regress: str | None,
) -> None:
    from aitheme.analysis.studies import compare_groups, study_release

    done = study_release(room, basket, events[0] if len(events) == 1 else events, **options)
    groups: list[Any] = [] if by is None else compare_groups(room, done, by).to_dict("records")
    fit: list[Any] = [] if regress is None else _regression(room, done, regress)
    if xlsx is not None:
        done.result.to_excel(xlsx)
    if output is Format.json:
        print_json({**done.to_dict(), **({"groups": groups} if by else {}), **({"regression": fit} if regress else {})})
    elif regress is not None and output is Format.csv:
        print_rows(fit, output)
    elif by is not None and output is Format.csv:
        print_rows(groups, output)
    elif output is Format.csv:
        tests: list[Any] = done.result.tests.to_dict("records")
        print_rows([{"basket": done.basket, "event": done.event, **row} for row in tests], output)
    else:
        _print_summary(done)
        if by is not None:
            print_rows(groups, output, title=f"by {by}", formats=_GROUP_FORMATS)
        if regress is not None:
            print_rows(fit, output, title="CARs on attributes", formats=dict.fromkeys(fit[0], ".4f"))


def _regression(room: StudyRoom, done: BasketStudy, names: str) -> list[Any]:
    from aitheme.analysis.crosssection import regress_cars

    fit = regress_cars(room, done, [name.strip() for name in names.split(",")])
    records: list[Any] = fit.table.assign(n=fit.n, dropped=fit.dropped).reset_index().to_dict("records")
    return records


_GROUP_FORMATS = {
    "caar": ".2%", "standard_error": ".2%", "t_statistic": ".2f", "p_value": ".4f",
    "difference": ".2%", "difference_error": ".2%", "difference_t": ".2f", "difference_p": ".4f",
}  # fmt: skip


def _print_summary(done: BasketStudy) -> None:
    result = done.result
    summary = result.summary()
    echo(f"{done.basket}: {summary.title}")
    for line in summary.lines:
        echo(f"  {line}")
    echo("")
    echo(summary.sentence)
    echo("")
    tests: list[Any] = result.tests[result.tests["scope"] == result.headline.scope].to_dict("records")
    print_rows(tests, Format.table, columns=_TEST_COLUMNS, formats={"statistic": ".3f", "p_value": ".4g"})


def _print_all(room: StudyRoom, baskets: list[str], options: dict[str, Any], output: Format) -> None:
    from aitheme.analysis.studies import study_all

    rows: list[Any] = study_all(room, baskets, **options).to_dict("records")
    shown = (
        "basket",
        "event",
        "day0",
        "n",
        "caar",
        "rbar",
        "n_eff",
        "headline_p",
        "benjamini_yekutieli",
        "naive_p",
        "reason",
    )
    formats = {"caar": ".2%", "rbar": ".2f", "n_eff": ".1f"} | dict.fromkeys(
        ("headline_p", "benjamini_yekutieli", "naive_p"), ".4f"
    )
    print_rows(rows, output, title="every release inside the data", columns=shown, formats=formats)
