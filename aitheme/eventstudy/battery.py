"""The named tests of a study: what each computes, what it assumes, and their common table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from aitheme.eventstudy import nonparametric, parametric
from aitheme.eventstudy.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aitheme.eventstudy.outcome import Outcome
    from aitheme.eventstudy.sample import Sample
    from aitheme.eventstudy.windows import Scopes

TABLE_COLUMNS = (
    "test",
    "scope",
    "first",
    "last",
    "statistic",
    "p_value",
    "df",
    "reference",
    "assumes_independence",
    "allows_event_variance",
    "applicable",
    "reason",
)


@dataclass(frozen=True, slots=True)
class TestInfo:
    """One named test.

    Attributes
    ----------
    function : callable or None
        ``Sample -> Outcome``; None for a test that resamples and needs more than the sample.
    source : str
        The paper.
    assumes_independence : bool
        Whether stocks must be uncorrelated, which a common event date violates.
    allows_event_variance : bool
        Whether the event may change the variance of returns.
    """

    __test__ = False  # not a pytest class, whatever its name

    function: Callable[[Sample], Outcome] | None
    source: str
    assumes_independence: bool
    allows_event_variance: bool


TESTS: Mapping[str, TestInfo] = {
    "cross_sectional_t": TestInfo(
        parametric.cross_sectional_t, "Brown and Warner 1980", assumes_independence=True, allows_event_variance=True
    ),
    "crude_dependence_t": TestInfo(
        parametric.crude_dependence_t,
        "Brown and Warner 1980, 1985",
        assumes_independence=False,
        allows_event_variance=False,
    ),
    "crude_dependence_exact_t": TestInfo(
        parametric.crude_dependence_exact_t, "Salinger 1992", assumes_independence=False, allows_event_variance=False
    ),
    "patell": TestInfo(parametric.patell, "Patell 1976", assumes_independence=True, allows_event_variance=False),
    "adj_patell": TestInfo(
        parametric.adj_patell, "Kolari and Pynnonen 2010", assumes_independence=False, allows_event_variance=False
    ),
    "bmp": TestInfo(
        parametric.bmp, "Boehmer, Musumeci and Poulsen 1991", assumes_independence=True, allows_event_variance=True
    ),
    "adj_bmp": TestInfo(
        parametric.adj_bmp, "Kolari and Pynnonen 2010", assumes_independence=False, allows_event_variance=True
    ),
    "skewness_johnson": TestInfo(
        parametric.skewness_johnson,
        "Johnson 1978; Lyon, Barber and Tsai 1999",
        assumes_independence=True,
        allows_event_variance=True,
    ),
    "skewness_hall": TestInfo(
        parametric.skewness_hall, "Hall 1992", assumes_independence=True, allows_event_variance=True
    ),
    "sign": TestInfo(
        nonparametric.sign, "Brown and Warner 1980", assumes_independence=True, allows_event_variance=True
    ),
    "generalised_sign": TestInfo(
        nonparametric.generalised_sign, "Cowan 1992", assumes_independence=True, allows_event_variance=True
    ),
    "wilcoxon": TestInfo(
        nonparametric.wilcoxon, "Wilcoxon 1945", assumes_independence=True, allows_event_variance=True
    ),
    "corrado_rank": TestInfo(
        nonparametric.corrado_rank, "Corrado 1989; Cowan 1992", assumes_independence=False, allows_event_variance=False
    ),
    "corrado_zivney_rank": TestInfo(
        nonparametric.corrado_zivney_rank,
        "Corrado and Zivney 1992",
        assumes_independence=False,
        allows_event_variance=True,
    ),
    "corrado_zivney_sign": TestInfo(
        nonparametric.corrado_zivney_sign,
        "Corrado and Zivney 1992",
        assumes_independence=False,
        allows_event_variance=True,
    ),
    "grank_t": TestInfo(
        nonparametric.grank_t, "Kolari and Pynnonen 2011", assumes_independence=False, allows_event_variance=True
    ),
    "grank_z": TestInfo(
        nonparametric.grank_z, "Kolari and Pynnonen 2011", assumes_independence=True, allows_event_variance=True
    ),
    "randomisation_dates": TestInfo(
        None, "placebo dates; Edgington 1980", assumes_independence=False, allows_event_variance=False
    ),
    "randomisation_baskets": TestInfo(
        None, "placebo baskets; Lyon, Barber and Tsai 1999", assumes_independence=False, allows_event_variance=True
    ),
    "residual_bootstrap": TestInfo(
        None, "Hein and Westfall 2004", assumes_independence=False, allows_event_variance=False
    ),
    "wild_cluster_bootstrap": TestInfo(
        None, "Cameron, Gelbach and Miller 2008", assumes_independence=False, allows_event_variance=True
    ),
    "volatility_scaled_t": TestInfo(
        None, "this project, docs/size.md", assumes_independence=False, allows_event_variance=False
    ),
    "volatility_scaled_t_before": TestInfo(
        None, "this project, docs/size.md", assumes_independence=False, allows_event_variance=False
    ),
    "ibragimov_muller": TestInfo(
        None, "Ibragimov and Muller 2010", assumes_independence=False, allows_event_variance=True
    ),
    "joint_dates": TestInfo(
        None, "Fisher 1932, Stouffer form, over dates", assumes_independence=False, allows_event_variance=False
    ),
}

PARAMETRIC_AND_RANK = tuple(name for name, info in TESTS.items() if info.function is not None)
"""Tests that need nothing but the abnormal returns."""

RESAMPLING = ("randomisation_dates", "randomisation_baskets", "residual_bootstrap", "wild_cluster_bootstrap")
"""Tests that draw."""

ACROSS_DATES = ("ibragimov_muller", "joint_dates")
"""Tests over two or more release dates."""


def chosen_tests(tests: Iterable[str] | None) -> tuple[str, ...]:
    """Names of the tests to run, in the order of the registry.

    Parameters
    ----------
    tests : iterable of str or None
        None for all.

    Returns
    -------
    tuple of str
        Known names.

    Raises
    ------
    StudyError
        If a name is not known.
    """
    if tests is None:
        return tuple(TESTS)
    wanted = (tests,) if isinstance(tests, str) else tuple(tests)
    unknown = [name for name in wanted if name not in TESTS]
    if unknown:
        raise StudyError(f"tests names {unknown[0]!r}, which is not one of {', '.join(TESTS)}")
    return tuple(name for name in TESTS if name in wanted)


def run_tests(sample: Sample, names: Iterable[str]) -> dict[str, Outcome]:
    """Run the tests that need nothing but the abnormal returns.

    Parameters
    ----------
    sample : Sample
        Abnormal returns and scopes.
    names : iterable of str
        Test names; those that draw are left to the resampling module.

    Returns
    -------
    dict of str to Outcome
        One entry a test.
    """
    found = {name: TESTS[name].function for name in names}
    return {name: function(sample) for name, function in found.items() if function is not None}


def table_of_tests(outcomes: Mapping[str, Outcome], scopes: Scopes) -> pd.DataFrame:
    """One labelled row per test and active scope.

    Parameters
    ----------
    outcomes : mapping of str to Outcome
        Values by test name.
    scopes : Scopes
        What the values belong to.

    Returns
    -------
    DataFrame
        Columns of ``TABLE_COLUMNS``. ``reason`` is empty exactly where ``applicable``; a row that does not apply
        has no statistic but always has its reason.
    """
    keep = np.flatnonzero(scopes.active)
    every = scopes.labels
    labels, spans = [every[place] for place in keep], [scopes.spans[place] for place in keep]
    names, size = list(outcomes), keep.size
    values = list(outcomes.values())

    def stack(field: str) -> np.ndarray:
        return np.concatenate([getattr(value, field)[keep] for value in values]) if values else np.empty(0)

    reason = [value.reason[place] for value in values for place in keep]
    return pd.DataFrame(
        {
            "test": np.repeat(np.array(names, dtype=object), size),
            "scope": labels * len(names),
            "first": [span[0] for span in spans] * len(names),
            "last": [span[1] for span in spans] * len(names),
            "statistic": stack("statistic"),
            "p_value": stack("p_value"),
            "df": stack("df"),
            "reference": np.repeat(np.array([value.reference for value in values], dtype=object), size),
            "assumes_independence": np.repeat([TESTS[name].assumes_independence for name in names], size),
            "allows_event_variance": np.repeat([TESTS[name].allows_event_variance for name in names], size),
            "applicable": [not text for text in reason],
            "reason": reason,
        },
        columns=list(TABLE_COLUMNS),
    )
