"""Exhibits of 华泰证券, 从阿里/商汤/华为大模型看应用趋势 (20 April 2023)."""

from __future__ import annotations

from aitheme.exhibits.base import Content, Context, UnavailableError, exhibit
from aitheme.exhibits.baskets import after_lines, basket_lines, basket_members, basket_summary
from aitheme.exhibits.columns import Column
from aitheme.exhibits.labels import english_label
from aitheme.exhibits.outcomes import rating_outcome
from aitheme.exhibits.printed import printed_source, printed_table, rating_scale
from aitheme.exhibits.quotes import sector_line as _sector_line
from aitheme.exhibits.register import exhibit_register

__all__ = ["EXHIBITS"]

_REPORT = "htsc-20230420"
_BASKETS = tuple(f"{_REPORT}/{name}" for name in ("data-ip", "video-virtual-human", "games"))

sector_line = _sector_line(_REPORT, "封面图", ("行业走势图", "Media sector against the market"))

companies_mentioned = printed_table(
    _REPORT,
    "companies-mentioned",
    "图表42",
    ("报告提及公司表", "Companies mentioned in the report"),
    shown=("seq", "name_printed", "ticker_printed", "symbol", "name_zh", "note"),
    labels={
        "name_printed": ("公司名称", "Company"),
        "ticker_printed": ("印刷代码", "Printed ticker"),
        "name_zh": ("核定名称", "Name"),
    },
)

sensenova = printed_table(
    _REPORT,
    "sensenova-lineup",
    "正文",
    ("商汤日日新产品", "SenseNova product line"),
    shown=("product", "product_en", "params_100m", "capabilities", "printed_metrics"),
)

first_partners = printed_table(
    _REPORT,
    "tongyi-first-partners",
    "正文",
    ("通义千问首批合作企业", "First partners of Tongyi Qianwen"),
    shown=("seq", "name_printed", "name_zh", "symbol", "in_exhibit_42", "certainty", "note"),
)

game_cases = printed_table(
    _REPORT,
    "game-aigc-cases",
    "正文",
    ("游戏AIGC案例", "AI content cases in games"),
    shown=("developer", "symbol", "title", "tool", "tool_vendor", "use", "status"),
)


@exhibit(
    _REPORT, "figures", "正文", ("报告引用的成本与模型数字", "Costs and model figures the report quotes"), kind="table"
)
def figures(context: Context) -> Content:
    """List the figures of the running text, with their section."""
    import pandas as pd

    rows = [
        {
            "statement": context.t(figure.statement_zh, figure.statement_en),
            "value": _number(figure.value),
            "unit": context.t(_unit(figure.unit), figure.unit),
            "as_of": figure.as_of,
            "section": context.t(figure.section, english_label(figure.section)),
        }
        for figure in context.theme.figures
        if figure.report == _REPORT
    ]
    if not rows:
        raise UnavailableError(context.t("主题库没有该报告的数字", "the theme holds no figures of this report"))
    columns = {
        "section": Column("章节", "Section", merge=True),
        "statement": Column("表述（改写）", "Statement (reworded)"),
        "value": Column("数值", "Value", "number"),
        "unit": Column("单位", "Unit"),
        "as_of": Column("时点", "As of"),
    }
    return Content(pd.DataFrame(rows), columns, *printed_source(context), from_market=False)


_UNITS = {
    "percent": "%", "times": "倍", "days": "天", "months": "个月", "models": "个模型", "layers": "层", "parameters": "个参数",
    "GPUs": "块GPU", "customers": "家客户", "companies": "家公司", "projects": "个项目", "developers": "名开发者",
    "downloads": "次下载", "functions": "项功能", "images": "张图", "minutes": "分钟", "seconds per image": "秒/张",
    "minutes of footage": "分钟视频", "square kilometres": "平方公里", "man-days": "人·天", "hours a day": "小时/天",
    "metres": "米", "advantages": "项优势", "ratio to current cost": "（现成本＝1）", "K resolution": "K分辨率",
    "models of 100bn+ parameters": "个千亿级模型", "P": "P",
}  # fmt: skip
_QUALIFIERS = {
    "(more than)": "以上", "(at least)": "以上", "(nearly)": "（近）", "(about)": "（约）", "(within)": "以内",
    "(order of)": "（量级）", "(or more)": "以上", "(printed as p)": "（印作p）",
}  # fmt: skip


def _unit(text: str) -> str:
    """Return a unit of the registry in Chinese, as it is where no translation is known."""
    for qualifier, zh in _QUALIFIERS.items():
        if text.endswith(qualifier):
            return _unit(text.removesuffix(qualifier).strip()) + zh
    return _UNITS.get(text, text)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


lines_of_baskets = basket_lines(
    _REPORT,
    "basket-lines",
    "附图",
    ("各章所举A股标的一年走势", "The A-shares of each chapter over a year"),
    baskets=_BASKETS,
)
summary_of_baskets = basket_summary(_REPORT, "附表", baskets=_BASKETS)
members_of_baskets = basket_members(
    _REPORT,
    "附表",
    ("数据集/IP、视频/虚拟人、游戏三章标的", "Names of the chapters on data and IP, video and games"),
    baskets=_BASKETS,
)
after_publication = after_lines(_REPORT, baskets=_BASKETS)
ratings = rating_outcome(_REPORT)
scale = rating_scale(_REPORT)
register = exhibit_register(_REPORT)

EXHIBITS = (
    sector_line, companies_mentioned, first_partners, sensenova, game_cases, figures, register,
    lines_of_baskets, summary_of_baskets, members_of_baskets, after_publication, ratings, scale,
)  # fmt: skip
