"""Read access to one snapshot: nothing published after ``as_of`` can leak into an answer."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aitheme.calendar import calendar_for, parse_date
from aitheme.errors import DateRangeError, StoreError, UnknownNameError
from aitheme.panel import Panel, Provenance
from aitheme.store.dated import DatedTables
from aitheme.store.files import SCHEMA_VERSION, StoreFiles, default_data_dir
from aitheme.symbols import SymbolDirectory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    import duckdb
    import pandas as pd

__all__ = ["Market", "open_market"]

_LEVEL = {"level": "close * adj_factor"}
_PANEL_COLUMNS = {"close": "close", **_LEVEL, "amount": "amount", "quality": "quality"}


def open_market(data: str | Path | None = None) -> Market:
    """Open the current snapshot of a store, read-only.

    Parameters
    ----------
    data
        Store directory; ``$AITHEME_DATA`` or ``data`` by default.

    Raises
    ------
    StoreError
        There is no store, or it is damaged or of another schema.
    """
    return Market(StoreFiles(Path(data) if data is not None else default_data_dir()))


class Market(DatedTables):
    """One snapshot of the store, read-only; every reader takes ``as_of`` and gives nothing that became known later.

    It keeps its snapshot while newer ones are published, so a notebook's numbers never change under it; see :meth:`reload`.

    Parameters
    ----------
    files
        The store to open.
    """

    def __init__(self, files: StoreFiles) -> None:
        self._files = files
        snapshot = files.current()
        if snapshot is None:
            raise StoreError(
                f"data: {files.root} holds no published snapshot; run `aitheme refresh --source demo --data {files.root}` "
                "(or --source archive --archive DIR)"
            )
        self.snapshot: Path = snapshot
        self._connection = _connect(snapshot)
        meta = _meta(self._connection, snapshot)
        self.simulated: bool = meta["simulated"] == "true"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the snapshot."""
        self._connection.close()

    def _repr_html_(self) -> str:
        from aitheme.display import card

        return card(f"Market {self.snapshot.name}", [str(self.provenance())], simulated=self.simulated)

    def reload(self) -> Market:
        """Return the snapshot that is current now.

        Nothing is replaced under the caller: the old object stays usable, on its own snapshot, until it is closed.

        >>> market = market.reload()  # doctest: +SKIP

        Raises
        ------
        StoreError
            The store was removed or is of another schema.
        """
        return Market(self._files)

    def sql(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Run a DuckDB query on the snapshot and return a frame.

        The connection is read-only: a statement that writes is an error of DuckDB. Unlike the readers, a query sees every
        row, so its own WHERE must keep to what was known on a day (``session``, ``published``, ``seen`` <= it).

        Parameters
        ----------
        query
            SQL, with ``?`` for parameters.
        parameters
            Values of the ``?``, in order.

        Returns
        -------
        pandas.DataFrame
            The rows; `aitheme/store/schema.sql` describes the tables and their units.
        """
        return self._connection.execute(query, parameters or []).df()

    def _frame(self, query: str, parameters: dict[str, Any]) -> pd.DataFrame:
        return self._connection.execute(query, parameters).df()

    @cached_property
    def _last_run(self) -> tuple[str, str]:
        rows = self._connection.execute(
            "SELECT source, strftime(finished, '%Y-%m-%dT%H:%M:%SZ') FROM refresh_run ORDER BY started DESC LIMIT 1"
        ).fetchall()
        if not rows:
            raise StoreError(f"data: {self.snapshot} records no refresh; run `aitheme refresh` again")
        return str(rows[0][0]), str(rows[0][1])

    @cached_property
    def source(self) -> str:
        """Name of the source of the last refresh."""
        return self._last_run[0]

    @cached_property
    def span(self) -> tuple[date, date]:
        """First and last session with A-share bars."""
        first, last = self._connection.execute("SELECT min(session), max(session) FROM bars").fetchall()[0]
        if first is None:
            raise StoreError(f"data: {self.snapshot} holds no bars; run `aitheme refresh` with a source that has them")
        return first, last

    def as_of(self, as_of: str | date | None = None) -> date:
        """Return the date answers may depend on: the one given, not later than the data, else the last session."""
        last = self.span[1]
        return last if as_of is None else min(parse_date(as_of, "as_of"), last)

    def provenance(self, as_of: str | date | None = None) -> Provenance:
        """Return the provenance of answers as of a date."""
        return Provenance(self.source, self.simulated, self.snapshot.name, self.as_of(as_of), self._last_run[1])

    def check_range(self, start: str | date, end: str | date) -> tuple[date, date]:
        """Return a date range that the data covers.

        Raises
        ------
        DateRangeError
            Reversed, or outside the data.
        """
        low, high = parse_date(start, "from"), parse_date(end, "to")
        first, last = self.span
        if low > high:
            raise DateRangeError(f"from: {low} lies after to {high}; swap them")
        if low < first or high > last:
            wrong = f"from: {low}" if low < first else f"to: {high}"
            raise DateRangeError(
                f"{wrong} is outside the store's data ({first} to {last}); choose dates within it or refresh"
            )
        return low, high

    def panel(
        self,
        symbols: Iterable[str],
        start: str | date | None = None,
        end: str | date | None = None,
        *,
        as_of: str | date | None = None,
        exchange: str = "XSHG",
    ) -> Panel:
        """Return bars of some symbols on all sessions of an exchange.

        Parameters
        ----------
        symbols
            Canonical symbols; one without bars becomes an empty column.
        start, end
            First and last date, by default the whole span up to `as_of`.
        as_of
            Nothing after this date is read.
        exchange
            Whose sessions make the rows. Bars of another exchange fall onto the same dates; a date on which only the
            other one trades is left out, so its move shows in the next common session.
        """
        wanted = list(dict.fromkeys(symbols))
        last = min(self.as_of(as_of), parse_date(end, "end")) if end is not None else self.as_of(as_of)
        first = parse_date(start, "start") if start is not None else self.span[0]
        if first > last:
            raise DateRangeError(
                f"start: {first} lies after {last}, the end of the data asked for; choose an earlier start"
            )
        sessions = calendar_for(exchange).sessions(first, last)
        wide = self._dense("bars", _PANEL_COLUMNS, wanted, sessions)
        return Panel(
            close=wide["close"],
            level=wide["level"],
            amount=wide["amount"],
            quality=wide["quality"].fillna(-1).astype("int8"),
            first_traded=self._first_traded(wanted, last),
            provenance=self.provenance(last),
        )

    def levels(self, symbols: Iterable[str]) -> pd.DataFrame:
        """Return total-return levels (close x adj_factor) of some A-shares over the whole span: a panel's ``level`` alone.

        For the whole market, where the rest of a panel would take four times as long and as much memory.
        """
        sessions = calendar_for("XSHG").sessions(*self.span)
        return self._dense("bars", _LEVEL, list(dict.fromkeys(symbols)), sessions)["level"]

    def _dense(
        self, table: str, columns: Mapping[str, str], names: list[str], sessions: pd.DatetimeIndex, key: str = "symbol"
    ) -> dict[str, pd.DataFrame]:
        """Spread a long table over sessions x names, NaN where it has no row.

        The database turns symbols and sessions into row and column numbers; millions of strings never reach Python.
        """
        import numpy as np
        import pandas as pd

        self._connection.register(
            "wanted_names", pd.DataFrame({"place": np.arange(len(names)), key: pd.Series(names, dtype=str)})
        )
        self._connection.register("wanted_days", pd.DataFrame({"row": np.arange(len(sessions)), "stamp": sessions}))
        selected = ", ".join(f"({expression})::DOUBLE AS {name}" for name, expression in columns.items())
        found = self._connection.execute(
            f"""SELECT row, place, {selected} FROM {table} JOIN wanted_names USING ({key})
            JOIN wanted_days ON session = stamp::DATE"""  # noqa: S608 (table and columns are literals of this module)
        ).fetchnumpy()
        self._connection.unregister("wanted_names")
        self._connection.unregister("wanted_days")
        # Rows of the table come name by name, and frames keep columns together: both are one stretch of memory a name.
        spots = np.asarray(found["place"]) * len(sessions) + np.asarray(found["row"])
        result = {}
        for name in columns:
            grid = np.full(len(names) * len(sessions), np.nan)
            grid[spots] = np.ma.filled(found[name], np.nan)
            wide = grid.reshape(len(names), len(sessions)).T
            result[name] = pd.DataFrame(wide, index=sessions, columns=pd.Index(names, name="symbol"), copy=False)
        return result

    def _first_traded(self, symbols: list[str], last: date) -> pd.Series[pd.Timestamp]:
        frame = self._connection.execute(
            """SELECT symbol, min(session)::TIMESTAMP_NS AS first FROM bars
            WHERE symbol IN (SELECT unnest(?)) AND session <= ? GROUP BY symbol""",
            [symbols, last],
        ).df()
        return frame.set_index("symbol")["first"].reindex(symbols)

    def index_closes(
        self,
        symbols: Iterable[str],
        start: str | date | None = None,
        end: str | date | None = None,
        *,
        as_of: str | date | None = None,
    ) -> pd.DataFrame:
        """Return index closes (points), sessions x symbols, NaN where the store has none.

        Raises
        ------
        UnknownNameError
            The store has no such index.
        """
        import pandas as pd

        wanted, known = list(dict.fromkeys(symbols)), self._index_closes.columns
        for symbol in wanted:
            if symbol not in known:
                raise UnknownNameError.build("benchmark", symbol, known, "run `aitheme status` to see the indices held")
        last = min(self.as_of(as_of), parse_date(end, "end")) if end is not None else self.as_of(as_of)
        first = parse_date(start, "start") if start is not None else self.span[0]
        sessions = calendar_for("XSHG").sessions(first, last)
        return self._index_closes.reindex(index=sessions, columns=pd.Index(wanted, name="symbol"))

    @cached_property
    def _index_closes(self) -> pd.DataFrame:
        """Closes of every index on all sessions: a book asks hundreds of times, and one read takes as long as five."""
        rows = self._connection.execute(
            "SELECT symbol, min(session) FROM index_bars GROUP BY symbol ORDER BY symbol"
        ).fetchall()
        first = min([self.span[0], *(row[1] for row in rows)])
        sessions = calendar_for("XSHG").sessions(first, self.span[1])
        return self._dense("index_bars", {"close": "close"}, [str(row[0]) for row in rows], sessions)["close"]

    def indices(self) -> pd.DataFrame:
        """Return the indices held: symbol, name, provider, level."""
        return self.sql("SELECT * FROM indices ORDER BY symbol")

    def factor_returns(
        self, start: str | date | None = None, end: str | date | None = None, *, as_of: str | date | None = None
    ) -> pd.DataFrame:
        """Return daily factor returns (ratios), sessions x factors; empty where the source has none."""
        last = min(self.as_of(as_of), parse_date(end, "end")) if end is not None else self.as_of(as_of)
        first = parse_date(start, "start") if start is not None else self.span[0]
        names = [
            row[0] for row in self._connection.execute("SELECT DISTINCT factor FROM factors ORDER BY 1").fetchall()
        ]
        sessions = calendar_for("XSHG").sessions(first, last)
        return self._dense("factors", {"value": "value"}, names, sessions, key="factor")["value"]

    @cached_property
    def directory(self) -> SymbolDirectory:
        """Every name of the securities table to its symbol."""
        rows = self._connection.execute("SELECT symbol, name FROM securities WHERE name IS NOT NULL").fetchall()
        return SymbolDirectory(rows)


def _connect(snapshot: Path) -> duckdb.DuckDBPyConnection:
    import duckdb

    try:
        return duckdb.connect(str(snapshot), read_only=True)
    except duckdb.Error as error:
        first = str(error).splitlines()[0][:160]
        raise StoreError(
            f"data: {snapshot} cannot be opened ({first}); write the name of an older snapshot into CURRENT or refresh anew"
        ) from error


def _meta(connection: duckdb.DuckDBPyConnection, snapshot: Path) -> dict[str, str]:
    import duckdb

    try:
        meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    except duckdb.Error as error:
        raise StoreError(f"data: {snapshot} is no aitheme store; point --data at another directory") from error
    if meta.get("schema_version") != SCHEMA_VERSION:
        raise StoreError(
            f"data: {snapshot} has schema {meta.get('schema_version')}, this version reads {SCHEMA_VERSION}; "
            "refresh into a new --data directory"
        )
    return meta
