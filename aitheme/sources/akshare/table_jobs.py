"""Jobs for everything that is no daily bar: listings, consensus, forecasts, reports, dividends, shares, sectors."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from aitheme.sources.akshare import consensus, forecasts, holdings, listings, reported
from aitheme.sources.akshare.batching import live_batch
from aitheme.sources.akshare.checks import join_rejects
from aitheme.sources.akshare.datasets import CADENCE_DAYS
from aitheme.sources.akshare.indices import industry_ask
from aitheme.sources.akshare.outcomes import Empty, LiveBatch, Ok, Rejected, SchemaDrift
from aitheme.sources.akshare.plan import Job
from aitheme.sources.akshare.reading import Ask, Fetched, Reading, first_good
from aitheme.sources.akshare.sessions import last_closed_session, missing_sessions, shift_back
from aitheme.symbols import Symbol, parse_symbol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aitheme.sources.akshare.price_jobs import Context

__all__ = ["due", "market_jobs", "symbol_jobs"]

_MAINLAND: Final = ("SH", "SZ", "BJ")
_SUSPENSION_SESSIONS: Final = 10
_BOX_OFFICE_MONTHS: Final = 2


def due(context: Context, dataset: str, symbol: str = "") -> bool:
    """Tell whether a dataset without sessions is wanted and old enough to be fetched again."""
    if not context.request.wants(dataset):
        return False
    last = context.request.watermark(dataset, symbol)
    return last is None or (context.seen - last).days >= CADENCE_DAYS[dataset]


def _no_coverage(empty: Empty) -> Empty:
    """Take a vendor's word that it has nothing on a stock: coverage, reports and dividends may simply not exist."""
    known = ("no report", "no dividend", "暂无机构", "返回数据为空", "no rows", "no film")
    return Empty("no_coverage", empty.detail) if any(word in empty.detail for word in known) else empty


def _job(context: Context, dataset: str, ask: Ask, symbol: str | None = None, *others: Ask) -> Job:
    """Return a job whose single answer is one dataset."""

    def run() -> Iterator[LiveBatch]:
        fetched = first_good(context.gateway, [ask, *others], _no_coverage)
        yield live_batch(dataset, fetched, symbol, now=context.now)

    return Job((dataset,), symbol, {ask.endpoint.group: ask.endpoint.requests}, run)


def market_jobs(context: Context) -> list[Job]:
    """Return the jobs for market-wide tables that are due."""
    jobs: list[Job] = []
    if due(context, "securities") or due(context, "names"):
        jobs += [_listing_job(context, key) for key in listings.LISTS]
        jobs += [_job(context, "securities", ask) for ask in listings.delisted_asks(context.seen)]
    if context.request.wants("suspensions"):
        jobs += [_suspension_job(context, day) for day in _suspension_days(context)]
    if due(context, "indices"):
        jobs += [_job(context, "indices", industry_ask(level)) for level in (1, 2)]
    if due(context, "consensus"):
        jobs.append(_filtered_job(context, "consensus", consensus.eastmoney_ask(context.seen), lambda empty: empty))
    if due(context, "reported_eps"):
        first = context.request.since if context.request.watermark("reported_eps") is None else None
        periods = reported.report_periods(context.seen, first, 3)
        jobs += [_filtered_job(context, "reported_eps", reported.reported_ask(p, context.seen)) for p in periods]
    if due(context, "sector_members"):
        asks = [holdings.member_ask(sector, context.seen) for sector in sorted(context.universe.sectors)]
        jobs += [_job(context, "sector_members", ask) for ask in asks]
    tickers = [ticker for ticker in sorted(context.universe.capex) if due(context, "capex", f"{ticker}.US")]
    jobs += [_capex_job(context, ticker) for ticker in tickers]
    if due(context, "box_office"):
        asks = [reported.box_office_ask(month, context.seen) for month in _months(context)]
        jobs += [_job(context, "box_office", ask) for ask in asks]
    return jobs


def _filtered_job(context: Context, dataset: str, ask: Ask, explain: Callable[[Empty], Empty] = _no_coverage) -> Job:
    """Return a market-wide job of which only the wanted symbols are kept."""

    def run() -> Iterator[LiveBatch]:
        fetched = first_good(context.gateway, [ask], explain)
        rows = fetched.reading.frame if fetched.reading is not None else None
        wanted = context.request.symbols
        if rows is not None and wanted is not None:
            rows = rows[rows["symbol"].isin(wanted)]
        yield live_batch(dataset, fetched, frame=rows, now=context.now)

    return Job((dataset,), None, {ask.endpoint.group: ask.endpoint.requests}, run)


