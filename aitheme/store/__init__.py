"""The point-in-time store: one writer publishes snapshots, many readers each keep the one they opened."""

from __future__ import annotations

from aitheme.store.files import StoreFiles, default_data_dir
from aitheme.store.market import Market, open_market
from aitheme.store.refresh import RefreshReport, refresh
from aitheme.store.status import StoreStatus, store_status

__all__ = [
    "Market",
    "RefreshReport",
    "StoreFiles",
    "StoreStatus",
    "default_data_dir",
    "open_market",
    "refresh",
    "store_status",
]
