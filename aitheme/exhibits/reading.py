"""How to read the statistics of a book: the few terms of each chapter, in one or two sentences and both languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aitheme.randombaskets import DRAWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aitheme.exhibits.labels import Chapter

__all__ = ["READING", "Term"]


@dataclass(frozen=True, slots=True)
class Term:
    """A term as the exhibits print it and what it means.

    Parameters
    ----------
    name_zh, name_en
        The term.
    zh, en
        Its meaning.
    """

    name_zh: str
    name_en: str
    zh: str
    en: str

    def words(self, lang: str) -> tuple[str, str]:
        """Return the term and its meaning in a language."""
        return (self.name_zh, self.zh) if lang == "zh" else (self.name_en, self.en)


_PERCENTILE = Term(
    "百分位（P）、随机篮子",
    "Percentile (P), random baskets",
    f"从起始日有成交的A股中抽取{DRAWS:,}个股票数与板块构成相同的篮子，P为收益低于本篮子者所占的百分数。"
    "50相当于随手挑选；只有接近0或100才说明不像运气。",
    f"{DRAWS:,} baskets with the same number of stocks per board are drawn from the A-shares that traded on the first day; P is "
    "the share of them, in per cent, that returned less. 50 is what a blind choice gives; only values near 0 or 100 are "
    "hard to put down to luck.",
)
_EXCESS = Term(
    "超额、跑赢占比",
    "Excess, share that beat it",
    "超额为全收益减去同期基准收益，基准取券商评级说明所定；跑赢占比为收益高于基准的成分所占比例。",
    "Excess is the total return less that of the benchmark over the same sessions, the benchmark being the one in the broker's "
    "rating scale; the share is that of the members which returned more than the benchmark.",
)

READING: Mapping[Chapter, tuple[Term, ...]] = {
    "before": (
        Term(
            "发布之前",
            "Run-up",
            "截至读者拿到报告之前最后一个收盘的20与60个交易日收益。P接近100，说明篮子在推荐之前已大幅跑在同类股票前面。",
            "Return over the 20 and 60 sessions up to the last close before readers had the report. With P near 100 the basket "
            "had already run ahead of comparable stocks when it was recommended.",
        ),
        _PERCENTILE,
    ),
    "after": (
        _EXCESS,
        _PERCENTILE,
        Term(
            "最大回撤",
            "Drawdown",
            "期限内收盘净值自此前最高点的最大跌幅。",
            "Largest fall of the closing level from its highest point so far within the horizon.",
        ),
    ),
    "rating": (
        Term(
            "兑现、未兑现、未到期",
            "Met, not met, not yet decidable",
            "按该券商自己印明的界限与期限衡量；期限未满者不下结论，只列可知的日期。",
            "Measured by the bounds and the horizon which that broker prints; before the horizon has passed there is no verdict, "
            "only the date when there will be one.",
        ),
    ),
    "across": (_EXCESS, _PERCENTILE),
    "releases": (
        Term(
            "CAAR",
            "CAAR",
            "累计平均超额收益：实际收益减去市场模型（沪深300）的预期，对成分取平均，再对窗口内各日累加。"
            "第0日为市场最早能够反应的交易日。",
            "Cumulative average abnormal return: return less what the market model (CSI 300) expects, averaged over the members "
            "and summed over the sessions of the window. Day 0 is the first session at which the market could react.",
        ),
        Term(
            "p值（稳健检验）",
            "p-value (robust test)",
            "若发布毫无影响，出现同样大小或更大CAAR的概率。成分同一天一起涨跌，不能当作互相独立的观察，"
            "因此把篮子作为一条收益序列，用它在窗口前后的波动来衡量。",
            "Probability of a CAAR at least as large if the release had no effect. Members move together on one day and are no "
            "independent observations, so the basket is one series of returns, held against its own volatility just before "
            "and after the window.",
        ),
        Term(
            "BH校正，** 与 *，°",
            "BH, ** and *, °",
            "同时做许多次检验，总有一些仅凭偶然p<5%。Benjamini-Hochberg校正控制入选结果中误报的预期比例："
            "** 为校正后低于5%，* 为低于10%；° 只是未校正p<5%，单凭它不足为据。",
            "Of many tests some have p<5% by chance alone. Benjamini-Hochberg controls the expected share of false findings among "
            "those reported: ** is below 5% after it, * below 10%; ° is only p<5% before it, and no evidence by itself.",
        ),
        Term(
            "安慰剂带",
            "Placebo band",
            "同一篮子在没有发布的日期所走路径的5%至95%区间。路径留在灰带之内，就与平常的波动没有区别。",
            "5-95% of the paths the same basket took around dates without a release. A path inside the grey band is no different "
            "from its usual fluctuation.",
        ),
        Term(
            "关联与非关联",
            "Linked and unlinked",
            "关联为报告所说与该模型有合作或使用关系的公司。若发布真是原因，关联公司应当动得更多，即差额显著不为零。",
            "Linked companies are those the reports name as partners or users of the model. If the release were the cause they "
            "should move more than the others: the difference would be significant.",
        ),
    ),
    "valuation": (
        Term(
            "预测市盈率",
            "Forward PE",
            "股价除以当日已知的预测每股收益；“/”为每股收益不为正或没有。",
            "Price over the estimate of earnings per share known on the day; / where earnings are not positive or missing.",
        ),
        Term(
            "PE Band",
            "PE band",
            "各条线为指数盈利乘以其滚动市盈率某一历史分位；点位贴近上沿即相对自身历史偏贵。分位只与所示区间相比。",
            "Each line is the index's earnings times a quantile of its own trailing PE; a level near the upper line is dear "
            "against its history. Quantiles refer to the span shown.",
        ),
    ),
    "crowding": (
        Term(
            "成交占比与分位",
            "Turnover share and percentile",
            "篮子成交额占全部A股之比，及其在过去一年中的位置；分位接近100为一年中最拥挤。",
            "The basket's turnover over that of all A-shares, and where it stands within the past year; near 100 it is as crowded "
            "as at any time of that year.",
        ),
        Term(
            "宽度",
            "Breadth",
            "收于自身20日均线之上的成分占比：行情由多数成分还是少数成分带动。",
            "Share of members that close above their own 20-session mean: whether many or few of them carry the move.",
        ),
    ),
    "members": (
        Term(
            "等效独立个数",
            "Independent names",
            "N/(1+(N-1)r)，r为两两相关均值：相关越高，篮子越接近一只股票。",
            "N/(1+(N-1)r), r being the mean correlation of all pairs: the higher it is, the more the basket is one stock.",
        ),
        Term(
            "HHI与有效个数",
            "HHI and effective names",
            "HHI为权重平方和，其倒数为有效个数；有效个数远小于成分数即集中于少数股票。",
            "HHI is the sum of squared weights and its inverse the effective number of names; far fewer than the members means "
            "that a few of them dominate.",
        ),
    ),
}
"""Terms by chapter; chapters whose exhibits explain themselves have none."""
