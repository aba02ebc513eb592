"""Through akshare's own code: what an interrupted refresh finished is not asked of a vendor again."""

import pytest

from aitheme.sources.akshare import AkshareSource, LiveRequest, Universe
from aitheme.store import StoreFiles, open_market, refresh, work
from tests.store.prepared import contents
from tests.vendors.fixtures import clock, market, politeness, stub, stub_server

__all__ = ["clock", "market", "politeness", "stub", "stub_server"]

SYMBOLS = ("300364.SZ", "600000.SH", "600111.SH", "603533.SH", "688111.SH")
REQUEST = LiveRequest(frozenset(SYMBOLS), datasets=frozenset({"bars", "adj_factors"}))


def candles(stub):
    """The stocks whose bars were asked for, in order."""
    return [seen.query["secid"].partition(".")[2] for seen in stub.seen if seen.path.endswith("/kline/get")]


@pytest.fixture
def build(stub, market, politeness, clock):
    for symbol in SYMBOLS:
        market.add(symbol)

    def make(progress=None):
        universe = Universe(frozenset(SYMBOLS), indices=frozenset(), capex=frozenset())
        return AkshareSource(universe, politeness=politeness, clock=lambda: clock.now, progress=progress)

    return make


def test_only_the_unfinished_symbols_are_asked_again(build, stub, tmp_path, monkeypatch):
    monkeypatch.setattr(work, "_COMMIT_SECONDS", 0.0)
    whole, cut = StoreFiles(tmp_path / "whole"), StoreFiles(tmp_path / "cut")
    refresh(whole, build(), REQUEST, universe="theme")
    assert candles(stub) == [symbol[:6] for symbol in SYMBOLS]
    stub.seen.clear()

    def stop(progress):
        if progress.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refresh(cut, build(stop), REQUEST, universe="theme")
    assert cut.current() is None
    done = len(candles(stub))
    stub.seen.clear()
    report = refresh(cut, build(), REQUEST, universe="theme")
    assert candles(stub) == [symbol[:6] for symbol in SYMBOLS[done:]]
    assert report.resumes is not None
    assert contents(cut) == contents(whole)
    # Twice is once: on the same evening nothing is due.
    stub.seen.clear()
    assert refresh(cut, build(), REQUEST, universe="theme").status == "unchanged"
    assert stub.seen == []


def test_nothing_before_the_close_is_stored_and_a_holiday_is_no_failure(build, clock, market, stub, tmp_path):
    files = StoreFiles(tmp_path / "store")
    clock.now = clock.now.replace(hour=6)  # 14:00 in Beijing on 1 April, a session
    refresh(files, build(), REQUEST, universe="theme")
    with open_market(files.root) as held:
        assert str(held.span[1]) == "2024-03-29"
    clock.now = clock.now.replace(hour=8)  # 16:00
    assert refresh(files, build(), REQUEST, universe="theme").status == "published"
    with open_market(files.root) as held:
        assert str(held.span[1]) == "2024-04-01"
    for symbol in SYMBOLS:
        market.add(symbol, end="2024-04-03")
    clock.now = clock.now.replace(day=3)
    refresh(files, build(), REQUEST, universe="theme")
    stub.seen.clear()
    clock.now = clock.now.replace(day=4)  # Qingming
    assert refresh(files, build(), REQUEST, universe="theme").status == "unchanged"
    assert stub.seen == []
