"""Exhibits drawn from the store: sector and sub-sector indices, baskets, valuation and capital expenditure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aitheme.calendar import calendar_for
from aitheme.errors import DateRangeError
from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.native import NativeChart
from aitheme.exhibits.reasons import no_index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import altair as alt
    import pandas as pd

    from aitheme.charts.frame import Heading
    from aitheme.charts.lines import Event

__all__ = [
    "IndexChoice",
    "base_words",
    "choose_indices",
    "index_lines",
    "line_content",
    "sector_line",
    "sub_sectors",
    "year_before",
]

SHENWAN = {"传媒": "801760.SI", "计算机": "801750.SI", "通信": "801770.SI", "电子": "801080.SI"}
CITIC = {"传媒": "CI005028.CI", "计算机": "CI005027.CI", "通信": "CI005026.CI", "电子": "CI005025.CI"}
SECTOR_EN = {"传媒": "Media", "计算机": "Computer", "通信": "Telecom", "电子": "Electronics"}
CITIC_MEDIA = {
    "出版": "Publishing", "广播电视": "Broadcasting", "互联网广告营销": "Internet advertising", "其他广告营销": "Other advertising",
    "影视": "Film and TV", "动漫": "Animation", "游戏": "Games", "其他文化娱乐": "Other entertainment",
    "信息搜索与聚合": "Search and portals", "互联网影视音频": "Online video and audio",
}  # fmt: skip
PROVIDERS = {
    "Shenwan": ("申万一级行业指数", "Shenwan level-1 index"),
    "CITIC": ("中信一级行业指数", "CITIC level-1 index"),
}
# A vendor's dump may miss a session; more than one in a hundred is another index's turn.
_MOST_MISSING = 0.01


@dataclass(frozen=True, slots=True)
class IndexChoice:
    """Which provider's indices are drawn, and what is missing in them.

    Parameters
    ----------
    provider
        ``Shenwan`` or ``CITIC``.
    closes
        Sessions x sector names, from the base session on.
    missing
        Sessions without a close in the span.
    """

    provider: str
    closes: pd.DataFrame
    missing: int


def choose_indices(context: Context, sectors: Sequence[str], start: date, end: date) -> IndexChoice:
    """Return closes of level-1 sector indices: Shenwan where the store covers the span, else CITIC.

    Parameters
    ----------
    context
        Market, and the language of the reason.
    sectors
        Chinese names.
    start, end
        The first row is the last session on or before `start`.

    Raises
    ------
    UnavailableError
        Neither provider covers the span.
    """
    held = set(context.market.indices()["symbol"])
    base = calendar_for("XSHG").on_or_before(start)
    for provider, symbols in (("Shenwan", SHENWAN), ("CITIC", CITIC)):
        wanted = [symbols[sector] for sector in sectors if sector in symbols]
        if len(wanted) < len(sectors) or not held.issuperset(wanted):
            continue
        try:
            closes = context.market.index_closes(wanted, base, end)
        except DateRangeError as error:
            raise no_index(context, sectors, base, end) from error
        gaps = closes.isna()
        edges = closes.iloc[[0, -1]].notna().all(axis=None)
        if edges and gaps.mean().max() <= _MOST_MISSING:
            return IndexChoice(provider, closes.set_axis(list(sectors), axis=1), int(gaps.any(axis=1).sum()))
    raise no_index(context, sectors, base, end)


def _gap_note(context: Context, choice: IndexChoice) -> str:
    if not choice.missing:
        return ""
    return context.t(
        f"指数缺{choice.missing}个交易日，连线跨过",
        f"{choice.missing} {'session' if choice.missing == 1 else 'sessions'} without an index close bridged",
    )


def _drawn_note(context: Context, choice: IndexChoice, printed: tuple[str, str], provider: str | None) -> str:
    """Say which index the print used, which one is drawn, and how far the other provider's index ends from it.

    `printed` is what the report says of its index and vendor, `provider` the key of the printed provider where it names one.
    """
    drawn = context.t(*PROVIDERS[choice.provider])
    if context.market.simulated:
        drawn = context.t(f"模拟的{drawn}", f"a simulated {drawn}")
    if provider == choice.provider:
        here = context.t(f"此处同为{drawn}", f"here too: {drawn}")
    elif provider is None:
        here = context.t(f"此处为{drawn}", f"drawn here: {drawn}")
        if choice.provider == "CITIC":
            here += context.t(
                "（行情库的申万一级不覆盖该区间）", " (the store's Shenwan level-1 index does not cover the span)"
            )
    else:
        here = context.t(
            f"行情库没有覆盖该区间的{PROVIDERS[provider][0]}，以{drawn}代",
            f"the store's {PROVIDERS[provider][1]} does not cover the span, drawn here: {drawn}",
        )
    nothing = context.t(
        "正文未给出涨跌幅数字，无从核对", "the text gives no returns of it, so there is nothing to check against"
    )
    parts = [context.t(*printed), here, _other_provider(context, choice), nothing]
    return context.t("；", "; ").join(part for part in parts if part)


def _other_provider(context: Context, choice: IndexChoice) -> str:
    """Say how far the other provider's indices end from those drawn, in percentage points; empty where the store lacks them."""
    sectors = list(choice.closes.columns)
    other, symbols = ("CITIC", CITIC) if choice.provider == "Shenwan" else ("Shenwan", SHENWAN)
    wanted = [symbols[sector] for sector in sectors if sector in symbols]
    if len(wanted) < len(sectors) or not set(context.market.indices()["symbol"]).issuperset(wanted):
        return ""
    first, last = choice.closes.index[0].date(), choice.closes.index[-1].date()
    closes = context.market.index_closes(wanted, first, last).set_axis(sectors, axis=1)
    if not closes.iloc[[0, -1]].notna().all(axis=None):
        return ""
    gaps = 100.0 * (closes.iloc[-1] / closes.iloc[0] - choice.closes.iloc[-1] / choice.closes.iloc[0])
    farthest = str(gaps.abs().idxmax())
    who = "" if len(sectors) == 1 else context.t(farthest, f" for {SECTOR_EN[farthest]}")
    zh, en = PROVIDERS[other]
    return context.t(
        f"同期{zh}{'相差最大的' + who if who else ''}高{gaps[farthest]:.1f}个百分点"
        if gaps[farthest] >= 0
        else f"同期{zh}{'相差最大的' + who if who else ''}低{-gaps[farthest]:.1f}个百分点",
        f"the {en} ends {abs(gaps[farthest]):.1f} pp {'higher' if gaps[farthest] >= 0 else 'lower'}{who}"
        + (", the largest difference" if who else ""),
    )


