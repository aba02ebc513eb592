"""Native forms one by one: what is drawn, that it follows the cells, and that nothing covers anything."""

import re
import zipfile
from datetime import date, timedelta

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitheme.exhibits.base import Content, Exhibit
from aitheme.exhibits.columns import Column
from aitheme.exhibits.native import (
    NativeBand,
    NativeChart,
    NativeMatrix,
    NativePanels,
    NativeSpread,
    NativeTimeline,
)
from aitheme.reports.deck import write_deck
from aitheme.reports.lanes import lanes, last_day
from aitheme.reports.sheets import sheet_form
from aitheme.reports.workbook import sheet_name, write_workbook
from tests.reports.native_forms import same_cells, same_charts, same_slide

NAN = float("nan")
DAY = date(2024, 3, 1)


def made(data, columns, native, lang="zh"):
    content = Content(data, columns, "手工数据", "by hand", native=native, from_market=False)
    return Exhibit("one", "hand", "图1", "测试", "Test", "chart", "print", lang, content)


@pytest.fixture
def books(tmp_path):
    """Write exhibits and return the sheet and the slide of each."""
    pptx = pytest.importorskip("pptx", reason="python-pptx is not installed")

    def write(*exhibits):
        write_workbook(tmp_path / "book.xlsx", exhibits, {}, title="测试")
        write_deck(tmp_path / "book.pptx", exhibits, {one.id: b"" for one in exhibits}, title="测试")
        workbook = openpyxl.load_workbook(tmp_path / "book.xlsx")
        slides = list(pptx.Presentation(tmp_path / "book.pptx").slides)[1:]
        sheets = [workbook[sheet_name(one, number)] for number, one in enumerate(exhibits, start=1)]
        for exhibit, sheet, slide in zip(exhibits, sheets, slides, strict=True):
            same_cells(sheet, sheet_form(exhibit), exhibit.id)
            same_charts(sheet, sheet_form(exhibit), exhibit.id)
            same_slide(slide, sheet_form(exhibit), exhibit.id)
        return list(zip(sheets, slides, strict=True))

    return write


def grid(values=((0.1, -0.2), (NAN, 0.0)), **options):
    rows = [
        {"row": f"r{at}", "col": f"c{to}", "value": value, "mark": "**" if value == 0.1 else ""}
        for at, line in enumerate(values)
        for to, value in enumerate(line)
    ]
    columns = {"row": Column("行", "Row"), "col": Column("列", "Column"), "value": Column("值", "Value", "change")}
    return made(pd.DataFrame(rows), columns, NativeMatrix(("row",), ("value",), 0.15, "col", mark="mark", **options))


def test_grid_colours_follow_the_cells(books):
    ((sheet, slide),) = books(grid())
    ranges = {
        str(area.sqref): [rule.type for rule in rules] for area, rules in sheet.conditional_formatting._cf_rules.items()
    }
    assert ranges == {"B5:C6": ["cellIs", "cellIs", "colorScale"]}
    (scale,) = [
        rule.colorScale
        for rules in sheet.conditional_formatting._cf_rules.values()
        for rule in rules
        if rule.colorScale
    ]
    assert [(stop.type, float(stop.val)) for stop in scale.cfvo] == [("num", -0.15), ("num", 0), ("num", 0.15)]
    green, white, red = (stop.rgb[2:] for stop in scale.color)
    assert white == "FFFFFF"
    assert int(green[2:4], 16) > int(green[:2], 16)
    assert int(red[:2], 16) > int(red[2:4], 16)
    (table,) = [shape.table for shape in slide.shapes if shape.has_table]
    assert [[table.cell(row, at).text for at in (1, 2)] for row in (1, 2)] == [["+10.0%**", "-20.0%"], ["/", "0.0%"]]
    fills = [str(table.cell(*place).fill.fore_color.rgb) for place in ((1, 2), (2, 2), (2, 1))]
    assert fills == [green, "FFFFFF", "EFEFEF"]


def test_rows_behind_a_grid_refer_to_its_cells(books):
    ((sheet, _),) = books(grid())
    assert [cell.value for cell in sheet[4]][4:] == ["行", "列", "值"]
    assert [sheet.cell(row, 7).value for row in range(5, 9)] == ["=B5", "=C5", "/", "=C6"]


def test_names_against_themselves_show_their_size_and_no_zero(books):
    pairs = [("a", "b", 0.0, 3), ("b", "a", 0.5, 4)]
    columns = {"one": Column("一", "One"), "other": Column("另一", "Other"), "share": Column("占比", "Share", "share")}
    native = NativeMatrix(("one",), ("share",), 0.5, "other", "sequential", own="size", hide_zero=True)
    data = pd.DataFrame(pairs, columns=["one", "other", "share", "size"])
    ((sheet, slide),) = books(made(data, columns, native))
    assert [[sheet.cell(row, at).value for at in (2, 3)] for row in (5, 6)] == [["(3)", 0], [0.5, "(4)"]]
    (table,) = [shape.table for shape in slide.shapes if shape.has_table]
    assert [[table.cell(row, at).text for at in (1, 2)] for row in (1, 2)] == [["(3)", ""], ["50%", "(4)"]]


