"""The same exhibits from the real market archive, against its raw files."""

from datetime import date

import pandas as pd
import pytest

from aitheme.exhibits import mszq_20240328, tfzq_20240309
from aitheme.exhibits.columns import table_cells
from aitheme.sources.archive import ArchiveSource
from tests.exhibits.conftest import filled

pytestmark = pytest.mark.archive
BASE, LAST = date(2024, 2, 8), date(2024, 3, 28)


@pytest.fixture(scope="module")
def real_market(tmp_path_factory, ai_theme, archive_root):
    source = ArchiveSource(archive_root, ai_theme)
    folder = tmp_path_factory.mktemp("real") / "store"
    with filled(folder, source, universe="theme", symbols=frozenset(ai_theme.security)) as market:
        yield market


def table(archive_root, name):
    path = next(path for path in archive_root.iterdir() if path.stem == name)
    return pd.read_csv(path, dtype={"code": str}) if path.suffix == ".csv" else pd.read_parquet(path)


def test_cover_table_reproduces_every_printed_figure(real_market, ai_theme):
    exhibit = mszq_20240328.valuation(real_market, ai_theme)
    cells = table_cells(exhibit.data, exhibit.content.columns, "zh")
    assert [row[2] for row in cells.rows] == ["9.44", "28.41", "5.75", "29.42", "15.90"]
    assert [row[6:9] for row in cells.rows] == [
        ("45", "38", "35"), ("/", "167", "118"), ("29", "23", "21"), ("226", "245", "113"), ("19", "32", "24"),
    ]  # fmt: skip
    assert not exhibit.simulated


def test_index_lines_equal_the_shenwan_file(real_market, ai_theme, archive_root):
    raw = table(archive_root, "sw_l1_daily")
    stamps = pd.to_datetime(raw["date"]).dt.date
    exhibit = mszq_20240328.index_lines(real_market, ai_theme)
    for sector in ("传媒", "计算机", "通信", "电子"):
        points = raw.loc[raw["name"] == sector, "close"].set_axis(stamps[raw["name"] == sector])
        line = exhibit.data[exhibit.data["name"] == sector].set_index("session")["change"]
        assert line[LAST] == pytest.approx(points[LAST] / points[BASE] - 1, abs=1e-9)
    assert "Shenwan" in mszq_20240328.index_lines(real_market, ai_theme, lang="en").content.subtitle


def test_basket_lines_equal_the_back_adjusted_closes(real_market, ai_theme, archive_root):
    adjusted = pd.read_parquet(archive_root / "hfq" / "close.parquet")
    adjusted["日期"] = pd.to_datetime(adjusted["日期"]).dt.date
    wide = adjusted.pivot_table(index="日期", columns="代码", values="收盘")
    held = [symbol for symbol in ai_theme.symbols("mszq-20240328/text-corpus") if symbol in wide.columns]
    expected = (wide.loc[LAST, held] / wide.loc[BASE, held]).mean() - 1
    data = mszq_20240328.lines_of_baskets(real_market, ai_theme).data.set_index(["name", "session"])["change"]
    assert data["优质文字数据语料库", LAST] == pytest.approx(expected, abs=2e-4)


def test_capital_expenditure_equals_its_file(real_market, ai_theme, archive_root):
    raw = table(archive_root, "us_capex_quarterly")
    numbers = raw.loc[raw.eq("GOOG").any(axis=1) | raw.eq("GOOGL").any(axis=1)].select_dtypes("number").iloc[:, -1]
    data = tfzq_20240309.capex_google(real_market, ai_theme).data
    # The print begins with 21Q2; the file has one quarter more.
    assert list(data["quarter"])[:: len(data) - 1] == ["21Q2", "23Q4"]
    assert list(data["capex"]) == pytest.approx(list(numbers)[-len(data) :])
    assert "与正文的11一致" in tfzq_20240309.capex_google(real_market, ai_theme).note
