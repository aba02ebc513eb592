"""The chapters on what happened before and after publication: charts and tables of baskets and stocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aitheme.exhibits.aftermath_data import SECTOR, Judged
from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.membership import headline_baskets
from aitheme.exhibits.native import NativeSpread
from aitheme.exhibits.outcomes import market_of
from aitheme.exhibits.uncounted import uncounted_main
from aitheme.randombaskets import DRAWS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import altair as alt
    import pandas as pd

    from aitheme.analysis.aftermath import Span
    from aitheme.charts.bands import BandGroup
    from aitheme.charts.frame import Heading
    from aitheme.themes import Theme

__all__ = ["after_chapter", "before_chapter"]

_SOURCE = ("个股与指数日线", "Stock prices and indices")
_QUANTILES = ("random_5", "random_25", "random_50", "random_75", "random_95")


def before_chapter(theme: Theme, report: str) -> tuple[ExhibitDefinition, ...]:
    """Return the exhibits on the run-up to a report; none where it has no basket with an A-share."""
    if not headline_baskets(theme, report):
        return ()
    return (
        _bands(
            report,
            "before-random",
            "before",
            ("发布之前：篮子涨幅与随机篮子", "Run-up of the baskets among random baskets"),
        ),
        _table(
            report, "before-table", "before", ("发布之前的涨幅、超额与百分位", "Run-up, excess return and percentile")
        ),
    )


def after_chapter(theme: Theme, report: str) -> tuple[ExhibitDefinition, ...]:
    """Return the exhibits on what followed a report; none where it has no basket with an A-share."""
    if not headline_baskets(theme, report):
        return ()
    return (
        _bands(
            report,
            "after-random",
            "after",
            ("发布之后：篮子收益与随机篮子", "The baskets among random baskets after publication"),
        ),
        _table(
            report,
            "after-table",
            "after",
            ("发布之后的收益、超额、回撤与百分位", "Return, excess, drawdown and percentile"),
        ),
        _stocks(report),
    )


def horizon(context: Context, span: Span) -> str:
    """Return a span in words."""
    if span.kind == "before":
        return context.t(f"前{span.sessions}日", f"{span.sessions} before")
    return context.t(f"后{span.sessions}日", f"{span.sessions} after")


def due_words(context: Context, span: Span) -> str:
    """Return why a span has no numbers."""
    if span.status == "before-data":
        return context.t("早于行情库", "before the data")
    if span.end is None:
        return context.t("未到期，日期超出交易日历", "not yet; beyond the calendar")
    return context.t(f"未到期，{span.end}可知", f"not yet; on {span.end}")


def _due(context: Context, span: Span) -> str:
    return context.t("：", ": ").join([horizon(context, span), due_words(context, span)])


def _bands(report: str, exhibit_id: str, kind: Any, title: tuple[str, str]) -> ExhibitDefinition:
    """Define the chart of baskets inside the spread of random baskets."""

    def build(context: Context) -> Content:
        judged = Judged(context)
        spans = [span for span in judged.spans if span.kind == kind]
        rows = judged.basket_rows(kind, parts=False)
        reached = rows[rows["total_return"].notna()].reset_index(drop=True)
        if reached.empty:
            raise UnavailableError(context.t("；", "; ").join(_due(context, span) for span in spans))
        groups = [_group(context, span, reached) for span in spans]
        names = [judged.name(basket) for basket in judged.headline]
        whole = "" if judged.whole is None else judged.name(judged.whole)

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.bands import band_dots

            key = heading.words("随机篮子5–95%|Random baskets 5–95%", "25–75%|25–75%", "中位数|Median")
            return band_dots(groups, heading, names=names, key=(key[0], key[1], key[2]),
                             reference=judged.benchmark_name, whole=whole)  # fmt: skip

        data = reached.assign(
            horizon=[_sessions(context, count) for count in reached["sessions"]],
            position=[_percentile_label(value) for value in reached["percentile"]],
        )
        subtitle, note = _basis(judged, kind), _notes(judged, kind)
        native = NativeSpread("horizon", "name", "total_return", _QUANTILES, "position", "benchmark_return")
        return Content(
            data, _chart_columns(), *_SOURCE, subtitle, note, context.market.as_of(context.as_of), draw, native
        )

    return ExhibitDefinition(exhibit_id, report, "附图", *title, "chart", kind, build)


def _group(context: Context, span: Span, reached: pd.DataFrame) -> BandGroup:
    from aitheme.charts.bands import Band, BandGroup

    rows = reached[reached["sessions"] == span.sessions].to_dict("records")
    bands = tuple(
        Band(
            str(row["name"]),
            row["total_return"],
            tuple(row[name] for name in _QUANTILES) if row["random_50"] == row["random_50"] else (),
            _percentile_label(row["percentile"]),
        )
        for row in rows
    )
    reference = (
        rows[0]["benchmark_return"] if rows and rows[0]["benchmark_return"] == rows[0]["benchmark_return"] else None
    )
    title = context.t(f"{span.sessions}个交易日", f"{span.sessions} sessions")
    if span.dates is not None:
        return BandGroup(title, f"{span.dates[0]:%y/%m/%d}–{span.dates[1]:%y/%m/%d}", bands, reference)
    day = "" if span.status == "before-data" or span.end is None else str(span.end)
    empty = context.t("早于行情库", "before data") if span.status == "before-data" else context.t("未到期", "not yet")
    return BandGroup(title, context.t(f"{day}可知", f"on {day}") if day else "", (), None, empty)


def _percentile_label(value: float) -> str:
    from aitheme.charts.style import half_up

    return f"P{half_up(value):.0f}" if value == value else ""  # noqa: PLR0124 (NaN is not itself)


def _chart_columns() -> Mapping[str, Column]:
    return {
        "name": Column("篮子", "Basket"),
        "horizon": Column("期限", "Horizon"),
        "start": Column("起", "From", "date"),
        "end": Column("止", "To", "date"),
        "total_return": Column("收益", "Return", "change"),
        "benchmark_return": Column("基准", "Benchmark", "change"),
        "percentile": Column("百分位", "Percentile", "integer"),
        "random_5": Column("随机5%", "Random 5%", "change"),
        "random_25": Column("随机25%", "Random 25%", "change"),
        "random_50": Column("随机中位数", "Random median", "change"),
        "random_75": Column("随机75%", "Random 75%", "change"),
        "random_95": Column("随机95%", "Random 95%", "change"),
    }


def _basis(judged: Judged, kind: str) -> str:
    """Say what is measured from when to when."""
    context = judged.context
    if kind == "before":
        known = judged.spans[0].end
        words = context.t(
            f"截至发布日（含）前最后收盘{known}", f"To the close of {known}, the last one before readers had the report"
        )
    else:
        entry = context.report.first_tradable
        words = context.t(
            f"自首个可交易日{entry}收盘买入", f"Bought at the close of {entry}, the first session to trade on it"
        )
    return words + context.t(
        "，等权持有、含股息，只计A股；百分位（P）为在同规模同板块随机篮子中的位置",
        ", equal weight, held, dividends included, A-shares only; percentile (P) among random baskets",
    )


def _notes(judged: Judged, kind: str) -> str:
    context = judged.context
    pools = [outcome.pool for outcome in judged.outcomes(judged.headline[-1]) if outcome.pool]
    size = f"{pools[0]:,}" if pools else "0"
    random = context.t(
        f"每只篮子对照{DRAWS:,}个随机篮子，自起始日有成交的同板块A股中抽取（{judged.name(judged.headline[-1])}的抽样池{size}只），"
        "起始日停牌的成分按停牌前价格持有；百分位0为低于全部随机篮子，100为高于全部",
        f"{DRAWS:,} random baskets each, of the same size and boards, drawn from the A-shares that traded on the first day "
        f"({size} for {judged.name(judged.headline[-1])}); percentile 0 is below them all, 100 above",
    )
    parts = [random, judged.missing_benchmarks(["A"]), _thin(judged, kind), uncounted_main(context)]
    return context.t("；", "; ").join(part for part in parts if part)


def _thin(judged: Judged, kind: str) -> str:
    """Name the baskets of which a member is missing or that have no percentile."""
    words = []
    for basket in judged.headline:
        found = [one for one in judged.outcomes(basket) if one.span.kind == kind and one.span.dates is not None]
        fewest = min((one.used for one in found), default=None)
        if fewest is not None and fewest < found[0].members:
            words.append(
                judged.context.t(
                    f"{judged.name(basket)}有价成分最少{fewest}/{found[0].members}只",
                    f"{judged.name(basket)}: {fewest} of {found[0].members} members priced",
                )
            )
        bare = [one for one in found if one.total_return is not None and one.percentile is None]
        if bare:
            horizons = judged.context.t("、", ", ").join(horizon(judged.context, one.span) for one in bare)
            words.append(
                judged.context.t(
                    f"{judged.name(basket)}{horizons}无百分位（同板块可抽股票不足）",
                    f"{judged.name(basket)}: no percentile {horizons}, too few stocks of the same boards to draw from",
                )
            )
    return judged.context.t("；", "; ").join(words)


def _table(report: str, exhibit_id: str, kind: Any, title: tuple[str, str]) -> ExhibitDefinition:
    """Define the table of baskets by horizon, the sector index at its end."""

    def build(context: Context) -> Content:
        import pandas as pd

        judged = Judged(context)
        spans = {span.sessions: span for span in judged.spans if span.kind == kind}
        sector, sector_note = judged.sector_rows(kind)
        parts = [part for part in (judged.basket_rows(kind, parts=True), sector) if len(part)]
        data = _folded(context, pd.concat(parts, ignore_index=True))
        data["horizon"] = [_sessions(context, sessions) for sessions in data["sessions"]]
        data["until"] = [
            str(span.dates[0 if kind == "before" else 1]) if span.dates is not None else due_words(context, span)
            for span in (spans[sessions] for sessions in data["sessions"])
        ]
        columns = _table_columns(judged, kind)
        notes = [sector_note, _notes(judged, kind)]
        note = context.t("；", "; ").join(text for text in notes if text)
        return Content(data, columns, *_SOURCE, _basis(judged, kind), note, context.market.as_of(context.as_of))

    return ExhibitDefinition(exhibit_id, report, "附表", *title, "table", kind, build)


def _folded(context: Context, rows: pd.DataFrame) -> pd.DataFrame:
    """Name the rows, and keep one row in place of all those of a horizon that is not reached."""
    import pandas as pd

    bracket = context.t("（{}）", " ({})")
    sizes = [
        "" if basket == SECTOR else bracket.format(members)
        for basket, members in zip(rows["basket"], rows["members"], strict=True)
    ]
    named = rows.assign(group=[name + size for name, size in zip(rows["name"], sizes, strict=True)])
    open_rows = named[named["status"] != "reached"].drop_duplicates("sessions")
    folded = open_rows.assign(group=context.t("各篮子与行业", "All of them"), basket="", name="")
    return pd.concat([named[named["status"] == "reached"], folded], ignore_index=True)


def _sessions(context: Context, count: int) -> str:
    return context.t(f"{count}日", f"{count} sessions")


def _table_columns(judged: Judged, kind: str) -> Mapping[str, Column]:
    benchmark = judged.benchmark_name
    return {
        "group": Column("篮子（A股数）", "Basket (A-shares)", merge=True),
        "horizon": Column("期限", "Horizon"),
        "until": Column("起自", "From") if kind == "before" else Column("计至", "Up to"),
        "total_return": Column("收益", "Return", "change"),
        "benchmark_return": Column(benchmark or "基准", benchmark or "Benchmark", "change"),
        "excess_return": Column("超额", "Excess", "change"),
        "max_drawdown": Column("最大回撤", "Drawdown", "change"),
        "beat_share": Column("跑赢占比", "Beat it", "ratio"),
        "percentile": Column("百分位", "Percentile", "integer"),
    }


def _stocks(report: str) -> ExhibitDefinition:
    """Define the table of every listed company of the report after publication, the best first."""

    def build(context: Context) -> Content:
        judged = Judged(context)
        long = judged.stock_rows()
        reached = [span for span in judged.spans if span.kind == "after" and span.dates is not None]
        if not reached:
            raise UnavailableError(
                context.t("；", "; ").join(_due(context, span) for span in judged.spans if span.kind == "after")
            )
        data = _wide(judged, long, reached)
        if data.empty:
            raise UnavailableError(
                context.t("行情库没有该报告任何一只股票", "the store holds none of the report's stocks")
            )
        columns = _stock_columns(reached)
        note = _stock_note(judged, data, reached)
        entry = context.report.first_tradable
        subtitle = context.t(
            f"自{entry}收盘买入，交易日计，含股息，以本币计；按{reached[-1].sessions}日超额排序（无基准者按收益）；超额对照该券商评级说明的基准",
            f"Bought at the close of {entry}; sessions, dividends included, own currency; sorted by excess over "
            f"{reached[-1].sessions} sessions; excess over the benchmark of the broker's scale",
        )
        return Content(data, columns, *_SOURCE, subtitle, note, context.market.as_of(context.as_of))

    title = ("发布之后的个股收益与超额", "Return and excess return of every stock after publication")
    return ExhibitDefinition("after-stocks", report, "附表", *title, "table", "after", build)


def _wide(judged: Judged, long: pd.DataFrame, reached: Sequence[Span]) -> pd.DataFrame:
    """Return one row per stock that has a price, sorted by excess over the longest horizon reached."""
    import pandas as pd

    theme, context = judged.context.theme, judged.context
    last = reached[-1].sessions
    counts = list(dict.fromkeys(int(count) for count in long["sessions"]))
    by_stock = {count: long[long["sessions"] == count].set_index("symbol") for count in counts}
    fields = ("total_return", "excess_return", "max_drawdown")
    wide = pd.DataFrame({f"{field}_{count}": by_stock[count][field] for field in fields for count in counts})
    wide = wide.reindex(list(judged.listed)).rename_axis("symbol").reset_index()
    wide = wide[wide[f"total_return_{reached[0].sessions}"].notna()]
    names = {symbol: theme.security[symbol] for symbol in wide["symbol"]}
    wide.insert(
        1, "name", [context.t(names[one].name_zh, names[one].name_en or names[one].name_zh) for one in wide["symbol"]]
    )
    wide.insert(2, "market", [market_of(symbol) for symbol in wide["symbol"]])
    order = wide[f"excess_return_{last}"].fillna(wide[f"total_return_{last}"])
    return (
        wide.assign(order=order)
        .sort_values("order", ascending=False, kind="stable")
        .drop(columns="order")
        .reset_index(drop=True)
    )


def _stock_columns(reached: Sequence[Span]) -> Mapping[str, Column]:
    words = {"total_return": ("收益", "Return"), "excess_return": ("超额", "Excess")}
    columns = {"name": Column("公司", "Company"), "symbol": Column("代码", "Code")}
    for field, (zh, en) in words.items():
        for span in reached:
            columns[f"{field}_{span.sessions}"] = Column(f"{span.sessions}日", f"{span.sessions}", "change", zh, en)
    last = reached[-1].sessions
    columns[f"max_drawdown_{last}"] = Column(f"{last}日", f"{last}", "change", "最大回撤", "Drawdown")
    return columns


def _stock_note(judged: Judged, data: pd.DataFrame, reached: Sequence[Span]) -> str:
    context = judged.context
    security = context.theme.security
    shown = set(data["symbol"])
    silent = [symbol for symbol in judged.listed if symbol not in shown]
    lacking = [context.t(security[one].name_zh, security[one].name_en or security[one].name_zh) for one in silent]
    comma = context.t("、", ", ")
    beat = data.loc[data["market"] == "A", f"excess_return_{reached[-1].sessions}"].dropna()
    later = [span for span in judged.spans if span.kind == "after" and span.dates is None]
    parts = [
        context.t(
            f"{reached[-1].sessions}日跑赢基准的A股：{int((beat > 0).sum())}/{len(beat)}",
            f"A-shares ahead of the benchmark after {reached[-1].sessions} sessions: {int((beat > 0).sum())} of {len(beat)}",
        )
        if len(beat)
        else "",
        comma.join(_due(context, span) for span in later),
        context.t(f"首个可交易日无行情：{comma.join(lacking)}", f"no price at the start: {comma.join(lacking)}")
        if lacking
        else "",
        context.t(f"未上市：{comma.join(judged.unlisted())}", f"unlisted: {comma.join(judged.unlisted())}")
        if judged.unlisted()
        else "",
        judged.missing_benchmarks(sorted({market_of(symbol) for symbol in shown})),
    ]
    return context.t("；", "; ").join(part for part in parts if part)
