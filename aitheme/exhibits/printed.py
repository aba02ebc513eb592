"""Tables a report prints, as packaged in its theme, and its rating scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.english import translated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from aitheme.themes.model import TableMeta

__all__ = ["heading_of", "kept_note", "printed_source", "printed_table", "rating_scale", "registry_table"]

_CODES = frozenset({"year", "fiscal_year", "rank", "position", "seq", "no", "row", "column", "step", "route", "turn"})
_HEADINGS = {
    "seq": "No.", "no": "No.", "symbol": "Code", "goal_zh": "Goal", "gpt_4v": "GPT-4V", "win_rate_pct": "Win rate (%)",
    "input_usd_per_mtok": "Input (USD per 1m tokens)", "output_usd_per_mtok": "Output (USD per 1m tokens)",
    "available_on_claude_ai": "On Claude.ai", "relative_strength": "Position", "speed_vs_claude_2_1": "Speed against Claude 2.1",
    "params_100m": "Parameters (100m)", "in_exhibit_42": "In exhibit 42", "ratio_to_gpt4": "To GPT-4", "printed_date": "Date",
}  # fmt: skip
# Keywords of the registry's tables, shown in Chinese.
_WORDS = {
    "yes": "是", "no": "否", "True": "是", "False": "否", "certain": "确定", "likely": "很可能", "uncertain": "存疑",
    "founder": "创始成员", "member": "成员", "input": "输入", "output": "输出", "training": "训练", "percent": "%",
    "score": "分", "USD bn": "十亿美元", "units": "块", "Single month": "单月", "growth": "成长期", "maturity": "成熟期",
    "testing": "测试", "planned": "计划中", "in use": "已用",
}  # fmt: skip


def printed_source(context: Context, meta: TableMeta | None = None) -> tuple[str, str]:
    """Return the source line of printed content: the report, and what it names as its own source."""
    report = context.report
    day = report.published.isoformat()
    zh, en = f"{report.broker_zh}研究报告（{day}）", f"{report.broker_en} report of {day}"
    if meta is not None and meta.source_zh:
        return f"{meta.source_zh}，{zh}", f"{meta.source_zh}, {en}"
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


def _columns(meta: TableMeta, data: pd.DataFrame, shown: Sequence[str] | None) -> dict[str, Column]:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    columns = {}
    for name in shown or list(data.columns):
        numeric = is_numeric_dtype(data[name]) and not is_bool_dtype(data[name]) and not _is_code(name)
        columns[name] = Column(meta.columns[name], heading_of(name), "number" if numeric else "text")
    return columns


def _readable(data: pd.DataFrame, flags: Sequence[str], lang: str) -> pd.DataFrame:
    """Return a copy with flags as ticks, codes as text, and in Chinese with lists and the registry's keywords in Chinese."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    shown = data.copy()
    for name in shown.columns:
        if name in flags:
            shown[name] = shown[name].map({1: "√", 0: ""}).astype("string")
        elif is_bool_dtype(shown[name]) or not is_numeric_dtype(shown[name]):
            text = shown[name].astype("string")
            shown[name] = text.replace(_WORDS).str.replace(";", "、", regex=False) if lang == "zh" else text
        elif _is_code(name):
            shown[name] = shown[name].astype("string")
    return shown


def kept_note(labels: Sequence[str]) -> str:
    """Return the remark on columns that stay in Chinese in an English book."""
    return f"in Chinese, as in the report: {', '.join(labels)}" if labels else ""


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
        Columns of 1 and 0, shown as ticks.
    labels
        Column labels (Chinese, English) that replace the registry's.
    note
        What the reader has to know, in both languages.
    exhibit_id
        Name in the book; the table's by default.
    """

    def build(context: Context) -> Content:
        meta, data = registry_table(context, table_id)
        columns = _columns(meta, data, shown)
        for name, (zh, en) in (labels or {}).items():
            columns[name] = Column(zh, en, columns[name].kind)
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
        months = {"stock": scale.horizon_months_stock, "sector": scale.horizon_months_sector}
        subjects = {"stock": context.t("股票", "Stock"), "sector": context.t("行业", "Sector")}
        rows = [
            {
                "subject": subjects[level.subject],
                "rating": context.t(level.rating_zh, level.rating_en),
                "band": _band(context, level.lower, level.upper),
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
            "months": Column("期限（月）", "Horizon (months)", "integer"),
        }
        zh, en = printed_source(context)
        markets = {
            "A": context.t("A股", "A-shares"),
            "HK": context.t("港股", "Hong Kong"),
            "US": context.t("美股", "US"),
        }
        marks = "、" if context.lang == "zh" else ", "
        benchmarks = marks.join(
            f"{markets.get(market, market)} {symbol}" for market, symbol in scale.benchmarks.items()
        )
        subtitle = context.t(f"自报告发布日起计；基准：{benchmarks}", f"From publication; benchmarks: {benchmarks}")
        return Content(pd.DataFrame(rows), columns, zh, en, subtitle, from_market=False)

    title = ("评级说明", "Rating scale")
    return ExhibitDefinition("rating-scale", report, "附表", *title, "table", "rating", build)


def _band(context: Context, lower: float | None, upper: float | None) -> str:
    if lower is None and upper is None:
        return context.t("未给出界限", "no bounds given")
    if upper is None:
        return f"> {lower:+.0%}"
    if lower is None:
        return f"< {upper:+.0%}"
    return f"{lower:+.0%} ~ {upper:+.0%}"
