-- Grain: month, unit, procedure. Slots of units whose entity has a live assistance project in the
-- month: context, never proof of execution.
with ofertas as (
    select * from {{ ref('int_oferta__por_mes') }}
),

procedimentos as (
    select * from {{ ref('dim_procedimentos') }}
),

projetos as (
    select * from {{ proadi_newest_version('stg_proadi__projetos', 'projeto', 'projeto_nup') }}
),

termos as (
    select * from {{ proadi_newest_version('stg_proadi__termos', 'termo', 'termo_numero') }}
),

entidades as (
    select * from {{ proadi_current('stg_proadi__entidades', 'entidade') }}
),

vivos as (
    select
        e.unidade_cnes,
        p.projeto_nup,
        p.data_vigencia_inicio,
        p.data_vigencia_fim
    from projetos as p
    inner join termos as t on p.termo_numero = t.termo_numero
    inner join entidades as e on t.entidade_cnpj = e.entidade_cnpj
    where p.natureza_codigo = 'assistencial'
),

por_mes as (
    select
        o.competencia,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        sum(o.qtd_vagas_total) as qtd_vagas_total
    from ofertas as o
    group by all
),

final as (
    select
        -- identificadores
        o.competencia,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        -- categorias
        d.eh_cnrac,
        -- quantidades
        cast(o.qtd_vagas_total as bigint) as qtd_vagas_total,
        count(distinct v.projeto_nup) as qtd_projetos_assistenciais,
        -- metadados
        {{ data_referencia() }} as data_referencia
    from por_mes as o
    inner join vivos as v
        on
            o.unidade_executante_cnes = v.unidade_cnes
            and v.data_vigencia_inicio <= {{ last_day_of_month('o.competencia') }}
            and o.competencia <= v.data_vigencia_fim
    left join procedimentos as d on o.procedimento_codigo = d.procedimento_codigo
    group by all
)

select * from final
