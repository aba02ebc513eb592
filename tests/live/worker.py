"""Refreshes in processes of their own, which tests kill, starve of disk space, or lock out.

The processes are forked from a server that has imported everything already, so that one costs milliseconds.
"""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import random
import signal
import sys
import types
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from aitheme.calendar import calendar_for
from aitheme.sources.akshare import AkshareSource, LiveRequest, Politeness, Universe
from aitheme.sources.base import FetchRequest
from aitheme.sources.demo import DemoSource
from aitheme.store import StoreFiles, refresh
from aitheme.themes import load_theme
from tests.conftest import TOY_THEME

__all__ = ["PATHS", "Trial", "command", "context", "file_steps"]

SYMBOLS = ("600000.SH", "300364.SZ", "688041.SH", "00700.HK", "000300.SH")
DAY_ONE, DAY_TWO = datetime(2024, 3, 15, 12, tzinfo=UTC), datetime(2024, 4, 1, 12, tzinfo=UTC)
CALENDARS = [calendar_for(exchange) for exchange in ("XSHG", "XHKG", "XNYS")]  # a second's work, before any fork
_STEPS = frozenset({"open", "os.rename", "os.remove", "shutil.copyfile"})


def context():
    """Return the multiprocessing context of the tests."""
    if not hasattr(os, "fork"):
        return multiprocessing.get_context("spawn")
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["tests.live.worker", "tests.vendors.vendor_stub", "akshare", "aitheme.cli.data",
                                    "pandas", "pyarrow.compute", "pandera.pandas", "filelock"])  # fmt: skip
    return forking


# --- what is refreshed -----------------------------------------------------------------------------------------------
def live(root, moment, port):
    """Refresh from the stub vendors as they are at a moment."""
    from tests.vendors.vendor_stub import Remote, steer

    patch = pytest.MonkeyPatch()
    try:
        steer(patch, Remote(port))
        for name in ("akshare.request", "akshare.utils.request", "akshare.utils.func"):
            patch.setattr(sys.modules[name], "time", types.SimpleNamespace(sleep=lambda _: None))
        source = AkshareSource(
            Universe(frozenset(SYMBOLS[:-1]), frozenset(SYMBOLS[-1:]), capex=frozenset()),
            politeness=Politeness(None, loopback=True, now=lambda: moment),
            clock=lambda: moment,
        )
        wanted = frozenset({"bars", "adj_factors", "index_bars", "box_office"})
        return refresh(StoreFiles(root), source, LiveRequest(None, date(2024, 1, 2), None, wanted), universe="theme")
    finally:
        patch.undo()


def demo(root, moment, _port):
    """Refresh from a simulated market up to a moment."""
    source = DemoSource(load_theme(TOY_THEME), background=40, start=date(2023, 6, 1), end=date(2024, 4, 1))
    return refresh(StoreFiles(root), source, FetchRequest(None, None, moment.date()), universe="all")


PATHS = {"live": live, "demo": demo}


# --- dying and failing -----------------------------------------------------------------------------------------------
def file_steps(root, act):
    """Call `act` with the number of each step (writing, renaming, removing, copying) on a file below `root`."""
    count = 0

    def hook(event, arguments):
        nonlocal count
        if event not in _STEPS or (
            event == "open" and not (isinstance(arguments[1], str) and set("wax+") & set(arguments[1]))
        ):
            return
        if any(isinstance(item, (str, os.PathLike)) and str(item).startswith(str(root)) for item in arguments[:2]):
            count += 1
            act(count, event, arguments)

    sys.addaudithook(hook)


def run(path, root, moment, port, connection, step):
    """Refresh in this process; die at a file step if one is given."""

    def act(number, _event, _arguments):
        if number == step:
            os.kill(os.getpid(), signal.SIGKILL)

    if step:
        file_steps(root, act)
    connection.send("begun")
    PATHS[path](root, moment, port)
    connection.send("done")


class Trial:
    """A refresh in a process of its own.

    Parameters
    ----------
    path
        ``live`` or ``demo``.
    """

    def __init__(self, path, root, moment, port=0, step=0):
        here, there = context().Pipe(duplex=False)
        self._here = here
        self._process = context().Process(target=run, args=(path, root, moment, port, there, step), daemon=True)
        self._process.start()
        there.close()
        assert here.poll(60), "the process did not start"
        here.recv()

    def killed_after(self, seconds):
        """Kill it after a while; return whether it was still running."""
        self._process.join(seconds)
        running = self._process.is_alive()
        self._process.kill()
        self._process.join(30)
        return running

    def end(self):
        """Wait for its end; return its exit code."""
        self._process.join(120)
        return self._process.exitcode


# --- the command in a process of its own -----------------------------------------------------------------------------
def command(arguments, out, *, file_size=0, modes=False, fail_at=None, root=""):
    """Run ``aitheme`` with arguments in a forked process; return its exit code and what it wrote to standard error.

    Parameters
    ----------
    file_size
        No file may grow beyond this number of bytes, as if the disk were full.
    modes
        Whether file modes count, as they do not for root.
    fail_at
        Event and part of a file name: that step on a file below `root` finds the disk full.
    """
    process = context().Process(target=_command, args=(arguments, out, file_size, modes, fail_at, root), daemon=True)
    process.start()
    process.join(120)
    return process.exitcode, Path(out).read_text(encoding="utf-8")


def _command(arguments, out, file_size, modes, fail_at, root):
    from aitheme.cli import main

    with Path(out).open("w", encoding="utf-8") as stream, contextlib.redirect_stderr(stream):
        if fail_at is not None:

            def act(_number, event, paths):
                if event == fail_at[0] and any(fail_at[1] in str(item) for item in paths[:2]):
                    raise OSError(errno.ENOSPC, "No space left on device", str(paths[0]))

            file_steps(root, act)
        if file_size:
            import resource

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
        if modes and os.geteuid() == 0:
            obey_modes()
        sys.argv = ["aitheme", *map(str, arguments)]
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            main()


def obey_modes():
    """Give up root's power over file modes (Linux: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER)."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if library.capget(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capget")
    for number in (0, 1):
        sets[number] &= ~0b1110 & 0xFFFFFFFF
    if library.capset(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def moments(seed, count):
    """Return fractions of a run at which to kill it."""
    rng = random.Random(seed)  # noqa: S311
    return [round(rng.random(), 4) for _ in range(count)]
