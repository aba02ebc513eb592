"""The chapters on what happened before and after a report, from the simulated market and from the real archive."""

import json
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from aitheme.calendar import calendar_for
from aitheme.errors import RegistryError
from aitheme.exhibits import book
from aitheme.exhibits.aftermath import after_chapter, before_chapter
from aitheme.exhibits.columns import table_cells
from aitheme.exhibits.crossreport import cross_chapter
from aitheme.exhibits.labels import CHAPTERS, numbered
from aitheme.exhibits.membership import headline_baskets, judged_baskets, whole_basket
from aitheme.sources.archive import ArchiveSource
from aitheme.themes import load_theme
from tests.conftest import TOY_THEME
from tests.exhibits.conftest import filled
from tests.exhibits.test_exhibits import closes, last_on, levels

HTSC, MSZQ, TFZQ = "htsc-20230420", "mszq-20240328", "tfzq-20240309"
REPORTS = [HTSC, "glsc-20231229", "hfzq-202402", TFZQ, MSZQ]


def exhibit(market, theme, report, name, **options):
    return next(one for one in book(theme, report) if one.id == name)(market, theme, **options)


def shown(found, lang="zh"):
    return [list(row) for row in table_cells(found.data, found.content.columns, lang).rows]


def moved(theme, report, **changes):
    """The same theme with one report changed."""
    changed = theme.reports[report].model_copy(update=changes)
    return replace(theme, reports={**theme.reports, report: changed})


def test_own_labels_are_numbered_in_the_order_of_the_book(ai_theme):
    assert numbered(["图1", "附表", "附图", "附表"]) == ["图1", "附表1", "附图1", "附表2"]
    for report in REPORTS:
        definitions = book(ai_theme, report)
        chapters = [list(CHAPTERS).index(one.chapter) for one in definitions]
        assert chapters == sorted(chapters)
        for kind in ("附图", "附表"):
            own = [one.label for one in definitions if one.label.startswith(kind)]
            assert own == [f"{kind}{number}" for number in range(1, len(own) + 1)]


def test_which_baskets_are_followed(ai_theme):
    assert headline_baskets(ai_theme, MSZQ) == tuple(
        f"{MSZQ}/{one}" for one in ("text-corpus", "video-corpus", "applications")
    )
    # The one basket of video and virtual humans holds Hong Kong names only.
    assert headline_baskets(ai_theme, HTSC) == (f"{HTSC}/data-ip", f"{HTSC}/games")
    assert whole_basket(ai_theme, HTSC) == f"{HTSC}/opportunities"
    assert whole_basket(ai_theme, TFZQ) == f"{TFZQ}/recommended"
    parts = [name.split("/")[1] for name in judged_baskets(ai_theme, "hfzq-202402")]
    assert parts == [
        "multimodal",
        "office",
        "education-ecommerce-medical",
        "education",
        "ecommerce",
        "medical",
        "recommended",
    ]
    toy = load_theme(TOY_THEME)
    assert headline_baskets(toy, "acme-20230615") == ("acme-20230615/recommended",)
    assert whole_basket(toy, "acme-20230615") is None


