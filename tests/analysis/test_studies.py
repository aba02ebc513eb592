import json
import subprocess
import sys

import duckdb
import numpy as np
import pandas as pd
import pytest

from aitheme.analysis.crosssection import attributes_before, regress_cars
from aitheme.analysis.studies import StudyRoom, compare_groups, study_all, study_release
from aitheme.calendar import calendar_for
from aitheme.errors import AithemeError, DateRangeError, UnknownNameError
from aitheme.sources import FetchRequest
from aitheme.sources.archive import ArchiveSource
from aitheme.sources.demo import DemoSource
from aitheme.store import StoreFiles, open_market, refresh
from aitheme.themes import load_theme

BASKET, EVENT = "mszq-20240328/text-corpus", "kimi-20240318"
REQUIRED_TESTS = [
    "cross_sectional_t",
    "crude_dependence_t",
    "crude_dependence_exact_t",
    "patell",
    "adj_patell",
    "bmp",
    "adj_bmp",
    "skewness_johnson",
    "skewness_hall",
    "sign",
    "generalised_sign",
    "wilcoxon",
    "corrado_rank",
    "corrado_zivney_rank",
    "corrado_zivney_sign",
    "grank_t",
    "grank_z",
    "randomisation_dates",
    "randomisation_baskets",
    "residual_bootstrap",
    "wild_cluster_bootstrap",
]


@pytest.fixture(scope="module")
def demo_store(tmp_path_factory):
    files = StoreFiles(tmp_path_factory.mktemp("studies") / "store")
    refresh(files, DemoSource(load_theme("ai")), FetchRequest(), universe="all")
    return files.root


@pytest.fixture(scope="module")
def room(demo_store):
    with open_market(demo_store) as market:
        yield StudyRoom(market, load_theme("ai"))


def test_every_named_test_is_there_with_a_value_or_a_reason(room):
    done = study_release(room, BASKET, EVENT, window=(0, 4), draws=99)
    record = done.to_dict()
    assert set(REQUIRED_TESTS) <= {row["name"] for row in record["tests"]}
    for row in record["tests"]:
        assert (row["p"] is None) == bool(row.get("reason"))
        assert row["assumes"]
    assert {
        "basket",
        "event",
        "day0",
        "window",
        "estimation_first",
        "estimation_last",
        "n",
        "caar",
        "rbar",
        "n_eff",
        "headline_p",
    } <= set(record)
    assert (record["day0"], record["estimation_last"]) == ("2024-03-18", "2024-01-26")
    assert record["simulated"] is True
    assert "SIMULATED 模拟数据" in done.plot().to_json(ensure_ascii=False)
    assert "SIMULATED" not in done.result.plot().to_json()


def test_the_simulated_effect_is_recovered_within_its_standard_error(room):
    """The injected truth of the basket against the abnormal returns the study finds, in units of its own error."""
    truth = DemoSource(load_theme("ai")).truth()
    done = study_release(room, "ai/all", EVENT, window=(0, 4), draws=0, random_baskets=False)
    injected = truth[truth["release"] == EVENT].groupby("symbol")["effect"].sum()
    own = done.result.car.index
    assert injected.reindex(own).notna().mean() > 0.9
    expected = injected.reindex(own).fillna(0).mean()
    error = np.sqrt(done.result.inflation) * done.result.car.std() / np.sqrt(done.result.n)
    assert abs(done.result.caar.iloc[-1] - expected) < 3 * error
    assert done.result.caar.iloc[-1] > 0


def test_benchmarks_models_and_groups(room):
    caar = {}
    for benchmark in ("000300.SH", "equal-weight", "industry", "801760.SI"):
        done = study_release(room, BASKET, EVENT, window=(0, 4), benchmark=benchmark, draws=0)
        caar[benchmark] = float(done.result.caar.iloc[-1])
        assert done.result.benchmark_name
    assert len({round(value, 10) for value in caar.values()}) == 4
    three = study_release(room, BASKET, EVENT, window=(0, 4), model="factor", factors="ff3", draws=0)
    assert "smb" in three.result.coefficient_names
    for model in ("mean", "market_adjusted", "scholes_williams", "dimson", "industry", "garch", "matched", "synthetic"):
        done = study_release(room, "glsc-20231229/compute", EVENT, window=(0, 4), model=model, draws=0)
        assert np.isfinite(done.result.caar.iloc[-1])
        assert done.result.model == model
    table = compare_groups(room, study_release(room, "ai/all", EVENT, window=(0, 4), draws=0), "board")
    assert set(table["group"]) >= {"main", "chinext"}
    linked = compare_groups(
        room, study_release(room, "mszq-20240328/model-links", EVENT, window=(0, 4), draws=0), "link"
    )
    assert set(linked["group"]) == {"linked", "unlinked"}


