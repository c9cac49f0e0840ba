-- Grain: procedure that somebody waits for and nobody offers in the month after the last complete
-- one. An unknown offer is no zero. Rule regra_alertas_da_oferta, criterion 6.
{% set observado = competencia(add_days(data_referencia(), 1)) %}

with fila as (
    select * from {{ ref('int_fila__movimentos_por_mes') }}
),

oferta as (
    select * from {{ ref('int_oferta__limites') }}
),

escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

esperas as (
    select
        f.procedimento_codigo,
        -- entries minus exits since the beginning: who waits on the reference day
        sum(f.saldo_aguardando) as qtd_aguardando
    from fila as f
    where f.procedimento_codigo <> 'nao_informado'
    group by f.procedimento_codigo
),

-- what offers, or may offer: a real offer above zero, an unknown one, a schedule without end
ofertantes as (
    select o.procedimento_codigo
    from oferta as o
    where o.competencia = {{ observado }} and coalesce(o.qtd_oferta_real, 1) > 0

    union all

    select e.procedimento_codigo
    from escalas as e
    where
        e.eh_vigente
        and e.escala_situacao = 'ATIVA'
        and e.data_vigencia_final is null
),

procedimentos as (
    select
        o.procedimento_codigo,
        count(*) as qtd
    from ofertantes as o
    group by o.procedimento_codigo
),

final as (
    select
        -- identificadores
        {{ surrogate_key([
            "'fila_sem_oferta'",
            'e.procedimento_codigo',
        ]) }} as alerta_id,
        'fila_sem_oferta' as regra_codigo,
        cast(null as string) as unidade_executante_cnes,
        e.procedimento_codigo,
        cast(null as string) as profissional_id,
        {{ observado }} as competencia,
        -- quantidades
        cast(e.qtd_aguardando as bigint) as qtd_vagas,
        -- textos
        concat(cast(e.qtd_aguardando as string), ' pedido(s) aguardando e nenhuma vaga real')
            as evidencia
    from esperas as e
    left join procedimentos as p
        on e.procedimento_codigo = p.procedimento_codigo
    -- the agenda of the group serves its members
    left join procedimentos as g
        on concat(left(e.procedimento_codigo, 4), '000') = g.procedimento_codigo
    where e.qtd_aguardando > 0 and p.qtd is null and g.qtd is null
)

select * from final
