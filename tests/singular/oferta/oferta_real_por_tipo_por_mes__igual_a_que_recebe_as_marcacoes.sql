-- The real offer that bookings are matched with is the one that is told.
with contada as (
    select * from {{ ref('oferta_real_por_tipo_por_mes') }}
),

casada as (
    select * from {{ ref('int_oferta__reais_por_tipo') }}
)

select
    coalesce(t.competencia, c.competencia) as competencia,
    coalesce(t.unidade_executante_cnes, c.unidade_executante_cnes) as unidade_executante_cnes,
    coalesce(t.procedimento_codigo, c.procedimento_codigo) as procedimento_codigo,
    coalesce(t.vaga_tipo, c.vaga_tipo) as vaga_tipo
from contada as t
full outer join casada as c
    on
        t.competencia = c.competencia
        and t.unidade_executante_cnes = c.unidade_executante_cnes
        and t.procedimento_codigo = c.procedimento_codigo
        and t.vaga_tipo = c.vaga_tipo
where
    t.competencia is null
    or c.competencia is null
    or t.qtd_oferta_real is distinct from c.qtd_oferta_real
