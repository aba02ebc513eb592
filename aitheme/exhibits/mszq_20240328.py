"""Exhibits of 民生证券, 复盘与展望：国产大模型的进击 (28 March 2024)."""

from __future__ import annotations

from datetime import date

from aitheme.exhibits.base import Content, Context, exhibit
from aitheme.exhibits.baskets import after_lines, basket_lines, basket_members, basket_summary
from aitheme.exhibits.columns import Column
from aitheme.exhibits.companies import valuation_table
from aitheme.exhibits.figures import figures_table
from aitheme.exhibits.films import march_content
from aitheme.exhibits.outcomes import rating_outcome
from aitheme.exhibits.printed import printed_source, printed_table, rating_scale, registry_table
from aitheme.exhibits.quotes import index_lines as _index_lines
from aitheme.exhibits.quotes import sub_sectors
from aitheme.exhibits.register import exhibit_register
from aitheme.exhibits.scores import ranking
from aitheme.exhibits.timelines import history_timeline, release_timeline

__all__ = ["EXHIBITS"]

_REPORT = "mszq-20240328"
_BASE = date(2024, 2, 18)
_BASKETS = tuple(f"{_REPORT}/{name}" for name in ("text-corpus", "video-corpus", "applications"))
_END_NOTE = (
    "原图未印截止日，此处至报告发布日",
    "the print does not say where its lines end; here they end at publication",
)

valuation = valuation_table(
    _REPORT, "封面表", ("重点公司盈利预测、估值与评级", "Earnings forecasts, valuation and ratings of key companies")
)

index_lines = _index_lines(
    _REPORT,
    "图1",
    (
        "2024年2月18日至今传媒、计算机、通信、电子指数（申万）行情回顾",
        "Media, computer, telecom and electronics indices (Shenwan) since 18 February 2024",
    ),
    sectors=("传媒", "计算机", "通信", "电子"),
    base=_BASE,
    printed=("原图为申万指数，来源iFinD", "the print draws Shenwan indices from iFinD"),
    provider="Shenwan",
    events={"sora-20240216": ("Sora发布", "Sora"), "kimi-20240318": ("Kimi支持200万字", "Kimi takes 2m characters")},
    note=_END_NOTE,
)

sub_sector_bars = sub_sectors(
    _REPORT,
    "图4",
    ("2024年2月18日至今传媒各板块行情回顾（%）", "Media sub-sectors since 18 February 2024"),
    base=_BASE,
    note=("原图采用iFinD板块，此处为中信三级行业，口径不同；截至报告发布日",
          "the print uses iFinD sub-sectors, these are CITIC level 3; up to publication"),
)  # fmt: skip


@exhibit(_REPORT, "box-office", "图5", ("历年3月档期总票房（亿元）及增速", "March box office (CNY 100m) and growth"))
def box_office(context: Context) -> Content:
    """Draw the March box office: of the store where it has any, of the text for what it gives."""
    return march_content(context, "gross")


@exhibit(_REPORT, "admissions", "图6", ("历年3月档期观影人次（亿人）", "March admissions (100m)"))
def admissions(context: Context) -> Content:
    """Draw the March admissions: of the store where it has any, of the text for 2024."""
    return march_content(context, "admissions")


timeline = release_timeline(
    _REPORT,
    "release-timeline",
    "图7",
    ("国产大模型进度梳理", "Progress of China's large models"),
    region="domestic",
    since=date(2023, 3, 1),
    undated=True,
    note=(
        "原图为图片，此处按正文所记2023年3月以来的国产发布重画；更早的见图23、图31",
        "the print is a picture; redrawn from the text's domestic releases since March 2023; earlier ones: figures 23 and 31",
    ),
)

step_models = printed_table(
    _REPORT,
    "step-models",
    "图11",
    ("阶跃星辰多模态大模型Step-1V", "Models and apps of StepFun"),
    labels={"features_zh": ("特点（改写）", "Features (reworded)")},
    note=(
        "原图为图片，内容取自正文；参数为量级（千亿、万亿）",
        "the print is a picture; the content is from the text; parameters are size classes (100bn, 1,000bn)",
    ),
)

opencompass = ranking(
    _REPORT,
    "opencompass-202403",
    "图14",
    ("阶跃星辰自研千亿参数多模态大模型Step-1V排名领先", "OpenCompass multimodal ranking led by Step-1V"),
    highlight=("Step-1V",),
    subtitle=("OpenCompass多模态榜综合分，2024-03-25", "OpenCompass multimodal overall score, 25 March 2024"),
)

pangu_history = history_timeline(
    _REPORT,
    "pangu-history",
    "pangu-history",
    "图23",
    ("华为盘古大模型发展历程", "History of Huawei's Pangu models"),
    when="date",
    what="event_zh",
    note=("原图为图片，此处为正文写明的时点", "the print is a picture; these are the dates of the text"),
)

pangu_layers = printed_table(
    _REPORT,
    "pangu-layers",
    "图24",
    ("盘古大模型由基础大模型衍生出行业大模型和场景模型", "The three layers of Pangu"),
    note=(
        "原图为图片，内容取自正文；L1、L2为所举例子",
        "the print is a picture; the content is from the text, with its examples of L1 and L2",
    ),
)

tongyi_timeline = release_timeline(
    _REPORT,
    "tongyi-timeline",
    "表1（时间线）",
    ("“通义千问”发展历程", "Tongyi Qianwen over time"),
    vendor="阿里巴巴",
    note=("长文档免费开放按正文作3月14日", "the opening of long documents is dated 14 March, as in the text"),
)

