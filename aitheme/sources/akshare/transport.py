"""Every request akshare makes goes through here: spaced, timed out, retried, recorded, and read before it is parsed.

akshare opens a new session for each call, mostly without a timeout, and takes a captcha page for data. While
:func:`guarded` is active in a thread, requests' adapters and curl_cffi's sessions in that thread (no other) hand
their requests to a :class:`Transport`.
"""

from __future__ import annotations

import ast
import json
import re
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qs, urlsplit

from aitheme.sources.akshare.outcomes import SchemaDrift, VendorSignal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aitheme.sources.akshare.politeness import HostPolicy, Politeness

__all__ = ["Exchange", "Transport", "guarded"]

_REFUSALS: Final = frozenset({401, 403, 405, 418, 429, 451, 456})
_SERVER_ERROR: Final = 500
_OK: Final = 200
_CAPTCHA: Final = re.compile(
    r"captcha|验证码|滑块|访问过于频繁|访问频繁|访问受限|拒绝访问|forbidden|access denied|nginx forbidden"
    r"|chameleon|cf-challenge|slider|人机验证|安全验证",
    re.IGNORECASE,
)
_ASSIGNMENT: Final = re.compile(rb"^(?:var\s+)?[\w$]+\s*=\s*")
_COMMENT: Final = re.compile(rb"/\*[^*]*\*/\s*$")
_PAGE_HEAD: Final = 20_000
_UNREACHABLE: Final = frozenset(
    {"connection refused", "no connection in time", "host name not found", "network unreachable", "proxy failed"}
)
_EVALUATED: Final = re.compile(r"/[a-zA-Z0-9_.]*?(?:hfq|qfq)\.js$")


class Reply(Protocol):
    """The parts of a response that requests and curl_cffi share."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and the answer to it, kept for the checks that akshare's frames no longer allow.

    Parameters
    ----------
    url
        As sent, query included.
    group
        Vendor group of the host.
    status
        HTTP status.
    content
        Body, decompressed.
    sent
        Form body of the request, decoded.
    """

    url: str
    group: str
    status: int
    content: bytes
    sent: str = ""

    @property
    def host(self) -> str:
        """Host name asked."""
        return urlsplit(self.url).hostname or ""

    @property
    def query(self) -> dict[str, str]:
        """Query parameters, first value of each."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}

    def text(self, encoding: str = "utf-8") -> str:
        """Return the body as text, undecodable bytes replaced."""
        return self.content.decode(encoding, errors="replace")

    def json(self) -> Any:
        """Return the body as JSON, or None when it is none."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None

    @property
    def truncated(self) -> bool:
        """Whether the body (JSON, or a script that assigns some) does not end as it begins."""
        body = _ASSIGNMENT.sub(b"", _COMMENT.sub(b"", self.content.strip()), count=1).rstrip(b"; \r\n")
        closing = {b"{": b"}", b"[": b"]", b'"': b'"', b"(": b")"}.get(body[:1])
        return closing is not None and (len(body) == 1 or body[-1:] != closing)


class Transport:
    """Sends requests politely and records what came back.

    Parameters
    ----------
    politeness
        Spacing, circuits and retry delays.
    """

    def __init__(self, politeness: Politeness) -> None:
        self.politeness = politeness
        self.exchanges: list[Exchange] = []
        self.sent = 0
        self._memory: dict[tuple[str, str, str], Reply] = {}
        self._remembering = False

    @contextmanager
    def recording(self) -> Iterator[list[Exchange]]:
        """Collect the exchanges of one call; the same request asked twice within it is sent once."""
        self.exchanges = []
        try:
            yield self.exchanges
        finally:
            if not self._remembering:
                self._memory = {}

    def forget(self) -> None:
        """Drop remembered answers, so that a broken one is asked for again."""
        self._memory = {}

    @contextmanager
    def remembering(self) -> Iterator[None]:
        """Let several calls share answers: akshare asks for the same page once per table on it."""
        self._remembering = True
        try:
            yield
        finally:
            self._remembering = False
            self._memory = {}

    def send(self, method: str, url: str, sent: str, perform: Callable[[tuple[float, float]], Reply]) -> Reply:
        """Send one request and return its answer.

        Parameters
        ----------
        method, url, sent
            The request; `sent` is its form body.
        perform
            Performs it with the given (connect, read) timeout in seconds and reads the whole body.

        Returns
        -------
        Reply

        Raises
        ------
        VendorSignal
            The vendor blocks, cannot be reached, or sent what must not be evaluated.
        """
        key = (method, url, sent)
        if key in self._memory:
            reply = self._memory[key]
        else:
            reply = self._memory[key] = self._send(url, perform)
        policy = self.politeness.policy(urlsplit(url).hostname or "")
        self.exchanges.append(Exchange(url, policy.group, reply.status_code, reply.content, sent))
        return reply

    def _send(self, url: str, perform: Callable[[tuple[float, float]], Reply]) -> Reply:
        """Try, and try again after network errors only."""
        policy = self.politeness.policy(urlsplit(url).hostname or "")
        detail = ""
        for attempt in range(policy.retries + 1):
            if attempt:
                self.politeness.backoff(attempt - 1)
            self.politeness.check(policy)
            reply, detail, dropped = self._once(policy, perform)
            if reply is not None:
                _refuse_code(url, reply)
                self.politeness.succeeded(policy)
                return reply
            outcome = self.politeness.failed(policy, detail, dropped=dropped, unreachable=detail in _UNREACHABLE)
            if outcome is not None:
                raise VendorSignal(outcome)
        raise VendorSignal(self.politeness.exhausted(policy, f"{detail} ({policy.retries + 1} tries)"))

    def _once(
        self, policy: HostPolicy, perform: Callable[[tuple[float, float]], Reply]
    ) -> tuple[Reply | None, str, bool]:
        """Return the answer, or None with the network error and whether the vendor dropped the connection."""
        with self.politeness.turn(policy):
            self.sent += 1
            try:
                reply = perform((policy.connect_timeout, policy.read_timeout))
            except _network_errors() as error:
                return None, _short(error), _was_dropped(error)
        if reply.status_code >= _SERVER_ERROR:
            return None, f"HTTP {reply.status_code}", False
        if reply.status_code == _OK and not reply.content.strip():
            return None, "empty body", False
        evidence = _block_evidence(reply, policy)
        if evidence:
            raise VendorSignal(self.politeness.blocked(policy, evidence))
        return reply, "", False


