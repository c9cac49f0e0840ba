-- The shares are means over single bookings here, and quotients of sums in the mart: a fan-out, an
-- outcome charged to another one or a wrong denominator moves one of the two only.
with agendamentos as (
    select
        m.competencia,
        m.unidade_executante_cnes,
        m.procedimento_codigo,
        case when m.marcacao_destino = 'falta' then 100.0 else 0.0 end as falta,
        case when m.marcacao_destino = 'confirmada' then 0.0 else 100.0 end as falta_possivel,
        case when m.marcacao_destino = 'sem_confirmacao' then 100.0 else 0.0 end as sem_noticia,
        case m.marcacao_destino when 'falta' then 100.0 when 'confirmada' then 0.0 end
            as falta_conhecida
    from {{ ref('int_oferta__marcacoes') }} as m
    where m.marcacao_destino in ('confirmada', 'falta', 'sem_confirmacao')
),

contadas as (
    select
        g.competencia,
        g.unidade_executante_cnes,
        g.procedimento_codigo,
        count(*) as qtd_devidos,
        count(g.falta_conhecida) as qtd_conhecidos,
        avg(cast(g.falta as double)) as pct_falta_minimo,
        avg(cast(g.falta_possivel as double)) as pct_falta_maximo,
        avg(cast(g.sem_noticia as double)) as pct_sem_confirmacao,
        avg(cast(g.falta_conhecida as double)) as pct_falta_conhecida
    from agendamentos as g
    group by
        g.competencia,
        g.unidade_executante_cnes,
        g.procedimento_codigo
)

select
    coalesce(a.competencia, c.competencia) as competencia,
    coalesce(a.unidade_executante_cnes, c.unidade_executante_cnes) as unidade_executante_cnes,
    coalesce(a.procedimento_codigo, c.procedimento_codigo) as procedimento_codigo,
    a.qtd_agendamentos_devidos,
    c.qtd_devidos
from {{ ref('absenteismo_por_mes') }} as a
full outer join contadas as c
    on
        a.competencia = c.competencia
        and a.unidade_executante_cnes = c.unidade_executante_cnes
        and a.procedimento_codigo = c.procedimento_codigo
where
    a.qtd_agendamentos_devidos is distinct from c.qtd_devidos
    or a.qtd_confirmados + a.qtd_faltas is distinct from c.qtd_conhecidos
    or (a.pct_falta_desfecho_conhecido is null) <> (c.pct_falta_conhecida is null)
    or abs(a.pct_falta_desfecho_conhecido - c.pct_falta_conhecida) > 0.000001
    or abs(a.pct_falta_minimo - c.pct_falta_minimo) > 0.000001
    or abs(a.pct_falta_maximo - c.pct_falta_maximo) > 0.000001
    or abs(a.pct_sem_confirmacao - c.pct_sem_confirmacao) > 0.000001
