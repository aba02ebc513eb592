"""An HTTPS proxy on loopback that answers for every vendor: for child processes, in which nothing is patched."""

from __future__ import annotations

import contextlib
import os
import ssl
import threading

import trustme

from tests.vendors.vendor_stub import Handler, VendorStub


class StubProxy(VendorStub):
    """Opens every tunnel itself, with a certificate of its own authority.

    Parameters
    ----------
    route
        As for :class:`~tests.vendors.vendor_stub.VendorStub`.
    folder
        Where the authority's certificate is written.
    """

    def __init__(self, route, folder):
        self._authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self._contexts = {}
        self._making = threading.Lock()
        self.bundle = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(self.bundle)
        super().__init__(route, TunnelHandler)

    def context(self, host):
        """Return the TLS context of a vendor's host."""
        with self._making:
            if host not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._authority.issue_cert(host, key_type=trustme.KeyType.ECDSA).configure_cert(context)
                self._contexts[host] = context
            return self._contexts[host]

    def environment(self, **more):
        """Return the environment of a child process that can reach nothing but this proxy."""
        address = f"http://127.0.0.1:{self.port}"
        bundle = str(self.bundle)
        kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        return kept | {
            "HTTPS_PROXY": address, "HTTP_PROXY": address, "https_proxy": address, "http_proxy": address,
            "NO_PROXY": "", "no_proxy": "", "REQUESTS_CA_BUNDLE": bundle, "CURL_CA_BUNDLE": bundle,
            "SSL_CERT_FILE": bundle, "AITHEME_UNSPACED": "1", "TQDM_DISABLE": "1", **more,
        }  # fmt: skip


class TunnelHandler(Handler):
    def do_CONNECT(self):  # noqa: N802
        host = self.path.partition(":")[0]
        if any(part in host for part in self.owner.refused):
            self.send_error(502)
            return
        self.send_response(200)
        self.end_headers()
        try:
            self.connection = self.owner.context(host).wrap_socket(self.connection, server_side=True)
        except (ssl.SSLError, OSError):
            self.close_connection = True
            return
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = self.connection.makefile("wb", 0)
        self.tunnel = host
        self.close_connection = False

    def finish(self):
        super().finish()
        if self.tunnel:
            with contextlib.suppress(OSError):
                self.connection.close()
