"""Every test here runs akshare's own code against the stub market on loopback."""

import pytest

from tests.vendors.fixtures import clock, gateway, market, politeness, stub, stub_server

__all__ = ["clock", "gateway", "market", "politeness", "stub", "stub_server"]


@pytest.fixture(autouse=True)
def steered(stub):
    """No test of this folder can reach a vendor."""
