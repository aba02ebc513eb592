"""What a run changed in rows that were stored before, and the rows as they were.

A read with ``as_of`` cuts at the date of a row, not at the moment a value was learnt: for restated bars it sees the
values that are current in its snapshot. What the store said before run R is rebuilt by taking, for each key, the first
row of ``superseded`` whose ``replaced`` is not before the start of R, and the table's own row where there is none.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from aitheme.sources.live_datasets import dataset_named

if TYPE_CHECKING:
    from datetime import date

    import duckdb

__all__ = ["DATE_OF", "record_actions", "record_changes", "record_withdrawn", "remembers"]

DATE_OF: Final = {
    "bars": "session", "index_bars": "session", "factors": "session", "consensus": "published", "capex": "quarter_end",
    "adj_factors": "ex_date", "broker_forecasts": "published", "consensus_ranges": "published",
    "reported_eps": "published", "names": "seen", "suspensions": "start", "dividends": "ex_date",
    "share_counts": "effective", "sector_members": "seen", "box_office": "month",
}  # fmt: skip
"""The date of a row, by dataset. Securities and indices have none: they describe today, and ``names``,
``share_counts`` and ``suspensions`` keep their history."""


def remembers(dataset: str) -> bool:
    """Tell whether the old values of a dataset's changed rows are kept."""
    return dataset in DATE_OF


def record_changes(
    connection: duckdb.DuckDBPyConnection, dataset: str, differs: dict[str, str], run_id: str, origin: str
) -> None:
    """File the rows of the temporary table ``changed_rows`` before they replace what the dataset holds.

    Parameters
    ----------
    connection
        The writer's connection, inside a transaction.
    dataset
        Whose rows.
    differs
        For each value column the SQL condition under which ``fresh`` and ``stored`` differ in it.
    run_id, origin
        Run and vendor that changed them.
    """
    described = dataset_named(dataset)
    first, day = described.key[0], DATE_OF[dataset]
    on = " AND ".join(f'stored."{name}" = fresh."{name}"' for name in described.key)
    flags = ", ".join(f'({condition}) AS "is_{name}"' for name, condition in differs.items())
    floats = [name for name in differs if described.columns[name] == "float64"]
    sizes = [f'CASE WHEN {differs[n]} THEN abs(fresh."{n}" / nullif(stored."{n}", 0) - 1) END' for n in floats]
    size = f"greatest({', '.join(sizes)})" if len(sizes) > 1 else next(iter(sizes), "NULL::DOUBLE")
    pair = f"changed_rows AS fresh JOIN {dataset} AS stored ON {on}"
    now = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(
        f"""INSERT INTO superseded SELECT ?, ?, fresh."{first}", fresh."{day}", ?, to_json(stored) FROM {pair}""",  # noqa: S608
        [run_id, dataset, now],
    )
    listed = ", ".join(f"""CASE WHEN bool_or("is_{name}") THEN '{name}' END""" for name in differs)
    connection.execute(
        f"""INSERT INTO restatement SELECT ?, ?, name, {_kind(dataset, differs)} AS kind, min(day), max(day), count(*),
        concat_ws(', ', {listed}), max(size), to_json(arg_max(before, coalesce(size, 0))),
        to_json(arg_max(after, coalesce(size, 0))), ? FROM (
            SELECT fresh."{first}" AS name, fresh."{day}" AS day, stored AS before, fresh AS after, {size} AS size, {flags}
            FROM {pair}
        ) GROUP BY name, kind ORDER BY name, kind""",  # noqa: S608
        [run_id, dataset, origin],
    )


def _kind(dataset: str, differs: dict[str, str]) -> str:
    """Return the SQL that names a change: a bar of which only the factor moved belongs to a corporate action."""
    if dataset != "bars":
        return "'restated'"
    others = [f'"is_{name}"' for name in differs if name not in {"adj_factor", "quality"}]
    return f"CASE WHEN is_adj_factor AND NOT ({' OR '.join(others)}) THEN 'corporate_action' ELSE 'restated' END"


def record_actions(connection: duckdb.DuckDBPyConnection, run_id: str, origin: str) -> None:
    """File the ex-dates in the temporary table ``new_rows`` of stocks whose factors were stored before.

    Parameters
    ----------
    connection
        The writer's connection, inside a transaction; the rows are not in ``adj_factors`` yet.
    run_id, origin
        Run and vendor that brought them.
    """
    connection.execute(
        """INSERT INTO restatement
        WITH step AS (
            SELECT fresh.symbol, fresh.ex_date, fresh.factor, last(stored.factor ORDER BY stored.ex_date) AS before
            FROM new_rows AS fresh JOIN adj_factors AS stored USING (symbol) WHERE stored.ex_date < fresh.ex_date
            GROUP BY ALL
        )
        SELECT ?, 'adj_factors', symbol, 'corporate_action', min(ex_date), max(ex_date), count(*), 'factor',
        max(abs(factor / nullif(before, 0) - 1)), json_object('factor', arg_max(before, ex_date)),
        json_object('ex_date', max(ex_date), 'factor', arg_max(factor, ex_date)), ? FROM step
        GROUP BY symbol ORDER BY symbol""",
        [run_id, origin],
    )


def record_withdrawn(
    connection: duckdb.DuckDBPyConnection,
    dataset: str,
    symbol: str,
    covers: tuple[date, date],
    run_id: str,
    origin: str,
) -> int:
    """File the stored rows inside a complete answer's window that the answer lacks; they stay stored.

    Parameters
    ----------
    connection
        The writer's connection, inside a transaction; the answer's rows are the view ``staged_arrow``.
    dataset
        ``bars`` or ``index_bars``.
    symbol
        Whose rows.
    covers
        First and last date for which the answer is complete.
    run_id, origin
        Run and vendor.

    Returns
    -------
    int
        How many; nothing is filed twice.
    """
    rows = connection.execute(
        f"""INSERT INTO restatement
        SELECT $run, $dataset, symbol, 'withdrawn', min(session) AS low, max(session) AS high, count(*), 'session',
        NULL, to_json(first(stored ORDER BY session)), NULL, $origin
        FROM {dataset} AS stored WHERE symbol = $symbol AND session BETWEEN $low AND $high
        AND session NOT IN (SELECT session FROM staged_arrow)
        AND session NOT IN (
            SELECT unnest(generate_series(first_date, last_date, INTERVAL 1 DAY))::DATE FROM restatement
            WHERE kind = 'withdrawn' AND dataset = $dataset AND symbol = $symbol
        )
        GROUP BY symbol RETURNING changed_rows""",  # noqa: S608
        {
            "run": run_id, "dataset": dataset, "symbol": symbol, "origin": origin, "low": covers[0], "high": covers[1],
        },
    ).fetchall()  # fmt: skip
    return int(rows[0][0]) if rows else 0
