-- Grain: one row per request and period in which one state of knowledge of it was in force, the
-- documents of both indices together. Rules regra_versao_vigente and regra_estados_solicitacao.
with versoes as (
    select * from {{ ref('int_fila__versoes') }}
),

-- Versions are numbered in the order in which they come into force, so the greatest is the newest.
acumuladas as (
    select
        v.solicitacao_codigo,
        v.vale_de,
        max(case when v.indice = 'solicitacao' then v.versao end) over (
            partition by v.solicitacao_codigo
            order by v.momento_versao asc, v.indice desc, v.versao asc
            rows between unbounded preceding and current row
        ) as versao_solicitacao,
        max(case when v.indice = 'marcacao' then v.versao end) over (
            partition by v.solicitacao_codigo
            order by v.momento_versao asc, v.indice desc, v.versao asc
            rows between unbounded preceding and current row
        ) as versao_marcacao,
        row_number() over (
            partition by v.solicitacao_codigo, v.vale_de
            order by v.momento_versao desc, v.indice asc, v.versao desc
        ) as ordem_inversa
    from versoes as v
    where v.eh_conhecida
),

periodos as (
    select
        a.solicitacao_codigo,
        row_number() over (
            partition by a.solicitacao_codigo order by a.vale_de nulls first
        ) as vigencia,
        a.vale_de,
        lead(a.vale_de) over (
            partition by a.solicitacao_codigo order by a.vale_de nulls first
        ) as vale_ate,
        a.versao_solicitacao,
        a.versao_marcacao
    from acumuladas as a
    where a.ordem_inversa = 1
),

final as (
    select
        p.solicitacao_codigo,
        cast(p.vigencia as integer) as vigencia,
        p.vale_de,
        p.vale_ate,
        p.vale_ate is null as eh_ultima,
        p.versao_solicitacao,
        p.versao_marcacao,
        -- On a tie the booking knows more.
        case
            when m.versao is null or s.momento_atualizacao > m.momento_atualizacao
                then 'solicitacao'
            else 'marcacao'
        end as indice_preferido,
        {%- for coluna in [
            'momento_solicitacao',
            'momento_atualizacao',
            'risco_codigo',
            'regulacao_tipo',
            'vaga_solicitada_tipo',
            'grupo_codigo',
            'unidade_solicitante_cnes',
            'foi_visualizada_regulador',
        ] %}
        case
            when m.versao is null or s.momento_atualizacao > m.momento_atualizacao
                then coalesce(s.{{ coluna }}, m.{{ coluna }})
            else coalesce(m.{{ coluna }}, s.{{ coluna }})
        end as {{ coluna }},
        {%- endfor %}
        -- The situation is never mixed: its parts mean nothing apart.
        case
            when m.versao is null or s.momento_atualizacao > m.momento_atualizacao
                then s.situacao_grupo
            else m.situacao_grupo
        end as situacao_grupo,
        s.procedimento_solicitado_codigo,
        m.procedimento_agendado_codigo
    from periodos as p
    left join versoes as s
        on
            p.solicitacao_codigo = s.solicitacao_codigo
            and p.versao_solicitacao = s.versao
            and s.indice = 'solicitacao'
    left join versoes as m
        on
            p.solicitacao_codigo = m.solicitacao_codigo
            and p.versao_marcacao = m.versao
            and m.indice = 'marcacao'
)

select * from final
