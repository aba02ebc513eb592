"""Find a font with Chinese glyphs, check texts against it, and measure them.

The packaged font comes first, so that a chart looks the same on every machine; a font of the system is the fallback.
Without either there is an error that says what to install, never a row of boxes.
"""

from __future__ import annotations

import importlib.util
import os
import struct
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from aitheme.errors import FontError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "FONT_STACK",
    "Font",
    "balanced",
    "check_glyphs",
    "find_font",
    "missing_glyphs",
    "text_width",
    "wrap",
]

_PACKAGE = "noto_cjk_sans_otc"
_PACKAGED = ("Noto Sans CJK SC", "NotoSansCJK-Regular.ttc")
# Family names with the file each is shipped as. Only Regular faces: a thin or bold file alone would set every chart in it.
_SYSTEM = (
    ("Noto Sans CJK SC", "NotoSansCJK-Regular.ttc"),
    ("Noto Sans CJK SC", "NotoSansCJKsc-Regular.otf"),
    ("Noto Sans SC", "NotoSansSC-Regular.otf"),
    ("Noto Sans SC", "NotoSansSC-Regular.ttf"),
    ("Source Han Sans SC", "SourceHanSansSC-Regular.otf"),
    ("WenQuanYi Micro Hei", "wqy-microhei.ttc"),
    ("WenQuanYi Zen Hei", "wqy-zenhei.ttc"),
    ("Microsoft YaHei", "msyh.ttc"),
    ("PingFang SC", "PingFang.ttc"),
    ("Hiragino Sans GB", "Hiragino Sans GB.ttc"),
)
_DIRECTORIES = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
FONT_STACK = (
    "'Noto Sans CJK SC','Noto Sans SC','Source Han Sans SC',"
    "'PingFang SC','Microsoft YaHei','WenQuanYi Micro Hei',sans-serif"
)
"""Families a browser or an SVG viewer may choose from."""

_CMAP_SEGMENTED = 12
_CMAP_DELTA = 4
_CJK_START = 0x2E80
_WIDE = 1.0
# Advance widths of the Latin in Noto Sans CJK in em, rounded up to a twenty-fifth:
# no text is wider than estimated. Everything else is a square.
_ADVANCES = (
    (0.24, " "),
    (0.28, "',.:;ij|"),
    (0.32, "Il"),
    (0.36, "!()-[]f{}"),
    (0.4, "/\\rt°"),
    (0.48, '"*?sz'),
    (0.52, "cx"),
    (0.56, "#$+<=>FJLY^_ekvy~–0123456789"),
    (0.6, "ESTVXag"),
    (0.64, "ACPRZ`bdhnopqu"),
    (0.68, "&BK"),
    (0.72, "DG"),
    (0.76, "HNOQU"),
    (0.84, "Mw"),
    (0.88, "W"),
    (0.96, "%@m"),
)
_EM = {character: width for width, characters in _ADVANCES for character in characters}


@dataclass(frozen=True, slots=True)
class Font:
    """A font file the renderer can use.

    Parameters
    ----------
    family
        Family name charts ask for.
    path
        Font file.
    """

    family: str
    path: Path


def _packaged() -> Font | None:
    """Return the font of the ``cjk`` extra; found without importing it."""
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / _PACKAGED[1]
        if path.is_file():
            return Font(_PACKAGED[0], path)
    return None


def _installed(directories: Iterable[str]) -> Font | None:
    """Return the first listed font of the system."""
    files: dict[str, Path] = {}
    for directory in directories:
        for folder, _, names in os.walk(Path(directory).expanduser()):
            files.update({name.lower(): Path(folder) / name for name in names})
    for family, name in _SYSTEM:
        if name.lower() in files:
            return Font(family, files[name.lower()])
    return None


@cache
def find_font() -> Font:
    """Return the font charts are drawn with.

    Raises
    ------
    FontError
        Neither the packaged font nor a known system font is there.
    """
    found = _packaged() or _installed(_DIRECTORIES)
    if found is None:
        raise FontError(
            "font: no font with Chinese glyphs was found; run `pip install 'aitheme[cjk]'` (or noto-cjk-sans-otc), "
            "or install Noto Sans CJK on the system"
        )
    return found


