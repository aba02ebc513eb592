"""Charts of invented data: structure held against snapshots, image size, watermark, words.

Run with AITHEME_UPDATE_SNAPSHOTS=1 to write the snapshots anew after a change that is meant.
"""

import itertools
import json
import os
import re
import struct
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import vl_convert

from aitheme.charts.bars import columns, ranked_bars, return_bars
from aitheme.charts.dots import dumbbells, score_dots
from aitheme.charts.face import font_for
from aitheme.charts.fonts import FONT_STACK
from aitheme.charts.frame import FULL, HALF, Heading
from aitheme.charts.lines import Event, return_lines
from aitheme.charts.render import PNG_SCALE, render, render_all, submit
from aitheme.charts.style import theme_config
from aitheme.charts.tables import TableCells, table_svg
from aitheme.charts.timeline import Moment, timeline
from aitheme.errors import FontError

SNAPSHOTS = Path(__file__).with_name("snapshots")
HEADING = Heading("图1：虚构图表", "基准：2024-01-02收盘；单位：%", ("资料来源：虚构数据，aitheme整理",))
SIMULATED = Heading(HEADING.title, HEADING.subtitle, HEADING.footer, simulated=True)


def returns():
    sessions = pd.bdate_range("2024-01-02", periods=30, name="session")
    steps = np.linspace(0, 1, 30)
    frame = pd.DataFrame({"甲": 0.2 * steps, "乙": -0.1 * steps, "沪深300": 0.05 * np.sin(6 * steps)}, index=sessions)
    return frame - frame.iloc[0]


def lines(heading):
    events = [
        Event(date(2024, 1, 10), "首个事件（01/10）"),
        Event(date(2024, 1, 12), "第二个"),
        Event(date(2023, 1, 1), "范围外"),
    ]
    return return_lines(returns(), heading, benchmark="沪深300", events=events)


def bars(heading):
    return return_bars(pd.Series({"影视": 0.3, "游戏": -0.1, "合计": 0.12}), heading, benchmarks=["合计"])


def ranking(heading):
    return ranked_bars(pd.Series({"模型A": 67.1, "模型B": 65.0}), heading, highlight=["模型A"])


def quarters(heading):
    return columns(pd.Series({"21Q1": 1.0, "21Q2": np.nan, "21Q3": 3.0}), heading, unit="亿元", notes=["", "", "+5%"])


def scores(heading):
    frame = pd.DataFrame({"甲": [90.0, 50.0], "乙": [80.0, np.nan], "丙": [10.0, 60.0]}, index=["测试一", "测试二"])
    return score_dots(frame, heading, highlight=["甲"], unit="%")


def prices(heading):
    frame = pd.DataFrame({"old": [0.03, 0.002], "new": [0.01, 0.002], "change": [-2 / 3, 0.0]}, index=["输入", "输出"])
    return dumbbells(frame, heading, names=("降价前", "降价后"), unit="美元")


def story(heading):
    moments = [
        Moment(date(2023, 4, 7), "23/04/07", "邀请测试", "甲公司"),
        Moment(date(2023, 9, 13), "23/09/13", "向公众开放", "甲公司"),
        Moment(date(2023, 10, 15), "23/10", "只知月份", "乙公司", exact=False),
    ]
    return timeline(moments, heading, groups=["甲公司"])


CHARTS = {
    "lines": (lines, FULL),
    "bars": (bars, HALF),
    "ranking": (ranking, HALF),
    "quarters": (quarters, HALF),
    "scores": (scores, FULL),
    "prices": (prices, FULL),
    "story": (story, FULL),
}


def texts(spec):
    return [
        text
        for layer in spec["layer"]
        if isinstance(layer["mark"], dict) and "text" in layer["mark"]
        for text in (layer["mark"]["text"] if isinstance(layer["mark"]["text"], list) else [layer["mark"]["text"]])
    ]


def rows_of(spec, layer):
    """The rows of a layer; Altair keeps them apart by name."""
    data = layer.get("data", spec.get("data", {}))
    return spec["datasets"][data["name"]] if "name" in data else data.get("values", [])


