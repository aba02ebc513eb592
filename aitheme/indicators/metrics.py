"""The vocabulary of app metrics: names, units, and the stage in which each is watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ALIASES", "GIVEN", "GROWN", "METRICS", "REVENUE_LINE", "Metric", "StageName"]

StageName = Literal["growth", "maturity"]
Kind = Literal["count", "money", "minutes", "multiple", "ratio", "change"]

REVENUE_LINE = "revenue_from_"
"""Prefix of the columns that split revenue by line of business, in CNY."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a column of app metrics means.

    Parameters
    ----------
    zh, en
        Label with the unit where it has one.
    kind
        ``count`` (people, times), ``money`` (CNY), ``minutes``, ``multiple``, ``ratio`` or ``change`` (a ratio with a sign).
    stage
        ``growth`` for what is watched in an app's early days, ``maturity`` for what is watched later.
    """

    zh: str
    en: str
    kind: Kind
    stage: StageName


GIVEN: Mapping[str, Metric] = {
    "mau": Metric("月活跃用户数（人）", "Monthly active users", "count", "growth"),
    "dau": Metric("日活跃用户数（人）", "Daily active users", "count", "growth"),
    "time_spent": Metric(
        "日均使用时长（分钟/活跃用户）", "Time spent (minutes a day per active user)", "minutes", "growth"
    ),
    "downloads": Metric("下载量（次/月）", "Downloads a month", "count", "growth"),
    "update_frequency": Metric("更新频次（次/月）", "Updates a month", "count", "growth"),
    "revenue": Metric("收入（元/月）", "Revenue a month (CNY)", "money", "maturity"),
    "revenue_growth": Metric("收入同比", "Revenue growth on a year", "change", "maturity"),
    "market_share": Metric("市场份额", "Market share", "ratio", "maturity"),
    "paying_users": Metric("付费用户数（人）", "Paying users", "count", "maturity"),
    "paying_ratio": Metric("付费渗透率（付费用户/MAU）", "Paying ratio (paying users to MAU)", "ratio", "maturity"),
    "costs": Metric("成本支出（元/月）", "Costs a month (CNY)", "money", "maturity"),
}
"""Columns an analyst may fill in, beside ``date`` and ``app``."""

METRICS: Mapping[str, Metric] = {
    "mau": GIVEN["mau"],
    "mau_mom": Metric("MAU环比", "MAU growth on a month", "change", "growth"),
    "mau_yoy": Metric("MAU同比", "MAU growth on a year", "change", "growth"),
    "dau": GIVEN["dau"],
    "dau_mau": Metric("DAU/MAU", "DAU/MAU", "ratio", "growth"),
    "time_spent": GIVEN["time_spent"],
    "downloads": GIVEN["downloads"],
    "update_frequency": GIVEN["update_frequency"],
    "revenue": GIVEN["revenue"],
    "revenue_growth": GIVEN["revenue_growth"],
    "market_share": GIVEN["market_share"],
    "paying_users": GIVEN["paying_users"],
    "paying_ratio": GIVEN["paying_ratio"],
    "arpu": Metric("ARPU（元/月活用户）", "ARPU (CNY per monthly active user)", "money", "maturity"),
    "arppu": Metric("ARPPU（元/付费用户）", "ARPPU (CNY per paying user)", "money", "maturity"),
    "costs": GIVEN["costs"],
    "cost_ratio": Metric("成本/收入（倍）", "Costs to revenue (times)", "multiple", "maturity"),
}
"""Every metric of a result, given or computed, in the order in which a panel shows them."""

GROWN = ("mau", "dau", "downloads", "revenue", "paying_users")
"""Levels whose growth on a month and on a year is computed."""

ALIASES: Mapping[str, str] = {
    "日期": "date", "月份": "date", "month": "date", "应用": "app", "产品": "app", "name": "app",
    "月活": "mau", "月活跃用户数": "mau", "日活": "dau", "日活跃用户数": "dau", "使用时长": "time_spent", "下载量": "downloads",
    "更新频次": "update_frequency", "updates": "update_frequency",
    "收入": "revenue", "收入规模": "revenue", "收入增速": "revenue_growth", "收入同比": "revenue_growth",
    "市场份额": "market_share", "share": "market_share",
    "付费用户": "paying_users", "付费用户数": "paying_users", "付费用户规模": "paying_users",
    "付费渗透率": "paying_ratio", "penetration": "paying_ratio", "成本": "costs", "成本支出": "costs", "cost": "costs",
}  # fmt: skip
"""Other spellings of the columns; case and blanks do not matter."""
