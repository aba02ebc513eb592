"""A live source with prepared answers, and what two stores have to agree on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb

from aitheme.calendar import calendar_for
from aitheme.sources.akshare import Attempt, LiveBatch, LiveRequest, Ok
from aitheme.sources.base import to_table
from aitheme.sources.live_datasets import LIVE_DATASETS, dataset_named
from aitheme.store import refresh

SESSIONS = [stamp.date() for stamp in calendar_for("XSHG").sessions("2024-03-01", "2024-03-29")]
FETCHED = datetime(2024, 3, 29, 10, tzinfo=UTC)
# Run ids and times differ between two runs; what was asked differs between one run and two.
VOLATILE = {"run_id", "replaced"}
TABLES = [
    "securities", "bars", "indices", "index_bars", "factors", "consensus", "capex", "quarantine", "restatement",
    "superseded", "watermark", *LIVE_DATASETS,
]  # fmt: skip


def bars(symbol, sessions, *, close=10.0, outcome=None, vendor="eastmoney", fallback=False, **columns):
    count = len(sessions)
    price = close if isinstance(close, list) else [close] * count
    columns = {
        "symbol": [symbol] * count, "session": sessions, "open": price, "high": price, "low": price, "close": price,
        "volume": [100.0] * count, "amount": [1000.0] * count, "turnover": [0.01] * count, "adj_factor": [2.0] * count,
        "quality": [0] * count, **columns,
    }  # fmt: skip
    outcome = outcome or Ok(count)
    return LiveBatch(
        "bars", to_table("bars", columns), origin=vendor, symbol=symbol, outcome=outcome, source=vendor,
        fallback=fallback, covers=(sessions[0], sessions[-1]) if sessions and outcome.settles else None,
        fetched=FETCHED, attempts=(Attempt(f"stock_zh_a_hist@{vendor}", outcome, 0.5),),
    )  # fmt: skip


def rows(dataset, records, **options):
    """A market-wide (or, with ``symbol``, one symbol's) answer of a dataset from records."""
    import pyarrow as pa

    described = dataset_named(dataset)
    columns = {name: [record.get(name) for record in records] for name in described.columns}
    table = pa.table(
        [pa.array(columns[n], type=described.arrow_schema().field(n).type) for n in described.columns],
        schema=described.arrow_schema(),
    )
    options = {"outcome": Ok(len(records)), "fetched": FETCHED, "source": "vendor", "origin": "vendor", **options}
    return LiveBatch(dataset, table, **options)


class Live:
    """A live source with prepared answers; an exception among them is raised in its turn."""

    name = "akshare"
    simulated = False

    def __init__(self, *batches, day="today"):
        self._batches = batches
        self._day = day

    def fingerprint(self):
        return self._day

    def batches(self, _request):
        for batch in self._batches:
            if isinstance(batch, BaseException):
                raise batch
            yield batch


class Vendor(Live):
    """A live source that asks for what is missing only, and can stop in the middle.

    Parameters
    ----------
    symbols
        Whose bars it has.
    stop
        Error raised after `after` symbols; None for never.
    """

    def __init__(self, symbols, *, stop=None, after=0, sessions=SESSIONS, day="today"):
        super().__init__(day=day)
        self._symbols, self._stop, self._after, self._sessions = symbols, stop, after, sessions
        self.asked = []

    def batches(self, request):
        for symbol in self._symbols:
            if self._stop is not None and len(self.asked) == self._after:
                raise self._stop
            mark = request.watermark("bars", symbol)
            if mark is not None and mark >= self._sessions[-1]:
                continue
            self.asked.append(symbol)
            wrong = rejected(symbol, self._sessions[0])
            yield replace(bars(symbol, self._sessions), rejects=wrong)


def rejected(symbol, session):
    import pandas as pd

    row = {"symbol": symbol, "session": session - timedelta(days=1), "reason": "price is not positive", "raw": "{}"}
    return pd.DataFrame([row])


def run(files, *batches, **options):
    return refresh(files, Live(*batches, **options), LiveRequest(), universe="theme")


def contents(files):
    """Every data table of the current snapshot, sorted, without run ids and times."""
    tables = {}
    with duckdb.connect(str(files.current()), read_only=True) as connection:
        for table in TABLES:
            names = [row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()]
            kept = ", ".join(f'"{name}"' for name in names if name not in VOLATILE)
            tables[table] = connection.execute(f"SELECT {kept} FROM {table} ORDER BY ALL").fetchall()
    return tables
