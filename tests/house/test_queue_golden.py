"""Requests by hand: what the source showed at each reading, and what every month must say of them.

Nobody reported these cases. Each kind (a version, a booking, a denial, a loss, a wait) has several
members, and every one is read over HTTP by the real loader and built by the real models.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from offer_house import OfferHouse
from queue_cases import LIVES
from queue_house import (
    BOOKED,
    CAME,
    CANCELLED,
    DENIED,
    FREED,
    MISSED,
    NONE,
    RETURNED,
    SENT_AGAIN,
    WAITS,
    Situation,
    booking,
    build,
    procedure,
    read_all,
    request,
    seed,
)

WAITING = request(WAITS, "03-10 08")
IN = {"qtd_entradas": 1, "qtd_aguardando": 1}
STAYS = {"qtd_estoque_inicial": 1, "qtd_aguardando": 1}

SITUATIONS = {
    # --- versions ------------------------------------------------------------------------------
    "the risk is corrected between two readings": Situation(
        [[WAITING], [request(WAITS, "04-12", codigo_classificacao_risco="1")], None, None],
        {
            "03 2": IN,
            "04 2": {"qtd_estoque_inicial": 1, "qtd_reclassificadas_saida": 1},
            "04 1": {"qtd_reclassificadas_entrada": 1, "qtd_aguardando": 1},
            "05 1": STAYS,
            "06 1": STAYS,
        },
    ),
    "the risk is corrected without a new instant, and known since it was seen": Situation(
        [[WAITING], [request(WAITS, "03-10 08", codigo_classificacao_risco="1")], None, None],
        {
            "03 2": IN,
            "04 2": STAYS,
            "05 2": {"qtd_estoque_inicial": 1, "qtd_reclassificadas_saida": 1},
            "05 1": {"qtd_reclassificadas_entrada": 1, "qtd_aguardando": 1},
            "06 1": STAYS,
        },
    ),
    "the risk is corrected and corrected back": Situation(
        [
            [WAITING],
            [request(WAITS, "04-12", codigo_classificacao_risco="1")],
            [request(WAITS, "05-12")],
            None,
        ],
        {
            "03 2": IN,
            "04 2": {"qtd_estoque_inicial": 1, "qtd_reclassificadas_saida": 1},
            "04 1": {"qtd_reclassificadas_entrada": 1, "qtd_aguardando": 1},
            "05 1": {"qtd_estoque_inicial": 1, "qtd_reclassificadas_saida": 1},
            "05 2": {"qtd_reclassificadas_entrada": 1, "qtd_aguardando": 1},
            "06 2": STAYS,
        },
    ),
    "what the first reading showed stands for the time before": Situation(
        [[], [request(WAITS, "04-12", codigo_classificacao_risco="1")], None, None],
        {"03 1": IN, "04 1": STAYS, "05 1": STAYS, "06 1": STAYS},
    ),
    "a correction that comes with the booking is no movement of its own": Situation(
        [
            [WAITING],
            [
                request(BOOKED, "04-12", "04-12 AUTORIZADA", codigo_classificacao_risco="1"),
                booking(*(1, BOOKED, "04-12", "04-12", "07-20"), codigo_classificacao_risco="1"),
            ],
            None,
            None,
        ],
        {
            "03 2": IN,
            "04 2": {"qtd_estoque_inicial": 1, "qtd_agendamentos": 1},
            "04 1": {"qtd_agendadas": 1},
            "05 1": {"qtd_agendadas": 1},
            "06 1": {"qtd_agendadas": 1},
        },
        slots={"07-20": "futura"},
    ),
    # --- bookings ------------------------------------------------------------------------------
    "booked twice, the first one cancelled in time": Situation(
        [
            [
                request(BOOKED, "03-20", "03-20 AUTORIZADA"),
                booking(1, BOOKED, "03-20", "03-20", "04-25"),
            ],
            [
                request(BOOKED, "04-15", "03-20 AUTORIZADA", "04-08 CANCELADA", "04-15 AUTORIZADA"),
                booking(
                    *(2, BOOKED, "04-15", "04-15", "05-20"),
                    *("03-20 AUTORIZADA", "04-08 CANCELADA", "04-15 AUTORIZADA"),
                ),
            ],
            [booking(2, CAME, "05-20 10", "04-15", "05-20")],
            None,
        ],
        {
            "03 2": {"qtd_entradas": 1, "qtd_agendamentos": 1, "qtd_agendadas": 1},
            "04 2": {"qtd_agendadas": 1},
        },
        waits={"05": {"qtd_atendidas": 1}},
        absence={"05": {"qtd_agendamentos_devidos": 1, "qtd_confirmados": 1}},
        slots={"04-25": "liberada", "05-20": "confirmada"},
    ),
    "missed, sent again and booked again": Situation(
        [
            [
                request(MISSED, "03-25 20", "03-12 AUTORIZADA", "03-25 20 FALTA"),
                booking(1, MISSED, "03-25 20", "03-12", "03-25", "03-25 20 FALTA"),
            ],
            [
                request(BOOKED, "04-20", "04-02 REENVIADA", "04-20 AUTORIZADA"),
                booking(2, BOOKED, "04-20", "04-20", "05-20", "04-02 REENVIADA"),
            ],
            None,
            None,
        ],
        {
            "03 2": {"qtd_entradas": 1, "qtd_agendamentos": 1},
            "04 2": {"qtd_reaberturas": 1, "qtd_agendamentos": 1, "qtd_agendadas": 1},
        },
        absence={
            "03": {"qtd_agendamentos_devidos": 1, "qtd_faltas": 1},
            "05": {"qtd_agendamentos_devidos": 1, "qtd_sem_confirmacao": 1},
        },
        slots={"03-25": "falta", "05-20": "sem_confirmacao"},
    ),
    "a booking that another one replaced without a word": Situation(
        [
            [request(BOOKED, "03-20"), booking(1, BOOKED, "03-20", "03-20", "06-20")],
            [request(BOOKED, "04-10"), booking(2, BOOKED, "04-10", "04-10", "06-01")],
            None,
            None,
        ],
        {
            "03 2": {"qtd_entradas": 1, "qtd_agendamentos": 1, "qtd_agendadas": 1},
            "04 2": {"qtd_agendadas": 1},
            "05 2": {"qtd_agendadas": 1},
        },
        absence={"06": {"qtd_agendamentos_devidos": 1, "qtd_sem_confirmacao": 1}},
        slots={"06-20": "liberada", "06-01": "sem_confirmacao"},
    ),
    "two bookings that the source shows together": Situation(
        [
            [
                request(BOOKED, "03-21"),
                booking(1, CAME, "03-28 10", "03-20", "03-28"),
                booking(2, BOOKED, "03-21", "03-21", "04-20"),
            ],
            [
                request(CAME, "04-20 10"),
                booking(1, CAME, "03-28 10", "03-20", "03-28"),
                booking(2, CAME, "04-20 10", "03-21", "04-20"),
            ],
            None,
            None,
        ],
        {"03 2": {"qtd_entradas": 1, "qtd_agendamentos": 1, "qtd_agendadas": 1}},
        waits={"03": {"qtd_atendidas": 1}, "04": {"qtd_atendidas": 1}},
        absence={
            "03": {"qtd_agendamentos_devidos": 1, "qtd_confirmados": 1},
            "04": {"qtd_agendamentos_devidos": 1, "qtd_confirmados": 1},
        },
        slots={"03-28": "confirmada", "04-20": "confirmada"},
    ),
    "cancelled on the day": Situation(
        [
            [
                request(FREED, "03-25 07", cancelled="03-25 07"),
                booking(1, FREED, "03-25 07", "03-12", "03-25", cancelled="03-25 07"),
            ],
            *[None] * 3,
        ],
        {"03 2": {"qtd_entradas": 1, "qtd_agendamentos": 1}},
        slots={"03-25": "cancelada_tarde"},
    ),
    "cancelled after the day, between two readings": Situation(
        [
            [request(BOOKED, "03-12"), booking(1, BOOKED, "03-12", "03-12", "03-25")],
            [
                request(FREED, "04-03", "04-03 CANCELADA", cancelled="04-03"),
                booking(1, FREED, "04-03", "03-12", "03-25", cancelled="04-03"),
            ],
            None,
            None,
        ],
        {"03 2": {"qtd_entradas": 1, "qtd_agendamentos": 1}},
        slots={"03-25": "cancelada_tarde"},
    ),
    "attended without the date of the request": Situation(
        [[], [booking(1, CAME, "04-20 10", "04-10", "04-20", data_solicitacao=None)], None, None],
        {},
        waits={"04": {"qtd_atendidas_sem_data": 1}},
        absence={"04": {"qtd_agendamentos_devidos": 1, "qtd_confirmados": 1}},
        slots={"04-20": "confirmada"},
    ),
    # --- denied, cancelled, reopened -----------------------------------------------------------
    "denied and reopened by an entry": Situation(
        [
            [request(DENIED, "03-15", "03-15 NEGADA")],
            [request(WAITS, "04-05", "03-15 NEGADA", "04-05 PENDENTE")],
            None,
            None,
        ],
        {
            "03 2": {"qtd_entradas": 1, "qtd_negativas": 1},
            "04 2": {"qtd_reaberturas": 1, "qtd_aguardando": 1},
            "05 2": STAYS,
            "06 2": STAYS,
        },
    ),
    "denied and reopened, told by the situation alone": Situation(
        [[request(DENIED, "03-15")], [request(SENT_AGAIN, "04-20")], None, None],
        {
            "03 2": {"qtd_entradas": 1, "qtd_negativas": 1},
            "04 2": {"qtd_reaberturas": 1, "qtd_aguardando": 1},
            "05 2": STAYS,
            "06 2": STAYS,
        },
    ),
    "cancelled, reopened and cancelled again": Situation(
        [
            [request(CANCELLED, "03-12", cancelled="03-12")],
            [request(SENT_AGAIN, "04-09", "04-09 REENVIADA")],
            [request(CANCELLED, "05-12", "04-09 REENVIADA", cancelled="05-12")],
            None,
        ],
        {
            "03 2": {"qtd_entradas": 1, "qtd_cancelamentos": 1},
            "04 2": {"qtd_reaberturas": 1, "qtd_aguardando": 1},
            "05 2": {"qtd_estoque_inicial": 1, "qtd_cancelamentos": 1},
        },
    ),
    "denied and reopened before anything was read": Situation(
        [[], [request(WAITS, "04-20", "03-15 NEGADA", "04-20 REENVIADA")], None, None],
        {
            "03 2": {"qtd_entradas": 1, "qtd_negativas": 1},
            "04 2": {"qtd_reaberturas": 1, "qtd_aguardando": 1},
            "05 2": STAYS,
            "06 2": STAYS,
        },
    ),
    "denied, reopened and booked": Situation(
        [
            [request(DENIED, "03-15", "03-15 NEGADA")],
            [
                request(BOOKED, "04-20", "03-15 NEGADA", "04-05 PENDENTE", "04-20 AUTORIZADA"),
                booking(1, BOOKED, "04-20", "04-20", "07-20"),
            ],
            None,
            None,
        ],
        {
            "03 2": {"qtd_entradas": 1, "qtd_negativas": 1},
            "04 2": {"qtd_reaberturas": 1, "qtd_agendamentos": 1, "qtd_agendadas": 1},
            "05 2": {"qtd_agendadas": 1},
            "06 2": {"qtd_agendadas": 1},
        },
        slots={"07-20": "futura"},
    ),
    # --- lost ----------------------------------------------------------------------------------
    "lost for good": Situation(
        [[WAITING], [], None, None],
        {
            "03 2": IN,
            "04 2": STAYS,
            # Missed five minutes after April.
            "05 2": {"qtd_estoque_inicial": 1, "qtd_desaparecimentos": 1},
        },
    ),
    "lost and back as it was": Situation(
        [[WAITING], [], [WAITING], None],
        {
            "03 2": IN,
            "04 2": STAYS,
            "05 2": {"qtd_estoque_inicial": 1, "qtd_desaparecimentos": 1},
            "06 2": {"qtd_reaparecimentos": 1, "qtd_aguardando": 1},
        },
    ),
    "lost while returned, and back": Situation(
        [
            [request(RETURNED, "03-20", "03-20 DEVOLVIDA")],
            [],
            [request(RETURNED, "03-20", "03-20 DEVOLVIDA")],
            None,
        ],
        {
            "03 2": {"qtd_entradas": 1, "qtd_devolucoes": 1, "qtd_devolvidas": 1},
            "04 2": {"qtd_devolvidas": 1},
            "06 2": {"qtd_devolvidas": 1},
        },
    ),
    "lost from the queue and found among the bookings": Situation(
        [[WAITING], [], [booking(1, BOOKED, "05-12", "05-12", "07-20")], None],
        {
            "03 2": IN,
            "04 2": STAYS,
            "05 2": {"qtd_estoque_inicial": 1, "qtd_desaparecimentos": 1},
            "06 2": {"qtd_agendadas": 1},
        },
        slots={"07-20": "futura"},
    ),
    "missed after the day that is described": Situation(
        [[WAITING], None, None, []],
        {"03 2": IN, "04 2": STAYS, "05 2": STAYS, "06 2": STAYS},
    ),
    "waited, and is said not to exist": Situation(
        [[WAITING], [request(NONE, "04-12")], None, None],
        {"03 2": IN, "04 2": {"qtd_estoque_inicial": 1, "qtd_outras_saidas": 1}},
    ),
    # --- what a day did not know yet -------------------------------------------------------------
    "confirmed after the end of May": Situation(
        [
            [request(BOOKED, "03-12"), booking(1, BOOKED, "03-12", "03-12", "05-20")],
            None,
            None,
            [
                request(CAME, "06-10 10", "06-10 10 CONFIRMADA"),
                booking(1, CAME, "06-10 10", "03-12", "05-20", "06-10 10 CONFIRMADA"),
            ],
        ],
        {
            "03 2": {"qtd_entradas": 1, "qtd_agendamentos": 1, "qtd_agendadas": 1},
            "04 2": {"qtd_agendadas": 1},
        },
        waits={"05": {"qtd_atendidas": 1}},
        absence={"05": {"qtd_agendamentos_devidos": 1, "qtd_confirmados": 1}},
        slots={"05-20": "confirmada"},
    ),
    "cancelled after the end of May": Situation(
        [
            [request(BOOKED, "03-12"), booking(1, BOOKED, "03-12", "03-12", "06-20")],
            None,
            None,
            [
                request(FREED, "06-05", "06-05 CANCELADA", cancelled="06-05"),
                booking(1, FREED, "06-05", "03-12", "06-20", cancelled="06-05"),
            ],
        ],
        {
            "03 2": {"qtd_entradas": 1, "qtd_agendamentos": 1, "qtd_agendadas": 1},
            "04 2": {"qtd_agendadas": 1},
            "05 2": {"qtd_agendadas": 1},
        },
        slots={"06-20": "liberada"},
    ),
    "corrected and booked after the end of May": Situation(
        [
            [WAITING],
            None,
            None,
            [
                request(BOOKED, "06-05", "06-05 AUTORIZADA", codigo_classificacao_risco="1"),
                booking(1, BOOKED, "06-05", "06-05", "07-20", codigo_classificacao_risco="1"),
            ],
        ],
        {
            "03 2": IN,
            "04 2": STAYS,
            "05 2": STAYS,
            "06 2": {"qtd_estoque_inicial": 1, "qtd_agendamentos": 1},
            "06 1": {"qtd_agendadas": 1},
        },
        slots={"07-20": "futura"},
    ),
    "known only by what changed after the end of May": Situation(
        [[], [], [], [request(DENIED, "06-05", "06-05 NEGADA", codigo_classificacao_risco="1")]],
        {
            "03 1": IN,
            "04 1": STAYS,
            "05 1": STAYS,
            "06 1": {"qtd_estoque_inicial": 1, "qtd_negativas": 1},
        },
    ),
    "waits for longer than any wait that is believed": Situation(
        [[request(WAITS, "03-10 08", asked="2019-03-10 08")], None, None, None],
        {},
    ),
    "never existed": Situation([[request(NONE, "03-12")], None, None, None], {}),
    **LIVES,
}
LONGEST = "waits for longer than any wait that is believed"
AT_THE_END_OF_MAY: dict[str, dict[str, dict[str, Any]]] = {
    "confirmed after the end of May": {
        "rows": {
            "03 2": {"qtd_entradas": 1, "qtd_agendamentos": 1, "qtd_agendadas": 1},
            "04 2": {"qtd_agendadas": 1},
        },
        "absence": {"05": {"qtd_agendamentos_devidos": 1, "qtd_sem_confirmacao": 1}},
        "slots": {"05-20": "sem_confirmacao"},
    },
    "cancelled after the end of May": {
        "rows": {
            "03 2": {"qtd_entradas": 1, "qtd_agendamentos": 1, "qtd_agendadas": 1},
            "04 2": {"qtd_agendadas": 1},
            "05 2": {"qtd_agendadas": 1},
        },
        "absence": {},
        "slots": {"06-20": "futura"},
    },
    "corrected and booked after the end of May": {
        "rows": {"03 2": IN, "04 2": STAYS, "05 2": STAYS},
        "absence": {},
        "slots": {},
    },
    "known only by what changed after the end of May": {
        "rows": {"03 1": IN, "04 1": STAYS, "05 1": STAYS},
        "absence": {},
        "slots": {},
    },
    "lost and back as it was": {
        "rows": {
            "03 2": IN,
            "04 2": STAYS,
            "05 2": {"qtd_estoque_inicial": 1, "qtd_desaparecimentos": 1},
        },
        "absence": {},
        "slots": {},
    },
}
NUMBERS = {name: number for number, name in enumerate(SITUATIONS)}


def build_house(directory: Path) -> OfferHouse:
    """Build a house with all situations, read four times."""
    made = OfferHouse.at(directory)
    read_all(made, list(SITUATIONS.values()))
    seed(made)
    build(made, minimo_percentil=1)
    return made


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return the house with all situations."""
    return build_house(tmp_path_factory.mktemp("queue"))


