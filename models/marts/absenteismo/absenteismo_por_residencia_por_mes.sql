-- Grain: month of the appointment, health region of residence, executing unit. Where those live who
-- were due; rules regra_absenteismo and regra_regiao_residencia.
with agendamentos as (
    select * from {{ ref('int_fila__agendamentos') }}
),

atributos as (
    select * from {{ ref('int_fila__atributos') }}
),

final as (
    select
        -- identificadores
        {{ competencia('g.momento_agendamento') }} as competencia,
        coalesce(a.regiao_saude_codigo, 'nao_identificada') as regiao_residencia_codigo,
        g.unidade_executante_cnes,
        -- quantidades
        cast(count(*) as integer) as qtd_agendamentos_devidos
    from agendamentos as g
    left join atributos as a
        on
            g.solicitacao_codigo = a.solicitacao_codigo
            and {{ in_force('a', 'g.momento_agendamento') }}
    where g.agendamento_desfecho in ('confirmada', 'falta', 'sem_confirmacao')
    group by
        {{ competencia('g.momento_agendamento') }},
        coalesce(a.regiao_saude_codigo, 'nao_identificada'),
        g.unidade_executante_cnes
)

select * from final
