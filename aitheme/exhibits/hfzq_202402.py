"""Exhibits of 华福证券, 多模态，AI大模型新一轮革命 (February 2024)."""

from __future__ import annotations

from aitheme.exhibits.baskets import after_lines, basket_lines, basket_members, basket_summary
from aitheme.exhibits.figures import figures_table
from aitheme.exhibits.outcomes import rating_outcome
from aitheme.exhibits.printed import printed_table, rating_scale
from aitheme.exhibits.quotes import sector_line as _sector_line
from aitheme.exhibits.register import exhibit_register
from aitheme.exhibits.scores import price_cuts as _price_cuts
from aitheme.exhibits.scores import price_table, ranking, score_dots
from aitheme.exhibits.scoretables import score_table
from aitheme.exhibits.timelines import history_timeline, release_timeline

__all__ = ["EXHIBITS"]

_REPORT = "hfzq-202402"
_BASKETS = tuple(f"{_REPORT}/{name}" for name in ("multimodal", "office", "education-ecommerce-medical"))
_PARTS = tuple(f"{_REPORT}/{name}" for name in ("education", "ecommerce", "medical"))
_SIDES = (
    "input_text",
    "input_image",
    "input_audio",
    "input_video",
    "output_text",
    "output_image",
    "output_audio",
    "output_video",
)

sector_line = _sector_line(
    _REPORT,
    "封面图",
    ("一年内行业相对大盘走势", "Computer sector against the market over a year"),
    printed=("原图为图片，文字未写明指数与来源", "the print is a picture; its text names neither index nor vendor"),
)

gpt_history = printed_table(
    _REPORT,
    "gpt-history",
    "图表7",
    ("GPT 历次更新梳理", "GPT release history"),
    shown=("model", "released_printed", "parameters_printed", "dataset", *_SIDES),
    flags=_SIDES,
    labels={"released_printed": ("发布时间", "Released"), "parameters_printed": ("参数量", "Parameters")},
    note=(
        "GPT-5为报告当时的预期；横线照印，为未披露；GPT-3.5与GPT4的数据集为改写",
        "GPT-5 is what the report expected; a dash, as printed, is not disclosed; data sets of GPT-3.5 and GPT4 reworded",
    ),
)

gpt_timeline = history_timeline(
    _REPORT,
    "gpt-timeline",
    "gpt-history",
    "图表7（时间线）",
    ("GPT 历次更新", "GPT releases"),
    when="released",
    what="model",
)

gpt_4_mix = ranking(
    _REPORT,
    "gpt-4-pretraining-mix",
    "图表8",
    ("GPT-4 数据集构成（预测）：预训练权重", "GPT-4 data sets (expected): weights in pre-training"),
    name="dataset",
    value="weight_pct",
    value_label=("权重（%）", "Weight (%)"),
    vendor=None,
    subtitle=("训练中的权重（%）", "Weight in training (%)"),
)

gpt_4_mix_table = printed_table(
    _REPORT,
    "gpt-4-pretraining-mix",
    "图表8（数据）",
    ("GPT-4 数据集构成（预测）：预训练语料", "GPT-4 data sets (expected): the pre-training mix"),
    labels={
        "tokens_billion": ("token数（十亿）", "Tokens (bn)"),
        "weight_pct": ("训练配比（%）", "Weight (%)"),
        "epochs_at_300b_tokens": ("训满3000亿token的轮数", "Epochs at 300bn tokens"),
    },
    note=("权重相加为101%，照印", "the weights add up to 101%, as printed"),
    exhibit_id="gpt-4-mix-data",
)

gpt_4_labelled = printed_table(
    _REPORT,
    "gpt-4-labelled-sets",
    "图表8（微调）",
    ("GPT-4 数据集构成（预测）：SFT、RM与PPO数据集", "GPT-4 data sets (expected): SFT, RM and PPO sets"),
    labels={"set_size_printed": ("标注规模", "Set size"), "count": ("个数", "Count")},
    note=(
        "RM一栏原印6BRM，即60亿参数的奖励模型",
        "the RM set is printed as 6BRM, a reward model of six billion parameters",
    ),
)

