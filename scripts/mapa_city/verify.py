"""Compare the marts of a warehouse with what really happened in the simulated city."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

TOLERANCE = 1e-9
# The truth knows units, not schedules, counts professionals without naming them, and knows which
# addresses tell their place, not how the project finds that out.
SUMMED = {
    "oferta_por_dia",
    "oferta_alertas",
    "oferta_horas_por_mes",
    "oferta_esperada_por_mes",
    "qualidade_territorio",
}
# Where each mart of the truth stands, and how its rows come at the grain of the truth.
MARTS = {
    "oferta_por_dia": "oferta",
    "oferta_real_por_mes": "oferta",
    "oferta_real_por_tipo_por_mes": "oferta",
    "oferta_reconciliacao": "oferta",
    "oferta_reconciliacao_por_mes": "oferta",
    "oferta_funil_por_mes": "oferta",
    "oferta_alertas": "oferta",
    "oferta_horas_por_mes": "oferta",
    "oferta_esperada_por_mes": "oferta",
    "oferta_por_territorio_por_mes": "oferta",
    "oferta_diario": "oferta",
    "oferta_retiradas_por_mes": "oferta",
    "fila_por_mes": "fila",
    "espera_por_mes": "espera",
    "espera_probabilidade_por_mes": "espera",
    "espera_limites_por_mes": "espera",
    "fila_por_faixa_por_mes": "fila",
    "fila_equilibrio_por_mes": "fila",
    "fila_ordem_por_mes": "fila",
    "fila_planejamento_por_mes": "fila",
    "espera_estimativa_por_mes": "espera",
    "absenteismo_por_mes": "absenteismo",
    "absenteismo_por_residencia_por_mes": "absenteismo",
    "qualidade_escalas": "qualidade",
    "qualidade_territorio": "qualidade",
    "proadi_termos_saldo": "proadi",
    "proadi_projetos_execucao": "proadi",
    "proadi_prazos_por_objeto": "proadi",
    "proadi_prazos_por_responsavel": "proadi",
    "proadi_oferta": "proadi",
    "dim_calendario": "dimensoes",
    "dim_estabelecimentos": "dimensoes",
    "dim_procedimentos": "dimensoes",
    "dim_territorio": "dimensoes",
    "pub_oferta_por_dia": "publicacao",
    "pub_oferta_real_por_mes": "publicacao",
    "pub_oferta_causas_por_mes": "publicacao",
    "pub_oferta_alertas": "publicacao",
    "pub_oferta_diario": "publicacao",
    "pub_oferta_retiradas_por_mes": "publicacao",
    "pub_oferta_horas_por_mes": "publicacao",
    "pub_oferta_reconciliacao_por_mes": "publicacao",
    "pub_dim_calendario": "publicacao",
    "pub_dim_estabelecimentos": "publicacao",
    "pub_dim_procedimentos": "publicacao",
    "pub_dim_territorio": "publicacao",
    "pub_dim_regioes_saude": "publicacao",
    "pub_fila_por_mes": "publicacao",
    "pub_fila_regioes_por_mes": "publicacao",
    "pub_fila_por_regiao_por_mes": "publicacao",
    "pub_fila_por_risco_por_mes": "publicacao",
    "pub_fila_por_faixa_por_mes": "publicacao",
    "pub_espera_limites_por_mes": "publicacao",
    "pub_espera_probabilidade_por_mes": "publicacao",
    "pub_oferta_uso_por_mes": "publicacao",
    "pub_absenteismo_por_residencia_por_mes": "publicacao",
    "pub_absenteismo_procedimentos_por_mes": "publicacao",
    "pub_proadi_termos_saldo": "publicacao",
    "pub_proadi_projetos_execucao": "publicacao",
    "pub_proadi_prazos_por_objeto": "publicacao",
    "pub_proadi_prazos_por_responsavel": "publicacao",
    "pub_atualizacao": "publicacao",
}
SAME_TRUTH = {
    "pub_dim_calendario": "dim_calendario",
    "pub_dim_estabelecimentos": "dim_estabelecimentos",
    "pub_proadi_termos_saldo": "proadi_termos_saldo",
    "pub_proadi_projetos_execucao": "proadi_projetos_execucao",
    "pub_proadi_prazos_por_objeto": "proadi_prazos_por_objeto",
    "pub_proadi_prazos_por_responsavel": "proadi_prazos_por_responsavel",
}
"""Published tables that must say what a restricted mart says."""

_NAMELESS = "the truth has no professional and no schedule by name; rows are summed over them"
_OF_A_SCHEDULE = "a mark of one schedule; the truth adds up the schedules of a place"
_REFERENCE = "a figure or name of the seed that nothing computes; its own tests hold it"
_EVIDENCE = "how a text told the region; test_territory states it for each way of writing"
_ARTICLE = "the article of the seed beside the norm, which is compared; test_proadi reads each"
_NO_LIST = "null wherever the list of CNRAC is empty, as in the city; unit tests fill it"
NOT_COMPARED = {
    "acordo_acoes": "no city has an agreement; test_work_plan states each action by hand",
    "qualidade_valores": "the city writes nothing implausible; test_values states each kind",
    "oferta_por_dia.escala_id": _NAMELESS,
    "oferta_por_dia.escala_codigo": _NAMELESS,
    "oferta_por_dia.profissional_id": _NAMELESS,
    "oferta_por_dia.hora_inicio": _OF_A_SCHEDULE,
    "oferta_por_dia.hora_fim": _OF_A_SCHEDULE,
    "oferta_por_dia.eh_agenda_local": _OF_A_SCHEDULE + ", apart in oferta_por_territorio_por_mes",
    "oferta_por_dia.causa_bloqueio": _OF_A_SCHEDULE + "; its unit test reads every cause",
    "oferta_por_dia.competencia": "the month of `data`; compared in pub_oferta_por_dia",
    "oferta_por_dia.central_executora_codigo": "compared in oferta_real_por_mes, summed from here",
    "oferta_alertas.alerta_id": "a hash of the columns that tell alerts apart",
    "oferta_alertas.data_referencia": "the day of the build, compared in pub_atualizacao",
    "oferta_alertas.evidencia": "a sentence; the unit tests of each rule read it",
    "oferta_alertas.profissional_id": _NAMELESS,
    "oferta_horas_por_mes.profissional_id": _NAMELESS,
    "oferta_esperada_por_mes.profissional_id": _NAMELESS,
    "dim_estabelecimentos.territorio_evidencia": _EVIDENCE,
    "pub_dim_estabelecimentos.territorio_evidencia": _EVIDENCE,
    "qualidade_territorio.territorio_evidencia": _EVIDENCE,
    **{
        f"{prefix}proadi_{mart}.dispositivo": _ARTICLE
        for prefix in ("", "pub_")
        for mart in ("termos_saldo", "projetos_execucao", "prazos_por_objeto")
    },
    "dim_procedimentos.eh_cnrac": _NO_LIST,
    "dim_territorio.area_nome": _REFERENCE,
    "dim_territorio.area_ibge": _REFERENCE,
    "dim_territorio.regiao_saude_nome": _REFERENCE,
    "dim_territorio.mosaico_linha": _REFERENCE,
    "dim_territorio.mosaico_coluna": _REFERENCE,
    "pub_dim_territorio.area_nome": _REFERENCE,
    "pub_dim_territorio.area_ibge": _REFERENCE,
    "pub_acordo_acoes": "a copy of acordo_acoes, compared in pub_acordo_acoes__iguais_as_do_mart",
    "pub_codigos": "a copy of a seed, compared in pub_codigos__iguais_aos_do_dicionario",
    "pub_dim_territorio.mosaico_linha": _REFERENCE,
    "pub_dim_territorio.mosaico_coluna": _REFERENCE,
    "pub_atualizacao.fonte": "a text about the sources, no number; test_publish reads it",
    "pub_atualizacao.licenca": "a text about the licence, no number; test_publish reads it",
    "pub_atualizacao.construcao_id": "names the run of dbt; `mapa publish` compares it with dbt's",
}
"""Marts (`mart`) and columns (`mart.column`) that no truth judges, and why."""


@dataclass(frozen=True)
class Comparison:
    """What the comparison of one mart found; cells are rows times columns outside the key.

    `repeated` are keys that the mart has more than once. `silent` are columns in which the whole
    truth has nothing but zeros and nulls: their agreement proves next to nothing.
    """

    mart: str
    rows: int
    cells: int
    missing: tuple[tuple[Any, ...], ...] = ()
    unexpected: tuple[tuple[Any, ...], ...] = ()
    repeated: tuple[tuple[Any, ...], ...] = ()
    different: tuple[tuple[tuple[Any, ...], str, Any, Any], ...] = ()
    silent: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether there was something to compare and every cell agrees."""
        found = self.missing or self.unexpected or self.repeated or self.different
        return self.cells > 0 and not found

    def __str__(self) -> str:
        """Say it in one line a person can act upon."""
        if self.equal:
            silent = f"; never other than zero: {', '.join(self.silent)}" if self.silent else ""
            return f"{self.mart}: {self.cells} cells in {self.rows} rows equal the truth{silent}"
        first = (self.different or self.missing or self.unexpected or self.repeated or (None,))[0]
        if first is None:
            return f"{self.mart}: the truth has no rows, so nothing was compared"
        return (
            f"{self.mart}: {len(self.missing)} rows missing, {len(self.unexpected)} unexpected, "
            f"{len(self.repeated)} keys repeated, {len(self.different)} cells different; "
            f"first: {first}"
        )


