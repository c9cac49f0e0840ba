-- Grain: one row per request that entered the queue, with the day and the reason of its end. The
-- newest fact decides: a request that came back has not ended. Rule regra_percurso_pedido.
with intervalos as (
    select * from {{ ref('int_fila__intervalos') }}
),

agendamentos as (
    select * from {{ ref('int_fila__agendamentos') }}
),

atributos as (
    select * from {{ ref('int_fila__atributos') }}
),

solicitacoes as (
    select * from {{ ref('int_fila__solicitacoes') }}
),

atendimentos as (
    select
        a.solicitacao_codigo,
        cast(min(a.momento_agendamento) as date) as data_atendimento
    from agendamentos as a
    where a.agendamento_desfecho = 'confirmada'
    group by a.solicitacao_codigo
),

encerramentos as (
    select
        i.solicitacao_codigo,
        i.data_inicio as data_encerramento,
        i.encerramento_motivo
    from intervalos as i
    where i.estado = 'encerrada' and i.momento_fim is null
),

fatos as (
    select
        s.solicitacao_codigo,
        cast(s.momento_solicitacao as date) as data_entrada,
        t.data_atendimento,
        coalesce(t.data_atendimento, e.data_encerramento) as data_encerramento,
        case when t.data_atendimento is null then e.encerramento_motivo else 'atendida' end
            as encerramento_motivo,
        case when s.pessoa_data_obito <= {{ data_referencia() }} then s.pessoa_data_obito end
            as data_obito
    from solicitacoes as s
    inner join intervalos as i on s.solicitacao_codigo = i.solicitacao_codigo and i.ordem = 1
    left join atendimentos as t on s.solicitacao_codigo = t.solicitacao_codigo
    left join encerramentos as e on s.solicitacao_codigo = e.solicitacao_codigo
),

final as (
    select
        f.solicitacao_codigo,
        a.procedimento_codigo,
        a.regiao_saude_codigo,
        a.risco_codigo,
        f.data_entrada,
        f.data_atendimento,
        least(f.data_encerramento, f.data_obito) as data_saida,
        case
            -- Who was seen on the day of death was seen.
            when coalesce(f.data_obito < f.data_encerramento, f.data_obito is not null) then 'obito'
            else f.encerramento_motivo
        end as saida_motivo
    from fatos as f
    inner join atributos as a on f.solicitacao_codigo = a.solicitacao_codigo and a.vigencia = 1
)

select * from final
