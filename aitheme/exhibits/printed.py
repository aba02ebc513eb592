"""Tables a report prints, as packaged in its theme, and its rating scale."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column, digits_of
from aitheme.exhibits.english import sources_in_english, translated
from aitheme.exhibits.scope import index_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from aitheme.themes.model import RatingLevel, TableMeta

__all__ = ["band_words", "heading_of", "kept_note", "printed_source", "printed_table", "rating_scale", "registry_table"]

_CODES = frozenset({"year", "fiscal_year", "rank", "position", "seq", "no", "row", "column", "step", "route", "turn"})
_HEADINGS = {
    "seq": "No.", "no": "No.", "symbol": "Code", "goal_zh": "Goal", "gpt_4v": "GPT-4V", "win_rate_pct": "Win rate (%)",
    "input_usd_per_mtok": "Input (USD per 1m tokens)", "output_usd_per_mtok": "Output (USD per 1m tokens)",
    "available_on_claude_ai": "On Claude.ai", "relative_strength": "Position", "speed_vs_claude_2_1": "Speed against Claude 2.1",
    "params_100m": "Parameters (100m)", "in_exhibit_42": "In exhibit 42", "ratio_to_gpt4": "To GPT-4", "printed_date": "Date",
    "as_printed": "As printed",
}  # fmt: skip
_UNSAID = "-"
# Keywords of the registry's tables, shown in Chinese.
_WORDS = {
    "yes": "是", "no": "否", "True": "是", "False": "否", "certain": "确定", "likely": "很可能", "uncertain": "存疑",
    "founder": "创始成员", "member": "成员", "input": "输入", "output": "输出", "training": "训练", "percent": "%",
    "score": "分", "USD bn": "十亿美元", "units": "块", "Single month": "单月", "growth": "成长期", "maturity": "成熟期",
    "testing": "测试", "planned": "计划中", "in use": "已用", "million GPU-hours": "百万GPU小时", "trillion": "万亿",
    "million": "百万", "model": "模型", "app": "应用", "text": "文本", "multimodal": "多模态", "2023-H2": "2023年下半年",
    "days": "天", "minutes": "分钟", "cards": "张卡",
}  # fmt: skip


def printed_source(context: Context, meta: TableMeta | None = None) -> tuple[str, str]:
    """Return the source line of printed content: the report, and what it names as its own source.

    A date of publication that the report does not print is marked as approximate.
    """
    report = context.report
    day = report.published.isoformat()
    about = ("约", "about ") if report.published_basis == "inferred" else ("", "")
    zh, en = f"{report.broker_zh}研究报告（{about[0]}{day}）", f"{report.broker_en} report of {about[1]}{day}"
    if meta is not None and meta.source_zh:
        return f"{meta.source_zh}，{zh}", f"{sources_in_english(meta.source_zh)}, {en}"
    return zh, en


def registry_table(context: Context, table_id: str) -> tuple[TableMeta, pd.DataFrame]:
    """Return a packaged table of the context's report.

    Raises
    ------
    UnavailableError
        The theme does not hold it.
    """
    known = [meta.id for meta in context.report.tables]
    if table_id not in known:
        raise UnavailableError(
            context.t(
                f"主题库没有{context.report.id}的表{table_id}",
                f"the theme holds no table {table_id} of {context.report.id}",
            )
        )
    return context.theme.table(context.report.id, table_id)


def _is_code(name: str) -> bool:
    """Tell whether a column's numbers are names: years, ranks, dates as printed."""
    return name in _CODES or name.endswith("_printed")


def heading_of(name: str) -> str:
    """Return a registry column's name as an English header: ``released_printed`` is ``Released``."""
    words = name.removesuffix("_zh").removesuffix("_en").removesuffix("_printed").replace("_", " ")
    return _HEADINGS.get(name) or words[:1].upper() + words[1:]


def _columns(
    meta: TableMeta, data: pd.DataFrame, shown: Sequence[str] | None, texts: pd.DataFrame
) -> dict[str, Column]:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    columns = {}
    for name in shown or list(data.columns):
        numeric = is_numeric_dtype(data[name]) and not is_bool_dtype(data[name]) and not _is_code(name)
        digits = digits_of(texts[name]) if numeric else ()
        columns[name] = Column(meta.columns[name], heading_of(name), "number" if numeric else "text", digits=digits)
    return columns


