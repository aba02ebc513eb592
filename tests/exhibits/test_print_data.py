"""The rows of every printed exhibit against the packaged files, read without the code that draws them."""

import csv
import re
from datetime import date

import pandas as pd
import pytest

from aitheme.exhibits import book, mszq_20240328, tfzq_20240309
from aitheme.exhibits.columns import format_cell, is_missing
from aitheme.exhibits.english import has_chinese, in_english, sources_in_english
from tests.conftest import PROJECT
from tests.exhibits.test_exhibits import REPORTS, closes, last_on, levels, printed

BOOKS = ("glsc-20231229", "hfzq-202402", "htsc-20230420", "mszq-20240328", "tfzq-20240309")
TABLES = {
    "glsc-20231229": (
        "h200", "mtt-s4000", "kuae-solution", "kuae-training", "pc-vs-aipc", "ai-pc-products", "rdma-protocols", "uec-members",
        "uec-working-groups", "uet-improvements", "openai-2024-plan",
    ),
    "hfzq-202402": (
        "gpt-history", "gpt-4-labelled-sets", "gpt-4-dataset-structure", "gemini-cooking", "gemini-1-5-win-rates",
        "meta-models", "domestic-multimodal", "api-customers", "copilot-functions", "dynamics-copilot", "office-products",
        "medical-models",
    ),
    "htsc-20230420": (
        "alibaba-stack", "tongyi-features", "tongyi-scenarios", "tongyi-products", "dingtalk-functions", "companies-mentioned",
        "tongyi-first-partners", "sensenova-lineup", "sensetime-maas", "pangu-layers", "game-aigc-cases",
    ),
    "mszq-20240328": ("step-models", "pangu-layers", "tongyi-qianwen-history", "ernie-family", "ernie-4-pricing", "model-map"),
    "tfzq-20240309": (
        "gemini-sizes", "gpt-4v-vs-gemini", "claude-3-pricing", "llama-family", "llama-2-training", "gpts-trending-20240205",
        "capex-statements",
    ),
}  # fmt: skip
SCORES = {
    "glsc-20231229": ("gemini-text-benchmarks", "gemini-multimodal-benchmarks"),
    "hfzq-202402": ("benchmark-scores",),
    "mszq-20240328": (),
    "tfzq-20240309": (
        "gemini-1-5-core", "mixtral-benchmarks", "claude-3-benchmarks", "llama-2-vs-closed", "baichuan-3-math-code",
        "baichuan-3-medical",
    ),
}  # fmt: skip
SPREAD = {
    "gemini-text-scores": ("glsc-20231229", "gemini-text-benchmarks"),
    "gemini-multimodal-scores": ("glsc-20231229", "gemini-multimodal-benchmarks"),
    "gemini-benchmarks": ("tfzq-20240309", "gemini-benchmarks"),
    "gemini-1-5-multimodal": ("tfzq-20240309", "gemini-1-5-multimodal"),
    "ernie-3-superglue": ("tfzq-20240309", "ernie-3-superglue"),
    "abab6-benchmarks": ("tfzq-20240309", "abab6-benchmarks"),
    "gemini-1-5-core-data": ("tfzq-20240309", "gemini-1-5-core"),
    "mixtral-data": ("tfzq-20240309", "mixtral-benchmarks"),
    "claude-3-data": ("tfzq-20240309", "claude-3-benchmarks"),
    "llama-2-data": ("tfzq-20240309", "llama-2-vs-closed"),
    "baichuan-3-math-data": ("tfzq-20240309", "baichuan-3-math-code"),
    "baichuan-3-medical-data": ("tfzq-20240309", "baichuan-3-medical"),
    "benchmark-data": ("hfzq-202402", "benchmark-scores"),
    "videopoet-benchmarks": ("tfzq-20240309", "videopoet-benchmarks"),
    "animate-anyone-fashion": ("tfzq-20240309", "animate-anyone-fashion"),
    "animate-anyone-dance": ("tfzq-20240309", "animate-anyone-dance"),
}


