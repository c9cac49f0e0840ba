-- Grain: one row per month, procedure, health region and risk in which something moved. Flows
-- count transitions: what leaves, in the cell where it waited; what comes, in the cell where it
-- begins. A `saldo_` is entries minus exits, so its running sum is the stock at the end of the
-- month, at the cost of the movements alone. Rule regra_estoque_fila.
{% set celula = ['procedimento_codigo', 'regiao_saude_codigo', 'risco_codigo'] %}
{#- Who counts from when to the end of the state. Nobody knows since when the deaths without a date
    are: apart from the dated ones, for as long as the request waits. -#}
{% set contados = [
    ('e.estado', 'estados', 'e.mes_inicio', 'true'),
    (
        "'pessoas'",
        'esperas_por_pessoa',
        'greatest(e.mes_inicio, e.coberto_ate)',
        '(e.coberto_ate is null or e.mes_fim_ou_nunca > e.coberto_ate)',
    ),
    (
        "'obitos'",
        'estados',
        'e.mes_obito',
        "e.estado = 'aguardando' and e.mes_obito < e.mes_fim_ou_nunca",
    ),
    (
        "'obitos_sem_data'",
        'estados',
        'e.mes_inicio',
        "e.estado = 'aguardando' and e.pessoa_tem_obito_sem_data",
    ),
] %}

with estados as (
    select
        e.procedimento_codigo,
        e.regiao_saude_codigo,
        e.risco_codigo,
        -- Whoever is linked to no person counts as one.
        coalesce(s.pessoa_id, s.solicitacao_codigo) as pessoa_id,
        e.estado,
        e.estado_anterior,
        e.motivo_anterior,
        e.estado_seguinte,
        e.motivo_seguinte,
        s.pessoa_tem_obito_sem_data,
        {{ competencia('e.data_inicio') }} as mes_inicio,
        {{ competencia('e.data_fim') }} as mes_fim,
        -- What has not ended outlives every month.
        coalesce({{ competencia('e.data_fim') }}, cast('9999-12-01' as date)) as mes_fim_ou_nunca,
        case
            when s.pessoa_data_obito <= {{ data_referencia() }}
                then {{ competencia('greatest(e.data_inicio, s.pessoa_data_obito)') }}
        end as mes_obito
    from {{ ref('int_fila__estadias') }} as e
    inner join {{ ref('int_fila__solicitacoes') }} as s
        on e.solicitacao_codigo = s.solicitacao_codigo
    where e.estado <> 'encerrada'
),

esperas_por_pessoa as (
    -- Of each wait only the months that no earlier wait of the same person covers.
    select
        e.*,
        max(e.mes_fim_ou_nunca) over (
            partition by
                e.procedimento_codigo, e.regiao_saude_codigo, e.risco_codigo, e.pessoa_id
            order by e.mes_inicio, e.mes_fim_ou_nunca
            rows between unbounded preceding and 1 preceding
        ) as coberto_ate
    from estados as e
    where e.estado = 'aguardando' and e.mes_inicio < e.mes_fim_ou_nunca
),

movimentos as (
    select
        e.mes_inicio as competencia,
        e.{{ celula | join(', e.') }},
        case
            when e.estado_anterior is null then 'entradas'
            when e.estado_anterior = 'mudanca' then 'reclassificadas_entrada'
            when e.estado_anterior = 'devolvida' then 'reenvios'
            when e.motivo_anterior = 'desaparecida' then 'reaparecimentos'
            else 'reaberturas'
        end as medida,
        1 as quantidade
    from estados as e
    where e.estado = 'aguardando'
    union all
    select
        e.mes_fim as competencia,
        e.{{ celula | join(', e.') }},
        case
            when e.estado_seguinte = 'mudanca' then 'reclassificadas_saida'
            when e.estado_seguinte = 'agendada' then 'agendamentos'
            when e.estado_seguinte = 'devolvida' then 'devolucoes'
            when e.motivo_seguinte = 'cancelada' then 'cancelamentos'
            when e.motivo_seguinte = 'negada' then 'negativas'
            when e.motivo_seguinte = 'desaparecida' then 'desaparecimentos'
            else 'outras_saidas'
        end as medida,
        1 as quantidade
    from estados as e
    where e.estado = 'aguardando' and e.mes_fim is not null
    union all
    {%- for medida, estados, inicio, condicao in contados %}
    select
        {{ inicio }} as competencia,
        e.{{ celula | join(', e.') }},
        {{ medida }} as medida,
        1 as quantidade
    from {{ estados }} as e
    where {{ condicao }}
    union all
    select
        e.mes_fim as competencia,
        e.{{ celula | join(', e.') }},
        {{ medida }} as medida,
        -1 as quantidade
    from {{ estados }} as e
    where e.mes_fim is not null and {{ condicao }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        m.competencia,
        m.procedimento_codigo,
        m.regiao_saude_codigo,
        m.risco_codigo,
        {%- for medida in queue_flows() %}
        sum(case when m.medida = '{{ medida }}' then m.quantidade else 0 end) as qtd_{{ medida }},
        {%- endfor %}
        {%- for medida, coluna in [
            ('aguardando', 'aguardando'),
            ('agendada', 'agendadas'),
            ('devolvida', 'devolvidas'),
            ('pessoas', 'pessoas_aguardando'),
            ('obitos_sem_data', 'aguardando_obito_sem_data')
        ] %}
        sum(case when m.medida = '{{ medida }}' then m.quantidade else 0 end) as saldo_{{ coluna }},
        {%- endfor %}
        sum(case when m.medida = 'obitos' then m.quantidade else 0 end) as saldo_aguardando_obito
    from movimentos as m
    group by all
)

select * from final
