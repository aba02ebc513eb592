"""The notebooks run from an empty folder on the simulated market, follow their parameters, and fail when a cell fails."""

import json
import re
import subprocess
import sys

import nbformat
import pytest

from tests.conftest import PROJECT
from tests.notebooks.conftest import NOTEBOOKS

pytestmark = [
    # Raised inside papermill and jupyter_client, not by the notebooks.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
BY_NAME = {path.stem[:2]: path for path in NOTEBOOKS}


def outputs(notebook, cell_id=None):
    return [
        output
        for cell in notebook.cells
        if cell.cell_type == "code" and cell_id in (None, cell.id)
        for output in cell.outputs
    ]


def shown(notebook, cell_id):
    """Everything a cell shows, as one text."""
    found = outputs(notebook, cell_id)
    return "\n".join(
        str(output.get("text", "")) + "".join(map(str, output.get("data", {}).values())) for output in found
    )


def test_there_are_seven():
    assert [path.stem for path in NOTEBOOKS] == [
        "01_quickstart", "02_baskets_and_pe", "03_event_study", "04_screening", "05_chart_book", "06_own_theme",
        "07_live_data",
    ]  # fmt: skip


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_on_the_simulated_market(path, executed):
    notebook, _ = executed(path)
    found = outputs(notebook)
    assert found
    assert not [output for output in found if output.output_type == "error"]
    # What comes out of the simulated market says so.
    assert "SIMULATED 模拟数据" in json.dumps(found, ensure_ascii=False)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_committed_is_clean(path):
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)
    assert cells[0].metadata["tags"] == ["parameters"]
    assert all(f"{name} = " in cells[0].source for name in ("source", "archive", "data", "as_of"))
    # Ids are words, so that a failing cell can be named and a diff read; the layout is nbformat's own.
    assert all(re.fullmatch(r"[a-z][a-z0-9-]+", cell.id) for cell in notebook.cells)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert text == nbformat.writes(notebook, version=4, indent=1) + "\n"
    assert not re.search(r"/tmp|/work|/home|https?://", text)  # noqa: S108 (none may be there)


def test_another_date_gives_another_answer(executed):
    """On the eve of the report its ratings are not known; the same cells then say so."""
    base, _ = executed(BY_NAME["02"])
    eve, _ = executed(BY_NAME["02"], as_of="2024-03-27")
    assert "推荐" in shown(base, "pe")
    assert "推荐" not in shown(eve, "pe")
    assert "2024-03-27" in shown(eve, "pe")
    numbers = [re.findall(r"-?\d+\.\d%", shown(notebook, "weights")) for notebook in (base, eve)]
    assert len(numbers[0]) == len(numbers[1]) == 20
    assert numbers[0] != numbers[1]


def test_releases_whose_window_is_not_over_are_left_out(executed):
    notebook, _ = executed(BY_NAME["03"], as_of="2024-03-15")
    assert "left out, window not over: ['kimi-20240318']" in shown(notebook, "study")
    assert "sora-20240216" in shown(notebook, "compare")
    assert "kimi-20240318" not in shown(notebook, "compare")


def runner(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "notebooks", *arguments],
        cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture
def failing(tmp_path):
    """A notebook whose second cell fails."""
    cells = [nbformat.v4.new_code_cell("source = data = ''", metadata={"tags": ["parameters"]}),
             nbformat.v4.new_code_cell("1 / 0"), nbformat.v4.new_code_cell("'never'")]  # fmt: skip
    for cell, name in zip(cells, ("parameters", "divide", "after"), strict=True):
        cell["id"] = name
    (tmp_path / "in").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "in" / "00_fails.ipynb")
    return tmp_path


def test_a_failing_cell_fails_the_run_and_is_named(failing):
    done = runner("--notebooks", str(failing / "in"), "--out", str(failing / "out"))
    assert done.returncode == 1
    assert "00_fails.ipynb: cell 'divide' failed: ZeroDivisionError: division by zero" in done.stderr
    assert "0 notebooks executed, 1 failed" in done.stdout
    kept = nbformat.read(failing / "out" / "00_fails.ipynb", as_version=4)
    assert [cell.execution_count for cell in kept.cells if cell.id == "after"] == [None]


def test_the_runner_writes_a_page_that_asks_no_network(demo_store, tmp_path):
    done = runner("07", "--data", str(demo_store), "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "07_live_data.ipynb").is_file()
    page = (tmp_path / "07_live_data.html").read_text(encoding="utf-8")
    assert "latest estimate used" in page
    assert not re.search(r"""<(script|link|img)[^>]+(src|href)=["']https?://""", page)


def test_an_unknown_notebook_is_refused(tmp_path):
    done = runner("99", "--out", str(tmp_path))
    assert done.returncode == 2
    assert "is called 99" in done.stderr
