"""What became of a report's ratings, held against the broker's own scale."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from aitheme.calendar import calendar_for
from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.quotes import PROVIDERS, SECTOR_EN, SHENWAN, choose_indices

if TYPE_CHECKING:
    import pandas as pd

    from aitheme.themes.model import RatingLevel

__all__ = ["months_later", "rating_outcome", "verdict"]

_MONTHS = 12
_LAST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def months_later(day: date, months: int) -> date:
    """Return the same day of the month some months later, the month's last day where it has no such day."""
    year, month = divmod(day.year * _MONTHS + day.month - 1 + months, _MONTHS)
    last = _LAST_DAYS[month] if month != 1 or _is_leap(year) else 28
    return date(year, month + 1, min(day.day, last))


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def verdict(level: RatingLevel | None, excess: float, *, decided: bool) -> str:
    """Tell whether a rating came true.

    Parameters
    ----------
    level
        The printed band of excess return; None where the scale has no such rating.
    excess
        Return over the benchmark's up to the horizon or the end of the data, as a ratio.
    decided
        Whether the horizon lies within the data.

    Returns
    -------
    str
        ``met``, ``not-met``, ``open`` (not yet decidable) or ``no-bounds`` (the scale gives no numbers).
    """
    if level is None or (level.lower is None and level.upper is None):
        return "no-bounds"
    if not decided:
        return "open"
    above = level.lower is None or excess >= level.lower
    below = level.upper is None or excess <= level.upper
    return "met" if above and below else "not-met"


_VERDICTS = {
    "met": ("兑现", "met"),
    "not-met": ("未兑现", "not met"),
    "open": ("未到期", "not yet decidable"),
    "no-bounds": ("无数值界限", "no bounds given"),
}


def rating_outcome(report: str) -> ExhibitDefinition:
    """Define the table of a report's sector and stock ratings with what followed."""

    def build(context: Context) -> Content:
        import pandas as pd

        scale = context.report.rating_scale
        spans = {
            subject: _span(context, months)
            for subject, months in (("sector", scale.horizon_months_sector), ("stock", scale.horizon_months_stock))
        }
        rows = [_sector_row(context, *spans["sector"]), *_stock_rows(context, *spans["stock"])]
        columns = {
            "subject": Column("对象", "Subject", merge=True),
            "name": Column("名称", "Name"),
            "rating": Column("评级", "Rating"),
            "band": Column("印刷界限", "Printed band"),
            "until": Column("计至", "Up to", "date"),
            "change": Column("涨跌幅", "Return", "change"),
            "benchmark": Column("基准", "Benchmark", "change"),
            "excess": Column("超额", "Excess", "change"),
            "verdict_shown": Column("结论", "Verdict"),
        }
        start, _, _ = spans["sector"]
        subtitle = context.t(
            f"自{start}收盘起；个股为全收益，行业与基准为价格指数；基准{scale.benchmarks['A']}",
            f"From the close of {start}; stocks with dividends, indices without; benchmark {scale.benchmarks['A']}",
        )
        source = ("个股与指数日线", "Stock prices and indices")
        return Content(pd.DataFrame(rows), columns, *source, subtitle, "", context.market.as_of(context.as_of))

    title = ("评级兑现情况", "What became of the ratings")
    return ExhibitDefinition("rating-outcome", report, "附表3", *title, "table", "after", build)


def _span(context: Context, months: int) -> tuple[date, date, date | None]:
    """Return the start session, the last session counted, and the horizon where it is not reached yet.

    A broker measures from publication: the last close on or before that day.
    """
    calendar = calendar_for("XSHG")
    start, due = calendar.on_or_before(context.report.published), months_later(context.report.published, months)
    last = context.market.as_of(context.as_of)
    if start >= last:
        raise UnavailableError(context.t("行情库止于报告发布之前", "the store ends before the report was published"))
    return start, calendar.on_or_before(min(due, last)), due if due > last else None


def _row(
    context: Context, subject: str, name: str, rating: str, span: tuple[date, date, date | None], change: float
) -> dict[str, Any]:
    start, end, due = span
    scale = context.report.rating_scale
    level = next((one for one in scale.levels if (one.subject, one.rating_zh) == (subject, rating)), None)
    closes = context.market.index_closes([scale.benchmarks["A"]], start, end).iloc[:, 0].ffill()
    benchmark = float(closes.iloc[-1] / closes.iloc[0] - 1.0)
    outcome = verdict(level, change - benchmark, decided=due is None)
    later = context.t(f"，{due}可判定", f", decidable on {due}") if outcome == "open" else ""
    return {
        "subject": context.t("行业" if subject == "sector" else "股票", subject.capitalize()),
        "name": name,
        "rating": rating if level is None else context.t(level.rating_zh, level.rating_en),
        "band": "" if level is None else level.as_printed,
        "until": end,
        "change": change,
        "benchmark": benchmark,
        "excess": change - benchmark,
        "verdict": outcome,
        "verdict_shown": context.t(*_VERDICTS[outcome]) + later,
    }


def _sector_row(context: Context, start: date, end: date, due: date | None) -> dict[str, Any]:
    sector = context.report.sector_zh
    if sector not in SHENWAN:
        raise UnavailableError(context.t(f"没有{sector}的行业指数", f"no sector index is known for {sector}"))
    choice = choose_indices(context.market, [sector], start, end)
    closes = choice.closes[sector].ffill()
    change = float(closes.iloc[-1] / closes.iloc[0] - 1.0)
    provider = context.t(*PROVIDERS[choice.provider])
    name = context.t(f"{sector}（{provider}）", f"{SECTOR_EN[sector]} ({provider})")
    return _row(context, "sector", name, context.report.sector_rating, (start, end, due), change)


def _stock_rows(context: Context, start: date, end: date, due: date | None) -> list[dict[str, Any]]:
    rated = {
        row.symbol: row.rating
        for row in context.theme.estimates
        if row.report == context.report.id and row.rating is not None
    }
    if not rated:
        return []
    levels: pd.DataFrame = context.market.panel(list(rated), context.market.span[0], end).level.ffill()
    change = levels.loc[str(end)] / levels.loc[str(start)] - 1.0
    known = context.theme.security
    names = {
        symbol: context.t(known[symbol].name_zh, known[symbol].name_en or known[symbol].name_zh) for symbol in rated
    }
    moves = change.astype(float).to_dict()
    return [
        _row(context, "stock", names[symbol], rating, (start, end, due), moves[symbol])
        for symbol, rating in rated.items()
    ]
