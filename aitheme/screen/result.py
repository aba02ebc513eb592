"""What a screen returns: the names, and everything needed to trust or repeat it."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from aitheme.screen.columns import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from aitheme.panel import Provenance

__all__ = ["FunnelStep", "ScreenResult", "formats_of", "frame_html", "json_ready", "watermark"]

_SHOWN_ROWS = 50
_PERCENT = frozenset({"ratio", "ratio per year"})
SIMULATED = "SIMULATED 模拟数据"


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How many names one step removed.

    Parameters
    ----------
    clause
        The condition as written, or what was done before the first one.
    before, after
        Names before and after it.
    removed
        ``before - after``.
    unknown
        Names among the removed for which the condition is NULL, not false.
    """

    clause: str
    before: int
    removed: int
    unknown: int
    after: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {key: getattr(self, key) for key in ("clause", "before", "removed", "unknown", "after")}


@dataclass(frozen=True, slots=True)
class ScreenResult:
    """The names for which an expression is true as of a date.

    Parameters
    ----------
    frame
        One row per name: symbol, name and the columns asked for (units: :func:`aitheme.screen.columns_table`).
    expression
        As written.
    as_of
        Date asked for.
    session
        Session of the prices: the last on or before `as_of`.
    provenance
        Source, snapshot and whether the data is simulated.
    funnel
        Names removed by each step.
    matched
        Names before `limit`.
    universe
        Names the clauses started from.
    nulls
        For each column used, how many of those it is NULL for.
    notes
        What the reader must know: dated attributes, missing data, baskets not public yet.
    order_by, limit
        As asked for.
    """

    frame: pd.DataFrame
    expression: str
    as_of: date
    session: date
    provenance: Provenance
    funnel: tuple[FunnelStep, ...]
    matched: int
    universe: int
    nulls: Mapping[str, int]
    notes: tuple[str, ...]
    order_by: tuple[str, ...]
    limit: int | None

    @property
    def snapshot(self) -> str:
        """File name of the store snapshot."""
        return self.provenance.snapshot

    @property
    def symbols(self) -> tuple[str, ...]:
        """The names shown, in order."""
        return tuple(self.frame["symbol"])

    @property
    def formats(self) -> dict[str, str]:
        """Format specification by column, for a table."""
        return formats_of(self.frame)

    def summary(self) -> str:
        """Return one line: expression, date, snapshot and how many names are left."""
        shown = f", {len(self.frame)} shown" if len(self.frame) < self.matched else ""
        return (
            f"{self.expression} | as of {self.as_of} (prices of {self.session}) | {self.matched} of {self.universe} "
            f"names{shown} | {self.provenance.source} {self.snapshot}"
        )

    def funnel_table(self) -> pd.DataFrame:
        """Return the funnel as a frame."""
        import pandas as pd

        return pd.DataFrame([step.to_dict() for step in self.funnel])

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "expression": self.expression,
            "as_of": self.as_of.isoformat(),
            "session": self.session.isoformat(),
            "source": self.provenance.source,
            "snapshot": self.snapshot,
            "simulated": self.provenance.simulated,
            "universe": self.universe,
            "matched": self.matched,
            "order_by": list(self.order_by),
            "limit": self.limit,
            "funnel": [step.to_dict() for step in self.funnel],
            "nulls": dict(self.nulls),
            "notes": list(self.notes),
            "rows": [{key: json_ready(value) for key, value in row.items()} for row in self.frame.to_dict("records")],
        }

    def _repr_html_(self) -> str:
        head = f"<p>{watermark(simulated=self.provenance.simulated)}{html.escape(self.summary())}</p>"
        steps = " → ".join(f"{step.after} {html.escape(step.clause)}" for step in self.funnel)
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return f"{head}{frame_html(self.frame)}<p><small>{steps}</small></p><ul>{notes}</ul>"

    def __repr__(self) -> str:
        return f"ScreenResult({self.summary()})\n{self.frame.head(_SHOWN_ROWS)}"


def watermark(*, simulated: bool) -> str:
    """Return the mark that simulated data carries, empty otherwise."""
    return f"<b>{SIMULATED}</b> " if simulated else ""


def formats_of(frame: pd.DataFrame) -> dict[str, str]:
    """Return a format specification for each column of numbers, by its unit."""
    formats = {}
    for name in frame.columns:
        column = CATALOGUE.get(name)
        if column is None or column.kind != "number":
            continue
        if column.unit in _PERCENT:
            formats[name] = ".1%"
        elif column.unit in {"sessions", "count", "days"} or name.endswith("_cap") or name == "amount_20":
            formats[name] = ",.0f"
        else:
            formats[name] = ".2f"
    return formats


def frame_html(frame: pd.DataFrame, formats: Mapping[str, str] | None = None) -> str:
    """Return a frame as an HTML table, numbers by their unit, at most 50 rows."""
    specifications = formats_of(frame) if formats is None else formats
    shown = frame.head(_SHOWN_ROWS).astype(object)
    for name in shown.columns:
        shown[name] = [_cell(value, specifications.get(str(name))) for value in shown[name]]
    more = f"<p>… {len(frame) - len(shown)} more rows</p>" if len(frame) > len(shown) else ""
    return str(shown.to_html(index=False, escape=True)) + more


def _cell(value: Any, specification: str | None) -> str:
    plain = json_ready(value)
    if plain is None:
        return ""
    return format(plain, specification) if specification and isinstance(plain, int | float) else str(plain)


def json_ready(value: Any) -> Any:
    """Return a plain Python value; NaN, NaT and NA become None, dates ISO text."""
    # NA compares to NA, so it goes first; NaN and NaT differ from themselves.
    if value is None or type(value).__name__ == "NAType" or value != value:  # noqa: PLR0124
        return None
    if isinstance(value, date):
        return value.isoformat()[:10]
    return value.item() if hasattr(value, "item") else value
