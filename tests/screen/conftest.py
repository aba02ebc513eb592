"""Stores to screen: simulated, invented, and (where it is at hand) the real archive."""

from __future__ import annotations

import pytest
from screen_store import invent

from aitheme.sources import FetchRequest
from aitheme.sources.demo import DemoSource
from aitheme.store import StoreFiles, open_market, refresh
from aitheme.themes import load_theme


@pytest.fixture(scope="session")
def ai_theme():
    return load_theme("ai")


@pytest.fixture(scope="session")
def demo_market(tmp_path_factory, ai_theme):
    files = StoreFiles(tmp_path_factory.mktemp("demo"))
    refresh(files, DemoSource(ai_theme), FetchRequest(), universe="all")
    with open_market(files.root) as market:
        yield market


@pytest.fixture(scope="session")
def archive_market(tmp_path_factory, archive_root, ai_theme):
    """The theme's names from the real archive."""
    from aitheme.sources.archive import ArchiveSource

    files = StoreFiles(tmp_path_factory.mktemp("archive"))
    source = ArchiveSource(archive_root, ai_theme)
    refresh(files, source, FetchRequest(frozenset(ai_theme.security)), universe="theme")
    with open_market(files.root) as market:
        yield market


@pytest.fixture(scope="session")
def invented():
    """An invented market with suspensions, a new listing, a delisting, limit days and estimates."""
    return invent()
