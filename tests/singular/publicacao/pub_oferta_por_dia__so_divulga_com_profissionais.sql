-- A day of few professionals that tells what leaves block tells who was absent: with CNES's lists
-- of staff, a person's health. Nor may the rest of such a month tell it, which subtraction would
-- use.
with celulas as (
    select
        o.competencia,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        count(distinct o.profissional_id) as qtd_profissionais
    from {{ ref('oferta_por_dia') }} as o
    group by
        o.competencia,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        o.central_executora_codigo,
        o.data,
        o.vaga_tipo
),

pequenas as (
    select
        c.competencia,
        c.unidade_executante_cnes,
        c.procedimento_codigo
    from celulas as c
    where c.qtd_profissionais < {{ setting('minimo_profissionais') }}
    group by
        c.competencia,
        c.unidade_executante_cnes,
        c.procedimento_codigo
),

divulgados as (
    select
        d.competencia,
        d.unidade_executante_cnes,
        d.procedimento_codigo,
        'dia' as tabela
    from {{ ref('pub_oferta_por_dia') }} as d
    where
        coalesce(
            d.qtd_vagas_bloqueadas,
            d.qtd_vagas_bloqueadas_afastamento_unidade,
            d.qtd_vagas_bloqueadas_afastamento_profissional,
            d.qtd_vagas_ativas
        ) is not null

    union all

    select
        m.competencia,
        m.unidade_executante_cnes,
        m.procedimento_codigo,
        'mes' as tabela
    from {{ ref('pub_oferta_real_por_mes') }} as m
    where
        coalesce(
            m.qtd_vagas_bloqueadas_afastamento_unidade,
            m.qtd_vagas_bloqueadas_afastamento_profissional
        ) is not null
        or m.causa_principal in ('afastamento_unidade', 'afastamento_profissional')
)

select d.*
from divulgados as d
inner join pequenas as p
    on
        d.competencia = p.competencia
        and d.unidade_executante_cnes = p.unidade_executante_cnes
        and d.procedimento_codigo = p.procedimento_codigo
