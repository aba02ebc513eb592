"""Two IPython magics: ``%screen`` asks the market one question, ``%%market`` runs SQL on the snapshot."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from aitheme.errors import AithemeError
from aitheme.store.files import StoreFiles, default_data_dir
from aitheme.store.market import Market

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

    from aitheme.screen import ScreenResult

__all__ = ["AithemeMagics"]

_SCREEN_USAGE = (
    "%screen EXPR [--as-of D] [--order-by COL] [--limit N] [--universe BASKET] [--show COLS] [--theme T] [--data DIR]"
)
_MARKET_USAGE = "%%market [NAME] [--data DIR], then one SELECT"
# An option starts after a space and outside quotes, with a letter behind its dashes: neither 'a --b' nor x - -1.
_OPTION = re.compile(r"""('[^']*'|"[^"]*"|[^'"])*?(?=\s--[a-z])""")


class _Parser(argparse.ArgumentParser):
    """Options of a magic; a mistake becomes one line instead of the end of the kernel."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; write {self.usage}")


@magics_class
class AithemeMagics(Magics):
    """``%screen`` and ``%%market``.

    Both read the variable ``market`` of the notebook where it is an :class:`aitheme.Market`, else the store of ``--data``
    (by default ``$AITHEME_DATA`` or ``./data``). A store opened here keeps its snapshot until a newer one is published.

    Parameters
    ----------
    shell
        The running IPython.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._names: dict[str, Any] = shell.user_ns
        self._opened: dict[Path, Market] = {}

    @line_magic
    def screen(self, line: str) -> ScreenResult:
        """Screen the market with one expression: ``%screen ret_60 > 0.3 and not st --as-of 2024-03-28``."""
        from aitheme.screen import screen

        expression, options = _split(line)
        parser = _Parser(prog="%screen", usage=_SCREEN_USAGE, add_help=False)
        for name in ("--as-of", "--order-by", "--universe", "--show", "--data"):
            parser.add_argument(name)
        parser.add_argument("--limit", type=int)
        parser.add_argument("--theme", default="ai")
        given = parser.parse_args(_words(options))
        if not expression:
            raise UsageError(f"the expression is missing; write {_SCREEN_USAGE}")
        try:
            return screen(
                self._market(given.data), given.theme, expression,
                as_of=given.as_of, order_by=given.order_by, limit=given.limit, universe=given.universe,
                columns=given.show.split(",") if given.show else None,
            )  # fmt: skip
        except AithemeError as error:
            raise UsageError(str(error)) from None

    @cell_magic
    def market(self, line: str, cell: str) -> pd.DataFrame | None:
        """Run one SELECT on the snapshot; ``%%market frame`` keeps the rows in the variable ``frame``.

        ``$name`` in the query stands for the notebook's variable of that name.
        """
        parser = _Parser(prog="%%market", usage=_MARKET_USAGE, add_help=False)
        parser.add_argument("name", nargs="?")
        parser.add_argument("--data")
        given = parser.parse_args(_words(line))
        if given.name is not None and not given.name.isidentifier():
            raise UsageError(f"{given.name!r} is no variable name; write {_MARKET_USAGE}")
        try:
            market = self._market(given.data)
        except AithemeError as error:
            raise UsageError(str(error)) from None
        frame = _select(market, cell, self._names)
        where = f"{'SIMULATED 模拟数据 | ' if market.simulated else ''}{market.source} {market.snapshot.name}"
        if given.name is None:
            print(where)  # noqa: T201 (a magic speaks to the notebook)
            return frame
        self._names[given.name] = frame
        print(f"{given.name}: {len(frame):,} rows, {len(frame.columns)} columns | {where}")  # noqa: T201
        return None

    def _market(self, data: str | None) -> Market:
        found = self._names.get("market")
        if data is None and isinstance(found, Market):
            return found
        files = StoreFiles(Path(data) if data is not None else default_data_dir())
        root = files.root.resolve()
        held = self._opened.get(root)
        if held is None or held.snapshot != files.current():
            held = self._opened[root] = Market(files)
        return held


def _split(line: str) -> tuple[str, str]:
    """Return the expression and the options behind it."""
    found = _OPTION.match(line)
    end = len(line) if found is None else found.end()
    return line[:end].strip(), line[end:].strip()


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{text}: {error}; close the quotes") from None


def _select(market: Market, query: str, names: dict[str, Any]) -> pd.DataFrame:
    """Run a query that only reads, its ``$names`` bound to variables of the notebook."""
    import duckdb

    try:
        statements = duckdb.extract_statements(query)
        if len(statements) != 1 or statements[0].type not in {
            duckdb.StatementType.SELECT,
            duckdb.StatementType.EXPLAIN,
        }:
            raise UsageError(f"the snapshot is read-only: the cell must be one SELECT; write {_MARKET_USAGE}")
        wanted = sorted(statements[0].named_parameters)
        missing = [name for name in wanted if name not in names]
        if missing:
            raise UsageError(f"${missing[0]} is no variable of this notebook; set {missing[0]} = … in a cell before")
        return market.sql(query, {name: names[name] for name in wanted})
    except duckdb.Error as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise UsageError(
            f"SQL: {lines[0]} See `SHOW TABLES` for what the snapshot holds." if lines else "SQL"
        ) from None
