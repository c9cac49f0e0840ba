-- Grain: day, unit (null: all units). The holidays as known now. Rule: regra_feriados.
with vistos as (
    select * from {{ ref('int_calendario__feriados_vistos') }}
),

final as (
    select
        -- identificadores
        v.feriado_id,
        v.unidade_executante_cnes,
        -- datas
        v.data,
        -- categorias
        v.abrangencia,
        v.feriado_natureza,
        v.feriado_origem,
        v.feriado_descricao,
        v.tem_bloqueio
    from vistos as v
    where
        v.visto_ate is null
        and v.feriado_origem is not null
        and v.abrangencia is distinct from 'nenhuma'
)

select * from final
