"""A font inside the page, cut down to the characters it shows, so that no reader sees boxes."""

from __future__ import annotations

import base64
import importlib.util
import io
from functools import cache
from typing import TYPE_CHECKING

from aitheme.charts.face import drawing_font
from aitheme.charts.fonts import find_font, missing_glyphs

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["font_css"]


def font_css(page: str) -> str:
    """Return an ``@font-face`` rule with the glyphs a page needs.

    Parameters
    ----------
    page
        Text of the page; every character in it gets its glyph.

    Returns
    -------
    str
        Empty where fontTools is not installed: the page then uses the reader's own Chinese font.
    """
    if importlib.util.find_spec("fontTools") is None:
        return ""
    characters = "".join(
        sorted({character for character in set(page) if character.isprintable()} | set(map(chr, range(32, 127))))
    )
    encoded = base64.b64encode(_subset(characters)).decode()
    return f"@font-face {{ font-family: 'aitheme CJK'; src: url(data:font/woff;base64,{encoded}) format('woff'); }}"


@cache
def _subset(characters: str) -> bytes:
    """Return a WOFF with the glyphs of some characters."""
    from fontTools import subset

    whole = find_font()
    everyday = drawing_font(whole)  # a tenth of the glyphs to look through
    chosen = whole if missing_glyphs(characters, everyday) else everyday
    options = subset.Options(
        flavor="woff", layout_features=[], hinting=False, notdef_outline=True, font_number=_face(chosen.path)
    )
    buffer = io.BytesIO()
    with subset.load_font(str(chosen.path), options) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(text=characters)
        cutter.subset(font)
        subset.save_font(font, buffer, options)
    return buffer.getvalue()


def _face(path: Path) -> int:
    """Return which face of a collection is the simplified Chinese one (the collections known here hold it third)."""
    return 2 if path.name == "NotoSansCJK-Regular.ttc" else 0
