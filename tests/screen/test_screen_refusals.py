"""What is refused, with position and hint; and nothing gets past the whitelist."""

from __future__ import annotations

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from aitheme.errors import AithemeError, DateRangeError
from aitheme.screen import CATALOGUE, ScreenError, parse_expression, screen
from aitheme.screen.tokens import FUNCTIONS, KEYWORDS, words_of

REFUSED = [
    # expression, character, part of the message
    ("ret_6 > 0.3", 1, "did you mean ret_60, ret_5, ret_1?"),
    ("not retx_60 > 0", 5, "did you mean ret_60"),
    ("price > 1 and PE_FY > 3", 15, "did you mean pe_fy3, pe_fy2, pe_fy1?"),
    ("abss(price) > 1", 1, "did you mean abs?"),
    ("pe_fy1 < (select 1)", 11, "subquery"),
    ("price", 1, "a number where a condition belongs"),
    ("name", 1, "a text where a condition belongs"),
    ("price and st", 1, "compare it with something"),
    ("not price", 5, "compare the number with something"),
    ("price > '5'", 1, "a number cannot be compared with a text"),
    ("st = 1", 1, "write st or not st"),
    ("st > true", 1, "use = or <>"),
    ("name > 'a'", 1, "use = or <>"),
    ("name between 'a' and 'b'", 1, "between needs numbers or dates"),
    ("price = null", 1, "write is null"),
    ("price in (1, null)", 1, "write is null"),
    ("price in ()", 1, "list numbers"),
    ("price in (1, beta_250)", 1, "as written"),
    ("price > 30%", 11, "0.3, not 30%"),
    ("price ^ 2 > 1", 7, "power(x, y)"),
    ("price || name = 'x'", 7, "write or"),
    ("price & 1 > 0", 7, "write and"),
    ("! st", 1, "write not"),
    ('in_basket("ai/all")', 11, "single quotes"),
    ("in_basket(name)", 1, "an id in single quotes"),
    ("in_basket()", 1, "it takes 1"),
    ("in_basket('ai/al')", 11, "did you mean ai/all, ai/media?"),
    ("linked_to('kimmi')", 11, "did you mean kimi"),
    ("rank(price + 1) < 5", 1, "takes a column of numbers"),
    ("rank(name) < 5", 1, "takes a column of numbers"),
    ("rank(price, board) < 5", 1, "market, industry, universe"),
    ("market > 1", 1, "is no column"),
    ("symbol = 000001", 10, "write codes as texts"),
    ("last_release > '2024-13-01'", 16, "is no date"),
    ("last_release > 3", 1, "a date cannot be compared with a number"),
    ("name like industry", 1, "a pattern as written"),
    ("contains(name, industry)", 1, "a text as written"),
    ("round(price, beta_250) > 1", 1, "whole number of decimals"),
    ("round(price, 1.5) > 1", 1, "whole number of decimals"),
    ("coalesce(price, name) = 1", 1, "differ in kind"),
    ("case when st then 1 else name end = 1", 11, "differ in kind"),
    ("case price when 1 then 2 end = 2", 6, "plain form"),
    ("power(price) > 1", 1, "it takes 2"),
    ("least(price) > 1", 1, "at least 2"),
    ("abs > 1", 1, "write abs(…)"),
    ("price > 1e999", 9, "too large"),
    ("price > 1)", 10, "without its opening"),
    ("(price > 1", 10, "cannot be read"),
    ("price > ", 7, "cannot be read"),
    ("price > 1 and", 11, "cannot be read"),
    ("", 1, "nothing to evaluate"),
    ("   ", 1, "nothing to evaluate"),
    ("name = 'open", 8, "not closed"),
    ("price＞1", 6, "write >"),
    ("price > 1，st", 10, "write ,"),
    ("ret_60 ≥ 1", 8, "write >="),
    ("软件 = industry", 1, "outside a text"),
]

