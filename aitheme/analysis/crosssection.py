"""Who moved more: CARs of a study against what was known of its stocks the evening before the release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aitheme.errors import DateRangeError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from aitheme.analysis.room import StudyRoom
    from aitheme.analysis.studies import BasketStudy
    from aitheme.eventstudy.crosssection import AttributeRegression

__all__ = ["ATTRIBUTES", "attributes_before", "regress_cars"]

ATTRIBUTES = {
    "linked": "1 for a company with a link to the released model, else 0",
    "size": "log market value, share counts as the store holds them",
    "turnover": "log of the mean daily turnover in CNY over 20 sessions",
    "run_up": "total return over 60 sessions, ratio",
    "forward_pe": "price over the EPS of the release's fiscal year as published by then",
}
"""Attributes by name; all as of the last session before day 0."""

_TURNOVER_SESSIONS = 20
_RUN_UP_SESSIONS = 60


def attributes_before(room: StudyRoom, done: BasketStudy) -> pd.DataFrame:
    """Return the attributes of a study's stocks on the last session before day 0.

    Parameters
    ----------
    room
        Snapshot and registry.
    done
        A study of one release.

    Returns
    -------
    pandas.DataFrame
        Symbols x :data:`ATTRIBUTES`; missing where the store does not know.

    Raises
    ------
    DateRangeError
        The study pools several releases, so there is no single evening before.
    """
    import numpy as np
    import pandas as pd

    if len(done.result.units) != 1:
        raise DateRangeError(f"event: {done.event} pools several releases; study one of them to regress its CARs")
    unit = done.result.units[0]
    symbols, day0 = list(unit.symbols), done.result.sessions[unit.position]
    panel = room.market.panel(symbols, end=(day0 - pd.Timedelta(days=1)).date())
    price, level = panel.close.ffill().iloc[-1], panel.level.ffill()
    shares = room.market.securities()["total_shares"].reindex(symbols)
    model = room.theme.release(unit.event).model
    linked = set() if model is None else set(room.theme.linked_symbols(model))
    estimates = room.market.consensus(symbols, as_of=panel.sessions[-1].date())
    eps = estimates[(estimates["fiscal_year"] == day0.year) & (estimates["eps"] > 0)].set_index("symbol")["eps"]
    back = min(_RUN_UP_SESSIONS, len(level) - 1)
    return pd.DataFrame(
        {
            "linked": pd.Series({symbol: float(symbol in linked) for symbol in symbols}),
            "size": np.log(price * shares),
            "turnover": np.log(panel.amount.tail(_TURNOVER_SESSIONS).mean()),
            "run_up": level.iloc[-1] / level.iloc[-1 - back] - 1,
            "forward_pe": price / eps.reindex(symbols),
        }
    )[list(ATTRIBUTES)]


def regress_cars(room: StudyRoom, done: BasketStudy, attributes: Iterable[str]) -> AttributeRegression:
    """Regress a study's CARs on attributes, with standard errors that allow for the common date.

    Parameters
    ----------
    room
        Snapshot and registry.
    done
        A study of one release.
    attributes
        Names in :data:`ATTRIBUTES`.

    Returns
    -------
    AttributeRegression
        Coefficients with robust and naive errors side by side.

    Raises
    ------
    UnknownNameError
        An unknown attribute.
    StudyError
        No stock has all attributes, or they are collinear.
    """
    from aitheme.eventstudy import attribute_regression

    chosen = list(attributes)
    for name in chosen:
        if name not in ATTRIBUTES:
            raise UnknownNameError.build("regress", name, ATTRIBUTES, f"choose from {', '.join(ATTRIBUTES)}")
    fit: AttributeRegression = attribute_regression(done.result, attributes_before(room, done)[chosen])
    return fit
