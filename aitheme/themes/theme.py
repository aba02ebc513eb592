"""A loaded theme: lookups over validated rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from typing import TYPE_CHECKING

from aitheme.errors import UnknownNameError
from aitheme.symbols import SymbolDirectory, board_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    import pandas as pd

    from aitheme.themes.model import (
        Basket,
        ExhibitEntry,
        Figure,
        Link,
        Member,
        Model,
        PrintedEstimate,
        Release,
        ReleaseMention,
        Report,
        Security,
        TableMeta,
    )

__all__ = ["Theme"]

_OVERSEAS_BOARDS = frozenset({"hk", "us"})


@dataclass(frozen=True)
class Theme:
    """Everything a collection of reports says, validated as a whole.

    Parameters
    ----------
    id, name_zh, name_en
        The theme itself.
    benchmark
        Default benchmark symbol.
    reports, securities, baskets, members, models, releases, mentions, links, estimates, figures, exhibits
        Rows as loaded, in file order.
    tables
        Printed tables by (report id, table id).
    texts
        The files of these tables as they are.
    """

    id: str
    name_zh: str
    name_en: str
    benchmark: str
    reports: Mapping[str, Report]
    securities: tuple[Security, ...]
    baskets: Mapping[str, Basket]
    members: tuple[Member, ...]
    unions: Mapping[str, tuple[str, ...]]
    models: Mapping[str, Model]
    releases: Mapping[str, Release]
    mentions: tuple[ReleaseMention, ...]
    links: tuple[Link, ...]
    estimates: tuple[PrintedEstimate, ...]
    figures: tuple[Figure, ...]
    exhibits: tuple[ExhibitEntry, ...]
    tables: Mapping[tuple[str, str], pd.DataFrame]
    texts: Mapping[tuple[str, str], str] = field(default_factory=dict, repr=False)

    def _repr_html_(self) -> str:
        import pandas as pd

        from aitheme.display import Rows, card

        counts = (
            f"{len(self.security)} listed companies, {len(self.baskets)} baskets, {len(self.releases)} releases "
            f"({len(self.dated_releases())} with an exact day), {len(self.links)} links, {len(self.tables)} printed tables"
        )
        own = [basket.report for basket in self.baskets.values()]
        reports = [
            (row.id, row.published, row.broker_zh, row.title_zh, own.count(row.id)) for row in self.reports.values()
        ]
        rows = pd.DataFrame(reports, columns=["report", "published", "broker", "title", "baskets"])
        return card(f"{self.id}: {self.name_zh} ({self.name_en}), benchmark {self.benchmark}", [counts], [Rows(rows)])

    @cached_property
    def security(self) -> Mapping[str, Security]:
        """Listed securities by canonical symbol."""
        return {row.symbol: row for row in self.securities if row.symbol is not None}

    @cached_property
    def directory(self) -> SymbolDirectory:
        """Names and aliases to symbols."""
        return SymbolDirectory(
            (symbol, name) for symbol, row in self.security.items() for name in (row.name_zh, row.name_en, *row.aliases)
        )

    @cached_property
    def _children(self) -> Mapping[str, tuple[str, ...]]:
        children: dict[str, list[str]] = {}
        for basket in self.baskets.values():
            if basket.parent is not None:
                children.setdefault(basket.parent, []).append(basket.basket)
        return {parent: tuple(ids) for parent, ids in children.items()}

    def basket(self, basket_id: str) -> Basket:
        """Return a basket by id.

        Raises
        ------
        UnknownNameError
            No such basket; the message suggests near ids.
        """
        if basket_id not in self.baskets:
            raise UnknownNameError.build("basket", basket_id, self.baskets, "run `aitheme baskets` to list them")
        return self.baskets[basket_id]

    def report(self, report_id: str) -> Report:
        """Return a report by id (UnknownNameError if there is none)."""
        if report_id not in self.reports:
            raise UnknownNameError.build("report", report_id, self.reports, f"use one of {', '.join(self.reports)}")
        return self.reports[report_id]

    def release(self, release_id: str) -> Release:
        """Return a release by id (UnknownNameError if there is none)."""
        if release_id not in self.releases:
            raise UnknownNameError.build("event", release_id, self.releases, "run `aitheme events` to list them")
        return self.releases[release_id]

    def table(self, report_id: str, table_id: str) -> tuple[TableMeta, pd.DataFrame]:
        """Return a printed table and what is known about it; the frame is a copy."""
        report = self.report(report_id)
        for meta in report.tables:
            if meta.id == table_id:
                return meta, self.tables[report_id, table_id].copy()
        known = [meta.id for meta in report.tables]
        raise UnknownNameError.build("table", table_id, known, f"{report_id} has {', '.join(known)}")

    def table_text(self, report_id: str, table_id: str) -> pd.DataFrame:
        """Return a printed table's cells as text, as its file has them: ``73.0`` keeps its zero, an empty cell is ``""``."""
        import pandas as pd

        self.table(report_id, table_id)
        return pd.read_csv(StringIO(self.texts[report_id, table_id]), dtype=str, keep_default_na=False)

    def member_rows(self, basket_id: str) -> tuple[Member, ...]:
        """Return a basket's members in printed order, its own and its descendants', each company once."""
        self.basket(basket_id)
        seen: set[str] = set()
        rows: list[Member] = []
        for member in self._walk(basket_id):
            key = member.symbol or member.name_printed
            if key not in seen:
                seen.add(key)
                rows.append(member)
        return tuple(rows)

    def _walk(self, basket_id: str) -> Iterable[Member]:
        yield from self._own_members.get(basket_id, ())
        for child in (*self._children.get(basket_id, ()), *self.unions.get(basket_id, ())):
            yield from self._walk(child)

    @cached_property
    def _own_members(self) -> Mapping[str, tuple[Member, ...]]:
        own: dict[str, list[Member]] = {}
        for member in self.members:
            own.setdefault(member.basket, []).append(member)
        return {basket: tuple(rows) for basket, rows in own.items()}

    def symbols(self, basket_id: str, *, overseas: bool = False) -> tuple[str, ...]:
        """Return the listed members of a basket.

        Parameters
        ----------
        basket_id
            A basket or union.
        overseas
            Include Hong Kong and American members; by default only A-shares.
        """
        listed = (row.symbol for row in self.member_rows(basket_id) if row.symbol is not None)
        return tuple(symbol for symbol in listed if overseas or board_of(symbol) not in _OVERSEAS_BOARDS)

    def known_since(self, basket_id: str) -> date:
        """Return the day a basket became public: its report's, or the last of a union's reports."""
        basket = self.basket(basket_id)
        if basket.report in self.reports:
            return self.reports[basket.report].published
        return max(self.known_since(child) for child in self.unions[basket_id])

    def dated_releases(self) -> tuple[Release, ...]:
        """Return the releases with an exact day, by day 0 and id."""
        dated = [release for release in self.releases.values() if release.day0 is not None]
        return tuple(sorted(dated, key=lambda release: (release.day0, release.id)))

    def release_reports(self, release_id: str) -> tuple[str, ...]:
        """Return the ids of the reports that mention a release."""
        return tuple(dict.fromkeys(row.report for row in self.mentions if row.release == release_id))

    def conflicts(self, release_id: str) -> tuple[ReleaseMention, ...]:
        """Return the mentions that date a release differently from the date chosen; empty when reports agree."""
        release = self.release(release_id)
        rows = [row for row in self.mentions if row.release == release_id]
        return tuple(row for row in rows if row.beijing_date not in (None, release.beijing_date))

    def linked_symbols(self, model: str) -> tuple[str, ...]:
        """Return the listed companies with any link to a model family."""
        rows = (row.symbol for row in self.links if row.model == model and row.symbol is not None)
        return tuple(dict.fromkeys(rows))
