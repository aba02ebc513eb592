"""Where data comes from: each source speaks canonical symbols, units and columns, and nothing of its vendor leaks out."""

from __future__ import annotations

from aitheme.sources.base import DATASETS, Batch, Dataset, FetchRequest, Source, empty_rejects

__all__ = ["DATASETS", "Batch", "Dataset", "FetchRequest", "Source", "empty_rejects"]
