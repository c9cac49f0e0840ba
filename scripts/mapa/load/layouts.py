"""Raw tables: which columns each source delivers, what identifies a row, what may never be missing.

One `Layout` describes one entity from the wire to its raw table. Names are the source's own
(lower case, no accents, blanks and dots to underscore); every value is text, because a type
guessed at the door loses leading zeros and the evidence of what was really received. The field
lists come from the reference pages of the SISREG API (manual v2.1), of the SISREG exports, of
CadSUS and of CNES; layouts marked as ours have no published format.
"""

# ruff: noqa: SIM905 - forty names read better as a block of words
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SYSTEM_COLUMNS = {
    "_carga_id": "VARCHAR",
    "_arquivo": "VARCHAR",
    "_linha": "BIGINT",
    "_carregado_em": "TIMESTAMP",
    "_carga_ordem": "BIGINT",
    "_hash": "UBIGINT",
    "_campos_extras": "VARCHAR",
}
"""Columns that every raw row carries besides those of the source.

`_carga_id`: load in `controle.cargas`; `_arquivo`: path inside the landing folder; `_linha`:
position of the record in what was received, from 1 (counted on through the pages of a load);
`_carregado_em`: UTC, by the loader's clock; `_carga_ordem`: number of the load, the greatest is the
newest whatever the clocks said; `_hash`: see `Layout.content_hash`, equal means identical;
`_campos_extras`: JSON of fields that the layout does not know, null when there is none. Layouts
with records also have `_chave`: see `Layout.key_text`.
"""

_BLANK = ("", "-", "---", "NULL", "NONE", "N/A", "NA", "NAN", "NAT")


def canonical(column: str) -> str:
    """Return SQL for a text value without what differs from one export to the next.

    Codes, quantities and CPFs lose leading zeros, clocks their seconds, dates are written as ISO,
    texts lose accents, case and double blanks; every spelling of nothing is null.
    """
    text = f'trim(cast("{column}" as varchar))'
    plain = f"upper(strip_accents(regexp_replace({text}, '\\s+', ' ', 'g')))"
    # `~` wants the whole text to match.
    return (
        f"case when {text} !~ '[0-9].*' "
        f"then case when not list_contains({list(_BLANK)}, {plain}) then {plain} end "
        f"when {text} ~ '[0-9]+([.]0+)?' "
        f"then regexp_extract({text}, '^0*([0-9]+?)([.]0+)?$', 1) "
        f"when {text} ~ '[0-9]{{1,2}}:[0-9]{{2}}(:[0-9]{{2}}([.]0+)?)?' "
        f"then lpad(split_part({text}, ':', 1), 2, '0') || ':' || split_part({text}, ':', 2) "
        f"when {text} ~ '[0-9]{{1,2}}[/.][0-9]{{1,2}}[/.][0-9]{{4}}' "
        f"then concat_ws('-', {text}[-4:], "
        f"lpad(regexp_extract({text}, '[/.]([0-9]+)[/.]', 1), 2, '0'), "
        f"lpad(regexp_extract({text}, '^[0-9]+'), 2, '0')) "
        f"when {text} ~ '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ]00:00(:00([.]0+)?)?Z?)?' "
        f"then {text}[:10] else {plain} end"
    )


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Layout:
    """One entity of one source.

    Attributes:
        name: what `mapa load export --describe` and messages call it.
        table: raw table, schema included.
        columns: columns of the raw table without the system columns, in order.
        key: columns that tell one record from another; versions share the key.
        required: columns without which a record is rejected.
        nested: DuckDB types of the columns that are not plain text.
        volatile: columns that change without the record changing; outside `_hash`.
        optional: columns that a file may lack: they came into the layout later, or nothing that
            is made of it needs them.
        withheld: fields of the source that never enter raw (secrets and clinical free text).
        snapshot: whether a file is the complete picture, so that what it lacks has vanished.
        record: what is one record in a file: `row`, each row (a key may not come twice with other
            content), `rows`, all rows with the same key together. Both are compared on canonical
            values, so that another spelling is no change. Empty: rows as they come.
        closed: SQL condition under which a record no longer changes; empty when unknown.
        ours: whether the format is this project's own because none is published.

    """

    name: str
    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    required: tuple[str, ...]
    nested: dict[str, str] = field(default_factory=dict)
    volatile: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    snapshot: bool = False
    record: Literal["", "row", "rows"] = ""
    closed: str = ""
    ours: bool = False

    def type_of(self, column: str) -> str:
        """Return the DuckDB type of a source column."""
        return self.nested.get(column, "VARCHAR")

    def types(self) -> dict[str, str]:
        """Return the DuckDB type of each column of the raw table, in order."""
        key = {"_chave": "VARCHAR"} if self.record else {}
        return {c: self.type_of(c) for c in self.columns} | SYSTEM_COLUMNS | key

    def key_text(self) -> str:
        """Return SQL for the key of a record as one text: the key columns joined by `|`.

        It is canonical where the layout has records, and then also kept in `_chave` of raw.
        """
        parts = [canonical(c) if self.record else f'"{c}"' for c in self.key]
        if len(parts) == 1:
            return parts[0]
        return "concat_ws('|', " + ", ".join(f"coalesce({part}, '')" for part in parts) + ")"

    def content_hash(self) -> str:
        """Return SQL for the hash of a row's content: unknown fields too, volatile columns not.

        DuckDB's own hash costs a tenth of a cryptographic one; it may change with DuckDB, and then
        the warehouse brings what is stored up to date. It takes empty lists and nulls inside lists
        for null, which the length tells apart.
        """
        columns = (*(c for c in self.columns if c not in self.volatile), "_campos_extras")
        alike = {c: canonical(c) for c in self.columns} if self.record else {}
        parts = [alike.get(c, f'"{c}"') for c in columns]
        parts += [f'len("{c}")' for c in self.nested if c in columns]
        return f"hash({', '.join(parts)})"

    def ddl(self) -> str:
        """Return the statement that creates the raw table when it does not exist."""
        body = ",\n    ".join(f'"{name}" {kind}' for name, kind in self.types().items())
        return f"create table if not exists {self.table} (\n    {body}\n)"


