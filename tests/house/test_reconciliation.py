"""SISREG's report against the marts: each explanation by data that really has that difference.

The situations and their arithmetic are worked by hand; report and offer go through the loaders and
the models in one house. March of 2026 has the Mondays 2, 9, 16, 23 and 30; the reference day is
30 June.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mapa.layouts import named
from mapa.load import report
from offer_house import CENTRAL, SCHEDULE, Codes, OfferHouse, Row


@dataclass(frozen=True)
class Case:
    """One situation.

    Attributes:
        name: what differs.
        schedules, leaves, ppi, ceilings: what we know; short forms of the rows.
        said: what the report says of each unit: measure and number.
        expected: explanation of the cells of each unit that are not equal.
        month, agenda, made: what the report was asked for, and when.

    """

    name: str
    schedules: list[dict[str, Any]]
    said: dict[int, dict[str, int | None]]
    expected: dict[int, dict[str, str]]
    leaves: list[dict[str, Any]] = field(default_factory=list)
    ppi: int | None = None
    ceilings: dict[int, int] = field(default_factory=dict)
    month: str = "202603"
    agenda: str = "TODAS"
    made: str = "30/06/2026"


def slots(total: int, blocked: int = 0, /, **more: int | None) -> dict[str, int | None]:
    """Return a row of first-visit slots that agrees with itself."""
    row: dict[str, int | None] = {}
    for part, number in (("total", total), ("bloqueada", blocked), ("ativa", total - blocked)):
        row |= {f"{part}_{kind}": 0 for kind in ("retorno", "reserva")}
        row |= {f"{part}_prim_vez": number, f"{part}_geral": number}
    limits = [n for n in (more.get("ppi_total"), more.get("teto")) if n is not None]
    return row | {"oferta_real": min([total - blocked, *limits])} | more


def ppi(total: int) -> dict[str, int | None]:
    """Return an agreement that is all of the district's own."""
    return {"ppi_total": total, "ppi_local": total, "ppi_pactuada": 0}


def cells(names: str, why: str) -> dict[str, str]:
    """Give several cells the same explanation."""
    return dict.fromkeys(names.split(), why)


TOTAL = "total_primeira_vez total_geral"
BLOCKED = "bloqueada_primeira_vez bloqueada_geral"
ACTIVE = "ativa_primeira_vez ativa_geral oferta_real"
ONE_DAY = {"de": "09/03/2026", "ate": "09/03/2026"}
EVERY = "total bloqueada ativa"
ELSEWHERE = 10
"""Added to the number of a unit where it executes for another central."""

