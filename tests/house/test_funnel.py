"""Where offer and bookings meet: agendas of groups, of their members, and what is left empty.

Each situation has a unit and a group of its own; all are loaded over the real doors (export files
and a search mirror), built once, and read back row by row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mapa.load import sisreg
from mirror import INDICES, PASSWORD, USER, Mirror, document, mirroring
from offer_house import SCHEDULE, SLOTS, Codes, OfferHouse, Row, number_of_unit

GROUP = 0
"""Index of the procedure that is the group of the others."""

FIRST, RETURN, RESERVE = SLOTS
CONSUMED = {FIRST: "1", RETURN: "2", RESERVE: "3"}
MONDAY = date(2026, 3, 9)
Place = tuple[int, int, str]
"""Unit, procedure and kind of slot."""


@dataclass(frozen=True)
class Booking:
    """Bookings of one place that are alike; `freed` and `made` are days of February and March."""

    place: Place
    count: int = 1
    made: str = "2026-02-10"
    freed: str | None = None
    attended: bool = True


@dataclass(frozen=True)
class Case:
    """A situation.

    Attributes:
        name: what it is about.
        slots: slots of the month by place; None is unknown.
        bookings: what is booked.
        rows: real offer, booked, empty and in excess of each row; no other row may be there.
        aside: bookings of a member that are counted in the row of the group.
        freed: freed, used again and freed left empty, where there are any.
    """

    name: str
    slots: dict[Place, int | None]
    bookings: list[Booking]
    rows: dict[Place, tuple[int | None, ...]]
    aside: dict[Place, int] = field(default_factory=dict)
    freed: dict[Place, tuple[int, int, int]] = field(default_factory=dict)


def at(procedure: int, kind: str = FIRST, unit: int = 1) -> Place:
    """Return a place; most are first visits in the first unit."""
    return unit, procedure, kind


CASES = [
    Case(
        "twenty slots of the group and ten uses by three members leave ten empty, none in excess",
        {at(GROUP): 20},
        [Booking(at(1), 4), Booking(at(2), 3), Booking(at(3), 3)],
        {at(GROUP): (20, 10, 10, 0), at(1): (0, 0, 0, 0), at(2): (0, 0, 0, 0), at(3): (0,) * 4},
        aside={at(1): 4, at(2): 3, at(3): 3},
    ),
    Case(
        "more uses than slots of the group are in excess there and nowhere else",
        {at(GROUP): 8},
        [Booking(at(1), 5), Booking(at(2), 5)],
        {at(GROUP): (8, 10, 0, 2), at(1): (0, 0, 0, 0), at(2): (0, 0, 0, 0)},
        aside={at(1): 5, at(2): 5},
    ),
    Case(
        "a member's own agenda is filled first, the rest goes to the group",
        {at(GROUP): 20, at(1): 4},
        [Booking(at(1), 6), Booking(at(2), 3)],
        {at(GROUP): (20, 5, 15, 0), at(1): (4, 4, 0, 0), at(2): (0, 0, 0, 0)},
        aside={at(1): 2, at(2): 3},
    ),
    Case(
        "a member's own agenda with room keeps all of them",
        {at(GROUP): 20, at(1): 8},
        [Booking(at(1), 6), Booking(at(2), 3)],
        {at(GROUP): (20, 3, 17, 0), at(1): (8, 6, 2, 0), at(2): (0, 0, 0, 0)},
        aside={at(2): 3},
    ),
    Case(
        "without an agenda of the group each member answers for itself",
        {at(1): 4},
        [Booking(at(1), 6), Booking(at(2), 1)],
        {at(1): (4, 6, 0, 2), at(2): (0, 1, 0, 1)},
    ),
    Case(
        "bookings of the group itself and of a member share its agenda",
        {at(GROUP): 10},
        [Booking(at(GROUP), 4), Booking(at(1), 3)],
        {at(GROUP): (10, 7, 3, 0), at(1): (0, 0, 0, 0)},
        aside={at(1): 3},
    ),
    Case(
        "first visits, returns and reserve each meet their own kind of slot",
        {at(GROUP): 10, at(GROUP, RETURN): 4, at(GROUP, RESERVE): 2},
        [Booking(at(1), 3), Booking(at(1, RETURN), 5), Booking(at(2, RESERVE))],
        {
            at(GROUP): (10, 3, 7, 0),
            at(GROUP, RETURN): (4, 5, 0, 1),
            at(GROUP, RESERVE): (2, 1, 1, 0),
            at(1): (0, 0, 0, 0),
            at(1, RETURN): (0, 0, 0, 0),
            at(2, RESERVE): (0, 0, 0, 0),
        },
        aside={at(1): 3, at(1, RETURN): 5, at(2, RESERVE): 1},
    ),
    Case(
        "a kind that the group does not offer stays with the member",
        {at(GROUP): 10},
        [Booking(at(1, RETURN), 2)],
        {at(GROUP): (10, 0, 10, 0), at(1, RETURN): (0, 2, 0, 2)},
    ),
    Case(
        "the agenda of the group in one unit serves no other unit",
        {at(GROUP): 10},
        [Booking(at(1)), Booking(at(1, unit=2), 2)],
        {at(GROUP): (10, 1, 9, 0), at(1): (0, 0, 0, 0), at(1, unit=2): (0, 2, 0, 2)},
        aside={at(1): 1},
    ),
    Case(
        "a member's agenda of unknown size may hold them all",
        {at(GROUP): 20, at(1): None},
        [Booking(at(1), 5), Booking(at(2), 2)],
        {at(GROUP): (20, 2, 18, 0), at(1): (None, 5, None, None), at(2): (0, 0, 0, 0)},
        aside={at(2): 2},
    ),
    Case(
        "a group's agenda of unknown size leaves empty and excess unknown",
        {at(GROUP): None},
        [Booking(at(1), 5)],
        {at(GROUP): (None, 5, None, None), at(1): (0, 0, 0, 0)},
        aside={at(1): 5},
    ),
    Case(
        "a slot that one member freed is used again by another",
        {at(GROUP): 5},
        [
            Booking(at(1), made="2026-02-02", freed="2026-02-05"),
            Booking(at(1), made="2026-02-02", freed="2026-02-20"),
            Booking(at(2), made="2026-02-06"),
        ],
        {at(GROUP): (5, 1, 4, 0), at(2): (0, 0, 0, 0)},
        aside={at(2): 1},
        freed={at(GROUP): (2, 1, 1)},
    ),
    Case(
        "absences stay with the agenda that was booked",
        {at(GROUP): 6, at(1): 1},
        [Booking(at(1), made="2026-02-02", attended=False), Booking(at(1), 2, "2026-02-03")],
        {at(GROUP): (6, 2, 4, 0), at(1): (1, 1, 0, 0)},
        aside={at(1): 2},
    ),
]
NUMBERED = list(enumerate(CASES, start=1))


def schedules(number: int, case: Case) -> Iterator[Row]:
    """Yield a schedule of one day for each place that offers."""
    codes = Codes(number)
    for index, ((unit, procedure, kind), count) in enumerate(case.slots.items()):
        counts = dict.fromkeys(SLOTS.values(), "0")
        counts[SLOTS[kind]] = "" if count is None else str(count)
        yield (
            SCHEDULE
            | counts
            | {
                "cod_escala_ambulatorial": codes.record(index),
                "cpf_profissional_exec": codes.professional(index),
                "cod_cnes_exec": codes.unit(unit),
                "cod_procedimento_interno": codes.procedure(procedure),
                "sigla_dia_semana": "SEG",
                "data_de_vigencia_inicial": f"{MONDAY:%d/%m/%Y}",
                "data_de_vigencia_final": f"{MONDAY:%d/%m/%Y}",
                "hora_inicial": "08:00",
                "hora_final": "12:00",
            }
        )


def bookings(number: int, case: Case) -> Iterator[dict[str, Any]]:
    """Yield the documents of the bookings, each a request of its own."""
    codes, serial = Codes(number), number * 100
    for booking in case.bookings:
        unit, procedure, kind = booking.place
        state = "CANCELADO" if booking.freed else "CONFIRMADO" if booking.attended else "FALTA"
        for _ in range(booking.count):
            serial += 1
            yield document(
                serial,
                INDICES[1],
                data_solicitacao="2026-01-20T12:00:00.000Z",
                data_aprovacao=f"{booking.made}T12:00:00.000Z",
                data_marcacao=f"{MONDAY}T12:00:00.000Z",
                data_confirmacao=None,
                data_cancelamento=f"{booking.freed}T12:00:00.000Z" if booking.freed else None,
                data_atualizacao="2026-03-20T12:00:00.000Z",
                status_solicitacao=f"AGENDAMENTO / {state} / EXECUTANTE",
                codigo_tipo_vaga_consumida=CONSUMED[kind],
                codigo_interno_procedimento=codes.procedure(procedure),
                codigo_grupo_procedimento=codes.procedure(GROUP),
                codigo_unidade_executante=codes.unit(unit),
            )


def build_house(directory: Path) -> OfferHouse:
    """Build the house in which all cases live; the models' own tests pass."""
    house = OfferHouse.at(directory)
    house.load([{"escala": [row for number, case in NUMBERED for row in schedules(number, case)]}])
    booked = [row for number, case in NUMBERED for row in bookings(number, case)]
    documents = {name: [document(1, name)] for name in INDICES} | {INDICES[1]: booked}
    with mirroring(Mirror(documents)) as mirror:
        account = {"sisreg_url": mirror.url, "sisreg_user": USER}
        password = {"sisreg_password": SecretStr(PASSWORD)}
        sisreg.load(house.settings.model_copy(update=account | password))
    house.build(models=("+oferta_funil_por_mes", "dicionario_codigos"), tested=True)
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return the house in which all cases live."""
    return build_house(tmp_path_factory.mktemp("funnel"))


@pytest.fixture(scope="module")
def funnel(house: OfferHouse) -> dict[int, dict[Place, dict[str, Any]]]:
    """Return the rows of the funnel by case and place."""
    found: dict[int, dict[Place, dict[str, Any]]] = defaultdict(dict)
    for row in house.query("select * from oferta.oferta_funil_por_mes"):
        unit, code = row["unidade_executante_cnes"], row["procedimento_codigo"]
        place = (int(unit) % 10, int(code[4:]), row["vaga_tipo"])
        assert place not in found[number_of_unit(unit)]
        found[number_of_unit(unit)][place] = row
    return found


each_case = pytest.mark.parametrize(
    ("number", "case"), NUMBERED, ids=[case.name.replace(" ", "_") for case in CASES]
)


@each_case
def test_what_is_booked_empty_and_in_excess(
    number: int, case: Case, funnel: dict[int, dict[Place, dict[str, Any]]]
) -> None:
    measures = ("qtd_oferta_real", "qtd_marcadas", "qtd_vazias", "qtd_excedentes")
    found = {place: tuple(row[name] for name in measures) for place, row in funnel[number].items()}
    assert found == case.rows
    aside = {place: row["qtd_na_agenda_do_grupo"] for place, row in funnel[number].items()}
    assert {place: count for place, count in aside.items() if count} == case.aside
    names = ("qtd_liberadas", "qtd_reaproveitadas", "qtd_liberadas_vazias")
    freed = {place: tuple(row[name] for name in names) for place, row in funnel[number].items()}
    assert {place: counts for place, counts in freed.items() if counts[0]} == case.freed


@each_case
def test_every_booking_is_counted_once_and_told_of_its_procedure(
    number: int, case: Case, funnel: dict[int, dict[Place, dict[str, Any]]]
) -> None:
    booked: dict[Place, int] = defaultdict(int)
    for booking in case.bookings:
        if not booking.freed:
            booked[booking.place] += booking.count
    rows = funnel[number]
    assert sum(row["qtd_marcadas"] for row in rows.values()) == sum(booked.values())
    of_members = {place: count for place, count in booked.items() if place[1] != GROUP}
    assert of_members == {
        place: told
        for place, row in rows.items()
        if place[1] != GROUP and (told := row["qtd_marcadas"] + row["qtd_na_agenda_do_grupo"])
    }


def test_absences_of_a_member_are_where_its_slot_was(
    funnel: dict[int, dict[Place, dict[str, Any]]],
) -> None:
    number = next(n for n, case in NUMBERED if case.name.startswith("absences"))
    rows = funnel[number]
    assert {place: row["qtd_faltas"] for place, row in rows.items()} == {at(GROUP): 0, at(1): 1}
