"""Nothing after the reference day leaks into it: the offer of a past day from all loads.

One house has all loads, the other those up to the day and, of the later ones, what is dated up to
it. Built as of the day, every cell of every mart is the same.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mapa.layouts import of_files
from mapa.load.exports import Completeness
from offer_house import SCHEDULE, Codes, Delivery, OfferHouse, Row

CODES = Codes(1)
SEEN = (date(2026, 3, 2), date(2026, 4, 1), date(2026, 5, 4), date(2026, 6, 15))
DAYS = (date(2026, 3, 31), date(2026, 5, 20))
"""Reference days: the eve of a load, and one between two loads."""
WHOLE = Completeness(confirmed=True, tables=True)
SOME = Completeness(partial=True)


def schedule(number: int, inserted: str = "15/01/2026", **other: str) -> Row:
    """Return a row of a schedule."""
    return (
        SCHEDULE
        | {
            "cod_escala_ambulatorial": CODES.record(number),
            "cpf_profissional_exec": CODES.professional(number % 3),
            "cod_cnes_exec": CODES.unit(number % 3 + 1),
            "cod_procedimento_interno": CODES.procedure(number % 2 + 1),
            "sigla_dia_semana": ("SEG", "TER", "QUA", "QUI", "SEX")[number % 5],
            "qtd_vagas_prim_vez": "10",
            "qtd_minutos_prim_vez": "15",
            "qtd_vagas_retorno": "2",
            "qtd_vagas_reserva": "0",
            "hora_inicial": "08:00",
            "hora_final": "12:00",
            "data_de_vigencia_inicial": "02/02/2026",
            "data_de_vigencia_final": "31/07/2026",
            "data_da_insercao": inserted,
        }
        | other
    )


def leave(number: int, start: str, **other: str) -> Row:
    """Return a leave of a professional of one week."""
    return {
        "cod_afastamento": CODES.record(number),
        "cpf_profissional_exec": CODES.professional(number % 3),
        "data_inicio": start,
        "data_fim": start.replace(start[:2], f"{int(start[:2]) + 6:02d}", 1),
    } | other


def limit(month: str, slots: str) -> Row:
    """Return a ceiling."""
    return {
        "competencia": month,
        "cod_cnes_exec": CODES.unit(2),
        "cod_procedimento_interno": CODES.procedure(2),
        "qtd_teto": slots,
    }


def hours(month: str, weekly: str) -> Row:
    """Return a contract."""
    return {
        "competencia": month,
        "cod_cnes": CODES.unit(2),
        "cpf_profissional": CODES.professional(1),
        "cod_cbo": "225265",
        "horas_ambulatoriais_semana": weekly,
    }


def loads() -> list[Delivery]:
    """Return what comes on each day: every kind of record is born, changes and goes after a day."""
    base = [schedule(n) for n in range(1, 9)]
    edited = [row | {"sigla_dia_semana": "SEX", "qtd_vagas_prim_vez": "7"} for row in base[:3]]
    gone = [*edited, *base[4:]]
    late = [
        schedule(20, "10/05/2026"),
        schedule(21, "10/06/2026"),
        schedule(22, "10/02/2026", desc_procedimento_interno="NOME NOVO DO PROCEDIMENTO"),
        # an agenda that a reader of May knew nothing of, all of it in the past
        schedule(23, "01/06/2026", data_de_vigencia_final="31/03/2026"),
    ]
    return [
        {
            "escala": base,
            "afastamento_profissional": [leave(1, "09/03/2026")],
            "feriado": [
                {"data": "16/03/2026", "abrangencia": "local", "cod_cnes_exec": CODES.unit(2)}
            ],
            "teto": [limit("202603", "20"), limit("202606", "15")],
            "carga_horaria": [hours("202603", "20")],
        },
        {
            "escala": [*edited, *base[3:]],
            "afastamento_profissional": [leave(1, "09/03/2026", cod_cnes_exec=CODES.unit(2))],
            "feriado": [
                {"data": "16/03/2026", "abrangencia": "local", "cod_cnes_exec": CODES.unit(2)}
            ],
            "teto": [limit("202603", "10"), limit("202606", "15")],
        },
        {
            "escala": gone,
            "afastamento_profissional": [leave(1, "09/03/2026"), leave(2, "11/05/2026")],
            "feriado": [
                {"data": "18/05/2026", "abrangencia": "local", "cod_cnes_exec": CODES.unit(2)}
            ],
            "teto": [limit("202603", "5"), limit("202605", "8")],
            "carga_horaria": [hours("202604", "10")],
        },
        {
            "escala": [
                row | {"hora_final": "11:00", "desc_cnes_exec": "NOME DE JUNHO"} for row in gone
            ]
            + late,
            "afastamento_profissional": [
                leave(2, "11/05/2026", data_fim="31/07/2026"),
                leave(3, "08/06/2026"),
                leave(4, "16/03/2026"),
            ],
            "feriado": [
                {"data": "22/06/2026", "abrangencia": "local", "cod_cnes_exec": CODES.unit(2)}
            ],
            "teto": [limit("202603", "1"), limit("202605", "1"), limit("202607", "2")],
            "carga_horaria": [hours("202604", "40"), hours("202605", "30")],
        },
    ]


DATED: dict[date, Delivery] = {
    DAYS[0]: {
        "escala": [
            schedule(22, "10/02/2026", desc_procedimento_interno="NOME NOVO DO PROCEDIMENTO")
        ],
        "afastamento_profissional": [leave(4, "16/03/2026")],
    },
    DAYS[1]: {
        "escala": [
            schedule(20, "10/05/2026"),
            schedule(22, "10/02/2026", desc_procedimento_interno="NOME NOVO DO PROCEDIMENTO"),
        ],
        "afastamento_profissional": [leave(4, "16/03/2026")],
        "carga_horaria": [hours("202605", "30")],
    },
}
"""What only a later load says and is dated up to the day, as that load says it."""


def marts(house: OfferHouse) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every mart, in an order of its own."""
    tables = house.query(
        "select table_schema as s, table_name as t from information_schema.tables "
        "where table_schema in "
        "('dimensoes', 'oferta', 'fila', 'espera', 'absenteismo', 'qualidade', 'acordo')"
    )
    return {
        row["t"]: house.query(f"select * from {row['s']}.{row['t']} order by all") for row in tables
    }


