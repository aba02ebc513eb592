import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitheme.errors import AithemeError
from aitheme.themes import load_theme
from aitheme.valuation import basket_pe, format_pe, forward_pe, pe_table


def test_every_printed_pe_of_the_valuation_table_comes_out():
    """Price / EPS as printed gives PE as printed, the slash included (cover of mszq-20240328)."""
    rows = [row for row in load_theme("ai").estimates if row.report == "mszq-20240328"]
    assert len(rows) == 15
    for row in rows:
        printed = "/" if row.pe_printed is None else str(int(row.pe_printed))
        assert format_pe(forward_pe(row.price, row.eps)) == printed


@pytest.mark.parametrize(
    ("pe", "shown"), [(112.5, "113"), (112.49, "112"), (0.5, "1"), (None, "/"), (math.nan, "/"), (math.inf, "/")]
)
def test_rounding_is_half_up(pe, shown):
    assert format_pe(pe) == shown


@given(st.floats(0.01, 1e4), st.floats(-10, 0) | st.floats(1e-6, 10))
def test_pe_is_price_over_positive_eps_or_nothing(price, eps):
    pe = forward_pe(price, eps)
    assert (pe is None) == (eps <= 0)
    if pe is not None:
        assert pe * eps == pytest.approx(price)


def test_a_vanishing_eps_has_no_pe():
    assert forward_pe(1.0, 2.2250738585e-313) is None


def estimates(*rows):
    return pd.DataFrame(rows, columns=["symbol", "fiscal_year", "kind", "eps", "currency"])


def test_table_and_basket_by_hand():
    prices = pd.Series({"600111.SH": 10.0, "300222.SZ": 22.5, "688333.SH": 30.0})
    known = estimates(
        ("600111.SH", 2022, "A", -0.1, "CNY"), ("600111.SH", 2023, "E", 0.08, "CNY"),
        ("300222.SZ", 2022, "A", 0.2, "CNY"), ("300222.SZ", 2023, "E", 0.9, "CNY"),
    )  # fmt: skip
    names = pd.Series({"600111.SH": "甲", "300222.SZ": "乙", "688333.SH": "丙"})
    currency = pd.Series(dict.fromkeys(prices.index, "CNY"))
    table = pe_table(prices, known, names, currency)
    assert list(table.columns) == ["symbol", "name", "price", "eps_2022A", "eps_2023E", "pe_2022A", "pe_2023E"]
    assert np.allclose(table["pe_2023E"].to_numpy()[:2], [125.0, 25.0])
    assert table.loc[2, ["eps_2022A", "pe_2022A"]].isna().all()
    first, second = basket_pe(prices, known, pd.Series({"600111.SH": 100.0, "300222.SZ": 100.0, "688333.SH": 100.0}))
    # 2022: value 3250 of the two with an EPS, earnings -10 + 20, the loss counted in; median of the one meaningful PE.
    assert (first.aggregate, first.median, first.n_members, first.n_eps, first.n_loss) == (325.0, 112.5, 3, 2, 1)
    assert second.aggregate == pytest.approx(3250 / 98)
    assert basket_pe(prices, known)[0].aggregate is None


def test_total_losses_have_no_aggregate():
    prices = pd.Series({"600111.SH": 10.0})
    (year,) = basket_pe(prices, estimates(("600111.SH", 2022, "A", -0.1, "CNY")), pd.Series({"600111.SH": 5.0}))
    assert (year.aggregate, year.median, year.n_loss) == (None, None, 1)


def test_currencies_must_agree():
    prices = pd.Series({"00999.HK": 10.0})
    with pytest.raises(AithemeError, match="in CNY but its price in HKD; convert"):
        pe_table(
            prices, estimates(("00999.HK", 2023, "E", 1.0, "CNY")), pd.Series(dtype=str), pd.Series({"00999.HK": "HKD"})
        )