@pytest.fixture
def drawn(demo_market, ai_theme):
    def draw(report, name, lang="zh"):
        definition = next(one for one in book(ai_theme, report) if one.id == name)
        return definition(demo_market, ai_theme, lang=lang)

    return draw


def rows_of(path):
    with (REPORTS.parent / path).open(encoding="utf-8-sig") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.parametrize(("report", "table"), [(report, name) for report, names in TABLES.items() for name in names])
def test_tables_are_the_packaged_ones(drawn, report, table):
    data, rows = drawn(report, table, "en").data, printed(report, table)
    assert len(data) == len(rows)
    for name in rows[0]:
        for found, row in zip(data[name], rows, strict=True):
            if name.startswith(("input_", "output_", "has_")) and not name.endswith("mtok"):
                assert (not is_missing(found) and found == "√") == (row[name] == "1")
            elif is_missing(found) or not re.fullmatch(r"-?\d+(\.\d+)?", row[name]):
                assert format_cell(found, "text") in (row[name], row[name].capitalize())
            else:
                assert float(found) == float(row[name])


@pytest.mark.parametrize(("report", "table"), [(report, name) for report, names in SCORES.items() for name in names])
def test_scores_are_drawn_from_the_packaged_rows(drawn, report, table):
    score = "score_pct" if table == "benchmark-scores" else "score"
    rows = [row for row in printed(report, table) if row[score] and row.get("kind", "score") == "score"]
    test = "task" if table == "benchmark-scores" else "benchmark"
    pairs = {(row[test], row["model"], float(row[score])) for row in rows}
    data = drawn(report, table).data
    found = {
        (re.sub(r" \(\d-shot\)$", "", row["test"]), row["model"].removesuffix(" (Med-prompt)"), row["score"])
        for row in data.to_dict("records")
    }
    assert found <= pairs
    assert len(found) >= 0.8 * len({(one, model) for one, model, _ in pairs})


@pytest.mark.parametrize("name", SPREAD)
def test_tables_of_scores_hold_each_printed_score_once(drawn, name):
    report, table = SPREAD[name]
    data = drawn(report, name).data.iloc[:, 1:]
    cells = sorted(float(value) for value in data.to_numpy().ravel() if not is_missing(value))
    score = "score_pct" if table == "benchmark-scores" else "score"
    rows = [row for row in printed(report, table) if row[score]]
    # The one cell with two scores, of which the second is told in the note.
    twice = [row for row in rows if table == "gemini-1-5-core" and row["setting"] == "7-shot"]
    assert cells == sorted(float(row[score]) for row in rows if row not in twice)
    assert all(row[score] in drawn(report, name).note for row in twice)


@pytest.mark.parametrize(
    ("name", "table", "unit"),
    [
        ("gemini-benchmark-dots", "gemini-benchmarks", {}),
        ("gemini-1-5-multimodal-dots", "gemini-1-5-multimodal", {"YouCook2": None}),
        ("ernie-dots", "ernie-3-superglue", {}),
        ("abab6-dots", "abab6-benchmarks", {"IFEval": 100, "MT-Bench": 10, "AlignBench": 10}),
    ],
)
def test_charts_beside_a_table_draw_its_scores(drawn, name, table, unit):
    rows = [row for row in printed("tfzq-20240309", table) if row["score"] and unit.get(row["benchmark"], 1)]
    wanted = sorted(float(row["score"]) * unit.get(row["benchmark"], 1) for row in rows)
    assert sorted(drawn("tfzq-20240309", name).data["score"]) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("name", "table"),
    [("gemini-benchmark-settings", "gemini-benchmarks"), ("claude-3-settings", "claude-3-benchmarks")],
)
def test_settings_stand_where_the_scores_do(drawn, name, table):
    data = drawn("tfzq-20240309", name).data
    found = {
        (row["benchmark"].partition(" (")[0], model, row[model])
        for row in data.to_dict("records") for model in data.columns[1:] if not is_missing(row[model])
    }  # fmt: skip
    assert found == {
        (row["benchmark"], row["model"], row["setting"])
        for row in printed("tfzq-20240309", table) if row["score"] and row["setting"]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("report", "name", "table", "columns"),
    [
        (
            "hfzq-202402",
            "gpt-4-mix-data",
            "gpt-4-pretraining-mix",
            ("tokens_billion", "weight_pct", "epochs_at_300b_tokens"),
        ),
        ("hfzq-202402", "price-data", "price-cuts", ("old_price", "new_price", "change_printed_pct")),
        ("tfzq-20240309", "lmsys-data", "lmsys-arena-20231222", ("arena_elo", "mt_bench")),
    ],
)
def test_tables_beside_a_chart_hold_every_number(drawn, report, name, table, columns):
    exhibit = drawn(report, name)
    assert set(columns) <= set(exhibit.content.columns)
    for column in columns:
        found = ["" if is_missing(value) else float(value) for value in exhibit.data[column]]
        assert found == [float(row[column]) if row[column] else "" for row in printed(report, table)]


