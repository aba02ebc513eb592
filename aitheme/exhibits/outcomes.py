"""What became of a report's ratings, held against the broker's own scale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from aitheme.calendar import calendar_for
from aitheme.errors import CalendarHorizonError
from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.quotes import PROVIDERS, SECTOR_EN, SHENWAN, choose_indices
from aitheme.symbols import board_of

if TYPE_CHECKING:
    import pandas as pd

    from aitheme.themes.model import RatingLevel

__all__ = ["market_of", "months_later", "rating_outcome", "sector_verdict", "verdict"]

_MONTHS = 12
_LAST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def months_later(day: date, months: int) -> date:
    """Return the same day of the month some months later, the month's last day where it has no such day."""
    year, month = divmod(day.year * _MONTHS + day.month - 1 + months, _MONTHS)
    last = _LAST_DAYS[month] if month != 1 or _is_leap(year) else 28
    return date(year, month + 1, min(day.day, last))


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def market_of(symbol: str) -> str:
    """Return the market whose benchmark a stock is held against: ``A``, ``HK`` or ``US``."""
    return {"hk": "HK", "us": "US"}.get(str(board_of(symbol)), "A")


def verdict(level: RatingLevel | None, excess: float | None, *, decided: bool) -> str:
    """Tell whether a rating came true.

    Parameters
    ----------
    level
        The printed band of excess return; None where the scale has no such rating.
    excess
        Return over the benchmark's up to the horizon or the end of the data, as a ratio; None where either is unknown.
    decided
        Whether the horizon lies within the data.

    Returns
    -------
    str
        ``met``, ``not-met``, ``open`` (not yet decidable), ``no-bounds`` (the scale gives no numbers) or ``no-data``
        (no price or no benchmark). An excess exactly on a bound meets the rating.
    """
    if level is None or (level.lower is None and level.upper is None):
        return "no-bounds"
    if not decided:
        return "open"
    if excess is None:
        return "no-data"
    above = level.lower is None or excess >= level.lower
    below = level.upper is None or excess <= level.upper
    return "met" if above and below else "not-met"


_VERDICTS = {
    "met": ("兑现", "met"),
    "not-met": ("未兑现", "not met"),
    "open": ("未到期", "not yet decidable"),
    "no-bounds": ("无数值界限", "no bounds given"),
    "no-data": ("无行情或基准", "no price or benchmark"),
}


@dataclass(frozen=True, slots=True)
class _Horizon:
    """From the last close before publication to the horizon, or to the end of the data where that comes first."""

    start: date
    end: date
    due: date
    decided: bool


def rating_outcome(report: str) -> ExhibitDefinition:
    """Define the table of a report's sector and stock ratings with what followed."""

    def build(context: Context) -> Content:
        import pandas as pd

        scale = context.report.rating_scale
        horizon = _horizon(context, scale.horizon_months_stock)
        rows = [sector_verdict(context), *_stock_rows(context, horizon)]
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
        subtitle = context.t(
            f"自{horizon.start}收盘起；个股为全收益，行业与基准为价格指数；基准{scale.benchmarks['A']}",
            f"From the close of {horizon.start}; stocks with dividends, indices without; benchmark {scale.benchmarks['A']}",
        )
        note = "" if any(row["subject_id"] == "stock" for row in rows) else context.t(
            "报告没有个股评级，只有关注名单", "the report rates no stock, it only names some"
        )  # fmt: skip
        data = pd.DataFrame(rows).astype(dict.fromkeys(("change", "benchmark", "excess"), "float64"))
        return Content(data, columns, "个股与指数日线", "Stock prices and indices", subtitle, note,
                       context.market.as_of(context.as_of))  # fmt: skip

    title = ("评级兑现情况", "What became of the ratings")
    return ExhibitDefinition("rating-outcome", report, "附表", *title, "table", "rating", build)


