"""One clear line for every kind of bad input, and a reason wherever a test does not apply."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aitheme.eventstudy import StudyError, event_study
from tests.eventstudy.conftest import simulate

DAY0 = 320


def call(panel, *, day=DAY0, **options):
    returns, market = panel
    options.setdefault("benchmark", market)
    options.setdefault("draws", 0)
    event = day if not isinstance(day, int) else ("x", returns.index[day])
    return event_study(options.pop("returns", returns), event, **options)


CASES = {
    "day 0 is no session": (
        {"day": ("x", "2022-03-26")},
        "day0=2022-03-26 of x is not a session .* neighbours are 2022-03-25 and 2022-03-28; pass the first session",
    ),
    "day 0 outside the data": ({"day": ("x", "2030-01-02")}, "day0=2030-01-02 of x .* it lies outside the data"),
    "day 0 unreadable": ({"day": ("x", "soon")}, "day0='soon' of event 'x' is not a date"),
    "no event": ({"day": []}, "events is empty"),
    "repeated ids": ({"day": [("x", "2022-03-25"), ("x", "2022-03-28")]}, "events repeats the id 'x'"),
    "estimation before the data": (
        {"day": 200},
        r"estimation=\(250, 30\) needs 279 sessions before day 0 .* returns has 200 .* use estimation=\(171, 30\)",
    ),
    "window after the data": (
        {"day": 415},
        r"window=\(-5, 10\) needs 10 sessions after day 0 .* returns has 4",
    ),
    "window into the estimation": (
        {"window": (-35, 5)},
        r"window=\(-35, 5\) starts inside the estimation window, which ends on day -30; use estimation=\(250, 36\)",
    ),
    "window reversed": ({"window": (5, 1)}, r"window=\(5, 1\) is reversed"),
    "window not two numbers": ({"window": (1,)}, r"window=\(1,\) must be two whole numbers"),
    "estimation of nothing": ({"estimation": (0, 30)}, r"estimation=\(0, 30\) is \(length, gap\)"),
    "sub-window outside": ({"sub_windows": [(0, 20)]}, r"sub_windows has \(0, 20\), which must lie inside"),
    "too few days for the parameters": (
        {"estimation": (5, 30)},
        r"estimation=\(5, 30\) has 5 days, model='market' needs at least 6",
    ),
    "min_valid too low": ({"min_valid": 3}, "min_valid=3 must lie between 6"),
    "unknown model": ({"model": "capm"}, "model='capm' is not known; choose one of mean, market_adjusted, market"),
    "no benchmark": ({"benchmark": None}, "model='market' needs benchmark, which is None"),
    "benchmark of another kind": (
        {"benchmark": [1.0]},
        "benchmark must be a Series or a DataFrame of returns, got list",
    ),
    "no factors": ({"model": "factor"}, "model='factor' needs factors, which is None"),
    "industry needs one benchmark a stock": ({"model": "industry"}, "pass benchmark=leave_one_out_mean"),
    "matched needs controls": ({"model": "matched"}, "needs universe_returns and controls"),
    "synthetic needs donors": ({"model": "synthetic"}, "needs universe_returns, the donor pool"),
    "unknown test": ({"tests": ["t"]}, "tests names 't', which is not one of cross_sectional_t"),
    "unknown scale": ({"scale": "nope", "draws": 99}, "scale='nope' is not known"),
    "no lags": ({"model": "dimson", "dimson_lags": 0}, "dimson_lags=0 must be at least 1"),
    "lead beyond the data": ({"model": "dimson", "day": 409}, "needs 11 sessions after day 0"),
}


@pytest.mark.parametrize("case", CASES)
def test_message(panel, case):
    options, message = CASES[case]
    with pytest.raises(StudyError, match=message) as caught:
        call(panel, **options)
    assert "\n" not in str(caught.value)


def test_returns_that_are_no_panel(panel):
    returns, _ = panel
    with pytest.raises(StudyError, match="returns must be a DataFrame with a DatetimeIndex"):
        call(panel, returns=returns.to_numpy())
    with pytest.raises(StudyError, match="repeated or unsorted sessions"):
        call(panel, returns=returns.iloc[::-1])
    with pytest.raises(StudyError, match="returns has repeated columns"):
        call(panel, returns=returns.iloc[:, [0, 0]])
    with pytest.raises(StudyError, match="returns has no columns"):
        call(panel, returns=returns.iloc[:, :0])
    bad = returns.copy()
    bad.iloc[3, 3] = np.inf
    with pytest.raises(StudyError, match="returns has infinite values"):
        call(panel, returns=bad)
    with pytest.raises(StudyError, match="returns holds something that is not a number"):
        call(panel, returns=returns.astype(object).replace(returns.iloc[0, 0], "x"))


def test_unknown_symbol_of_an_event(panel):
    from aitheme.eventstudy import Event

    returns, _ = panel
    with pytest.raises(StudyError, match=r"returns has no column '999999.SZ'"):
        call(panel, day=Event("x", returns.index[DAY0], ("999999.SZ",)))


def test_benchmark_on_other_days(panel):
    _, market = panel
    with pytest.raises(StudyError, match="benchmark shares no session with returns"):
        call(panel, benchmark=market.set_axis(market.index + pd.DateOffset(years=30)))
    gone = market.copy()
    gone.iloc[: DAY0 - 20] = np.nan
    with pytest.raises(StudyError, match=r"no stock of x has a return and a benchmark .* on any estimation day"):
        call(panel, benchmark=gone)


def test_constant_benchmark(panel):
    _, market = panel
    with pytest.raises(StudyError, match="constant or collinear in the estimation window"):
        call(panel, benchmark=market * 0 + 0.001)


def test_collinear_factors(panel):
    _, market = panel
    factors = pd.DataFrame({"mkt": market, "twice": 2 * market})
    with pytest.raises(StudyError, match=r"regressors \(mkt, twice\) are constant or collinear"):
        call(panel, factors=factors, model="factor")


def test_a_session_without_benchmark_is_left_out_and_reported(panel):
    returns, market = panel
    gap = market.copy()
    gap.iloc[[DAY0 - 100, DAY0 + 2]] = np.nan
    result = call(panel, benchmark=gap)
    assert list(result.loss.sessions["session"]) == [returns.index[DAY0 - 100], returns.index[DAY0 + 2]]
    assert result.abnormal_returns.loc[2].isna().all()
    day = result.tests[(result.tests["scope"] == "day 2") & (result.tests["test"] != "randomisation_dates")]
    assert not day["applicable"].any()
    assert (day["reason"] != "").all()
    masked = returns.copy()
    masked.iloc[[DAY0 - 100, DAY0 + 2]] = np.nan
    other = call(panel, returns=masked)
    np.testing.assert_allclose(result.car, other.car, atol=1e-14)
    assert result.rbar == pytest.approx(other.rbar, rel=1e-12)


def broken(panel):
    returns, market = panel
    values = returns.to_numpy(copy=True)
    values[DAY0 - 5 : DAY0 + 11, 0] = np.nan
    values[: DAY0 - 60, 1] = np.nan
    values[:, 2] = 0.001
    values[:, 3] = market.to_numpy()
    return pd.DataFrame(values, index=returns.index, columns=returns.columns)


def test_loss_account_names_every_stock(panel):
    result = call(panel, returns=broken(panel))
    stocks = result.loss.stocks.set_index("symbol")
    first = list(stocks.index[:4])
    assert stocks.loc[first, "reason"].to_list() == [
        "no return on any day of the event window",
        "fewer valid estimation days than min_valid",
        "returns do not vary around the model in the estimation window",
        "returns do not vary around the model in the estimation window",
    ]
    assert stocks["dropped"].sum() == 4
    assert result.n == 26
    assert not set(first) & set(result.labels)
    assert "26 of 30 stocks kept" in str(result.loss)


def test_too_much_loss_is_refused(panel):
    with pytest.raises(StudyError, match=r"max_loss=0.1 is exceeded: 4 of 30 stocks dropped"):
        call(panel, returns=broken(panel), max_loss=0.1)
    with pytest.raises(StudyError, match="none of the 2 stocks can be studied"):
        call(panel, returns=broken(panel).iloc[:, :2])


def test_one_stock_basket_says_what_does_not_apply(panel):
    returns, _ = panel
    result = call(panel, returns=returns.iloc[:, :1], draws=200)
    table = result.tests[result.tests["scope"] == "[-5, 10]"].set_index("test")
    for name in ("cross_sectional_t", "bmp", "adj_bmp", "adj_patell", "grank_t", "corrado_zivney_rank"):
        assert not table.loc[name, "applicable"]
        assert "at least two stocks" in table.loc[name, "reason"], name
    for name in ("crude_dependence_t", "patell", "corrado_rank", "residual_bootstrap", "sign"):
        assert table.loc[name, "applicable"], name
    assert np.isnan(result.rbar)
    assert "one stock" in result.sample.dependence.reason
    assert "N_eff" in str(result.summary())


def test_no_nan_without_a_reason(panel):
    for returns in (broken(panel), broken(panel).iloc[:, [5]], broken(panel).iloc[:, 4:6]):
        table = call(panel, returns=returns, draws=100).tests
        missing = table["statistic"].isna() | table["p_value"].isna()
        assert (table.loc[missing, "reason"] != "").all()
        assert (table.loc[~missing, "reason"] == "").all()
        assert (table["applicable"] == ~missing).all()
        assert table.loc[~missing, "p_value"].between(0, 1).all()


def test_zero_returns_are_dropped_from_the_sign_test():
    returns, market = simulate(stocks=6, seed=1)
    values = returns.to_numpy(copy=True)
    values[DAY0] = market.iloc[DAY0]
    flat = pd.DataFrame(values, index=returns.index, columns=returns.columns)
    result = event_study(
        flat, ("x", returns.index[DAY0]), benchmark=market, model="market_adjusted", window=(0, 0), draws=0
    )
    table = result.tests.set_index("test")
    assert table.loc["sign", "reason"] == "every CAR is exactly zero"
    assert table.loc["wilcoxon", "reason"] == "every CAR is exactly zero"
    assert "standard error is zero" in table.loc["cross_sectional_t", "reason"]


def test_other_events_are_left_out_of_the_estimation_window_on_request(panel):
    returns, _ = panel
    others = {"early": returns.index[DAY0 - 100], "far": returns.index[60], "unborn": "2035-01-02"}
    result = call(panel, other_events=others, exclude_other_events=True)
    left = result.loss.sessions
    assert len(left) == 32
    assert set(left["reason"]) == {"window of another release"}
    blank = returns.copy()
    for place in (DAY0 - 100, 60):
        blank.iloc[place - 5 : place + 11] = np.nan
    by_hand = call(panel, returns=blank)
    np.testing.assert_allclose(result.car, by_hand.car, atol=1e-14)
    assert result.rbar == pytest.approx(by_hand.rbar)
    everywhere = {f"e{place}": returns.index[place] for place in range(40, 300, 10)}
    with pytest.raises(StudyError, match="exclude_other_events=True leaves no estimation day"):
        call(panel, other_events=everywhere, exclude_other_events=True)


def test_overlapping_releases_are_reported(panel):
    returns, _ = panel
    others = [("second", returns.index[DAY0 + 4]), ("third", returns.index[DAY0 + 8]), ("old", returns.index[100])]
    table = call(panel, other_events=others).overlapping
    assert table[["event", "other"]].to_numpy().tolist() == [["x", "second"], ["x", "third"]]
    assert table["shared_sessions"].to_list() == [12, 8]
