"""Every exhibit's numbers against a second computation that shares no code with it."""

import csv
import re
from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from aitheme.analysis import basket_returns
from aitheme.errors import UnknownNameError
from aitheme.exhibits import book, glsc_20231229, hfzq_202402, htsc_20230420, mszq_20240328, tfzq_20240309
from aitheme.exhibits.base import UnavailableError
from aitheme.exhibits.columns import Column, format_cell, table_cells
from aitheme.exhibits.labels import english_label
from tests.conftest import PROJECT

REPORTS = PROJECT / "aitheme" / "themes" / "ai" / "reports"
MSZQ = "mszq-20240328"


def printed(report, table):
    with (REPORTS / report / "tables" / f"{table}.csv").open(encoding="utf-8-sig") as handle:
        return list(csv.DictReader(handle))


def closes(market, symbol, start, end):
    rows = market.sql(
        "SELECT session, close FROM index_bars WHERE symbol = ? AND session BETWEEN ? AND ? ORDER BY session",
        [symbol, start, end],
    )
    return dict(zip([stamp.date() for stamp in rows["session"]], rows["close"], strict=True))


def levels(market, symbol):
    rows = market.sql(
        "SELECT session, close * adj_factor AS level FROM bars WHERE symbol = ? ORDER BY session", [symbol]
    )
    return dict(zip([stamp.date() for stamp in rows["session"]], rows["level"], strict=True))


def last_on(series, day):
    known = [session for session in series if session <= day]
    return series[max(known)] if known else None


