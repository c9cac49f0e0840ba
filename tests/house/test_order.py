"""The order of the queue: a fair one accuses nobody, and every jump that was put in is found."""

from __future__ import annotations

import heapq
import random
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from conftest import House

FIRST_DAY = date(2024, 1, 1)
NEVER = date(9999, 12, 31)
REFUSED = "sem_explicacao"


def live(seed: int, requests: int, jump: float) -> tuple[list[tuple[int, int, int, int]], set[int]]:
    """Let one queue live: the most urgent first, then the oldest, but for some jumps.

    Returns:
        Number, risk, day of the request and day of the booking (-1: none) of each request, and the
        numbers of those who were booked before one older, as urgent, who went on waiting.

    """
    chance = random.Random(seed)
    days = max(requests // 20, 60)
    asked = sorted(chance.randrange(days) for _ in range(requests))
    risk = [chance.choice((1, 2, 3, 3, 4, 4)) for _ in range(requests)]
    booked = [-1] * requests
    waiting: list[tuple[int, int, int]] = []
    jumped, place = set[int](), 0
    for day in range(days):
        while place < requests and asked[place] <= day:
            heapq.heappush(waiting, (risk[place], asked[place], place))
            place += 1
        today = list[int]()
        for _ in range(min(chance.randrange(40), len(waiting))):
            if chance.random() < jump and len(waiting) > 1:
                at = chance.randrange(1, len(waiting))
                _, _, who = waiting.pop(at)
                heapq.heapify(waiting)
            else:
                _, _, who = heapq.heappop(waiting)
            booked[who] = day
            today.append(who)
        for who in today:
            # Judged by looking at all who are left, one by one.
            if any(r <= risk[who] and since < asked[who] for r, since, _ in waiting):
                jumped.add(who)
    return list(zip(range(requests), risk, asked, booked, strict=True)), jumped


def judged(house: House, queues: int, each: int, jump: float) -> tuple[set[str], set[str], int]:
    """Return who was accused by the model, who had jumped, and how many were booked."""
    compiled = Path(house.env["DBT_TARGET_PATH"]) / "compiled"
    (sql,) = compiled.glob("*/models/intermediate/fila/int_fila__ordem.sql")
    columns: dict[str, list[object]] = {
        name: []
        for name in ("solicitacao_codigo", "fila", "risco_codigo", "asked", "booked", "several")
    }
    jumped = set[str]()
    for number in range(queues):
        rows, here = live(number, each, jump)
        jumped |= {f"{number}-{who}" for who in here}
        for who, risk, asked, booked in rows:
            for name, value in zip(
                columns,
                (f"{number}-{who}", str(number), str(risk), asked, booked, number % 2 == 0),
                strict=True,
            ):
                columns[name].append(value)
    with duckdb.connect(config={"threads": 2, "memory_limit": "2GB"}) as con:
        con.register("lived", pa.table(columns))
        con.execute("attach ':memory:' as mapa")
        con.execute("create schema mapa.intermediario")
        # No quotas and no loads here: their tables stand empty.
        for statement in (
            "create schema mapa.staging",
            "create table mapa.staging.stg_sisreg__cotas (unidade_solicitante_cnes varchar, "
            "procedimento_codigo varchar, competencia date, ppi_tipo varchar, qtd_cota integer, "
            "_carga_id varchar, _carga_ordem integer, _linha integer)",
            "create table mapa.intermediario.int_calendario__cargas (carga_id varchar, "
            "visto_em date)",
            "create table mapa.intermediario.int_calendario__referencia as "
            "select date '2026-06-30' as data_referencia",
        ):
            con.execute(statement)
        con.execute(
            """
            create table mapa.intermediario.int_fila__lugares as
            select
                solicitacao_codigo, 1 as ordem, 1 as vigencia, 'aguardando' as estado, fila,
                fila as procedimento_codigo, risco_codigo, 'r' as regiao_saude_codigo,
                'u' as unidade_solicitante_cnes, true as tem_contato,
                several as tem_varios_procedimentos,
                $first + asked::int as data_solicitacao, $first + asked::int as data_chegada,
                $first + asked::int as data_inicio, $first + asked::int as data_inicio_desejada,
                if(booked < 0, $never, $first + booked::int) as data_fim, 0 as prioridade_inicio,
                if(booked < 0, null, $first + booked::int) as data_agendamento,
                0 as prioridade_fim, false as eh_fim_inferido
            from lived
            """,
            {"first": FIRST_DAY, "never": NEVER},
        )
        con.execute("use mapa")
        told = con.execute(
            f"select solicitacao_codigo, ordem_situacao from ({sql.read_text()})"
        ).fetchall()
    assert {situation for _, situation in told} <= {"em_ordem", REFUSED}
    return {who for who, situation in told if situation == REFUSED}, jumped, len(told)


SIZES = [(20, 1000), pytest.param((200, 5000), marks=pytest.mark.long)]


@pytest.mark.parametrize("size", SIZES, ids=["small", "million"])
def test_a_fair_queue_accuses_nobody(city_house: House, size: tuple[int, int]) -> None:
    accused, jumped, booked = judged(city_house, *size, jump=0)
    assert not jumped
    assert not accused
    assert booked > size[0] * size[1] // 2


@pytest.mark.parametrize("size", SIZES, ids=["small", "million"])
def test_every_jump_is_found_and_nobody_else(city_house: House, size: tuple[int, int]) -> None:
    accused, jumped, booked = judged(city_house, *size, jump=0.01)
    assert accused == jumped
    assert booked // 1000 < len(jumped) < booked // 10
