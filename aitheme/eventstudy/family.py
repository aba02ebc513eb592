"""Families of studies: baskets x events x windows, their heatmap and their adjusted p-values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from aitheme.eventstudy.errors import StudyError
from aitheme.eventstudy.multiple import benjamini_hochberg, benjamini_yekutieli, holm, romano_wolf

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aitheme.eventstudy.arrays import FloatArray
    from aitheme.eventstudy.result import EventStudyResult

LEAST_SHARED = 19
"""Placebo dates the members must share before Romano-Wolf can reach 5 %."""


def adjust_family(
    results: Mapping[str, EventStudyResult], *, test: str = "randomisation_dates", windows_only: bool = True
) -> pd.DataFrame:
    """Adjust the p-values of one test over many studies and windows.

    Parameters
    ----------
    results : mapping of str to EventStudyResult
        Studies by name (basket, event, or both).
    test : str
        Name of the test.
    windows_only : bool
        Leave single days inside a longer window out of the family.

    Returns
    -------
    DataFrame
        Columns ``study``, ``scope``, ``statistic``, ``p_value``, ``holm``, ``benjamini_hochberg``,
        ``benjamini_yekutieli``, ``romano_wolf`` and ``reason``. A study to which the test does not apply keeps its row
        and its reason. Romano-Wolf uses the placebo dates all studies share, for ``randomisation_dates`` only; its
        column is NaN and the attribute ``frame.attrs["romano_wolf"]`` says why where it cannot be computed.

    Raises
    ------
    StudyError
        If there is no study, or none ran the test.
    """
    if not results:
        raise StudyError("results is empty: pass at least one study")
    frames = []
    for name, result in results.items():
        table = result.tests
        keep = table["test"] == test
        if windows_only:
            keep &= ~table["scope"].str.startswith("day ")
        frames.append(table[keep].assign(study=name))
    table = pd.concat(frames, ignore_index=True)
    if table.empty:
        raise StudyError(f"test={test!r} was not run in any study; add it to tests")
    p_values = table["p_value"].to_numpy(dtype=np.float64)
    stepped, why = _romano_wolf(results, table) if test == "randomisation_dates" else (None, "needs placebo draws")
    adjusted = table[["study", "scope", "statistic", "p_value"]].assign(
        holm=holm(p_values),
        benjamini_hochberg=benjamini_hochberg(p_values),
        benjamini_yekutieli=benjamini_yekutieli(p_values),
        romano_wolf=np.full(len(table), np.nan) if stepped is None else stepped,
        reason=table["reason"],
    )
    adjusted.attrs["romano_wolf"] = why
    return adjusted


def heatmap(results: Mapping[tuple[str, str], EventStudyResult], *, test: str = "headline") -> pd.DataFrame:
    """Event x basket table for a heatmap.

    Parameters
    ----------
    results : mapping of (basket, event) to EventStudyResult
        One study a cell.
    test : str
        Test whose p-value is shown; ``headline`` for each study's own.

    Returns
    -------
    DataFrame
        One row a cell: ``basket``, ``event``, ``day0``, ``n``, ``caar``, ``rbar``, ``n_eff``, ``p_value``, ``reason``.
    """
    rows = []
    for (basket, event), result in results.items():
        if test == "headline":
            p_value, reason = result.headline.p_value, result.headline.reason
        else:
            outcome = result.outcomes.get(test)
            p_value = float("nan") if outcome is None else float(outcome.p_value[-1])
            reason = f"{test} was not run" if outcome is None else outcome.reason[-1]
        day0 = result.sessions[result.units[0].position]
        caar = float(result.caar.iloc[-1])
        rows.append((basket, event, day0, result.n, caar, result.rbar, result.n_eff, p_value, reason))
    return pd.DataFrame(rows, columns=["basket", "event", "day0", "n", "caar", "rbar", "n_eff", "p_value", "reason"])


def _romano_wolf(results: Mapping[str, EventStudyResult], table: pd.DataFrame) -> tuple[FloatArray | None, str]:
    columns = []
    for name, scope, reason in zip(table["study"], table["scope"], table["reason"], strict=True):
        if reason:
            columns.append(pd.Series(dtype=np.float64))
            continue
        drawn = results[name].placebo_statistics[scope]
        if not isinstance(drawn.index, pd.DatetimeIndex):
            return None, f"{name} pools several events, whose draws belong to no single placebo date"
        columns.append(drawn)
    filled = [column for column in columns if len(column)]
    if not filled:
        return None, "no study has placebo draws"
    shared = filled[0].index
    for column in filled[1:]:
        shared = shared.intersection(column.index)
    if len(shared) < LEAST_SHARED:
        return None, f"the studies share {len(shared)} placebo dates, needs {LEAST_SHARED}"
    draws = np.stack([column.reindex(shared).to_numpy(dtype=np.float64) for column in columns])
    return romano_wolf(table["statistic"].to_numpy(dtype=np.float64), draws), ""
