"""An invented market behind the few methods of ``Market`` that a screen uses."""

from __future__ import annotations

from datetime import date, timedelta
from importlib import resources

import duckdb
import numpy as np
import pandas as pd

from aitheme.calendar import calendar_for
from aitheme.panel import Provenance
from aitheme.store.dated import DatedTables

CODES = [
    *[f"6000{n:02d}.SH" for n in range(12)],
    *[f"3000{n:02d}.SZ" for n in range(12)],
    *[f"6880{n:02d}.SH" for n in range(6)],
    "920001.BJ", "00700.HK",
]  # fmt: skip
SESSIONS = calendar_for("XSHG").sessions("2021-01-04", "2023-06-30")


KNOWN = {
    "bars": "session", "index_bars": "session", "consensus": "published", "broker_forecasts": "published",
    "reported_eps": "published", "names": "seen", "share_counts": "effective",
}  # fmt: skip


class InventedMarket(DatedTables):
    """Tables in memory; `until` hides everything that became known later, as if it had never been stored."""

    simulated = True
    source = "invented"
    snapshot = "market-invented.duckdb"

    def __init__(self, tables, until=None):
        self._connection = duckdb.connect()
        self._connection.execute(resources.files("aitheme.store").joinpath("schema.sql").read_text(encoding="utf-8"))
        for name, frame in tables.items():
            day = KNOWN.get(name)
            rows = frame if until is None or day is None else frame[pd.to_datetime(frame[day]) <= pd.Timestamp(until)]
            self._connection.register("rows", rows)
            self._connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM rows")
            self._connection.unregister("rows")

    def sql(self, query, parameters=None):
        return self._connection.execute(query, parameters or []).df()

    _frame = sql

    @property
    def span(self):
        return self._connection.execute("SELECT min(session), max(session) FROM bars").fetchall()[0]

    def provenance(self, as_of=None):
        return Provenance(self.source, self.simulated, self.snapshot, as_of or self.span[1], "2024-01-01T00:00:00Z")


def tables(seed=0):
    rng = np.random.default_rng(seed)
    bars = [_bars(rng, symbol, number) for number, symbol in enumerate(CODES)]
    index = 4000 * np.cumprod(1 + rng.normal(0, 0.01, len(SESSIONS)))
    return {
        "bars": pd.concat(bars, ignore_index=True),
        "index_bars": pd.DataFrame({"symbol": "000300.SH", "session": SESSIONS, "close": index}),
        "sessions": pd.DataFrame({"exchange": "XSHG", "session": calendar_for("XSHG").sessions("2020-01-01", "2023-12-29")}),
        "securities": _securities(rng),
        "consensus": _consensus(rng),
        "broker_forecasts": _forecasts(rng),
        "reported_eps": _reported(rng),
        "names": _names(rng),
        "share_counts": _share_counts(rng),
    }  # fmt: skip


def invent(seed=0, until=None):
    return InventedMarket(tables(seed), until)


def _bars(rng, symbol, number):
    moves = np.clip(rng.normal(0.0005, 0.03, len(SESSIONS)), -0.099, 0.099)
    moves[rng.random(len(SESSIONS)) < 0.02] = 0.2 if symbol.startswith(("3", "688")) else 0.1
    factor = np.where(np.arange(len(SESSIONS)) >= 300, 1.05, 1.0)
    close = [10.0]
    for t in range(1, len(SESSIONS)):
        close.append(round(close[-1] * factor[t - 1] / factor[t] * (1 + moves[t]), 2))
    frame = pd.DataFrame(
        {
            "symbol": symbol, "session": SESSIONS, "close": close, "adj_factor": factor,
            "amount": rng.uniform(1e7, 1e9, len(SESSIONS)), "turnover": rng.uniform(0.001, 0.2, len(SESSIONS)),
            "quality": 0,
        }
    )  # fmt: skip
    keep = rng.random(len(SESSIONS)) > 0.01
    if number % 4 == 1:  # a suspension of random place and length
        begin = int(rng.integers(50, len(SESSIONS) - 60))
        keep[begin : begin + int(rng.integers(5, 200))] = False
    if number % 7 == 2:  # listed late
        keep[: int(rng.integers(100, len(SESSIONS) - 50))] = False
    if number == 5:  # gone early
        keep[200:] = False
    frame.loc[rng.random(len(frame)) < 0.01, "turnover"] = np.nan
    if number % 5 == 0:
        frame.loc[400:402, "quality"] = 2
    return frame[keep]


