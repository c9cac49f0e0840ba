"""What is published of counts of people, before somebody who reads all of it and can calculate.

The attacker knows the published files, and what everybody knows of a queue: that rows add up, that
regions add up to the whole, that who waits is who waited, came and did not leave. He knows nothing
of how counts were hidden.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import highspy
import numpy as np
import pytest

from conftest import House

WIDTH = 5
SAMPLE = 120
FLOWS = ("qtd_entradas", "qtd_voltas", "qtd_agendamentos", "qtd_saidas_sem_agendamento")
QUEUE = {
    "pub_fila_por_mes": ("competencia", "procedimento_codigo"),
    "pub_fila_regioes_por_mes": ("competencia", "regiao_saude_codigo"),
    "pub_fila_por_regiao_por_mes": ("competencia", "procedimento_codigo", "regiao_saude_codigo"),
    "pub_fila_por_risco_por_mes": ("competencia", "procedimento_codigo", "risco_codigo"),
    "pub_fila_por_faixa_por_mes": ("competencia", "faixa_espera"),
}
LIMITS, CHANCES = "pub_espera_limites_por_mes", "pub_espera_probabilidade_por_mes"
OUTCOMES = ("qtd_agendamentos_devidos", "qtd_confirmados", "qtd_faltas", "qtd_sem_confirmacao")
USE, FLOWS_HOME = "pub_oferta_uso_por_mes", "pub_absenteismo_por_residencia_por_mes"
PROCEDURES = "pub_absenteismo_procedimentos_por_mes"
ABSENCE = {
    USE: ("competencia", "regiao_atendimento_codigo", "unidade_executante_cnes"),
    PROCEDURES: ("competencia", "procedimento_codigo"),
    FLOWS_HOME: ("competencia", "regiao_residencia_codigo", "regiao_atendimento_codigo"),
}
MOVING = ("pub_fila_por_mes", "pub_fila_regioes_por_mes")
"""Tables that tell who came and went; the others of the queue tell stocks."""
Cell = tuple[str, tuple[Any, ...], str]
Terms = dict[Cell, int]


def one_more_month(con: duckdb.DuckDBPyConnection) -> None:
    """Let one more month of the queue be over: as many come as leave, so that the stock stays."""
    flows = ", qtd_agendamentos + qtd_saidas_sem_agendamento as qtd_entradas, 0 as qtd_voltas"
    for table in QUEUE:
        con.execute(
            f"insert into publicacao.{table} by name select * replace "
            "(cast(competencia + interval 1 month as date) as competencia"
            f"{flows if table in MOVING else ''}) from publicacao.{table} "
            f"where competencia = (select max(competencia) from publicacao.{table})"
        )


class Attacker:
    """What is shown, and every sum that must hold."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        """Read all that is published of people."""
        self.shown: dict[Cell, int | None] = {}
        self.sums: list[Terms] = []
        for table, grain in (QUEUE | ABSENCE).items():
            columns = [
                name
                for (name,) in con.execute(
                    "select column_name from duckdb_columns() where table_name = $1 "
                    "and column_name like 'qtd_%'",
                    [table],
                ).fetchall()
            ]
            for row in con.execute(
                f"select {', '.join((*grain, *columns))} from {table}"
            ).fetchall():
                key = tuple(row[: len(grain)])
                for name, value in zip(columns, row[len(grain) :], strict=True):
                    self.shown[table, key, name] = value
        self.sums += self._rows()
        self.sums += self._months("pub_fila_por_mes")
        self.sums += self._months("pub_fila_regioes_por_mes")
        for one, other, column in (
            ("pub_fila_por_mes", "pub_fila_por_regiao_por_mes", "qtd_aguardando"),
            ("pub_fila_regioes_por_mes", "pub_fila_por_regiao_por_mes", "qtd_aguardando"),
            ("pub_fila_por_mes", "pub_fila_por_risco_por_mes", "qtd_aguardando"),
            ("pub_fila_por_regiao_por_mes", "pub_fila_por_risco_por_mes", "qtd_aguardando"),
            ("pub_fila_por_mes", "pub_fila_por_faixa_por_mes", "qtd_aguardando"),
            ("pub_fila_regioes_por_mes", "pub_fila_por_faixa_por_mes", "qtd_aguardando"),
            (FLOWS_HOME, USE, "qtd_agendamentos_devidos"),
            (FLOWS_HOME, PROCEDURES, "qtd_agendamentos_devidos"),
            *(
                ("pub_fila_por_mes", "pub_fila_regioes_por_mes", name)
                for name in (*FLOWS, "qtd_aguardando")
            ),
            *((PROCEDURES, USE, name) for name in OUTCOMES),
        ):
            self.sums += self._agree(one, other, column)
        self.of: dict[Cell, list[int]] = defaultdict(list)
        for number, terms in enumerate(self.sums):
            for cell in terms:
                self.of[cell].append(number)

    def _keys(self, table: str) -> list[tuple[Any, ...]]:
        return sorted({key for name, key, _ in self.shown if name == table})

    def _rows(self) -> Iterator[Terms]:
        for table in (USE, PROCEDURES):
            for key in self._keys(table):
                yield {(table, key, name): 1 if n else -1 for n, name in enumerate(OUTCOMES)}

    def _months(self, table: str) -> Iterator[Terms]:
        keys = self._keys(table)
        months = sorted({key[0] for key in keys})
        for key in keys:
            if key[0] == months[0]:
                continue
            earlier = (months[months.index(key[0]) - 1], *key[1:])
            terms = dict.fromkeys(((table, key, "qtd_aguardando"),), 1)
            terms |= {
                (table, key, name): sign for name, sign in zip(FLOWS, (-1, -1, 1, 1), strict=True)
            }
            if (table, earlier, "qtd_aguardando") in self.shown:
                terms[table, earlier, "qtd_aguardando"] = -1
            yield terms

    def _agree(self, one: str, other: str, column: str) -> Iterator[Terms]:
        grains = QUEUE | ABSENCE
        common = [name for name in grains[one] if name in grains[other]]
        groups: dict[tuple[Any, ...], Terms] = defaultdict(dict)
        for table, sign in ((one, 1), (other, -1)):
            for key in self._keys(table):
                named = dict(zip(grains[table], key, strict=True))
                groups[tuple(named[name] for name in common)][table, key, column] = sign
        yield from groups.values()

    @property
    def hidden(self) -> list[Cell]:
        """Return what is not shown."""
        return [cell for cell, value in self.shown.items() if value is None]

    def interval(self, cell: Cell) -> tuple[float, float]:
        """Solve for a hidden count: what it can be at least, and at most."""
        known = self._connected(cell)
        place = {one: number for number, one in enumerate(known)}
        model = highspy.HighsLp()
        sums = sorted({number for one in known for number in self.of[one]})
        entries: list[tuple[int, float]] = []
        starts, sides = [0], []
        for number in sums:
            terms = self.sums[number]
            sides.append(-sum(sign * (self.shown[c] or 0) for c, sign in terms.items()))
            entries += [(place[c], float(s)) for c, s in terms.items() if c in place]
            starts.append(len(entries))
        model.num_col_, model.num_row_ = len(known), len(sums)
        # Zeros are shown, so that what is hidden is somebody; a few zeros may be hidden, too.
        model.col_lower_ = np.zeros(len(known))
        model.col_upper_ = np.full(len(known), 1e5)
        model.row_lower_ = model.row_upper_ = np.array(sides, dtype=float)
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = np.array(starts, dtype=np.int32)
        model.a_matrix_.index_ = np.array([c for c, _ in entries], dtype=np.int32)
        model.a_matrix_.value_ = np.array([v for _, v in entries], dtype=float)
        bounds = []
        for direction in (1.0, -1.0):
            costs = np.zeros(len(known))
            costs[place[cell]] = direction
            model.col_cost_ = costs
            program = highspy.Highs()  # type: ignore[no-untyped-call]
            program.setOptionValue("output_flag", False)
            program.passModel(model)
            program.run()
            assert program.getModelStatus() == highspy.HighsModelStatus.kOptimal
            bounds.append(direction * program.getInfo().objective_function_value)
        return bounds[0], bounds[1]

    def _connected(self, cell: Cell) -> list[Cell]:
        found, waiting = {cell}, [cell]
        while waiting:
            for number in self.of[waiting.pop()]:
                for other in self.sums[number]:
                    if self.shown[other] is None and other not in found:
                        found.add(other)
                        waiting.append(other)
        return sorted(found, key=str)


@pytest.fixture(scope="module")
def attacker(city_house: House) -> Attacker:
    path = city_house.settings.published / "mapa_publico.duckdb"
    with closing(duckdb.connect(str(path), read_only=True)) as con:
        return Attacker(con)


def truth(house: House) -> Mapping[Cell, int]:
    """The counts as they are in the warehouse."""
    found: dict[Cell, int] = {}
    with closing(duckdb.connect(str(house.settings.warehouse), read_only=True)) as con:
        for table, grain in (QUEUE | ABSENCE).items():
            rows = con.execute(f"select * from publicacao.{table}").df().to_dict("records")
            for row in rows:
                key = tuple(
                    row[name].date() if name == "competencia" else row[name] for name in grain
                )
                for name, value in row.items():
                    if str(name).startswith("qtd_"):
                        found[table, key, str(name)] = int(value)
    return found


def test_what_is_shown_is_the_truth_and_nothing_small_is_shown(
    city_house: House, attacker: Attacker
) -> None:
    counted = truth(city_house)
    assert counted.keys() == attacker.shown.keys()
    assert {c for c, value in attacker.shown.items() if value not in {None, counted[c]}} == set()
    assert {
        c for c, value in attacker.shown.items() if value is not None and 0 < value < WIDTH
    } == set()
    for terms in attacker.sums:
        assert sum(sign * counted[cell] for cell, sign in terms.items()) == 0


def test_no_hidden_count_can_be_computed(attacker: Attacker) -> None:
    chosen = random.Random(1).sample(attacker.hidden, min(SAMPLE, len(attacker.hidden)))
    assert chosen
    told = [
        cell
        for cell in chosen
        for low, high in [attacker.interval(cell)]
        if high - low < WIDTH - 1e-4
    ]
    assert told == []


def test_one_complement_that_is_shown_again_is_found(city_house: House, attacker: Attacker) -> None:
    counted = truth(city_house)
    # Of two hidden counts of one sum, the larger hides the smaller.
    pairs = [
        hidden
        for terms in attacker.sums
        for hidden in [[c for c in terms if attacker.shown[c] is None]]
        if len(hidden) == 2 and max(counted[c] for c in hidden) >= WIDTH
    ]
    assert pairs
    small, large = sorted(pairs[0], key=lambda cell: counted[cell])
    attacker.shown[large] = counted[large]
    try:
        low, high = attacker.interval(small)
    finally:
        attacker.shown[large] = None
    assert (round(low), round(high)) == (counted[small], counted[small])


def test_the_certificate_says_what_stands(city_house: House, attacker: Attacker) -> None:
    path = Path(city_house.settings.published / "divulgacao.json")
    certificate = json.loads(path.read_text(encoding="utf-8"))
    assert certificate["minimum"] == WIDTH
    assert certificate["cells"] == len(attacker.shown)
    assert certificate["small"] + certificate["complement"] == len(attacker.hidden)
    assert certificate["narrowest_interval"] >= WIDTH
    told = {*QUEUE, *ABSENCE, LIMITS, CHANCES}
    assert {table["name"] for table in certificate["tables"]} == told


PEOPLE = {
    LIMITS: """
        select t.*, m.qtd_aguardando, m.qtd_atendidas
        from publicacao.pub_espera_limites_por_mes as t
        left join espera.espera_limites_por_mes as m using (competencia, procedimento_codigo)
    """,
    CHANCES: """
        select t.*, m.qtd_pedidos
        from publicacao.pub_espera_probabilidade_por_mes as t
        inner join espera.espera_probabilidade_por_mes as m
            using (competencia, procedimento_codigo, horizonte_dias)
        where m.coorte_meses = 12
    """,
}
"""Shares as they are, and of how many people."""
SHARES = {
    (LIMITS, "pct_aguardando_no_limite"): "qtd_aguardando",
    (LIMITS, "pct_atendidas_no_limite"): "qtd_atendidas",
    (CHANCES, "pct_pedidos_atendidos"): "qtd_pedidos",
    (CHANCES, "pct_pedidos_encerrados"): "qtd_pedidos",
}


def shares(house: House) -> Iterator[tuple[Any, ...]]:
    """Yield name, ends and step of each share that is told, the true ends, and of how many it is.

    What nobody confirmed lies between the ends of a chance; that of what has ended has the step.
    """
    inner, outer = house.settings.warehouse, house.settings.published / "mapa_publico.duckdb"
    with closing(duckdb.connect(str(inner), read_only=True)) as con:
        con.execute(f"attach '{outer}' as publico (read_only)")
        for (table, share), people in SHARES.items():
            key = "competencia, procedimento_codigo"
            key += ", horizonte_dias" if table == CHANCES else ""
            own = "pct_pedidos_encerrados" if table == CHANCES else share
            for row in con.execute(
                f"select p.{share}_minimo, p.{share}_maximo, p.{own}_maximo - p.{own}_minimo, "
                f"t.{share}_minimo, t.{share}_maximo, "
                f"t.{people} from ({PEOPLE[table]}) as t "
                f"inner join publico.{table} as p using ({key}) where p.{share}_minimo is not null"
            ).fetchall():
                yield (share, *row)


def test_a_share_holds_the_true_one_and_more_people_than_a_few(city_house: House) -> None:
    told = list(shares(city_house))
    assert {share for share, *_ in told} >= {"pct_aguardando_no_limite", "pct_pedidos_atendidos"}
    assert len(told) > 200
    for share, low, high, step, least, most, people in told:
        assert 0 <= low <= least + 1e-6, share
        assert most - 1e-6 <= high <= 100, share
        assert (low % step, high % step, high > low) == (0, 0, True), share
        # A share of all together, and of the others, is of no row of the mart.
        assert people is None or step * people / 100 > WIDTH, share
    assert {low for _, low, *_ in told}.isdisjoint({100})


def test_what_is_not_known_in_the_warehouse_is_not_told(city_house: House) -> None:
    inner = city_house.settings.warehouse
    outer = city_house.settings.published / "mapa_publico.duckdb"
    with closing(duckdb.connect(str(inner), read_only=True)) as con:
        con.execute(f"attach '{outer}' as publico (read_only)")
        for (table, share), _ in SHARES.items():
            key = "competencia, procedimento_codigo"
            key += ", horizonte_dias" if table == CHANCES else ""
            rows, told, wrong = con.execute(
                f"select count(*), count(p.{share}_minimo), count(*) filter (p.{share}_minimo is "
                f"not null and t.{share}_minimo is null) from publicacao.{table} as t "
                f"full join publico.{table} as p using ({key})"
            ).fetchall()[0]
            assert (told <= rows, wrong) == (True, 0), share
