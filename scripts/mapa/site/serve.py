"""The site over HTTP, for whoever has no web server at hand."""

from __future__ import annotations

import errno
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mapa.errors import PortError, PublishError
from mapa.publish import store
from mapa.ui import say

NOT_FOUND = "404.html"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'none'; base-uri 'none'; form-action 'none'"
)
"""What a page may do; a web server should send it too, and may add `frame-ancestors`."""
HOST = "127.0.0.1"
PORT = 8050
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # A new version shows at the next look.
    "Cache-Control": "no-cache",
}


class Handler(SimpleHTTPRequestHandler):
    """Serves files of the current version; what does not exist is said in Portuguese."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments: Any, published: Path, **named: Any) -> None:
        """Find the current version anew for each connection."""
        folder = store.current(published)
        self.folder = folder / store.SITE if folder else published / "nothing"
        super().__init__(*arguments, directory=str(self.folder), **named)

    def end_headers(self) -> None:
        """Send what a web server should send with each file."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def list_directory(self, path: Any) -> None:
        """Show no listings."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with the page that says so."""
        page = self.folder / NOT_FOUND
        if code != HTTPStatus.NOT_FOUND or not page.exists():
            super().send_error(code, message, explain)
            return
        body = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Note nothing: who looked at what is nobody's business."""


def require(published: Path) -> Path:
    """Return the folder of the current site.

    Raises:
        PublishError: nothing has been published, or by a program that made no site.
    """
    folder = store.current(published)
    if folder is None:
        raise PublishError(
            "Nothing has been published yet, so there is nothing to show.\n"
            "Run `make demo` for a synthetic city, or `mapa publish` after a green `dbt build`."
        )
    if not (folder / store.SITE / "index.html").exists():
        raise PublishError(
            f"Version {folder.name} was made by an older program and has no site.\n"
            "Run `dbt build`, then `mapa publish`."
        )
    return folder / store.SITE


def serve(published: Path, host: str = HOST, port: int = PORT) -> None:
    """Serve the current version until interrupted.

    Raises:
        PortError: another program listens on the port.
        PublishError: there is no site.
    """
    require(published)
    try:
        server = ThreadingHTTPServer((host, port), partial(Handler, published=published))
    except OSError as error:
        reason = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror
        raise PortError(
            f"Port {port} of {host} cannot be used ({reason}).\n"
            "End the other program, or choose another port: mapa site --serve --port 8051"
        ) from None
    with server:
        say(f"The site is at http://{host}:{server.server_address[1]}/ (Ctrl+C ends it).")
        server.serve_forever()
