"""Read and validate a theme folder; every complaint names file, line and fix."""

from __future__ import annotations

import csv
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from aitheme.errors import AithemeError, RegistryError, UnknownNameError
from aitheme.themes import model as rows
from aitheme.themes.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from importlib.resources.abc import Traversable

    import pandas as pd

__all__ = ["load_theme"]

_Row = TypeVar("_Row", bound=BaseModel)


def load_theme(theme: str | Path = "ai") -> Theme:
    """Load a packaged theme by name or any theme folder by path.

    Raises
    ------
    UnknownNameError
        No packaged theme has that name and no such folder exists.
    RegistryError
        A file contradicts itself or another; the message carries file, line and fix.
    """
    if isinstance(theme, str) and not Path(theme).is_dir():
        return _load_packaged(theme)
    return _Loader(Path(theme)).load()


@cache
def _load_packaged(name: str) -> Theme:
    root = resources.files("aitheme").joinpath("themes")
    packaged = [entry.name for entry in root.iterdir() if entry.joinpath("theme.toml").is_file()]
    if name not in packaged:
        raise UnknownNameError.build("theme", name, packaged, "give a packaged theme or the path of a theme folder")
    return _Loader(root.joinpath(name)).load()


class _Loader:
    """Reads one folder; keeps where each row came from so that cross-checks can point at it."""

    def __init__(self, root: Traversable) -> None:
        self.root = root
        self._lines: dict[int, str] = {}

    def load(self) -> Theme:
        head = self._validated(rows.ThemeHead, self._toml("theme.toml"), "theme.toml")
        reports = {report.id: report for report in self._reports()}
        per_report = [self._report_rows(report_id) for report_id in reports]
        baskets = self._unique([row for part in per_report for row in part[0]], lambda row: row.basket)
        unions, union_baskets = self._unions(head.id)
        theme = Theme(
            id=head.id,
            name_zh=head.name_zh,
            name_en=head.name_en,
            benchmark=head.benchmark,
            reports=reports,
            securities=tuple(
                self._unique(self._csv("securities.csv", rows.Security), lambda r: r.symbol or r.name_zh).values()
            ),
            baskets={**baskets, **union_baskets},
            members=tuple(row for part in per_report for row in part[1]),
            unions=unions,
            models=self._unique(self._csv("models.csv", rows.Model), lambda row: row.model),
            releases=self._unique(self._csv("releases.csv", rows.Release), lambda row: row.id),
            mentions=tuple(self._csv("mentions.csv", rows.ReleaseMention)),
            links=tuple(row for part in per_report for row in part[2]),
            estimates=tuple(self._estimates(reports)),
            figures=tuple(row for part in per_report for row in part[3]),
            exhibits=tuple(row for part in per_report for row in part[4]),
            tables={
                (report.id, meta.id): self._table(f"reports/{report.id}/{meta.file}", meta.columns)
                for report in reports.values()
                for meta in report.tables
            },
            texts={
                (report.id, meta.id): self.root.joinpath(f"reports/{report.id}/{meta.file}").read_text(
                    encoding="utf-8-sig"
                )
                for report in reports.values()
                for meta in report.tables
            },
        )
        self._cross_check(theme)
        return theme

    def _reports(self) -> Iterator[rows.Report]:
        folder = self.root.joinpath("reports")
        if not folder.is_dir():
            raise RegistryError(f"{self.root}: no reports/ folder; add reports/<id>/report.toml for each report")
        for entry in sorted(folder.iterdir(), key=lambda item: item.name):
            if not entry.is_dir() or entry.name.startswith("__"):
                continue
            name = f"reports/{entry.name}/report.toml"
            report = self._validated(rows.Report, self._toml(name), name)
            if report.id != entry.name:
                raise RegistryError(f"{name}: id {report.id!r} differs from its folder; rename one of them")
            try:
                _ = report.first_tradable
            except AithemeError as error:
                raise RegistryError(f"{name}: published: {error}") from error
            yield report

    def _report_rows(self, report_id: str) -> tuple[list[Any], ...]:
        folder = f"reports/{report_id}"
        extra = {"report": report_id}
        return (
            self._csv(f"{folder}/baskets.csv", rows.Basket),
            self._csv(f"{folder}/members.csv", rows.Member),
            self._csv(f"{folder}/links.csv", rows.Link, extra, optional=True),
            self._csv(f"{folder}/figures.csv", rows.Figure, extra, optional=True),
            self._csv(f"{folder}/exhibits.csv", rows.ExhibitEntry, extra, optional=True),
        )

    def _unions(self, theme_id: str) -> tuple[dict[str, tuple[str, ...]], dict[str, rows.Basket]]:
        """Read ``unions.csv``: theme-wide baskets made of report baskets."""
        if not self.root.joinpath("unions.csv").is_file():
            return {}, {}
        parts: dict[str, list[str]] = {}
        baskets: dict[str, rows.Basket] = {}
        for line, record in self._records("unions.csv"):
            union = record["union"]
            if not union.startswith(f"{theme_id}/"):
                raise RegistryError(f"unions.csv:{line}: {union!r} must start with {theme_id}/; rename it")
            parts.setdefault(union, []).append(record["basket"])
            names = {"name_zh": record["name_zh"], "name_en": record["name_en"], "section": "unions.csv"}
            basket = self._validated(
                rows.Basket, {"basket": union, "parent": "", "kind": "union", **names}, f"unions.csv:{line}"
            )
            baskets.setdefault(union, basket)
        return {union: tuple(children) for union, children in parts.items()}, baskets

    def _estimates(self, reports: dict[str, rows.Report]) -> Iterator[rows.PrintedEstimate]:
        for report_id, report in reports.items():
            if any(meta.id == "valuation" for meta in report.tables):
                name = f"reports/{report_id}/tables/valuation.csv"
                yield from self._csv(name, rows.PrintedEstimate, {"report": report_id})

    def _toml(self, name: str) -> dict[str, Any]:
        try:
            return tomllib.loads(self.root.joinpath(name).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RegistryError(f"{self.root}/{name}: missing; every theme needs it") from error
        except tomllib.TOMLDecodeError as error:
            raise RegistryError(f"{name}: {error}; correct the TOML") from error

    def _records(self, name: str) -> Iterator[tuple[int, dict[str, str]]]:
        try:
            text = self.root.joinpath(name).read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise RegistryError(f"{self.root}/{name}: missing; add it, with a header row at least") from error
        reader = csv.DictReader(text.splitlines(keepends=True), strict=True)
        for record in reader:
            if None in record or None in record.values():
                raise RegistryError(
                    f"{name}:{reader.line_num}: the row has another number of cells than the header; quote commas"
                )
            yield reader.line_num, record

    def _csv(
        self, name: str, kind: type[_Row], extra: dict[str, str] | None = None, *, optional: bool = False
    ) -> list[_Row]:
        if optional and not self.root.joinpath(name).is_file():
            return []
        result = []
        for line, record in self._records(name):
            row = self._validated(kind, {**record, **(extra or {})}, f"{name}:{line}")
            self._lines[id(row)] = f"{name}:{line}"
            result.append(row)
        return result

    def _validated(self, kind: type[_Row], record: dict[str, Any], where: str) -> _Row:
        try:
            return kind.model_validate(record)
        except ValidationError as error:
            first = error.errors()[0]
            column = ".".join(str(part) for part in first["loc"]) or "row"
            raise RegistryError(
                f"{where}: {column}: {first['msg']} (got {first['input']!r}); correct the cell"
            ) from error
        except AithemeError as error:
            raise RegistryError(f"{where}: {error}") from error

    def _unique(self, items: Iterable[_Row], key: Callable[[_Row], str]) -> dict[str, _Row]:
        result: dict[str, _Row] = {}
        for item in items:
            name = key(item)
            if name in result:
                first = self._lines[id(result[name])]
                raise RegistryError(f"{self._lines[id(item)]}: {name!r} is there already ({first}); remove one")
            result[name] = item
        return result

    def _table(self, name: str, columns: dict[str, str]) -> pd.DataFrame:
        import pandas as pd

        resource = self.root.joinpath(name)
        if not resource.is_file():
            raise RegistryError(f"{name}: missing, though its report.toml lists it; add the file or drop the entry")
        with resource.open(encoding="utf-8") as handle:
            frame = pd.read_csv(handle, dtype_backend="numpy_nullable")
        unlabelled = [column for column in frame.columns if column not in columns]
        absent = [column for column in columns if column not in frame.columns]
        if unlabelled or absent:
            raise RegistryError(
                f"{name}: columns without a label: {unlabelled}, labels without a column: {absent}; align report.toml"
            )
        return frame

    def _cross_check(self, theme: Theme) -> None:
        """Check references between files."""
        self._check_members(theme)
        self._check_baskets(theme)
        self._check_references(theme)
        self._check_mentions(theme)
        for release in theme.releases.values():
            try:
                _ = release.day0
            except AithemeError as error:
                raise RegistryError(f"{self._lines[id(release)]}: {error}") from error

    def _check_members(self, theme: Theme) -> None:
        unlisted = {name for row in theme.securities if row.symbol is None for name in (row.name_zh, *row.aliases)}
        seen: set[tuple[str, str]] = set()
        for member in theme.members:
            where = self._lines[id(member)]
            if member.basket not in theme.baskets:
                raise RegistryError(f"{where}: basket {member.basket!r} is not in baskets.csv; add it")
            if member.symbol is None and member.name_printed not in unlisted:
                raise RegistryError(
                    f"{where}: {member.name_printed!r} has no symbol; add it to securities.csv as unlisted"
                )
            if member.symbol is not None and member.symbol not in theme.security:
                raise RegistryError(f"{where}: {member.symbol} is not in securities.csv; add the security")
            key = (member.basket, member.symbol or member.name_printed)
            if key in seen:
                raise RegistryError(f"{where}: {key[1]} is in {member.basket} twice; remove one row")
            seen.add(key)

    def _check_baskets(self, theme: Theme) -> None:
        for union, children in theme.unions.items():
            for child in children:
                if child not in theme.baskets:
                    raise RegistryError(f"unions.csv: {union} names unknown basket {child!r}; correct it")
        for basket in theme.baskets.values():
            if basket.parent is not None and basket.parent not in theme.baskets:
                raise RegistryError(
                    f"{self._lines[id(basket)]}: parent {basket.parent!r} does not exist; add or correct it"
                )
            if not theme.member_rows(basket.basket):
                raise RegistryError(f"{basket.basket}: has no members; add them to members.csv or drop the basket")
        for report in theme.reports.values():
            for name in report.headline:
                if f"{report.id}/{name}" not in theme.baskets:
                    raise RegistryError(
                        f"reports/{report.id}/report.toml: headline basket {name!r} is not in baskets.csv; correct it"
                    )

    def _check_references(self, theme: Theme) -> None:
        for link in theme.links:
            if link.symbol is not None and link.symbol not in theme.security:
                raise RegistryError(
                    f"{self._lines[id(link)]}: {link.symbol} is not in securities.csv; add the security"
                )
        named: list[rows.Link | rows.Release] = [*theme.links, *theme.releases.values()]
        for linked in named:
            if linked.model is not None and linked.model not in theme.models:
                raise RegistryError(f"{self._lines[id(linked)]}: model {linked.model!r} is not in models.csv; add it")
        for exhibit in theme.exhibits:
            if exhibit.table_id is not None and (exhibit.report, exhibit.table_id) not in theme.tables:
                raise RegistryError(
                    f"{self._lines[id(exhibit)]}: table {exhibit.table_id!r} is not in report.toml; correct it"
                )
        for estimate in theme.estimates:
            if estimate.symbol not in theme.security:
                raise RegistryError(f"{self._lines[id(estimate)]}: {estimate.symbol} is not in securities.csv; add it")

    def _check_mentions(self, theme: Theme) -> None:
        chosen: set[str] = set()
        for mention in theme.mentions:
            where = self._lines[id(mention)]
            if mention.release not in theme.releases:
                raise RegistryError(f"{where}: release {mention.release!r} is not in releases.csv; add it")
            if mention.report not in theme.reports:
                raise RegistryError(f"{where}: report {mention.report!r} has no folder in reports/; correct it")
            dated = theme.releases[mention.release].beijing_date
            if mention.chosen and mention.beijing_date != dated:
                raise RegistryError(
                    f"{where}: chosen date {mention.beijing_date} is not the release's ({dated}); align them"
                )
            if mention.chosen:
                chosen.add(mention.release)
        for release in theme.releases.values():
            if release.id not in chosen:
                raise RegistryError(
                    f"{self._lines[id(release)]}: no mention of {release.id} is marked chosen; mark one in mentions.csv"
                )
