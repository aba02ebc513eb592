"""A JupyterLab server on the loopback and a Chromium that may speak to nobody else."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from aitheme.charts.fonts import find_font
from tests.conftest import PROJECT

OUTPUT = PROJECT / "build" / "e2e"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
STARTED = 60.0


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as reply:  # noqa: S310 (the loopback)
            return reply.status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    """An analyst's empty folder, and settings: no news, and every cell kept in the page so that a test can see it."""
    home = tmp_path_factory.mktemp("home")
    settings = home / "settings" / "@jupyterlab"
    for name, text in {
        "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
        "notebook-extension/tracker": '{"windowingMode": "none"}',
    }.items():
        path = settings / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return home


@pytest.fixture(scope="session")
def lab(work):
    """Address of a running `aitheme lab` with its token, as a format for a path."""
    token, port = secrets.token_hex(16), free_port()
    places = {
        "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "share", "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "IPYTHONDIR": "ipython",
    }  # fmt: skip
    command = [
        sys.executable, "-c", "from aitheme.cli import main; main()", "lab", "--notebooks", str(work / "notebooks"),
        "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}",
    ]  # fmt: skip
    log = work / "lab.log"
    with log.open("w") as handle:
        server = subprocess.Popen(
            command,
            env=os.environ | {name: str(work / place) for name, place in places.items()},
            stdout=handle,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            until = time.monotonic() + STARTED
            while not answers(f"http://127.0.0.1:{port}/api/status?token={token}"):
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/{{}}?token={token}"
        finally:
            # The server and its kernels are one group: nothing is left behind when a test fails.
            os.killpg(server.pid, 15)
            server.wait(20)


@pytest.fixture(scope="session")
def fonts(tmp_path_factory):
    """A font configuration with a Chinese font, which a bare machine lacks."""
    folder = tmp_path_factory.mktemp("fonts")
    path = folder / "fonts.conf"
    path.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        '<include ignore_missing="yes">/etc/fonts/fonts.conf</include>'
        f"<dir>{Path(find_font().path).parent}</dir><cachedir>{folder / 'cache'}</cachedir></fontconfig>",
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="session")
def chromium(fonts):
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=FLAGS, env=os.environ | {"FONTCONFIG_FILE": str(fonts)}
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, request):
    """A page in an empty profile. Whatever it asks of another host is refused and fails the test."""
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(60_000)
    abroad = []

    def only_here(route):
        if route.request.url.startswith("http://127.0.0.1:"):
            route.continue_()
        else:
            abroad.append(route.request.url)
            route.abort()

    context.route("http://**", only_here)
    context.route("https://**", only_here)
    page = context.new_page()
    OUTPUT.mkdir(parents=True, exist_ok=True)
    yield page
    page.screenshot(path=OUTPUT / f"{request.node.name}.png")
    context.close()
    assert not abroad
