-- Grain: month of the appointment, procedure and health region of residence. How many were seen
-- outside their own region. Indicator 55. Rules regra_relogio_espera and regra_deslocamento.
{% set medidas = {
    'na_propria_regiao': 'mesma_regiao',
    'fora_da_propria_regiao': 'outra_regiao',
    'de_quem_mora_fora': 'de_fora_do_territorio',
    'de_deslocamento_desconhecido': 'nao_informado',
} %}

with esperas as (
    select *
    from {{ ref('int_fila__esperas') }}
    where situacao = 'atendido'
),

agendamentos as (
    select * from {{ ref('int_fila__agendamentos') }}
),

unidades as (
    select * from {{ ref('dim_estabelecimentos') }}
),

atendidos as (
    select
        e.competencia,
        e.procedimento_codigo,
        e.regiao_saude_codigo,
        {{ displacement(
            'e.regiao_saude_codigo', "coalesce(u.regiao_saude_codigo, 'nao_identificada')"
        ) }} as deslocamento
    from esperas as e
    inner join agendamentos as g
        on e.solicitacao_codigo = g.solicitacao_codigo and e.marcacao_codigo = g.marcacao_codigo
    left join unidades as u on g.unidade_executante_cnes = u.unidade_cnes
),

contagens as (
    select
        a.competencia,
        a.procedimento_codigo,
        a.regiao_saude_codigo,
        {%- for coluna, classe in medidas.items() %}
        sum(case when a.deslocamento = '{{ classe }}' then 1 else 0 end) as qtd_{{ coluna }},
        {%- endfor %}
        count(*) as qtd_atendimentos
    from atendidos as a
    group by a.competencia, a.procedimento_codigo, a.regiao_saude_codigo
),

final as (
    select
        c.competencia,
        c.procedimento_codigo,
        c.regiao_saude_codigo as regiao_residencia_codigo,
        cast(c.qtd_atendimentos as integer) as qtd_atendimentos,
        {%- for coluna in medidas %}
        cast(c.qtd_{{ coluna }} as integer) as qtd_{{ coluna }},
        {%- endfor %}
        {{ percentage(
            'c.qtd_fora_da_propria_regiao', '(c.qtd_na_propria_regiao + c.qtd_fora_da_propria_regiao)'
        ) }} as pct_fora_da_propria_regiao
    from contagens as c
)

select * from final
