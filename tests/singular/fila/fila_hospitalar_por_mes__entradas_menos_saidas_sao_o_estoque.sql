-- Every request for admission enters once, and what entered and did not leave waits at the end, or
-- is unknown.
with lidos as (
    select count(distinct s.solicitacao_codigo) as qtd_pedidos
    from {{ ref('stg_sisreg__solicitacoes_hospitalares') }} as s
    where cast(s.momento_solicitacao as date) <= {{ data_referencia() }}
),

contados as (
    select
        coalesce(sum(f.qtd_pedidos_de_internacao), 0) as qtd_entradas,
        coalesce(sum(f.qtd_internacoes + f.qtd_saidas_sem_internacao), 0) as qtd_saidas,
        coalesce(
            sum(
                case
                    when f.competencia = {{ competencia(data_referencia()) }}
                        then f.qtd_aguardando_leito + f.qtd_internacoes_de_situacao_desconhecida
                end
            ), 0
        ) as qtd_no_fim
    from {{ ref('fila_hospitalar_por_mes') }} as f
)

select
    l.*,
    c.*
from lidos as l
cross join contados as c
where l.qtd_pedidos <> c.qtd_entradas or c.qtd_entradas - c.qtd_saidas <> c.qtd_no_fim
