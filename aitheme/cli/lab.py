"""``lab``: JupyterLab with the notebooks."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from aitheme.cli.app import app
from aitheme.cli.output import echo
from aitheme.errors import AithemeError

__all__ = ["lab"]


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(
    context: typer.Context,
    notebooks: Annotated[
        Path, typer.Option("--notebooks", metavar="DIR", help="Where your copies of the notebooks are or go.")
    ] = Path("notebooks"),
) -> None:
    """Open JupyterLab with the notebooks; what you changed is kept. Further options go to JupyterLab."""
    from aitheme.notebook import copy_notebooks

    if find_spec("jupyterlab") is None:
        raise AithemeError("jupyterlab is not installed; run pip install 'aitheme[notebook]'")
    for line in copy_notebooks(notebooks).lines():
        echo(line)
    sys.stdout.flush()
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={notebooks.resolve()}", *context.args]
    raise typer.Exit(subprocess.call(command))  # noqa: S603 (the analyst's own options)
