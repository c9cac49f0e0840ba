{# CTEs, the last of them `minutos`: what holidays and leaves take of each day of each schedule.

   Minutes are united before anything is rounded, cumulatively in the declared order
   (regra_ordem_das_causas). Pairs of schedule and cause are dated by steps of seven days, so the cost
   follows the leaves and not the slots.

   Expects the CTEs `expandidas` (alias e: a row per schedule and keys, with its scope, block and
   primeira_data to ultima_data) and `interrupcoes` (alias i). `keys`: columns of expandidas that tell
   pictures of one schedule apart; `from_day`, `to_day`: dates between which an interruption holds,
   null is no bound; `valid`: condition on the pair, `{causa}` in it is the cause. #}
{% macro blocked_minutes(keys=[], from_day='i.vale_de', to_day='i.visto_ate', valid='') -%}
{%- set causas = [
    ('feriado', 'e.dia_semana_numero = ' ~ isodow('i.data_inicio')),
    ('afastamento_unidade', 'e.unidade_executante_cnes = i.unidade_executante_cnes'),
    ('afastamento_profissional', 'e.profissional_id = i.profissional_id'),
] -%}
-- one equality per cause, so that the engine joins by hash; a null scope means any
pares as (
    {%- for causa, igualdade in causas %}
    select
        {%- for key in keys %}
        e.{{ key }},
        {%- endfor %}
        e.escala_id,
        e.dia_semana_numero,
        e.tem_horario,
        e.bloco_inicio,
        e.bloco_fim,
        {{ loop.index }} as causa_ordem,
        i.data_inicio,
        i.minuto_inicio,
        i.data_fim,
        i.minuto_fim,
        greatest(e.primeira_data, i.data_inicio, {{ from_day }}) as desde,
        least(e.ultima_data, i.data_fim, {{ to_day }}) as ate
    from interrupcoes as i
    inner join expandidas as e
        on
            {{ igualdade }}
            and i.data_inicio <= e.ultima_data
            and i.data_fim >= e.primeira_data
            and coalesce(i.unidade_executante_cnes, e.unidade_executante_cnes)
            = e.unidade_executante_cnes
            and coalesce(i.procedimento_codigo, e.procedimento_codigo) = e.procedimento_codigo
            {%- if valid %}
            and {{ valid | replace('{causa}', causa) }}
            {%- endif %}
    where i.causa_bloqueio = '{{ causa }}'
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}
),

datados as (
    select
        {%- for key in keys %}
        p.{{ key }},
        {%- endfor %}
        p.escala_id,
        p.tem_horario,
        p.bloco_inicio,
        p.bloco_fim,
        p.causa_ordem,
        p.data_inicio,
        p.minuto_inicio,
        p.data_fim,
        p.minuto_fim,
        {{ explode_days(
            add_days('p.desde', '(p.dia_semana_numero - ' ~ isodow('p.desde') ~ ' + 7) % 7'),
            'p.ate',
            7
        ) }} as data
    from pares as p
),

recortados as (
    select
        {%- for key in keys %}
        d.{{ key }},
        {%- endfor %}
        d.escala_id,
        d.data,
        d.causa_ordem,
        d.tem_horario,
        d.bloco_inicio,
        d.bloco_fim,
        greatest(
            case when d.data = d.data_inicio then d.minuto_inicio else 0 end, d.bloco_inicio
        ) as inicio,
        least(
            case when d.data = d.data_fim then d.minuto_fim else 24 * 60 end, d.bloco_fim
        ) as fim
    from datados as d
),

intervalos as (
    select
        {%- for key in keys %}
        r.{{ key }},
        {%- endfor %}
        r.escala_id,
        r.data,
        r.causa_ordem,
        r.bloco_fim - r.bloco_inicio as minutos_bloco,
        case when r.tem_horario then r.inicio else r.bloco_inicio end as inicio,
        case when r.tem_horario then r.fim else r.bloco_fim end as fim
    from recortados as r
    where r.inicio < r.fim
),

ordens as (
    select 1 as ordem
    union all
    select 2 as ordem
    union all
    select 3 as ordem
),

-- what each interval adds to those before it, among the causes up to each order
acrescimos as (
    select
        {%- for key in keys %}
        i.{{ key }},
        {%- endfor %}
        i.escala_id,
        i.data,
        i.minutos_bloco,
        o.ordem,
        i.fim - greatest(
            i.inicio,
            coalesce(
                max(i.fim) over (
                    partition by {% for key in keys %}i.{{ key }}, {% endfor %}i.escala_id, i.data, o.ordem
                    order by i.inicio, i.fim
                    rows between unbounded preceding and 1 preceding
                ),
                0
            )
        ) as minutos_novos
    from intervalos as i
    inner join ordens as o
        on i.causa_ordem <= o.ordem
),

minutos as (
    select
        {%- for key in keys %}
        a.{{ key }},
        {%- endfor %}
        a.escala_id,
        a.data,
        a.minutos_bloco,
        {%- for causa, igualdade in causas %}
        cast(sum(case when a.ordem = {{ loop.index }} then a.minutos_novos else 0 end) as integer)
            as minutos_ate_{{ causa }}{{ ',' if not loop.last }}
        {%- endfor %}
    from acrescimos as a
    where a.minutos_novos > 0
    group by {% for key in keys %}a.{{ key }}, {% endfor %}a.escala_id, a.data, a.minutos_bloco
)
{%- endmacro %}
