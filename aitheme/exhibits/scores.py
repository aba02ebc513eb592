"""Printed numbers that people would rather see than read: benchmark scores, rankings and price cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aitheme.exhibits.base import Content, Context, ExhibitDefinition, NativeChart
from aitheme.exhibits.columns import Column
from aitheme.exhibits.english import in_english
from aitheme.exhibits.printed import heading_of, printed_source, registry_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import altair as alt
    import pandas as pd

    from aitheme.charts.frame import Heading

__all__ = ["price_cuts", "ranking", "score_dots", "score_table", "with_metric"]


def _pivot(data: pd.DataFrame, exclude: Sequence[str], model: str, test: str, score: str) -> pd.DataFrame:
    """Return tests x models in printed order; where a cell is printed twice the first score counts."""
    kept = data[data[score].notna() & ~data[test].isin(list(exclude))]
    if "kind" in kept.columns:
        kept = kept[kept["kind"] == "score"]
    tests, models = list(dict.fromkeys(kept[test])), list(dict.fromkeys(kept[model]))
    wide = kept.drop_duplicates([test, model]).pivot_table(index=test, columns=model, values=score).astype(float)
    return wide.reindex(index=tests, columns=models)


def _long(scores: pd.DataFrame) -> pd.DataFrame:
    rows = scores.rename_axis(index="test", columns=None).reset_index()
    return (
        rows.melt(id_vars="test", var_name="model", value_name="score").dropna(subset=["score"]).reset_index(drop=True)
    )


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
    """

    def build(context: Context) -> Content:
        meta, data = registry_table(context, table_id)
        scores = _pivot(prepare(data) if prepare else data, exclude, "model", test, score)
        if context.lang == "en":
            scores.index = scores.index.map(lambda name: in_english(str(name), context.theme))
        zh, en = printed_source(context, meta)

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.dots import score_dots as dots

            return dots(scores, heading, highlight=highlight, unit=context.t(*unit))

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

    return ExhibitDefinition(table_id, report, label, *title, "chart", "print", build)


def score_table(
    report: str,
    table_id: str,
    label: str,
    title: tuple[str, str],
    *,
    prepare: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    note: tuple[str, str] = ("", ""),
    exhibit_id: str | None = None,
) -> ExhibitDefinition:
    """Define a table of tests x models, for scores on scales that no chart could share."""

    def build(context: Context) -> Content:
        meta, data = registry_table(context, table_id)
        scores = _pivot(prepare(data) if prepare else data, (), "model", "benchmark", "score")
        columns = {
            "benchmark": Column("测试", "Test"),
            **{name: Column(name, name, "number") for name in scores.columns},
        }
        zh, en = printed_source(context, meta)
        wide = scores.rename_axis(index="benchmark", columns=None).reset_index()
        return Content(wide, columns, zh, en, note=context.t(*note), from_market=False)

    return ExhibitDefinition(exhibit_id or table_id, report, label, *title, "table", "print", build)


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
    digits: int = 1,
    dots: bool = False,
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
    digits
        Decimals of the values.
    dots
        Draw dots instead of bars from zero.
    subtitle, note
        Words around the chart.
    exhibit_id
        Name in the book; the table's by default.
    """

    def build(context: Context) -> Content:
        meta, data = registry_table(context, table_id)
        kept = data[data[value].notna()].reset_index(drop=True)
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

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.bars import ranked_bars

            return ranked_bars(series, heading, highlight=red, digits=digits, dots=dots)

        shown = [name, *([vendor] if vendor else [])]
        columns = {**{one: Column(meta.columns[one], heading_of(one)) for one in shown},
                   value: Column(*value_label, "number")}  # fmt: skip
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

        checked = int(prices["agrees"].notna().sum())
        agreeing = int(prices["agrees"].fillna(value=False).sum())
        note = context.t(
            f"降幅由新旧价格算出；印有降幅的{checked}行中{agreeing}行与之一致（四舍五入到整数）",
            f"changes are computed from the prices; {agreeing} of the {checked} printed ones agree after rounding",
        )
        subtitle = context.t("美元/千token，对数坐标", "USD per 1,000 tokens, logarithmic axis")
        native = NativeChart("bar", "item_shown", ("old_price", "new_price"))
        return Content(prices, _PRICE_COLUMNS, zh, en, subtitle, note, None, draw, native, from_market=False)

    return ExhibitDefinition(table_id, report, label, *title, "chart", "print", build)


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
