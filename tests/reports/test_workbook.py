"""The workbook, reopened with another library: the same numbers, formats, charts and words."""

from datetime import datetime

import openpyxl
import pytest

from aitheme.exhibits import hfzq_202402, mszq_20240328, tfzq_20240309
from aitheme.reports.sheets import sheet_form
from aitheme.reports.workbook import sheet_name, write_workbook
from tests.reports.native_forms import same_cells, same_charts


@pytest.fixture(scope="module")
def book(tmp_path_factory, demo_market, ai_theme):
    definitions = (
        mszq_20240328.index_lines, mszq_20240328.valuation, mszq_20240328.sub_sector_bars, mszq_20240328.timeline,
        hfzq_202402.price_cuts, tfzq_20240309.capex_amazon, hfzq_202402.benchmark_scores, mszq_20240328.model_map,
    )  # fmt: skip
    exhibits = [definition(demo_market, ai_theme) for definition in definitions]
    path = tmp_path_factory.mktemp("xlsx") / "book.xlsx"
    write_workbook(path, exhibits, {}, title="测试")
    return exhibits, openpyxl.load_workbook(path)


def sheets(book):
    exhibits, workbook = book
    return [(exhibit, workbook[sheet_name(exhibit, number)]) for number, exhibit in enumerate(exhibits, start=1)]


def test_sheets_hold_the_same_numbers(book):
    for exhibit, sheet in sheets(book):
        same_cells(sheet, sheet_form(exhibit), exhibit.id)
        same_charts(sheet, sheet_form(exhibit), exhibit.id)


def test_lines_are_spread_over_columns(book):
    _, sheet = sheets(book)[0]
    assert [cell.value for cell in sheet[4]][:6] == ["日期", "传媒", "计算机", "通信", "电子", "沪深300"]
    assert sheet["A5"].value == datetime(2024, 2, 8)
    assert [sheet.cell(5, at).value for at in range(2, 7)] == [0, 0, 0, 0, 0]
    assert sheet["B5"].number_format == "+0.0%;-0.0%;0.0%"
    assert sheet["A5"].number_format == "yyyy-mm-dd"


@pytest.mark.parametrize(
    ("at", "kind", "series"),
    [
        (0, "LineChart", 5),
        (2, "BarChart", 1),
        (3, "ScatterChart", 6),
        (4, "BarChart", 2),
        (5, "BarChart", 1),
        (6, "BarChart", 6),
    ],
)
def test_charts_are_native_and_point_at_the_cells(book, at, kind, series):
    _, sheet = sheets(book)[at]
    (chart,) = sheet._charts
    assert type(chart).__name__ == kind
    assert len(chart.series) == series
    values = chart.series[0].yVal if kind == "ScatterChart" else chart.series[0].val
    assert sheet.title in values.numRef.f


def test_tables_have_neither(book):
    for at in (1, 7):
        _, sheet = sheets(book)[at]
        assert (sheet._charts, sheet._images) == ([], [])


def test_captions_sources_and_watermark(book):
    for exhibit, sheet in sheets(book):
        assert sheet["A1"].value == exhibit.caption
        texts = [row[0].value for row in sheet.iter_rows(max_col=1)]
        assert exhibit.source in texts
        assert (sheet["A3"].value == "SIMULATED 模拟数据") == exhibit.simulated


def test_contents_link_to_the_sheets(book):
    exhibits, workbook = book
    contents = workbook.worksheets[0]
    assert contents.title == "目录"
    linked = [cell.hyperlink.location for row in contents.iter_rows(max_col=1) for cell in row if cell.hyperlink]
    assert linked == [f"'{sheet_name(exhibit, number)}'!A1" for number, exhibit in enumerate(exhibits, start=1)]


def test_sheet_names_are_valid(book):
    _, workbook = book
    assert all(len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in workbook.sheetnames)
    assert len(set(workbook.sheetnames)) == len(workbook.sheetnames)