tongyi_history = printed_table(
    _REPORT,
    "tongyi-qianwen-history",
    "表1",
    ("“通义千问”发展历程", "History of Tongyi Qianwen"),
    shown=("printed_date", "event_zh", "products"),
    labels={"printed_date": ("时间", "Date"), "event_zh": ("内容", "Event"), "products": ("产品", "Products")},
    note=(
        "内容为改写；末行兼写两事，长文档免费开放在正文另作3月14日",
        "reworded; the last row mixes two events, the text dates one of them 14 March",
    ),
)

ernie_family = printed_table(
    _REPORT,
    "ernie-family",
    "表2",
    ("百度文心大模型家族成员", "Members of the ERNIE family"),
    labels={"role_zh": ("介绍（改写）", "Introduction (reworded)")},
)

ernie_updates = release_timeline(
    _REPORT, "ernie-updates", "图31", ("文心一言更新进度", "Updates of ERNIE Bot"), model="ernie", undated=True,
    note=("原图为图片，只画正文给出日期的版本", "the print is a picture; only the versions the text dates are drawn"),
)  # fmt: skip


ernie_prices = printed_table(
    _REPORT,
    "ernie-4-pricing",
    "图33",
    ("文心一言4.0会员价格", "Membership prices of ERNIE Bot 4.0"),
    shown=("plan_zh", "price_cny_per_month"),
    labels={"plan_zh": ("方案", "Plan"), "price_cny_per_month": ("价格（元/月）", "Price (CNY a month)")},
    note=("原图为图片，价格取自正文", "the print is a picture; the prices are from the text"),
)


figures = figures_table(
    _REPORT, ("报告引用的票房、模型与价格数字", "Box office, model and price figures the report quotes")
)


@exhibit(
    _REPORT, "indicator-stages", "图34",
    ("应用在不同发展时期的观测思路和指标建设", "What to watch at each stage of an application"), kind="table",
)  # fmt: skip
def stages(context: Context) -> Content:
    """List the indicators to watch while an application grows and once it is mature, and where the tool takes them."""
    meta, rows = registry_table(context, "indicator-stages")
    words = {
        "growth": context.t("发展初期：看成长性", "Early: growth"),
        "maturity": context.t("成熟期：看盈利", "Mature: profit"),
    }
    data = rows.assign(stage_shown=[words.get(stage, stage) for stage in rows["stage"]])
    columns = {
        "stage_shown": Column("阶段", "Stage", merge=True),
        "group" if context.lang == "zh" else "group_en": Column("维度", "Dimension", merge=True),
        "indicator_zh" if context.lang == "zh" else "indicator_en": Column("指标", "Indicator"),
        "tool_column": Column("指标工具中的列", "Column of the tool"),
    }
    data["tool_column"] = data["column"].replace({"revenue_mix": "revenue_from_*"})
    data["group_en"] = data["group"].map(_DIMENSIONS).fillna(data["group"])
    note = context.t(
        "原图为图片，按正文改写；用自有数据判断应用所处阶段并画图：aitheme indicators（--template 写出样表）",
        "the print is a picture, reworded from the text; to find the stage of an app from data of your own: aitheme indicators "
        "(--template writes a sample)",
    )
    return Content(data, columns, *printed_source(context, meta), note=note, from_market=False)


_DIMENSIONS = {
    "用户规模": "Users", "用户活跃度": "Activity", "下载量": "Downloads", "更新频次": "Updates", "收入规模和增速": "Revenue",
    "收入结构": "Revenue mix", "市场份额": "Market share", "付费用户规模和渗透率": "Payment", "成本支出": "Costs",
}  # fmt: skip


model_map = printed_table(
    _REPORT,
    "model-map",
    "表3",
    ("AI大模型相关合作方向与标的梳理", "Companies and the large models they work with"),
    shown=("symbol", "name", "business_zh", "models"),
    labels={
        "symbol": ("股票代码", "Code"),
        "name": ("股票名称", "Name"),
        "business_zh": ("相关业务情况（改写）", "Business (reworded)"),
        "models": ("相关大模型", "Models"),
    },
)

lines_of_baskets = basket_lines(
    _REPORT,
    "basket-lines",
    "附图",
    ("三个方向篮子自2024年2月18日以来的表现", "The three baskets since 18 February 2024"),
    baskets=_BASKETS,
    base=_BASE,
)
summary_of_baskets = basket_summary(_REPORT, "附表", baskets=(*_BASKETS, f"{_REPORT}/model-links"))
members_of_baskets = basket_members(_REPORT, "附表", ("重点关注与建议关注标的", "Names to watch"), baskets=_BASKETS)
after_publication = after_lines(_REPORT, baskets=_BASKETS)
ratings = rating_outcome(_REPORT)
scale = rating_scale(_REPORT)
register = exhibit_register(_REPORT)

EXHIBITS = (
    valuation, index_lines, sub_sector_bars, box_office, admissions, timeline, step_models, opencompass, pangu_history,
    pangu_layers, tongyi_history, tongyi_timeline, ernie_family, ernie_updates, ernie_prices, stages, model_map, figures,
    register,
    lines_of_baskets, summary_of_baskets, members_of_baskets, after_publication, ratings, scale,
)  # fmt: skip