def _listing_job(context: Context, key: str) -> Job:
    market = key.partition(" ")[0]
    star = key.endswith("star")
    known = sum(
        symbol.endswith(market) and (market != "SH" or symbol.startswith("68") == star)
        for symbol in context.known.listed
        if symbol not in context.known.delisted
    )
    ask = listings.listing_ask(key, context.seen, known)

    def run() -> Iterator[LiveBatch]:
        fetched = first_good(context.gateway, [ask])
        if fetched.reading is not None:
            rows = fetched.reading.frame
            dates = {s: d.date() for s, d in zip(rows["symbol"], rows["listed"], strict=True) if not pd.isna(d)}
            context.known = replace(context.known, listed={**context.known.listed, **dates})
        yield live_batch("securities", fetched, now=context.now)
        if fetched.reading is not None:
            names = listings.names_of(fetched.reading.frame, context.seen)
            yield live_batch("names", fetched, frame=names, now=context.now, rejects=fetched.rejects.iloc[:0])

    return Job(("securities", "names"), None, {ask.endpoint.group: ask.endpoint.requests}, run)


def _suspension_days(context: Context) -> list[date]:
    """Return the sessions whose suspensions are not known yet, the last ten at most."""
    until = last_closed_session("XSHG", context.now)
    last = context.request.watermark("suspensions")
    since = shift_back("XSHG", until, _SUSPENSION_SESSIONS - 1)
    since = max(since, last + timedelta(days=1)) if last is not None else since
    if since > until:
        return []
    days = missing_sessions("XSHG", np.array([], dtype="datetime64[D]"), since, until)
    return [day.item() for day in days]


def _suspension_job(context: Context, day: date) -> Job:
    ask = listings.suspension_ask(day, context.seen)

    def run() -> Iterator[LiveBatch]:
        fetched = first_good(context.gateway, [ask], _no_coverage)
        if fetched.reading is not None:
            known = [context.known.suspensions, fetched.reading.frame[["symbol", "start", "end"]].astype(object)]
            filled = [frame for frame in known if len(frame)]
            if filled:
                context.known = replace(context.known, suspensions=pd.concat(filled, ignore_index=True))
        yield live_batch("suspensions", fetched, covers=(day, day), now=context.now)

    return Job(("suspensions",), None, {ask.endpoint.group: ask.endpoint.requests}, run)


def _months(context: Context) -> list[date]:
    """Return the months to fetch: this one and the last, or all since the request's first date."""
    month = context.seen.replace(day=1)
    first = context.request.since if context.request.watermark("box_office") is None else None
    months = [month]
    while len(months) < _BOX_OFFICE_MONTHS or (first is not None and months[-1] > first.replace(day=1)):
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months[::-1]


def _capex_job(context: Context, ticker: str) -> Job:
    """Return the job that joins a company's three cash-flow calls and differences them."""
    asks = reported.capex_asks(ticker)

    def run() -> Iterator[LiveBatch]:
        with context.gateway.transport.remembering():
            parts = [first_good(context.gateway, [ask]) for ask in asks]
        frames = [part.reading.frame for part in parts if part.reading is not None]
        attempts = tuple(attempt for part in parts for attempt in part.attempts)
        rejects = join_rejects(*(part.rejects for part in parts))
        if len(frames) < len(asks):
            failed = next(part for part in parts if part.reading is None)
            yield live_batch("capex", replace(failed, attempts=attempts, rejects=rejects), f"{ticker}.US")
            return
        rows, refused = reported.quarterly_capex(pd.concat(frames, ignore_index=True), f"{ticker}.US")
        rejects = join_rejects(rejects, refused)
        verdict = Reading(rows, rejects).judged()
        usable = isinstance(verdict, Ok)
        whole = replace(parts[0], attempts=attempts, rejects=rejects, outcome=verdict)
        yield live_batch("capex", whole, f"{ticker}.US", frame=rows if usable else rows.iloc[:0], now=context.now)

    requests = sum(ask.endpoint.requests for ask in asks)
    return Job(("capex",), f"{ticker}.US", {asks[0].endpoint.group: requests}, run)


def symbol_jobs(context: Context, text: str) -> list[Job]:
    """Return the jobs for one stock's consensus, forecasts, dividends and share count that are due."""
    symbol = parse_symbol(text)
    seen, jobs = context.seen, []
    if symbol.market == "HK":
        if due(context, "consensus", text) or due(context, "broker_forecasts", text):
            jobs.append(_etnet_job(context, symbol))
        if due(context, "share_counts", text):
            jobs.append(_job(context, "share_counts", holdings.shares_ask(symbol, seen), text))
    if symbol.market not in _MAINLAND:
        return jobs
    if due(context, "consensus", text) or due(context, "consensus_ranges", text):
        jobs.append(_ths_job(context, symbol))
    if due(context, "broker_forecasts", text):
        watermark = context.request.watermark("broker_forecasts", text)
        since = watermark - timedelta(days=30) if watermark else context.request.since
        jobs.append(_job(context, "broker_forecasts", forecasts.broker_ask(symbol, seen, since), text))
    if due(context, "dividends", text):
        jobs.append(_dividend_job(context, symbol))
    if due(context, "share_counts", text):
        jobs.append(_job(context, "share_counts", holdings.shares_ask(symbol, seen), text))
    return jobs