@pytest.mark.parametrize("day", [pytest.param(DAYS[0], marks=pytest.mark.long), DAYS[1]], ids=str)
def test_a_past_day_is_built_from_what_is_dated_up_to_it(
    tmp_path_factory: pytest.TempPathFactory, day: date
) -> None:
    built = {}
    known = [seen for seen in SEEN if seen <= day or (seen - day).days == 1]
    for name in ("all", "known"):
        house = OfferHouse.at(tmp_path_factory.mktemp(name))
        if name == "all":
            house.load(loads(), SEEN, WHOLE)
        else:
            house.load(loads()[: len(known)], known, WHOLE)
            # beside it, with the files of the first loads
            (house.directory / "later").mkdir()
            later = OfferHouse(house.directory / "later", house.env, house.settings)
            later.load([DATED[day]], [SEEN[-1]], SOME)
        house.build(models=("+path:models/marts",), data_referencia=day.isoformat())
        built[name] = marts(house)
    assert built["all"].keys() == built["known"].keys()
    assert len(built["all"]["oferta_por_dia"]) > 300
    differ = {
        name: [row for row in rows if row not in built["known"][name]][:2]
        for name, rows in built["all"].items()
        if rows != built["known"][name]
    }
    assert differ == {}


def test_every_layout_of_the_offer_takes_part() -> None:
    taken = {name for load in loads() for name in load}
    left_out = {"agendamento", "afastamento_unidade", "ppi", "cota"}
    sisreg = of_files("bruto_sisreg")
    offer = {layout.name for layout in sisreg if layout.record} | {"carga_horaria"}
    assert offer - taken - left_out == set()
