"""Columns with SQL's NULL: values, a mask, and the operations of an expression on them.

A comparison or sum with NULL is NULL; AND, OR and NOT follow Kleene's three-valued logic; a number that is not finite
(division by zero, logarithm of a negative) is NULL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aitheme.screen.columns import Kind

__all__ = [
    "Vector", "absent", "all_of", "any_of", "arithmetic", "choose", "coalesce", "compare", "extreme", "is_boolean", "is_in",
    "is_null", "known", "like", "literal", "lowered", "negate", "nullif", "pct_rank", "rank", "scalar", "text_test", "zscore",
]  # fmt: skip

_BLANK: dict[str, Any] = {"number": 0.0, "text": "", "boolean": False, "date": np.datetime64("1970-01-01")}
_MIN_GROUP = 2


@dataclass(frozen=True, slots=True)
class Vector:
    """A column.

    Parameters
    ----------
    kind
        ``number`` (float64), ``text`` (object), ``boolean`` (bool) or ``date`` (datetime64[D]).
    values
        One value per name, or a single one; a harmless blank where NULL.
    null
        Where the value is missing.
    """

    kind: Kind
    values: np.ndarray
    null: np.ndarray


def absent(kind: Kind, values: np.ndarray) -> Vector:
    """Return a column from raw values in which NaN, NaT or None means NULL."""
    if kind == "number":
        null = ~np.isfinite(values)
    elif kind == "date":
        null = np.isnat(values)
    elif kind == "text":
        null = np.array([not isinstance(value, str) for value in values], dtype=bool)
    else:
        raise AssertionError(f"a {kind} column says itself where it is NULL")
    return Vector(kind, np.where(null, _BLANK[kind], values), null)


def literal(kind: Kind, value: Any) -> Vector:
    """Return a constant."""
    kinds: dict[str, Any] = {"number": np.float64, "text": object, "boolean": np.bool_, "date": "datetime64[D]"}
    return Vector(kind, np.array(value, dtype=kinds[kind]), np.array(False))  # noqa: FBT003 (a value)


def _boolean(values: np.ndarray, null: np.ndarray) -> Vector:
    return Vector("boolean", np.asarray(values & ~null), np.asarray(null))


def _number(values: np.ndarray, null: np.ndarray) -> Vector:
    missing = null | ~np.isfinite(values)
    return Vector("number", np.where(missing, 0.0, values), missing)


_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "power": np.power,
}  # fmt: skip
_COMPARE: dict[str, Callable[..., Any]] = {
    "=": np.equal, "<>": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip
_SCALAR: dict[str, Callable[..., Any]] = {
    "abs": np.abs, "sqrt": np.sqrt, "ln": np.log, "log10": np.log10, "exp": np.exp, "floor": np.floor, "ceil": np.ceil,
    "sign": np.sign, "-": np.negative,
}  # fmt: skip


def arithmetic(operator: str, left: Vector, right: Vector) -> Vector:
    """Return ``left operator right`` for ``+ - * / power``."""
    with np.errstate(all="ignore"):
        return _number(_ARITHMETIC[operator](left.values, right.values), left.null | right.null)


def scalar(function: str, operand: Vector, decimals: int = 0) -> Vector:
    """Return a function of one number; ``round`` takes a number of decimals and rounds halves away from zero."""
    with np.errstate(all="ignore"):
        if function == "round":
            scale = 10.0**decimals
            values = np.sign(operand.values) * np.floor(np.abs(operand.values) * scale + 0.5) / scale
        else:
            values = _SCALAR[function](operand.values)
    return _number(values, operand.null)


def compare(operator: str, left: Vector, right: Vector) -> Vector:
    """Return ``left operator right`` for ``= <> < <= > >=``."""
    values = np.asarray(_COMPARE[operator](left.values, right.values), dtype=bool)
    return _boolean(values, left.null | right.null)


def all_of(operands: Sequence[Vector]) -> Vector:
    """Return the conjunction: false beats NULL, NULL beats true."""
    false = np.logical_or.reduce(np.broadcast_arrays(*(~part.values & ~part.null for part in operands)))
    null = np.logical_or.reduce(np.broadcast_arrays(*(part.null for part in operands))) & ~false
    return _boolean(~false, null)


def any_of(operands: Sequence[Vector]) -> Vector:
    """Return the disjunction: true beats NULL, NULL beats false."""
    return negate(all_of([negate(part) for part in operands]))


def negate(operand: Vector) -> Vector:
    """Return NOT; NULL stays NULL."""
    return _boolean(~operand.values, operand.null)


def is_null(operand: Vector) -> Vector:
    """Return where a value is missing; never NULL itself."""
    return Vector("boolean", operand.null, np.zeros_like(operand.null))


def is_boolean(operand: Vector, *, wanted: bool) -> Vector:
    """Return ``operand IS TRUE`` or ``IS FALSE``; never NULL."""
    values = (operand.values if wanted else ~operand.values) & ~operand.null
    return Vector("boolean", np.asarray(values), np.zeros_like(operand.null))


def is_in(operand: Vector, allowed: Sequence[Any]) -> Vector:
    """Return whether a value is one of some constants."""
    if operand.kind == "text":
        wanted = frozenset(allowed)
        values = np.array([value in wanted for value in np.atleast_1d(operand.values)], dtype=bool)
        return _boolean(values.reshape(operand.values.shape), operand.null)
    return _boolean(np.isin(operand.values, np.array(allowed, dtype=operand.values.dtype)), operand.null)


def _by_text(operand: Vector, test: Callable[[str], bool]) -> Vector:
    """Apply a test to each distinct text once."""
    flat = np.atleast_1d(operand.values)
    known = {value: test(value) for value in set(flat.tolist())}
    values = np.array([known[value] for value in flat], dtype=bool).reshape(operand.values.shape)
    return _boolean(values, operand.null)


def like(operand: Vector, pattern: str, *, fold: bool) -> Vector:
    """Return ``operand LIKE pattern`` (``%`` any text, ``_`` any one character); `fold` ignores case."""
    parts = (".*" if c == "%" else "." if c == "_" else re.escape(c) for c in re.sub("%+", "%", pattern))
    matcher = re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if fold else 0))
    return _by_text(operand, lambda value: matcher.fullmatch(value) is not None)


def text_test(function: str, operand: Vector, part: str) -> Vector:
    """Return ``starts_with(operand, part)`` or ``contains(operand, part)``."""
    return _by_text(operand, (lambda v: v.startswith(part)) if function == "starts_with" else (lambda v: part in v))


def lowered(operand: Vector) -> Vector:
    """Return texts in lower case."""
    flat = [str(value).lower() for value in np.atleast_1d(operand.values)]
    return Vector("text", np.array(flat, dtype=object).reshape(operand.values.shape), operand.null)


def known(values: np.ndarray) -> Vector:
    """Return a condition that is never NULL."""
    return Vector("boolean", values, np.zeros(values.shape, dtype=bool))


def coalesce(operands: Sequence[Vector]) -> Vector:
    """Return the first value that is not NULL."""
    values, null = operands[0].values, operands[0].null
    for other in operands[1:]:
        values, null = np.where(null, other.values, values), null & other.null
    return Vector(operands[0].kind, values, np.asarray(null))


def nullif(left: Vector, right: Vector) -> Vector:
    """Return `left`, NULL where it equals `right`."""
    same = compare("=", left, right)
    null = left.null | same.values
    values = np.where(null, _BLANK[left.kind], left.values)
    return Vector(left.kind, values, np.asarray(null))


def extreme(function: str, operands: Sequence[Vector]) -> Vector:
    """Return the ``least`` or ``greatest`` of the values that are not NULL; NULL when all are."""
    pick, blank = (np.minimum, np.inf) if function == "least" else (np.maximum, -np.inf)
    filled = np.broadcast_arrays(*(np.where(part.null, blank, part.values) for part in operands))
    return _number(np.asarray(pick.reduce(filled)), np.asarray(False))  # noqa: FBT003 (a value)


def choose(branches: Sequence[tuple[Vector, Vector]], default: Vector | None) -> Vector:
    """Return CASE: the value of the first branch whose condition is true, else the default, else NULL."""
    kind = branches[0][1].kind
    last = default if default is not None else Vector(kind, literal(kind, _BLANK[kind]).values, np.asarray(True))  # noqa: FBT003
    values, null = last.values, last.null
    for condition, result in reversed(branches):
        values = np.where(condition.values, result.values, values)
        null = np.where(condition.values, result.null, null)
    return Vector(kind, np.asarray(values), np.asarray(null))


def rank(operand: Vector, groups: np.ndarray) -> Vector:
    """Return the rank within each group, 1 the highest value, ties sharing the better rank.

    Parameters
    ----------
    operand
        Numbers.
    groups
        Group number per name, negative for none (then the rank is NULL).
    """
    above, _ = _around(operand, groups)
    return _number(above + 1.0, operand.null | (groups < 0))


def pct_rank(operand: Vector, groups: np.ndarray) -> Vector:
    """Return the share of the other names of the group that are strictly lower: 0 the lowest, 1 the highest."""
    _, (below, size) = _around(operand, groups)
    return _number(below / np.maximum(size - 1.0, 1.0), operand.null | (groups < 0))


def _around(operand: Vector, groups: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Count, for each name, the names of its group strictly above and below it, and all of them."""
    usable = np.flatnonzero(~operand.null & (groups >= 0))
    values, member = operand.values[usable], groups[usable]
    order = np.lexsort((values, member))
    values, member = values[order], member[order]
    fresh = np.r_[True, (values[1:] != values[:-1]) | (member[1:] != member[:-1])] if len(order) else np.zeros(0, bool)
    starts = np.flatnonzero(fresh)
    tie = np.cumsum(fresh) - 1
    begin, end = starts[tie], np.r_[starts[1:], len(order)][tie] if len(order) else starts
    first, after = np.searchsorted(member, member, "left"), np.searchsorted(member, member, "right")
    above, below, size = (np.zeros(len(operand.null)) for _ in range(3))
    where = usable[order]
    above[where], below[where], size[where] = after - end, begin - first, after - first
    return above, (below, size)


def zscore(operand: Vector, groups: np.ndarray) -> Vector:
    """Return (value - mean) / sample standard deviation within each group; NULL where that is zero or undefined."""
    usable = ~operand.null & (groups >= 0)
    member, values = groups[usable], operand.values[usable]
    buckets = int(groups.max(initial=0)) + 1
    count = np.bincount(member, minlength=buckets)
    with np.errstate(all="ignore"):
        mean = np.bincount(member, values, buckets) / count
        spread = np.sqrt(np.bincount(member, (values - mean[member]) ** 2, buckets) / (count - 1))
        scale = np.abs(mean) * np.finfo(float).eps * 8
        spread = np.where((count >= _MIN_GROUP) & (spread > scale), spread, np.nan)
        result = np.full(len(usable), np.nan)
        result[usable] = (values - mean[member]) / spread[member]
    return _number(result, ~usable)