def _ths_job(context: Context, symbol: Symbol) -> Job:
    ask = consensus.ths_ask(symbol, context.seen)

    def run() -> Iterator[LiveBatch]:
        fetched = first_good(context.gateway, [ask], _no_coverage)
        yield live_batch("consensus", fetched, str(symbol), now=context.now)
        if fetched.reading is not None:
            none = fetched.rejects.iloc[:0]
            yield live_batch("consensus_ranges", fetched, str(symbol), now=context.now, rejects=none)

    return Job(("consensus", "consensus_ranges"), str(symbol), {ask.endpoint.group: 1}, run)


def _dividend_job(context: Context, symbol: Symbol) -> Job:
    """Return the job for a stock's dividends: Cninfo, or Eastmoney's market-wide plans of the last periods."""
    ask = holdings.dividend_ask(symbol)

    def run() -> Iterator[LiveBatch]:
        fetched = first_good(context.gateway, [ask], _no_coverage)
        if not fetched.outcome.settles and not isinstance(fetched.outcome, Empty):
            fetched = _from_plans(context, symbol, fetched)
        yield live_batch("dividends", fetched, str(symbol), now=context.now)

    return Job(("dividends",), str(symbol), {ask.endpoint.group: 1}, run)


def _from_plans(context: Context, symbol: Symbol, failed: Fetched) -> Fetched:
    """Pick a stock's dividends from the plans of the last two periods, each table fetched once per run."""
    ends = [end for end in reported.report_periods(context.seen, None, 5) if end.month in {6, 12}][-2:]
    parts = []
    for end in ends:
        if end not in context.plans:
            context.plans[end] = first_good(context.gateway, [holdings.plan_ask(end)], _no_coverage)
        parts.append(context.plans[end])
    delivered = [part for part in parts if part.reading is not None]
    attempts = (*failed.attempts, *(attempt for part in parts for attempt in part.attempts))
    if not delivered:
        return replace(failed, attempts=attempts)
    frames = [part.reading.frame for part in delivered if part.reading is not None]
    rows = pd.concat(frames, ignore_index=True)
    mine = rows[rows["symbol"] == str(symbol)].reset_index(drop=True)
    last = delivered[-1]
    assert last.reading is not None
    reading = Reading(mine, notes=("only the last two report periods: the disclosure site did not answer",))
    return replace(last, reading=reading, outcome=Ok(len(mine)), attempts=attempts, fallback=True)


def _etnet_job(context: Context, symbol: Symbol) -> Job:
    """Return the job for a Hong Kong stock: consensus and its brokers, from one page fetched once."""
    ask, brokers = consensus.etnet_ask(symbol, context.seen), consensus.etnet_brokers_ask(symbol, context.seen)

    def run() -> Iterator[LiveBatch]:
        with context.gateway.transport.remembering():
            fetched = _etnet_consensus(context, symbol, ask)
            behind = first_good(context.gateway, [brokers], _no_coverage)
        if fetched.reading is not None and behind.reading is not None:
            counts = behind.reading.frame.groupby("fiscal_year")["broker"].nunique()
            rows = fetched.reading.frame
            rows = rows.assign(analysts=rows["fiscal_year"].map(counts))
            fetched = replace(fetched, reading=replace(fetched.reading, frame=rows))
        yield live_batch("consensus", fetched, str(symbol), now=context.now)
        yield live_batch("broker_forecasts", behind, str(symbol), now=context.now)

    return Job(("consensus", "broker_forecasts"), str(symbol), {ask.endpoint.group: 1}, run)


def _etnet_consensus(context: Context, symbol: Symbol, ask: Ask) -> Fetched:
    """Fetch the consensus; where akshare does not know the page's currency, read the same page by its own header."""
    answer = context.gateway.fetch(ask.endpoint, **ask.arguments)
    reading = ask.read(answer) if answer.outcome is None else None
    if isinstance(answer.outcome, SchemaDrift) and answer.exchanges:
        text = answer.exchanges[-1].text()
        table = consensus.etnet_table(text)
        if table is not None and consensus.etnet_currency(text) is not None:
            reading = consensus.etnet_reading(symbol, context.seen, table, text)
            reading = replace(reading, notes=("akshare does not know this page's currency; read by its header",))
    outcome = reading.judged() if reading is not None else answer.outcome
    assert outcome is not None
    usable = isinstance(outcome, Ok)
    rejects = reading.rejects if reading is not None else Reading(pd.DataFrame()).rejects
    if isinstance(outcome, Rejected):
        usable = False
    return Fetched(
        reading if usable else None,
        outcome,
        answer if usable else None,
        (answer.attempt(outcome),),
        rejects,
        fallback=False,
    )
