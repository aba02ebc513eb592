"""``returns`` and ``pe``: numbers from the store."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from aitheme.cli.app import app
from aitheme.cli.options import BenchmarkOption, DataOption, Format, FormatOption, ThemeOption, data_dir
from aitheme.cli.output import echo, origin, print_json, print_rows, watermark
from aitheme.errors import AithemeError

if TYPE_CHECKING:
    import pandas as pd

    from aitheme.analysis import PEChange
    from aitheme.valuation import BasketPE

__all__ = ["pe", "returns"]


class WeightName(StrEnum):
    """Weighting of members at the base."""

    equal = "equal"
    cap = "cap"


class RebalanceName(StrEnum):
    """When weights are renewed."""

    none = "none"
    daily = "daily"


@app.command()
def returns(
    basket: Annotated[list[str], typer.Argument(metavar="BASKET…", help="Basket ids, report ids, codes or names.")],
    start: Annotated[str, typer.Option("--from", metavar="DATE", help="Base: the last close on or before DATE.")],
    end: Annotated[str, typer.Option("--to", metavar="DATE", help="The last close on or before DATE.")],
    benchmark: BenchmarkOption = None,
    weight: Annotated[WeightName, typer.Option("--weight", help="Weights at the base.")] = WeightName.equal,
    rebalance: Annotated[
        RebalanceName, typer.Option("--rebalance", help="Hold, or renew weights daily.")
    ] = RebalanceName.none,
    overseas: Annotated[
        bool, typer.Option("--include-overseas", help="Add Hong Kong and US members, in their own currency.")
    ] = False,
    data: DataOption = None,
    theme: ThemeOption = "ai",
    output: FormatOption = Format.table,
) -> None:
    """Total return, benchmark, excess, drawdown and volatility of baskets."""
    from aitheme.analysis import basket_returns
    from aitheme.store import open_market
    from aitheme.themes import load_theme

    registry = load_theme(theme)
    with open_market(data_dir(data)) as market:
        results = [
            basket_returns(
                market, registry, name, start, end,
                benchmark=benchmark, weight=weight.value, rebalance=rebalance.value, overseas=overseas,
            )
            for name in basket
        ]  # fmt: skip
        watermark(simulated=market.simulated)
    rows = [{**result.performance.to_dict(), **origin(result.provenance)} for result in results]
    percent = dict.fromkeys(
        ("total_return", "benchmark_return", "excess_return", "max_drawdown", "volatility_annual"), ".2%"
    )
    shown = ("basket", "start_session", "end_session", "n_members", "n_used", *percent)
    print_rows(rows, output, columns=shown, formats=percent)


@app.command()
def pe(
    target: Annotated[str, typer.Argument(metavar="BASKET|REPORT|SYMBOL", help="Basket id, report id, code or name.")],
    as_of: Annotated[str, typer.Option("--as-of", metavar="DATE", help="Nothing known later is used.")],
    since: Annotated[
        Optional[str],  # noqa: UP045 (typer reads the annotation at run time)
        typer.Option("--since", metavar="DATE", help="Compare with the forward PE of an earlier date, as known then."),
    ] = None,
    year: Annotated[
        Optional[list[int]],  # noqa: UP045
        typer.Option("--year", metavar="YYYY", help="Fiscal year; may be repeated without --since."),
    ] = None,
    rate: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--rate", metavar="CNYHKD=1.084", help="HKD per CNY, for EPS in another currency than the price."),
    ] = None,
    data: DataOption = None,
    theme: ThemeOption = "ai",
    output: FormatOption = Format.table,
) -> None:
    """Price, EPS and forward PE per fiscal year, and the basket's PE; or then against now."""
    from aitheme.analysis import pe_change, pe_table
    from aitheme.store import open_market
    from aitheme.themes import load_theme

    registry, rates = load_theme(theme), _rates(rate or [])
    with open_market(data_dir(data)) as market:
        watermark(simulated=market.simulated)
        if since is not None:
            if year and len(year) > 1:
                raise AithemeError(f"--year: {year} are {len(year)} years; a comparison with --since is about one")
            chosen = year[0] if year else None
            change = pe_change(market, registry, target, since, as_of, fiscal_year=chosen, rates=rates)
            _print_change(change, target, output)
            return
        result = pe_table(market, registry, target, as_of=as_of, years=year or None, rates=rates)
    if output is Format.json:
        print_json(
            {
                "as_of": as_of, "rows": result.table.to_dict("records"),
                "basket_pe": [asdict(b) for b in result.basket], "notes": list(result.notes),
            }
        )  # fmt: skip
        return
    rows = _printed(result.table)
    formats = dict.fromkeys(("price", *(name for name in result.table.columns if name.startswith("eps_"))), ".2f")
    print_rows(rows, output, title=f"{target} as of {as_of}", formats=formats)
    if output is Format.table:
        for one in result.basket:
            echo(_basket_line(one))
        for line in result.notes:
            echo(f"  {line}")


def _rates(given: list[str]) -> dict[str, float]:
    """Read ``CNYHKD=1.084``."""
    rates = {}
    for text in given:
        pair, _, number = text.partition("=")
        try:
            rates[pair.strip()] = float(number)
        except ValueError as error:
            raise AithemeError(
                f"--rate: {text!r} cannot be read; write a pair and a rate, such as CNYHKD=1.084"
            ) from error
    return rates


def _print_change(change: PEChange, target: str, output: Format) -> None:
    """Show what a forward PE was and is."""
    records: list[Any] = change.table.to_dict("records")
    if output is Format.json:
        print_json(
            {
                "fiscal_year": change.fiscal_year, "rows": records, "then": asdict(change.then),
                "now": asdict(change.now), "notes": list(change.notes), **origin(change.provenance),
            }
        )  # fmt: skip
        return
    rows = [{**row, **origin(change.provenance)} for row in _printed(change.table)]
    money = dict.fromkeys(("price_then", "price_now", "eps_then", "eps_now"), ".2f")
    formats = money | dict.fromkeys(("price_change", "eps_change"), ".1%")
    title = f"{target}: forward PE of fiscal year {change.fiscal_year}, then and now"
    print_rows(rows, output, title=title, columns=list(change.table.columns), formats=formats)
    if output is Format.table:
        echo(f"then: {_basket_line(change.then)}")
        echo(f"now:  {_basket_line(change.now)}")
        for line in change.notes:
            echo(f"  {line}")


def _printed(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows with PE as a report prints it."""
    from aitheme.valuation import format_pe

    shown = table.astype(object).copy()
    for name in shown.columns:
        if name.startswith("pe_"):
            shown[name] = [format_pe(value) for value in table[name]]
    records: list[Any] = shown.to_dict("records")
    return records


def _basket_line(year: BasketPE) -> str:
    from aitheme.valuation import format_pe

    return (
        f"basket PE {year.fiscal_year}{year.kind}: aggregate (losses in) {format_pe(year.aggregate)}, "
        f"median {format_pe(year.median)}; EPS for {year.n_eps} of {year.n_members} members, {year.n_loss} at a loss"
    )