def test_cars_on_attributes_known_the_evening_before(room):
    done = study_release(room, "ai/all", EVENT, window=(0, 4), draws=0)
    table = attributes_before(room, done)
    assert list(table.columns) == ["linked", "size", "turnover", "run_up", "forward_pe"]
    level = room.market.panel(["300364.SZ"], end="2024-03-15").level["300364.SZ"].ffill()
    assert table.loc["300364.SZ", "run_up"] == pytest.approx(level.iloc[-1] / level.iloc[-61] - 1)
    # Known the evening before: each broker's latest forecast of the year within 180 days, and not the EPS printed ten days later.
    rows = room.market.sql(
        """SELECT avg(eps) AS eps FROM (
            SELECT eps FROM broker_forecasts WHERE symbol = '300364.SZ' AND fiscal_year = 2024
            AND published BETWEEN DATE '2024-03-15' - 180 AND DATE '2024-03-15'
            QUALIFY row_number() OVER (PARTITION BY broker ORDER BY published DESC, report DESC) = 1)"""
    )
    close = room.market.panel(["300364.SZ"], end="2024-03-15").close["300364.SZ"].ffill().iloc[-1]
    assert table.loc["300364.SZ", "forward_pe"] == pytest.approx(close / rows["eps"].iloc[0], rel=1e-6)
    fit = regress_cars(room, done, ["size", "run_up"])
    x = np.column_stack([np.ones(len(table)), table[["size", "run_up"]]])
    usable = np.isfinite(x).all(axis=1)
    expected = np.linalg.lstsq(x[usable], done.result.car.to_numpy()[usable], rcond=None)[0]
    assert np.allclose(fit.table["coefficient"], expected)
    with pytest.raises(UnknownNameError, match="regress: 'beauty'"):
        regress_cars(room, done, ["beauty"])
    pooled = study_release(room, BASKET, [EVENT, "sora-20240216"], window=(0, 4), draws=0)
    with pytest.raises(DateRangeError, match="pools several releases"):
        attributes_before(room, pooled)


def test_all_releases_one_row_each_adjusted_for_their_number(room):
    table = study_all(room, [BASKET], window=(0, 0), draws=0)
    assert len(table) == len(room.releases)
    studied = table[table["reason"] == ""]
    assert len(studied) > 40
    assert (studied["benjamini_yekutieli"] >= studied["headline_p"] - 1e-12).all()
    assert (studied["holm"] >= studied["headline_p"] - 1e-12).all()
    early = table[table["event"] == "ernie-3-0-20210703"].iloc[0]
    assert "279 sessions" in early["reason"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"events": "kimi-2024"}, UnknownNameError, "event: 'kimi-2024'"),
        ({"benchmark": "000905.SH"}, UnknownNameError, "benchmark: '000905.SH'"),
        ({"model": "factor", "factors": "q5"}, UnknownNameError, "factors: 'q5'"),
        ({"model": "capm"}, AithemeError, "capm"),
        ({"window": (4, 0)}, AithemeError, "window"),
        ({"window": (-40, 0)}, AithemeError, "window"),
        ({"estimation": (900, 30)}, AithemeError, "estimation"),
        ({"basket": "ai/nothing"}, UnknownNameError, "basket: 'ai/nothing'"),
    ],
)
def test_bad_input(room, arguments, error, message):
    call = {"basket": BASKET, "events": EVENT, "draws": 0, **arguments}
    with pytest.raises(error, match=message):
        study_release(room, call.pop("basket"), call.pop("events"), **call)


def test_a_release_without_a_day_has_no_day_zero(room):
    undated = next(release.id for release in room.theme.releases.values() if release.day0 is None)
    with pytest.raises(DateRangeError, match="no exact day"):
        room.day0(undated)
    with pytest.raises(UnknownNameError, match="by: 'size'"):
        compare_groups(room, study_release(room, BASKET, EVENT, draws=0, random_baskets=False), "size")


def test_one_stock_basket_says_why_cross_sectional_tests_do_not_apply(room):
    done = study_release(room, "300364", EVENT, window=(0, 4), draws=0)
    tests = done.result.tests.set_index("test")
    assert not tests.loc["cross_sectional_t", "applicable"].any()
    assert tests.loc["cross_sectional_t", "reason"].iloc[0]
    assert np.isfinite(done.result.headline.p_value)


