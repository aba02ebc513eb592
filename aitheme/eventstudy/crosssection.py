"""Cross-section of abnormal returns: regressions on attributes and comparisons of groups on a common date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy.special import stdtr

from aitheme.eventstudy.arrays import ratio
from aitheme.eventstudy.errors import StudyError

if TYPE_CHECKING:
    from aitheme.eventstudy.arrays import FloatArray, IntArray
    from aitheme.eventstudy.result import EventStudyResult
    from aitheme.eventstudy.sample import Sample

ErrorKind = Literal["portfolio", "cluster"]
PAIR = 2


@dataclass(frozen=True, slots=True)
class AttributeRegression:
    """Regression of CARs on attributes.

    Attributes
    ----------
    table : DataFrame
        Index attribute; columns ``coefficient``, ``standard_error``, ``t_statistic``, ``p_value`` of the errors that
        allow for the common date, and ``naive_error``, ``naive_t``, ``naive_p`` of White's errors beside them.
    r_squared : float
        Of the cross-section.
    n : int
        (Event, stock) pairs used.
    dropped : int
        Pairs left out for a missing attribute or CAR.
    errors : str
        How the standard errors allow for the common date.
    df : int
        Degrees of freedom of the t distribution.
    """

    table: pd.DataFrame
    r_squared: float
    n: int
    dropped: int
    errors: str
    df: int

    def _repr_html_(self) -> str:
        return self.table.to_html()


def attribute_regression(
    result: EventStudyResult, attributes: pd.DataFrame, *, errors: ErrorKind | None = None, scope: str | None = None
) -> AttributeRegression:
    """Regress CARs on attributes of the stocks with standard errors that allow for the common date.

    A slope b_j = sum_i w_ji CAR_i is the CAR of a portfolio with the fixed weights w = (X'X)^-1 X'. ``portfolio``
    errors therefore take the deviation of that portfolio's daily return over the estimation window, s_j, times
    sqrt(C): all cross-correlation is in it. With several dates ``cluster`` errors sum the scores by date (CR1,
    t(K - 1)).

    Parameters
    ----------
    result : EventStudyResult
        The study.
    attributes : DataFrame
        Index like ``result.labels`` (symbols, or (event, symbol)); numeric or boolean columns. Symbols alone are
        repeated for every event. A text column is turned into indicators, its first value left out.
    errors : {"portfolio", "cluster"} or None
        None for ``portfolio``, which works with one date and with many.
    scope : str or None
        Label of a scope, for example ``[0, 4]``; None for the window.

    Returns
    -------
    AttributeRegression
        Robust and naive errors side by side.

    Raises
    ------
    StudyError
        If no stock has all attributes, the attributes are collinear, or one date is to be clustered.

    References
    ----------
    Sefcik and Thompson (1986), J. Accounting Research 24:316-334, for portfolio errors; Cameron and Miller (2015),
    J. Human Resources 50:317-372, for clusters.
    """
    sample = result.sample
    row = _scope_row(result, scope)
    x, names = _attribute_matrix(result.labels, attributes)
    usable = np.isfinite(x).all(axis=1) & sample.car_valid[row]
    kept, car = x[usable], sample.car[row, usable]
    _refuse_attributes(kept, names)
    inverse = np.linalg.inv(kept.T @ kept)
    weights = inverse @ kept.T
    coefficients = weights @ car
    residual = car - kept @ coefficients
    if errors == "cluster":
        error, df = _cluster_errors(weights, residual, sample.date[usable])
    else:
        error, df = _portfolio_errors(sample, weights, usable, row)
    size = float(car.size)
    naive = np.sqrt(((weights * residual) ** 2).sum(axis=1) * size / (size - kept.shape[1]))
    table = pd.DataFrame({"coefficient": coefficients, **_columns(coefficients, error, df, "")}, index=names)
    extra = _columns(coefficients, naive, int(size) - kept.shape[1], "naive_")
    total = float(((car - car.mean()) ** 2).sum())
    return AttributeRegression(
        table=table.assign(**extra).rename_axis("attribute"),
        r_squared=1.0 - float(residual @ residual) / total if total > 0.0 else float("nan"),
        n=int(size),
        dropped=int((~usable).sum()),
        errors=errors or "portfolio",
        df=df,
    )


def group_effects(result: EventStudyResult, groups: pd.Series, *, scope: str | None = None) -> pd.DataFrame:
    """CAAR of each group of stocks, and its difference from all others, with errors that allow for the common date.

    Parameters
    ----------
    result : EventStudyResult
        The study.
    groups : Series
        Symbol (or (event, symbol)) to group: link, basket or board. Stocks without one are left out.
    scope : str or None
        Label of a scope; None for the window.

    Returns
    -------
    DataFrame
        One row per group: ``n``, ``caar``, ``standard_error``, ``t_statistic``, ``p_value``, then ``difference`` from
        the other stocks with ``difference_error``, ``difference_t`` and ``difference_p``; NaN difference where
        there is only one group. Portfolio errors as in :func:`attribute_regression`.

    Raises
    ------
    StudyError
        If no stock has a group.
    """
    sample, row = result.sample, _scope_row(result, scope)
    label = _spread(result.labels, groups.to_frame("group"))["group"].to_numpy(dtype=object)
    known = np.array([not pd.isna(value) for value in label]) & sample.car_valid[row]
    if not known.any():
        raise StudyError("groups has no entry for any stock of the study; index it by symbol")
    rows = []
    for name in sorted({str(value) for value in label[known]}):
        inside = known & np.array([str(value) == name for value in label])
        outside = known & ~inside
        own = inside / inside.sum()
        contrast = own - outside / max(int(outside.sum()), 1)
        picks = np.stack([own[known], contrast[known]])
        value = picks @ sample.car[row, known]
        error, df = _portfolio_errors(sample, picks, known, row)
        single = not outside.any()
        first = _columns(value[:1], error[:1], df, "")
        second = _columns(value[1:], error[1:], df, "")
        rows.append(
            {
                "group": name,
                "n": int(inside.sum()),
                "caar": value[0],
                **{key: column[0] for key, column in first.items()},
                "difference": np.nan if single else value[1],
                "difference_error": np.nan if single else second["standard_error"][0],
                "difference_t": np.nan if single else second["t_statistic"][0],
                "difference_p": np.nan if single else second["p_value"][0],
            }
        )
    return pd.DataFrame(rows)


def _scope_row(result: EventStudyResult, scope: str | None) -> int:
    labels = result.sample.scopes.labels
    if scope is None:
        return len(labels) - 1
    if scope not in labels:
        raise StudyError(f"scope={scope!r} was not studied; choose one of {', '.join(labels)} or add it to sub_windows")
    return labels.index(scope)


def _refuse_attributes(x: FloatArray, names: list[str]) -> None:
    if x.shape[0] <= x.shape[1]:
        raise StudyError(
            f"attributes leaves {x.shape[0]} stocks with every attribute and a CAR for {x.shape[1]} coefficients; "
            "use fewer attributes or fill them"
        )
    if np.linalg.matrix_rank(x / np.sqrt((x**2).sum(axis=0)).clip(min=np.finfo(np.float64).tiny)) < x.shape[1]:
        raise StudyError(f"attributes ({', '.join(names[1:])}) are constant or collinear among these stocks; drop one")


def _spread(labels: pd.Index, frame: pd.DataFrame) -> pd.DataFrame:
    if isinstance(labels, pd.MultiIndex) and not isinstance(frame.index, pd.MultiIndex):
        return frame.reindex(labels.get_level_values("symbol")).set_axis(labels)
    return frame.reindex(labels)


def _attribute_matrix(labels: pd.Index, attributes: pd.DataFrame) -> tuple[FloatArray, list[str]]:
    if attributes.shape[1] == 0:
        raise StudyError("attributes has no columns; pass at least one")
    frame = _spread(labels, attributes)
    names, columns = ["constant"], [np.ones(len(frame), dtype=np.float64)]
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(attributes[name]) or pd.api.types.is_bool_dtype(attributes[name]):
            columns.append(column.to_numpy(dtype=np.float64))
            names.append(str(name))
            continue
        missing = column.isna().to_numpy()
        for value in sorted(column.dropna().astype(str).unique())[1:]:
            columns.append(np.where(missing, np.nan, (column.astype(str) == value).to_numpy(dtype=np.float64)))
            names.append(f"{name}={value}")
    return np.column_stack(columns), names


def _portfolio_errors(sample: Sample, weights: FloatArray, usable: FloatArray, row: int) -> tuple[FloatArray, int]:
    # Each event date is one portfolio return series; dates are independent, so their variances add.
    variance = np.zeros(weights.shape[0])
    days = 0
    for code in np.unique(sample.date[usable]):
        here = sample.date[usable] == code
        place = np.flatnonzero(usable)[here]
        path = weights[:, here] @ sample.estimation[:, place].T
        path = path[:, sample.estimation_valid[:, place].any(axis=1)]
        days = path.shape[1]
        centred = path - path.mean(axis=1, keepdims=True)
        spread = (centred**2).sum(axis=1) / (days - sample.parameters)
        variance += spread * sample.portfolio_correction[row]
    return np.sqrt(variance), days - sample.parameters


def _cluster_errors(weights: FloatArray, residual: FloatArray, date: IntArray) -> tuple[FloatArray, int]:
    codes, member = np.unique(date, return_inverse=True)
    clusters, parameters = codes.size, weights.shape[0]
    if clusters < PAIR:
        raise StudyError("errors='cluster' needs at least two event dates; use errors='portfolio' for one")
    group = np.zeros((residual.size, clusters))
    group[np.arange(residual.size), member] = 1.0
    scores = (weights * residual) @ group
    factor = clusters / (clusters - 1.0) * (residual.size - 1.0) / (residual.size - parameters)
    return np.sqrt((scores**2).sum(axis=1) * factor), clusters - 1


def _columns(value: FloatArray, error: FloatArray, df: int, prefix: str) -> dict[str, FloatArray]:
    t = ratio(value, error)
    names = ("standard_error", "t_statistic", "p_value") if not prefix else ("naive_error", "naive_t", "naive_p")
    return dict(zip(names, (error, t, 2.0 * stdtr(float(df), -np.abs(t))), strict=True))
