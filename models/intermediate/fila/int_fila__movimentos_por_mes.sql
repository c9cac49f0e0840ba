-- Grain: one row per month, procedure, health region and risk in which something moved. Flows count
-- transitions; a `saldo_` is entries minus exits, so its running sum is the stock at the end of the
-- month, at the cost of the movements alone. Rule regra_estoque_fila.
with intervalos as (
    select * from {{ ref('int_fila__intervalos') }}
),

solicitacoes as (
    select * from {{ ref('int_fila__solicitacoes') }}
),

estados as (
    select
        s.procedimento_codigo,
        s.regiao_saude_codigo,
        s.risco_codigo,
        -- Whoever is linked to no person counts as one.
        coalesce(s.pessoa_id, s.solicitacao_codigo) as pessoa_id,
        i.estado,
        i.estado_anterior,
        i.encerramento_motivo,
        s.pessoa_tem_obito_sem_data,
        {{ competencia('i.data_inicio') }} as mes_inicio,
        {{ competencia('i.data_fim') }} as mes_fim,
        -- What has not ended outlives every month.
        coalesce({{ competencia('i.data_fim') }}, cast('9999-12-01' as date)) as mes_fim_ou_nunca,
        case
            when s.pessoa_data_obito <= {{ data_referencia() }}
                then {{ competencia('greatest(i.data_inicio, s.pessoa_data_obito)') }}
        end as mes_obito
    from intervalos as i
    inner join solicitacoes as s on i.solicitacao_codigo = s.solicitacao_codigo
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
        e.procedimento_codigo,
        e.regiao_saude_codigo,
        e.risco_codigo,
        case
            when e.estado = 'aguardando' and e.estado_anterior is null then 'entradas'
            when e.estado = 'aguardando' then 'reenvios'
            when e.estado_anterior <> 'aguardando' then null
            when e.estado = 'agendada' then 'agendamentos'
            when e.estado = 'devolvida' then 'devolucoes'
            when e.encerramento_motivo = 'cancelada' then 'cancelamentos'
            when e.encerramento_motivo = 'negada' then 'negativas'
        end as medida,
        1 as quantidade
    from estados as e
    union all
    select
        e.mes_inicio as competencia,
        e.procedimento_codigo,
        e.regiao_saude_codigo,
        e.risco_codigo,
        e.estado as medida,
        1 as quantidade
    from estados as e
    union all
    select
        e.mes_fim as competencia,
        e.procedimento_codigo,
        e.regiao_saude_codigo,
        e.risco_codigo,
        e.estado as medida,
        -1 as quantidade
    from estados as e
    where e.mes_fim is not null
    union all
    select
        greatest(e.mes_inicio, e.coberto_ate) as competencia,
        e.procedimento_codigo,
        e.regiao_saude_codigo,
        e.risco_codigo,
        'pessoas' as medida,
        1 as quantidade
    from esperas_por_pessoa as e
    where e.coberto_ate is null or e.mes_fim_ou_nunca > e.coberto_ate
    union all
    select
        e.mes_fim as competencia,
        e.procedimento_codigo,
        e.regiao_saude_codigo,
        e.risco_codigo,
        'pessoas' as medida,
        -1 as quantidade
    from esperas_por_pessoa as e
    where e.mes_fim is not null and (e.coberto_ate is null or e.mes_fim > e.coberto_ate)
    union all
    select
        e.mes_obito as competencia,
        e.procedimento_codigo,
        e.regiao_saude_codigo,
        e.risco_codigo,
        'obitos' as medida,
        1 as quantidade
    from estados as e
    where e.estado = 'aguardando' and e.mes_obito < e.mes_fim_ou_nunca
    union all
    select
        e.mes_fim as competencia,
        e.procedimento_codigo,
        e.regiao_saude_codigo,
        e.risco_codigo,
        'obitos' as medida,
        -1 as quantidade
    from estados as e
    where e.estado = 'aguardando' and e.mes_obito < e.mes_fim
    union all
    -- Nobody knows since when: apart from the dated deaths, for as long as the request waits.
    select
        e.mes_inicio as competencia,
        e.procedimento_codigo,
        e.regiao_saude_codigo,
        e.risco_codigo,
        'obitos_sem_data' as medida,
        1 as quantidade
    from estados as e
    where e.estado = 'aguardando' and e.pessoa_tem_obito_sem_data
    union all
    select
        e.mes_fim as competencia,
        e.procedimento_codigo,
        e.regiao_saude_codigo,
        e.risco_codigo,
        'obitos_sem_data' as medida,
        -1 as quantidade
    from estados as e
    where e.estado = 'aguardando' and e.pessoa_tem_obito_sem_data and e.mes_fim is not null
),

final as (
    select
        m.competencia,
        m.procedimento_codigo,
        m.regiao_saude_codigo,
        m.risco_codigo,
        {%- for medida, coluna in [
            ('entradas', 'qtd_entradas'),
            ('agendamentos', 'qtd_agendamentos'),
            ('devolucoes', 'qtd_devolucoes'),
            ('reenvios', 'qtd_reenvios'),
            ('cancelamentos', 'qtd_cancelamentos'),
            ('negativas', 'qtd_negativas'),
            ('aguardando', 'saldo_aguardando'),
            ('agendada', 'saldo_agendadas'),
            ('devolvida', 'saldo_devolvidas'),
            ('pessoas', 'saldo_pessoas_aguardando'),
            ('obitos_sem_data', 'saldo_aguardando_obito_sem_data')
        ] %}
        sum(case when m.medida = '{{ medida }}' then m.quantidade else 0 end) as {{ coluna }},
        {%- endfor %}
        sum(case when m.medida = 'obitos' then m.quantidade else 0 end) as saldo_aguardando_obito
    from movimentos as m
    group by m.competencia, m.procedimento_codigo, m.regiao_saude_codigo, m.risco_codigo
)

select * from final