@pytest.mark.parametrize("report", ["glsc-20231229", "hfzq-202402", "htsc-20230420", MSZQ, "tfzq-20240309"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_exhibit_of_every_book_is_there(demo_market, ai_theme, report, lang):
    definitions = book(ai_theme, report)
    assert len({definition.id for definition in definitions}) == len(definitions)
    for definition in definitions:
        exhibit = definition(demo_market, ai_theme, lang=lang)
        assert exhibit.status == "ok", (exhibit.id, exhibit.reason)
        assert len(exhibit.data) > 0
        assert exhibit.source.startswith("资料来源：" if lang == "zh" else "Source: ")
        assert exhibit.caption
        assert set(exhibit.content.columns) <= set(exhibit.data.columns)


def test_cover_table_is_the_printed_one(demo_market, ai_theme):
    exhibit = mszq_20240328.valuation(demo_market, ai_theme)
    cells = table_cells(exhibit.data, exhibit.content.columns, "zh")
    assert [row[:3] for row in cells.rows] == [
        ("300133.SZ", "华策影视", "9.44"), ("300364.SZ", "中文在线", "28.41"), ("300182.SZ", "捷成股份", "5.75"),
        ("603533.SH", "掌阅科技", "29.42"), ("300494.SZ", "盛天网络", "15.90"),
    ]  # fmt: skip
    assert [row[6:] for row in cells.rows] == [
        ("45", "38", "35", "推荐"), ("/", "167", "118", "推荐"), ("29", "23", "21", "推荐"), ("226", "245", "113", "/"),
        ("19", "32", "24", "/"),
    ]  # fmt: skip
    assert "15个PE中15个" in exhibit.note


def test_index_lines(demo_market, ai_theme):
    exhibit = mszq_20240328.index_lines(demo_market, ai_theme)
    wanted = {
        "传媒": "801760.SI",
        "计算机": "801750.SI",
        "通信": "801770.SI",
        "电子": "801080.SI",
        "沪深300": "000300.SH",
    }
    for name, symbol in wanted.items():
        points = closes(demo_market, symbol, date(2024, 2, 8), date(2024, 3, 28))
        expected = {session: close / points[date(2024, 2, 8)] - 1 for session, close in points.items()}
        found = exhibit.data[exhibit.data["name"] == name]
        assert dict(zip(found["session"], found["change"], strict=True)) == pytest.approx(expected, abs=1e-12)
    assert "2024-02-08收盘" in exhibit.content.subtitle
    assert "申万" in exhibit.content.subtitle


def test_index_lines_mark_the_two_releases(demo_market, ai_theme):
    spec = str(mszq_20240328.index_lines(demo_market, ai_theme).figure())
    assert "Sora发布（02/16，首个反应日02/19）" in spec
    assert "Kimi支持200万字（03/18）" in spec


def test_sub_sectors(demo_market, ai_theme):
    data = mszq_20240328.sub_sector_bars(demo_market, ai_theme).data.set_index("name")["change"]
    points = closes(demo_market, "CI005577.CI", date(2024, 2, 8), date(2024, 3, 28))
    assert data["游戏"] == pytest.approx(points[date(2024, 3, 28)] / points[date(2024, 2, 8)] - 1)
    assert list(data.iloc[:-1]) == sorted(data.iloc[:-1], reverse=True)


def test_box_office_growth(demo_market, ai_theme):
    data = mszq_20240328.box_office(demo_market, ai_theme).data
    assert data["growth"].iloc[-1] == pytest.approx(20 / 19.07 - 1)


def test_timeline_holds_the_domestic_releases_the_report_dates(demo_market, ai_theme):
    with (REPORTS.parent / "releases.csv").open(encoding="utf-8") as handle:
        releases = {row["id"]: row for row in csv.DictReader(handle)}
    with (REPORTS.parent / "mentions.csv").open(encoding="utf-8") as handle:
        mentioned = {row["release"] for row in csv.DictReader(handle) if row["report"] == MSZQ}
    expected = {one for one in mentioned if releases[one]["region"] == "domestic" and releases[one]["beijing_date"]}
    data = mszq_20240328.timeline(demo_market, ai_theme).data
    assert set(data.loc[data["day0"].notna(), "id"]) == expected
    months = set(data.loc[data["day0"].isna(), "beijing_date"])
    assert months == {"2023-03", "2023-04", "2023-08", "2023-09", "2023-10", "2023-12"}


@pytest.mark.parametrize(
    ("exhibit", "report", "table"),
    [
        (mszq_20240328.model_map, MSZQ, "model-map"),
        (mszq_20240328.tongyi_history, MSZQ, "tongyi-qianwen-history"),
        (mszq_20240328.ernie_family, MSZQ, "ernie-family"),
        (mszq_20240328.stages, MSZQ, "indicator-stages"),
        (hfzq_202402.gpt_history, "hfzq-202402", "gpt-history"),
        (hfzq_202402.meta_models, "hfzq-202402", "meta-models"),
        (hfzq_202402.domestic_multimodal, "hfzq-202402", "domestic-multimodal"),
        (hfzq_202402.api_customers, "hfzq-202402", "api-customers"),
        (hfzq_202402.office_products, "hfzq-202402", "office-products"),
        (hfzq_202402.medical_models, "hfzq-202402", "medical-models"),
        (htsc_20230420.companies_mentioned, "htsc-20230420", "companies-mentioned"),
        (tfzq_20240309.gpt_4v_vs_gemini, "tfzq-20240309", "gpt-4v-vs-gemini"),
    ],
)
def test_printed_tables_hold_what_is_printed(demo_market, ai_theme, exhibit, report, table):
    data = exhibit(demo_market, ai_theme, lang="en").data
    rows = printed(report, table)
    assert len(data) == len(rows)
    for name in rows[0]:
        if name.startswith(("input_", "output_")):
            assert [cell == "√" for cell in data[name].fillna("")] == [row[name] == "1" for row in rows]
        else:
            assert [format_cell(cell, "text") for cell in data[name]] == [row[name] for row in rows]


@pytest.mark.parametrize(
    ("exhibit", "report", "table", "test", "score"),
    [
        (glsc_20231229.gemini_text, "glsc-20231229", "gemini-text-benchmarks", "benchmark", "score"),
        (glsc_20231229.gemini_multimodal, "glsc-20231229", "gemini-multimodal-benchmarks", "benchmark", "score"),
        (hfzq_202402.benchmark_scores, "hfzq-202402", "benchmark-scores", "task", "score_pct"),
        (tfzq_20240309.mixtral, "tfzq-20240309", "mixtral-benchmarks", "benchmark", "score"),
        (tfzq_20240309.claude_3, "tfzq-20240309", "claude-3-benchmarks", "benchmark", "score"),
        (tfzq_20240309.baichuan_math, "tfzq-20240309", "baichuan-3-math-code", "benchmark", "score"),
        (tfzq_20240309.baichuan_medical, "tfzq-20240309", "baichuan-3-medical", "benchmark", "score"),
    ],
)
def test_scores_are_the_printed_ones(demo_market, ai_theme, exhibit, report, table, test, score):
    cells = {}
    for row in printed(report, table):
        model = f"{row['model']} (Med-prompt)" if row.get("setting") == "Med-prompt" else row["model"]
        if row[score] and row.get("kind", "score") == "score":
            cells.setdefault((row[test], model), float(row[score]))
    found = {
        (row["test"], row["model"]): row["score"] for row in exhibit(demo_market, ai_theme).data.to_dict("records")
    }
    assert found
    assert all(cells[key] == value for key, value in found.items())
    left_out = set(cells) - set(found)
    assert {key[0] for key in left_out} <= {"DROP", "WMT23", "MT Bench"}


def test_price_cuts_are_computed_and_agree_with_the_print(demo_market, ai_theme):
    exhibit = hfzq_202402.price_cuts(demo_market, ai_theme)
    for row, own in zip(printed("hfzq-202402", "price-cuts"), exhibit.data.to_dict("records"), strict=True):
        assert own["change"] == pytest.approx(
            (float(row["new_price"]) - float(row["old_price"])) / float(row["old_price"])
        )
        if row["change_printed_pct"]:
            assert own["agrees"]
            assert abs(-100 * own["change"] - float(row["change_printed_pct"])) <= 0.5 + 1e-9
    assert "印有降幅的7行中7行" in exhibit.note


def test_rankings_are_in_printed_order(demo_market, ai_theme):
    assert list(mszq_20240328.opencompass(demo_market, ai_theme).data["score"]) == [67.1, 65.8, 63.8, 63.2, 63.0]
    elo = list(tfzq_20240309.lmsys(demo_market, ai_theme).data["arena_elo"])
    assert elo == sorted(elo, reverse=True)


@pytest.mark.parametrize("report", ["hfzq-202402", MSZQ])
def test_rating_scale_touches_without_overlap(demo_market, ai_theme, report):
    scale = ai_theme.report(report).rating_scale
    definition = next(one for one in book(ai_theme, report) if one.id == "rating-scale")
    assert len(definition(demo_market, ai_theme).data) == len(scale.levels)
    stock = sorted((level.lower if level.lower is not None else -1, level.upper if level.upper is not None else 9)
                   for level in scale.levels if level.subject == "stock")  # fmt: skip
    assert all(before[1] == after[0] for before, after in pairwise(stock))


def test_basket_lines_are_equal_weighted_and_held(demo_market, ai_theme):
    data = mszq_20240328.lines_of_baskets(demo_market, ai_theme).data
    members = ai_theme.symbols(f"{MSZQ}/video-corpus")
    series = [levels(demo_market, symbol) for symbol in members]
    series = [one for one in series if last_on(one, date(2024, 2, 8)) is not None]
    line = data[data["name"] == ai_theme.basket(f"{MSZQ}/video-corpus").name_zh].set_index("session")["change"]
    for session in (date(2024, 2, 8), date(2024, 3, 1), date(2024, 3, 28)):
        ratios = [last_on(one, session) / last_on(one, date(2024, 2, 8)) for one in series]
        assert line[session] == pytest.approx(np.mean(ratios) - 1, abs=1e-12)


def test_sector_line_covers_the_year_to_publication(demo_market, ai_theme):
    exhibit = glsc_20231229.sector_line(demo_market, ai_theme)
    points = closes(demo_market, "801750.SI", date(2022, 12, 29), date(2023, 12, 29))
    line = exhibit.data[exhibit.data["name"] == "计算机"].set_index("session")["change"]
    assert line.iloc[-1] == pytest.approx(points[date(2023, 12, 29)] / points[date(2022, 12, 29)] - 1)
    assert (line.index[0], line.index[-1]) == (date(2022, 12, 29), date(2023, 12, 29))


def test_members_before_and_after_publication(demo_market, ai_theme):
    data = glsc_20231229.members_of_baskets(demo_market, ai_theme).data.drop_duplicates("symbol").set_index("symbol")
    sessions = sorted(levels(demo_market, "000977.SZ"))
    series = levels(demo_market, "000977.SZ")
    published, entry = date(2023, 12, 29), date(2024, 1, 2)
    at, start = sessions.index(published), sessions.index(entry)
    row = data.loc["000977.SZ"]
    assert row["before_20"] == pytest.approx(series[published] / series[sessions[at - 20]] - 1)
    assert row["after_60"] == pytest.approx(series[sessions[start + 60]] / series[entry] - 1)
    assert np.isnan(row["after_120"])
    assert data.loc["09888.HK"][["price", "after_20"]].isna().all()


def test_basket_summary_agrees_with_the_basket_index(demo_market, ai_theme):
    row = glsc_20231229.summary_of_baskets(demo_market, ai_theme).data.set_index("basket").loc["glsc-20231229/compute"]
    sessions = sorted(closes(demo_market, "000300.SH", date(2023, 9, 1), date(2024, 5, 22)))
    known, entry = sessions.index(date(2023, 12, 29)), sessions.index(date(2024, 1, 2))
    windows = {"before_20": (known - 20, known), "after_20": (entry, entry + 20), "after_60": (entry, entry + 60)}
    for name, (start, end) in windows.items():
        basket = basket_returns(
            demo_market, ai_theme, "glsc-20231229/compute", sessions[start], sessions[end]
        ).performance
        assert row[name] == pytest.approx(basket.total_return, abs=1e-12)
        assert row[f"excess_{name}"] == pytest.approx(basket.excess_return, abs=1e-12)


def test_capital_expenditure_is_in_billions_with_growth_on_a_year(demo_market, ai_theme):
    data = tfzq_20240309.capex_amazon(demo_market, ai_theme).data.set_index("quarter")
    rows = demo_market.sql(
        "SELECT year(quarter_end) AS y, quarter(quarter_end) AS q, capex FROM capex WHERE symbol = 'AMZN.US'"
    )
    own = {f"{row.y % 100:02d}Q{row.q}": row.capex / 1e9 for row in rows.itertuples() if row.y < 2024}
    assert data["capex"].to_dict() == pytest.approx({name: amount for name, amount in own.items() if name >= "21Q2"})
    assert data.loc["23Q4", "growth"] == pytest.approx(own["23Q4"] / own["22Q4"] - 1)


def test_figures_of_the_text(demo_market, ai_theme):
    with (REPORTS / "htsc-20230420" / "figures.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    data = htsc_20230420.figures(demo_market, ai_theme).data
    assert list(data["value"]) == [float(row["value"]) for row in rows]
    counted = {"": 1, "万": 1e4, "亿": 1e8, "万亿": 1e12}
    words = [re.match(r"万亿|[万亿]|", unit).group() for unit in data["unit"]]
    assert [one * counted[word] for one, word in zip(data["shown"], words, strict=True)] == pytest.approx(data["value"])
    english = htsc_20230420.figures(demo_market, ai_theme, lang="en").data
    assert list(english["shown"]) == list(english["value"])


def test_simulated_numbers_say_so_and_printed_ones_do_not(demo_market, ai_theme):
    assert mszq_20240328.index_lines(demo_market, ai_theme).simulated
    assert "SIMULATED 模拟数据" in str(mszq_20240328.index_lines(demo_market, ai_theme).figure())
    assert not mszq_20240328.model_map(demo_market, ai_theme).simulated
    assert "SIMULATED" not in mszq_20240328.model_map(demo_market, ai_theme).figure()


def test_a_store_without_the_data_is_said_and_not_hidden(toy_market, ai_theme):
    lines = mszq_20240328.index_lines(toy_market, ai_theme)
    assert (lines.status, lines.content) == ("unavailable", None)
    assert lines.reason == "行情止于2023-06-30，不晚于基准日2024-02-08；请先刷新，或取更晚的--as-of"
    assert lines.caption.startswith("图1：")
    with pytest.raises(UnavailableError, match="不晚于基准日"):
        lines.chart()
    assert "capital expenditure" in tfzq_20240309.capex_meta(toy_market, ai_theme, lang="en").reason
    assert "行情库止于2023-06-30" in mszq_20240328.valuation(toy_market, ai_theme).reason


def test_as_of_keeps_the_future_out(demo_market, ai_theme):
    exhibit = mszq_20240328.index_lines(demo_market, ai_theme, as_of="2024-03-01")
    assert exhibit.data["session"].max() == date(2024, 3, 1)
    members = glsc_20231229.members_of_baskets(demo_market, ai_theme, as_of="2024-02-20").data
    assert members["after_60"].isna().all()


def test_another_theme_gets_its_book_without_python(toy_market, toy_theme):
    exhibits = [definition(toy_market, toy_theme) for definition in book(toy_theme, "acme-20230615")]
    status = {exhibit.id: exhibit.status for exhibit in exhibits}
    assert status["rating-scale"] == "ok"
    assert status["sector-line"] == "unavailable"
    assert "机械" in next(exhibit.reason for exhibit in exhibits if exhibit.id == "sector-line")


def test_bad_names_are_refused(demo_market, ai_theme, toy_theme):
    with pytest.raises(UnknownNameError, match="lang: 'de'"):
        mszq_20240328.index_lines(demo_market, ai_theme, lang="de")
    with pytest.raises(UnknownNameError, match="report: 'mszq-20240328'"):
        mszq_20240328.index_lines(demo_market, toy_theme)
    with pytest.raises(UnavailableError, match="is a table"):
        mszq_20240328.model_map(demo_market, ai_theme).chart()


def test_a_notebook_gets_a_picture_and_an_interactive_chart(demo_market, ai_theme):
    page = mszq_20240328.index_lines(demo_market, ai_theme)._repr_html_()
    assert '<div class="aitheme-chart"' in page
    assert "<svg" in page
    assert "schema/vega-lite/v6" in page
    table = mszq_20240328.model_map(demo_market, ai_theme)._repr_html_()
    assert table.startswith("<svg")


def test_an_exhibit_cannot_be_changed(demo_market, ai_theme):
    exhibit = mszq_20240328.opencompass(demo_market, ai_theme)
    with pytest.raises(AttributeError):
        exhibit.title_zh = "x"
    rows = exhibit.data
    rows["score"] = 0
    assert exhibit.data["score"].max() == 67.1


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "pe", "/"), (112.5, "pe", "113"), (-0.051, "change", "-5.1%"), (0.0, "change", "0.0%"), (1234.5, "integer", "1,235"),
        (9.435, "price", "9.44"), (180000000000.0, "number", "180,000,000,000"), (None, "text", ""), (0.1249, "ratio", "12.5%"),
        (date(2024, 2, 8), "date", "2024-02-08"), (float("nan"), "number", "/"),
    ],
)  # fmt: skip
def test_cells_are_written_as_a_broker_would(value, kind, text):
    assert format_cell(value, kind) == text


def test_repeated_values_are_merged(demo_market, ai_theme):
    exhibit = mszq_20240328.members_of_baskets(demo_market, ai_theme)
    cells = table_cells(exhibit.data, {"group": Column("篮子", "Basket", merge=True)}, "zh")
    assert [row[0] for row in cells.rows if row[0]] == list(dict.fromkeys(exhibit.data["group"]))


@pytest.mark.parametrize(
    ("zh", "en"), [("图表17（数据）", "Exhibit 17 (data)"), ("图1", "Figure 1"), ("附表2", "Our table 2")]
)
def test_labels_in_english(zh, en):
    assert english_label(zh) == en
