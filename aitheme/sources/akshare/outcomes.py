"""What can come of asking a vendor: a closed set of outcomes, and the batch that carries one to the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from aitheme.sources.base import Batch

if TYPE_CHECKING:
    from datetime import date, datetime

__all__ = [
    "Attempt", "Blocked", "Empty", "EmptyReason", "LiveBatch", "NetworkFailure", "Ok", "Outcome", "Rejected",
    "SchemaDrift", "VendorSignal",
]  # fmt: skip

EmptyReason = Literal[
    "suspended", "not_listed", "delisted", "no_session", "no_coverage", "confirmed", "unknown_symbol", "unexplained",
]  # fmt: skip
_SETTLED: frozenset[str] = frozenset({"suspended", "not_listed", "delisted", "no_session", "no_coverage", "confirmed"})


@dataclass(frozen=True, slots=True)
class Ok:
    """Rows arrived and passed their checks."""

    rows: int
    kind: ClassVar[str] = "ok"
    settles: ClassVar[bool] = True

    def describe(self) -> str:
        """Return one line for the run record."""
        return f"{self.rows} rows"


@dataclass(frozen=True, slots=True)
class Empty:
    """The vendor answered properly and had nothing.

    Parameters
    ----------
    reason
        ``suspended``, ``not_listed``, ``delisted``, ``no_session``, ``no_coverage`` explain the emptiness;
        ``confirmed`` means that a second, independent vendor had nothing either; ``unknown_symbol`` and
        ``unexplained`` explain nothing, so a watermark must not move.
    detail
        What the explanation rests on.
    """

    reason: EmptyReason
    detail: str = ""
    kind: ClassVar[str] = "empty"

    @property
    def settles(self) -> bool:
        """Whether the window may be considered done."""
        return self.reason in _SETTLED

    def describe(self) -> str:
        """Return one line for the run record."""
        return f"no rows: {self.reason}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, slots=True)
class Blocked:
    """The vendor refuses to serve us: a refusing status, a captcha page, or a circuit that is still open."""

    host: str
    evidence: str
    until: datetime | None = None
    kind: ClassVar[str] = "blocked"
    settles: ClassVar[bool] = False

    def describe(self) -> str:
        """Return one line for the run record."""
        wait = f"; not asked again before {self.until:%Y-%m-%d %H:%M} UTC" if self.until else ""
        return f"{self.host} blocks: {self.evidence}{wait}"


@dataclass(frozen=True, slots=True)
class SchemaDrift:
    """The answer no longer has the layout it had."""

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    detail: str = ""
    kind: ClassVar[str] = "schema_drift"
    settles: ClassVar[bool] = False

    def describe(self) -> str:
        """Return one line for the run record, with the column difference."""
        parts = [f"- {name}" for name in self.missing] + [f"+ {name}" for name in self.unexpected]
        return "layout changed: " + "; ".join(filter(None, [", ".join(parts), self.detail]))


@dataclass(frozen=True, slots=True)
class NetworkFailure:
    """No complete answer arrived, even after retries."""

    host: str
    detail: str
    kind: ClassVar[str] = "network_failure"
    settles: ClassVar[bool] = False

    def describe(self) -> str:
        """Return one line for the run record."""
        return f"{self.host}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Rejected:
    """Rows arrived, but too many failed their checks to trust any of them."""

    rows: int
    reasons: tuple[str, ...]
    kind: ClassVar[str] = "rejected"
    settles: ClassVar[bool] = False

    def describe(self) -> str:
        """Return one line for the run record."""
        return f"{self.rows} rows refused: {'; '.join(self.reasons)}"


Outcome = Ok | Empty | Blocked | SchemaDrift | NetworkFailure | Rejected


class VendorSignal(RuntimeError):  # noqa: N818
    """Carries a final outcome out of a request through akshare, which retries ``ValueError`` and requests' errors."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.describe())
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Attempt:
    """One vendor asked for one thing.

    Parameters
    ----------
    endpoint
        akshare function and host, for example ``stock_zh_a_hist@push2his.eastmoney.com``.
    outcome
        What came of it.
    seconds
        Wall time, waiting included.
    """

    endpoint: str
    outcome: Outcome
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LiveBatch(Batch):
    """A batch of a live vendor, one symbol (or market-wide table) at a time, so that a store can checkpoint after it.

    Parameters
    ----------
    symbol
        The symbol asked for; None for a market-wide table.
    outcome
        What came of it in the end; ``outcome.settles`` tells whether the window is done.
    source
        Vendor that delivered the rows (``eastmoney``, ``tencent``, ``sina``, …); empty when none did.
    fallback
        Whether it was not the first vendor in the order.
    covers
        First and last date for which the rows are complete: what the store holds in it and the batch lacks was
        withdrawn by the vendor, what differs was restated.
    fetched
        When the answer arrived (UTC).
    attempts
        Every vendor asked, in order.
    more
        Whether further answers to come in this run belong to the same market-wide table.
    """

    symbol: str | None = None
    outcome: Outcome = field(default_factory=lambda: Empty("unexplained"))
    source: str = ""
    fallback: bool = False
    covers: tuple[date, date] | None = None
    fetched: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    more: bool = False
