"""Benchmark scores in 天风证券, 大模型生态加速突破，2024年应用元年有望到来 (9 March 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aitheme.exhibits.printed import printed_table
from aitheme.exhibits.scores import ranking, score_dots, with_metric
from aitheme.exhibits.scoretables import score_table, settings_table, with_setting

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "abab6",
    "abab6_chart",
    "animate_dance",
    "animate_fashion",
    "baichuan_math",
    "baichuan_math_table",
    "baichuan_medical",
    "baichuan_medical_table",
    "claude_3",
    "claude_3_settings",
    "claude_3_table",
    "ernie_chart",
    "ernie_superglue",
    "gemini_1_5_core",
    "gemini_1_5_core_table",
    "gemini_1_5_multimodal",
    "gemini_1_5_multimodal_chart",
    "gemini_text",
    "gemini_text_chart",
    "gemini_text_settings",
    "llama_2",
    "llama_2_table",
    "lmsys",
    "lmsys_table",
    "mixtral",
    "mixtral_table",
    "svd",
    "videopoet",
]

_REPORT = "tfzq-20240309"


def _with_prompting(data: pd.DataFrame) -> pd.DataFrame:
    """Tell the two GPT-4 rows apart by their setting."""
    prompted = data["setting"].eq("Med-prompt").fillna(value=False)
    return data.assign(model=data["model"].where(~prompted, data["model"] + " (Med-prompt)"))


def _by_metric(data: pd.DataFrame) -> pd.DataFrame:
    """Take each metric as a test, with an arrow to its better side."""
    arrows = data["better"].map({"higher": " ↑", "lower": " ↓"}).fillna("")
    return data.assign(benchmark=data["metric"] + arrows)


def _of_full_marks(data: pd.DataFrame) -> pd.DataFrame:
    """Bring tests out of one and out of ten to a share of full marks in per cent."""
    full = data["benchmark"].map({"IFEval": 1.0, "MT-Bench": 10.0, "AlignBench": 10.0})
    places = {1.0: 2, 10.0: 1}
    return data.assign(score=100 * data["score"] / full, digits=data["digits"] - full.map(places))


_SUPERGLUE = "SuperGLUE leaderboard of 3 July 2021; the names of the metrics are not printed but the usual ones"

_TWICE = (
    "1.5 Pro的MATH另印7-shot的59.4%，取4-shot的58.5%",
    "for MATH 1.5 Pro is printed with 59.4% (7-shot), too; the 58.5% of 4-shot is taken",
)

_METRIC_NOTE = ("箭头为更好的方向", "arrows point to the better side")

gemini_text_chart = score_dots(
    _REPORT,
    "gemini-benchmarks",
    "图4（图）",
    ("Gemini基准测试：得分", "Gemini on text benchmarks: scores"),
    highlight=("Gemini Ultra", "GPT-4", "Gemini Pro", "GPT-3.5", "Claude 2"),
    unit=("得分（%；DROP为F1，WMT23为BLEURT）", "Score (%; DROP is F1, WMT23 is BLEURT)"),
    prepare=with_metric,
    note=("各模型的测试设定见图4（设定）", "the settings of the models are in figure 4 (settings)"),
    exhibit_id="gemini-benchmark-dots",
)

gemini_text = score_table(
    _REPORT,
    "gemini-benchmarks",
    "图4",
    ("Gemini基准测试量化结果", "Gemini on text benchmarks"),
    prepare=with_metric,
    note=(
        "得分为%，DROP为F1，WMT23为BLEURT；各模型的测试设定见图4（设定）",
        "per cent; DROP is F1, WMT23 is BLEURT; the settings are in figure 4 (settings)",
    ),
)

gemini_text_settings = settings_table(
    _REPORT,
    "gemini-benchmarks",
    "图4（设定）",
    ("Gemini基准测试：各模型的测试设定", "Gemini on text benchmarks: the settings"),
    prepare=with_metric,
    note=("星号为论文脚注标记，照印", "stars are footnote marks of the paper, as printed"),
    exhibit_id="gemini-benchmark-settings",
)

gemini_1_5_core = score_dots(
    _REPORT,
    "gemini-1-5-core",
    "图6",
    ("Gemini 1.5 pro拟人（humaneval）能力对比", "Gemini 1.5 Pro on core capabilities"),
    highlight=("Gemini 1.5 Pro", "Gemini 1.0 Ultra", "Gemini 1.0 Pro"),
    unit=("得分（%；WMT23为BLEURT）", "Score (%; WMT23 is BLEURT)"),
    note=_TWICE,
)

gemini_1_5_core_table = score_table(
    _REPORT,
    "gemini-1-5-core",
    "图6（数据）",
    ("Gemini 1.5 pro拟人（humaneval）能力对比：全部得分", "Gemini 1.5 Pro on core capabilities: all scores"),
    prepare=with_setting,
    note=(
        f"得分为%，WMT23为BLEURT；括号内为三个模型共同的测试设定；{_TWICE[0]}",
        f"per cent, WMT23 is BLEURT; in brackets the setting all three share; {_TWICE[1]}",
    ),
    exhibit_id="gemini-1-5-core-data",
)

gemini_1_5_multimodal_chart = score_dots(
    _REPORT,
    "gemini-1-5-multimodal",
    "图7（图）",
    ("Gemini 1.5 pro多模态能力对比：得分", "Gemini 1.5 Pro on multimodal benchmarks: scores"),
    highlight=("Gemini 1.5 Pro", "Gemini 1.0 Ultra", "Gemini 1.0 Pro"),
    unit=("得分（%；VATEX与VATEX ZH为字幕评分）", "Score (%; VATEX and VATEX ZH are captioning scores)"),
    exclude=("YouCook2",),
    note=(
        "YouCook2为字幕评分，超过100，未画：1.0 Pro 123.2、1.0 Ultra 135.4、1.5 Pro 134.2",
        "YouCook2, a captioning score beyond 100, is left out: 1.0 Pro 123.2, 1.0 Ultra 135.4, 1.5 Pro 134.2",
    ),
    exhibit_id="gemini-1-5-multimodal-dots",
)

gemini_1_5_multimodal = score_table(
    _REPORT,
    "gemini-1-5-multimodal",
    "图7",
    ("Gemini 1.5 pro多模态能力对比", "Gemini 1.5 Pro on multimodal benchmarks"),
    prepare=with_setting,
    note=(
        "得分为%，VATEX、VATEX ZH与YouCook2为字幕评分；括号内为数据划分与测试设定",
        "per cent; VATEX, VATEX ZH and YouCook2 are captioning scores; in brackets the split and the setting",
    ),
)

mixtral = score_dots(
    _REPORT,
    "mixtral-benchmarks",
    "图9、图12",
    ("Mixtral 8x7B标化测试结果", "Mixtral 8x7B benchmark results"),
    highlight=("Mixtral 8x7B", "GPT-3.5", "LLaMA 2 70B"),
    exclude=("MT Bench",),
    note=(
        "MT Bench为10分制，未画：Mixtral 8.30、GPT-3.5 8.32、LLaMA 2 6.86",
        "MT Bench is out of 10 and left out: Mixtral 8.30, GPT-3.5 8.32, LLaMA 2 6.86",
    ),
)

mixtral_table = score_table(
    _REPORT,
    "mixtral-benchmarks",
    "图9、图12（数据）",
    ("Mixtral 8x7B标化测试结果：全部得分", "Mixtral 8x7B benchmark results: all scores"),
    prepare=with_setting,
    note=("得分为%，MT Bench为10分制", "per cent; MT Bench is out of 10"),
    exhibit_id="mixtral-data",
)

lmsys = ranking(
    _REPORT,
    "lmsys-arena-20231222",
    "图10",
    ("LMSys排行榜（2023年12月22日）", "LMSys leaderboard, 22 December 2023"),
    value="arena_elo",
    value_label=("Arena Elo评分", "Arena Elo"),
    highlight=("Mixtral-8x7B-Instruct-v0.1",),
    dots=True,
    subtitle=("Arena Elo评分", "Arena Elo rating"),
)

lmsys_table = printed_table(
    _REPORT,
    "lmsys-arena-20231222",
    "图10（数据）",
    ("LMSys排行榜（2023年12月22日）：Elo、MT-bench与许可", "LMSys leaderboard: Elo, MT-bench and licence"),
    shown=("model", "arena_elo", "mt_bench", "license"),
    labels={"arena_elo": ("Arena Elo评分", "Arena Elo"), "mt_bench": ("MT-bench得分", "MT-bench")},
    exhibit_id="lmsys-data",
)

claude_3 = score_dots(
    _REPORT,
    "claude-3-benchmarks",
    "图16",
    ("Claude3模型的部分测试结果超过GPT-4", "Claude 3 benchmark results"),
    highlight=("Claude 3 Opus", "GPT-4", "Gemini 1.0 Ultra", "Claude 3 Sonnet", "Claude 3 Haiku"),
    unit=("得分（%；DROP为F1）", "Score (%; DROP is F1)"),
    note=("各模型的测试设定见图16（设定）", "the settings of the models are in figure 16 (settings)"),
)

claude_3_table = score_table(
    _REPORT,
    "claude-3-benchmarks",
    "图16（数据）",
    ("Claude3模型的部分测试结果超过GPT-4：全部得分", "Claude 3 benchmark results: all scores"),
    note=("得分为%，DROP为F1", "per cent; DROP is F1"),
    exhibit_id="claude-3-data",
)

claude_3_settings = settings_table(
    _REPORT,
    "claude-3-benchmarks",
    "图16（设定）",
    ("Claude3模型的测试结果：各模型的测试设定", "Claude 3 benchmark results: the settings"),
    exhibit_id="claude-3-settings",
)

llama_2 = score_dots(
    _REPORT,
    "llama-2-vs-closed",
    "图18",
    ("闭源模型基准测试对比结果", "LLaMA 2 against closed models"),
    highlight=("LLaMA 2", "GPT-4", "GPT-3.5", "PaLM-2-L", "PaLM"),
    prepare=with_setting,
    note=("括号内为各模型共同的测试设定", "in brackets the setting all models share"),
)

llama_2_table = score_table(
    _REPORT,
    "llama-2-vs-closed",
    "图18（数据）",
    ("闭源模型基准测试对比结果：全部得分", "LLaMA 2 against closed models: all scores"),
    prepare=with_setting,
    note=("得分为%，原表未印百分号", "per cent, printed without the sign"),
    exhibit_id="llama-2-data",
)

ernie_superglue = score_table(
    _REPORT,
    "ernie-3-superglue",
    "图25",
    ("ERNIE效果对比", "ERNIE 3.0 on SuperGLUE"),
    prepare=with_metric,
    note=("SuperGLUE榜单，2021-07-03；指标名称未印，按SuperGLUE通例", _SUPERGLUE),
)

ernie_chart = score_dots(
    _REPORT,
    "ernie-3-superglue",
    "图25（图）",
    ("ERNIE效果对比：得分", "ERNIE 3.0 on SuperGLUE: scores"),
    highlight=("ERNIE 3.0", "DeBERTa", "T5+Meena", "Human Baseline"),
    unit=("得分", "Score"),
    prepare=with_metric,
    note=("SuperGLUE榜单，2021-07-03；指标名称未印，按SuperGLUE通例", _SUPERGLUE),
    exhibit_id="ernie-dots",
)

abab6 = score_table(
    _REPORT,
    "abab6-benchmarks",
    "图32",
    ("abab6评测数据", "abab6 benchmark results"),
    note=(
        "三项测试的分制不同；Claude为2.1版，Mistral为Medium",
        "three different scales; Claude is 2.1, Mistral is Medium",
    ),
)

abab6_chart = score_dots(
    _REPORT,
    "abab6-benchmarks",
    "图32（图）",
    ("abab6评测数据：占满分的比例", "abab6 benchmark results as a share of full marks"),
    highlight=("abab6", "GPT-4", "Mistral", "Claude", "GPT-3.5"),
    unit=("占满分的百分比", "Per cent of full marks"),
    prepare=_of_full_marks,
    note=(
        "由印出的得分折算：IFEval满分为1，MT-Bench与AlignBench为10；Claude为2.1版，Mistral为Medium",
        "from the printed scores: IFEval is out of 1, MT-Bench and AlignBench of 10; Claude is 2.1, Mistral is Medium",
    ),
    exhibit_id="abab6-dots",
)

baichuan_math = score_dots(
    _REPORT,
    "baichuan-3-math-code",
    "图33",
    ("Baichuan 3中英文、数学和代码评测", "Baichuan 3 on mathematics and code"),
    highlight=("Baichuan 3", "GPT-4", "GPT-3.5"),
    unit=("得分", "Score"),
    note=("正文只有数学与代码两部分", "the text holds the mathematics and code parts only"),
)

baichuan_math_table = score_table(
    _REPORT,
    "baichuan-3-math-code",
    "图33（数据）",
    ("Baichuan 3数学和代码评测：得分与比值", "Baichuan 3 on mathematics and code: scores and ratios"),
    models_down=True,
    ratios=True,
    note=(
        "末两行为印出的比值（%）；GSM8K、MATH为数学，其余为代码",
        "the last two rows are printed ratios (%); GSM8K and MATH are mathematics, the rest code",
    ),
    exhibit_id="baichuan-3-math-data",
)

baichuan_medical = score_dots(
    _REPORT,
    "baichuan-3-medical",
    "图34",
    ("Baichuan 3对齐测试和医疗评测结果", "Baichuan 3 on medical tests"),
    highlight=("Baichuan 3", "GPT-4", "GPT-3.5", "GPT-4 (Med-prompt)"),
    unit=("得分", "Score"),
    prepare=_with_prompting,
    note=("正文只有医疗部分", "the text holds the medical part only"),
)

baichuan_medical_table = score_table(
    _REPORT,
    "baichuan-3-medical",
    "图34（数据）",
    ("Baichuan 3医疗评测结果：得分与比值", "Baichuan 3 on medical tests: scores and ratios"),
    models_down=True,
    ratios=True,
    prepare=_with_prompting,
    note=(
        "末行为印出的比值（倍）；GPT-3.5与首行GPT-4为5 shot；前三项为中文，后三项为英文",
        "the last row is the printed ratio; GPT-3.5 and the first GPT-4 are 5 shot; three Chinese tests, then three English ones",
    ),
    exhibit_id="baichuan-3-medical-data",
)

svd = ranking(
    _REPORT,
    "svd-fvd",
    "图39",
    ("SVD定量比较效果", "Stable Video Diffusion, FVD"),
    value_label=("FVD", "FVD"),
    vendor=None,
    highlight=("SVD",),
    prepare=with_metric,
    subtitle=("UCF-101零样本文生视频，FVD（越低越好）", "UCF-101, zero-shot text-to-video; lower FVD is better"),
    note=("正文只有FVD一表，并列的人评图为图片", "the human-preference chart beside the table is a picture"),
)

videopoet = score_table(
    _REPORT,
    "videopoet-benchmarks",
    "图41",
    ("VideoPoet测评效果", "VideoPoet benchmark results"),
    models_down=True,
    prepare=with_metric,
    note=("FVD越低越好，CLIPSIM与IS越高越好", "lower FVD is better, higher CLIPSIM and IS are"),
)

animate_fashion = score_table(
    _REPORT,
    "animate-anyone-fashion",
    "图48",
    ("Animate Anyone时装视频合成测试结果", "Animate Anyone on fashion video"),
    models_down=True,
    prepare=_by_metric,
    note=_METRIC_NOTE,
)

animate_dance = score_table(
    _REPORT,
    "animate-anyone-dance",
    "图49",
    ("Animate Anyone舞蹈视频合成测试结果", "Animate Anyone on human dance"),
    models_down=True,
    prepare=_by_metric,
    note=_METRIC_NOTE,
)
