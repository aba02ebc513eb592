"""Printed numbers that people would rather see than read: benchmark scores, rankings and price cuts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aitheme.exhibits.base import Content, Context, ExhibitDefinition
from aitheme.exhibits.columns import Column, digits_of, with_digits
from aitheme.exhibits.english import in_english
from aitheme.exhibits.native import NativeChart
from aitheme.exhibits.printed import heading_of, printed_source, registry_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import altair as alt
    import pandas as pd

    from aitheme.charts.frame import Heading
    from aitheme.themes.model import TableMeta

__all__ = ["pivot", "price_cuts", "price_table", "ranking", "score_dots", "scored_rows", "with_metric"]


def pivot(
    context: Context,
    data: pd.DataFrame,
    score: str,
    *,
    test: str = "benchmark",
    exclude: Sequence[str] = (),
    ratios: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores and their printed decimals as tests x models in printed order, the tests in the book's language.

    Parameters
    ----------
    context
        Language of the names of the tests.
    data
        Rows of a packaged table with the column ``digits`` of :func:`scored_rows`.
    score, test
        Its columns.
    exclude
        Tests to leave out.
    ratios
        Keep the printed ratios of two models, which stand among the models.

    Notes
    -----
    Where a cell is printed twice the first score counts.
    """
    wanted = ~data[test].isin(list(exclude))
    if "kind" in data.columns and not ratios:
        wanted &= data["kind"] == "score"
    rows = data[wanted]
    kept = rows[rows[score].notna()].drop_duplicates([test, "model"])
    tests = [name for name in dict.fromkeys(rows[test]) if name in set(kept[test])]
    models = [name for name in dict.fromkeys(rows["model"]) if name in set(kept["model"])]
    wide, digits = (
        kept.pivot_table(index=test, columns="model", values=name).astype(float) for name in (score, "digits")
    )
    shown = [in_english(str(name), context.theme) for name in tests] if context.lang == "en" else tests
    places = digits.reindex(index=tests, columns=models).fillna(0).astype(int)
    return wide.reindex(index=tests, columns=models).set_axis(shown), places.set_axis(shown)


def scored_rows(
    context: Context, table_id: str, score: str, prepare: Callable[[pd.DataFrame], pd.DataFrame] | None
) -> tuple[TableMeta, pd.DataFrame]:
    """Return a packaged table with the decimals its scores are printed with in ``digits``, adjusted by `prepare`."""
    meta, data = registry_table(context, table_id)
    data = data.assign(digits=digits_of(context.theme.table_text(context.report.id, table_id)[score]))
    return meta, prepare(data) if prepare else data


