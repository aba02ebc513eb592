"""Files of a store directory, and the atomic publication of a snapshot.

The writer works in ``work.duckdb``; when it is done the file is flushed, renamed into ``snapshots/`` and named by the
pointer file ``CURRENT``, which is replaced atomically. A reader opens the file the pointer names, read-only; it never
shares a file with the writer, so neither waits for the other.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aitheme.errors import StoreBusyError, StoreError

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = ["SCHEMA_VERSION", "StoreFiles", "default_data_dir"]

SCHEMA_VERSION: Final = "2"
_KEPT: Final = 3
_PREFIX: Final = "market-"


def default_data_dir() -> Path:
    """Return the store directory: ``$AITHEME_DATA``, else ``data`` under the current directory."""
    return Path(os.environ.get("AITHEME_DATA", "data"))


@dataclass(frozen=True, slots=True)
class StoreFiles:
    """Paths of a store directory.

    Parameters
    ----------
    root
        The directory; created by the first refresh.
    """

    root: Path

    @property
    def snapshots(self) -> Path:
        """Folder of the published snapshots."""
        return self.root / "snapshots"

    @property
    def pointer(self) -> Path:
        """File that names the current snapshot."""
        return self.root / "CURRENT"

    @property
    def work(self) -> Path:
        """The writer's private database."""
        return self.root / "work.duckdb"

    @property
    def run_log(self) -> Path:
        """One JSON line for every refresh that was tried, published or not."""
        return self.root / "refresh.jsonl"

    @property
    def text_log(self) -> Path:
        """What the refreshes said on their way."""
        return self.root / "refresh.log"

    def current(self) -> Path | None:
        """Return the current snapshot, or None where nothing was ever published.

        Raises
        ------
        StoreError
            The pointer names a file that is not there.
        """
        try:
            name = self.pointer.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        snapshot = self.snapshots / name
        if not name or not snapshot.is_file():
            kept = ", ".join(path.name for path in self.published()) or "none"
            raise StoreError(
                f"data: {self.pointer} names {name!r}, which is not in snapshots/ (there: {kept}); "
                "write one of these names into it or run `aitheme refresh`"
            )
        return snapshot

    def published(self) -> list[Path]:
        """Return the snapshots on disk, oldest first."""
        return sorted(self.snapshots.glob(f"{_PREFIX}*.duckdb"))

    def prepare(self) -> None:
        """Create the directory and make sure it can be written.

        Raises
        ------
        StoreError
            No permission, or the path is a file.
        """
        try:
            self.snapshots.mkdir(parents=True, exist_ok=True)
            probe = self.root / ".write-probe"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise StoreError(
                f"data: {self.root} cannot be written ({error.strerror}); give another --data directory"
            ) from error

    def lock(self) -> BaseFileLock:
        """Return the writer's lock, taken.

        Raises
        ------
        StoreBusyError
            Another refresh is running on this store.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.root / "refresh.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise StoreBusyError(
                f"data: another refresh is writing {self.root}; wait for it to end, then try again"
            ) from error
        return lock

    def start_work(self) -> bool:
        """Lay out the working file from the current snapshot, or drop it; return whether it starts empty."""
        self.drop_work()
        current = self.current()
        if current is None:
            return True
        shutil.copyfile(current, self.work)
        return False

    def drop_work(self) -> None:
        """Delete the working file and what the database put beside it."""
        for leftover in (self.work, self.work.with_suffix(".duckdb.wal")):
            leftover.unlink(missing_ok=True)

    def publish(self) -> Path:
        """Turn the closed working file into the current snapshot and prune old ones.

        Everything that may fail for want of room comes before the two renames.
        """
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        target = self.snapshots / f"{_PREFIX}{stamp}.duckdb"
        _flush(self.work)
        beside = self.pointer.with_suffix(".tmp")
        beside.write_text(target.name + "\n", encoding="utf-8")
        _flush(beside)
        self.work.replace(target)
        beside.replace(self.pointer)
        self._prune()
        return target

    def _prune(self) -> None:
        for old in self.published()[:-_KEPT]:
            try:
                old.unlink()
            except PermissionError:
                # Windows refuses while a reader holds the file; the next publication tries again.
                continue


def _flush(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())
