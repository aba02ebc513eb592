"""Size and power of the headline test and of the classical ones, on placebo dates of the real market archive.

A placebo date holds no release, so a test at 5 % should reject on 5 % of them. Which it does, in which half-year and
against which benchmark, is what this prints; docs/size.md explains it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from aitheme.eventstudy.randomisation import non_overlapping
from benchmarks.size_panel import HALF_YEARS, SEED, Panel, archive_folder, baskets, load_panel
from benchmarks.size_statistics import (
    CRUDE,
    EVENING,
    HEADLINE,
    PER_STOCK,
    PLACEBO,
    TOLERANCE,
    Market,
    PerStock,
    check_placebos,
    cross_check,
    portfolio_p,
    power_p,
)

WINDOWS = ((0, 0), (0, 4), (-5, 10))
BENCHMARKS = ("CSI 300", "equal-weight", "industry")
BANDS = {0.05: (0.04, 0.06), 0.01: (0.005, 0.015)}
TESTS = (HEADLINE, EVENING, PLACEBO, *PER_STOCK)
WHOLE = "whole"  # all half-years together
RANDOM, CLEAR, EVERY, INDICES = "random", "AI, no release in the window", "AI, every session", "industry indices"
EFFECTS = (((0, 0), 0.02, "+2 % on day 0, [0, 0]"), ((0, 4), 0.05, "+5 % spread over [0, 4]"))
PER_CELL = 300  # placebo studies of the per-stock tests by group, benchmark, window and half-year
CHECKS = 50  # (basket, date) pairs compared with the library
BOOTSTRAPS = 1000
EXAMPLES = ("kimi-20240318", "sora-20240216")
EXAMPLE_BASKETS = ("mszq-20240328/text-corpus", "mszq-20240328/video-corpus", "mszq-20240328/applications")


@dataclass
class Bench:
    """The panel, its baskets, and the p-values found so far."""

    panel: Panel
    groups: dict[str, dict[str, tuple[str, ...]]]
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(SEED))
    cells: list[dict[str, object]] = field(default_factory=list)
    power: list[dict[str, object]] = field(default_factory=list)
    tests: dict[str, int] = field(default_factory=dict)
    worst: float = 0.0
    worst_placebo: float = 0.0

    def add(self, labels: dict[str, object], days: np.ndarray, p: np.ndarray) -> None:
        """Count rejections of one test by half-year and level; days are rows, one a p-value."""
        keep = np.isfinite(p) & np.isin(self.panel.half_years[days], HALF_YEARS)
        days, p = days[keep], p[keep]
        kind = "per-stock tests" if labels["test"] in PER_STOCK else "portfolio tests"
        self.tests[kind] = self.tests.get(kind, 0) + p.size
        months, halves = self.panel.months[days], self.panel.half_years[days]
        for level in BANDS:
            pooled = _by_month(p <= level, months)
            for half in (*HALF_YEARS, WHOLE):
                here = (halves == half) | (half == WHOLE)
                free = non_overlapping(np.unique(days[here]), labels["window"])
                row = {"half": half, "level": level, "n": int(here.sum()), "windows": free}
                error = month_error(_by_month(p[here] <= level, months[here]), pooled, self.rng)
                rate = float((p[here] <= level).mean()) if here.any() else np.nan
                self.cells.append(labels | row | {"rate": rate, "error": error})


def run() -> bool | None:
    """Print size and power tables from the real archive, or say that it is not there.

    Returns whether no cell of the headline misses its target beyond Monte-Carlo error; None without the archive.
    """
    started, folder = time.perf_counter(), archive_folder()
    if not folder.exists():
        print(f"size: needs the real market archive at {folder} (set AITHEME_ARCHIVE); skipped")
        return None
    panel = load_panel(folder)
    bench = Bench(panel, baskets(panel))
    for name in BENCHMARKS:
        _portfolio_tests(bench, name)
        _per_stock_tests(bench, name)
    _unseen_series(bench)
    kept = _report(bench)
    _example(bench)
    print(f"\n{time.perf_counter() - started:.0f} s in all")
    return kept


def month_error(own: np.ndarray, pooled: np.ndarray, rng: np.random.Generator) -> float:
    """Half-width of the 95 % interval of a rejection rate, months resampled whole.

    The larger of two bootstraps: over the cell's own months, and over the months of all half-years, as many as hold the
    cell's number of tests. The second is what a test with the same size throughout would show: five or six months that
    happen to hold no rejection must not pass for certainty.
    """
    if len(own) == 0:
        return np.nan
    errors = [_spread(own, len(own), rng) * np.sqrt(len(own) / max(len(own) - 1, 1))]
    errors.append(_spread(pooled, max(1, round(own[:, 1].sum() / pooled[:, 1].mean())), rng))
    return 1.96 * max(errors)


def verdict(rate: float, error: float, level: float) -> str:
    """Empty inside the target band, ~ outside by less than the Monte-Carlo error, ! beyond it, ? undecidable."""
    low, high = BANDS[level]
    if not np.isfinite(rate) or error == 0.0:
        return "?"
    if low <= rate <= high:
        return ""
    return "~" if rate - error <= high and rate + error >= low else "!"


def _by_month(rejected: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Rejections and tests of each month, (months, 2)."""
    _, code = np.unique(months, return_inverse=True)
    return np.column_stack([np.bincount(code, weights=rejected), np.bincount(code)])


