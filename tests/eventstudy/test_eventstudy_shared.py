"""Baskets studied together are what each is when studied alone."""

import math

import numpy as np
import pandas as pd
import pytest

from aitheme.eventstudy import StudyError, basket_effects, event_study
from tests.eventstudy.conftest import simulate

TESTS = ("volatility_scaled_t", "volatility_scaled_t_before")
WINDOW = (0, 4)


def alone(returns, market, day, symbols):
    try:
        return event_study(
            returns[symbols], ("day", day), benchmark=market, window=WINDOW, tests=TESTS, by_day=False, draws=0
        )
    except StudyError as error:
        return error


@pytest.mark.parametrize("row", [279, 320, 415])
def test_each_basket_is_what_it_is_alone(holed, row):
    returns, market = holed
    names, day = list(returns.columns), returns.index[row]
    unlisted = returns.assign(new=np.nan)  # never traded
    baskets = {
        "some": names[:9], "backwards": names[12:2:-1], "all": names, "one": [names[20]], "late": [names[3], names[7]],
        "with the new one": [names[0], "new", names[1]], "only the new one": ["new"], "half": ["new", names[3], names[7]],
    }  # fmt: skip
    found = basket_effects(unlisted, ("day", day), baskets, benchmark=market, window=WINDOW)
    assert list(found) == list(baskets)
    for name, symbols in baskets.items():
        one, expected = found[name], alone(unlisted, market, day, symbols)
        if isinstance(expected, StudyError):
            assert isinstance(one, StudyError)
            assert str(one) == str(expected)
            continue
        head = expected.headline
        assert list(one.symbols) == list(expected.units[0].symbols)
        assert one.position == row
        assert (one.sessions_after, one.reason) == (head.sessions_after, head.reason)
        numbers = [one.caar, one.statistic, one.p_value, one.p_before]
        wanted = [expected.caar.iloc[-1], head.statistic, head.p_value, head.p_value_before]
        assert numbers == pytest.approx(wanted, abs=1e-12, nan_ok=True)
        assert math.isfinite(one.caar)


def test_a_session_without_the_basket_is_left_out():
    """The stocks of one basket all stand still on a day on which the others trade."""
    returns, market = simulate(stocks=8, days=360, seed=3)
    halted = list(returns.columns[:3])
    returns.loc[returns.index[[100, 321]], halted] = np.nan
    day = returns.index[320]
    found = basket_effects(returns, ("day", day), {"halted": halted}, benchmark=market, window=WINDOW)["halted"]
    expected = alone(returns, market, day, halted)
    assert found.caar == pytest.approx(expected.caar.iloc[-1], abs=1e-12)
    assert found.p_value == pytest.approx(expected.headline.p_value, abs=1e-12)


def test_what_fits_no_basket_is_an_error(panel):
    returns, market = panel
    baskets = {"all": list(returns.columns)}
    with pytest.raises(StudyError, match="sessions before day 0"):
        basket_effects(returns, ("day", returns.index[100]), baskets, benchmark=market, window=WINDOW)
    stale = pd.Series(0.01, index=returns.index - pd.Timedelta(days=9000), name="000300.SH")
    with pytest.raises(StudyError, match="shares no session"):
        basket_effects(returns, ("day", returns.index[320]), baskets, benchmark=stale, window=WINDOW)


def test_a_symbol_that_is_not_there_is_said_by_its_basket(panel):
    returns, market = panel
    day = ("day", returns.index[320])
    found = basket_effects(returns, day, {"wrong": ["600000.SH"], "right": [returns.columns[0]]}, benchmark=market)
    assert "600000.SH" in str(found["wrong"])
    assert not isinstance(found["right"], StudyError)