def structure(spec):
    """What a reader would notice: marks, channels, scales and axes, words; not the order of generated names."""
    layers = [
        {
            "mark": layer["mark"],
            "encoding": layer.get("encoding", {}),
            "rows": len(rows_of(spec, layer)),
        }
        for layer in spec["layer"]
    ]
    return json.loads(json.dumps({"width": spec["width"], "height": spec["height"], "layers": layers}))


@pytest.mark.parametrize("name", CHARTS)
def test_specification_is_the_one_agreed_on(name):
    draw, _ = CHARTS[name]
    found = structure(draw(HEADING).to_dict())
    path = SNAPSHOTS / f"{name}.json"
    if os.environ.get("AITHEME_UPDATE_SNAPSHOTS"):
        path.write_text(json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert found == json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CHARTS)
def test_words_stand_inside_the_chart(name):
    draw, _ = CHARTS[name]
    found = texts(draw(HEADING).to_dict())
    assert HEADING.title in found
    assert HEADING.subtitle in found
    assert HEADING.footer[0] in found


@pytest.mark.parametrize("name", CHARTS)
def test_watermark_if_and_only_if_simulated(name):
    draw, _ = CHARTS[name]
    assert "SIMULATED 模拟数据" in texts(draw(SIMULATED).to_dict())
    assert "SIMULATED 模拟数据" not in texts(draw(HEADING).to_dict())


def test_watermark_lies_behind_the_marks():
    spec = lines(SIMULATED).to_dict()
    kinds = [layer["mark"]["type"] if isinstance(layer["mark"], dict) else layer["mark"] for layer in spec["layer"]]
    watermark = next(at for at, layer in enumerate(spec["layer"]) if layer["mark"].get("text") == ["SIMULATED 模拟数据"] or
                     layer["mark"].get("text") == "SIMULATED 模拟数据")  # fmt: skip
    assert watermark < kinds.index("line")


@pytest.mark.parametrize("name", ["lines", "quarters"])
def test_image_has_the_exact_size(name):
    draw, size = CHARTS[name]
    drawing = render(draw(SIMULATED).to_dict())
    width, height = struct.unpack(">II", drawing.png[16:24])
    assert (width, height) == (2 * size.width, 2 * size.height)
    assert f'width="{size.width}" height="{size.height}"' in drawing.svg


def test_pictures_do_without_the_points_a_pointer_reads():
    """The points of every session are as clear as glass: without them the file is smaller and the image the same."""
    spec = lines(HEADING).to_dict()
    points = [
        layer for layer in spec["layer"] if layer["mark"] == {"type": "point", "clip": True, "opacity": 0, "size": 90}
    ]
    rows = len(returns()) * 3
    assert [len(rows_of(spec, layer)) for layer in points] == [rows]
    family = font_for(json.dumps(spec, ensure_ascii=False)).family
    whole = vl_convert.vegalite_to_svg(json.loads(json.dumps(spec).replace(FONT_STACK, family)))
    drawing = render(spec)
    unseen = re.compile(r'<path (?:[^<>]* )?aria-label="[^<>]* opacity="0"')
    assert (len(unseen.findall(whole)), len(unseen.findall(drawing.svg))) == (rows, 0)
    assert drawing.png == vl_convert.svg_to_png(whole, scale=PNG_SCALE)
    assert len(rows_of(spec, points[0])) == rows  # the chart itself keeps them


def test_lines_end_in_labels_and_have_no_legend():
    spec = lines(HEADING).to_dict()
    ends = [row["text"] for layer in spec["layer"] for row in rows_of(spec, layer) if "text" in row]
    assert ends == ["甲 +20.0%", "乙 -10.0%", "沪深300 -1.4%"]
    legends = [
        layer["encoding"]["color"].get("legend", "absent")
        for layer in spec["layer"]
        if "color" in layer.get("encoding", {})
    ]
    assert set(legends) <= {None, "absent"}
    dashes = next(
        layer["encoding"]["strokeDash"]["scale"] for layer in spec["layer"] if "strokeDash" in layer.get("encoding", {})
    )
    assert dict(zip(dashes["domain"], dashes["range"], strict=True))["沪深300"] == [4, 3]


def test_events_outside_the_sessions_are_left_out():
    found = texts(lines(HEADING).to_dict())
    assert "首个事件（01/10）" in found
    assert "范围外" not in found


