"""A small book of every kind of exhibit, drawn once from the simulated market."""

import json
from types import SimpleNamespace

import pytest

from aitheme.reports import write_book
from tests.exhibits.conftest import ai_theme, demo_market, toy_market  # noqa: F401 (fixtures)

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