_LAUDO = (
    "STRUCT(codigo_cnes_operador VARCHAR, nome_cnes_operador VARCHAR, tipo_perfil VARCHAR, "
    "tipo_descricao VARCHAR, situacao VARCHAR, data_observacao VARCHAR)[]"
)
_PROCEDIMENTOS = (
    "STRUCT(codigo_interno VARCHAR, descricao_interna VARCHAR, codigo_sigtap VARCHAR, "
    "descricao_sigtap VARCHAR)[]"
)
# Logstash writes these anew each time the mirror is loaded, also for a record nobody touched.
_VOLATILE = ("version", "timestamp", "carga_epoch")

# The middle part of a status such as `AGENDAMENTO / FALTA / EXECUTANTE`; blanks vary.
_CLOSED = (
    "regexp_matches(upper(status_solicitacao), "
    "'/ *(NEGADA|CANCELAD[AO]|CONFIRMADO|FALTA) */|INEXISTENTE')"
)

SOLICITACAO_AMBULATORIAL = Layout(
    name="solicitacao-ambulatorial",
    table="bruto_sisreg.solicitacao_ambulatorial",
    columns=tuple(
        """
    codigo_solicitacao data_solicitacao data_atualizacao data_desejada status_solicitacao
    sigla_situacao st_visualizado_regulador codigo_classificacao_risco codigo_tipo_regulacao
    codigo_tipo_fila codigo_tipo_vaga_solicitada codigo_grupo_procedimento nome_grupo_procedimento
    codigo_cid_solicitado descricao_cid_solicitado codigo_uf_solicitante sigla_uf_solicitante
    codigo_cnes_central_solicitante codigo_central_solicitante nome_cnes_central_solicitante
    nome_central_solicitante codigo_unidade_solicitante nome_unidade_solicitante
    cpf_profissional_solicitante nome_medico_solicitante numero_crm nome_operador_solicitante
    nome_operador_videofonista codigo_uf_regulador sigla_uf_regulador codigo_central_reguladora
    nome_central_reguladora codigo_unidade_desejada nome_unidade_desejada data_cancelamento
    nome_operador_cancelamento codigo_perfil_cancelamento nome_perfil_cancelamento cpf_usuario
    cns_usuario no_usuario dt_nascimento_usuario sexo_usuario no_mae_usuario telefone
    nome_municipio_nascimento uf_municipio_nascimento uf_paciente_residencia
    municipio_paciente_residencia bairro_paciente_residencia cep_paciente_residencia
    tipo_logradouro_paciente_residencia endereco_paciente_residencia numero_paciente_residencia
    complemento_paciente_residencia type version timestamp carga_epoch
    procedimentos laudo
    """.split()
    ),
    key=("codigo_solicitacao",),
    required=("codigo_solicitacao", "data_solicitacao", "data_atualizacao", "status_solicitacao"),
    nested={"procedimentos": _PROCEDIMENTOS, "laudo": _LAUDO},
    volatile=_VOLATILE,
    closed=_CLOSED,
    withheld=("laudo.observacao", "laudo.operador"),
)

