"""Compile whitelisted sqlglot nodes; each node class has one rule and may carry only the arguments the rule reads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from aitheme.screen import vectors
from aitheme.screen.columns import CATALOGUE, Kind
from aitheme.screen.errors import ScreenError, refuse
from aitheme.screen.tokens import SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aitheme.screen.expression import Environment
    from aitheme.screen.vectors import Vector

__all__ = ["Compiler", "Term"]

_ONE_NUMBER = frozenset({"abs", "sqrt", "ln", "log10", "exp", "floor", "ceil", "sign"})
_TEXT_TESTS = frozenset({"starts_with", "contains"})
_RANKS = {"rank": vectors.rank, "pct_rank": vectors.pct_rank, "zscore": vectors.zscore}
_MAX_DECIMALS = 12
_TWO = 2

# Node class: its rule, and the arguments that may be set. Anything else set on a node is refused.
_RULES: dict[str, tuple[str, frozenset[str]]] = {
    name: (rule, frozenset(arguments.split()))
    for name, rule, arguments in (
        ("Column", "_column", "this"),
        ("Literal", "_literal", "this is_string"),
        ("Boolean", "_truth", "this"),
        ("Paren", "_paren", "this"),
        ("Neg", "_minus", "this"),
        ("Add", "_arithmetic", "this expression"),
        ("Sub", "_arithmetic", "this expression"),
        ("Mul", "_arithmetic", "this expression"),
        ("Div", "_arithmetic", "this expression typed safe"),
        ("And", "_junction", "this expression"),
        ("Or", "_junction", "this expression"),
        ("Not", "_not", "this"),
        ("EQ", "_comparison", "this expression"),
        ("NEQ", "_comparison", "this expression"),
        ("LT", "_comparison", "this expression"),
        ("LTE", "_comparison", "this expression"),
        ("GT", "_comparison", "this expression"),
        ("GTE", "_comparison", "this expression"),
        ("Between", "_between", "this low high"),
        ("In", "_in", "this expressions"),
        ("Is", "_is", "this expression"),
        ("Like", "_like", "this expression negate"),
        ("ILike", "_like", "this expression negate"),
        ("Case", "_case", "ifs default"),
        ("Cast", "_date", "this to"),
        ("Anonymous", "_call", "this expressions"),
    )
}
_SIGNS = {
    "Add": "+", "Sub": "-", "Mul": "*", "Div": "/",
    "EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Term:
    """A compiled part of an expression.

    Parameters
    ----------
    kind
        What it yields.
    evaluate
        Its values in an environment.
    constant
        The value of a literal, None otherwise.
    """

    kind: Kind
    evaluate: Callable[[Environment], Vector]
    constant: Any = None


class Compiler:
    """Compiles the nodes of one expression and records the baskets, models and scopes it names.

    Parameters
    ----------
    text
        The expression, for messages.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.named: dict[str, list[tuple[str, int]]] = {"basket": [], "model": []}
        self.scopes: set[str] = set()

    def compile(self, node: Any) -> Term:
        """Return the compiled node.

        Raises
        ------
        ScreenError
            The node is not whitelisted, carries an unknown argument, or mixes kinds.
        """
        name = type(node).__name__
        if name not in _RULES:
            raise self._refuse(node, f"{name.lower()} is not allowed", "use columns, operators and listed functions")
        rule, allowed = _RULES[name]
        for argument, value in node.args.items():
            if argument not in allowed and value not in (None, False, []):
                raise self._refuse(node, f"{name.lower()} with {argument} is not allowed", "write the plain form")
        return cast("Term", getattr(self, rule)(node))

    def _refuse(self, node: Any, what: str, hint: str) -> ScreenError:
        return refuse(self._text, self._start(node), what, hint)

    @staticmethod
    def _start(node: Any) -> int:
        """Return the first character of a node: the first of its parts that knows where it stands."""
        return min((part.meta["start"] for part in node.walk() if "start" in part.meta), default=0)

    def _need(self, node: Any, kind: Kind) -> Term:
        term = self.compile(node)
        if term.kind != kind:
            words = {"number": "a number", "text": "a text", "boolean": "a condition", "date": "a date"}
            hint = f"{words[kind]} belongs here"
            if kind == "boolean" and term.kind == "number":
                hint = "compare the number with something, like ret_60 > 0.3"
            raise self._refuse(node, f"{words[term.kind]} is not allowed", hint)
        return term

    def _column(self, node: Any) -> Term:
        identifier = node.this
        name = str(identifier.this).lower()
        if type(identifier).__name__ != "Identifier" or identifier.args.get("quoted") or name not in CATALOGUE:
            raise self._refuse(node, "that column is not allowed", "run `aitheme screen --columns` to list the columns")
        return Term(CATALOGUE[name].kind, lambda env: env.column(name))

    def _literal(self, node: Any) -> Term:
        if node.is_string:
            return self._constant("text", str(node.this))
        value = float(node.this)
        if not math.isfinite(value):
            raise self._refuse(node, "that number is too large", "write a finite number")
        return self._constant("number", value)

    def _truth(self, node: Any) -> Term:
        return self._constant("boolean", bool(node.this))

    @staticmethod
    def _constant(kind: Kind, value: Any) -> Term:
        vector = vectors.literal(kind, value)
        return Term(kind, lambda _env: vector, value)

    def _paren(self, node: Any) -> Term:
        return self.compile(node.this)

    def _minus(self, node: Any) -> Term:
        term = self._need(node.this, "number")
        if term.constant is not None:
            return self._constant("number", -term.constant)
        return Term("number", lambda env: vectors.scalar("-", term.evaluate(env)))

    def _arithmetic(self, node: Any) -> Term:
        left, right = self._need(node.this, "number"), self._need(node.expression, "number")
        sign = _SIGNS[type(node).__name__]
        return Term("number", lambda env: vectors.arithmetic(sign, left.evaluate(env), right.evaluate(env)))

    def _junction(self, node: Any) -> Term:
        parts, stack = [], [node]
        while stack:
            part = stack.pop()
            if type(part) is type(node):
                stack += [part.expression, part.this]
            else:
                parts.append(self._need(part, "boolean"))
        join = vectors.all_of if type(node).__name__ == "And" else vectors.any_of
        return Term("boolean", lambda env: join([part.evaluate(env) for part in parts]))

    def _not(self, node: Any) -> Term:
        term = self._need(node.this, "boolean")
        return Term("boolean", lambda env: vectors.negate(term.evaluate(env)))

    def _pair(self, node: Any, first: Any, second: Any) -> tuple[Term, Term]:
        """Compile two operands of one kind; a text beside a date is read as a date."""
        if "Null" in {type(first).__name__, type(second).__name__}:
            raise self._refuse(node, "a comparison with NULL is never true", "write is null or is not null")
        left, right = self.compile(first), self.compile(second)
        if left.kind == "date":
            right = self._as_date(second, right)
        elif right.kind == "date":
            left = self._as_date(first, left)
        if left.kind != right.kind:
            hint = "write st or not st" if "boolean" in {left.kind, right.kind} else "compare like with like"
            raise self._refuse(node, f"a {left.kind} cannot be compared with a {right.kind}", hint)
        return left, right

    def _as_date(self, node: Any, term: Term) -> Term:
        if term.kind != "text" or term.constant is None:
            return term
        try:
            return self._constant("date", date.fromisoformat(term.constant))
        except ValueError:
            raise self._refuse(node, f"{term.constant!r} is no date", "write it like '2024-03-18'") from None

    def _comparison(self, node: Any) -> Term:
        left, right = self._pair(node, node.this, node.expression)
        sign = _SIGNS[type(node).__name__]
        if left.kind in {"text", "boolean"} and sign not in {"=", "<>"}:
            raise self._refuse(node, f"{sign} between {left.kind}s is not allowed", "use = or <>")
        return Term("boolean", lambda env: vectors.compare(sign, left.evaluate(env), right.evaluate(env)))

    def _between(self, node: Any) -> Term:
        value, low = self._pair(node, node.this, node.args["low"])
        _, high = self._pair(node, node.this, node.args["high"])
        if value.kind in {"text", "boolean"}:
            raise self._refuse(node, f"between needs numbers or dates, not {value.kind}s", "use = or in")

        def evaluate(env: Environment) -> Vector:
            inner = value.evaluate(env)
            above = vectors.compare(">=", inner, low.evaluate(env))
            return vectors.all_of([above, vectors.compare("<=", inner, high.evaluate(env))])

        return Term("boolean", evaluate)

    def _in(self, node: Any) -> Term:
        items = node.args.get("expressions") or []
        if not items:
            raise self._refuse(node, "that in (…) is not allowed", "list numbers, texts or dates: in ('main', 'star')")
        value = self.compile(node.this)
        pairs = [self._pair(node, node.this, item)[1] for item in items]
        if value.kind == "boolean" or any(item.constant is None for item in pairs):
            raise self._refuse(node, "in (…) takes numbers, texts or dates as written", "use or for anything else")
        allowed = [item.constant for item in pairs]
        return Term("boolean", lambda env: vectors.is_in(value.evaluate(env), allowed))

    def _is(self, node: Any) -> Term:
        what = type(node.expression).__name__
        if what == "Null":
            term = self.compile(node.this)
            return Term("boolean", lambda env: vectors.is_null(term.evaluate(env)))
        if what != "Boolean":
            raise self._refuse(node, "that is … is not allowed", "write is null, is not null, is true or is false")
        wanted, condition = bool(node.expression.this), self._need(node.this, "boolean")
        return Term("boolean", lambda env: vectors.is_boolean(condition.evaluate(env), wanted=wanted))

    def _like(self, node: Any) -> Term:
        value, pattern = self._need(node.this, "text"), self._need(node.expression, "text")
        if pattern.constant is None:
            raise self._refuse(node, "like takes a pattern as written", "write like '%科技%'")
        fold, negated = type(node).__name__ == "ILike", bool(node.args.get("negate"))

        def evaluate(env: Environment) -> Vector:
            found = vectors.like(value.evaluate(env), pattern.constant, fold=fold)
            return vectors.negate(found) if negated else found

        return Term("boolean", evaluate)

    def _case(self, node: Any) -> Term:
        branches = []
        for branch in node.args["ifs"]:
            if type(branch).__name__ != "If" or branch.args.get("false") is not None:
                raise self._refuse(node, "that case is not allowed", "write case when … then … else … end")
            branches.append((self._need(branch.this, "boolean"), self.compile(branch.args["true"])))
        kind = branches[0][1].kind
        other = node.args.get("default")
        default = self.compile(other) if other is not None else None
        if any(term.kind != kind for _, term in branches) or (default is not None and default.kind != kind):
            raise self._refuse(node, "the branches of case differ in kind", "return numbers only, or texts only")

        def evaluate(env: Environment) -> Vector:
            chosen = [(condition.evaluate(env), term.evaluate(env)) for condition, term in branches]
            return vectors.choose(chosen, default.evaluate(env) if default is not None else None)

        return Term(kind, evaluate)

    def _date(self, node: Any) -> Term:
        """Accept ``date '2024-03-18'``, the one cast there is."""
        start = self._start(node)
        plain = self._text[:start].rstrip().lower().endswith("date")
        if not plain or str(node.to.this).rpartition(".")[2] != "DATE" or type(node.this).__name__ != "Literal":
            raise self._refuse(node, "a cast is not allowed", "numbers, texts and dates are recognised")
        term = self._as_date(node.this, self.compile(node.this))
        if term.kind != "date":
            raise self._refuse(node, "a cast is not allowed", "write date '2024-03-18'")
        return term

    def _call(self, node: Any) -> Term:
        name, arguments = str(node.this).lower(), list(node.expressions)
        if name in {"in_basket", "linked_to"}:
            return self._theme_test(node, name, arguments)
        if name in _RANKS:
            return self._ranked(node, name, arguments)
        if name in _ONE_NUMBER:
            self._count(node, name, arguments, 1, 1)
            operand = self._need(arguments[0], "number")
            return Term("number", lambda env: vectors.scalar(name, operand.evaluate(env)))
        rules = {
            "round": self._round, "power": self._power, "least": self._extreme, "greatest": self._extreme,
            "coalesce": self._coalesce, "nullif": self._nullif, "lower": self._lower,
            **dict.fromkeys(_TEXT_TESTS, self._text_test),
        }  # fmt: skip
        if name not in rules:
            raise self._refuse(node, f"{name}() is not allowed", "use a listed function")
        return rules[name](node, name, arguments)

    def _count(self, node: Any, name: str, arguments: Sequence[Any], least: int, most: int) -> None:
        if not least <= len(arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}" if most < 99 else f"at least {least}"  # noqa: PLR2004
            raise self._refuse(node, f"{name}() with {len(arguments)} arguments", f"it takes {wanted}")

    def _theme_test(self, node: Any, name: str, arguments: Sequence[Any]) -> Term:
        self._count(node, name, arguments, 1, 1)
        example = "in_basket('ai/all')" if name == "in_basket" else "linked_to('kimi')"
        if type(arguments[0]).__name__ != "Literal" or not arguments[0].is_string:
            raise self._refuse(node, f"{name}() takes an id in single quotes", f"write {example}")
        target = str(arguments[0].this)
        self.named["basket" if name == "in_basket" else "model"].append((target, self._start(arguments[0])))
        if name == "in_basket":
            return Term("boolean", lambda env: vectors.known(env.in_basket(target)))
        return Term("boolean", lambda env: vectors.known(env.linked_to(target)))

    def _ranked(self, node: Any, name: str, arguments: Sequence[Any]) -> Term:
        self._count(node, name, arguments, 1, _TWO)
        column = arguments[0]
        if type(column).__name__ != "Column" or self.compile(column).kind != "number":
            raise self._refuse(
                node, f"{name}() takes a column of numbers", f"write {name}(ret_60) or {name}(ret_60, industry)"
            )
        scope = str(arguments[1].name).lower() if len(arguments) == _TWO else "market"
        if scope not in SCOPES or (len(arguments) == _TWO and type(arguments[1]).__name__ not in {"Column", "Literal"}):
            raise self._refuse(node, f"{name}() within {scope!r} is not allowed", f"write one of {', '.join(SCOPES)}")
        self.scopes.add(scope)
        operand, ranked = self.compile(column), _RANKS[name]
        return Term("number", lambda env: ranked(operand.evaluate(env), env.groups(scope)))

    def _round(self, node: Any, name: str, arguments: Sequence[Any]) -> Term:
        self._count(node, name, arguments, 1, _TWO)
        operand = self._need(arguments[0], "number")
        places = self._need(arguments[1], "number").constant if len(arguments) == _TWO else 0.0
        if places is None or not float(places).is_integer() or abs(places) > _MAX_DECIMALS:
            raise self._refuse(node, "round() takes a whole number of decimals", "write round(price, 2)")
        return Term("number", lambda env: vectors.scalar("round", operand.evaluate(env), int(places)))

    def _power(self, node: Any, name: str, arguments: Sequence[Any]) -> Term:
        self._count(node, name, arguments, 2, 2)
        base, exponent = (self._need(argument, "number") for argument in arguments)
        return Term("number", lambda env: vectors.arithmetic("power", base.evaluate(env), exponent.evaluate(env)))

    def _extreme(self, node: Any, name: str, arguments: Sequence[Any]) -> Term:
        self._count(node, name, arguments, 2, 99)
        terms = [self._need(argument, "number") for argument in arguments]
        return Term("number", lambda env: vectors.extreme(name, [term.evaluate(env) for term in terms]))

    def _coalesce(self, node: Any, name: str, arguments: Sequence[Any]) -> Term:
        self._count(node, name, arguments, 2, 99)
        terms = [self.compile(argument) for argument in arguments]
        if any(term.kind != terms[0].kind for term in terms):
            raise self._refuse(node, "the arguments of coalesce() differ in kind", "give numbers only, or texts only")
        return Term(terms[0].kind, lambda env: vectors.coalesce([term.evaluate(env) for term in terms]))

    def _nullif(self, node: Any, name: str, arguments: Sequence[Any]) -> Term:
        self._count(node, name, arguments, 2, 2)
        left, right = self._pair(node, arguments[0], arguments[1])
        return Term(left.kind, lambda env: vectors.nullif(left.evaluate(env), right.evaluate(env)))

    def _lower(self, node: Any, name: str, arguments: Sequence[Any]) -> Term:
        self._count(node, name, arguments, 1, 1)
        operand = self._need(arguments[0], "text")
        return Term("text", lambda env: vectors.lowered(operand.evaluate(env)))

    def _text_test(self, node: Any, name: str, arguments: Sequence[Any]) -> Term:
        self._count(node, name, arguments, 2, 2)
        operand, part = self._need(arguments[0], "text"), self._need(arguments[1], "text")
        if part.constant is None:
            raise self._refuse(node, f"{name}() takes a text as written", f"write {name}(name, '科技')")
        return Term("boolean", lambda env: vectors.text_test(name, operand.evaluate(env), part.constant))
