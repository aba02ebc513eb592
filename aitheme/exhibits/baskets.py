"""Exhibits of a report's baskets: their lines, a summary with PE and returns, and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aitheme.analysis import basket_returns, pe_table
from aitheme.calendar import calendar_for
from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column, is_missing
from aitheme.exhibits.quotes import base_words, line_content, year_before
from aitheme.exhibits.reasons import begins_later, ends_earlier
from aitheme.exhibits.scope import company_name
from aitheme.exhibits.uncounted import empty_baskets, listing, uncounted
from aitheme.symbols import board_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pandas as pd

    from aitheme.analysis.baskets import BasketReturns, Valuation
    from aitheme.themes.model import Member

__all__ = ["after_lines", "basket_lines", "basket_members", "basket_summary"]

_RUN_UP = (60, 20)
_AFTER = (20, 60, 120)
_SOURCE = ("个股日线（后复权全收益，等权买入持有）", "Stock prices (total return, equal weight, buy and hold)")


def _name(context: Context, basket: str) -> str:
    row = context.theme.basket(basket)
    return context.t(row.name_zh, row.name_en)


def _tradable(context: Context, baskets: Sequence[str]) -> list[str]:
    """Return the baskets that have at least one A-share member."""
    return [basket for basket in baskets if basket in context.theme.baskets and context.theme.symbols(basket)]


def basket_lines(
    report: str,
    exhibit_id: str,
    label: str,
    title: tuple[str, str],
    *,
    baskets: Sequence[str],
    base: date | None = None,
    after: bool = False,
) -> ExhibitDefinition:
    """Define the lines of baskets against the benchmark.

    Parameters
    ----------
    report, exhibit_id, label, title
        Where it belongs, and what it is called.
    baskets
        Basket ids.
    base
        Base date; a year before publication by default. The lines end at publication.
    after
        Start at the first session on which a reader could trade instead, and go to the end of the data.
    """

    def build(context: Context) -> Content:
        start, end = base or year_before(context.until), context.until
        if after:
            start, end = context.report.first_tradable, context.market.as_of(context.as_of)
        if start >= end:
            raise ends_earlier(context)
        if start < context.market.span[0]:
            raise begins_later(context, start)
        results = {
            basket: basket_returns(context.market, context.theme, basket, start, end)
            for basket in _tradable(context, baskets)
        }
        market_closes = next((result.benchmark for result in results.values()), None)
        if market_closes is None:
            raise _no_a_share(context, baskets)
        lines = {_name(context, basket): result.index.values - 1.0 for basket, result in results.items()}
        benchmark = context.t("沪深300", "CSI 300")
        changes = _frame({**lines, benchmark: market_closes.ffill() / market_closes.iloc[0] - 1.0})
        note = _lines_note(context, baskets, results)
        words = context.t("；等权、不再平衡、含股息", "; equal weight, not rebalanced, dividends included")
        return line_content(changes, _SOURCE, base_words(context, start) + words, note, benchmark=benchmark)

    return ExhibitDefinition(exhibit_id, report, label, *title, "chart", "after" if after else "baskets", build)


def _no_a_share(context: Context, baskets: Sequence[str]) -> UnavailableError:
    return UnavailableError(
        context.t("篮子没有A股成分：", "no basket has an A-share member: ") + empty_baskets(context, baskets)
    )


def _lines_note(context: Context, baskets: Sequence[str], results: Mapping[str, BasketReturns]) -> str:
    """Say how many members each line holds, and why the others are not in it."""
    done = {_name(context, basket): result for basket, result in results.items()}
    counts = [f"{name} {one.performance.n_used}/{one.performance.n_members}" for name, one in done.items()]
    reasons = {
        "not_listed": ("基准日尚无行情", "without a price up to the base"),
        "no_data": ("全程无行情", "without any price"),
        "approximate": ("收益为近似值", "with approximate returns"),
    }
    parts = [
        context.t(
            f"只计A股；可用成分数/成分数：{'、'.join(counts)}", f"A-shares only; members used/held: {', '.join(counts)}"
        )
    ]
    for field, (zh, en) in reasons.items():
        symbols = dict.fromkeys(symbol for one in done.values() for symbol in getattr(one.index, field))
        names = listing(context, [company_name(context, symbol) for symbol in symbols])
        parts += [context.t(f"{zh}：{names}", f"{en}: {names}")] if symbols else []
    idle = sum(one.performance.n_suspended_at_end for one in done.values())
    if idle:
        parts.append(
            context.t(
                f"末日停牌{idle}只，按停牌前价格计",
                f"{idle} suspended on the last session are held at their last price",
            )
        )
    return context.t("；", "; ").join([*parts, *filter(None, [uncounted(context, baskets)])])


def after_lines(report: str, *, baskets: Sequence[str]) -> ExhibitDefinition:
    """Define the lines of baskets from the first session a reader could trade on to the end of the data."""
    title = ("报告发布之后：篮子与沪深300", "After publication: the baskets and CSI 300")
    return basket_lines(report, "after-lines", "附图", title, baskets=baskets, after=True)


def _frame(columns: dict[str, pd.Series[float]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns)


def _shifted(context: Context, session: date, count: int) -> date | None:
    """Return a session some sessions away, or None outside the data."""
    moved = calendar_for("XSHG").shift(session, count)
    low, high = context.market.span[0], context.market.as_of(context.as_of)
    return moved if low <= moved <= high else None


def _windows(context: Context) -> list[tuple[str, date, date | None, Column]]:
    """Return name, start and end of each return of the summary; None where the data ends before.

    The run-up ends with the last close a reader of the report knew. After publication a reader buys at the close of the
    first session on which the report can be traded.
    """
    calendar = calendar_for("XSHG")
    known, entry = calendar.on_or_before(context.report.published), context.report.first_tradable
    windows: list[tuple[str, date, date | None, Column]] = []
    for count in _RUN_UP:
        start = _shifted(context, known, -count)
        column = Column(f"前{count}日", f"{count} before", "change", "发布前涨跌幅", "Return before publication")
        windows.append((f"before_{count}", start or known, known if start else None, column))
    for count in _AFTER:
        column = Column(f"后{count}日", f"{count} after", "change", "发布后涨跌幅", "Return after publication")
        windows.append((f"after_{count}", entry, _shifted(context, entry, count), column))
    return windows


def _held_returns(context: Context, basket: str, returns: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the basket made in each window, bought in equal parts at its start and held.

    That is the mean of the members' own returns; a member without a price at the start is not in it.
    """
    cells: dict[str, Any] = {}
    for name, start, end, _ in _windows(context):
        moves = [returns[symbol][name] for symbol in context.theme.symbols(basket)]
        known = [move for move in moves if not is_missing(move)]
        cells[name] = sum(known) / len(known) if known else None
        market = _benchmark_return(context, start, end)
        cells[f"excess_{name}"] = None if cells[name] is None or market is None else cells[name] - market
    return cells