MARCACAO_AMBULATORIAL = Layout(
    name="marcacao-ambulatorial",
    table="bruto_sisreg.marcacao_ambulatorial",
    columns=tuple(
        """
    codigo_solicitacao codigo_marcacao data_solicitacao data_aprovacao data_marcacao
    data_confirmacao data_atualizacao data_desejada status_solicitacao sigla_situacao
    marcacao_executada st_falta_registrada st_paciente_avisado st_visualizado_regulador
    codigo_classificacao_risco codigo_tipo_regulacao codigo_tipo_fila codigo_tipo_vaga_solicitada
    codigo_tipo_vaga_consumida codigo_interno_procedimento descricao_interna_procedimento
    codigo_sigtap_procedimento descricao_sigtap_procedimento codigo_grupo_procedimento
    nome_grupo_procedimento codigo_cid_solicitado descricao_cid_solicitado codigo_cid_agendado
    descricao_cid_agendado codigo_uf_solicitante sigla_uf_solicitante
    codigo_cnes_central_solicitante codigo_central_solicitante nome_cnes_central_solicitante
    nome_central_solicitante codigo_unidade_solicitante nome_unidade_solicitante
    cpf_profissional_solicitante nome_medico_solicitante numero_crm nome_operador_solicitante
    nome_operador_videofonista codigo_uf_regulador sigla_uf_regulador codigo_central_reguladora
    nome_central_reguladora nome_operador_autorizador codigo_perfil_operador_autorizador
    nome_perfil_operador_autorizador codigo_cnes_central_executante nome_cnes_central_executante
    codigo_unidade_executante nome_unidade_executante logradouro_unidade_executante
    numero_unidade_executante complemento_unidade_executante bairro_unidade_executante
    municipio_unidade_executante cep_unidade_executante telefone_unidade_executante
    cpf_profissional_executante nome_profissional_executante codigo_unidade_desejada
    nome_unidade_desejada data_cancelamento nome_operador_cancelamento codigo_perfil_cancelamento
    nome_perfil_cancelamento cpf_usuario cns_usuario no_usuario dt_nascimento_usuario sexo_usuario
    no_mae_usuario telefone nome_municipio_nascimento uf_municipio_nascimento
    uf_paciente_residencia municipio_paciente_residencia bairro_paciente_residencia
    cep_paciente_residencia tipo_logradouro_paciente_residencia endereco_paciente_residencia
    numero_paciente_residencia complemento_paciente_residencia type version timestamp carga_epoch
    laudo
    """.split()
    ),
    key=("codigo_solicitacao",),
    # A booking stands by its own date: without that of the request only its wait is unknown.
    required=("codigo_solicitacao", "data_atualizacao", "status_solicitacao"),
    nested={"laudo": _LAUDO},
    volatile=_VOLATILE,
    closed=_CLOSED,
    withheld=(
        "laudo.observacao",
        "laudo.operador",
        "chave_confirmacao",
        "justificativa_cancelamento",
    ),
)