def test_bars_are_red_for_gains_green_for_losses_and_grey_for_the_benchmark():
    spec = bars(HEADING).to_dict()
    rows = next(rows_of(spec, layer) for layer in spec["layer"] if len(rows_of(spec, layer)) == 3)
    assert {row["name"]: row["colour"] for row in rows} == {"影视": "#B22222", "游戏": "#2E7D32", "合计": "#7F7F7F"}


def test_more_than_five_lines_turn_grey_but_the_highlighted():
    frame = pd.concat([returns()[["甲"]].rename(columns={"甲": f"线{number}"}) for number in range(7)], axis=1)
    spec = return_lines(frame, HEADING, highlight=["线3"]).to_dict()
    scale = next(layer["encoding"]["color"]["scale"] for layer in spec["layer"]
                 if (layer.get("encoding", {}).get("color") or {}).get("scale"))  # fmt: skip
    colours = dict(zip(scale["domain"], scale["range"], strict=True))
    assert colours["线3"] == "#B22222"
    assert {colour for name, colour in colours.items() if name != "线3"} == {"#B5B5B5"}


def test_a_glyph_the_font_lacks_is_refused():
    with pytest.raises(FontError, match="U\\+1F680"):
        render(bars(Heading("🚀")).to_dict())


def test_many_are_rendered_in_two_processes_in_order():
    specs = [table_svg(TableCells(("甲",), ("",), (False,), ((f"第{number}",),)), HEADING) for number in range(5)]
    drawings = render_all(specs)
    assert [re.search(r">(第\d)<", one.svg).group(1) for one in drawings] == [f"第{number}" for number in range(5)]
    assert drawings[3].png == render(specs[3]).png


def test_an_error_elsewhere_is_the_real_one():
    with pytest.raises(FontError, match="U\\+1F680"):
        submit(bars(Heading("🚀")).to_dict()).result()


def test_table_image_wraps_long_cells_and_sets_numbers_right():
    cells = TableCells(
        ("简称", "业务", "价格"),
        ("", "", "报价"),
        (False, False, True),
        (("中文在线", "很长的业务说明" * 30, "28.41"),),
    )
    svg = table_svg(cells, SIMULATED)
    assert svg.count("很长的业务说明") > 5
    assert re.search(r'text-anchor="end">28.41<', svg)
    assert "SIMULATED 模拟数据" in svg
    assert "SIMULATED" not in table_svg(cells, HEADING)
    assert 'width="900"' in svg


def test_the_theme_is_only_enabled_on_request():
    import altair as alt

    assert alt.theme.active != "aitheme"
    assert theme_config()["view"] == {"stroke": None}


def test_labels_of_a_brushed_span_are_its_changes_and_stand_apart():
    """Four lines that end close together: each label is the change within the span, none lies on another."""
    returns = pd.DataFrame(
        {"a": [0.0, 0.10, 0.20], "b": [0.0, 0.05, 0.201], "c": [0.0, -0.10, 0.199], "d": [0.0, 0.0, 0.0]},
        index=pd.bdate_range("2024-03-25", periods=3),
    )
    spec = return_lines(returns, HEADING).to_dict()
    (span,) = (one for one in spec["params"] if one["name"] == "span")
    span["value"] = {"x": [1, 2]}
    found = re.findall(
        r'translate\(([\d.]+),([\d.]+)\)"[^>]*fill="(?!white)[^"]*"[^>]*>([+-][\d.]+%)<', render(spec).svg
    )
    expected = [f"{(1 + last) / (1 + first) - 1:+.1%}" for _, first, last in returns.T.to_numpy()]
    assert sorted(text for *_, text in found) == sorted(expected)
    heights = sorted(float(y) for _, y, _ in found)
    assert min(b - a for a, b in itertools.pairwise(heights)) >= 11


def test_words_of_a_table_are_not_broken_while_others_can_give_way():
    numbers = 11
    cells = TableCells(
        ("Basket", "Remark", *["n"] * numbers), ("",) * (2 + numbers), (False, False, *[True] * numbers),
        (("Model commercialisation", "a longer remark that has every reason to wrap", *["+100.7%"] * numbers),),
    )  # fmt: skip
    assert ">commercialisation<" in table_svg(cells, HEADING)