INJECTIONS = [
    "price > (select max(close) from bars)",
    "price in (select 1)",
    "exists (select 1)",
    "price > any(select 1)",
    "price = all(1)",
    "(with x as (select 1) select * from x) > 1",
    "price > 1 union select 1",
    "price > 1 order by price",
    "price > 1 limit 1",
    "price > 1; drop table bars",
    ";",
    "price > 1;",
    "price > 1 -- and st",
    "price > 1 /* and */ and st",
    "/*+ hint */ price > 1",
    "price > 1 #x",
    "price > 1 /*",
    "read_csv('/etc/passwd') > 1",
    "read_parquet('x') is null",
    "glob('*') is null",
    "read_text('/etc/passwd') like 'root%'",
    "read_blob('x') is not null",
    "'/etc/passwd' = (from 'x.csv')",
    "from 'x.csv'",
    "pragma database_list",
    "copy bars to 'x.csv'",
    "attach 'x.db'",
    "install httpfs",
    "load httpfs",
    "set threads = 1",
    "call pragma_version()",
    "export database 'x'",
    "insert into bars values (1)",
    "update bars set close = 1",
    "values (1)",
    "table bars",
    "describe bars",
    "explain price > 1",
    'price > 1 and "price" > 1',
    "`price` > 1",
    "[price] > 1",
    "bars.price > 1",
    "main.bars.price > 1",
    "*",
    "count(*) > 1",
    "columns(*) > 1",
    "price > ?",
    "price > $1",
    "price > :x",
    "price > @x",
    "price > {{ x }}",
    "{% if 1 %} price > 1",
    "my_macro(price) > 1",
    "list_transform([1], x -> x) is null",
    "list_filter(price, lambda x: x > 1) is null",
    "struct_pack(a := 1) is null",
    "{'a': 1}.a = 1",
    "[1, 2][1] = 1",
    "price::int > 1",
    "cast(price as integer) > 1",
    "try_cast(name as double) > 1",
    "cast(name as my_type) is null",
    "integer '1' = price",
    "interval '1' day > 1",
    "timestamp '2024-01-01' > last_release",
    "pow(price, 2) > 1",
    "ceiling(price) > 1",
    "ifnull(price, 1) > 1",
    "nvl(price, 1) > 1",
    "iif(st, 1, 2) > 1",
    "if(st, 1, 2) > 1",
    "current_date > last_release",
    "now() > last_release",
    "getenv('HOME') = 'x'",
    "current_setting('x') = 'x'",
    "sum(price) over () > 1",
    "row_number() over (order by price) > 1",
    "rank() over (order by price) > 1",
    "rank(price) over () > 1",
    "avg(price) filter (where st) > 1",
    "price > 1 collate nocase",
    "name similar to 'x'",
    "name ~ 'x'",
    "name glob 'x'",
    "regexp_matches(name, '(a+)+$')",
    "name like 'x' escape '\\'",
    "price between symmetric 2 and 1",
    "price is distinct from 1",
    "price is not distinct from 1",
    "price isnull",
    "price notnull",
    "e'abc' = name",
    "x'41' = name",
    "b'1' = name",
    "$$abc$$ = name",
    "0x1f = price",
    "1_000 < price",
    "'a' 'b' = name",
    "name = 'a\u202eb'",
    "name = 'a\u200bb'",
    "name = 'a\x00b'",
    "price\u00a0> 1",
    "p\u0433ice > 1",
    "ｓｅｌｅｃｔ 1",
    "price > 1 \u2028 and st",
    "price => 1",
    "price := 1",
    "price ->> 1",
    "price // 2 > 1",
    "price ** 2 > 1",
    "(price, st) = (1, 2)",
    "price in unnest([1])",
    "distinct price > 1",
    "price > 1 as x",
    "x: price > 1",
    "extract(year from last_release) = 2024",
    "date_part('year', last_release) = 2024",
    "coalesce(*)",
    "rank(*)",
    "in_basket('ai/all' or 1 = 1)",
    "in_basket('ai/all'; drop table x)",
    "in_basket(in_basket('x'))",
    "price > (1, 2)",
    "not " * 40 + "st",
    "(" * 40 + "price > 1" + ")" * 40,
    "-" * 39 + "price > 1",
    "- " * 39 + "price > 1",
    "case when st then " * 40 + "1" + " end" * 40 + " > 1",
    " + ".join(["price"] * 400) + " > 1",
    "price in (" + ", ".join(["1"] * 3000) + ")",
    "price > 1 and " * 3000 + "st",
    "name = '" + "x" * 20_000 + "'",
]


