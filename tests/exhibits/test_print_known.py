"""What 华福证券 and 天风证券 print, typed from the reports, against the cells a reader sees: digits, order, blanks and all."""

import pytest

from aitheme.exhibits import book
from aitheme.exhibits.columns import table_cells

HFZQ, TFZQ = "hfzq-202402", "tfzq-20240309"


@pytest.fixture
def cells(demo_market, ai_theme):
    """Return the cells of a table as they are printed, without the first column."""

    def shown(report, name):
        exhibit = next(one for one in book(ai_theme, report) if one.id == name)(demo_market, ai_theme)
        return [row[1:] for row in table_cells(exhibit.data, exhibit.content.columns, "zh").rows]

    return shown


@pytest.fixture
def written(demo_market, ai_theme):
    """Return every text a chart writes on its marks, in order."""

    def texts(report, name):
        exhibit = next(one for one in book(ai_theme, report) if one.id == name)(demo_market, ai_theme)
        return list(_texts(exhibit.figure()))

    return texts


def _texts(part):
    """Walk a specification for the texts of its rows."""
    if isinstance(part, dict):
        if isinstance(part.get("text"), str) and "mark" not in part and "type" not in part:
            yield part["text"]
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, list):
        for value in part:
            yield from _texts(value)


# Rows in printed order; a slash where the print has a dash or a blank. 图6 prints a second score for MATH, told in the note.
SCORES = {
    # 图4
    (TFZQ, "gemini-benchmarks"): """
        90.04 79.13 87.29 70 78.4 78.5 79.6 73.0 68.0
        94.4 86.5 92.0 57.1 80.0 88.0 81.4 62.9 56.8
        53.2 32.6 52.9 34.1 34.4 / 34.8 23.9 13.5
        83.6 75.0 83.1 66.6 77.7 / / / 51.2
        74.4 67.7 67.0 48.1 / 70.0 44.5 63.2 29.9
        74.9 69.6 73.9 62.3 / / / / /
        82.4 74.1 80.9 64.1 82.0 / / / /
        87.8 84.7 95.3 85.5 86.8 / 89.0 / 80.0
        74.4 71.7 73.8 / 72.7 / / / /
    """,
    # 图9, repeated by 图12
    (TFZQ, "mixtral-data"): """
        69.9 70.0 70.6
        87.1 85.5 86.7
        85.1 85.2 85.8
        83.2 81.6 81.2
        49.8 52.2 60.7
        53.6 57.1 58.4
        6.86 8.32 8.30
    """,
    # 图16
    (TFZQ, "claude-3-data"): """
        86.8 79.0 75.2 86.4 70.0 83.7 71.8
        50.4 40.4 33.3 35.7 28.1 / /
        95.0 92.3 88.9 92.0 57.1 94.4 86.5
        60.1 43.1 38.9 52.9 34.1 53.2 32.6
        90.7 83.5 75.1 74.5 / 79.0 63.5
        84.9 73.0 75.9 67.0 48.1 74.4 67.7
        83.1 78.9 78.4 80.9 64.1 82.4 74.1
        86.8 82.9 73.7 83.1 66.6 83.6 75.0
        96.4 93.2 89.2 96.3 85.2 / /
        95.4 89.0 85.9 95.3 85.5 87.8 84.7
    """,
    # 图18
    (TFZQ, "llama-2-data"): """
        70.0 86.4 69.3 78.3 68.9
        / / 81.4 86.1 85.0
        / / 29.3 37.5 33.0
        57.1 92.0 56.5 80.7 56.8
        48.1 67.0 26.2 / 29.9
        / / 52.3 65.7 51.2
    """,
    # 图32
    (TFZQ, "abab6-benchmarks"): """
        0.67 0.49 0.57 0.56 0.55 0.75
        8.61 6.63 8.18 8.61 8.39 9.32
        7.41 5.50 6.62 6.42 6.08 8.01
    """,
    # 图6
    (TFZQ, "gemini-1-5-core-data"): """
        84.7 87.8 92.5
        71.8 83.7 81.9
        77.9 88.9 91.7
        32.6 53.2 58.5
        22.8 30 37.2
        75.0 83.6 84.0
        74.1 82.4 78.9
        67.7 74.4 71.9
        69.6 74.9 77.7
        71.73 74.41 75.20
        63.45 78.95 88.73
    """,
    # 图7
    (TFZQ, "gemini-1-5-multimodal"): """
        47.9 59.4 58.5
        73.9 79.5 80.3
        45.2 53.0 52.1
        74.1 80.8 81.3
        71.2 77.8 73.2
        74.6 82.3 73.5
        88.1 90.9 86.5
        75.2 80.3 72.7
        57.4 62.7 63.0
        39.7 50.8 54.9
        123.2 135.4 134.2
        49.8 52.2 56.7
        55.7 61.5 63.2
    """,
    # 图33
    (TFZQ, "baichuan-3-math-data"): """
        88.17 49.20 70.12 68.20 57.88 58.38
        92.00 52.90 67.00 63.60 69.8 68.7
        57.10 13.96 52.44 61.40 49.0 49.4
        95.8 93.0 104.7 107.2 82.9 85.0
        154.4 352.4 133.7 111.1 118.1 118.2
    """,
    # 图34
    (TFZQ, "baichuan-3-medical-data"): """
        85.76 84.64 86.9 80.2 72.08 76
        52.92 54.33 47.25 53.57 56.39 71.60
        74.58 75.17 67.31 81.38 72.4 75.2
        / / / 90.20 79.1 82.0
        1.15 1.13 1.29 0.99 1.0 1.0
    """,
    # 图41
    (TFZQ, "videopoet-benchmarks"): """
        0.2631 1294 702 25.27
        / 998 655 /
        0.2929 / 551 33.45
        0.2930 550 / /
        0.2951 / 617 21.04
        0.3005 / 410 /
        0.3049 / 367 33.00
        0.3072 538 394 35.42
        0.3049 213 355 38.44
        0.3123 / / /
    """,
    # 图48
    (TFZQ, "animate-anyone-fashion"): """
        0.749 / 0.212 253.6
        0.746 / 0.213 247.5
        0.918 24.07 0.048 148.3
        0.885 / 0.068 238.7
        0.879 34.75 0.111 279.6
        0.931 38.49 0.044 81.6
    """,
    # 图49
    (TFZQ, "animate-anyone-dance"): """
        0.648 29.01 0.335 405.2
        0.672 29.39 0.296 284.8
        0.673 29.18 0.299 306.1
        0.668 29.03 0.292 292.8
        0.718 29.56 0.285 171.9
    """,
    # 图25, the cells with a slash split in two
    (TFZQ, "ernie-3-superglue"): """
        89.0 91.4 90.4 91.0
        95.8 95.8 95.7 98.6
        98.9 97.6 97.6 99.2
        100 98.0 98.4 97.4
        81.8 88.3 88.2 88.6
        51.9 63.0 63.7 63.2
        91.7 94.2 94.5 94.7
        91.3 93.5 94.1 94.2
        93.6 93.0 93.2 92.6
        80.0 77.9 77.5 77.4
        100 96.6 95.9 97.3
        89.8 90.4 90.3 90.6
    """,
    # 图表34, tests down
    (HFZQ, "benchmark-data"): """
        81.6 88.1 90.9 88.4 91.4 92.5
        68.4 74.1 80.8 78.5 78.1 79.8
        73.7 73.9 79.5 78.2 75.9 79.3
        76.1 74.6 82.3 78.0 78.9 79.5
        45.9 47.9 59.4 56.8 44.0 50.8
        36.7 45.2 53.0 49.9 43.3 50.0
        72.4 74.3 / 73.9 68.0 75.1
    """,
    # 图表8
    (HFZQ, "gpt-4-mix-data"): """
        410 60 0.44
        19 22 2.9
        12 8 1.9
        55 8 0.43
        3 3 3.4
    """,
}


