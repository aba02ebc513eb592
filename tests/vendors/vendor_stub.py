"""A loopback HTTP server that stands in for every vendor, and the steering that sends akshare's requests to it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CAPTCHA = "<!DOCTYPE html><html><head><title>安全验证</title></head><body>请完成滑块验证 captcha</body></html>"


@dataclass
class Fault:
    """What goes wrong with requests whose `host+path?query` contains `where`."""

    where: str
    kind: object
    times: int | None = None


@dataclass(frozen=True)
class Seen:
    """A request that arrived."""

    host: str
    path: str
    query: dict
    form: dict


class VendorStub:
    """Routes by host suffix and path; faults come first.

    Parameters
    ----------
    route
        Called with a :class:`Seen`; returns (content type, text or bytes) or None for an unknown address.
    """

    def __init__(self, route, handler=None):
        self.route = route
        self.faults = []
        self.seen = []
        self.refused = set()
        self.errors = []
        self.release = threading.Event()
        self._lock = threading.Lock()
        stub = self

        class Owned(handler or Handler):
            owner = stub

        self.server = _Server(("127.0.0.1", 0), Owned)
        self.port = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        with contextlib.closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.closed_port = probe.getsockname()[1]

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(5)

    def fault(self, where, kind, times=None):
        self.faults.append(Fault(where, kind, times))

    def take_fault(self, address):
        with self._lock:
            for fault in self.faults:
                if fault.where in address and fault.times != 0:
                    if fault.times is not None:
                        fault.times -= 1
                    return fault.kind
        return None

    def hosts(self):
        return [seen.host for seen in self.seen]

    def asked(self, part):
        return [seen for seen in self.seen if part in seen.host + seen.path]

    def target(self, url):
        """Return the loopback URL for a vendor URL, and the vendor's host."""
        refused = any(part in urlsplit(url).netloc for part in self.refused)
        return Remote(self.closed_port if refused else self.port).target(url)


@dataclass(frozen=True)
class Remote:
    """A stub that runs in another process."""

    port: int

    def target(self, url):
        """Return the loopback URL for a vendor URL, and the vendor's host."""
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return f"http://127.0.0.1:{self.port}{path}", parts.hostname


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Clients that are killed in the middle of a request are what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    owner = None
    tunnel = ""
    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.do_GET()

    def do_GET(self):
        stub = self.owner
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode("utf-8", "replace") if length else ""
        host = self.tunnel or self.headers.get("X-Stub-Host") or self.headers.get("Host", "").partition(":")[0]
        parts = urlsplit(self.path)
        if parts.scheme:  # absolute form, as sent to a proxy
            host = parts.hostname
        flat = {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
        form = {k: v[0] for k, v in parse_qs(body, keep_blank_values=True).items()}
        seen = Seen(host, parts.path, flat, form)
        stub.seen.append(seen)
        kind = stub.take_fault(f"{host}{self.path}")
        if isinstance(kind, str) and kind in {"drop", "reset", "hang"}:
            self._break(kind)
            return
        if isinstance(kind, int):
            self._send(kind, "text/html", f"<html>{kind}</html>")
            return
        if kind == "redirect":
            self.send_response(302)
            self.send_header("Location", f"https://{host}/captcha")
            self.end_headers()
            return
        if kind == "captcha" or parts.path == "/captcha":
            self._send(200, "text/html; charset=utf-8", CAPTCHA)
            return
        if kind == "empty":
            self._send(200, "application/json", "")
            return
        answer = stub.route(seen)
        if answer is None:
            self._send(404, "text/html", "<html><body>not found</body></html>")
            return
        content_type, text = answer
        if callable(kind):
            try:
                text = kind(text)
            except Exception as error:
                stub.errors.append(error)
                raise
        self._send(200, content_type, text, cut=kind == "cut")

    def _send(self, status, content_type, text, *, cut=False):
        data = text if isinstance(text, bytes) else text.encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(data[: len(data) // 2] if cut else data)

    def _break(self, kind):
        if kind == "hang":
            self.owner.release.wait(20)
        if kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        with contextlib.suppress(OSError):
            if kind != "reset":
                self.connection.shutdown(socket.SHUT_RDWR)
            self.connection.close()


def steer(monkeypatch, stub):
    """Send every requests and curl_cffi request of this process to the stub; nothing can leave the machine."""
    from curl_cffi.requests import Session
    from requests.adapters import HTTPAdapter

    send, request = HTTPAdapter.send, Session.request

    def steered_send(self, prepared, **kwargs):
        copy = prepared.copy()
        copy.url, host = stub.target(prepared.url)
        copy.headers["X-Stub-Host"] = host
        copy.headers.pop("Host", None)
        kwargs["proxies"] = {}
        return send(self, copy, **kwargs)

    def steered_request(self, method, url, **kwargs):
        url, host = stub.target(url)
        headers = {**dict(kwargs.pop("headers", None) or {}), "X-Stub-Host": host}
        return request(self, method, url, headers=headers, **kwargs)

    connect = socket.socket.connect

    def loopback_only(self, address):
        if isinstance(address, tuple) and address[0] not in {"127.0.0.1", "localhost"}:
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(HTTPAdapter, "send", steered_send)
    monkeypatch.setattr(Session, "request", steered_request)
    monkeypatch.setattr(socket.socket, "connect", loopback_only)
