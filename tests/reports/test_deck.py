"""The slides, reopened: the same numbers in charts that can be edited."""

import pytest

from aitheme.exhibits import mszq_20240328, tfzq_20240309
from aitheme.reports.deck import MissingPackageError, check_deck, write_deck
from aitheme.reports.sheets import sheet_table

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


def texts(slide):
    return [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]


def test_one_slide_per_exhibit_after_the_cover(deck):
    exhibits, slides = deck
    assert len(slides) == len(exhibits) + 1
    assert texts(slides[0]) == ["测试", "SIMULATED 模拟数据"]
    for exhibit, slide in zip(exhibits, slides[1:], strict=True):
        assert exhibit.caption in texts(slide)
        assert any(exhibit.source in text for text in texts(slide))
        assert ("SIMULATED 模拟数据" in texts(slide)) == exhibit.simulated


@pytest.mark.parametrize("at", [0, 3])
def test_charts_hold_the_same_numbers(deck, at):
    exhibits, slides = deck
    (chart,) = [shape.chart for shape in slides[at + 1].shapes if shape.has_chart]
    data, columns = sheet_table(exhibits[at])
    names = {column.label("zh"): name for name, column in columns.items()}
    assert len(chart.plots[0].series) == (5 if at == 0 else 1)
    for series in chart.plots[0].series:
        assert list(series.values) == pytest.approx(list(data[names[series.name]]))


def test_short_tables_are_tables_and_long_ones_pictures(deck):
    _, slides = deck
    (table,) = [shape.table for shape in slides[2].shapes if shape.has_table]
    assert [table.cell(2, at).text for at in range(3)] == ["300364.SZ", "中文在线", "28.41"]
    assert [shape.shape_type for shape in slides[5].shapes].count(13) == 1
    assert [shape.has_chart for shape in slides[3].shapes].count(True) == 1


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingPackageError, match="pip install python-pptx"):
        check_deck()
