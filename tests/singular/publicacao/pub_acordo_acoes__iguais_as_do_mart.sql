-- What is published of a term must be what the house knows of it, column by column.
select coalesce(a.acao_codigo, p.acao_codigo) as acao_codigo
from {{ ref('acordo_acoes') }} as a
full outer join {{ ref('pub_acordo_acoes') }} as p on a.acao_codigo = p.acao_codigo
where
    a.acao_codigo is distinct from p.acao_codigo
    {% for column in [
        'eixo_codigo', 'eixo_nome', 'acao_descricao', 'responsavel', 'prazo_trimestre', 'data_prazo',
        'eh_prazo_vencido', 'prazo_situacao', 'dias_atraso', 'evidencia_tipo', 'eh_feita_no_banco',
        'data_evidencia', 'qtd_encontradas', 'qtd_esperadas', 'data_informada', 'fonte_informada',
        'data_referencia',
    ] %}
    or a.{{ column }} is distinct from p.{{ column }}
    {% endfor %}
