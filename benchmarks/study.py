"""Event studies of the whole market: against plain numpy and PyPI's eventstudy, and what the theme's grid takes.

Contract, for one event, the market model and nine statistics: at most 2x a numpy floor for complete stocks, 4x with
missing data, 50x faster than eventstudy 0.1a12, under 3x the panel's memory; 2,000 placebo dates of 30 stocks under
2 s; every release x every recommended basket with all tests under 20 s. Each part is a process of its own, with one
BLAS thread unless it says otherwise; imports and the building of the store are not counted.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import archive, median, verdict
from benchmarks.study_floor import NINE, complete, floor, package_study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from aitheme.analysis.studies import StudyRoom

DAY0, WINDOW, ESTIMATION, INDEX = "2024-03-18", (-5, 10), (250, 30), "000300.SH"
_FLOOR, _HOLES, _FASTER, _DATES_SECONDS, _GRID_SECONDS, _MEMORY = 2.0, 4.0, 50.0, 2.0, 20.0, 3.0
_ROUNDS, _PACKAGE_ROUNDS = 15, 3
_AGREE = 1e-8
_DATES, _BASKET = 2000, 30
_WHOLE_GRID, _SAMPLED = 60.0, 20.0
_SEED = 20240318
_MISSED = 4  # exit code of a part that ran and missed a limit


class Whole(NamedTuple):
    """Returns of every A-share, those of the stocks complete around the event, and the benchmark's."""

    every: pd.DataFrame
    complete: pd.DataFrame
    market: pd.Series[float]


@contextmanager
def opened(data: str) -> Iterator[StudyRoom]:
    from aitheme.analysis.studies import StudyRoom
    from aitheme.store import open_market
    from aitheme.themes import load_theme

    with open_market(data) as market:
        yield StudyRoom(market, load_theme("ai"))


def whole(data: str) -> Whole:
    with opened(data) as room:
        every = room.universe.returns
        market = room.benchmark(INDEX, [])[0]
    return Whole(every, complete(every, DAY0, WINDOW, ESTIMATION), market)


def ours(returns: pd.DataFrame, market: pd.Series[float], events: object = ("kimi", DAY0), **options: Any) -> Any:
    from aitheme.eventstudy import event_study

    chosen: dict[str, Any] = {"tests": NINE, "by_day": False, "draws": 0} | options
    return event_study(returns, events, benchmark=market, window=WINDOW, estimation=ESTIMATION, **chosen)


def drawn(names: list[str], count: int) -> list[str]:
    """Draw so many names at random, the same ones every time."""
    import numpy as np

    return [names[place] for place in np.random.default_rng(_SEED).permutation(len(names))[:count]]


