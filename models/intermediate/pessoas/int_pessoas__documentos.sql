{{ config(materialized='ephemeral') }}

-- Grain: one row per ambulatory request with the patient's identifiers and residence as the current
-- documents give them. Ephemeral: these columns pass through this folder and are stored nowhere.
with versoes as (
    select * from {{ ref('int_fila__versoes_correntes') }}
),

solicitacoes as (
    select * from {{ ref('stg_sisreg__solicitacoes_ambulatoriais') }}
),

marcacoes as (
    select * from {{ ref('stg_sisreg__marcacoes_ambulatoriais') }}
),

documentos as (
    select
        v.solicitacao_codigo,
        v.preferencia,
        s.paciente_cns,
        s.paciente_cpf,
        s.residencia_uf_sigla,
        s.residencia_municipio_nome,
        s.residencia_bairro
    from versoes as v
    inner join solicitacoes as s
        on
            v._carga_id = s._carga_id
            and v._arquivo = s._arquivo
            and v._linha = s._linha
    where v.indice = 'solicitacao'
    union all
    select
        v.solicitacao_codigo,
        v.preferencia,
        m.paciente_cns,
        m.paciente_cpf,
        m.residencia_uf_sigla,
        m.residencia_municipio_nome,
        m.residencia_bairro
    from versoes as v
    inner join marcacoes as m
        on
            v._carga_id = m._carga_id
            and v._arquivo = m._arquivo
            and v._linha = m._linha
    where v.indice = 'marcacao'
),

documentos_validos as (
    -- An invalid number identifies nobody; the other document may have a good one.
    select
        d.solicitacao_codigo,
        d.preferencia,
        case when {{ cns_is_valid('d.paciente_cns') }} then d.paciente_cns end as cns,
        case when {{ cpf_is_valid('d.paciente_cpf') }} then d.paciente_cpf end as cpf,
        {{ normalize_text('d.residencia_uf_sigla') }} as uf_sigla,
        {{ normalize_text('d.residencia_municipio_nome') }} as municipio_nome,
        -- Its punctuation tells the region: a bracket, a dash.
        upper({{ strip_accents('trim(d.residencia_bairro)') }}) as bairro
    from documentos as d
),

final as (
    select
        d.solicitacao_codigo,
        {%- for coluna in ['cns', 'cpf', 'uf_sigla', 'municipio_nome'] %}
        coalesce(
            max(case when d.preferencia = 1 then d.{{ coluna }} end),
            max(case when d.preferencia = 2 then d.{{ coluna }} end)
        ) as {{ coluna }},
        {%- endfor %}
        coalesce(
            max(case when d.preferencia = 1 then d.bairro end),
            max(case when d.preferencia = 2 then d.bairro end)
        ) as bairro
    from documentos_validos as d
    group by d.solicitacao_codigo
)

select * from final
