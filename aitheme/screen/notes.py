"""What the reader of a screen must know: dated attributes, missing data, baskets that were not public yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aitheme.screen.columns import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from aitheme.screen.reading import Reader
    from aitheme.screen.run import Plan
    from aitheme.screen.view import View

__all__ = ["dated_attributes", "notes_of"]

_CONTEXT = frozenset({"name", "industry"})
_DATED = frozenset({"name", "industry", "st", "market_cap", "float_cap"})


def notes_of(plan: Plan, view: View, reader: Reader, moment: date, nulls: Mapping[str, int]) -> tuple[str, ...]:
    """Return the notes of one screen.

    Parameters
    ----------
    plan
        What was asked.
    view
        The market it was answered from.
    reader
        The snapshot.
    moment
        The as-of date.
    nulls
        NULLs per column within the universe.
    """
    return (
        *_session(reader, moment),
        *dated_attributes(plan, view, moment),
        *_missing(plan, view, nulls),
        *_ages(plan, view),
        *_baskets(plan, view),
        *_left_out(plan, view, reader),
    )


def _session(reader: Reader, moment: date) -> Iterator[str]:
    session = reader.sessions[np.searchsorted(reader.sessions, np.datetime64(moment), side="right") - 1].item()
    if session != moment:
        yield f"{moment} is no session: prices are of {session}"


def dated_attributes(plan: Plan, view: View, moment: date) -> Iterator[str]:
    """Yield a warning when columns of the security list, which is dated, decide who is in."""
    used = [name for name in plan.used if name in _DATED or name.startswith("excess_ind_")]
    if "industry" in plan.expression.scopes:
        used.append("rank within industry")
    if not used:
        return
    held = view.securities
    late = ~(held["shares_as_of"] <= np.datetime64(moment))
    unseen = held["name_as_of"].isna()
    lists = {"market_cap": late, "float_cap": late, "st": unseen, "name": unseen}
    undated = [name for name in used if name not in lists or lists[name].any()]
    if not undated:
        return
    dates = held.loc[late, "shares_as_of"].dropna()
    words = "are undated in the store" if dates.empty else f"are as of {dates.max():%Y-%m-%d} (shares_as_of)"
    ahead = "" if dates.empty else f", later than {moment}: a look-ahead"
    yield f"{', '.join(undated)}: industry, ST, names and share counts of the store's security list {words}{ahead}"


def _missing(plan: Plan, view: View, nulls: Mapping[str, int]) -> Iterator[str]:
    total = int(view.inside.sum())
    for name, count in nulls.items():
        if not count or (name in _CONTEXT and name not in plan.used):
            continue
        where = "" if name in plan.used else " (shown only)"
        yield f"{name}{where}: NULL for {count:,} of {total:,} names; {CATALOGUE[name].null_when}"


def _ages(plan: Plan, view: View) -> Iterator[str]:
    if "listing_age" in plan.columns:
        unknown = int(view.securities["listed"].isna().to_numpy()[view.inside].sum())
        if unknown:
            start = view.prices.prices.data_start
            yield (
                f"listing_age: the store has no listing date of {unknown:,} names; counted from their first bar "
                f"(the store begins {start}), a lower bound"
            )


def _baskets(plan: Plan, view: View) -> Iterator[str]:
    if view.theme is None:
        return
    named = [item.name for item in plan.expression.baskets]
    if isinstance(plan.universe, str):
        named.append(plan.universe)
    for basket in dict.fromkeys(named):
        hidden = view.theme.unpublished(basket)
        if hidden:
            which = "not public yet" if hidden == (basket,) else f"without {', '.join(hidden)}, not public yet"
            yield f"basket {basket}: {which}"


def _left_out(plan: Plan, view: View, reader: Reader) -> Iterator[str]:
    gone = len(reader.symbols) - len(view.symbols)
    if gone:
        yield f"{gone:,} A-shares without a bar in the last 250 sessions (not listed yet, or no longer) are left out"
    if reader.n_overseas:
        yield f"{reader.n_overseas} names of other markets are left out"
    if plan.universe is not None and not isinstance(plan.universe, str):
        absent = len(set(plan.universe) - set(view.symbols))
        if absent:
            yield f"{absent} of the symbols given have no bar in the last 250 sessions"
