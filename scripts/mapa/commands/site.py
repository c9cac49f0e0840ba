"""`mapa site`: where the published site is, and a server for it."""

from __future__ import annotations

import click

from mapa.settings import Settings
from mapa.site.serve import HOST, PORT, require, serve
from mapa.ui import say


@click.command(short_help="Say where the published site is, or serve it.")
@click.option("--serve", "serving", is_flag=True, help="Serve it over HTTP until Ctrl+C.")
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
def site(serving: bool, port: int, host: str) -> None:
    """Say where the site of the current version is. It opens by double click, without a server.

    Any web server can serve the folder. With --serve this program does; a new published version
    appears without a restart.
    """
    published = Settings.load().published.resolve()
    if serving:
        serve(published, host, port)
    else:
        say(f"{require(published)}/index.html")
