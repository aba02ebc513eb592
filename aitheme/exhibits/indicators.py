"""Exhibits of an analyst's own app metrics: the stage of each app and why, and the panels of both stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from aitheme.exhibits.base import Content, Exhibit, UnavailableError, check_lang
from aitheme.exhibits.columns import Column, Kind
from aitheme.exhibits.native import NativeChart, NativePanels
from aitheme.indicators.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import altair as alt
    import pandas as pd

    from aitheme.charts.frame import Heading
    from aitheme.charts.panels import Panel
    from aitheme.indicators import AppIndicators, StageRule, Verdict
    from aitheme.indicators.metrics import StageName

    _Builder = tuple[str, str, tuple[str, str], Literal["chart", "table"], Callable[[AppIndicators, str, str], Content]]

__all__ = ["STAGES", "indicator_exhibits", "stage_reason"]

STAGES: Mapping[str, tuple[str, str]] = {
    "growth": ("发展初期", "Growth"),
    "maturity": ("成熟期", "Maturity"),
    "transition": ("过渡期", "Transition"),
    "undecided": ("无法判断", "Undecided"),
}
_GROUPS: Mapping[StageName, tuple[str, str]] = {
    "growth": ("发展初期：看成长性", "Early: watch growth"),
    "maturity": ("成熟期：看盈利", "Mature: watch profit"),
}
_WATCH = {
    "growth": (
        "用户规模、活跃度、下载量、更新频次；盈利指标暂可看轻",
        "Users, activity, downloads, updates; profit matters less",
    ),
    "maturity": ("收入与增速、结构、份额、付费与成本", "Revenue and its growth, mix, share, payment, costs"),
    "transition": ("两组都看：增长能否恢复，付费能否起来", "Both: whether growth returns, whether users pay"),
    "undecided": ("先补足两个月以上的MAU", "Needs two months of MAU first"),
}
_KINDS: Mapping[str, Kind] = {
    "count": "integer",
    "money": "price",
    "minutes": "number",
    "multiple": "price",
    "ratio": "ratio",
    "change": "change",
}
# A month's growth is drawn only where there is no year's, and a payer's revenue stands in the data alone.
_NOT_DRAWN = ("arppu",)


def _t(lang: str, zh: str, en: str) -> str:
    return zh if lang == "zh" else en


def _percent(value: float) -> str:
    from aitheme.charts.style import percent_label

    return percent_label(value)


def stage_reason(verdict: Verdict, rule: StageRule, lang: str) -> str:
    """Return why an app is in its stage, in one sentence with the numbers and thresholds."""
    if verdict.stage == "undecided":
        return _t(lang, "MAU不足两个月，算不出增速", "fewer than two months of MAU, no growth can be computed")
    annual = verdict.growth_basis == "year"
    how = _t(lang, "同比", "on a year") if annual else _t(
        lang, f"近{verdict.growth_months}个月折年", f"annualised from {verdict.growth_months} month(s)"
    )  # fmt: skip
    growth, line = _percent(verdict.user_growth), f"{rule.fast_growth:.0%}"
    if verdict.stage == "growth":
        return _t(lang, f"MAU{how}{growth}，不低于{line}", f"MAU {growth} {how}, at least {line}")
    slow = _t(lang, f"MAU{how}{growth}，低于{line}", f"MAU {growth} {how}, below {line}")
    return _t(lang, "；", "; ").join([slow, *_money_reasons(verdict, rule, lang)])


def _money_reasons(verdict: Verdict, rule: StageRule, lang: str) -> list[str]:
    reasons = []
    if verdict.paying is not None:
        sign = "≥" if verdict.paying else "<"
        reasons.append(
            _t(lang, "付费渗透率", "paying ratio ") + f"{verdict.paying_ratio:.1%}{sign}{rule.paying_ratio:.0%}"
        )
    if verdict.covered is not None:
        sign = "≥" if verdict.covered else "<"
        reasons.append(
            _t(lang, "近三月收入/成本", "revenue to costs over 3 months ") + f"{verdict.cost_cover:.2f}{sign}1"
        )
    return reasons or [_t(lang, "没有付费或成本数据", "no data on payment or costs")]


def indicator_exhibits(result: AppIndicators, *, source: str, lang: str = "zh") -> tuple[Exhibit, ...]:
    """Draw the exhibits of app metrics: the stage table, a panel of each stage's indicators, and the revenue mix.

    Parameters
    ----------
    result
        From :func:`aitheme.indicators.app_indicators`.
    source
        What stands in the source line, such as the file's name.
    lang
        ``zh`` or ``en``.

    Returns
    -------
    tuple of Exhibit
        An exhibit whose columns the file does not fill is there with status ``unavailable`` and the reason.

    Raises
    ------
    UnknownNameError
        Unknown language.
    """
    chosen = check_lang(lang)
    builders: tuple[_Builder, ...] = (
        ("stages", "表1", ("应用所处阶段与依据", "Stage of each app, and why"), "table", _stage_table),
        ("growth-panel", "图1", ("发展初期指标：成长性", "Early indicators: growth"), "chart", _growth_panel),
        ("maturity-panel", "图2", ("成熟期指标：盈利", "Later indicators: profit"), "chart", _maturity_panel),
        ("revenue-mix", "表2", ("收入结构", "Revenue mix"), "table", _revenue_mix),
    )
    exhibits = []
    content: Content | None
    for name, label, title, kind, build in builders:
        try:
            content, reason = build(result, source, chosen), ""
        except UnavailableError as error:
            content, reason = None, str(error)
        status: Literal["ok", "unavailable"] = "unavailable" if content is None else "ok"
        exhibits.append(
            Exhibit(name, "indicators", label, *title, kind, "print", chosen, content, status=status, reason=reason)
        )
    return tuple(exhibits)


def _content(result: AppIndicators, source: str, data: pd.DataFrame, columns: Mapping[str, Column],
             subtitle: str, note: str = "", draw: Callable[[Heading], alt.LayerChart] | None = None,
             native: NativePanels | None = None) -> Content:  # fmt: skip
    words = (f"使用者数据（{source}）", f"user's data ({source})")
    return Content(data, columns, *words, subtitle, note, result.until, draw, native, from_market=False)


def _stage_table(result: AppIndicators, source: str, lang: str) -> Content:
    import pandas as pd

    last = {app: rows.set_index("date").ffill().iloc[-1] for app, rows in result.metrics.groupby("app", sort=False)}
    rows = [
        {
            "app": verdict.app,
            "month": verdict.month,
            "stage": _t(lang, *STAGES[verdict.stage]),
            "user_growth": verdict.user_growth,
            **{name: last[verdict.app].get(name, float("nan")) for name in ("dau_mau", "paying_ratio", "arpu")},
            "cost_cover": verdict.cost_cover,
            "why": stage_reason(verdict, result.rule, lang),
            "watch": _t(lang, *_WATCH[verdict.stage]),
        }
        for verdict in result.verdicts
    ]
    columns = {
        "app": Column("应用", "App"),
        "month": Column("最近月份", "Last month"),
        "stage": Column("阶段", "Stage"),
        "user_growth": Column("MAU年增速", "MAU growth a year", "change"),
        "dau_mau": Column("DAU/MAU", "DAU/MAU", "ratio"),
        "paying_ratio": Column("付费渗透率", "Paying ratio", "ratio"),
        "arpu": Column("ARPU（元/月）", "ARPU (CNY a month)", "price"),
        "cost_cover": Column("收入/成本", "Revenue to costs", "price"),
        "why": Column("依据", "Why"),
        "watch": Column("此时该看", "What to watch"),
    }
    numbers = dict.fromkeys((name for name, column in columns.items() if column.numeric), "float64")
    data = pd.DataFrame(rows).astype(numbers)
    rule = result.rule
    subtitle = _t(
        lang,
        f"MAU年增速≥{rule.fast_growth:.0%}为发展初期；低于此且付费渗透率≥{rule.paying_ratio:.0%}或收入覆盖成本为成熟期；否则为过渡期",
        f"Growth: MAU up {rule.fast_growth:.0%} a year or more; maturity: less, and {rule.paying_ratio:.0%} pay or revenue "
        "covers costs; else transition",
    )
    return _content(result, source, data, columns, subtitle, _stage_note(result, lang))


def _stage_note(result: AppIndicators, lang: str) -> str:
    notes = [
        _t(
            lang,
            "“初期看成长、成熟看盈利”为报告图34的思路，界限为本工具所设，可改；月增速折年在不足13个月时使用",
            "growth first, profit later is the report's idea (its Figure 34); the thresholds are this tool's and can be set; "
            "growth is annualised where there are fewer than 13 months",
        )
    ]
    if result.gaps:
        notes.append(
            _t(lang, f"缺{result.gaps}个月，图中断开", f"{result.gaps} month(s) are missing and break the lines")
        )
    if result.growth_conflicts:
        notes.append(
            _t(
                lang,
                f"{result.growth_conflicts}行填报的收入同比与计算不符，取计算值",
                f"given revenue growth differs from the computed one in {result.growth_conflicts} row(s); the latter is used",
            )
        )
    return _t(lang, "；", "; ").join(notes)


def _growth_panel(result: AppIndicators, source: str, lang: str) -> Content:
    return _panel(result, source, lang, "growth")


def _maturity_panel(result: AppIndicators, source: str, lang: str) -> Content:
    return _panel(result, source, lang, "maturity")


def _drawn(result: AppIndicators, stage: StageName) -> list[str]:
    """Return the metrics of a stage's panel."""
    names = [
        name for name, metric in METRICS.items()
        if metric.stage == stage and name in result.metrics.columns and name not in _NOT_DRAWN
    ]  # fmt: skip
    return [name for name in names if name != "mau_mom" or "mau_yoy" not in names]


