-- Grain: one row per month, request and what it did in it: it was seen, or waited at its end, which
-- in the month under way is the reference day. Rule regra_relogio_espera.
with agendamentos as (
    select * from {{ ref('int_fila__agendamentos') }}
),

solicitacoes as (
    select * from {{ ref('int_fila__solicitacoes') }}
),

atributos as (
    select * from {{ ref('int_fila__atributos') }}
),

estadias as (
    select * from {{ ref('int_fila__estadias') }}
),

atendidos as (
    select
        g.solicitacao_codigo,
        g.marcacao_codigo,
        {{ competencia('g.momento_agendamento') }} as competencia,
        a.procedimento_codigo,
        a.regiao_saude_codigo,
        a.risco_codigo,
        'atendido' as situacao,
        {{ days_between('g.momento_solicitacao', 'g.momento_agendamento') }} as dias,
        cast(null as date) as data_inicio
    from agendamentos as g
    inner join atributos as a
        on
            g.solicitacao_codigo = a.solicitacao_codigo
            and {{ in_force('a', 'g.momento_agendamento') }}
    where
        g.agendamento_desfecho = 'confirmada'
        and coalesce(g.vaga_consumida_tipo, '') <> '2'
),

esperas_por_fim_de_mes as (
    select
        e.solicitacao_codigo,
        e.procedimento_codigo,
        e.regiao_saude_codigo,
        e.risco_codigo,
        e.data_inicio,
        s.momento_solicitacao,
        {{ explode_months(
            competencia('e.data_inicio'),
            competencia(
                'coalesce(' ~ add_days(competencia('e.data_fim'), -1) ~ ', ' ~ data_referencia() ~ ')'
            )
        ) }} as competencia
    from estadias as e
    inner join solicitacoes as s on e.solicitacao_codigo = s.solicitacao_codigo
    where e.estado = 'aguardando'
),

aguardando as (
    select
        e.solicitacao_codigo,
        'nenhuma' as marcacao_codigo,
        e.competencia,
        e.procedimento_codigo,
        e.regiao_saude_codigo,
        e.risco_codigo,
        'aguardando' as situacao,
        {{ days_between(
            'e.momento_solicitacao',
            'least(' ~ dbt.last_day('e.competencia', 'month') ~ ', ' ~ data_referencia() ~ ')'
        ) }} as dias,
        e.data_inicio
    from esperas_por_fim_de_mes as e
),

final as (
    select * from atendidos
    union all
    select * from aguardando
)

select * from final
