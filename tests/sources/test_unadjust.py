import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitheme.sources.unadjust import unadjusted_closes


def simulate(seed, days, events):
    """Invented stock: raw closes, average prices, the qfq closes a vendor would show, and the total-return level.

    `events` are (row, cash per share, bonus shares per share), applied before the row's move.
    """
    rng = np.random.default_rng(seed)
    raw = np.empty(days)
    factor = np.ones(days)
    scale, offset = np.ones(days), np.zeros(days)
    price = 20.0
    by_row = {row: (cash, bonus) for row, cash, bonus in events}
    for i in range(days):
        if i in by_row:
            cash, bonus = by_row[i]
            reference = (price - cash) / (1 + bonus)
            factor[i:] *= price / reference
            # Eastmoney maps every earlier price linearly: subtract the cash, divide by the split.
            scale[:i] /= 1 + bonus
            offset[:i] = (offset[:i] - cash) / (1 + bonus)
            price = reference
        price = max(round(price * (1 + rng.normal(0, 0.025)), 2), 1.0)
        raw[i] = price
    average = raw * (1 + rng.normal(0, 0.005, days))
    qfq = np.round(raw * scale + offset, 2)
    return raw, average, qfq, raw * factor


def run(raw, average, qfq, level):
    return unadjusted_closes(level, qfq, qfq, average * qfq / qfq, np.array([0, len(raw)]))


@pytest.mark.parametrize(
    "events",
    [
        [(300, 0.6, 0.0)],
        [(150, 0.5, 0.0), (400, 0.4, 0.0)],
        [(200, 0.2, 0.8)],
        [(120, 0.0, 0.5), (330, 0.3, 0.0), (500, 0.5, 0.3)],
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_traded_closes_come_back_within_half_a_percent(events, seed):
    raw, average, qfq, level = simulate(seed, 600, events)
    fit = run(raw, average, qfq, level)
    error = np.abs(fit.close / raw - 1)
    # An ex-date can be placed a few sessions off where average prices scatter; elsewhere the fit is tight.
    assert np.quantile(error, 0.97) < 0.005
    assert np.median(error) < 0.001
    assert not fit.reconstructed[events[-1][0] + 5 :].any()
    assert (fit.close[events[-1][0] + 5 :] == raw[events[-1][0] + 5 :]).all()


def test_a_raw_dump_is_left_alone():
    raw, average, qfq, level = simulate(3, 400, [])
    fit = run(raw, average, qfq, level)
    assert not fit.reconstructed.any()
    assert (fit.close == raw).all()


def test_days_without_a_trade_price_take_their_block():
    raw, average, qfq, level = simulate(4, 500, [(250, 1.0, 0.0)])
    average[100:110] = np.nan
    fit = run(raw, average, qfq, level)
    assert np.abs(fit.close[100:110] / raw[100:110] - 1).max() < 0.005


def test_stocks_do_not_touch_each_other():
    first = simulate(1, 300, [(100, 0.8, 0.0)])
    second = simulate(2, 200, [])
    _, average, qfq, level = (np.concatenate(pair) for pair in zip(first, second, strict=True))
    both = unadjusted_closes(level, qfq, qfq, average, np.array([0, 300, 500]))
    assert (both.close[:300] == run(*first).close).all()
    assert (both.close[300:] == run(*second).close).all()


@given(st.floats(0.01, 1000))
def test_the_scale_of_the_level_does_not_matter(scale):
    _, average, qfq, level = simulate(7, 300, [(150, 0.7, 0.0)])
    assert np.allclose(run(qfq, average, qfq, level * scale).close, run(qfq, average, qfq, level).close, atol=0.011)
