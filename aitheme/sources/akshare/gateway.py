"""Calls an akshare function through the polite transport and says what really came back.

akshare reports an unknown symbol, a holiday, a captcha page and a changed layout by the same exceptions, or by none.
The gateway decides by the raw answers: what akshare's frame hides, :class:`Exchange` still shows.
"""

from __future__ import annotations

import os
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aitheme.sources.akshare.outcomes import (
    Attempt,
    Empty,
    NetworkFailure,
    Outcome,
    SchemaDrift,
    VendorSignal,
)
from aitheme.sources.akshare.transport import Exchange, Transport, guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

__all__ = ["Answer", "Endpoint", "Gateway"]

_MAX_DETAIL = 160
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An akshare function and how to read what it got.

    Parameters
    ----------
    function
        Name in akshare.
    vendor
        Who answers (``eastmoney``, ``tencent``, …); stored as the rows' source.
    group
        Politeness group of its host.
    columns
        Columns its frame must have.
    requests
        Requests one call usually needs.
    empty
        Reads the raw answers; returns why there is no data, or an empty text when there should be some.
    drift
        Reads the raw answers; returns how the layout differs from the known one, or None.
    caches
        ``module:function`` of akshare caches that must be emptied first.
    """

    function: str
    vendor: str
    group: str
    columns: tuple[str, ...] = ()
    requests: int = 1
    empty: Callable[[list[Exchange]], str] = field(default=lambda _: "")
    drift: Callable[[list[Exchange]], SchemaDrift | None] = field(default=lambda _: None)
    caches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A frame, or the outcome that explains why there is none.

    Parameters
    ----------
    endpoint
        Who was asked.
    frame
        What akshare made of the answer; None unless it can be used.
    outcome
        Why there is no frame; None when there is one.
    exchanges
        The raw answers.
    seconds
        Wall time, waiting included.
    """

    endpoint: Endpoint
    frame: pd.DataFrame | None
    outcome: Outcome | None
    exchanges: tuple[Exchange, ...]
    seconds: float

    @property
    def origin(self) -> str:
        """Function and host, for provenance."""
        host = self.exchanges[-1].host if self.exchanges else self.endpoint.group
        return f"{self.endpoint.function}@{host}"

    def attempt(self, outcome: Outcome) -> Attempt:
        """Return the record of this call with its final outcome."""
        return Attempt(self.origin, outcome, self.seconds)


class Gateway:
    """The one place that calls akshare.

    Parameters
    ----------
    transport
        Sends and records the requests.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def fetch(self, endpoint: Endpoint, **arguments: Any) -> Answer:
        """Call an endpoint; a truncated answer is asked for once more.

        Parameters
        ----------
        endpoint
            What to call.
        **arguments
            Passed to the akshare function.
        """
        answer = self._call(endpoint, arguments)
        if isinstance(answer.outcome, NetworkFailure) and answer.exchanges and answer.exchanges[-1].truncated:
            self.transport.forget()
            return self._call(endpoint, arguments)
        return answer

    def _call(self, endpoint: Endpoint, arguments: dict[str, Any]) -> Answer:
        started = time.monotonic()
        frame: pd.DataFrame | None = None
        outcome: Outcome | None = None
        with self.transport.recording() as exchanges:
            try:
                function = _function(endpoint)
                with guarded(self.transport), _quiet():
                    frame = function(**arguments)
            except VendorSignal as signal:
                outcome = signal.outcome
            except Exception as error:  # noqa: BLE001  # akshare raises anything; the raw answers decide
                outcome = _classify(error, endpoint, exchanges)
        if outcome is None:
            frame, outcome = _inspect(frame, endpoint, exchanges)
        return Answer(endpoint, frame, outcome, tuple(exchanges), time.monotonic() - started)


def _function(endpoint: Endpoint) -> Callable[..., pd.DataFrame]:
    """Return the akshare function with its process-long caches emptied."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    with _quiet():
        import akshare

    function: Callable[..., pd.DataFrame] | None = getattr(akshare, endpoint.function, None)
    if function is None:
        version = getattr(akshare, "__version__", "?")
        raise VendorSignal(SchemaDrift((endpoint.function,), (), f"akshare {version} has no such function"))
    clear = getattr(function, "cache_clear", None)
    if clear is not None:
        clear()
    for cache in endpoint.caches:
        _clear_cache(cache)
    return function


def _clear_cache(name: str) -> None:
    import importlib

    module, _, attribute = name.partition(":")
    clear = getattr(getattr(importlib.import_module(module), attribute, None), "cache_clear", None)
    if clear is not None:
        clear()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep akshare's warnings and its changes of the warning filters to itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _classify(error: Exception, endpoint: Endpoint, exchanges: list[Exchange]) -> Outcome:
    """Turn an exception of akshare's parsers into an outcome, by the raw answers."""
    detail = f"{type(error).__name__}: {error}"[:_MAX_DETAIL]
    if not exchanges:
        return SchemaDrift(detail=f"{endpoint.function} failed before any request: {detail}")
    last = exchanges[-1]
    if last.status == _NOT_FOUND:
        return Empty("unknown_symbol", f"HTTP 404 from {last.host}")
    if last.truncated:
        return NetworkFailure(last.group, "answer cut off in the middle")
    reason = endpoint.empty(exchanges)
    if reason:
        return Empty("unexplained", reason)
    return endpoint.drift(exchanges) or SchemaDrift(detail=f"{endpoint.function} could not read it: {detail}")


def _inspect(
    frame: pd.DataFrame | None, endpoint: Endpoint, exchanges: list[Exchange]
) -> tuple[pd.DataFrame | None, Outcome | None]:
    """Check a returned frame's columns against the known ones, and its emptiness against the raw answers."""
    if frame is None or frame.empty:
        return None, Empty("unexplained", endpoint.empty(exchanges) or "an empty frame")
    drift = endpoint.drift(exchanges)
    if drift is not None:
        return None, drift
    missing = tuple(name for name in endpoint.columns if name not in frame.columns)
    if missing:
        unexpected = tuple(str(name) for name in frame.columns if name not in endpoint.columns)
        return None, SchemaDrift(missing, unexpected)
    return frame, None
