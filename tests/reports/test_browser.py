"""The pages in a real browser: no complaint, no request, no missing glyph, every chart alive."""

import base64
import io
import re
import shutil
import unicodedata

import pytest

from tests.reports.test_whole_books import BOOKS

pytestmark = pytest.mark.browser
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


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
    plots = page.locator(".plot").count()
    page.evaluate("window.aithemeWakeAll()")
    page.wait_for_function(f"document.querySelectorAll('.plot .vega-embed').length === {plots}", timeout=120_000)
    yield (
        page,
        complaints,
        [url for url in asked if not url.startswith(("file:", "data:"))],
        whole_books.drawn[request.param],
    )
    page.close()


def test_no_complaint_and_no_request(opened):
    _, complaints, asked, _ = opened
    assert complaints == []
    assert asked == []


def test_every_chart_comes_alive(opened):
    page, _, _, drawn = opened
    assert page.locator("figure").count() == len(drawn)
    size = "svg => [svg.getBoundingClientRect().width, svg.querySelectorAll('path,text').length]"
    shown = page.evaluate(f"[...document.querySelectorAll('.plot svg')].map({size})")
    assert shown
    assert all(width > 200 and parts > 5 for width, parts in shown)


def test_no_text_is_wider_than_its_page(opened):
    page, _, _, _ = opened
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_every_character_has_a_glyph_in_the_embedded_font(opened):
    fonts = pytest.importorskip("fontTools.ttLib", reason="fontTools is not installed")
    page, _, _, _ = opened
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