@pytest.mark.parametrize(
    ("report", "name", "table", "value"),
    [
        ("hfzq-202402", "gpt-4-pretraining-mix", "gpt-4-pretraining-mix", "weight_pct"),
        ("hfzq-202402", "gemini-1-5-wins", "gemini-1-5-win-rates", "win_rate_pct"),
        ("mszq-20240328", "opencompass-202403", "opencompass-202403", "score"),
        ("tfzq-20240309", "lmsys-arena-20231222", "lmsys-arena-20231222", "arena_elo"),
        ("tfzq-20240309", "svd-fvd", "svd-fvd", "score"),
    ],
)
def test_rankings_hold_the_printed_values(drawn, report, name, table, value):
    wanted = [float(row[value]) for row in printed(report, table) if row[value]]
    shown = drawn(report, name)
    assert [float(one) for one in shown.data[value]] == wanted
    assert shown.data[shown.content.native.category].is_unique


@pytest.mark.parametrize(
    ("report", "name", "table", "when", "what"),
    [
        ("hfzq-202402", "gpt-timeline", "gpt-history", "released", "model"),
        ("hfzq-202402", "meta-timeline", "meta-models", "released", "model"),
        ("mszq-20240328", "pangu-history", "pangu-history", "date", "event_zh"),
    ],
)
def test_histories_hold_every_dated_row(drawn, report, name, table, when, what):
    exhibit = drawn(report, name)
    dated = [(row[when], row[what]) for row in printed(report, table) if re.match(r"\d{4}", row[when])]
    assert list(zip(exhibit.data["date"], exhibit.data["name"], strict=True)) == dated
    left_out = len(printed(report, table)) - len(dated)
    assert (f"{left_out}项无日期" in exhibit.note) == bool(left_out)


@pytest.mark.parametrize(
    ("report", "name", "since", "until", "only"),
    [
        ("glsc-20231229", "release-timeline", "2023-07-01", "2023-12-31", {}),
        ("hfzq-202402", "release-timeline", "0", "9", {}),
        ("mszq-20240328", "release-timeline", "2023-03", "9", {"region": "domestic", "precision": "undated"}),
        ("mszq-20240328", "tongyi-timeline", "0", "9", {"vendor": "阿里巴巴"}),
        ("tfzq-20240309", "release-timeline", "2023-10-01", "9", {}),
    ],
)
def test_timelines_hold_the_releases_the_report_dates(drawn, report, name, since, until, only):
    mentioned = {row["release"] for row in rows_of("mentions.csv") if row["report"] == report}
    wanted = {key: value for key, value in only.items() if key != "precision"}
    rows = [
        row for row in rows_of("releases.csv")
        if row["id"] in mentioned and all(value in row[key].split(";") for key, value in wanted.items())
    ]  # fmt: skip
    days = {row["id"]: row["beijing_date"] or re.sub(r".*-(\d{4})(\d\d)$|.*", r"\1-\2", row["id"]) for row in rows}
    dated = {row["id"] for row in rows if row["beijing_date"] or ("precision" in only and row["precision"] == "month")}
    expected = {one for one in dated if since <= days[one] <= until}
    assert expected
    assert set(drawn(report, name).data["id"]) == expected


