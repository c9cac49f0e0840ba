"""Hand-worked hours: schedules, holidays and contracts go in as files, hours and alerts come out.

May 2026 has 21 weekdays; with Labour Day (Friday 1st) 20 working days, in unit 4 with a day of its
own (Wednesday 6th) 19. Mondays are 4 11 18 25, Wednesdays 6 13 20 27, Fridays 1 8 15 22 29. Twenty
hours a week are 20 x 20 / 5 = 80 hours, or 4,800 minutes, of the month.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mapa.load import exports
from offer_house import SCHEDULE, Codes, OfferHouse, Row

CODES = Codes(1)
MODELS = (
    "+oferta_por_dia", "+oferta_horas_por_mes", "+oferta_esperada_por_mes",
    "+int_oferta__alertas_horas", "dicionario_codigos",
)  # fmt: skip
NOBODY = 0


def schedule(number: int, part: int = 0, /, **columns: str) -> Row:
    """Return a schedule of the professional of a number, on the Mondays of May."""
    return SCHEDULE | {
        "cod_escala_ambulatorial": f"{number}{part}",
        "cpf_profissional_exec": CODES.professional(number),
        "cod_cnes_exec": CODES.unit(1),
        "cod_procedimento_interno": CODES.procedure(1),
        "cod_cbo": "225125",
        "sigla_dia_semana": "SEG",
        "qtd_vagas_prim_vez": "10",
        "qtd_minutos_prim_vez": "30",
        "qtd_vagas_retorno": "0",
        "qtd_vagas_reserva": "0",
        "data_de_vigencia_inicial": "01/05/2026",
        "data_de_vigencia_final": "31/05/2026",
        "hora_inicial": "07:00",
        "hora_final": "12:00",
    } | columns  # fmt: skip


def contract(number: int, hours: str, **columns: str) -> Row:
    """Return a contract of the professional of a number."""
    return {
        "competencia": "202605",
        "cod_cnes": CODES.unit(1),
        "cpf_profissional": CODES.professional(number),
        "cod_cbo": "225125",
        "cod_vinculo": "010101",
        "horas_ambulatoriais_semana": hours,
    } | columns


UNIT_2, UNIT_4 = {"cod_cnes_exec": CODES.unit(2)}, {"cod_cnes_exec": CODES.unit(4)}
WEEK = ("SEG", "TER", "QUA", "QUI", "SEX")
SCHEDULES = [
    # 1: five mornings of five hours; 20 working days x 300 = 6,000 of 6,000 minutes (25 h a week)
    *(schedule(1, i, sigla_dia_semana=d) for i, d in enumerate(WEEK)),
    # 2: the same on 20 h a week, 6,000 of 4,800 minutes
    *(schedule(2, i, sigla_dia_semana=d) for i, d in enumerate(WEEK)),
    # 3: Mondays only, on two contracts of 10 h: 4 x 300 = 1,200 of 4,800
    schedule(3),
    # 4: nobody wrote a contract down, though the unit has a register
    schedule(4),
    # 5: the contract does not say the hours
    schedule(5),
    # 6: no minutes, the block of 300 tells: 4 x 300 = 1,200 of 2,400
    schedule(6, qtd_minutos_prim_vez="0"),
    # 7: no minutes and no block
    schedule(7, qtd_minutos_prim_vez="---", hora_inicial="", hora_final=""),
    # 8: a contract without hours
    schedule(8),
    # 9: the unit has no register
    schedule(9, **UNIT_2),
    # 10: Fridays in unit 4 beside Wednesdays: (5 - 1) x 300 + (4 - 1) x 300 = 2,100 of
    # 10 x 60 x 19 / 5 = 2,280, with two procedures in the shares 4 : 3
    schedule(10, sigla_dia_semana="SEX", **UNIT_4),
    schedule(10, 1, sigla_dia_semana="QUA",
             cod_procedimento_interno=CODES.procedure(2), **UNIT_4),
    # nobody's: the CPF is missing
    schedule(11, cpf_profissional_exec="---"),
]  # fmt: skip
CONTRACTS = [
    contract(1, "25"),
    contract(2, "20"),
    contract(3, "10"),
    contract(3, "10", cod_vinculo="010202"),
    contract(5, "---"),
    contract(6, "10"),
    contract(7, "10"),
    contract(8, "0"),
    contract(10, "10", cod_cnes=CODES.unit(4).lstrip("0")),
    contract(12, "40"),
    contract(13, "0"),
    contract(14, "20", cod_cnes=CODES.unit(9)),
]
HOLIDAYS = [
    {"data": "01/05/2026", "descricao": "DIA DO TRABALHO", "abrangencia": "nacional"},
    {"data": "06/05/2026", "descricao": "PADROEIRO", "abrangencia": "local"} | UNIT_4,
]
# Professional: state, slots, of them on holidays, offered hours, contracted hours.
EXPECTED = {
    1: ("dentro", 210, 10, 100.0, 100.0),
    2: ("acima", 210, 10, 100.0, 80.0),
    3: ("abaixo", 40, 0, 20.0, 80.0),
    4: ("sem_contrato", 40, 0, 20.0, None),
    5: ("horas_desconhecidas", 40, 0, 20.0, None),
    6: ("dentro", 40, 0, 20.0, 40.0),
    7: ("horas_desconhecidas", 40, 0, None, 40.0),
    8: ("contrato_sem_horas", 40, 0, 20.0, 0.0),
    9: ("sem_informacao", 40, 0, 20.0, None),
    10: ("dentro", 90, 20, 35.0, 38.0),
    12: ("sem_escala", 0, 0, 0.0, 160.0),
    NOBODY: ("sem_profissional", 40, 0, 20.0, None),
}


def build_house(directory: Path) -> OfferHouse:
    """Build a house with these schedules and contracts, as of the last day of May."""
    built = OfferHouse.at(directory)
    built.load([{"escala": SCHEDULES, "feriado": HOLIDAYS, "carga_horaria": CONTRACTS}])
    built.build(tested=True, models=MODELS, data_referencia=date(2026, 5, 31).isoformat())
    return built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return the house with these schedules and contracts."""
    return build_house(tmp_path_factory.mktemp("hours"))


