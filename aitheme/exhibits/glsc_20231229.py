"""Exhibits of 国联证券, 计算机周报：AIGC 产业链近况更新 (29 December 2023)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from aitheme.exhibits.baskets import after_lines, basket_lines, basket_members, basket_summary
from aitheme.exhibits.outcomes import rating_outcome
from aitheme.exhibits.printed import printed_table, rating_scale
from aitheme.exhibits.quotes import sector_line as _sector_line
from aitheme.exhibits.register import exhibit_register
from aitheme.exhibits.scores import score_dots, score_table
from aitheme.exhibits.timelines import release_timeline

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EXHIBITS"]

_REPORT = "glsc-20231229"
_LINES = tuple(f"{_REPORT}/{name}" for name in ("compute", "models", "applications"))
_ALL = (*_LINES, *(f"{_REPORT}/{name}" for name in ("audio-video", "image", "office", "vertical")))


def _percent(data: pd.DataFrame) -> pd.DataFrame:
    """Keep the tests scored in per cent."""
    return data[data["unit"] == "percent"]


sector_line = _sector_line(_REPORT, "封面图", ("相对大盘走势", "Computer sector against the market"))

h200 = printed_table(
    _REPORT,
    "h200",
    "图表3",
    ("英伟达 H200 计算和推理能力显著提升", "NVIDIA H200 against H100"),
    note=("原图为图片，倍数取自正文", "the print is a picture; the multiples are from the text"),
)

mtt_s4000 = printed_table(
    _REPORT,
    "mtt-s4000",
    "图表4",
    ("摩尔线程 MTT S4000 智算加速卡发布", "The Moore Threads MTT S4000"),
    note=("原图为图片，参数取自正文", "the print is a picture; the figures are from the text"),
)

gemini_text = score_dots(
    _REPORT,
    "gemini-text-benchmarks",
    "图表17",
    ("Gemini Ultra 文本性能领先", "Gemini Ultra on text benchmarks"),
    highlight=("Gemini Ultra", "GPT-4", "Gemini Pro"),
    prepare=_percent,
    note=(
        "DROP（F1）与WMT23（BLEURT）不以百分比计，见随附数据表",
        "DROP (F1) and WMT23 (BLEURT) are not in per cent and stand in the table",
    ),
)

gemini_text_table = score_table(
    _REPORT,
    "gemini-text-benchmarks",
    "图表17（数据）",
    ("Gemini Ultra 文本性能：全部得分", "Gemini Ultra on text benchmarks: all scores"),
    note=(
        "DROP为F1，WMT23为BLEURT，其余为%；各模型设置不尽相同",
        "DROP is F1, WMT23 is BLEURT, the rest per cent; settings differ",
    ),
    exhibit_id="gemini-text-scores",
)

gemini_multimodal = score_dots(
    _REPORT,
    "gemini-multimodal-benchmarks",
    "图表18",
    ("Gemini Ultra 多模态性能领先", "Gemini Ultra on multimodal benchmarks"),
    highlight=("Gemini Ultra", "GPT-4V", "Gemini Pro", "Prior SOTA"),
    note=(
        "MMMU一格印有两个成绩，取pass@1；AI2D与VQAv2此前的微调模型高于Gemini Ultra",
        "MMMU is printed twice, pass@1 is drawn; earlier fine-tuned models lead on AI2D and VQAv2",
    ),
)

timeline = release_timeline(
    _REPORT,
    "release-timeline",
    "正文",
    ("2023年下半年AIGC产业链大事", "The AIGC chain in the second half of 2023"),
    since=date(2023, 7, 1),
    until=date(2023, 12, 31),
    note=("由正文写明日期的事件汇总", "compiled from the events the text dates"),
)

openai_prices = printed_table(
    _REPORT,
    "openai-prices",
    "正文",
    ("OpenAI 开发者大会降价", "OpenAI price cuts"),
    labels={"cents_per_1k": ("价格（美分/千token）", "Price (US cents per 1,000 tokens)")},
)

openai_plan = printed_table(
    _REPORT,
    "openai-2024-plan",
    "图表19",
    ("OpenAI 公布 2024 年计划", "OpenAI goals for 2024"),
    shown=("no", "goal_zh", "goal_en"),
)

uec_members = printed_table(
    _REPORT,
    "uec-members",
    "图表9、12",
    ("超以太网联盟（UEC）早期创始成员与陆续加入的中国企业", "Ultra Ethernet Consortium: founders and Chinese members"),
    shown=("member_zh", "member_en", "symbol", "role", "category_zh", "joined"),
    note=("原图为图片，名单取自正文，均以“等”收尾", "the prints are pictures; the lists in the text are open ones"),
)

lines_of_baskets = basket_lines(
    _REPORT,
    "basket-lines",
    "附图",
    ("算力、模型、应用三条主线一年走势", "Compute, models and applications over a year"),
    baskets=_LINES,
)
summary_of_baskets = basket_summary(_REPORT, "附表", baskets=_ALL)
members_of_baskets = basket_members(_REPORT, "附表", ("三条主线标的", "Names of the three lines"), baskets=_LINES)
after_publication = after_lines(_REPORT, baskets=_LINES)
ratings = rating_outcome(_REPORT)
scale = rating_scale(_REPORT)
register = exhibit_register(_REPORT)

EXHIBITS = (
    sector_line, h200, mtt_s4000, uec_members, gemini_text, gemini_text_table,
    gemini_multimodal, openai_plan, openai_prices, timeline,
    register,
    lines_of_baskets, summary_of_baskets, members_of_baskets, after_publication, ratings, scale,
)  # fmt: skip
