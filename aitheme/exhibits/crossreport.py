"""All reports of a theme side by side: what went before, what followed, and whether the rating came true."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aitheme.analysis.aftermath import HORIZONS, RUN_UP
from aitheme.charts.frame import Size
from aitheme.exhibits.aftermath_data import Judged
from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.membership import main_baskets
from aitheme.exhibits.outcomes import sector_verdicts, verdict_words
from aitheme.exhibits.uncounted import empty_baskets

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from aitheme.analysis.aftermath import Outcome
    from aitheme.themes import Theme

__all__ = ["cross_chapter", "cross_report"]

_CHASE = min(RUN_UP)
_WIDE = Size(1080, 380)


def cross_chapter(theme: Theme, report: str) -> tuple[ExhibitDefinition, ...]:
    """Return the table of all reports; none where the theme has a single one."""
    return (cross_report(report),) if len(theme.reports) > 1 else ()


def cross_report(report: str) -> ExhibitDefinition:
    """Define the table of all reports of the theme, by date; the same in every book.

    Parameters
    ----------
    report
        The book it stands in.
    """

    def build(context: Context) -> Content:
        reports = sorted(context.theme.reports.values(), key=lambda one: (one.published, one.id))
        rows = [row for one in reports for row in _report_rows(replace(context, report=one))]
        if all(row["sessions"] is None for row in rows):
            raise UnavailableError(
                context.t("；", "; ").join(f"{row['title']}：{row['verdict']}" for row in rows if row["verdict"])
            )
        subtitle = context.t(
            "等权持有、含股息，只计A股；超额对照各券商评级说明的基准；前：截至发布前最后收盘，后：自首个可交易日收盘起，交易日计",
            "Equal weight, held, dividends included, A-shares; excess over each broker's own benchmark; sessions to the last close "
            "before publication, and from the close of the first session to trade on it",
        )
        note = context.t(
            "百分位为同规模同板块的1,000个随机篮子中的位置；跑赢占比与其后的百分位按最长已到期期限；“/”为未到期；"
            "评级期限印作一段者，两端都在界限内为兑现，一端不在即为未兑现，括号内为各端结论或到期日",
            "Percentile among 1,000 random baskets of the same size and boards; share ahead of the benchmark and the second "
            "percentile at the longest horizon reached; / where a horizon is not reached; a rating with a printed span of months "
            "is met if both ends are, not met as soon as one is not; brackets: the verdict or due date of each end",
        )
        empty = [
            context.t(f"{one.broker_zh}：{words}", f"{one.broker_en}: {words}")
            for one in reports
            if (words := empty_baskets(replace(context, report=one), main_baskets(context.theme, one.id)))
        ]
        note = context.t("；", "; ").join([note, *empty])
        return Content(_frame(rows), _columns(), "个股与指数日线", "Stock prices and indices", subtitle, note,
                       context.market.as_of(context.as_of), size=_WIDE)  # fmt: skip

    title = ("各报告发布前后对照", "All reports side by side")
    return ExhibitDefinition("cross-report", report, "附表", *title, "table", "across", build)


def _report_rows(context: Context) -> list[dict[str, Any]]:
    """Return the rows of a report: the whole first, then its main baskets; one row with the reason where there is none."""
    report = context.report
    head = {
        "report": report.id,
        "published": report.published,
        "title": context.t(report.broker_zh, report.broker_en),
        "verdict": "",
    }
    if context.market.as_of(context.as_of) < report.published:
        unknown = context.t("尚未发布", "not published yet")
        return [{**head, "basket": "", "name": "", "sessions": None, "verdict": unknown}]
    try:
        judged = Judged(context)
    except UnavailableError as error:
        return [{**head, "basket": "", "name": "", "sessions": None, "verdict": str(error)}]
    baskets = [judged.headline[-1], *judged.headline[:-1]] if judged.whole is not None else list(judged.headline)
    rows = [
        {**head, "basket": basket, "name": judged.name(basket), **_cells(judged.outcomes(basket))} for basket in baskets
    ]
    rows[0]["verdict"] = _verdict(context)
    return rows


def _verdict(context: Context) -> str:
    """Return the sector rating with its verdict, and what each end of a printed span of months says."""
    try:
        rows = sector_verdicts(context)
    except UnavailableError as error:
        return str(error)
    outcome = rows[0]["overall"]
    whole = context.t("未到期", "not yet") if outcome == "open" else verdict_words(context, outcome)
    ends = [str(row["due"]) if row["verdict"] == "open" else verdict_words(context, row["verdict"]) for row in rows]
    if len(rows) > 1:
        ends = [
            context.t(f"{row['months']}个月", f"{row['months']}m ") + end for row, end in zip(rows, ends, strict=True)
        ]
    inside = context.t("，", ", ").join(ends) if len(rows) > 1 or outcome == "open" else ""
    bracket = context.t(f"（{inside}）", f" ({inside})") if inside else ""
    return context.t(f"{rows[0]['rating']}：{whole}{bracket}", f"{rows[0]['rating']}: {whole}{bracket}")


def _cells(outcomes: tuple[Outcome, ...]) -> dict[str, Any]:
    """Return a basket's excess returns by span, and share and percentile at the longest horizon reached."""
    cells: dict[str, Any] = {f"{one.span.kind}_{one.span.sessions}": one.excess_return for one in outcomes}
    chase = next(one for one in outcomes if (one.span.kind, one.span.sessions) == ("before", _CHASE))
    reached = [one for one in outcomes if one.span.kind == "after" and one.total_return is not None]
    last = reached[-1] if reached else None
    return {
        **cells,
        "members": outcomes[0].members,
        "before_percentile": _hundred(chase.percentile),
        "sessions": 0 if last is None else last.span.sessions,
        "beat_share": None if last is None else last.beat_share,
        "after_percentile": None if last is None else _hundred(last.percentile),
    }


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    numbers = [f"before_{count}" for count in RUN_UP] + [f"after_{count}" for count in HORIZONS]
    wanted = [*numbers, "before_percentile", "beat_share", "after_percentile", "members", "sessions"]
    data = pd.DataFrame(rows).reindex(columns=["report", "published", "title", "basket", "name", "verdict", *wanted])
    data = data.astype(dict.fromkeys(wanted, "float64"))
    # A basket without a reached horizon has none to show.
    return data.assign(sessions=data["sessions"].where(data["sessions"] > 0))


def _columns() -> Mapping[str, Column]:
    before, after = ("前，超额", "Before, excess"), ("后，超额", "After, excess")
    return {
        "title": Column("报告", "Report", merge=True),
        "published": Column("发布日", "Published", "date", merge=True),
        "name": Column("篮子", "Basket"),
        "members": Column("A股", "A-shares", "integer"),
        **{f"before_{count}": Column(f"{count}日", f"{count}", "change", *before) for count in RUN_UP},
        "before_percentile": Column(f"{_CHASE}日P", f"P{_CHASE}", "integer", *before),
        **{f"after_{count}": Column(f"{count}日", f"{count}", "change", *after) for count in HORIZONS},
        "sessions": Column("期限", "Horizon", "integer", "最长已到期", "Longest reached"),
        "beat_share": Column("跑赢", "Beat it", "ratio", "最长已到期", "Longest reached"),
        "after_percentile": Column("P", "P", "integer", "最长已到期", "Longest reached"),
        "verdict": Column("行业评级", "Sector rating"),
    }
