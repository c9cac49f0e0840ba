"""Values that cannot be true, one of each kind, delivered beside good ones and built in one house.

The row stays and the value is unknown: the build is green, what is good counts as by hand, and each
value is named with its file, line, column and reason. Mondays of June 2026 are 1 8 15 22 29.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from conftest import PROJECT, environment
from mapa.dbt import run_dbt
from mapa.layouts import named
from offer_house import REFERENCE, SCHEDULE, Codes, OfferHouse, Row
from queue_house import BOOKED, BOOKINGS, CAME, QUEUE, WAITS, Situation, booking, read_all, request

FAR, OLD, MUCH, NEGATIVE = "data_distante", "data_antiga", "acima_do_limite", "abaixo_de_zero"
MODELS = (
    "+oferta_por_dia", "+oferta_real_por_mes", "+oferta_horas_por_mes", "+qualidade_escalas",
    "+qualidade_valores", "+dim_calendario", "+fila_por_mes", "+espera_por_mes",
    "dicionario_codigos",
)  # fmt: skip
GOOD = {"primeira_vez": 50, "retorno": 10, "reserva": 5}
"""Slots of the good schedule of each situation in June 2026: five Mondays of 10, 2 and 1."""


FULL, BLOCKS = 90, 99
"""A situation with as many slots as may be, in so many blocks: sums and products must hold them."""


def schedule(situation: int, index: int, **columns: str) -> Row:
    """Return a schedule of a situation, on the Mondays of June."""
    codes = Codes(situation)
    return SCHEDULE | {
        "cod_escala_ambulatorial": codes.record(index),
        "cpf_profissional_exec": codes.professional(1),
        "cod_cnes_exec": codes.unit(1),
        "cod_procedimento_interno": codes.procedure(1),
        "sigla_dia_semana": "SEG",
        "qtd_vagas_prim_vez": "10",
        "qtd_minutos_prim_vez": "30",
        "qtd_vagas_retorno": "2",
        "qtd_vagas_reserva": "1",
        "data_de_vigencia_inicial": "01/06/2026",
        "data_de_vigencia_final": "30/06/2026",
        "hora_inicial": "07:00",
        "hora_final": "12:00",
    } | columns  # fmt: skip


@dataclass(frozen=True)
class Bad:
    """One value that cannot be true.

    Attributes:
        name: of the case.
        layout: of the file that it comes in.
        column: that it stands in, with what it says.
        reason: why it does not count.
        counted: slots of June by kind; those of the good schedule unless the row, for the rest of
            it, offers some too.
        others: further columns of the row.

    """

    name: str
    layout: str
    column: tuple[str, str]
    reason: str
    counted: dict[str, int] = field(default_factory=lambda: GOOD)
    others: Row = field(default_factory=dict)


def both(**more: int) -> dict[str, int]:
    """Return the slots of the good schedule and those of another one."""
    return {kind: count + more.get(kind, 0) for kind, count in GOOD.items()}


_END, _START = "data_de_vigencia_final", "data_de_vigencia_inicial"
_TWICE = both(**GOOD)
_BLOCKS = {"primeira_vez": 0, "retorno": 0, "reserva": 0}
CASES = [
    Bad("one slot more than a block may have", "escala", ("qtd_vagas_prim_vez", "1001"), MUCH,
        both(retorno=10, reserva=5)),
    Bad("slots up to the limit of an integer", "escala", ("qtd_vagas_retorno", "2147483647"), MUCH,
        both(primeira_vez=50, reserva=5)),
    Bad("slots beyond an integer", "escala", ("qtd_vagas_reserva", "99999999999"), MUCH,
        both(primeira_vez=50, retorno=10)),
    Bad("slots beyond any integer", "escala", ("qtd_vagas_reserva", "9" * 40), MUCH,
        both(primeira_vez=50, retorno=10)),
    Bad("fewer slots than none", "escala", ("qtd_vagas_prim_vez", "-8"), NEGATIVE,
        both(retorno=10, reserva=5)),
    Bad("minutes beyond a day", "escala", ("qtd_minutos_prim_vez", "90000"), MUCH, _TWICE),
    Bad("a start in the year 1", "escala", (_START, "01/06/0001"), OLD),
    Bad("a start in the year 202", "escala", (_START, "01/06/0202"), OLD),
    Bad("a start in 1989", "escala", (_START, "31/12/1989"), OLD),
    Bad("a start in the year 2626", "escala", (_START, "01/06/2626"), FAR),
    Bad("an end in the year 1", "escala", (_END, "30/06/0001"), OLD),
    Bad("no end, spelt 9999", "escala", (_END, "31/12/9999"), FAR, _TWICE),
    Bad("no end, spelt 2099", "escala", (_END, "31/12/2099"), FAR, _TWICE),
    Bad("a change in the year 9999", "escala", ("data_ultima_alteracao", "01/02/9999"), FAR,
        _TWICE),
    Bad("an insertion in 1900", "escala", ("data_da_insercao", "01/01/1900"), OLD, _TWICE),
    Bad("an activation in 2300", "escala", ("data_da_ultima_ativacao", "01/01/2300"), FAR, _TWICE),
    Bad("a leave since the year 20", "afastamento_profissional", ("data_inicio", "01/06/0020"), OLD,
        others={"data_fim": "30/06/2026"}),
    Bad("a leave without end", "afastamento_profissional", ("data_fim", "31/12/9999"), FAR, _BLOCKS,
        {"data_inicio": "01/06/2026"}),
    Bad("a leave that ended in the year 2", "afastamento_unidade", ("data_fim", "30/06/0002"), OLD,
        others={"data_inicio": "01/06/2026"}),
    Bad("a holiday in the year 2602", "feriado", ("data", "08/06/2602"), FAR,
        others={"descricao": "PADROEIRO", "abrangencia": "local"}),
    Bad("a ceiling of two thousand million", "teto", ("qtd_teto", "2147483647"), MUCH,
        others={"competencia": "202606"}),
    Bad("a ceiling below zero", "teto", ("qtd_teto", "-1"), NEGATIVE,
        others={"competencia": "202606"}),
    Bad("a ceiling of the year 2626", "teto", ("competencia", "262606"), FAR,
        others={"qtd_teto": "1"}),
    Bad("an agreement of nobody's size", "ppi", ("qtd_ppi", "1000001"), MUCH,
        others={"competencia": "202606"}),
    Bad("a quota of the year 1066", "cota", ("competencia", "106606"), OLD,
        others={"tipo_ppi": "LOCAL", "qtd_cota": "3"}),
    Bad("hours above a week", "carga_horaria", ("horas_ambulatoriais_semana", "169"), MUCH,
        others={"competencia": "202606"}),
    Bad("a birth in the year 202", "cadsus_pessoa", ("data_nascimento", "0202-05-17"), OLD),
    Bad("a death in the year 2202", "cadsus_pessoa", ("data_obito", "2202-05-17"), FAR),
    Bad("an age of 999 years", "agendamento", ("idade", "999"), MUCH),
    Bad("a price of a thousand million", "agendamento", ("valor_procedimento", "1000000000"), MUCH),
    Bad("an appointment in the year 3026", "agendamento", ("data_agendamento", "20.04.3026"), FAR),
    Bad("a place in the queue beyond all people", "fila_2018_03", ("posicao", "10000001"), MUCH),
    Bad("a wait of two hundred years", "fila_2018_03", ("estimativausuario", "73000"), MUCH),
    Bad("a budget of the year 1989", "proadi_orcamento", ("exercicio", "1989"), OLD,
        others={"conta": "1"}),
    Bad("a budget of a year beyond an integer", "proadi_orcamento", ("exercicio", "9" * 11), FAR,
        others={"conta": "1"}),
    Bad("an amendment beyond all money", "proadi_orcamento", ("aditado", "-1000000000001"), MUCH,
        others={"conta": "1", "exercicio": "2025"}),
    Bad("an exemption of the year 20255", "proadi_isencao", ("exercicio", "20255"), FAR),
    Bad("an exemption beyond all money", "proadi_isencao", ("valor_usufruido", "1000000000001"),
        MUCH, others={"exercicio": "2025"}),
    Bad("a goal of the year 202", "proadi_metas", ("semestre", "0202-1"), OLD,
        others={"indicador": "1"}),
    Bad("a goal of the year 2202", "proadi_metas", ("semestre", "2202-1"), FAR,
        others={"indicador": "1"}),
    Bad("a version below zero", "proadi_termos", ("versao", "-1"), NEGATIVE),
    Bad("a version beyond all changes", "proadi_projetos", ("versao", "1001"), MUCH),
    Bad("an area beyond the list", "proadi_projetos", ("area", "5"), MUCH, others={"versao": "1"}),
    Bad("more goods than people", "proadi_bens", ("quantidade", "10000001"), MUCH,
        others={"item": "1"}),
]  # fmt: skip

# What the rows of the register refer to, with years and money at the edge of what may be.
REGISTER: dict[str, list[Row]] = {
    "proadi_entidades": [{"cnpj": "1" * 14, "nome": "ENTIDADE"}],
    "proadi_termos": [
        {"termo_numero": "1", "versao": "1000", "cnpj": "1" * 14, "trienio_inicio": "01/01/2024",
         "trienio_fim": "31/12/2026"}
    ],
    "proadi_projetos": [
        {"nup": "1", "versao": "0", "termo_numero": "1", "natureza": "apoio", "area": "4"}
    ],
    "proadi_orcamento": [
        {"nup": "1", "exercicio": str(year), "conta": "1", "previsto": "1000000000000",
         "aditado": "-1000000000000"}
        for year in (1990, date.today().year + 10)
    ],
}  # fmt: skip

# Of documents of the API: index, fields, and what is named.
DOCUMENTS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "a good request": (request(WAITS, "03-15"), []),
    "asked for in the year 202": (
        request(WAITS, "03-15", asked="0202-03-10"), [("data_solicitacao", OLD)]),
    "asked for in the year 2202": (
        request(WAITS, "03-15", asked="2202-03-10"), [("data_solicitacao", FAR)]),
    "asked for after the reference day": (request(WAITS, "03-15", asked="2026-12-10"), []),
    "changed in the year 202": (
        request(WAITS, "0202-03-15"), [("data_atualizacao", OLD)]),
    "wanted for the year 9999": (
        request(WAITS, "03-15", data_desejada="9999-12-31"), [("data_desejada", FAR)]),
    "born in the year 3": (
        request(WAITS, "03-15", dt_nascimento_usuario="0003-01-01"),
        [("dt_nascimento_usuario", OLD)]),
    "cancelled in the year 1": (
        request(WAITS, "03-15", data_cancelamento="0001-01-02T00:00:00.000Z"),
        [("data_cancelamento", OLD)]),
    "returned in the year 2202": (request(WAITS, "03-15", "2202-03-12 DEVOLVIDA"), []),
    "an appointment in the year 2202": (
        booking(1, BOOKED, "03-15", "03-14", "2202-03-20"), [("data_marcacao", FAR)]),
    "confirmed in the year 1": (
        booking(1, CAME, "03-25", "03-14", "03-20", data_confirmacao="0001-03-20T09:00:00.000Z"),
        [("data_confirmacao", OLD)]),
    "booked after the reference day": (booking(1, BOOKED, "03-15", "2026-12-14", "03-20"), []),
    "asked for and booked after the reference day": (
        booking(1, BOOKED, "03-15", "03-14", "03-20", asked="2026-12-10"), []),
}  # fmt: skip
NUMBER = {name: n for n, name in enumerate(DOCUMENTS)}


def row_of(case: Bad, situation: int) -> Row:
    """Return the row with the value, on the codes of its situation."""
    codes, value = Codes(situation), dict([case.column])
    if case.layout == "escala":
        return schedule(situation, 2, **value)
    common = {
        "cod_afastamento": codes.record(1),
        "cpf_profissional_exec": codes.professional(1),
        "cpf_profissional": codes.professional(1),
        "cod_cnes_exec": codes.unit(1),
        "cod_cnes": codes.unit(1),
        "cod_cnes_solicitante": codes.unit(1),
        "cod_procedimento_interno": codes.procedure(1),
        "cod_central_exec": "530010",
        "cod_central_solicitante": "530010",
        "cod_cbo": "225265",
        "cod_vinculo": "010101",
        "id_pessoa": f"pessoa-{situation}",
        "solicitacao": codes.record(1),
        "data_agendamento": "20.04.2026",
        "codigosolicitacao": codes.record(1),
        "datahoraexportacao": "01/06/2026 08:00:00",
        "cnpj": "1" * 14,
        "termo_numero": "1",
        "trienio_inicio": "01/01/2024",
        "trienio_fim": "31/12/2026",
        "nup": "1",
        "natureza": "apoio",
    }
    layout = named(case.layout)
    return {c: v for c, v in (common | case.others | value).items() if c in layout.columns}


@dataclass(frozen=True)
class Built:
    """The house, and where each value stands."""

    house: OfferHouse
    line: dict[str, int]

    def slots(self, situation: int) -> dict[str, int]:
        """Return the active slots of June of a situation by kind."""
        rows = self.house.query(
            "select vaga_tipo, coalesce(sum(qtd_vagas_ativas), 0) as qtd "
            "from oferta.oferta_por_dia "
            f"where unidade_executante_cnes = '{Codes(situation).unit(1)}' "
            "and competencia = '2026-06-01' group by vaga_tipo"
        )
        return {row["vaga_tipo"]: int(row["qtd"]) for row in rows}


def delivered() -> tuple[dict[str, list[Row]], dict[str, int]]:
    """Return the rows of each layout, and the line in which each value stands."""
    delivery = {"escala": list[Row]()} | {name: [*rows] for name, rows in REGISTER.items()}
    line = {}
    for situation, case in enumerate(CASES, start=1):
        delivery["escala"].append(schedule(situation, 1))
        rows = delivery.setdefault(case.layout, [])
        rows.append(row_of(case, situation))
        line[case.name] = len(rows)
    most = dict.fromkeys(("qtd_vagas_prim_vez", "qtd_vagas_retorno", "qtd_vagas_reserva"), "1000")
    delivery["escala"] += [schedule(FULL, n, **most) for n in range(1, BLOCKS + 1)]
    delivery["teto"].append(
        {"competencia": "202606", "cod_cnes_exec": Codes(FULL).unit(1),
         "cod_procedimento_interno": Codes(FULL).procedure(1), "qtd_teto": "1000000"}
    )  # fmt: skip
    return delivery, line


def build_house(directory: Path) -> OfferHouse:
    """Build the house with all values in it, with the tests that concern it."""
    house = OfferHouse.at(directory)
    house.load([delivered()[0]], days=[date(2026, 7, 1)])
    read_all(
        house, [Situation([[document], None, None, None], {}) for document, _ in DOCUMENTS.values()]
    )
    with environment(house.env):
        run_dbt(
            house.settings, "build",
            *("--select", *MODELS), *("--exclude-resource-types", "unit_test"),
            *("--indirect-selection", "cautious"),
            *("--vars", json.dumps({"data_referencia": REFERENCE.isoformat()})),
            title="dbt build",
        )  # fmt: skip
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return the house with all values in it."""
    return build_house(tmp_path_factory.mktemp("values"))


