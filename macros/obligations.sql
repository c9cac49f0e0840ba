{# Dated obligations: what is due on a day, and whether it is done, late, or not known to be done.
   Whoever has a due date asks here: the work plan of the agreement, and whatever else has terms.
   What is dated after the reference day has not happened yet. #}
{% macro obligation_situation(
    due, reference, done, shown='cast(null as date)', absence_tells='true'
) -%}
    case
            when {{ due }} is null or {{ reference }} is null then cast(null as string)
            -- on its day, or by a sign of it that came in time
            when
                ({{ done }} <= {{ reference }} and {{ done }} <= {{ due }})
                or ({{ shown }} <= {{ reference }} and {{ shown }} <= {{ due }})
                then 'cumprida'
            -- a sign that is older than the day told contradicts it
            when
                {{ done }} <= {{ reference }}
                and coalesce({{ shown }} >= {{ done }} or {{ shown }} > {{ reference }}, true)
                then 'cumprida_com_atraso'
            -- the sign only came late: the deed may be older
            when {{ done }} <= {{ reference }} or {{ shown }} <= {{ reference }}
                then 'cumprida_sem_data'
            when {{ reference }} <= {{ due }} then 'no_prazo'
            when {{ absence_tells }} or {{ done }} > {{ reference }} then 'em_atraso'
            else 'sem_evidencia'
        end
{%- endmacro %}


{# Days past the due date, of an obligation in such a situation: 0 in time, null unknown. #}
{% macro obligation_days_late(situation, due, reference, done) -%}
    case
            when {{ situation }} in ('cumprida', 'no_prazo') then 0
            when {{ situation }} = 'cumprida_com_atraso' then {{ days_between(due, done) }}
            when {{ situation }} = 'em_atraso' then {{ days_between(due, reference) }}
        end
{%- endmacro %}


{# Last day of a quarter written as '2025-T3'. #}
{% macro last_day_of_quarter(expression) -%}
    cast(left({{ expression }}, 4) || case right({{ expression }}, 1)
        {%- for ending in ['-03-31', '-06-30', '-09-30', '-12-31'] %}
        when '{{ loop.index }}' then '{{ ending }}'
        {%- endfor %}
    end as date)
{%- endmacro %}
