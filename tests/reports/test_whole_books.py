"""Every exhibit of every book: its snapshot, and the same numbers in the workbook, the slides and the page's data.

Run with AITHEME_UPDATE_SNAPSHOTS=1 to write the snapshots anew after a change that is meant; the diff names the exhibit and
what a reader would see differently (`data` is a digest of its rows at six significant digits).
"""

import base64
import csv
import io
import json
import os
import re
from pathlib import Path

import openpyxl
import pytest

from tests.reports.native_forms import (
    PICTURE,
    same_cells,
    same_charts,
    same_slide,
    same_table,
    slide_texts,
    slides_by_caption,
)
from tests.reports.whole_books import as_json

SNAPSHOTS = Path(__file__).with_name("snapshots")
BOOKS = ("glsc-20231229", "hfzq-202402", "htsc-20230420", "mszq-20240328", "tfzq-20240309")


def available(drawn):
    return [one for one in drawn if one.status == "ok"]


@pytest.mark.parametrize("book", BOOKS)
def test_every_exhibit_is_the_one_agreed_on(whole_books, book):
    found = json.loads(as_json({one.id: one.outline for one in whole_books.drawn[book]}))
    path = SNAPSHOTS / f"{book}.json"
    if os.environ.get("AITHEME_UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(as_json(found), encoding="utf-8")
    agreed = json.loads(path.read_text(encoding="utf-8"))
    changed = [
        f"{name}.{field}: {agreed.get(name, {}).get(field)!r} -> {found.get(name, {}).get(field)!r}"
        for name in {**agreed, **found}
        for field in {**agreed.get(name, {}), **found.get(name, {})}
        if agreed.get(name, {}).get(field) != found.get(name, {}).get(field)
    ]
    assert not changed, "\n".join(changed)


@pytest.mark.parametrize("book", BOOKS)
def test_nothing_is_missing_from_the_simulated_books(whole_books, book):
    """Everything of the report, its baskets and ratings is drawn; what needs a history of estimates may say it has none."""
    missing = [one.outline for one in whole_books.drawn[book] if one.status != "ok"]
    assert [one for one in missing if one["chapter"] != "valuation" or not one["reason"]] == []
    assert len({one.id for one in whole_books.drawn[book]}) == len(whole_books.drawn[book])


@pytest.mark.parametrize("book", BOOKS)
def test_captions_and_sources_have_the_house_form(whole_books, book):
    for one in whole_books.drawn[book]:
        assert re.match(r"(图表|图|表|封面表|封面图|正文|附图|附表)[\d、图表（）\u4e00-\u9fff]*：.", one.caption), (
            one.caption
        )
        if one.status != "ok":
            continue
        assert re.match(r"资料来源：.+，aitheme整理(；截至\d{4}-\d\d-\d\d)?$", one.source), one.source
        assert not one.simulated or "截至" in one.source, one.id


@pytest.mark.parametrize("book", BOOKS)
def test_workbook_holds_every_number_with_its_format_and_its_charts(whole_books, book):
    workbook = openpyxl.load_workbook(whole_books.folder / book / f"{book}.xlsx")
    assert workbook.sheetnames[1:] == [one.sheet for one in available(whole_books.drawn[book])]
    for one in available(whole_books.drawn[book]):
        sheet = workbook[one.sheet]
        assert sheet["A1"].value == one.caption
        assert (sheet["A3"].value == "SIMULATED 模拟数据") == one.simulated
        assert one.source in [cell.value for (cell,) in sheet.iter_rows(max_col=1)]
        same_cells(sheet, one.form, f"{book}/{one.id}")
        same_charts(sheet, one.form, f"{book}/{one.id}")
        assert sheet._images == [], one.id


@pytest.mark.parametrize("book", BOOKS)
def test_slides_hold_the_same_numbers(whole_books, book):
    pptx = pytest.importorskip("pptx", reason="python-pptx is not installed")
    slides = list(pptx.Presentation(whole_books.folder / book / f"{book}.pptx").slides)
    shown = available(whole_books.drawn[book])
    for one, own in zip(shown, slides_by_caption(slides[1:], [one.caption for one in shown]), strict=True):
        for slide in own:
            texts = slide_texts(slide)
            assert any(one.source in text for text in texts), one.id
            assert ("SIMULATED 模拟数据" in texts) == one.simulated, one.id
            assert [shape for shape in slide.shapes if shape.shape_type == PICTURE] == [], one.id
        same_slide(own[0], one.form, f"{book}/{one.id}")
        if one.kind == "table":
            same_table(own, one.rows, one.columns, one.lang, f"{book}/{one.id}")


@pytest.mark.parametrize("book", BOOKS)
def test_every_chart_can_be_edited(whole_books, book):
    for one in available(whole_books.drawn[book]):
        assert (one.native is None) == (one.kind == "table"), one.id


@pytest.mark.parametrize("book", BOOKS)
def test_every_exhibit_of_the_page_carries_its_rows(whole_books, book):
    page = (whole_books.folder / book / "index.html").read_text(encoding="utf-8")
    links = dict(
        re.findall(r'download="[\w-]+?-((?:[\w-])+)\.csv" href="data:text/csv;charset=utf-8;base64,([^"]+)"', page)
    )
    coded = {name: base64.b64decode(text).decode("utf-8-sig") for name, text in links.items()}
    for one in available(whole_books.drawn[book]):
        (text,) = [text for name, text in coded.items() if name == one.id or name.endswith(f"-{one.id}")][:1] or [None]
        assert text is not None, one.id
        rows = list(csv.DictReader(io.StringIO(text)))
        assert len(rows) == len(one.rows), one.id
        assert list(rows[0]) == list(one.rows.columns), one.id


@pytest.mark.parametrize("book", BOOKS)
def test_manifest_tells_of_every_exhibit(whole_books, book):
    folder = whole_books.folder / book
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert [entry["id"] for entry in manifest["exhibits"]] == [one.id for one in whole_books.drawn[book]]
    for entry, one in zip(manifest["exhibits"], whole_books.drawn[book], strict=True):
        if one.status != "ok":
            assert (entry["rows"], entry["reason"]) == (0, one.outline["reason"])
            continue
        assert entry["rows"] == len(one.rows)
        assert entry["source"] == one.source
        assert all((folder / entry["files"][kind]).stat().st_size > 0 for kind in ("png", "svg"))
