"""Every column against a second computation, symbol by symbol."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from screen_oracle import oracle

from aitheme.screen import CATALOGUE, columns_table, screen
from aitheme.screen.features import LOOKBACK, PriceFeatures, Prices

COLUMNS = tuple(CATALOGUE)


def check(market, theme, as_of):
    result = screen(market, theme, "price > 0", as_of=as_of, columns=COLUMNS)
    expected = oracle(market, theme, as_of)
    got = result.frame.set_index("symbol", drop=False)
    assert list(got.index) == sorted(expected.index)
    expected = expected.loc[got.index]
    for name in COLUMNS:
        kind = CATALOGUE[name].kind
        if kind == "number":
            wanted = pd.to_numeric(expected[name]).to_numpy(dtype=float)
            np.testing.assert_allclose(got[name].to_numpy(dtype=float), wanted, rtol=1e-7, atol=1e-10, err_msg=name)
        elif kind == "date":
            np.testing.assert_array_equal(
                got[name].to_numpy("datetime64[D]"),
                pd.to_datetime(expected[name]).to_numpy("datetime64[D]"),
                err_msg=name,
            )
        else:
            plain = [[None if pd.isna(value) else value for value in f[name]] for f in (got, expected)]
            assert plain[0] == plain[1], name
        missing = int(expected[name].isna().sum())
        assert result.nulls[name] == missing, name
    return result, expected


@pytest.mark.parametrize("as_of", ["2024-03-28", "2022-03-15"])
def test_demo_columns(demo_market, ai_theme, as_of):
    _, expected = check(demo_market, ai_theme, as_of)
    if as_of == "2024-03-28":
        for name in ("mean_car_releases", "pe_fy1", "pe_ttm", "dispersion", "revision_90"):
            assert expected[name].notna().sum() > 10, name


@pytest.mark.parametrize("as_of", ["2023-06-30", "2022-09-09", "2022-03-31", "2021-11-07", "2021-03-10"])
def test_invented_columns(invented, ai_theme, as_of):
    _, expected = check(invented, ai_theme, as_of)
    if as_of == "2022-09-09":
        for name in ("revision_30", "revision_90", "dispersion", "analysts", "peg", "pe_ttm", "pe_fy3"):
            assert expected[name].notna().any(), name
        assert expected["limit_up_20"].sum() > 5
        assert expected["suspended"].any()
        assert expected["approximate"].any()


@pytest.mark.archive
@pytest.mark.parametrize("as_of", ["2024-03-28", "2023-05-05", "2022-01-17"])
def test_archive_columns(archive_market, ai_theme, as_of):
    _, expected = check(archive_market, ai_theme, as_of)
    assert len(expected) > 80
    if as_of == "2024-03-28":
        assert expected["pe_fy1"].notna().sum() >= 3
        assert expected["t_car_releases"].notna().sum() > 10


@pytest.mark.archive
def test_printed_pe_is_found_again(archive_market, ai_theme):
    result = screen(archive_market, ai_theme, "pe_fy1 is not null", as_of="2024-03-28", columns=["pe_fy1", "pe_fy2"])
    got = result.frame.set_index("symbol")
    printed = {(row.symbol, row.fiscal_year): row.pe_printed for row in ai_theme.estimates}
    assert len(got) >= 3
    for symbol, row in got.iterrows():
        assert round(row["pe_fy1"]) == pytest.approx(printed[symbol, 2023], abs=1)
        assert round(row["pe_fy2"]) == pytest.approx(printed[symbol, 2024], abs=1)


def test_every_column_is_documented():
    table = columns_table()
    assert set(table["name"]) == set(CATALOGUE)
    assert (table.loc[table["kind"] == "number", ["meaning", "null_when"]] != "").all().all()
    unitless = set(table.loc[(table["kind"] == "number") & (table["unit"] == ""), "name"])
    assert unitless == {"beta_250", "t_car_releases", "p_car_releases"}


def test_a_store_without_the_index_gives_null_not_an_error(ai_theme):
    from screen_store import InventedMarket, tables

    bare = tables()
    bare["index_bars"] = bare["index_bars"].assign(symbol="000985.SH")
    bare["securities"] = bare["securities"].iloc[:0]
    for name in ("consensus", "broker_forecasts", "reported_eps"):
        bare[name] = bare[name].iloc[:0]
    names = ("excess_20", "beta_250", "idio_vol", "market_cap", "st", "pe_fy1", "industry", "excess_ind_20", "analysts")
    result = screen(InventedMarket(bare), ai_theme, "price > 0", columns=names)
    assert {result.nulls[name] for name in names} == {result.universe}
    assert any(note.startswith("beta_250") and "lacks the index" in note for note in result.notes)


def test_returns_look_at_nothing_before_the_window():
    sessions = np.arange("2023-01-01", "2024-12-31", dtype="datetime64[D]")[:LOOKBACK]
    close = np.full((LOOKBACK, 2), 10.0)
    close[-1] = 11.0
    close[:200, 1] = np.nan
    prices = Prices(
        sessions, np.array(["600000.SH", "600001.SH"], dtype=object), {"close": close, "level": close},
        np.full(LOOKBACK, 100.0), sessions[[0, 200]], sessions[0],
    )  # fmt: skip
    features = PriceFeatures(prices)
    assert features.column("ret_60") == pytest.approx([0.1, 0.1])
    assert np.isnan(features.column("ret_250")[1])
    assert features.column("limit_up_20").tolist() == [1.0, 1.0]