def ms(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return (time.perf_counter() - started) * 1e3


def agree(have: Whole) -> None:
    """Refuse to time two things that differ."""
    expected = floor(have.complete, have.market, DAY0, WINDOW, ESTIMATION)
    table = ours(have.complete, have.market).tests.set_index("test")["statistic"]
    gap = max(abs(expected[name] - table[name]) for name in NINE)
    if not gap <= _AGREE:
        raise AssertionError(f"ours and the floor differ by {gap:.1e} in {NINE}")
    print(f"  the nine statistics agree with the floor's to {gap:.0e}")


def rounds(have: Whole) -> dict[str, list[float]]:
    """Take turns, so that all meet the same machine; the first turn warms up."""
    sides = {
        "floor": lambda: floor(have.complete, have.market, DAY0, WINDOW, ESTIMATION),
        "complete": lambda: ours(have.complete, have.market),
        "holes": lambda: ours(have.every, have.market),
    }
    turns = [{name: ms(side) for name, side in sides.items()} for _ in range(_ROUNDS + 1)][1:]
    return {name: [turn[name] for turn in turns] for name in sides}


def ratios(times: dict[str, list[float]]) -> tuple[float, float]:
    """Return each round's own ratio to its floor, in the median: a busy neighbour slows all sides of a round."""
    complete_ratio, holes_ratio = (
        statistics.median(mine / least for mine, least in zip(times[name], times["floor"], strict=True))
        for name in ("complete", "holes")
    )
    return complete_ratio, holes_ratio


def part_market(data: str) -> bool:
    """One event, the whole market, against the floor and against the package."""
    have = whole(data)
    agree(have)
    times = rounds(have)
    labels = {
        "floor": f"numpy floor, {have.complete.shape[1]:,} complete stocks",
        "complete": "ours, the same stocks",
        "holes": f"ours, all {have.every.shape[1]:,} stocks",
    }
    for name, label in labels.items():
        print(f"  {label} ms: {median(times[name])}")
    bare, holes = ratios(times)
    kept = verdict("complete stocks, median of rounds", bare, _FLOOR, "x the floor")
    kept &= verdict("missing data, median of rounds", holes, _HOLES, "x the floor")
    return package(have) is not False and kept


def part_threads(data: str) -> bool:
    """Print the same ratios with BLAS left to itself, for information."""
    bare, holes = ratios(rounds(whole(data)))
    print(f"  with BLAS threads as the machine sets them: {bare:.3f} x and {holes:.3f} x the floor (not judged)")
    return True


def package(have: Whole) -> bool | None:
    """Compare with PyPI's eventstudy on the same stocks; it prints one t a day and none of the nine statistics."""
    if importlib.util.find_spec("eventstudy") is None:
        print("  eventstudy: not installed, not measured; `pip install eventstudy==0.1a12` (brings matplotlib)")
        return None
    try:
        packaged = package_study(have.complete, have.market, DAY0, WINDOW, ESTIMATION)
        caar = packaged()
    except Exception as error:  # noqa: BLE001 (whatever an old package does with today's pandas is worth a line)
        print(f"  eventstudy: installed but could not run here ({type(error).__name__}: {error}), not measured")
        return None
    gap = abs(caar - float(ours(have.complete, have.market).caar.iloc[-1]))
    sides = {"package": packaged, "nine": lambda: ours(have.complete, have.market),
             "one": lambda: ours(have.complete, have.market, tests="cross_sectional_t")}  # fmt: skip
    turns = [{name: ms(side) for name, side in sides.items()} for _ in range(_PACKAGE_ROUNDS)]
    nine, one = (statistics.median(turn["package"] / turn[name] for turn in turns) for name in ("nine", "one"))
    print(
        f"  eventstudy, the same stocks ms: {median([turn['package'] for turn in turns])}; CAAR within {gap:.0e} of ours"
    )
    # The package gives one t; nine statistics cost plain numpy alone (the floor) more than a fiftieth of its time.
    print(f"  ours with one t, as it has, is faster {one:.1f} x (not judged)")
    kept = nine >= _FASTER
    word = "kept" if kept else "MISSED"
    print(f"  ours with nine statistics is faster, median of rounds: {nine:.1f} x, at least {_FASTER:g} x: {word}")
    return kept


def part_dates(data: str) -> bool:
    """Randomise a basket's date over a sample long enough to hold 2,000 placebo dates."""
    import numpy as np
    import pandas as pd

    have = whole(data)
    steady = have.complete.columns[have.complete.iloc[1:].notna().all()]
    basket = drawn(list(steady), _BASKET)
    days = np.random.default_rng(_SEED).integers(1, len(have.every), _DATES + 400)
    sessions = pd.bdate_range("2010-01-04", periods=days.size)
    returns = have.complete[basket].iloc[days].set_axis(sessions)
    market = have.market.iloc[days].set_axis(sessions)
    event, options = ("placebo", sessions[-20]), {"tests": ("randomisation_dates",), "by_day": True, "draws": _DATES}
    used = ours(returns, market, event, **options).randomisation.draws.shape[1]
    if used != _DATES:
        raise AssertionError(f"{used} placebo dates were used, not {_DATES}")
    print(f"  {len(have.every)} sessions hold too few placebo dates: {days.size} of them, drawn with replacement")
    seconds = [ms(lambda: ours(returns, market, event, **options)) / 1e3 for _ in range(5)]
    print(f"  {_DATES:,} placebo dates of {_BASKET} stocks, the window and its single days s: {median(seconds)}")
    return verdict("date randomisation", statistics.median(seconds), _DATES_SECONDS, "s")


def part_memory(data: str) -> bool:
    """Trace what a study of all stocks allocates at its peak; the panel itself counts."""
    import tracemalloc

    have = whole(data)
    panel = have.every.to_numpy().nbytes
    ours(have.complete.iloc[:, :50], have.market)  # loads what loads once
    peaks = {}
    for name, options in (("nine statistics", {}), ("all tests", {"tests": None, "draws": 1000})):
        tracemalloc.start()
        ours(have.every, have.market, **options)
        peaks[name] = 1 + tracemalloc.get_traced_memory()[1] / panel
        tracemalloc.stop()
    print(f"  returns panel {panel / 1e6:.1f} MB; peaks by tracemalloc, panel included")
    print(f"  all tests with 1,000 draws: {peaks['all tests']:.3f} x the panel (not judged)")
    return verdict("peak memory, nine statistics, all stocks", peaks["nine statistics"], _MEMORY, "x the panel")


def part_curve(data: str) -> bool:
    """Show how time grows with stocks and with events."""
    have = whole(data)
    shuffled = drawn(list(have.complete.columns), have.complete.shape[1])
    by_stocks = {
        count: quick(have.complete[shuffled[:count]], have.market, ("kimi", DAY0)) for count in (500, 1000, 2000, 4000)
    }
    curve("stocks, one event", by_stocks)
    steady = have.every.columns[have.every.iloc[1:].notna().all()]
    some = have.every[drawn(list(steady), 1000)]
    dates = some.index[sum(ESTIMATION) : -WINDOW[1]]
    # Spread evenly over the same span, however many.
    spread = {count: [dates[len(dates) * (2 * k + 1) // (2 * count)] for k in range(count)] for count in (1, 5, 20)}
    by_events = {
        count: quick(some, have.market, [(f"event-{day:%Y%m%d}", day) for day in days])
        for count, days in spread.items()
    }
    curve(f"events, {some.shape[1]:,} stocks each", by_events)
    return True


def quick(returns: pd.DataFrame, market: pd.Series[float], events: object) -> float:
    return statistics.median([ms(lambda: ours(returns, market, events)) for _ in range(6)][1:])


def curve(name: str, times: dict[int, float]) -> None:
    base = min(times)
    cells = "; ".join(
        f"{count:,}: {value:.0f} ms ({value / times[base] / (count / base):.2f} of linear)"
        for count, value in times.items()
    )
    print(f"  time by {name}: {cells}")


def part_grid(data: str) -> bool:
    """Study every release and basket, or sample whole releases at random where all of them would take too long."""
    from aitheme.analysis import studies

    with opened(data) as room:
        baskets = [name for name in room.theme.baskets if room.theme.basket(name).kind in ("recommended", "union")]
        releases = drawn([event for event, _ in room.releases], len(room.releases))
        cells = len(baskets) * len(releases)
        print(f"  grid: {len(releases)} releases x {len(baskets)} baskets = {cells:,} studies, all tests, 1,000 draws")
        # The first release also reads the panels and works out what is kept for the others.
        used = time.process_time()
        first = release_seconds(room, baskets, releases[0])
        rest: list[float] = []
        for event in releases[1:]:
            rest.append(release_seconds(room, baskets, event))
            if len(rest) >= 5 and (sum(rest) > _SAMPLED or estimate(first, rest, releases) <= _WHOLE_GRID):
                break
        used = time.process_time() - used
    whole_grid = estimate(first, rest, releases)
    if whole_grid <= _WHOLE_GRID:
        with opened(data) as room:
            seconds = ms(lambda: studies.study_all(room, baskets)) / 1e3
        return verdict("every release x every basket, measured in full", seconds, _GRID_SECONDS, "s")
    error = statistics.stdev(rest) / len(rest) ** 0.5 * (len(releases) - 1)
    print(f"  measured: first release {first:.2f} s, {len(rest)} more drawn at random s: {median(rest)}")
    studied = (len(rest) + 1) * len(baskets)
    print(f"  per study ms: {sum([first, *rest]) / studied * 1e3:.1f}, of the processor {used / studied * 1e3:.1f}")
    print(f"  extrapolated to {len(releases)} releases; standard error of the sample {error:.1f} s")
    return verdict("every release x every basket, EXTRAPOLATED", whole_grid, _GRID_SECONDS, "s")


def release_seconds(room: StudyRoom, baskets: list[str], event: str) -> float:
    """Time the body of study_all for one release."""
    from aitheme.analysis.studies import study_release
    from aitheme.eventstudy import StudyError

    started = time.perf_counter()
    for basket in baskets:
        try:
            _ = study_release(room, basket, event, by_day=False).result.headline
        except StudyError:
            continue
    return time.perf_counter() - started


def estimate(first: float, rest: list[float], releases: list[str]) -> float:
    return first + statistics.mean(rest) * (len(releases) - 1)


def separately(part: str, data: str, *, one_thread: bool = True) -> bool:
    """Run a part as a process of its own, which prints for itself."""
    environment = os.environ | ({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"} if one_thread else {})
    command = [sys.executable, "-u", "-m", "benchmarks.study", part, data]
    sys.stdout.flush()
    code = subprocess.run(command, check=False, env=environment, cwd=Path(__file__).parents[1]).returncode
    if code not in (0, _MISSED):
        raise subprocess.CalledProcessError(code, command)
    return code == 0


def measure(data: str) -> bool:
    kept = separately("market", data)
    separately("threads", data, one_thread=False)
    for part in ("dates", "memory", "curve", "grid"):
        kept &= separately(part, data)
    return kept


def build(root: Path, target: str) -> None:
    from aitheme.sources.archive import ArchiveSource
    from aitheme.sources.base import FetchRequest
    from aitheme.store import StoreFiles, refresh
    from aitheme.themes import load_theme

    refresh(StoreFiles(Path(target)), ArchiveSource(root, load_theme("ai")), FetchRequest(), universe="all")


def run() -> bool | None:
    if data := os.environ.get("AITHEME_DATA"):
        print(f"  store: {data} ($AITHEME_DATA)")
        return measure(str(Path(data).resolve()))
    root = archive()
    if root is None:
        return None
    with tempfile.TemporaryDirectory(prefix="aitheme-bench-") as target:
        build(root, target)
        return measure(target)


PARTS = {"market": part_market, "threads": part_threads, "dates": part_dates, "memory": part_memory,
         "curve": part_curve, "grid": part_grid}  # fmt: skip

if __name__ == "__main__":
    sys.exit(0 if PARTS[sys.argv[1]](sys.argv[2]) else _MISSED)
