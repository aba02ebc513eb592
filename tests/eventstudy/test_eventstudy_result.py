"""What a result offers: labels, tables, summary, chart, workbook, JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest

import aitheme.eventstudy as package
from aitheme.eventstudy import StudyError, event_study
from aitheme.eventstudy.battery import TESTS
from aitheme.eventstudy.plotting import band_table
from tests.eventstudy.conftest import simulate

NAMES = [
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
def study():
    returns, market = simulate(stocks=12, days=700, common=0.02, seed=33, holes=0.01)
    return event_study(returns, ("kimi-20240318", returns.index[650]), benchmark=market, sub_windows=[(0, 4)])


def test_names_of_the_tests(study):
    assert set(NAMES) <= set(TESTS)
    assert list(dict.fromkeys(study.tests["test"]))[: len(NAMES)] == NAMES
    assert list(dict.fromkeys(study.tests["scope"])) == [*(f"day {day}" for day in range(-5, 11)), "[0, 4]", "[-5, 10]"]


def test_labels(study):
    assert study.abnormal_returns.shape == (16, 12)
    assert list(study.abnormal_returns.index) == list(range(-5, 11))
    assert study.residuals.index[0] == -279
    assert study.residuals.index[-1] == -30
    assert (study.car.index == study.sigma.index).all()
    assert study.aar.index.name == "day"
    assert list(study.coefficients.columns) == ["alpha", "beta"]
    assert study.r_squared.between(0, 1).all()
    assert study.cars.shape == (18, 12)


def test_frozen(study):
    with pytest.raises(FrozenInstanceError):
        study.model = "other"


def test_without_days_only_windows_are_reported():
    returns, market = simulate(stocks=6, days=400, seed=1)
    options = {"benchmark": market, "draws": 0, "sub_windows": [(0, 4)]}
    few = event_study(returns, ("x", returns.index[350]), by_day=False, **options)
    all_days = event_study(returns, ("x", returns.index[350]), **options)
    assert list(dict.fromkeys(few.tests["scope"])) == ["[0, 4]", "[-5, 10]"]
    key = ["test", "scope"]
    one, two = few.tests.set_index(key)["statistic"], all_days.tests.set_index(key)["statistic"]
    pd.testing.assert_series_equal(one, two[one.index])


def test_tidy_holds_every_stock_and_day(study):
    table = study.tidy()
    assert len(table) == 12 * 16
    symbol = study.labels[3]
    part = table[table["symbol"] == symbol].set_index("day")
    np.testing.assert_allclose(part["abnormal_return"], study.abnormal_returns[symbol])
    assert part["car"].iloc[-1] == pytest.approx(study.car[symbol])
    assert part.loc[0, "session"] == study.sessions[650]


def test_headline_sentence_names_both_claims(study):
    head, text = study.headline, str(study.summary())
    assert head.test == "volatility_scaled_t"
    assert head.naive_test == "cross_sectional_t"
    assert head.p_value == study.outcomes["volatility_scaled_t"].p_value[-1]
    assert head.p_value_before == study.outcomes["volatility_scaled_t_before"].p_value[-1]
    assert "; the naive cross_sectional_t, which takes the 12 stocks as independent" in text
    for word in ("000300.SH", "rbar", "N_eff", "placebo dates", "kimi-20240318", "-279 .. -30"):
        assert word in text
    html = study._repr_html_()
    assert html.startswith("<div>")
    assert "kimi-20240318" in html


def test_headline_without_any_robust_test():
    returns, market = simulate(stocks=6, days=400, seed=1)
    result = event_study(returns, ("x", returns.index[350]), benchmark=market, tests=["patell"], draws=0)
    assert np.isnan(result.headline.p_value)
    assert "no p-value that survives a common date" in str(result.summary())


def test_json(study):
    table = json.loads(json.dumps(study.to_dict(), allow_nan=False))
    for key in (
        "event",
        "day0",
        "window",
        "estimation_first",
        "estimation_last",
        "n",
        "caar",
        "rbar",
        "n_eff",
        "tests",
    ):
        assert key in table
    assert table["event"] == "kimi-20240318"
    assert table["estimation_first"] == f"{study.sessions[650 - 279]:%Y-%m-%d}"
    assert table["estimation_last"] == f"{study.sessions[650 - 30]:%Y-%m-%d}"
    assert table["headline_p"] == study.headline.p_value
    assert {"name", "statistic", "p", "assumes"} <= set(table["tests"][0])


def test_chart_has_a_placebo_band(study):
    table = band_table(study)
    assert table["low"].notna().all()
    assert (table["low"] <= table["high"]).all()
    spec = study.plot(lang="en").to_dict()
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["area", "line", "rule", "rule"]
    assert "90 % of" in spec["title"]["subtitle"][-1]
    assert "安慰剂" in study.plot().to_dict()["title"]["subtitle"][-1]
    with pytest.raises(StudyError, match="lang='fr' is not known"):
        study.plot(lang="fr")


def test_chart_without_placebos_says_so():
    returns, market = simulate(stocks=6, days=400, seed=1)
    spec = event_study(returns, ("x", returns.index[350]), benchmark=market, draws=0).plot(lang="en").to_dict()
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["line", "rule", "rule"]
    assert spec["title"]["subtitle"][-1] == "No placebo band: draws=0"


def test_workbook(study, tmp_path):
    study.to_excel(tmp_path / "study.xlsx")
    book = pd.read_excel(tmp_path / "study.xlsx", sheet_name=None)
    assert {"summary", "tests", "caar", "cars", "abnormal_returns", "coefficients", "loss"} <= set(book)
    assert len(book["tests"]) == len(study.tests)
    assert book["caar"]["caar"].iloc[-1] == pytest.approx(study.caar.iloc[-1])


def test_result_does_not_depend_on_the_memory_order_of_the_frame():
    returns, market = simulate(stocks=9, days=400, seed=6, holes=0.02)
    other = pd.DataFrame(np.asfortranarray(returns.to_numpy()), index=returns.index, columns=returns.columns)
    event, options = ("x", returns.index[350]), {"benchmark": market, "draws": 50}
    one, two = event_study(returns, event, **options), event_study(other, event, **options)
    pd.testing.assert_frame_equal(one.tests, two.tests, rtol=1e-9)


def test_input_is_not_changed():
    returns, market = simulate(stocks=5, days=400, seed=6, holes=0.02)
    before = returns.copy()
    event_study(returns, ("x", returns.index[350]), benchmark=market, draws=50)
    pd.testing.assert_frame_equal(returns, before)


def test_pooled_labels():
    returns, market = simulate(stocks=4, days=500, seed=6)
    events = {"a": returns.index[350], "b": returns.index[400]}
    result = event_study(returns, events, benchmark=market, draws=0)
    assert result.car.index.names == ["event", "symbol"]
    assert len(result.tidy()) == 2 * 4 * 16
    assert result.to_dict()["event"] == ["a", "b"]
    assert "a (day 0" in str(result.summary())


def test_public_names_load_on_demand():
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package.__all__) == set(dir(package))
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        _ = package.nope


def test_import_is_light():
    code = (
        "import sys; import aitheme.eventstudy as e; e.event_study; e.EventStudyResult; e.portfolio_statistic;"
        "print([m for m in ('altair', 'statsmodels', 'arch', 'duckdb', 'xlsxwriter', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
