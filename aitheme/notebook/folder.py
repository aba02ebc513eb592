"""Copy the packaged notebooks to a folder of the analyst's own, leaving alone what is there."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from aitheme.errors import AithemeError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["CopiedNotebooks", "copy_notebooks", "packaged_notebooks"]


@dataclass(frozen=True, slots=True)
class CopiedNotebooks:
    """What copying did.

    Parameters
    ----------
    folder
        Where the notebooks are.
    copied
        Names of those written.
    kept
        Names of those left alone because they differ from the packaged ones: an analyst's work, even if only its outputs.
    """

    folder: Path
    copied: tuple[str, ...]
    kept: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return what to tell the analyst."""
        told = [f"{len(self.copied)} notebooks copied to {self.folder}"] if self.copied else []
        told += [f"kept: {self.folder / name} is yours; rename it to get the packaged one" for name in self.kept]
        return told or [f"notebooks in {self.folder} are as packaged"]

    def _repr_html_(self) -> str:
        from aitheme.display import card

        return card(f"Notebooks in {self.folder}", self.lines())


def packaged_notebooks() -> dict[str, Traversable]:
    """Return the notebooks of the installed package, or of the checkout it runs from, by file name.

    Raises
    ------
    AithemeError
        The installation is incomplete.
    """
    package = resources.files("aitheme")
    # A wheel carries them inside the package; an editable install reads them where they are edited.
    checkout = Path(str(package)).parent / "notebooks"
    home: Traversable = checkout if checkout.is_dir() else package.joinpath("notebook", "notebooks")
    found = {entry.name: entry for entry in home.iterdir() if entry.name.endswith(".ipynb")} if home.is_dir() else {}
    if not found:
        raise AithemeError(f"notebooks: {home} holds none; reinstall aitheme")
    return dict(sorted(found.items()))


def copy_notebooks(folder: str | Path) -> CopiedNotebooks:
    """Copy the packaged notebooks into a folder; a file that is there and differs is kept.

    Parameters
    ----------
    folder
        Created if it is missing.

    Raises
    ------
    AithemeError
        The folder cannot be written, or the installation holds no notebooks.
    """
    target = Path(folder)
    copied, kept = [], []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, packaged in packaged_notebooks().items():
            content, place = packaged.read_bytes(), target / name
            if not place.exists():
                place.write_bytes(content)
                copied.append(name)
            elif place.read_bytes() != content:
                kept.append(name)
    except OSError as error:
        raise AithemeError(f"notebooks: {target} cannot be written ({error.strerror}); give another folder") from error
    return CopiedNotebooks(target, tuple(copied), tuple(kept))
