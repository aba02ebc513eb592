"""An analyst's CSV of app metrics: read in any usual encoding, checked cell by cell."""

from __future__ import annotations

import csv
import re
from datetime import date
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from aitheme.errors import AithemeError
from aitheme.indicators.metrics import ALIASES, GIVEN, REVENUE_LINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

__all__ = ["IndicatorFileError", "read_indicators", "template_csv"]

_ENCODINGS = ("utf-8-sig", "gb18030")
_MOST_PROBLEMS = 5
_SCALES = {"万": 1e4, "亿": 1e8}
_NOTHING = {"", "/", "-", "—", "n/a", "na", "nan", "null", "none"}
# Parts of revenue are rounded one by one.
_SUM_TOLERANCE = 0.005
_RATIO_TOLERANCE = 0.005


class IndicatorFileError(AithemeError):
    """A CSV of app metrics that cannot be used; the message names file, line and column."""


def _month(value: Any) -> Any:
    """Return the first of the month of ``2024-03``, ``2024/3/31``, ``202403`` or ``2024年3月``."""
    text = str(value).strip()
    parts = [int(part) for part in re.findall(r"\d+", text)]
    if re.fullmatch(r"\d{6}(\d{2})?", text):
        parts = [int(text[:4]), int(text[4:6]), int(text[6:] or 1)]
    shaped = re.fullmatch(r"\d{4}(\d{2}){0,2}|\d{4}[-/.年]\d{1,2}([-/.月]\d{1,2}日?|月)?", text)
    try:
        if shaped and len(parts) in {2, 3}:
            date(*[*parts, 1][:3])
            return date(parts[0], parts[1], 1)
    except ValueError:
        pass
    raise ValueError("must be a month such as 2024-03 or a day in it such as 2024-03-31")


def _amount(value: Any) -> Any:
    """Return a cell as a number: ``1,234``, ``3.5万`` and ``12%`` are read, blanks and ``/`` are missing."""
    text = str(value).strip().replace(",", "").replace("，", "")
    if text.lower() in _NOTHING:
        return None
    scale = 1.0
    if text[-1] in _SCALES:
        text, scale = text[:-1], _SCALES[text[-1]]
    elif text.endswith(("%", "％")):
        text, scale = text[:-1], 0.01
    try:
        return float(text) * scale
    except ValueError:
        raise ValueError("must be a number; 1,234 and 3.5万 and 12% are read too") from None


def _share(value: float | None) -> float | None:
    if value is not None and not 0 <= value <= 1:
        raise ValueError("must be a ratio from 0 to 1, or written with a %")
    return value


def _level(value: float | None) -> float | None:
    if value is not None and value < 0:
        raise ValueError("must not be negative")
    return value


_Number = Annotated[float | None, Field(allow_inf_nan=False), BeforeValidator(_amount)]
_Level = Annotated[_Number, AfterValidator(_level)]
_Share = Annotated[_Number, AfterValidator(_share)]


class _Row(BaseModel):
    """One month of one app."""

    model_config = ConfigDict(extra="allow", str_strip_whitespace=True)
    __pydantic_extra__: dict[str, _Level]

    date: Annotated[date, BeforeValidator(_month)]
    app: Annotated[str, Field(min_length=1)]
    mau: _Level = None
    dau: _Level = None
    time_spent: Annotated[_Number, AfterValidator(_level)] = None
    downloads: _Level = None
    update_frequency: _Level = None
    revenue: _Level = None
    revenue_growth: _Number = None
    market_share: _Share = None
    paying_users: _Level = None
    paying_ratio: _Share = None
    costs: _Level = None

    @model_validator(mode="after")
    def _consistent(self) -> _Row:
        for part, whole in (("dau", "mau"), ("paying_users", "mau")):
            less, more = getattr(self, part), getattr(self, whole)
            if less is not None and more is not None and less > more:
                raise ValueError(f"{part} {less:,.15g} is above {whole} {more:,.15g}")
        lines = [value for value in (self.__pydantic_extra__ or {}).values() if value is not None]
        if self.revenue is not None and sum(lines) > self.revenue * (1 + _SUM_TOLERANCE):
            raise ValueError(
                f"the {REVENUE_LINE}* columns add up to {sum(lines):,.15g}, above revenue {self.revenue:,.15g}"
            )
        if self.paying_users is not None and self.paying_ratio is not None and self.mau:
            own = self.paying_users / self.mau
            if abs(own - self.paying_ratio) > _RATIO_TOLERANCE:
                raise ValueError(f"paying_ratio {self.paying_ratio:.1%} contradicts paying_users/mau {own:.1%}")
        return self


