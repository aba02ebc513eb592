"""Run an expression on a snapshot: read, evaluate clause by clause, and say what was missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aitheme.screen.columns import CATALOGUE, checked_columns, nearest
from aitheme.screen.errors import ScreenError, refuse
from aitheme.screen.expression import Expression, parse_expression
from aitheme.screen.notes import notes_of
from aitheme.screen.reading import Reader, Window, reader_of
from aitheme.screen.result import FunnelStep, ScreenResult
from aitheme.screen.view import View, fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    import pandas as pd

    from aitheme.screen.registry import ReleaseCars
    from aitheme.store import Market
    from aitheme.themes import Theme

__all__ = ["Plan", "plan_of", "screen", "select", "theme_of", "view_of"]

_ALWAYS = ("symbol", "name")
_CONTEXT = ("industry", "price")


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked request.

    Parameters
    ----------
    expression
        Parsed expression.
    order
        Columns to sort by, each with whether the highest comes first.
    shown
        Columns of the result, after symbol and name.
    limit
        Most rows, None for all.
    universe
        Basket id or symbols, None for the whole market.
    """

    expression: Expression
    order: tuple[tuple[str, bool], ...]
    shown: tuple[str, ...]
    limit: int | None
    universe: str | tuple[str, ...] | None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column to compute."""
        order = tuple(name for name, _ in self.order)
        return tuple(dict.fromkeys((*_ALWAYS, *self.shown, *self.expression.columns, *order)))

    @property
    def used(self) -> tuple[str, ...]:
        """Columns that decide which names are in and where."""
        return tuple(dict.fromkeys((*self.expression.columns, *(name for name, _ in self.order))))

    @property
    def sources(self) -> frozenset[str]:
        """Parts of the store and theme that are needed."""
        return frozenset(CATALOGUE[name].source for name in self.columns)

    @property
    def needs_theme(self) -> bool:
        """Whether anything refers to the theme."""
        named = self.expression.baskets or self.expression.models or isinstance(self.universe, str)
        return bool(named) or not self.sources.isdisjoint({"theme", "releases"})


def plan_of(
    expression: str,
    order_by: str | Sequence[str] | None,
    limit: int | None,
    universe: str | Iterable[str] | None,
    columns: Iterable[str] | None,
) -> Plan:
    """Check a request before anything is read (ScreenError)."""
    parsed = parse_expression(expression)
    order = _order(order_by)
    if limit is not None and limit < 1:
        raise ScreenError(f"limit: {limit} is not a number of rows; give 1 or more, or leave it out for all")
    if columns is None:
        shown = (*_CONTEXT, *(name for name, _ in order), *parsed.columns)
    else:
        shown = checked_columns("columns", [columns] if isinstance(columns, str) else columns)
    chosen = tuple(name for name in dict.fromkeys(shown) if name not in _ALWAYS)
    pool = universe if universe is None or isinstance(universe, str) else tuple(universe)
    return Plan(parsed, order, chosen, limit, pool)


def _order(order_by: str | Sequence[str] | None) -> tuple[tuple[str, bool], ...]:
    """Read ``ret_60``, ``ret_60 asc`` or ``ret_60 desc``, several separated by commas."""
    parts = order_by.split(",") if isinstance(order_by, str) else list(order_by or ())
    order = []
    for part in parts:
        name, _, direction = part.strip().lower().partition(" ")
        if direction.strip() not in {"", "asc", "desc"}:
            raise ScreenError(f"order_by: {part.strip()!r} cannot be read; write a column, then asc or desc")
        (column,) = checked_columns("order_by", [name])
        falling = direction.strip() == "desc" or (not direction.strip() and CATALOGUE[column].kind != "text")
        order.append((column, falling))
    return tuple(order)


def screen(
    market: Market,
    theme: Theme | str,
    expression: str,
    *,
    as_of: str | date | None = None,
    order_by: str | Sequence[str] | None = None,
    limit: int | None = None,
    universe: str | Iterable[str] | None = None,
    columns: Iterable[str] | None = None,
    release_cars: ReleaseCars | None = None,
) -> ScreenResult:
    """Return the A-shares for which an expression is true, as known on a date.

    Parameters
    ----------
    market
        Snapshot to read.
    theme
        Registry for baskets and links, or the name of a packaged one (or its folder), loaded only when needed.
    expression
        SQL condition over the columns of :func:`aitheme.screen.columns_table`, for example
        ``ret_60 > 0.3 and excess_20 > 0 and in_basket('ai/all') and not st``.
    as_of
        Nothing published later is used; the store's last session by default.
    order_by
        Columns, highest first (texts A to Z) unless followed by ``asc`` or ``desc``; NULL last, ties by symbol.
    limit
        Most rows.
    universe
        Basket id or symbols to choose from; the whole market by default. Ranks stay relative to the market.
    columns
        Columns to show after symbol and name; by default industry, price and those used.
    release_cars
        Another event study for ``mean_car_releases`` and its companions than :mod:`aitheme.screen.releases`. It is
        called with one row per symbol and release (``symbol``, ``release``, ``day0``) whose window [0,4] is over, and
        the as-of date, and returns one row per symbol: ``symbol``, ``mean_car``, ``t``, ``p``, ``n``.

    Returns
    -------
    ScreenResult

    Raises
    ------
    ScreenError
        The expression holds anything that is not whitelisted, or an option is wrong.
    DateRangeError
        `as_of` lies outside the store's data.
    """
    plan = plan_of(expression, order_by, limit, universe, columns)
    reader = reader_of(market)
    moment, row = reader.row_of(as_of)
    registry = theme_of(theme, plan)
    window = reader.window(row, fields_of(plan.columns))
    view = view_of(reader, window, moment, row, plan, registry, release_cars)
    chosen, funnel = select(plan, view, len(reader.symbols))
    frame = _frame(plan, view, chosen)
    nulls = {name: int((view.column(name).null & view.inside).sum()) for name in plan.columns}
    universe_size = int(view.inside.sum())
    matched = len(chosen)
    return ScreenResult(
        frame=frame if limit is None else frame.head(limit).reset_index(drop=True),
        expression=plan.expression.text.strip(),
        as_of=moment,
        session=reader.sessions[row].item(),
        provenance=market.provenance(moment),
        funnel=funnel,
        matched=matched,
        universe=universe_size,
        nulls=nulls,
        notes=notes_of(plan, view, reader, moment, nulls),
        order_by=tuple(f"{name} {'desc' if falling else 'asc'}" for name, falling in plan.order),
        limit=limit,
    )


def theme_of(theme: Theme | str, plan: Plan) -> Theme | None:
    """Load the theme where something refers to it, and check the ids used."""
    if not plan.needs_theme:
        return None
    if isinstance(theme, str):
        from aitheme.themes import load_theme

        theme = load_theme(theme)
    text = plan.expression.text
    for named, known, list_them in (
        (plan.expression.baskets, theme.baskets, "run `aitheme baskets` to list them"),
        (plan.expression.models, theme.models, f"models are {', '.join(sorted(theme.models)[:12])} …"),
    ):
        for item in named:
            if item.name not in known:
                raise refuse(text, item.start, f"{item.name!r} is not known", nearest(item.name, known) + list_them)
    if isinstance(plan.universe, str):
        theme.basket(plan.universe)
    return theme


def view_of(
    reader: Reader,
    window: Window,
    moment: date,
    row: int,
    plan: Plan,
    theme: Theme | None,
    release_cars: ReleaseCars | None,
) -> View:
    """Return the market as of a session, restricted to the plan's universe."""
    estimates = None
    if "consensus" in plan.sources:
        if moment not in window.estimates:
            window.estimates[moment] = reader.estimates(moment)
        estimates = window.estimates[moment]
    if moment not in window.securities:
        window.securities[moment] = reader.securities(moment)
    if release_cars is None and "releases" in plan.sources:
        # With it comes scipy.stats, half a second that a screen of prices has no use for.
        from aitheme.screen.releases import release_cars as built_in_study

        release_cars = _kept(window, theme, built_in_study(reader, row))
    view = View(
        window, window.securities[moment], reader.sessions[: row + 1], moment, estimates=estimates, theme=theme,
        release_cars=release_cars,
    )  # fmt: skip
    if isinstance(plan.universe, str):
        view.inside = view.in_basket(plan.universe)
    elif plan.universe is not None:
        wanted = frozenset(plan.universe)
        view.inside = np.array([symbol in wanted for symbol in view.symbols], dtype=bool)
    return view


