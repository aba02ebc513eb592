"""Chart books: which exhibits make a report's book, and its HTML, PNG, SVG and XLSX."""

from __future__ import annotations

from aitheme.reports.book import FORMATS, WrittenBook, available_books, write_book, write_exhibits
from aitheme.reports.folder import OutputError
from aitheme.reports.overview import write_overview

__all__ = ["FORMATS", "OutputError", "WrittenBook", "available_books", "write_book", "write_exhibits", "write_overview"]
