"""The live source: plans a refresh, and delivers it batch by batch."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from aitheme.calendar import BEIJING
from aitheme.sources.akshare.gateway import Gateway
from aitheme.sources.akshare.plan import FetchPlan, Job, Progress, build_plan, job_seconds
from aitheme.sources.akshare.politeness import HostPolicy, OfflineError, Politeness, behind_loopback_stub
from aitheme.sources.akshare.price_jobs import Context, bar_job, index_job
from aitheme.sources.akshare.request import LiveRequest, Universe
from aitheme.sources.akshare.sessions import last_closed_session
from aitheme.sources.akshare.spot import spot_job, spot_symbols
from aitheme.sources.akshare.table_jobs import market_jobs, symbol_jobs
from aitheme.sources.akshare.transport import Transport
from aitheme.symbols import board_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aitheme.calendar import Exchange
    from aitheme.sources.akshare.outcomes import LiveBatch
    from aitheme.sources.base import FetchRequest

__all__ = ["AkshareSource"]

_EXCHANGES: Final[tuple[Exchange, ...]] = ("XSHG", "XHKG", "XNYS")


class AkshareSource:
    """Live data of free vendors through akshare.

    Parameters
    ----------
    universe
        What to cover when a request names no symbols.
    state_dir
        Folder that remembers, across processes, which vendors blocked us; None forgets with the process.
    politeness
        Spacing and circuits; None takes the defaults.
    clock
        Returns the current time (aware).
    progress
        Called after each job.

    Attributes
    ----------
    name, simulated
        As every source.
    requests_sent
        Requests sent so far, retries included.
    """

    name = "akshare"
    simulated = False

    def __init__(
        self,
        universe: Universe,
        state_dir: Path | None = None,
        *,
        politeness: Politeness | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self.universe = universe
        self.politeness = politeness or Politeness(state_dir, now=clock, loopback=behind_loopback_stub())
        self._transport = Transport(self.politeness)
        self._gateway = Gateway(self._transport)
        self._clock = clock
        self._progress = progress

    @property
    def requests_sent(self) -> int:
        """Requests sent so far, retries included."""
        return self._transport.sent

    def fingerprint(self) -> str:
        """Return a text that changes with each closed session and each day."""
        now = self._clock()
        closed = " ".join(f"{exchange} {last_closed_session(exchange, now)}" for exchange in _EXCHANGES)
        return f"akshare {now.astimezone(BEIJING):%Y-%m-%d} {closed}"

    def plan(self, request: FetchRequest) -> FetchPlan:
        """Return what a request would send, without sending anything.

        Parameters
        ----------
        request
            A :class:`~aitheme.sources.akshare.request.LiveRequest` for an incremental refresh. For the whole market
            the number of stocks is that of ``request.known.listed``.
        """
        jobs = self._jobs(self._context(LiveRequest.of(request)))
        return build_plan(jobs, self._group_policy, self.politeness.circuits.all_open())

    def batches(self, request: FetchRequest) -> Iterator[LiveBatch]:
        """Yield the data asked for: market-wide tables, then symbol by symbol.

        Parameters
        ----------
        request
            A :class:`~aitheme.sources.akshare.request.LiveRequest` for an incremental refresh.

        Yields
        ------
        LiveBatch
            Also for what failed: its table is empty and its outcome says why.

        Raises
        ------
        OfflineError
            Several vendors cannot be reached and none has answered.
        """
        context = self._context(LiveRequest.of(request))
        tables = market_jobs(context)
        yield from self._run(context, tables, len(tables) + self._count_symbols(context))
        jobs = self._symbol_jobs(context)
        yield from self._run(context, jobs, len(tables) + len(jobs), len(tables))

    def _run(self, context: Context, jobs: list[Job], total: int, before: int = 0) -> Iterator[LiveBatch]:
        planned = sum(job_seconds(job, self._group_policy) for job in jobs)
        done = 0.0
        started = time.monotonic()
        for number, job in enumerate(jobs, start=before + 1):
            later = _still_to_come(jobs[number - before :]) if job.symbol is None else frozenset()
            for batch in job.run():
                if context.request.wants(batch.dataset):
                    yield replace(batch, more=True) if batch.symbol is None and batch.dataset in later else batch
            if self.politeness.offline:
                raise OfflineError(
                    "network: no vendor can be reached; nothing was changed. Check the connection or HTTPS_PROXY "
                    "and run again"
                )
            done += job_seconds(job, self._group_policy)
            if self._progress is not None:
                pace = max((time.monotonic() - started) / done, 0.1) if done else 1.0
                self._progress(Progress(number, total, job.label, (planned - done) * pace))

    def _context(self, request: LiveRequest) -> Context:
        now = self._clock()
        seen = now.astimezone(BEIJING).date()
        return Context(self._gateway, request, self.universe, now, seen, request.known)

    def _group_policy(self, group: str) -> HostPolicy:
        return next(policy for policy in self.politeness.policies if policy.group == group)

    def _jobs(self, context: Context) -> list[Job]:
        return [*market_jobs(context), *self._symbol_jobs(context)]

    def _count_symbols(self, context: Context) -> int:
        return len(self._symbol_jobs(context))

    def _symbol_jobs(self, context: Context) -> list[Job]:
        """Return the jobs of every wanted symbol that has something due, prices first."""
        stocks, indices = self._symbols(context)
        jobs: list[Job] = []
        if context.request.wants("index_bars"):
            jobs += [job for text in indices if (job := index_job(context, text)) is not None]
        if context.request.wants("bars", "adj_factors"):
            listed = spot_symbols(context, stocks)
            jobs += [spot_job(context, listed)] if listed else []
            jobs += [job for text in stocks if text not in listed and (job := bar_job(context, text)) is not None]
        for text in stocks:
            jobs += symbol_jobs(context, text)
        return jobs

    def _symbols(self, context: Context) -> tuple[list[str], list[str]]:
        """Return the stocks and indices a request covers: its symbols, the universe's, or every listed A share."""
        wanted = context.request.symbols
        if wanted is None:
            stocks = self.universe.stocks
            if stocks is None:
                stocks = frozenset(s for s in context.known.listed if s not in context.known.delisted)
            return sorted(stocks), sorted(self.universe.indices)
        indices = {symbol for symbol in wanted if board_of(symbol) == "index"}
        return sorted(wanted - indices), sorted(indices | self.universe.indices)


def _still_to_come(jobs: list[Job]) -> frozenset[str]:
    """Return the market-wide tables of which further answers follow."""
    return frozenset(name for job in jobs if job.symbol is None for name in job.datasets)
