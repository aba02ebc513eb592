"""Tables of printed scores: every cell with the decimals it is printed with, and the settings the tests were run with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aitheme.exhibits.base import Content, Context, ExhibitDefinition
from aitheme.exhibits.columns import Column
from aitheme.exhibits.printed import printed_source
from aitheme.exhibits.scores import pivot, scored_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

__all__ = ["score_table", "settings_table", "with_setting"]

_TEST, _MODEL = Column("测试", "Test"), Column("模型", "Model")


def score_table(
    report: str,
    table_id: str,
    label: str,
    title: tuple[str, str],
    *,
    test: str = "benchmark",
    score: str = "score",
    models_down: bool = False,
    ratios: bool = False,
    prepare: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    note: tuple[str, str] = ("", ""),
    exhibit_id: str | None = None,
) -> ExhibitDefinition:
    """Define a table of tests x models with the printed decimals.

    Parameters
    ----------
    report, table_id, label, title
        Where the table is, and what the exhibit is called.
    test, score
        Columns of the packaged table.
    models_down
        One row per model instead of one per test.
    ratios
        Show the printed ratios of two models, too.
    prepare
        Adjusts the packaged rows first.
    note
        What the reader has to know.
    exhibit_id
        Name in the book; the table's by default.
    """

    def build(context: Context) -> Content:
        meta, data = scored_rows(context, table_id, score, prepare)
        scores, digits = pivot(context, data, score, test=test, ratios=ratios)
        if models_down:
            scores, digits = scores.T, digits.T
        first, heading = ("model", _MODEL) if models_down else ("benchmark", _TEST)
        columns = {
            first: heading,
            **{name: Column(name, name, "number", digits=tuple(digits[name])) for name in scores.columns},
        }
        wide = scores.rename_axis(index=first, columns=None).reset_index()
        return Content(wide, columns, *printed_source(context, meta), note=context.t(*note), from_market=False)

    return ExhibitDefinition(exhibit_id or table_id, report, label, *title, "table", "print", build)


def settings_table(
    report: str,
    table_id: str,
    label: str,
    title: tuple[str, str],
    *,
    exhibit_id: str,
    prepare: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    note: tuple[str, str] = ("", ""),
) -> ExhibitDefinition:
    """Define a table of tests x models with the setting of each score, for print that sets it beside the score."""

    def build(context: Context) -> Content:
        meta, data = scored_rows(context, table_id, "score", prepare)
        kept = data[data["score"].notna()].drop_duplicates(["benchmark", "model"])
        wide = kept.pivot(index="benchmark", columns="model", values="setting")  # noqa: PD010 (texts)
        wide = wide.reindex(index=list(dict.fromkeys(kept["benchmark"])), columns=list(dict.fromkeys(kept["model"])))
        columns = {"benchmark": _TEST, **{name: Column(name, name) for name in wide.columns}}
        rows = wide.rename_axis(index="benchmark", columns=None).reset_index()
        return Content(rows, columns, *printed_source(context, meta), note=context.t(*note), from_market=False)

    return ExhibitDefinition(exhibit_id, report, label, *title, "table", "print", build)


def with_setting(data: pd.DataFrame) -> pd.DataFrame:
    """Return scores with the part of the data and the setting in the name of a test where all its models share them.

    ``HellaSwag`` of a table that prints ten shots for every model is ``HellaSwag (10-shot)``.
    """
    shared = {
        name: ", ".join(
            str(rows[part].iloc[0])
            for part in ("split", "setting")
            if part in rows.columns and rows[part].notna().all() and rows[part].eq(rows[part].iloc[0]).all()
        )
        for name, rows in data[data["score"].notna()].groupby("benchmark")
    }
    names = data["benchmark"].map(lambda name: f"{name} ({shared[name]})" if shared.get(name) else name)
    return data.assign(benchmark=names)