def test_ernie_updates_are_those_with_a_month_at_least(drawn):
    data = drawn("mszq-20240328", "ernie-updates").data
    assert list(data["beijing_date"]) == ["2019-03", "2023-10-17"]


def test_indicator_scheme_names_columns_the_tool_reads(drawn):
    from aitheme.indicators.metrics import GIVEN, METRICS, REVENUE_LINE

    data = drawn("mszq-20240328", "indicator-stages").data
    assert list(data["indicator_zh"]) == [row["indicator_zh"] for row in printed("mszq-20240328", "indicator-stages")]
    for column in data["tool_column"]:
        assert column in {**GIVEN, **METRICS} or column == f"{REVENUE_LINE}*"
    stages = {"growth": "发展初期：看成长性", "maturity": "成熟期：看盈利"}
    for row in data.to_dict("records"):
        if row["tool_column"] in METRICS:
            assert stages[METRICS[row["tool_column"]].stage] == row["stage_shown"]


@pytest.mark.parametrize("report", BOOKS)
def test_register_accounts_for_every_exhibit_of_the_report(drawn, ai_theme, report):
    entries = rows_of(f"reports/{report}/exhibits.csv")
    exhibit = drawn(report, "exhibit-register")
    listed = list(exhibit.data["label"])
    pictures = re.findall(r"图表?\d+", exhibit.note)
    assert len(listed) + len(pictures) >= len(entries)
    for entry in entries:
        assert entry["label"] in listed or entry["label"] in pictures, entry
        if entry["label"] in pictures and entry["label"] not in listed:
            assert entry["carried"] == "picture"
    known = {one.id for one in book(ai_theme, report)}
    for row in exhibit.data.to_dict("records"):
        assert set(filter(None, row["place"].split("、"))) <= known
        assert row["place"] or row["remark"]


# As the scale at the end of each report prints its horizon; the table of hfzq says six, a remark below it 6 to 12.
PRINTED_MONTHS = {
    "glsc-20231229": "6–12", "hfzq-202402": "6", "htsc-20230420": "6–12", "mszq-20240328": "12", "tfzq-20240309": "6",
}  # fmt: skip


@pytest.mark.parametrize("report", BOOKS)
def test_rating_scale_is_the_printed_one(drawn, ai_theme, report):
    scale = ai_theme.report(report).rating_scale
    data = drawn(report, "rating-scale").data
    assert sorted(data["as_printed"]) == sorted(level.as_printed for level in scale.levels)
    assert set(data["months"]) == {PRINTED_MONTHS[report]}


SECTORS = {
    "glsc-20231229": "801750.SI",
    "hfzq-202402": "801750.SI",
    "htsc-20230420": "801760.SI",
    "tfzq-20240309": "801750.SI",
}


@pytest.mark.parametrize("report", SECTORS)
def test_sector_lines_end_where_the_indices_do(demo_market, ai_theme, drawn, report):
    published = ai_theme.report(report).published
    start = date(published.year - 1, published.month, published.day)
    exhibit = drawn(report, "sector-line")
    ends = exhibit.data.groupby("name")["change"].last()
    moves = []
    for symbol in (SECTORS[report], "000300.SH"):
        series = closes(demo_market, symbol, date(2021, 1, 1), published)
        moves.append(last_on(series, published) / last_on(series, start) - 1)
    sector = next(name for name in ends.index if name != "沪深300")
    assert [ends[sector], ends["沪深300"]] == pytest.approx(moves)
    assert f"{100 * (moves[0] - moves[1]):+.1f}个百分点" in exhibit.content.subtitle


