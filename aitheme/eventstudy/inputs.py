"""From labelled pandas input to aligned arrays, with every complaint an analyst may get about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from aitheme.eventstudy.control import control_returns
from aitheme.eventstudy.errors import StudyError
from aitheme.eventstudy.models import Inputs, ModelInfo, model_info

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aitheme.eventstudy.arrays import FloatArray, IntArray

RISK_FREE = "rf"
"""Name of the risk-free column in a factor table."""


@dataclass(frozen=True, slots=True)
class Data:
    """Aligned input of a study.

    Attributes
    ----------
    sessions : DatetimeIndex
        T sessions.
    symbols : Index
        N symbols.
    model : str
        Name of the model.
    info : ModelInfo
        Its registry entry.
    inputs : Inputs
        Arrays.
    benchmark_name : str
        What the abnormal returns are measured against.
    """

    sessions: pd.DatetimeIndex
    symbols: pd.Index
    model: str
    info: ModelInfo
    inputs: Inputs
    benchmark_name: str

    def columns(self, symbols: Sequence[str] | None) -> IntArray:
        """Column numbers of an event's symbols.

        Raises
        ------
        StudyError
            If a symbol is not in the returns.
        """
        if symbols is None:
            return np.arange(len(self.symbols))
        place = self.symbols.get_indexer(pd.Index(symbols))
        if (place < 0).any():
            missing = [name for name, at in zip(symbols, place, strict=True) if at < 0]
            raise StudyError(f"returns has no column {missing[0]!r} ({len(missing)} missing); load it or drop it")
        return np.asarray(place, dtype=np.int64)


def make_data(
    returns: pd.DataFrame,
    *,
    model: str = "market",
    benchmark: pd.Series | pd.DataFrame | None = None,
    benchmark_name: str | None = None,
    factors: pd.DataFrame | None = None,
    universe_returns: pd.DataFrame | None = None,
    controls: Mapping[str, Sequence[str]] | None = None,
    lags: int = 1,
) -> Data:
    """Check and align the input of a study.

    Parameters
    ----------
    returns : DataFrame
        Sessions x symbols, simple total returns (ratios), NaN where suspended or unlisted.
    model : str
        A key of ``MODELS``.
    benchmark : Series or DataFrame or None
        Benchmark returns on the same sessions; a DataFrame has one column a symbol.
    benchmark_name : str or None
        Label of the benchmark; None for its own name.
    factors : DataFrame or None
        Factor returns; a column ``rf`` is the risk-free rate.
    universe_returns : DataFrame or None
        Returns of the stocks that controls and donors come from.
    controls : mapping of str to sequence of str, or None
        Control symbols of each stock, for ``model="matched"``.
    lags : int
        Leads and lags of the Dimson model.

    Returns
    -------
    Data
        Aligned arrays.

    Raises
    ------
    StudyError
        If something is missing or cannot be aligned.
    """
    info = model_info(model)
    sessions = _sessions(returns)
    values = _numbers("returns", returns)
    if values.shape[1] == 0:
        raise StudyError("returns has no columns; pass at least one stock")
    if lags < 1:
        raise StudyError(f"dimson_lags={lags} must be at least 1")
    if model == "matched":
        benchmark, benchmark_name = _matched(returns, universe_returns, controls), benchmark_name or "matched controls"
    market = _benchmark(returns, benchmark, model)
    table, names, risk_free = _factors(sessions, factors) if model == "factor" else (None, (), None)
    inputs = Inputs(
        returns=values,
        benchmark=market,
        factors=table,
        factor_names=names,
        risk_free=risk_free,
        donors=_donors(returns, universe_returns) if model == "synthetic" else None,
        lags=lags,
    )
    for need in info.needs:
        if getattr(inputs, need) is None:
            raise StudyError(f"model={model!r} needs {need}, which is None; pass it or use model='mean'")
    label = benchmark_name or _benchmark_label(model, benchmark, names)
    return Data(sessions, returns.columns, model, info, inputs, label)


def aligned(name: str, frame: pd.DataFrame, sessions: pd.DatetimeIndex, columns: pd.Index) -> FloatArray:
    """Values of a frame on the given sessions and symbols, NaN where it has none, shape (T, N).

    Raises
    ------
    StudyError
        If it shares no session or lacks a symbol.
    """
    if frame.index.equals(sessions) and frame.columns.equals(columns):
        return _numbers(name, frame)
    lost = columns.difference(frame.columns)
    if len(lost):
        raise StudyError(f"{name} has no column {lost[0]!r} ({len(lost)} missing); it must cover every stock")
    if not frame.index.isin(sessions).any():
        raise StudyError(f"{name} shares no session with returns; both need the exchange's sessions as index")
    return _numbers(name, frame.reindex(index=sessions, columns=columns))


def _sessions(returns: Any) -> pd.DatetimeIndex:
    if not isinstance(returns, pd.DataFrame) or not isinstance(returns.index, pd.DatetimeIndex):
        raise StudyError(
            f"returns must be a DataFrame with a DatetimeIndex of sessions, got {type(returns).__name__}; "
            "convert the index with pd.to_datetime"
        )
    sessions = returns.index
    if not (sessions.is_unique and sessions.is_monotonic_increasing):
        raise StudyError("returns has repeated or unsorted sessions; sort the index and drop duplicates")
    if not returns.columns.is_unique:
        raise StudyError("returns has repeated columns; keep one column a stock")
    if not len(sessions):
        raise StudyError("returns has no rows; load some sessions")
    return sessions


def _numbers(name: str, frame: pd.DataFrame | pd.Series) -> FloatArray:
    try:
        values: FloatArray = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise StudyError(f"{name} holds something that is not a number ({error}); pass returns as ratios") from None
    # A sum meets an infinity without another array of the panel's size; NaN is expected here, infinity is not.
    if np.isinf(values).any():
        raise StudyError(f"{name} has infinite values; a price of zero or a bad adjustment factor makes them: mask it")
    return values


def _benchmark(returns: pd.DataFrame, benchmark: Any, model: str) -> FloatArray | None:
    if benchmark is None:
        return None
    if isinstance(benchmark, pd.DataFrame):
        return aligned("benchmark", benchmark, returns.index, returns.columns)  # type: ignore[arg-type]
    if not isinstance(benchmark, pd.Series):
        raise StudyError(f"benchmark must be a Series or a DataFrame of returns, got {type(benchmark).__name__}")
    if model == "industry":
        raise StudyError(
            "model='industry' needs one benchmark per stock; pass benchmark=leave_one_out_mean(returns, industries)"
        )
    series = benchmark.reindex(returns.index)
    if series.isna().all():
        raise StudyError("benchmark shares no session with returns; both need the exchange's sessions as index")
    return _numbers("benchmark", series)


def _benchmark_label(model: str, benchmark: pd.Series | pd.DataFrame | None, names: tuple[str, ...]) -> str:
    if model == "factor":
        return "factors " + ", ".join(names)
    if model == "synthetic":
        return "synthetic control"
    if isinstance(benchmark, pd.DataFrame):
        return "one benchmark per stock"
    if isinstance(benchmark, pd.Series) and model != "mean":
        return str(benchmark.name) if benchmark.name is not None else "unnamed benchmark"
    return "own mean"


def _factors(
    sessions: pd.DatetimeIndex, factors: pd.DataFrame | None
) -> tuple[FloatArray | None, tuple[str, ...], FloatArray | None]:
    if factors is None:
        return None, (), None
    names = tuple(str(name) for name in factors.columns if name != RISK_FREE)
    if not names:
        raise StudyError("factors has no column besides rf; pass at least one factor")
    table = aligned("factors", factors, sessions, factors.columns)
    risk_free = None
    if RISK_FREE in factors.columns:
        risk_free = table[:, factors.columns.get_loc(RISK_FREE)]
    keep = [place for place, name in enumerate(factors.columns) if name != RISK_FREE]
    return table[:, keep], names, risk_free


def _matched(
    returns: pd.DataFrame, universe: pd.DataFrame | None, controls: Mapping[str, Sequence[str]] | None
) -> pd.DataFrame:
    if universe is None or controls is None:
        raise StudyError("model='matched' needs universe_returns and controls; make controls with matched_controls()")
    lost = [symbol for symbol in returns.columns if symbol not in controls]
    if lost:
        raise StudyError(f"controls has no entry for {lost[0]!r} ({len(lost)} missing); match it or drop the stock")
    return control_returns(universe, {symbol: controls[symbol] for symbol in returns.columns})


def _donors(returns: pd.DataFrame, universe: pd.DataFrame | None) -> FloatArray:
    if universe is None:
        raise StudyError("model='synthetic' needs universe_returns, the donor pool; pass returns of other stocks")
    others = universe.columns.difference(returns.columns)
    return aligned("universe_returns", universe[others], returns.index, others)  # type: ignore[arg-type]
