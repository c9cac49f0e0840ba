-- Grain: month, what happened, dimension and class. By how many days the wait of a class differs
-- from the usual one for the same procedure and risk, with an interval. Indicators 52 and 53.
-- Rule regra_diferencas_espera; classes of few cases show no number.
{% set dimensoes = ['regiao', 'sexo', 'raca_cor'] %}

with esperas as (
    select *
    from {{ ref('int_fila__esperas') }}
    where dias between 0 and {{ setting('dias_espera_maximo') }}
),

perfis as (
    select * from {{ ref('int_pessoas__perfis') }}
),

medianas as (
    select
        e.competencia,
        e.situacao,
        e.procedimento_codigo,
        e.risco_codigo,
        {{ percentile('e.dias', 0.5) }} as dias
    from esperas as e
    group by e.competencia, e.situacao, e.procedimento_codigo, e.risco_codigo
),

diferencas as (
    select
        e.competencia,
        e.situacao,
        e.regiao_saude_codigo as regiao,
        coalesce(p.sexo_codigo, 'nao_informado') as sexo,
        coalesce(p.raca_cor_codigo, 'nao_informado') as raca_cor,
        e.dias - m.dias as dias,
        count(*) as qtd
    from esperas as e
    inner join medianas as m
        on
            e.competencia = m.competencia
            and e.situacao = m.situacao
            and e.procedimento_codigo is not distinct from m.procedimento_codigo
            and e.risco_codigo is not distinct from m.risco_codigo
    left join perfis as p on e.solicitacao_codigo = p.solicitacao_codigo
    group by all
),

-- How many waits of a class differ by so many days: a few hundred rows for however many waits.
classes as (
    {%- for dimensao in dimensoes %}
    select
        d.competencia,
        d.situacao,
        '{{ dimensao }}' as dimensao,
        d.{{ dimensao }} as classe,
        d.dias,
        sum(d.qtd) as qtd
    from diferencas as d
    group by d.competencia, d.situacao, d.{{ dimensao }}, d.dias
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

ordenadas as (
    select
        c.*,
        sum(c.qtd) over (partition by c.competencia, c.situacao, c.dimensao, c.classe) as total,
        sum(c.qtd) over (
            partition by c.competencia, c.situacao, c.dimensao, c.classe
            order by c.dias
            rows between unbounded preceding and current row
        ) as ultima_posicao
    from classes as c
),

-- The middle, and the ranks between which the median of those like them lies in 95 of 100 cases.
medidas as (
    select
        o.competencia,
        o.situacao,
        o.dimensao,
        o.classe,
        max(o.total) as qtd_esperas,
        (
            min(case when o.ultima_posicao >= o.total / 2.0 then o.dias end)
            + min(case when o.ultima_posicao >= floor(o.total / 2.0) + 1 then o.dias end)
        ) / 2 as dias_de_diferenca,
        min(
            case
                when o.ultima_posicao >= floor((o.total - 1.96 * sqrt(o.total)) / 2) then o.dias
            end
        ) as dias_de_diferenca_minimo,
        max(
            case
                when
                    o.ultima_posicao - o.qtd < ceil((o.total + 1.96 * sqrt(o.total)) / 2) + 1
                    then o.dias
            end
        ) as dias_de_diferenca_maximo
    from ordenadas as o
    group by o.competencia, o.situacao, o.dimensao, o.classe
),

contadas as (
    select
        m.competencia,
        m.situacao,
        m.dimensao,
        m.classe,
        m.qtd_esperas,
        {%- for coluna in ['', '_minimo', '_maximo'] %}
        case
            when m.qtd_esperas >= {{ setting('minimo_percentil') }}
                then cast(m.dias_de_diferenca{{ coluna }} as double)
        end as dias_de_diferenca{{ coluna }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from medidas as m
),

final as (
    select
        c.competencia,
        c.situacao as espera_situacao,
        c.dimensao,
        c.classe,
        cast(c.qtd_esperas as integer) as qtd_esperas,
        c.dias_de_diferenca,
        c.dias_de_diferenca_minimo,
        c.dias_de_diferenca_maximo,
        c.dias_de_diferenca - min(c.dias_de_diferenca) over (
            partition by c.competencia, c.situacao, c.dimensao
        ) as dias_alem_da_menor
    from contadas as c
)

select * from final
