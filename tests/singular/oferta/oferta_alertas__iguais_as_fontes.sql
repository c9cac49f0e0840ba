-- An alert that counts slots or requests which its source does not have would send people after
-- nothing: the stakes of each rule are summed again here, straight from the marts.
with alertas as (
    select * from {{ ref('oferta_alertas') }}
),

fila as (
    select * from {{ ref('fila_por_mes') }}
),

oferta as (
    select * from {{ ref('oferta_por_dia') }}
),

horas as (
    select * from {{ ref('oferta_horas_por_mes') }}
),

pedidos as (
    select
        f.procedimento_codigo,
        sum(f.qtd_aguardando) as qtd
    from fila as f
    where f.competencia = {{ competencia(data_referencia()) }}
    group by f.procedimento_codigo
),

vagas as (
    select
        o.unidade_executante_cnes,
        sum(o.qtd_vagas_ativas) as qtd
    from oferta as o
    where
        o.data between {{ add_days(data_referencia(), 1 - setting('alerta_sem_marcacao_dias')) }}
        and {{ data_referencia() }}
    group by o.unidade_executante_cnes
),

observadas as (
    select
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        o.profissional_id,
        sum(o.qtd_vagas_total) as qtd
    from oferta as o
    where o.competencia = {{ competencia(add_days(data_referencia(), 1)) }}
    group by
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        o.profissional_id
)

select
    a.alerta_id,
    a.regra_codigo,
    a.qtd_vagas
from alertas as a
left join pedidos as p
    on a.procedimento_codigo = p.procedimento_codigo
left join vagas as v
    on a.unidade_executante_cnes = v.unidade_executante_cnes
left join observadas as o
    on
        a.unidade_executante_cnes = o.unidade_executante_cnes
        and a.procedimento_codigo = o.procedimento_codigo
        and a.profissional_id is not distinct from o.profissional_id
left join horas as h
    on
        a.unidade_executante_cnes = h.unidade_executante_cnes
        and a.profissional_id = h.profissional_id
        and a.competencia = h.competencia
where
    (a.regra_codigo = 'fila_sem_oferta' and a.qtd_vagas is distinct from p.qtd)
    or (a.regra_codigo = 'unidade_sem_marcacao' and a.qtd_vagas is distinct from v.qtd)
    or (a.regra_codigo = 'oferta_desaparecida' and coalesce(o.qtd, 0) > 0)
    or (a.regra_codigo = 'queda_de_oferta' and coalesce(o.qtd, 0) = 0)
    or (
        a.regra_codigo = 'oferta_sem_contrato'
        and a.qtd_vagas is distinct from h.qtd_vagas_total - h.qtd_vagas_em_feriado
    )
    or (
        a.regra_codigo = 'horas_acima_do_contrato'
        and (h.qtd_contratos is null or a.qtd_vagas > h.qtd_vagas_total - h.qtd_vagas_em_feriado)
    )
    or (
        a.regra_codigo = 'horas_abaixo_do_contrato'
        and coalesce(h.horas_ofertadas >= h.horas_contratadas, true)
    )
