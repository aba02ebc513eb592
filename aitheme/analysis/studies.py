"""Event studies of a theme's baskets around its releases, on a market snapshot."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter

from aitheme.analysis.room import INDUSTRY, StudyRoom
from aitheme.errors import UnknownNameError
from aitheme.symbols import board_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from aitheme.eventstudy import EventStudyResult
    from aitheme.panel import Provenance

# Studies from which on a second process pays.
_LARGE_GRID = 200
SIMULATED = "SIMULATED 模拟数据"

__all__ = ["BasketStudy", "StudyRoom", "compare_groups", "study_all", "study_release"]


@dataclass(frozen=True, slots=True)
class BasketStudy:
    """An event study with what it was about.

    Parameters
    ----------
    basket, event
        Ids.
    result
        The study.
    provenance
        Snapshot and as-of date.
    """

    basket: str
    event: str
    result: EventStudyResult
    provenance: Provenance

    def to_dict(self) -> dict[str, Any]:
        """Return the study as JSON-ready values with its basket and provenance."""
        return {
            "basket": self.basket,
            **self.result.to_dict(),
            "source": self.provenance.source,
            "snapshot": self.provenance.snapshot,
            "as_of": self.provenance.as_of.isoformat(),
            "simulated": self.provenance.simulated,
        }

    def _repr_html_(self) -> str:
        from aitheme.display import card

        account: str = self.result._repr_html_()
        head = card(f"{self.basket} around {self.event}", [str(self.provenance)], simulated=self.provenance.simulated)
        return head + account

    def plot(self, *, lang: str = "zh") -> Any:
        """Return the CAAR path with its placebo band; simulated data is marked as such."""
        return self.result.plot(lang=lang, watermark=SIMULATED if self.provenance.simulated else "")


def study_release(
    room: StudyRoom,
    basket: str,
    events: str | Iterable[str],
    *,
    model: str = "market",
    window: tuple[int, int] = (-5, 10),
    estimation: tuple[int, int] = (250, 30),
    benchmark: str | None = None,
    factors: str = "ff3",
    exclude_other_events: bool = False,
    random_baskets: bool = True,
    draws: int = 1000,
    **options: Any,
) -> BasketStudy:
    """Study a basket around one release, or pooled over several.

    Parameters
    ----------
    room
        Snapshot and registry.
    basket
        Basket id, report id, code or name; A-share members.
    events
        One release id or several.
    model, window, estimation, exclude_other_events, draws, options
        See :func:`aitheme.eventstudy.event_study`.
    benchmark
        Index symbol, ``equal-weight`` or ``industry``; the theme's benchmark by default.
    factors
        Factor set for ``model="factor"``.
    random_baskets
        Whether to compare with random baskets of the same boards and sizes (reads the whole market).

    Returns
    -------
    BasketStudy

    Raises
    ------
    AithemeError
        Unknown basket, event, benchmark or factor, or a study that its data cannot carry.
    """
    ids = [events] if isinstance(events, str) else list(events)
    result = _study(
        room,
        basket,
        ids,
        model=model,
        window=window,
        estimation=estimation,
        benchmark=benchmark,
        factors=factors,
        exclude_other_events=exclude_other_events,
        random_baskets=random_baskets,
        draws=draws,
        **options,
    )
    name = ids[0] if len(ids) == 1 else f"{len(ids)} releases"
    return BasketStudy(basket, name, result, room.market.provenance(room.as_of))


def _study(
    room: StudyRoom,
    basket: str,
    ids: list[str],
    *,
    model: str = "market",
    benchmark: str | None = None,
    factors: str = "ff3",
    random_baskets: bool = True,
    draws: int = 1000,
    **options: Any,
) -> EventStudyResult:
    from aitheme.eventstudy import event_study

    symbols, returns, limit_state = room.stocks(basket)
    days = [(event, room.day0(event)) for event in ids]
    # An industry's own mean is the market of the industry model.
    chosen = INDUSTRY if model == "industry" else benchmark or room.theme.benchmark
    market_returns, label = room.benchmark(chosen, symbols) if model not in {"mean", "factor"} else (None, None)
    if model in {"matched", "synthetic"}:
        label = None
    wide = (random_baskets and draws > 0 and len(ids) == 1) or model in {"synthetic", "matched"}
    controls = room.controls(days[0][1], symbols) if model == "matched" else None
    result: EventStudyResult = event_study(
        returns,
        days,
        model=model,
        benchmark=market_returns,
        benchmark_name=label,
        factors=room.factors(factors) if model == "factor" else None,
        limit_state=limit_state,
        other_events=[release for release in room.events if release.id not in ids],
        universe_returns=room.wider_market if wide else None,
        strata=room.strata(days[0][1]) if wide else None,
        controls=controls,
        draws=draws,
        **options,
    )
    return result


def study_all(room: StudyRoom, baskets: Iterable[str], *, workers: int | None = None, **options: Any) -> pd.DataFrame:
    """Study each basket around every release inside the data, and adjust for having asked so often.

    Parameters
    ----------
    room
        Snapshot and registry.
    baskets
        Basket ids, report ids, codes or names.
    workers
        Processes to share the releases among; by default two for a large grid where the system can fork, else one. The
        numbers do not depend on it.
    options
        As for :func:`study_release`.

    Returns
    -------
    pandas.DataFrame
        One row per basket and release: basket, event, day0, n, caar (ratio), rbar, n_eff, headline_test, headline_p, the
        family-wise (holm) and false-discovery (benjamini_hochberg, benjamini_yekutieli) adjusted p over all rows,
        naive_test, naive_p, reason (why a release could not be studied), and where the numbers come from.
    """
    import pandas as pd

    from aitheme.eventstudy.multiple import benjamini_hochberg, benjamini_yekutieli, holm

    # Release by release, so that what is worked out once for a date serves every basket; single days are not shown.
    task = _Grid(room, tuple(baskets), {"by_day": False, **options})
    count = _workers(task) if workers is None else workers
    parts = _forked(task, count) if count > 1 else [_release_rows(task, place) for place in range(len(room.releases))]
    rows = [row for part in parts for row in part]
    table = pd.DataFrame(rows, columns=[*_ALL_COLUMNS])
    p_values = table["headline_p"].to_numpy(dtype=float)
    for name, adjust in (
        ("holm", holm),
        ("benjamini_hochberg", benjamini_hochberg),
        ("benjamini_yekutieli", benjamini_yekutieli),
    ):
        table[name] = adjust(p_values)
    origin = room.market.provenance(room.as_of)
    return table.assign(
        model=options.get("model", "market"), benchmark=options.get("benchmark") or room.theme.benchmark,
        source=origin.source, snapshot=origin.snapshot, simulated=origin.simulated,
    )  # fmt: skip


_ALL_COLUMNS = (
    "basket", "event", "day0", "n", "caar", "rbar", "n_eff", "headline_test", "headline_p", "holm", "benjamini_hochberg",
    "benjamini_yekutieli", "naive_test", "naive_p", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Grid:
    room: StudyRoom
    baskets: tuple[str, ...]
    options: dict[str, Any]


def _workers(task: _Grid) -> int:
    """Return how many processes a grid is worth: starting them costs as much as some hundred studies."""
    # Factors are read from the store study by study, and a forked process must leave the store alone.
    alone = sys.platform != "linux" or task.options.get("model") == "factor"
    small = len(task.baskets) * len(task.room.releases) <= _LARGE_GRID
    return 1 if alone or small else min(2, os.cpu_count() or 1)


def _forked(task: _Grid, workers: int) -> list[list[dict[str, Any]]]:
    """Share the releases among processes that inherit what was read; rows come back in order, errors as themselves."""
    chosen = task.options.get("benchmark") or task.room.theme.benchmark
    task.room.read_ahead(task.baskets, None if task.options.get("model") == "mean" else chosen)
    with ProcessPoolExecutor(workers, get_context("fork"), _inherit, (task,)) as pool, catch_warnings():
        # The store's own threads stay behind in the parent, and nothing of the store is used in a child.
        simplefilter("ignore", DeprecationWarning)
        return list(pool.map(_inherited_rows, range(len(task.room.releases))))


_inherited: list[_Grid] = []


def _inherit(task: _Grid) -> None:
    from threadpoolctl import threadpool_limits

    # With a process per core, more threads for matrix products would fight for the cores.
    threadpool_limits(1, user_api="blas")
    task.room.leave_store()
    _inherited[:] = [task]


def _inherited_rows(place: int) -> list[dict[str, Any]]:
    return _release_rows(_inherited[0], place)


def _release_rows(task: _Grid, place: int) -> list[dict[str, Any]]:
    from aitheme.eventstudy import StudyError

    event, day0 = task.room.releases[place]
    rows = []
    for basket in task.baskets:
        row: dict[str, Any] = {"basket": basket, "event": event, "day0": day0.date().isoformat()}
        try:
            row |= _all_row(_study(task.room, basket, [event], **task.options))
        except StudyError as error:
            row["reason"] = str(error)
        rows.append(row)
    return rows


def _all_row(result: EventStudyResult) -> dict[str, Any]:
    head = result.headline
    return {
        "n": result.n,
        "caar": float(result.caar.iloc[-1]),
        "rbar": result.rbar,
        "n_eff": result.n_eff,
        "headline_test": head.test,
        "headline_p": head.p_value,
        "naive_test": head.naive_test,
        "naive_p": head.naive_p_value,
        "reason": head.reason,
    }


def compare_groups(room: StudyRoom, done: BasketStudy, by: str) -> pd.DataFrame:
    """Compare the CARs of groups of a study's stocks, with standard errors that allow for the common date.

    Parameters
    ----------
    room
        Snapshot and registry.
    done
        A study.
    by
        ``link`` (linked to the released model or not), ``basket`` (the basket's children) or ``board``.

    Raises
    ------
    UnknownNameError
        Another grouping.
    """
    import pandas as pd

    from aitheme.eventstudy import group_effects

    symbols = list(dict.fromkeys(symbol for unit in done.result.units for symbol in unit.symbols))
    groups: dict[str, str]
    if by == "board":
        groups = {symbol: str(board_of(symbol)) for symbol in symbols}
    elif by == "link":
        models = {room.theme.release(unit.event).model for unit in done.result.units}
        linked = {symbol for model in models if model is not None for symbol in room.theme.linked_symbols(model)}
        groups = {symbol: "linked" if symbol in linked else "unlinked" for symbol in symbols}
    elif by == "basket":
        owner: dict[str, str] = {}
        for member in room.theme.member_rows(done.basket):
            if member.symbol is not None:
                owner.setdefault(member.symbol, member.basket)
        groups = {symbol: owner.get(symbol, done.basket) for symbol in symbols}
    else:
        raise UnknownNameError.build("by", by, ("link", "basket", "board"), "choose one of them")
    table: pd.DataFrame = group_effects(done.result, pd.Series(groups))
    return table
