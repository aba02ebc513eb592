"""Exhibits of 国联证券, 计算机周报：AIGC 产业链近况更新 (29 December 2023)."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

from aitheme.exhibits.base import Content, Context, exhibit
from aitheme.exhibits.baskets import after_lines, basket_lines, basket_members, basket_summary
from aitheme.exhibits.columns import Column
from aitheme.exhibits.figures import figures_table
from aitheme.exhibits.native import NativeChart
from aitheme.exhibits.outcomes import rating_outcome
from aitheme.exhibits.printed import printed_source, printed_table, rating_scale, registry_table
from aitheme.exhibits.quotes import sector_line as _sector_line
from aitheme.exhibits.register import exhibit_register
from aitheme.exhibits.scores import score_dots
from aitheme.exhibits.scoretables import score_table, settings_table
from aitheme.exhibits.timelines import release_timeline

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from aitheme.charts.frame import Heading

__all__ = ["EXHIBITS"]

_REPORT = "glsc-20231229"
_LINES = tuple(f"{_REPORT}/{name}" for name in ("compute", "models", "applications"))
_ALL = (*_LINES, *(f"{_REPORT}/{name}" for name in ("audio-video", "image", "office", "vertical")))


def _percent(data: pd.DataFrame) -> pd.DataFrame:
    """Keep the tests scored in per cent."""
    return data[data["unit"] == "percent"]


def _joined(data: pd.DataFrame, *parts: str) -> pd.Series[str]:
    """Join the filled cells of a row."""
    return data[list(parts)].apply(lambda row: ", ".join(str(cell) for cell in row.dropna()), axis=1).astype("string")


def _text_settings(data: pd.DataFrame) -> pd.DataFrame:
    """Add the origin of a score and its printed asterisks to its setting."""
    return data.assign(setting=_joined(data, "setting", "origin") + data["mark"].fillna(""))


def _majority_apart(data: pd.DataFrame) -> pd.DataFrame:
    """Set the second score of a cell printed with two apart, as a test of its own."""
    second = data["setting"].eq("Maj1@32").fillna(value=False)
    return data.assign(benchmark=data["benchmark"].mask(second, data["benchmark"] + " (Maj1@32)"))


def _multimodal_settings(data: pd.DataFrame) -> pd.DataFrame:
    """Add the holder of a prior record and what the model saw to the setting of a score."""
    return _majority_apart(data).assign(setting=_joined(data, "holder", "setting", "input"))


_PICTURE = ("原图为图片，内容取自正文（改写）", "the print is a picture; the content is from the text, reworded")

sector_line = _sector_line(
    _REPORT,
    "封面图",
    ("相对大盘走势", "Computer sector against the market"),
    printed=("原图为图片，文字未写明指数与来源", "the print is a picture; its text names neither index nor vendor"),
)

h200 = printed_table(
    _REPORT,
    "h200",
    "图表3",
    ("英伟达 H200 计算和推理能力显著提升", "NVIDIA H200 against H100"),
    note=(
        "原图为图片，倍数取自正文；正文写作“提高了”1.4、1.8倍，此处读作H100的倍数",
        "the print is a picture; the text says increased by 1.4 and 1.8 times, read here as multiples of H100",
    ),
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

gemini_text_settings = settings_table(
    _REPORT,
    "gemini-text-benchmarks",
    "图表17（设定）",
    ("Gemini Ultra 文本性能：各得分的设定", "Gemini Ultra on text benchmarks: settings of the scores"),
    prepare=_text_settings,
    note=(
        "星号照印，报告未印其脚注；报告把Inflection-2印作Infection-2",
        "asterisks as printed, without their footnotes; the report spells Inflection-2 as Infection-2",
    ),
    exhibit_id="gemini-text-settings",
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

gemini_multimodal_table = score_table(
    _REPORT,
    "gemini-multimodal-benchmarks",
    "图表18（数据）",
    ("Gemini Ultra 多模态性能：全部得分", "Gemini Ultra on multimodal benchmarks: all scores"),
    prepare=_majority_apart,
    note=("得分为%；各模型设置不尽相同", "scores in per cent; settings differ"),
    exhibit_id="gemini-multimodal-scores",
)

gemini_multimodal_settings = settings_table(
    _REPORT,
    "gemini-multimodal-benchmarks",
    "图表18（设定）",
    ("Gemini Ultra 多模态性能：各得分的设定", "Gemini Ultra on multimodal benchmarks: settings of the scores"),
    prepare=_multimodal_settings,
    note=(
        "TextVQA此前最佳报告印Google PaLI-X，据原论文作PaLI-3",
        "the report prints Google PaLI-X as prior best on TextVQA, the paper PaLI-3",
    ),
    exhibit_id="gemini-multimodal-settings",
)

timeline = release_timeline(
    _REPORT,
    "release-timeline",
    "正文",
    ("2023年下半年AIGC产业链大事", "The AIGC chain in the second half of 2023"),
    since=date(2023, 7, 1),
    until=date(2023, 12, 31),
    note=(
        "由正文写明日期的事件汇总；H200、Emu Video、SVD、Pika、Gemini与纽约时报起诉所印为当地日期，北京晚一天",
        "events the text dates; H200, Emu Video, SVD, Pika, Gemini and the lawsuit are printed by local date, a day earlier",
    ),
)


@exhibit(_REPORT, "openai-prices", "正文", ("OpenAI 开发者大会降价", "OpenAI price cuts"))
def openai_prices(context: Context) -> Content:
    """Draw the prices of GPT-4 Turbo beside those of GPT-4, which the printed ratios give."""
    import pandas as pd

    meta, table = registry_table(context, "openai-prices")
    priced = table[table["cents_per_1k"].notna()]
    ratios = [float(Fraction(ratio)) for ratio in priced["ratio_to_gpt4"]]
    new = priced["cents_per_1k"].astype(float).to_numpy()
    names = [
        f"GPT-4 → {model} {context.t(*_ITEMS[item])}"
        for model, item in zip(priced["model"], priced["direction"], strict=True)
    ]
    data = pd.DataFrame({"item": names, "old": new / ratios, "new": new, "ratio": priced["ratio_to_gpt4"].to_numpy()})
    data["change"] = data["new"] / data["old"] - 1.0
    unit = context.t(*_CENTS)

    def draw(heading: Heading) -> alt.LayerChart:
        from aitheme.charts.dots import dumbbells
        from aitheme.charts.frame import HALF

        ends = (context.t("GPT-4（倒算）", "GPT-4 (computed)"), "GPT-4 Turbo")
        return dumbbells(
            data.set_index("item")[["old", "new", "change"]], heading, names=ends, unit=unit, log=False, size=HALF
        )

    columns = {
        "item": Column("项目", "Item"),
        "old": Column(f"GPT-4（{_CENTS[0]}，倒算）", f"GPT-4 ({_CENTS[1]}, computed)", "number"),
        "new": Column(f"GPT-4 Turbo（{_CENTS[0]}）", f"GPT-4 Turbo ({_CENTS[1]})", "number"),
        "ratio": Column("所印比例", "Printed ratio"),
        "change": Column("变动（计算）", "Change (computed)", "change"),
    }
    note = context.t(
        "GPT-4原价未印，由所印的1/3、1/2倒算；GPT-3.5 Turbo 16k只写降价，没有数字",
        "the prices of GPT-4 are not printed but follow from the ratios; GPT-3.5 Turbo 16k got cheaper, too, without a number",
    )
    subtitle = context.t(f"{unit}，11月7日", f"{unit}, 7 November 2023")
    native = NativeChart("bar", "item", ("old", "new"))
    return Content(data, columns, *printed_source(context, meta), subtitle, note, None, draw, native, from_market=False)


_CENTS = ("美分/千token", "US cents per 1,000 tokens")
_ITEMS = {"input": ("输入", "input"), "output": ("输出", "output")}

openai_plan = printed_table(
    _REPORT,
    "openai-2024-plan",
    "图表19",
    ("OpenAI 公布 2024 年计划", "OpenAI goals for 2024"),
    shown=("no", "goal_zh", "goal_en"),
    note=(
        "原图为图片，目标取自正文（12月24日）；第4项当指速率限制",
        "the print is a picture; the goals are from the text (24 December)",
    ),
)

uec_members = printed_table(
    _REPORT,
    "uec-members",
    "图表9、12",
    ("超以太网联盟（UEC）早期创始成员与陆续加入的中国企业", "Ultra Ethernet Consortium: founders and Chinese members"),
    shown=("member_zh", "member_en", "symbol", "role", "category_zh", "joined"),
    note=("原图为图片，名单取自正文，均以“等”收尾", "the prints are pictures; the lists in the text are open ones"),
)

kuae_solution = printed_table(
    _REPORT, "kuae-solution", "图表5", ("摩尔线程 KUAE 智算中心软硬一体解决方案", "The KUAE solution"), note=_PICTURE
)

kuae_training = printed_table(
    _REPORT,
    "kuae-training",
    "正文",
    ("摩尔线程 KUAE 千卡集群训练数据", "Training on the KUAE cluster"),
    labels={
        "params_b": ("参数（十亿）", "Parameters (bn)"),
        "data_b": ("训练数据（十亿）", "Training data (bn)"),
    },
    note=("训练天数以2000亿训练数据量为前提", "days of training assume 200 billion units of training data"),
)

pc_vs_aipc = printed_table(
    _REPORT, "pc-vs-aipc", "图表6", ("传统 PC 与 AIPC 产业生态差异", "Traditional PC and AI PC"), note=_PICTURE
)

ai_pc_products = printed_table(
    _REPORT, "ai-pc-products", "图表7", ("联想上市两款 AI PC 产品", "Two AI PCs of Lenovo"), note=_PICTURE
)

rdma_protocols = printed_table(
    _REPORT,
    "rdma-protocols",
    "图表8",
    ("当前 AI 训练算力网络技术路线汇总", "Network protocols for AI training"),
    note=_PICTURE,
)

uec_groups = printed_table(
    _REPORT, "uec-working-groups", "图表10", ("超以太网联盟工作组设置", "Working groups of the UEC"), note=_PICTURE
)

uet_improvements = printed_table(
    _REPORT,
    "uet-improvements",
    "图表11",
    ("超以太网传输协议（UET）主要改进方向", "Main improvements of Ultra Ethernet Transport"),
    labels={"item_zh": ("改进方向（改写）", "Improvement (reworded)")},
    shown=("no", "item_zh"),
)

figures = figures_table(
    _REPORT, ("报告引用的市场规模、硬件与模型数字", "Market, hardware and model figures the report quotes")
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
    sector_line, h200, mtt_s4000, kuae_solution, kuae_training, pc_vs_aipc, ai_pc_products, rdma_protocols, uec_members,
    uec_groups, uet_improvements, gemini_text, gemini_text_table, gemini_text_settings, gemini_multimodal,
    gemini_multimodal_table, gemini_multimodal_settings, openai_plan, openai_prices, timeline, figures, register,
    lines_of_baskets, summary_of_baskets, members_of_baskets, after_publication, ratings, scale,
)  # fmt: skip
