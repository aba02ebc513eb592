"""Crowding and breadth of a report's baskets: turnover share, members above their mean, limit-up closes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aitheme.analysis.crowding import SPANS, basket_crowding, crowding_around
from aitheme.analysis.releases import release_days
from aitheme.calendar import calendar_for
from aitheme.crowding import MEAN_SESSIONS, YEAR
from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.membership import headline_baskets
from aitheme.exhibits.native import NativeChart, NativePanels
from aitheme.exhibits.reasons import begins_later
from aitheme.exhibits.scope import basket_name, day_label, main_basket, release_names, room_of, shown_baskets
from aitheme.exhibits.uncounted import listing, uncounted_main

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import altair as alt
    import pandas as pd

    from aitheme.analysis.crowding import BasketCrowding
    from aitheme.analysis.releases import ReleaseDays
    from aitheme.charts.frame import Heading
    from aitheme.exhibits.columns import Kind
    from aitheme.themes import Theme

__all__ = ["crowding_chapter"]

_SOURCE = ("个股日线成交额与收盘价", "Turnover and closes of stocks")
_SMOOTH = 5
_RECENT = 20
_EVENT = {
    "before": ("前20日", "-20..-1"),
    "day0": ("当日", "Day 0"),
    "week": ("后1-5日", "+1..+5"),
    "month": ("后6-20日", "+6..+20"),
}
_MEASURES: Mapping[str, tuple[str, str, Kind]] = {
    "share": ("成交额占全市场", "Share of market turnover", "fine"),
    "above": ("站上20日均线占比", "Members above their mean", "share"),
    "limit_ups": ("日均涨停家数", "Limit-up closes a day", "decimal"),
}


def crowding_chapter(theme: Theme, report: str) -> tuple[ExhibitDefinition, ...]:
    """Return the exhibits on crowding; none for a report without a basket of A-shares."""
    if not headline_baskets(theme, report):
        return ()
    return (_summary(report), _share_lines(report), _breadth(report), _around(report))


def _start(context: Context) -> date:
    """Return a year of sessions before publication, or the first session of the data."""
    first = context.market.span[0]
    start = calendar_for("XSHG").shift(calendar_for("XSHG").on_or_before(context.until), -YEAR)
    return max(start, first)


def _check_begun(context: Context) -> None:
    if context.until < context.market.span[0]:
        raise begins_later(context)


def _market_words(context: Context, crowded: BasketCrowding) -> str:
    if not crowded.whole:
        return context.t(
            "行情库只有主题内股票，无法计算占全市场成交额；用--universe all刷新",
            "the store holds only the theme's stocks, so there is no market turnover; refresh with --universe all",
        )
    return context.t(
        f"全市场为行情库内全部A股（末日{crowded.market_stocks:,}只成交）",
        f"the market is every A-share of the store ({crowded.market_stocks:,} traded on the last session)",
    )


def _share_lines(report: str) -> ExhibitDefinition:
    def build(context: Context) -> Content:
        import pandas as pd

        _check_begun(context)
        room, baskets = room_of(context), shown_baskets(context)
        found = {basket: basket_crowding(room, basket) for basket in baskets}
        first = found[baskets[0]]
        if not first.whole:
            raise UnavailableError(_market_words(context, first))
        names = {basket: basket_name(context, basket) for basket in baskets}
        start = _start(context)
        wide = pd.DataFrame(
            {names[basket]: one.table["share"].rolling(_SMOOTH).mean() for basket, one in found.items()}
        ).loc[str(start) :]
        ends = {names[basket]: one.table.iloc[-1] for basket, one in found.items()}
        rows = [
            {"session": stamp.date(), "name": names[basket], "share": share, "smooth": smooth, "percentile": percentile}
            for basket, one in found.items()
            for stamp, share, percentile, smooth in zip(
                wide.index, *(one.table[name].reindex(wide.index) for name in ("share", "percentile")), wide[names[basket]],
                strict=True,
            )
        ]  # fmt: skip

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.levels import Line, level_lines

            colours = _colours(list(wide.columns), whole=len(baskets) > len(headline_baskets(context.theme, report)))
            lines = [
                Line(name, _end_words(context, name, wide[name], ends[name]), colours[name]) for name in wide.columns
            ]
            ticks = [day.day0 for day in release_days(room, report).days]
            return level_lines(wide, lines, heading, mark=_published(context), ticks_at=ticks)

        columns = {
            "session": Column("日期", "Date", "date"),
            "name": Column("篮子", "Basket"),
            "share": Column("占全市场成交额", "Share of market turnover", "fine"),
            "smooth": Column("5日均值", "Mean of 5 sessions", "fine"),
            "percentile": Column("一年分位", "Percentile over a year", "share"),
        }
        subtitle = context.t(
            f"占全部A股成交额之比，{_SMOOTH}日均值；括号内为末日占比在过去{YEAR}个交易日的分位；顶部短线为发布的首个反应日",
            f"Share of all A-shares' turnover, mean of {_SMOOTH} sessions; brackets: percentile of the last session over {YEAR}; "
            "ticks on top: day 0 of releases",
        )
        return Content(
            pd.DataFrame(rows), columns, *_SOURCE, subtitle, _share_note(context, first), context.as_of, draw,
            NativeChart("line", "session", ("smooth",), "name"),
        )  # fmt: skip

    title = ("篮子成交额占全市场的比重", "The baskets' share of market turnover")
    return ExhibitDefinition("turnover-share", report, "附图", *title, "chart", "crowding", build)


def _share_note(context: Context, crowded: BasketCrowding) -> str:
    fixed = context.t(
        "成分固定为报告所列A股，含报告发布之前", "members are the A-shares the report lists, before its publication too"
    )
    parts = [_market_words(context, crowded), fixed, uncounted_main(context)]
    return context.t("；", "; ").join(part for part in parts if part)


def _end_words(context: Context, name: str, smooth: pd.Series[float], end: pd.Series[float]) -> str:
    from aitheme.charts.style import half_up

    known = smooth.dropna()
    value = f"{half_up(float(known.iloc[-1]) * 100, 2):.2f}%" if len(known) else "/"
    percentile = end["percentile"]
    if percentile != percentile:  # noqa: PLR0124 (NaN)
        return f"{name} {value}"
    rank = f"{half_up(float(percentile) * 100):.0f}%"
    return f"{name} {value}" + context.t(f"（{rank}）", f" ({rank})")


def _colours(names: Sequence[str], *, whole: bool) -> dict[str, str]:
    """Return a colour per basket; the whole, which stands last, is dark."""
    from aitheme.charts.style import INK, PALETTE

    colours = {name: PALETTE[at % len(PALETTE)] for at, name in enumerate(names)}
    return {**colours, names[-1]: INK} if whole else colours


def _published(context: Context) -> tuple[date, str] | None:
    published = context.report.published
    last = context.market.as_of(context.as_of)
    if not context.market.span[0] <= published <= last:
        return None
    return calendar_for("XSHG").on_or_after(published), context.t(
        f"报告发布 {published:%y/%m/%d}", f"Published {published:%y/%m/%d}"
    )


def _breadth(report: str) -> ExhibitDefinition:
    def build(context: Context) -> Content:
        _check_begun(context)
        room, basket = room_of(context), main_basket(context)
        crowded = basket_crowding(room, basket)
        table = crowded.table.loc[str(_start(context)) :]
        if not table["above"].notna().any():
            raise UnavailableError(
                context.t("成分在此期间没有行情；请刷新行情库", "no member has prices in this span; refresh the store")
            )
        name = context.t("站上均线占比", "Above the mean")
        smooth = crowded.table["above"].rolling(_SMOOTH).mean().reindex(table.index)
        data = table.rename_axis("session").reset_index().assign(smooth=smooth.to_numpy())
        data["session"] = [stamp.date() for stamp in table.index]

        def draw(heading: Heading) -> alt.LayerChart:
            import pandas as pd

            from aitheme.charts.levels import Line, level_lines
            from aitheme.charts.style import PALETTE, half_up

            last = smooth.dropna().iloc[-1] if smooth.notna().any() else float("nan")
            end = f"{half_up(float(last) * 100):.0f}%" if last == last else "/"  # noqa: PLR0124 (NaN)
            most = int(table["limit_ups"].max())
            word = context.t(
                f"当日涨停收盘家数（最高{most}家，共{crowded.members}只）",
                f"Limit-up closes (most {most} of {crowded.members})",
            )
            return level_lines(
                pd.DataFrame({name: smooth}), [Line(name, f"{name} {end}", PALETTE[1])], heading, bars=table["limit_ups"],
                bars_word=word, mark=_published(context), ticks_at=[day.day0 for day in release_days(room, report).days],
            )  # fmt: skip

        columns = {
            "session": Column("日期", "Date", "date"),
            "above": Column("站上20日均线占比", "Share above 20-session mean", "ratio"),
            "smooth": Column("5日均值", "Mean of 5 sessions", "ratio"),
            "known": Column("计入家数", "Members counted", "integer"),
            "limit_ups": Column("涨停收盘家数", "Limit-up closes", "integer"),
            "traded": Column("成交家数", "Members traded", "integer"),
        }
        subtitle = context.t(
            f"{basket_name(context, basket)}：收于自身{MEAN_SESSIONS}个交易日均线之上的成分占比（{_SMOOTH}日均值）与涨停收盘家数；"
            "顶部短线为发布的首个反应日",
            f"{basket_name(context, basket)}: share of members above their own {MEAN_SESSIONS}-session mean ({_SMOOTH}-session "
            "mean) and limit-up closes; ticks on top: day 0 of releases",
        )
        return Content(data, columns, *_SOURCE, subtitle, _limit_note(context), context.as_of, draw,
                       NativePanels((NativeChart("line", "session", ("above", "smooth"), quiet=("above",)),
                                     NativeChart("column", "session", ("limit_ups",)))))  # fmt: skip

    title = ("市场宽度与涨停：篮子成分", "Breadth and limit-up closes of the basket")
    return ExhibitDefinition("breadth", report, "附图", *title, "chart", "crowding", build)


def _limit_note(context: Context) -> str:
    return context.t(
        "均线按除权后的全收益价格与各股自身交易日计；涨停按板块与日期的规则判定（主板10%，创业板、科创板20%，北交所30%，上市首日起按规则豁免），"
        "ST的5%限制未计",
        "means on total-return levels over each stock's own sessions; limits by board and date (main 10%, ChiNext and STAR 20%, "
        "Beijing 30%, free after listing); the 5% limit of ST names is not known",
    )


def _summary(report: str) -> ExhibitDefinition:
    def build(context: Context) -> Content:
        import pandas as pd

        _check_begun(context)
        room = room_of(context)
        moments = {"then": context.until}
        last = context.market.as_of(context.as_of)
        if last > context.until:
            moments["now"] = last
        rows, crowded = [], None
        for basket in shown_baskets(context):
            crowded = basket_crowding(room, basket)
            cells: dict[str, Any] = {"name": basket_name(context, basket), "members": crowded.members}
            for moment, day in moments.items():
                cells |= {f"{key}_{moment}": value for key, value in _reading(crowded, day).items()}
            rows.append(cells)
        assert crowded is not None
        columns = {"name": Column("篮子", "Basket"), "members": Column("A股", "A-shares", "integer")}
        for moment, day in moments.items():
            columns |= _summary_columns(context, moment, day)
        subtitle = context.t(
            f"成交占比为{_SMOOTH}日均值，分位为当日占比在过去{YEAR}个交易日中的位置；宽度为站上{MEAN_SESSIONS}日均线的成分占比；涨停为近{_RECENT}个交易日涨停收盘次数",
            f"Turnover share: mean of {_SMOOTH} sessions; percentile: of the day's share over {YEAR}; breadth: members "
            f"above their {MEAN_SESSIONS}-session mean; limit-ups: closes at the limit in {_RECENT} sessions",
        )
        parts = [_market_words(context, crowded), _limit_note(context), uncounted_main(context)]
        note = context.t("；", "; ").join(part for part in parts if part)
        return Content(pd.DataFrame(rows), columns, *_SOURCE, subtitle, note, context.as_of)

    title = ("拥挤度一览：发布日与最新", "Crowding at publication and now")
    return ExhibitDefinition("crowding-summary", report, "附表", *title, "table", "crowding", build)


def _reading(crowded: BasketCrowding, day: date) -> dict[str, float]:
    """Return the measures on the last session up to a day; the turnover share is a mean of five sessions."""
    table = crowded.table.loc[: str(day)]
    nothing = dict.fromkeys(("share", "percentile", "above", "limit_ups"), float("nan"))
    if table.empty:
        return nothing
    return {
        "share": float(table["share"].tail(_SMOOTH).mean()),
        "percentile": float(table["percentile"].iloc[-1]),
        "above": float(table["above"].iloc[-1]),
        "limit_ups": float(table["limit_ups"].tail(_RECENT).sum()),
    }


def _summary_columns(context: Context, moment: str, day: date) -> dict[str, Column]:
    when = (
        f"{'发布日' if moment == 'then' else '最新'} {day}",
        f"{'Publication' if moment == 'then' else 'Latest'} {day}",
    )
    if moment == "then" and day < context.report.published:
        when = (f"截至 {day}", f"As of {day}")
    return {
        f"share_{moment}": Column("成交占比", "Turnover share", "fine", *when),
        f"percentile_{moment}": Column("分位", "Percentile", "share", *when),
        f"above_{moment}": Column("宽度", "Breadth", "share", *when),
        f"limit_ups_{moment}": Column("涨停", "Limit-ups", "integer", *when),
    }


def _around(report: str) -> ExhibitDefinition:
    def build(context: Context) -> Content:
        room, basket = room_of(context), main_basket(context)
        found = release_days(room, report)
        days = [day for day in found.days if day.mentioned]
        if not days:
            raise UnavailableError(
                context.t(
                    "报告提及的发布事件均不在行情库区间内；换用更长的行情库后可画",
                    "no release the report mentions lies in the data; a longer store would draw it",
                )
            )
        crowded = basket_crowding(room, basket)
        table = crowding_around(crowded, [day.day0 for day in days])
        means = table.drop(columns="day0").mean()
        table = table.assign(release=[release_names(context, day) for day in days])
        table.loc[len(table)] = {**means, "day0": None, "release": context.t("各次平均", "Mean over releases")}
        columns = {"day0": Column("首个反应日", "Day 0", "date"), "release": Column("发布", "Release")}
        for measure, (zh, en, kind) in _MEASURES.items():
            columns |= {f"{measure}_{span}": Column(*_EVENT[span], kind, zh, en) for span in SPANS}
        subtitle = context.t(
            f"{basket_name(context, basket)}，各区间日均值；只列本报告提及的发布",
            f"{basket_name(context, basket)}, daily means over each span; releases the report mentions",
        )
        note = context.t("；", "; ").join([_share_note(context, crowded), *_absent(context, found)])
        return Content(table, columns, *_SOURCE, subtitle, note, context.as_of)

    title = ("发布前后的拥挤度与宽度", "Crowding and breadth around releases")
    return ExhibitDefinition("crowding-releases", report, "附表", *title, "table", "crowding", build)


def _absent(context: Context, found: ReleaseDays) -> list[str]:
    """Say which mentioned days are not in the table."""
    missing = [day for day in found.impossible if day.mentioned]
    if not missing:
        return []
    names = listing(context, [day_label(context, day) for day in missing])
    return [
        context.t(
            f"行情库不足以计算、未列：{names}", f"left out because the data does not hold their sessions: {names}"
        )
    ]