def _readable(data: pd.DataFrame, flags: Sequence[str], lang: str) -> pd.DataFrame:
    """Return a copy with flags as ticks, codes as text, and in Chinese with lists and the registry's keywords in Chinese."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    shown = data.copy()
    for name in shown.columns:
        if name in flags:
            shown[name] = shown[name].map({1: "√", 0: ""}).fillna(_UNSAID).astype("string")
        elif is_bool_dtype(shown[name]) or not is_numeric_dtype(shown[name]):
            text = shown[name].astype("string")
            shown[name] = text.replace(_WORDS).str.replace(";", "、", regex=False) if lang == "zh" else text
        elif _is_code(name):
            shown[name] = shown[name].astype("string")
    return shown


def kept_note(labels: Sequence[str]) -> str:
    """Return the remark on columns in which Chinese remains in an English book, and why."""
    return f"in Chinese where it follows the report's own wording: {', '.join(labels)}" if labels else ""


def printed_table(
    report: str,
    table_id: str,
    label: str,
    title: tuple[str, str],
    *,
    shown: Sequence[str] | None = None,
    flags: Sequence[str] = (),
    labels: Mapping[str, tuple[str, str]] | None = None,
    note: tuple[str, str] = ("", ""),
    exhibit_id: str | None = None,
) -> ExhibitDefinition:
    """Define a table exhibit of a packaged table.

    Parameters
    ----------
    report, table_id, label, title
        Where it is, and what it is called.
    shown
        Columns to show, in order; all by default.
    flags
        Columns of 1 and 0, shown as ticks and blanks; a cell without either is a dash.
    labels
        Column labels (Chinese, English) that replace the registry's.
    note
        What the reader has to know, in both languages.
    exhibit_id
        Name in the book; the table's by default.
    """

    def build(context: Context) -> Content:
        meta, data = registry_table(context, table_id)
        columns = _columns(meta, data, shown, context.theme.table_text(report, table_id))
        for name, (zh, en) in (labels or {}).items():
            columns[name] = replace(columns[name], zh=zh, en=en)
        for name in flags:
            columns[name] = Column(columns[name].zh, columns[name].en)
        zh, en = printed_source(context, meta)
        rows, remark = _readable(data, flags, context.lang), context.t(*note)
        if context.lang == "en":
            rows, columns, chinese = translated(rows, columns, context.theme)
            remark = "; ".join(text for text in (remark, kept_note(chinese)) if text)
        return Content(rows, columns, zh, en, note=remark, from_market=False)

    return ExhibitDefinition(exhibit_id or table_id, report, label, *title, "table", "print", build)


def rating_scale(report: str) -> ExhibitDefinition:
    """Define the table of a broker's ratings: bands of excess return, horizon and benchmark."""

    def build(context: Context) -> Content:
        import pandas as pd

        scale = context.report.rating_scale
        ends = {"stock": scale.horizon_months_stock, "sector": scale.horizon_months_sector}
        months = {subject: "–".join(str(one) for one in span) for subject, span in ends.items()}
        subjects = {"stock": context.t("股票", "Stock"), "sector": context.t("行业", "Sector")}
        rows = [
            {
                "subject": subjects[level.subject],
                "rating": context.t(level.rating_zh, level.rating_en),
                "band": band_words(context, level),
                "as_printed": level.as_printed,
                "months": months[level.subject],
            }
            for level in sorted(scale.levels, key=lambda level: level.subject != "stock")
        ]
        columns = {
            "subject": Column("对象", "Subject", merge=True),
            "rating": Column("评级", "Rating"),
            "band": Column("相对基准的超额收益", "Excess over the benchmark"),
            "as_printed": Column("印刷表述", "As printed"),
            "months": Column("期限（月）", "Horizon (months)"),
        }
        zh, en = printed_source(context)
        markets = {
            "A": context.t("A股", "A-shares"),
            "HK": context.t("港股", "Hong Kong"),
            "US": context.t("美股", "US"),
        }
        marks = "、" if context.lang == "zh" else ", "
        benchmarks = marks.join(
            f"{markets.get(market, market)} {index_name(context, symbol)}"
            for market, symbol in scale.benchmarks.items()
        )
        subtitle = context.t(f"自报告发布日起计；基准：{benchmarks}", f"From publication; benchmarks: {benchmarks}")
        note = context.t(scale.remark_zh, scale.remark_en)
        if context.lang == "en":
            note = "; ".join(text for text in (note, kept_note(("As printed",))) if text)
        return Content(pd.DataFrame(rows), columns, zh, en, subtitle, note, from_market=False)

    title = ("评级说明", "Rating scale")
    return ExhibitDefinition("rating-scale", report, "附表", *title, "table", "rating", build)


def band_words(context: Context, level: RatingLevel) -> str:
    """Return a rating's band of excess return in per cent; a sentence where the scale prints no number."""
    lower, upper = (None if bound is None else _percent(bound) for bound in (level.lower, level.upper))
    if lower is None and upper is None:
        return context.t("未给出界限", "no bounds given")
    if upper is None:
        return f"> {lower}"
    return f"< {upper}" if lower is None else f"{lower} ~ {upper}"


def _percent(bound: float) -> str:
    return f"{bound:+.0%}" if bound else "0%"
