"""How a result shows itself in a notebook: a title, facts, tables; everything escaped, simulated data marked."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

__all__ = ["Rows", "card"]

_SHOWN = 30
_SIMULATED = "SIMULATED 模拟数据"


@dataclass(frozen=True, slots=True)
class Rows:
    """A table of a card.

    Parameters
    ----------
    frame
        Its rows; the first 30 are shown and the others counted.
    caption
        Line above it.
    formats
        Format specification by column, ``.1%`` for a ratio.
    """

    frame: pd.DataFrame
    caption: str = ""
    formats: Mapping[str, str] = field(default_factory=dict)

    def html(self) -> str:
        """Return the table; a missing value is an empty cell."""
        shown = self.frame.head(_SHOWN).astype(object)
        for name in shown.columns:
            shown[name] = [_cell(value, self.formats.get(str(name))) for value in shown[name]]
        more = len(self.frame) - len(shown)
        head = f"<p><b>{escape(self.caption)}</b></p>" if self.caption else ""
        return f"{head}{shown.to_html(index=False, escape=True, border=0)}" + (
            f"<p>… {more:,} more</p>" if more else ""
        )


def card(title: str, facts: Iterable[str] = (), tables: Iterable[Rows] = (), *, simulated: bool = False) -> str:
    """Return a result as a piece of HTML.

    Parameters
    ----------
    title
        What it is, in a line.
    facts
        Lines below the title.
    tables
        Tables below the facts; empty ones are left out.
    simulated
        Whether the numbers are made up.
    """
    mark = f"<b>{_SIMULATED}</b> " if simulated else ""
    lines = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    drawn = "".join(rows.html() for rows in tables if len(rows.frame))
    return f"<div>{mark}<b>{escape(title)}</b>{f'<ul>{lines}</ul>' if lines else ''}{drawn}</div>"


def _cell(value: Any, specification: str | None) -> str:
    # A missing value differs from itself, except NA, whose comparison has no truth value.
    if value is None or type(value).__name__ == "NAType" or value != value:  # noqa: PLR0124
        return ""
    return format(value, specification) if specification else str(value)
