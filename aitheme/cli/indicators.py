"""``indicators``: the stage of apps from an analyst's CSV of metrics. No store is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from aitheme.cli.app import app
from aitheme.cli.output import echo, note
from aitheme.errors import AithemeError

__all__ = ["indicators"]


@app.command()
def indicators(
    csv: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(metavar="[CSV]", help="Monthly metrics, one row per app and month."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the exhibits go.")] = Path(
        "build/indicators"
    ),
    template: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--template", metavar="FILE", help="Write a sample CSV there and do nothing else."),
    ] = None,
    growth: Annotated[
        float, typer.Option("--growth", metavar="RATIO", help="MAU growth a year from which an app is early.")
    ] = 0.20,
    paying: Annotated[
        float, typer.Option("--paying", metavar="RATIO", help="Paying ratio from which an app is paid for.")
    ] = 0.05,
    lang: Annotated[str, typer.Option("--lang", metavar="zh|en", help="Language of titles and notes.")] = "zh",
    formats: Annotated[
        str, typer.Option("--formats", metavar="LIST", help="Of html,png,svg,xlsx,pptx.")
    ] = "html,png,svg,xlsx,pptx",
) -> None:
    """Decide the stage of apps from their metrics and draw what to watch: growth early, profit late."""
    if template is not None:
        _write_template(template)
        return
    if csv is None:
        raise AithemeError("csv: no file given; name one, or write a sample with `aitheme indicators --template FILE`")
    from aitheme.exhibits.indicators import STAGES, indicator_exhibits, stage_reason
    from aitheme.indicators import StageRule, app_indicators, read_indicators
    from aitheme.reports import write_exhibits

    result = app_indicators(read_indicators(csv), StageRule(growth, paying))
    for verdict in result.verdicts:
        echo(
            f"{verdict.app}: {STAGES[verdict.stage][0 if lang == 'zh' else 1]} ({stage_reason(verdict, result.rule, lang)})"
        )
    written = write_exhibits(
        indicator_exhibits(result, source=csv.name, lang=lang), out,
        name="indicators", title="应用观测指标" if lang == "zh" else "App indicators by stage", source=csv.name,
        as_of=result.until, lang=lang, formats=tuple(part.strip() for part in formats.split(",") if part.strip()), progress=note,
    )  # fmt: skip
    echo(f"{written.drawn} exhibits drawn, {written.missing} unavailable -> {written.index}")


def _write_template(path: Path) -> None:
    """Write the packaged sample; an existing file is left alone."""
    from aitheme.indicators import template_csv

    try:
        with path.open("x", encoding="utf-8-sig", newline="") as handle:
            handle.write(template_csv())
    except OSError as error:
        raise AithemeError(f"template: {path} cannot be written ({error.strerror}); choose a new file name") from error
    echo(f"sample written -> {path}")
