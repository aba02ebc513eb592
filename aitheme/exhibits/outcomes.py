"""What became of a report's ratings, held against the broker's own scale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from aitheme.calendar import calendar_for
from aitheme.errors import CalendarHorizonError
from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.printed import band_words
from aitheme.exhibits.quotes import PROVIDERS, SECTOR_EN, SHENWAN, choose_indices
from aitheme.exhibits.reasons import begins_later, ends_earlier
from aitheme.exhibits.scope import company_name, index_name
from aitheme.symbols import board_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from aitheme.themes.model import RatingLevel

__all__ = ["market_of", "months_later", "overall", "rating_outcome", "sector_verdicts", "verdict", "verdict_words"]

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
    """Tell whether a rating came true at one horizon.

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


def overall(verdicts: Sequence[str]) -> str:
    """Return the verdict over both ends of a printed span of months.

    A rating "over 6 to 12 months" promises its band at either end: one end outside it decides against the rating, both
    inside it are needed for it, and an end that is not reached leaves it open.

    Parameters
    ----------
    verdicts
        Of each end, see :func:`verdict`; a single one for a scale with one horizon.
    """
    return next(one for one in ("not-met", "open", "no-data", "no-bounds", "met") if one in verdicts)


_VERDICTS = {
    "met": ("兑现", "met"),
    "not-met": ("未兑现", "not met"),
    "open": ("未到期", "not yet decidable"),
    "no-bounds": ("无数值界限", "no bounds given"),
    "no-data": ("无行情或基准", "no price or benchmark"),
}


def verdict_words(context: Context, outcome: str) -> str:
    """Return a verdict in the language of the book."""
    return context.t(*_VERDICTS[outcome])


@dataclass(frozen=True, slots=True)
class _Horizon:
    """From the last close before publication to the horizon, or to the end of the data where that comes first."""

    months: int
    start: date
    end: date
    due: date
    decided: bool


def rating_outcome(report: str) -> ExhibitDefinition:
    """Define the table of a report's sector and stock ratings with what followed, one row per printed horizon."""

    def build(context: Context) -> Content:
        import pandas as pd

        rows = [*sector_verdicts(context), *_stock_rows(context)]
        subtitle = context.t(
            f"自{rows[0]['start']}收盘起；个股为全收益，行业与基准为价格指数；A股基准{_benchmark_name(context)}",
            f"From the close of {rows[0]['start']}; stocks with dividends, indices without; benchmark of A-shares: "
            f"{_benchmark_name(context)}",
        )
        data = pd.DataFrame(rows).astype(dict.fromkeys(("change", "benchmark", "excess"), "float64"))
        return Content(data, _columns(span=bool(_spans(context))), "个股与指数日线", "Stock prices and indices", subtitle,
                       _note(context, rows), context.market.as_of(context.as_of))  # fmt: skip

    title = ("评级兑现情况", "What became of the ratings")
    return ExhibitDefinition("rating-outcome", report, "附表", *title, "table", "rating", build)


def _columns(*, span: bool) -> dict[str, Column]:
    columns = {
        "subject": Column("对象", "Subject", merge=True),
        "name": Column("名称", "Name", merge=True),
        "rating": Column("评级", "Rating"),
        "band_shown": Column("印刷界限", "Band of excess"),
        "months": Column("期限（月）", "Months", "integer"),
        "until": Column("计至", "Up to", "date"),
        "change": Column("涨跌幅", "Return", "change"),
        "benchmark": Column("基准", "Benchmark", "change"),
        "excess": Column("超额", "Excess", "change"),
        "verdict_shown": Column("结论", "Verdict"),
    }
    return columns | ({"overall_shown": Column("两端结论", "Both ends")} if span else {})


def _spans(context: Context) -> list[tuple[int, ...]]:
    """Return the horizons of a scale that are printed as a span of months."""
    scale = context.report.rating_scale
    ends = dict.fromkeys((scale.horizon_months_sector, scale.horizon_months_stock))
    return [one for one in ends if len(one) > 1]


def _note(context: Context, rows: Sequence[dict[str, Any]]) -> str:
    scale = context.report.rating_scale
    rates = any(row["subject_id"] == "stock" for row in rows)
    parts = [
        *(
            context.t(
                f"评级期限印作{near}至{far}个月，两端分别对照：两端都在界限内为兑现，一端不在即为未兑现，否则待后一端到期",
                f"the scale prints a horizon of {near} to {far} months, held at both ends: met if both lie in the band, not "
                "met as soon as one does not, open until then",
            )
            for near, far in _spans(context)
        ),
        context.t(scale.remark_zh, scale.remark_en),
        "" if rates else context.t("报告没有个股评级，只有关注名单", "the report rates no stock, it only names some"),
    ]
    return context.t("；", "; ").join(part for part in parts if part)


