-- Grain: month of the appointment, dimension and class. Who comes, by how long they waited, how far
-- ahead they were booked, where the unit is and for what kind of slot. Indicators 47 to 49.
-- Rule regra_absenteismo: an association, never a cause.
{% set dimensoes = {
    'faixa_espera': 'faixa_espera',
    'antecedencia': 'antecedencia',
    'deslocamento': 'deslocamento',
    'vaga_tipo': 'vaga_tipo',
} %}

{% set desfechos = {
    'confirmados': 'confirmada',
    'faltas': 'falta',
    'sem_confirmacao': 'sem_confirmacao',
} %}

with agendamentos as (
    select * from {{ ref('int_fila__agendamentos') }}
),

atributos as (
    select * from {{ ref('int_fila__atributos') }}
),

unidades as (
    select * from {{ ref('dim_estabelecimentos') }}
),

devidos as (
    select
        {{ competencia('g.momento_agendamento') }} as competencia,
        g.agendamento_desfecho,
        {{ days_between('g.momento_solicitacao', 'g.momento_agendamento') }} as dias_espera,
        {{ days_between('g.momento_agendada', 'g.momento_agendamento') }} as dias_aviso,
        g.vaga_consumida_tipo,
        coalesce(a.regiao_saude_codigo, 'nao_identificada') as regiao_residencia,
        coalesce(u.regiao_saude_codigo, 'nao_identificada') as regiao_unidade
    from agendamentos as g
    left join atributos as a
        on
            g.solicitacao_codigo = a.solicitacao_codigo
            and {{ in_force('a', 'g.momento_agendamento') }}
    left join unidades as u on g.unidade_executante_cnes = u.unidade_cnes
    where g.agendamento_desfecho in ('confirmada', 'falta', 'sem_confirmacao')
),

classificados as (
    select
        d.competencia,
        d.agendamento_desfecho,
        case when d.dias_espera >= 0 then {{ wait_band('d.dias_espera') }} end as faixa_espera,
        case
            when d.dias_aviso < 0 then null
            when d.dias_aviso <= 7 then 'aviso_ate_7'
            when d.dias_aviso <= 15 then 'aviso_8_a_15'
            when d.dias_aviso <= 30 then 'aviso_16_a_30'
            when d.dias_aviso <= 60 then 'aviso_31_a_60'
            when d.dias_aviso > 60 then 'aviso_acima_de_60'
        end as antecedencia,
        {{ displacement('d.regiao_residencia', 'd.regiao_unidade') }} as deslocamento,
        {{ consumed_slot_kind('d.vaga_consumida_tipo') }} as vaga_tipo
    from devidos as d
),

classes as (
    {%- for dimensao, coluna in dimensoes.items() %}
    select
        c.competencia,
        '{{ dimensao }}' as dimensao,
        coalesce(c.{{ coluna }}, 'nao_informado') as classe,
        c.agendamento_desfecho
    from classificados as c
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

contagens as (
    select
        c.competencia,
        c.dimensao,
        c.classe,
        {%- for coluna, desfecho in desfechos.items() %}
        sum(
            case when c.agendamento_desfecho = '{{ desfecho }}' then 1 else 0 end
        ) as qtd_{{ coluna }},
        {%- endfor %}
        count(*) as qtd_agendamentos_devidos
    from classes as c
    group by c.competencia, c.dimensao, c.classe
),

final as (
    select
        c.competencia,
        c.dimensao,
        c.classe,
        cast(c.qtd_agendamentos_devidos as integer) as qtd_agendamentos_devidos,
        {%- for coluna in desfechos %}
        cast(c.qtd_{{ coluna }} as integer) as qtd_{{ coluna }},
        {%- endfor %}
        {{ absence_shares('c') }}
    from contagens as c
)

select * from final
