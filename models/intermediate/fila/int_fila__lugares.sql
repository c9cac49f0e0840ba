-- Grain: one row per stay in the queue, waiting or returned, with what its place in the order
-- depends on. Rule regra_ordem_fila.
with contextos as (
    select * from {{ ref('int_fila__contextos') }}
),

solicitacoes as (
    select * from {{ ref('int_fila__solicitacoes') }}
),

intervalos as (
    select * from {{ ref('int_fila__intervalos') }}
),

estadias as (
    select
        e.*,
        -- Only among these is one request before another. A number is sorted at less than a text.
        dense_rank() over (
            order by
                e.procedimento_codigo,
                c.central_reguladora_codigo,
                c.regulacao_tipo,
                c.vaga_solicitada_tipo
        ) as fila,
        c.unidade_solicitante_cnes,
        c.data_desejada,
        c.tem_contato,
        c.tem_varios_procedimentos,
        c.data_60_anos,
        c.data_80_anos,
        cast(s.momento_solicitacao as date) as data_solicitacao,
        s.pessoa_data_obito,
        s.pessoa_tem_obito_sem_data,
        coalesce(i.eh_inferido, false) as eh_fim_inferido
    from {{ ref('int_fila__estadias') }} as e
    inner join contextos as c on e.solicitacao_codigo = c.solicitacao_codigo
    inner join solicitacoes as s on e.solicitacao_codigo = s.solicitacao_codigo
    left join intervalos as i
        on e.solicitacao_codigo = i.solicitacao_codigo and e.ordem + 1 = i.ordem
    where e.estado in ('aguardando', 'devolvida')
),

comparadas as (
    select
        e.*,
        coalesce(
            e.ordem - lag(e.ordem) over antes <= 1
            and e.fila = lag(e.fila) over antes
            and e.risco_codigo = lag(e.risco_codigo) over antes,
            false
        ) as continua
    from estadias as e
    window antes as (partition by e.solicitacao_codigo order by e.ordem, e.vigencia)
),

final as (
    select
        c.solicitacao_codigo,
        c.ordem,
        c.vigencia,
        c.estado,
        c.fila,
        c.procedimento_codigo,
        c.risco_codigo,
        c.regiao_saude_codigo,
        c.unidade_solicitante_cnes,
        c.tem_contato,
        c.tem_varios_procedimentos,
        c.data_solicitacao,
        {{ last_known('case when not c.continua then c.data_inicio end') }} over (
            partition by c.solicitacao_codigo
            order by c.ordem, c.vigencia
            rows between unbounded preceding and current row
        ) as data_chegada,
        c.data_inicio,
        greatest(c.data_inicio, c.data_desejada) as data_inicio_desejada,
        -- Nobody passes over the dead, nor over whom nobody knows since when they are.
        case
            when not c.pessoa_tem_obito_sem_data
                then least(c.data_fim, c.pessoa_data_obito, {{ ending() }})
        end as data_fim,
        {{ legal_priority('c', 'c.data_inicio') }} as prioridade_inicio,
        case
            when c.estado = 'aguardando' and c.estado_seguinte = 'agendada' then c.data_fim
        end as data_agendamento,
        {{ legal_priority('c', 'c.data_fim') }} as prioridade_fim,
        c.eh_fim_inferido
    from comparadas as c
)

select * from final
