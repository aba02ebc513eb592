"""The face of a collection in the cache: made once, drawn like the collection, never in the way."""

import base64
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import vl_convert
from fontTools.ttLib import TTCollection, TTFont

from aitheme.charts import face
from aitheme.charts.face import drawing_font, font_for
from aitheme.charts.fonts import FONT_STACK, Font, check_glyphs, find_font
from aitheme.charts.render import PNG_SCALE, svg_to_png
from aitheme.errors import FontError

# Chinese in and outside GB 2312, ligatures (ffi, fl), kerned pairs (AV, To), a decomposed accent, arrows, digits.
WORDS = "光模块碁昇镕翀㙓𠮷 office flow AV To é ①→√≥“”…— 12.5%"
EVERYDAY = "光模块昌盛价格 office flow AV To é ①→√≥“”…— −12.5%"
COLLECTION = find_font().path.read_bytes()[:4] == b"ttcf"

pytestmark = pytest.mark.skipif(not COLLECTION, reason="the font of this machine is a single face")


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache."""
    monkeypatch.setenv("AITHEME_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A directory whose cache holds the face: making it takes seconds."""
    root = tmp_path_factory.mktemp("full")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AITHEME_CACHE", str(root))
        drawing_font(find_font())
    return root


@pytest.fixture
def made(full, monkeypatch):
    """The face, made."""
    monkeypatch.setenv("AITHEME_CACHE", str(full))
    return drawing_font(find_font())


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def drawn(family, texts=WORDS):
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="700" height="80" font-family="{family}">'
        f'<text x="5" y="25" font-size="20px">{texts}</text>'
        f'<text x="5" y="60" font-size="12px" font-weight="bold">{texts}</text></svg>'
    )
    return vl_convert.svg_to_png(svg)


def test_the_face_is_made_once_and_used_again(cache, monkeypatch):
    first = drawing_font(find_font())
    assert files(cache) == [first.path]
    monkeypatch.setattr(face, "_extract", lambda *_: pytest.fail("made again"))
    assert drawing_font(find_font()) == first


def test_the_face_has_everyday_chinese_and_all_signs_of_the_collection(made):
    with TTCollection(str(find_font().path), lazy=True) as collection:
        for whole in collection:
            if whole["name"].getDebugName(1) == find_font().family:
                known = set(whole.getBestCmap())
    with TTFont(made.path, lazy=True) as single:
        found = set(single.getBestCmap())
    every = {chr(code) for code in known}
    written = {ord(sign) for sign in every if len(sign.encode("gb2312", "ignore")) == 2}
    assert len(written) > 7000
    assert found == written | {code for code in known if 0x20 <= code < 0x3100 or 0xFF00 <= code < 0xFFF0}
    assert ord("\N{MINUS SIGN}") in found
    assert made.path.stat().st_size < find_font().path.stat().st_size / 5


def test_the_face_draws_the_same_pixels_as_the_collection(made):
    for path in (find_font().path, made.path):
        vl_convert.register_font_directory(str(path.parent))
    assert drawn(made.family, EVERYDAY) == drawn(find_font().family, EVERYDAY)
    assert drawn(made.family, EVERYDAY) != drawn(made.family, "\u0378" * len(EVERYDAY))


def test_a_text_is_drawn_with_the_face_where_it_can_be_and_with_the_collection_else():
    made, whole = drawing_font(find_font()), find_font()
    assert font_for(EVERYDAY) == made
    assert font_for("昇腾") == font_for(WORDS.replace("\u0301", "")) == whole
    words = f'<text y="20" font-family="{FONT_STACK}">问尋</text>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30">{words}</svg>'
    assert svg_to_png(svg) == vl_convert.svg_to_png(svg.replace(FONT_STACK, whole.family), scale=PNG_SCALE)
    assert svg_to_png(svg) != svg_to_png(svg.replace("尋", "寻"))


def test_a_missing_glyph_is_an_error_with_the_face_too(made):
    check_glyphs([EVERYDAY], made)
    with pytest.raises(FontError, match=r"no glyph for 😀 \(U\+1F600\)"):
        check_glyphs(["涨😀"], made)
    with pytest.raises(FontError, match=r"Noto.* no glyph for 😀"):
        font_for("涨😀")


def test_a_cache_that_cannot_be_written_leaves_the_collection_and_is_told(cache, caplog):
    cache.write_text("a file where the directory should be")
    assert drawing_font(find_font()) == find_font()
    assert "AITHEME_CACHE" in caplog.text


def test_a_failed_write_leaves_nothing_behind(cache, monkeypatch, caplog):
    def full(_font, _family, file):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(face, "_extract", full)
    assert drawing_font(find_font()) == find_font()
    assert "No space left on device" in caplog.text
    assert files(cache) == []


def test_without_fonttools_the_collection_is_used(cache, monkeypatch, caplog):
    monkeypatch.setattr(face.importlib.util, "find_spec", lambda _: None)
    with caplog.at_level("DEBUG", "aitheme"):
        assert drawing_font(find_font()) == find_font()
    assert "fontTools is not installed" in caplog.text
    assert not cache.exists()


def test_a_collection_without_the_family_is_used_as_it_is(cache):
    other = Font("Another Family", find_font().path)
    assert drawing_font(other) == other
    assert files(cache) == []


def test_a_single_face_is_used_as_it_is(made):
    assert drawing_font(made) == made


def test_another_collection_gets_a_file_of_its_own(cache, tmp_path):
    newer = tmp_path / "newer.ttc"
    newer.write_bytes(find_font().path.read_bytes() + b"\0")
    old, new = drawing_font(find_font()), drawing_font(Font(find_font().family, newer))
    assert old.family == new.family
    assert {path.parent for path in files(cache)} == {old.path.parent, new.path.parent}
    assert old.path.parent != new.path.parent


def test_processes_and_threads_do_not_collide(cache):
    script = (
        "from aitheme.charts.face import *; from aitheme.charts.fonts import *; print(drawing_font(find_font()).path)"
    )
    with ThreadPoolExecutor(4) as pool:
        processes = [
            subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=os.environ.copy(), text=True)
            for _ in range(2)
        ]
        threads = {font.path for font in pool.map(drawing_font, [find_font()] * 4)}
        told = {Path(process.communicate()[0].strip()) for process in processes}
    assert {process.returncode for process in processes} == {0}
    assert told == threads
    assert files(cache) == list(told)
    with TTFont(told.pop(), lazy=True) as whole:
        assert set(whole.keys()) >= {"CFF ", "cmap", "GPOS", "GSUB"}


def test_a_helper_draws_with_the_face(made):
    text = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><text y="20" font-family="{}">光模块</text></svg>'
    asked = json.dumps(text.format(FONT_STACK)) + "\n"
    run = subprocess.run(
        [sys.executable, "-m", "aitheme.charts.render"], input=asked, capture_output=True, text=True,
        check=True, env=os.environ.copy(),
    )  # fmt: skip
    svg, png = json.loads(run.stdout)
    assert svg == text.format(FONT_STACK)
    vl_convert.register_font_directory(str(made.path.parent))
    assert base64.b64decode(png) == vl_convert.svg_to_png(text.format(made.family), scale=PNG_SCALE)
    assert run.stderr == ""
