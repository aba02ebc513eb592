"""The pages in a real browser: no complaint, no request, no missing glyph, every chart alive, on paper and in the hand."""

import base64
import io
import itertools
import re
import shutil
import struct
import unicodedata
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.reports.test_whole_books import BOOKS

pytestmark = pytest.mark.browser
BOOK = "mszq-20240328"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WIDTHS = (1440, 1024, 768, 390)
PAPER = {"width": 695, "height": 1002}
"""An A4 sheet within the margins of the page rule, in CSS pixels."""
TEXTS = """Object.fromEntries([...document.querySelectorAll('.plot')].map(plot =>
    [plot.dataset.exhibit, [...plot.querySelectorAll('svg text')].map(text => text.textContent).filter(Boolean).sort()]))"""


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module", params=BOOKS)
def opened(request, browser, whole_books):
    """A book's page with every chart turned interactive, and what the browser complained of or asked for."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints, asked = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((whole_books.folder / request.param / "index.html").as_uri())
    printed = page.evaluate(TEXTS)
    plots = page.locator(".plot").count()
    page.evaluate("window.aithemeWakeAll()")
    page.wait_for_function(f"document.querySelectorAll('.plot .vega-embed').length === {plots}", timeout=120_000)
    elsewhere = [url for url in asked if not url.startswith(("file:", "data:"))]
    yield SimpleNamespace(
        page=page, complaints=complaints, asked=elsewhere, printed=printed, drawn=whole_books.drawn[request.param]
    )
    page.close()


@pytest.fixture(scope="module")
def fresh(browser, whole_books):
    """One book as a reader finds it, who may take things away."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto((whole_books.folder / BOOK / "index.html").as_uri())
    yield SimpleNamespace(page=page, drawn={one.id: one for one in whole_books.drawn[BOOK]})
    context.close()


def test_no_complaint_and_no_request(opened):
    assert opened.complaints == []
    assert opened.asked == []


def test_every_chart_comes_alive_as_it_was_printed(opened):
    assert opened.page.locator("figure").count() == len(opened.drawn)
    size = "svg => [svg.getBoundingClientRect().width, svg.querySelectorAll('path,text').length]"
    shown = opened.page.evaluate(f"[...document.querySelectorAll('.plot svg')].map({size})")
    assert shown
    assert all(width > 200 and parts > 5 for width, parts in shown)
    assert opened.page.evaluate(TEXTS) == opened.printed


def test_nothing_is_wider_than_its_page(opened):
    for width in WIDTHS:
        opened.page.set_viewport_size({"width": width, "height": 900})
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    opened.page.set_viewport_size({"width": 1280, "height": 900})


def test_on_paper_everything_fits_and_follows_the_title(opened):
    opened.page.emulate_media(media="print")
    opened.page.set_viewport_size(PAPER)
    try:
        wide = "[...document.querySelectorAll('.scroll')].filter(box => box.scrollWidth > box.clientWidth + 1)"
        assert opened.page.evaluate(f"{wide}.map(box => box.closest('figure').id)") == []
        whole = "[...document.querySelectorAll('figure:not(.long)')]"
        cut = f"{whole}.filter(one => one.getBoundingClientRect().height > {PAPER['height']}).map(one => one.id)"
        assert opened.page.evaluate(cut) == []
        tops = "['.cover', 'nav', 'main'].map(name => document.querySelector(name).getBoundingClientRect().top)"
        assert opened.page.evaluate(tops) == sorted(opened.page.evaluate(tops))
        assert opened.page.locator("nav li li a:visible").count() == len(opened.drawn)
        assert opened.page.locator(".tools:visible, .rows:visible, button:visible").count() == 0
    finally:
        opened.page.emulate_media(media="screen")
        opened.page.set_viewport_size({"width": 1280, "height": 900})


def test_a_screen_reader_finds_its_way(opened):
    page = opened.page
    assert page.title().count("：") >= 1
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert page.locator(".plot:not([role=img]), .plot:not([aria-label]), .scroll:not([aria-label])").count() == 0
    assert page.locator("figure:not([aria-labelledby])").count() == 0
    links = "[...document.querySelectorAll('a[href^=\"#\"]')].map(link => link.hash.slice(1))"
    dangling = f"{links}.filter(id => !document.getElementById(id))"
    assert page.evaluate(dangling) == []
    same = "(ids => ids.filter((id, at) => ids.indexOf(id) !== at))([...document.querySelectorAll('[id]')].map(one => one.id))"
    assert page.evaluate(same) == []


