"""Generated expressions against two other evaluators: pandas' nullable types, and DuckDB itself."""

from __future__ import annotations

import math
import operator
from datetime import date
from functools import reduce

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aitheme.screen import CATALOGUE, parse_expression, vectors

ROWS = 60
NUMBERS = ("ret_60", "pe_fy1", "beta_250", "price")
BOOLEANS = ("st", "suspended")
TEXTS = ("industry", "board")
DATES = ("last_release",)
COMPARE = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def _frame():
    rng = np.random.default_rng(5)

    def holes(values, kind, share=0.25):
        return pd.array(
            [None if gap else v for v, gap in zip(values, rng.random(ROWS) < share, strict=True)], dtype=kind
        )

    def number():
        return holes(rng.choice([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 10.0], ROWS), "Float64")

    frame = pd.DataFrame({name: number() for name in NUMBERS})
    frame["st"] = holes(rng.random(ROWS) < 0.5, "boolean")
    frame["suspended"] = pd.array(rng.random(ROWS) < 0.3, dtype="boolean")
    frame["industry"] = holes(rng.choice(["软件", "传媒", "It's", "Bank"], ROWS), "object")
    frame["board"] = pd.array(rng.choice(["main", "star"], ROWS), dtype="object")
    days = rng.choice(pd.date_range("2024-01-01", "2024-01-06"), ROWS)
    frame["last_release"] = pd.Series(days).where(rng.random(ROWS) > 0.3)
    return frame


FRAME = _frame()


class FrameEnvironment:
    """The frame as an expression sees it."""

    def column(self, name):
        kind, values = CATALOGUE[name].kind, FRAME[name]
        if kind == "number":
            return vectors.absent(kind, values.to_numpy(dtype=float, na_value=np.nan))
        if kind == "date":
            return vectors.absent(kind, values.to_numpy("datetime64[D]"))
        if kind == "text":
            return vectors.absent(kind, values.to_numpy(dtype=object))
        null = values.isna().to_numpy(dtype=bool)
        return vectors.Vector(kind, values.fillna(value=False).to_numpy(dtype=bool) & ~null, null)

    def in_basket(self, basket):
        return np.arange(ROWS) % 2 == (basket == "odd")

    def linked_to(self, model):
        return np.arange(ROWS) % 3 == len(model) % 3

    def groups(self, scope):
        if scope == "industry":
            return FRAME["industry"].map({"软件": 0, "传媒": 1, "It's": 2, "Bank": 3}).fillna(-1).to_numpy(dtype=int)
        return np.zeros(ROWS, dtype=int)


def finite(values):
    """A number that is not finite is NULL."""
    plain = values.to_numpy(dtype=float, na_value=np.nan)
    return pd.Series(pd.array([None if not math.isfinite(v) else v for v in plain], dtype="Float64"))


def number_of(value):
    return pd.Series(pd.array([value] * ROWS, dtype="Float64"))


def extreme(parts, function):
    wide = pd.concat([part.astype("Float64").astype(float) for part in parts], axis=1)
    return finite(pd.Series(getattr(wide, function)(axis=1), dtype="Float64"))


def ranked(values, groups, kind):
    series = values.astype(float)
    by = series.groupby(groups.where(groups >= 0))
    if kind == "rank":
        result = by.rank(ascending=False, method="min")
    elif kind == "pct_rank":
        low = by.rank(ascending=True, method="min") - 1
        result = low / (by.transform("count") - 1).clip(lower=1)
    else:
        result = (series - by.transform("mean")) / by.transform("std")
    return finite(result.where(series.notna()))