@pytest.mark.parametrize(("report", "name"), SCORES)
def test_numbers_have_the_digits_of_the_print(cells, report, name):
    assert [list(row) for row in cells(report, name)] == [
        line.split() for line in SCORES[report, name].split("\n") if line.split()
    ]


def test_settings_that_all_models_share_stand_beside_the_test(demo_market, ai_theme):
    """图9, 图12 and 图18 print them there; 图6 and 图7 in every cell."""

    def tests(name):
        exhibit = next(one for one in book(ai_theme, TFZQ) if one.id == name)(demo_market, ai_theme)
        return list(exhibit.data["benchmark"])

    assert tests("mixtral-data") == [
        "MMLU (MCQ in 57 subjects)", "HellaSwag (10-shot)", "ARC Challenge (25-shot)", "WinoGrande (5-shot)", "MBPP (pass@1)",
        "GSM-8K (5-shot)", "MT Bench (for Instruct Models)",
    ]  # fmt: skip
    assert tests("llama-2-data") == [
        "MMLU (5-shot)", "TriviaQA (1-shot)", "Natural Questions (1-shot)", "GSM8K (8-shot)", "HumanEval (0-shot)",
        "BIG-Bench Hard (3-shot)",
    ]  # fmt: skip
    assert tests("gemini-1-5-multimodal")[0] == "MMMU (val, 0-shot)"
    assert tests("gemini-1-5-core-data")[3] == "MATH"


