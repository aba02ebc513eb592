"""Screens of the whole market: a cold process, a running notebook, 40 month ends, memory, and plain pandas by hand.

Contract: any date in a cold process including imports under 2 s, in a running notebook under 0.3 s, 40 month-end
screens under 10 s, under 1 GB. The cold process finds compiled modules, as an installed package does.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import archive, median, verdict

QUESTION = "ret_60 > 0.3 and excess_20 > 0 and in_basket('ai/all') and not st"
PRICES = "ret_60 > 0.3 and excess_20 > 0 and not st"
HEAVY = "pct_rank(ret_20) > 0.9 and amount_20 > 1e8 and beta_250 < 1.5 and limit_up_20 < 3 and vol_60 < 0.8"
AS_OF = "2024-03-28"
DAYS = ("2024-03-27", "2023-05-05", "2022-09-30", "2022-01-17", "2023-11-30", "2024-05-22", "2021-12-31")
_COLD_SECONDS, _WARM_SECONDS, _MONTHS_SECONDS, _MEGABYTES = 2.0, 0.3, 10.0, 1000.0
_MONTHS = 40

_COLD = """
import sys
from aitheme.screen import screen
from aitheme.store import open_market
print(screen(open_market(sys.argv[1]), "ai", sys.argv[2], as_of=sys.argv[3], order_by="ret_60", limit=20).matched)
"""
_MEMORY = """
import resource, sys
from aitheme.screen import CATALOGUE, screen, screen_history
from aitheme.store import open_market
market = open_market(sys.argv[1])
for day in sys.argv[4].split(","):
    screen(market, "ai", sys.argv[2], as_of=day, columns=CATALOGUE)
screen_history(market, "ai", sys.argv[3], start="2021-01-01")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
"""
_BY_HAND = '''
import sys
import duckdb, pandas as pd
from aitheme.themes import load_theme
con = duckdb.connect(sys.argv[1], read_only=True)
day = sys.argv[2]
query = """SELECT symbol, session, close * adj_factor AS level FROM bars
WHERE session BETWEEN ?::DATE - 430 AND ?::DATE AND symbol NOT LIKE '%.HK'"""  # Hong Kong trades on mainland holidays
bars = con.execute(query, [day, day]).df()
level = bars.pivot(index="session", columns="symbol", values="level").ffill()
index = con.execute("SELECT session, close FROM index_bars WHERE symbol = '000300.SH' AND session <= ?::DATE ORDER BY session",
                    [day]).df()
index = index.set_index("session")["close"]
frame = pd.DataFrame({"ret_60": level.iloc[-1] / level.iloc[-61] - 1})
frame["excess_20"] = level.iloc[-1] / level.iloc[-21] - index.iloc[-1] / index.iloc[-21]
frame = frame.join(con.execute("SELECT symbol, st FROM securities").df().set_index("symbol"))
frame["in_basket"] = frame.index.isin(load_theme("ai").symbols("ai/all"))
hit = frame[(frame.ret_60 > 0.3) & (frame.excess_20 > 0) & frame.in_basket & ~frame.st.fillna(True).astype(bool)]
print(len(hit))
'''


def process(script: str, *arguments: str, cache: str) -> tuple[float, str]:
    """Return how long a fresh interpreter takes for a script, and what it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        check=True, capture_output=True, text=True, env=environment | {"PYTHONPYCACHEPREFIX": cache},
    )  # fmt: skip
    return time.perf_counter() - started, done.stdout.strip()


def cold(data: str, cache: str) -> float:
    """Time cold processes beside the same question in plain pandas, turn by turn; return the median of the first."""
    from aitheme.store import open_market

    with open_market(data) as market:
        snapshot = str(market.snapshot)
    times: dict[str, list[float]] = {"whole question": [], "prices only": [], "plain pandas by hand": []}
    answers: set[str] = set()
    for turn in range(6):
        ours = process(_COLD, data, QUESTION, AS_OF, cache=cache)
        prices = process(_COLD, data, PRICES, AS_OF, cache=cache)
        by_hand = process(_BY_HAND, snapshot, AS_OF, cache=cache)
        answers |= {ours[1], by_hand[1]}
        if turn:  # the first turn compiles
            for kept, (seconds, _) in zip(times.values(), (ours, prices, by_hand), strict=True):
                kept.append(seconds)
    if len(answers) != 1:
        raise AssertionError(f"the screen and plain pandas disagree: {answers}")
    for name, values in times.items():
        print(f"  cold process, {name} s: {median(values)}")
    return statistics.median(times["whole question"])


def warm(data: str) -> tuple[float, float, float]:
    """Return seconds per screen of a new date, for 40 month-end screens, and for the history of the same months."""
    from aitheme.screen import screen, screen_history
    from aitheme.screen.reading import reader_of
    from aitheme.store import open_market
    from aitheme.themes import load_theme

    theme = load_theme("ai")
    with open_market(data) as market:
        screen(market, theme, QUESTION, as_of=AS_OF)
        fresh = [timed(screen, market, theme, QUESTION, day) for day in DAYS]
        heavy = [timed(screen, market, theme, HEAVY, day) for day in DAYS]
        again = [timed(screen, market, theme, HEAVY, DAYS[-1]) for _ in DAYS]
        sessions = reader_of(market).sessions
        months = sessions.astype("datetime64[M]")
        ends = [day.item() for day in sessions[:-1][months[1:] != months[:-1]] if day.item() >= market.span[0]][
            -_MONTHS:
        ]
        started = time.perf_counter()
        for day in ends:
            screen(market, theme, HEAVY, as_of=day)
        monthly = time.perf_counter() - started
        started = time.perf_counter()
        history = screen_history(market, theme, HEAVY, start=ends[0])
        looked_back = time.perf_counter() - started
    print(f"  notebook, new date s: {median(fresh)}")
    print(f"  notebook, new date, many columns s: {median(heavy)}; same date again s: {median(again)}")
    print(
        f"  {len(ends)} month-end screens s: {monthly:.2f}; history of {len(history.frame)} months s: {looked_back:.2f}"
    )
    return statistics.median(heavy), monthly, looked_back


def timed(function, market, theme, expression, day) -> float:
    started = time.perf_counter()
    function(market, theme, expression, as_of=day)
    return time.perf_counter() - started


def run() -> bool | None:
    root = archive()
    if root is None:
        return None
    with tempfile.TemporaryDirectory(prefix="aitheme-screen-") as folder:
        data = str(Path(folder) / "data")
        build = [
            str(Path(sys.executable).with_name("aitheme")),
            "refresh",
            "--source",
            "archive",
            "--archive",
            str(root),
        ]
        subprocess.run([*build, "--universe", "all", "--data", data], check=True, capture_output=True)
        first = cold(data, f"{folder}/cache")
        second, monthly, looked_back = warm(data)
        _, peak = process(_MEMORY, data, QUESTION, HEAVY, ",".join(DAYS), cache=f"{folder}/cache")
    kept = verdict("cold process", first, _COLD_SECONDS, "s")
    kept &= verdict("notebook, new date, many columns", second, _WARM_SECONDS, "s")
    kept &= verdict("40 month-end screens", monthly, _MONTHS_SECONDS, "s")
    kept &= verdict("history of the same months", looked_back, _MONTHS_SECONDS, "s")
    return verdict("peak memory, all columns and history", float(peak), _MEGABYTES, "MB") and kept
