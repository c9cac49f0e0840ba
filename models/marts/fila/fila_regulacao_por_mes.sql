-- Grain: month, requesting unit and procedure. What regulators decided first in the month, and what
-- lies with them and with the requesters at its end. Indicators 23, 35 and 36.
-- Rule regra_regulacao_fila.
{% set medidas = {
    'decididas': "'devolvida_primeiro', 'outra_decisao'",
    'devolvidas_na_decisao': "'devolvida_primeiro'",
    'devolvidas_pendentes': "'devolvida'",
    'com_o_regulador': "'vista', 'nao_vista', 'vista_desconhecida'",
    'nao_vistas': "'nao_vista'",
    'de_vista_desconhecida': "'vista_desconhecida'",
} %}

with decisoes as (
    select * from {{ ref('int_fila__decisoes') }}
),

estadias as (
    select * from {{ ref('int_fila__estadias') }}
),

vigencias as (
    select * from {{ ref('int_fila__vigencias') }}
),

solicitacoes as (
    select
        s.solicitacao_codigo,
        coalesce(s.unidade_solicitante_cnes, 'nao_informado') as unidade_solicitante_cnes,
        s.regulacao_tipo
    from {{ ref('int_fila__solicitacoes') }} as s
),

estados_por_mes as (
    select
        e.solicitacao_codigo,
        e.procedimento_codigo,
        e.estado,
        {{ explode_months(
            competencia('e.data_inicio'),
            competencia(
                'coalesce(' ~ add_days(competencia('e.data_fim'), -1) ~ ', ' ~ data_referencia() ~ ')'
            )
        ) }} as competencia
    from estadias as e
    where e.estado in ('aguardando', 'devolvida')
),

fins_de_mes as (
    select
        p.*,
        least({{ last_day_of_month('p.competencia') }}, {{ data_referencia() }}) as data_fim_do_mes
    from estados_por_mes as p
),

fatos as (
    select
        {{ competencia('d.data_decisao') }} as competencia,
        d.solicitacao_codigo,
        d.procedimento_codigo,
        case when d.decisao = 'devolvida' then 'devolvida_primeiro' else 'outra_decisao' end as fato
    from decisoes as d
    inner join solicitacoes as s on d.solicitacao_codigo = s.solicitacao_codigo
    where s.regulacao_tipo = 'R'
    union all
    select
        f.competencia,
        f.solicitacao_codigo,
        f.procedimento_codigo,
        case
            when f.estado = 'devolvida' then 'devolvida'
            -- Seen later does not say seen then.
            when cast(v.momento_atualizacao as date) > f.data_fim_do_mes then 'vista_desconhecida'
            when v.foi_visualizada_regulador then 'vista'
            when not v.foi_visualizada_regulador then 'nao_vista'
            else 'vista_desconhecida'
        end as fato
    from fins_de_mes as f
    inner join solicitacoes as s on f.solicitacao_codigo = s.solicitacao_codigo
    inner join vigencias as v
        on
            f.solicitacao_codigo = v.solicitacao_codigo
            and {{ in_force('v', 'f.data_fim_do_mes') }}
    where f.estado = 'devolvida' or s.regulacao_tipo = 'R'
),

contagens as (
    select
        f.competencia,
        s.unidade_solicitante_cnes,
        f.procedimento_codigo,
        {%- for coluna, fatos in medidas.items() %}
        sum(
            case when f.fato in ({{ fatos }}) then 1 else 0 end
        ) as qtd_{{ coluna }},
        {%- endfor %}
        count(*) as qtd_fatos
    from fatos as f
    inner join solicitacoes as s on f.solicitacao_codigo = s.solicitacao_codigo
    group by f.competencia, s.unidade_solicitante_cnes, f.procedimento_codigo
),

final as (
    select
        c.competencia,
        c.unidade_solicitante_cnes,
        c.procedimento_codigo,
        {%- for coluna in medidas %}
        cast(c.qtd_{{ coluna }} as integer) as qtd_{{ coluna }},
        {%- endfor %}
        {{ percentage('c.qtd_devolvidas_na_decisao', 'c.qtd_decididas') }} as pct_devolucao,
        {{ percentage(
            'c.qtd_nao_vistas', '(c.qtd_com_o_regulador - c.qtd_de_vista_desconhecida)'
        ) }} as pct_nao_vistas
    from contagens as c
)

select * from final
