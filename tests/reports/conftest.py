"""A small book of every kind of exhibit, drawn once from the simulated market."""

import json
from types import SimpleNamespace

import pytest
from filelock import FileLock

from aitheme.reports import write_book
from tests.exhibits.conftest import ai_theme, demo_market, toy_market  # noqa: F401 (fixtures)
from tests.reports.whole_books import written

ONLY = (
    "valuation",
    "index-lines",
    "sub-sectors",
    "release-timeline",
    "opencompass-202403",
    "model-map",
    "rating-scale",
)


@pytest.fixture(scope="session")
def small_book(tmp_path_factory, demo_market, ai_theme):  # noqa: F811 (pytest passes fixtures by name)
    folder = tmp_path_factory.mktemp("books") / "mszq-20240328"
    lines = []
    written = write_book(demo_market, ai_theme, "mszq-20240328", folder, only=ONLY, progress=lines.append)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    page = (folder / "index.html").read_text(encoding="utf-8")
    return SimpleNamespace(folder=folder, written=written, manifest=manifest, page=page, lines=lines)


@pytest.fixture(scope="session")
def whole_books(worker_folder, demo_market, ai_theme):  # noqa: F811 (as above)
    """All five books in every form: the folder, and by book what was drawn. Several test processes write them once."""
    folder = worker_folder / "whole-books"
    folder.mkdir(exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        return SimpleNamespace(folder=folder, drawn=written(demo_market, ai_theme, folder))


@pytest.fixture(scope="session")
def worker_folder(tmp_path_factory, request):
    """A folder that the processes of one test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if hasattr(request.config, "workerinput") else base
