"""The March box office of a report: months of the store, and what the report's text gives where the store has none."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

from aitheme.exhibits.base import Content, Context, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.native import NativeChart
from aitheme.exhibits.printed import printed_source, registry_table

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from aitheme.charts.frame import Heading

__all__ = ["march_content"]

_MARCH = 3
_HUNDRED_MILLION = 1e8
_PRINTED = {"gross": "box_office_cny_100m", "admissions": "admissions_100m"}
_WORDS = {
    "gross": ("3月票房（亿元）", "March box office (CNY 100m)", "亿元", "CNY 100m"),
    "admissions": ("3月观影人次（亿人）", "March admissions (100m)", "亿人", "100m"),
}


def march_content(context: Context, measure: Literal["gross", "admissions"]) -> Content:
    """Return the columns of a March measure over the years, with growth on a year.

    Parameters
    ----------
    context
        Of the exhibit; the report's table ``march-box-office`` holds the figures of its text.
    measure
        ``gross`` (CNY) or ``admissions`` (tickets).
    """
    data, until, stored = _years(context, measure)
    label_zh, label_en, unit_zh, unit_en = _WORDS[measure]

    def draw(heading: Heading) -> alt.LayerChart:
        from aitheme.charts.bars import columns
        from aitheme.charts.style import percent_label

        bounds = [">" if bound else "" for bound in data["bound"]]
        notes = [f"{bound}{percent_label(value)}" if value == value else ""  # noqa: PLR0124 (NaN)
                 for bound, value in zip(bounds, data["growth"], strict=True)]  # fmt: skip
        values = data.set_index("year")["value"]
        texts = [f">{value:g}" if bound else "" for value, bound in zip(data["value"], data["bound"], strict=True)]
        return columns(values, heading, unit=context.t(unit_zh, unit_en), digits=2, notes=notes, texts=texts)

    columns = {
        "year": Column("年份", "Year"),
        "value": Column(label_zh, label_en, "price"),
        "growth": Column("同比", "Growth on a year", "change"),
        "reading": Column("读法", "Read as"),
        "origin": Column("出处", "From"),
    }
    meta, _ = registry_table(context, "march-box-office")
    zh, en = printed_source(context, meta)
    if stored:
        zh, en = f"艺恩（单月票房），{zh}", f"Endata (monthly box office), {en}"
    subtitle = context.t(
        f"{unit_zh}；{until.year}年截至{until.month}月{until.day}日"
        + ("，为下限（已超过20亿元）" if measure == "gross" else ""),
        f"{unit_en}; {until.year} up to {until:%d %B}"
        + (", a lower bound (more than 20)" if measure == "gross" else ""),
    )
    remarks = (_note(context, data, stored=stored), _ticket_price(context, measure))
    remark = context.t("；", "; ").join(text for text in remarks if text)
    native = NativeChart("column", "year", ("value",))
    return Content(data, columns, zh, en, subtitle, remark, until, draw, native, from_market=stored)


def _years(context: Context, measure: str) -> tuple[pd.DataFrame, date, bool]:
    """Return one row per year, the day the last one runs to, and whether any of them comes from the store."""
    import pandas as pd

    _, rows = registry_table(context, "march-box-office")
    known = rows[rows[_PRINTED[measure]].notna()]
    if known.empty:
        raise UnavailableError(context.t("正文没有该项数字", "the text does not give the figure"))
    text, store = context.t("正文", "text"), context.t("数据源", "store")
    until = date.fromisoformat(str(known["as_of"].iloc[-1]))
    values = {
        int(year): (float(value), text) for year, value in zip(known["year"], known[_PRINTED[measure]], strict=True)
    }
    held = context.market.box_office(as_of=context.until)
    months = pd.DatetimeIndex(held["month"])
    whole = held[(months.month == _MARCH) & held["complete"].to_numpy(dtype=bool)]
    for month, amount in zip(pd.DatetimeIndex(whole["month"]), whole[measure], strict=True):
        values.setdefault(month.year, (float(amount) / _HUNDRED_MILLION, store))
    span = range(min(values), max(values) + 1)
    data = pd.DataFrame({"year": [str(year) for year in span], "value": [values.get(year, (float("nan"),))[0] for year in span],
                         "origin": [values[year][1] if year in values else "" for year in span]})  # fmt: skip
    data["growth"] = data["value"].pct_change(fill_method=None)
    data["bound"] = [measure == "gross" and year == until.year for year in span]
    data["reading"] = [context.t("超过", "more than") if bound else "" for bound in data["bound"]]
    return data, until, not whole.empty


def _note(context: Context, data: pd.DataFrame, *, stored: bool) -> str:
    given = data.loc[data["origin"].eq(context.t("正文", "text")), "year"]
    years = context.t("、", ", ").join(given)
    if stored:
        return context.t(
            f"{years}年取自正文，其余为艺恩单月数据，口径与灯塔、猫眼不尽相同",
            f"{years} as in the text, the others are Endata's months, which differ a little from the print's vendors",
        )
    return context.t(
        f"正文只给出{years}年；其他年份需以akshare数据源刷新",
        f"the text gives {years} only; others come with the akshare source",
    )


def _ticket_price(context: Context, measure: str) -> str:
    """Return the average ticket price of the text, and the box office it gives with the admissions."""
    if measure == "gross":
        return ""
    _, rows = registry_table(context, "march-box-office")
    year, people, price = rows.loc[rows["avg_ticket_cny"].notna(), ["year", "admissions_100m", "avg_ticket_cny"]].iloc[
        -1
    ]
    return context.t(
        f"{year:.0f}年平均票价{price:g}元，与人次相乘约{people * price:.2f}亿元",
        f"average ticket of {year:.0f}: CNY {price:g}, times admissions about CNY {people * price * 100:,.0f}m",
    )