@pytest.fixture(scope="module")
def house_of_may(house: OfferHouse, tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return the same house, built as of the end of May."""
    made = OfferHouse.at(tmp_path_factory.mktemp("may"))
    made.settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(house.settings.warehouse, made.settings.warehouse)
    build(made, data_referencia="2026-05-31")
    return made


def told(house: OfferHouse, sql: str, key: tuple[str, ...]) -> dict[int, dict[str, Any]]:
    """Return counts that are not zero, by situation and key."""
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for row in house.query(sql):
        number = int(row["procedimento_codigo"][:4]) - 1000
        counts = {k: v for k, v in row.items() if k.startswith("qtd_") and v}
        for name in ("qtd_pessoas_aguardando",):
            counts.pop(name, None)
        if counts:
            found[number][" ".join(str(row[k]) for k in key)] = counts
    return found


MONTH = "strftime(competencia, '%m') as mes"


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_queue_by_hand(house: OfferHouse, name: str) -> None:
    rows = told(house, f"select *, {MONTH} from fila.fila_por_mes", ("mes", "risco_codigo"))
    if name != LONGEST:
        assert rows.get(NUMBERS[name], {}) == dict(SITUATIONS[name].rows)


WAITS_SQL = f"""
    select * exclude (qtd_aguardando, qtd_aguardando_acima_do_limite), {MONTH}
    from espera.espera_por_mes
"""


def fates(house: OfferHouse, number: int) -> dict[str, str]:
    """Return what became of the slots of a situation, by the day of the appointment."""
    slots = house.query(
        "select strftime(data_atendimento, '%m-%d') as dia, marcacao_destino as destino "
        "from intermediario.int_oferta__marcacoes "
        f"where left(procedimento_codigo, 4) = '{procedure(number)[:4]}'"
    )
    return {row["dia"]: row["destino"] for row in slots}


@pytest.mark.parametrize("name", SITUATIONS)
def test_waits_absence_and_slots_by_hand(house: OfferHouse, name: str) -> None:
    expected, number = SITUATIONS[name], NUMBERS[name]
    assert told(house, WAITS_SQL, ("mes",)).get(number, {}) == dict(expected.waits)
    absence = told(house, f"select *, {MONTH} from absenteismo.absenteismo_por_mes", ("mes",))
    assert absence.get(number, {}) == dict(expected.absence)
    assert fates(house, number) == dict(expected.slots)


@pytest.mark.parametrize("name", AT_THE_END_OF_MAY)
def test_the_end_of_may_knows_nothing_of_june(house_of_may: OfferHouse, name: str) -> None:
    expected, number = AT_THE_END_OF_MAY[name], NUMBERS[name]
    rows = told(house_of_may, f"select *, {MONTH} from fila.fila_por_mes", ("mes", "risco_codigo"))
    assert rows.get(number, {}) == expected["rows"]
    absence = told(
        house_of_may, f"select *, {MONTH} from absenteismo.absenteismo_por_mes", ("mes",)
    )
    assert absence.get(number, {}) == expected["absence"]
    assert told(house_of_may, WAITS_SQL, ("mes",)).get(number, {}) == {}
    assert fates(house_of_may, number) == expected["slots"]


def test_the_longest_wait_is_counted_apart_and_is_the_maximum(house: OfferHouse) -> None:
    (row,) = house.query(
        "select * from espera.espera_por_mes where competencia = '2026-06-01' "
        f"and procedimento_codigo = '{procedure(NUMBERS[LONGEST])}'"
    )
    days = (date(2026, 6, 30) - date(2019, 3, 10)).days
    assert (row["qtd_aguardando"], row["qtd_aguardando_acima_do_limite"]) == (1, 1)
    assert row["dias_em_fila_max"] == days
    assert row["dias_em_fila_p50"] is None


def test_the_stretch_in_which_a_request_was_lost_is_told(house: OfferHouse) -> None:
    number = NUMBERS["lost and back as it was"]
    stretches = house.query(
        "select estado, encerramento_motivo as motivo, data_inicio, data_fim "
        "from intermediario.int_fila__intervalos "
        f"where solicitacao_codigo = '{900_000_000 + number}' order by ordem"
    )
    assert [tuple(row.values()) for row in stretches] == [
        ("aguardando", None, date(2026, 3, 10), date(2026, 5, 1)),
        ("encerrada", "desaparecida", date(2026, 5, 1), date(2026, 6, 1)),
        ("aguardando", None, date(2026, 6, 1), None),
    ]
