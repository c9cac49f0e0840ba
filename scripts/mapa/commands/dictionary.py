"""`mapa dictionary`: make or check the data dictionary."""

from __future__ import annotations

from pathlib import Path

import click

from mapa import dictionary as data_dictionary
from mapa.errors import LayoutError
from mapa.settings import Settings
from mapa.ui import say


@click.command(short_help="Make or check the data dictionary.")
@click.option(
    "--check",
    is_flag=True,
    help="Verify that everything is documented by the rules; write nothing.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the files.  [default: MAPA_DIR/dicionario]",
)
def dictionary(check: bool, output: Path | None) -> None:
    """Make the dictionary as a spreadsheet and CSV, and the impact report (RIPD); or check both.

    `mapa publish` puts spreadsheet and CSV beside the published data, and its pages into
    the site. With --check each finding is one line, `file: problem`, and the exit code is 3 when
    there is any.
    """
    settings = Settings.load()
    if check:
        findings = data_dictionary.check(settings)
        for finding in findings:
            click.echo(finding)
        if findings:
            raise LayoutError(
                f"The dictionary has {len(findings)} findings.\n"
                "Correct the files named above; the rules stand in CONTRIBUTING.md."
            )
        say("The dictionary is complete.")
        return
    folder = output or settings.mapa_dir / "dicionario"
    for path in (
        *data_dictionary.make(settings, folder),
        data_dictionary.impact_report(settings, folder),
    ):
        click.echo(path)
