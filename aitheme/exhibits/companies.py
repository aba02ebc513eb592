"""Exhibits of single companies: the valuation table and quarterly capital expenditure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.native import NativeChart
from aitheme.exhibits.reasons import ends_earlier

if TYPE_CHECKING:
    from collections.abc import Mapping

    import altair as alt
    import pandas as pd

    from aitheme.charts.frame import Heading

__all__ = ["capex_columns", "valuation_table"]


def valuation_table(report: str, label: str, title: tuple[str, str]) -> ExhibitDefinition:
    """Define the cover table: price, EPS and PE recomputed from the store as of publication."""

    def build(context: Context) -> Content:
        from aitheme.analysis import pe_table

        if context.until < context.report.published:
            raise ends_earlier(context)
        table = pe_table(context.market, context.theme, report, as_of=context.until).table
        if context.lang == "en":
            table = table.assign(name=_english_names(context, table), rating=_english_ratings(context, table))
        printed = _printed_pe(context)
        columns = _valuation_columns(table)
        source = ("行情与一致预期/券商预测", "Prices and printed estimates")
        subtitle = context.t(
            f"股价为{context.until}收盘（元，未复权）；PE＝股价/EPS，四舍五入，EPS不为正记“/”",
            f"Close of {context.until} (CNY, unadjusted); PE is price over EPS rounded half up, / where EPS is not positive",
        )
        note = _valuation_note(context, table, printed)
        return Content(table, columns, *source, subtitle, note, context.until, None)

    return ExhibitDefinition("valuation", report, label, *title, "table", "print", build)


def _valuation_columns(table: pd.DataFrame) -> dict[str, Column]:
    columns = {
        "symbol": Column("代码", "Code"),
        "name": Column("简称", "Name"),
        "price": Column("股价（元）", "Price (CNY)", "price"),
    }
    for name in table.columns:
        prefix, _, year = str(name).partition("_")
        if prefix in {"eps", "pe"} and year[:4].isdigit():
            group = ("EPS（元）", "EPS (CNY)") if prefix == "eps" else ("PE（倍）", "PE (times)")
            columns[name] = Column(year, year, "price" if prefix == "eps" else "pe", *group)
    return {**columns, "rating": Column("评级", "Rating")}


def _english_names(context: Context, table: pd.DataFrame) -> list[str]:
    known = context.theme.security
    return [known[symbol].name_en or known[symbol].name_zh for symbol in table["symbol"]]


def _english_ratings(context: Context, table: pd.DataFrame) -> list[str]:
    names = {
        level.rating_zh: level.rating_en for level in context.report.rating_scale.levels if level.subject == "stock"
    }
    return [names.get(rating, rating) for rating in table["rating"]]


def _printed_pe(context: Context) -> dict[tuple[str, int], float | None]:
    rows = [row for row in context.theme.estimates if row.report == context.report.id]
    return {(row.symbol, row.fiscal_year): row.pe_printed for row in rows}


def _valuation_note(context: Context, table: pd.DataFrame, printed: Mapping[tuple[str, int], float | None]) -> str:
    """Count the PEs that equal the printed ones."""
    from aitheme.exhibits.columns import format_cell
    from aitheme.valuation import format_pe

    ours = {
        (row["symbol"], int(str(name)[3:7])): format_cell(row[name], "pe")
        for row in table.to_dict("records")
        for name in row
        if str(name).startswith("pe_")
    }
    same = sum(ours.get(key) == format_pe(value) for key, value in printed.items())
    return context.t(
        f"印刷的{len(printed)}个PE中{same}个与重算一致", f"{same} of the {len(printed)} printed PEs are reproduced"
    )


def capex_columns(
    report: str,
    exhibit_id: str,
    label: str,
    title: tuple[str, str],
    symbol: str,
    *,
    since: str,
    note: tuple[str, str] = ("", ""),
    check: tuple[str, float] | None = None,
) -> ExhibitDefinition:
    """Define the bars of a company's quarterly capital expenditure up to publication, growth on a year in colour above.

    Parameters
    ----------
    report, exhibit_id, label, title
        Where it belongs, and what it is called.
    symbol
        The company.
    since
        First quarter drawn (``21Q2``), as in the print; growth goes back to the quarters before it.
    note
        What differs from the print.
    check
        A quarter (``23Q4``) or year (``2023``) and the amount the text gives for it in USD bn, held against the bars.
    """

    def build(context: Context) -> Content:
        import pandas as pd

        rows = context.market.sql(
            "SELECT quarter_end, capex FROM capex WHERE symbol = ? AND quarter_end <= ? ORDER BY quarter_end",
            [symbol, context.until],
        )
        if rows.empty:
            raise UnavailableError(
                context.t(
                    f"行情库没有{symbol}截至{context.until}的资本开支；用akshare或archive源刷新可取得",
                    f"the store has no capital expenditure of {symbol} up to {context.until}; refresh with the akshare or archive "
                    "source",
                )
            )
        ends = pd.DatetimeIndex(rows["quarter_end"])
        amounts = pd.Series(rows["capex"].to_numpy() / 1e9, index=ends.to_period("Q")).resample("Q").asfreq()
        growth = amounts / amounts.shift(4) - 1.0
        data = pd.DataFrame(
            {"quarter": [f"{quarter.year % 100:02d}Q{quarter.quarter}" for quarter in amounts.index],
             "capex": amounts.to_numpy(), "growth": growth.to_numpy()}
        )  # fmt: skip
        data = data[data["quarter"] >= since].reset_index(drop=True)

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.bars import columns as standing
            from aitheme.charts.style import percent_label

            notes = ["" if value != value else percent_label(value, 0) for value in data["growth"]]  # noqa: PLR0124 (NaN)
            values = data.set_index("quarter")["capex"]
            return standing(values, heading, unit=context.t("十亿美元", "USD bn"), notes=notes)

        columns = {
            "quarter": Column("季度（公历）", "Calendar quarter"),
            "capex": Column("资本开支（十亿美元）", "Capital expenditure (USD bn)", "price"),
            "growth": Column("同比", "Growth on a year", "change"),
        }
        subtitle = context.t(
            "十亿美元，公历季度；柱顶彩字为同比", "USD bn, calendar quarters; growth on a year in colour"
        )
        source = (f"{symbol}公司公告口径", f"{symbol} company figures")
        native = NativeChart("column", "quarter", ("capex",))
        remarks = [context.t(*note), _capex_check(context, data, check)]
        remark = context.t("。", ". ").join(text for text in remarks if text)
        return Content(data, columns, *source, subtitle, remark, ends[-1].date(), draw, native)

    return ExhibitDefinition(exhibit_id, report, label, *title, "chart", "print", build)


def _capex_check(context: Context, data: pd.DataFrame, check: tuple[str, float] | None) -> str:
    """Hold the bars of a quarter or year against the amount in the report's text."""
    if check is None or context.market.simulated:
        return ""
    period, printed = check
    own = data.loc[data["quarter"].eq(period) | data["quarter"].str.startswith(f"{period[2:]}Q"), "capex"].sum()
    if round(own, 1) == round(printed, 1):
        return context.t(f"{period}与正文的{printed:g}一致", f"{period} agrees with {printed:g} in the text")
    return context.t(
        f"正文{period}为{printed:g}，此处为{own:.1f}，口径不同（正文或已扣除处置与补贴）",
        f"the text gives {printed:g} for {period}, these bars {own:.1f}: it may be net of disposals and incentives",
    )
