"""More lives of requests by hand: how each begins, what happens to it and how it ends."""

from __future__ import annotations

from queue_house import (
    BOOKED,
    CAME,
    CANCELLED,
    DENIED,
    MISSED,
    RETURNED,
    SENT_AGAIN,
    WAITS,
    Document,
    Situation,
    booking,
    request,
)

IN = {"qtd_entradas": 1, "qtd_aguardando": 1}
STAYS = {"qtd_estoque_inicial": 1, "qtd_aguardando": 1}
LEAVES = {"qtd_estoque_inicial": 1}
BOOKS = {"qtd_entradas": 1, "qtd_agendamentos": 1, "qtd_agendadas": 1}
HELD = {"qtd_agendadas": 1}
BACK = {"qtd_devolvidas": 1}
CONFIRMED = {"qtd_agendamentos_devidos": 1, "qtd_confirmados": 1}
UNTOLD = {"qtd_agendamentos_devidos": 1, "qtd_sem_confirmacao": 1}
SEEN = {"qtd_atendidas": 1}
STILL: list[list[Document] | None] = [None, None]
"""Two more readings that show the same."""


def booked(made: str, day: str, *entries: str, code: int = 1) -> list[Document]:
    """Return both documents of a request that was booked last at an instant."""
    told = (*entries, f"{made} AUTORIZADA")
    return [
        request(BOOKED, made, *told),
        booking(code, BOOKED, made, made, day, *told),
    ]


def cancelled_by(whom: str) -> Situation:
    """Return a request that somebody cancels while it waits."""
    end = request(f"SOLICITAÇÃO / CANCELADA / {whom}", "04-12", cancelled="04-12")
    return Situation(
        [[request(WAITS, "03-10 08")], [end], *STILL],
        {"03 2": IN, "04 2": LEAVES | {"qtd_cancelamentos": 1}},
    )


def freed_by(whom: str) -> Situation:
    """Return a booking that somebody cancels in time, and that is not made again."""
    status, told = f"AGENDAMENTO / CANCELADO / {whom}", ("03-12 AUTORIZADA", "04-08 CANCELADA")
    end = [
        request(status, "04-08", *told, cancelled="04-08"),
        booking(1, status, "04-08", "03-12", "04-25", *told, cancelled="04-08"),
    ]
    return Situation(
        [booked("03-12", "04-25"), end, *STILL], {"03 2": BOOKS}, slots={"04-25": "liberada"}
    )


def attended(kind: str, waits: dict[str, dict[str, int]]) -> Situation:
    """Return a request that is seen in a slot of a kind."""
    slot = {"codigo_tipo_vaga_consumida": kind}
    return Situation(
        [
            [request(BOOKED, "03-12"), booking(1, BOOKED, "03-12", "03-12", "04-20", **slot)],
            [request(CAME, "04-20 10"), booking(1, CAME, "04-20 10", "03-12", "04-20", **slot)],
            *STILL,
        ],
        {"03 2": BOOKS},
        waits=waits,
        absence={"04": CONFIRMED},
        slots={"04-20": "confirmada"},
    )


def of_risk(code: object) -> Situation:
    """Return a request that waits, with a risk that is none of the four."""
    one = request(WAITS, "03-10 08", codigo_classificacao_risco=code)
    return Situation(
        [[one], None, *STILL],
        {
            "03 nao_informado": IN,
            **{f"{month} nao_informado": STAYS for month in ("04", "05", "06")},
        },
    )


