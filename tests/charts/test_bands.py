"""Quantile bands of invented data: structure held against a snapshot, and what a reader reads off it."""

import json
import os

import pytest

from aitheme.charts.bands import Band, BandGroup, band_dots
from aitheme.charts.frame import FULL
from aitheme.charts.render import render
from tests.charts.test_charts import HEADING, SIMULATED, SNAPSHOTS, rows_of, structure, texts

KEY = ("随机5–95%", "25–75%", "中位数")
NAMES = ("甲", "乙", "全部")
REACHED = BandGroup(
    "5日", "24/01/02–24/01/09",
    (Band("甲", 0.08, (-0.05, -0.02, 0.0, 0.02, 0.05), "P99"), Band("乙", -0.03, (-0.06, -0.01, 0.01, 0.03, 0.07), "P14"),
     Band("全部", 0.02, ())),
    reference=0.01,
)  # fmt: skip
OPEN = BandGroup("250日", "2025-01-14可知", (), empty="未到期")


def words(spec):
    return {row["text"] for layer in spec["layer"] for row in rows_of(spec, layer) if "text" in row}


def bands(heading, groups=(REACHED, OPEN), **options):
    return band_dots(groups, heading, names=NAMES, key=KEY, reference="沪深300", whole="全部", **options)


def test_specification_is_the_one_agreed_on():
    found = structure(bands(HEADING).to_dict())
    path = SNAPSHOTS / "bands.json"
    if os.environ.get("AITHEME_UPDATE_SNAPSHOTS"):
        path.write_text(json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert found == json.loads(path.read_text(encoding="utf-8"))


def test_words_of_groups_series_and_key_are_there():
    spec = bands(HEADING).to_dict()
    expected = {*NAMES, *KEY, "沪深300", "5日", "24/01/02–24/01/09", "250日", "2025-01-14可知", "未到期"}
    assert expected <= words(spec)
    assert HEADING.title in texts(spec)
    assert "SIMULATED 模拟数据" not in texts(spec)
    assert "SIMULATED 模拟数据" in texts(bands(SIMULATED).to_dict())


def test_every_value_stands_inside_the_axis_and_the_groups():
    spec = bands(HEADING).to_dict()
    marks = [row for layer in spec["layer"] for row in rows_of(spec, layer) if "middle" in row]
    assert {row["name"] for row in marks} == set(NAMES)
    domains = [layer["encoding"]["y"]["scale"]["domain"] for layer in spec["layer"]
               if "scale" in layer.get("encoding", {}).get("y", {})]  # fmt: skip
    low, high = domains[0]
    assert all(
        low <= number <= high
        for row in marks
        for number in (row["value"], row["low"], row["high"])
        if number is not None
    )
    places = {row["name"]: row["x"] for row in marks}
    assert 0 < places["甲"] < places["乙"] < places["全部"] < 1
    assert max(layer["encoding"]["x"]["scale"]["domain"][1] for layer in spec["layer"]
               if "scale" in layer.get("encoding", {}).get("x", {})) == 1.5  # fmt: skip


def test_a_label_stands_on_the_side_away_from_the_median():
    spec = bands(HEADING).to_dict()
    sides = {row["label"]: row["above"] for layer in spec["layer"] for row in rows_of(spec, layer) if row.get("label")}
    assert sides == {"P99": True, "P14": False}


@pytest.mark.parametrize("count", [1, 2, 5])
def test_image_has_its_size_whatever_the_number_of_groups(count):
    drawing = render(bands(HEADING, [REACHED] * count).to_dict())
    assert f'width="{FULL.width}" height="{FULL.height}"' in drawing.svg


def test_a_long_key_takes_a_second_row():
    names = tuple(f"名称很长很长很长的篮子{number}" for number in range(6))
    group = BandGroup("5日", "", tuple(Band(name, 0.01, (-0.1, -0.05, 0.0, 0.05, 0.1)) for name in names))
    spec = band_dots([group], HEADING, names=names, key=KEY).to_dict()
    assert spec["height"] < bands(HEADING).to_dict()["height"]
    assert set(names) <= words(spec)
