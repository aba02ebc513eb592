"""A refresh of simulated vendors through akshare's own code comes to what the demo source delivers by itself."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from aitheme.sources.akshare import AkshareSource, LiveRequest, Politeness, Universe
from aitheme.sources.base import FetchRequest
from aitheme.sources.demo import DemoSource
from aitheme.store import StoreFiles, open_market, refresh
from aitheme.themes import load_theme
from tests.vendors.simulated import SimulatedMarket

SINCE, UNTIL = date(2023, 1, 3), date(2024, 3, 29)
NOW = datetime(2024, 4, 1, 0, 0, tzinfo=UTC)
FEW = frozenset(
    {"300364.SZ", "000681.SZ", "603533.SH", "688111.SH", "300133.SZ", "002624.SZ", "00700.HK", "00772.HK", "AAPL.US",
     "MSFT.US"}
)  # fmt: skip
INDICES = frozenset({"000300.SH", "801760.SI", "801750.SI"})
# What a vendor's format rounds off: (turnover as a ratio, amount in its currency). akshare computes Sina's turnover
# from a share count, which the demo market does not state by date.
DIGITS = {"eastmoney": (5.1e-7, 0.0051), "tencent": (1e-12, 0.51), "sina": (1.0, 0.51)}


@pytest.fixture(scope="module")
def demo():
    return DemoSource(load_theme("ai"), background=0, start=SINCE)


@pytest.fixture(scope="module")
def simulated(demo):
    return SimulatedMarket(demo, date(2024, 4, 1))


def refreshed(tmp_path, stub, simulated, symbols, datasets=None):
    stub.route = simulated
    source = AkshareSource(
        Universe(symbols, INDICES, capex=frozenset({"META", "MSFT"})),
        politeness=Politeness(None, loopback=True, now=lambda: NOW),
        clock=lambda: NOW,
    )
    files = StoreFiles(tmp_path / "live")
    report = refresh(files, source, LiveRequest(symbols, SINCE, UNTIL, datasets), universe="theme")
    assert report.failures == ()
    return open_market(files.root)


@pytest.fixture
def own(tmp_path, demo):
    def make(symbols):
        files = StoreFiles(tmp_path / "demo")
        refresh(files, demo, FetchRequest(symbols, SINCE, UNTIL), universe="theme")
        return open_market(files.root)

    return make


def returns(market):
    frame = market.sql("SELECT symbol, session, close * adj_factor AS level FROM bars ORDER BY symbol, session")
    return frame["level"] / frame.groupby("symbol")["level"].shift(1) - 1


def assert_same_bars(live, demo, vendor):
    query = "SELECT * FROM bars ORDER BY symbol, session"
    ours, theirs = live.sql(query), demo.sql(query)
    exact = ["symbol", "session", "open", "high", "low", "close", "volume"]
    pd.testing.assert_frame_equal(ours[exact], theirs[exact], check_exact=True)
    turnover, amount = DIGITS[vendor]
    np.testing.assert_allclose(ours["turnover"], theirs["turnover"], rtol=0, atol=turnover)
    np.testing.assert_allclose(ours["amount"], theirs["amount"], rtol=0, atol=amount)
    np.testing.assert_allclose(returns(live), returns(demo), rtol=0, atol=1e-9)
    scale = ours["adj_factor"] / theirs["adj_factor"]
    assert scale.groupby(ours["symbol"]).agg(lambda s: s.max() / s.min() - 1).max() < 1e-9


@pytest.mark.parametrize(
    "symbols", [FEW, pytest.param(None, marks=[pytest.mark.soak, pytest.mark.trial("live path equals demo")])],
    ids=["ten symbols", "whole theme"],
)  # fmt: skip
def test_live_path_equals_demo_store(tmp_path, stub, simulated, own, symbols):
    symbols = symbols or frozenset(simulated.frames["bars"]["symbol"])
    demo = own(symbols)
    live = refreshed(tmp_path, stub, simulated, symbols)
    assert_same_bars(live, demo, "eastmoney")
    assert_same_tables(live, demo)


def assert_same_tables(live, demo):
    """What both sources know of: index bars, securities, share counts, estimates, capital expenditure, industries."""

    def both(query):
        return live.sql(query), demo.sql(query)

    held = ", ".join(f"'{symbol}'" for symbol in INDICES)
    columns = "symbol, session, open, high, low, close, amount"
    ours, theirs = both(f"SELECT {columns} FROM index_bars WHERE symbol IN ({held}) ORDER BY symbol, session")
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-14)
    ours, theirs = both("SELECT session, pe_trailing FROM index_bars WHERE symbol = '000300.SH' ORDER BY session")
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    assert len(ours) > 200
    mainland = "WHERE regexp_matches(symbol, '(SH|SZ)$') AND symbol IN (SELECT symbol FROM bars)"
    columns = "symbol, name, currency, board, listed, delisted, st"
    ours, theirs = both(f"SELECT {columns} FROM securities {mainland} ORDER BY symbol")
    pd.testing.assert_frame_equal(ours, theirs)
    ours = live.sql(f"SELECT symbol, total_shares, float_shares FROM share_counts {mainland} ORDER BY symbol")
    theirs = demo.sql(f"SELECT symbol, total_shares, float_shares FROM securities {mainland} ORDER BY symbol")
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    query = """SELECT symbol, fiscal_year, kind, eps, currency FROM consensus WHERE source {} AND eps IS NOT NULL
        ORDER BY symbol, fiscal_year"""
    ours, theirs = live.sql(query.format("= 'eastmoney'")), demo.sql(query.format("<> ''"))
    assert len(ours) > 5
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    query = f"""SELECT * FROM capex WHERE symbol IN ('META.US', 'MSFT.US') AND quarter_end <= DATE '{UNTIL}'
        ORDER BY symbol, quarter_end"""
    ours, theirs = both(query)
    assert len(ours) == 8
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-12)
    ours, theirs = both("SELECT symbol, name, level FROM indices WHERE symbol LIKE '%.SI' ORDER BY symbol")
    assert theirs.merge(ours).shape == theirs.shape


@pytest.mark.parametrize(("down", "vendor"), [(("push2his",), "tencent"), (("push2his", "qq.com"), "sina")])
def test_every_vendor_of_bars_tells_the_same_market(tmp_path, stub, simulated, own, down, vendor):
    symbols = frozenset(s for s in FEW if s.endswith((".SH", ".SZ")))
    demo = own(symbols)
    for host in down:
        stub.fault(host, 403)
    stub.route = simulated
    live = refreshed(tmp_path, stub, simulated, symbols, frozenset({"bars", "adj_factors"}))
    assert_same_bars(live, demo, vendor)
    used = live.sql("SELECT DISTINCT source FROM watermark WHERE dataset = 'bars'")["source"].tolist()
    assert used == [vendor]
    assert live.sql("SELECT bool_and(fallback) AS f FROM attempt WHERE dataset = 'bars'")["f"].item()
