"""Deaths without a day: FHIR, files and the person query through the real doors and the real build.

The standard lets a death be a mere yes, a year, a month, a day or an instant. What is said counts
from its last day; a death without any date is a class of its own, never zero and never guessed.
"""

from __future__ import annotations

import csv
import json
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from mapa.layouts import named
from mapa.load import cadsus, sisreg
from mapa_city import identifiers
from mirror import INDICES, PASSWORD, USER, Mirror, document, mirroring
from offer_house import REFERENCE, OfferHouse

FIRST_MONTH = date(2026, 1, 1)
Death = tuple[date | None, bool]
"""Day from which the person counts as dead, and whether she is dead without a date."""

PATIENTS: list[tuple[dict[str, Any], Death]] = [
    ({"deceasedBoolean": True}, (None, True)),
    ({"deceasedBoolean": False}, (None, False)),
    ({}, (None, False)),
    ({"deceasedDateTime": "2026-02-01"}, (date(2026, 2, 1), False)),
    ({"deceasedDateTime": "2026-03-10T04:00:00-03:00"}, (date(2026, 3, 10), False)),
    ({"deceasedDateTime": "2026-02"}, (date(2026, 2, 28), False)),
    ({"deceasedDateTime": "2024-02"}, (date(2024, 2, 29), False)),
    ({"deceasedDateTime": "2026-06"}, (date(2026, 6, 30), False)),
    ({"deceasedDateTime": "2025"}, (date(2025, 12, 31), False)),
    # Not dead yet on the day described: the year may have ended later.
    ({"deceasedDateTime": "2026"}, (date(2026, 12, 31), False)),
    ({"deceasedDateTime": "2026-13"}, (None, True)),
]
"""What a FHIR patient says of a death."""

PERSONS: list[tuple[str, str, Death]] = [
    ("S", "", (None, True)),
    ("true", "", (None, True)),
    ("1", "ignorada", (None, True)),
    ("true", "00000000", (None, True)),
    ("", "ignorada em 2026", (None, True)),
    ("", "00000000", (None, False)),
    ("", "", (None, False)),
    ("N", "", (None, False)),
    ("S", "2026-03-15", (date(2026, 3, 15), False)),
    ("S", "20260315", (date(2026, 3, 15), False)),
    ("S", "15/03/2026", (date(2026, 3, 15), False)),
    ("S", "202604", (date(2026, 4, 30), False)),
    ("S", "04/2026", (date(2026, 4, 30), False)),
    ("S", "2026-04-00", (date(2026, 4, 30), False)),
    ("", "20260400", (date(2026, 4, 30), False)),
    ("S", "00/04/2026", (date(2026, 4, 30), False)),
    ("S", "2025", (date(2025, 12, 31), False)),
    ("S", "20250000", (date(2025, 12, 31), False)),
    ("S", "00/00/2025", (date(2025, 12, 31), False)),
]
"""Flag and date of a death in a flat file or, as they stand, in an answer of the person query."""

EXPECTED = [death for _, death in PATIENTS] + [death for *_, death in PERSONS]


@dataclass(frozen=True)
class Register:
    """The built house and the death of each person, in the order of `EXPECTED`."""

    house: OfferHouse
    deaths: list[Death]


