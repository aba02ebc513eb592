"""Live data of free vendors through akshare: politely fetched, checked, and dated.

>>> from aitheme.sources.akshare import AkshareSource, LiveRequest, Universe
>>> source = AkshareSource(Universe(frozenset({"300364.SZ"})))
>>> source.name
'akshare'

akshare itself is imported when the first vendor is asked.
"""

from __future__ import annotations

from aitheme.sources.akshare.datasets import CADENCE_DAYS, EVENING_DATASETS, LIVE_DATASETS, PRICE_DATASETS
from aitheme.sources.akshare.outcomes import (
    Attempt,
    Blocked,
    Empty,
    LiveBatch,
    NetworkFailure,
    Ok,
    Outcome,
    Rejected,
    SchemaDrift,
)
from aitheme.sources.akshare.plan import FetchPlan, Progress
from aitheme.sources.akshare.politeness import OfflineError, Politeness
from aitheme.sources.akshare.request import Known, LiveRequest, Universe
from aitheme.sources.akshare.source import AkshareSource

__all__ = [
    "CADENCE_DAYS",
    "EVENING_DATASETS",
    "LIVE_DATASETS",
    "PRICE_DATASETS",
    "AkshareSource",
    "Attempt",
    "Blocked",
    "Empty",
    "FetchPlan",
    "Known",
    "LiveBatch",
    "LiveRequest",
    "NetworkFailure",
    "OfflineError",
    "Ok",
    "Outcome",
    "Politeness",
    "Progress",
    "Rejected",
    "SchemaDrift",
    "Universe",
]
