"""`mapa init`: the seeds and settings of another municipality."""

from __future__ import annotations

import click

from mapa.errors import ConfigError
from mapa.settings import Settings
from mapa.territory.municipalities import Municipality, NotOneError, Table
from mapa.territory.seeds import Project, rows_of, variables_of
from mapa.ui import say


@click.command(short_help="Make this the house of another municipality.")
@click.argument("municipality", metavar="MUNICIPALITY")
@click.option("--state", metavar="UF", help="Its state, when several have one of that name.")
@click.option("--owner", metavar="NAME", help="Who publishes: signs the tables (`responsavel`).")
@click.option("--force", is_flag=True, help="Write although someone has changed the seeds.")
def init(municipality: str, state: str | None, owner: str | None, force: bool) -> None:
    """Write the territory's seeds and settings for MUNICIPALITY, and say what is left to fill in.

    It is a name as people write it ("S. J. do Rio Preto", "Embu/SP") or IBGE's code of 6 or 7
    digits. The seeds `territorio_*` are made anew from IBGE's table of municipalities, the work
    plan of the agreement is emptied, and the variables of dbt_project.yml that name the territory
    are set in place.
    """
    table = Table()
    try:
        one = table.find(municipality, state)
    except NotOneError as error:
        raise click.UsageError(str(error)) from None
    project = Project(Settings.load().dbt_project_dir)
    rows, variables = rows_of(one, table), variables_of(one, table, owner)
    if not force:
        _refuse_to_lose(project, one, list(rows))
    project.write(rows, variables)
    say(f"This is now the house of {one}.\n\nWritten:")
    say("\n".join(f"  seeds/{name}.csv: {len(lines)} rows" for name, lines in rows.items()))
    say(f"  dbt_project.yml: {', '.join(variables)}")
    say("\nLeft to fill in, in an editor or a spreadsheet (UTF-8, commas):")
    say("\n".join(f"  {line}" for line in _left(one, owner)))
    say("\nThen: dbt build")


def _refuse_to_lose(project: Project, one: Municipality, seeds: list[str]) -> None:
    """Refuse to replace what someone has filled in.

    Raises:
        ConfigError: this is the house of that municipality already, or a seed was changed.

    """
    if project.variables.get("municipio_ibge6") == one.code6:
        raise ConfigError(
            f"This is the house of {one} already; its seeds stay as they are.\n"
            "To begin anew, and lose what is filled in, add --force."
        )
    if changed := project.changed(seeds):
        raise ConfigError(
            f"Someone has changed {', '.join(f'seeds/{name}' for name in changed)} since it was "
            "shipped or written by `mapa init`; nothing was written.\n"
            "Keep a copy of what you need, then add --force."
        )


def _left(one: Municipality, owner: str | None) -> list[str]:
    """Return what no table knows, file by file, with where to get it."""
    signed = [] if owner else ["dbt_project.yml: responsavel, who publishes (or --owner)"]
    return [
        *signed,
        "dbt_project.yml: acordo, acordo_numero and orgao_aprovador, which the dictionary's "
        "cover names; null says that they were not told",
        "dbt_project.yml: central_codigo and sisreg_sufixo are guesses; the Ministry, which issues "
        "the credentials of SISREG, knows them",
        "dbt_project.yml: territorio_qtd_areas, territorio_qtd_regioes, territorio_populacao, to "
        "check the seeds against; null checks nothing",
        "seeds/territorio_regioes.csv: the health regions or districts with populacao, "
        "populacao_ano and fonte, from the local health plan and IBGE's census; the last two rows "
        "stay",
        "seeds/territorio_areas.csv: districts or administrative regions, each with its "
        "regiao_saude_codigo, from the local law; area_ibge from IBGE's (sub)districts",
        "seeds/territorio_bairros.csv: each neighbourhood in capitals without accents, its "
        "area_numero, tipo (area, bairro, ambiguo, outro_municipio) and fonte, from the city "
        "hall or the post office; until then residents have no region",
        "seeds/territorio_mosaico.csv: linha (from the north) and coluna (from the west) of each "
        "area on the site's tile map; an area without them is listed under it",
        f"seeds/territorio_municipios.csv: it has all of {one.state}; add municipalities of other "
        "states whose residents come",
        "seeds/acordo_plano_trabalho.csv: the actions of your own agreement with the Ministry, if "
        "you have one; without any its page is left out",
        f"seeds/regras_feriados.csv: holidays of the state (territorio_ibge {one.code[:2]}) and of "
        f"the municipality ({one.code6}), with the law in fonte",
    ]