def test_orders_of_tests_and_models_are_the_printed_ones(demo_market, ai_theme):
    def names(name):
        exhibit = next(one for one in book(ai_theme, TFZQ) if one.id == name)(demo_market, ai_theme)
        data = exhibit.data
        return " ".join(str(one).partition(" (")[0] for one in data.iloc[:, 0]), " ".join(data.columns[1:])

    assert names("gemini-benchmarks") == (
        "MMLU GSM8K MATH BIG-Bench-Hard HumanEval Natural2Code DROP HellaSwag WMT23",
        "Gemini Ultra Gemini Pro GPT-4 GPT-3.5 PaLM 2-L Claude 2 Inflection-2 Grok 1 LLaMA-2",
    )
    assert names("llama-2-data")[0] == "MMLU TriviaQA Natural Questions GSM8K HumanEval BIG-Bench Hard"
    assert names("animate-anyone-fashion")[1] == "SSIM ↑ PSNR ↑ LPIPS ↓ FVD ↓"
    assert names("baichuan-3-medical-data") == (
        "Baichuan 3 GPT-3.5 GPT-4 GPT-4 Baichuan 3/GPT-4", "MCMLE MedExam CMExam USMLE MedMCQA PubMedQA",
    )  # fmt: skip
    assert names("videopoet-benchmarks")[1] == "MSR-VTT (CLIPSIM) MSR-VTT (FVD) UCF-101 (FVD) UCF-101 (IS)"


def test_lmsys_leaderboard(cells, written):
    """图10: Elo, MT-bench, licence."""
    rows = cells(TFZQ, "lmsys-data")
    assert [row[0] for row in rows] == (
        ["1243", "1192", "1158", "1149", "1131", "1121", "1117", "1117", "1111", "1110", "1110", "1110", "1105", "1077"]
    )
    assert [row[1] for row in rows] == [
        "9.32",
        "8.96",
        "9.18",
        "7.9",
        "8.06",
        "8.3",
        "8.18",
        "8.39",
        "/",
        "7.85",
        "7.89",
        "/",
        "7.94",
        "6.86",
    ]
    assert [row[2] for row in rows[9:]] == [
        "Proprietary", "AI2 ImpACT Low-risk", "Yi License", "Proprietary", "LLaMA 2 Community",
    ]  # fmt: skip
    assert "1243" in written(TFZQ, "lmsys-arena-20231222")


