-- The dated events and the situation tell one story: if the last state derived from events
-- differed from what the source says, the queue would count whom the source does not. Requests that
-- changed after data_referencia, that the source lost, and those whose situation tells nothing are
-- left out.
with solicitacoes as (
    select * from {{ ref('int_fila__solicitacoes') }}
),

estados_finais as (
    select *
    from {{ ref('int_fila__intervalos') }}
    where momento_fim is null
),

agendamentos as (
    select
        a.solicitacao_codigo,
        max(a.momento_agendamento) as momento_agendamento
    from {{ ref('int_fila__agendamentos') }} as a
    where a.proxima_agendada is null
    group by a.solicitacao_codigo
)

select
    s.solicitacao_codigo,
    s.situacao_grupo,
    e.estado
from solicitacoes as s
left join estados_finais as e on s.solicitacao_codigo = e.solicitacao_codigo
left join agendamentos as a on s.solicitacao_codigo = a.solicitacao_codigo
where
    s.situacao_grupo <> 'indefinida'
    and cast(s.momento_atualizacao as date) <= {{ data_referencia() }}
    and s.momento_solicitacao is not null
    and coalesce(e.encerramento_motivo, '') <> 'desaparecida'
    and e.estado is distinct from case
        when s.situacao_grupo in ('aguardando', 'devolvida') then s.situacao_grupo
        when s.situacao_grupo = 'agendada' and a.momento_agendamento is null then 'agendada'
        when s.situacao_grupo not in ('agendada', 'confirmada', 'falta') then 'encerrada'
        when cast(a.momento_agendamento as date) > {{ data_referencia() }} then 'agendada'
        else 'encerrada'
    end
