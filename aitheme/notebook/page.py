"""A notebook page without network: charts bring their libraries, long tables can be searched and sorted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aitheme.errors import AithemeError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Browsable", "browse", "offline"]

_EXTRA = "pip install 'aitheme[notebook]'"
_FRAMES = ("frame", "table", "data", "coverage")


def offline() -> None:
    """Let Altair charts and :func:`browse` draw in this notebook without network.

    Raises
    ------
    AithemeError
        The notebook extra is not installed.
    """
    from aitheme.charts.offline import enable_renderer

    _itables().init_notebook_mode(all_interactive=False, connected=False)
    enable_renderer()


@dataclass(frozen=True, slots=True)
class Browsable:
    """A table to search, sort and page through in a notebook.

    Parameters
    ----------
    frame
        The rows.
    caption
        Line above them.
    """

    frame: pd.DataFrame
    caption: str = ""

    def _repr_html_(self) -> str:
        from html import escape

        table: str = _itables().to_html_datatable(
            self.frame, connected=False, display_logo_when_loading=False, maxBytes=0, scrollX=True
        )
        return f"<p>{escape(self.caption)}</p>{table}" if self.caption else table


def browse(rows: Any) -> Browsable:
    """Show a frame, or the table of a result, as a table to search and sort; needs :func:`offline` once before.

    Parameters
    ----------
    rows
        A DataFrame, or a result with one: a screen, a valuation, an exhibit, a store's status.

    Raises
    ------
    AithemeError
        There is no table in it, or the notebook extra is not installed.
    """
    import pandas as pd

    if isinstance(rows, pd.DataFrame):
        return Browsable(rows)
    for name in _FRAMES:
        frame = getattr(rows, name, None)
        if isinstance(frame, pd.DataFrame):
            provenance = getattr(rows, "provenance", None)
            simulated = bool(getattr(rows, "simulated", getattr(provenance, "simulated", False)))
            return Browsable(frame, "SIMULATED 模拟数据" if simulated else "")
    raise AithemeError(f"rows: a {type(rows).__name__} holds no table; give a DataFrame or one of its attributes")


def _itables() -> Any:
    try:
        import itables
    except ImportError as error:
        raise AithemeError(f"itables is not installed; run {_EXTRA}") from error
    return itables
