-- Grain: rule, unit or procedure that had active slots and got no booking, of whatever date, in the
-- last days. Rule regra_alertas_da_oferta, criterion 7.
{% set desde = add_days(data_referencia(), 1 - setting('alerta_sem_marcacao_dias')) %}

with oferta as (
    select * from {{ ref('int_oferta__vagas_por_dia') }}
),

marcacoes as (
    select * from {{ ref('int_oferta__marcacoes') }}
),

ofertadas as (
    select
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        sum(o.qtd_vagas_total - o.qtd_vagas_bloqueadas) as qtd_vagas
    from oferta as o
    where o.data between {{ desde }} and {{ data_referencia() }}
    group by all
),

recentes as (
    select
        m.unidade_executante_cnes,
        m.procedimento_codigo
    from marcacoes as m
    where cast(m.momento_marcacao as date) between {{ desde }} and {{ data_referencia() }}
),

marcados as (
    select
        'unidade' as especie,
        r.unidade_executante_cnes as codigo
    from recentes as r

    union all

    select
        'procedimento' as especie,
        r.procedimento_codigo as codigo
    from recentes as r

    union all

    -- a booking names the member, also when it used the agenda of the group
    select
        'procedimento' as especie,
        concat(left(r.procedimento_codigo, 4), '000') as codigo
    from recentes as r
),

com_marcacao as (
    select
        m.especie,
        m.codigo,
        count(*) as qtd
    from marcados as m
    group by all
),

somadas as (
    select
        'unidade' as especie,
        o.unidade_executante_cnes as codigo,
        sum(o.qtd_vagas) as qtd_vagas
    from ofertadas as o
    group by o.unidade_executante_cnes

    union all

    select
        'procedimento' as especie,
        o.procedimento_codigo as codigo,
        sum(o.qtd_vagas) as qtd_vagas
    from ofertadas as o
    group by o.procedimento_codigo
),

final as (
    select
        -- identificadores
        {{ surrogate_key([
            "'sem_marcacao'",
            's.especie',
            's.codigo',
        ]) }} as alerta_id,
        concat(s.especie, '_sem_marcacao') as regra_codigo,
        case when s.especie = 'unidade' then s.codigo end as unidade_executante_cnes,
        case when s.especie = 'procedimento' then s.codigo end as procedimento_codigo,
        cast(null as string) as profissional_id,
        {{ competencia(data_referencia()) }} as competencia,
        -- quantidades
        cast(s.qtd_vagas as bigint) as qtd_vagas,
        -- textos
        'nenhuma marcação em {{ setting('alerta_sem_marcacao_dias') }} dias' as evidencia
    from somadas as s
    left join com_marcacao as c
        on s.especie = c.especie and s.codigo = c.codigo
    where s.qtd_vagas > 0 and c.qtd is null
)

select * from final
