"""What happens at the edges: no data, data that begins too late, one member, nothing but losses, a missing series."""

import csv
import shutil
from datetime import date

import pytest

from aitheme.analysis import pe_table
from aitheme.calendar import calendar_for
from aitheme.exhibits import book, htsc_20230420, mszq_20240328
from aitheme.exhibits.baskets import basket_lines, basket_members, basket_summary
from aitheme.exhibits.columns import table_cells
from aitheme.reports import write_book
from aitheme.sources.archive import ArchiveSource
from aitheme.sources.demo import DemoSource
from aitheme.themes import load_theme
from tests.conftest import PROJECT, TOY_THEME, write_archive
from tests.exhibits.conftest import filled
from tests.exhibits.test_exhibits import last_on, levels

BOOKS = ("glsc-20231229", "hfzq-202402", "htsc-20230420", "mszq-20240328", "tfzq-20240309")


@pytest.fixture(scope="module")
def late_market(tmp_path_factory):
    """A store whose first session lies after all five reports."""
    folder = tmp_path_factory.mktemp("late")
    sessions = calendar_for("XSHG").sessions("2024-05-06", "2024-09-30")
    source = ArchiveSource(write_archive(folder / "archive", sessions=sessions), load_theme(TOY_THEME))
    with filled(folder / "store", source) as market:
        yield market


@pytest.mark.parametrize("report", BOOKS)
def test_a_store_that_lacks_every_series_loses_no_exhibit(toy_market, ai_theme, report):
    every_exhibit_answers(toy_market, ai_theme, report)


@pytest.mark.parametrize("report", BOOKS)
def test_a_report_before_the_data_begins(late_market, ai_theme, report):
    every_exhibit_answers(late_market, ai_theme, report)


def every_exhibit_answers(market, theme, report):
    """Each exhibit is drawn or says why not; the report's own tables need no market."""
    for definition in book(theme, report):
        exhibit = definition(market, theme)
        if exhibit.content is None:
            assert exhibit.reason, definition.id
            assert exhibit.data.empty
        else:
            assert len(exhibit.data) > 0, definition.id
            assert exhibit.figure()
            if exhibit.provenance is None:
                assert exhibit.caption


def test_the_sector_line_of_a_report_before_the_data_says_so(late_market, ai_theme, tmp_path):
    exhibit = htsc_20230420.sector_line(late_market, ai_theme)
    assert exhibit.status == "unavailable"
    assert exhibit.reason
    written = write_book(late_market, ai_theme, "htsc-20230420", tmp_path / "book", only=["sector-line", "rating-scale"],
                         formats=["html", "xlsx"])  # fmt: skip
    assert (written.drawn, written.missing) == (1, 1)
    assert exhibit.reason.split(",")[0] in written.index.read_text(encoding="utf-8")


def test_a_book_of_nothing_but_missing_exhibits_is_still_a_book(late_market, ai_theme, tmp_path):
    written = write_book(late_market, ai_theme, "htsc-20230420", tmp_path / "book", only=["sector-line"],
                         formats=["html", "png", "svg", "xlsx"])  # fmt: skip
    assert (written.drawn, written.missing) == (0, 1)
    assert (tmp_path / "book" / "htsc-20230420.xlsx").stat().st_size > 0


def test_a_basket_of_one_member_is_that_stock(demo_market, ai_theme):
    basket = "glsc-20231229/image"
    (symbol,) = ai_theme.symbols(basket)
    line = basket_lines("glsc-20231229", "one", "附图", ("一只", "One"), baskets=(basket,))(demo_market, ai_theme)
    series = levels(demo_market, symbol)
    base, end = line.data["session"].min(), line.data["session"].max()
    own = line.data[line.data["name"] == ai_theme.basket(basket).name_zh]["change"].iloc[-1]
    assert own == pytest.approx(last_on(series, end) / last_on(series, base) - 1)
    summary = basket_summary("glsc-20231229", "附表", baskets=(basket,))(demo_market, ai_theme)
    members = basket_members("glsc-20231229", "附表", ("一只", "One"), baskets=(basket,))(demo_market, ai_theme)
    assert len(summary.data) == 1
    after = next(name for name in summary.data.columns if name.startswith("after_"))
    assert summary.data[after].iloc[0] == pytest.approx(
        members.data.set_index("symbol").loc[symbol, after], nan_ok=True
    )
    assert line.figure()
    assert summary.figure()


def test_nothing_but_losses_has_no_pe(tmp_path):
    folder = shutil.copytree(PROJECT / "aitheme" / "themes" / "ai", tmp_path / "ai")
    path = folder / "reports" / "mszq-20240328" / "tables" / "valuation.csv"
    with path.open(encoding="utf-8-sig") as handle:
        rows = list(csv.DictReader(handle))
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows({**row, "eps": -abs(float(row["eps"])), "pe_printed": ""} for row in rows)
    theme = load_theme(folder)
    with filled(tmp_path / "store", DemoSource(theme, background=5)) as market:
        exhibit = mszq_20240328.valuation(market, theme)
        cells = table_cells(exhibit.data, exhibit.content.columns, "zh")
        assert {cell for row in cells.rows for cell in row[6:9]} == {"/"}
        assert "15个PE中15个" in exhibit.note
        assert exhibit.drawing().png
        held = pe_table(market, theme, "mszq-20240328", as_of="2024-03-28")
        assert all(row.median is None or row.median != row.median for row in held.basket)


def test_as_of_before_publication_never_shows_the_day_after(demo_market, ai_theme):
    for definition in book(ai_theme, "mszq-20240328"):
        exhibit = definition(demo_market, ai_theme, as_of="2024-03-01")
        if exhibit.content is not None and exhibit.content.from_market and exhibit.as_of is not None:
            assert exhibit.as_of <= date(2024, 3, 1), definition.id
