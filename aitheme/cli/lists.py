"""``baskets`` and ``events``: what the theme registry knows. No store is needed."""

from __future__ import annotations

from typing import Annotated, Any, Optional

import typer

from aitheme.cli.app import app
from aitheme.cli.options import Format, FormatOption, ThemeOption
from aitheme.cli.output import print_rows

__all__ = ["baskets", "events"]


@app.command()
def baskets(
    basket: Annotated[Optional[str], typer.Argument(metavar="[ID]", help="Show this basket's members.")] = None,  # noqa: UP045
    as_of: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--as-of", metavar="DATE", help="Only baskets published on or before DATE."),
    ] = None,
    theme: ThemeOption = "ai",
    output: FormatOption = Format.table,
) -> None:
    """List the baskets, or the members of one."""
    from aitheme.calendar import parse_date
    from aitheme.errors import DateRangeError
    from aitheme.themes import load_theme

    registry = load_theme(theme)
    limit = parse_date(as_of, "as-of") if as_of is not None else None
    if basket is None:
        rows = [
            _basket_row(registry, name)
            for name in registry.baskets
            if limit is None or registry.known_since(name) <= limit
        ]
        print_rows(rows, output, title=f"{registry.name_en}: {len(rows)} baskets")
        return
    since = registry.known_since(registry.basket(basket).basket)
    if limit is not None and since > limit:
        raise DateRangeError(f"as-of: {limit} lies before {basket} was published ({since}); choose a later date")
    rows = [_member_row(registry, member, since) for member in registry.member_rows(basket)]
    print_rows(rows, output, title=f"{basket}  {registry.basket(basket).name_zh} ({len(rows)})")


def _basket_row(registry: Any, name: str) -> dict[str, Any]:
    basket = registry.baskets[name]
    members = registry.member_rows(name)
    return {
        "basket": name,
        "name_zh": basket.name_zh,
        "name_en": basket.name_en,
        "kind": basket.kind,
        "members": len(members),
        "a_shares": len(registry.symbols(name)),
        "overseas": len(registry.symbols(name, overseas=True)) - len(registry.symbols(name)),
        "unlisted": sum(member.symbol is None for member in members),
        "published": registry.known_since(name).isoformat(),
        "section": basket.section,
    }


def _member_row(registry: Any, member: Any, since: Any) -> dict[str, Any]:
    from aitheme.symbols import parse_symbol

    security = registry.security.get(member.symbol)
    return {
        "symbol": member.symbol or "",
        "name": security.name_zh if security else member.name_printed,
        "name_printed": member.name_printed,
        "exchange": parse_symbol(member.symbol).market if member.symbol else "unlisted",
        "board": parse_symbol(member.symbol).board if member.symbol else "",
        "report": member.basket.split("/")[0],
        "basket": member.basket,
        "section": member.section,
        "published": since.isoformat(),
    }


@app.command()
def events(
    since: Annotated[Optional[str], typer.Option("--since", metavar="DATE", help="First day 0 to list.")] = None,  # noqa: UP045
    until: Annotated[Optional[str], typer.Option("--until", metavar="DATE", help="Last day 0 to list.")] = None,  # noqa: UP045
    theme: ThemeOption = "ai",
    output: FormatOption = Format.table,
) -> None:
    """List the releases with announcement, zone, day 0, reports and date conflicts."""
    from aitheme.calendar import parse_date
    from aitheme.errors import DateRangeError
    from aitheme.themes import load_theme

    registry = load_theme(theme)
    low = parse_date(since, "since") if since is not None else None
    high = parse_date(until, "until") if until is not None else None
    if low is not None and high is not None and low > high:
        raise DateRangeError(f"since: {low} lies after until {high}; swap them")
    rows = [
        _event_row(registry, release)
        for release in registry.dated_releases()
        if release.day0 is not None and (low or release.day0) <= release.day0 <= (high or release.day0)
    ]
    shown = ("event", "name_zh", "vendor", "region", "kind", "announced", "zone", "day0", "reports", "conflicts")
    print_rows(rows, output, title=f"{registry.name_en}: {len(rows)} dated releases", columns=shown)


def _event_row(registry: Any, release: Any) -> dict[str, Any]:
    conflicts = [f"{row.beijing_date} ({row.report} {row.section})" for row in registry.conflicts(release.id)]
    return {
        "event": release.id,
        "name_zh": release.name_zh,
        "name_en": release.name_en,
        "vendor": release.vendor,
        "model": release.model or "",
        "region": release.region,
        "modality": release.modality,
        "kind": release.kind,
        "announced": release.announced.isoformat(),
        "instant": release.instant.isoformat() if release.instant else "",
        "zone": release.zone,
        "beijing_date": release.beijing_date.isoformat(),
        "day0": release.day0.isoformat(),
        "reports": ";".join(registry.release_reports(release.id)),
        "conflicts": ";".join(dict.fromkeys(conflicts)),
        "note": release.note,
    }
