"""Correlation, concentration and overlap against naive loops and known answers."""

from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitheme.composition import (
    clustered,
    correlations,
    effective_number,
    herfindahl,
    independent_names,
    jaccard,
    mean_correlation,
    top_share,
)


def returns(seed=3, holes=0.1):
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(120, 1))
    values = common + rng.normal(size=(120, 4))
    return pd.DataFrame(np.where(rng.random(values.shape) < holes, np.nan, values), columns=list("abcd"))


def test_correlations_and_their_mean_against_a_loop():
    frame = returns()
    matrix = correlations(frame)
    found = []
    for one, other in combinations(frame, 2):
        both = frame[[one, other]].dropna().to_numpy()
        own = both - both.mean(axis=0)
        expected = (own[:, 0] @ own[:, 1]) / np.sqrt((own[:, 0] @ own[:, 0]) * (own[:, 1] @ own[:, 1]))
        assert matrix.loc[one, other] == pytest.approx(expected)
        found.append(expected)
    assert mean_correlation(matrix) == (pytest.approx(np.mean(found)), 6)


def test_a_pair_with_too_few_common_sessions_has_no_correlation():
    frame = returns(holes=0.0)
    frame.loc[: 120 - 30, "a"] = np.nan  # 29 sessions left
    matrix = correlations(frame)
    assert matrix.loc["a", ["b", "c", "d"]].isna().all()
    assert mean_correlation(matrix)[1] == 3


def test_one_member_has_no_mean_correlation():
    mean, pairs = mean_correlation(correlations(returns()[["a"]]))
    assert np.isnan(mean)
    assert pairs == 0
    assert np.isnan(independent_names(1, mean))


@pytest.mark.parametrize(
    ("count", "mean", "independent"), [(14, 0.5, 14 / 7.5), (5, 0.0, 5.0), (5, 1.0, 1.0), (4, -0.2, 4.0)]
)
def test_independent_names(count, mean, independent):
    assert independent_names(count, mean) == pytest.approx(independent)


def test_clusters_stand_side_by_side():
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(200, 1)), rng.normal(size=(200, 1))
    noise = 0.3 * rng.normal(size=(200, 6))
    frame = pd.DataFrame(
        np.hstack([one, two, one, two, one, two]) + noise, columns=["p1", "q1", "p2", "q2", "p3", "q3"]
    )
    order = clustered(correlations(frame))
    assert sorted(order) == sorted(frame.columns)
    assert sum(left[0] != right[0] for left, right in pairwise(order)) == 1


def test_clustering_needs_no_complete_matrix():
    matrix = correlations(returns())
    matrix.loc["a", "b"] = matrix.loc["b", "a"] = np.nan
    assert sorted(clustered(matrix)) == ["a", "b", "c", "d"]
    assert clustered(matrix.loc[["a", "b"], ["a", "b"]]) == ["a", "b"]


def test_concentration_by_hand():
    weights = pd.Series([50.0, 30.0, 20.0, np.nan])
    assert herfindahl(weights) == pytest.approx(0.25 + 0.09 + 0.04)
    assert effective_number(weights) == pytest.approx(1 / 0.38)
    assert top_share(weights, 2) == pytest.approx(0.8)


@pytest.mark.parametrize("weights", [pd.Series(dtype=float), pd.Series([np.nan]), pd.Series([0.0, 0.0])])
def test_no_weights_no_concentration(weights):
    assert np.isnan(herfindahl(weights))
    assert np.isnan(effective_number(weights))
    assert np.isnan(top_share(weights))


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=30))
def test_effective_names_lie_between_one_and_all(values):
    weights = pd.Series(values)
    assert 1 - 1e-9 <= effective_number(weights) <= len(values) + 1e-6
    assert effective_number(weights * 7) == pytest.approx(effective_number(weights))
    assert effective_number(pd.Series([3.0] * len(values))) == pytest.approx(len(values))


def test_jaccard():
    assert jaccard({"a", "b"}, {"b", "c"}) == pytest.approx(1 / 3)
    assert jaccard({"a"}, {"a"}) == 1.0
    assert jaccard({"a"}, set()) == 0.0
    assert np.isnan(jaccard(set(), set()))