def build_house(directory: Path) -> OfferHouse:
    """Let everybody wait since January, load who has died and build."""
    house = OfferHouse.at(directory)
    cards = identifiers.cns(np.full(len(EXPECTED), 7), 500 + np.arange(len(EXPECTED))).to_pylist()
    waiting = [
        document(i, data_solicitacao="2026-01-10T09:00:00.000Z", cns_usuario=cns, cpf_usuario=None)
        for i, cns in enumerate(cards)
    ]
    bookings = [document(len(cards), INDICES[1], cns_usuario=cards[0], cpf_usuario=None)]
    with mirroring(Mirror({INDICES[0]: waiting, INDICES[1]: bookings})) as mirror:
        access = {"sisreg_user": USER, "sisreg_password": SecretStr(PASSWORD)}
        for index in INDICES[:2]:
            pointed = house.settings.model_copy(update={**access, "sisreg_url": mirror.url})
            sisreg.load(pointed, index)
    for path in (
        _bundle(house.directory, cards[: len(PATIENTS)]),
        *_files(house.directory, cards[len(PATIENTS) :]),
    ):
        cadsus.load_file(house.settings, path)
    house.build(models=["+fila_por_mes"], tested=True)
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return the house in which everybody waits."""
    return build_house(tmp_path_factory.mktemp("deaths"))


@pytest.fixture(scope="module")
def register(house: OfferHouse) -> Register:
    """Return the house and the death of each person."""
    rows = house.query(
        "select pessoa_data_obito as day, pessoa_tem_obito_sem_data as undated "
        "from intermediario.int_fila__solicitacoes where indice_preferido = 'solicitacao' "
        "order by solicitacao_codigo"
    )
    return Register(house, [(row["day"], row["undated"]) for row in rows])


def _bundle(directory: Path, cards: list[str]) -> Path:
    patients = [
        {
            "resourceType": "Patient",
            "id": str(300_000 + i),
            "identifier": [
                {
                    "use": "official",
                    "type": {"coding": [{"code": "HC"}]},
                    "value": cns,
                }
            ],
            "name": [{"use": "official", "text": "PESSOA FICTICIA"}],
            **said,
        }
        for i, (cns, (said, _)) in enumerate(zip(cards, PATIENTS, strict=True))
    ]
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(patients)}
    path = directory / "individuos.json"
    path.write_text(json.dumps(bundle | {"entry": [{"resource": p} for p in patients]}))
    return path


def _files(directory: Path, cards: list[str]) -> list[Path]:
    persons = [
        {"id_pessoa": str(400_000 + i), "nome": "PESSOA FICTICIA", "falecido": flag}
        | {"data_obito": day}
        for i, (flag, day, _) in enumerate(PERSONS)
    ]
    numbers = [
        {"id_pessoa": str(400_000 + i), "cns": cns, "tipo": "D", "principal": "S"}
        for i, cns in enumerate(cards)
    ]
    return [
        _written(directory / "pessoas.csv", named("cadsus_pessoa").columns, persons),
        _written(directory / "cartoes.csv", named("cadsus_cns").columns, numbers),
    ]


def _written(path: Path, columns: tuple[str, ...], rows: Sequence[Mapping[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("number", range(len(EXPECTED)))
def test_a_death_counts_from_the_last_day_of_what_is_said(register: Register, number: int) -> None:
    assert register.deaths[number] == EXPECTED[number]


def test_deaths_with_and_without_a_date_are_counted_apart_in_every_month(
    register: Register,
) -> None:
    rows = register.house.query(
        "select competencia, sum(qtd_aguardando) as waiting, sum(qtd_aguardando_obito) as dead, "
        "sum(qtd_aguardando_obito_sem_data) as undated from fila.fila_por_mes "
        f"where competencia >= date '{FIRST_MONTH}' group by competencia order by competencia"
    )
    assert [row["competencia"].month for row in rows] == [1, 2, 3, 4, 5, 6]
    for row in rows:
        month = row["competencia"]
        end = min(month.replace(day=monthrange(month.year, month.month)[1]), REFERENCE)
        assert row["waiting"] == len(EXPECTED)
        assert row["dead"] == sum(day is not None and day <= end for day, _ in EXPECTED)
        assert row["undated"] == sum(undated for _, undated in EXPECTED)


def test_the_dead_of_the_last_month_are_those_that_were_dead_by_hand(register: Register) -> None:
    (row,) = register.house.query(
        "select sum(qtd_aguardando_obito) as dead, sum(qtd_aguardando_obito_sem_data) as undated "
        "from fila.fila_por_mes where competencia = date '2026-06-01'"
    )
    assert (row["dead"], row["undated"]) == (17, 7)