SOLICITACAO_HOSPITALAR = Layout(
    name="solicitacao-hospitalar",
    table="bruto_sisreg.solicitacao_hospitalar",
    columns=tuple(
        """
    codigo_solicitacao data_solicitacao hora_solicitacao data_atualizacao
    data_atualizacao_solicitacao data_atualizacao_marcacao status codigo_classificacao_risco
    carater codigo_natureza_lesao descricao_natureza_lesao codigo_cid descricao_cid
    codigo_procedimento descricao_procedimento codigo_uf_solicitante sigla_uf_solicitante
    codigo_central_solicitante nome_central_solicitante codigo_unidade_solicitante
    nome_unidade_solicitante cpf_medico_solicitante nome_medico_solicitante
    nome_operador_solicitante codigo_uf_regulador sigla_uf_regulador codigo_central_reguladora
    nome_central_reguladora hora_autorizacao nome_operador_autorizacao data_reserva data_internacao
    operador_internacao nome_leito nome_leito_complementar nome_clinica nome_clinica_complementar
    data_previsao_alta data_alta hora_alta operador_alta numero_aih numero_digito_aih
    valor_proc_aih codigo_unidade_executante nome_unidade_executante logradouro_unidade_executante
    numero_unidade_executante complemento_unidade_executante bairro_unidade_executante
    municipio_unidade_executante cep_unidade_executante telefone_unidade_executante
    cpf_profissional_executante codigo_unidade_referencia nome_unidade_referencia data_desejada
    codigo_unidade_desejada nome_unidade_desejada nome_responsavel telefone_responsavel cpf_usuario
    cns_usuario no_usuario dt_nascimento_usuario sexo_usuario no_mae_usuario telefone
    nome_municipio_nascimento uf_municipio_nascimento uf_paciente_residencia
    municipio_paciente_residencia bairro_paciente_residencia cep_paciente_residencia
    tipo_logradouro_paciente_residencia endereco_paciente_residencia numero_paciente_residencia
    complemento_paciente_residencia type version timestamp carga_epoch
    """.split()
    ),
    key=("codigo_solicitacao",),
    required=("codigo_solicitacao", "data_solicitacao", "data_atualizacao", "status"),
    volatile=_VOLATILE,
    closed="coalesce(data_alta, '') <> '' or regexp_matches(upper(status), 'NEGAD|CANCELAD|ALTA')",
    withheld=("sintomas", "exames", "justificativa", "justificativa_impedimento"),
)

ESCALA = Layout(
    name="escala",
    table="bruto_sisreg.escala_ambulatorial",
    columns=tuple(
        """
    cod_escala_ambulatorial cod_central_exec desc_central_exec cpf_profissional_exec
    nome_profissional_exec cod_cbo desc_cbo cod_cnes_exec desc_cnes_exec cod_procedimento_interno
    desc_procedimento_interno cod_procedimento_unificado sigla_dia_semana qtd_vagas_prim_vez
    qtd_minutos_prim_vez qtd_vagas_retorno qtd_minutos_retorno qtd_vagas_reserva
    qtd_minutos_reserva quebra_automatica agenda_local data_de_vigencia_inicial
    data_de_vigencia_final hora_inicial hora_final nome_operador_criador nome_operador_modificador
    data_ultima_alteracao hora_ultima_alteracao status data_da_insercao hora_da_insercao
    data_da_ultima_ativacao hora_da_ultima_ativacao
    """.split()
    ),
    # SISREG edits hours, weekday and professional in place: the number alone is the schedule.
    key=("cod_escala_ambulatorial",),
    required=("cod_escala_ambulatorial", "cod_cnes_exec", "cod_procedimento_interno", "status"),
    snapshot=True,
    record="rows",
)