@pytest.fixture(scope="module")
def built(house: OfferHouse) -> Built:
    """Return the house and where each value stands."""
    return Built(house, delivered()[1])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_good_counts_and_the_value_is_named(built: Built, case: Bad) -> None:
    situation = CASES.index(case) + 1
    assert built.slots(situation) == case.counted
    told = built.house.query(
        "select coluna, motivo from intermediario.int_qualidade__valores "
        f"where tabela = '{named(case.layout).table}' and _linha = {built.line[case.name]}"
    )
    assert [(row["coluna"], row["motivo"]) for row in told] == [(case.column[0], case.reason)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_kept_and_its_value_is_named(built: Built, name: str) -> None:
    code = str(900_000_000 + NUMBER[name])
    named = built.house.query(
        "select v.coluna, v.motivo from intermediario.int_qualidade__valores as v inner join ("
        "select _carga_id, _arquivo, _linha, codigo_solicitacao "
        "from bruto_sisreg.solicitacao_ambulatorial union all select _carga_id, _arquivo, _linha, "
        "codigo_solicitacao from bruto_sisreg.marcacao_ambulatorial) as d "
        "on v._carga_id = d._carga_id and v._arquivo = d._arquivo and v._linha = d._linha "
        f"where d.codigo_solicitacao = '{code}'"
    )
    assert [(row["coluna"], row["motivo"]) for row in named] == DOCUMENTS[name][1]
    (there,) = built.house.query(
        f"select count(*) as qtd from intermediario.int_fila__solicitacoes "
        f"where solicitacao_codigo = '{code}'"
    )
    waits = name in ("asked for after the reference day",
                     "asked for and booked after the reference day")  # fmt: skip
    assert there["qtd"] == (0 if waits else 1)


def test_the_most_that_may_enter_is_added_up_and_shared_exactly(built: Built) -> None:
    (row,) = built.house.query(
        "select qtd_vagas_ativas, qtd_oferta_real, qtd_oferta_real_primeira_vez as primeira "
        "from oferta.oferta_real_por_mes where competencia = '2026-06-01' "
        f"and unidade_executante_cnes = '{Codes(FULL).unit(1)}'"
    )
    slots = BLOCKS * 5 * 1000
    assert row == {"qtd_vagas_ativas": 3 * slots, "qtd_oferta_real": 1_000_000, "primeira": 333_334}


def test_the_queue_counts_whom_it_can_date(built: Built) -> None:
    (row,) = built.house.query(
        "select sum(qtd_entradas) as entradas "
        "from fila.fila_por_mes where competencia = '2026-03-01'"
    )
    undated = {"asked for in the year 202", "asked for in the year 2202"}
    later = {"asked for after the reference day", "asked for and booked after the reference day"}
    assert row["entradas"] == len(DOCUMENTS) - len(undated) - len(later)


def test_the_mart_counts_every_value_once(built: Built) -> None:
    counted = {
        (row["coluna"], row["motivo"]): row["qtd_linhas"]
        for row in built.house.query(
            "select coluna, motivo, sum(qtd_linhas) as qtd_linhas from qualidade.qualidade_valores "
            "group by coluna, motivo"
        )
    }
    expected = Counter([(case.column[0], case.reason) for case in CASES])
    expected.update(pair for _, pairs in DOCUMENTS.values() for pair in pairs)
    assert counted == expected


def test_no_calendar_spans_more_than_the_plausible_years(built: Built) -> None:
    (row,) = built.house.query(
        "select min(data) as primeira, max(data) as ultima from dimensoes.dim_calendario"
    )
    assert (row["primeira"], row["ultima"]) == (date(2026, 1, 1), date(2027, 6, 30))


def test_nothing_is_rejected_for_a_value(built: Built) -> None:
    rows = built.house.query("select coluna, motivo from controle.rejeitos")
    assert rows == []
    assert {QUEUE, BOOKINGS} <= {
        row["entidade"] for row in built.house.query("select entidade from controle.cargas")
    }


# --- nothing is left out --------------------------------------------------------------------------


def test_every_date_and_quantity_of_staging_is_judged_and_named() -> None:
    models = PROJECT / "models"
    gathered = (models / "intermediate/qualidade/int_qualidade__valores.sql").read_text()
    raw = re.compile(r"\b(try_date|try_integer|local_timestamp|local_timestamp_dmy|try_cast)\(")
    checked = 0
    for path in sorted((models / "staging").rglob("stg_*.sql")):
        sql = path.read_text()
        assert not raw.search(sql), path.name
        read = re.findall(r"plausible\(\s*[\"'](?:left\()?(\w+)(?=.*?, '(\w+)')", sql)
        told = set(re.findall(r"\([\"'](\w+)[^,\n]*[\"'], '(\w+)', '\w+'\)", sql))
        assert {pair for pair in read if pair[0] != "qtd_"} <= told, path.name
        assert not read or f"ref('{path.stem}')" in gathered, path.name
        checked += len(told)
    assert checked > 80


def test_nothing_but_staging_reads_a_text_as_a_date() -> None:
    later = [
        path.name
        for layer in ("intermediate", "marts", "publicacao")
        for path in (PROJECT / "models" / layer).rglob("*.sql")
        if re.search(r"\b(try_date|local_timestamp|local_timestamp_dmy)\(", path.read_text())
    ]
    assert later == []
