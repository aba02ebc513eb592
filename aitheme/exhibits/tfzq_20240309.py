"""Exhibits of 天风证券, 大模型生态加速突破，2024年应用元年有望到来 (9 March 2024)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from aitheme.exhibits.baskets import after_lines, basket_lines, basket_members, basket_summary
from aitheme.exhibits.companies import capex_columns
from aitheme.exhibits.outcomes import rating_outcome
from aitheme.exhibits.printed import printed_table, rating_scale
from aitheme.exhibits.quotes import sector_line as _sector_line
from aitheme.exhibits.register import exhibit_register
from aitheme.exhibits.scores import ranking, score_dots, score_table, with_metric
from aitheme.exhibits.timelines import release_timeline

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EXHIBITS"]

_REPORT = "tfzq-20240309"
_BASKETS = tuple(
    f"{_REPORT}/{name}"
    for name in ("office", "multimodal", "enterprise", "finance-education-medical", "infrastructure")
)


def _with_prompting(data: pd.DataFrame) -> pd.DataFrame:
    """Tell the two GPT-4 rows apart by their setting."""
    prompted = data["setting"].eq("Med-prompt").fillna(value=False)
    return data.assign(model=data["model"].where(~prompted, data["model"] + " (Med-prompt)"))


def _percent(data: pd.DataFrame) -> pd.DataFrame:
    """Keep the tests scored in per cent."""
    return data[data["unit"] == "%"]


def _by_metric(data: pd.DataFrame) -> pd.DataFrame:
    """Take each metric as a test, with an arrow to its better side."""
    arrows = data["better"].map({"higher": " ↑", "lower": " ↓"}).fillna("")
    return data.assign(benchmark=data["metric"] + arrows)


_METRIC_NOTE = ("箭头为更好的方向", "arrows point to the better side")

sector_line = _sector_line(_REPORT, "封面图", ("行业走势图", "Computer sector against the market"))

gemini_sizes = printed_table(
    _REPORT, "gemini-sizes", "图3", ("Gemini模型有三种等级的参数", "The three sizes of Gemini")
)

gemini_text = score_table(
    _REPORT,
    "gemini-benchmarks",
    "图4",
    ("Gemini基准测试量化结果", "Gemini on text benchmarks"),
    prepare=with_metric,
    note=("各模型的测试设定不尽相同", "the settings of the models differ"),
)

gemini_1_5_core = score_dots(
    _REPORT,
    "gemini-1-5-core",
    "图6",
    ("Gemini 1.5 pro拟人（humaneval）能力对比", "Gemini 1.5 Pro on core capabilities"),
    highlight=("Gemini 1.5 Pro", "Gemini 1.0 Ultra", "Gemini 1.0 Pro"),
    prepare=_percent,
    note=(
        "WMT23以BLEURT计，未画：1.0 Pro 71.7、1.0 Ultra 74.4、1.5 Pro 75.2",
        "WMT23 is in BLEURT and left out: 1.0 Pro 71.7, 1.0 Ultra 74.4, 1.5 Pro 75.2",
    ),
)

gemini_1_5_multimodal = score_table(
    _REPORT,
    "gemini-1-5-multimodal",
    "图7",
    ("Gemini 1.5 pro多模态能力对比", "Gemini 1.5 Pro on multimodal benchmarks"),
    note=("各测试的分制不同", "the tests use different scales"),
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

lmsys = ranking(
    _REPORT,
    "lmsys-arena-20231222",
    "图10",
    ("LMSys排行榜（2023年12月22日）", "LMSys leaderboard, 22 December 2023"),
    value="arena_elo",
    value_label=("Arena Elo评分", "Arena Elo"),
    highlight=("Mixtral-8x7B-Instruct-v0.1",),
    digits=0,
    dots=True,
    subtitle=("Arena Elo评分", "Arena Elo rating"),
)

gpt_4v_vs_gemini = printed_table(_REPORT, "gpt-4v-vs-gemini", "表1", ("GPT-4V与Gemini对比", "GPT-4V against Gemini"))

claude_3 = score_dots(
    _REPORT,
    "claude-3-benchmarks",
    "图16",
    ("Claude3模型的部分测试结果超过GPT-4", "Claude 3 benchmark results"),
    highlight=("Claude 3 Opus", "GPT-4", "Gemini 1.0 Ultra", "Claude 3 Sonnet", "Claude 3 Haiku"),
    unit=("得分（%；DROP为F1）", "Score (%; DROP is F1)"),
    note=("各模型的测试设定不尽相同", "the settings of the models differ"),
)

claude_prices = printed_table(
    _REPORT,
    "claude-3-pricing",
    "正文",
    ("Claude 3三款模型的价格与定位", "Prices and positions of the Claude 3 models"),
    labels={
        "input_usd_per_mtok": ("输入价（美元/百万token）", "Input (USD per 1m tokens)"),
        "output_usd_per_mtok": ("输出价（美元/百万token）", "Output (USD per 1m tokens)"),
    },
)

llama_family = printed_table(
    _REPORT, "llama-family", "图17", ("LLaMA1与LLaMA2模型家族的参数和性能等", "The LLaMA 1 and LLaMA 2 families")
)
llama_training = printed_table(
    _REPORT, "llama-2-training", "图19", ("LLaMA2软硬件投入", "Hardware and software behind LLaMA 2")
)

llama_2 = score_dots(
    _REPORT,
    "llama-2-vs-closed",
    "图18",
    ("闭源模型基准测试对比结果", "LLaMA 2 against closed models"),
    highlight=("LLaMA 2", "Llama 2", "GPT-4", "GPT-3.5", "PaLM-2-L", "PaLM"),
    note=("各模型的测试设定不尽相同", "the settings of the models differ"),
)

ernie_superglue = score_table(
    _REPORT,
    "ernie-3-superglue",
    "图25",
    ("ERNIE效果对比", "ERNIE 3.0 on SuperGLUE"),
    prepare=with_metric,
    note=("SuperGLUE榜单，2021-07-03", "SuperGLUE leaderboard of 3 July 2021"),
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

baichuan_math = score_dots(
    _REPORT,
    "baichuan-3-math-code",
    "图33",
    ("Baichuan 3中英文、数学和代码评测", "Baichuan 3 on mathematics and code"),
    highlight=("Baichuan 3", "GPT-4", "GPT-3.5"),
    unit=("得分", "Score"),
    note=("正文只有数学与代码两部分", "the text holds the mathematics and code parts only"),
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

svd = score_table(
    _REPORT,
    "svd-fvd",
    "图39",
    ("SVD定量比较效果", "Stable Video Diffusion, FVD"),
    prepare=with_metric,
    note=("FVD越低越好", "lower FVD is better"),
)
videopoet = score_table(
    _REPORT,
    "videopoet-benchmarks",
    "图41",
    ("VideoPoet测评效果", "VideoPoet benchmark results"),
    prepare=with_metric,
    note=("FVD越低越好，CLIPSIM与IS越高越好", "lower FVD is better, higher CLIPSIM and IS are"),
)
animate_fashion = score_table(
    _REPORT,
    "animate-anyone-fashion",
    "图48",
    ("Animate Anyone时装视频合成测试结果", "Animate Anyone on fashion video"),
    prepare=_by_metric,
    note=_METRIC_NOTE,
)
animate_dance = score_table(
    _REPORT,
    "animate-anyone-dance",
    "图49",
    ("Animate Anyone舞蹈视频合成测试结果", "Animate Anyone on human dance"),
    prepare=_by_metric,
    note=_METRIC_NOTE,
)

_CALENDAR = ("横轴为公历季度，与公司财年标注不同", "quarters are calendar quarters, not fiscal ones")
capex_meta = capex_columns(
    _REPORT, "capex-meta", "图54", ("Meta季度资本性支出", "Quarterly capital expenditure of Meta"), "META.US"
)
capex_microsoft = capex_columns(
    _REPORT,
    "capex-microsoft",
    "图55",
    ("Microsoft季度资本性支出", "Quarterly capital expenditure of Microsoft"),
    "MSFT.US",
    note=_CALENDAR,
)
capex_google = capex_columns(
    _REPORT,
    "capex-google",
    "图56",
    ("Google季度资本性支出", "Quarterly capital expenditure of Google"),
    "GOOGL.US",
    check=("23Q4", 11.0),
)
capex_amazon = capex_columns(
    _REPORT,
    "capex-amazon",
    "图57",
    ("Amazon季度资本性支出", "Quarterly capital expenditure of Amazon"),
    "AMZN.US",
    check=("2023", 48.4),
)
capex_statements = printed_table(
    _REPORT,
    "capex-statements",
    "正文",
    ("海外四家公司资本支出表述", "Statements on capital expenditure of the four companies"),
    shown=("company", "period", "item", "value", "unit", "as_printed", "statement"),
)

timeline = release_timeline(
    _REPORT,
    "release-timeline",
    "正文",
    ("报告写明日期的模型与产品发布（2023年10月起）", "Releases the report dates, from October 2023"),
    since=date(2023, 10, 1),
    note=("只画有确切日期者", "only those with an exact day"),
)

lines_of_baskets = basket_lines(
    _REPORT, "basket-lines", "附图", ("五个方向篮子一年走势", "The five baskets over a year"), baskets=_BASKETS
)
summary_of_baskets = basket_summary(_REPORT, "附表", baskets=_BASKETS)
members_of_baskets = basket_members(_REPORT, "附表", ("建议关注标的", "Suggested names"), baskets=_BASKETS)
after_publication = after_lines(_REPORT, baskets=_BASKETS)
ratings = rating_outcome(_REPORT)
scale = rating_scale(_REPORT)
register = exhibit_register(_REPORT)

EXHIBITS = (
    sector_line, gemini_sizes, gemini_text, gemini_1_5_core, gemini_1_5_multimodal, mixtral, lmsys,
    gpt_4v_vs_gemini, claude_3, claude_prices,
    llama_family, llama_2, llama_training, ernie_superglue, abab6, baichuan_math, baichuan_medical,
    svd, videopoet, animate_fashion, animate_dance,
    capex_meta, capex_microsoft, capex_google, capex_amazon, capex_statements, timeline, register,
    lines_of_baskets, summary_of_baskets, members_of_baskets, after_publication, ratings, scale,
)  # fmt: skip
