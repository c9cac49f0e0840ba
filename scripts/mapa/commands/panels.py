"""`mapa panels`: open the panels on the published files."""

from __future__ import annotations

import click

from mapa.panels import HOST, PORT, serve
from mapa.settings import Settings


@click.command(short_help="Open the panels on the published files.")
@click.option(
    "--port",
    default=PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes any free one.",
)
@click.option(
    "--host",
    default=HOST,
    show_default=True,
    help="Address to listen on; 0.0.0.0 lets other machines in.",
)
def panels(port: int, host: str) -> None:
    """Serve the panels until Ctrl+C. A new published version appears without a restart."""
    serve(Settings.load(), host, port)