@pytest.fixture(scope="module")
def numbers(house: OfferHouse) -> dict[str, int]:
    """Return the number of the professional behind each pseudonym that has a schedule."""
    rows = house.query("select escala_codigo, profissional_id from oferta.oferta_por_dia")
    return {
        row["profissional_id"]: int(row["escala_codigo"]) // 10
        for row in rows
        if row["profissional_id"]
    }


def hours(house: OfferHouse) -> list[dict[str, Any]]:
    """Return the rows of the mart."""
    return house.query("select * from oferta.oferta_horas_por_mes order by all")


def test_every_professional_has_the_hours_worked_out_by_hand(
    house: OfferHouse, numbers: dict[str, int]
) -> None:
    found = {}
    for row in hours(house):
        assert row["competencia"] == date(2026, 5, 1)
        who = (
            12
            if row["situacao_codigo"] == "sem_escala"
            else numbers.get(row["profissional_id"], NOBODY)
        )
        found[who] = (
            row["situacao_codigo"], row["qtd_vagas_total"], row["qtd_vagas_em_feriado"],
            row["horas_ofertadas"], row["horas_contratadas"],
        )  # fmt: skip
    # 13 has neither hours nor a schedule, 14 works where nothing is offered: they are nowhere.
    assert found == EXPECTED
    assert len(hours(house)) == len(EXPECTED)


def test_what_the_block_tells_is_shown(house: OfferHouse, numbers: dict[str, int]) -> None:
    of_blocks = {
        numbers[row["profissional_id"]]: row["minutos_do_bloco"]
        for row in hours(house)
        if row["profissional_id"] in numbers and row["minutos_do_bloco"] != 0
    }
    assert of_blocks == {6: 1200, 7: None}


def test_the_share_is_never_clipped(house: OfferHouse) -> None:
    shares = {row["situacao_codigo"]: row["pct_horas_ofertadas"] for row in hours(house)}
    assert shares["acima"] == 125
    assert (shares["abaixo"], shares["sem_escala"]) == (25, 0)
    assert (
        shares["contrato_sem_horas"] is shares["sem_contrato"] is shares["sem_informacao"] is None
    )


def test_alerts_count_the_slots_at_stake(house: OfferHouse, numbers: dict[str, int]) -> None:
    rows = house.query("select * from intermediario.int_oferta__alertas_horas")
    found = {
        numbers[row["profissional_id"]]: (row["regra_codigo"], row["qtd_vagas"]) for row in rows
    }
    assert found == {
        # 200 slots x 1,200 of 6,000 minutes too many
        2: ("horas_acima_do_contrato", 40),
        # 40 slots in 1,200 minutes: 3,600 minutes more are 120
        3: ("horas_abaixo_do_contrato", 120),
        4: ("oferta_sem_contrato", 40),
        8: ("horas_acima_do_contrato", 40),
    }


def test_expected_slots_follow_the_pace_of_the_seed(
    house: OfferHouse, numbers: dict[str, int]
) -> None:
    rows = house.query("select * from oferta.oferta_esperada_por_mes")
    shared = {
        row["procedimento_codigo"][-1]: row
        for row in rows
        if numbers.get(row["profissional_id"]) == 10
    }
    # 38 hours at 4 an hour are 152 slots, shared 4 : 3 between the procedures.
    assert shared["1"]["vagas_esperadas"] == pytest.approx(152 * 4 / 7)
    assert shared["2"]["vagas_esperadas"] == pytest.approx(152 * 3 / 7)
    assert shared["1"]["vagas_alem_das_esperadas"] == pytest.approx(40 - 152 * 4 / 7)
    unknown = {
        numbers.get(row["profissional_id"], NOBODY)
        for row in rows
        if row["vagas_esperadas"] is None
    }
    assert unknown == {4, 5, 7, 9, NOBODY}


def test_the_order_and_repetition_of_loads_change_nothing(
    house: OfferHouse, tmp_path: Path
) -> None:
    other = OfferHouse.at(tmp_path)
    other.load(
        [{"carga_horaria": CONTRACTS[::-1]}, {"feriado": HOLIDAYS, "escala": SCHEDULES[::-1]}]
    )
    again = exports.load(other.settings, [tmp_path / "delivery_1"])
    assert [summary.skipped for summary in again] == ["already loaded, skipped"]
    other.build(models=MODELS, data_referencia=date(2026, 5, 31).isoformat())
    assert hours(other) == hours(house)
