-- A number from a revoked text that does not say so ends in a charge that no law bears.
select
    'prazo' as origem,
    p.objeto_numero,
    p.prazo_codigo as codigo
from {{ ref('proadi_prazos_por_objeto') }} as p
where
    p.norma is null
    or (p.base_legal_em_vigor and p.prazo_situacao_codigo = 'fora_de_vigor')
    or (
        not p.base_legal_em_vigor
        and (p.data_limite is not null or p.dias_atraso is not null)
        and not {{ setting('proadi_regras_historicas') }}
    )

union all

select
    'termo' as origem,
    s.termo_numero as objeto_numero,
    s.proadi_regra_codigo as codigo
from {{ ref('proadi_termos_saldo') }} as s
where
    (s.base_legal_em_vigor and s.regra_situacao_codigo = 'fora_de_vigor')
    or (
        not s.base_legal_em_vigor
        and s.valor_medido is not null
        and not {{ setting('proadi_regras_historicas') }}
    )