AGENDAMENTO = Layout(
    name="agendamento",
    table="bruto_sisreg.agendamento",
    # The executing unit stands in the file name (CSV) or in the first line (TXT), not in the rows.
    columns=tuple(
        """
    solicitacao codigo_interno codigo_unificado descricao_procedimento cpf_proficional_executante
    nome_profissional_executante data_agendamento hr_agendamento tipo cns nome dt_nascimento idade
    idade_meses nome_mae tipo_logradouro logradouro complemento numero_logradouro bairro cep
    telefone municipio ibge mun_solicitante ibge_solicitante cnes_solicitante unidade_fantasia sexo
    data_solicitacao operador_solicitante data_autorizacao operador_autorizador valor_procedimento
    situacao cid cpf_profissional_solicitante nome_profissional_solicitante
    cod_cnes_exec
    """.split()
    ),
    key=("solicitacao",),
    required=("solicitacao", "data_agendamento"),
)

AFASTAMENTO_PROFISSIONAL = Layout(
    name="afastamento_profissional",
    table="bruto_sisreg.afastamento_profissional",
    columns=(
        "cod_afastamento",
        "cpf_profissional_exec",
        "cod_cnes_exec",
        "cod_procedimento_interno",
        "data_inicio",
        "hora_inicio",
        "data_fim",
        "hora_fim",
        "motivo",
    ),
    key=("cod_afastamento",),
    required=("cod_afastamento", "cpf_profissional_exec", "data_inicio", "data_fim"),
    record="rows",
    ours=True,
)

AFASTAMENTO_UNIDADE = Layout(
    name="afastamento_unidade",
    table="bruto_sisreg.afastamento_unidade",
    columns=(
        "cod_afastamento",
        "cod_cnes_exec",
        "data_inicio",
        "hora_inicio",
        "data_fim",
        "hora_fim",
        "motivo",
    ),
    key=("cod_afastamento",),
    required=("cod_afastamento", "cod_cnes_exec", "data_inicio", "data_fim"),
    record="rows",
    ours=True,
)

FERIADO = Layout(
    name="feriado",
    table="bruto_sisreg.feriado",
    columns=("data", "descricao", "abrangencia", "cod_cnes_exec"),
    key=("data", "abrangencia", "cod_cnes_exec"),
    required=("data", "abrangencia"),
    record="rows",
    ours=True,
)

PPI = Layout(
    name="ppi",
    table="bruto_sisreg.ppi",
    columns=(
        "competencia",
        "cod_central_solicitante",
        "cod_central_exec",
        "cod_procedimento_interno",
        "qtd_ppi",
    ),
    key=(
        "competencia",
        "cod_central_solicitante",
        "cod_central_exec",
        "cod_procedimento_interno",
    ),
    required=(
        "competencia",
        "cod_central_solicitante",
        "cod_central_exec",
        "cod_procedimento_interno",
        "qtd_ppi",
    ),
    record="row",
    ours=True,
)

TETO = Layout(
    name="teto",
    table="bruto_sisreg.teto",
    columns=("competencia", "cod_cnes_exec", "cod_procedimento_interno", "qtd_teto"),
    key=("competencia", "cod_cnes_exec", "cod_procedimento_interno"),
    required=("competencia", "cod_cnes_exec", "cod_procedimento_interno", "qtd_teto"),
    record="row",
    ours=True,
)

COTA = Layout(
    name="cota",
    table="bruto_sisreg.cota",
    columns=(
        "competencia",
        "cod_cnes_solicitante",
        "cod_procedimento_interno",
        "tipo_ppi",
        "qtd_cota",
    ),
    key=("competencia", "cod_cnes_solicitante", "cod_procedimento_interno", "tipo_ppi"),
    required=(
        "competencia",
        "cod_cnes_solicitante",
        "cod_procedimento_interno",
        "tipo_ppi",
        "qtd_cota",
    ),
    record="row",
    ours=True,
)

