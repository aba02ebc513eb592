"""Stores the exhibits are drawn from: the simulated market, and an archive of three invented stocks."""

import pytest

from aitheme.sources.archive import ArchiveSource
from aitheme.sources.base import FetchRequest
from aitheme.sources.demo import DemoSource
from aitheme.store import open_market
from aitheme.store.files import StoreFiles
from aitheme.store.refresh import refresh
from aitheme.themes import load_theme
from tests.conftest import TOY_THEME, write_archive


def filled(root, source, universe="all", symbols=None):
    refresh(StoreFiles(root), source, FetchRequest(symbols=symbols), universe=universe)
    return open_market(root)


@pytest.fixture(scope="session")
def ai_theme():
    return load_theme("ai")


@pytest.fixture(scope="session")
def demo_market(tmp_path_factory, ai_theme):
    with filled(tmp_path_factory.mktemp("demo") / "store", DemoSource(ai_theme, background=20)) as market:
        yield market


@pytest.fixture(scope="session")
def toy_market(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    theme = load_theme(TOY_THEME)
    source = ArchiveSource(write_archive(folder / "archive"), theme)
    with filled(folder / "store", source) as market:
        yield market
