"""Readers of vendors' raw answers, for what akshare's frames leave out: emptiness, layout, whose data it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aitheme.sources.akshare.outcomes import Rejected, SchemaDrift

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aitheme.sources.akshare.transport import Exchange

__all__ = [
    "datacenter_empty", "datacenter_pages", "kline_code", "kline_drift", "kline_empty", "list_pages", "named_fields",
    "short_table", "ths_empty", "words_for_numbers",
]  # fmt: skip

# The market changes while pages are turned: a row or two may be missing.
_MIN_ARRIVED: Final = 0.98
_BLANK: Final = frozenset({"", "-", "--"})
_THS_NOTHING: Final = "本年度暂无机构做出业绩预测"


def _klines(exchanges: Iterable[Exchange]) -> Any:
    """Return the data object of the last Eastmoney candle answer."""
    for exchange in reversed(list(exchanges)):
        if exchange.url.partition("?")[0].endswith("/kline/get"):
            answer = exchange.json()
            return answer.get("data", {}) if isinstance(answer, dict) else {}
    return {}


def kline_empty(exchanges: list[Exchange]) -> str:
    """Say whether Eastmoney knows the security and has no candle, or does not know it."""
    data = _klines(exchanges)
    if data is None:
        return "data is null: nothing known under this code, or nothing traded"
    return "no candles in the range" if isinstance(data, dict) and data.get("klines") == [] else ""


def kline_code(exchanges: Iterable[Exchange]) -> str | None:
    """Return the code Eastmoney says its candles belong to, None when it does not say."""
    data = _klines(exchanges)
    code = data.get("code") if isinstance(data, dict) else None
    return str(code) if code else None


def kline_drift(fields: int) -> Callable[[list[Exchange]], SchemaDrift | None]:
    """Return a check that each candle has as many fields as it had when this was written."""

    def check(exchanges: list[Exchange]) -> SchemaDrift | None:
        data = _klines(exchanges)
        lines = data.get("klines") if isinstance(data, dict) else None
        if not isinstance(lines, list) or not lines:
            return None
        odd = {len(str(line).split(",")) for line in lines} - {fields}
        if not odd:
            return None
        return SchemaDrift(detail=f"candles have {', '.join(map(str, sorted(odd)))} fields instead of {fields}")

    return check


def datacenter_pages(exchanges: Iterable[Exchange], report: str = "") -> tuple[list[dict[str, Any]], int]:
    """Return the rows of an Eastmoney data-centre table by field name, and how many there should be.

    Parameters
    ----------
    exchanges
        Raw answers.
    report
        Only answers to requests for this ``reportName``.
    """
    pages: dict[str, list[dict[str, Any]]] = {}
    count = 0
    for exchange in exchanges:
        query = exchange.query
        if "reportName" not in query or (report and query["reportName"] != report):
            continue
        answer = exchange.json()
        result = answer.get("result") if isinstance(answer, dict) else None
        if isinstance(result, dict):
            pages[query.get("pageNumber", "1")] = list(result.get("data") or [])
            count = max(count, int(result.get("count") or 0))
    rows = [row for page in pages.values() for row in page]
    return rows, count or len(rows)


def datacenter_empty(exchanges: list[Exchange]) -> str:
    """Say what Eastmoney's data centre gives as the reason for an answer without result."""
    answer = exchanges[-1].json() if exchanges else None
    if isinstance(answer, dict) and "result" in answer and answer["result"] is None:
        return str(answer.get("message") or "result is null")
    if isinstance(answer, dict) and isinstance(answer.get("result"), dict) and answer["result"].get("data") == []:
        return "result has no rows"
    return ""


def named_fields(report: str, fields: tuple[str, ...]) -> Callable[[list[Exchange]], SchemaDrift | None]:
    """Return a check that a data-centre table still has the fields that are read by name."""

    def check(exchanges: list[Exchange]) -> SchemaDrift | None:
        rows, _ = datacenter_pages(exchanges, report)
        if not rows:
            return None
        missing = tuple(name for name in fields if name not in rows[0])
        if not missing:
            return None
        return SchemaDrift(missing, tuple(name for name in rows[0] if name not in fields))

    return check


def short_table(arrived: int, count: int) -> Rejected | None:
    """Return the outcome of a table of which a page was cut short, None when (nearly) all rows arrived."""
    if arrived >= _MIN_ARRIVED * count:
        return None
    return Rejected(arrived, (f"{arrived} of {count} rows arrived: a page was short",))


def words_for_numbers(*path: str, fields: tuple[str, ...]) -> Callable[[list[Exchange]], SchemaDrift | None]:
    """Return a check that fields of a JSON answer hold numbers or nothing: akshare makes words missing, silently.

    Parameters
    ----------
    *path
        Where the rows stand in the answer.
    fields
        Names in a row.
    """

    def check(exchanges: list[Exchange]) -> SchemaDrift | None:
        rows = exchanges[-1].json() if exchanges else None
        for step in path:
            rows = rows.get(step) if isinstance(rows, dict) else None
        odd = [(name, row[name]) for row in rows or [] for name in fields if not _number_or_blank(row.get(name))]
        if not odd:
            return None
        return SchemaDrift(detail=f"{len(odd)} values are no numbers, first {odd[0][0]} = {odd[0][1]!r}")

    return check


def _number_or_blank(value: Any) -> bool:
    if value is None or str(value).strip() in _BLANK:
        return True
    try:
        float(str(value).replace(",", ""))
    except ValueError:
        return False
    return True


def list_pages(exchanges: Iterable[Exchange]) -> tuple[list[dict[str, Any]], int]:
    """Return the rows of an Eastmoney quote list by field name (``f12`` code, …), and how many there should be."""
    pages: dict[str, list[dict[str, Any]]] = {}
    total = 0
    for exchange in exchanges:
        if not exchange.url.partition("?")[0].endswith("/clist/get"):
            continue
        answer = exchange.json()
        data = answer.get("data") if isinstance(answer, dict) else None
        if isinstance(data, dict):
            pages[exchange.query.get("pn", "1")] = list(data.get("diff") or [])
            total = max(total, int(data.get("total") or 0))
    return [row for page in pages.values() for row in page], total


def ths_empty(exchanges: list[Exchange]) -> str:
    """Say whether Tonghuashun states that no analyst covers the stock."""
    return _THS_NOTHING if exchanges and _THS_NOTHING in exchanges[-1].text("gbk") else ""
