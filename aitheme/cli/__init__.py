"""The ``aitheme`` command. Arguments, progress and messages only; every answer comes from the library."""

from __future__ import annotations

from aitheme.cli.app import main

__all__ = ["main"]
