"""`mapa identity`: scores for the requests that no number links."""

from __future__ import annotations

import click

from mapa import identity as scores
from mapa.settings import Settings
from mapa.ui import say


@click.command(short_help="Score the requests that no number links to a person.")
def identity() -> None:
    """Score the requests that no number links to a person, by name, mother, birth and address.

    Needs the extra `identidade` and a build, which says which requests these are. The next build
    believes a score from the variable `identidade_limiar` on. Only pseudonyms and scores are kept.
    Without this command requests are linked by exact rules alone. `mapa run` does it every night.
    """
    done = scores.score(Settings.load())
    say(f"{done}\nNow build anew with\n  dbt build")