def _spread(counts: np.ndarray, number: int, rng: np.random.Generator) -> float:
    drawn = counts[rng.integers(len(counts), size=(BOOTSTRAPS, number))].sum(axis=1)
    return float((drawn[:, 0] / drawn[:, 1]).std())


def _regressor(panel: Panel, name: str, symbols: tuple[str, ...]) -> np.ndarray:
    if name == "industry":
        return panel.industry_means[list(symbols)].mean(axis=1).to_numpy()
    return (panel.index if name == "CSI 300" else panel.equal_weight).to_numpy()


def _market(panel: Panel, members: dict[str, tuple[str, ...]], name: str) -> Market:
    series = [panel.returns[list(symbols)].mean(axis=1).to_numpy() for symbols in members.values()]
    benchmark = [_regressor(panel, name, symbols) for symbols in members.values()]
    return Market(np.stack(series, axis=1), np.stack(benchmark, axis=1))


def _portfolio_tests(bench: Bench, name: str) -> None:
    panel = bench.panel
    for group, members in bench.groups.items():
        market = _market(panel, members, name)
        for window in WINDOWS:
            clear = panel.clear(window)
            random = group == RANDOM
            allowed = np.ones(len(clear), dtype=bool) if random else clear
            found = portfolio_p(market, window, allowed)
            bench.worst = max(bench.worst, cross_check(market, window, CHECKS, bench.rng))
            day = int(bench.rng.integers(500, len(clear) - 20))
            avoid = np.array([], dtype=np.int64) if random else np.flatnonzero(panel.released_sessions)
            gap = check_placebos(market, window, avoid, found[PLACEBO], day)
            bench.worst_placebo = max(bench.worst_placebo, gap)
            for label, dates in ((RANDOM, allowed),) if random else ((CLEAR, clear), (EVERY, np.ones_like(clear))):
                _add_all(bench, {"group": label, "benchmark": name, "window": window}, dates, found)
        _power(bench, market, RANDOM if group == RANDOM else CLEAR, name)


def _add_all(bench: Bench, labels: dict[str, object], dates: np.ndarray, found: dict[str, np.ndarray]) -> None:
    rows = np.flatnonzero(dates)
    for test, p in found.items():
        bench.add(labels | {"test": test}, np.repeat(rows, p.shape[1]), p[rows].ravel())


def _power(bench: Bench, market: Market, group: str, name: str) -> None:
    panel = bench.panel
    for window, effect, label in EFFECTS:
        dates = panel.clear(window) if group == CLEAR else np.ones(len(panel.sessions), dtype=bool)
        for test, p in power_p(market, window, effect).items():
            for half in HALF_YEARS:
                here = p[dates & (panel.half_years == half)]
                share = float((here[np.isfinite(here)] <= 0.05).mean())
                labels = {"injected": label, "group": group, "benchmark": name, "test": test}
                bench.power.append(labels | {"half": half, "share": share})


def _per_stock_tests(bench: Bench, name: str) -> None:
    panel = bench.panel
    series = {"CSI 300": panel.index, "equal-weight": panel.equal_weight}
    study = PerStock(panel.returns, panel.industry_means if name == "industry" else series[name], name)
    first, last = 280, len(panel.sessions)
    for group, members in bench.groups.items():
        names = list(members)
        for window in WINDOWS:
            dates = panel.clear(window) if group != RANDOM else np.ones(last, dtype=bool)
            dates[:first], dates[last - window[1] :] = False, False
            pairs = [
                pair
                for half in HALF_YEARS
                for pair in _drawn(bench, np.flatnonzero(dates & (panel.half_years == half)), names)
            ]
            found = np.array([study.p_values(members[basket], day, window) for day, basket in pairs])
            labels = {"group": RANDOM if group == RANDOM else CLEAR, "benchmark": name, "window": window}
            days = np.array([day for day, _ in pairs])
            for column, test in enumerate(PER_STOCK):
                bench.add(labels | {"test": test}, days, found[:, column])


