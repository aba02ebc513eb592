"""Chart books: which exhibits make a report's book, and its HTML, PNG, SVG and XLSX."""

from __future__ import annotations

from aitheme.reports.book import FORMATS, WrittenBook, available_books, write_book
from aitheme.reports.folder import OutputError

__all__ = ["FORMATS", "OutputError", "WrittenBook", "available_books", "write_book"]
