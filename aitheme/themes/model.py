"""Row models of a theme folder. Every row knows the report and section it was taken from."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from aitheme.calendar import first_session
from aitheme.symbols import parse_symbol

__all__ = [
    "Basket",
    "ExhibitEntry",
    "Figure",
    "Link",
    "Member",
    "Model",
    "PrintedEstimate",
    "RatingLevel",
    "RatingScale",
    "Release",
    "ReleaseMention",
    "Report",
    "Security",
    "TableMeta",
    "ThemeHead",
]


def _split(value: object) -> object:
    """Turn a ``;``-separated cell into a tuple."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(";") if part.strip())
    return value


def _blank(value: object) -> object:
    """Read an empty cell as a missing value."""
    return None if isinstance(value, str) and not value.strip() else value


def _canonical(value: str | None) -> str | None:
    if value is None:
        return None
    canonical = str(parse_symbol(value))
    if canonical != value:
        raise ValueError(f"symbol {value!r} is not canonical; write {canonical}")
    return value


Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
MaybeText = Annotated[str | None, BeforeValidator(_blank)]
MaybeDate = Annotated[date | None, BeforeValidator(_blank)]
MaybeFloat = Annotated[float | None, BeforeValidator(_blank)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class ThemeHead(_Row):
    """The ``theme.toml`` of a theme."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name_zh: str
    name_en: str
    benchmark: str

    _check_benchmark = field_validator("benchmark")(_canonical)


class Security(_Row):
    """A company named by a report. ``symbol`` is None for one that is unlisted or listed outside A/HK/US."""

    symbol: MaybeText
    name_zh: str = Field(min_length=1)
    name_en: str
    status: Literal["listed", "unlisted", "listed-elsewhere"]
    aliases: Words = ()
    description_zh: str = ""
    description_en: str = ""
    mentions: Words = ()

    _check_symbol = field_validator("symbol")(_canonical)

    @model_validator(mode="after")
    def _symbol_matches_status(self) -> Self:
        if (self.symbol is None) == (self.status == "listed"):
            raise ValueError(f"{self.name_zh}: status {self.status!r} does not fit symbol {self.symbol!r}")
        return self


class Basket(_Row):
    """A list of names a report recommends or groups; members of a parent include those of its children."""

    basket: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*/[a-z0-9-]+$")
    parent: MaybeText
    name_zh: str
    name_en: str
    kind: Literal["recommended", "grouped", "mentioned", "coverage", "links", "union"]
    section: str
    note: str = ""

    @property
    def report(self) -> str:
        """Id of the report (or theme, for a union) the basket belongs to."""
        return self.basket.split("/", 1)[0]


class Member(_Row):
    """A basket's member as printed; ``symbol`` is None for an unlisted company."""

    basket: str
    symbol: MaybeText
    name_printed: str
    section: str

    _check_symbol = field_validator("symbol")(_canonical)


class Model(_Row):
    """A family of large models, the join between releases and company links."""

    model: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    name_zh: str
    name_en: str
    vendor: str
    region: Literal["domestic", "overseas"]


class Release(_Row):
    """A dated model or product release, opening, pricing or policy event.

    ``announced`` is the date in `zone`, ``beijing_date`` the date in Beijing at that moment, ``instant`` the moment
    itself where it is known. All are None where only a week, month or year is known; such a release has no day 0.
    """

    id: str
    name_zh: str
    name_en: str
    vendor: str
    model: MaybeText
    region: Literal["domestic", "overseas"]
    modality: Literal[
        "text", "image", "video", "audio", "multimodal", "code", "agent", "hardware", "platform", "policy"
    ]
    kind: Literal[
        "release", "upgrade", "opening", "open-source", "pricing", "preview", "application", "policy", "hardware",
        "partnership", "funding", "evaluation", "milestone",
    ]  # fmt: skip
    precision: Literal["instant", "day", "week", "month", "year"]
    zone: str
    announced: MaybeDate
    beijing_date: MaybeDate
    instant: Annotated[datetime | None, BeforeValidator(_blank)]
    note: str = ""

    @model_validator(mode="after")
    def _id_carries_the_date(self) -> Self:
        if self.beijing_date is None or self.announced is None:
            if self.precision in {"day", "instant"}:
                raise ValueError(f"{self.id}: precision {self.precision} needs announced and beijing_date")
            return self
        if not timedelta(0) <= self.beijing_date - self.announced <= timedelta(days=1):
            raise ValueError(
                f"{self.id}: beijing_date {self.beijing_date} must be announced {self.announced} or the day after"
            )
        if not self.id.endswith(f"-{self.beijing_date:%Y%m%d}"):
            raise ValueError(f"{self.id}: the id must end in the Beijing date -{self.beijing_date:%Y%m%d}")
        if self.instant is not None and self.instant.tzinfo is None:
            raise ValueError(f"{self.id}: instant {self.instant} needs a UTC offset, like 2024-02-16T02:15+08:00")
        return self

    @property
    def day0(self) -> date | None:
        """First mainland session that can react (:func:`aitheme.calendar.first_session`); None without an exact day."""
        if self.announced is None:
            return None
        return first_session(self.instant if self.instant is not None else self.announced, self.zone)


class ReleaseMention(_Row):
    """One place in one report that dates a release; ``chosen`` marks the dating that the release carries."""

    release: str
    report: str
    section: str
    printed_date: str
    beijing_date: MaybeDate
    chosen: bool
    note: str = ""


class Link(_Row):
    """A relation between a company and a model family."""

    symbol: MaybeText
    company: str
    model: MaybeText
    model_printed: str
    vendor: str
    relation: Literal[
        "own-model", "partner", "investor", "data-seller", "integrator", "customer", "compute-supplier", "product"
    ]
    section: str
    as_of: str
    fact_zh: str
    fact_en: str
    report: str

    _check_symbol = field_validator("symbol")(_canonical)


class PrintedEstimate(_Row):
    """One fiscal year of a printed valuation table: price and EPS in `currency`, PE as printed (None for ``/``)."""

    report: str
    symbol: str
    name: str
    as_of: date
    price: float = Field(gt=0)
    currency: Literal["CNY", "HKD", "USD"]
    fiscal_year: int = Field(ge=2000, le=2100)
    kind: Literal["A", "E"]
    eps: MaybeFloat
    pe_printed: MaybeFloat
    rating: MaybeText
    eps_source: Literal["broker", "consensus"]


class Figure(_Row):
    """A quantitative statement of a report's running text."""

    id: str
    topic: str
    value: str
    unit: str
    as_of: str
    section: str
    statement_zh: str
    statement_en: str
    report: str


class ExhibitEntry(_Row):
    """An exhibit as the report numbers it, and whether its content could be carried over."""

    label: str
    title_zh: str
    carried: Literal["yes", "chart-from-data", "picture", "partly"]
    table_id: MaybeText
    note: str = ""
    report: str


class RatingLevel(_Row):
    """A rating's band of excess return over the benchmark, as ratios; an open side is None."""

    subject: Literal["stock", "sector"]
    rating_zh: str
    rating_en: str
    lower: float | None = None
    upper: float | None = None
    as_printed: str


def _months(value: object) -> object:
    """Read a single horizon as a span of one end."""
    return (value,) if isinstance(value, int) else value


Months = Annotated[tuple[Annotated[int, Field(gt=0)], ...], BeforeValidator(_months), Field(min_length=1, max_length=2)]


class RatingScale(_Row):
    """A broker's rating scale: horizons in months, benchmark per market, bands.

    A horizon is one number of months or, where a span is printed ("6 to 12 months"), its two ends, the nearer first.
    ``remark_*`` say what a reader of the verdicts has to know about the scale.
    """

    horizon_months_stock: Months
    horizon_months_sector: Months
    measured_from: str
    note: str = ""
    remark_zh: str = ""
    remark_en: str = ""
    benchmarks: dict[str, str]
    levels: tuple[RatingLevel, ...] = Field(min_length=2)

    @field_validator("horizon_months_stock", "horizon_months_sector")
    @classmethod
    def _nearer_end_first(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if list(value) != sorted(set(value)):
            raise ValueError(
                f"horizon {list(value)} must be one number of months, or [nearer end, later end] of a span"
            )
        return value


class TableMeta(_Row):
    """A printed table: where it stands, what its columns mean, and its packaged file."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    exhibit: str
    title_zh: str
    title_en: str
    file: str
    section: str
    source_zh: str
    unit: str = ""
    note: str = ""
    columns: dict[str, str]

    @field_validator("file")
    @classmethod
    def _inside_tables(cls, value: str) -> str:
        if not re.fullmatch(r"tables/[\w.-]+\.csv", value):
            raise ValueError(f"file {value!r} must lie in tables/ and end in .csv")
        return value


class Report(_Row):
    """A broker report: who said what when, on which scale.

    ``headline`` names the report's main baskets (without the report's own prefix), those that exhibits follow.
    """

    id: str
    broker_zh: str
    broker_en: str
    title_zh: str
    title_en: str
    published: date
    published_basis: Literal["stated", "inferred"]
    published_note: str
    sector_zh: str
    sector_en: str
    sector_index: str
    sector_rating: str
    sector_rating_note: str = ""
    base_date: date | None = None
    headline: tuple[str, ...] = ()
    note: str = ""
    rating_scale: RatingScale
    tables: tuple[TableMeta, ...] = ()

    _check_index = field_validator("sector_index")(_canonical)

    @property
    def first_tradable(self) -> date:
        """First session on which a reader could trade on the report: the one after the publication day."""
        return first_session(f"{self.published.isoformat()}T15:00")
