"""Themes: a report collection's knowledge as data (securities, baskets, releases, links, printed tables).

A theme is a folder of CSV and TOML files; :func:`load_theme` validates it as a whole. The packaged theme is ``ai``;
another one is another folder, without any Python.
"""

from __future__ import annotations

from aitheme.themes.loader import load_theme
from aitheme.themes.model import (
    Basket,
    Figure,
    Link,
    Member,
    PrintedEstimate,
    RatingLevel,
    RatingScale,
    Release,
    ReleaseMention,
    Report,
    Security,
    TableMeta,
)
from aitheme.themes.theme import Theme

__all__ = [
    "Basket",
    "Figure",
    "Link",
    "Member",
    "PrintedEstimate",
    "RatingLevel",
    "RatingScale",
    "Release",
    "ReleaseMention",
    "Report",
    "Security",
    "TableMeta",
    "Theme",
    "load_theme",
]
