"""A whole market's bars of one session from the quote list: some sixty requests instead of five thousand.

After the close the list shows the session's open, high, low, close, volume and amount. It is used when exactly one
session is missing. The list's 昨收 is the exchange's reference price: where it differs from the stored close there
was a corporate action, and that stock is fetched by itself with its factor.
"""

from __future__ import annotations

from datetime import datetime, time
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from aitheme.calendar import BEIJING, calendar_for
from aitheme.errors import CalendarHorizonError
from aitheme.sources.akshare import raw
from aitheme.sources.akshare.batching import live_batch
from aitheme.sources.akshare.checks import BAR_CONTRACT, split
from aitheme.sources.akshare.consensus import share_symbol
from aitheme.sources.akshare.gateway import Answer, Endpoint
from aitheme.sources.akshare.outcomes import Rejected
from aitheme.sources.akshare.plan import Job
from aitheme.sources.akshare.price_jobs import bar_job
from aitheme.sources.akshare.reading import Ask, Fetched, Reading, first_good
from aitheme.sources.akshare.sessions import last_closed_session, shift_back

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from aitheme.sources.akshare.outcomes import LiveBatch
    from aitheme.sources.akshare.price_jobs import Context

__all__ = ["spot_asks", "spot_job", "spot_symbols"]

# Below this number of stocks asking one by one is kinder than paging through the whole market.
MIN_STOCKS: Final = 300
_MIN_ARRIVED: Final = 0.98
_HALF_CENT: Final = 0.005
_OPENING: Final = time(9, 0)
_LOT: Final = 100.0
_EASTMONEY_FIELDS: Final = {
    "open": "f17", "high": "f15", "low": "f16", "close": "f2", "volume": "f5", "amount": "f6", "turnover": "f8",
    "reference": "f18",
}  # fmt: skip
_SINA_COLUMNS: Final = {
    "open": "今开", "high": "最高", "low": "最低", "close": "最新价", "volume": "成交量", "amount": "成交额",
    "reference": "昨收",
}  # fmt: skip
EASTMONEY: Final = Endpoint("stock_zh_a_spot_em", "eastmoney", "eastmoney", ("代码", "最新价", "昨收"), 58)
SINA: Final = Endpoint("stock_zh_a_spot", "sina", "sina", ("代码", *_SINA_COLUMNS.values()), 70)


def spot_symbols(context: Context, stocks: list[str]) -> frozenset[str]:
    """Return the stocks whose missing bar the quote list can supply, none when one by one is kinder.

    Parameters
    ----------
    context
        The run; its request must carry ``last_bars``.
    stocks
        Canonical symbols wanted.
    """
    until = last_closed_session("XSHG", context.now)
    if (context.request.until or until) < until or not _shows(until, context.now):
        return frozenset()
    before = shift_back("XSHG", until, 1)
    last = context.request.last_bars
    fit = frozenset(
        s for s in stocks if s in last and last[s][0] == before and context.request.watermark("bars", s) == before
    )
    return fit if len(fit) >= MIN_STOCKS else frozenset()


def _shows(session: date, now: datetime) -> bool:
    """Tell whether quotes still are those of a closed session: until the next one's opening preparations."""
    try:
        following = calendar_for("XSHG").after(session)
    except CalendarHorizonError:
        return False
    return now < datetime.combine(following, _OPENING, BEIJING)


def spot_asks(session: date) -> list[Ask]:
    """Return the vendors of a whole market's quotes, in order."""
    return [Ask(EASTMONEY, {}, partial(_read_eastmoney, session)), Ask(SINA, {}, partial(_read_sina, session))]


def _read_eastmoney(session: date, answer: Answer) -> Reading:
    """Read Eastmoney's list by field number: volume in 手, turnover in %."""
    records, total = raw.list_pages(answer.exchanges)
    table = pd.DataFrame.from_records(records).drop_duplicates("f12", ignore_index=True)
    if len(table) < _MIN_ARRIVED * total:
        return Reading(table.iloc[:0], outcome=Rejected(len(table), (f"{len(table)} of {total} stocks arrived",)))
    rows = _rows(session, table, "f12", _EASTMONEY_FIELDS)
    rows["volume"] *= _LOT
    rows["turnover"] /= 100.0
    return _traded(rows.assign(volume_unit=_LOT), table)


def _read_sina(session: date, answer: Answer) -> Reading:
    """Read Sina's list: volume in shares, no turnover."""
    frame = answer.frame
    assert frame is not None
    table = frame.assign(代码=frame["代码"].astype(str).str[-6:]).drop_duplicates("代码", ignore_index=True)
    return _traded(_rows(session, table, "代码", _SINA_COLUMNS).assign(turnover=np.nan), table)


def _rows(session: date, table: pd.DataFrame, code: str, names: dict[str, str]) -> pd.DataFrame:
    columns = {name: pd.to_numeric(table[source], errors="coerce") for name, source in names.items()}
    rows = pd.DataFrame({"symbol": [share_symbol(text) for text in table[code]], **columns})
    return rows.assign(session=pd.Series(pd.Timestamp(session), index=rows.index, dtype="datetime64[s]"))


def _traded(rows: pd.DataFrame, table: pd.DataFrame) -> Reading:
    """Leave out what did not trade, refuse what is wrong."""
    keep = (rows["symbol"].notna() & (rows["volume"] > 0)).to_numpy()
    kept = rows[keep].reset_index(drop=True)
    good, refused = split(BAR_CONTRACT, kept, None, table[keep].reset_index(drop=True))
    idle = int((rows["symbol"].notna() & ~(rows["volume"] > 0)).sum())
    return Reading(good, refused, (f"{idle} stocks without a trade",) if idle else ())


def spot_job(context: Context, symbols: frozenset[str]) -> Job:
    """Return the job that takes the last session of many stocks from one list, then the odd ones by themselves."""
    session = last_closed_session("XSHG", context.now)

    def run() -> Iterator[LiveBatch]:
        fetched = first_good(context.gateway, spot_asks(session))
        if fetched.reading is None:
            yield live_batch("bars", fetched, now=context.now)
            return
        same, odd = _by_reference(context, symbols, fetched)
        yield live_batch("bars", fetched, frame=same, covers=(session, session), now=context.now)
        for symbol in odd:
            job = bar_job(context, symbol)
            if job is not None:
                yield from job.run()

    return Job(("bars",), None, {EASTMONEY.group: EASTMONEY.requests}, run)


def _by_reference(context: Context, symbols: frozenset[str], fetched: Fetched) -> tuple[pd.DataFrame, list[str]]:
    """Divide the quotes into stocks whose factor goes on and stocks with a corporate action or a refused row."""
    assert fetched.reading is not None
    last = context.request.last_bars
    rows = fetched.reading.frame[fetched.reading.frame["symbol"].isin(symbols)].reset_index(drop=True)
    close = np.array([last[s][1] for s in rows["symbol"]])
    factor = np.array([last[s][2] for s in rows["symbol"]])
    goes_on = np.abs(rows["reference"].to_numpy(float) - close) < _HALF_CENT
    same = rows[goes_on].assign(adj_factor=factor[goes_on], quality=np.int8(0))
    refused = {str(s) for s in fetched.rejects["symbol"]} & symbols
    return same, sorted({*rows.loc[~goes_on, "symbol"], *refused})
