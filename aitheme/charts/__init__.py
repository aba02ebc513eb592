"""Charts as a broker prints them: pure builders from frames to Altair charts, one look, fonts that never fail in silence."""

from __future__ import annotations

from aitheme.charts.fonts import check_glyphs, find_font
from aitheme.charts.frame import FULL, HALF, Heading, Size
from aitheme.charts.style import enable_theme

__all__ = ["FULL", "HALF", "Heading", "Size", "check_glyphs", "enable_theme", "find_font"]
