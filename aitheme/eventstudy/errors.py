"""The one error an event study raises for bad input."""

from __future__ import annotations

from aitheme.errors import AithemeError


class StudyError(AithemeError):
    """A parameter of a study cannot be used.

    A ``ValueError``. The message is one line: the parameter, its value, what is allowed, and the next step.
    """
