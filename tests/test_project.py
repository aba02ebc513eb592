"""The project's own files agree with each other."""

import importlib
import re
import sys
import tomllib
from pathlib import Path

import aitheme

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"arch": "arch-py", "duckdb": "python-duckdb"}


def requirement(line):
    name, specifier = re.match(r"([\w.-]+)(.*)", line.strip()).groups()
    return name.lower().replace("_", "-"), specifier.replace(" ", "")


def test_environment_yml_follows_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = dict(requirement(line) for line in project["dependencies"] + project["optional-dependencies"]["notebook"])
    wanted = {CONDA_NAMES.get(name, name): specifier for name, specifier in wanted.items()}
    listed = re.findall(r"^  - ([\w.-]+[><=].*)$", (ROOT / "environment.yml").read_text(encoding="utf-8"), re.MULTILINE)
    conda = dict(requirement(line) for line in listed)
    assert conda.pop("python") == project["requires-python"]
    assert conda == wanted
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert all(f"- {line}\n" in text for line in project["optional-dependencies"]["cjk"])


def test_the_lock_is_hashed_names_no_index_and_covers_every_requirement():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert "index-url" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    pinned = {requirement(entry)[0] for entry in entries}
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = {name: lines for name, lines in project["optional-dependencies"].items() if name != "bench"}
    extras = [line for lines in installed.values() for line in lines]
    assert {requirement(line)[0] for line in [*project["dependencies"], *extras]} <= pinned


def test_the_public_surface_is_small_and_real():
    assert len(aitheme.__all__) <= 25
    for name in aitheme.__all__:
        assert getattr(aitheme, name) is not None
    assert {*aitheme._HOMES, "screen"} == set(aitheme.__all__)


def test_rooms_import_only_what_is_to_their_left():
    order = [
        "errors", "symbols", "calendar", "consensus", "themes", "sources", "store", "panel", "returns", "valuation",
        "multiples", "randombaskets", "crowding", "composition", "analysis",
    ]  # fmt: skip
    allowed = {
        "errors": set(),
        "display": set(),
        "symbols": {"errors"},
        "calendar": {"errors"},
        "themes": {"errors", "symbols", "calendar"},
        "sources": {"errors", "symbols", "calendar", "themes"},
        "panel": {"errors", "symbols"},
        "consensus": {"errors"},
        "store": {"errors", "symbols", "calendar", "consensus", "sources", "panel"},
        "charts": {"errors"},
        "returns": {"errors"},
        "randombaskets": {"errors"},
        "crowding": set(),
        "composition": set(),
        "valuation": {"errors"},
        "indicators": {"errors"},
        "multiples": {"errors", "consensus", "valuation"},
        "eventstudy": {"errors", "calendar", "panel"},
        "screen": {
            "errors",
            "symbols",
            "calendar",
            "consensus",
            "themes",
            "store",
            "panel",
            "returns",
            "valuation",
            "eventstudy",
        },
        "analysis": {*order, "eventstudy"},
        "exhibits": {*order, "indicators", "eventstudy", "charts"},
        "reports": {"errors", "calendar", "themes", "store", "exhibits", "charts"},
    }
    for room, others in allowed.items():
        package = ROOT / "aitheme" / room
        files = [*package.rglob("*.py")] if package.is_dir() else [package.with_suffix(".py")]
        for path in files:
            if path.is_file():
                text = path.read_text(encoding="utf-8")
                used = set(re.findall(r"^\s*(?:from|import) aitheme\.(\w+)", text, re.MULTILINE)) - {room}
                # How a result shows itself in a notebook is below every room.
                used -= {"display"}
                assert used <= others, f"{path.relative_to(ROOT)} imports {used - others}"


def test_sources_do_not_know_the_database():
    for path in (ROOT / "aitheme" / "sources").rglob("*.py"):
        assert "duckdb" not in path.read_text(encoding="utf-8"), path


def test_modules_stay_short():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "aitheme").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 420
    }
    assert not long


def test_importing_the_package_is_cheap():
    importlib.import_module("aitheme")
    assert "aitheme" in sys.modules
