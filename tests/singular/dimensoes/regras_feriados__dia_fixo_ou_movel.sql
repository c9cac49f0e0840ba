-- A rule with both forms, or with neither, would give two holidays a year or none at all.
with regras as (
    select * from {{ ref('regras_feriados') }}
)

select r.regra_codigo
from regras as r
where
    (r.mes is null) <> (r.dia is null)
    or (r.mes is null) = (r.dias_da_pascoa is null)
