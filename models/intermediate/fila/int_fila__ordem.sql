-- Grain: one row per booking of somebody who waited: whether one older and at least as urgent
-- waited on, and the first reason that explains it. Rule regra_ordem_fila.
--
-- Somebody was passed over if the running maximum of the ends of those before is after the booking:
-- one sort for each step, each among fewer. Who stands for more than one urgency, quota or priority
-- is there once for each.
{% set espera = "l.estado = 'aguardando'" %}
{% set daqui = espera ~ " and l.regiao_saude_codigo <> 'nao_identificada'" %}
{% set igual = ['regiao_saude_codigo', 'cota', 'tem_varios_procedimentos'] %}
{% set degraus = [
    ('em_ordem', 'data_fim', [], 'data_chegada'),
    ('interrompida', 'fim_de_quem_espera', [], 'data_inicio'),
    ('territorio', 'fim_de_quem_e_daqui', igual[:1], 'data_inicio'),
    ('cota', 'fim_de_quem_e_daqui', igual[:2], 'data_inicio'),
    ('varios_procedimentos', 'fim_de_quem_e_daqui', igual, 'data_inicio'),
    ('sem_contato', 'fim_de_quem_se_alcanca', igual, 'data_inicio'),
    ('data_desejada', 'fim_de_quem_se_alcanca', igual, 'data_inicio_desejada'),
    ('prioridade_legal', 'fim_de_quem_se_alcanca', igual + ['prioridade'], 'data_inicio_desejada'),
] %}

with lugares as (
    select * from {{ ref('int_fila__lugares') }}
),

cotas as (
    select * from {{ ref('int_fila__cotas') }}
),

unidades_com_cota as (
    select
        c.unidade_solicitante_cnes,
        c.procedimento_codigo
    from cotas as c
    group by all
),

direitos as (
    {%- for risco, prioridade in modules.itertools.product(range(1, 5), range(3)) %}
    select
        '{{ risco }}' as risco,
        {{ prioridade }} as prioridade
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

agendamentos as (
    select
        l.*,
        l.eh_fim_inferido or l.risco_codigo = 'nao_informado' as eh_incomparavel,
        case when c.unidade_solicitante_cnes is not null then l.unidade_solicitante_cnes end as cota
    from lugares as l
    left join cotas as c
        on
            l.unidade_solicitante_cnes = c.unidade_solicitante_cnes
            and l.procedimento_codigo = c.procedimento_codigo
            and {{ competencia('l.data_agendamento') }} = c.competencia
    where l.data_agendamento is not null
),

de_cotas as (
    select
        l.*,
        cast(null as string) as cota
    from lugares as l
    union all
    select
        l.*,
        l.unidade_solicitante_cnes as cota
    from lugares as l
    inner join unidades_com_cota as c
        on
            l.unidade_solicitante_cnes = c.unidade_solicitante_cnes
            and l.procedimento_codigo = c.procedimento_codigo
),

linhas as (
    select
        a.solicitacao_codigo,
        a.ordem,
        a.data_agendamento,
        a.fila,
        a.risco_codigo as risco,
        a.prioridade_fim as prioridade,
        a.{{ igual | join(', a.') }},
        a.data_solicitacao as data_chegada,
        a.data_solicitacao as data_inicio,
        a.data_solicitacao as data_inicio_desejada,
        cast(null as date) as data_fim,
        cast(null as date) as fim_de_quem_espera,
        cast(null as date) as fim_de_quem_e_daqui,
        cast(null as date) as fim_de_quem_se_alcanca
    from agendamentos as a
    where not a.eh_incomparavel
    union all
    select
        cast(null as string) as solicitacao_codigo,
        cast(null as integer) as ordem,
        cast(null as date) as data_agendamento,
        l.fila,
        d.risco,
        d.prioridade,
        l.{{ igual | join(', l.') }},
        l.data_chegada,
        l.data_inicio,
        l.data_inicio_desejada,
        l.data_fim,
        case when {{ espera }} then l.data_fim end as fim_de_quem_espera,
        case when {{ daqui }} then l.data_fim end as fim_de_quem_e_daqui,
        case when {{ daqui }} and l.tem_contato then l.data_fim end as fim_de_quem_se_alcanca
    from de_cotas as l
    inner join direitos as d
        on l.risco_codigo <= d.risco and l.prioridade_inicio >= d.prioridade
),

comparadas as (
    select
        {%- for motivo, fim, colunas, posicao in degraus %}
        max(l.{{ fim }}) over (
            partition by l.{{ (['fila', 'risco'] + colunas) | join(', l.') }}
            -- Of one day, nobody is before another.
            order by l.{{ posicao }}, case when l.data_agendamento is null then 1 else 0 end
            rows between unbounded preceding and current row
        ) as fim_{{ motivo }},
        {%- endfor %}
        l.solicitacao_codigo,
        l.ordem
    from linhas as l
),

final as (
    select
        a.solicitacao_codigo,
        a.ordem,
        a.procedimento_codigo,
        a.data_agendamento,
        case
            when a.eh_incomparavel then 'sem_comparacao'
            {%- for motivo, _, _, _ in degraus %}
            when not coalesce(c.fim_{{ motivo }} > a.data_agendamento, false) then '{{ motivo }}'
            {%- endfor %}
            else 'sem_explicacao'
        end as ordem_situacao
    from agendamentos as a
    left join comparadas as c
        on a.solicitacao_codigo = c.solicitacao_codigo and a.ordem = c.ordem
)

select * from final
