"""Why an exhibit cannot be drawn from a store, and what would help: words the exhibits share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aitheme.exhibits.base import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from aitheme.exhibits.base import Context

__all__ = ["begins_later", "ends_earlier", "estimates_wanted", "no_index"]


def ends_earlier(context: Context) -> UnavailableError:
    """Return the error for a report published on or after the last day that may be used."""
    published, last = context.report.published, context.market.as_of(context.as_of)
    if last < context.market.span[1]:
        return UnavailableError(
            context.t(
                f"所取日期{last}不晚于报告发布日{published}；请取更晚的--as-of",
                f"the date asked for, {last}, is not after publication ({published}); take a later --as-of",
            )
        )
    return UnavailableError(
        context.t(
            f"行情库止于{last}，不晚于报告发布日{published}；请先刷新",
            f"the store ends on {last}, not after publication ({published}); refresh it first",
        )
    )


def begins_later(context: Context, base: date | None = None) -> UnavailableError:
    """Return the error for a report published, or lines that have their base, before the first session of the store."""
    published, first = context.report.published, context.market.span[0]
    if base is not None:
        return UnavailableError(
            context.t(
                f"行情库始于{first}，晚于基准日{base}；请用更早的--since另建行情库，或取更晚的--as-of",
                f"the store begins on {first}, after the base {base}; build one with an earlier --since, or take a later --as-of",
            )
        )
    return UnavailableError(
        context.t(
            f"行情库始于{first}，晚于报告发布日{published}；请用更早的--since另建行情库",
            f"the store begins on {first}, after the report was published ({published}); build one with an earlier --since",
        )
    )


def no_index(context: Context, sectors: Sequence[str], start: date, end: date) -> UnavailableError:
    """Return the error for sector indices that neither Shenwan nor CITIC covers over a span."""
    if start >= end:
        return UnavailableError(
            context.t(
                f"行情止于{end}，不晚于基准日{start}；请先刷新，或取更晚的--as-of",
                f"the data ends on {end}, not after the base {start}; refresh the store, or take a later --as-of",
            )
        )
    names = "、".join(sectors)
    return UnavailableError(
        context.t(
            f"行情库没有{names}自{start}至{end}的申万或中信一级行业指数；请刷新，或用更早的--since另建行情库",
            f"the store has neither Shenwan nor CITIC level-1 indices of its sectors from {start} to {end}; refresh it, or build "
            "one with an earlier --since",
        )
    )


def estimates_wanted(context: Context) -> str:
    """Say how a store comes by more estimates."""
    if context.market.simulated:
        return context.t(
            "模拟行情到此日期没有更多预测，请取更晚的--as-of，或另建真实行情库",
            "the simulation has no more estimates by this date; take a later --as-of, or build a store of real data",
        )
    return context.t(
        "用akshare源刷新，可取得带日期的券商预测",
        "refresh with the akshare source, which brings dated broker forecasts",
    )
