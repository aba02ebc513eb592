"""The faults of the matrix: what each does to an answer, and which outcomes of the first vendor are right for it."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NETWORK = frozenset({"network_failure"})
BLOCK = frozenset({"blocked"})
NOTHING = frozenset({"empty"})
DRIFT = frozenset({"schema_drift"})
REFUSED = frozenset({"rejected"})
BAD = DRIFT | REFUSED
OK = frozenset({"ok"})


class Inapplicable(Exception):  # noqa: N818
    """The dataset cannot have this fault; the text says why."""


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    Parameters
    ----------
    name
        In the test's name.
    kind
        For the stub: what it does, or a function of the subject that returns a function of the answer's text.
    outcomes
        Outcomes of the first vendor that are right.
    """

    name: str
    kind: object
    outcomes: frozenset

    def plant(self, stub, subject):
        """Make the first vendor of a subject fail."""
        why = INAPPLICABLE.get((subject.name, self.name))
        if why is not None:
            raise Inapplicable(why)
        if self.name == "connection refused":
            stub.refused.add(_host(subject))
            return
        stub.fault(subject.where, self.kind(subject) if callable(self.kind) else self.kind)


def _host(subject):
    hosts = {
        "hfq.js": "finance.sina",
        "CATALOGID": "szse.cn",
        "RPT_": "datacenter",
        "MAININDICATOR": "datacenter",
        "sse.com": "sse.com.cn",
    }
    return next((host for part, host in hosts.items() if part in subject.where), subject.where)


def role(subject, name, why):
    if name not in subject.roles:
        raise Inapplicable(why)
    return subject.roles[name]


def codec(subject):
    if subject.codec is None:
        raise Inapplicable("the page is no table of rows")
    return subject.codec


def rows_of(change: Callable) -> Callable:
    """Return a kind that changes all rows at once, the header left alone: change(rows, subject)."""

    def kind(subject):
        codec(subject)

        def edit(rows):
            head, body = (rows[:1], rows[1:]) if subject.header else ([], rows)
            return head + change(body, subject)

        return lambda text: subject.codec.edit(text, edit)

    return kind


def each(name, why, change: Callable, only=None) -> Callable:
    """Return a kind that changes one field of every row, or of the rows in `only`."""

    def kind(subject):
        place = role(subject, name, why)

        def edit(rows, _):
            for n, row in enumerate(rows):
                missing = place not in row if isinstance(row, dict) else place >= len(row)
                if not missing and (only is None or n in only):
                    row[place] = change(row[place])
            return rows

        return rows_of(edit)(subject)

    return kind


