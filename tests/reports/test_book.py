"""A book as a whole: files, manifest, page, and what happens to the folder."""

import base64
import contextlib
import csv
import io
import json
import os
import pwd
import re
import shutil
import struct
import subprocess
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from aitheme.errors import AithemeError, FontError, UnknownNameError
from aitheme.reports import OutputError, available_books, write_book
from tests.reports.conftest import ONLY

BOOK = "mszq-20240328"
FIELDS = {
    "id", "label", "title", "title_zh", "title_en", "kind", "chapter", "status", "reason", "rows", "source", "note", "as_of",
    "snapshot", "simulated", "files",
}  # fmt: skip


class Links(HTMLParser):
    """Collects what a page would load, and where its links go."""

    def __init__(self):
        super().__init__()
        self.loads, self.links, self.ids = [], [], []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if "id" in values:
            self.ids.append(values["id"])
        for name in ("src", "srcset", "data", "poster", "xlink:href"):
            if name in values:
                self.loads.append(values[name])
        if tag == "a":
            self.links.append(values["href"])
        elif "href" in values:
            self.loads.append(values["href"])


@pytest.fixture(scope="module")
def links(small_book):
    parser = Links()
    parser.feed(small_book.page)
    return parser


def test_all_reports_or_one(ai_theme):
    assert available_books(ai_theme) == tuple(ai_theme.reports)
    assert len(available_books(ai_theme, "all")) == 5
    assert available_books(ai_theme, BOOK) == (BOOK,)
    with pytest.raises(UnknownNameError, match="did you mean mszq-20240328"):
        available_books(ai_theme, "mszq-2024")


def test_manifest_says_everything(small_book):
    manifest = small_book.manifest
    assert manifest["book"] == BOOK
    assert (manifest["generator"], manifest["source"], manifest["simulated"]) == ("aitheme", "demo", True)
    assert manifest["snapshot"].startswith("market-")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", manifest["generated"])
    assert tuple(entry["id"] for entry in manifest["exhibits"]) == ONLY
    for entry in manifest["exhibits"]:
        assert set(entry) == FIELDS
        assert entry["status"] == "ok"
        assert entry["rows"] > 0
        assert set(entry["files"]) == {"png", "svg", "sheet"}
    market_fed = {entry["id"] for entry in manifest["exhibits"] if entry["simulated"]}
    assert market_fed == {"valuation", "index-lines", "sub-sectors"}
    assert all((entry["snapshot"] is not None) == entry["simulated"] for entry in manifest["exhibits"])


def test_every_file_is_there_and_nothing_else(small_book):
    named = {"manifest.json", *small_book.manifest["files"].values()}
    named |= {entry["files"][kind] for entry in small_book.manifest["exhibits"] for kind in ("png", "svg")}
    found = {path.relative_to(small_book.folder).as_posix() for path in small_book.folder.rglob("*") if path.is_file()}
    assert found == named
    assert (small_book.written.drawn, small_book.written.missing) == (len(ONLY), 0)
    assert small_book.written.index == small_book.folder / "index.html"


def test_images_are_twice_the_printed_size(small_book):
    png = (small_book.folder / "png" / "index-lines.png").read_bytes()
    assert struct.unpack(">II", png[16:24]) == (1800, 760)
    svg = (small_book.folder / "svg" / "index-lines.svg").read_text(encoding="utf-8")
    assert "图1：" in svg
    assert "PingFang SC" in svg


def test_page_loads_nothing(links):
    assert links.loads == []
    assert all(link.startswith(("#", "data:text/csv")) for link in links.links)


def test_contents_lead_to_every_exhibit(links):
    targets = [link[1:] for link in links.links if link.startswith("#")]
    assert [target for target in targets if target in ONLY] == list(ONLY)
    assert set(targets) <= set(links.ids)
    assert {"chapter-print", "chapter-rating", "reading", "reading-rating"} <= set(targets)
    assert len(set(links.ids)) == len(links.ids)


def test_data_is_one_click_away(small_book, links):
    coded = [link for link in links.links if link.startswith("data:")]
    assert len(coded) == len(ONLY)
    text = base64.b64decode(coded[ONLY.index("opencompass-202403")].split(",", 1)[1]).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["score"] for row in rows] == ["67.1", "65.8", "63.8", "63.2", "63.0"]


def test_page_watermarks_what_is_simulated(small_book):
    figures = dict(re.findall(r'<figure id="([\w-]+)".*?>(.*?)</figure>', small_book.page, flags=re.DOTALL))
    marked = {name for name, text in figures.items() if "SIMULATED 模拟数据" in text}
    assert marked == {"valuation", "index-lines", "sub-sectors"}
    assert '<p class="simulated">SIMULATED' in small_book.page


def test_page_escapes_and_names_its_language(small_book):
    assert '<html lang="zh-CN">' in small_book.page
    assert "“通义千问" not in small_book.page  # not among the chosen exhibits
    # A class on the root, rows and specification of each chart, words, libraries, the page's own.
    charts = small_book.page.count('class="plot"')
    assert charts == 4
    assert small_book.page.count("</script>") == 2 * charts + 4


