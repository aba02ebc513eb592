"""Print rows as a table for people, or as CSV or JSON for scripts."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aitheme.cli.options import Format

if TYPE_CHECKING:
    from aitheme.panel import Provenance

__all__ = ["echo", "note", "origin", "print_json", "print_rows", "watermark"]


def echo(text: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Write a remark to standard error, where it does not disturb a script reading rows."""
    sys.stderr.write(text + "\n")


def origin(provenance: Provenance) -> dict[str, Any]:
    """Return the columns that let a row name where it comes from."""
    return {
        "as_of": provenance.as_of.isoformat(),
        "source": provenance.source,
        "snapshot": provenance.snapshot,
        "simulated": provenance.simulated,
    }


def watermark(*, simulated: bool) -> None:
    """Say on standard error that the numbers are made up."""
    if simulated:
        note("SIMULATED 模拟数据: these numbers come from a simulated market")


def print_json(value: Any) -> None:
    """Print a value as indented JSON; a NaN becomes null."""
    echo(json.dumps(_clean(value), ensure_ascii=False, indent=2, default=str))


def print_rows(
    rows: Sequence[Mapping[str, Any]],
    output: Format,
    *,
    title: str = "",
    columns: Sequence[str] | None = None,
    formats: Mapping[str, str] | None = None,
) -> None:
    """Print rows in the format asked for.

    Parameters
    ----------
    rows
        Mappings with the same keys.
    output
        ``table``, ``csv`` or ``json``.
    title
        Heading of the table form.
    columns
        Columns of the table form; all by default. CSV and JSON always carry all.
    formats
        Python format specifications for the table form, by column.
    """
    if output is Format.json:
        print_json(list(rows))
    elif output is Format.csv:
        names = list(rows[0]) if rows else list(columns or [])
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_cell(row[name]) for name in names] for row in rows)
    else:
        _print_table(rows, title, list(columns or (rows[0] if rows else [])), formats or {})


def _print_table(rows: Iterable[Mapping[str, Any]], title: str, columns: list[str], formats: Mapping[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = list(rows)
    table = Table(title=title or None, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for name in columns:
        numeric = any(isinstance(row[name], int | float) and not isinstance(row[name], bool) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_shown(row[name], formats.get(name))) for name in columns))
    # A pipe has no width of its own; folding a table at 80 columns would make it unreadable there.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(table)


def _shown(value: Any, specification: str | None) -> str:
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 (NaN)
        return ""
    if specification is not None and isinstance(value, int | float):
        return format(value, specification)
    return str(value)


def _cell(value: Any) -> Any:
    return "" if value is None or (isinstance(value, float) and value != value) else value  # noqa: PLR0124 (NaN)


def _clean(value: Any) -> Any:
    """Replace NaN by None and numpy scalars by Python ones, deeply."""
    if isinstance(value, Mapping):
        return {str(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if hasattr(value, "item") and not hasattr(value, "__len__"):
        value = value.item()
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 (NaN)
