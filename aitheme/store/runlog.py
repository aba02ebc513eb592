"""The two logs of a store: one JSON line for every refresh that was tried, and what each of them said on its way.

Both rotate by size at the writer, which alone holds the store's lock, so no line is lost between two files.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from functools import partial
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aitheme.store.files import StoreFiles

__all__ = ["RunLog", "past_runs"]

# Two refreshes a day write some 4 kB of records and 20 kB of text: about six years, and half a year.
_BYTES: Final = 1_000_000
_BACKUPS: Final = 5


class _Rotating(RotatingFileHandler):
    """A rotating file that raises when it cannot be written, where the standard one prints a traceback."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_BYTES, backupCount=_BACKUPS, encoding="utf-8", delay=True)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802
        raise  # noqa: PLE0704 (called by the handler while it handles the error)

    def write(self, line: str) -> None:
        """Append one line."""
        self.handle(logging.makeLogRecord({"msg": "%s", "args": (line,)}))


class RunLog:
    """Writes both logs of a store; only while its lock is held.

    Parameters
    ----------
    files
        The store.
    tell
        Told once when a log cannot be written; a refresh does not fail for that.
    """

    def __init__(self, files: StoreFiles, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._records = _Rotating(files.run_log)
        self._text = _Rotating(files.text_log)
        for path in (files.run_log, files.text_log):
            self._try(partial(_end_torn_line, path))

    def record(self, values: dict[str, Any]) -> None:
        """Append the record of a refresh."""
        line = json.dumps(values, ensure_ascii=False, default=str)
        self._try(lambda: self._records.write(line))

    def say(self, line: str) -> None:
        """Append a line of text with the time (UTC)."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._try(lambda: self._text.write(f"{stamp} {line}"))

    def close(self) -> None:
        """Close both files."""
        self._records.close()
        self._text.close()

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            self._tell(f"the run log cannot be written: {error}")


def _end_torn_line(path: Path) -> None:
    """Close the line a killed writer left open, so that the next record stands on its own."""
    if not path.exists():
        return
    with path.open("rb+") as handle:
        if handle.seek(0, 2):
            handle.seek(-1, 2)
            if handle.read(1) != b"\n":
                handle.write(b"\n")


def past_runs(files: StoreFiles) -> Iterator[dict[str, Any]]:
    """Yield the records of the refreshes tried, newest first, through the rotated files.

    Parameters
    ----------
    files
        The store.

    Yields
    ------
    dict
        A record; a line that a killed writer left torn is passed over.
    """
    names = [files.run_log, *(files.run_log.with_name(f"{files.run_log.name}.{n}") for n in range(1, _BACKUPS + 1))]
    for path in names:
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            continue
        for line in reversed(lines):
            try:
                values = json.loads(line)
            except json.JSONDecodeError:
                continue
            if isinstance(values, dict):
                yield values
