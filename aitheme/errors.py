"""Errors that a user can act on: each names the parameter, the value, what is allowed and the next step."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AithemeError",
    "ArchiveError",
    "CalendarHorizonError",
    "DateRangeError",
    "FontError",
    "NothingUsableError",
    "RegistryError",
    "StoreBusyError",
    "StoreError",
    "SymbolError",
    "UnknownNameError",
]

_MAX_SUGGESTIONS = 3


class AithemeError(ValueError):
    """Base of every error aitheme raises on purpose; the command line prints it as one line and exits with 2."""


class SymbolError(AithemeError):
    """A security code or name that cannot be read, or that means more than one security."""


class CalendarHorizonError(AithemeError):
    """A date outside the span for which an exchange's sessions are known."""


class DateRangeError(AithemeError):
    """Dates that are reversed, not dates at all, or outside the data."""


class RegistryError(AithemeError):
    """A theme file that contradicts itself; the message carries file, line and fix."""


class ArchiveError(AithemeError):
    """An archive folder or file that cannot be used."""


class StoreError(AithemeError):
    """A store that is missing, locked, damaged or of another schema."""


class StoreBusyError(StoreError):
    """Another refresh writes the store; the command line exits with 75 ("try again later" of sysexits)."""


class NothingUsableError(StoreError):
    """A source that delivered nothing, or could not be reached; the command line exits with 1."""


class FontError(AithemeError):
    """No font with Chinese glyphs is available, so a chart would show boxes."""


class UnknownNameError(AithemeError):
    """A basket, report, release, model or benchmark id that does not exist."""

    @classmethod
    def build(cls, parameter: str, value: str, allowed: Iterable[str], next_step: str) -> UnknownNameError:
        """Compose the message, with the nearest known names as suggestions.

        Parameters
        ----------
        parameter
            What the value was given for, for example ``"basket"``.
        value
            The unknown value.
        allowed
            The names that exist.
        next_step
            What the user can do to see the valid values.
        """
        known = sorted(allowed)
        near = difflib.get_close_matches(value, known, n=_MAX_SUGGESTIONS, cutoff=0.5)
        near += [name for name in known if value and value in name and name not in near]
        hint = f"did you mean {', '.join(near[:_MAX_SUGGESTIONS])}? " if near else ""
        return cls(f"{parameter}: {value!r} is not one of the {len(known)} known; {hint}{next_step}")
