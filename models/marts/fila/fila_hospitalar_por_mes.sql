-- Grain: month, character and clinic of the bed. Who asks to be admitted, who was, and who waits.
-- Rule regra_fila_hospitalar; few cases show no percentile.
with solicitacoes as (
    select * from {{ ref('int_fila__hospitalares') }}
),

esperas as (
    select
        s.*,
        case when s.estado = 'desconhecida' then 'desconhecida' else 'aguardando' end as fato,
        {{ explode_months(
            competencia('s.data_solicitacao'),
            competencia(
                'coalesce(' ~ add_days(competencia('s.data_saida'), -1) ~ ', ' ~ data_referencia() ~ ')'
            )
        ) }} as competencia
    from solicitacoes as s
),

fatos as (
    select
        {{ competencia('s.data_solicitacao') }} as competencia,
        s.carater,
        s.clinica_nome,
        'entrada' as fato,
        cast(null as integer) as dias
    from solicitacoes as s
    union all
    select
        {{ competencia('s.data_saida') }} as competencia,
        s.carater,
        s.clinica_nome,
        s.estado as fato,
        {{ days_between('s.data_solicitacao', 's.data_internacao') }} as dias
    from solicitacoes as s
    where s.data_saida is not null
    union all
    select
        e.competencia,
        e.carater,
        e.clinica_nome,
        e.fato,
        {{ days_between(
            'e.data_solicitacao',
            'least(' ~ last_day_of_month('e.competencia') ~ ', ' ~ data_referencia() ~ ')'
        ) }} as dias
    from esperas as e
),

medidos as (
    select
        f.*,
        case
            when
                f.fato = 'internada'
                and f.dias between 0 and {{ setting('dias_espera_maximo') }}
                then f.dias
        end as dias_ate_internar,
        case
            when f.fato = 'aguardando' and f.dias <= {{ setting('dias_espera_maximo') }}
                then f.dias
        end as dias_na_espera
    from fatos as f
),

final as (
    select
        m.competencia,
        m.carater,
        m.clinica_nome,
        {%- for coluna, fato in [
            ('pedidos_de_internacao', 'entrada'),
            ('internacoes', 'internada'),
            ('saidas_sem_internacao', 'sem_internacao'),
            ('aguardando_leito', 'aguardando'),
            ('internacoes_de_situacao_desconhecida', 'desconhecida'),
        ] %}
        cast(sum(case when m.fato = '{{ fato }}' then 1 else 0 end) as integer) as qtd_{{ coluna }},
        {%- endfor %}
        {%- for coluna, dias in [
            ('dias_ate_internar', 'm.dias_ate_internar'), ('dias_aguardando_leito', 'm.dias_na_espera')
        ] %}
        {%- for fracao, nome in [(0.5, 'p50'), (0.9, 'p90')] %}
        case
            when count({{ dias }}) >= {{ setting('minimo_percentil') }}
                then cast({{ percentile(dias, fracao) }} as double)
        end as {{ coluna }}_{{ nome }},
        {%- endfor %}
        {%- endfor %}
        cast(
            sum(case when m.fato = 'internada' then 1 else 0 end) - count(m.dias_ate_internar)
            as integer
        ) as qtd_internacoes_implausiveis
    from medidos as m
    group by m.competencia, m.carater, m.clinica_nome
)

select * from final
