"""Asking vendors in order until one delivers rows that pass, and keeping a record of all that were asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aitheme.sources.akshare.checks import NO_REJECTS, join_rejects
from aitheme.sources.akshare.outcomes import Attempt, Blocked, Empty, NetworkFailure, Ok, Outcome, Rejected, SchemaDrift

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from aitheme.sources.akshare.gateway import Answer, Endpoint, Gateway

__all__ = ["Ask", "Fetched", "Reading", "first_good"]

# A frame of which more than this share fails its checks is not trusted at all.
_MAX_REJECTED: Final = 0.2
_WEIGHT: Final = (Rejected, SchemaDrift, Blocked, NetworkFailure, Empty)


@dataclass(frozen=True, slots=True)
class Reading:
    """A vendor's rows in canonical units.

    Parameters
    ----------
    frame
        Rows that passed their checks.
    rejects
        Rows that did not.
    notes
        What was repaired or left out on the way.
    outcome
        Set when the answer as a whole must not be used, whatever its rows look like.
    """

    frame: pd.DataFrame
    rejects: pd.DataFrame = field(default_factory=lambda: NO_REJECTS)
    notes: tuple[str, ...] = ()
    outcome: Outcome | None = None

    def judged(self) -> Outcome:
        """Return what the reading amounts to."""
        if self.outcome is not None:
            return self.outcome
        refused, passed = len(self.rejects), len(self.frame)
        if refused and refused > _MAX_REJECTED * (refused + passed):
            return Rejected(refused, tuple(dict.fromkeys(self.rejects["reason"].tolist())))
        return Ok(passed) if passed else Empty("unexplained", "no row inside the window")


@dataclass(frozen=True, slots=True)
class Ask:
    """One vendor's way of answering a question.

    Parameters
    ----------
    endpoint
        What to call.
    arguments
        Its arguments.
    read
        Turns its answer into canonical rows.
    """

    endpoint: Endpoint
    arguments: dict[str, Any]
    read: Callable[[Answer], Reading]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What asking in order came to.

    Parameters
    ----------
    reading
        The rows used; None when no vendor delivered usable ones.
    outcome
        Of the whole question.
    answer
        The answer used.
    attempts
        Everyone asked.
    rejects
        Rows refused, of every vendor asked.
    fallback
        Whether the answer used is not the first vendor's.
    """

    reading: Reading | None
    outcome: Outcome
    answer: Answer | None
    attempts: tuple[Attempt, ...]
    rejects: pd.DataFrame
    fallback: bool

    @property
    def source(self) -> str:
        """Vendor whose rows are used, or an empty text."""
        return self.answer.endpoint.vendor if self.answer is not None else ""

    @property
    def origin(self) -> str:
        """Function and host the rows come from, or of the last attempt."""
        if self.answer is not None:
            return self.answer.origin
        return self.attempts[-1].endpoint if self.attempts else ""


def first_good(
    gateway: Gateway, asks: Sequence[Ask], explain: Callable[[Empty], Empty] = lambda empty: empty
) -> Fetched:
    """Ask vendors in order; take the first clean answer, or else the first one that is mostly clean.

    Parameters
    ----------
    gateway
        Calls akshare.
    asks
        In order of preference.
    explain
        Puts a known reason (suspended, not listed, …) to an empty answer; an explained one ends the search.
    """
    attempts: list[Attempt] = []
    rejects: list[pd.DataFrame] = []
    usable: list[tuple[bool, Answer, Reading]] = []
    for ask in asks:
        answer = gateway.fetch(ask.endpoint, **ask.arguments)
        reading = None if answer.outcome is not None else ask.read(answer)
        outcome = reading.judged() if reading is not None else answer.outcome
        assert outcome is not None
        outcome = explain(outcome) if isinstance(outcome, Empty) else outcome
        attempts.append(answer.attempt(outcome))
        if reading is not None and len(reading.rejects):
            rejects.append(reading.rejects.assign(reason=reading.rejects["reason"] + f" [{answer.origin}]"))
        if isinstance(outcome, Ok) and reading is not None:
            usable.append((ask.endpoint.vendor != asks[0].endpoint.vendor, answer, reading))
            if not len(reading.rejects):
                break
        if isinstance(outcome, Empty) and outcome.settles:
            break
    return _conclude(attempts, rejects, usable)


def _conclude(
    attempts: list[Attempt], rejects: list[pd.DataFrame], usable: list[tuple[bool, Answer, Reading]]
) -> Fetched:

    refused = join_rejects(*rejects)
    if usable:
        # The last usable one is the clean one when there is a clean one; otherwise the first in order wins.
        fallback, answer, reading = usable[-1] if not len(usable[-1][2].rejects) else usable[0]
        return Fetched(reading, Ok(len(reading.frame)), answer, tuple(attempts), refused, fallback)
    return Fetched(None, _overall(attempts), None, tuple(attempts), refused, fallback=False)


def _overall(attempts: Sequence[Attempt]) -> Outcome:
    """Return the outcome that says most: two vendors without anything confirm each other."""
    outcomes = [attempt.outcome for attempt in attempts]
    empties = [outcome for outcome in outcomes if isinstance(outcome, Empty)]
    settled = [outcome for outcome in empties if outcome.settles]
    if settled:
        return settled[-1]
    unknown = [outcome for outcome in empties if outcome.reason == "unknown_symbol"]
    agreeing = {a.endpoint.partition("@")[0] for a in attempts if isinstance(a.outcome, Empty)}
    if len(agreeing) > 1 and not unknown:
        return Empty("confirmed", f"{len(agreeing)} vendors had nothing")
    if unknown and len(empties) == len(outcomes):
        return unknown[0]
    for kind in _WEIGHT:
        for outcome in outcomes:
            if isinstance(outcome, kind):
                return outcome
    return Empty("unexplained", "nobody to ask")
