"""What a basket is made of: correlation of its members, concentration of its weights, overlap with other baskets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

__all__ = [
    "LEAST_COMMON",
    "clustered",
    "correlations",
    "effective_number",
    "herfindahl",
    "independent_names",
    "jaccard",
    "mean_correlation",
    "top_share",
]

LEAST_COMMON = 30
"""Sessions two members must share before their correlation counts: its standard error is then at most 0.19."""

_PAIR = 2


def correlations(returns: pd.DataFrame, least: int = LEAST_COMMON) -> pd.DataFrame:
    """Return the correlation of every pair over the sessions both traded.

    Parameters
    ----------
    returns
        Sessions x members, ratios, NaN where a member did not trade.
    least
        Fewest common sessions; a pair with fewer is NaN.

    Returns
    -------
    pandas.DataFrame
        Members x members, symmetric.
    """
    return returns.corr(min_periods=least)


def mean_correlation(matrix: pd.DataFrame) -> tuple[float, int]:
    """Return the mean over all known pairs, and their number; NaN and 0 without a pair.

    Parameters
    ----------
    matrix
        From :func:`correlations`.
    """
    values = matrix.to_numpy(dtype=float)[np.triu_indices(len(matrix), 1)]
    known = values[np.isfinite(values)]
    return (float(known.mean()), int(known.size)) if known.size else (float("nan"), 0)


def independent_names(count: int, correlation: float) -> float:
    """Return how many independent names carry the information of some correlated ones.

    N / (1 + (N - 1) r), the ratio of the variances of their mean (Kolari and Pynnonen 2010, Review of Financial Studies
    23:3996-4025); never more than N, NaN where r is.
    """
    return float(count / max(1.0, 1.0 + (count - 1) * correlation)) if np.isfinite(correlation) else float("nan")


def clustered(matrix: pd.DataFrame) -> list[str]:
    """Return the members in an order that puts correlated ones side by side.

    Average linkage on the distance 1 - r with optimal leaf ordering (Bar-Joseph, Gifford and Jaakkola 2001,
    Bioinformatics 17:S22-S29). A pair without a correlation stands at distance 1.
    """
    names = [str(name) for name in matrix.columns]
    if len(names) <= _PAIR:
        return names
    from scipy.cluster.hierarchy import leaves_list, linkage

    values = matrix.to_numpy(dtype=float)[np.triu_indices(len(matrix), 1)]
    distance = 1.0 - np.where(np.isfinite(values), values, 0.0)
    order = leaves_list(linkage(np.maximum(distance, 0.0), method="average", optimal_ordering=True))
    return [names[place] for place in order]


def herfindahl(weights: pd.Series[float]) -> float:
    """Return the Herfindahl-Hirschman index of some weights, from 1/N (equal) to 1 (one name).

    Parameters
    ----------
    weights
        Not negative, of any scale; missing ones are left out.

    Returns
    -------
    float
        NaN without a positive weight.
    """
    known = weights.dropna().to_numpy(dtype=float)
    total = known.sum()
    return float(((known / total) ** 2).sum()) if known.size and total > 0 else float("nan")


def effective_number(weights: pd.Series[float]) -> float:
    """Return how many equal weights are as concentrated: 1 / Herfindahl."""
    return 1.0 / herfindahl(weights)


def top_share(weights: pd.Series[float], count: int = 5) -> float:
    """Return the share of the largest weights in their sum; NaN without a positive weight."""
    known = weights.dropna().sort_values(ascending=False)
    total = float(known.sum())
    return float(known.iloc[:count].sum() / total) if total > 0 else float("nan")


def jaccard(one: Collection[str], other: Collection[str]) -> float:
    """Return common names over all names of two baskets; NaN where both are empty."""
    union = set(one) | set(other)
    return len(set(one) & set(other)) / len(union) if union else float("nan")