@pytest.mark.parametrize("report", BOOKS)
def test_basket_lines_are_means_of_their_members(demo_market, ai_theme, drawn, report):
    data = drawn(report, "basket-lines").data
    ends = data.groupby("name")["change"].last()
    first, last = data["session"].min(), data["session"].max()
    names = {ai_theme.basket(name).name_zh: name for name in ai_theme.baskets if name.startswith(report)}
    checked = 0
    for name in set(ends.index) & set(names):
        series = [levels(demo_market, symbol) for symbol in ai_theme.symbols(names[name])]
        ratios = [last_on(one, last) / last_on(one, first) for one in series if last_on(one, first) is not None]
        assert ends[name] == pytest.approx(sum(ratios) / len(ratios) - 1, abs=1e-9)
        checked += 1
    assert checked >= 2


@pytest.mark.parametrize(
    ("exhibit", "symbol", "first"),
    [
        (tfzq_20240309.capex_meta, "META.US", "21Q2"), (tfzq_20240309.capex_microsoft, "MSFT.US", "21Q4"),
        (tfzq_20240309.capex_google, "GOOGL.US", "21Q2"), (tfzq_20240309.capex_amazon, "AMZN.US", "21Q2"),
    ],
)  # fmt: skip
def test_capital_expenditure_of_each_company(demo_market, ai_theme, exhibit, symbol, first):
    """The quarters of the print: 21Q2 to 23Q4, and fiscal 2021 Q2 to 2023 Q2 (21Q4 to 23Q4) of Microsoft."""
    rows = demo_market.sql("SELECT quarter_end, capex FROM capex WHERE symbol = ? ORDER BY quarter_end", [symbol])
    own = {
        f"{end.year % 100:02d}Q{(end.month + 2) // 3}": capex / 1e9
        for end, capex in zip(rows["quarter_end"], rows["capex"], strict=True)
        if end.date() <= date(2024, 3, 9)
    }
    own = {quarter: amount for quarter, amount in own.items() if quarter >= first}
    data = exhibit(demo_market, ai_theme).data.set_index("quarter")["capex"].dropna()
    assert data.to_dict() == pytest.approx(own)


class WithFilms:
    """A market that also knows some months of box office."""

    def __init__(self, market, rows):
        self._market, self._rows = market, rows

    def __getattr__(self, name):
        return getattr(self._market, name)

    def box_office(self, *, as_of):
        return self._rows[self._rows["month"] <= as_of]


def test_box_office_of_the_text_alone(drawn):
    gross, admissions = drawn("mszq-20240328", "box-office"), drawn("mszq-20240328", "admissions")
    assert list(gross.data["value"]) == [19.07, 20.0]
    assert gross.data["growth"].iloc[1] == pytest.approx(20 / 19.07 - 1)
    assert list(admissions.data["value"]) == [0.48]
    assert "正文只给出2023、2024年" in gross.note
    assert not gross.simulated


def test_box_office_of_a_store_fills_the_years_the_text_leaves_out(demo_market, ai_theme):
    rows = pd.DataFrame(
        {
            "month": [date(2021, 3, 1), date(2022, 3, 1), date(2022, 4, 1), date(2024, 3, 1)],
            "gross": [25e8, 9.1e8, 5.7e8, 28e8],
            "admissions": [0.7e8, 0.24e8, 0.15e8, 0.66e8],
            "films": 50,
            "complete": [True, True, True, True],
        }
    )
    market = WithFilms(demo_market, rows)
    gross = mszq_20240328.box_office(market, ai_theme)
    assert dict(zip(gross.data["year"], gross.data["value"], strict=True)) == pytest.approx(
        {"2021": 25.0, "2022": 9.1, "2023": 19.07, "2024": 20.0}
    )
    assert list(gross.data["origin"]) == ["数据源", "数据源", "正文", "正文"]
    assert gross.data["growth"].iloc[1] == pytest.approx(9.1 / 25 - 1)
    assert "艺恩" in gross.source
    people = mszq_20240328.admissions(market, ai_theme)
    assert people.data["value"].isna().tolist() == [False, False, True, False]
    assert people.data["growth"].isna().iloc[3]