def _kept(window: Window, theme: Theme | None, study: ReleaseCars) -> ReleaseCars:
    """Return a study that keeps its answer with the window: one per theme and as-of date."""

    def cars(releases: pd.DataFrame, as_of: date) -> pd.DataFrame:
        key = (theme.id if theme is not None else "", as_of)
        if key not in window.cars:
            window.cars[key] = study(releases, as_of)
        return window.cars[key]

    return cars


def select(plan: Plan, view: View, n_store: int) -> tuple[np.ndarray, tuple[FunnelStep, ...]]:
    """Apply the clauses one after the other.

    Returns
    -------
    tuple
        Positions of the names left, and the funnel.
    """
    alive = len(view.symbols)
    steps = [FunnelStep("a bar in the last 250 sessions", n_store, n_store - alive, 0, alive)]
    left = view.inside.copy()
    if plan.universe is not None:
        label = plan.universe if isinstance(plan.universe, str) else f"{len(plan.universe)} symbols"
        inside = int(left.sum())
        steps.append(FunnelStep(f"universe {label}", alive, alive - inside, 0, inside))
    for clause in plan.expression.clauses:
        outcome = clause.evaluate(view)
        before = int(left.sum())
        unknown = int((left & outcome.null).sum())
        left &= outcome.values
        after = int(left.sum())
        steps.append(FunnelStep(clause.text, before, before - after, unknown, after))
    return _sorted(plan, view, np.flatnonzero(left)), tuple(steps)


def _sorted(plan: Plan, view: View, chosen: np.ndarray) -> np.ndarray:
    """Sort positions: NULL last, ties by symbol (in which order the names already are)."""
    keys: list[np.ndarray] = []
    for name, falling in plan.order:
        column = view.column(name)
        values, null = column.values[chosen], column.null[chosen]
        codes = np.unique(values, return_inverse=True)[1]
        keys += [null, np.where(null, 0, -codes if falling else codes)]
    return chosen[np.lexsort(tuple(reversed(keys)))] if keys else chosen


def _frame(plan: Plan, view: View, chosen: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    data: dict[str, Any] = {}
    for name in (*_ALWAYS, *plan.shown):
        column = view.column(name)
        values, null = column.values[chosen], column.null[chosen]
        if column.kind == "number":
            data[name] = np.where(null, np.nan, values)
        elif column.kind == "date":
            data[name] = np.where(null, np.datetime64("NaT"), values).astype("datetime64[s]")
        elif null.any():
            data[name] = np.where(null, None, values.astype(object))
        else:
            data[name] = values
    return pd.DataFrame(data)
