"""One simulated store for all notebooks, and the notebooks executed once."""

import papermill
import pytest

from aitheme.notebook import fill_store
from tests.conftest import PROJECT

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="session")
def demo_store(tmp_path_factory):
    store = tmp_path_factory.mktemp("notebook-store")
    fill_store("demo", store)
    return store


@pytest.fixture(scope="session")
def executed(demo_store, tmp_path_factory):
    """Run a notebook with papermill, as a schedule would, and return it with the folder it worked in."""
    done = {}

    def run(path, **parameters):
        key = (path.name, *sorted(parameters.items()))
        if key not in done:
            folder = tmp_path_factory.mktemp(path.stem)
            values = {"source": "demo", "data": str(demo_store), **parameters}
            done[key] = (
                papermill.execute_notebook(
                    path, folder / path.name, values, cwd=folder, kernel_name="python3", progress_bar=False
                ),
                folder,
            )
        return done[key]

    return run
