"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

__all__ = ["BenchmarkOption", "DataOption", "Format", "FormatOption", "SourceName", "ThemeOption", "data_dir"]


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    json = "json"


class SourceName(StrEnum):
    """Where data can come from."""

    akshare = "akshare"
    archive = "archive"
    demo = "demo"


DataOption = Annotated[
    Optional[Path],  # noqa: UP045 (typer reads the annotation at run time)
    typer.Option("--data", metavar="DIR", help="Store directory [default: $AITHEME_DATA or ./data]."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print rows.")]
ThemeOption = Annotated[str, typer.Option("--theme", help="Packaged theme or theme folder.")]
BenchmarkOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--benchmark", metavar="SYMBOL", help="Index to compare with [default: the theme's, 000300.SH]."),
]


def data_dir(data: Path | None) -> Path:
    """Return the store directory asked for, or the default one."""
    from aitheme.store.files import default_data_dir

    return data if data is not None else default_data_dir()
