"""Cells of three reports as their pages print them, typed here from the text: what a reader sees must be the same."""

import re

import pytest

from aitheme.exhibits import book
from aitheme.exhibits.columns import table_cells
from aitheme.exhibits.english import has_chinese
from tests.exhibits.test_print_data import BOOKS

GLSC, HTSC, MSZQ = "glsc-20231229", "htsc-20230420", "mszq-20240328"


@pytest.fixture
def drawn(demo_market, ai_theme):
    def draw(report, name, lang="zh"):
        definition = next(one for one in book(ai_theme, report) if one.id == name)
        return definition(demo_market, ai_theme, lang=lang)

    return draw


@pytest.fixture
def shown(drawn):
    """Return the rows of a table as a reader sees them."""

    def rows(report, name, lang="zh"):
        exhibit = drawn(report, name, lang)
        return [list(row) for row in table_cells(exhibit.data, exhibit.content.columns, lang).rows]

    return rows


GEMINI_TEXT = """
MMLU 90.04 79.13 87.29 70 78.4 78.5 79.6 73.0 68.0
GSM8K 94.4 86.5 92.0 57.1 80.0 88.0 81.4 62.9 56.8
MATH 53.2 32.6 52.9 34.1 34.4 / 34.8 23.9 13.5
BIG-Bench-Hard 83.6 75.0 83.1 66.6 77.7 / / / 51.2
HumanEval 74.4 67.7 67.0 48.1 / 70.0 44.5 63.2 29.9
Natural2Code 74.9 69.6 73.9 62.3 / / / / /
DROP 82.4 74.1 80.9 64.1 82.0 / / / /
HellaSwag 87.8 84.7 95.3 85.5 86.8 / 89.0 / 80.0
WMT23 74.4 71.7 73.8 / 72.7 / / / /
"""
GEMINI_MULTIMODAL = """
MMMU 59.4 47.9 32.6 26.3 56.8 56.8
MMMU:(Maj1@32) 62.4 / / / / /
TextVQA 82.3 74.6 65.9 62.5 78.0 79.5
DocVQA 90.9 88.1 74.3 72.2 88.4 88.4
ChartQA 80.8 74.1 51.9 53.6 78.5 79.3
InfographicVQA 80.3 75.2 54.5 51.1 75.1 75.1
MathVista 53.0 45.2 30.6 27.3 49.9 49.9
AI2D 79.5 73.9 51.0 37.9 78.2 81.4
VQAv2 77.8 71.2 67.5 62.7 77.2 86.1
"""


@pytest.mark.parametrize(
    ("name", "text"), [("gemini-text-scores", GEMINI_TEXT), ("gemini-multimodal-scores", GEMINI_MULTIMODAL)]
)
def test_gemini_scores_with_the_printed_decimals(shown, name, text):
    assert shown(GLSC, name) == [[cell.replace(":", " ") for cell in line.split()] for line in text.split("\n")[1:-1]]


def test_settings_of_gemini_scores(drawn):
    text = drawn(GLSC, "gemini-text-settings").data.set_index("benchmark")
    assert list(text.loc["MMLU"]) == [
        "CoT@32*", "CoT@8*", "CoT@32, via API**", "5-shot", "5-shot", "5-shot CoT", "5-shot", "5-shot", "***",
    ]  # fmt: skip
    assert list(text.loc["HumanEval", ["Gemini Ultra", "GPT-4"]]) == ["0-shot (IT)", "0-shot, reported"]
    several = drawn(GLSC, "gemini-multimodal-settings").data.set_index("benchmark")
    assert several.loc["ChartQA", "GPT-4V"] == "4-shot CoT"
    assert list(several["Prior SOTA"].dropna().drop_duplicates()) == [
        "GPT-4V, 0-shot", "Google PaLI-3, fine-tuned", "Google DePlot, 1-shot PoT", "Google PaLI-X, fine-tuned",
    ]  # fmt: skip


def test_openai_prices_follow_from_the_printed_ratios(drawn):
    data = drawn(GLSC, "openai-prices").data
    assert list(data["new"]) == [1, 3]
    assert list(data["ratio"]) == ["1/3", "1/2"]
    assert list(data["old"]) == pytest.approx([3, 6])
    assert list(data["change"]) == pytest.approx([-2 / 3, -1 / 2])


def test_box_office_past_twenty_is_not_twenty(drawn):
    spec = str(drawn(MSZQ, "box-office").figure())
    assert "'>20'" in spec
    assert "'>+4.9%'" in spec
    assert "'19.07'" in spec
    assert "平均票价41.54元" in drawn(MSZQ, "admissions").note


def test_the_timeline_of_table_1_holds_every_date_printed_in_it(drawn):
    days = drawn(MSZQ, "tongyi-timeline").data["beijing_date"]
    assert list(days) == [
        "2023-04-07", "2023-04-18", "2023-09-13", "2023-09-25", "2023-10-31", "2023-10-31", "2023-11-16", "2023-12-01",
        "2023-12-22", "2024-01-04", "2024-01-22", "2024-01-26", "2024-03-14",
    ]  # fmt: skip