# SISREG's report of the real offer. Its header is not published, so that a file of the operator's
# maps it (`mapa.load.report_map`); the names are ours.
OFERTA_REAL = Layout(
    name="oferta_real",
    table="bruto_sisreg.oferta_real",
    columns=tuple(
        """
    competencia tipo_agenda cod_central_exec cod_cnes_exec desc_cnes_exec cod_procedimento_interno
    desc_procedimento_interno data_extracao
    qtd_total_prim_vez qtd_total_retorno qtd_total_reserva qtd_total_geral
    qtd_bloqueada_prim_vez qtd_bloqueada_retorno qtd_bloqueada_reserva qtd_bloqueada_geral
    qtd_ativa_prim_vez qtd_ativa_retorno qtd_ativa_reserva qtd_ativa_geral
    qtd_ppi_total qtd_ppi_local qtd_ppi_pactuada qtd_teto qtd_oferta_real
    """.split()
    ),
    key=(
        "competencia",
        "tipo_agenda",
        "cod_central_exec",
        "cod_cnes_exec",
        "cod_procedimento_interno",
    ),
    required=("competencia", "cod_cnes_exec", "cod_procedimento_interno", "qtd_oferta_real"),
    ours=True,
)

FILA_AMBULATORIAL_2017_08 = Layout(
    name="fila_ambulatorial_2017_08",
    table="bruto_sisreg.fila_ambulatorial_2017_08",
    columns=tuple(
        """
    data_de_exportacao cod_central_reguladora_executante nome_central_reguladora_executante
    cod_central_reguladora_solicitante nome_central_reguladora_solicitante cod_cnes_solicitante
    nome_unidade_solicitante cod_tipo_de_fila data_hora_da_solicitacao cod_do_procedimento_interno
    desc_procedimento_interno cod_procedimento_unificado_sigtap desc_procedimento_unificado_sigtap
    nome_do_usuario data_de_nascimento_do_usuario nome_da_mae_do_usuario cns_do_usuario
    cpf_do_usuario sexo_do_usuario cod_classificacao_de_risco posicao_na_fila
    """.split()
    ),
    # The file carries no request number, so what a person waits for since when is the key.
    key=(
        "data_de_exportacao",
        "cod_tipo_de_fila",
        "cns_do_usuario",
        "cod_do_procedimento_interno",
        "data_hora_da_solicitacao",
    ),
    required=(
        "data_de_exportacao",
        "cod_tipo_de_fila",
        "cns_do_usuario",
        "cod_do_procedimento_interno",
        "data_hora_da_solicitacao",
    ),
)

FILA_HOSPITALAR_2017_08 = Layout(
    name="fila_hospitalar_2017_08",
    table="bruto_sisreg.fila_hospitalar_2017_08",
    columns=tuple(
        """
    data_de_exportacao cod_central_reguladora_executante nome_central_reguladora_executante
    cod_central_reguladora_solicitante nome_central_reguladora_solicitante cod_cnes_solicitante
    nome_unidade_solicitante cod_tipo_de_fila data_hora_da_solicitacao
    cod_procedimento_unificado_sigtap desc_procedimento_unificado_sigtap nome_do_usuario
    data_de_nascimento_do_usuario nome_da_mae_do_usuario cns_do_usuario cpf_do_usuario
    sexo_do_usuario cod_classificacao_de_risco posicao_na_fila
    """.split()
    ),
    key=(
        "data_de_exportacao",
        "cod_tipo_de_fila",
        "cns_do_usuario",
        "cod_procedimento_unificado_sigtap",
        "data_hora_da_solicitacao",
    ),
    required=(
        "data_de_exportacao",
        "cod_tipo_de_fila",
        "cns_do_usuario",
        "cod_procedimento_unificado_sigtap",
        "data_hora_da_solicitacao",
    ),
)

FILA_2017_10 = Layout(
    name="fila_2017_10",
    table="bruto_sisreg.fila_2017_10",
    columns=tuple(
        """
    datahoraexportacao cnescentralreguladora descricaocentralreguladora
    cnesestabelecimentosolicitante descricaoestabelecimentosolicitante cnescentralsolicitante
    descricaocentralsolicitante tipofila datasolicitacao procedimentocodigo procedimentodescricao
    grupoprocedimentocodigo grupoprocedimentodescricao codigosigtap descricaosigtap nomeusuario
    datanascimento nomemae cns cpf sexo codigosolicitacao classificacaorisco posicao
    estimativaatendimento
    """.split()
    ),
    key=(
        "datahoraexportacao",
        "codigosolicitacao",
    ),
    required=(
        "datahoraexportacao",
        "codigosolicitacao",
    ),
)