def _block_evidence(reply: Reply, policy: HostPolicy) -> str:
    """Return what shows that an answer is a refusal, or an empty text."""
    if reply.status_code in _REFUSALS:
        return f"HTTP {reply.status_code}"
    head = reply.content[:_PAGE_HEAD].lstrip(b"\xef\xbb\xbf \r\n\t")
    if reply.status_code != _OK or head[:1] != b"<":
        return ""
    text = head.decode("gbk" if b"gbk" in head.lower() else "utf-8", errors="replace")
    captcha = _CAPTCHA.search(text)
    if not policy.html:
        return f"an HTML page with status 200{f' ({captcha[0]})' if captcha else ''}"
    if captcha and "<table" not in text.lower():
        return f"a page asking for verification ({captcha[0]})"
    return ""


def _refuse_code(url: str, reply: Reply) -> None:
    """Let only plain data through to the akshare functions that evaluate a vendor's text as Python."""
    if reply.status_code != _OK or not _EVALUATED.search(urlsplit(url).path):
        return
    parts = reply.content.decode("utf-8", errors="replace").split("=")
    try:
        ast.literal_eval(parts[1].split("\n")[0].strip())
    except (IndexError, ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise VendorSignal(SchemaDrift(detail=f"{urlsplit(url).path} is not plain data; not evaluated")) from error


def _network_errors() -> tuple[type[BaseException], ...]:
    import http.client

    import requests
    from curl_cffi.requests import exceptions as curl

    return (
        requests.exceptions.ConnectionError, requests.exceptions.Timeout, requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError, curl.RequestException, http.client.HTTPException, OSError,
    )  # fmt: skip


def _was_dropped(error: BaseException) -> bool:
    """Tell whether the server closed a connection it had accepted."""
    text = repr(error)
    return any(sign in text for sign in ("RemoteDisconnected", "ConnectionReset", "Empty reply", "reset by peer"))


def _short(error: BaseException) -> str:
    """Name a network error in a few words."""
    text = repr(error)
    for sign, words in (
        ("RemoteDisconnected", "connection dropped without an answer"),
        ("Empty reply", "connection dropped without an answer"),
        ("reset by peer", "connection reset"),
        ("IncompleteRead", "answer cut off"),
        ("refused", "connection refused"),
        ("ConnectTimeout", "no connection in time"),
        ("NameResolution", "host name not found"),
        ("Could not resolve", "host name not found"),
        ("getaddrinfo", "host name not found"),
        ("ProxyError", "proxy failed"),
        ("unreachable", "network unreachable"),
        ("timed out", "timed out"),
        ("Timeout", "timed out"),
    ):
        if sign in text:
            return words
    return f"{type(error).__name__}"


_ACTIVE: ContextVar[Transport | None] = ContextVar("aitheme_transport", default=None)
_INSTALL = threading.Lock()
_installed: list[Callable[[], None]] = []
_users = 0


@contextmanager
def guarded(transport: Transport) -> Iterator[None]:
    """Route this thread's requests through a transport."""
    global _users  # noqa: PLW0603
    with _INSTALL:
        if not _users:
            _installed.extend((_install_requests(), _install_curl()))
        _users += 1
    token = _ACTIVE.set(transport)
    try:
        yield
    finally:
        _ACTIVE.reset(token)
        with _INSTALL:
            _users -= 1
            while not _users and _installed:
                _installed.pop()()


def _install_requests() -> Callable[[], None]:
    """Wrap the method every requests session sends through; return what undoes it."""
    from requests.adapters import HTTPAdapter

    original = HTTPAdapter.send

    def send(self: HTTPAdapter, request: Any, *args: Any, **kwargs: Any) -> Any:
        transport = _ACTIVE.get()
        if transport is None:
            return original(self, request, *args, **kwargs)

        def perform(timeout: tuple[float, float]) -> Any:
            reply = original(self, request, *args, **{**kwargs, "timeout": timeout})
            reply.content  # noqa: B018  # read here, so that a cut-off body counts as this request's failure
            return reply

        body = request.body
        sent = body.decode("utf-8", errors="replace") if isinstance(body, bytes) else str(body or "")
        return transport.send(str(request.method), str(request.url), sent, perform)

    HTTPAdapter.send = send  # type: ignore[method-assign]

    def undo() -> None:
        HTTPAdapter.send = original  # type: ignore[method-assign]

    return undo


def _install_curl() -> Callable[[], None]:
    """Wrap curl_cffi's sessions; return what undoes it."""
    from curl_cffi.requests import Session

    session: Any = Session
    original = session.request

    def request(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        transport = _ACTIVE.get()
        if transport is None:
            return original(self, method, url, *args, **kwargs)

        def perform(timeout: tuple[float, float]) -> Any:
            return original(self, method, url, *args, **{**kwargs, "timeout": timeout})

        sent = json.dumps([kwargs.get("params"), kwargs.get("data")], default=str)
        return transport.send(method, url, sent, perform)

    session.request = request

    def undo() -> None:
        session.request = original

    return undo
