"""aitheme: thematic equity research on China A-shares.

The names below load on first use, so that ``import aitheme`` stays cheap and needs neither akshare nor altair.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aitheme import screen
    from aitheme.analysis import BasketReturns, Valuation, basket_returns, pe_table
    from aitheme.analysis.studies import study_release
    from aitheme.calendar import calendar_for, first_session
    from aitheme.errors import AithemeError
    from aitheme.panel import Panel, Provenance
    from aitheme.store import Market, open_market, refresh
    from aitheme.symbols import Symbol, parse_symbol
    from aitheme.themes import Theme, load_theme

__all__ = [
    "AithemeError",
    "BasketReturns",
    "Market",
    "Panel",
    "Provenance",
    "Symbol",
    "Theme",
    "Valuation",
    "basket_returns",
    "calendar_for",
    "first_session",
    "load_theme",
    "open_market",
    "parse_symbol",
    "pe_table",
    "refresh",
    "screen",
    "study_release",
]
__version__ = "0.1.0"

_HOMES = {
    "AithemeError": "errors",
    "BasketReturns": "analysis",
    "Market": "store",
    "Panel": "panel",
    "Provenance": "panel",
    "Symbol": "symbols",
    "Theme": "themes",
    "Valuation": "analysis",
    "basket_returns": "analysis",
    "calendar_for": "calendar",
    "first_session": "calendar",
    "load_theme": "themes",
    "open_market": "store",
    "parse_symbol": "symbols",
    "pe_table": "analysis",
    "refresh": "store",
    "study_release": "analysis.studies",
}


def __getattr__(name: str) -> Any:
    if name == "screen":
        # A package that can be called: aitheme.screen(market, "…") and aitheme.screen.history(market, theme, "…").
        return import_module("aitheme.screen")
    if name in _HOMES:
        return getattr(import_module(f"aitheme.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'aitheme' has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """Add ``%screen`` and ``%%market`` to a notebook: ``%load_ext aitheme``."""
    from aitheme.notebook.magics import AithemeMagics

    shell.register_magics(AithemeMagics)


def __dir__() -> list[str]:
    return sorted(__all__)