def _benchmark_name(context: Context) -> str:
    symbol = context.report.rating_scale.benchmarks.get("A")
    return context.t("未印", "none printed") if symbol is None else index_name(context, symbol)


def _horizons(context: Context, ends: Sequence[int]) -> list[_Horizon]:
    return [_horizon(context, months) for months in ends]


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
        raise ends_earlier(context)
    if start < first:
        raise begins_later(context)
    try:
        final = calendar.on_or_before(due)
    except CalendarHorizonError:  # so far ahead that no exchange has published its holidays
        final = due
    decided = final <= last
    return _Horizon(months, start, final if decided else calendar.on_or_before(last), due, decided)


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
    """Return what became of one rating at one horizon; `label` is the name and the rating."""
    name, rating = label
    scale = context.report.rating_scale
    level = next((one for one in scale.levels if (one.subject, one.rating_zh) == (subject, rating)), None)
    benchmark = _benchmark_change(context, market, horizon)
    excess = None if change is None or benchmark is None else change - benchmark
    outcome = verdict(level, excess, decided=horizon.decided)
    later = context.t(f"，{horizon.due}可判定", f"; on {horizon.due}") if outcome == "open" else ""
    return {
        "subject_id": subject,
        "subject": context.t("行业" if subject == "sector" else "股票", subject.capitalize()),
        "name": name,
        "rating": rating if level is None else context.t(level.rating_zh, level.rating_en),
        "band": "" if level is None else level.as_printed,
        "band_shown": "" if level is None else context.t(level.as_printed, band_words(context, level)),
        "months": horizon.months,
        "start": horizon.start,
        "until": horizon.end,
        "due": horizon.due,
        "change": change,
        "benchmark": benchmark,
        "excess": excess,
        "verdict": outcome,
        "verdict_shown": verdict_words(context, outcome) + later,
    }


def _together(context: Context, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the verdict over all horizons of a rating to its rows; in words it stands in the first of them."""
    outcome = overall([row["verdict"] for row in rows])
    words = verdict_words(context, outcome)
    if outcome == "open":
        words += context.t(f"，最迟{rows[-1]['due']}可判定", f"; on {rows[-1]['due']} at the latest")
    return [{**row, "overall": outcome, "overall_shown": "" if at else words} for at, row in enumerate(rows)]


def sector_verdicts(context: Context) -> list[dict[str, Any]]:
    """Return what became of a report's sector rating, one row per printed horizon.

    Returns
    -------
    list of dict
        Rows of the ratings' table: among others ``months``, ``verdict`` (see :func:`verdict`), ``due`` and ``overall``
        (see :func:`overall`, the same in each row).

    Raises
    ------
    UnavailableError
        The data ends before publication or begins after it, or there is no index of the sector.
    """
    sector = context.report.sector_zh
    horizons = _horizons(context, context.report.rating_scale.horizon_months_sector)
    if sector not in SHENWAN:
        raise UnavailableError(context.t(f"没有{sector}的行业指数", f"no sector index is known for {sector}"))
    rows = []
    for horizon in horizons:
        choice = choose_indices(context, [sector], horizon.start, horizon.end)
        provider = context.t(*PROVIDERS[choice.provider])
        name = context.t(f"{sector}（{provider}）", f"{SECTOR_EN[sector]} ({provider})")
        change = _change(choice.closes[sector].ffill(), horizon)
        rows.append(_row(context, "sector", (name, context.report.sector_rating), horizon, change))
    return _together(context, rows)


def _stock_rows(context: Context) -> list[dict[str, Any]]:
    rated = {
        row.symbol: row.rating
        for row in context.theme.estimates
        if row.report == context.report.id and row.rating is not None
    }
    if not rated:
        return []
    horizons = _horizons(context, context.report.rating_scale.horizon_months_stock)
    levels = context.market.panel(list(rated), context.market.span[0], horizons[-1].end).level.ffill()
    return [
        row
        for symbol, rating in rated.items()
        for row in _together(
            context,
            [
                _row(context, "stock", (company_name(context, symbol), rating), horizon, _change(levels[symbol], horizon),
                     market_of(symbol))
                for horizon in horizons
            ],
        )
    ]  # fmt: skip
