"""Where a book goes: built beside its place, then swapped in as a whole."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aitheme.errors import AithemeError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MANIFEST", "OutputError", "book_folder"]

MANIFEST = "manifest.json"
GENERATOR = "aitheme"


class OutputError(AithemeError):
    """A folder that a book cannot be written to."""


def _check(target: Path) -> None:
    """Make sure that writing there destroys nothing but an earlier book."""
    if not target.exists():
        return
    if not target.is_dir():
        raise OutputError(f"out: {target} is a file; choose a folder for the book")
    if any(target.iterdir()) and not _is_book(target):
        raise OutputError(f"out: {target} holds files that are no aitheme book; choose another folder or empty it")


def _is_book(target: Path) -> bool:
    try:
        manifest = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("generator") == GENERATOR


@contextlib.contextmanager
def book_folder(target: Path) -> Iterator[Path]:
    """Give a fresh folder to fill, and put it in the target's place once it is complete.

    Parameters
    ----------
    target
        The book's folder: new, empty, or an earlier book, which is replaced.

    Raises
    ------
    OutputError
        The target is a file, holds something else, or cannot be written. Whatever was there is still there.
    """
    target = Path(os.path.abspath(target))  # noqa: PTH100 (resolve() would follow a link that is to be replaced)
    try:
        _check(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise OutputError(
            f"out: {target} cannot be written ({error.strerror}); choose a folder you may write to"
        ) from error
    try:
        work.chmod(0o755)
        yield work
        _swap(work, target)
    except OSError as error:
        raise OutputError(f"out: {target} cannot be written ({error.strerror}); the earlier book is kept") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _swap(work: Path, target: Path) -> None:
    """Replace the target; an earlier book stays until the new one is in place."""
    if not target.exists():
        work.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    target.rename(old / "book")
    try:
        work.rename(target)
    except OSError:
        (old / "book").rename(target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
