"""The console command `mapa`. Each command is imported when asked for.

Those of the house live in `mapa.commands`, those of the synthetic city in `mapa_city.commands`,
which need the extra `demo`.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import threading
from typing import NoReturn

import click

from mapa import __version__, signals
from mapa.errors import EXIT_CODES, ConfigError, MapaError, visible, where

COMMANDS = {
    "demo": "Build the whole house on a synthetic city, in one go.",
    "simulate": "Serve the SISREG and CadSUS APIs of a synthetic city and write its files.",
    "init": "Make this the house of another municipality: seeds and settings.",
    "load": "Bring extracts into the warehouse.",
    "run": "Do the daily job: load, build, publish.",
    "identity": "Score the requests that no number links to a person.",
    "publish": "Publish what is green of what the last build made.",
    "dictionary": "Make or check the data dictionary.",
    "site": "Say where the published site is, or serve it.",
    "plan": "Plan the bookings that bring a queue to a target wait.",
    "compare": "Compare all cells of two warehouses.",
    "export": "Write raw tables for an engine that opens no DuckDB file.",
    "spark": "Build on Spark what `mapa export raw` wrote.",
    "status": "Show loads, freshness, published versions and a verdict.",
    "key": "Encrypt what is there, change a key, read an encrypted file.",
    "destroy": "Dispose of what was received, verify it, certify it.",
    "doctor": "Check keys, clocks, modes, sources, disk and versions.",
    "bench": "Measure what the house costs and what it withstands.",
}


CITY = {"demo", "simulate", "bench"}
"""Commands of the synthetic city, which a house of real data does without."""


class LazyGroup(click.Group):
    """A group whose commands are imported only when they run, so that `--help` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name."""
        if cmd_name not in COMMANDS:
            return None
        rooms = "mapa_city" if cmd_name in CITY else "mapa"
        try:
            module = importlib.import_module(f"{rooms}.commands.{cmd_name}")
        except ModuleNotFoundError as error:
            if cmd_name not in CITY or (error.name or "").startswith("mapa"):
                raise
            raise ConfigError(
                f"`mapa {cmd_name}` needs the synthetic city, and the package {error.name} is "
                "not installed.\nAdd the extra `demo` with\n  pip install -e '.[demo]'"
            ) from None
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


EPILOG = "Exit codes: " + "; ".join(f"{code} {text}" for code, text in EXIT_CODES.items()) + "."


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", prog_name="mapa")
@click.option(
    "--debug", is_flag=True, help="Show where an unexpected error came from; never values."
)
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Mapa Social da Saúde: what the health system offers, and who is waiting.

    Settings come from the environment or from .env; see the README.
    """
    ctx.obj = {"debug": debug}


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line; an unexpected error becomes one line unless --debug is given."""
    args = sys.argv[1:] if argv is None else argv
    signals.heed()
    try:
        sys.exit(cli.main(args=args, prog_name="mapa", standalone_mode=False))
    except click.ClickException as error:
        said = io.StringIO()
        error.show(file=said)
        click.echo(visible(said.getvalue(), lines=True), err=True, nl=False)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _end_interrupted()
    except Exception as error:
        if signals.is_stop(error):
            _end_interrupted()
        if "--debug" in args:
            click.echo(where(error), err=True, nl=False)
            sys.exit(1)
        MapaError(
            f"Unexpected error ({type(error).__name__}). "
            f"Run `mapa --debug {' '.join(args)}` to see where."
        ).show()
        sys.exit(1)


def _end_interrupted() -> NoReturn:
    click.echo("Interrupted; what was committed stays, nothing is half loaded.", err=True)
    if any(not t.daemon for t in threading.enumerate() if t is not threading.main_thread()):
        # A question that is still on its way; everything that we hold has been given back.
        sys.stdout.flush()
        os._exit(130)
    sys.exit(130)
