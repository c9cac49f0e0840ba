-- A label that is lost or belongs to another code would be read as the truth by every tool.
select
    coalesce(d.coluna, p.coluna) as coluna,
    coalesce(d.codigo, p.codigo) as codigo
from {{ ref('dicionario_codigos') }} as d
full outer join {{ ref('pub_codigos') }} as p
    on d.coluna = p.coluna and d.codigo = p.codigo
where
    d.rotulo is distinct from p.rotulo
    or d.descricao is distinct from p.descricao
