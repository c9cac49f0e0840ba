-- A join that drops or repeats a row on the way out, or a column taken for another, would publish
-- another offer than the mart's: every cell of the mart must be there, and nothing else. What
-- depends on leaves may be kept back, but then all of it.
{% set livres = ['qtd_vagas_total', 'qtd_vagas_bloqueadas_feriado', 'qtd_ppi', 'qtd_teto'] %}
{% set do_afastamento = [
    'limite_vinculante',
    'qtd_vagas_bloqueadas',
    'qtd_vagas_ativas',
    'qtd_oferta_real',
    'qtd_vagas_perdidas_ppi',
    'qtd_vagas_perdidas_teto',
] %}
{% for tipo in ['primeira_vez', 'retorno', 'reserva'] %}
{% do livres.append('qtd_vagas_total_' ~ tipo) %}
{% for medida in ['vagas_bloqueadas', 'vagas_ativas', 'oferta_real'] %}
{% do do_afastamento.append('qtd_' ~ medida ~ '_' ~ tipo) %}
{% endfor %}
{% endfor %}

with publicado as (
    select
        p.*,
        count(*) over (
            partition by
                p.competencia, p.central_executora_codigo, p.unidade_executante_cnes,
                p.procedimento_codigo
        ) as qtd_vezes
    from {{ ref('pub_oferta_real_por_mes') }} as p
)

select
    coalesce(m.competencia, p.competencia) as competencia,
    coalesce(m.unidade_executante_cnes, p.unidade_executante_cnes) as unidade_executante_cnes,
    coalesce(m.procedimento_codigo, p.procedimento_codigo) as procedimento_codigo,
    p.qtd_vezes
from {{ ref('oferta_real_por_mes') }} as m
full outer join publicado as p
    on
        m.competencia = p.competencia
        and m.central_executora_codigo = p.central_executora_codigo
        and m.unidade_executante_cnes = p.unidade_executante_cnes
        and m.procedimento_codigo = p.procedimento_codigo
where
    m.competencia is null
    or p.qtd_vezes is distinct from 1
    {% for coluna in livres %}
    or m.{{ coluna }} is distinct from p.{{ coluna }}
    {% endfor %}
    {% for coluna in do_afastamento %}
    or case when p.divulgacao <> 'nao_divulgada' then m.{{ coluna }} end
    is distinct from p.{{ coluna }}
    {% endfor %}
    or case
        when p.divulgacao <> 'nao_divulgada'
            then m.qtd_vagas_bloqueadas - m.qtd_vagas_bloqueadas_feriado
    end is distinct from p.qtd_vagas_bloqueadas_afastamento
