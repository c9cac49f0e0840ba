-- Grain: month and procedure. Which requests of the queue at the end of the month should be looked
-- at, and why. Indicators 56 and 57. Rule regra_qualificacao_fila.
{% set motivos = queue_doubts() %}

with perfis as (
    select * from {{ ref('int_fila__perfis') }}
),

contagens as (
    select
        p.competencia,
        p.procedimento_codigo,
        count(*) as qtd_aguardando,
        count(distinct p.contada_como) as qtd_pessoas_na_fila,
        count(distinct case when p.eh_repetido then p.contada_como end)
            as qtd_pessoas_com_repetidos,
        {%- for coluna, condicao in motivos.items() %}
        sum(case when p.{{ condicao }} then 1 else 0 end) as qtd_{{ coluna }},
        {%- endfor %}
        sum(
            case when p.{{ motivos.values() | join(' or p.') }} then 0 else 1 end
        ) as qtd_sem_ressalva
    from perfis as p
    group by p.competencia, p.procedimento_codigo
),

final as (
    select
        c.competencia,
        c.procedimento_codigo,
        cast(c.qtd_aguardando as integer) as qtd_aguardando,
        cast(c.qtd_pessoas_na_fila as integer) as qtd_pessoas_na_fila,
        cast(c.qtd_pessoas_com_repetidos as integer) as qtd_pessoas_com_repetidos,
        {%- for coluna in motivos %}
        cast(c.qtd_{{ coluna }} as integer) as qtd_{{ coluna }},
        {%- endfor %}
        cast(c.qtd_sem_ressalva as integer) as qtd_sem_ressalva,
        {{ percentage('c.qtd_pessoas_com_repetidos', 'c.qtd_pessoas_na_fila') }}
            as pct_pessoas_com_repetidos,
        {{ percentage('c.qtd_de_falecidos', 'c.qtd_aguardando') }} as pct_de_falecidos
    from contagens as c
)

select * from final
