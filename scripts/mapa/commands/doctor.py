"""`mapa doctor`: is the house fit for the night?"""

from __future__ import annotations

from dataclasses import asdict

import click
import orjson

from mapa.doctor import FAIL, examine, worst
from mapa.errors import CheckError, visible


@click.command(short_help="Check keys, clocks, modes, sources, disk and versions.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def doctor(as_json: bool) -> None:
    """Check keys, clocks, modes, reachability of the sources, disk and versions.

    Nothing is changed, and no source is asked for data. Each check is ok, warn or fail, with what
    to type; the exit code is 13 when one fails.
    """
    checks = examine()
    verdict = worst(checks)
    if as_json:
        content = {"verdict": verdict, "checks": [asdict(check) for check in checks]}
        click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())
    else:
        for check in checks:
            click.echo(f"{check.state:4}  {visible(check.name)}: {visible(check.said)}")
            for line in check.advice.splitlines():
                click.echo(f"          {visible(line)}")
        click.echo(f"Verdict: {verdict}")
    if verdict == FAIL:
        raise CheckError("Something is unfit; each line that says fail says what to type.")
