"""Fixtures of the stub market on loopback, steered into akshare's own code; nothing replaces an akshare function."""

from __future__ import annotations

import importlib
import random
import types
import warnings
from datetime import UTC, datetime

import pytest

from aitheme.sources.akshare.gateway import Gateway
from aitheme.sources.akshare.politeness import Politeness
from aitheme.sources.akshare.transport import Transport
from tests.vendors.stub_market import StubMarket
from tests.vendors.vendor_stub import VendorStub, steer

__all__ = ["clock", "gateway", "market", "politeness", "stub", "stub_server"]

SLEEPERS = ("akshare.request", "akshare.utils.request", "akshare.utils.func")


@pytest.fixture(scope="session")
def stub_server():
    stub = VendorStub(StubMarket())
    yield stub
    stub.close()


@pytest.fixture
def market(stub_server):
    stub_server.route = StubMarket()
    return stub_server.route


@pytest.fixture
def stub(stub_server, market, monkeypatch):
    """The server, clean, with akshare's requests steered to it and akshare's own pauses removed."""
    stub_server.faults.clear()
    stub_server.seen.clear()
    stub_server.refused.clear()
    stub_server.errors.clear()
    stub_server.release.clear()
    monkeypatch.setenv("TQDM_DISABLE", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import akshare  # noqa: F401
    silent = types.SimpleNamespace(sleep=lambda _: None)
    for name in SLEEPERS:
        monkeypatch.setattr(importlib.import_module(name), "time", silent)
    steer(monkeypatch, stub_server)
    yield stub_server
    stub_server.release.set()


@pytest.fixture
def clock():
    """A clock that stands at 2024-04-01 20:00 Beijing until a test moves it; sleeping moves it too."""
    return types.SimpleNamespace(now=datetime(2024, 4, 1, 12, 0, tzinfo=UTC), slept=[])


@pytest.fixture
def politeness(tmp_path, clock):
    return Politeness(
        tmp_path / "state",
        loopback=True,
        timeouts=(2.0, 1.0),
        sleep=clock.slept.append,
        now=lambda: clock.now,
        rng=random.Random(1),  # noqa: S311
    )


@pytest.fixture
def gateway(stub, politeness):
    return Gateway(Transport(politeness))
