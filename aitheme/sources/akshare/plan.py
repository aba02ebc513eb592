"""What a refresh is going to ask of whom, and how long that takes, before anything is sent."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aitheme.sources.akshare.circuit import OpenCircuit
    from aitheme.sources.akshare.outcomes import LiveBatch
    from aitheme.sources.akshare.politeness import HostPolicy

__all__ = ["FetchPlan", "Job", "PlanItem", "Progress", "build_plan"]

_LATENCY: Final = 0.4
_MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class Job:
    """One unit of a refresh: a symbol's bars, or one market-wide table.

    Parameters
    ----------
    datasets
        What it delivers.
    symbol
        Whose data; None for a market-wide table.
    calls
        Requests it usually needs, by vendor group, if the first vendor answers.
    run
        Does it, yielding a batch per dataset.
    """

    datasets: tuple[str, ...]
    symbol: str | None
    calls: Mapping[str, int]
    run: Callable[[], Iterator[LiveBatch]]

    @property
    def label(self) -> str:
        """Short name for progress output."""
        return f"{self.datasets[0]} {self.symbol}" if self.symbol else self.datasets[0]


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One dataset of the plan at one vendor group."""

    dataset: str
    vendor: str
    symbols: int
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class FetchPlan:
    """The requests of a refresh if every first vendor answers.

    Parameters
    ----------
    items
        By dataset and vendor group.
    blocked
        Vendors whose circuit is open now, with the reason.
    """

    items: tuple[PlanItem, ...]
    blocked: Mapping[str, OpenCircuit]

    @property
    def requests(self) -> int:
        """Requests in all."""
        return sum(item.requests for item in self.items)

    @property
    def seconds(self) -> float:
        """Estimated duration: vendors are asked one after the other."""
        return sum(item.seconds for item in self.items)

    def rows(self) -> list[dict[str, object]]:
        """Return one row per item, for a table, CSV or JSON."""
        return [
            {
                "dataset": item.dataset,
                "vendor": item.vendor,
                "symbols": item.symbols,
                "requests": item.requests,
                "minutes": round(item.seconds / _MINUTE, 1),
                "blocked_until": str(self.blocked[item.vendor].until) if item.vendor in self.blocked else "",
            }
            for item in self.items
        ]

    def describe(self) -> str:
        """Return the plan as lines of text."""
        lines = [f"{row['dataset']:<18}{row['vendor']:<20}{row['requests']:>7} requests" for row in self.rows()]
        lines += [f"{vendor} is left alone until {c.until:%Y-%m-%d %H:%M} UTC: {c.reason}" for vendor, c in sorted(
            self.blocked.items()
        )]  # fmt: skip
        return "\n".join([*lines, f"{self.requests} requests, about {max(self.seconds / _MINUTE, 0.1):.1f} minutes"])

    def _repr_html_(self) -> str:
        import pandas as pd

        from aitheme.display import Rows, card

        title = f"{self.requests:,} requests, about {max(self.seconds / _MINUTE, 0.1):.1f} minutes"
        closed = [f"{vendor} is left alone until {c.until}: {c.reason}" for vendor, c in sorted(self.blocked.items())]
        return card(title, closed, [Rows(pd.DataFrame(self.rows()))])


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a refresh has come.

    Parameters
    ----------
    done, total
        Jobs.
    label
        The job that just ended.
    seconds_left
        Estimate from the plan, scaled by how long the finished jobs really took.
    """

    done: int
    total: int
    label: str
    seconds_left: float


def job_seconds(job: Job, policy: Callable[[str], HostPolicy]) -> float:
    """Estimate a job's duration from its vendors' spacing."""
    total = 0.0
    for group, count in job.calls.items():
        wanted = policy(group)
        total += count * (wanted.spacing + wanted.jitter / 2 + _LATENCY)
    return total


def build_plan(jobs: list[Job], policy: Callable[[str], HostPolicy], blocked: Mapping[str, OpenCircuit]) -> FetchPlan:
    """Sum jobs by dataset and vendor group.

    Parameters
    ----------
    jobs
        What a refresh would do.
    policy
        Returns the policy of a vendor group.
    blocked
        Open circuits.
    """
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for job in jobs:
        for group, requests in job.calls.items():
            entry = counts[job.datasets[0], group]
            entry[0] += job.symbol is not None
            entry[1] += requests
    items = []
    for (dataset, group), (symbols, requests) in counts.items():
        wanted = policy(group)
        seconds = requests * (wanted.spacing + wanted.jitter / 2 + _LATENCY)
        items.append(PlanItem(dataset, group, symbols, requests, seconds))
    return FetchPlan(tuple(items), dict(blocked))
