-- United minutes never shrink from one cause to the next and never exceed the block: otherwise a
-- cause would give slots back, or block more than there are.
with bloqueios as (
    select * from {{ ref('int_oferta__bloqueios') }}
)

select
    b.escala_id,
    b.data
from bloqueios as b
where
    b.minutos_ate_feriado > b.minutos_ate_afastamento_unidade
    or b.minutos_ate_afastamento_unidade > b.minutos_ate_afastamento_profissional
    or b.minutos_ate_afastamento_profissional > b.minutos_bloco
    or b.minutos_ate_afastamento_profissional = 0