@pytest.mark.parametrize(
    ("report", "name", "texts"),
    [
        (HFZQ, "gemini-1-5-wins", "87.1 54.8 100 77 77 46 60 20"),
        (HFZQ, "gpt-4-pretraining-mix", "60 22 8 8 3"),
        (TFZQ, "svd-fvd", "751.34 701.59 367.23 550.61 655.00 355.20 242.02"),
    ],
)
def test_bars_are_labelled_as_printed(written, report, name, texts):
    assert [text for text in written(report, name) if text in texts.split()][: len(texts.split())] == texts.split()


def test_best_scores_are_labelled_as_printed(written):
    assert {"Gemini Ultra 53.0", "Gemini Ultra 59.4", "Qwen-VL-Max 92.5"} <= set(written(HFZQ, "benchmark-scores"))
    assert {"Claude 3 Opus 95.0", "Claude 3 Opus 50.4"} <= set(written(TFZQ, "claude-3-benchmarks"))
    assert {"GPT-4 75", "GPT-4 93.2", "GPT-4 80.1"} <= set(written(TFZQ, "abab6-dots"))


def test_prices_before_and_after(cells):
    """图表40: input and output, the printed cut only for the first old model of each group."""
    assert [list(row) for row in cells(HFZQ, "price-data")] == [
        line.split() for line in (
            "0.03 0.01 -66.7% 67", "0.06 0.03 -50.0% 50", "0.06 0.01 -83.3% /", "0.12 0.03 -75.0% /",
            "0.0015 0.001 -33.3% 33", "0.002 0.002 0.0% 0", "0.003 0.001 -66.7% /", "0.004 0.002 -50.0% /",
            "0.008 0.008 0.0% 0", "0.012 0.003 -75.0% 75", "0.016 0.006 -62.5% 63",
        )
    ]  # fmt: skip


def test_gpt_history_tells_unsaid_from_unsupported(cells):
    """图表7: ticks, blanks, and dashes for what is not told."""
    rows = cells(HFZQ, "gpt-history")
    assert [row[0] for row in rows] == [
        "2018 年",
        "2019 年",
        "2020 年",
        "2022.11",
        "2023.03",
        "2023.09",
        "2023.11",
        "待定",
    ]
    assert [row[1] for row in rows] == ["117M", "1.5B", "175B", "-", "-", "-", "-", "-"]
    ticks = ["".join("√" if cell == "√" else cell or "." for cell in row[3:]) for row in rows]
    assert ticks == ["√...√...", "√...√...", "√...√...", "√...√...", "√√..√...", "√√√.√...", "√√√.√√√.", "√√√√----"]


def test_llama_family(cells):
    """图17: parameters, context, grouped attention, tokens and learning rate."""
    assert [row[1:] for row in cells(TFZQ, "llama-family")] == [
        ("7", "2", "否", "1.0", "0.00030"), ("13", "2", "否", "1.0", "0.00030"),
        ("33", "2", "否", "1.4", "0.00015"), ("65", "2", "否", "1.4", "0.00015"),
        ("7", "4", "否", "2.0", "0.00030"), ("13", "4", "否", "2.0", "0.00030"),
        ("34", "4", "是", "2.0", "0.00015"), ("70", "4", "是", "2.0", "0.00015"),
    ]  # fmt: skip


def test_claude_3_prices(cells):
    """1.4: dollars per million tokens, input and output."""
    assert [row[:2] for row in cells(TFZQ, "claude-3-pricing")] == [("15", "75"), ("3", "15"), ("0.25", "1.25")]