def _securities(rng):
    listed = [None if n % 3 == 0 else date(2015, 1, 5) + timedelta(days=int(n)) for n in range(len(CODES))]
    frame = pd.DataFrame(
        {
            "symbol": CODES, "name": [f"名{n}" for n in range(len(CODES))], "currency": "CNY",
            "board": "main", "industry": [("软件", "传媒", "银行", None)[n % 4] for n in range(len(CODES))],
            "listed": pd.to_datetime(pd.Series(listed)), "total_shares": rng.uniform(1e8, 1e9, len(CODES)),
            "float_shares": rng.uniform(1e7, 1e8, len(CODES)), "shares_as_of": pd.Timestamp("2023-06-30"),
            "st": pd.Series([None if n % 6 == 5 else n % 5 == 0 for n in range(len(CODES))], dtype="boolean"),
        }
    )  # fmt: skip
    return frame[frame["symbol"] != CODES[3]]


def _consensus(rng):
    rows = []
    for symbol in CODES[:20]:
        for year in range(2020, 2026):
            for source in ("eastmoney", "ths", "acme", "zeta"):
                days = pd.date_range(f"{year - 2}-02-01", f"{year + 1}-04-15", freq="75D")
                for day in days[rng.random(len(days)) < 0.6]:
                    eps = round(float(rng.normal(0.4, 0.4)), 2)
                    kind = "A" if day > pd.Timestamp(f"{year + 1}-01-20") else "E"
                    analysts = int(rng.integers(1, 30)) if source in {"eastmoney", "ths"} else None
                    currency = "USD" if rng.random() < 0.03 else "CNY" if rng.random() < 0.9 else None
                    rows.append((symbol, year, kind, eps, currency, analysts, source, day))
    names = ["symbol", "fiscal_year", "kind", "eps", "currency", "analysts", "source", "published"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.astype({"analysts": "Int16"})


def _forecasts(rng):
    count = 3000
    days = pd.date_range("2020-06-01", "2023-09-30", freq="D")
    day = rng.choice(days, count)
    frame = pd.DataFrame(
        {
            "symbol": rng.choice(CODES[6:26], count), "broker": rng.choice(list("甲乙丙丁戊己"), count), "published": day,
            "fiscal_year": pd.DatetimeIndex(day).year + rng.integers(0, 3, count),
            "report": [f"AP{n}" for n in range(count)], "eps": rng.normal(0.4, 0.3, count).round(2),
            "currency": np.where(rng.random(count) < 0.02, "USD", "CNY"), "seen": day,
        }
    )  # fmt: skip
    return frame.drop_duplicates(["symbol", "broker", "published", "fiscal_year"])


def _reported(rng):
    rows = []
    for symbol in CODES[10:28]:
        for year in range(2019, 2023):
            known = pd.Timestamp(f"{year + 1}-01-25") + pd.Timedelta(days=int(rng.integers(0, 95)))
            eps = round(float(rng.normal(0.4, 0.3)), 2)
            rows.append((symbol, f"{year}-12-31", known, known, eps, False))
            rows.append((symbol, f"{year}-09-30", known - pd.Timedelta(days=60), known, eps * 0.7, False))
            if rng.random() < 0.2:
                rows.append((symbol, f"{year}-12-31", known + pd.Timedelta(days=100), known, eps - 0.1, True))
    return pd.DataFrame(rows, columns=["symbol", "period_end", "published", "announced", "eps", "restated"])


def _names(rng):
    rows = [(symbol, day) for symbol in CODES[::3] for day in rng.choice(SESSIONS, 2, replace=False)]
    frame = pd.DataFrame(rows, columns=["symbol", "seen"])
    return frame.assign(name=[f"新名{n}" for n in range(len(frame))], st=rng.random(len(frame)) < 0.4)


def _share_counts(rng):
    rows = [(symbol, day) for symbol in CODES[::4] for day in rng.choice(SESSIONS, 3, replace=False)]
    frame = pd.DataFrame(rows, columns=["symbol", "effective"])
    total = rng.uniform(1e8, 1e9, len(frame))
    return frame.assign(total_shares=total, float_shares=total * 0.6, source="x", seen=pd.Timestamp("2023-12-29"))