def test_quantiles_are_a_grey_bar_between_the_first_and_the_last_series(books):
    quantiles = ("low", "quarter", "middle", "three", "high")
    data = pd.DataFrame(
        [("甲", "5日", 0.3, -0.2, -0.1, 0.0, 0.1, 0.2, "P99"), ("乙", "5日", -0.3, -0.3, -0.1, 0.0, 0.1, 0.2, "P5"),
         ("甲", "20日", 0.1, -0.4, -0.2, 0.0, 0.2, 0.4, "")],
        columns=["name", "horizon", "value", *quantiles, "place"],
    )  # fmt: skip
    columns = {"name": Column("篮子", "Basket"), "horizon": Column("期限", "Horizon"),
               **{name: Column(name, name, "change") for name in ("value", *quantiles)}}  # fmt: skip
    native = NativeSpread("horizon", "name", "value", quantiles, "place")
    ((sheet, slide),) = books(made(data, columns, native))
    (chart,) = sheet._charts
    names = [sheet[str(series.tx.strRef.f).split("!")[1].replace("$", "")].value for series in chart.series]
    assert names == ["low", "quarter", "middle", "three", "value", "high"]
    assert [sheet.cell(row, 1).value for row in (5, 6, 7)] == ["5日", None, "20日"]
    (shape,) = [shape.chart for shape in slide.shapes if shape.has_chart]
    assert shape.element.xpath("//c:upDownBars/c:gapWidth")
    assert [one.label for one in shape.plots[0].categories] == ["甲", "乙", "甲"]
    assert [list(labels) for labels in shape.plots[0].categories.flattened_labels] == [
        ["5日", "甲"], ["5日", "乙"], ["20日", "甲"],
    ]  # fmt: skip
    texts = [text.text for text in shape.element.xpath("//c:dLbl//a:t")]
    assert texts == ["P99", "P5"]


def test_bands_are_one_chart_per_panel_with_the_event_marked(books):
    rows = [(panel, day, day / 100, -0.1, 0.1) for panel in ("甲", "乙") for day in (-1, 0, 1)]
    rows += [("丙", day, 0.02, NAN, NAN) for day in (-1, 0)]
    columns = {"panel": Column("发布", "Release"), "day": Column("日", "Day", "integer"),
               **{name: Column(name, name, "change") for name in ("value", "low", "high")}}  # fmt: skip
    data = pd.DataFrame(rows, columns=list(columns))
    ((sheet, slide),) = books(made(data, columns, NativeBand("panel", "day", "value", "low", "high", 0)))
    assert [len(chart.series) for chart in sheet._charts] == [3, 3, 1]
    assert {(chart.y_axis.scaling.min, chart.y_axis.scaling.max) for chart in sheet._charts} == {(-0.1, 0.1)}
    assert {chart.y_axis.crossesAt for chart in sheet._charts} == {2}
    charts = [shape.chart for shape in slide.shapes if shape.has_chart]
    assert [chart.chart_title.text_frame.text for chart in charts] == ["甲", "乙", "丙"]
    assert [len(chart.element.xpath("//c:upDownBars")) for chart in charts] == [1, 1, 0]
    assert [chart.element.xpath("//c:valAx/c:crossesAt")[0].get("val") for chart in charts] == ["2", "2", "2"]


def test_panels_share_the_rows_and_are_headed_by_their_measure(books):
    rows = [
        (date(2024, month, 1), app, month * scale, scale / 10)
        for month in (1, 2, 3)
        for app, scale in (("甲", 1), ("乙", 2))
    ]
    columns = {"month": Column("月份", "Month", "date"), "app": Column("应用", "App"),
               "users": Column("用户（人）", "Users", "integer"), "paying": Column("付费占比", "Paying", "ratio")}  # fmt: skip
    native = NativePanels(tuple(NativeChart("line", "month", (name,), "app") for name in ("users", "paying")))
    ((sheet, slide),) = books(made(pd.DataFrame(rows, columns=list(columns)), columns, native))
    assert [cell.value for cell in sheet[4]] == ["月份", "用户（人） 甲", "用户（人） 乙", "付费占比 甲", "付费占比 乙"]
    charts = [shape.chart for shape in slide.shapes if shape.has_chart]
    assert [chart.chart_title.text_frame.text for chart in charts] == ["用户（人）", "付费占比"]
    assert [list(chart.plots[0].categories) for chart in charts] == [["24/01", "24/02", "24/03"]] * 2
    assert [chart.value_axis.tick_labels.number_format for chart in charts] == ["#,##0", "0%"]


