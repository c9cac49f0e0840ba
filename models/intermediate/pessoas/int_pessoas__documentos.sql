{{ config(materialized='ephemeral') }}

-- Grain: one row per ambulatory request and period with the patient's identifiers and residence as
-- the documents in force give them. Ephemeral: these columns pass through and are stored nowhere.
-- No CTE is read twice, because DuckDB prunes no column above one that is.
with documentos as (
    {%- for indice, tabela in [
        ('solicitacao', 'stg_sisreg__solicitacoes_ambulatoriais'),
        ('marcacao', 'stg_sisreg__marcacoes_ambulatoriais'),
    ] %}
    select
        v.solicitacao_codigo,
        v.vigencia,
        v.eh_ultima,
        case when v.indice_preferido = '{{ indice }}' then 1 else 2 end as preferencia,
        d.paciente_cns,
        d.paciente_cpf,
        d.paciente_nome,
        d.paciente_mae_nome,
        d.paciente_data_nascimento,
        d.residencia_uf_sigla,
        d.residencia_municipio_nome,
        d.residencia_bairro
    from {{ ref('int_fila__vigencias') }} as v
    inner join {{ ref('int_fila__versoes') }} as r
        on
            v.solicitacao_codigo = r.solicitacao_codigo
            and v.versao_{{ indice }} = r.versao
            and r.indice = '{{ indice }}'
    inner join {{ ref(tabela) }} as d
        on
            r._carga_id = d._carga_id
            and r._arquivo = d._arquivo
            and r._linha = d._linha
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

documentos_validos as (
    -- An invalid number identifies nobody; the other document may have a good one.
    select
        d.solicitacao_codigo,
        d.vigencia,
        d.eh_ultima,
        d.preferencia,
        d.paciente_cns is not null as tem_cns,
        d.paciente_cpf is not null as tem_cpf,
        case when {{ cns_is_valid('d.paciente_cns') }} then d.paciente_cns end as cns,
        case when {{ cpf_is_valid('d.paciente_cpf') }} then d.paciente_cpf end as cpf,
        {{ person_name('d.paciente_nome') }} as nome,
        {{ person_name('d.paciente_mae_nome') }} as mae_nome,
        d.paciente_data_nascimento as data_nascimento,
        {{ normalize_text('d.residencia_uf_sigla') }} as uf_sigla,
        {{ normalize_text('d.residencia_municipio_nome') }} as municipio_nome,
        -- Its punctuation tells the region: a bracket, a dash.
        upper({{ strip_accents('trim(d.residencia_bairro)') }}) as bairro
    from documentos as d
),

final as (
    select
        d.solicitacao_codigo,
        d.vigencia,
        d.eh_ultima,
        max(d.tem_cns) as tem_cns,
        max(d.tem_cpf) as tem_cpf,
        {%- for coluna in [
            'cns', 'cpf', 'nome', 'mae_nome', 'data_nascimento', 'uf_sigla', 'municipio_nome'
        ] %}
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
    group by d.solicitacao_codigo, d.vigencia, d.eh_ultima
)

select * from final
