"""Every result and table of the public rooms shows itself in a notebook, escaped and marked where it is simulated."""

import importlib
import inspect
from dataclasses import is_dataclass, replace
from html.parser import HTMLParser

import pandas as pd
import pytest

import aitheme
from aitheme.analysis.studies import StudyRoom, study_release
from aitheme.display import Rows, card
from aitheme.errors import AithemeError
from aitheme.exhibits import mszq_20240328
from aitheme.notebook import browse, copy_notebooks, explore, live_plan
from aitheme.panel import Provenance
from aitheme.reports import WrittenBook
from aitheme.returns import performance
from aitheme.sources import FetchRequest
from aitheme.sources.demo import DemoSource
from aitheme.store import StoreFiles, refresh, store_status

ROOMS = ("analysis", "eventstudy", "exhibits", "notebook", "panel", "reports", "returns", "screen", "store", "themes")
# What the rooms export beside results: inputs, declarations, definitions, and the parts of a result that shows them.
NO_RESULTS = {
    "Column", "Event", "ExhibitDefinition", "Expression", "FunnelStep", "ReleaseCars", "StoreFiles", "StudyDesign",
    "SavedScreen", "Headline", "Universe",
}  # fmt: skip


class Balanced(HTMLParser):
    """Counts what is left open, and which elements there are."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):  # noqa: ARG002 (of the base class)
        self.seen.add(tag)
        if tag not in {"br", "img", "input", "meta", "hr", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def market(demo_store):
    with aitheme.open_market(demo_store) as market:
        yield market


@pytest.fixture(scope="module")
def theme():
    return aitheme.load_theme("ai")


@pytest.fixture(scope="module")
def results(market, theme, demo_store, tmp_path_factory):
    basket, room = "mszq-20240328/text-corpus", StudyRoom(market, theme)
    returns = aitheme.basket_returns(market, theme, basket, "2024-02-18", "2024-03-28")
    exhibit = mszq_20240328.lines_of_baskets(market, theme)
    screened = aitheme.screen(market, "ret_20 > 0", as_of="2024-03-28")
    study = study_release(room, basket, "kimi-20240318", window=(0, 4))
    folder = tmp_path_factory.mktemp("displays")
    found = [
        market, theme, market.provenance("2024-03-28"), market.panel(["300364.SZ", "600519.SH"], "2024-03-01", "2024-03-28"),
        returns, returns.performance, returns.index, screened, study, study.result, study.result.summary(), exhibit,
        aitheme.screen.history(market, theme, "ret_20 > 0.1", start="2023-10-01", end="2024-02-29"),
        refresh(StoreFiles(demo_store), DemoSource(theme), FetchRequest(), universe="all"),
        store_status(StoreFiles(demo_store)), copy_notebooks(folder / "notebooks"), live_plan(folder / "live"),
        explore(room, [basket], "2024-01-02", "2024-03-28", events=["sora-20240216"]), browse(screened),
        WrittenBook("mszq-20240328", folder, folder / "index.html", 1, 0, (exhibit,)),
        importlib.import_module("aitheme.analysis").pe_table(market, theme, "mszq-20240328", as_of="2024-03-28"),
    ]  # fmt: skip
    return {type(item).__name__: item for item in found}


def exported_results():
    """Names of the frozen objects with data that the public rooms export."""
    for room in ROOMS:
        module = importlib.import_module(f"aitheme.{room}")
        for name in module.__all__:
            item = getattr(module, name)
            if inspect.isclass(item) and not issubclass(item, Exception) and (is_dataclass(item) or name == "Market"):
                yield name, item


def test_every_exported_result_has_a_display():
    lacking = {name for name, item in exported_results() if name not in NO_RESULTS and not hasattr(item, "_repr_html_")}
    assert not lacking


def test_it_is_html_that_closes_what_it_opens(results):
    for name, item in results.items():
        page = item._repr_html_()
        if name in {"Exhibit", "Explorer", "Browsable"}:
            continue  # scripts; drawn in a real browser by tests/e2e
        parsed = Balanced(page)
        assert not parsed.open, name
        assert "script" not in parsed.seen, name


@pytest.mark.parametrize(
    "name",
    ["Market", "Panel", "Provenance", "BasketReturns", "Valuation", "BasketStudy", "ScreenResult", "ScreenHistory",
     "RefreshReport", "StoreStatus", "Exhibit", "Explorer", "WrittenBook", "Browsable"],
)  # fmt: skip
def test_simulated_data_is_marked(results, name):
    assert "SIMULATED 模拟数据" in results[name]._repr_html_()


def test_numbers_are_shown_in_their_units(results):
    page = results["BasketReturns"]._repr_html_()
    assert f"{results['BasketReturns'].performance.total_return:.1%}" in page
    assert "14 of 14 members used" in page
    valuation = results["Valuation"]._repr_html_()
    assert "eps_2024E" in valuation
    assert "basket PE" in valuation


def test_names_are_escaped(results, theme):
    hostile = "<script>alert(1)</script>"
    provenance = Provenance(hostile, True, hostile, results["Provenance"].as_of, hostile)  # noqa: FBT003
    made = [
        provenance,
        replace(results["BasketReturns"].performance, basket=hostile),
        replace(results["BasketReturns"], provenance=provenance),
        replace(results["Valuation"], table=results["Valuation"].table.assign(name=hostile)),
        replace(results["BasketStudy"], basket=hostile),
        replace(results["RefreshReport"], failures=(hostile,)),
        replace(results["StoreStatus"], source=hostile),
        replace(results["Panel"], provenance=provenance),
        replace(theme, name_zh=hostile),
        replace(results["WrittenBook"], book=hostile),
    ]
    for item in made:
        assert "<script>" not in item._repr_html_(), type(item)
        assert "&lt;script&gt;" in item._repr_html_(), type(item)
    # Inside a chart's script the text must not end the script.
    explorer = replace(results["Explorer"], provenance=provenance)._repr_html_()
    assert hostile not in explorer
    assert "\\u003cscript>" in explorer


def test_a_card_counts_what_it_does_not_show():
    page = card("t", ["a < b"], [Rows(pd.DataFrame({"x": range(45), "y": [None] * 45}), "rows", {"x": ".1f"})])
    assert "… 15 more" in page
    assert "29.0" in page
    assert "30.0" not in page
    assert "a &lt; b" in page
    assert "None" not in page
    assert "<table" not in card("t", tables=[Rows(pd.DataFrame())])


def test_browse_wants_a_table(results):
    with pytest.raises(AithemeError, match="a Market holds no table"):
        browse(results["Market"])
    assert browse(results["Valuation"]).frame is results["Valuation"].table


def test_what_is_exported_and_listed_exists():
    exported = {name for name, _ in exported_results()}
    assert exported >= {"BasketReturns", "Valuation", "Market", "RefreshReport", "StoreStatus", "ScreenResult", "Theme"}


def test_a_loss_of_members_is_said():
    levels = pd.DataFrame(
        {"A": [1.0, 1.1], "B": [float("nan"), 1.0]}, index=pd.to_datetime(["2024-01-02", "2024-01-03"])
    )
    from aitheme.returns import basket_index

    made = performance("b", basket_index(levels), None, weight="equal", rebalance="none")
    assert made.facts() == ["1 of 2 members used", "1 not listed at the base session"]