def compare(con: duckdb.DuckDBPyConnection, truth: Mapping[str, Any]) -> list[Comparison]:
    """Compare each mart with the truth, cell by cell.

    Args:
        con: open warehouse after a build.
        truth: content of `truth.json`.

    Raises:
        ValueError: the truth has a key twice.

    """
    return [compare_mart(con, mart, truth[SAME_TRUTH.get(mart, mart)]) for mart in MARTS]


def compare_mart(con: duckdb.DuckDBPyConnection, mart: str, truth: Mapping[str, Any]) -> Comparison:
    """Compare one mart with its truth: key columns, other columns and rows, key first.

    Raises:
        ValueError: the truth has a key twice.

    """
    key, columns = truth["chave"], truth["colunas"]
    expected = {tuple(row[: len(key)]): row[len(key) :] for row in truth["linhas"]}
    if len(expected) < len(truth["linhas"]):
        raise ValueError(f"{mart}: the truth says something twice about one of its keys")
    keys = ", ".join(f"cast({name} as varchar)" for name in key)
    relation = f"{MARTS[mart]}.{mart}"
    if mart in SUMMED:
        measures = ("count(*)" if name == "qtd_linhas" else f"sum({name})" for name in columns)
        sums = ", ".join(measures)
        query = f"select {keys}, {sums} from {relation} group by {', '.join(key)}"
    else:
        query = f"select {keys}, {', '.join(columns)} from {relation}"
    rows = con.execute(query).fetchall()
    times = Counter(tuple(row[: len(key)]) for row in rows)
    found = {tuple(row[: len(key)]): row[len(key) :] for row in rows}
    different = tuple(
        (k, name, want, got)
        for k, values in expected.items()
        if k in found
        for name, want, got in zip(columns, values, found[k], strict=True)
        if not _same(want, got)
    )
    return Comparison(
        mart=mart,
        rows=len(expected),
        cells=len(expected) * len(columns),
        missing=tuple(expected.keys() - found.keys()),
        unexpected=tuple(found.keys() - expected.keys()),
        repeated=tuple(k for k, count in times.items() if count > 1),
        different=different,
        silent=tuple(
            name
            for at, name in enumerate(columns)
            if not any(values[at] for values in expected.values())
        ),
    )


def _same(want: Any, got: Any) -> bool:
    """Tell whether two cells agree; floats to a relative 1e-9, everything else exactly."""
    if want is None or got is None:
        return want is got
    if isinstance(want, float) or isinstance(got, float):
        return math.isclose(float(want), float(got), rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(got, date):
        return bool(want == got.isoformat())
    return bool(want == got)
