"""The one error of the screener."""

from __future__ import annotations

from aitheme.errors import AithemeError

__all__ = ["ScreenError", "refuse"]

_SNIPPET = 24


class ScreenError(AithemeError):
    """A screen that is refused.

    Parameters
    ----------
    message
        One line: parameter, value, what is allowed, next step.
    position
        Character of the expression the message is about, the first being 1; None when it is about another parameter.
    """

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


def refuse(text: str, start: int, what: str, hint: str) -> ScreenError:
    """Compose the refusal of an expression.

    Parameters
    ----------
    text
        The whole expression.
    start
        Index of the offending character, the first being 0.
    what
        What is wrong.
    hint
        What to write instead.
    """
    snippet = " ".join(text[start : start + _SNIPPET].split()) or "end of expression"
    return ScreenError(f"expression: {what} at character {start + 1} ({snippet!r}); {hint}", start + 1)
