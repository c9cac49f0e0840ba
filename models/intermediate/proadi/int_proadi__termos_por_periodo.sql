-- Grain: term, period (each year of its triennium and the total). Exemption and what its projects
-- spent; the total adds up the years that have ended, what was approved is of all years.
{% set datado = 'case when p.foi_datado then p.valor_executado_aprovado end' %}

with termos as (
    select * from {{ proadi_newest_version('stg_proadi__termos', 'termo', 'termo_numero') }}
),

isencoes as (
    select * from {{ proadi_current('stg_proadi__isencoes', 'isencao') }}
),

projetos as (
    select * from {{ ref('int_proadi__projetos_por_periodo') }}
),

exercicios as (
    select
        t.termo_numero,
        t.ano_inicial,
        cast(extract(year from t.mes) as integer) as exercicio
    from (
        select
            n.termo_numero,
            cast(extract(year from n.data_trienio_inicio) as integer) as ano_inicial,
            {{ explode_months('n.data_trienio_inicio', 'n.data_trienio_fim') }} as mes
        from termos as n
    ) as t
    group by all
),

gastos as (
    select
        -- a project with money of an unknown year leaves every year of its term unknown
        e.termo_numero,
        e.exercicio,
        {{ whole_sum(datado, "p.natureza_codigo = 'apoio'") }} as valor_executado_apoio,
        {{ whole_sum(datado, "p.natureza_codigo = 'assistencial'") }}
            as valor_executado_assistencial
    from exercicios as e
    inner join projetos as p
        on
            e.termo_numero = p.termo_numero
            and p.eh_contado
            and (e.exercicio = p.exercicio or not p.foi_datado)
    group by e.termo_numero, e.exercicio
),

por_exercicio as (
    select
        e.termo_numero,
        cast(e.exercicio as string) as periodo,
        e.exercicio,
        e.exercicio - e.ano_inicial + 1 as exercicio_ordem,
        i.valor_isencao_estimada,
        i.valor_isencao_usufruida,
        g.valor_executado_apoio,
        g.valor_executado_assistencial,
        {{ last_day_of_year('e.exercicio') }} <= {{ data_referencia() }} as foi_encerrado
    from exercicios as e
    left join isencoes as i on e.termo_numero = i.termo_numero and e.exercicio = i.exercicio
    left join gastos as g on e.termo_numero = g.termo_numero and e.exercicio = g.exercicio
),

somas as (
    select
        p.termo_numero,
        count(*) as qtd_exercicios_encerrados,
        {{ whole_sum('p.valor_isencao_usufruida') }} as valor_isencao_usufruida,
        {{ whole_sum('p.valor_executado_apoio') }} as valor_executado_apoio,
        {{ whole_sum('p.valor_executado_assistencial') }} as valor_executado_assistencial
    from por_exercicio as p
    where p.foi_encerrado
    group by p.termo_numero
),

aprovados as (
    select
        p.termo_numero,
        {{ whole_sum('p.valor_aprovado', 'not p.foi_excluido') }} as valor_aprovado
    from projetos as p
    where p.periodo = 'total'
    group by p.termo_numero
),

fora_do_trienio as (
    select
        p.termo_numero,
        {{ whole_sum(
            'case when p.foi_datado then p.valor_executado_entidade end', 'e.exercicio is null'
        ) }} as valor
    from projetos as p
    left join exercicios as e on p.termo_numero = e.termo_numero and p.exercicio = e.exercicio
    where p.exercicio is not null or not p.foi_datado
    group by p.termo_numero
),

periodos as (
    select
        p.*,
        1 as qtd_exercicios_encerrados
    from por_exercicio as p

    union all

    select
        t.termo_numero,
        'total' as periodo,
        null as exercicio,
        null as exercicio_ordem,
        t.valor_isencao_estimado as valor_isencao_estimada,
        s.valor_isencao_usufruida,
        s.valor_executado_apoio,
        s.valor_executado_assistencial,
        t.data_trienio_fim <= {{ data_referencia() }} as foi_encerrado,
        s.qtd_exercicios_encerrados
    from termos as t
    left join somas as s on t.termo_numero = s.termo_numero
),

final as (
    select
        -- identificadores
        p.termo_numero,
        p.periodo,
        t.entidade_cnpj,
        -- datas
        p.exercicio,
        coalesce({{ last_day_of_year('p.exercicio') }}, t.data_trienio_fim) as data_fato,
        -- quantidades
        p.exercicio_ordem,
        p.valor_isencao_estimada,
        p.valor_isencao_usufruida,
        case when p.periodo = 'total' then a.valor_aprovado end as valor_aprovado,
        p.valor_executado_apoio,
        p.valor_executado_assistencial,
        p.valor_executado_apoio + p.valor_executado_assistencial as valor_executado,
        case when p.periodo = 'total' then f.valor end as valor_fora_do_trienio,
        coalesce(p.qtd_exercicios_encerrados, 0) as qtd_exercicios_encerrados,
        -- indicadores
        p.foi_encerrado
    from periodos as p
    inner join termos as t on p.termo_numero = t.termo_numero
    left join aprovados as a on p.termo_numero = a.termo_numero
    left join fora_do_trienio as f on p.termo_numero = f.termo_numero
)

select * from final
