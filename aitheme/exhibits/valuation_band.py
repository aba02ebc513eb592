"""Valuation of a report's names: forward PE then and now, and consensus since."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aitheme.analysis import consensus_revision, pe_change, pe_history
from aitheme.analysis.bands import QUANTILES
from aitheme.calendar import calendar_for
from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.index_band import BAND_COLOURS, index_band_exhibit, published_mark, quantile_words
from aitheme.exhibits.membership import headline_baskets
from aitheme.exhibits.native import NativeChart
from aitheme.exhibits.reasons import begins_later, ends_earlier, estimates_wanted
from aitheme.exhibits.scope import basket_name, company_name, main_basket, room_of

if TYPE_CHECKING:
    from datetime import date

    import altair as alt
    import pandas as pd

    from aitheme.analysis import PEChange
    from aitheme.analysis.room import StudyRoom
    from aitheme.charts.frame import Heading
    from aitheme.themes import Theme

__all__ = ["valuation_chapter"]

_SOURCE = ("个股日线与一致预期", "Stock prices and consensus EPS")
_HISTORY = 250
_LEAST_HISTORY = 20


def valuation_chapter(theme: Theme, report: str) -> tuple[ExhibitDefinition, ...]:
    """Return the exhibits on valuation; none for a report without a basket of A-shares."""
    if not headline_baskets(theme, report):
        return ()
    return (_then_and_now(report), _revisions(report), _forward_pe(report), index_band_exhibit(report))


def _since(context: Context) -> tuple[date, date]:
    """Return the session of publication and the last one; UnavailableError where the data does not hold both."""
    calendar = calendar_for("XSHG")
    since, last = calendar.on_or_before(context.report.published), context.market.as_of(context.as_of)
    first = context.market.span[0]
    if since < first:
        raise begins_later(context)
    if last <= since:
        raise ends_earlier(context)
    return since, last


@lru_cache(maxsize=2)
def _pe_change(room: StudyRoom, basket: str, since: date, last: date) -> PEChange:
    """Return the change once for the exhibits of a book that show it."""
    return pe_change(room.market, room.theme, basket, since, last)


def _change(context: Context) -> tuple[PEChange, date, date]:
    since, last = _since(context)
    found = _pe_change(room_of(context), main_basket(context), since, last)
    if found.table["eps_now"].isna().all():
        raise UnavailableError(
            context.t(
                f"行情库没有这些成分在{last}之前的盈利预测；{estimates_wanted(context)}",
                f"the store holds no estimate of these names up to {last}; {estimates_wanted(context)}",
            )
        )
    return found, since, last


def _then_and_now(report: str) -> ExhibitDefinition:
    def build(context: Context) -> Content:
        found, since, last = _change(context)
        table = found.table
        known = table[table["pe_then"].notna() | table["pe_now"].notna()]
        if not (table["pe_then"].notna() & table["pe_now"].notna()).any():
            raise UnavailableError(
                context.t(
                    f"没有一个成分在{since}与{last}都有预测市盈率：{_held_words(context)}；{estimates_wanted(context)}",
                    f"no member has a forward PE both on {since} and on {last}: {_held_words(context)}; "
                    f"{estimates_wanted(context)}",
                )
            )
        data = known.assign(name=[company_name(context, symbol) for symbol in known["symbol"]])
        data = data.sort_values("pe_now", ascending=False, na_position="last", ignore_index=True)
        data.loc[len(data)] = _total_row(context, found, known)
        groups = ((f"发布日 {since}", f"Publication {since}"), (f"最新 {last}", f"Latest {last}"))
        columns = {"symbol": Column("代码", "Code"), "name": Column("公司", "Company")}
        for side, group in zip(("then", "now"), groups, strict=True):
            columns |= {
                f"price_{side}": Column("股价", "Price", "price", *group),
                f"eps_{side}": Column("EPS", "EPS", "price", *group),
                f"pe_{side}": Column("PE", "PE", "pe", *group),
            }
        columns |= {
            "price_change": Column("股价", "Price", "change", "变动", "Change"),
            "eps_change": Column("EPS", "EPS", "change", "变动", "Change"),
        }
        year = found.now.fiscal_year if found.now else context.report.published.year
        subtitle = context.t(
            f"{basket_name(context, main_basket(context))}：{year}年预测市盈率；末行为中位数",
            f"{basket_name(context, main_basket(context))}: price over estimated {year} earnings; last row: medians",
        )
        return Content(data, columns, *_SOURCE, subtitle, _change_note(context, found, known, since), last)

    title = ("预测市盈率：发布日与最新", "Forward PE at publication and now")
    return ExhibitDefinition("pe-then-now", report, "附表", *title, "table", "valuation", build)


def _total_row(context: Context, found: PEChange, known: pd.DataFrame) -> dict[str, Any]:
    nothing = float("nan")
    medians = {
        f"pe_{side}": nothing if pe is None or pe.median is None else pe.median
        for side, pe in (("then", found.then), ("now", found.now))
    }
    changes = {name: known[name].median() for name in ("price_change", "eps_change")}
    empty = {name: nothing for name in found.table.columns if name not in {"symbol", "name", "reason"}}
    return {**empty, "symbol": "", "name": context.t("中位数", "Median"), "reason": "", **medians, **changes}


def _change_note(context: Context, found: PEChange, known: pd.DataFrame, since: date) -> str:
    parts = [
        context.t(
            f"{len(found.table)}家成分（含港股、美股）中{len(known)}家有预测市盈率，其余未列；“/”为EPS不为正或没有",
            f"{len(known)} of {len(found.table)} members, Hong Kong and US ones too, have a forward PE, the others are left out; "
            "/ where EPS is missing or not positive",
        )
    ]
    if found.notes:
        parts.append(
            context.t(
                f"{len(found.notes)}家的EPS币种与股价不同且无汇率，未计",
                f"{len(found.notes)} with EPS in another currency than the price and no rate are not counted",
            )
        )
    if not _newer(context, since):
        parts.append(
            context.t(
                f"行情库没有{since}之后的预测，PE之差全由股价而来",
                f"the store holds no estimate after {since}: the change in PE is all price",
            )
        )
    return context.t("；", "; ").join(parts)


def _held_words(context: Context) -> str:
    """Say for how many members the store holds estimates, and of which days."""
    symbols = context.theme.symbols(main_basket(context), overseas=True)
    last = context.market.as_of(context.as_of)
    held = context.market.consensus(symbols, as_of=last)
    if held.empty:
        return context.t(f"{len(symbols)}家成分均无预测", f"none of {len(symbols)} members has one")
    days = sorted({stamp.date() for stamp in held["published"]})
    span = str(days[0]) if days[0] == days[-1] else context.t(f"{days[0]}至{days[-1]}", f"{days[0]} to {days[-1]}")
    count = held["symbol"].nunique()
    return context.t(
        f"行情库只有{count}/{len(symbols)}家的预测，日期{span}",
        f"the store holds those of {count} of {len(symbols)} members, dated {span}",
    )


def _newer(context: Context, since: date) -> bool:
    """Tell whether an estimate of a member became known after a date."""
    symbols = context.theme.symbols(main_basket(context), overseas=True)
    held = context.market.consensus(symbols, as_of=context.market.as_of(context.as_of))
    return any(stamp.date() > since for stamp in held["published"])


def _revisions(report: str) -> ExhibitDefinition:
    def build(context: Context) -> Content:
        found, since, last = _change(context)
        if not _newer(context, since):
            raise UnavailableError(
                context.t(
                    f"行情库没有{since}之后的预测，无从计算修正；{estimates_wanted(context)}",
                    f"the store holds no estimate after {since}, so there is no revision yet; {estimates_wanted(context)}",
                )
            )
        year = found.now.fiscal_year if found.now else None
        revised = consensus_revision(context.market, context.theme, main_basket(context), since, last, fiscal_year=year)
        table = revised.table[revised.table["revision"].notna()].sort_values(
            "revision", ascending=False, ignore_index=True
        )
        if table.empty:
            raise UnavailableError(
                context.t(
                    f"没有成分在{since}与{last}都有{year}年预测：{_held_words(context)}；{estimates_wanted(context)}",
                    f"no member has an estimate of {year} both on {since} and on {last}: {_held_words(context)}; "
                    f"{estimates_wanted(context)}",
                )
            )
        data = table.assign(name=[company_name(context, symbol) for symbol in table["symbol"]])

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.bars import return_bars

            return return_bars(data.set_index("name")["revision"], heading)

        columns = {
            "symbol": Column("代码", "Code"),
            "name": Column("公司", "Company"),
            "eps_then": Column("EPS 发布日", "EPS at publication", "price"),
            "eps_now": Column("EPS 最新", "EPS now", "price"),
            "revision": Column("修正幅度", "Revision", "change"),
            "analysts_now": Column("机构数", "Brokers", "integer"),
        }
        subtitle = context.t(
            f"{year}年一致预期每股收益，{since}至{last}；上调{revised.n_up}家，下调{revised.n_down}家，不变{revised.n_same}家",
            f"Consensus EPS of {year}, {since} to {last}: {revised.n_up} raised, {revised.n_down} cut, {revised.n_same} unchanged",
        )
        note = context.t("幅度为（新值-旧值）/|旧值|", "revision: (new - old) / |old|")
        if revised.n_missing:
            note += context.t(
                f"；{revised.n_missing}家缺其一未列",
                f"; {revised.n_missing} members lack one of the two and are left out",
            )
        return Content(data, columns, *_SOURCE, subtitle, note, last, draw, NativeChart("bar", "name", ("revision",)))

    title = ("发布以来的一致预期修正", "Consensus revisions since publication")
    return ExhibitDefinition("revisions", report, "附图", *title, "chart", "valuation", build)


def _forward_pe(report: str) -> ExhibitDefinition:
    def build(context: Context) -> Content:
        _, since, last = _change(context)
        start = max(context.market.span[0], calendar_for("XSHG").shift(since, -_HISTORY))
        history = pe_history(context.market, context.theme, main_basket(context), start, last)
        # A median over few members that come and go is no history.
        enough = history.basket["n_eps"] >= history.basket["n_members"] / 2
        median = history.basket["median"].where(enough)
        if median.notna().sum() < _LEAST_HISTORY:
            raise UnavailableError(
                context.t(
                    f"过半成分有预测的交易日只有{int(enough.sum())}个（画图需{_LEAST_HISTORY}个）：{_held_words(context)}；"
                    f"{estimates_wanted(context)}",
                    f"half of the members have an estimate on {int(enough.sum())} sessions, a chart needs {_LEAST_HISTORY}: "
                    f"{_held_words(context)}; {estimates_wanted(context)}",
                )
            )
        quantiles = median.quantile(list(QUANTILES))
        data = _history_rows(history.basket, median)

        def draw(heading: Heading) -> alt.LayerChart:
            return _history_chart(context, median, quantiles, heading)

        columns = {
            "session": Column("日期", "Date", "date"),
            "median": Column("中位数PE", "Median PE", "decimal"),
            "aggregate": Column("整体PE", "Aggregate PE", "decimal"),
            "n_eps": Column("有预测家数", "Members with EPS", "integer"),
            "n_loss": Column("预测亏损家数", "Members with a loss", "integer"),
        }
        share = float((median.dropna() <= median.dropna().iloc[-1]).mean())
        subtitle = context.t(
            f"{basket_name(context, main_basket(context))}：成分预测市盈率的中位数（下一未披露年度）与其分位；"
            f"末日处于{share:.0%}分位",
            f"{basket_name(context, main_basket(context))}: median forward PE of the members (first year not yet reported) and "
            f"its quantiles; last session at the {share:.0%} quantile",
        )
        drawn = history.basket.loc[median.notna(), ["n_eps", "n_members"]]
        note = context.t(
            "每日只用当日已知的预测；公司披露年报后预测年度后移，PE随之跳动；"
            f"每日计入{drawn['n_eps'].min():.0f}至{drawn['n_eps'].max():.0f}家（共{drawn['n_members'].max():.0f}家），不足半数的交易日不画",
            "each session uses what was known on it; the year moves on when a company reports, and PE steps with it; "
            f"{drawn['n_eps'].min():.0f} to {drawn['n_eps'].max():.0f} of {drawn['n_members'].max():.0f} members have an estimate, "
            "sessions with fewer than half are not drawn",
        )
        return Content(data, columns, *_SOURCE, subtitle, note, last, draw, NativeChart("line", "session", ("median",)))

    title = ("篮子预测市盈率及其分位", "Forward PE of the basket and its quantiles")
    return ExhibitDefinition("forward-pe", report, "附图", *title, "chart", "valuation", build)


def _history_rows(basket: pd.DataFrame, median: pd.Series[float]) -> pd.DataFrame:
    data = basket.assign(median=median).rename_axis("session").reset_index()
    return data.assign(session=[stamp.date() for stamp in basket.index])


def _history_chart(
    context: Context, median: pd.Series[float], quantiles: pd.Series[float], heading: Heading
) -> alt.LayerChart:
    import pandas as pd

    from aitheme.charts.levels import Line, level_lines
    from aitheme.charts.style import PALETTE

    name = context.t("中位数", "Median")
    flat = {quantile_words(context, q, quantiles[q]): quantiles[q] for q in QUANTILES}
    wide = pd.DataFrame({name: median, **{label: pd.Series(value, median.index) for label, value in flat.items()}})
    last = float(median.dropna().iloc[-1])
    lines = [Line(name, context.t(f"最新 {last:.0f}倍", f"Now {last:.0f}x"), PALETTE[0], width=2.0)]
    lines += [
        Line(label, label, colour, dash=True, width=1.0) for label, colour in zip(flat, BAND_COLOURS, strict=True)
    ]
    return level_lines(wide, lines, heading, percent=False, mark=published_mark(context))
