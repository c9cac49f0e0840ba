-- Grain: one row per state of a request and cell of the queue in which it was counted meanwhile. A
-- change of procedure, region or risk during a state ends one stay and begins the next.
-- Rules regra_versao_vigente and regra_estoque_fila.
with intervalos as (
    select * from {{ ref('int_fila__intervalos') }}
),

atributos as (
    select * from {{ ref('int_fila__atributos') }}
),

encontros as (
    select
        i.*,
        a.vigencia,
        a.procedimento_codigo,
        a.regiao_saude_codigo,
        a.risco_codigo,
        coalesce(a.vale_de > i.momento_inicio, false) as comeca_por_mudanca,
        a.vale_ate is not null and (i.momento_fim is null or a.vale_ate < i.momento_fim)
            as termina_por_mudanca,
        a.vale_de,
        a.vale_ate
    from intervalos as i
    inner join atributos as a
        on
            i.solicitacao_codigo = a.solicitacao_codigo
            and (a.vale_ate is null or i.momento_inicio < a.vale_ate)
            and (
                a.vale_de is null
                or i.momento_inicio >= a.vale_de
                or i.momento_fim is null
                or i.momento_fim > a.vale_de
            )
),

final as (
    select
        e.solicitacao_codigo,
        e.ordem,
        e.vigencia,
        e.procedimento_codigo,
        e.regiao_saude_codigo,
        e.risco_codigo,
        e.estado,
        case when e.comeca_por_mudanca then 'mudanca' else e.estado_anterior end as estado_anterior,
        case when not e.comeca_por_mudanca then e.motivo_anterior end as motivo_anterior,
        case when e.termina_por_mudanca then 'mudanca' else e.estado_seguinte end
            as estado_seguinte,
        case when not e.termina_por_mudanca then e.motivo_seguinte end as motivo_seguinte,
        cast(case when e.comeca_por_mudanca then e.vale_de else e.momento_inicio end as date)
            as data_inicio,
        cast(case when e.termina_por_mudanca then e.vale_ate else e.momento_fim end as date)
            as data_fim
    from encontros as e
)

select * from final
