"""Timelines of the releases a report mentions."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING, Any

from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.english import in_english
from aitheme.exhibits.native import NativeTimeline
from aitheme.exhibits.printed import printed_source, registry_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import altair as alt
    import pandas as pd

    from aitheme.charts.frame import Heading
    from aitheme.charts.timeline import Moment
    from aitheme.themes.model import Release

__all__ = ["history_timeline", "release_timeline"]

_YEAR_MIDDLE, _MONTH_MIDDLE, _DECEMBER = 7, 15, 12
_MONTH_LENGTH = len("2024-03")
_COLOURED_VENDORS = 5
_FEW_EVENTS = 6


def release_timeline(
    report: str,
    exhibit_id: str,
    label: str,
    title: tuple[str, str],
    *,
    since: date | None = None,
    until: date | None = None,
    region: str | None = None,
    model: str | None = None,
    vendor: str | None = None,
    undated: bool = False,
    note: tuple[str, str] = ("", ""),
) -> ExhibitDefinition:
    """Define a timeline of the releases a report mentions.

    Parameters
    ----------
    report, exhibit_id, label, title
        Where it belongs, and what it is called.
    since, until
        First and last Beijing date.
    region, model, vendor
        Keep only releases of a region, of a model family or of a vendor (alone or with others).
    undated
        Include releases of which only the month is known, with a hollow mark in its middle; the note counts those left out.
    note
        What the reader has to know.
    """

    def wanted(context: Context, release: Release) -> bool:
        first, last = _span(release)
        return (
            report in context.theme.release_reports(release.id)
            and (region is None or release.region == region)
            and (model is None or release.model == model)
            and (vendor is None or vendor in release.vendor.split(";"))
            and (since is None or last >= since)
            and (until is None or first <= until)
        )

    def build(context: Context) -> Content:
        named = [release for release in context.theme.releases.values() if wanted(context, release)]
        releases = [release for release in named if _day(release, undated=undated) is not None]
        if not releases:
            raise UnavailableError(context.t("报告没有可用的日期", "the report dates no such release"))
        releases.sort(key=lambda one: str(_day(one, undated=True)))
        remarks = (
            context.t(*note), _dated_elsewhere(context, report, releases), _left_out(context, len(named) - len(releases))
        )  # fmt: skip
        return _timeline_content(context, releases, context.t("；", "; ").join(text for text in remarks if text))

    return ExhibitDefinition(exhibit_id, report, label, *title, "chart", "print", build)


def _dated_elsewhere(context: Context, report: str, releases: Sequence[Release]) -> str:
    """Name the releases whose day the report does not print: another report of the theme, or the public record, has it."""
    printed = {row.release for row in context.theme.mentions if row.report == report and row.beijing_date is not None}
    names = [
        context.t(release.name_zh, release.name_en)
        for release in releases
        if release.beijing_date is not None and release.id not in printed
    ]
    return context.t(
        f"{'、'.join(names)}在本报告中只有年月或没有日期，日取自主题库",
        f"the report gives no day for {', '.join(names)}: taken from the theme",
    ) if names else ""  # fmt: skip


def _left_out(context: Context, undated: int) -> str:
    return context.t(f"另{undated}项未给到日，未画", f"{undated} more without a day left out") if undated else ""


def _day(release: Release, *, undated: bool) -> date | None:
    """Return the Beijing date, or the middle of the month the id ends in."""
    if release.beijing_date is not None or not undated or release.precision != "month":
        return release.beijing_date
    stamp = release.id.rsplit("-", 1)[-1]
    return date(int(stamp[:4]), int(stamp[4:6]), _MONTH_MIDDLE)


def _span(release: Release) -> tuple[date, date]:
    """Return the first and the last day a release can have come out on: of the month or year its id ends in without a day."""
    if release.beijing_date is not None:
        return release.beijing_date, release.beijing_date
    stamp = release.id.rsplit("-", 1)[-1]
    year, month = int(stamp[:4]), int(stamp[4:6] or 0)
    last = month or _DECEMBER
    return date(year, month or 1, 1), date(year, last, monthrange(year, last)[1])


def history_timeline(
    report: str,
    exhibit_id: str,
    table_id: str,
    label: str,
    title: tuple[str, str],
    *,
    when: str,
    what: str,
    note: tuple[str, str] = ("", ""),
) -> ExhibitDefinition:
    """Define a timeline of the dated rows of a packaged table.

    Parameters
    ----------
    report, exhibit_id, table_id, label, title
        Where it belongs, which table it draws, and what it is called.
    when
        Column with a year, month or day in ISO form; a row without one is left out and counted in the note.
    what
        Column with the label; ``*_zh`` gives way to ``*_en`` in English where the table has it.
    note
        What the reader has to know.
    """

    def build(context: Context) -> Content:
        import pandas as pd

        from aitheme.charts.timeline import Moment

        meta, data = registry_table(context, table_id)
        own = f"{what.removesuffix('_zh')}_en"
        names = data[own] if context.lang == "en" and what.endswith("_zh") and own in data.columns else data[what]
        texts = data[when].astype("string")
        known = texts.str.match(r"\d{4}").fillna(value=False)
        rows = pd.DataFrame({"date": texts[known], "name": names[known].astype("string")}).reset_index(drop=True)
        if context.lang == "en":
            rows["name"] = [in_english(name, context.theme) for name in rows["name"]]
        moments = [Moment(*_moment_of(text), name, "", len(text) > _MONTH_LENGTH)
                   for text, name in zip(rows["date"], rows["name"], strict=True)]  # fmt: skip

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.frame import FULL, HALF
            from aitheme.charts.timeline import timeline

            return timeline(moments, heading, size=FULL if len(moments) > _FEW_EVENTS else HALF)

        undated = int((~known).sum())
        left_out = context.t(f"{undated}项无日期，未画", f"{undated} without a date left out") if undated else ""
        remark = context.t("；", "; ").join(text for text in (context.t(*note), left_out) if text)
        columns = {"date": Column("日期", "Date"), "name": Column("事件", "Event")}
        subtitle = context.t(
            "空心点只知年月，置于其中间", "A hollow mark stands in the middle of the month or year known"
        )
        if all(len(text) > _MONTH_LENGTH for text in rows["date"]):
            subtitle = context.t("按所印日期", "By the printed dates")
        native = NativeTimeline("position", "label", "exact")
        return Content(
            _placed(rows, moments), columns, *printed_source(context, meta), subtitle, remark, None, draw, native,
            from_market=False,
        )  # fmt: skip

    return ExhibitDefinition(exhibit_id, report, label, *title, "chart", "print", build)


def _placed(rows: pd.DataFrame, moments: Sequence[Moment]) -> pd.DataFrame:
    """Add where each event stands on a date axis, and what is written at it."""
    return rows.assign(
        position=[moment.day for moment in moments],
        label=[f"{moment.when} {moment.label}" for moment in moments],
        exact=[moment.exact for moment in moments],
    )


def _moment_of(text: str) -> tuple[date, str]:
    """Return the day an ISO year, month or day stands on, and how it is written."""
    parts = [int(part) for part in text.split("-")]
    year, month, day = (*parts, *(_YEAR_MIDDLE, _MONTH_MIDDLE)[len(parts) - 1 :])
    return date(year, month, day), text[2:].replace("-", "/") if len(parts) > 1 else text


def _timeline_content(context: Context, releases: Sequence[Release], note: str) -> Content:
    import pandas as pd

    rows: list[dict[str, Any]] = [
        {
            "beijing_date": release.beijing_date.isoformat()
            if release.beijing_date
            else str(_day(release, undated=True))[:7],
            "day0": release.day0,
            "name": context.t(release.name_zh, release.name_en),
            "vendor": _vendor(context, release.vendor),
            "id": release.id,
        }
        for release in releases
    ]
    groups = _main_vendors(rows)
    moments = [_moment(release, row) for release, row in zip(releases, rows, strict=True)]

    def draw(heading: Heading) -> alt.LayerChart:
        from aitheme.charts.frame import FULL, HALF
        from aitheme.charts.timeline import timeline

        return timeline(moments, heading, groups=groups, size=FULL if len(moments) > _FEW_EVENTS else HALF)

    columns = {
        "beijing_date": Column("北京日期", "Beijing date"),
        "day0": Column("首个反应日", "Day 0", "date"),
        "name": Column("事件", "Event"),
        "vendor": Column("厂商", "Vendor"),
    }
    zh, en = printed_source(context)
    subtitle = context.t("以北京日期标示", "By Beijing date")
    if any(release.beijing_date is None for release in releases):
        subtitle += context.t("；空心点只知月份，置于月中", "; a hollow mark stands for a month without a day")
    data = _placed(pd.DataFrame(rows), moments).assign(
        group=[row["vendor"] if row["vendor"] in groups else "" for row in rows]
    )
    native = NativeTimeline("position", "label", "exact", "group" if groups else None)
    return Content(data, columns, zh, en, subtitle, note, None, draw, native, from_market=False)


def _vendor(context: Context, vendor: str) -> str:
    """Return a release's vendors as shown."""
    return vendor.replace(";", "、") if context.lang == "zh" else in_english(vendor, context.theme)


def _main_vendors(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the vendors to colour: those with most events, the latest first among equals; none for a single vendor."""
    vendors = [row["vendor"] for row in rows]
    last = {vendor: at for at, vendor in enumerate(vendors)}
    alone = [vendor for vendor in last if "、" not in vendor and ";" not in vendor]
    if len(alone) < 2:  # noqa: PLR2004 (one vendor needs no colours)
        return []
    return sorted(alone, key=lambda vendor: (-vendors.count(vendor), -last[vendor]))[:_COLOURED_VENDORS]


def _moment(release: Release, row: Mapping[str, Any]) -> Moment:
    from aitheme.charts.timeline import Moment

    day = _day(release, undated=True)
    assert day is not None
    exact = release.beijing_date is not None
    return Moment(day, f"{day:%y/%m/%d}" if exact else f"{day:%y/%m}", row["name"], row["vendor"], exact)