def _panel(result: AppIndicators, source: str, lang: str, stage: StageName) -> Content:
    names = _drawn(result, stage)
    if not names:
        needed = ", ".join(name for name, metric in METRICS.items() if metric.stage == stage)
        raise UnavailableError(
            _t(lang, f"数据没有任何{_GROUPS[stage][0]}的列：{needed}", f"the data fills none of the columns {needed}")
        )
    measures = [_measure(result, name, lang) for name in names]
    by_size = [verdict.app for verdict in sorted(result.verdicts, key=lambda one: -_size(result, one.app))]

    def draw(heading: Heading) -> alt.LayerChart:
        from aitheme.charts.panels import panels

        return panels(measures, heading, highlight=by_size)

    columns = {
        "date": Column("月份", "Month", "date"),
        "app": Column("应用", "App"),
        **{name: Column(METRICS[name].zh, METRICS[name].en, _KINDS[METRICS[name].kind]) for name in names},
    }
    data = result.metrics[list(columns)].dropna(subset=names, how="all").reset_index(drop=True)
    first, last = result.metrics["date"].min(), result.metrics["date"].max()
    span = f"{first:%Y-%m} – {last:%Y-%m}"
    subtitle = _t(lang, f"{span}，月度；{_GROUPS[stage][0]}", f"{span}, monthly; {_GROUPS[stage][1].lower()}")
    native = NativePanels(tuple(NativeChart("line", "date", (name,), "app") for name in names))
    return _content(result, source, data, columns, subtitle, draw=draw, native=native)


