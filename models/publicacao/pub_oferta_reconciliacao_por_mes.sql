-- Grain: month, explanation. The mart, less the differences of cells that few professionals serve
-- (regra_divulgacao_da_reconciliacao).
with explicacoes as (
    select * from {{ ref('oferta_reconciliacao_por_mes') }}
),

profissionais as (
    select
        {{ competencia('v.data') }} as competencia,
        v.central_executora_codigo,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        v.profissional_id
    from {{ ref('int_oferta__vagas_por_dia') }} as v
    group by all
),

diferentes as (
    select
        r.competencia,
        r.explicacao,
        count(distinct p.profissional_id) as qtd_profissionais
    from {{ ref('oferta_reconciliacao') }} as r
    inner join profissionais as p
        on {{ same_place('r', 'p') }}
    where r.qtd_diferenca <> 0
    group by all
),

final as (
    select
        -- identificadores
        e.competencia,
        e.explicacao,
        -- quantidades
        e.qtd_celulas,
        e.pct_celulas,
        case
            when
                e.qtd_vagas_de_diferenca = 0
                or d.qtd_profissionais >= {{ setting('minimo_profissionais') }}
                then e.qtd_vagas_de_diferenca
        end as qtd_vagas_de_diferenca
    from explicacoes as e
    left join diferentes as d
        on e.competencia = d.competencia and e.explicacao = d.explicacao
)

select * from final