def test_every_character_has_a_glyph_in_the_embedded_font(opened):
    fonts = pytest.importorskip("fontTools.ttLib", reason="fontTools is not installed")
    page = opened.page
    coded = re.search(r"src: url\(data:font/woff;base64,([^)]+)\)", page.content()).group(1)
    with fonts.TTFont(io.BytesIO(base64.b64decode(coded))) as font:
        known = set(font.getBestCmap())
    assert page.evaluate("document.fonts.check(\"16px 'aitheme CJK'\", '资料来源')")
    shown = page.evaluate(
        "document.body.innerText + [...document.querySelectorAll('svg text')].map(t => t.textContent).join('')"
    )
    missing = {
        character
        for character in shown
        if ord(character) not in known and unicodedata.category(character)[0] not in "CZ"
    }
    assert missing == set()


def test_a_chart_is_taken_away_as_a_picture_and_as_rows(fresh):
    figure = fresh.page.locator("#index-lines")
    taken = {}
    for kind in ("png", "svg"):
        with fresh.page.expect_download() as waiting:
            figure.locator(f"[data-act={kind}]").click()
        assert waiting.value.suggested_filename == f"{BOOK}-index-lines.{kind}"
        taken[kind] = Path(waiting.value.path()).read_bytes()
    assert struct.unpack(">II", taken["png"][16:24]) == (1800, 760)
    assert b'width="900" height="380"' in taken["svg"]
    assert "Noto Sans CJK SC" in taken["svg"].decode()
    with fresh.page.expect_download() as waiting:
        figure.locator("a[download]").click()
    assert waiting.value.suggested_filename == f"{BOOK}-index-lines.csv"
    assert Path(waiting.value.path()).read_bytes().startswith(b"\xef\xbb\xbf")
    figure.locator("summary").click()
    figure.locator("tbody tr").first.wait_for()
    rows = figure.locator("tbody tr").count()
    assert figure.locator("summary").text_content() == f"查看数据（{rows}行）"
    assert rows == fresh.drawn["index-lines"].rows["session"].nunique()


def test_a_table_and_a_picture_go_through_the_clipboard(fresh):
    fresh.page.locator("#valuation [data-act=table]").click()
    types = "navigator.clipboard.read().then(items => items.flatMap(item => [...item.types]))"
    text = fresh.page.evaluate("navigator.clipboard.readText()")
    assert "300364.SZ\t中文在线" in text
    assert "text/html" in fresh.page.evaluate(types)
    fresh.page.locator("#index-lines [data-act=copy]").click()
    fresh.page.wait_for_function("document.querySelector('#index-lines [data-act=copy]').textContent === '已复制'")
    assert fresh.page.evaluate(types) == ["image/png"]


def test_a_brush_lies_where_the_pointer_drew_it_in_a_smaller_picture(fresh):
    fresh.page.set_viewport_size({"width": 1024, "height": 900})
    picture = fresh.page.locator("#index-lines .plot svg")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    assert box["width"] < 900
    left, right, middle = box["x"] + 0.3 * box["width"], box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"]
    fresh.page.mouse.move(left, middle)
    fresh.page.wait_for_selector("#index-lines .vega-embed svg")
    fresh.page.mouse.move(left + 1, middle)
    fresh.page.mouse.move(left, middle)
    fresh.page.mouse.down()
    fresh.page.mouse.move(right, middle, steps=4)
    fresh.page.mouse.up()
    drawn = "[...document.querySelectorAll('#index-lines .plot path[fill=\"#F2EBDD\"]')].map(one => one.getBoundingClientRect())"
    fresh.page.wait_for_function(f"{drawn}.some(box => Math.abs(box.right - {right}) < 2)")
    (brush,) = fresh.page.evaluate(f"{drawn}.map(box => [box.left, box.right])")
    assert brush == pytest.approx([left, right], abs=2)
    fresh.page.set_viewport_size({"width": 1280, "height": 900})


def test_the_contents_follow_the_reader_and_fold_away_in_the_hand(fresh):
    page, current = fresh.page, "document.querySelector('nav [aria-current]')?.hash"
    page.locator("nav a[href='#rating-scale']").click()
    page.wait_for_function(f"{current} === '#rating-scale'")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.locator("nav li a:visible").count() == 0
    page.locator("nav button").click()
    page.locator("nav a[href='#after-table']").click()
    page.wait_for_function(f"{current} === '#after-table'")
    assert page.locator("nav li a:visible").count() == 0
    edge = "name => document.querySelector(name).getBoundingClientRect()"
    bar, top = page.evaluate(f"({edge})('nav').bottom"), page.evaluate(f"({edge})('#after-table').top")
    assert 0 < bar <= top
    page.set_viewport_size({"width": 1280, "height": 900})