def _drawn(bench: Bench, days: np.ndarray, names: list[str]) -> list[tuple[int, str]]:
    """Distinct (date, basket) pairs of one half-year."""
    size = min(PER_CELL, days.size * len(names))
    pick = bench.rng.choice(days.size * len(names), size=size, replace=False)
    return [(int(days[item // len(names)]), names[item % len(names)]) for item in np.sort(pick)]


def _unseen_series(bench: Bench) -> None:
    """Repeat the headline on industry indices, which played no part in choosing it."""
    panel = bench.panel
    series = panel.industry_indices.to_numpy()
    for name in BENCHMARKS[:2]:
        regressor = np.repeat(_regressor(panel, name, ())[:, None], series.shape[1], axis=1)
        market = Market(series, regressor)
        for window in WINDOWS:
            every = np.ones(len(series), dtype=bool)
            found = portfolio_p(market, window, every)
            _add_all(bench, {"group": INDICES, "benchmark": name, "window": window}, every, found)


def _report(bench: Bench) -> bool:
    cells = pd.DataFrame(bench.cells)
    cells["mark"] = [verdict(*item) for item in zip(cells["rate"], cells["error"], cells["level"], strict=True)]
    number = len(bench.groups[RANDOM])
    print(
        f"size and power on {len(bench.panel.sessions)} sessions; {number} random baskets, {len(bench.groups['AI'])} AI"
    )
    print("placebo tests: " + ", ".join(f"{count:,} {kind}" for kind, count in bench.tests.items()))
    if not bench.worst < TOLERANCE:
        raise RuntimeError(f"the vectorised headline differs from the library's by {bench.worst:.1e}")
    print(f"agrees with aitheme.eventstudy.volatility: largest difference {bench.worst:.1e} (allowed {TOLERANCE:.0e})")
    print(f"randomisation over dates against the library: largest difference of p {bench.worst_placebo:.1e}")
    print("cell: rejections in % +- Monte-Carlo error (95 %), ~ outside the target band by less than it, ! by more")
    _print_whole(cells[cells["half"] == WHOLE])
    cells = cells[cells["half"] != WHOLE]
    for (level, group, name), block in cells.groupby(["level", "group", "benchmark"], sort=False):
        print(f"\n== {group}, {name}, nominal {level:.0%} ==")
        _print_block(block)
    _print_windows(cells)
    _print_means(cells)
    _print_summary(cells)
    _print_power(pd.DataFrame(bench.power))
    ours = (cells["test"] == HEADLINE) & cells["group"].isin([RANDOM, CLEAR])
    return not (cells.loc[ours, "mark"] == "!").any()


def _print_whole(cells: pd.DataFrame) -> None:
    for (level, group), block in cells.groupby(["level", "group"], sort=False):
        names = list(block["benchmark"].unique())
        print(f"\n== {group}, 2022H2 to 2024 together, nominal {level:.0%}; {', '.join(names)} ==")
        print(" " * 25 + "".join(f"{list(window)!s:^{10 * len(names)}}" for window in WINDOWS))
        for test, rows in block.groupby("test", sort=False):
            found = {(row.window, row.benchmark): row for row in rows.itertuples()}
            texts = (_cell(found[window, name]) for window in WINDOWS for name in names)
            print(f"{test:25}" + "".join(f"{text:>10}" for text in texts))


def _print_block(block: pd.DataFrame) -> None:
    print(" " * 25 + "".join(f"{list(window)!s:^40}" for window in WINDOWS))
    print(" " * 25 + "".join(f"{half:>10}" for _ in WINDOWS for half in HALF_YEARS))
    for test, rows in block.groupby("test", sort=False):
        found = {(row.window, row.half): row for row in rows.itertuples()}
        texts = [_cell(found[window, half]) for window in WINDOWS for half in HALF_YEARS]
        print(f"{test:25}" + "".join(f"{text:>10}" for text in texts))


def _cell(row) -> str:
    if not np.isfinite(row.rate):
        return "-"
    error = 100 * row.error
    return f"{100 * row.rate:.1f}±{error:.{int(error < 9.95)}f}{row.mark or ' '}"


def _print_windows(cells: pd.DataFrame) -> None:
    print("\n== windows that share no session, by half-year: what a cell's error rests on ==")
    for group in (RANDOM, CLEAR, EVERY):
        rows = cells[(cells["group"] == group) & (cells["test"] == HEADLINE) & (cells["level"] == 0.05)]
        found = {(row.window, row.half): row.windows for row in rows.itertuples()}
        text = (f"{list(window)} " + " ".join(str(found[window, half]) for half in HALF_YEARS) for window in WINDOWS)
        print(f"{group:30}" + "   ".join(text))


def _print_means(cells: pd.DataFrame) -> None:
    for (level, group), block in cells.groupby(["level", "group"], sort=False):
        mean = block.groupby(["test", "window", "half"], sort=False)["rate"].mean() * 100
        print(f"\n== {group}, nominal {level:.0%}, mean of the benchmarks, {' '.join(HALF_YEARS)} ==")
        print(" " * 25 + "".join(f"{list(window)!s:>24}" for window in WINDOWS))
        for test in block["test"].unique():
            text = (" ".join(f"{mean[test, window, half]:5.1f}" for half in HALF_YEARS) for window in WINDOWS)
            print(f"{test:25}" + " ".join(f"{item:>23}" for item in text))


def _print_summary(cells: pd.DataFrame) -> None:
    print("\n== cells (benchmark x window x half-year): in the band, outside within the error, too high, too low;")
    print("   too high and too low by one yardstick, the error of the headline's cell, for every test ==")
    cells = cells.assign(common=[verdict(*item) for item in _common_errors(cells)])
    for (level, group), block in cells.groupby(["level", "group"], sort=False):
        print(f"-- {group}, nominal {level:.0%}, {len(block) // block['test'].nunique()} cells")
        for test, rows in block.groupby("test", sort=False):
            mark, high = rows["mark"], rows["rate"] > level
            counts = [(mark == "").sum(), (mark == "~").sum(), *_missed(mark, high), *_missed(rows["common"], high)]
            text = "".join(f"{int(item):>5}" for item in counts)
            lost = f", {int((mark == '?').sum())} undecidable" if (mark == "?").any() else ""
            missed = sum(counts[2:4])
            met = f"missed in {missed}" if missed else "in no cell missed beyond the error"
            error = 100 * rows["error"].median()
            print(f"{test:25}{text}   mean {100 * rows['rate'].mean():4.1f} %, median error {error:4.1f}: {met}{lost}")


def _missed(mark: pd.Series, high: pd.Series) -> tuple[int, int]:
    return int(((mark == "!") & high).sum()), int(((mark == "!") & ~high).sum())


def _common_errors(cells: pd.DataFrame) -> zip:
    """Rate, error and level of each cell, the error that of the headline's cell and of the number of tests.

    A test that rejects in bursts has a large error of its own, which must not excuse it.
    """
    keys = ["level", "group", "benchmark", "window", "half"]
    headline = cells[cells["test"] == HEADLINE].set_index(keys)["error"]
    shared = headline.loc[pd.MultiIndex.from_frame(cells[keys])].to_numpy()
    sampling = 1.96**2 * cells["level"] * (1 - cells["level"]) / cells["n"]
    return zip(cells["rate"], np.sqrt(shared**2 + sampling), cells["level"], strict=True)


def _print_power(power: pd.DataFrame) -> None:
    print(f"\n== share detected at 5 %, in %: mean of the half-years, then {' '.join(HALF_YEARS)} ==")
    for (injected, group), block in power.groupby(["injected", "group"], sort=False):
        print(f"-- {injected}, {group}")
        for test, rows in block.groupby("test", sort=False):
            texts = []
            for name in BENCHMARKS:
                share = rows.loc[rows["benchmark"] == name, "share"].to_numpy() * 100
                texts.append(f"{name} {share.mean():.0f} (" + " ".join(f"{item:.0f}" for item in share) + ")")
            print(f"{test:25}" + "   ".join(texts))


def _example(bench: Bench) -> None:
    """Two releases on three baskets: what each test says."""
    panel = bench.panel
    study = PerStock(panel.returns, panel.index, "CSI 300")
    shown = ("cross_sectional_t", "bmp", "adj_bmp", CRUDE, HEADLINE, EVENING)
    print("\n== window [0, 4], CSI 300: statistic (p) ==")
    for event in EXAMPLES:
        place = int(panel.sessions.get_loc(panel.releases[event]))
        for name in EXAMPLE_BASKETS:
            found = study.example(bench.groups["AI"][name], place, (0, 4))
            print(
                f"{event}, {name.split('/')[1]}: N {found['n']}, CAAR {100 * found['caar']:.1f} %, "
                f"r-bar {found['rbar']:.2f}, N_eff {found['n_eff']:.1f}"
            )
            print("   " + ", ".join(f"{test} {found[test][0]:.2f} ({found[test][1]:.2g})" for test in shown))
