"""A second theme, built by nothing but running notebook 6, does what the packaged one does."""

import pytest

import aitheme
from aitheme.analysis.studies import StudyRoom, study_release
from aitheme.errors import RegistryError
from aitheme.notebook import explore
from tests.notebooks.conftest import NOTEBOOKS

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def built(executed):
    notebook, folder = executed(next(path for path in NOTEBOOKS if path.stem == "06_own_theme"))
    return notebook, folder / "compute"


@pytest.fixture
def market(demo_store):
    with aitheme.open_market(demo_store) as market:
        yield market


def test_the_files_are_those_the_cells_show(built):
    notebook, folder = built
    written = {
        cell.source.splitlines()[0].removeprefix("%%writefile {folder}/"): cell.source.split("\n", 1)[1] + "\n"
        for cell in notebook.cells
        if cell.source.startswith("%%writefile")
    }
    assert len(written) == 8
    found = {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()
    }
    assert found == written


def test_it_loads_and_its_baskets_contain_their_children(built):
    theme = aitheme.load_theme(built[1])
    assert theme.name_zh == "国产算力"
    assert theme.symbols("desk-20231020/recommended") == ("000977.SZ", "603019.SH", "688256.SH", "688041.SH")
    assert str(theme.known_since("desk-20231020/chips")) == "2023-10-20"
    # An American afternoon is the next mainland session.
    assert str(theme.release("h200-20231114").day0) == "2023-11-14"


def test_its_basket_return_is_the_mean_of_its_members(built, market):
    theme = aitheme.load_theme(built[1])
    result = aitheme.basket_returns(market, theme, "desk-20231020/servers", "2023-10-20", "2024-03-28")
    levels = market.panel(["000977.SZ", "603019.SH"], "2023-10-20", "2024-03-28").level
    by_hand = (levels.iloc[-1] / levels.iloc[0] - 1).mean()
    assert result.performance.total_return == pytest.approx(by_hand, rel=1e-12)


def test_its_releases_can_be_studied_and_explored(built, market):
    room = StudyRoom(market, aitheme.load_theme(built[1]))
    study = study_release(room, "desk-20231020/recommended", "h200-20231114", window=(0, 4))
    assert study.result.n == 4
    assert 0 <= study.result.headline.p_value <= 1
    baskets = ["desk-20231020/servers", "desk-20231020/chips"]
    explorer = explore(room, baskets, "2023-10-20", "2024-03-28", window=(-5, 4))
    assert set(explorer.findings["event"].str[:10]) == {"2023-11-14", "2024-03-19"}
    assert not explorer.left_out
    # A window that is not over by the end is not shown, and that is said.
    early = explore(room, baskets, "2023-10-20", "2024-03-20", window=(-5, 4))
    assert early.left_out == ("b200-20240319 (its window ends after 2024-03-20)",)


def test_it_can_be_screened(built, market):
    theme = aitheme.load_theme(built[1])
    result = aitheme.screen(market, "in_basket('desk-20231020/chips')", theme=theme, as_of="2024-03-28")
    assert set(result.symbols) == {"688256.SH", "688041.SH"}
    # The note was not public the day before it was written.
    before = aitheme.screen(market, "in_basket('desk-20231020/chips')", theme=theme, as_of="2023-10-19")
    assert before.symbols == ()


def test_the_mistake_it_shows_is_one_line_with_file_and_line(built):
    notebook, folder = built
    (said,) = [cell.outputs[0].text for cell in notebook.cells if cell.id == "mistake"]
    assert said.strip() == ("reports/desk-20231020/members.csv:7: 300474.SZ is not in securities.csv; add the security")
    assert folder.joinpath("theme.toml").is_file()
    with pytest.raises(RegistryError):
        aitheme.load_theme(folder / "reports")
