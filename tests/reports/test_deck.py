"""The slides, reopened: the same numbers in charts that can be edited."""

import pytest

from aitheme.exhibits import mszq_20240328, tfzq_20240309
from aitheme.reports.deck import MissingPackageError, check_deck, write_deck
from aitheme.reports.sheets import sheet_table
from tests.reports.native_forms import slide_texts, slides_by_caption

pptx = pytest.importorskip("pptx", reason="python-pptx is not installed")


@pytest.fixture(scope="module")
def deck(tmp_path_factory, demo_market, ai_theme):
    definitions = (
        mszq_20240328.index_lines, mszq_20240328.valuation, mszq_20240328.timeline, tfzq_20240309.capex_meta,
        mszq_20240328.model_map,
    )  # fmt: skip
    exhibits = [definition(demo_market, ai_theme) for definition in definitions]
    images = {exhibit.id: exhibit.drawing().png for exhibit in exhibits}
    path = tmp_path_factory.mktemp("pptx") / "book.pptx"
    write_deck(path, exhibits, images, title="测试")
    return exhibits, list(pptx.Presentation(path).slides)


def test_one_slide_per_exhibit_after_the_cover_and_more_for_a_long_table(deck):
    exhibits, slides = deck
    assert slide_texts(slides[0]) == ["测试", "SIMULATED 模拟数据"]
    for exhibit, own in zip(exhibits, slides_by_caption(slides[1:], [one.caption for one in exhibits]), strict=True):
        assert len(own) == (2 if exhibit.id == "model-map" else 1)
        for slide in own:
            assert any(exhibit.source in text for text in slide_texts(slide))
            assert ("SIMULATED 模拟数据" in slide_texts(slide)) == exhibit.simulated


@pytest.mark.parametrize("at", [0, 3])
def test_charts_hold_the_same_numbers(deck, at):
    exhibits, slides = deck
    (chart,) = [shape.chart for shape in slides[at + 1].shapes if shape.has_chart]
    data, columns = sheet_table(exhibits[at])
    names = {column.label("zh"): name for name, column in columns.items()}
    assert len(chart.plots[0].series) == (5 if at == 0 else 1)
    for series in chart.plots[0].series:
        assert list(series.values) == pytest.approx(list(data[names[series.name]]))


def test_tables_are_tables_with_their_groups_above(deck):
    _, slides = deck
    (table,) = [shape.table for shape in slides[2].shapes if shape.has_table]
    assert [table.cell(3, at).text for at in range(3)] == ["300364.SZ", "中文在线", "28.41"]
    assert (table.cell(0, 3).text, table.cell(0, 3).is_merge_origin, table.cell(0, 3).span_width) == (
        "EPS（元）",
        True,
        3,
    )
    assert [shape.has_chart for shape in slides[3].shapes].count(True) == 1


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingPackageError, match="pip install python-pptx"):
        check_deck()
