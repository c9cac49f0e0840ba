"""Where a neighbourhood lies: documents through the real mirror, the real build, one rule for all.

The expected regions are worked out by hand from what is known of the district, never from the
project's seeds: `bairros_dos_correios.csv` has the 177 names of the post office's list, and what
follows below are ways of writing that nobody reported.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from conftest import PROJECT
from mapa.load import sisreg
from mirror import INDICES, PASSWORD, USER, Mirror, document, mirroring
from offer_house import OfferHouse

OFFICIAL = PROJECT / "tests" / "fixtures" / "territorio" / "bairros_dos_correios.csv"
MODELS = (
    "+int_fila__solicitacoes",
    "+dim_estabelecimentos",
    "+qualidade_territorio",
    "dicionario_codigos",
)
Place = tuple[int | None, str]

WRITINGS: dict[str, Place] = {
    # the region in brackets, however the name and the brackets are written
    "setor tradicional (planaltina)": (6, "parentese"),
    "Vila Inventada (Ceilândia)": (9, "parentese"),
    "QUADRA 5 (SOBRADINHO II)": (26, "parentese"),
    "QUADRA 5 (SOBRADINHO)": (5, "parentese"),
    "CONDOMINIO INVENTADO (GAMA": (2, "parentese"),
    "RUA INVENTADA [SAMAMBAIA]": (12, "parentese"),
    "CHACARA 3 (RA IX)": (9, "parentese"),
    "CHACARA 3 (CEILANDIA - RA IX)": (9, "parentese"),
    "CHACARA 3 (RA 02)": (2, "parentese"),
    "(BRAZLANDIA) CHACARA 3": (4, "parentese"),
    "VILA INVENTADA (PLANALTINA - DF)": (6, "parentese"),
    "VILA INVENTADA (PLANALTINA/DF)": (6, "parentese"),
    "VILA INVENTADA (LOTE 2 - SANTA MARIA)": (13, "parentese"),
    "SETOR LESTE (QUADRA 2) (GAMA)": (2, "parentese"),
    "ASA SUL (CEILANDIA)": (9, "parentese"),
    "CEILANDIA NORTE (CEILÂNDIA)": (9, "parentese"),
    "RIACHO FUNDO (RIACHO FUNDO II)": (21, "parentese"),
    # a bracket without a region says nothing; the rest speaks
    "ASA SUL (CASA 2)": (1, "exato"),
    "TAGUATINGA NORTE QNL (FUNDOS)": (3, "prefixo"),
    "SETOR LESTE (CASA 2)": (None, "ambiguo"),
    "VILA INVENTADA (CENTRO)": (None, "desconhecido"),
    "VILA INVENTADA ()": (None, "desconhecido"),
    # two regions in brackets are a contradiction, and a place of Goiás is none of ours
    "VILA INVENTADA (GAMA) (PLANALTINA)": (None, "ambiguo"),
    "SETOR LESTE (VALPARAISO)": (None, "outro_municipio"),
    "JARDIM BOTANICO (VALPARAISO DE GOIAS)": (None, "outro_municipio"),
    "SANTA MARIA (NOVO GAMA)": (None, "outro_municipio"),
    "PLANALTINA (GO)": (None, "outro_municipio"),
    "VILA INVENTADA (PLANALTINA - GO)": (None, "outro_municipio"),
    # a dash, a comma or nothing at all in the place of the brackets
    "SETOR TRADICIONAL - PLANALTINA": (6, "complemento"),
    "SETOR TRADICIONAL PLANALTINA": (6, "complemento"),
    "SETOR TRADICIONAL/PLANALTINA": (6, "complemento"),
    "CENTRO DE TAGUATINGA": (3, "complemento"),
    "SETOR CENTRAL DO GAMA": (2, "complemento"),
    "SETOR SUL GAMA": (2, "complemento"),
    "DVO GAMA": (2, "complemento"),
    "VILA INVENTADA - PARANOÁ": (7, "complemento"),
    "VILA INVENTADA, PARANOÁ - DF": (7, "complemento"),
    "VILA INVENTADA/PARANOÁ": (7, "complemento"),
    "BRASILIA - ASA NORTE": (1, "complemento"),
    # names, numbers and numerals of the regions
    "PLANALTINA DF": (6, "exato"),
    "Planaltina/DF": (6, "exato"),
    "sol nascente/pôr do sol": (32, "exato"),
    "SCIA - ESTRUTURAL": (25, "exato"),
    "SUDOESTE (OCTOGONAL)": (22, "exato"),
    "sudoeste": (22, "exato"),
    "RA XXX": (30, "exato"),
    "RA-IX": (9, "exato"),
    "R.A. IX": (9, "exato"),
    "SOBRADINHO 2": (26, "exato"),
    "SOBRADINHO II QUADRA 3": (26, "prefixo"),
    "SOBRADINHO QUADRA 3": (5, "prefixo"),
    "GUARÁ 2 QE 40": (10, "prefixo"),
    "CEILANDIA - QNM 5": (9, "prefixo"),
    # what is truly ambiguous stays unplaced
    "SETOR LESTE": (None, "ambiguo"),
    "SETOR LESTE QUADRA 2": (None, "ambiguo"),
    "Centro": (None, "ambiguo"),
    "BRASÍLIA": (None, "ambiguo"),
    "BRASILIA/DF": (None, "ambiguo"),
    "DEL LAGO II": (None, "ambiguo"),
    "CEILANDIA/TAGUATINGA": (None, "ambiguo"),
    "CEILANDIA OU SAMAMBAIA": (None, "ambiguo"),
    # a region's name inside another place's name is no evidence
    "SETOR HABITACIONAL SAMAMBAIA": (None, "desconhecido"),
    "VILA NOVA PLANALTINA": (None, "desconhecido"),
    "CEILANDIANOVA": (None, "desconhecido"),
    "RUA GAMA": (None, "desconhecido"),
    "PLANALTINA DE GOIAS": (None, "outro_municipio"),
    "PLANALTINA - GO": (None, "outro_municipio"),
    "VALPARAISO": (None, "outro_municipio"),
    "70000000": (None, "desconhecido"),
    "---": (None, "sem_bairro"),
    "": (None, "sem_bairro"),
}
"""What is written as neighbourhood of Brasília, with its region and the evidence."""

ELSEWHERE: dict[tuple[str | None, str | None, str], Place] = {
    ("GO", "PLANALTINA", "PLANALTINA"): (None, "fora_do_territorio"),
    ("GO", "LUZIANIA", "SETOR LESTE (GAMA)"): (None, "fora_do_territorio"),
    (None, "PLANALTINA", "CENTRO (PLANALTINA)"): (None, "sem_estado"),
    (None, "BRASILIA", "VILA INVENTADA (GUARA)"): (10, "parentese"),
}
"""State, municipality and neighbourhood."""

UNITS: dict[str, tuple[str, str, Place]] = {
    "0000011": ("530010", "SETOR TRADICIONAL (PLANALTINA)", (6, "parentese")),
    "0000012": ("530010", "Setor Leste - Gama", (2, "complemento")),
    "0000013": ("530010", "SETOR LESTE", (None, "ambiguo")),
    "0000014": ("530010", "UNIDADE (VALPARAISO)", (None, "outro_municipio")),
    "0000015": ("521760", "PLANALTINA", (None, "fora_do_territorio")),
    "0000016": ("530010", "", (1, "exato")),
    **{
        f"{number:07d}": ("530010", writing, place)
        for number, (writing, place) in enumerate(WRITINGS.items(), start=101)
        if place[1] != "sem_bairro"
    },
}
"""Municipality and neighbourhood in the CNES; where it has none, the booking says Asa Sul."""


REGISTER = [
    {"co_cnes": cnes, "no_fantasia": "UNIDADE FICTICIA", "co_municipio_gestor": city}
    | {"no_bairro": bairro}
    for cnes, (city, bairro, _) in UNITS.items()
]


@dataclass(frozen=True)
class Territory:
    """What the build says of each text of a resident and of each unit."""

    house: OfferHouse
    residences: Mapping[str, tuple[int | None, str, str]]
    codes: Mapping[Any, str]


def official() -> dict[str, int | None]:
    """Read the region of each name of the post office's list."""
    with OFFICIAL.open(encoding="utf-8") as file:
        return {row["bairro"]: int(row["area_numero"] or 0) or None for row in csv.DictReader(file)}


