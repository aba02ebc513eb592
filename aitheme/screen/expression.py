"""Read an expression with sqlglot, check every node against a whitelist, and compile it to operations on vectors.

Nothing is ever handed to a database: what is not compiled here cannot run.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from aitheme.screen.columns import CATALOGUE
from aitheme.screen.compiling import Compiler, Term
from aitheme.screen.errors import ScreenError, refuse
from aitheme.screen.tokens import clauses_of, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from aitheme.screen.vectors import Vector

__all__ = ["Clause", "Environment", "Expression", "Named", "parse_expression"]

_MAX_DEPTH = 100


class Environment(Protocol):
    """What an expression is evaluated on."""

    def column(self, name: str) -> Vector:
        """Return a column of the catalogue."""

    def in_basket(self, basket: str) -> np.ndarray:
        """Return membership of a basket."""

    def linked_to(self, model: str) -> np.ndarray:
        """Return whether a company is linked to a model."""

    def groups(self, scope: str) -> np.ndarray:
        """Return the group number of each name within a scope, negative for none."""


@dataclass(frozen=True, slots=True)
class Named:
    """A basket or model id in an expression, with its first character (from 0)."""

    name: str
    start: int


@dataclass(frozen=True, slots=True)
class Clause:
    """One of the conditions that AND joins at the top level.

    Parameters
    ----------
    text
        As written.
    term
        Compiled form.
    """

    text: str
    term: Term

    def evaluate(self, environment: Environment) -> Vector:
        """Return true, false or NULL for each name."""
        return self.term.evaluate(environment)


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression.

    Parameters
    ----------
    text
        As written.
    clauses
        Conditions that must all be true.
    columns
        Columns used, in order of appearance.
    baskets, models
        Ids used in ``in_basket`` and ``linked_to``; the caller checks that they exist.
    scopes
        Scopes used in ``rank``, ``pct_rank`` and ``zscore``.
    """

    text: str
    clauses: tuple[Clause, ...]
    columns: tuple[str, ...]
    baskets: tuple[Named, ...]
    models: tuple[Named, ...]
    scopes: frozenset[str]


def parse_expression(text: str) -> Expression:
    """Read and check an expression.

    Parameters
    ----------
    text
        For example ``ret_60 > 0.3 and excess_20 > 0 and in_basket('ai/all') and not st``.

    Raises
    ------
    ScreenError
        It contains anything that is not whitelisted, or does not make a true-or-false condition.
    """
    tokens, words = words_of(text)
    tree = _tree(text, tokens)
    _check_depth(text, tree)
    spans = clauses_of(text, words)
    parts = _conjuncts(tree) if len(spans) > 1 else [tree]
    if len(parts) != len(spans):
        raise refuse(
            text, 0, "an expression that cannot be split into clauses", "put parentheses around each condition"
        )
    compiler = Compiler(text)
    clauses = []
    for part, (start, end) in zip(parts, spans, strict=True):
        term = compiler.compile(part)
        if term.kind != "boolean":
            hint = "compare it with something: ret_60 > 0.3" if term.kind == "number" else "write a condition"
            raise refuse(text, start, f"a {term.kind} where a condition belongs", hint)
        clauses.append(Clause(" ".join(text[start:end].split()), term))
    named = {kind: tuple(Named(*row) for row in rows) for kind, rows in compiler.named.items()}
    columns = tuple(dict.fromkeys(word.text for word in words if not word.is_text and word.text in CATALOGUE))
    return Expression(text, tuple(clauses), columns, named["basket"], named["model"], frozenset(compiler.scopes))


@cache
def _parser() -> Any:
    """Return a parser that knows no functions of its own, so that no alias can stand for another."""
    from sqlglot.parser import Parser

    nothing: dict[Any, Any] = {}
    case = {"CASE": Parser.NO_PAREN_FUNCTION_PARSERS["CASE"]}
    members = {
        "FUNCTIONS": nothing, "FUNCTION_PARSERS": nothing, "NO_PAREN_FUNCTIONS": nothing, "NO_PAREN_FUNCTION_PARSERS": case,
    }  # fmt: skip
    return type("ScreenParser", (Parser,), members)


def _tree(text: str, tokens: Sequence[Any]) -> Any:
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import ParseError, SqlglotError

    try:
        trees = _parser()(dialect=Dialect()).parse(list(tokens), text)
    except ParseError as error:
        raise _unreadable(text, error) from error
    except (SqlglotError, RecursionError) as error:
        raise refuse(text, 0, "an expression that cannot be read", "simplify it") from error
    if len(trees) != 1 or trees[0] is None:
        raise refuse(text, 0, "more or less than one expression", "write a single condition")
    return trees[0]


def _unreadable(text: str, error: Any) -> ScreenError:
    """Turn a parser's complaint into a refusal with its position."""
    details = error.errors[0] if error.errors else {}
    lines = text.splitlines(keepends=True)
    line, column = int(details.get("line") or 1), int(details.get("col") or 1)
    start = sum(len(part) for part in lines[: line - 1]) + column - len(details.get("highlight") or "x")
    hint = "check parentheses, operators and commas near it"
    return refuse(text, min(max(start, 0), len(text)), "an expression that cannot be read", hint)


def _check_depth(text: str, tree: Any) -> None:
    """Refuse a tree too deep to be compiled; chains of AND and OR count as one level."""
    from sqlglot import exp

    stack = [(tree, 1)]
    while stack:
        node, level = stack.pop()
        if level > _MAX_DEPTH:
            raise refuse(text, 0, f"more than {_MAX_DEPTH} chained operations", "simplify the expression")
        flat = isinstance(node, exp.And | exp.Or)
        stack.extend(
            (child, level if flat and type(child) is type(node) else level + 1) for child in node.iter_expressions()
        )


def _conjuncts(tree: Any) -> list[Any]:
    """Return the operands of a chain of AND, in the order written."""
    from sqlglot import exp

    found, stack = [], [tree]
    while stack:
        node = stack.pop()
        if type(node) is exp.And:
            stack += [node.expression, node.this]
        else:
            found.append(node)
    return found
