"""The first line of defence: only a short list of words and signs may appear at all, whatever they would mean in SQL.

Everything an expression may contain is spelled out here; what is not listed is refused with its position before any
parser sees it. Comments cannot hide: between two tokens only plain blanks are allowed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from aitheme.screen.columns import CATALOGUE, nearest
from aitheme.screen.errors import refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FUNCTIONS", "SCOPES", "Word", "clauses_of", "words_of"]

FUNCTIONS = (
    "abs", "sqrt", "ln", "log10", "exp", "round", "floor", "ceil", "sign", "power", "least", "greatest", "coalesce",
    "nullif", "starts_with", "contains", "lower", "in_basket", "linked_to", "rank", "pct_rank", "zscore",
)  # fmt: skip
"""Functions an expression may call."""
SCOPES = ("market", "industry", "universe")
"""What ``rank``, ``pct_rank`` and ``zscore`` compare a name with."""
KEYWORDS = frozenset(
    "and or not in between is null true false like ilike case when then else end date".split()  # noqa: SIM905 (prose)
)
_SIGNS = frozenset({"(", ")", ",", "+", "-", "*", "/", "<", "<=", ">", ">=", "=", "==", "<>", "!="})
_MAX_LENGTH = 10_000
_MAX_WORDS = 2_000
_MAX_NESTING = 32
_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STATEMENTS = frozenset(
    """select from with union intersect except values table insert update delete merge create drop alter attach detach
    copy export import pragma set reset install load call use show describe explain execute prepare vacuum checkpoint
    where group having order limit offset join over partition window exists any all some lateral unnest pivot qualify
    truncate begin commit rollback grant revoke summarize""".split()  # noqa: SIM905 (a list this long reads better so)
)
_HINTS = {
    ";": "write one expression, without a semicolon",
    "%": "write ratios as numbers: 0.3, not 30%",
    '"': "write columns bare and texts in single quotes: in_basket('ai/all')",
    "`": "write columns bare, without quotes",
    "$": "parameters are not supported; write the value",
    "?": "parameters are not supported; write the value",
    "@": "parameters are not supported; write the value",
    ":": "write no cast or parameter; numbers, texts and dates are recognised",
    "::": "write no cast; numbers, texts and dates are recognised",
    "[": "lists are not supported; write in (…, …)",
    "{": "structs and templates are not supported",
    "^": "write power(x, y)",
    "**": "write power(x, y)",
    "//": "write floor(x / y)",
    "||": "write or",
    "|": "write or",
    "&": "write and",
    "&&": "write and",
    "!": "write not",
    "~": "write like '…%' or contains(name, '…')",
    "->": "lambdas are not supported",
    "=>": "write >=",
    ".": "write the column alone, without a table",
}


@dataclass(frozen=True, slots=True)
class Word:
    """A token: its text in lower case (a literal keeps its case), start and end in the expression, and whether it is text."""

    text: str
    start: int
    end: int
    is_text: bool


def words_of(text: str) -> tuple[list[Any], tuple[Word, ...]]:
    """Split an expression into sqlglot's tokens and our words, refusing what may not appear.

    Raises
    ------
    ScreenError
        Something that is no column, listed function, operator or literal.
    """
    _check_characters(text)
    tokens = _tokenize(text)
    words = tuple(_word(text, token) for token in tokens)
    if not words:
        raise refuse(text, 0, "nothing to evaluate", "write a condition such as ret_60 > 0.3 and not st")
    if len(words) > _MAX_WORDS:
        raise refuse(text, words[_MAX_WORDS].start, f"more than {_MAX_WORDS} words", "shorten the expression")
    _check_gaps(text, words)
    for number, word in enumerate(words):
        _check_word(text, words, number, word)
    _check_nesting(text, words)
    return tokens, words


def _check_characters(text: str) -> None:
    """Refuse control, invisible and non-ASCII characters outside quotes, and invisible ones anywhere."""
    if len(text) > _MAX_LENGTH:
        raise refuse(text, _MAX_LENGTH, f"more than {_MAX_LENGTH} characters", "shorten the expression")
    quoted = False
    for index, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        hidden = unicodedata.category(character)[0] == "C" or unicodedata.category(character) in {"Zl", "Zp"}
        if hidden and (quoted or character not in "\t\n\r"):
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            raise refuse(text, index, f"invisible character {name}", "retype it")
        if not quoted and not character.isascii():
            plain = unicodedata.normalize("NFKC", character)
            known = {"“": '"', "”": '"', "‘": "'", "’": "'", "，": ",", "≥": ">=", "≤": "<=", "≠": "<>"}
            plain = known.get(character, plain)
            hint = f"write {plain}" if plain.isascii() and plain.strip() else "texts stand in single quotes"
            raise refuse(text, index, f"character {character!r} outside a text", hint)


def _tokenize(text: str) -> list[Any]:
    from sqlglot.errors import TokenError
    from sqlglot.tokens import Tokenizer

    try:
        return list(Tokenizer().tokenize(text))
    except TokenError as error:
        opened = max(text.rfind("'"), text.rfind('"'), text.rfind("/*"), 0)
        raise refuse(text, opened, "a text, name or comment that is not closed", "close it") from error


def _word(text: str, token: Any) -> Word:
    raw = text[token.start : token.end + 1]
    is_text = raw.startswith("'")
    return Word(raw[1:-1].replace("''", "'") if is_text else raw.lower(), token.start, token.end + 1, is_text)


def _check_gaps(text: str, words: Sequence[Word]) -> None:
    """Refuse anything but blanks between tokens: that is where comments are."""
    ends = [0, *(word.end for word in words)]
    starts = [*(word.start for word in words), len(text)]
    for end, start in zip(ends, starts, strict=True):
        gap = text[end:start]
        if gap.strip(" \t\n\r"):
            hint = _HINTS[";"] if ";" in gap else "remove the comment"
            offset = len(gap) - len(gap.lstrip(" \t\n\r"))
            raise refuse(text, end + offset, "a comment or a stray sign", hint)


def _check_word(text: str, words: Sequence[Word], number: int, word: Word) -> None:
    if word.is_text or word.text in _SIGNS:
        return
    if _NUMBER.fullmatch(word.text):
        if len(word.text) > 1 and word.text[0] == "0" and word.text[1].isdigit():
            raise refuse(
                text, word.start, f"code or number {word.text} with leading zeros", "write codes as texts: '000001.SZ'"
            )
        return
    if not _IDENTIFIER.fullmatch(word.text):
        if word.text.split()[0] in _STATEMENTS:
            raise _unknown(text, Word(word.text.split()[0], word.start, word.end, is_text=False))
        hint = _HINTS.get(word.text, _HINTS.get(word.text[:1], "allowed signs are + - * / < <= > >= = <> ( ) ,"))
        raise refuse(text, word.start, f"{word.text!r} is not allowed", hint)
    called = number + 1 < len(words) and words[number + 1].text == "(" and not words[number + 1].is_text
    if called and word.text not in KEYWORDS:
        if word.text not in FUNCTIONS:
            hint = f"{nearest(word.text, FUNCTIONS)}functions are {', '.join(FUNCTIONS)}"
            raise refuse(text, word.start, f"{word.text}() is not allowed", hint)
    elif word.text not in KEYWORDS and word.text not in CATALOGUE and not _is_scope(words, number):
        raise _unknown(text, word)


def _is_scope(words: Sequence[Word], number: int) -> bool:
    """Tell whether a word stands where rank, pct_rank and zscore name their scope."""
    return words[number].text in SCOPES and number > 0 and words[number - 1].text == ","


def _unknown(text: str, word: Word) -> Exception:
    if word.text in _STATEMENTS:
        hint = "an expression over columns may hold no statement, subquery, table or window"
        return refuse(text, word.start, f"{word.text} is not allowed", hint)
    if word.text in FUNCTIONS:
        return refuse(text, word.start, f"{word.text} is a function", f"write {word.text}(…)")
    hint = f"{nearest(word.text, CATALOGUE)}run `aitheme screen --columns` to list the columns"
    return refuse(text, word.start, f"{word.text!r} is no column", hint)


def _check_nesting(text: str, words: Sequence[Word]) -> None:
    """Refuse parentheses, CASEs and prefix signs stacked too deep for any reader."""
    depth, prefixes = 0, 0
    for word in words:
        plain = "" if word.is_text else word.text
        depth += (plain in {"(", "case"}) - (plain in {")", "end"})
        prefixes = prefixes + 1 if plain in {"not", "-", "+"} else 0
        if depth + prefixes > _MAX_NESTING:
            raise refuse(text, word.start, f"more than {_MAX_NESTING} levels of nesting", "simplify the expression")
        if depth < 0:
            raise refuse(text, word.start, "a closing parenthesis or END without its opening", "remove it")


def clauses_of(text: str, words: Sequence[Word]) -> list[tuple[int, int]]:
    """Return start and end of each clause: the parts that AND joins at the top level.

    The AND of a BETWEEN joins nothing, and an expression with OR at the top level is one clause.
    """
    depth, pending, cuts = 0, 0, []
    for number, word in enumerate(words):
        plain = "" if word.is_text else word.text
        depth += (plain in {"(", "case"}) - (plain in {")", "end"})
        if depth:
            continue
        if plain == "or":
            return [(words[0].start, words[-1].end)]
        if plain == "between":
            pending += 1
        elif plain == "and" and pending:
            pending -= 1
        elif plain == "and":
            cuts.append(number)
    edges = [-1, *cuts, len(words)]
    parts = [words[low + 1 : high] for low, high in pairwise(edges)]
    return [(part[0].start, part[-1].end) if part else (len(text), len(text)) for part in parts]
