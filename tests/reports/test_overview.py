"""The page above the books: links that work, the table of all reports, and what happens to an earlier file."""

import pytest

from aitheme.exhibits.columns import table_cells
from aitheme.exhibits.crossreport import cross_report
from aitheme.reports import OutputError, WrittenBook, write_overview
from tests.reports.test_book import Links


@pytest.fixture
def books(small_book, tmp_path):
    """Two books below a folder: one written, one stood in for."""
    (tmp_path / "mszq-20240328").symlink_to(small_book.folder)
    other = tmp_path / "htsc-20230420"
    other.mkdir()
    (other / "index.html").touch()
    written = WrittenBook(
        "mszq-20240328", tmp_path / "mszq-20240328", tmp_path / "mszq-20240328" / "index.html", 7, 0, ()
    )
    return tmp_path, [written, WrittenBook("htsc-20230420", other, other / "index.html", 12, 1, ())]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_links_the_books_and_shows_the_reports_side_by_side(books, demo_market, ai_theme, lang):
    root, written = books
    page = write_overview(demo_market, ai_theme, written, root, lang=lang)
    text = page.read_text(encoding="utf-8")
    links = Links()
    links.feed(text)
    targets = [link for link in links.links if not link.startswith(("data:", "#"))]
    # By date of publication.
    assert targets[:1] == ["htsc-20230420/index.html"]
    assert "mszq-20240328/mszq-20240328.xlsx" in targets
    assert all((root / link).exists() for link in targets)
    assert not [link for link in links.loads if not link.startswith("data:")]
    table = cross_report("htsc-20230420")(demo_market, ai_theme, lang=lang)
    for row in table_cells(table.data, table.content.columns, lang).rows:
        assert all(cell.replace("&", "&amp;") in text for cell in row)
    assert "SIMULATED 模拟数据" in text
    assert {link[1:] for link in links.links if link.startswith("#")} == {"reading"} <= set(links.ids)
    assert demo_market.provenance().as_of.isoformat() in text
    assert "http" not in text.replace("http-equiv", "")


def test_an_earlier_overview_is_replaced_and_nothing_else(books, demo_market, ai_theme):
    root, written = books
    first = write_overview(demo_market, ai_theme, written, root).read_text(encoding="utf-8")
    assert write_overview(demo_market, ai_theme, written, root, lang="en").read_text(encoding="utf-8") != first
    (root / "index.html").write_text("<html>mine</html>", encoding="utf-8")
    with pytest.raises(OutputError, match=r"index\.html is no overview of aitheme"):
        write_overview(demo_market, ai_theme, written, root)
    assert (root / "index.html").read_text(encoding="utf-8") == "<html>mine</html>"
    assert not list(root.glob(".index-*"))


def test_before_any_report_it_says_so(books, demo_market, ai_theme):
    root, written = books
    text = write_overview(demo_market, ai_theme, written, root, as_of="2023-01-31").read_text(encoding="utf-8")
    assert "尚未发布" in text
    assert "htsc-20230420/index.html" in text


def test_a_folder_that_cannot_be_written(books, demo_market, ai_theme):
    _, written = books
    with pytest.raises(OutputError, match="cannot be written"):
        write_overview(demo_market, ai_theme, written, written[0].folder / "nowhere")