LIVES = {
    # --- entries -------------------------------------------------------------------------------
    "waits from the first reading to the last": Situation(
        [[request(WAITS, "03-10 08")], None, *STILL],
        {"03 2": IN, "04 2": STAYS, "05 2": STAYS, "06 2": STAYS},
    ),
    "asked before midnight of the last day of a month": Situation(
        [[request(WAITS, "03-31 23", asked="03-31 23")], None, *STILL],
        {"03 2": IN, "04 2": STAYS, "05 2": STAYS, "06 2": STAYS},
    ),
    "asked in the first minutes of a month": Situation(
        [[], [request(WAITS, "04-01 00", asked="04-01 00")], *STILL],
        {"04 2": IN, "05 2": STAYS, "06 2": STAYS},
    ),
    "seen first three months after it was made": Situation(
        [[], [], [], [request(WAITS, "06-20")]],
        {"03 2": IN, "04 2": STAYS, "05 2": STAYS, "06 2": STAYS},
    ),
    "without a risk": of_risk(""),
    "with a risk that nobody knows": of_risk("9"),
    # --- decisions -----------------------------------------------------------------------------
    "booked on the day it was made": Situation(
        [booked("03-10 12", "07-20"), None, *STILL],
        {"03 2": BOOKS, "04 2": HELD, "05 2": HELD, "06 2": HELD},
        slots={"07-20": "futura"},
    ),
    "booked before midnight of the last day of a month": Situation(
        [booked("03-31 23", "07-20"), None, *STILL],
        {"03 2": BOOKS, "04 2": HELD, "05 2": HELD, "06 2": HELD},
        slots={"07-20": "futura"},
    ),
    "denied on the day it was made": Situation(
        [[request(DENIED, "03-10 12", "03-10 12 NEGADA")], None, *STILL],
        {"03 2": {"qtd_entradas": 1, "qtd_negativas": 1}},
    ),
    "denied in a later month": Situation(
        [[request(WAITS, "03-10 08")], [request(DENIED, "04-12", "04-12 NEGADA")], *STILL],
        {"03 2": IN, "04 2": LEAVES | {"qtd_negativas": 1}},
    ),
    "returned and never sent again": Situation(
        [[request(RETURNED, "03-20", "03-20 DEVOLVIDA")], None, *STILL],
        {
            "03 2": {"qtd_entradas": 1, "qtd_devolucoes": 1, "qtd_devolvidas": 1},
            **{f"{month} 2": BACK for month in ("04", "05", "06")},
        },
    ),
    "returned and sent again": Situation(
        [
            [request(RETURNED, "03-20", "03-20 DEVOLVIDA")],
            [request(SENT_AGAIN, "04-10", "03-20 DEVOLVIDA", "04-10 REENVIADA")],
            *STILL,
        ],
        {
            "03 2": {"qtd_entradas": 1, "qtd_devolucoes": 1, "qtd_devolvidas": 1},
            "04 2": {"qtd_reenvios": 1, "qtd_aguardando": 1},
            "05 2": STAYS,
            "06 2": STAYS,
        },
    ),
    "returned twice": Situation(
        [
            [request(RETURNED, "03-20", "03-20 DEVOLVIDA")],
            [request(RETURNED, "04-25", "03-20 DEVOLVIDA", "04-10 REENVIADA", "04-25 DEVOLVIDA")],
            *STILL,
        ],
        {
            "03 2": {"qtd_entradas": 1, "qtd_devolucoes": 1, "qtd_devolvidas": 1},
            "04 2": {"qtd_reenvios": 1, "qtd_devolucoes": 1, "qtd_devolvidas": 1},
            "05 2": BACK,
            "06 2": BACK,
        },
    ),
    "returned, sent again and booked within a month": Situation(
        [booked("03-20", "07-20", "03-12 DEVOLVIDA", "03-15 REENVIADA"), None, *STILL],
        {
            "03 2": BOOKS | {"qtd_devolucoes": 1, "qtd_reenvios": 1},
            "04 2": HELD,
            "05 2": HELD,
            "06 2": HELD,
        },
        slots={"07-20": "futura"},
    ),
    "returned and booked, though nobody tells that it was sent again": Situation(
        [booked("03-20", "07-20", "03-12 DEVOLVIDA"), None, *STILL],
        {
            "03 2": BOOKS | {"qtd_devolucoes": 1, "qtd_reenvios": 1},
            "04 2": HELD,
            "05 2": HELD,
            "06 2": HELD,
        },
        slots={"07-20": "futura"},
    ),
    "returned and denied, though nobody tells that it was sent again": Situation(
        [[request(DENIED, "03-20", "03-12 DEVOLVIDA", "03-20 NEGADA")], None, *STILL],
        {
            "03 2": {
                "qtd_entradas": 1,
                "qtd_devolucoes": 1,
                "qtd_reenvios": 1,
                "qtd_negativas": 1,
            }
        },
    ),
    "returned and cancelled, which takes nobody from the queue": Situation(
        [
            [request(RETURNED, "03-12", "03-12 DEVOLVIDA")],
            [request(CANCELLED, "04-12", "03-12 DEVOLVIDA", cancelled="04-12")],
            *STILL,
        ],
        {"03 2": {"qtd_entradas": 1, "qtd_devolucoes": 1, "qtd_devolvidas": 1}},
    ),
    # --- changes -------------------------------------------------------------------------------
    "the procedure and the risk are corrected": Situation(
        [
            [request(WAITS, "03-10 08")],
            [request(WAITS, "04-12", procedure=1, codigo_classificacao_risco="1")],
            *STILL,
        ],
        {
            "03 2": IN,
            "04 2": LEAVES | {"qtd_reclassificadas_saida": 1},
            "04 1": {"qtd_reclassificadas_entrada": 1, "qtd_aguardando": 1},
            "05 1": STAYS,
            "06 1": STAYS,
        },
    ),
    "the risk is corrected while it is returned, which moves no queue": Situation(
        [
            [request(RETURNED, "03-20", "03-20 DEVOLVIDA")],
            [request(RETURNED, "04-12", "03-20 DEVOLVIDA", codigo_classificacao_risco="1")],
            *STILL,
        ],
        {
            "03 2": {"qtd_entradas": 1, "qtd_devolucoes": 1, "qtd_devolvidas": 1},
            "04 1": BACK,
            "05 1": BACK,
            "06 1": BACK,
        },
    ),
    # --- cancelled -----------------------------------------------------------------------------
    "cancelled by the requester": cancelled_by("SOLICITANTE"),
    "cancelled by the regulator": cancelled_by("REGULADOR"),
    "cancelled by the coordinator": cancelled_by("COORDENADOR"),
    "cancelled in the first hour of a month": Situation(
        [
            [request(WAITS, "03-10 08")],
            [request(CANCELLED, "04-01 00", cancelled="04-01 00")],
            *STILL,
        ],
        {"03 2": IN, "04 2": LEAVES | {"qtd_cancelamentos": 1}},
    ),
    "its booking cancelled by the requester": freed_by("SOLICITANTE"),
    "its booking cancelled by the regulator": freed_by("REGULADOR"),
    "its booking cancelled by the coordinator": freed_by("COORDENADOR"),
    "a cancelled booking booked again for an earlier day": Situation(
        [
            booked("03-12", "07-20"),
            booked("04-20", "06-01", "03-12 AUTORIZADA", "04-08 CANCELADA", code=2),
            *STILL,
        ],
        {"03 2": BOOKS, "04 2": HELD, "05 2": HELD},
        absence={"06": UNTOLD},
        slots={"07-20": "liberada", "06-01": "sem_confirmacao"},
    ),
    "booked three times": Situation(
        [
            booked("03-12", "04-25"),
            booked("04-15", "05-20", "03-12 AUTORIZADA", "04-08 CANCELADA", code=2),
            booked(
                *("05-12", "06-20", "03-12 AUTORIZADA", "04-08 CANCELADA"),
                *("04-15 AUTORIZADA", "05-05 CANCELADA"),
                code=3,
            ),
            None,
        ],
        {"03 2": BOOKS, "04 2": HELD, "05 2": HELD},
        absence={"06": UNTOLD},
        slots={"04-25": "liberada", "05-20": "liberada", "06-20": "sem_confirmacao"},
    ),
    # --- seen, or not --------------------------------------------------------------------------
    "seen on a first visit": attended("1", {"04": SEEN}),
    "seen in a return slot, which is no wait": attended("2", {}),
    "seen in a technical reserve": attended("3", {"04": SEEN}),
    "seen within the month in which it was made": Situation(
        [
            [request(CAME, "03-25 10"), booking(1, CAME, "03-25 10", "03-12", "03-25")],
            None,
            *STILL,
        ],
        {"03 2": {"qtd_entradas": 1, "qtd_agendamentos": 1}},
        waits={"03": SEEN},
        absence={"03": CONFIRMED},
        slots={"03-25": "confirmada"},
    ),
    "missed for good": Situation(
        [
            [request(MISSED, "03-25 20"), booking(1, MISSED, "03-25 20", "03-12", "03-25")],
            None,
            *STILL,
        ],
        {"03 2": {"qtd_entradas": 1, "qtd_agendamentos": 1}},
        absence={"03": {"qtd_agendamentos_devidos": 1, "qtd_faltas": 1}},
        slots={"03-25": "falta"},
    ),
    "nobody tells what became of the appointment": Situation(
        [booked("03-12", "04-20"), None, *STILL],
        {"03 2": BOOKS},
        absence={"04": UNTOLD},
        slots={"04-20": "sem_confirmacao"},
    ),
    "one of two bookings missed, the other attended": Situation(
        [
            [
                request(BOOKED, "03-28 20"),
                booking(1, MISSED, "03-28 20", "03-20", "03-28"),
                booking(2, BOOKED, "03-21", "03-21", "04-20"),
            ],
            [
                request(CAME, "04-20 10"),
                booking(1, MISSED, "03-28 20", "03-20", "03-28"),
                booking(2, CAME, "04-20 10", "03-21", "04-20"),
            ],
            *STILL,
        ],
        {"03 2": BOOKS},
        waits={"04": SEEN},
        absence={
            "03": {"qtd_agendamentos_devidos": 1, "qtd_faltas": 1},
            "04": CONFIRMED,
        },
        slots={"03-28": "falta", "04-20": "confirmada"},
    ),
    # --- lost ----------------------------------------------------------------------------------
    "lost twice, the second time after the last day": Situation(
        [[request(WAITS, "03-10 08")], [], [request(WAITS, "03-10 08")], []],
        {
            "03 2": IN,
            "04 2": STAYS,
            "05 2": LEAVES | {"qtd_desaparecimentos": 1},
            "06 2": {"qtd_reaparecimentos": 1, "qtd_aguardando": 1},
        },
    ),
    "denied and lost, which takes nobody from the queue": Situation(
        [[request(DENIED, "03-15", "03-15 NEGADA")], [], *STILL],
        {"03 2": {"qtd_entradas": 1, "qtd_negativas": 1}},
    ),
    "cancelled, reopened and booked": Situation(
        [
            [request(CANCELLED, "03-12", cancelled="03-12")],
            booked("04-20", "07-20", "04-05 REENVIADA"),
            *STILL,
        ],
        {
            "03 2": {"qtd_entradas": 1, "qtd_cancelamentos": 1},
            "04 2": {"qtd_reaberturas": 1, "qtd_agendamentos": 1, "qtd_agendadas": 1},
            "05 2": HELD,
            "06 2": HELD,
        },
        slots={"07-20": "futura"},
    ),
}
"""Lives of requests, each with what every month must say of it."""
