"""An exhibit: data, chart or table, caption, source line and provenance in one frozen object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from aitheme.errors import AithemeError, CalendarHorizonError, DateRangeError, UnknownNameError
from aitheme.exhibits.columns import Column, table_cells
from aitheme.exhibits.labels import Chapter, english_label, source_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    import altair as alt
    import pandas as pd

    from aitheme.charts.frame import Heading, Size
    from aitheme.charts.render import Drawing
    from aitheme.exhibits.native import Native
    from aitheme.panel import Provenance
    from aitheme.store import Market
    from aitheme.themes import Theme
    from aitheme.themes.model import Report

__all__ = [
    "Content",
    "Context",
    "Exhibit",
    "ExhibitDefinition",
    "UnavailableError",
    "check_lang",
    "exhibit",
]

Lang = Literal["zh", "en"]
_LANGS = ("zh", "en")


class UnavailableError(AithemeError):
    """An exhibit's data is not in this store; the message is shown in the exhibit's place."""


@dataclass(frozen=True)
class Content:
    """What the function of an exhibit returns.

    Parameters
    ----------
    data
        Tidy rows.
    columns
        Label, unit and kind of each column shown.
    source_zh, source_en
        Where the numbers come from, without the leading word.
    subtitle, note
        Base date, unit and as-of in one line; what differs from the print.
    as_of
        Last date the numbers depend on.
    draw
        Returns the chart for a heading; None for a table.
    native
        How a spreadsheet and a slide draw it themselves.
    from_market
        Whether the numbers come out of the store: then they carry its provenance.
    size
        Image size; the form's usual one by default.
    """

    data: pd.DataFrame
    columns: Mapping[str, Column]
    source_zh: str
    source_en: str
    subtitle: str = ""
    note: str = ""
    as_of: date | None = None
    draw: Callable[[Heading], alt.LayerChart] | None = None
    native: Native | None = None
    from_market: bool = True
    size: Size | None = None


@dataclass(frozen=True)
class Context:
    """What an exhibit's function works with.

    Parameters
    ----------
    market
        Snapshot of the store.
    theme, report
        Registry and the report the exhibit belongs to.
    lang
        ``zh`` or ``en``.
    as_of
        Nothing after this date is used; the end of the data by default.
    """

    market: Market
    theme: Theme
    report: Report
    lang: Lang = "zh"
    as_of: date | None = None

    def t(self, zh: str, en: str) -> str:
        """Return the text in the language asked for."""
        return zh if self.lang == "zh" else en

    @property
    def until(self) -> date:
        """The publication date, or the as-of date where that is earlier."""
        last = self.market.as_of(self.as_of)
        return min(self.report.published, last)


@dataclass(frozen=True)
class Exhibit:
    """A chart or table with everything that belongs to it. In a notebook it shows itself.

    Parameters
    ----------
    id, report
        Name inside its book, and the report the book redraws.
    label, title_zh, title_en
        Printed label (``图1``) and title.
    kind, chapter
        ``chart`` or ``table``; the part of the book it stands in.
    lang
        Language of the texts below.
    content
        Data, columns and how to draw them; None where the exhibit is unavailable.
    provenance
        Store snapshot behind the numbers; None where they are the report's own.
    status, reason
        ``ok``, or ``unavailable`` with the reason.
    """

    id: str
    report: str
    label: str
    title_zh: str
    title_en: str
    kind: Literal["chart", "table"]
    chapter: Chapter
    lang: Lang
    content: Content | None
    provenance: Provenance | None = None
    status: Literal["ok", "unavailable"] = "ok"
    reason: str = ""
    broker: str = field(default="", repr=False)

    @property
    def title(self) -> str:
        """Title in the exhibit's language."""
        return self.title_zh if self.lang == "zh" else self.title_en

    @property
    def caption(self) -> str:
        """Label and title: ``图1：…``."""
        return f"{self.label}：{self.title}" if self.lang == "zh" else f"{english_label(self.label)}: {self.title}"

    @property
    def data(self) -> pd.DataFrame:
        """The exhibit's rows (empty where it is unavailable); a copy."""
        import pandas as pd

        return pd.DataFrame() if self.content is None else self.content.data.copy()

    @property
    def simulated(self) -> bool:
        """Whether the numbers are made up."""
        return self.provenance is not None and self.provenance.simulated

    @property
    def as_of(self) -> date | None:
        """Last date the numbers depend on."""
        return None if self.content is None else self.content.as_of

    @property
    def source(self) -> str:
        """The source line, with the as-of date."""
        if self.content is None:
            return ""
        zh = self.lang == "zh"
        text = self.content.source_zh if zh else self.content.source_en
        if self.provenance is not None:
            name = source_name(self.provenance.source, self.lang)
            text += f"（{name}）" if zh else f" ({name})"
        parts = [f"资料来源：{text}，aitheme整理" if zh else f"Source: {text}, compiled by aitheme"]
        if self.as_of is not None:
            parts.append(f"截至{self.as_of}" if zh else f"as of {self.as_of}")
        return ("；" if zh else "; ").join(parts)

    @property
    def note(self) -> str:
        """What differs from the print, or the reason why the exhibit is missing."""
        return self.reason if self.content is None else self.content.note

    @property
    def heading(self) -> Heading:
        """The words that stand inside the image."""
        from aitheme.charts.frame import Heading

        subtitle = "" if self.content is None else self.content.subtitle
        note = (f"注：{self.note}" if self.lang == "zh" else f"Note: {self.note}") if self.note else ""
        return Heading(
            self.caption, subtitle, tuple(text for text in (self.source, note) if text), self.simulated, self.lang
        )

    def chart(self) -> alt.LayerChart:
        """Return the Altair chart, interactive where it is shown by a browser.

        Raises
        ------
        UnavailableError
            The exhibit is a table, or its data is missing.
        """
        if self.content is None:
            raise UnavailableError(f"{self.report}/{self.id}: {self.reason}")
        if self.content.draw is None:
            raise UnavailableError(f"{self.report}/{self.id}: is a table; use .data or .drawing()")
        return self.content.draw(self.heading)

    def figure(self) -> dict[str, Any] | str:
        """Return what the renderer needs: a Vega-Lite specification, or the SVG of a table."""
        from aitheme.charts.frame import FULL
        from aitheme.charts.tables import table_svg

        if self.content is not None and self.content.draw is None:
            return table_svg(
                table_cells(self.data, self.content.columns, self.lang), self.heading, size=self.content.size or FULL
            )
        # The tests check every chart against the schema; here that would take longer than the chart itself.
        return self.chart().to_dict(validate=False)

    def drawing(self) -> Drawing:
        """Return the image as SVG text and PNG bytes."""
        from aitheme.charts.render import render

        return render(self.figure())

    def _repr_html_(self) -> str:
        from html import escape

        from aitheme.charts.offline import chart_html
        from aitheme.charts.render import vegalite_to_svg

        if self.content is None:
            return f"<p><b>{escape(self.caption)}</b><br>{escape(self.reason)}</p>"
        if self.content.draw is None:
            return str(self.figure())
        # The picture stays where scripts do not run.
        spec = self.chart().to_dict(validate=False)
        return chart_html(spec, vegalite_to_svg(spec))

    def __repr__(self) -> str:
        rows = 0 if self.content is None else len(self.content.data)
        return f"<Exhibit {self.report}/{self.id} {self.caption!r}: {self.kind}, {rows} rows, {self.status}>"