ALL_SLOTS = " ".join(
    f"{part}_{kind}"
    for part in EVERY.split()
    for kind in ("primeira_vez", "retorno", "reserva", "geral")
)
CASES = [
    Case(
        "o exemplo do Ministério: 930, bloqueada 300, ativa 630, PPI 1.010, teto 920, real 630",
        [ONE_DAY | {"vagas": 300}, ONE_DAY | {"vagas": 630, "profissional": 2}],
        {1: slots(930, 300, teto=920, **ppi(1010))},
        {},
        leaves=[{"de": "09/03/2026"}],
        ppi=1010,
        ceilings={1: 920},
    ),
    Case(
        "o mesmo com PPI 5, real 5",
        [ONE_DAY | {"vagas": 630}],
        {1: slots(630, 0, teto=920, **ppi(5))},
        {},
        ppi=5,
        ceilings={1: 920},
    ),
    Case(
        "PPI 12 para 10 e 10: o mapa reparte 6 e 6, o relatório diz 10 e 10",
        [ONE_DAY | {"vagas": 10}, ONE_DAY | {"vagas": 10, "unidade": 2}],
        {1: slots(10, **ppi(12)), 2: slots(10, **ppi(12))},
        {unit: {"oferta_real": "ppi_nao_repartida"} for unit in (1, 2)},
        ppi=12,
    ),
    Case(
        "PPI e teto que só o SISREG conhece",
        [ONE_DAY | {"vagas": 10}, ONE_DAY | {"vagas": 10, "unidade": 2}],
        {1: slots(10, teto=20, **ppi(3)), 2: slots(10, teto=2, **ppi(3))},
        {
            unit: cells("ppi_total ppi_local ppi_pactuada teto oferta_real", "limite_nao_informado")
            for unit in (1, 2)
        },
    ),
    Case(
        "o relatório não conta agendas locais, e a unidade que só tem locais não aparece",
        [
            ONE_DAY | {"vagas": 10},
            ONE_DAY | {"vagas": 4, "local": True},
            ONE_DAY | {"vagas": 4, "local": True, "unidade": 2},
        ],
        {1: slots(10)},
        {
            1: cells(f"{TOTAL} {ACTIVE}", "agenda_local"),
            2: cells(
                " ".join(
                    f"{p}_{k}"
                    for p in EVERY.split()
                    for k in ("primeira_vez", "retorno", "reserva", "geral")
                )
                + " oferta_real",
                "agenda_local",
            ),
        },
    ),
    Case(
        "relatório só da rede: o mapa conta as mesmas agendas",
        [ONE_DAY | {"vagas": 10}, ONE_DAY | {"vagas": 4, "local": True}],
        {1: slots(10)},
        {},
        agenda="REDE",
    ),
    Case(
        "relatório só das locais: o mapa conta as mesmas agendas",
        [ONE_DAY | {"vagas": 10}, ONE_DAY | {"vagas": 4, "local": True}],
        {1: slots(4)},
        {},
        agenda="LOCAL",
    ),
    Case(
        "sem fim de vigência: SEG 6 13 20 27 de julho, 4 × 10; o mapa para em 30 de junho",
        [{"vagas": 10, "de": "01/06/2026", "ate": ""}],
        {1: slots(40)},
        {1: cells(f"{TOTAL} {ACTIVE}", "escala_sem_fim")},
        month="202607",
    ),
    Case(
        "o feriado de SEX 1º de maio não está no SISREG; SEX 1 8 15 22 29, 5 × 10",
        [{"vagas": 10, "dia": "SEX", "de": "01/05/2026", "ate": "31/05/2026"}],
        {1: slots(50)},
        {1: cells(f"{BLOCKED} {ACTIVE}", "feriado_calculado")},
        month="202605",
    ),
    Case(
        "o afastamento de outro procedimento bloqueia este",
        [{"vagas": 10}],
        {1: slots(50, 10)},
        {1: cells(f"{BLOCKED} {ACTIVE}", "bloqueio_de_um_procedimento")},
        leaves=[{"de": "09/03/2026", "procedimento": 2}],
    ),
    Case(
        "uma hora de quatro bloqueia o dia: 10 em vez de 10 × 60 ÷ 240 = 2,5 → 3",
        [{"vagas": 10}],
        {1: slots(50, 10)},
        {1: cells(f"{BLOCKED} {ACTIVE}", "bloqueio_parcial")},
        leaves=[{"de": "09/03/2026", "das": "10:00", "as": "11:00"}],
    ),
    Case(
        "uma hora de outro procedimento bloqueia o dia: só os dois defeitos juntos dão 10",
        [{"vagas": 10}],
        {1: slots(50, 10)},
        {1: cells(f"{BLOCKED} {ACTIVE}", "bloqueio_de_um_procedimento_e_parcial")},
        leaves=[{"de": "09/03/2026", "das": "10:00", "as": "11:00", "procedimento": 2}],
    ),
    Case(
        "uma vaga a mais sem motivo, e o que o relatório faz dela",
        [{"vagas": 10}],
        {1: slots(51)},
        {
            1: {"total_primeira_vez": "nao_explicada"}
            | cells(f"total_geral {ACTIVE}", "decorre_de_outra")
        },
    ),
    Case(
        "um total que não é a soma dos tipos não decorre deles",
        [{"vagas": 10}],
        {1: slots(50) | {"total_geral": 51}},
        {1: {"total_geral": "nao_explicada"}},
    ),
    Case(
        "teto de outro valor não se explica, e a oferta real decorre dele",
        [{"vagas": 10}],
        {1: slots(50, teto=20)},
        {1: {"teto": "nao_explicada", "oferta_real": "decorre_de_outra"}},
        ceilings={1: 30},
    ),
    Case(
        "a escala mudou em 20 de junho, o relatório é do dia 1º",
        [{"vagas": 10, "alterada": "20/06/2026"}],
        {1: slots(40)},
        {
            1: {"total_primeira_vez": "escala_alterada_depois"}
            | cells(f"total_geral {ACTIVE}", "decorre_de_outra")
        },
        made="01/06/2026",
    ),
    Case(
        "sem a data do relatório, a mudança não explica nada",
        [{"vagas": 10, "alterada": "20/06/2026"}],
        {1: slots(40)},
        {
            1: {"total_primeira_vez": "nao_explicada"}
            | cells(f"total_geral {ACTIVE}", "decorre_de_outra")
        },
        made="---",
    ),
    Case(
        "uma unidade só no relatório, outra só no mapa",
        [{"vagas": 10, "unidade": 2}],
        {1: slots(7)},
        {
            1: cells(f"{TOTAL} {ACTIVE}", "so_no_relatorio"),
            2: cells(
                " ".join(
                    f"{p}_{k}"
                    for p in EVERY.split()
                    for k in ("primeira_vez", "retorno", "reserva", "geral")
                )
                + " oferta_real",
                "so_no_mapa",
            ),
        },
    ),
    Case(
        "o teto de 12 é um só para as duas centrais da unidade, 6 na do relatório",
        [ONE_DAY | {"vagas": 10}, ONE_DAY | {"vagas": 10, "central": "520010"}],
        {1: slots(10, teto=12, oferta_real=6)},
        {1 + ELSEWHERE: cells(f"{ALL_SLOTS} teto oferta_real", "so_no_mapa")},
        ceilings={1: 12},
    ),
    Case(
        "o relatório dá o teto inteiro à sua central",
        [ONE_DAY | {"vagas": 10}, ONE_DAY | {"vagas": 10, "central": "520010"}],
        {1: slots(10, teto=12)},
        {
            1: {"oferta_real": "decorre_de_outra"},
            1 + ELSEWHERE: cells(f"{ALL_SLOTS} teto oferta_real", "so_no_mapa"),
        },
        ceilings={1: 12},
    ),
    Case(
        "em relatório só da rede o teto se reparte entre as agendas da rede das duas centrais",
        [
            ONE_DAY | {"vagas": 10},
            ONE_DAY | {"vagas": 20, "central": "520010"},
            ONE_DAY | {"vagas": 5, "local": True},
        ],
        {1: slots(10, teto=15, oferta_real=5)},
        {1 + ELSEWHERE: cells(f"{ALL_SLOTS} teto oferta_real", "so_no_mapa")},
        ceilings={1: 15},
        agenda="REDE",
    ),
    Case(
        "em branco no relatório é não informado; quantidade ilegível na escala é desconhecida",
        [{"vagas": 10}, {"vagas": "", "unidade": 2}],
        {1: slots(50) | {"ativa_geral": None}, 2: slots(7)},
        {
            1: {"ativa_geral": "nao_informado_no_relatorio"},
            2: cells(f"{TOTAL} {BLOCKED} {ACTIVE}", "desconhecido_no_mapa"),
        },
    ),
]


