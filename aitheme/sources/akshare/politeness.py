"""Being a good citizen of a vendor: one request at a time per host, spaced, and none at all after a block.

A vendor's hosts form a group (one firewall serves them). A group's circuit opens for hours when the vendor blocks; the
state file carries that across processes. A network that is down opens it for minutes, in this process only.
"""

from __future__ import annotations

import os
import random
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aitheme.errors import AithemeError, NothingUsableError
from aitheme.sources.akshare.circuit import CircuitFile, OpenCircuit
from aitheme.sources.akshare.outcomes import Blocked, NetworkFailure, Outcome, VendorSignal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

__all__ = ["POLICIES", "HostPolicy", "OfflineError", "Politeness", "behind_loopback_stub", "policy_for"]

_UNREACHABLE_MINUTES: Final = 10
_FAILURES_TO_OPEN: Final = 2
_CALLS_TO_LEAVE: Final = 2
_OFFLINE_GROUPS: Final = 3
_EASTMONEY_FLOOR: Final = 1.0
_MAX_BLOCK_HOURS: Final = 48.0
_BACKOFF: Final = (1.0, 3.0, 8.0)


class OfflineError(NothingUsableError):
    """No vendor can be reached at all."""


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """How one vendor wants to be asked.

    Parameters
    ----------
    group
        Name of the vendor's firewall, for example ``eastmoney``.
    suffixes
        Host names end in one of these.
    spacing, jitter
        Seconds between two requests: at least `spacing`, plus a random part up to `jitter`.
    connect_timeout, read_timeout
        Seconds, applied to every request.
    retries
        Further tries after a network error; a block is never retried.
    block_hours
        How long the circuit stays open after a first block; each further block doubles it.
    drop_is_block
        Whether dropping the connection is how this vendor refuses (Eastmoney's quote hosts).
    html
        Whether its proper answers are HTML pages.
    """

    group: str
    suffixes: tuple[str, ...]
    spacing: float = 0.5
    jitter: float = 0.5
    connect_timeout: float = 5.0
    read_timeout: float = 20.0
    retries: int = 2
    block_hours: float = 6.0
    drop_is_block: bool = False
    html: bool = False


POLICIES: tuple[HostPolicy, ...] = (
    HostPolicy(
        "eastmoney", ("push2.eastmoney.com", "push2his.eastmoney.com"), 1.2, 1.3, retries=1, drop_is_block=True
    ),
    HostPolicy("eastmoney-data", ("datacenter-web.eastmoney.com", "datacenter.eastmoney.com"), 1.0, 1.0),
    HostPolicy("eastmoney-reports", ("reportapi.eastmoney.com",), 1.0, 1.0),
    HostPolicy("tencent", ("proxy.finance.qq.com", "web.ifzq.gtimg.cn"), 0.6, 0.6),
    HostPolicy("sina", ("finance.sina.com.cn", "stock.finance.sina.com.cn", "quotes.sina.cn"), 0.8, 0.8),
    HostPolicy("csindex", ("csindex.com.cn",), 1.0, 1.0),
    HostPolicy("shenwan", ("swsresearch.com",), 1.0, 1.0),
    HostPolicy("legulegu", ("legulegu.com",), 2.0, 1.0, html=True),
    HostPolicy("ths", ("10jqka.com.cn",), 2.0, 1.5, html=True),
    HostPolicy("etnet", ("etnet.com.hk",), 2.0, 1.5, html=True),
    HostPolicy("cninfo", ("cninfo.com.cn",), 1.0, 1.0),
    HostPolicy("sse", ("sse.com.cn",), 1.0, 1.0),
    HostPolicy("szse", ("szse.cn",), 1.0, 1.0),
    HostPolicy("bse", ("bse.cn",), 1.0, 1.0),
    HostPolicy("baidu", ("baidu.com",), 1.0, 1.0),
    HostPolicy("endata", ("endata.cn", "endata.com.cn"), 2.0, 1.0, read_timeout=30.0),
)  # fmt: skip