def test_a_headline_basket_must_exist(toy_theme_dir):
    path = toy_theme_dir / "reports" / "acme-20230615" / "report.toml"
    path.write_text('headline = ["nope"]\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(RegistryError, match="headline basket 'nope' is not in baskets"):
        load_theme(toy_theme_dir)
    path.write_text(path.read_text(encoding="utf-8").replace("nope", "parts"), encoding="utf-8")
    assert headline_baskets(load_theme(toy_theme_dir), "acme-20230615") == ("acme-20230615/parts",)


def test_a_report_without_baskets_has_no_such_chapters(ai_theme):
    bare = replace(moved(ai_theme, HTSC, headline=()), baskets={})
    assert before_chapter(bare, HTSC) == after_chapter(bare, HTSC) == ()
    alone = replace(ai_theme, reports={HTSC: ai_theme.reports[HTSC]})
    assert cross_chapter(alone, HTSC) == ()


@pytest.mark.parametrize("report", REPORTS)
def test_table_of_baskets_equals_a_loop(demo_market, ai_theme, report):
    calendar = calendar_for("XSHG")
    published, entry = ai_theme.report(report).published, ai_theme.report(report).first_tradable
    for name, kind in (("before-table", "before"), ("after-table", "after")):
        data = exhibit(demo_market, ai_theme, report, name).data
        rows = data[data["basket"].str.contains("/")]
        assert set(rows["basket"]) == set(judged_baskets(ai_theme, report))
        for row in rows.to_dict("records"):
            start = calendar.shift(calendar.on_or_before(published), -row["sessions"]) if kind == "before" else entry
            end = calendar.on_or_before(published) if kind == "before" else calendar.shift(entry, row["sessions"])
            series = [levels(demo_market, symbol) for symbol in ai_theme.symbols(row["basket"])]
            moves = [last_on(one, end) / last_on(one, start) - 1 for one in series if last_on(one, start) is not None]
            points = closes(demo_market, "000300.SH", start, end)
            assert row["total_return"] == pytest.approx(sum(moves) / len(moves), abs=1e-12)
            assert row["excess_return"] == pytest.approx(
                row["total_return"] - (points[end] / points[start] - 1), abs=1e-12
            )
            assert 0 <= row["percentile"] <= 100
            assert row["random_5"] <= row["random_50"] <= row["random_95"]


def test_horizons_to_come_share_one_row_with_their_date(demo_market, ai_theme):
    found = exhibit(demo_market, ai_theme, MSZQ, "after-table")
    cells = shown(found)
    assert cells[-3:] == [
        ["各篮子与行业", "60日", "未到期，2024-07-01可知", *["/"] * 6],
        ["", "120日", "未到期，2024-09-25可知", *["/"] * 6],
        ["", "250日", "未到期，2025-04-14可知", *["/"] * 6],
    ]
    english = shown(exhibit(demo_market, ai_theme, MSZQ, "after-table", lang="en"), "en")
    assert english[-1][1:3] == ["250 sessions", "not yet; on 2025-04-14"]


def test_chart_and_table_hold_the_same_numbers(demo_market, ai_theme):
    chart = exhibit(demo_market, ai_theme, HTSC, "after-random")
    table = exhibit(demo_market, ai_theme, HTSC, "after-table").data
    both = chart.data.merge(table, on=["basket", "sessions"], suffixes=("", "_table"))
    assert len(both) == len(chart.data) == 3 * 5
    assert (both["total_return"] == both["total_return_table"]).all()
    assert (both["percentile"] == both["percentile_table"]).all()
    spec = json.dumps(chart.figure(), ensure_ascii=False)
    for word in ("数据集/IP", "游戏", "全部标的", "随机篮子5–95%", "沪深300", "250个交易日"):
        assert word in spec
    assert "视频/虚拟人没有A股成分（商汤 00020.HK），未计" in chart.note


def test_stocks_are_all_there_and_sorted(demo_market, ai_theme):
    found = exhibit(demo_market, ai_theme, MSZQ, "after-stocks")
    assert set(found.data["symbol"]) == set(ai_theme.symbols(f"{MSZQ}/recommended", overseas=True))
    assert list(found.data["excess_return_20"]) == sorted(found.data["excess_return_20"], reverse=True)
    assert "total_return_60" not in found.content.columns
    row = found.data.set_index("symbol").loc["00772.HK"]
    series, entry, end = levels(demo_market, "00772.HK"), date(2024, 3, 29), date(2024, 4, 30)
    points = closes(demo_market, "HSI.HK", date(2024, 3, 20), end)
    # Good Friday: Hong Kong's last close before the mainland session counts.
    expected = last_on(series, end) / last_on(series, entry) - last_on(points, end) / last_on(points, entry)
    assert row["excess_return_20"] == pytest.approx(expected)


def test_sector_has_a_row_and_a_rank(demo_market, ai_theme):
    found = exhibit(demo_market, ai_theme, HTSC, "before-table")
    row = found.data[(found.data["basket"] == "sector") & (found.data["sessions"] == 20)].iloc[0]
    points = closes(demo_market, "801760.SI", date(2023, 3, 22), date(2023, 4, 20))
    assert row["total_return"] == pytest.approx(points[date(2023, 4, 20)] / points[date(2023, 3, 22)] - 1)
    assert "在一级行业中的名次" in found.note


NAMES = ["before-random", "before-table", "after-random", "after-table", "after-stocks"]


@pytest.mark.parametrize("name", NAMES)
def test_before_publication_nothing_is_said(demo_market, ai_theme, name):
    early = exhibit(demo_market, ai_theme, MSZQ, name, as_of="2024-03-20")
    reason = "所取日期2024-03-20不晚于报告发布日2024-03-28；请取更晚的--as-of"
    assert (early.status, early.reason) == ("unavailable", reason)


def test_on_the_day_after_publication_only_the_run_up_is_known(demo_market, ai_theme):
    options = {"as_of": "2024-03-29"}
    assert exhibit(demo_market, ai_theme, MSZQ, "before-random", **options).status == "ok"
    chart = exhibit(demo_market, ai_theme, MSZQ, "after-random", **options)
    assert chart.reason.startswith("后5日：未到期，2024-04-09可知")
    assert exhibit(demo_market, ai_theme, MSZQ, "after-stocks", **options).status == "unavailable"
    table = exhibit(demo_market, ai_theme, MSZQ, "after-table", **options)
    assert list(table.data["total_return"].isna()) == [True] * 5


@pytest.mark.parametrize("name", [*NAMES, "rating-outcome"])
def test_a_report_before_the_data_begins(demo_market, ai_theme, name):
    old = moved(ai_theme, HTSC, published=date(2020, 6, 1))
    found = exhibit(demo_market, old, HTSC, name)
    assert found.status == "unavailable"
    assert "行情库始于2021-01-04" in found.reason


def test_a_run_up_from_before_the_data(demo_market, ai_theme):
    young = moved(ai_theme, HTSC, published=date(2021, 2, 26))
    data = exhibit(demo_market, young, HTSC, "before-table").data
    assert data.loc[data["sessions"] == 60, "until"].tolist() == ["早于行情库"]
    assert data.loc[data["sessions"] == 20, "total_return"].notna().all()
    assert exhibit(demo_market, young, HTSC, "before-random").status == "ok"


def test_a_benchmark_the_store_lacks_is_said(demo_market, ai_theme):
    scale = ai_theme.report(HTSC).rating_scale.model_copy(update={"benchmarks": {"A": "MSCI.US"}})
    strange = moved(ai_theme, HTSC, rating_scale=scale)
    table = exhibit(demo_market, strange, HTSC, "after-table")
    assert table.data["excess_return"].isna().all()
    assert table.data["percentile"].notna().any()
    assert "行情库没有A股基准MSCI.US" in table.note
    assert exhibit(demo_market, strange, HTSC, "after-random").drawing().png.startswith(b"\x89PNG")
    stocks = exhibit(demo_market, strange, HTSC, "after-stocks")
    assert "评级说明未给出可用的港股基准" in stocks.note
    ratings = exhibit(demo_market, strange, HTSC, "rating-outcome")
    assert ratings.data["verdict"].tolist() == ["no-data"] * 2
    assert set(ratings.data["overall"]) == {"no-data"}


def test_a_basket_of_one(demo_market, ai_theme):
    single = moved(ai_theme, TFZQ, headline=("medical",))
    chart = exhibit(demo_market, single, TFZQ, "after-random")
    assert set(chart.data.loc[chart.data["basket"].str.endswith("medical"), "members"]) == {1}
    assert chart.status == "ok"


def test_reports_side_by_side(demo_market, ai_theme):
    found = exhibit(demo_market, ai_theme, HTSC, "cross-report")
    assert list(dict.fromkeys(found.data["report"])) == REPORTS
    for report in REPORTS:
        assert len(found.data[found.data["report"] == report]) == len(headline_baskets(ai_theme, report)) + 1
        own = exhibit(demo_market, ai_theme, report, "after-table").data.set_index(["basket", "sessions"])
        run_up = exhibit(demo_market, ai_theme, report, "before-table").data.set_index(["basket", "sessions"])
        for row in found.data[found.data["report"] == report].to_dict("records"):
            last = (row["basket"], int(row["sessions"]))
            assert row[f"after_{last[1]}"] == own.loc[last, "excess_return"]
            assert row["after_percentile"] == own.loc[last, "percentile"]
            assert row["beat_share"] == own.loc[last, "beat_share"]
            assert row["before_60"] == run_up.loc[(row["basket"], 60), "excess_return"]
            assert row["before_percentile"] == run_up.loc[(row["basket"], 20), "percentile"]
        outcome = exhibit(demo_market, ai_theme, report, "rating-outcome").data.iloc[0]
        words = found.data.loc[found.data["report"] == report, "verdict"].iloc[0]
        assert words.startswith(outcome["rating"])
        assert ("：未到期" in words) == (outcome["overall"] == "open")
        assert ("6个月" in words) == (report in {HTSC, "glsc-20231229"})


def test_reports_to_come_stand_in_the_table_with_the_reason(demo_market, ai_theme):
    data = exhibit(demo_market, ai_theme, HTSC, "cross-report", as_of="2024-01-15").data
    late = data[data["report"] == MSZQ]
    assert late["verdict"].tolist() == ["尚未发布"]
    assert late["before_60"].isna().all()
    assert data.loc[data["report"] == "glsc-20231229", "sessions"].iloc[0] == 5
    early = exhibit(demo_market, ai_theme, HTSC, "cross-report", as_of="2023-01-15")
    assert early.status == "unavailable"


@pytest.fixture(scope="module")
def real_market(tmp_path_factory, ai_theme, archive_root):
    source = ArchiveSource(archive_root, ai_theme)
    folder = tmp_path_factory.mktemp("real") / "store"
    with filled(folder, source, universe="theme", symbols=frozenset(ai_theme.security)) as market:
        yield market


def dated_closes(path, name):
    table = pd.read_csv(path)
    table = table[table["name"] == name]
    return table.set_index(pd.to_datetime(table["date"]).dt.date)["close"]


@pytest.mark.archive
def test_baskets_after_publication_equal_the_back_adjusted_closes(real_market, ai_theme, archive_root):
    """The files themselves, with pandas alone: 120 sessions after the report of April 2023."""
    adjusted = pd.read_parquet(archive_root / "hfq" / "close.parquet")
    adjusted["日期"] = pd.to_datetime(adjusted["日期"]).dt.date
    wide = adjusted.pivot_table(index="日期", columns="代码", values="收盘").sort_index().ffill()
    held = [symbol for symbol in ai_theme.symbols(f"{HTSC}/opportunities") if symbol in wide.columns]
    start, end = date(2023, 4, 21), date(2023, 10, 23)
    points = dated_closes(archive_root / "index_daily.csv", "沪深300")
    expected = (wide.loc[end, held] / wide.loc[start, held]).mean() - 1
    data = exhibit(real_market, ai_theme, HTSC, "after-table").data.set_index(["basket", "sessions"])
    row = data.loc[(f"{HTSC}/opportunities", 120)]
    assert len(held) == row["used"] == 6
    assert row["total_return"] == pytest.approx(expected, abs=5e-4)
    assert row["benchmark_return"] == pytest.approx(points[end] / points[start] - 1, abs=1e-9)


@pytest.mark.archive
def test_sector_rating_of_april_2023_from_the_files(real_market, ai_theme, archive_root):
    """Overweight media over 6 to 12 months, both ends with pandas alone."""
    media = dated_closes(archive_root / "sw_l1_daily.csv", "传媒")
    market = dated_closes(archive_root / "index_daily.csv", "沪深300")
    start = date(2023, 4, 20)
    data = exhibit(real_market, ai_theme, HTSC, "rating-outcome").data
    for row, end in zip(data.to_dict("records"), (date(2023, 10, 20), date(2024, 4, 19)), strict=True):
        excess = media[end] / media[start] - market[end] / market[start]
        assert row["excess"] == pytest.approx(excess, abs=1e-9)
        assert excess < 0
        assert (row["verdict"], row["overall"]) == ("not-met", "not-met")
