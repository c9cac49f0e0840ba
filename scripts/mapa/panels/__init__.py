"""The panels: what was published, for people; they never open the warehouse."""

from __future__ import annotations

import logging
import socket

from mapa.errors import ConfigError, PortError
from mapa.settings import Settings
from mapa.ui import say

HOST = "127.0.0.1"
PORT = 8050
THREADS = 8


def serve(settings: Settings, host: str = HOST, port: int = PORT) -> None:
    """Serve the panels until interrupted.

    Raises:
        PortError: another program listens on the port.
        PublishError: nothing has been published.
        ConfigError: the panels' packages are not installed.
    """
    listener = _listen(host, port)
    try:
        import waitress  # noqa: PLC0415 - heavy, and part of the extra `panels`

        from mapa.panels.page import build_app  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            f"The panels need {error.name}, which is not installed.\n"
            "Install the extra: pip install 'mapa-social-da-saude[panels]'"
        ) from None
    app = build_app(settings.published.resolve())
    # A page asks for its files all at once; that they queue for a moment is no news.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    say(f"The panels are at http://{host}:{listener.getsockname()[1]} (Ctrl+C ends them).")
    waitress.serve(app.dash.server, sockets=[listener], threads=THREADS, _quiet=True)


def _listen(host: str, port: int) -> socket.socket:
    """Take the port first, so that a busy one is said at once."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortError(
            f"Port {port} of {host} cannot be used ({error.strerror}).\n"
            "End the other program, or choose another port: mapa panels --port 8051"
        ) from None
    listener.listen()
    return listener