gpt_4_structure = printed_table(
    _REPORT,
    "gpt-4-dataset-structure",
    "图表8（结构）",
    ("GPT-4 数据集构成（预测）：各段用途", "GPT-4 data sets (expected): what each part is for"),
    labels={"detail": ("补充（改写）", "Detail (reworded)")},
)

gemini_cooking = printed_table(
    _REPORT,
    "gemini-cooking",
    "图表20",
    ("Gemini 处理做菜任务", "Gemini on a cooking task"),
    flags=("has_image",),
    labels={"has_image": ("配图", "Picture")},
    note=("原文为英文，此处为大意", "the gist of the English original"),
)

gemini_win_rates = printed_table(
    _REPORT,
    "gemini-1-5-win-rates",
    "图表26",
    ("Gemini 1.5 Pro 在基准测试中性能领先", "Gemini 1.5 Pro win rates against Gemini 1.0"),
)

gemini_wins = ranking(
    _REPORT,
    "gemini-1-5-win-rates",
    "图表26（图）",
    ("Gemini 1.5 Pro 对 1.0 的胜率", "Gemini 1.5 Pro win rates against 1.0"),
    name="capability",
    value="win_rate_pct",
    value_label=("胜率（%）", "Win rate (%)"),
    vendor="baseline",
    subtitle=("胜出测试所占比例（%），括号内为对手", "Share of benchmarks won (%), against the model in brackets"),
    note=("长上下文一项只印上下文长度", "the long-context row prints context lengths only"),
    exhibit_id="gemini-1-5-wins",
)

meta_timeline = history_timeline(
    _REPORT,
    "meta-timeline",
    "meta-models",
    "图表28（时间线）",
    ("Meta 主要开源大模型", "Main open models of Meta"),
    when="released",
    what="model",
)

meta_models = printed_table(
    _REPORT,
    "meta-models",
    "图表28",
    ("Meta 主要开源大模型梳理", "Main open models of Meta"),
    shown=("released_printed", "model", "type", "summary"),
    labels={"released_printed": ("发布时间", "Released"), "summary": ("简介（改写）", "Summary (reworded)")},
)

domestic_multimodal = printed_table(
    _REPORT,
    "domestic-multimodal",
    "图表32",
    ("我国部分多模态大模型梳理", "Selected Chinese multimodal models"),
    shown=("category", "company", "symbol", "model", "released_printed"),
    labels={"category": ("类别", "Category"), "released_printed": ("发布时间", "Released")},
    note=("类别为还原后的合并单元格", "categories restored from merged cells"),
)

benchmark_scores = score_dots(
    _REPORT,
    "benchmark-scores",
    "图表34",
    ("阿里通义千问多模态大模型测试性能媲美 GPT-4V 和 Gemini", "Qwen-VL against GPT-4V and Gemini"),
    highlight=("Qwen-VL-Max", "GPT-4V", "Gemini Ultra", "Qwen-VL-Plus"),
    test="task",
    score="score_pct",
    note=("“图标理解”照印，应为图表理解", "one task name is printed with a typo and kept"),
)

_OTHER_BEST = "CogAgent, CogAgent, Fuyu-Medium, CogAgent, Yi-VL-34B, SPHINX-V2, InternLM-XComposer-VL"
benchmark_table = score_table(
    _REPORT,
    "benchmark-scores",
    "图表34（数据）",
    ("通义千问多模态大模型与 GPT-4V、Gemini：全部得分（%）", "Qwen-VL, GPT-4V and Gemini: all scores (%)"),
    test="task",
    score="score_pct",
    note=(
        f"Other Best为其他开源模型中该项最高者，自上而下：{_OTHER_BEST}",
        f"Other Best is the best other open model of the task, from top to bottom: {_OTHER_BEST}",
    ),
    exhibit_id="benchmark-data",
)

