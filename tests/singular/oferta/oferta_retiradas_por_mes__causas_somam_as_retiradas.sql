-- Causes add up to the slots withdrawn, none of which was not known before: otherwise a cause is
-- missing from the list, or a slot opened at short notice counts as taken back.
with retiradas as (
    select * from {{ ref('oferta_retiradas_por_mes') }}
)

select
    r.competencia,
    r.unidade_executante_cnes
from retiradas as r
where
    r.qtd_vagas_retiradas <> r.qtd_vagas_retiradas_fim_da_escala
    + r.qtd_vagas_retiradas_mudanca_da_escala
    + r.qtd_vagas_retiradas_feriado
    + r.qtd_vagas_retiradas_afastamento_unidade
    + r.qtd_vagas_retiradas_afastamento_profissional
    or r.qtd_vagas_retiradas > coalesce(r.qtd_vagas_conhecidas, 0)