def numbers(depth, *, division, ranks):
    columns = st.sampled_from(NUMBERS).map(lambda name: (name, FRAME[name]))
    constants = st.sampled_from([-1.5, -1.0, 0.0, 0.25, 1.0, 2.0, 1e3]).map(lambda v: (f"{v}", number_of(v)))
    leaves = st.one_of(columns, columns, constants)
    if not depth:
        return leaves
    inner = st.deferred(lambda: numbers(depth - 1, division=division, ranks=ranks))
    condition = st.deferred(lambda: conditions(depth - 1, division=division, ranks=ranks))
    signs = "+-*/" if division else "+-*"

    def binary(sign, left, right):
        with np.errstate(all="ignore"):
            return f"({left[0]} {sign} {right[0]})", finite(ARITHMETIC[sign](left[1], right[1]))

    def filled(left, right):
        return f"coalesce({left[0]}, {right[0]})", left[1].fillna(right[1])

    def nulled(left, right):
        same = (left[1] == right[1]).fillna(value=False).astype(bool)
        return f"nullif({left[0]}, {right[0]})", left[1].mask(same)

    def cases(condition, left, right):
        take = condition[1].fillna(value=False).astype(bool)
        return f"case when {condition[0]} then {left[0]} else {right[0]} end", left[1].where(take, right[1])

    def lone_case(condition, left):
        take = condition[1].fillna(value=False).astype(bool)
        return f"case when {condition[0]} then {left[0]} end", left[1].where(take)

    options = [
        leaves,
        st.builds(binary, st.sampled_from(signs), inner, inner),
        inner.map(lambda part: (f"abs({part[0]})", part[1].abs())),
        inner.map(lambda part: (f"-{part[0]}" if not part[0].startswith("-") else f"-({part[0]})", -part[1])),
        st.builds(filled, inner, inner),
        st.builds(nulled, inner, inner),
        st.builds(lambda a, b: (f"least({a[0]}, {b[0]})", extreme([a[1], b[1]], "min")), inner, inner),
        st.builds(lambda a, b: (f"greatest({a[0]}, {b[0]})", extreme([a[1], b[1]], "max")), inner, inner),
        st.builds(cases, condition, inner, inner),
        st.builds(lone_case, condition, inner),
    ]
    if ranks:
        env = FrameEnvironment()
        options.append(
            st.builds(
                lambda kind, name, scope: (
                    f"{kind}({name}, {scope})" if scope != "market" else f"{kind}({name})",
                    ranked(FRAME[name], pd.Series(env.groups(scope)), kind),
                ),
                st.sampled_from(["rank", "pct_rank", "zscore"]),
                st.sampled_from(NUMBERS),
                st.sampled_from(["market", "industry"]),
            )
        )
    return st.one_of(options)


def conditions(depth, *, division=True, ranks=True):
    number = st.deferred(lambda: numbers(max(depth - 1, 0), division=division, ranks=ranks))
    constants = st.sampled_from([-1.0, 0.0, 0.5, 2.0])

    def compared(sign, left, right):
        return f"{left[0]} {sign} {right[0]}", COMPARE[sign](left[1], right[1]).astype("boolean")

    def between(part, low, high, negated):
        value = ((part[1] >= low) & (part[1] <= high)).astype("boolean")
        return f"{part[0]} {'not ' if negated else ''}between {low} and {high}", ~value if negated else value

    def listed(part, values, negated):
        found = reduce(operator.or_, [(part[1] == value).astype("boolean") for value in values])
        return f"{part[0]} {'not ' if negated else ''}in ({', '.join(map(str, values))})", ~found if negated else found

    def text(sign, name, value):
        shown = value.replace("'", "''")
        same = pd.Series([pd.NA if pd.isna(v) else v == value for v in FRAME[name]], dtype="boolean")
        return f"{name} {sign} '{shown}'", same if sign == "=" else ~same

    def like(name, pattern, test, negated):
        found = pd.Series([pd.NA if pd.isna(v) else test(v) for v in FRAME[name]], dtype="boolean")
        return f"{name} {'not ' if negated else ''}like '{pattern}'", ~found if negated else found

    def dated(sign, day):
        column = FRAME["last_release"]
        found = COMPARE[sign](column, pd.Timestamp(day)).astype("boolean").mask(column.isna())
        return f"last_release {sign} '{day}'", found

    def nothing(name, negated):
        null = FRAME[name].isna().astype("boolean")
        return f"{name} is {'not ' if negated else ''}null", ~null if negated else null

    leaves = st.one_of(
        st.sampled_from(BOOLEANS).map(lambda name: (name, FRAME[name])),
        st.builds(compared, st.sampled_from(sorted(COMPARE)), number, number),
        st.builds(between, number, constants, constants, st.booleans()),
        st.builds(listed, number, st.lists(constants, min_size=1, max_size=3), st.booleans()),
        st.builds(
            text, st.sampled_from(["=", "<>"]), st.sampled_from(TEXTS), st.sampled_from(["软件", "It's", "main"])
        ),
        st.builds(
            lambda name, kind, negated: like(name, *kind, negated),
            st.sampled_from(TEXTS),
            st.sampled_from(
                [("软%", lambda v: v.startswith("软")), ("%a%", lambda v: "a" in v), ("_ain", lambda v: v == "main")]
            ),
            st.booleans(),
        ),
        st.builds(dated, st.sampled_from(sorted(COMPARE)), st.dates(date(2024, 1, 1), date(2024, 1, 6))),
        st.builds(nothing, st.sampled_from([*NUMBERS, *BOOLEANS, *TEXTS, *DATES]), st.booleans()),
        st.sampled_from([("true", True), ("false", False)]).map(
            lambda pair: (pair[0], pd.Series(pd.array([pair[1]] * ROWS, dtype="boolean")))
        ),
    )
    if not depth:
        return leaves
    inner = st.deferred(lambda: conditions(depth - 1, division=division, ranks=ranks))
    joined = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        leaves,
        joined.map(
            lambda parts: ("(" + " and ".join(p[0] for p in parts) + ")", reduce(operator.and_, [p[1] for p in parts]))
        ),
        joined.map(
            lambda parts: ("(" + " or ".join(p[0] for p in parts) + ")", reduce(operator.or_, [p[1] for p in parts]))
        ),
        inner.map(lambda part: (f"not ({part[0]})", ~part[1])),
        inner.map(lambda part: (f"({part[0]}) is true", part[1].fillna(value=False).astype("boolean"))),
    )


