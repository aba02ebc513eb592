"""Execute every notebook and write what it shows: ``python -m notebooks --source demo --out build/notebooks``.

A cell that fails ends the run with the notebook and the cell named, and exit code 1; the executed part is kept for a look.
"""

import argparse
import sys
import time
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter
from papermill.exceptions import PapermillExecutionError

HERE = Path(__file__).parent


def main() -> int:
    """Run the notebooks named, or all."""
    parser = argparse.ArgumentParser(prog="python -m notebooks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="notebooks to run, by the start of their name; all by default")
    parser.add_argument("--source", default="demo", help="demo, archive, akshare or store")
    parser.add_argument("--archive", default="", help="folder of dumps, for --source archive")
    parser.add_argument("--data", help="store directory [default: OUT/store-SOURCE]")
    parser.add_argument("--as-of", help="date of every notebook [default: as written in it]")
    parser.add_argument("--notebooks", type=Path, default=HERE, help="folder of the notebooks")
    parser.add_argument("--out", type=Path, default=Path("build/notebooks"), help="where the executed notebooks go")
    given = parser.parse_args()
    paths = [
        path
        for path in sorted(given.notebooks.glob("*.ipynb"))
        if not given.names or any(path.name.startswith(name) for name in given.names)
    ]
    if not paths:
        sys.stderr.write(f"notebooks: no notebook in {given.notebooks} is called {' or '.join(given.names) or '*'}\n")
        return 2
    out = given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    parameters = {
        "source": given.source,
        "archive": str(Path(given.archive).resolve()) if given.archive else "",
        "data": str(Path(given.data).resolve() if given.data else out / f"store-{given.source}"),
    }
    if given.as_of:
        parameters["as_of"] = given.as_of
    failed = [path.stem for path in paths if not _ran(path, out, parameters)]
    sys.stdout.write(f"{len(paths) - len(failed)} notebooks executed, {len(failed)} failed -> {out}\n")
    return 1 if failed else 0


def _ran(path: Path, out: Path, parameters: dict[str, str]) -> bool:
    """Execute one notebook into the folder, as notebook and page; tell whether all its cells passed."""
    started = time.monotonic()
    target = out / path.name
    try:
        # The kernel works in the output folder, so that what a notebook writes stays out of the sources.
        papermill.execute_notebook(
            path, target, parameters, cwd=out, kernel_name="python3", language="python", progress_bar=False
        )
    except (PapermillExecutionError, CellExecutionError) as error:
        sys.stderr.write(f"{path.name}: {_failure(nbformat.read(target, as_version=4), error)}\n")
        return False
    _page(target)
    sys.stdout.write(f"{path.name}: {time.monotonic() - started:.1f} s\n")
    return True


def _failure(notebook: nbformat.NotebookNode, error: Exception) -> str:
    """Name the cell that failed: the last one that ran."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.execution_count]
    said = f"{error.ename}: {error.evalue}" if hasattr(error, "ename") else str(error).strip().splitlines()[-1]
    return f"cell {cells[-1].id!r} failed: {said}" if cells else said


def _page(notebook: Path) -> None:
    """Write the executed notebook as an HTML page that asks no network for anything."""
    exporter = HTMLExporter(mathjax_url="", require_js_url="", jquery_url="", embed_images=True)
    body, _ = exporter.from_filename(str(notebook))
    notebook.with_suffix(".html").write_text(body, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