def check_lang(lang: str) -> Lang:
    """Return the language, or raise UnknownNameError."""
    if lang not in _LANGS:
        raise UnknownNameError.build("lang", lang, _LANGS, "use zh or en")
    return "zh" if lang == "zh" else "en"


@dataclass(frozen=True)
class ExhibitDefinition:
    """An exhibit that can be drawn from any store; call it to do so.

    Parameters
    ----------
    id, report, label, title_zh, title_en, kind, chapter
        See :class:`Exhibit`.
    build
        The function behind it.
    """

    id: str
    report: str
    label: str
    title_zh: str
    title_en: str
    kind: Literal["chart", "table"]
    chapter: Chapter
    build: Callable[[Context], Content]

    def __call__(
        self, market: Market, theme: Theme | None = None, *, lang: str = "zh", as_of: str | date | None = None
    ) -> Exhibit:
        """Draw the exhibit from a store.

        Parameters
        ----------
        market
            Snapshot of the store.
        theme
            Registry; the packaged ``ai`` theme by default.
        lang
            ``zh`` or ``en``.
        as_of
            Nothing after this date is used.

        Returns
        -------
        Exhibit
            With status ``unavailable`` and the reason where the store lacks the data.

        Raises
        ------
        UnknownNameError
            Unknown language, or the theme does not hold the report.
        """
        from aitheme.themes import load_theme

        registry = theme if theme is not None else load_theme("ai")
        report = registry.report(self.report)
        chosen = check_lang(lang)
        context = Context(market, registry, report, chosen, market.as_of(as_of))
        head = (self.id, self.report, self.label, self.title_zh, self.title_en, self.kind, self.chapter, chosen)
        try:
            content = self.build(context)
        except (UnavailableError, DateRangeError, CalendarHorizonError, UnknownNameError) as error:
            return Exhibit(*head, None, status="unavailable", reason=str(error), broker=report.broker_zh)
        provenance = market.provenance(content.as_of or context.as_of) if content.from_market else None
        return Exhibit(*head, content, provenance, broker=report.broker_zh)


def exhibit(
    report: str,
    exhibit_id: str,
    label: str,
    title: tuple[str, str],
    *,
    kind: Literal["chart", "table"] = "chart",
    chapter: Chapter = "print",
) -> Callable[[Callable[[Context], Content]], ExhibitDefinition]:
    """Turn a function of a context into an exhibit of a report.

    Parameters
    ----------
    report
        Report id.
    exhibit_id, label
        Name in the book, printed label.
    title
        Chinese and English title.
    kind, chapter
        See :class:`Exhibit`.
    """

    def wrap(build: Callable[[Context], Content]) -> ExhibitDefinition:
        return ExhibitDefinition(exhibit_id, report, label, title[0], title[1], kind, chapter, build)

    return wrap