def test_products_and_models_carry_their_printed_dates(cells):
    """图表28, 32, 44 and 51."""
    assert [row[1] for row in cells(HFZQ, "office-products")] == [
        "2 月 22 日", "3 月 8 日", "3 月 17 日", "5 月 11 日", "9 月 13 日", "-",
    ]  # fmt: skip
    assert [row[0] for row in cells(HFZQ, "medical-models")] == (
        ["2022.4", "2022.5", "2022.12", "2023.3", "2023.6", "2023.6", "2023.6", "2023.6", "2023.7", "2023.7"]
    )
    months = [row[-1] for row in cells(HFZQ, "domestic-multimodal")]
    assert months == [f"{year}年{month}月" for year, month in (
        (2023, 3), (2023, 4), (2023, 9), (2023, 9), (2023, 12), (2023, 3), (2023, 4), (2023, 5), (2023, 12), (2024, 1),
    )]  # fmt: skip
    assert [row[0] for row in cells(HFZQ, "meta-models")] == (
        ["OPT-175B", "OPT-IML", "SAM", "DINOv2", "ImageBind", "AnyMAL"]
    )


def test_a_date_the_report_does_not_print_is_marked(demo_market, ai_theme):
    def source(report, name, lang):
        exhibit = next(one for one in book(ai_theme, report) if one.id == name)(demo_market, ai_theme, lang=lang)
        return exhibit.source

    assert "华福证券研究报告（约2024-02-19）" in source(HFZQ, "meta-models", "zh")
    assert "report of about 2024-02-19" in source(HFZQ, "meta-models", "en")
    assert "天风证券研究报告（2024-03-09）" in source(TFZQ, "llama-family", "zh")


BASKETS = {
    f"{HFZQ}/multimodal": "万兴科技 中科创达 虹软科技 当虹科技 大华股份 海康威视 漫步者 萤石网络 汉仪股份 美图公司 云从科技",
    f"{HFZQ}/office": "金山办公 万兴科技 福昕软件 彩讯股份 金蝶国际 泛微网络 致远互联 鼎捷软件 汉得信息 用友网络",
    f"{HFZQ}/education-ecommerce-medical": (
        "科大讯飞 佳发教育 鸥玛软件 盛通股份 光云科技 值得买 焦点科技 小商品城 润达医疗 嘉和美康 创业慧康 迪安诊断"
    ),
    f"{TFZQ}/office": "金山办公 福昕软件 彩讯股份",
    f"{TFZQ}/multimodal": "万兴科技 美图公司 虹软科技 光云科技",
    f"{TFZQ}/enterprise": "用友网络 金蝶国际 致远互联 泛微网络 鼎捷软件 汉得信息",
    f"{TFZQ}/finance-education-medical": "同花顺 恒生电子 新致软件 科大讯飞 视源股份 润达医疗",
    f"{TFZQ}/infrastructure": "神州数码 烽火通信 拓维信息 高新发展 海光信息 星环科技 寒武纪 景嘉微",
}


@pytest.mark.parametrize("basket", BASKETS)
def test_baskets_are_the_printed_lines(ai_theme, basket):
    rows = ai_theme.member_rows(basket)
    assert [row.name_printed for row in rows] == BASKETS[basket].split()
    assert [ai_theme.security[row.symbol].name_zh for row in rows] == BASKETS[basket].split()


def test_timeline_names_the_releases_whose_day_the_report_does_not_print(demo_market, ai_theme):
    exhibit = next(one for one in book(ai_theme, HFZQ) if one.id == "release-timeline")(demo_market, ai_theme)
    days = dict(zip(exhibit.data["id"], exhibit.data["beijing_date"], strict=True))
    # Printed with a zone: 15 February and 6 December in the United States.
    assert (days["sora-20240216"], days["gemini-1-5-20240216"], days["gemini-20231207"]) == (
        "2024-02-16", "2024-02-16", "2023-12-07",
    )  # fmt: skip
    named = exhibit.note.partition("在本报告中只有年月")[0].rpartition("；")[2].split("、")
    assert named == ["ChatGPT 发布", "通义千问邀请测试", "OpenAI API 降价", "GLM-4", "Qwen-VL-Max"]