def template_csv() -> str:
    """Return the packaged template: every column, with values of two apps that do not exist."""
    return resources.files("aitheme.indicators").joinpath("template.csv").read_text(encoding="utf-8")


def read_indicators(path: str | Path) -> pd.DataFrame:
    """Read and check a CSV of monthly app metrics.

    Parameters
    ----------
    path
        Columns ``date`` and ``app`` and any of :data:`~aitheme.indicators.metrics.GIVEN` (English or Chinese header), and
        ``revenue_from_*`` for lines of revenue. UTF-8 or GB 18030. People, times a month, minutes a day, CNY a month; ratios
        as 0.12 or 12%. Lines that begin with ``#`` are comments.

    Returns
    -------
    pandas.DataFrame
        One row per app and month, in the order of the file; ``date`` is the first of the month, numbers are float64 with NaN
        where a cell is empty.

    Raises
    ------
    IndicatorFileError
        The file is missing, cannot be read, holds an unknown column, a wrong cell (line and column are named), or an app's
        month twice.
    """
    import pandas as pd

    source = Path(path)
    header, records = _cells(source)
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    seen: dict[tuple[Any, str], int] = {}
    for line, record in records:
        if len(record) != len(header):
            problems.append(f"line {line} has {len(record)} cells, the header has {len(header)}")
            continue
        try:
            row = _Row.model_validate(dict(zip(header, record, strict=True)))
        except ValidationError as error:
            problems += [_problem(line, one) for one in error.errors()]
            continue
        first = seen.setdefault((row.date, row.app), line)
        if first != line:
            problems.append(
                f"line {line}: {row.app} has {row.date:%Y-%m} on line {first} already; one row per app and month"
            )
        rows.append(row.model_dump())
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        shown = "; ".join(problems[:_MOST_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
        raise IndicatorFileError(
            f"{source}: {shown}; correct the file (`aitheme indicators --template FILE` writes a sample)"
        )
    frame = pd.DataFrame(rows)
    return frame.astype({name: "float64" for name in frame.columns if name not in {"date", "app"}})


def _cells(source: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the canonical header, and the cells of each row with its line number."""
    lines = [
        (number, cells)
        for number, cells in _lines(source)
        if any(cell.strip() for cell in cells) and not cells[0].lstrip().startswith("#")
    ]
    if not lines:
        raise IndicatorFileError(
            f"{source}: is empty; it needs a header and rows (`aitheme indicators --template FILE`)"
        )
    header = _header(source, lines[0][1])
    if len(lines) == 1:
        raise IndicatorFileError(f"{source}: has a header but no row; add one row per app and month")
    return header, lines[1:]


def _lines(source: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        raw = source.read_bytes()
    except OSError as error:
        raise IndicatorFileError(
            f"csv: {source} cannot be read ({error.strerror}); name an existing CSV file"
        ) from error
    for encoding in _ENCODINGS:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        reader = csv.reader(text.splitlines())
        for cells in reader:
            yield reader.line_num, cells
        return
    raise IndicatorFileError(f"{source}: is neither UTF-8 nor GB 18030 text; save it as CSV UTF-8")


def _header(source: Path, cells: Sequence[str]) -> list[str]:
    header = [ALIASES.get(name, name) for name in ("".join(cell.split()).lower() for cell in cells)]
    known = {"date", "app", *GIVEN}
    for at, name in enumerate(header):
        if name not in known and not name.startswith(REVENUE_LINE):
            allowed = ", ".join(["date", "app", *GIVEN, f"{REVENUE_LINE}*"])
            raise IndicatorFileError(f"{source}: column {at + 1} {cells[at]!r} is unknown; allowed are {allowed}")
        if name in header[:at]:
            raise IndicatorFileError(f"{source}: column {at + 1} {cells[at]!r} stands twice ({name}); keep one")
    for name in ("date", "app"):
        if name not in header:
            raise IndicatorFileError(f"{source}: column {name} is missing; every row needs a month and an app")
    if not set(header) & set(GIVEN):
        raise IndicatorFileError(f"{source}: holds no metric; add some of {', '.join(GIVEN)}")
    return header


def _problem(line: int, error: Mapping[str, Any]) -> str:
    """Return one finding: line, column, the value and what is allowed."""
    message = str(error["msg"]).removeprefix("Value error, ")
    where = ".".join(str(part) for part in error["loc"])
    if not where:
        return f"line {line}: {message}"
    return f"line {line}, column {where}: {error['input']!r} {_plain(message)}"


def _plain(message: str) -> str:
    return "is empty; write the app's name" if message.startswith("String should have at least") else message
