-- A lost action is a term that nobody watches; a fulfilment that nothing shows and a delay that
-- nobody could know are words without proof.
with plano as (
    select * from {{ ref('acordo_plano_trabalho') }}
),

acoes as (
    select * from {{ ref('acordo_acoes') }}
)

select coalesce(p.acao_codigo, a.acao_codigo) as acao_codigo
from plano as p
full outer join acoes as a on p.acao_codigo = a.acao_codigo
where
    a.data_prazo is distinct from p.data_prazo
    or a.responsavel is distinct from p.responsavel
    or (
        a.prazo_situacao like 'cumprida%'
        and least(a.data_evidencia, a.data_informada) is null
    )
    or (a.prazo_situacao = 'em_atraso' and not a.eh_feita_no_banco and p.data_informada is null)
    or (
        a.prazo_situacao = 'sem_evidencia' and coalesce(a.qtd_encontradas >= a.qtd_esperadas, false)
    )
