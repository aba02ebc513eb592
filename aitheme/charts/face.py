"""The part of a font collection that charts use, as a file of its own, and its registration with the renderer.

The renderer maps the font file anew four times for every glyph it draws, and each time touches its tables. A collection such
as Noto Sans CJK holds ten faces, 65,000 glyphs and the layout rules of five languages; one face with the characters of
everyday Chinese and the rules a chart needs draws the same pixels in half the time. A text with any other character is drawn
with the whole collection.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING

import platformdirs

from aitheme.charts.fonts import Font, check_glyphs, find_font, missing_glyphs

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

__all__ = ["drawing_font", "font_for"]

_log = logging.getLogger(__name__)
_making = Lock()
_RECIPE = 3  # part of the cache key: to be raised with every change of what is written
_COLLECTION = b"ttcf"
_HEAD = 1 << 16
_OWN = "aitheme "
# What a shaper does in horizontal text unasked; the rest (vertical forms, widths) is read for every text all the same. `locl`
# stays for the scripts whose default is not the glyph of the character map, like Latin; the rules of named languages go.
_SUBSTITUTIONS = ["calt", "ccmp", "clig", "liga", "locl", "rlig"]
_POSITIONS = ["abvm", "blwm", "curs", "dist", "kern", "mark", "mkmk"]
_VERTICAL = ("VORG", "vhea", "vmtx")
_GB_ROWS, _GB_CELLS = range(0xA1, 0xF8), range(0xA1, 0xFF)
# With what a number format writes by itself, such as the minus sign U+2212, and kana.
_SIGNS, _FULL_WIDTH = range(0x20, 0x3100), range(0xFF00, 0xFFF0)
_FAMILY, _FULL_NAME, _TYPOGRAPHIC_FAMILY = 1, 4, 16
_WINDOWS = (3, 1, 0x409)


def font_for(text: str) -> Font:
    """Return a font that has every character of a text, known to the renderer of this process: the face where it does.

    Raises
    ------
    FontError
        There is no Chinese font, or it lacks a character.
    """
    whole = find_font()
    face = _face(whole)
    if not missing_glyphs(text, face):
        return _registered(face)
    check_glyphs([text], whole)
    return _registered(whole)


@cache
def _face(font: Font) -> Font:
    return drawing_font(font)


@cache
def _registered(font: Font) -> Font:
    import vl_convert

    vl_convert.register_font_directory(str(font.path.parent))
    return font


def drawing_font(font: Font) -> Font:
    """Return the font for everyday texts: a face of a collection from the user's cache, made there where it is missing.

    The face has the characters of GB 2312 and everything before the ideographs, and a family name of its own, so that
    neither the collection nor a system's copy of it is taken in its stead. The cache is the directory of
    ``AITHEME_CACHE``, or the user's cache directory of the platform.

    Parameters
    ----------
    font
        Font found on this machine.

    Returns
    -------
    Font
        `font` itself where it is no collection, and where the face cannot be made (fontTools is not installed, the cache
        cannot be written): charts then look the same and take longer. The log says so.
    """
    with font.path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.startswith(_COLLECTION):
        return font
    face = Font(_OWN + font.family, _place(font, head))
    with _making:
        if face.path.is_file():
            return face
        if importlib.util.find_spec("fontTools") is None:
            _log.debug("font: charts use the whole of %s, which is slower: fontTools is not installed", font.path)
            return font
        try:
            return face if _write(font, face) else font
        except OSError as error:
            if face.path.is_file():  # another process was faster
                return face
            _tell_unwritable(str(error))
            return font


@cache
def _tell_unwritable(reason: str) -> None:
    """Say once per process why charts take longer."""
    _log.warning(
        "font: the cache cannot be written (%s), charts take longer; set AITHEME_CACHE to a directory that can be",
        reason,
    )


def _place(font: Font, head: bytes) -> Path:
    """Return where the face belongs; the head of a collection holds the checksum of every table, so it tells versions."""
    key = hashlib.sha256(f"{_RECIPE} {font.family} {font.path.stat().st_size} ".encode() + head).hexdigest()[:16]
    root = os.environ.get("AITHEME_CACHE") or platformdirs.user_cache_dir("aitheme", appauthor=False)
    # A directory per face, because the renderer takes whole directories.
    return Path(root) / "fonts" / key / "face.otf"


def _write(font: Font, face: Font) -> bool:
    """Write the face under its name in one step; False where the collection has no face of the family."""
    face.path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(suffix=".part", dir=face.path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            if not _extract(font, face.family, file):
                _log.debug("font: %s has no face %s, charts use the whole of it", font.path, font.family)
                return False
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # a cache may be shared between users
        Path(temporary).replace(face.path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return True


def _extract(font: Font, family: str, file: IO[bytes]) -> bool:
    """Copy the everyday part of one face of a collection under another family name; outlines and kerning stay as they are."""
    from fontTools import subset
    from fontTools.ttLib import TTCollection

    with closing(TTCollection(str(font.path), lazy=True)) as collection:
        chosen = next((face for face in collection if face["name"].getDebugName(_FAMILY) == font.family), None)
        if chosen is None:
            return False
        if "GSUB" in chosen:
            scripts = [f"{record.ScriptTag}.dflt" for record in chosen["GSUB"].table.ScriptList.ScriptRecord]
            options = subset.Options(layout_features=_SUBSTITUTIONS, layout_scripts=scripts)
            chosen["GSUB"].prune_pre_subset(chosen, options)
            chosen["GSUB"].prune_lookups()
        options = subset.Options(
            layout_features=_SUBSTITUTIONS + _POSITIONS, layout_scripts=["*"], name_IDs=["*"], notdef_outline=True,
            desubroutinize=True,
        )  # fmt: skip
        options.drop_tables += _VERTICAL
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=_everyday())
        cutter.subset(chosen)
        chosen.recalcBBoxes = False
        _rename(chosen, family)
        # Small tables first: what every glyph asks for then lies on few pages.
        chosen.save(file, reorderTables=True)
    return True


def _everyday() -> set[int]:
    """Return the code points of GB 2312, of all scripts and signs before the ideographs, and of the full-width forms."""
    cells = (bytes([row, cell]).decode("gb2312", "ignore") for row in _GB_ROWS for cell in _GB_CELLS)
    return {*(ord(sign) for sign in cells if sign), *_SIGNS, *_FULL_WIDTH}


def _rename(face: TTFont, family: str) -> None:
    """Leave one family name, in English; licence and copyright stay."""
    names = face["name"]
    for name in (_FAMILY, _FULL_NAME, _TYPOGRAPHIC_FAMILY):
        names.removeNames(nameID=name)
    for name in (_FAMILY, _FULL_NAME):
        names.setName(family, name, *_WINDOWS)
