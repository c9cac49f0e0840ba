{# From schedules to slots: kinds, weekdays, what blocks, and one row per date and kind. #}

{# The kinds of slot, in the order that breaks ties. #}
{% macro slot_kinds() -%}
    {{ return(['primeira_vez', 'retorno', 'reserva']) }}
{%- endmacro %}


{# What blocks slots, in the declared order (regra_ordem_das_causas). #}
{% macro block_causes() -%}
    {{ return(['feriado', 'afastamento_unidade', 'afastamento_profissional']) }}
{%- endmacro %}


{# The first day from `day` on that is the weekday of that number (1: Monday). #}
{% macro next_weekday(day, weekday) -%}
    {{ add_days(day, '(' ~ weekday ~ ' - ' ~ isodow(day) ~ ' + 7) % 7') }}
{%- endmacro %}


{# The columns of int_oferta__escalas by which a schedule is expanded to slots. #}
{% macro schedule_columns(schedule) -%}
    {%- for column in [
        'escala_id',
        'central_executora_codigo',
        'unidade_executante_cnes',
        'procedimento_codigo',
        'profissional_id',
        'dia_semana_numero',
        'tem_horario',
        'bloco_inicio',
        'bloco_fim',
        'qtd_vagas_primeira_vez',
        'qtd_vagas_retorno',
        'qtd_vagas_reserva',
    ] -%}
        {{ schedule }}.{{ column }}{{ ',\n        ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{# Whether an interruption (alias i) of that cause is about a schedule (alias e). One equality per
   cause, so that the engine joins by hash; a null scope means any. #}
{% macro interruption_meets(cause) -%}
    {{ {
        'feriado': 'e.dia_semana_numero = ' ~ isodow('i.data_inicio'),
        'afastamento_unidade': 'e.unidade_executante_cnes = i.unidade_executante_cnes',
        'afastamento_profissional': 'e.profissional_id = i.profissional_id',
    }[cause] }}
            and i.causa_bloqueio = '{{ cause }}'
            and coalesce(i.unidade_executante_cnes, e.unidade_executante_cnes)
            = e.unidade_executante_cnes
            and coalesce(i.procedimento_codigo, e.procedimento_codigo) = e.procedimento_codigo
{%- endmacro %}


{# CTEs, the last of them `minutos`: what holidays and leaves take of each day of each schedule.

   Minutes are united before anything is rounded, cumulatively in the declared order
   (regra_ordem_das_causas). Pairs of schedule and cause are dated by steps of seven days, so the cost
   follows the leaves and not the slots.

   Expects the CTEs `expandidas` (alias e: a row per schedule and keys, with its scope, block and
   primeira_data to ultima_data) and `interrupcoes` (alias i). `keys`: columns of expandidas that tell
   pictures of one schedule apart; `from_day`, `to_day`: dates between which an interruption holds,
   null is no bound; `valid`: condition on the pair, `{causa}` in it is the cause; `up_to`: the causes up
   to which minutes are told, by default each. #}
{% macro blocked_minutes(keys=[], from_day='i.vale_de', to_day='i.visto_ate', valid='', up_to=none) -%}
{%- set who = keys + ['escala_id'] -%}
{%- set orders = [] -%}
{%- for causa in block_causes() if causa in (up_to or block_causes()) -%}
    {%- do orders.append((block_causes().index(causa) + 1, causa)) -%}
{%- endfor -%}
pares as (
    {%- for causa in block_causes() %}
    select
        e.{{ who | join(', e.') }},
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
            {{ interruption_meets(causa) }}
            and i.data_inicio <= e.ultima_data
            and i.data_fim >= e.primeira_data
            {%- if valid %}
            and {{ valid | replace('{causa}', causa) }}
            {%- endif %}
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}
),

datados as (
    select
        p.*,
        {{ explode_days(next_weekday('p.desde', 'p.dia_semana_numero'), 'p.ate', 7) }} as data
    from pares as p
),

recortados as (
    select
        d.*,
        case
            when d.data = d.data_inicio then greatest(d.minuto_inicio, d.bloco_inicio)
            else d.bloco_inicio
        end as inicio,
        case when d.data = d.data_fim then least(d.minuto_fim, d.bloco_fim) else d.bloco_fim end
            as fim
    from datados as d
),

intervalos as (
    select
        r.{{ who | join(', r.') }},
        r.data,
        r.causa_ordem,
        r.bloco_fim - r.bloco_inicio as minutos_bloco,
        case when r.tem_horario then r.inicio else r.bloco_inicio end as inicio,
        case when r.tem_horario then r.fim else r.bloco_fim end as fim
    from recortados as r
    where r.inicio < r.fim
),

-- what each interval adds to those before it, among the causes up to each order; nothing when the
-- difference is negative
acrescimos as (
    select
        i.{{ who | join(', i.') }},
        i.data,
        i.minutos_bloco,
        o.ordem,
        i.fim - greatest(
            i.inicio,
            max(i.fim) over (
                partition by i.{{ who | join(', i.') }}, i.data, o.ordem
                order by i.inicio, i.fim
                rows between unbounded preceding and 1 preceding
            )
        ) as minutos_novos
    from intervalos as i
    inner join (
        values {% for order, causa in orders %}({{ order }}){{ ', ' if not loop.last }}{% endfor %}
    ) as o (ordem)
        on i.causa_ordem <= o.ordem
),

minutos as (
    select
        a.{{ who | join(', a.') }},
        a.data,
        a.minutos_bloco,
        {%- for order, causa in orders %}
        cast(
            sum(case when a.ordem = {{ order }} then greatest(a.minutos_novos, 0) else 0 end) as integer
        ) as minutos_ate_{{ causa }}{{ ',' if not loop.last }}
        {%- endfor %}
    from acrescimos as a
    group by a.{{ who | join(', a.') }}, a.data, a.minutos_bloco
)
{%- endmacro %}


{# CTEs, the last of them `vagas`: the rows of `expandidas` on each seventh day from primeira_data to
   ultima_data, one for each kind of slot, with data, vaga_tipo, qtd_vagas_total, qtd_vagas_ativas
   and what is blocked: by holidays alone, by them and leaves of the unit, and by all causes
   (qtd_vagas_bloqueadas).

   Blocked slots = slots × united minutes ÷ minutes of the block, rounded up, in whole numbers. A kind
   whose quantity is unknown has a row without measures; one without slots has none, unless
   `with_empty`. Expects `minutos`, as blocked_minutes makes it with the same `keys` and `up_to`, in
   which the last cause must be. #}
{% macro expanded_slots(keys=[], with_empty=false, up_to=none) -%}
por_tipo as (
    {%- for tipo in slot_kinds() %}
    select
        e.*,
        '{{ tipo }}' as vaga_tipo,
        cast(e.qtd_vagas_{{ tipo }} as bigint) as qtd_vagas_total
    from expandidas as e
    {%- if not with_empty %}
    where e.qtd_vagas_{{ tipo }} is distinct from 0
    {%- endif %}
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}
),

datas as (
    select
        t.*,
        {{ explode_days('t.primeira_data', 't.ultima_data', 7) }} as data
    from por_tipo as t
),

bloqueadas as (
    select
        d.*,
        {%- for causa in block_causes() if causa in (up_to or block_causes()) %}
        case
            when m.data is not null
                then {{ ceil_div('d.qtd_vagas_total * m.minutos_ate_' ~ causa, 'm.minutos_bloco') }}
            when d.qtd_vagas_total is not null then 0
        end as qtd_{{ 'vagas_bloqueadas' if loop.last else 'bloqueadas_ate_' ~ causa ~ ',' }}
        {%- endfor %}
    from datas as d
    left join minutos as m
        on
            {%- for key in keys %}
            d.{{ key }} = m.{{ key }} and
            {%- endfor %}
            d.escala_id = m.escala_id
            and d.data = m.data
),

vagas as (
    select
        b.*,
        b.qtd_vagas_total - b.qtd_vagas_bloqueadas as qtd_vagas_ativas
    from bloqueadas as b
)
{%- endmacro %}


{# The body of a CTE: the rows of `rows`, one for each kind of slot, with the columns `keys`,
   vaga_tipo, tipo_ordem, and of each of `measures` (qtd_vagas_total) the one of the kind
   (qtd_vagas_total_retorno). `offered`: the measure that is zero when the kind is not offered: it has
   no row then. #}
{% macro kinds_as_rows(rows, keys, measures, offered=none) -%}
    {%- for tipo in slot_kinds() %}
    select
        r.{{ keys | join(', r.') }},
        '{{ tipo }}' as vaga_tipo,
        {{ loop.index }} as tipo_ordem,
        {%- for measure in measures %}
        r.{{ measure }}_{{ tipo }} as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ rows }} as r
    {%- if offered %}
    where r.{{ offered }}_{{ tipo }} is distinct from 0
    {%- endif %}
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
