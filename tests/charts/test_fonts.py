"""Fonts: found or refused, glyphs checked, text measured and broken."""

import re
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st

from aitheme.charts import fonts
from aitheme.charts.fonts import balanced, check_glyphs, find_font, text_width, wrap
from aitheme.charts.render import render
from aitheme.errors import FontError

WORDS = "光模块碁昇"


@pytest.fixture
def no_font(monkeypatch):
    """A machine without any Chinese font."""
    find_font.cache_clear()
    monkeypatch.setattr(fonts, "_PACKAGE", "no_such_font_package")
    monkeypatch.setattr(fonts, "_DIRECTORIES", ())
    yield
    find_font.cache_clear()


def label(family):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40" font-family="{family}">'
        f'<text x="5" y="25" font-size="20px">{WORDS}</text></svg>'
    )


def test_font_is_a_file_with_chinese_glyphs():
    font = find_font()
    assert font.path.is_file()
    check_glyphs([WORDS, "SIMULATED 模拟数据 ①→√≥“”…—"])


def test_missing_glyph_is_named():
    with pytest.raises(FontError, match=r"no glyph for 😀 \(U\+1F600\)"):
        check_glyphs([WORDS, "涨😀"])


def test_no_font_is_an_error_that_says_what_to_install(no_font):
    with pytest.raises(FontError, match=r"no font with Chinese glyphs.*aitheme\[cjk\]"):
        find_font()


def test_a_chart_without_a_font_is_refused(no_font):
    with pytest.raises(FontError):
        render({"mark": "point", "data": {"values": [{}]}})


def test_system_font_is_the_fallback(monkeypatch, tmp_path):
    (tmp_path / "noto").mkdir()
    (tmp_path / "noto" / "wqy-microhei.ttc").write_bytes(b"")
    monkeypatch.setattr(fonts, "_PACKAGE", "no_such_font_package")
    monkeypatch.setattr(fonts, "_DIRECTORIES", (str(tmp_path),))
    find_font.cache_clear()
    try:
        assert find_font().family == "WenQuanYi Micro Hei"
    finally:
        find_font.cache_clear()


def test_file_without_a_character_map_is_refused(tmp_path):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"\0\1\0\0" + b"\0" * 20)
    with pytest.raises(FontError, match="no character map"):
        check_glyphs(["中"], fonts.Font("Broken", Path(broken)))


def test_chinese_is_drawn_and_not_boxes():
    drawn = render(label(fonts.FONT_STACK)).png
    blank = render(re.sub(r">[^<]*</text>", "></text>", label(fonts.FONT_STACK))).png
    boxes = render(label(fonts.FONT_STACK).replace(WORDS, "\u0378" * len(WORDS))).png
    assert len({drawn, blank, boxes}) == 3


def test_lines_break_where_chinese_allows_it():
    lines = wrap("接入文心一言（ERNIE Bot）等模型，与百度合作。", 10, 80)
    assert "".join(lines).replace(" ", "") == "接入文心一言（ERNIEBot）等模型，与百度合作。"
    assert not any(line[0] in "，。）" for line in lines)
    assert not any(line.endswith("（") for line in lines)


def test_balanced_lines_leave_no_orphan():
    assert wrap("通义千问邀请测试", 10, 70) == ["通义千问邀请测", "试"]
    assert balanced("通义千问邀请测试", 10, 70) == ["通义千问", "邀请测试"]


@given(st.text(alphabet="中文在线AIGC模型 -（），。abc123", max_size=60), st.integers(40, 300))
def test_no_text_is_lost_or_too_wide(text, width):
    lines = wrap(text, 10, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    # Closing punctuation may hang over, since it must not start a line.
    assert all(text_width(line.rstrip("，。、；：！？）,.;:!?)"), 10) <= width + 10 for line in lines)


def test_estimated_widths_are_never_below_those_of_the_font():
    """Second computation: the advance widths in the font's own tables, for every character a chart may hold."""
    font = TTFont(find_font().path, fontNumber=0)
    names, widths, em = font.getBestCmap(), font["hmtx"], font["head"].unitsPerEm
    texts = [chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x250), *range(0x2010, 0x2600), 0x4E00, 0x9F98)]
    known = [text for text in texts if ord(text) in names]
    assert [text for text in known if widths[names[ord(text)]][0] / em > text_width(text, 1.0) + 1e-9] == []
    latin = "Multimodal benchmarks: MMMU 59.4%, wmw"
    real = sum(widths[names[ord(character)]][0] for character in latin) / em
    assert real <= text_width(latin, 1.0) <= 1.08 * real


def test_a_compound_breaks_behind_its_hyphen():
    assert wrap("First official large-model standard", 10, 58) == ["First official", "large-", "model", "standard"]
    assert wrap("large-model standard", 10, 45)[:2] == ["large-", "model"]
    assert wrap("supercalifragilistic", 10, 45)[0] != "supercalifragilistic"