@pytest.mark.parametrize(("expression", "position", "part"), REFUSED, ids=[row[0] or "empty" for row in REFUSED])
def test_refusals_name_position_and_hint(demo_market, ai_theme, expression, position, part):
    with pytest.raises(ScreenError) as caught:
        screen(demo_market, ai_theme, expression, as_of="2024-03-28")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("expression: ")
    assert f"at character {position} " in message
    assert caught.value.position == position
    assert part in message


@pytest.mark.parametrize("expression", INJECTIONS, ids=range(len(INJECTIONS)))
def test_injections_are_refused(expression):
    with pytest.raises(ScreenError) as caught:
        parse_expression(expression)
    assert caught.value.position is not None
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_a_long_chain_of_conditions_is_no_nesting():
    text = " and ".join(f"price > {n}" for n in range(300))
    assert len(parse_expression(text).clauses) == 300
    assert len(parse_expression(text.replace(" and ", " or ")).clauses) == 1
    assert parse_expression("symbol in (" + ", ".join(f"'{n:06d}.SZ'" for n in range(600)) + ")").columns == ("symbol",)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_column_reads_as_a_column(name):
    assert parse_expression(f"{name.upper()} is not null and not ({name} is null)").columns == (name,)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_accepted_in_some_form(name):
    forms = {
        "in_basket": "in_basket('x')", "linked_to": "linked_to('x')", "starts_with": "starts_with(name, 'x')",
        "contains": "contains(name, 'x')", "lower": "lower(name) = 'x'", "power": "power(price, 2) > 1",
        "least": "least(price, 2) > 1", "greatest": "greatest(price, 2) > 1", "coalesce": "coalesce(price, 2) > 1",
        "nullif": "nullif(price, 2) > 1",
    }  # fmt: skip
    assert parse_expression(forms.get(name, f"{name}(price) > 1"))


def accepted(text):
    """The parsed expression; None for one that is refused in one line with a position inside it."""
    refusal = None
    try:
        return parse_expression(text)
    except ScreenError as error:
        refusal = error
    assert "\n" not in str(refusal)
    assert 1 <= refusal.position <= len(text) + 1
    return None


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*FUNCTIONS, *KEYWORDS, "price", "name", "st", "last_release", "1", "'x'", "(", ")", ",", "+", "-", "*", "/",
             "<", "=", "<>", "select", "from", "::", "[", "]", "{", "?", ";", "--", "/*", "*/", "over", "as", "int", "$"]
        ),
        min_size=1,
        max_size=14,
    )
)  # fmt: skip
def test_word_salad_is_accepted_or_refused_cleanly(parts):
    text = " ".join(parts)
    parsed = accepted(text)
    if parsed is not None:
        classes = {type(node).__name__ for node in sqlglot.parse_one(text, read="duckdb").walk()}
        assert not classes & {"Select", "Subquery", "Table", "Command", "Star", "Placeholder", "Parameter", "Window"}
        assert parsed.clauses


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_accepted_or_refused_cleanly(text):
    accepted(text)


@settings(max_examples=100, deadline=None)
@given(
    st.text(alphabet=st.characters(blacklist_categories=("C", "Z"), blacklist_characters="'"), min_size=1, max_size=20)
)
def test_texts_arrive_as_written(text):
    _, words = words_of(f"name = '{text}'")
    assert words[-1].text == text


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"order_by": "ret_6"}, "order_by: 'ret_6' is not one of"),
        ({"order_by": "ret_60 down"}, "write a column, then asc or desc"),
        ({"columns": ["pe"]}, "columns: 'pe' is not one of"),
        ({"limit": 0}, "limit: 0"),
        ({"universe": "ai/al"}, "basket: 'ai/al'"),
    ],
)
def test_options_are_checked(demo_market, ai_theme, options, part):
    with pytest.raises(AithemeError, match=r"^[^\n]+$") as caught:
        screen(demo_market, ai_theme, "price > 1", **options)
    assert part in str(caught.value)


@pytest.mark.parametrize("as_of", ["2020-12-31", "2024-05-23", "2030-01-01"])
def test_a_date_outside_the_data_is_refused(demo_market, ai_theme, as_of):
    with pytest.raises(DateRangeError, match=r"as_of: .* is outside the store's data"):
        screen(demo_market, ai_theme, "price > 1", as_of=as_of)
