"""The ``archive`` source: a folder of dumps such as analysts keep, recognised by their headers.

Every ``.csv`` and ``.parquet`` file below the folder is read; what a file holds is told by its columns, never by its
name, except that back-adjusted dumps share their header with raw ones and must have ``hfq`` (or ``后复权``) in their path.
An unknown header stops the run with a column diff, so that a silent vendor change cannot pass.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aitheme.errors import ArchiveError
from aitheme.sources.archive_bars import BarFiles, a_share_bars
from aitheme.sources.archive_files import BARS, HFQ_CLOSE, LAYOUTS, ArchiveFile, Layout, columns_of, recognise
from aitheme.sources.archive_tables import READERS
from aitheme.sources.base import Batch, FetchRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aitheme.themes import Theme

__all__ = ["ArchiveSource"]


@dataclass(frozen=True)
class ArchiveSource:
    """A folder of CSV and Parquet dumps.

    Parameters
    ----------
    root
        The folder.
    theme
        Theme whose printed EPS are published with the data, dated by their report.
    """

    root: Path
    theme: Theme
    name: str = "archive"
    simulated: bool = False

    def files(self) -> tuple[ArchiveFile, ...]:
        """Return the data files below the folder with their layouts.

        Raises
        ------
        ArchiveError
            The folder is missing or holds no data file, or a file cannot be read or recognised.
        """
        if not self.root.is_dir():
            raise ArchiveError(
                f"archive: {self.root} is not a folder; give the folder that holds the CSV or Parquet dumps"
            )
        paths = sorted(path for path in self.root.rglob("*") if path.suffix.lower() in {".csv", ".parquet"})
        if not paths:
            raise ArchiveError(
                f"archive: {self.root} holds no .csv or .parquet file; put the dumps there or give another folder"
            )
        return tuple(ArchiveFile(path, recognise(path, columns_of(path), self.root)) for path in paths)

    def fingerprint(self) -> str:
        """Return a digest of names, sizes and modification times of the data files."""
        digest = hashlib.sha256()
        for file in self.files():
            stat = file.path.stat()
            digest.update(f"{file.path.relative_to(self.root)}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def batches(self, request: FetchRequest) -> Iterator[Batch]:
        """Yield bars first (the bulk), then every small dataset found in the folder, then printed consensus."""
        files = self.files()
        bars = BarFiles(bars=_with(files, BARS), hfq=_with(files, HFQ_CLOSE))
        if bars.bars:
            yield a_share_bars(bars, request)
        elif bars.hfq:
            raise ArchiveError(f"archive: {self.root} has back-adjusted closes but no bars; add the raw or qfq dump")
        for layout in LAYOUTS:
            reader = READERS.get(layout.name)
            for file in _with(files, layout):
                if reader is not None:
                    yield from reader(file, request)
        yield printed_consensus(self.theme, request)


def _with(files: tuple[ArchiveFile, ...], layout: Layout) -> tuple[ArchiveFile, ...]:
    return tuple(file for file in files if file.layout is layout)


def printed_consensus(theme: Theme, request: FetchRequest) -> Batch:
    """Return the EPS that the theme's reports print, each known since its report was published."""
    from aitheme.sources.base import to_table

    rows = [
        row
        for row in sorted(theme.estimates, key=lambda row: (row.symbol, row.fiscal_year))
        if row.eps is not None and (request.symbols is None or row.symbol in request.symbols)
    ]
    table = to_table(
        "consensus",
        {
            "symbol": [row.symbol for row in rows],
            "fiscal_year": [row.fiscal_year for row in rows],
            "kind": [row.kind for row in rows],
            "eps": [row.eps for row in rows],
            "currency": [row.currency for row in rows],
            "analysts": [None] * len(rows),
            "source": [row.report for row in rows],
            "published": [theme.report(row.report).published for row in rows],
        },
    )
    return Batch("consensus", table, notes=("EPS as printed in the theme's reports",), origin=f"theme {theme.id}")
