"""Exhibits of the reports, redrawn from data: one call each, chart or table with its rows, caption and source.

>>> from aitheme.exhibits import glsc_20231229, hfzq_202402, htsc_20230420, mszq_20240328, tfzq_20240309
>>> mszq_20240328.index_lines(market)  # doctest: +SKIP
"""

from __future__ import annotations

from aitheme.exhibits import glsc_20231229, hfzq_202402, htsc_20230420, mszq_20240328, tfzq_20240309
from aitheme.exhibits.base import Exhibit, ExhibitDefinition, UnavailableError, exhibit
from aitheme.exhibits.books import book

__all__ = [
    "Exhibit",
    "ExhibitDefinition",
    "UnavailableError",
    "book",
    "exhibit",
    "glsc_20231229",
    "hfzq_202402",
    "htsc_20230420",
    "mszq_20240328",
    "tfzq_20240309",
]
