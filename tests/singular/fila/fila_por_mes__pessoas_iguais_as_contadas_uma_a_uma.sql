-- Distinct persons come from uncovered months, not from a count; the plain count of the last month,
-- made here, must agree in every row.
with contadas as (
    select
        s.procedimento_codigo,
        s.regiao_saude_codigo,
        s.risco_codigo,
        count(distinct coalesce(s.pessoa_id, s.solicitacao_codigo)) as qtd_pessoas,
        sum(case when s.pessoa_data_obito <= {{ data_referencia() }} then 1 else 0 end)
            as qtd_obitos,
        sum(case when s.pessoa_tem_obito_sem_data then 1 else 0 end) as qtd_obitos_sem_data
    from {{ ref('int_fila__intervalos') }} as i
    inner join {{ ref('int_fila__solicitacoes') }} as s
        on i.solicitacao_codigo = s.solicitacao_codigo
    where i.momento_fim is null and i.estado = 'aguardando'
    group by s.procedimento_codigo, s.regiao_saude_codigo, s.risco_codigo
)

select
    f.procedimento_codigo,
    f.regiao_saude_codigo,
    f.risco_codigo,
    f.qtd_pessoas_aguardando,
    f.qtd_aguardando_obito,
    f.qtd_aguardando_obito_sem_data,
    c.qtd_pessoas,
    c.qtd_obitos,
    c.qtd_obitos_sem_data
from {{ ref('fila_por_mes') }} as f
left join contadas as c
    on
        f.procedimento_codigo = c.procedimento_codigo
        and f.regiao_saude_codigo = c.regiao_saude_codigo
        and f.risco_codigo = c.risco_codigo
where
    f.competencia = {{ competencia(data_referencia()) }}
    and (
        f.qtd_pessoas_aguardando <> coalesce(c.qtd_pessoas, 0)
        or f.qtd_aguardando_obito <> coalesce(c.qtd_obitos, 0)
        or f.qtd_aguardando_obito_sem_data <> coalesce(c.qtd_obitos_sem_data, 0)
        or f.qtd_pessoas_aguardando > f.qtd_aguardando
    )