def schedule_row(codes: Codes, index: int, item: dict[str, Any]) -> Row:
    """Return the export row of a schedule: Mondays of March, 08:00-12:00, unless it says so."""
    return SCHEDULE | {
        "cod_escala_ambulatorial": codes.record(index),
        "cod_central_exec": item.get("central", CENTRAL),
        "cpf_profissional_exec": codes.professional(item.get("profissional", 1)),
        "cod_cnes_exec": codes.unit(item.get("unidade", 1)),
        "cod_procedimento_interno": codes.procedure(1),
        "sigla_dia_semana": item.get("dia", "SEG"),
        "qtd_vagas_prim_vez": str(item["vagas"]),
        "qtd_vagas_retorno": "0",
        "qtd_vagas_reserva": "0",
        "agenda_local": "SIM" if item.get("local") else "NAO",
        "data_de_vigencia_inicial": item.get("de", "01/03/2026"),
        "data_de_vigencia_final": item.get("ate", "31/03/2026"),
        "hora_inicial": "08:00",
        "hora_final": "12:00",
        "data_ultima_alteracao": item.get("alterada", "01/02/2026"),
    }


def leave_row(codes: Codes, index: int, item: dict[str, Any]) -> Row:
    """Return the export row of a leave of professional 1, on one day."""
    other = item.get("procedimento")
    return {
        "cod_afastamento": codes.record(index),
        "cpf_profissional_exec": codes.professional(1),
        "cod_procedimento_interno": codes.procedure(other) if other else "",
        "data_inicio": item["de"],
        "hora_inicio": item.get("das", ""),
        "data_fim": item["de"],
        "hora_fim": item.get("as", ""),
    }


