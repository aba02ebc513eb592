"""Keep a screen under a name, and compare a later one with it."""

from __future__ import annotations

import html
import json
import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aitheme.screen.errors import ScreenError
from aitheme.screen.result import frame_html, watermark

if TYPE_CHECKING:
    import pandas as pd

    from aitheme.screen.result import ScreenResult

__all__ = ["SavedScreen", "ScreenDiff", "diff_screen", "load_screen", "save_screen", "saved_screens"]

_NAME = re.compile(r"\w[\w.-]{0,63}")
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class SavedScreen:
    """A screen as it was saved.

    Parameters
    ----------
    name
        The name it was saved under.
    expression, order_by, limit
        As asked for.
    as_of, session
        Date asked for and session of the prices.
    snapshot, simulated
        Store snapshot, and whether its data is made up.
    names
        Symbol to short name of the rows shown, in order.
    """

    name: str
    expression: str
    order_by: tuple[str, ...]
    limit: int | None
    as_of: date
    session: date
    snapshot: str
    simulated: bool
    names: dict[str, str]


@dataclass(frozen=True, slots=True)
class ScreenDiff:
    """Who came in and who went out between two screens.

    Parameters
    ----------
    before
        The saved screen.
    expression, as_of, snapshot, simulated
        Of the later screen.
    came_in, went_out, stayed
        Symbols.
    names
        Short name by symbol.
    same_question
        Whether expression, order and limit are the same; if not, the difference is not one of the market alone.
    """

    before: SavedScreen
    expression: str
    as_of: date
    snapshot: str
    simulated: bool
    came_in: tuple[str, ...]
    went_out: tuple[str, ...]
    stayed: tuple[str, ...]
    names: dict[str, str]
    same_question: bool

    @property
    def frame(self) -> pd.DataFrame:
        """One row per name that came in or went out: change, symbol, name."""
        import pandas as pd

        rows = [("in", symbol) for symbol in self.came_in] + [("out", symbol) for symbol in self.went_out]
        return pd.DataFrame(
            [(change, symbol, self.names.get(symbol, "")) for change, symbol in rows],
            columns=["change", "symbol", "name"],
        )

    def summary(self) -> str:
        """Return one line."""
        other = "" if self.same_question else f"; asked differently then: {self.before.expression}"
        return (
            f"since {self.before.as_of} ({self.before.name}): {len(self.came_in)} came in, {len(self.went_out)} went out, "
            f"{len(self.stayed)} stayed{other}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        then = self.before
        return {
            "name": then.name,
            "before": {"expression": then.expression, "as_of": then.as_of.isoformat(), "snapshot": then.snapshot},
            "after": {"expression": self.expression, "as_of": self.as_of.isoformat(), "snapshot": self.snapshot},
            "simulated": self.simulated,
            "same_question": self.same_question,
            "came_in": list(self.came_in),
            "went_out": list(self.went_out),
            "stayed": list(self.stayed),
        }

    def _repr_html_(self) -> str:
        head = f"<p>{watermark(simulated=self.simulated)}{html.escape(self.summary())}</p>"
        return head + frame_html(self.frame)


def _path(name: str, folder: str | Path) -> Path:
    if not _NAME.fullmatch(name):
        raise ScreenError(
            f"save: {name!r} is no name for a screen; use up to 64 letters, digits, dots, dashes and underscores"
        )
    return Path(folder) / f"{name}.json"


def save_screen(result: ScreenResult, name: str, folder: str | Path) -> Path:
    """Keep a screen under a name, replacing what was there.

    Parameters
    ----------
    result
        The screen.
    name
        Up to 64 letters, digits, dots, dashes and underscores.
    folder
        Where screens are kept, usually ``screens`` in the store's directory; made if missing.

    Returns
    -------
    pathlib.Path
        The file written.
    """
    path = _path(name, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    names = {
        symbol: "" if label is None else str(label)
        for symbol, label in zip(result.symbols, result.frame["name"], strict=True)
    }
    content = {
        "format": _FORMAT,
        "expression": result.expression,
        "order_by": list(result.order_by),
        "limit": result.limit,
        "as_of": result.as_of.isoformat(),
        "session": result.session.isoformat(),
        "snapshot": result.snapshot,
        "simulated": result.provenance.simulated,
        "names": names,
    }
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    partial.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    partial.replace(path)
    return path


def saved_screens(folder: str | Path) -> tuple[str, ...]:
    """Return the names saved in a folder."""
    return tuple(sorted(path.stem for path in Path(folder).glob("*.json")))


def load_screen(name: str, folder: str | Path) -> SavedScreen:
    """Return a saved screen.

    Raises
    ------
    ScreenError
        There is none of that name, or its file cannot be read.
    """
    path = _path(name, folder)
    if not path.is_file():
        known = ", ".join(saved_screens(folder)) or "none yet"
        raise ScreenError(
            f"diff: no screen {name!r} is saved in {folder} (saved: {known}); run it with --save {name} first"
        )
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return SavedScreen(
            name=name,
            expression=str(raw["expression"]),
            order_by=tuple(raw["order_by"]),
            limit=raw["limit"],
            as_of=date.fromisoformat(raw["as_of"]),
            session=date.fromisoformat(raw["session"]),
            snapshot=str(raw["snapshot"]),
            simulated=bool(raw["simulated"]),
            names=dict(raw["names"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ScreenError(f"diff: {path} is damaged ({error}); save the screen again") from error


def diff_screen(result: ScreenResult, before: SavedScreen) -> ScreenDiff:
    """Compare a screen with a saved one.

    Raises
    ------
    ScreenError
        One is of simulated data and the other is not.
    """
    if result.provenance.simulated != before.simulated:
        kind = "simulated" if before.simulated else "real"
        raise ScreenError(
            f"diff: {before.name!r} was saved from {kind} data, this store is of the other kind; use another name"
        )
    now = dict(zip(result.symbols, (str(label or "") for label in result.frame["name"]), strict=True))
    return ScreenDiff(
        before=before,
        expression=result.expression,
        as_of=result.as_of,
        snapshot=result.snapshot,
        simulated=before.simulated,
        came_in=tuple(symbol for symbol in now if symbol not in before.names),
        went_out=tuple(symbol for symbol in before.names if symbol not in now),
        stayed=tuple(symbol for symbol in now if symbol in before.names),
        names={**before.names, **now},
        same_question=(result.expression, result.order_by, result.limit)
        == (before.expression, before.order_by, before.limit),
    )