def residence(
    bairro: str, state: str | None = "DF", city: str | None = "BRASILIA"
) -> dict[str, Any]:
    """Return the fields of a document that tell a residence."""
    return {
        "uf_paciente_residencia": state,
        "municipio_paciente_residencia": city,
        "bairro_paciente_residencia": bairro,
    }


def residents() -> dict[Any, dict[str, Any]]:
    """Return a request for each place that is written as somebody's residence."""
    homes: dict[Any, dict[str, Any]] = {n: residence(n) for n in (*official(), *WRITINGS)}
    homes |= {place: residence(place[2], *place[:2]) for place in ELSEWHERE}
    return {place: document(i, **fields) for i, (place, fields) in enumerate(homes.items())}


def build_house(directory: Path) -> OfferHouse:
    """Load requests, bookings and units through the real doors and build."""
    house = OfferHouse.at(directory)
    bookings = [
        document(
            10_000 + i,
            INDICES[1],
            codigo_unidade_executante=cnes,
            bairro_unidade_executante="ASA SUL",
            municipio_unidade_executante="BRASÍLIA",
        )
        for i, cnes in enumerate((*UNITS, "0000017"))
    ]
    mirror = Mirror({INDICES[0]: list(residents().values()), INDICES[1]: bookings})
    with mirroring(mirror):
        for index in INDICES[:2]:
            sisreg.load(house.settings.model_copy(update=pointing_at(mirror)), index)
    house.load([{"cnes_estabelecimento": list(REGISTER)}])
    house.build(models=MODELS, tested=True)
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return the built house."""
    return build_house(tmp_path_factory.mktemp("territory"))


@pytest.fixture(scope="module")
def territory(house: OfferHouse) -> Territory:
    """Return what the build says."""
    codes = {place: body["codigo_solicitacao"] for place, body in residents().items()}
    rows = house.query(
        "select solicitacao_codigo, area_numero, territorio_evidencia, "
        "regiao_saude_codigo from intermediario.int_pessoas__residencias"
    )
    found = {row.pop("solicitacao_codigo"): tuple(row.values()) for row in rows}
    return Territory(house, found, codes)


def pointing_at(mirror: Mirror) -> dict[str, Any]:
    """Return the settings that lead to the mirror."""
    return {
        "sisreg_url": mirror.url,
        "sisreg_user": USER,
        "sisreg_password": SecretStr(PASSWORD),
    }


def test_the_official_names_are_placed_in_their_regions(territory: Territory) -> None:
    expected = official()
    found = {name: territory.residences[territory.codes[name]][0] for name in expected}
    assert found == expected
    # Both industrial areas of Brasília have this name, and the list does not say which one.
    assert [name for name, number in found.items() if number is None] == ["ZONA INDUSTRIAL"]


@pytest.mark.parametrize("name", WRITINGS)
def test_a_neighbourhood_is_placed_by_what_it_says(territory: Territory, name: str) -> None:
    number, evidence, _ = territory.residences[territory.codes[name]]
    assert (number, evidence) == WRITINGS[name]


@pytest.mark.parametrize("place", ELSEWHERE)
def test_the_state_comes_before_the_neighbourhood(
    territory: Territory, place: tuple[str | None, str | None, str]
) -> None:
    number, evidence, _ = territory.residences[territory.codes[place]]
    assert (number, evidence) == ELSEWHERE[place]


def test_units_are_placed_by_the_rule_of_persons(territory: Territory) -> None:
    rows = territory.house.query(
        "select unidade_cnes, area_numero as numero, territorio_evidencia "
        "from dimensoes.dim_estabelecimentos where unidade_cnes between '0000011' and '0000999'"
    )
    found = {r["unidade_cnes"]: (r["numero"], r["territorio_evidencia"]) for r in rows}
    expected = {cnes: place for cnes, (_, _, place) in UNITS.items()}
    # Not in the register at all: only the booking knows where it stands.
    assert found == expected | {"0000017": (1, "exato")}


def test_the_reasons_are_counted(territory: Territory) -> None:
    rows = territory.house.query(
        "select territorio_evidencia, qtd from qualidade.qualidade_territorio "
        "where assunto = 'residencia'"
    )
    counted = {row["territorio_evidencia"]: row["qtd"] for row in rows}
    reasons = [evidence for _, evidence, _ in territory.residences.values()]
    assert counted == {name: reasons.count(name) for name in set(reasons)}
    assert sum(counted.values()) >= len(territory.codes)
    regions = {row[2] for row in territory.residences.values() if row[0] is None}
    assert regions == {"nao_identificada", "fora_do_territorio"}