def evaluated(text):
    """Truth of the whole expression: None for NULL."""
    parts = [clause.evaluate(FrameEnvironment()) for clause in parse_expression(text).clauses]
    whole = vectors.all_of(parts)
    values, null = np.broadcast_to(whole.values, ROWS), np.broadcast_to(whole.null, ROWS)
    return [None if gap else bool(value) for value, gap in zip(values, null, strict=True)]


def plain(series):
    return [None if value is pd.NA else bool(value) for value in series.astype("boolean")]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(conditions(3))
def test_expressions_agree_with_pandas(case):
    text, expected = case
    assert evaluated(text) == plain(expected), text


@settings(max_examples=100, deadline=None, derandomize=True)
@given(conditions(3, division=False, ranks=False))
def test_expressions_agree_with_duckdb(case):
    text, _ = case
    assume("1000.0" not in text or text.count("*") < 4)
    with duckdb.connect() as connection:
        stored = FRAME.assign(**{name: FRAME[name].astype("Float64").astype(float) for name in NUMBERS})
        stored = stored.assign(st=FRAME["st"].astype("boolean"))
        connection.register("names", stored)
        cleaned = ", ".join(f"CASE WHEN isnan({name}) THEN NULL ELSE {name} END AS {name}" for name in NUMBERS)
        query = f"SELECT ({text}) AS hit FROM (SELECT * REPLACE ({cleaned}) FROM names)"
        rows = [row[0] for row in connection.execute(query).fetchall()]
    assert evaluated(text) == rows, text


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("price / 0 > 1 or price / 0 <= 1", 0),
        ("price / 0 is null", ROWS),
        ("ln(-1) is null and sqrt(-4) is null and power(10, 400) is null", ROWS),
        ("round(2.5) = 3 and round(-2.5) = -3 and round(2.345, 2) > 2.34", ROWS),
        ("floor(-1.5) = -2 and ceil(-1.5) = -1 and sign(-3) = -1 and exp(0) = 1 and log10(1000) > 2.999", ROWS),
        ("lower('ABC') = 'abc' and starts_with('abc', 'ab') and contains('abc', 'bc')", ROWS),
        ("'ABC' ilike 'a%' and not 'ABC' like 'a%'", ROWS),
        ("date '2024-01-01' < '2024-01-02'", ROWS),
        ("in_basket('odd') and not in_basket('even')", ROWS // 2),
        ("st is null or st or not st", ROWS),
        ("1 in (1, 2) and 3 not in (1, 2) and 'a' in ('a')", ROWS),
    ],
)
def test_edges(text, hits):
    assert sum(value is True for value in evaluated(text)) == hits


@pytest.mark.parametrize("values", [[1.0, 1.0, 1.0], [5.0], []])
def test_a_group_without_spread_has_no_zscore(values):
    operand = vectors.absent("number", np.array(values))
    groups = np.zeros(len(values), dtype=np.int64)
    assert vectors.zscore(operand, groups).null.all()
    assert (vectors.rank(operand, groups).values == 1).all()
    assert (vectors.pct_rank(operand, groups).values == 0).all()


def test_clauses_are_split_where_and_joins_them():
    texts = [
        ("price between 1 and 2 and st and (a_b or not st)".replace("a_b", "suspended"),
         ["price between 1 and 2", "st", "(suspended or not st)"]),
        ("price > 1 or st and suspended", ["price > 1 or st and suspended"]),
        ("case when st and suspended then 1 end = 1 and st", ["case when st and suspended then 1 end = 1", "st"]),
        ("name = 'x and y'  and\n st", ["name = 'x and y'", "st"]),
        ("price not between 1 and 2 and ret_60 between -1 and 1", ["price not between 1 and 2", "ret_60 between -1 and 1"]),
        ("not st and suspended", ["not st", "suspended"]),
    ]  # fmt: skip
    for text, expected in texts:
        assert [clause.text for clause in parse_expression(text).clauses] == expected
