"""Another state, four regions, centrals with letters: seeds and variables alone make the territory.

A small city of Porto Exemplo goes through the real doors into a project that differs from ours in
five seeds and the variables; every mart must say what happened there.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from conftest import environment, house_environment
from mapa import warehouse
from mapa.errors import ConfigError
from mapa.settings import Settings
from mapa_city import verify
from mapa_city.demo import CitySize, build_house, fresh_directory
from second_territory import PORTO_EXEMPLO, make_project

SIZE = CitySize(people=1500, days=100, seed=3, until=date(2026, 6, 30), territory=PORTO_EXEMPLO)


class Built:
    """The built house and what its comparison found."""

    def __init__(self, directory: Path) -> None:
        """Build it; a mart that differs from the truth ends it here."""
        project = make_project(directory / "project")
        env = house_environment(directory) | {"DBT_PROJECT_DIR": str(project)}
        with environment(env | {"MAPA_MAX_CLOCK_HOURS": "6"}):
            self.settings = Settings.load()
            fresh_directory(self.settings)
            self.comparisons = build_house(self.settings, SIZE)

    def values(self, query: str) -> set[Any]:
        """Return the first column of a query's rows."""
        with warehouse.connect(self.settings.warehouse, read_only=True) as con:
            return {row[0] for row in con.execute(query).fetchall()}


@pytest.fixture(scope="module")
def porto(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return the house of Porto Exemplo."""
    return Built(tmp_path_factory.mktemp("porto"))


def test_what_no_setting_says_is_the_territorys(tmp_path: Path) -> None:
    scope = Settings(dbt_project_dir=make_project(tmp_path / "project")).sisreg_scope
    assert (scope.suffix, scope.centrals, scope.state) == ("es-porto-exemplo", ("32C164",), "32")
    with pytest.raises(ConfigError, match="does not say which territory"):
        Settings(dbt_project_dir=tmp_path / "elsewhere").sisreg_scope  # noqa: B018


def test_every_mart_says_what_happened(porto: Built) -> None:
    assert {each.mart for each in porto.comparisons} == set(verify.MARTS)
    assert [str(each) for each in porto.comparisons if not each.equal] == []


def test_only_the_own_municipality_of_the_state_is_inside(porto: Built) -> None:
    where = "select distinct residencia_municipio_ibge from intermediario.int_pessoas__residencias"
    inside = "regiao_saude_codigo <> 'fora_do_territorio'"
    assert porto.values(f"{where} where {inside}") == {"329990"}
    assert porto.values(f"{where} where not {inside}") == {"329801", "329802", "329803", "319901"}


def test_regions_and_centrals_are_its_own(porto: Built) -> None:
    regions = porto.values("select distinct regiao_saude_codigo from fila.fila_por_mes")
    assert regions == {*PORTO_EXEMPLO.regions, "nao_identificada", "fora_do_territorio"}
    real = "select distinct central_executora_codigo from oferta.oferta_real_por_mes"
    assert porto.values(real) == {"32C164", "32C206"}
    asked = "select distinct codigo_central_reguladora from bruto_sisreg.solicitacao_ambulatorial"
    assert porto.values(asked) == {"32C164", "32C206"}


def test_its_holidays_come_from_the_operator_and_from_its_own_law(porto: Built) -> None:
    days = porto.values(
        "select strftime(data, '%m-%d ') || feriado_descricao from dimensoes.dim_calendario "
        "where eh_feriado and data between '2026-06-05' and '2026-06-30'"
    )
    assert days == {"06-08 DIA DO MODELO", "06-16 Fundação do Porto"}


def test_what_is_published_is_signed_by_its_owner(porto: Built) -> None:
    (source,) = porto.values("select fonte from publicacao.pub_atualizacao")
    assert source.endswith("Mapa Social da Saúde, Prefeitura de Porto Exemplo")
    files = [f for f in porto.settings.mapa_dir.glob("published/**/*") if f.is_file()]
    assert [file.name for file in files if b"MPDFT" in file.read_bytes()] == []