@pytest.mark.parametrize(
    ("zh", "en"),
    [
        ("2023 年 1 月", "2023-01"), ("2023年9月13日", "2023-09-13"), ("2 月 22 日", "22 Feb"), ("2018 年", "2018"),
        ("2024年底", "end of 2024"), ("谷歌", "Google"), ("百度;阿里巴巴", "Baidu; Alibaba"), ("钉钉、AIPaaS", "DingTalk; AIPaaS"),
        ("Qwen-72B;Qwen-Audio", "Qwen-72B; Qwen-Audio"),
        ("与谁都不相干的一句话", "与谁都不相干的一句话"), ("Qwen-14B", "Qwen-14B"), ("昆仑万维", "Kunlun Tech"),
    ],
)  # fmt: skip
def test_cells_in_english(ai_theme, zh, en):
    assert in_english(zh, ai_theme) == en


@pytest.mark.parametrize(
    ("zh", "en"),
    [
        ("OpenAI 官网", "OpenAI website"), ("Meta, 阿里云, 新智元", "Meta, Alibaba Cloud, AI Era"), ("Google", "Google"),
        ("百度百科，阿里通义千问微信公众号", "Baidu Baike, Alibaba Tongyi Qianwen on WeChat"), ("无名小报官网", "无名小报 website"),
    ],
)  # fmt: skip
def test_sources_in_english(zh, en):
    assert sources_in_english(zh) == en


def test_english_book_says_what_stays_chinese(drawn):
    exhibit = drawn("hfzq-202402", "meta-models", "en")
    shown = exhibit.data[list(exhibit.content.columns)]
    assert list(shown.iloc[0])[:3] == ["2022-05", "OPT-175B", "Language model"]
    assert "in Chinese" not in exhibit.note + drawn("hfzq-202402", "domestic-multimodal", "en").note
    scale = drawn("hfzq-202402", "rating-scale", "en")
    assert "in Chinese where it follows the report's own wording: As printed" in scale.note


@pytest.mark.parametrize("report", BOOKS)
def test_english_books_hold_no_chinese_they_do_not_name(demo_market, ai_theme, report):
    """Cells of what the reports print, their sources, labels and subtitles; columns left in Chinese are named in the note."""
    for definition in book(ai_theme, report):
        if definition.chapter not in {"print", "rating"}:
            continue
        found = definition(demo_market, ai_theme, lang="en")
        assert not has_chinese(found.caption + found.source + found.reason), definition.id
        if found.content is None:
            continue
        assert not has_chinese(found.content.subtitle), definition.id
        for name, column in found.content.columns.items():
            cells = [str(cell) for cell in found.data[name].dropna()]
            if any(has_chinese(cell) for cell in cells):
                assert column.en in found.note, (definition.id, name, [cell for cell in cells if has_chinese(cell)])


def test_every_vocabulary_entry_is_used_once_and_translated():
    with (PROJECT / "aitheme" / "exhibits" / "english.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert len({row["zh"] for row in rows}) == len(rows)
    assert not [row for row in rows if re.search(r"[\u4e00-\u9fff]", row["en"])]


def test_crowding_summary_by_a_loop(demo_market, ai_theme, drawn):
    exhibit = drawn("mszq-20240328", "crowding-summary")
    basket = "mszq-20240328/text-corpus"
    row = exhibit.data.set_index("name").loc[ai_theme.basket(basket).name_zh]
    days = {"then": ai_theme.report("mszq-20240328").published, "now": demo_market.span[1]}
    for moment, day in days.items():
        above = []
        for symbol in ai_theme.symbols(basket):
            known = [level for session, level in sorted(levels(demo_market, symbol).items()) if session <= day]
            if len(known) >= 20:
                above.append(known[-1] > sum(known[-20:]) / 20)
        assert row[f"above_{moment}"] == pytest.approx(sum(above) / len(above))