def test_cover_comes_before_the_contents_and_names_the_book(small_book):
    page = small_book.page
    assert "<title>民生证券：复盘与展望：国产大模型的进击 · 2024-03-28 · 图表册</title>" in page
    assert page.index("<h1>") < page.index("<nav") < page.index("<main")
    cover = re.search(r'<header class="cover">.*?</header>', page, flags=re.DOTALL).group()
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", cover))
    manifest = small_book.manifest
    assert facts["券商"] == "民生证券"
    assert (facts["报告发布"], facts["数据截至"]) == (manifest["published"], manifest["as_of"])
    assert (facts["数据快照"], facts["图表"]) == (manifest["snapshot"], f"{len(ONLY)}个")
    assert '@top-left { content: "民生证券：复盘与展望：国产大模型的进击 · 图表册";' in page


def test_rows_of_a_chart_are_listed_in_the_page(small_book):
    figure = re.search(r'<figure id="opencompass-202403".*?</figure>', small_book.page, flags=re.DOTALL).group()
    rows = json.loads(re.search(r'class="data">(.*?)</script>', figure).group(1))
    assert rows["total"] == len(rows["rows"]) == 5
    assert [row[rows["right"].index(1)] for row in rows["rows"]] == ["67.1", "65.8", "63.8", "63.2", "63.0"]


def test_pictures_in_the_page_hold_nothing_unseen_or_said_twice(small_book):
    svg = re.search(r'<div class="plot" data-exhibit="index-lines".*?</svg>', small_book.page, flags=re.DOTALL).group()
    assert svg.count("aria-") == 1
    assert 'opacity="0"' not in svg
    file = (small_book.folder / "svg" / "index-lines.svg").read_text(encoding="utf-8")
    shown = [text for text in re.findall(r"<text[^>]*>([^<]+)", file) if text.strip()]
    assert [text for text in re.findall(r"<text[^>]*>([^<]+)", svg) if text.strip()] == shown


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_statistic_is_explained_once_and_found_from_its_chapter(demo_market, ai_theme, tmp_path, lang):
    only = ["after-table", "cross-report", "rating-outcome"]
    written = write_book(demo_market, ai_theme, BOOK, tmp_path / "book", lang=lang, only=only, formats=["html"])
    page = written.index.read_text(encoding="utf-8")
    section = re.search(r'<section aria-labelledby="reading".*?</section>', page, flags=re.DOTALL).group()
    terms = re.findall(r"<dt>(.*?)</dt>", section)
    assert len(terms) == len(set(terms))
    assert any(name in " ".join(terms) for name in ("百分位", "Percentile"))
    links = re.findall(r'<a class="how" href="#([\w-]+)">', page)
    # What the table across the reports uses is explained where it comes up first.
    assert links == ["reading-after", "reading-rating", "reading"]
    assert "CAAR" not in section


def test_drawing_is_reported(small_book):
    assert small_book.lines == [f"{BOOK}: drawing {len(ONLY)} exhibits"]


def test_unavailable_exhibits_are_listed_with_the_reason(toy_market, ai_theme, tmp_path):
    lines = []
    written = write_book(
        toy_market, ai_theme, BOOK, tmp_path / "book", only=["index-lines", "rating-scale"], progress=lines.append
    )
    assert (written.drawn, written.missing) == (1, 1)
    manifest = json.loads((tmp_path / "book" / "manifest.json").read_text(encoding="utf-8"))
    entry = manifest["exhibits"][0]
    assert (entry["status"], entry["rows"], entry["files"]) == ("unavailable", 0, {})
    assert "不晚于基准日" in entry["reason"]
    page = (tmp_path / "book" / "index.html").read_text(encoding="utf-8")
    assert f"暂缺：{entry['reason'].split(',')[0]}" in page
    assert "1个，另1个暂缺" in page
    contents = re.search(r"<nav.*?</nav>", page, flags=re.DOTALL).group()
    assert f"暂缺：{entry['reason'].split(',')[0]}" in contents
    assert any("unavailable" in line for line in lines)
    assert not manifest["simulated"]
    assert "SIMULATED" not in re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_english_book(demo_market, ai_theme, tmp_path):
    written = write_book(
        demo_market, ai_theme, BOOK, tmp_path / "book", lang="en", only=["valuation"], formats=["html"]
    )
    page = written.index.read_text(encoding="utf-8")
    assert "Cover table: Earnings forecasts" in page
    assert "COL Group" in page
    assert "Recommend" in page
    assert 'lang="en"' in page


def test_only_the_formats_asked_for(demo_market, ai_theme, tmp_path):
    written = write_book(demo_market, ai_theme, BOOK, tmp_path / "book", only=["rating-scale"], formats=["png"])
    assert sorted(path.name for path in written.folder.rglob("*") if path.is_file()) == [
        "manifest.json",
        "rating-scale.png",
    ]
    assert written.index.name == "manifest.json"


