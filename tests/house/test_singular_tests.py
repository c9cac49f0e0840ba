"""Every check on the numbers can fail: a fault is put into a built house, and its test turns red.

A check that no fault turns red is worth less than none, because people trust it. Each test of
`tests/singular`, and each `soma_confere`, has at least one fault here: mostly what a wrong join, a
column taken for another or a lost row would leave in the table that the test judges. The tests that
every table has get the same fault in every table.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from duckdb.sqltypes import VARCHAR

from conftest import House
from mapa.dbt_plugin import FUNCTION, hmac_sha256

FUNNEL = "update oferta.oferta_funil_por_mes set"
REAL = "update oferta.oferta_real_por_mes set"
QUEUE = "update fila.fila_por_mes set"
INTERVALS = "update intermediario.int_fila__intervalos set"
CHANCES = "update espera.espera_probabilidade_por_mes set"
ABSENCE = "update absenteismo.absenteismo_por_mes set"
LAST_MONTH = "competencia = (select max(competencia) from fila.fila_por_mes)"


def one_row(table: str, where: str = "true") -> str:
    """Return the condition that picks the first of some rows."""
    return f"where rowid = (select min(rowid) from {table} where {where})"


def without_one(table: str, where: str = "true") -> str:
    """Return the statement that loses one row."""
    return f"delete from {table} {one_row(table, where)}"


def doubled(table: str, where: str = "true") -> str:
    """Return the statement that has one row twice, as a join that fans out would."""
    return f"insert into {table} select * from {table} {one_row(table, where)}"


FAULTS: dict[str, tuple[str, ...]] = {
    "pessoas__so_pseudonimos_saem": (
        "update intermediario.int_pessoas__vinculos set pessoa_id = '00000000191' "
        + one_row("intermediario.int_pessoas__vinculos", "pessoa_id is not null"),
        "update intermediario.int_pessoas__vinculos set vinculo_regra = 'nenhuma'",
    ),
    "pessoas__linhas_que_saem_sao_as_que_entram": (
        doubled("intermediario.int_pessoas__vinculos"),
        without_one("intermediario.int_pessoas__residencias"),
    ),
    "pub_oferta_real_por_mes__celulas_iguais_as_do_mart": (
        "update publicacao.pub_oferta_real_por_mes "
        "set qtd_vagas_ativas_retorno = qtd_vagas_total_primeira_vez",
        without_one("publicacao.pub_oferta_real_por_mes"),
        doubled("publicacao.pub_oferta_real_por_mes"),
    ),
    "pub_oferta_por_dia__so_divulga_com_profissionais": (
        "update publicacao.pub_oferta_por_dia set qtd_vagas_ativas = 0 "
        + one_row("publicacao.pub_oferta_por_dia"),
        "update publicacao.pub_oferta_real_por_mes "
        "set causa_principal = 'afastamento_profissional' "
        + one_row("publicacao.pub_oferta_real_por_mes"),
    ),
    "pub_oferta_por_dia__soma_igual_a_do_mart": (
        "update publicacao.pub_oferta_por_dia set qtd_vagas_bloqueadas_feriado = "
        "qtd_vagas_bloqueadas",
        without_one("publicacao.pub_oferta_por_dia"),
    ),
    "pub_acordo_acoes__iguais_as_do_mart": (
        without_one("publicacao.pub_acordo_acoes"),
        "update publicacao.pub_acordo_acoes set prazo_situacao = 'no_prazo' "
        + one_row("publicacao.pub_acordo_acoes"),
    ),
    "pub_codigos__iguais_aos_do_dicionario": (
        without_one("publicacao.pub_codigos"),
        "update publicacao.pub_codigos set rotulo = codigo "
        + one_row("publicacao.pub_codigos", "rotulo <> codigo"),
    ),
    "pub_oferta_causas_por_mes__fecha_com_a_oferta": (
        "update publicacao.pub_oferta_causas_por_mes set qtd_vagas = qtd_vagas + 1 "
        + one_row("publicacao.pub_oferta_causas_por_mes", "vaga_destino = 'nao_divulgada'"),
        "update publicacao.pub_oferta_causas_por_mes set vaga_destino = 'oferta_real' "
        + one_row("publicacao.pub_oferta_causas_por_mes", "vaga_destino = 'afastamento'"),
        "update publicacao.pub_oferta_causas_por_mes set vaga_tipo = 'reserva' "
        + one_row("publicacao.pub_oferta_causas_por_mes", "vaga_tipo = 'retorno'"),
        "update publicacao.pub_oferta_causas_por_mes set vaga_destino = 'afastamento' "
        + one_row("publicacao.pub_oferta_causas_por_mes", "vaga_destino = 'nao_divulgada'"),
    ),
    "pub_oferta_retiradas_por_mes__causas_somam_as_retiradas": (
        "update publicacao.pub_oferta_retiradas_por_mes "
        "set qtd_programadas_retiradas = qtd_programadas_conhecidas",
    ),
    "controle__linhas_brutas_iguais_as_carregadas": tuple(
        without_one(f"bruto_{table}")
        for table in (
            "sisreg.solicitacao_ambulatorial",
            "sisreg.marcacao_ambulatorial",
            "sisreg.escala_ambulatorial",
            "cadsus.pessoa",
            "cadsus.cns",
        )
    ),
    "fila_ordem_por_mes__situacoes_somam_os_agendamentos": (
        "update fila.fila_ordem_por_mes set qtd_em_ordem = qtd_em_ordem + 1 "
        + one_row("fila.fila_ordem_por_mes"),
        "update fila.fila_ordem_por_mes set qtd_territorio = qtd_sem_explicacao + 1",
    ),
    "fila_ordem_por_mes__agendamentos_iguais_aos_da_fila": (
        without_one("fila.fila_ordem_por_mes"),
        f"{QUEUE} qtd_agendamentos = qtd_agendamentos + 1 "
        + one_row("fila.fila_por_mes", "qtd_agendamentos > 0"),
    ),
    "oferta_funil_por_mes__igual_as_fontes": (
        f"{FUNNEL} qtd_vagas_perdidas_ppi = qtd_vagas_perdidas_teto",
        f"{FUNNEL} qtd_vagas_bloqueadas = 0",
        doubled("oferta.oferta_funil_por_mes", "qtd_atendidas > 0"),
    ),
    "oferta_funil_por_mes__cada_agendamento_uma_vez": (
        f"{FUNNEL} qtd_faltas = 0",
        f"{FUNNEL} qtd_marcadas = qtd_marcadas - qtd_futuras",
        without_one("oferta.oferta_funil_por_mes", "qtd_liberadas > 0"),
    ),
    "oferta_funil_por_mes__vazias_fecham_com_vagas_e_agendamentos": (
        f"{FUNNEL} qtd_excedentes = 0",
        f"{FUNNEL} qtd_vazias = qtd_vagas_ativas - qtd_marcadas where qtd_vazias > 0",
        f"{FUNNEL} qtd_liberadas_vazias = qtd_vazias",
        f"{FUNNEL} vaga_tipo = 'retorno' where vaga_tipo = 'reserva'",
    ),
    "oferta_esperada_por_mes__reparte_as_horas_do_contrato": (
        without_one("oferta.oferta_esperada_por_mes", "pct_minutos > 0"),
        "update oferta.oferta_esperada_por_mes set horas_do_procedimento = horas_contratadas",
    ),
    "int_oferta__bloqueios__causas_cabem_no_bloco": (
        "update intermediario.int_oferta__bloqueios set minutos_bloco = 1",
        "update intermediario.int_oferta__bloqueios "
        "set minutos_ate_afastamento_profissional = minutos_ate_feriado",
    ),
    "oferta_real_por_mes__respeita_os_limites": (
        f"{REAL} qtd_oferta_real = qtd_vagas_ativas",
        f"{REAL} qtd_oferta_real = 0",
    ),
    "oferta_diario__igual_as_fontes": (
        without_one("oferta.oferta_diario"),
        doubled("oferta.oferta_diario"),
    ),
    "oferta_por_territorio_por_mes__igual_as_fontes": (
        without_one("oferta.oferta_por_territorio_por_mes", "qtd_oferta_real > 0"),
        without_one("oferta.oferta_por_territorio_por_mes", "qtd_aguardando_inicio > 0"),
    ),
    "oferta_reconciliacao__toda_celula_do_relatorio": (
        without_one("oferta.oferta_reconciliacao", "qtd_sisreg is not null"),
    ),
    "oferta_reconciliacao_por_mes__toda_celula_explicada": (
        without_one("oferta.oferta_reconciliacao_por_mes"),
        "update oferta.oferta_reconciliacao_por_mes set pct_celulas = pct_celulas / 100",
    ),
    "oferta_diario__saldo_igual_ao_da_oferta": (
        "update intermediario.int_oferta__diario_vagas "
        "set qtd_vagas_ganhas = qtd_vagas_perdidas, qtd_vagas_perdidas = qtd_vagas_ganhas",
        "delete from intermediario.int_oferta__diario_vagas",
    ),
    "oferta_horas_por_mes__igual_as_vagas_dos_dias": (
        "update oferta.oferta_horas_por_mes set minutos_programados = minutos_programados + 60",
        "update oferta.oferta_horas_por_mes set qtd_vagas_em_feriado = 0",
        without_one("oferta.oferta_horas_por_mes", "qtd_vagas_total > 0"),
    ),
    "oferta_retiradas_por_mes__causas_somam_as_retiradas": (
        "update oferta.oferta_retiradas_por_mes set qtd_vagas_retiradas_feriado = 0",
        "update oferta.oferta_retiradas_por_mes set qtd_vagas_conhecidas = 0",
    ),
    "oferta_por_dia__igual_a_conta_aritmetica": (
        without_one("intermediario.int_oferta__vagas_por_dia"),
        doubled("intermediario.int_oferta__vagas_por_dia"),
    ),
    "oferta_por_dia__bloqueio_tem_causa_na_fonte": (
        "update intermediario.int_oferta__vagas_por_dia "
        "set qtd_bloqueadas_ate_feriado = qtd_vagas_bloqueadas",
        "update intermediario.int_oferta__vagas_por_dia "
        "set qtd_bloqueadas_ate_afastamento_unidade = qtd_vagas_bloqueadas",
        "update intermediario.int_oferta__vagas_por_dia "
        "set qtd_bloqueadas_ate_afastamento_unidade = qtd_bloqueadas_ate_feriado",
        "update intermediario.int_oferta__vagas_por_dia "
        "set qtd_vagas_bloqueadas = qtd_vagas_total + 1",
    ),
    "int_oferta__escalas__trechos_nao_se_sobrepoem": (
        doubled("intermediario.int_oferta__escalas", "escala_destino = 'expandida'"),
    ),
    "oferta_reconciliacao__mapa_igual_a_oferta_real_por_mes": (
        "update oferta.oferta_reconciliacao set qtd_mapa = qtd_mapa + 1 where medida = 'teto'",
    ),
    "oferta_real_por_mes__igual_a_soma_dos_dias": (
        f"{REAL} qtd_vagas_ativas_retorno = qtd_vagas_total_retorno, "
        "qtd_vagas_ativas = qtd_vagas_total",
        f"{REAL} qtd_vagas_bloqueadas = 0",
        without_one("oferta.oferta_real_por_mes"),
        doubled("oferta.oferta_real_por_mes"),
    ),
    "oferta_real_por_mes__real_e_a_soma_dos_tipos": (
        f"{REAL} qtd_oferta_real_primeira_vez = qtd_vagas_ativas_primeira_vez",
    ),
    "oferta_real_por_mes__causas_somam_tudo_que_nao_e_oferta_real": (
        f"{REAL} qtd_vagas_bloqueadas_afastamento_unidade = qtd_vagas_bloqueadas + 1",
    ),
    "oferta_real_por_tipo_por_mes__tipos_somam_o_mes": (
        "update oferta.oferta_real_por_tipo_por_mes set "
        "qtd_vagas_perdidas_ppi = qtd_vagas_perdidas_ppi + qtd_vagas_perdidas_teto, "
        "qtd_vagas_perdidas_teto = 0",
        without_one("oferta.oferta_real_por_tipo_por_mes", "qtd_oferta_real > 0"),
    ),
    "oferta_alertas__iguais_as_fontes": (
        "update oferta.oferta_alertas set qtd_vagas = qtd_vagas + 1 "
        "where regra_codigo = 'fila_sem_oferta'",
        "update oferta.oferta_alertas set qtd_vagas = qtd_vagas + 1 "
        "where regra_codigo = 'oferta_sem_contrato'",
    ),
    "qualidade_escalas__soma_as_linhas_brutas": (without_one("qualidade.qualidade_escalas"),),
    "territorio_areas__populacao_cabe_na_regiao": (
        "update referencia.territorio_areas set populacao = populacao + 1 where area_numero = 9",
    ),
    "territorio_mosaico__uma_area_por_lugar": (
        "update referencia.territorio_mosaico set linha = 1, coluna = 1 where area_numero = 9",
    ),
    "regras_feriados__dia_fixo_ou_movel": (
        "update referencia.regras_feriados set dias_da_pascoa = 1 where regra_codigo = 'natal'",
        "update referencia.regras_feriados set dia = null where regra_codigo = 'natal'",
    ),
    "dim_calendario__sem_lacunas": (
        without_one("dimensoes.dim_calendario", "mes = 6"),
        doubled("dimensoes.dim_calendario"),
    ),
    "proadi_termos_saldo__executado_igual_ao_orcamento": (
        "update proadi.proadi_termos_saldo set valor_executado = valor_executado + 0.01",
        "update proadi.proadi_termos_saldo set valor_executado = null where exercicio = 2022",
    ),
    "proadi_prazos_por_responsavel__soma_os_prazos": (
        without_one("proadi.proadi_prazos_por_responsavel"),
        "update proadi.proadi_prazos_por_responsavel set qtd_prazos_no_tempo = 0",
    ),
    "proadi_prazos_por_objeto__nada_sem_norma_e_nada_calculado_sem_vigor": (
        "update proadi.proadi_prazos_por_objeto set norma = null "
        + one_row("proadi.proadi_prazos_por_objeto"),
        "update proadi.proadi_prazos_por_objeto set dias_atraso = 1 "
        + one_row("proadi.proadi_prazos_por_objeto", "not base_legal_em_vigor"),
        "update proadi.proadi_prazos_por_objeto set prazo_situacao_codigo = 'fora_de_vigor' "
        + one_row("proadi.proadi_prazos_por_objeto", "base_legal_em_vigor"),
        "update proadi.proadi_termos_saldo set valor_medido = 1 "
        + one_row("proadi.proadi_termos_saldo", "not base_legal_em_vigor"),
        "update proadi.proadi_termos_saldo set regra_situacao_codigo = 'fora_de_vigor' "
        + one_row("proadi.proadi_termos_saldo", "base_legal_em_vigor"),
    ),
    "acordo_acoes__toda_acao_do_plano": (
        without_one("acordo.acordo_acoes"),
        "update acordo.acordo_acoes set prazo_situacao = 'em_atraso' "
        + one_row("acordo.acordo_acoes", "evidencia_tipo = 'documento'"),
        "update acordo.acordo_acoes set prazo_situacao = 'cumprida' "
        + one_row("acordo.acordo_acoes", "data_evidencia is null"),
        "update acordo.acordo_acoes set prazo_situacao = 'sem_evidencia' "
        + one_row("acordo.acordo_acoes", "evidencia_tipo = 'dicionario'"),
    ),
    "acordo_plano_trabalho__prazo_e_fonte": (
        "update referencia.acordo_plano_trabalho set data_prazo = data_prazo - 1 "
        + one_row("referencia.acordo_plano_trabalho"),
        "update referencia.acordo_plano_trabalho set data_informada = data_prazo "
        + one_row("referencia.acordo_plano_trabalho"),
    ),
    "dim_territorio__completo": (without_one("dimensoes.dim_territorio"),),
    "territorio__seeds_concordam_com_as_variaveis": (
        "update referencia.territorio_municipios set uf_sigla = 'GO' where uf_sigla = 'DF'",
        "update referencia.territorio_municipios set uf_sigla = 'DF' where uf_sigla = 'MG'",
        without_one("referencia.territorio_regioes", "populacao is null"),
    ),
    "fila__ultimo_estado_concorda_com_a_situacao": (
        f"{INTERVALS} estado = 'encerrada' where momento_fim is null and estado = 'aguardando'",
    ),
    "fila_por_mes__reclassificadas_se_compensam": (f"{QUEUE} qtd_reclassificadas_entrada = 0",),
    "qualidade_territorio__evidencia_decide_a_regiao": (
        "update qualidade.qualidade_territorio set qtd_com_area = qtd "
        "where territorio_evidencia = 'ambiguo'",
        without_one("qualidade.qualidade_territorio", "assunto = 'residencia'"),
    ),
    "oferta_funil_por_mes__membros_e_grupo": (
        f"{FUNNEL} qtd_marcadas = qtd_marcadas + qtd_na_agenda_do_grupo",
        without_one("oferta.oferta_funil_por_mes", "qtd_marcadas > 0"),
    ),
    "oferta_real_por_tipo_por_mes__igual_a_que_recebe_as_marcacoes": (
        "update intermediario.int_oferta__reais_por_tipo set qtd_oferta_real = 0",
        without_one("intermediario.int_oferta__reais_por_tipo"),
    ),
    "fila__intervalos_encadeados": (
        f"{INTERVALS} momento_fim = momento_inicio - interval 1 day "
        + one_row("intermediario.int_fila__intervalos", "momento_fim is not null"),
        f"{INTERVALS} estado_anterior = estado",
    ),
    "fila__ninguem_espera_antes_de_pedir": (
        f"{INTERVALS} momento_inicio = momento_inicio - interval 400 day",
        f"{INTERVALS} data_inicio = data_inicio + 400",
    ),
    "fila__nenhum_pedido_se_perde": (
        "delete from intermediario.int_fila__agendamentos where rowid % 2 = 0",
        doubled("intermediario.int_fila__solicitacoes"),
    ),
    "fila_por_mes__pessoas_iguais_as_contadas_uma_a_uma": (
        f"{QUEUE} qtd_pessoas_aguardando = qtd_aguardando",
        f"{QUEUE} qtd_aguardando_obito = 0",
    ),
    "fila_por_mes__estoque_igual_aos_pedidos_abertos": (
        f"{QUEUE} qtd_agendadas = qtd_agendadas + 1 where {LAST_MONTH}",
        without_one("fila.fila_por_mes", f"qtd_aguardando > 0 and {LAST_MONTH}"),
    ),
    **{
        f"{table}__desfechos_somam_os_devidos": (
            f"update publicacao.{table} set qtd_faltas = qtd_faltas + 1",
        )
        for table in ("pub_oferta_uso_por_mes", "pub_absenteismo_procedimentos_por_mes")
    },
    "absenteismo_por_residencia_por_mes__moradores_iguais_aos_devidos": (
        without_one("absenteismo.absenteismo_por_residencia_por_mes"),
        without_one("absenteismo.absenteismo_por_mes"),
    ),
    "fila_por_mes__estoque_conservado": (
        f"{QUEUE} qtd_cancelamentos = 0",
        f"{QUEUE} qtd_reenvios = qtd_reenvios + 1",
    ),
    "fila_por_mes__entradas_iguais_aos_pedidos": (
        without_one("fila.fila_por_mes", "qtd_entradas > 0"),
    ),
    "absenteismo_por_mes__devidos_iguais_aos_pedidos": (
        without_one("absenteismo.absenteismo_por_mes"),
    ),
    "absenteismo_por_mes__taxas_iguais_as_de_cada_agendamento": (
        f"{ABSENCE} pct_falta_maximo = pct_falta_minimo",
        f"{ABSENCE} pct_falta_minimo = pct_falta_desfecho_conhecido",
        f"{ABSENCE} qtd_confirmados = 0",
        f"{ABSENCE} unidade_executante_cnes = 'nao_informado'",
    ),
    "espera_por_mes__fila_igual_a_de_fila_por_mes": (
        without_one("espera.espera_por_mes", "qtd_aguardando > 0"),
    ),
    "espera_limites_por_mes__filas_iguais_as_da_espera": (
        without_one("espera.espera_limites_por_mes", "qtd_aguardando > 0"),
        "update espera.espera_limites_por_mes set qtd_atendidas = qtd_atendidas + 1000 "
        + one_row("espera.espera_limites_por_mes"),
    ),
    "fila_por_faixa_por_mes__faixas_somam_a_fila": (
        without_one("fila.fila_por_faixa_por_mes"),
        doubled("fila.fila_por_faixa_por_mes"),
    ),
    "espera_probabilidade_por_mes__entradas_iguais_aos_pedidos": (
        without_one("espera.espera_probabilidade_por_mes", "coorte_meses = 1"),
    ),
    "espera_probabilidade_por_mes__partes_somam_cem": (
        f"{CHANCES} pct_pedidos_atendidos = pct_pedidos_atendidos + 0.00001 "
        + one_row("espera.espera_probabilidade_por_mes", "pct_pedidos_atendidos is not null"),
        f"{CHANCES} pct_pedidos_em_aberto = null "
        + one_row("espera.espera_probabilidade_por_mes", "pct_pedidos_atendidos is not null"),
    ),
    "espera_probabilidade_por_mes__fins_somam_os_pedidos": (
        f"{CHANCES} qtd_pedidos_em_aberto = qtd_pedidos_em_aberto + 1 "
        + one_row("espera.espera_probabilidade_por_mes"),
    ),
    "espera_por_mes__atendidas_iguais_aos_pedidos": (
        without_one("espera.espera_por_mes", "qtd_atendidas > 0"),
    ),
}
"""What breaks the tables that a test judges; each statement must turn it red by itself."""

WRONG_ANSWERS = {
    "try_time_minutes": ("('08:00', 480)", "('08:00', 481)"),
    "check_digits": ("('00000000191', true, false)", "('00000000191', false, false)"),
    "clean_text": ("('---', null, null", "('---', '---', null"),
    "dates": ("('2026-03-02', '2026-03-02', 1, 0, 1)", "('2026-03-02', '2026-03-02', 2, 0, 1)"),
    "obligations": ("'cumprida_com_atraso', 1", "'cumprida_com_atraso', 2"),
    "pseudonym": ("length(um) <> 32", "length(um) <> 33"),
    "settings": ("false as aceita", "true as aceita"),
    "timestamps": ("'2026-06-03 16:21:36.962'", "'2026-06-03 13:21:36.962'"),
    "timestamps_dmy": ("'2017-03-10 09:15:00')", "'2017-10-03 09:15:00')"),
    "try_date": ("'2026-02-01', null", "'2026-01-02', null"),
}
"""Macros have no table to break: another answer is expected of them, and the test must object."""


def judged(house: House) -> dict[str, Path]:
    """Return the compiled SQL of the tests that need a fault, by name."""
    target = Path(house.env["DBT_TARGET_PATH"])
    manifest = json.loads((target / "manifest.json").read_bytes())
    names = {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and (
            node["original_file_path"].startswith("tests/singular/")
            or (node.get("test_metadata") or {}).get("name") == "soma_confere"
        )
    }
    return {path.stem: path for path in (target / "compiled").rglob("*.sql") if path.stem in names}


@pytest.fixture(scope="module")
def copy(
    city_house: House, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a copy of the built warehouse, under the name that compiled SQL gives it."""
    path = tmp_path_factory.mktemp("faults") / "mapa.duckdb"
    shutil.copyfile(city_house.settings.warehouse, path)
    with duckdb.connect(str(path)) as con:
        con.create_function(FUNCTION, hmac_sha256(bytes(64)), [VARCHAR], VARCHAR)
        yield con


