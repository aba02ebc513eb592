"""Members of a report's baskets: correlation before and after, concentration, and overlap with the other reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aitheme.analysis.members import (
    TURNOVER_SESSIONS,
    YEAR,
    comovement,
    concentration,
)
from aitheme.calendar import calendar_for
from aitheme.composition import LEAST_COMMON, clustered
from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.membership import headline_baskets, whole_basket
from aitheme.exhibits.native import NativeMatrix
from aitheme.exhibits.overlap import basket_overlaps, shared_names
from aitheme.exhibits.reasons import begins_later
from aitheme.exhibits.scope import basket_name, company_name, room_of, shown_baskets
from aitheme.exhibits.uncounted import listing, uncounted_main

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import altair as alt
    import pandas as pd

    from aitheme.analysis.members import Comovement
    from aitheme.charts.frame import Heading
    from aitheme.charts.heatmap import Cell
    from aitheme.themes import Theme

__all__ = ["member_chapter"]

_PRICES = ("个股与指数日线", "Stock prices and indices")
_WEIGHTS = ("个股日线与股本", "Stock prices, turnover and share counts")
_MOST_NAMES = 30
# More names than this stand on end over a heatmap.
_MOST_LEVEL = 8
_PAIR = 2
_SIDES = (("before", "发布日前", "to publication"), ("after", "发布日后", "after it"))


def member_chapter(theme: Theme, report: str) -> tuple[ExhibitDefinition, ...]:
    """Return the exhibits on members; none for a report without a basket of A-shares."""
    if not headline_baskets(theme, report):
        return ()
    maps = tuple(_correlation_map(theme, report, basket) for basket in _mapped(theme, report))
    return (_correlation_table(report), *maps, _concentration(report), shared_names(report), basket_overlaps(report))


def _mapped(theme: Theme, report: str) -> list[str]:
    """Return the baskets with a correlation heatmap: the whole where it is small enough, else each main basket that is."""
    whole = whole_basket(theme, report)
    wanted = (
        [whole] if whole is not None and len(theme.symbols(whole)) <= _MOST_NAMES else headline_baskets(theme, report)
    )
    return [basket for basket in wanted if _PAIR <= len(theme.symbols(basket)) <= _MOST_NAMES]


def _up_to(context: Context) -> date:
    """Return the last session a reader of the report knew; UnavailableError where the data begins later."""
    day = calendar_for("XSHG").on_or_before(context.until)
    if day < context.market.span[0]:
        raise begins_later(context)
    return day


def _span_words(context: Context, moved: Comovement) -> str:
    if not moved.sessions_after:
        return context.t(
            f"截至发布日的{moved.sessions_before}个交易日", f"{moved.sessions_before} sessions to publication"
        )
    return context.t(
        f"左下为截至发布日的{moved.sessions_before}个交易日，右上为其后{moved.sessions_after}个交易日",
        f"lower left: {moved.sessions_before} sessions to publication; upper right: {moved.sessions_after} sessions after it",
    )


def _correlation_map(theme: Theme, report: str, basket: str) -> ExhibitDefinition:
    def build(context: Context) -> Content:
        moved = comovement(room_of(context), basket, _up_to(context))
        order = clustered(moved.before if moved.summary("before")["pairs"] else moved.after)
        rows = _pair_rows(context, moved, order)
        if rows["correlation"].isna().all():
            raise UnavailableError(
                context.t(
                    f"没有两只成分有{LEAST_COMMON}个共同交易日",
                    f"no two members share {LEAST_COMMON} sessions with prices",
                )
            )

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.heatmap import heatmap

            names = [company_name(context, symbol) for symbol in order]
            return heatmap(names, names, _pair_cells(rows, order), heading, upright=len(order) > _MOST_LEVEL)

        columns = {
            "name": Column("成分", "Member", merge=True),
            "other": Column("另一成分", "Other member"),
            "side": Column("区间", "Span"),
            "correlation": Column("相关系数", "Correlation", "price"),
        }
        before = moved.summary("before")
        subtitle = context.t(
            f"{basket_name(context, basket)}：日收益减沪深300的相关系数（百分之一）；{_span_words(context, moved)}；"
            f"发布前均值{before['mean']:.2f}",
            f"{basket_name(context, basket)}: correlation of daily returns less CSI 300, in hundredths; "
            f"{_span_words(context, moved)}; mean before {before['mean']:.2f}",
        )
        note = context.t(
            f"按平均联结聚类排序；共同交易日不足{LEAST_COMMON}的两只不计（灰格）",
            f"ordered by average-linkage clustering; pairs with fewer than {LEAST_COMMON} common sessions are grey",
        )
        native = NativeMatrix(("name",), ("correlation",), 1.0, "other", "sequential", kind="share")
        return Content(rows, columns, *_PRICES, subtitle, note, context.as_of, draw, native)

    name = basket.split("/", 1)[1]
    known = theme.basket(basket)
    title = (f"成分相关性：{known.name_zh}", f"Correlation of the members: {known.name_en}")
    return ExhibitDefinition(f"correlation-{name}", report, "附图", *title, "chart", "members", build)


def _pair_rows(context: Context, moved: Comovement, order: Sequence[str]) -> pd.DataFrame:
    """Return one row per pair and side; the lower triangle is before publication, the upper after it."""
    import pandas as pd

    sides = {side: context.t(zh, en) for side, zh, en in _SIDES}
    rows = []
    for row, one in enumerate(order):
        for column, other in enumerate(order):
            side = "before" if column < row else "after"
            if row == column or (side == "after" and not moved.sessions_after):
                continue
            matrix = moved.before if side == "before" else moved.after
            rows.append(
                {"symbol": one, "other_symbol": other, "name": company_name(context, one), "other": company_name(context, other),
                 "side": sides[side], "correlation": float(matrix.loc[one, other])}  # type: ignore[arg-type]
            )  # fmt: skip
    return pd.DataFrame(rows, columns=["symbol", "other_symbol", "name", "other", "side", "correlation"])


def _pair_cells(rows: pd.DataFrame, order: Sequence[str]) -> list[Cell]:
    from aitheme.charts.heatmap import BLANK, Cell, sequential
    from aitheme.charts.style import half_up

    places = {symbol: at for at, symbol in enumerate(order)}
    cells = []
    for row in rows.to_dict("records"):
        value, at = row["correlation"], (places[row["symbol"]], places[row["other_symbol"]])
        if value != value:  # noqa: PLR0124 (NaN)
            cells.append(Cell(*at, "", BLANK, "/"))
        else:
            cells.append(
                Cell(
                    *at, f"{half_up(value * 100) + 0.0:.0f}", sequential(value, 0.0, 1.0), f"{value:.2f} {row['side']}"
                )
            )
    return cells


def _correlation_table(report: str) -> ExhibitDefinition:
    def build(context: Context) -> Content:
        import pandas as pd

        until, rows, moved = _up_to(context), [], None
        for basket in shown_baskets(context):
            moved = comovement(room_of(context), basket, until)
            cells: dict[str, Any] = {
                "name": basket_name(context, basket),
                "members": len(context.theme.symbols(basket)),
            }
            for side, _, _ in _SIDES:
                found = moved.summary(side)
                cells |= {f"{key}_{side}": found[key] for key in ("mean", "names", "independent")}
            rows.append(cells)
        assert moved is not None
        columns = {"name": Column("篮子", "Basket"), "members": Column("A股", "A-shares", "integer")}
        for side, zh, en in _SIDES:
            count = moved.sessions_before if side == "before" else moved.sessions_after
            if not count:
                continue
            group = (f"{zh}{count}个交易日", f"{count} sessions {en}")
            columns |= {
                f"mean_{side}": Column("平均相关", "Mean correlation", "price", *group),
                f"names_{side}": Column("计入", "Counted", "integer", *group),
                f"independent_{side}": Column("等效独立个数", "Independent names", "decimal", *group),
            }
        subtitle = context.t(
            "成分两两相关系数的均值（日收益减沪深300）；等效独立个数为N/(1+(N-1)r)",
            "Mean of all pairs' correlations (daily returns less CSI 300); independent names: N/(1+(N-1)r)",
        )
        note = context.t(
            f"每侧至多{YEAR}个交易日，共同交易日不足{LEAST_COMMON}的两只不计；一只成分无相关可言",
            f"at most {YEAR} sessions a side, pairs with fewer than {LEAST_COMMON} common sessions left out; "
            "one member has no pair",
        )
        large = [
            basket_name(context, basket)
            for basket in shown_baskets(context)
            if basket not in _mapped(context.theme, context.report.id)
        ]
        parts = [
            note,
            context.t(
                f"超过{_MOST_NAMES}只、不足{_PAIR}只或已含于所画者不另画热图：{listing(context, large)}",
                f"no heatmap of its own (more than {_MOST_NAMES} names, fewer than {_PAIR}, or inside one that is drawn): "
                f"{listing(context, large)}",
            )
            if large
            else "",
            uncounted_main(context),
        ]
        note = context.t("；", "; ").join(part for part in parts if part)
        return Content(pd.DataFrame(rows), columns, *_PRICES, subtitle, note, context.as_of)

    title = ("成分平均相关：发布前后", "Mean correlation of members before and after publication")
    return ExhibitDefinition("correlation-table", report, "附表", *title, "table", "members", build)


def _concentration(report: str) -> ExhibitDefinition:
    def build(context: Context) -> Content:
        import pandas as pd

        until, last = _up_to(context), context.market.as_of(context.as_of)
        moments = {"then": until} | ({"now": last} if last > until else {})
        rows = [
            {"name": basket_name(context, basket), "moment": day, **_weights(context, basket, day)}
            for basket in shown_baskets(context)
            for day in moments.values()
        ]
        columns = {
            "name": Column("篮子", "Basket", merge=True),
            "moment": Column("日期", "Date", "date"),
            "known": Column("计入", "Counted", "integer"),
        }
        for weight, zh, en in (("cap", "按总市值", "By market value"), ("turnover", "按成交额", "By turnover")):
            columns |= {
                f"herfindahl_{weight}": Column("HHI", "HHI", "probability", zh, en),
                f"effective_{weight}": Column("有效个数", "Effective names", "decimal", zh, en),
                f"top_{weight}": Column("前五占比", "Top five", "share", zh, en),
                f"largest_{weight}": Column("最大", "Largest", "text", zh, en),
            }
        subtitle = context.t(
            f"HHI为权重平方和，有效个数为其倒数；成交额取{TURNOVER_SESSIONS}日均值；上行为发布日，下行为最新",
            f"HHI: sum of squared weights, effective names its inverse; turnover: mean of {TURNOVER_SESSIONS} sessions; "
            "first row at publication, second now",
        )
        note = context.t(
            "总市值为收盘价乘行情库所载总股本，股本日期可能晚于所示日期",
            "market value is the close times the shares the store holds, which may be dated later",
        )
        parts = [note, _uncapped(context, rows), uncounted_main(context)]
        note = context.t("；", "; ").join(part for part in parts if part)
        return Content(pd.DataFrame(rows), columns, *_WEIGHTS, subtitle, note, context.as_of)

    title = ("成分集中度", "Concentration of the baskets")
    return ExhibitDefinition("concentration", report, "附表", *title, "table", "members", build)


def _uncapped(context: Context, rows: Sequence[dict[str, Any]]) -> str:
    """Say in how many rows the market value is known of fewer or more members than the turnover."""
    uneven = [row for row in rows if row["known_cap"] != row["known"]]
    if not uneven:
        return ""
    fewest = min(int(row["known_cap"]) for row in uneven)
    return context.t(
        f"“计入”为有成交额者；{len(uneven)}行有总市值者家数不同（最少{fewest}只，缺股本或久未成交）",
        f"counted: members with turnover; in {len(uneven)} rows those with a market value differ (fewest {fewest}: no share count, "
        "or long without a trade)",
    )


def _weights(context: Context, basket: str, day: date) -> dict[str, Any]:
    found = concentration(room_of(context), basket, day)
    cells: dict[str, Any] = {"known": found["turnover"].known, "known_cap": found["cap"].known}
    for weight, one in found.items():
        largest = company_name(context, one.largest) if one.largest else ""
        cells |= {
            f"herfindahl_{weight}": one.herfindahl,
            f"effective_{weight}": one.effective,
            f"top_{weight}": one.top,
            f"largest_{weight}": largest,
        }
    return cells
