"""Multiple testing and several dates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from aitheme.eventstudy import StudyError, adjust_family, event_study, heatmap
from aitheme.eventstudy.multiple import (
    benjamini_hochberg,
    benjamini_yekutieli,
    holm,
    ibragimov_muller,
    joint_dates,
    romano_wolf,
)
from tests.eventstudy.conftest import simulate


@pytest.mark.parametrize(
    ("ours", "method"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh"), (benjamini_yekutieli, "fdr_by")]
)
def test_adjustments_against_statsmodels(ours, method):
    p = np.random.default_rng(3).uniform(0, 0.2, 25)
    p[4] = p[5]
    np.testing.assert_allclose(ours(p), multipletests(p, method=method)[1], rtol=1e-12)


def test_missing_p_values_stay_missing_and_are_not_counted():
    p = np.array([0.01, np.nan, 0.04])
    np.testing.assert_allclose(holm(p), [0.02, np.nan, 0.04])
    assert holm([]).size == 0


def test_p_values_outside_the_unit_interval():
    with pytest.raises(StudyError, match=r"p_values=.* must lie in \[0, 1\]"):
        holm([0.5, 1.2])


def test_romano_wolf_by_loop():
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((4, 200)) + rng.standard_normal(200)
    observed = np.array([2.4, -3.1, 0.3, 1.9])
    ours = romano_wolf(observed, draws)
    order = np.argsort(-np.abs(observed))
    expected, floor = np.empty(4), 0.0
    for step, place in enumerate(order):
        largest = np.abs(draws[order[step:]]).max(axis=0)
        floor = max(floor, (1 + (largest >= abs(observed[place])).sum()) / 201)
        expected[place] = floor
    np.testing.assert_allclose(ours, expected)
    single = (1 + (np.abs(draws) >= np.abs(observed)[:, None]).sum(axis=1)) / 201
    assert (ours >= single - 1e-12).all()


def test_romano_wolf_shapes():
    with pytest.raises(StudyError, match=r"draws has shape \(3, 5\), must be \(2, B\)"):
        romano_wolf([1.0, 2.0], np.zeros((3, 5)))
    assert np.isnan(romano_wolf([np.nan, 2.0], np.ones((2, 30)))[0])


def test_ibragimov_muller_is_a_t_test_over_dates():
    caar = np.array([[0.02, 0.01], [0.03, -0.01], [0.01, 0.02], [0.025, 0.0]])
    outcome = ibragimov_muller(caar)
    reference = stats.ttest_1samp(caar, 0.0)
    np.testing.assert_allclose(outcome.statistic, reference.statistic)
    np.testing.assert_allclose(outcome.p_value, reference.pvalue)
    assert ibragimov_muller(caar[:1]).reason[0] == "needs at least two event dates"
    assert "share sessions" in ibragimov_muller(caar, overlapping=True).reason[0]


def test_joint_dates_is_chi_square_of_scores():
    p = np.array([[0.04], [0.5], [0.2]])
    score = stats.norm.isf(p / 2) ** 2
    outcome = joint_dates(p)
    assert outcome.statistic[0] == pytest.approx(score.sum())
    assert outcome.p_value[0] == pytest.approx(stats.chi2.sf(score.sum(), 3))


def test_pooled_study_runs_the_tests_over_dates():
    returns, market = simulate(stocks=6, days=700, seed=8)
    places = (350, 450, 550)
    events = {f"e{place}": returns.index[place] for place in places}
    result = event_study(returns, events, benchmark=market, window=(0, 4), draws=0)
    alone = [
        event_study(returns, (name, day), benchmark=market, window=(0, 4), draws=0) for name, day in events.items()
    ]
    caar = [study.caar.iloc[-1] for study in alone]
    table = result.tests.set_index(["test", "scope"])
    row = table.loc[("ibragimov_muller", "[0, 4]")]
    assert row["statistic"] == pytest.approx(stats.ttest_1samp(caar, 0.0).statistic, rel=1e-10)
    p = np.array(
        [s.tests.set_index(["test", "scope"]).loc[("crude_dependence_exact_t", "[0, 4]"), "p_value"] for s in alone]
    )
    assert table.loc[("joint_dates", "[0, 4]"), "statistic"] == pytest.approx((stats.norm.isf(p / 2) ** 2).sum())
    rbar = np.mean([study.rbar for study in alone]) * 3 * 6 * 5 / (18 * 17)
    assert result.rbar == pytest.approx(rbar, rel=1e-10)
    assert result.inflation == pytest.approx(1 + 5 * np.mean([study.rbar for study in alone]), rel=1e-10)
    assert list(result.by_event()["event"]) == list(events)


def test_overlapping_dates_are_refused_by_name():
    returns, market = simulate(stocks=6, days=700, seed=8)
    events = {"a": returns.index[500], "b": returns.index[503]}
    result = event_study(returns, events, benchmark=market, window=(0, 4), draws=0)
    reason = result.tests.set_index(["test", "scope"]).loc[("ibragimov_muller", "[0, 4]"), "reason"]
    assert "share sessions" in reason
    assert result.overlapping.iloc[0].to_dict() == {
        "event": "a",
        "other": "b",
        "sessions_apart": 3,
        "shared_sessions": 2,
    }


@pytest.fixture(scope="module")
def family():
    returns, market = simulate(stocks=24, days=700, seed=8)
    day = returns.index[650]
    return {
        ("basket", str(k)): event_study(
            returns.iloc[:, 8 * k : 8 * k + 8], ("x", day), benchmark=market, window=(-1, 4), sub_windows=[(0, 1)]
        )
        for k in range(3)
    }


def test_family_adjustment(family):
    table = adjust_family({" ".join(key): study for key, study in family.items()})
    assert len(table) == 6
    np.testing.assert_allclose(table["holm"], holm(table["p_value"]))
    assert (table["romano_wolf"] >= table["p_value"] - 1e-12).all()
    assert table.attrs["romano_wolf"] == ""
    draws = np.stack([study.placebo_statistics[scope] for study in family.values() for scope in ("[0, 1]", "[-1, 4]")])
    np.testing.assert_allclose(table["romano_wolf"], romano_wolf(table["statistic"], draws))
    naive = adjust_family({"one": next(iter(family.values()))}, test="patell")
    assert naive["romano_wolf"].isna().all()
    assert naive.attrs["romano_wolf"] == "needs placebo draws"


def test_family_needs_studies_and_a_known_test(family):
    with pytest.raises(StudyError, match="results is empty"):
        adjust_family({})
    with pytest.raises(StudyError, match="test='nope' was not run"):
        adjust_family({"one": next(iter(family.values()))}, test="nope")


def test_heatmap(family):
    table = heatmap({(key[1], "x"): study for key, study in family.items()})
    assert list(table.columns) == ["basket", "event", "day0", "n", "caar", "rbar", "n_eff", "p_value", "reason"]
    first = next(iter(family.values()))
    assert table["p_value"].iloc[0] == first.headline.p_value
    other = heatmap({("a", "x"): first}, test="bmp")
    assert other["p_value"].iloc[0] == first.outcomes["bmp"].p_value[-1]