def _benchmark_return(context: Context, start: date, end: date | None) -> float | None:
    if end is None:
        return None
    closes = context.market.index_closes([context.theme.benchmark], start, end).iloc[:, 0].ffill()
    return float(closes.iloc[-1] / closes.iloc[0] - 1.0)


def basket_summary(report: str, label: str, *, baskets: Sequence[str]) -> ExhibitDefinition:
    """Define the table of baskets: members, forward PE, run-up and what followed."""

    def build(context: Context) -> Content:
        chosen = _tradable(context, baskets)
        if not chosen:
            raise _no_a_share(context, baskets)
        returns = _member_returns(context, [symbol for basket in chosen for symbol in context.theme.symbols(basket)])
        held = {basket: pe_table(context.market, context.theme, basket, as_of=context.until) for basket in chosen}
        rows = [_summary_row(context, basket, held[basket], returns) for basket in chosen]
        windows = _windows(context)
        columns = {
            "name": Column("篮子", "Basket"),
            "members": Column("成分", "Members"),
            "pe": Column(*_pe_label(context), "pe"),
            **{name: column for name, _, _, column in windows},
        }
        last = f"after_{_AFTER[1]}"
        columns[f"excess_{last}"] = Column(
            f"后{_AFTER[1]}日", f"{_AFTER[1]} after", "change", "超额（沪深300）", "Excess (CSI 300)"
        )
        entry = context.report.first_tradable
        subtitle = context.t(
            f"交易日计；等权买入持有、含股息、只计A股；发布后自首个可交易日{entry}收盘起",
            f"In sessions; equal weight, buy and hold, dividends included, A-shares only; after: from the close of {entry}",
        )
        data = _rows(rows, columns)
        note = _summary_note(context, baskets, held, returns)
        return Content(data, columns, *_SOURCE, subtitle, note, context.market.as_of(context.as_of))

    title = ("篮子估值与发布前后表现", "Baskets: valuation, run-up and what followed")
    return ExhibitDefinition("basket-summary", report, label, *title, "table", "baskets", build)