def _changes(closes: pd.DataFrame) -> pd.DataFrame:
    """Return changes since the first row as ratios, gaps bridged."""
    filled = closes.ffill()
    return filled / filled.iloc[0] - 1.0


def _with_benchmark(context: Context, closes: pd.DataFrame, name: str) -> pd.DataFrame:
    first, last = closes.index[0].date(), closes.index[-1].date()
    benchmark = context.market.index_closes([context.theme.benchmark], first, last).iloc[:, 0]
    return closes.assign(**{name: benchmark})


def _tidy(changes: pd.DataFrame) -> pd.DataFrame:
    rows = changes.rename_axis(index="session", columns=None).reset_index()
    rows["session"] = [stamp.date() for stamp in rows["session"]]
    return (
        rows.melt(id_vars="session", var_name="name", value_name="change")
        .dropna(subset=["change"])
        .reset_index(drop=True)
    )


_LINE_COLUMNS = {
    "session": Column("日期", "Date", "date"),
    "name": Column("名称", "Name"),
    "change": Column("累计涨跌幅", "Change since the base", "change"),
}


def line_content(
    changes: pd.DataFrame,
    source: tuple[str, str],
    subtitle: str,
    note: str,
    *,
    benchmark: str | None,
    events: Sequence[Event] = (),
) -> Content:
    """Return the content of a line chart of changes since its first row."""

    def draw(heading: Heading) -> alt.LayerChart:
        from aitheme.charts.lines import return_lines

        return return_lines(changes, heading, benchmark=benchmark, events=events)

    native = NativeChart("line", "session", ("change",), "name")
    last = changes.index[-1].date()
    return Content(_tidy(changes), _LINE_COLUMNS, *source, subtitle, note, last, draw, native)


