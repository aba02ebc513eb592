"""The CAAR path with its placebo band, drawn with Altair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from aitheme.eventstudy.errors import StudyError

if TYPE_CHECKING:
    from aitheme.eventstudy.result import EventStudyResult

RED, GREY, DARK = "#B22222", "#7F7F7F", "#333333"
BAND = (0.05, 0.95)
FONTS = "Noto Sans SC, Noto Sans CJK SC, PingFang SC, Microsoft YaHei, WenQuanYi Micro Hei, sans-serif"
WIDTH, HEIGHT = 640, 320

WORDS = {
    "zh": {
        "title": "累计平均超额收益（CAAR）",
        "day": "相对事件日（交易日）",
        "value": "CAAR",
        "band": "灰带：{count} 个安慰剂日期的 90% 区间",
        "none": "无安慰剂区间：{reason}",
        "benchmark": "基准：{name}；N = {n}",
    },
    "en": {
        "title": "Cumulative average abnormal return (CAAR)",
        "day": "Sessions relative to day 0",
        "value": "CAAR",
        "band": "Grey band: 90 % of {count} placebo dates",
        "none": "No placebo band: {reason}",
        "benchmark": "Benchmark: {name}; N = {n}",
    },
}


def band_table(result: EventStudyResult) -> pd.DataFrame:
    """CAAR path and the band of placebo paths.

    Parameters
    ----------
    result : EventStudyResult
        The study.

    Returns
    -------
    DataFrame
        Columns ``day``, ``caar``, ``low``, ``high`` (ratios). The band starts on the day before the window at zero
        and holds 90 % of the placebo paths, rescaled to the volatility before the event; NaN without placebo dates.
    """
    table = pd.DataFrame({"day": result.days, "caar": result.caar.to_numpy(), "low": np.nan, "high": np.nan})
    drawn = result.randomisation
    if drawn is not None and not drawn.reason:
        paths = drawn.band_paths[np.isfinite(drawn.band_paths).all(axis=1)]
        table["low"], table["high"] = np.quantile(paths, BAND, axis=0)
    start = pd.DataFrame({"day": [result.design.window[0] - 1], "caar": [0.0], "low": [0.0], "high": [0.0]})
    return pd.concat([start, table], ignore_index=True)


def caar_chart(result: EventStudyResult, *, lang: str = "zh", watermark: str = "") -> Any:
    """CAAR chart of a study.

    Parameters
    ----------
    result : EventStudyResult
        The study.
    lang : {"zh", "en"}
        Language of titles.
    watermark : str
        Set diagonally behind the marks, for data that is made up.

    Returns
    -------
    altair.LayerChart
        Band, path, zero line and day 0.

    Raises
    ------
    StudyError
        If the language is not known.
    """
    if lang not in WORDS:
        raise StudyError(f"lang={lang!r} is not known; choose one of {', '.join(WORDS)}")
    import altair as alt

    words, table = WORDS[lang], band_table(result)
    x = alt.X("day:Q", title=words["day"], axis=alt.Axis(format="d", grid=False, tickMinStep=1))
    scale = alt.Axis(format=".1%", tickCount=7)
    base = alt.Chart(table)
    band = base.mark_area(color=GREY, opacity=0.25).encode(
        x=x, y=alt.Y("low:Q", title=words["value"], axis=scale), y2="high:Q"
    )
    path = base.mark_line(color=RED, point=alt.OverlayMarkDef(color=RED, size=24)).encode(
        x=x,
        y=alt.Y("caar:Q", title=words["value"], axis=scale),
        tooltip=[alt.Tooltip("day:Q"), alt.Tooltip("caar:Q", format=".2%")],
    )
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=DARK, strokeWidth=0.5).encode(y="zero:Q")
    event = alt.Chart(pd.DataFrame({"day": [0]})).mark_rule(color=DARK, strokeDash=[4, 3]).encode(x="day:Q")
    shown = [path, zero] if table["low"].iloc[1:].isna().all() else [band, path, zero]
    if result.design.window[0] - 1 <= 0 <= result.design.window[1]:
        shown.append(event)
    if watermark:
        mark = alt.Chart(pd.DataFrame({"text": [watermark]})).mark_text(
            font=FONTS, fontSize=44, angle=340, color="#EDEDED", fontWeight="normal"
        )
        middle = {"x": alt.value(WIDTH / 2), "y": alt.value(HEIGHT / 2)}
        shown.insert(0, mark.encode(text="text:N", **middle))
    title = alt.Title(words["title"], subtitle=_subtitle(result, words), anchor="start", fontWeight="normal")
    chart = alt.layer(*shown).properties(width=WIDTH, height=HEIGHT, title=title)
    labels = {"labelFont": FONTS, "titleFont": FONTS, "titleFontWeight": "normal", "domain": False}
    return (
        chart.configure(font=FONTS)
        .configure_view(stroke=None)
        .configure_axis(**labels)
        .configure_title(font=FONTS, subtitleFont=FONTS, subtitleColor="#7F7F7F")
    )


def _subtitle(result: EventStudyResult, words: dict[str, str]) -> list[str]:
    drawn = result.randomisation
    lines = [
        ", ".join(unit.event for unit in result.units),
        words["benchmark"].format(name=result.benchmark_name, n=result.n),
    ]
    if drawn is None or drawn.reason:
        lines.append(words["none"].format(reason="draws=0" if drawn is None else drawn.reason))
    else:
        lines.append(words["band"].format(count=drawn.draws.shape[1]))
    return lines
