"""Screen the market with one expression, point in time.

``aitheme.screen(market, "ret_60 > 0.3 and in_basket('ai/all')", as_of="2024-03-28")`` calls :func:`screen` with the packaged
theme; ``aitheme.screen.history(...)`` runs the same screen at each month end.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aitheme.screen.columns import CATALOGUE, Column, columns_table
    from aitheme.screen.errors import ScreenError
    from aitheme.screen.expression import Expression, parse_expression
    from aitheme.screen.monthly import ScreenHistory, screen_history
    from aitheme.screen.monthly import screen_history as history
    from aitheme.screen.registry import ReleaseCars
    from aitheme.screen.result import FunnelStep, ScreenResult
    from aitheme.screen.run import screen
    from aitheme.screen.saved import (
        SavedScreen,
        ScreenDiff,
        diff_screen,
        load_screen,
        save_screen,
        saved_screens,
    )

__all__ = [
    "CATALOGUE",
    "Column",
    "Expression",
    "FunnelStep",
    "ReleaseCars",
    "SavedScreen",
    "ScreenDiff",
    "ScreenError",
    "ScreenHistory",
    "ScreenResult",
    "columns_table",
    "diff_screen",
    "history",
    "load_screen",
    "parse_expression",
    "save_screen",
    "saved_screens",
    "screen",
    "screen_history",
]

_HOMES = {
    "CATALOGUE": "columns",
    "Column": "columns",
    "Expression": "expression",
    "FunnelStep": "result",
    "ReleaseCars": "registry",
    "SavedScreen": "saved",
    "ScreenDiff": "saved",
    "ScreenError": "errors",
    "ScreenHistory": "monthly",
    "ScreenResult": "result",
    "columns_table": "columns",
    "diff_screen": "saved",
    "load_screen": "saved",
    "parse_expression": "expression",
    "save_screen": "saved",
    "saved_screens": "saved",
    "screen": "run",
    "screen_history": "monthly",
}


def __getattr__(name: str) -> Any:
    if name == "history":
        return import_module(f"{__name__}.monthly").screen_history
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Room(ModuleType):
    """The package itself, callable: ``aitheme.screen`` is a package and the function everyone looks for."""

    def __call__(self, market: Any, expression: str, *, theme: Any = "ai", **options: Any) -> Any:
        """Run :func:`screen` with the packaged theme."""
        return __getattr__("screen")(market, theme, expression, **options)


sys.modules[__name__].__class__ = _Room