def _long(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the scores test by test, so that the first test names the models in order."""
    rows = scores.T.rename_axis(index="model", columns=None).reset_index()
    long = rows.melt(id_vars="model", var_name="test", value_name="score").dropna(subset=["score"])
    return long[["test", "model", "score"]].reset_index(drop=True)


_SCORE_COLUMNS = {
    "test": Column("测试", "Test"),
    "model": Column("模型", "Model"),
    "score": Column("得分", "Score", "number"),
}


def score_dots(
    report: str,
    table_id: str,
    label: str,
    title: tuple[str, str],
    *,
    highlight: Sequence[str],
    unit: tuple[str, str] = ("得分（%）", "Score (%)"),
    exclude: Sequence[str] = (),
    test: str = "benchmark",
    score: str = "score",
    prepare: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    note: tuple[str, str] = ("", ""),
    exhibit_id: str | None = None,
) -> ExhibitDefinition:
    """Define a dot chart of benchmark scores.

    Parameters
    ----------
    report, table_id, label, title
        Where the table is, and what the exhibit is called.
    highlight
        Models in colour.
    unit
        Subtitle.
    exclude
        Tests on another scale, left out of the chart and named in the note.
    test, score
        Columns of the packaged table.
    prepare
        Adjusts the packaged rows first.
    note
        What the reader has to know.
    exhibit_id
        Name in the book; the table's by default.
    """

    def build(context: Context) -> Content:
        meta, data = scored_rows(context, table_id, score, prepare)
        scores, digits = pivot(context, data, score, test=test, exclude=exclude)
        zh, en = printed_source(context, meta)

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.dots import score_dots as dots

            return dots(scores, heading, highlight=highlight, unit=context.t(*unit), digits=digits)

        native = NativeChart("bar", "test", ("score",), "model")
        return Content(
            _long(scores),
            _SCORE_COLUMNS,
            zh,
            en,
            context.t(*unit),
            context.t(*note),
            None,
            draw,
            native,
            from_market=False,
        )

    return ExhibitDefinition(exhibit_id or table_id, report, label, *title, "chart", "print", build)


def ranking(
    report: str,
    table_id: str,
    label: str,
    title: tuple[str, str],
    *,
    name: str = "model",
    value: str = "score",
    value_label: tuple[str, str] = ("综合分", "Score"),
    vendor: str | None = "vendor",
    highlight: Sequence[str] = (),
    dots: bool = False,
    prepare: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    subtitle: tuple[str, str] = ("", ""),
    note: tuple[str, str] = ("", ""),
    exhibit_id: str | None = None,
) -> ExhibitDefinition:
    """Define a ranking drawn as lying bars.

    Parameters
    ----------
    report, table_id, label, title
        Where the table is, and what the exhibit is called.
    name, value, vendor
        Columns of the packaged table; the vendor is put in brackets.
    value_label
        What the values are.
    highlight
        Names in red.
    dots
        Draw dots instead of bars from zero.
    prepare
        Adjusts the packaged rows first.
    subtitle, note
        Words around the chart.
    exhibit_id
        Name in the book; the table's by default.
    """

    def build(context: Context) -> Content:
        meta, data = scored_rows(context, table_id, value, prepare)
        kept = data[data[value].notna()].reset_index(drop=True)
        digits = tuple(kept.pop("digits"))
        zh, en = printed_source(context, meta)
        if context.lang == "en" and vendor is not None:
            kept[vendor] = [in_english(str(one), context.theme) for one in kept[vendor]]
        names = [
            f"{row[name]} ({row[vendor]})"
            if vendor is not None and row[vendor] not in str(row[name])
            else str(row[name])
            for _, row in kept.iterrows()
        ]
        series = kept[value].astype(float).set_axis(names)
        red = [shown for shown, own in zip(names, kept[name], strict=True) if own in highlight]
        if kept[name].duplicated().any():
            # A spreadsheet's bars are told apart by this column alone.
            kept[name] = names

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.bars import ranked_bars

            texts = [with_digits(one, places) for one, places in zip(series, digits, strict=True)]
            return ranked_bars(series, heading, highlight=red, texts=texts, dots=dots)

        shown = [name, *([vendor] if vendor else [])]
        columns = {**{one: Column(meta.columns[one], heading_of(one)) for one in shown},
                   value: Column(*value_label, "number", digits=digits)}  # fmt: skip
        native = NativeChart("bar", name, (value,))
        return Content(
            kept, columns, zh, en, context.t(*subtitle), context.t(*note), None, draw, native, from_market=False
        )

    return ExhibitDefinition(exhibit_id or table_id, report, label, *title, "chart", "print", build)


def with_metric(data: pd.DataFrame) -> pd.DataFrame:
    """Return scores with the metric in the name of each test, and the variant in that of each model, where there is one."""
    rows = data.copy()
    for name, part in (("benchmark", "metric"), ("model", "variant")):
        if part in rows.columns:
            rows[name] = rows[name] + rows[part].map(lambda text: f" ({text})", na_action="ignore").fillna("")
    return rows


def price_cuts(report: str, table_id: str, label: str, title: tuple[str, str]) -> ExhibitDefinition:
    """Define a dumbbell chart of prices before and after, with the change computed and held against the print."""

    def build(context: Context) -> Content:
        meta, data = registry_table(context, table_id)
        prices = _price_rows(context, data)
        zh, en = printed_source(context, meta)

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.dots import dumbbells

            pairs = prices.set_index("item_shown")[["old_price", "new_price", "change"]]
            pairs.columns = ["old", "new", "change"]
            names = (context.t("降价前", "Before"), context.t("降价后", "After"))
            return dumbbells(pairs, heading, names=names, unit=context.t("美元/千token", "USD per 1,000 tokens"))

        note = _agreement(context, prices)
        subtitle = context.t("美元/千token，对数坐标", "USD per 1,000 tokens, logarithmic axis")
        native = NativeChart("bar", "item_shown", ("old_price", "new_price"), log=True)
        columns = _price_columns(context, table_id)
        return Content(prices, columns, zh, en, subtitle, note, None, draw, native, from_market=False)

    return ExhibitDefinition(table_id, report, label, *title, "chart", "print", build)


def price_table(
    report: str, table_id: str, label: str, title: tuple[str, str], *, exhibit_id: str
) -> ExhibitDefinition:
    """Define the table of prices before and after, the change computed beside the one printed."""

    def build(context: Context) -> Content:
        meta, data = registry_table(context, table_id)
        prices = _price_rows(context, data)
        columns, sources = _price_columns(context, table_id), printed_source(context, meta)
        return Content(prices, columns, *sources, note=_agreement(context, prices), from_market=False)

    return ExhibitDefinition(exhibit_id, report, label, *title, "table", "print", build)


def _agreement(context: Context, prices: pd.DataFrame) -> str:
    """Count the printed changes that the prices bear out."""
    checked = int(prices["agrees"].notna().sum())
    agreeing = int(prices["agrees"].fillna(value=False).sum())
    return context.t(
        f"降幅由新旧价格算出；印有降幅的{checked}行中{agreeing}行与之一致（四舍五入到整数）",
        f"changes are computed from the prices; {agreeing} of the {checked} printed ones agree after rounding",
    )


def _price_columns(context: Context, table_id: str) -> dict[str, Column]:
    """Return the columns with the printed decimals."""
    texts = context.theme.table_text(context.report.id, table_id)
    return {
        name: replace(column, digits=digits_of(texts[name])) if name in texts.columns else column
        for name, column in _PRICE_COLUMNS.items()
    }


_PRICE_COLUMNS = {
    "item_shown": Column("项目", "Item"),
    "old_price": Column("旧价（美元/千token）", "Old price (USD per 1,000 tokens)", "number"),
    "new_price": Column("新价（美元/千token）", "New price (USD per 1,000 tokens)", "number"),
    "change": Column("变动（计算）", "Change (computed)", "change"),
    "change_printed_pct": Column("印刷降幅（%）", "Printed cut (%)", "number"),
}
_ITEMS = {"input": ("输入", "input"), "output": ("输出", "output"), "training": ("训练", "training")}


def _price_rows(context: Context, data: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    from aitheme.charts.style import half_up

    rows = []
    for row in data.to_dict("records"):
        change = float(row["new_price"]) / float(row["old_price"]) - 1.0
        printed = row["change_printed_pct"]
        arrow = row["old_model"] if row["old_model"] == row["new_model"] else f"{row['old_model']} → {row['new_model']}"
        rows.append(
            {
                "item_shown": f"{arrow} {context.t(*_ITEMS.get(row['item'], (row['item'], row['item'])))}",
                "old_price": float(row["old_price"]),
                "new_price": float(row["new_price"]),
                "change": change,
                "change_printed_pct": printed,
                "agrees": None if pd.isna(printed) else half_up(-100 * change) == float(printed),
            }
        )
    return pd.DataFrame(rows)
