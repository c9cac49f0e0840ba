-- Summing over schedules must neither lose a slot nor a schedule of unknown quantity, nor charge
-- slots to another cause.
{% set medidas = [
    'qtd_vagas_total',
    'qtd_vagas_bloqueadas',
    'qtd_vagas_bloqueadas_feriado',
    'qtd_vagas_bloqueadas_afastamento_unidade',
    'qtd_vagas_bloqueadas_afastamento_profissional',
    'qtd_vagas_ativas',
] %}

with mart as (
    select
        m.unidade_executante_cnes,
        m.vaga_tipo,
        {% for medida in medidas %}
        sum(m.{{ medida }}) as {{ medida }},
        {% endfor %}
        count(*) - count(m.qtd_vagas_total) as qtd_escalas_sem_quantidade
    from {{ ref('oferta_por_dia') }} as m
    group by
        m.unidade_executante_cnes,
        m.vaga_tipo
),

publicado as (
    select
        p.unidade_executante_cnes,
        p.vaga_tipo,
        {% for medida in medidas %}
        sum(p.{{ medida }}) as {{ medida }},
        {% endfor %}
        sum(p.qtd_escalas_sem_quantidade) as qtd_escalas_sem_quantidade
    from {{ ref('pub_oferta_por_dia') }} as p
    group by
        p.unidade_executante_cnes,
        p.vaga_tipo
)

select
    coalesce(m.unidade_executante_cnes, p.unidade_executante_cnes) as unidade_executante_cnes,
    coalesce(m.vaga_tipo, p.vaga_tipo) as vaga_tipo,
    m.qtd_vagas_total as qtd_vagas_total_mart,
    p.qtd_vagas_total as qtd_vagas_total_publicado
from mart as m
full outer join publicado as p
    on m.unidade_executante_cnes = p.unidade_executante_cnes and m.vaga_tipo = p.vaga_tipo
where
    m.qtd_escalas_sem_quantidade is distinct from p.qtd_escalas_sem_quantidade
    {% for medida in medidas %}
    or m.{{ medida }} is distinct from p.{{ medida }}
    {% endfor %}