def small(market, theme, out, **options):
    return write_book(market, theme, BOOK, out, only=["rating-scale"], formats=["svg"], **options)


def test_an_earlier_book_is_replaced(demo_market, ai_theme, tmp_path):
    target = tmp_path / "book"
    small(demo_market, ai_theme, target)
    (target / "svg" / "stale.svg").write_text("x")
    small(demo_market, ai_theme, target)
    assert not (target / "svg" / "stale.svg").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["book"]


def test_an_empty_folder_is_filled(demo_market, ai_theme, tmp_path):
    (tmp_path / "book").mkdir()
    assert small(demo_market, ai_theme, tmp_path / "book").drawn == 1


def test_a_relative_path_through_new_folders(demo_market, ai_theme, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small(demo_market, ai_theme, Path("build/report/book"))
    assert (tmp_path / "build" / "report" / "book" / "manifest.json").is_file()


def test_somebody_elses_folder_is_left_alone(demo_market, ai_theme, tmp_path):
    (tmp_path / "thesis.docx").write_text("x")
    with pytest.raises(OutputError, match="holds files that are no aitheme book; choose another"):
        small(demo_market, ai_theme, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_foreign_manifest_is_no_book(demo_market, ai_theme, tmp_path):
    (tmp_path / "manifest.json").write_text('{"generator": "other"}')
    with pytest.raises(OutputError):
        small(demo_market, ai_theme, tmp_path)


def test_a_file_in_the_way(demo_market, ai_theme, tmp_path):
    (tmp_path / "book").write_text("x")
    with pytest.raises(OutputError, match="is a file; choose a folder"):
        small(demo_market, ai_theme, tmp_path / "book")
    with pytest.raises(OutputError, match="cannot be written"):
        small(demo_market, ai_theme, tmp_path / "book" / "below")


@contextlib.contextmanager
def no_root():
    """Root may write anywhere: act as nobody meanwhile."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(own)


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_read_only_folder(demo_market, ai_theme, mode):
    with tempfile.TemporaryDirectory(prefix="aitheme-read-only-") as folder:
        Path(folder).chmod(mode)
        with no_root(), pytest.raises(OutputError, match=r"Permission denied.*choose a folder you may write to"):
            small(demo_market, ai_theme, Path(folder) / "book")
        Path(folder).chmod(0o755)
        assert list(Path(folder).iterdir()) == []


def test_a_failure_keeps_the_earlier_book(demo_market, ai_theme, tmp_path, monkeypatch):
    target = tmp_path / "book"
    small(demo_market, ai_theme, target)
    before = (target / "manifest.json").read_text(encoding="utf-8")

    def no_font(_spec):
        raise FontError("font: none")

    monkeypatch.setattr("aitheme.charts.render.submit", no_font)
    with pytest.raises(FontError):
        small(demo_market, ai_theme, target)
    assert (target / "manifest.json").read_text(encoding="utf-8") == before
    assert [path.name for path in tmp_path.iterdir()] == ["book"]


def test_bad_names_are_refused_before_anything_is_drawn(demo_market, ai_theme, tmp_path):
    with pytest.raises(UnknownNameError, match=r"only: 'index-line'.*did you mean index-lines"):
        write_book(demo_market, ai_theme, BOOK, tmp_path / "b", only=["index-line"])
    with pytest.raises(UnknownNameError, match="formats: 'docx'"):
        write_book(demo_market, ai_theme, BOOK, tmp_path / "b", formats=["docx"])
    with pytest.raises(UnknownNameError, match="lang: 'fr'"):
        write_book(demo_market, ai_theme, BOOK, tmp_path / "b", lang="fr")
    assert list(tmp_path.iterdir()) == []
    assert issubclass(OutputError, AithemeError)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_page_opens_in_a_browser_without_a_complaint(small_book, tmp_path):
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path}", "--enable-logging=stderr",
        "--virtual-time-budget=10000", "--dump-dom",
    ]  # fmt: skip
    page = f"{(small_book.folder / 'index.html').as_uri()}#interactive"
    done = subprocess.run(["chromium", *flags, page], capture_output=True, text=True, timeout=120, check=False)
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert complaints == []
    # Every chart has turned into its interactive form.
    assert done.stdout.count("vega-embed") >= 4


def test_a_date_before_publication_is_said(demo_market, ai_theme, tmp_path):
    said = []
    write_book(demo_market, ai_theme, "mszq-20240328", tmp_path / "book", only=["rating-scale"], formats=["html"],
               as_of="2024-01-31", progress=said.append)  # fmt: skip
    assert any("published 2024-03-28, after the data ends here" in text for text in said)
    assert "早于报告发布" in (tmp_path / "book" / "index.html").read_text(encoding="utf-8")
    write_book(demo_market, ai_theme, "mszq-20240328", tmp_path / "book", only=["rating-scale"], formats=["html"])
    assert "早于报告发布" not in (tmp_path / "book" / "index.html").read_text(encoding="utf-8")