def _horizon(context: Context, months: int) -> _Horizon:
    """Return what a rating is measured over. A broker measures from publication: the last close on or before that day.

    Raises
    ------
    UnavailableError
        The data ends before publication, or begins after it.
    """
    calendar, published = calendar_for("XSHG"), context.report.published
    start, due = calendar.on_or_before(published), months_later(published, months)
    first, last = context.market.span[0], context.market.as_of(context.as_of)
    if start >= last:
        raise UnavailableError(context.t("行情库止于报告发布之前", "the store ends before the report was published"))
    if start < first:
        raise UnavailableError(
            context.t(
                f"行情库始于{first}，晚于报告发布日{published}",
                f"the store begins on {first}, after the report was published ({published})",
            )
        )
    try:
        final = calendar.on_or_before(due)
    except CalendarHorizonError:  # so far ahead that no exchange has published its holidays
        final = due
    decided = final <= last
    return _Horizon(start, final if decided else calendar.on_or_before(last), due, decided)


def _benchmark_change(context: Context, market: str, horizon: _Horizon) -> float | None:
    """Return what the broker's benchmark of a market did; None where it names none or the store has none."""
    symbol = context.report.rating_scale.benchmarks.get(market)
    if symbol is None or symbol not in set(context.market.indices()["symbol"]):
        return None
    closes = context.market.index_closes([symbol], context.market.span[0], horizon.end).iloc[:, 0].ffill()
    return _change(closes, horizon)


def _change(levels: pd.Series[float], horizon: _Horizon) -> float | None:
    first, last = float(levels.loc[str(horizon.start)]), float(levels.loc[str(horizon.end)])
    return last / first - 1.0 if first == first else None  # noqa: PLR0124 (NaN is not itself)


def _row(
    context: Context, subject: str, label: tuple[str, str], horizon: _Horizon, change: float | None, market: str = "A"
) -> dict[str, Any]:
    """Return what became of one rating; `label` is the name and the rating."""
    name, rating = label
    scale = context.report.rating_scale
    level = next((one for one in scale.levels if (one.subject, one.rating_zh) == (subject, rating)), None)
    benchmark = _benchmark_change(context, market, horizon)
    excess = None if change is None or benchmark is None else change - benchmark
    outcome = verdict(level, excess, decided=horizon.decided)
    later = context.t(f"，{horizon.due}可判定", f", decidable on {horizon.due}") if outcome == "open" else ""
    return {
        "subject_id": subject,
        "subject": context.t("行业" if subject == "sector" else "股票", subject.capitalize()),
        "name": name,
        "rating": rating if level is None else context.t(level.rating_zh, level.rating_en),
        "band": "" if level is None else level.as_printed,
        "until": horizon.end,
        "due": horizon.due,
        "change": change,
        "benchmark": benchmark,
        "excess": excess,
        "verdict": outcome,
        "verdict_shown": context.t(*_VERDICTS[outcome]) + later,
    }


def sector_verdict(context: Context) -> dict[str, Any]:
    """Return what became of a report's sector rating.

    Returns
    -------
    dict
        The row of the ratings' table: among others ``verdict`` (see :func:`verdict`) and ``verdict_shown``, the same in
        words with the date when an open one can be decided.

    Raises
    ------
    UnavailableError
        The data ends before publication or begins after it, or there is no index of the sector.
    """
    sector = context.report.sector_zh
    horizon = _horizon(context, context.report.rating_scale.horizon_months_sector)
    if sector not in SHENWAN:
        raise UnavailableError(context.t(f"没有{sector}的行业指数", f"no sector index is known for {sector}"))
    choice = choose_indices(context.market, [sector], horizon.start, horizon.end)
    provider = context.t(*PROVIDERS[choice.provider])
    name = context.t(f"{sector}（{provider}）", f"{SECTOR_EN[sector]} ({provider})")
    change = _change(choice.closes[sector].ffill(), horizon)
    return _row(context, "sector", (name, context.report.sector_rating), horizon, change)


def _stock_rows(context: Context, horizon: _Horizon) -> list[dict[str, Any]]:
    rated = {
        row.symbol: row.rating
        for row in context.theme.estimates
        if row.report == context.report.id and row.rating is not None
    }
    if not rated:
        return []
    levels = context.market.panel(list(rated), context.market.span[0], horizon.end).level.ffill()
    known = context.theme.security
    names = {
        symbol: context.t(known[symbol].name_zh, known[symbol].name_en or known[symbol].name_zh) for symbol in rated
    }
    return [
        _row(context, "stock", (names[symbol], rating), horizon, _change(levels[symbol], horizon), market_of(symbol))
        for symbol, rating in rated.items()
    ]