@cache
def _coverage(path: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return first and last code points of the ranges a font file has glyphs for, both ascending."""
    data = path.read_bytes()
    start = struct.unpack_from(">I", data, 12)[0] if data[:4] == b"ttcf" else 0
    for index in range(struct.unpack_from(">H", data, start + 4)[0]):
        tag, _, offset, _ = struct.unpack_from(">4sIII", data, start + 12 + 16 * index)
        if tag == b"cmap":
            return _disjoint(_cmap_ranges(data, offset))
    raise FontError(f"font: {path} holds no character map; reinstall it")


def _disjoint(ranges: list[tuple[int, int]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Merge ranges that overlap or touch."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(low for low, _ in merged), tuple(high for _, high in merged)


def _cmap_ranges(data: bytes, cmap: int) -> list[tuple[int, int]]:
    """Read the Unicode subtables (formats 4 and 12) of a character map."""
    ranges: list[tuple[int, int]] = []
    for index in range(struct.unpack_from(">H", data, cmap + 2)[0]):
        _, _, relative = struct.unpack_from(">HHI", data, cmap + 4 + 8 * index)
        table = cmap + relative
        kind = struct.unpack_from(">H", data, table)[0]
        if kind == _CMAP_SEGMENTED:
            count = struct.unpack_from(">I", data, table + 12)[0]
            groups = struct.iter_unpack(">III", data[table + 16 : table + 16 + 12 * count])
            ranges += [(low, high) for low, high, _ in groups]
        elif kind == _CMAP_DELTA:
            count = struct.unpack_from(">H", data, table + 6)[0] // 2
            ends = struct.unpack_from(f">{count}H", data, table + 14)
            starts = struct.unpack_from(f">{count}H", data, table + 16 + 2 * count)
            ranges += list(zip(starts, ends, strict=True))
    return ranges


def missing_glyphs(text: str, font: Font) -> set[str]:
    """Return the printable characters of a text that a font has no glyph for."""
    lows, highs = _coverage(font.path)
    return {
        character
        for character in set(text)
        if character.isprintable()
        and ((at := bisect_right(lows, ord(character)) - 1) < 0 or ord(character) > highs[at])
    }


def check_glyphs(texts: Iterable[str], font: Font | None = None) -> None:
    """Make sure that every character has a glyph.

    Raises
    ------
    FontError
        Some have none; the message lists them.
    """
    chosen = font or find_font()
    missing = sorted({character for text in texts for character in missing_glyphs(text, chosen)})
    if missing:
        shown = " ".join(f"{character} (U+{ord(character):04X})" for character in missing[:10])
        raise FontError(
            f"font: {chosen.family} has no glyph for {shown}; correct the text or install the cjk extra (Noto Sans CJK)"
        )


def _is_wide(character: str) -> bool:
    """Tell whether a line may break at a character: Chinese, full-width punctuation, arrows."""
    return ord(character) >= _CJK_START or character in "“”‘’…—·→←↑↓"


def text_width(text: str, size: float) -> float:
    """Estimate the width of a text in pixels; never too narrow for the drawing font, which is not opened."""
    return size * sum(_EM.get(character, _WIDE) for character in text)


def wrap(text: str, size: float, width: float) -> list[str]:
    """Break a text into lines not wider than `width` pixels: between any two Chinese characters, at spaces otherwise.

    A line never starts with closing punctuation nor ends with an opening bracket; a word too long for a line is cut.
    """
    lines: list[str] = []
    for paragraph in str(text).split("\n"):
        line = ""
        for token in _tokens(paragraph, size, width):
            if line and text_width(line + token.rstrip(), size) > width and token[0] not in _NO_LINE_START:
                cut = len(line.rstrip(_NO_LINE_END))
                lines.append(line[:cut].rstrip())
                line = (line[cut:] + token).lstrip()
            else:
                line += token
        lines.append(line.rstrip())
    return lines


def balanced(text: str, size: float, width: float) -> list[str]:
    """Break a text like :func:`wrap`, into the same number of lines but of even length, so that no word stands alone."""
    lines = wrap(text, size, width)
    if len(lines) == 1:
        return lines
    narrow = width
    while narrow > size and len(shorter := wrap(text, size, narrow - size / 2)) == len(lines):
        lines, narrow = shorter, narrow - size / 2
    return lines


_NO_LINE_START = "，。、；：！？）】》”’%％,.;:!?)"
_NO_LINE_END = "（【《“‘("


def _tokens(text: str, size: float, width: float) -> Iterable[str]:
    """Yield Chinese characters one by one and runs of other characters up to and with the next space."""
    word = ""
    for character in text:
        wide = _is_wide(character)
        if word and (wide or (character != " " and text_width(word + character, size) > width)):
            # A compound breaks behind its hyphen, any other word where the line ends.
            cut = 0 if wide else word.rfind("-") + 1
            yield word[: cut or len(word)]
            word = word[cut:] if cut else ""
        if wide:
            yield character
        else:
            word += character
            if character in " /;," or (character == "-" and text_width(word, size) > width / 2):
                yield word
                word = ""
    if word:
        yield word