def behind_loopback_stub() -> bool:
    """Tell whether ``AITHEME_UNSPACED=1`` asks for no spacing and every request goes to a proxy on this machine.

    The switch is for end-to-end tests; without a loopback ``HTTPS_PROXY`` it does nothing, so that a vendor is never
    asked without spacing.
    """
    proxies = [os.environ.get(name, "") for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")]
    hosts = {urlsplit(proxy).hostname for proxy in proxies if proxy}
    return os.environ.get("AITHEME_UNSPACED") == "1" and bool(hosts) and hosts <= {"127.0.0.1", "localhost", "::1"}


def policy_for(host: str, policies: tuple[HostPolicy, ...] = POLICIES) -> HostPolicy:
    """Return the policy of a host; an unknown host is its own group, spaced by a second."""
    for policy in policies:
        if any(host == suffix or host.endswith("." + suffix) for suffix in policy.suffixes):
            return policy
    return HostPolicy(host, (host,), 1.0, 0.5)


class Politeness:
    """Spacing, circuits and retry delays of one run.

    Parameters
    ----------
    state_dir
        Folder of the circuit file ``vendors.json``; None keeps circuits in memory.
    spacing
        Seconds between requests per group, replacing the defaults. The Eastmoney groups take no less than 1 s.
    loopback
        Allow any spacing and hardly wait between tries: for a stub on this machine only.
    timeouts
        Connect and read timeout in seconds for every vendor, replacing the defaults.
    sleep, now, rng
        Injected clock parts.

    Raises
    ------
    AithemeError
        A spacing below an Eastmoney group's floor, or for a group that does not exist.
    """

    def __init__(
        self,
        state_dir: Path | None = None,
        *,
        spacing: Mapping[str, float] | None = None,
        loopback: bool = False,
        timeouts: tuple[float, float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        rng: random.Random | None = None,
    ) -> None:
        policies = _with_spacing(spacing or {}, loopback=loopback)
        if timeouts is not None:
            connect, read = timeouts
            policies = tuple(replace(p, connect_timeout=connect, read_timeout=read) for p in policies)
        self.policies = policies
        self.circuits = CircuitFile(state_dir, now)
        self._sleep, self._now = sleep, now
        self._backoff_scale = 0.01 if loopback else 1.0
        self._rng = rng or random.Random()  # noqa: S311
        self._locks: dict[str, threading.RLock] = {}
        self._last: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._exhausted: dict[str, int] = {}
        self._unreachable: dict[str, datetime] = {}
        self._succeeded = False

    def policy(self, host: str) -> HostPolicy:
        """Return the policy of a host, with this run's spacing."""
        return policy_for(host, self.policies)

    @property
    def offline(self) -> bool:
        """Whether several vendors could not be reached and none ever answered."""
        return not self._succeeded and len(self._unreachable) >= _OFFLINE_GROUPS

    def check(self, policy: HostPolicy) -> None:
        """Raise :class:`VendorSignal` when a group's circuit is open."""
        opened = self.circuits.get(policy.group)
        if opened is not None:
            raise VendorSignal(Blocked(policy.group, opened.reason, opened.until))
        until = self._unreachable.get(policy.group)
        if until is not None and self._now() < until:
            raise VendorSignal(NetworkFailure(policy.group, "could not be reached a moment ago"))

    @contextmanager
    def turn(self, policy: HostPolicy) -> Iterator[None]:
        """Hold a group's turn: alone, and no sooner after the last request than the policy says."""
        lock = self._locks.setdefault(policy.group, threading.RLock())
        with lock:
            last = self._last.get(policy.group)
            if last is not None:
                pause = policy.spacing + self._rng.uniform(0, policy.jitter) - (time.monotonic() - last)
                if pause > 0:
                    self._sleep(pause)
            try:
                yield
            finally:
                self._last[policy.group] = time.monotonic()

    def backoff(self, attempt: int) -> None:
        """Wait before try number `attempt` + 2 (the first retry is attempt 0)."""
        pause = _BACKOFF[min(attempt, len(_BACKOFF) - 1)] + self._rng.uniform(0, 0.5)
        self._sleep(pause * self._backoff_scale)

    def succeeded(self, policy: HostPolicy) -> None:
        """Note a proper answer: closes a half-open circuit for good."""
        self._succeeded = True
        self._failures.pop(policy.group, None)
        self._exhausted.pop(policy.group, None)
        self._unreachable.pop(policy.group, None)
        self.circuits.close(policy.group)

    def blocked(self, policy: HostPolicy, evidence: str) -> Outcome:
        """Note a block: opens the circuit for hours, twice as long each time it happens again."""
        self._succeeded = True
        strikes = self.circuits.strikes(policy.group) + 1
        hours = min(policy.block_hours * 2 ** (strikes - 1), _MAX_BLOCK_HOURS)
        until = self._now() + timedelta(hours=hours)
        self.circuits.open(policy.group, OpenCircuit(until, evidence, strikes))
        return Blocked(policy.group, evidence, until)

    def failed(self, policy: HostPolicy, detail: str, *, dropped: bool, unreachable: bool) -> Outcome | None:
        """Note a network error; return the outcome when the vendor should not be asked again for now.

        Parameters
        ----------
        policy
            The group's policy.
        detail
            What went wrong.
        dropped
            Whether the server closed an established connection.
        unreachable
            Whether no connection came about at all; twice is enough.
        """
        if not unreachable and not (dropped and policy.drop_is_block):
            return None
        count = self._failures[policy.group] = self._failures.get(policy.group, 0) + 1
        if count < _FAILURES_TO_OPEN:
            return None
        if dropped:
            return self.blocked(policy, f"{detail} ({count} times in a row)")
        return self._leave(policy, detail)

    def exhausted(self, policy: HostPolicy, detail: str) -> Outcome:
        """Note that every try of a request failed; a second request in a row leaves the vendor alone for a while."""
        calls = self._exhausted[policy.group] = self._exhausted.get(policy.group, 0) + 1
        if calls >= _CALLS_TO_LEAVE:
            return self._leave(policy, detail)
        return NetworkFailure(policy.group, detail)

    def _leave(self, policy: HostPolicy, detail: str) -> Outcome:
        self._unreachable[policy.group] = self._now() + timedelta(minutes=_UNREACHABLE_MINUTES)
        return NetworkFailure(policy.group, detail)


def _with_spacing(spacing: Mapping[str, float], *, loopback: bool) -> tuple[HostPolicy, ...]:
    """Apply configured spacings to the default policies."""
    known = {policy.group: policy for policy in POLICIES}
    for group, seconds in spacing.items():
        if group not in known:
            raise AithemeError(f"spacing: {group!r} is no vendor group; use one of {', '.join(sorted(known))}")
        floor = 0.0 if loopback else _EASTMONEY_FLOOR if group.startswith("eastmoney") else 0.2
        if seconds < floor:
            raise AithemeError(f"spacing: {seconds} s for {group} is below {floor} s; a faster pace gets you blocked")
    if loopback:
        return tuple(replace(policy, spacing=spacing.get(policy.group, 0.0), jitter=0.0) for policy in POLICIES)
    return tuple(replace(policy, spacing=spacing.get(policy.group, policy.spacing)) for policy in POLICIES)
