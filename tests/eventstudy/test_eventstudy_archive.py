"""Numbers of the research notes on the real archive (skipped where it is not there)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aitheme.eventstudy import equal_weight_market, event_study

pytestmark = pytest.mark.archive
DAY0 = pd.Timestamp("2024-03-18")


@pytest.fixture(scope="module")
def bars(archive):
    """Returns between consecutive traded sessions of the forward-adjusted closes, and the CSI 300."""
    columns = ["股票代码", "日期", "收盘"]
    table = pd.concat(
        [pd.read_parquet(archive / "bars" / f"{year}.parquet", columns=columns) for year in (2022, 2023, 2024)]
    )
    table["日期"] = pd.to_datetime(table["日期"])
    close = table.drop_duplicates(columns[:2]).pivot_table(index="日期", columns="股票代码", values="收盘")
    returns = close.ffill().pct_change(fill_method=None).where(close.notna())
    index = pd.read_csv(archive / "index_daily.csv", parse_dates=["date"])
    level = index[index["symbol"] == "000300.SH"].set_index("date")["close"]
    return returns, level.reindex(close.index).pct_change(fill_method=None).rename("000300.SH")


@pytest.fixture(scope="module")
def complete(bars):
    returns, _ = bars
    place = returns.index.get_loc(DAY0)
    rows = [*range(place - 279, place - 29), *range(place - 5, place + 11)]
    return returns.loc[:, returns.iloc[rows].notna().all()]


def test_whole_market_numbers_of_the_notes(bars, complete):
    result = event_study(complete, ("kimi", DAY0), benchmark=bars[1], draws=0, by_day=False)
    assert result.n == 4777
    assert result.caar.iloc[-1] == pytest.approx(0.0372, abs=5e-5)
    assert result.rbar == pytest.approx(0.1118, abs=5e-5)
    table = result.tests.set_index("test")["statistic"]
    for name, expected in {
        "bmp": 28.546,
        "adj_bmp": 1.163,
        "adj_patell": 1.410,
        "cross_sectional_t": 25.2,
        "patell": 32.6,
        "crude_dependence_t": 1.26,
    }.items():
        places = len(str(expected).split(".")[1])
        assert table[name] == pytest.approx(expected, abs=0.5 * 10**-places + 1e-9), name


def test_whole_market_with_holes(bars):
    result = event_study(bars[0], ("kimi", DAY0), benchmark=bars[1], draws=0, by_day=False)
    assert 5000 < result.n < 5363
    assert result.loss.dropped == result.loss.asked - result.n
    assert result.tests.set_index("test").loc["bmp", "statistic"] > 20
    assert abs(result.tests.set_index("test").loc["adj_bmp", "statistic"]) < 2


def test_equal_weight_benchmark_removes_most_of_the_correlation(bars, complete):
    market = equal_weight_market(bars[0])
    result = event_study(complete, ("kimi", DAY0), benchmark=market, draws=0, by_day=False, tests=["adj_bmp"])
    assert abs(result.rbar) < 0.02


def test_random_baskets_on_random_dates(bars, complete):
    """Research notes §6: classical tests reject about 40 % of true nulls, the randomised one does not."""
    returns, market = bars
    rng = np.random.default_rng(6)
    names = ["cross_sectional_t", "bmp", "crude_dependence_exact_t", "randomisation_dates"]
    hits, repeats = dict.fromkeys(names, 0), 120
    for _ in range(repeats):
        basket = complete[rng.choice(complete.columns, 30, replace=False)]
        day = returns.index[rng.integers(420, 540)]
        result = event_study(
            basket, ("placebo", day), benchmark=market, window=(0, 0), tests=names, max_loss=0.9, estimation=(120, 30)
        )
        for name in names:
            hits[name] += result.outcomes[name].p_value[-1] < 0.05
    assert hits["cross_sectional_t"] / repeats > 0.25
    assert hits["bmp"] / repeats > 0.25
    assert hits["randomisation_dates"] / repeats < 0.15
