"""The quantitative statements of a report's running text as a table, in the units Chinese readers count in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.labels import english_label
from aitheme.exhibits.printed import printed_source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aitheme.themes.model import Figure

__all__ = ["figures_table"]

_UNITS: Mapping[str, str] = {
    "percent": "%", "times": "倍", "days": "天", "months": "个月", "models": "个模型", "layers": "层", "parameters": "个参数",
    "GPUs": "块GPU", "customers": "家客户", "companies": "家公司", "projects": "个项目", "developers": "名开发者",
    "downloads": "次下载", "functions": "项功能", "images": "张图", "minutes": "分钟", "seconds per image": "秒/张",
    "minutes of footage": "分钟视频", "square kilometres": "平方公里", "man-days": "人·天", "hours a day": "小时/天",
    "metres": "米", "advantages": "项优势", "ratio to current cost": "（现成本＝1）", "K resolution": "K分辨率",
    "models of 100bn+ parameters": "个千亿级模型", "CNY 100m": "亿元", "100m persons": "亿人次", "CNY": "元",
    "CNY/month": "元/月", "seconds": "秒", "characters": "字", "score": "分", "plugins": "个插件", "industries": "个行业",
    "product lines": "条产品线", "pages": "页", "documents": "份文档", "papers": "篇论文", "items": "条", "products": "款产品",
    "years": "年", "lines": "条主线", "elements": "个要素", "times H100": "倍（对H100）", "cards": "张卡", "groups": "个工作组",
    "endpoints": "个端点", "port speed": "端口速率", "protocols": "种协议", "sizes": "种尺寸", "of 32 benchmarks": "项（共32项）",
    "upgrades": "项升级", "US cents per 1000 tokens": "美分/千token", "goals": "项目标", "tasks": "类任务",
    "articles": "篇文章", "units of data": "（单位未印）", "foods": "种食物", "USD bn": "十亿美元",
    "USD per million tokens": "美元/百万token", "abilities": "项能力", "benchmarks": "项基准", "billion parameters": "十亿参数",
    "categories": "类", "experts": "个专家", "fields": "个领域", "frames": "帧", "million GPTs": "百万个GPTs",
    "million GPU-hours": "百万GPU小时", "million examples": "百万条样本", "percentage points": "个百分点",
    "thousand tokens": "千token", "trillion tokens": "万亿token", "wins of 10": "项胜出（共10项）",
}  # fmt: skip
_QUALIFIERS: Mapping[str, str] = {
    "(more than)": "以上", "(at least)": "以上", "(nearly)": "（近）", "(about)": "（约）", "(within)": "以内",
    "(order of)": "（量级）", "(order of magnitude)": "（量级）", "(or more)": "以上", "(printed as p)": "（印作p）",
}  # fmt: skip
_ENGLISH: Mapping[str, str] = {
    "token": "tokens", "万token": "10,000 tokens", "万个": "10,000", "个": "", "个片段": "clips", "个科目": "subjects",
    "人": "people", "亿参数": "100m parameters", "亿对": "100m pairs", "亿条": "100m items", "亿级": "100m (order of)",
    "亿级/日": "100m a day (order of)", "余个": "(more than)", "倍": "times", "像素（边长）": "pixels (edge)", "分": "score",
    "分钟": "minutes", "十亿token": "billion tokens", "名次": "rank", "小时": "hours", "次提问": "questions", "种": "kinds",
    "类": "categories", "美元/1000 token": "USD per 1,000 tokens", "美元/人/月": "USD per person and month", "行": "lines",
    "词": "words", "页": "pages", "项": "items", "项任务": "tasks",
}  # fmt: skip
# From here on the reports count in 万, 亿 and 万亿.
_COUNTS = ((1e12, "万亿"), (1e8, "亿"), (1e5, "万"))
_TEN_THOUSAND = 1e4


def figures_table(report: str, title: tuple[str, str]) -> ExhibitDefinition:
    """Define the table of a report's figures, with their section and the decimals of the print.

    Parameters
    ----------
    report, title
        Where the statements stand, and what the exhibit is called.
    """

    def build(context: Context) -> Content:
        import pandas as pd

        figures = [figure for figure in context.theme.figures if figure.report == report]
        if not figures:
            raise UnavailableError(context.t("主题库没有该报告的数字", "the theme holds no figures of this report"))
        data = pd.DataFrame([_row(context, figure) for figure in figures])
        columns = {
            "section": Column("章节", "Section", merge=True),
            "statement": Column("表述（改写）", "Statement (reworded)"),
            "shown": Column("数值", "Value", "number", digits=tuple(data.pop("digits"))),
            "unit": Column("单位", "Unit"),
            "as_of": Column("时点", "As of"),
        }
        return Content(data, columns, *printed_source(context), from_market=False)

    return ExhibitDefinition("figures", report, "正文", *title, "table", "print", build)


def _row(context: Context, figure: Figure) -> dict[str, object]:
    """Return a figure as shown; one that is no number (port speeds) stands before its unit."""
    sections = figure.section.replace("cover", "封面").replace(";", "、")
    base = {
        "statement": context.t(figure.statement_zh, figure.statement_en),
        "as_of": figure.as_of.replace("-H2", context.t("年下半年", "-H2")),
        "section": context.t(sections, english_label(figure.section).replace(";", ", ")),
    }
    unit = context.t(_unit(figure.unit), _ENGLISH.get(figure.unit, figure.unit))
    try:
        value = float(figure.value)
    except ValueError:
        words = figure.value.replace(";", context.t("、", ", "))
        return {**base, "value": None, "shown": None, "unit": f"{words} {unit}", "digits": 0}
    by, word = _count(value) if context.lang == "zh" else (1.0, "")
    digits = len(figure.value.partition(".")[2])
    return {**base, "value": value, "shown": value / by, "unit": word + unit, "digits": digits}


def _count(value: float) -> tuple[float, str]:
    """Return what a large round number is counted in: 1.8e11 in 亿, 400000 in 万."""
    for size, word in _COUNTS:
        by = _TEN_THOUSAND if word == "万" else size
        if value >= size and value % by == 0:
            return by, word
    return 1.0, ""


def _unit(text: str) -> str:
    """Return a unit of the registry in Chinese, as it is where no translation is known."""
    for qualifier, zh in _QUALIFIERS.items():
        if text.endswith(qualifier):
            return _unit(text.removesuffix(qualifier).strip()) + zh
    return _UNITS.get(text, text)
