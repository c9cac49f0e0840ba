-- Summing over schedules must neither lose a slot nor a schedule of unknown quantity, nor charge
-- slots to another cause. What depends on leaves is there where it may be, and nowhere else.
{% set livres = ['qtd_vagas_total', 'qtd_vagas_bloqueadas_feriado'] %}
{% set do_afastamento = [
    'qtd_vagas_bloqueadas',
    'qtd_vagas_bloqueadas_afastamento_unidade',
    'qtd_vagas_bloqueadas_afastamento_profissional',
    'qtd_vagas_ativas',
] %}

with mart as (
    select
        m.data,
        m.unidade_executante_cnes,
        m.procedimento_codigo,
        m.vaga_tipo,
        {% for medida in livres + do_afastamento %}
        sum(m.{{ medida }}) as {{ medida }},
        {% endfor %}
        count(*) - count(m.qtd_vagas_total) as qtd_escalas_sem_quantidade
    from {{ ref('oferta_por_dia') }} as m
    group by
        m.data,
        m.unidade_executante_cnes,
        m.procedimento_codigo,
        m.vaga_tipo
)

select
    coalesce(m.data, p.data) as data,
    coalesce(m.unidade_executante_cnes, p.unidade_executante_cnes) as unidade_executante_cnes,
    coalesce(m.vaga_tipo, p.vaga_tipo) as vaga_tipo,
    m.qtd_vagas_total as qtd_vagas_total_mart,
    p.qtd_vagas_total as qtd_vagas_total_publicado
from mart as m
full outer join {{ ref('pub_oferta_por_dia') }} as p
    on
        m.data = p.data
        and m.unidade_executante_cnes = p.unidade_executante_cnes
        and m.procedimento_codigo = p.procedimento_codigo
        and m.vaga_tipo = p.vaga_tipo
where
    m.qtd_escalas_sem_quantidade is distinct from p.qtd_escalas_sem_quantidade
    {% for medida in livres %}
    or m.{{ medida }} is distinct from p.{{ medida }}
    {% endfor %}
    {% for medida in do_afastamento %}
    or case when p.divulgacao = 'por_dia' then m.{{ medida }} end is distinct from p.{{ medida }}
    {% endfor %}