def base_words(context: Context, base: date) -> str:
    """Return the base of a chart in words, with the printed base where that is no session."""
    session = calendar_for("XSHG").on_or_before(base)
    if session == base:
        return context.t(f"基准：{base}收盘", f"Base: close of {base}")
    return context.t(
        f"基准：{session}收盘（{base}非交易日，取此前最近收盘）", f"Base: close of {session} ({base} is no session)"
    )


def index_lines(
    report: str,
    label: str,
    title: tuple[str, str],
    *,
    sectors: Sequence[str],
    base: date,
    events: Mapping[str, tuple[str, str]],
    printed: tuple[str, str] = ("", ""),
    provider: str | None = None,
    note: tuple[str, str] = ("", ""),
) -> ExhibitDefinition:
    """Define the line chart of sector indices since a base date.

    Parameters
    ----------
    report, label, title
        Where it belongs, and what it is called.
    sectors
        Chinese sector names.
    base
        Base date as printed.
    events
        Release ids to mark, with their labels.
    note
        What differs from the print.
    """

    def build(context: Context) -> Content:
        choice = choose_indices(context, sectors, base, context.until)
        names = [context.t(sector, SECTOR_EN[sector]) for sector in sectors]
        benchmark = context.t("沪深300", "CSI 300")
        changes = _changes(_with_benchmark(context, choice.closes.set_axis(names, axis=1), benchmark))
        marks = _event_marks(context, events)
        vendor = PROVIDERS[choice.provider]
        subtitle = context.t("；", "; ").join(
            [base_words(context, base), context.t("累计涨跌幅", "change since the base"), context.t(*vendor)]
        )
        remarks = (context.t(*note), _drawn_note(context, choice, printed, provider), _gap_note(context, choice))
        remark = context.t("；", "; ").join(text for text in remarks if text)
        return line_content(changes, vendor, subtitle, remark, benchmark=benchmark, events=marks)

    return ExhibitDefinition("index-lines", report, label, *title, "chart", "print", build)


def _event_marks(context: Context, events: Mapping[str, tuple[str, str]]) -> list[Event]:
    from aitheme.charts.lines import Event

    marks = []
    for release_id, (zh, en) in events.items():
        release = context.theme.releases.get(release_id)
        if release is None or release.day0 is None or release.beijing_date is None:
            continue
        day = f"{release.beijing_date:%m/%d}"
        later = (
            ""
            if release.day0 == release.beijing_date
            else context.t(f"，首个反应日{release.day0:%m/%d}", f", day 0 {release.day0:%m/%d}")
        )
        marks.append(Event(release.day0, context.t(f"{zh}（{day}{later}）", f"{en} ({day}{later})")))
    return marks


