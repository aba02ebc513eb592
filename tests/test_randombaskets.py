"""Random baskets against naive loops, identities and a null of which the answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from aitheme.randombaskets import draw_baskets, percentile, random_returns

BOARDS = ["main"] * 30 + ["chinext"] * 12 + ["star"] * 3
TRADED = np.array([at % 7 != 0 for at in range(45)])
FINITE = st.floats(-1, 5, allow_nan=False).map(lambda number: round(number, 6))
SAMPLES = st.lists(FINITE, min_size=1, max_size=40)


def test_a_random_basket_has_the_size_and_the_boards_asked_for():
    draws = draw_baskets(BOARDS, TRADED, {"main": 4, "star": 2}, draws=500, seed=3)
    assert draws.members.shape == (500, 6)
    assert draws.pool == sum(traded and board != "chinext" for board, traded in zip(BOARDS, TRADED, strict=True))
    for row in draws.members:
        assert len(set(row.tolist())) == 6
        assert [BOARDS[at] for at in row].count("main") == 4
        assert [BOARDS[at] for at in row].count("star") == 2
        assert all(TRADED[at] for at in row)


def test_every_stock_is_drawn_equally_often():
    draws = draw_baskets(["main"] * 20, np.ones(20, dtype=bool), {"main": 7}, draws=20000, seed=1)
    counts = np.bincount(draws.members.ravel(), minlength=20)
    assert counts.sum() == 20000 * 7
    # Inclusion without replacement varies less than the chi-square allows, so this test is on the safe side.
    assert chisquare(counts).pvalue > 0.01
    pairs = np.zeros((20, 20))
    for row in draws.members[:5000]:
        pairs[np.ix_(row, row)] += 1
    together = pairs[np.triu_indices(20, 1)] / 5000
    assert together.mean() == pytest.approx(7 * 6 / (20 * 19), rel=1e-12)
    assert together.std() < 4 * np.sqrt(0.11 * 0.89 / 5000)


def test_the_same_arguments_draw_the_same_baskets():
    one, two, other = (draw_baskets(BOARDS, TRADED, {"main": 5}, draws=50, seed=seed).members for seed in (8, 8, 9))
    assert (one == two).all()
    assert (one != other).any()


@pytest.mark.parametrize("mix", [{"star": 4}, {"bse": 1}, {}, {"main": 2, "star": 3}])
def test_a_board_with_too_few_stocks_gives_no_baskets(mix):
    assert draw_baskets(BOARDS, TRADED, mix, draws=10) is None


def test_the_whole_pool_is_always_the_same_basket():
    draws = draw_baskets(["main"] * 9, np.ones(9, dtype=bool), {"main": 9}, draws=200)
    returns = np.random.default_rng(5).normal(size=9)
    assert percentile(float(returns.mean()), random_returns(draws, returns)) == 0.5


def test_returns_are_those_of_a_loop():
    returns = np.random.default_rng(2).normal(0.01, 0.3, 45)
    returns[~TRADED] = np.nan
    draws = draw_baskets(BOARDS, TRADED, {"main": 3, "chinext": 2}, draws=80, seed=4)
    expected = [sum(returns[at] for at in row) / 5 for row in draws.members]
    assert random_returns(draws, returns) == pytest.approx(expected, abs=1e-15)


def test_percentiles_of_random_baskets_are_uniform():
    returns = np.random.default_rng(11).standard_t(3, 600)
    boards = ["main"] * 400 + ["chinext"] * 200
    everyone = np.ones(600, dtype=bool)
    mix = {"main": 6, "chinext": 4}
    sample = random_returns(draw_baskets(boards, everyone, mix, seed=0), returns)
    null = random_returns(draw_baskets(boards, everyone, mix, draws=2000, seed=1), returns)
    found = [percentile(float(value), sample) for value in null]
    # The 1,000 draws themselves move the empirical distribution by about 0.03.
    assert kstest(found, "uniform").statistic < 0.06


@given(SAMPLES, FINITE, FINITE)
def test_a_higher_return_never_has_a_lower_percentile(sample, one, two):
    low, high = sorted((one, two))
    numbers = np.array(sample)
    assert 0 <= percentile(low, numbers) <= percentile(high, numbers) <= 1


@given(SAMPLES, FINITE)
def test_losses_mirror_gains(sample, value):
    numbers = np.array(sample)
    assert percentile(value, numbers) + percentile(-value, -numbers) == pytest.approx(1)


@given(SAMPLES, FINITE, st.integers(-3, 3))
def test_the_benchmark_does_not_matter(sample, value, benchmark):
    numbers = np.array(sample)
    assert percentile(value - benchmark, numbers - benchmark) == percentile(value, numbers)


def test_ties_count_half():
    assert percentile(0.1, np.array([0.0, 0.1, 0.1, 0.2])) == 0.5