FILA_2018_03 = Layout(
    name="fila_2018_03",
    table="bruto_sisreg.fila_2018_03",
    # Positions 26 to 28 are published without their names; other names are kept as extra fields.
    columns=(*FILA_2017_10.columns, "posicao26", "estimativausuario", "producaomensal"),
    key=(
        "datahoraexportacao",
        "codigosolicitacao",
    ),
    required=(
        "datahoraexportacao",
        "codigosolicitacao",
    ),
)

CADSUS_CONSULTA = Layout(
    name="cadsus_consulta",
    table="bruto_cadsus.consulta",
    # resultado: ok, nao_encontrado, varios or falha; the raw answer stays in landing (_arquivo).
    # Each query is an event: its instant is content, else a repeated answer would look stale.
    columns=(
        "identificador_tipo",
        "identificador",
        "resultado",
        "qtd_candidatos",
        "momento_consulta",
    ),
    key=("identificador_tipo", "identificador"),
    required=("identificador_tipo", "identificador", "resultado"),
    ours=True,
)

CADSUS_PESSOA = Layout(
    name="cadsus_pessoa",
    table="bruto_cadsus.pessoa",
    columns=tuple(
        """
    id_pessoa nome nome_social nome_mae data_nascimento sexo raca_cor etnia cpf falecido
    data_obito res_ibge res_bairro res_cep nasc_ibge nacionalidade qualidade protegido origem
    data_consulta situacao_cadastro
    """.split()
    ),
    key=("id_pessoa",),
    required=("id_pessoa",),
    volatile=("data_consulta", "qualidade"),
    optional=("situacao_cadastro",),
    ours=True,
)

CADSUS_CNS = Layout(
    name="cadsus_cns",
    table="bruto_cadsus.cns",
    columns=("id_pessoa", "cns", "tipo", "principal"),
    key=("id_pessoa", "cns"),
    required=("id_pessoa", "cns"),
    ours=True,
)

_CNES_COLUMNS = tuple(
    """
    co_unidade co_cnes tp_unidade co_tipo_unidade co_tipo_estabelecimento co_atividade_principal
    no_razao_social no_fantasia no_fantasia_abrev tp_pfpj nivel_dep nu_cnpj_mantenedora nu_cnpj
    co_estado_gestor co_municipio_gestor tp_gestao co_regiao_saude co_micro_regiao
    co_distrito_sanitario co_distrito_administrativo no_logradouro nu_endereco no_complemento
    no_bairro co_cep nu_latitude nu_longitude dt_atu_geo nu_telefone nu_fax no_email no_url
    co_atividade co_clientela co_turno_atendimento tp_estab_sempre_aberto st_conexao_internet
    co_natureza_jur co_motivo_desab st_contrato_formalizado nu_alvara dt_expedicao
    tp_orgao_expedidor dt_val_lic_sani tp_lic_sani st_adesao_filantrop st_geracredito_gerente_sgif
    dt_atualizacao_origem dt_atualizacao
    """.split()
)
# The header differs from month to month: 51 columns in 2017, 56 in 2025. What models read must be
# there, or an absence would be taken for a fact (a unit without `co_motivo_desab` is active); two
# columns that they read came later and are unknown before.
_CNES_READ = (
    "co_cnes", "tp_unidade", "no_razao_social", "no_fantasia", "co_municipio_gestor", "tp_gestao",
    "co_regiao_saude", "no_bairro", "co_cep", "co_natureza_jur", "co_motivo_desab",
    "dt_atualizacao",
)  # fmt: skip

CNES_ESTABELECIMENTO = Layout(
    name="cnes_estabelecimento",
    table="bruto_cnes.estabelecimento",
    columns=_CNES_COLUMNS,
    key=("co_cnes",),
    required=("co_cnes", "no_fantasia"),
    optional=tuple(c for c in _CNES_COLUMNS if c not in _CNES_READ),
    withheld=("nu_cpf", "co_cpfdiretorcln", "reg_diretorcln", "no_usuario_geo", "co_usuario"),
)

