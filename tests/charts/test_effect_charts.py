"""Heatmap, paths and levels of invented data: structure held against snapshots, image size, words."""

import json
import os
import struct
from datetime import date

import numpy as np
import pandas as pd
import pytest

from aitheme.charts.frame import FULL
from aitheme.charts.heatmap import BLANK, Cell, diverging, heatmap, sequential
from aitheme.charts.levels import Line, level_lines
from aitheme.charts.paths import PathPanel, path_panels
from aitheme.charts.render import render
from tests.charts.test_charts import HEADING, SIMULATED, SNAPSHOTS, structure


def heat(heading):
    cells = [
        Cell(0, 0, "+12.0%**", diverging(0.12, 0.15), "p=0.01"), Cell(0, 1, "-3.0%", diverging(-0.03, 0.15), "p=0.50"),
        Cell(1, 0, "", BLANK, "没有数据"),
    ]  # fmt: skip
    return heatmap(
        ["24/03/18 虚构发布", "24/02/19 另一发布"], ["篮子甲（3）", "篮子乙（5）"], cells, heading, muted=[1]
    )


def upright(heading):
    names = ["甲", "乙公司", "丙"]
    cells = [
        Cell(row, column, "50", sequential(0.5, 0, 1), "0.50")
        for row in range(3)
        for column in range(3)
        if row != column
    ]
    return heatmap(names, names, cells, heading, upright=True)


def paths(heading):
    days = np.arange(-6, 11)
    path = pd.DataFrame({"day": days, "value": 0.01 * (days + 6), "low": -0.01 * (days + 6), "high": 0.02 * (days + 6)})
    bare = path.assign(value=-path["value"], low=np.nan, high=np.nan)
    return path_panels(
        [PathPanel("24/02/19 虚构发布", "p=0.20", path), PathPanel("24/03/18 没有区间", "p=0.50", bare)], heading
    )


def levels(heading):
    sessions = pd.bdate_range("2024-01-02", periods=40)
    frame = pd.DataFrame({"甲": np.linspace(0.01, 0.03, 40), "乙": np.linspace(0.02, 0.01, 40)}, sessions)
    frame.iloc[5, 0] = np.nan
    lines = [Line("甲", "甲 3.00%", "#B22222"), Line("乙", "乙 1.00%", "#1F3A68", dash=True)]
    bars = pd.Series(np.arange(40) % 4, sessions)
    return level_lines(
        frame,
        lines,
        heading,
        bars=bars,
        bars_word="涨停家数",
        mark=(date(2024, 2, 1), "报告发布"),
        ticks_at=[date(2024, 1, 10)],
    )


CHARTS = {"heat": heat, "upright": upright, "paths": paths, "levels": levels}


@pytest.mark.parametrize("name", CHARTS)
def test_specification_is_the_one_agreed_on(name):
    found = structure(CHARTS[name](HEADING).to_dict())
    path = SNAPSHOTS / f"{name}.json"
    if os.environ.get("AITHEME_UPDATE_SNAPSHOTS"):
        path.write_text(json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert found == json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CHARTS)
def test_image_is_as_wide_as_asked_for(name):
    drawing = render(CHARTS[name](HEADING).to_dict())
    width, height = struct.unpack(">II", drawing.png[16:24])
    assert width == 2 * FULL.width
    assert height >= 2 * FULL.height or name in {"heat", "upright"}


@pytest.mark.parametrize("name", CHARTS)
def test_simulated_data_is_marked(name):
    assert "SIMULATED 模拟数据" in str(CHARTS[name](SIMULATED).to_dict())
    assert "SIMULATED" not in str(CHARTS[name](HEADING).to_dict())


def test_colours_say_sign_and_size():
    assert diverging(0.0, 0.15) == "#FFFFFF"
    assert diverging(0.15, 0.15) == diverging(0.4, 0.15)
    red, green = diverging(0.1, 0.15), diverging(-0.1, 0.15)
    assert int(red[1:3], 16) > int(red[3:5], 16)
    assert int(green[3:5], 16) > int(green[1:3], 16)
    assert sequential(0.0, 0.0, 1.0) == "#FFFFFF"
    assert sequential(1.0, 0.0, 1.0) == sequential(2.0, 0.0, 1.0)


def test_missing_values_break_a_line_and_are_null():
    spec = levels(HEADING).to_dict()
    rows = [row for data in spec["datasets"].values() for row in data if row.get("name") == "甲"]
    assert sum(row["y"] is None for row in rows) == 1
    assert "NaN" not in json.dumps(spec)