def failures(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    """Count the rows that a test returns."""
    (count,) = con.execute(f"select count(*) from ({sql}\n)").fetchone() or (0,)
    return int(count)


def test_every_check_has_a_fault_and_every_fault_a_check(city_house: House) -> None:
    assert set(judged(city_house)) == FAULTS.keys() | WRONG_ANSWERS.keys()


@pytest.mark.parametrize(
    ("name", "fault"), [(name, fault) for name, faults in FAULTS.items() for fault in faults]
)
def test_a_fault_in_the_tables_turns_the_check_red(
    city_house: House, copy: duckdb.DuckDBPyConnection, name: str, fault: str
) -> None:
    sql = judged(city_house)[name].read_text()
    assert failures(copy, sql) == 0
    copy.execute("begin")
    try:
        copy.execute(fault)
        assert failures(copy, sql) > 0
    finally:
        copy.execute("rollback")


def of_whole_tables(house: House, kind: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield compiled SQL, table and its quoted name for each test of a kind that judges a table."""
    target = Path(house.env["DBT_TARGET_PATH"])
    nodes = json.loads((target / "manifest.json").read_bytes())["nodes"]
    compiled = {path.stem: path for path in (target / "compiled").rglob("*.sql")}
    for test in nodes.values():
        if (test.get("test_metadata") or {}).get("name") == kind:
            table = nodes[test["attached_node"]]
            if table["config"]["materialized"] in {"table", "seed"}:
                yield compiled[test["name"]].read_text(), table, table["relation_name"]


def test_a_key_that_comes_twice_or_lacks_a_part_turns_each_grain_red(
    city_house: House, copy: duckdb.DuckDBPyConnection
) -> None:
    judged_tables = 0
    for sql, table, name in of_whole_tables(city_house, "grao_unico"):
        key = table["config"]["meta"]["grao"][-1]
        for fault in (doubled(name), f"update {name} set {key} = null {one_row(name)}"):
            copy.execute("begin")
            (changed,) = copy.execute(fault).fetchone() or (0,)
            assert bool(failures(copy, sql)) is bool(changed), fault
            copy.execute("rollback")
            judged_tables += changed
    assert judged_tables > 150


def test_a_quantity_below_zero_is_named_by_the_test_of_its_table(
    city_house: House, copy: duckdb.DuckDBPyConnection
) -> None:
    judged_columns = 0
    for sql, table, name in of_whole_tables(city_house, "nunca_negativas"):
        differences = {"qtd_diferenca"} if table["name"] == "oferta_reconciliacao" else set()
        for column in table["columns"]:
            if not column.startswith("qtd_") or column in differences:
                continue
            copy.execute("begin")
            fault = f"update {name} set {column} = -1 {one_row(name)}"
            (changed,) = copy.execute(fault).fetchone() or (0,)
            assert copy.execute(sql).fetchall() == [(column, 1)] * changed, fault
            copy.execute("rollback")
            judged_columns += changed
    assert judged_columns > 150


@pytest.mark.parametrize("name", WRONG_ANSWERS)
def test_a_macro_that_answers_otherwise_is_noticed(
    city_house: House, copy: duckdb.DuckDBPyConnection, name: str
) -> None:
    sql = judged(city_house)[name].read_text()
    right, wrong = WRONG_ANSWERS[name]
    assert failures(copy, sql) == 0
    assert right in sql
    assert failures(copy, sql.replace(right, wrong, 1)) > 0