CARGA_HORARIA = Layout(
    name="carga_horaria",
    table="bruto_cnes.carga_horaria",
    # The public base numbers professionals (`CO_PROFISSIONAL_SUS`) and shows no CPF; the manager's
    # local base has it, and SISREG knows professionals by nothing else.
    columns=(
        "competencia",
        "cod_cnes",
        "cpf_profissional",
        "cod_cbo",
        "cod_vinculo",
        "horas_ambulatoriais_semana",
    ),
    # Somebody may have two contracts of one occupation in one unit: the kind of bond tells them.
    key=("competencia", "cod_cnes", "cpf_profissional", "cod_cbo", "cod_vinculo"),
    required=("competencia", "cod_cnes", "cpf_profissional", "cod_cbo"),
    ours=True,
)

API_LAYOUTS = (SOLICITACAO_AMBULATORIAL, MARCACAO_AMBULATORIAL, SOLICITACAO_HOSPITALAR)
FILE_LAYOUTS = (
    ESCALA,
    AGENDAMENTO,
    AFASTAMENTO_PROFISSIONAL,
    AFASTAMENTO_UNIDADE,
    FERIADO,
    PPI,
    TETO,
    COTA,
    FILA_AMBULATORIAL_2017_08,
    FILA_HOSPITALAR_2017_08,
    FILA_2017_10,
    FILA_2018_03,
    CADSUS_PESSOA,
    CADSUS_CNS,
    CNES_ESTABELECIMENTO,
    CARGA_HORARIA,
)
CNES_LAYOUTS = (CNES_ESTABELECIMENTO, CARGA_HORARIA)
"""What `mapa load cnes` accepts."""
ALL_LAYOUTS = (*API_LAYOUTS, *FILE_LAYOUTS, OFERTA_REAL, CADSUS_CONSULTA)

LOOK_ALIKES = (
    (
        "the 12-column file of the agenda screen",
        (
            "unidade_executante",
            "cod_solic",
            "data_hora",
            "cns",
            "nome",
            "nome_social",
            "nascimento",
            "idade",
            "origem",
            "unidade_solicitante",
            "vaga_solicitada",
            "cid_10",
        ),
        "It lacks the procedure and the professional: export the booking file (arquivo de "
        "agendamento) of the unit instead.",
        AGENDAMENTO.name,
    ),
    (
        "the public base's table of hours (tbCargaHorariaSus)",
        tuple(
            """
            co_unidade co_profissional_sus co_cbo tp_sus_nao_sus ind_vinculacao tp_terceiro_sih
            qt_carga_horaria_ambulatorial co_conselho_classe nu_registro sg_uf_crm tp_preceptor
            tp_residente nu_cnpj_detalhamento_vinculo dt_atualizacao co_usuario
            dt_atualizacao_origem qt_carga_horaria_outros qt_carga_hor_hosp_sus
            """.split()
        ),
        "It numbers the professionals and has no CPF, so nobody in it can be found in SISREG: "
        "write the hours from the manager's own base of CNES (LFCES021 with LFCES018) instead.",
        CARGA_HORARIA.name,
    ),
    (
        "the register of establishments of the open-data portal (cnes_estabelecimentos.csv)",
        # What it shares with the table of the base does not tell them apart.
        ("co_cnes", "no_fantasia", "co_uf", "co_ibge"),
        "It says where a unit is, not which municipality and health region manage it, and it has "
        "no date: take tbEstabelecimentoAAAAMM.csv out of BASE_DE_DADOS_CNES_AAAAMM.ZIP "
        "(cnes.datasus.gov.br, downloads) and load it with\n"
        "  mapa load cnes tbEstabelecimentoAAAAMM.csv",
        CNES_ESTABELECIMENTO.name,
    ),
)
"""Files that are easily taken for a layout: what they are, their columns, what to do instead, and
the layout to look at."""
