-- A region without evidence would be a guess, and evidence without a region a lost place; either
-- would bend every number by territory. And no request may be lost on the way to the count.
select
    q.assunto,
    q.territorio_evidencia,
    q.qtd,
    q.qtd_com_area
from {{ ref('qualidade_territorio') }} as q
where
    q.qtd_com_area <> case
        when q.territorio_evidencia in ('exato', 'parentese', 'complemento', 'prefixo') then q.qtd
        else 0
    end
union all
select
    'residencia' as assunto,
    'soma' as territorio_evidencia,
    sum(q.qtd) as qtd,
    (select count(*) from {{ ref('int_fila__solicitacoes') }}) as qtd_com_area
from {{ ref('qualidade_territorio') }} as q
where q.assunto = 'residencia'
having coalesce(sum(q.qtd), 0) <> (select count(*) from {{ ref('int_fila__solicitacoes') }})