def _summary_note(
    context: Context, baskets: Sequence[str], valued: Mapping[str, Valuation], returns: Mapping[str, Mapping[str, Any]]
) -> str:
    """Say what the PE is taken over, and which members have no return where others have one."""
    parts = [
        context.t(
            "PE为发布日有预测的成分（含港股、美股）的中位数，括号内为有预测的家数；“/”为尚无数据",
            "PE is the median of members with an estimate on the day, Hong Kong and US ones too (their number in brackets); "
            "/ where there is no data",
        )
    ]
    held = dict.fromkeys(symbol for basket in valued for symbol in context.theme.symbols(basket))
    for name, _, _, column in _windows(context):
        silent = [symbol for symbol in held if is_missing(returns[symbol][name])]
        if silent and len(silent) < len(held):
            names = listing(context, [company_name(context, symbol) for symbol in silent])
            parts.append(
                context.t(
                    f"{column.zh}起始无行情，未计：{names}",
                    f"no price at the start of {column.en}, not counted: {names}",
                )
            )
    refused = {note for one in valued.values() for note in one.notes}
    if refused:
        parts.append(
            context.t(
                f"{len(refused)}家的EPS币种与股价不同且无汇率，PE未计",
                f"{len(refused)} with EPS in another currency than the price and no rate are not in the PE",
            )
        )
    return context.t("；", "; ").join([*parts, *filter(None, [uncounted(context, baskets)])])


def _pe_label(context: Context) -> tuple[str, str]:
    year = context.report.published.year
    return f"PE {year}E", f"PE {year}E"


def _rows(rows: list[dict[str, Any]], columns: Mapping[str, Column]) -> pd.DataFrame:
    """Return rows as a frame whose numeric columns are numbers, NaN where there is none."""
    import pandas as pd

    data = pd.DataFrame(rows)
    return data.astype({name: "float64" for name, column in columns.items() if column.numeric})


