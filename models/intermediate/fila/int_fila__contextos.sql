{{ config(materialized='ephemeral') }}

-- Grain: one row per ambulatory request with what may explain its place in the order, as the newest
-- documents in force give it. Ephemeral: the birthday passes through and is stored nowhere.
{% set lidas = [
    'central_reguladora_codigo',
    'data_desejada',
    'paciente_data_nascimento',
    'tem_contato',
] %}

with vigencias as (
    select *
    from {{ ref('int_fila__vigencias') }}
    where eh_ultima
),

versoes as (
    select * from {{ ref('int_fila__versoes') }}
),

documentos as (
    {%- for indice, tabela in [
        ('solicitacao', ref('stg_sisreg__solicitacoes_ambulatoriais')),
        ('marcacao', ref('stg_sisreg__marcacoes_ambulatoriais'))
    ] %}
    select
        v.solicitacao_codigo,
        case when v.indice_preferido = '{{ indice }}' then 1 else 2 end as preferencia,
        d.central_reguladora_codigo,
        d.data_desejada,
        d.paciente_data_nascimento,
        {{ has_phone('d.paciente_telefone') }} as tem_contato,
        {% if indice == 'solicitacao' %}d.qtd_procedimentos{% else %}cast(null as integer){% endif %}
            as qtd_itens
    from vigencias as v
    inner join versoes as r
        on
            v.solicitacao_codigo = r.solicitacao_codigo
            and v.versao_{{ indice }} = r.versao
            and r.indice = '{{ indice }}'
    inner join {{ tabela }} as d
        on
            r._carga_id = d._carga_id
            and r._arquivo = d._arquivo
            and r._linha = d._linha
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

reunidos as (
    select
        d.solicitacao_codigo,
        {%- for coluna in lidas %}
        coalesce(
            max(case when d.preferencia = 1 then d.{{ coluna }} end),
            max(case when d.preferencia = 2 then d.{{ coluna }} end)
        ) as {{ coluna }},
        {%- endfor %}
        max(d.qtd_itens) as qtd_itens
    from documentos as d
    group by d.solicitacao_codigo
),

final as (
    select
        v.solicitacao_codigo,
        coalesce(r.central_reguladora_codigo, 'nao_informado') as central_reguladora_codigo,
        coalesce(v.regulacao_tipo, 'nao_informado') as regulacao_tipo,
        coalesce(v.vaga_solicitada_tipo, 'nao_informado') as vaga_solicitada_tipo,
        v.unidade_solicitante_cnes,
        r.data_desejada,
        coalesce(r.tem_contato, false) as tem_contato,
        coalesce(r.qtd_itens > 1, false) as tem_varios_procedimentos,
        {{ add_months('r.paciente_data_nascimento', 720) }} as data_60_anos,
        {{ add_months('r.paciente_data_nascimento', 960) }} as data_80_anos
    from vigencias as v
    left join reunidos as r on v.solicitacao_codigo = r.solicitacao_codigo
)

select * from final