def _truncated(subject):
    if subject.where in {"10jqka", "etnet", "legulegu"}:
        raise Inapplicable(
            "an HTML page has no closing mark to go by; one shorter than announced is closed in mid-body"
        )
    return lambda text: text[: len(text) // 2]


def _more(subject):
    codec(subject)

    def edit(rows):
        return [row | {"ONE_MORE": 1} if isinstance(row, dict) else [*row, "9"] for row in rows]

    return lambda text: subject.codec.edit(text, edit)


def _fewer(subject):
    codec(subject)
    place = next(iter(subject.roles.get(name) for name in ("number", "code", "date") if name in subject.roles), None)
    if place is None:
        raise Inapplicable("the page has no table")

    def edit(rows):
        if isinstance(rows[0], dict):
            return [{key: value for key, value in row.items() if key != place} for row in rows]
        return [row[:-1] if subject.positional else row[:place] + row[place + 1 :] for row in rows]

    return lambda text: subject.codec.edit(text, edit)


def _reordered(subject):
    if not subject.roles:
        raise Inapplicable("the page has no table")

    def edit(rows):
        if isinstance(rows[0], dict):
            return [dict(reversed(row.items())) for row in rows]
        if subject.positional:
            return [[row[0], row[2], row[1], *row[3:]] for row in rows]
        return [row[::-1] for row in rows]

    return lambda text: subject.codec.edit(text, edit)


def _swapped_ends(subject):
    high, low = (role(subject, name, "no highs and lows") for name in ("high", "low"))

    def edit(rows, _):
        row = rows[min(5, len(rows) - 1)]
        row[high], row[low] = row[low], row[high]
        return rows

    return rows_of(edit)(subject)


def _paged(change):
    def kind(subject):
        if not subject.pages:
            raise Inapplicable("the answer comes in one piece")
        return rows_of(change)(subject)

    return kind


def _numbers(factor):
    def change(value):
        if value is None:
            return None
        return f"{float(value.replace(',', '')) * factor:.10g}" if isinstance(value, str) else value * factor

    return change


def _later(text):
    return re.sub(r"(?:19|20)\d\d", lambda found: str(int(found[0]) + 40), str(text), count=1) if text else text


_LOSS = "a loss is a negative number"
_ALONE = "nothing in the answer contradicts the number"
_MANY = "the table names its securities by itself"
_SIGN = "the vendor's sign means an outflow"
INAPPLICABLE = {
    ("adj_factors", "hundredfold numbers"): "only ratios of factors mean anything",
    ("adj_factors", "future dates"): "an announced ex-date lies in the future",
    ("adj_factors", "a future date"): "an announced ex-date lies in the future",
    ("capex", "negative numbers"): _SIGN,
    ("capex", "one negative number"): _SIGN,
    ("capex", "hundredfold numbers"): _ALONE,
    ("consensus of Hong Kong", "hundredfold numbers"): _ALONE,
    ("securities of Shenzhen", "hundredfold numbers"): _ALONE,
    ("dividends", "hundredfold numbers"): _ALONE,
    ("share_counts of Hong Kong", "hundredfold numbers"): _ALONE,
    **{(name, "another security's rows"): _MANY
       for name in ("suspensions", "consensus", "reported_eps", "sector_members")},
    **{(name, fault): _LOSS
       for name in ("consensus", "consensus of Hong Kong", "broker_forecasts", "reported_eps")
       for fault in ("negative numbers", "one negative number")},
    **{(name, "hundredfold numbers"): _ALONE for name in ("consensus", "broker_forecasts", "reported_eps")},
}  # fmt: skip
"""Cells of the matrix that cannot be, beyond those a subject's form rules out."""

DEVIATES = {
    ("share_counts", "one negative number"): "the day of a change is the first day that passed",
    ("share_counts", "a future date"): "the day of a change is the first day that passed",
}
"""Cells whose tables may rightly hold a row that a perfect answer would not have led to."""

_DATE, _NUMBER, _CODE = "no dates in the rows", "no numbers in the rows", "the rows do not say whose they are"
FAULTS = {
    fault.name: fault
    for fault in (
        Fault("connection refused", None, NETWORK),
        Fault("connection reset", "reset", NETWORK | BLOCK),
        Fault("connection dropped", "drop", NETWORK | BLOCK),
        Fault("closed in mid-body", "cut", NETWORK),
        Fault("hang", "hang", NETWORK),
        Fault("HTTP 403", 403, BLOCK),
        Fault("HTTP 429", 429, BLOCK),
        Fault("HTTP 502", 502, NETWORK),
        Fault("captcha with status 200", "captcha", BLOCK),
        Fault("empty body", "empty", NETWORK),
        Fault("truncated text", _truncated, NETWORK | DRIFT),
        Fault("empty JSON", lambda _: lambda _: "{}", BAD | NOTHING | NETWORK),
        Fault("null data", lambda subject: codec(subject).null, NOTHING | BAD),
        Fault("empty list", rows_of(lambda _rows, _subject: []), NOTHING | BAD),
        Fault("one column more", _more, DRIFT | OK),
        Fault("one column fewer", _fewer, BAD),
        Fault("columns reordered", _reordered, BAD | OK | NOTHING),
        Fault("words for numbers", each("number", _NUMBER, lambda _: "soon"), BAD | NOTHING),
        Fault("another security's rows", each("code", _CODE, lambda _: "601999"), BAD),
        Fault("unreadable dates", each("date", _DATE, lambda _: "soon"), BAD | NOTHING),
        Fault("a short page among many", _paged(lambda rows, _: rows[: len(rows) - 3]), REFUSED),
        Fault("rows twice", rows_of(lambda rows, _: [*rows, *copy.deepcopy(rows)]), OK | BAD),
        Fault("rows out of order", rows_of(lambda rows, _: rows[::-1]), OK | DRIFT),
        Fault("future dates", each("date", _DATE, _later), BAD | NOTHING),
        Fault("negative numbers", each("number", _NUMBER, _numbers(-1)), BAD),
        Fault("one negative number", each("number", _NUMBER, _numbers(-1), {5}), OK | REFUSED),
        Fault("high below low", _swapped_ends, OK | BAD),
        Fault("hundredfold numbers", each("number", _NUMBER, _numbers(100)), BAD),
        Fault("a future date", each("date", _DATE, _later, {5}), OK | DRIFT),
    )
}  # fmt: skip