def delivery() -> dict[str, list[Row]]:
    """Return what we know of all cases."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for number, case in enumerate(CASES, start=1):
        codes = Codes(number)
        limit = {"competencia": case.month, "cod_procedimento_interno": codes.procedure(1)}
        rows["escala"] += [schedule_row(codes, i, s) for i, s in enumerate(case.schedules)]
        rows["afastamento_profissional"] += [
            leave_row(codes, i, leave) for i, leave in enumerate(case.leaves)
        ]
        rows["teto"] += [
            limit | {"cod_cnes_exec": codes.unit(unit), "qtd_teto": str(quantity)}
            for unit, quantity in case.ceilings.items()
        ]
        if case.ppi is not None:
            place = {"cod_central_solicitante": CENTRAL, "cod_central_exec": CENTRAL}
            rows["ppi"].append(limit | place | {"qtd_ppi": str(case.ppi)})
    return dict(rows)


def write_report(folder: Path) -> tuple[Path, Path]:
    """Write the report of all cases under names of our own, and the map that says so."""
    names = [
        c for c in named("oferta_real").columns if not c.startswith("desc_") and "central" not in c
    ]
    path, by = folder / "relatorio.csv", folder / "mapa.toml"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, names, restval="---", delimiter=";")
        table.writeheader()
        for number, case in enumerate(CASES, start=1):
            codes = Codes(number)
            asked = {
                "competencia": case.month,
                "tipo_agenda": case.agenda,
                "data_extracao": case.made,
            }
            for unit, said in case.said.items():
                row = asked | {"cod_cnes_exec": codes.unit(unit)}
                row |= {"cod_procedimento_interno": codes.procedure(1)}
                known = {f"qtd_{name}": str(n) for name, n in said.items() if n is not None}
                table.writerow(row | known)
    by.write_text("[colunas]\n" + "".join(f'{name} = "{name}"\n' for name in names))
    return path, by


def build_house(directory: Path) -> OfferHouse:
    """Build the house in which all cases live; the models' own tests pass."""
    house = OfferHouse.at(directory)
    house.load([delivery()])
    path, by = write_report(house.directory)
    (summary,) = report.load(house.settings, [path], by, {"cod_central_exec": CENTRAL})
    assert summary.tally.rejected == 0
    chosen = ("+oferta_reconciliacao_por_mes", "oferta_real_por_mes", "dicionario_codigos")
    house.build(models=chosen, tested=True)
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return the house in which all cases live."""
    return build_house(tmp_path_factory.mktemp("reconciliation"))


@pytest.fixture(scope="module")
def rows(house: OfferHouse) -> dict[int, list[dict[str, Any]]]:
    """Return the cells of each case."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in house.query("select * from oferta.oferta_reconciliacao"):
        found[int(row["procedimento_codigo"]) // 1000].append(row)
    return found


@pytest.mark.parametrize(("number", "case"), [*enumerate(CASES, start=1)], ids=str)
def test_each_difference_has_its_explanation(
    number: int, case: Case, rows: dict[int, list[dict[str, Any]]]
) -> None:
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for row in rows[number]:
        if row["explicacao"] != "igual":
            elsewhere = row["central_executora_codigo"] != CENTRAL
            unit = int(row["unidade_executante_cnes"]) % 10 + ELSEWHERE * elsewhere
            found[unit][row["medida"]] = row["explicacao"]
    assert dict(found) == case.expected, case.name


def test_every_cell_of_the_report_is_there_with_its_number(
    rows: dict[int, list[dict[str, Any]]],
) -> None:
    for number, case in enumerate(CASES, start=1):
        there = {
            (int(row["unidade_executante_cnes"]) % 10, row["medida"]): row["qtd_sisreg"]
            for row in rows[number]
            if row["central_executora_codigo"] == CENTRAL
        }
        for unit, said in case.said.items():
            for name, quantity in said.items():
                measure = name.replace("prim_vez", "primeira_vez")
                assert there.get((unit, measure), quantity) == quantity, case.name
                assert quantity is None or (unit, measure) in there, case.name


def test_a_difference_is_ours_less_theirs(rows: dict[int, list[dict[str, Any]]]) -> None:
    for row in (row for some in rows.values() for row in some):
        ours, theirs = row["qtd_mapa"], row["qtd_sisreg"]
        known = ours is not None and theirs is not None
        assert row["qtd_diferenca"] == (ours - theirs if known else None)
        assert (row["explicacao"] == "igual") == (known and ours == theirs)


def test_every_explanation_is_met(house: OfferHouse, rows: dict[int, list[dict[str, Any]]]) -> None:
    met = {row["explicacao"] for some in rows.values() for row in some}
    listed = house.query(
        "select codigo from referencia.dicionario_codigos where coluna = 'reconciliacao_explicacao'"
    )
    assert met == {row["codigo"] for row in listed}


def test_the_summary_counts_each_cell_once(
    house: OfferHouse, rows: dict[int, list[dict[str, Any]]]
) -> None:
    summed = house.query("select * from oferta.oferta_reconciliacao_por_mes")
    assert sum(row["qtd_celulas"] for row in summed) == sum(map(len, rows.values()))
    by_month: dict[Any, float] = defaultdict(float)
    for row in summed:
        by_month[row["competencia"]] += row["pct_celulas"]
    assert all(abs(total - 100) < 1e-9 for total in by_month.values())
