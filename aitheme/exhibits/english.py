"""English for the cells of printed tables: dates, names the registry knows, and a small vocabulary; sentences stay Chinese."""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from aitheme.exhibits.columns import Column
    from aitheme.themes import Theme

__all__ = ["has_chinese", "in_english", "sources_in_english", "translated"]

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_DATE = re.compile(r"(?:(\d{4})\s*年)?\s*(?:(\d{1,2})\s*月)?\s*(?:(\d{1,2})\s*日)?(底)?")
_PARTS = re.compile(r"[;、]")
_LIST = re.compile(r";\s*")
_SOURCES = re.compile(r"[，、]|, ")
_PUBLISHED_ON = (("微信公众号", "on WeChat"), ("公众号", "on WeChat"), ("官网", "website"), ("网站", "website"))
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@cache
def _words() -> dict[str, str]:
    """Return the packaged vocabulary, Chinese to English."""
    text = resources.files("aitheme.exhibits").joinpath("english.csv").read_text(encoding="utf-8")
    return {row["zh"]: row["en"] for row in csv.DictReader(text.splitlines())}


def has_chinese(text: str) -> bool:
    """Tell whether a text holds a Chinese character."""
    return bool(_CHINESE.search(text))


def _date(text: str) -> str | None:
    """Return a printed date in digits: ``2023 年 1 月`` is ``2023-01``, ``2 月 22 日`` is ``22 Feb``."""
    found = _DATE.fullmatch(text.strip())
    if not found or not any(found.groups()[:3]):
        return None
    year, month, day, end = found.groups()
    if year:
        shown = "-".join([year, *(f"{int(part):02d}" for part in (month, day) if part)])
        return f"end of {shown}" if end else shown
    return f"{int(day)} {_MONTHS[int(month)]}" if month and day else None


def in_english(text: str, theme: Theme) -> str:
    """Return a cell in English where every part of it is known, else as it is.

    Parameters
    ----------
    text
        One value, or several parted by ``;`` or ``、``.
    theme
        Its securities and models lend their English names.
    """
    if not has_chinese(text):
        return _LIST.sub("; ", text)
    words = {**{row.name_zh: row.name_en for row in theme.security.values() if row.name_en}, **_words()}
    whole = words.get(text) or _date(text)
    if whole:
        return whole
    parts = [words.get(part.strip(), part) for part in _PARTS.split(text)]
    return text if any(has_chinese(part) for part in parts) else "; ".join(parts)


def sources_in_english(text: str) -> str:
    """Return what a report names as its sources in English; a name the vocabulary lacks stays as it is.

    >>> sources_in_english("OpenAI 官网，智东西")
    'OpenAI website, Zhidx'
    """
    return ", ".join(_source(part.strip()) for part in _SOURCES.split(text))


def _source(name: str) -> str:
    known = _words().get(name)
    if known:
        return known
    for ending, words in _PUBLISHED_ON:
        if name.endswith(ending):
            owner = name.removesuffix(ending).strip()
            return f"{_words().get(owner, owner)} {words}"
    return name


def translated(
    data: pd.DataFrame, columns: Mapping[str, Column], theme: Theme
) -> tuple[pd.DataFrame, dict[str, Column], tuple[str, ...]]:
    """Add English columns to a table and show them instead of the Chinese ones.

    Parameters
    ----------
    data, columns
        Rows and what is shown of them; ``*_zh`` gives way to ``*_en`` where the table has both.
    theme
        See :func:`in_english`.

    Returns
    -------
    tuple
        Rows, columns, and the labels of the columns in which Chinese remains.
    """
    rows, shown, kept = data.copy(), {}, []
    for name, column in columns.items():
        twin = f"{name.removesuffix('_zh')}_en"
        if name.endswith("_zh") and twin in rows.columns:
            shown[twin] = column
            continue
        texts = [] if column.numeric else [str(cell) for cell in rows[name].dropna()]
        if not any(has_chinese(text) or ";" in text for text in texts):
            shown[name] = column
            continue
        own = f"{name}_in_english"
        rows[own] = rows[name].map(lambda cell: in_english(str(cell), theme), na_action="ignore")
        shown[own] = column
        if any(has_chinese(str(text)) for text in rows[own].dropna()):
            kept.append(column.en)
    return rows, shown, tuple(kept)