def _size(result: AppIndicators, app: str) -> float:
    """Return an app's last known MAU; the largest apps are coloured where there are many."""
    if "mau" not in result.metrics:
        return 0.0
    known = result.metrics.loc[result.metrics["app"] == app, "mau"].dropna()
    return float(known.iloc[-1]) if len(known) else 0.0


def _measure(result: AppIndicators, name: str, lang: str) -> Panel:
    from aitheme.charts.panels import Panel

    metric = METRICS[name]
    wide = result.metrics.pivot_table(index="date", columns="app", values=name, sort=False)
    months = result.metrics["date"].drop_duplicates().sort_values()
    values = wide.reindex(index=months, columns=[app for app in result.metrics["app"].unique() if app in wide.columns])
    kind = metric.kind if metric.kind in {"ratio", "change"} else "number"
    return Panel(_t(lang, metric.zh, metric.en), values, kind)


def _revenue_mix(result: AppIndicators, source: str, lang: str) -> Content:
    import pandas as pd

    shares = [name for name in result.metrics.columns if str(name).startswith("share_")]
    rows = []
    for app, own in result.metrics.groupby("app", sort=False):
        for name in shares:
            known = own.set_index("date")[name].dropna()
            if len(known):
                first, last = known.index[0], known.index[-1]
                rows.append(
                    {"app": app, "line": str(name).removeprefix("share_"), "from": f"{first:%Y-%m}", "first": float(known.iloc[0]),
                     "to": f"{last:%Y-%m}", "last": float(known.iloc[-1])}
                )  # fmt: skip
    if not rows:
        raise UnavailableError(
            _t(
                lang,
                "数据没有收入分项（revenue_from_*列）",
                "the data has no lines of revenue (columns revenue_from_*)",
            )
        )
    columns = {
        "app": Column("应用", "App", merge=True),
        "line": Column("收入来源", "Line"),
        "from": Column("起始月份", "From"),
        "first": Column("起始占比", "Share then", "ratio"),
        "to": Column("最近月份", "To"),
        "last": Column("最近占比", "Share now", "ratio"),
    }
    subtitle = _t(lang, "各项占收入的比例", "Share of each line in revenue")
    return _content(result, source, pd.DataFrame(rows), columns, subtitle)
