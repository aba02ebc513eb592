"""Exhibits of 天风证券, 大模型生态加速突破，2024年应用元年有望到来 (9 March 2024)."""

from __future__ import annotations

from datetime import date

from aitheme.exhibits.baskets import after_lines, basket_lines, basket_members, basket_summary
from aitheme.exhibits.companies import capex_columns
from aitheme.exhibits.figures import figures_table
from aitheme.exhibits.outcomes import rating_outcome
from aitheme.exhibits.printed import printed_table, rating_scale
from aitheme.exhibits.quotes import sector_line as _sector_line
from aitheme.exhibits.register import exhibit_register
from aitheme.exhibits.tfzq_scores import (
    abab6,
    abab6_chart,
    animate_dance,
    animate_fashion,
    baichuan_math,
    baichuan_math_table,
    baichuan_medical,
    baichuan_medical_table,
    claude_3,
    claude_3_settings,
    claude_3_table,
    ernie_chart,
    ernie_superglue,
    gemini_1_5_core,
    gemini_1_5_core_table,
    gemini_1_5_multimodal,
    gemini_1_5_multimodal_chart,
    gemini_text,
    gemini_text_chart,
    gemini_text_settings,
    llama_2,
    llama_2_table,
    lmsys,
    lmsys_table,
    mixtral,
    mixtral_table,
    svd,
    videopoet,
)
from aitheme.exhibits.timelines import release_timeline

__all__ = ["EXHIBITS"]

_REPORT = "tfzq-20240309"
_BASKETS = tuple(
    f"{_REPORT}/{name}"
    for name in ("office", "multimodal", "enterprise", "finance-education-medical", "infrastructure")
)

sector_line = _sector_line(
    _REPORT,
    "封面图",
    ("行业走势图", "Computer sector against the market"),
    printed=(
        "原图为图片，文字只注来源聚源数据，未写明指数",
        "the print is a picture; its text names Gildata, not the index",
    ),
)

gemini_sizes = printed_table(
    _REPORT,
    "gemini-sizes",
    "图3",
    ("Gemini模型有三种等级的参数", "The three sizes of Gemini"),
    labels={"positioning": ("定位（改写）", "Positioning (reworded)")},
)

gpt_4v_vs_gemini = printed_table(_REPORT, "gpt-4v-vs-gemini", "表1", ("GPT-4V与Gemini对比", "GPT-4V against Gemini"))


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

_FISCAL = (
    "原题的2021财年Q2至2023财年Q2按正文所引业绩即公历21Q4至23Q4；正文所称新高含融资租赁，此处为购置现金",
    "fiscal 2021 Q2 to 2023 Q2 of the print is calendar 21Q4 to 23Q4; its record includes leases, the bars are cash paid",
)
capex_meta = capex_columns(
    _REPORT,
    "capex-meta",
    "图54",
    ("Meta季度资本性支出", "Quarterly capital expenditure of Meta"),
    "META.US",
    since="21Q2",
)
capex_microsoft = capex_columns(
    _REPORT,
    "capex-microsoft",
    "图55",
    ("Microsoft季度资本性支出", "Quarterly capital expenditure of Microsoft"),
    "MSFT.US",
    since="21Q4",
    note=_FISCAL,
)
capex_google = capex_columns(
    _REPORT,
    "capex-google",
    "图56",
    ("Google季度资本性支出", "Quarterly capital expenditure of Google"),
    "GOOGL.US",
    since="21Q2",
    check=("23Q4", 11.0),
)
capex_amazon = capex_columns(
    _REPORT,
    "capex-amazon",
    "图57",
    ("Amazon季度资本性支出", "Quarterly capital expenditure of Amazon"),
    "AMZN.US",
    since="21Q2",
    check=("2023", 48.4),
)
capex_statements = printed_table(
    _REPORT,
    "capex-statements",
    "正文",
    ("海外四家公司资本支出表述", "Statements on capital expenditure of the four companies"),
    shown=("company", "period", "item", "value", "unit", "as_printed", "statement"),
)

gpts_trending = printed_table(
    _REPORT,
    "gpts-trending-20240205",
    "图52",
    ("GPTs覆盖领域和趋势榜（2024年2月5日）", "GPTs on the trending list, 5 February 2024"),
    shown=("gpt", "use"),
    labels={"gpt": ("GPT名称", "GPT")},
    note=("原为图片，此处为正文点名者", "a picture in the print; these are the names the text gives"),
)

figures = figures_table(_REPORT, ("报告引用的数字", "Figures the report quotes"))

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
    sector_line, gemini_sizes, gemini_text_chart, gemini_text, gemini_text_settings, gemini_1_5_core, gemini_1_5_core_table,
    gemini_1_5_multimodal_chart, gemini_1_5_multimodal, mixtral, mixtral_table, lmsys, lmsys_table,
    gpt_4v_vs_gemini, claude_3, claude_3_table, claude_3_settings, claude_prices,
    llama_family, llama_2, llama_2_table, llama_training, ernie_chart, ernie_superglue, abab6_chart, abab6,
    baichuan_math, baichuan_math_table, baichuan_medical, baichuan_medical_table,
    svd, videopoet, animate_fashion, animate_dance, gpts_trending,
    capex_meta, capex_microsoft, capex_google, capex_amazon, capex_statements, figures, timeline, register,
    lines_of_baskets, summary_of_baskets, members_of_baskets, after_publication, ratings, scale,
)  # fmt: skip