def _summary_row(
    context: Context, basket: str, held: Valuation, returns: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    year = context.report.published.year
    pe = next((row for row in held.basket if row.fiscal_year == year), None)
    listed, printed = len(context.theme.symbols(basket)), len(context.theme.member_rows(basket))
    estimates = context.t(f"（{pe.n_eps}家有预测）", f" ({pe.n_eps} with estimates)") if pe is not None else ""
    return {
        "basket": basket,
        "name": _name(context, basket),
        "members": context.t(f"{printed}家，A股{listed}家{estimates}", f"{printed}, {listed} A-shares{estimates}"),
        "pe": None if pe is None else pe.median,
        **_held_returns(context, basket, returns),
    }


def basket_members(report: str, label: str, title: tuple[str, str], *, baskets: Sequence[str]) -> ExhibitDefinition:
    """Define the table of members: code, close at publication, run-up and what followed."""

    def build(context: Context) -> Content:
        members = [
            (basket, member)
            for basket in baskets
            if basket in context.theme.baskets
            for member in context.theme.member_rows(basket)
        ]
        returns = _member_returns(context, [member.symbol for _, member in members if member.symbol is not None])
        rows = [_member_row(context, basket, member, returns) for basket, member in members]
        if not rows:
            raise UnavailableError(context.t("主题库没有这些篮子", "the theme has none of these baskets"))
        columns = {
            "group": Column("篮子", "Basket", merge=True),
            "name": Column("公司", "Company"),
            "symbol": Column("代码", "Code"),
            "price": Column("发布日收盘", "Close at publication", "price"),
            **{name: column for name, _, _, column in _windows(context)},
        }
        subtitle = context.t(
            f"交易日计；全收益；发布后自首个可交易日{context.report.first_tradable}收盘起；港股、美股及未上市公司不计行情",
            f"In sessions; total return; after: from the close of {context.report.first_tradable}; A-shares only",
        )
        return Content(_rows(rows, columns), columns, "个股日线（全收益）", "Stock prices (total return)", subtitle,
                       _members_note(context, members, returns), context.market.as_of(context.as_of))  # fmt: skip

    return ExhibitDefinition("basket-members", report, label, *title, "table", "baskets", build)


def _members_note(
    context: Context, members: Sequence[tuple[str, Member]], returns: Mapping[str, Mapping[str, Any]]
) -> str:
    """Say who has no price, and why the last columns may be empty."""
    outside = dict.fromkeys(
        member.symbol or member.name_printed for _, member in members if member.symbol not in returns
    )
    silent = [symbol for symbol, cells in returns.items() if is_missing(cells["price"])]
    late = [
        context.t(column.zh, column.en)
        for name, *_, column in _windows(context)
        if returns and all(is_missing(cells[name]) for cells in returns.values())
    ]
    names = listing(context, [company_name(context, symbol) for symbol in silent])
    parts = [
        context.t(f"{len(outside)}家非A股不计行情", f"{len(outside)} are no A-shares and have no prices here")
        if outside
        else "",
        context.t(f"发布日尚无行情：{names}", f"no price up to publication: {names}") if silent else "",
        context.t(f"{'、'.join(late)}在行情库之外", f"outside the data: {', '.join(late)}") if late else "",
    ]
    return context.t("；", "; ").join(part for part in parts if part)


def _member_returns(context: Context, symbols: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return close at publication and return in each window of the A-shares among some symbols.

    A suspended stock keeps its last level; one without a bar up to a window's start has no return in it.
    """
    mainland = [symbol for symbol in dict.fromkeys(symbols) if board_of(symbol) not in {"hk", "us"}]
    low, high = context.market.span[0], context.market.as_of(context.as_of)
    panel = context.market.panel(mainland, low, high)
    levels, closes = panel.level.ffill(), panel.close.ffill().loc[: str(context.until)]
    columns: dict[str, Any] = {"price": closes.iloc[-1].to_dict() if len(closes) else {}}
    for name, start, end, _ in _windows(context):
        known = end is not None and str(start) in levels.index and str(end) in levels.index
        columns[name] = (levels.loc[str(end)] / levels.loc[str(start)] - 1.0).to_dict() if known else {}
    return {symbol: {name: cells.get(symbol) for name, cells in columns.items()} for symbol in mainland}


def _member_row(
    context: Context, basket: str, member: Member, returns: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    security = context.theme.security.get(member.symbol or "")
    name = (
        member.name_printed if security is None else context.t(security.name_zh, security.name_en or security.name_zh)
    )
    nothing = dict.fromkeys(("price", *(window for window, *_ in _windows(context))))
    return {
        "group": _name(context, basket),
        "name": name,
        "symbol": member.symbol or context.t("未上市", "unlisted"),
        **returns.get(member.symbol or "", nothing),
    }