api_customers = printed_table(
    _REPORT,
    "api-customers",
    "图表39",
    ("调用 GPT API 客户梳理", "Customers calling the GPT API"),
    shown=("company", "symbol", "field", "model_printed", "month_printed", "business", "use"),
    labels={
        "month_printed": ("时间", "Date"),
        "business": ("业务（改写）", "Business (reworded)"),
        "use": ("API用途（改写）", "Use (reworded)"),
    },
)

price_cuts = _price_cuts(
    _REPORT, "price-cuts", "图表40", ("GPT 大模型降价前后对比", "OpenAI API prices before and after the cut")
)

price_data = price_table(
    _REPORT,
    "price-cuts",
    "图表40（数据）",
    ("GPT 大模型降价前后对比：价格与降幅", "OpenAI API prices before and after the cut: prices and cuts"),
    exhibit_id="price-data",
)

copilot_functions = printed_table(
    _REPORT,
    "copilot-functions",
    "图表42",
    ("Microsoft 365 Copilot 应用领域", "Functions of Microsoft 365 Copilot"),
    labels={"function": ("功能（改写）", "Function (reworded)")},
)

dynamics_copilot = printed_table(
    _REPORT,
    "dynamics-copilot",
    "图表43",
    ("Dynamics 365 Copilot 在 CRM/ERP 的应用", "Dynamics 365 Copilot in CRM and ERP"),
    labels={"function": ("Copilot功能（改写）", "Function (reworded)")},
    note=(
        "首行与末行的商业活动照印，看产品似乎互换",
        "the activities of the first and the last row are as printed; by the products they seem swapped",
    ),
)

office_products = printed_table(
    _REPORT,
    "office-products",
    "图表44",
    ("2023 年海外 AI+办公产品梳理", "Overseas AI office products in 2023"),
    shown=("company", "symbol", "date_printed", "product", "function"),
    labels={"date_printed": ("推出时间", "Launched"), "function": ("功能（改写）", "Function (reworded)")},
)

medical_models = printed_table(
    _REPORT,
    "medical-models",
    "图表51",
    ("国内外部分 AI 医疗大模型梳理", "Selected medical AI models"),
    shown=("model", "released_printed", "organisation", "symbol", "uses", "data_types"),
    labels={"released_printed": ("发布时间", "Released")},
)

figures = figures_table(_REPORT, ("报告引用的数字", "Figures the report quotes"))

timeline = release_timeline(
    _REPORT, "release-timeline", "正文", ("报告写明日期的模型与产品发布", "Releases the report dates"),
    note=("只画有确切日期者", "only those with an exact day"),
)  # fmt: skip

lines_of_baskets = basket_lines(
    _REPORT, "basket-lines", "附图", ("三个方向篮子一年走势", "The three baskets over a year"), baskets=_BASKETS
)
summary_of_baskets = basket_summary(_REPORT, "附表", baskets=(*_BASKETS, *_PARTS))
members_of_baskets = basket_members(
    _REPORT, "附表", ("建议关注标的", "Suggested names"), baskets=(*_BASKETS[:2], *_PARTS)
)
after_publication = after_lines(_REPORT, baskets=_BASKETS)
ratings = rating_outcome(_REPORT)
scale = rating_scale(_REPORT)
register = exhibit_register(_REPORT)

EXHIBITS = (
    sector_line, gpt_history, gpt_timeline, gpt_4_mix, gpt_4_mix_table, gpt_4_labelled, gpt_4_structure, gemini_cooking,
    gemini_win_rates, gemini_wins, meta_models, meta_timeline, domestic_multimodal, benchmark_scores, benchmark_table,
    api_customers, price_cuts, price_data, copilot_functions, dynamics_copilot, office_products, medical_models, timeline,
    figures, register,
    lines_of_baskets, summary_of_baskets, members_of_baskets,
    after_publication, ratings, scale,
)  # fmt: skip