def test_timelines_say_how_many_events_have_no_day(drawn):
    assert "另6项未给到日" in drawn(GLSC, "release-timeline").note
    assert "未给到日" not in drawn(MSZQ, "ernie-updates").note


@pytest.mark.parametrize(
    ("report", "statement", "value", "unit"),
    [
        (GLSC, "语言大模型市场规模", "132.3", "亿元"),
        (GLSC, "语言大模型市场增长", "110", "%"),
        (GLSC, "MMLU得分", "90.0", "%"),
        (GLSC, "上述训练用时", "2000", "亿（单位未印）"),
        (GLSC, "800G", "/", "800G、1.6T 端口速率"),
        (HTSC, "商量参数量", "1800", "亿个参数"),
        (HTSC, "算力的需求增长", "40", "万倍"),
        (HTSC, "累计下载", "1600", "万次下载以上"),
        (HTSC, "HumanEval", "40.2", "%"),
        (HTSC, "在运行GPU", "27000", "块GPU"),
        (MSZQ, "对照：2023年3月票房", "19.07", "亿元"),
        (MSZQ, "平均票价", "41.54", "元"),
        (MSZQ, "Step-2参数量级", "1", "万亿个参数"),
        (MSZQ, "连续包月", "49.9", "元/月"),
        (MSZQ, "Kimi升级后", "200", "万字"),
    ],
)
def test_figures_read_as_in_the_text(shown, report, statement, value, unit):
    row = next(row for row in shown(report, "figures") if statement in row[1])
    assert [row[2].replace(",", ""), row[3]] == [value, unit]


@pytest.mark.parametrize("report", [GLSC, HTSC, MSZQ])
def test_every_unit_is_in_the_language_of_the_book(drawn, report):
    plain = {"%", "GB", "GB/s"}
    assert [unit for unit in drawn(report, "figures").data["unit"] if not has_chinese(unit) and unit not in plain] == []
    assert not any(has_chinese(unit) for unit in drawn(report, "figures", "en").data["unit"])


LISTS = {
    f"{MSZQ}/text-corpus": (
        "中文在线、掌阅科技、阅文集团、中国科传、中国出版、读客文化、人民网、新华网、中信出版、南方传媒、皖新传媒、中原传媒、时代出版、"
        "山东出版、城市传媒"
    ),
    f"{MSZQ}/video-corpus": (
        "华策影视、中广天择、捷成股份、华数传媒、海看股份、新媒股份、中视传媒、欢瑞世纪、百纳千诚、博纳影业、上海电影、柠萌影视、"
        "视觉中国、芒果超媒、唐德影视"
    ),
    f"{MSZQ}/applications": (
        "美图公司、盛天网络、值得买、易点天下、世纪天鸿、天下秀、天娱数科、凡拓数创、紫天科技、掌趣科技、汤姆猫、顺网科技"
    ),
    f"{HTSC}/data-ip": "中文在线、中信出版、百纳千成、视觉中国",
    f"{HTSC}/video-virtual-human": "商汤",
    f"{HTSC}/games": "完美世界、中文在线、汤姆猫",
    f"{GLSC}/compute": "海光信息、寒武纪-U、中科曙光、浪潮信息、紫光股份、锐捷网络",
    f"{GLSC}/models": "百度、科大讯飞、商汤、拓尔思",
    f"{GLSC}/audio-video": "万兴科技、海康威视、大华股份",
    f"{GLSC}/image": "美图公司、虹软科技",
    f"{GLSC}/office": "金山办公、福昕软件、泛微网络、用友网络",
    f"{GLSC}/vertical": "同花顺、恒生电子、宇信科技、中科软、卫宁健康、医渡科技、中科创达",
}


@pytest.mark.parametrize("basket", LISTS)
def test_baskets_are_the_printed_lists(ai_theme, basket):
    assert "、".join(member.name_printed for member in ai_theme.member_rows(basket)) == LISTS[basket]


def test_companies_mentioned_row_by_row(shown):
    printed = (
        "阿里巴巴 BABA US|华为 未上市|OPPO 未上市|OpenAI 未上市|汤姆猫 300459 CH|中文在线 300364 CH|吉利汽车 175 HK|"
        "中信出版 300788 CH|"
        "ElectricNoir 未上市|视觉中国 000681 CH|奇瑞新智能 未上市|百度 BIDU US|豪墨自行 未上市|完美世界 002624 CH|可口可乐 KO US|"
        "Midjourney 未上市|波司登 3998 HK|V1 未上市|顾家家居 603816 CH|酷家乐 未上市|商汤科技 20 HK"
    )
    assert [f"{row[1]} {row[2]}" for row in shown(HTSC, "companies-mentioned")] == printed.split("|")


@pytest.mark.parametrize("report", BOOKS)
def test_no_exhibit_with_a_packaged_table_is_called_a_picture(drawn, ai_theme, report):
    pictures = set(re.findall(r"图表?\d+", drawn(report, "exhibit-register").note))
    with_table = {entry.label for entry in ai_theme.exhibits if entry.report == report and entry.table_id is not None}
    assert not pictures & with_table
    rows = drawn(report, "exhibit-register").data
    if report in {GLSC, HTSC, MSZQ}:
        assert list(rows.loc[rows["place"].eq(""), "label"]) in ([], ["相关研究"])
