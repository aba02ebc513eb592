"""How a result is shown: summary, HTML, dictionary and workbook."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

    from aitheme.eventstudy.result import EventStudyResult, Headline

SMALL_P = 1e-4
SHOWN_OVERLAPS = 5
SHOWN = ("test", "statistic", "p_value", "assumes_independence", "allows_event_variance", "reason")


@dataclass(frozen=True, slots=True)
class Summary:
    """Readable account of a study.

    Attributes
    ----------
    title : str
        Events and window.
    lines : tuple of str
        Facts, one a line.
    sentence : str
        The headline in one sentence.
    tests : DataFrame
        Tests over the window.
    """

    title: str
    lines: tuple[str, ...]
    sentence: str
    tests: pd.DataFrame

    def __str__(self) -> str:
        table = self.tests.to_string(index=False, na_rep="", float_format=lambda value: f"{value:.4g}")
        return "\n".join([self.title, *self.lines, "", self.sentence, "", table])

    def _repr_html_(self) -> str:
        facts = "".join(f"<li>{escape(line)}</li>" for line in self.lines)
        table = self.tests.to_html(index=False, border=0, na_rep="", float_format=lambda value: f"{value:.4g}")
        return f"<div><b>{escape(self.title)}</b><ul>{facts}</ul><p>{escape(self.sentence)}</p>{table}</div>"


def summarise(result: EventStudyResult) -> Summary:
    """Summary of a study.

    Parameters
    ----------
    result : EventStudyResult
        The study.

    Returns
    -------
    Summary
        Title, facts, the headline sentence and the tests over the window.
    """
    window = result.sample.scopes.labels[-1]
    first, last = result.design.estimation_days
    link = result.sample.dependence
    names = ", ".join(f"{unit.event} (day 0 {result.sessions[unit.position]:%Y-%m-%d})" for unit in result.units)
    lines = [
        f"model: {result.model_title}; benchmark: {result.benchmark_name}; estimation days {first} .. {last}",
        f"stocks N = {result.n}, CAAR {window} = {100.0 * result.caar.iloc[-1]:.2f} %",
        _dependence_line(result),
        f"data: {result.loss}",
    ]
    if link.reason:
        lines[2] += f" ({link.reason})"
    if result.randomisation is not None:
        drawn = result.randomisation
        lines.append(f"placebo dates: {drawn.eligible} eligible, {drawn.non_overlapping} with disjoint windows")
    if result.limits is not None:
        stocks = result.limits.stocks
        lines.append(
            f"limit days in the window: {int(stocks['limit_up'].sum())} up, {int(stocks['limit_down'].sum())} down; "
            f"{int(stocks['locked_at_exit'].sum())} stocks locked on the last day; "
            f"limit-aware CAAR {100.0 * result.limits.limit_aware_caar:.2f} %"
        )
    lines.extend(_overlap_lines(result))
    table = result.tests
    shown = table[table["scope"] == window][list(SHOWN)]
    return Summary(f"Event study {window}: {names}", tuple(lines), headline_sentence(result), shown)


def headline_sentence(result: EventStudyResult) -> str:
    """Tell the study in one sentence, the naive claim beside the robust one."""
    head = result.headline
    moved = f"CAAR {head.scope} of {100.0 * result.caar.iloc[-1]:.2f} % against {result.benchmark_name}"
    if head.reason:
        robust = f"{moved} has no p-value that survives a common date: {head.reason}"
    else:
        provisional = f", provisional with {head.sessions_after} later sessions" if head.provisional else ""
        robust = f"{moved} has {_p_text(head.p_value)} by {head.test}{provisional}"
    return f"{robust}; {_naive_claim(head, result)}."


def as_dict(result: EventStudyResult) -> dict[str, Any]:
    """Turn a result into plain Python values, NaN into None."""
    first, last = result.design.estimation_days
    head, drawn = result.headline, result.randomisation
    return {
        "event": _one([unit.event for unit in result.units]),
        "day0": _dates(result, 0),
        "window": list(result.design.window),
        "estimation": list(result.design.estimation),
        "estimation_first": _dates(result, first),
        "estimation_last": _dates(result, last),
        "model": result.model,
        "benchmark": result.benchmark_name,
        "n": result.n,
        "caar": _plain(result.caar.iloc[-1]),
        "rbar": _plain(result.rbar),
        "inflation": _plain(result.inflation),
        "n_eff": _plain(result.n_eff),
        "tests": _test_records(result),
        "headline_test": head.test,
        "headline_p": _plain(head.p_value),
        "headline_p_before": _plain(head.p_value_before),
        "headline_provisional": head.provisional,
        "headline": headline_sentence(result),
        "placebo_dates": None if drawn is None else drawn.eligible,
        "placebo_dates_disjoint": None if drawn is None else drawn.non_overlapping,
        "dropped": result.loss.counts(),
        "overlapping": result.overlapping.to_dict(orient="records"),
    }


def write_excel(result: EventStudyResult, path: str | Path) -> None:
    """Write the result as a workbook with one sheet a table."""
    summary = result.summary()
    facts = pd.DataFrame({"": [summary.title, *summary.lines, summary.sentence]})
    sheets = {
        "summary": facts,
        "tests": result.tests,
        "caar": pd.concat([result.aar, result.caar], axis=1).reset_index(),
        "cars": _flat(result.cars.T),
        "abnormal_returns": result.tidy(),
        "coefficients": _flat(pd.concat([result.coefficients, result.r_squared, result.sigma], axis=1)),
        "loss": result.loss.stocks,
        "sessions_left_out": result.loss.sessions,
        "overlaps": result.overlapping,
    }
    if result.limits is not None:
        sheets["limits"] = result.limits.stocks
    with pd.ExcelWriter(path, engine="xlsxwriter", datetime_format="yyyy-mm-dd") as book:
        for name, frame in sheets.items():
            frame.to_excel(book, sheet_name=name, index=False)


def _overlap_lines(result: EventStudyResult) -> list[str]:
    """Name, for each event, the other releases that fall into its window, nearest first."""
    table, lines = result.overlapping, []
    for unit in result.units:
        own = table[(table["event"] == unit.event) | (table["other"] == unit.event)].sort_values("sessions_apart")
        others = own["event"].where(own["other"] == unit.event, own["other"])
        near = [f"{name} ({apart} apart)" for name, apart in zip(others, own["sessions_apart"], strict=True)]
        if near:
            more = f" and {len(near) - SHOWN_OVERLAPS} more" if len(near) > SHOWN_OVERLAPS else ""
            lines.append(f"windows that overlap {unit.event}: {', '.join(near[:SHOWN_OVERLAPS])}{more}")
    return lines


def _dependence_line(result: EventStudyResult) -> str:
    link = result.sample.dependence
    return (
        f"rbar = {link.rbar:.4f}, variance inflation 1 + (N - 1) rbar = {link.inflation:.2f}, N_eff = {link.n_eff:.1f}"
    )


def _naive_claim(head: Headline, result: EventStudyResult) -> str:
    if not head.naive_test:
        return "no test that takes the stocks as independent applies either"
    return (
        f"the naive {head.naive_test}, which takes the {result.n} stocks as independent, "
        f"would have claimed {_p_text(head.naive_p_value)}"
    )


def _p_text(p_value: float) -> str:
    return f"p < {SMALL_P:g}" if p_value < SMALL_P else f"p = {p_value:.3g}"


def _plain(value: Any) -> float | None:
    return None if not np.isfinite(value) else float(value)


def _dates(result: EventStudyResult, day: int) -> str | list[str]:
    return _one([f"{result.sessions[unit.position + day]:%Y-%m-%d}" for unit in result.units])


def _test_records(result: EventStudyResult) -> list[dict[str, Any]]:
    return [
        {
            "name": row.test,
            "scope": row.scope,
            "statistic": _plain(row.statistic),
            "p": _plain(row.p_value),
            "df": _plain(row.df),
            "reference": row.reference,
            "assumes": "independence" if row.assumes_independence else "common date allowed",
            "allows_event_variance": bool(row.allows_event_variance),
            "reason": row.reason,
        }
        for row in result.tests.itertuples()
    ]


def _one(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.rename_axis(columns=None).reset_index()
