"""From what vendors delivered to batches: total-return bars, provenance, outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from aitheme.sources.akshare.checks import NO_REJECTS, join_rejects, rejects_of
from aitheme.sources.akshare.datasets import table_of
from aitheme.sources.akshare.factors import factor_on
from aitheme.sources.akshare.outcomes import LiveBatch, Ok, Rejected
from aitheme.sources.akshare.schemas import violations
from aitheme.sources.base import RETURN_APPROXIMATE

if TYPE_CHECKING:
    from datetime import date

    from aitheme.sources.akshare.reading import Fetched

__all__ = ["bars_with_factor", "live_batch", "rejects_inside"]

_EMPTY: Final = pd.DataFrame()
# No price limit lets a mainland share move further in a day, listing days and resumptions aside.
_JUMP: Final = {"BJ": 0.32, "SH": 0.22, "SZ": 0.22}


def live_batch(
    dataset: str,
    fetched: Fetched,
    symbol: str | None = None,
    *,
    frame: pd.DataFrame | None = None,
    covers: tuple[date, date] | None = None,
    now: datetime | None = None,
    validate: bool = True,
    **changes: Any,
) -> LiveBatch:
    """Wrap what was fetched into a batch.

    Parameters
    ----------
    dataset
        Dataset name.
    fetched
        Rows, outcome and attempts.
    symbol
        Whose rows; None for a market-wide table.
    frame
        Rows to use instead of the reading's.
    covers
        Dates for which the rows are complete; dropped unless the outcome settles them.
    now
        When the answer arrived.
    validate
        Whether to check the rows against the dataset's pandera schema (some 10 ms); rows that fail it as a whole are
        refused as a whole.
    **changes
        Further fields of the batch to set.
    """
    reading = fetched.reading
    rows = frame if frame is not None else reading.frame if reading is not None else _EMPTY
    if validate:
        rows, fetched = _gate(dataset, rows, symbol, fetched)
    batch = LiveBatch(
        dataset,
        table_of(dataset, rows, ordered=symbol is not None and dataset in {"bars", "index_bars", "adj_factors"}),
        fetched.rejects,
        reading.notes if reading is not None else (),
        fetched.origin,
        symbol=symbol,
        outcome=fetched.outcome,
        source=fetched.source,
        fallback=fetched.fallback,
        covers=covers if fetched.outcome.settles else None,
        fetched=now or datetime.now(UTC),
        attempts=fetched.attempts,
    )
    if isinstance(batch.outcome, Ok):
        changes.setdefault("outcome", Ok(batch.table.num_rows))
    return replace(batch, **changes) if changes else batch


def _gate(dataset: str, rows: pd.DataFrame, symbol: str | None, fetched: Fetched) -> tuple[pd.DataFrame, Fetched]:
    """Let rows through that satisfy the dataset's schema; otherwise refuse all of them."""
    wrong = violations(dataset, rows)
    if not wrong:
        return rows, fetched
    refused = rejects_of(rows, symbol, rows, dict.fromkeys(range(len(rows)), f"schema: {wrong[0]}"))
    outcome = Rejected(len(rows), wrong)
    return _EMPTY, replace(fetched, outcome=outcome, rejects=join_rejects(fetched.rejects, refused))


def bars_with_factor(
    symbol: str, bars: pd.DataFrame, factors: pd.DataFrame, *, approximate: bool
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Join unadjusted bars with the factor in force, and mark what cannot be a full total return.

    Parameters
    ----------
    symbol
        Canonical symbol.
    bars
        Canonical bars, ascending.
    factors
        ``ex_date``, ``factor``.
    approximate
        Whether the factors were computed from dividends, without rights issues.

    Returns
    -------
    tuple
        Rows of the ``bars`` dataset, and notes on moves no price limit allows: an ex-date may be missing there.
    """
    sessions = bars["session"].to_numpy().astype("datetime64[D]")
    factor = factor_on(factors, sessions)
    quality = np.full(len(bars), RETURN_APPROXIMATE if approximate else 0, dtype=np.int8)
    notes: tuple[str, ...] = ()
    limit = _JUMP.get(symbol.rpartition(".")[2])
    level = bars["close"].to_numpy() * factor
    if limit is not None and len(level) > 1:
        moves = np.abs(level[1:] / level[:-1] - 1) > limit
        usual = np.diff(sessions).astype("int64") <= 5  # noqa: PLR2004  # a resumption may open anywhere
        jumps = np.flatnonzero(moves & usual) + 1
        jumps = jumps[jumps >= 5] if len(jumps) else jumps  # noqa: PLR2004  # the first five sessions are free
        if len(jumps):
            quality[jumps] |= RETURN_APPROXIMATE
            days = ", ".join(str(day) for day in sessions[jumps[:5]])
            notes = (f"moves beyond the price limit on {days}: an ex-date may be missing from the factors",)
    return bars.assign(symbol=symbol, adj_factor=factor, quality=quality), notes


def rejects_inside(rejects: pd.DataFrame, since: date) -> pd.DataFrame:
    """Leave out rejects dated before a window: vendors that send full history would refuse them again each day."""
    if rejects.empty:
        return rejects
    inside = [day is None or pd.isna(day) or day >= since for day in rejects["session"]]
    return rejects[inside].reset_index(drop=True) if any(inside) else NO_REJECTS
