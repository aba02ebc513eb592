"""The file that remembers which vendors blocked us, across processes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["CircuitFile", "OpenCircuit"]

# A vendor that blocked again within this time after its circuit closed gets a doubled pause.
_MEMORY: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class OpenCircuit:
    """A vendor not to be asked before a time.

    Parameters
    ----------
    until
        When it may be tried again (aware, UTC).
    reason
        What the block looked like.
    strikes
        How many blocks in a row, the last one included.
    """

    until: datetime
    reason: str
    strikes: int


class CircuitFile:
    """Open circuits by vendor group, kept in ``vendors.json``.

    Parameters
    ----------
    state_dir
        Folder of the file, made when needed; None keeps everything in memory.
    now
        Returns the current time (aware).
    """

    def __init__(self, state_dir: Path | None, now: Callable[[], datetime]) -> None:
        self._path = None if state_dir is None else state_dir / "vendors.json"
        self._now = now
        self._stamp = -1
        self._state: dict[str, OpenCircuit] = {}

    def get(self, group: str) -> OpenCircuit | None:
        """Return a group's circuit if it is open now."""
        circuit = self._load().get(group)
        return circuit if circuit is not None and self._now() < circuit.until else None

    def all_open(self) -> dict[str, OpenCircuit]:
        """Return every open circuit, for a status report."""
        return {group: circuit for group in self._load() if (circuit := self.get(group)) is not None}

    def strikes(self, group: str) -> int:
        """Return the blocks in a row so far, forgotten three days after the circuit closed."""
        circuit = self._load().get(group)
        return circuit.strikes if circuit is not None and self._now() < circuit.until + _MEMORY else 0

    def open(self, group: str, circuit: OpenCircuit) -> None:
        """Open a circuit and write it down."""
        self._update(group, circuit)

    def close(self, group: str) -> None:
        """Forget a group's block after a proper answer."""
        if group in self._load():
            self._update(group, None)

    def _load(self) -> dict[str, OpenCircuit]:
        """Read the file when another process changed it; an unreadable file counts as no block at all."""
        if self._path is None:
            return self._state
        try:
            stamp = self._path.stat().st_mtime_ns
            if stamp != self._stamp:
                self._state = _parse(self._path.read_text(encoding="utf-8"))
                self._stamp = stamp
        except FileNotFoundError:
            self._state, self._stamp = {}, -1
        return self._state

    def _update(self, group: str, circuit: OpenCircuit | None) -> None:
        if self._path is None:
            self._state.pop(group, None)
            if circuit is not None:
                self._state[group] = circuit
            return
        from filelock import FileLock

        self._path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(self._path) + ".lock"):
            self._stamp = -1
            state = dict(self._load())
            state.pop(group, None)
            if circuit is not None:
                state[group] = circuit
            _write(self._path, state)
            self._stamp = -1


def _parse(text: str) -> dict[str, OpenCircuit]:
    """Read the file's JSON, leaving out what cannot be understood."""
    try:
        entries = json.loads(text)
        circuits = {
            str(group): OpenCircuit(datetime.fromisoformat(e["until"]), str(e["reason"]), int(e["strikes"]))
            for group, e in entries.items()
        }
        return {group: circuit for group, circuit in circuits.items() if circuit.until.tzinfo is not None}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write(path: Path, state: dict[str, OpenCircuit]) -> None:
    """Replace the file in one step, so that a kill leaves the old or the new one."""
    entries = {
        group: {"until": c.until.isoformat(), "reason": c.reason, "strikes": c.strikes} for group, c in state.items()
    }
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(entries, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(path)
