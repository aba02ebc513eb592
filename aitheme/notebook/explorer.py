"""Baskets and releases to explore in one chart: brush over dates, click the legend, choose basket and release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aitheme.errors import AithemeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    import altair as alt
    import pandas as pd

    from aitheme.analysis.studies import BasketStudy, StudyRoom
    from aitheme.charts.frame import Heading
    from aitheme.panel import Provenance

__all__ = ["Explorer", "explore"]

_MOST_BASKETS = 5
# What the chart says of a path: the headline, its fallback with the placebo band, and the naive test. The whole battery over
# every day would take eight times as long, and a chart holds a hundred paths.
_TESTS = ("volatility_scaled_t", "randomisation_dates", "cross_sectional_t")
_BENCHMARK = ("基准 {}", "Benchmark {}")
_TEXT = (
    "N={n}  {window} CAAR {caar:+.1%}  稳健检验（{test}）p={p:.3f}  朴素检验 p={naive:.3f}",
    "N={n}  CAAR {window} {caar:+.1%}  robust p={p:.3f} ({test})  naive p={naive:.3f}",
)
_TITLE = ("篮子走势与发布事件", "Baskets and releases")
_HOW = (
    "拖选下方小图改变区间（以区间首日为基期）；点图例突出；用下拉框换篮子与发布",
    "Drag over the small chart to choose a span (measured from its first session); click the legend; choose basket and release",
)
_SOURCE = (
    "资料来源：{source}（{snapshot}），aitheme整理；截至{as_of}；灰带为安慰剂日期90%区间",
    "Source: {source} ({snapshot}), compiled by aitheme; as of {as_of}; grey band: 90 % of placebo dates",
)
_LEFT_OUT = ("未能研究：{}", "Could not be studied: {}")


@dataclass(frozen=True, slots=True)
class Explorer:
    """Basket lines and event paths behind one interactive chart; a notebook shows it.

    Parameters
    ----------
    lines
        Columns session, name, level (1.0 at the base; total return for baskets, price for the benchmark).
    paths
        Columns basket, event, day, caar, low, high (ratios).
    findings
        Columns basket, event, session (day 0) and text.
    left_out
        One line for each basket and release that could not be studied, with the reason.
    benchmark
        Name of the benchmark among `lines`.
    provenance
        Snapshot and as-of date.
    lang
        ``zh`` or ``en``.
    """

    lines: pd.DataFrame
    paths: pd.DataFrame
    findings: pd.DataFrame
    left_out: tuple[str, ...]
    benchmark: str
    provenance: Provenance
    lang: str

    def chart(self) -> alt.VConcatChart:
        """Return the Altair chart; it carries its data and needs no server."""
        from aitheme.charts.explorer import explorer_chart

        return explorer_chart(self.lines, self.paths, self.findings, self._heading(), benchmark=self.benchmark)

    def _heading(self) -> Heading:
        from aitheme.charts.frame import Heading

        origin, english = self.provenance, int(self.lang == "en")
        source = _SOURCE[english].format(source=origin.source, snapshot=origin.snapshot, as_of=origin.as_of)
        missing = [_LEFT_OUT[english].format(line) for line in self.left_out]
        return Heading(_TITLE[english], _HOW[english], (source, *missing), origin.simulated, self.lang)

    def _repr_html_(self) -> str:
        from aitheme.charts.offline import chart_html

        return chart_html(self.chart().to_dict())

    def __repr__(self) -> str:
        names, paths = self.lines["name"].nunique(), len(self.findings)
        return f"<Explorer: {names} lines, {paths} event paths, as of {self.provenance.as_of}>"


def explore(
    room: StudyRoom,
    baskets: Sequence[str],
    start: str | date,
    end: str | date,
    *,
    events: Iterable[str] | None = None,
    window: tuple[int, int] = (-5, 10),
    lang: str = "zh",
) -> Explorer:
    """Lay baskets and releases out for one interactive chart.

    Parameters
    ----------
    room
        Snapshot and registry.
    baskets
        One to five basket ids.
    start, end
        The lines run from the last close on or before `start` to `end`; a release whose window is not over by `end` is
        left out.
    events
        Release ids; those between the dates by default.
    window
        Event window in sessions. Paths come from the market model; random baskets are not drawn.
    lang
        ``zh`` or ``en``.

    Raises
    ------
    AithemeError
        No basket or more than five, an unknown name, dates outside the data, or nothing that could be studied.
    """
    import pandas as pd

    from aitheme.analysis import basket_returns
    from aitheme.calendar import parse_date

    if not 1 <= len(baskets) <= _MOST_BASKETS:
        raise AithemeError(f"baskets: {len(baskets)} given; give 1 to {_MOST_BASKETS}, so that each has a colour")
    if lang not in {"zh", "en"}:
        raise AithemeError(f"lang: {lang!r} is not zh or en; use one of them")
    low, high = parse_date(start, "start"), parse_date(end, "end")
    results = {
        _name(room, basket, lang): basket_returns(room.market, room.theme, basket, low, high) for basket in baskets
    }
    benchmark = _BENCHMARK[lang == "en"].format(room.theme.benchmark)
    lines = {name: result.index.values for name, result in results.items()}
    closes = next(iter(results.values())).benchmark
    assert closes is not None
    lines[benchmark] = closes / closes.iloc[0]
    wanted = list(events) if events is not None else [
        event for event, day0 in room.releases if low <= day0.date() <= high
    ]  # fmt: skip
    paths, findings, left_out = _studied(room, baskets, wanted, window, (high, lang))
    if not paths:
        raise AithemeError(
            f"events: none of {len(wanted)} could be studied; {'; '.join(left_out) or 'widen the dates'}"
        )
    return Explorer(
        _long(lines), pd.concat(paths, ignore_index=True), pd.DataFrame(findings), tuple(left_out), benchmark,
        room.market.provenance(high), lang,
    )  # fmt: skip


def _name(room: StudyRoom, basket: str, lang: str) -> str:
    row = room.theme.basket(basket)
    return row.name_en if lang == "en" else row.name_zh


def _long(lines: dict[str, pd.Series[float]]) -> pd.DataFrame:
    import pandas as pd

    parts = [
        pd.DataFrame(
            {"session": [f"{day:%Y-%m-%d}" for day in values.index], "name": name, "level": values.to_numpy().round(6)}
        )
        for name, values in lines.items()
    ]
    return pd.concat(parts, ignore_index=True).dropna(subset=["level"])


def _studied(
    room: StudyRoom, baskets: Sequence[str], events: Sequence[str], window: tuple[int, int], limits: tuple[date, str]
) -> tuple[list[pd.DataFrame], list[dict[str, str]], list[str]]:
    from aitheme.analysis.studies import study_release
    from aitheme.calendar import calendar_for
    from aitheme.eventstudy import StudyError

    paths, findings, left_out = [], [], []
    calendar = calendar_for("XSHG")
    for event in events:
        day0 = room.day0(event).date()
        if calendar.shift(day0, window[1]) > limits[0]:
            left_out.append(f"{event} (its window ends after {limits[0]})")
            continue
        for basket in baskets:
            try:
                study = study_release(
                    room, basket, event, window=window, random_baskets=False, by_day=False, tests=_TESTS
                )
            except StudyError as error:
                left_out.append(f"{basket}, {event} ({error})")
                continue
            names = {"basket": _name(room, basket, limits[1]), "event": _event_name(room, event, day0, limits[1])}
            paths.append(_path(study).assign(**names))
            findings.append(names | {"session": day0.isoformat(), "text": _text(study, limits[1])})
    return paths, findings, left_out


def _event_name(room: StudyRoom, event: str, day0: date, lang: str) -> str:
    release = room.theme.release(event)
    return f"{day0:%Y-%m-%d} {release.name_en if lang == 'en' else release.name_zh}"


def _path(study: BasketStudy) -> pd.DataFrame:
    from aitheme.eventstudy.plotting import band_table

    return band_table(study.result).round(6)


def _text(study: BasketStudy, lang: str) -> str:
    head = study.result.headline
    return _TEXT[lang == "en"].format(
        n=study.result.n, window=list(study.result.design.window), caar=float(study.result.caar.iloc[-1]),
        p=head.p_value, naive=head.naive_p_value, test=head.test,
    )  # fmt: skip