def run_cli(*arguments):
    done = subprocess.run(
        [sys.executable, "-c", "from aitheme.cli import main; main()", "study", *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_command_line(demo_store, tmp_path):
    options = ("--basket", BASKET, "--event", EVENT, "--window", "0,4", "--draws", "49", "--data", demo_store)
    record = json.loads(run_cli(*options, "--format", "json", "--xlsx", tmp_path / "study.xlsx"))
    assert record["window"] == [0, 4]
    assert (tmp_path / "study.xlsx").stat().st_size > 5000
    text = run_cli(*options, "--by", "link", "--regress", "size,run_up")
    assert "CARs on attributes" in text
    assert record["headline"] in text
    assert "would have claimed" in text


@pytest.mark.archive
def test_caar_agrees_with_a_computation_straight_from_the_dumps(archive_root, tmp_path):
    """Market model on raw hfq closes and CSI 300 closes, stock by stock with polyfit, to 1e-8."""
    theme = load_theme("ai")
    files = StoreFiles(tmp_path / "store")
    refresh(files, ArchiveSource(archive_root, theme), FetchRequest(frozenset(theme.security)), universe="theme")
    symbols = theme.symbols(BASKET)
    with open_market(files.root) as market:
        done = study_release(StudyRoom(market, theme), BASKET, EVENT, window=(0, 4), draws=0, random_baskets=False)
    hfq = (
        duckdb.connect()
        .execute(
            f"SELECT 代码, 日期, 收盘::DOUBLE AS level FROM '{archive_root}/hfq/close.parquet' WHERE 代码 IN {symbols}"
        )
        .df()
    )
    traded = (
        duckdb.connect()
        .execute(
            f"SELECT 股票代码 AS code, 日期 FROM '{archive_root}/bars/*.parquet' WHERE 股票代码 IN {tuple(s[:6] for s in symbols)}"
        )
        .df()
    )
    index = pd.read_csv(archive_root / "index_daily.csv").query("symbol == '000300.SH'").set_index("date")["close"]
    sessions = calendar_for("XSHG").sessions("2021-01-04", "2024-05-22")
    market_return = index.reindex(sessions.strftime("%Y-%m-%d")).pct_change().to_numpy()
    day0 = sessions.get_loc(pd.Timestamp("2024-03-18"))
    cars = {}
    for symbol in symbols:
        own = hfq[hfq["代码"] == symbol].set_index("日期")["level"].reindex(sessions)
        days = pd.DatetimeIndex(traded[traded["code"] == symbol[:6]]["日期"])
        level = own.where(sessions.isin(days))
        returns = (level / level.ffill().shift() - 1).to_numpy()
        estimation = np.arange(day0 - 279, day0 - 29)
        estimation = estimation[np.isfinite(returns[estimation])]
        beta, alpha = np.polyfit(market_return[estimation], returns[estimation], 1)
        window = np.arange(day0, day0 + 5)
        cars[symbol] = np.nansum(returns[window] - alpha - beta * market_return[window])
    assert np.allclose(done.result.car[list(symbols)], [cars[symbol] for symbol in symbols], rtol=0, atol=1e-8)
    assert done.result.caar.iloc[-1] == pytest.approx(np.mean(list(cars.values())), abs=1e-8)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_a_grid_is_the_same_whatever_the_number_of_processes(room):
    options = {"window": (0, 2), "draws": 99}
    alone = study_all(room, [BASKET, "ai/all"], workers=1, **options)
    shared = study_all(room, [BASKET, "ai/all"], workers=2, **options)
    pd.testing.assert_frame_equal(alone, shared)
    with pytest.raises(TypeError, match="no_such_option"):
        study_all(room, [BASKET], workers=2, no_such_option=1)


def test_what_a_study_keeps_back_until_asked_is_there(room):
    done = study_release(room, BASKET, EVENT, window=(0, 4), draws=99, by_day=False).result
    assert done.limits.days["limit_up"].sum() == done.limits.stocks["limit_up"].sum()
    assert set(done.overlapping.columns) == {"event", "other", "sessions_apart", "shared_sessions"}
    hidden = ~done.sample.scopes.active
    for name in ("randomisation_baskets", "volatility_scaled_t", "residual_bootstrap"):
        assert np.isnan(done.outcomes[name].statistic[hidden]).all()