def test_a_missing_number_of_a_line_is_an_empty_cell(books):
    columns = {"day": Column("日期", "Date", "date"), "level": Column("点位", "Level", "price")}
    data = pd.DataFrame({"day": [DAY + timedelta(days=at) for at in range(3)], "level": [1.0, NAN, 3.0]})
    ((sheet, _),) = books(made(data, columns, NativeChart("line", "day", ("level",))))
    assert [sheet.cell(row, 2).value for row in (5, 6, 7)] == [1, None, 3]
    assert sheet._charts[0].display_blanks == "gap"


def test_bars_below_zero_are_green_and_stay_so_when_edited(books):
    columns = {"name": Column("名称", "Name"), "change": Column("涨跌幅", "Change", "change")}
    data = pd.DataFrame({"name": ["甲", "乙"], "change": [0.1, -0.2]})
    ((sheet, slide),) = books(made(data, columns, NativeChart("bar", "name", ("change",))))
    assert sheet._charts[0].series[0].invertIfNegative
    # The first name on top, the numbers below.
    assert sheet._charts[0].x_axis.scaling.orientation == "maxMin"
    assert sheet._charts[0].y_axis.crosses == "max"
    assert sheet._charts[0].y_axis.scaling.min is None
    (shape,) = [shape.chart for shape in slide.shapes if shape.has_chart]
    (series,) = shape.element.xpath("//c:ser")
    assert [part.tag.split("}")[1] for part in series][-1] == "extLst"
    assert [colour.get("val") for colour in series.iter("{*}srgbClr")] == ["B22222", "2E7D32"]
    assert shape.plots[0].series[0].invert_if_negative


def test_bars_without_a_negative_begin_with_zero(books):
    columns = {"name": Column("名称", "Name"), "score": Column("得分", "Score", "number")}
    data = pd.DataFrame({"name": ["甲", "乙"], "score": [67.1, 65.8]})
    ((sheet, slide),) = books(made(data, columns, NativeChart("bar", "name", ("score",))))
    assert sheet._charts[0].y_axis.scaling.min == 0
    assert next(shape.chart for shape in slide.shapes if shape.has_chart).value_axis.minimum_scale == 0


def events(*offsets, groups=None):
    data = pd.DataFrame(
        {"when": [str(DAY + timedelta(days=at)) for at in offsets], "position": [DAY + timedelta(days=at) for at in offsets],
         "label": [f"发布{at}" for at in offsets], "exact": [at != 0 for at in offsets],
         "vendor": groups or [""] * len(offsets)}
    )  # fmt: skip
    native = NativeTimeline("position", "label", "exact", "vendor" if groups else None)
    return made(data, {"when": Column("日期", "Date")}, native)


def test_timeline_reads_its_labels_from_the_cells(books, tmp_path):
    ((sheet, slide),) = books(events(0, 5, 60, groups=["甲", "", "甲"]))
    assert [cell.value for cell in sheet[4]] == ["日期", "位置", "标签", "高度 甲", "高度 其他"]
    (chart,) = sheet._charts
    assert len(chart.series) == 2
    with zipfile.ZipFile(tmp_path / "book.xlsx") as archive:
        xml = archive.read("xl/charts/chart1.xml").decode()
    labels = re.findall(r"<c:dLbl><c:idx val=\"(\d)\"/>.*?</c:dLbl>", xml)
    cells = re.findall(r"<c:tx><c:strRef><c:f>[^<]*!(\$C\$\d)</c:f>", xml)
    assert labels == ["0", "1", "2", "0", "1", "2"]
    assert cells == ["$C$5", "$C$7", "$C$6"]
    (shape,) = [shape.chart for shape in slide.shapes if shape.has_chart]
    assert [text.text for text in shape.element.xpath("//c:dLbl//a:t")] == ["发布0", "发布60", "发布5"]
    assert len(shape.element.xpath("//c:errBars")) == 2
    assert str(shape.plots[0].series[0].points[0].marker.format.fill.fore_color.rgb) == "FFFFFF"
    assert shape.category_axis.minimum_scale < (DAY - date(1899, 12, 30)).days


@given(st.lists(st.tuples(st.integers(0, 900), st.floats(0.02, 0.5)), min_size=1, max_size=30))
def test_no_name_of_a_timeline_covers_another_or_a_stem(moments):
    days, widths = [DAY + timedelta(days=at) for at, _ in moments], [width for _, width in moments]
    end = last_day(days, widths)
    found = lanes(days, widths, end)
    length = (end - min(days)).days
    spans = [
        ((day - min(days)).days / length, lane, width) for day, lane, width in zip(days, found, widths, strict=True)
    ]
    assert all(start + width <= 1.0 for start, _, width in spans)
    for start, lane, width in spans:
        # A later stem within the name reaches up to its own lane, which has to be lower.
        assert not any(start < other <= start + width and high >= lane for other, high, _ in spans)
        assert sum(other == start and high == lane for other, high, _ in spans) == 1
