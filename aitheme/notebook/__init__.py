"""What a notebook needs beside the library: a filled store, charts that work offline, two magics, a folder to work in."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aitheme.notebook.explorer import Explorer, explore
    from aitheme.notebook.folder import CopiedNotebooks, copy_notebooks
    from aitheme.notebook.page import Browsable, browse, offline
    from aitheme.notebook.stores import fill_store, live_plan

__all__ = [
    "Browsable",
    "CopiedNotebooks",
    "Explorer",
    "browse",
    "copy_notebooks",
    "explore",
    "fill_store",
    "live_plan",
    "offline",
]

_HOMES = {
    "Browsable": "page",
    "CopiedNotebooks": "folder",
    "Explorer": "explorer",
    "browse": "page",
    "copy_notebooks": "folder",
    "explore": "explorer",
    "fill_store": "stores",
    "live_plan": "stores",
    "offline": "page",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
