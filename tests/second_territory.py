"""Porto Exemplo, a made-up territory: what the city knows of it, and a project of its seeds.

The city's side is written here by hand and never read from `tests/fixtures/territorio`: the truth
shares no file with what it judges.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import yaml

from conftest import PROJECT
from mapa_city.territory import Area, Feast, Municipality, Territory

SEEDS = PROJECT / "tests" / "fixtures" / "territorio" / "porto_exemplo"
PARTS = ("macros", "models", "seeds", "docs", "tests/generic", "tests/singular")

PORTO_EXEMPLO = Territory(
    seat=Municipality("329990", "PÔRTO EXEMPLO", "ES"),
    regions={"praia": "Praia", "serra": "Serra", "vale": "Vale", "porto": "Porto"},
    outside="Fora de Porto Exemplo",
    areas=(
        Area("CENTRO HISTORICO", "praia", 30_000, ("LADEIRA VELHA", "CENTRO (CENTRO HISTORICO)")),
        Area("PRAIA DO ENSAIO", "praia", 45_000, ("ORLA DO ENSAIO", "QUADRA 0 (PRAIA DO ENSAIO")),
        Area("MORRO AZUL", "serra", 25_000, ("ALTO - MORRO AZUL",)),
        # A neighbour of the same state has this name, too.
        Area("VARGEM", "serra", 20_000, ("VARGEM - ES", "CENTRO VARGEM")),
        Area("VALE VERDE", "vale", 40_000, ("VALE VERDE QUADRA 0",)),
        Area("VALE VERDE II", "vale", 15_000, ("VALE VERDE 2",)),
        Area("CAIS NOVO", "porto", 35_000, ("ESTALEIRO", "ESTALEIRO/ES")),
        Area("ILHA DO MODELO", "porto", 10_000, ("PORTO SECO (ILHA DO MODELO)",)),
    ),
    untold=("", "CENTRO", "PORTO EXEMPLO", "PORTO EXEMPLO - ES", "SITIO FICTICIO 0"),
    lent_untold="SITIO FICTICIO (RIO MODELO)",
    neighbours=(
        Municipality("329801", "VARGEM", "ES", 50_000),
        Municipality("329802", "RIO MODELO", "ES", 30_000),
        Municipality("329803", "SERRA DO RASCUNHO", "ES", 20_000),
        Municipality("319901", "CAMPO DO ENSAIO", "MG", 40_000),
    ),
    # Those of other municipalities of the state write names of ours.
    neighbourhoods=("CENTRO", "VARGEM", "ESTALEIRO", ""),
    feasts=(
        Feast("estadual", 6, 8, "DIA DO MODELO", "Dia do Modelo"),
        Feast("municipal", 6, 16, None, "Fundação do Porto"),
    ),
    decreed="estadual",
    central="32C164",
    other_central="32C206",
    regulating=("32C164", "32C206"),
)


def make_project(directory: Path) -> Path:
    """Make a project as CONTRIBUTING says under "Another territory": seven seeds and the variables.

    Raises:
        AssertionError: a variable of the territory does not stand in dbt_project.yml.
    """
    for part in PARTS:
        shutil.copytree(PROJECT / part, directory / part)
    for seed in SEEDS.glob("*.csv"):
        assert (directory / "seeds" / seed.name).exists()
        shutil.copyfile(seed, directory / "seeds" / seed.name)
    text = (PROJECT / "dbt_project.yml").read_text()
    for name, value in yaml.safe_load((SEEDS / "variaveis.yml").read_text()).items():
        said = f"&responsavel {value}" if name == "responsavel" else yaml.safe_dump(value)
        said = said.removesuffix("...\n").strip()
        text, times = re.subn(rf"(?m)^    {name}: .*$", f"    {name}: {said}", text)
        assert times == 1
    (directory / "dbt_project.yml").write_text(text)
    return directory
