"""The live path under fire: tests marked ``soak`` run under ``make soak`` only, which also prints the tally."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.vendors.fixtures import clock, market, politeness, stub, stub_server

__all__ = ["clock", "market", "politeness", "stub", "stub_server"]


def pytest_addoption(parser):
    parser.addoption("--soak", action="store_true", help="run every kill, publication and cell of the fault matrix")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--soak", default=False):
        return
    kept, dropped = [], []
    for item in items:
        (dropped if item.get_closest_marker("soak") else kept).append(item)
    config.hook.pytest_deselected(items=dropped)
    items[:] = kept


@pytest.fixture(autouse=True)
def trial(request, record_property):
    """Note what kind of trial a test is, for the tally."""
    mark = request.node.get_closest_marker("trial")
    if mark is not None:
        record_property("trial", mark.args[0])


def pytest_terminal_summary(terminalreporter, config):
    if not config.getoption("--soak", default=False):
        return
    tally = {"passed": Counter(), "failed": Counter(), "skipped": Counter()}
    for outcome, counter in tally.items():
        for report in terminalreporter.getreports(outcome):
            kind = dict(report.user_properties).get("trial")
            if kind is not None and (report.when == "call" or outcome != "passed"):
                counter[kind] += 1
    kinds = sorted(set().union(*tally.values()))
    terminalreporter.write_sep("=", "soak")
    terminalreporter.write_line(f"{'trial':44} {'tried':>6} {'survived':>9} {'lost':>5} {'skipped':>8}")
    for kind in kinds:
        won, lost, skipped = (tally[name][kind] for name in ("passed", "failed", "skipped"))
        terminalreporter.write_line(f"{kind:44} {won + lost:6} {won:9} {lost:5} {skipped:8}")