def sector_line(
    report: str,
    label: str,
    title: tuple[str, str],
    *,
    printed: tuple[str, str] = ("", ""),
    provider: str | None = None,
) -> ExhibitDefinition:
    """Define the cover chart of a report: its sector against the benchmark over the year to publication.

    Parameters
    ----------
    report, label, title
        Where it belongs, and what it is called.
    printed, provider
        What the report says of its index and vendor; the key of :data:`PROVIDERS` where it names the provider.
    """

    def build(context: Context) -> Content:
        end = context.until
        start = year_before(end)
        sector = context.report.sector_zh
        if sector not in SHENWAN:
            raise UnavailableError(context.t(f"没有{sector}的行业指数", f"no sector index is known for {sector}"))
        choice = choose_indices(context, [sector], start, end)
        name, benchmark = context.t(sector, SECTOR_EN[sector]), context.t("沪深300", "CSI 300")
        changes = _changes(_with_benchmark(context, choice.closes.set_axis([name], axis=1), benchmark))
        vendor = PROVIDERS[choice.provider]
        gap = float(changes[name].iloc[-1] - changes[benchmark].iloc[-1])
        subtitle = context.t(
            f"{base_words(context, start)}；累计涨跌幅；{vendor[0]}；一年相对收益{gap * 100:+.1f}个百分点",
            f"{base_words(context, start)}; change since the base; {vendor[1]}; excess {gap * 100:+.1f} pp",
        )
        remarks = (_drawn_note(context, choice, printed, provider), _gap_note(context, choice))
        remark = context.t("；", "; ").join(text for text in remarks if text)
        return line_content(changes, vendor, subtitle, remark, benchmark=benchmark)

    return ExhibitDefinition("sector-line", report, label, *title, "chart", "print", build)


def year_before(day: date) -> date:
    """Return the same day a year earlier; 28 February for a leap day."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)


def sub_sectors(
    report: str, label: str, title: tuple[str, str], *, base: date, note: tuple[str, str]
) -> ExhibitDefinition:
    """Define the bars of media sub-sector returns since a base date, from CITIC level-3 indices."""

    def build(context: Context) -> Content:
        held = context.market.indices()
        media = held[(held["provider"] == "CITIC") & (held["level"] == 3) & held["name"].isin(list(CITIC_MEDIA))]  # noqa: PLR2004
        if media.empty:
            raise UnavailableError(
                context.t(
                    "行情库没有中信三级行业指数；用archive源刷新可取得",
                    "the store has no CITIC level-3 indices; refresh with the archive source",
                )
            )
        total = choose_indices(context, ["传媒"], base, context.until)
        closes = context.market.index_closes(
            list(media["symbol"]), calendar_for("XSHG").on_or_before(base), context.until
        )
        moved = _changes(closes.set_axis(list(media["name"]), axis=1)).iloc[-1]
        changes = moved.dropna().sort_values(ascending=False)
        changes.index = [context.t(name, CITIC_MEDIA[name]) for name in changes.index]
        whole = context.t(f"传媒（{PROVIDERS[total.provider][0][:2]}一级）", f"Media ({total.provider} L1)")
        changes[whole] = float(_changes(total.closes)["传媒"].iloc[-1])

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.bars import return_bars

            return return_bars(changes, heading, benchmarks=[whole])

        words = context.t("；累计涨跌幅；中信三级行业指数", "; change since the base; CITIC level-3 indices")
        data = changes.rename_axis("name").rename("change").reset_index()
        source = ("中信三级行业指数", "CITIC level-3 indices")
        native = NativeChart("bar", "name", ("change",))
        columns = {name: column for name, column in _LINE_COLUMNS.items() if name != "session"}
        lacking = [name for name in CITIC_MEDIA if name not in moved.dropna().index]
        shown = context.t("、", ", ").join(context.t(name, CITIC_MEDIA[name]) for name in lacking)
        remarks = (
            context.t(*note),
            context.t("正文未给出涨跌幅数字，无从核对", "the text gives no returns to check against"),
            context.t(f"行情库没有：{shown}", f"the store lacks {shown}") if lacking else "",
        )
        remark = context.t("；", "; ").join(text for text in remarks if text)
        return Content(
            data,
            columns,
            *source,
            base_words(context, base) + words,
            remark,
            closes.index[-1].date(),
            draw,
            native,
        )

    return ExhibitDefinition("sub-sectors", report, label, *title, "chart", "print", build)
