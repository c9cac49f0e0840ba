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


{# CTEs, the last of them `suspensoes` (prazo_id, qtd_dias_suspensos): how many days of a term do not
   count because somebody was asked and had not answered. `terms` has prazo_id, data_inicio, qtd_dias,
   data_cumprimento; `questions` has prazo_id, pergunta_ordem, data_pergunta, data_resposta (the
   reference day while there is none). The day of the question counts, those after it up to the answer
   do not; a term that has ended is not stopped any more, and a day is left out once. #}
{% macro obligation_suspensions(terms, questions) -%}
perguntas_no_prazo as (
    select
        q.prazo_id,
        q.pergunta_ordem,
        q.data_pergunta,
        {{ add_days('t.data_inicio', 't.qtd_dias') }} as data_sem_suspensao,
        least(q.data_resposta, coalesce(t.data_cumprimento, q.data_resposta)) as data_resposta
    from {{ questions }} as q
    inner join {{ terms }} as t on q.prazo_id = t.prazo_id
    where
        q.data_pergunta >= t.data_inicio
        and coalesce(q.data_pergunta <= t.data_cumprimento, true)
),

pausas as (
    select
        p.*,
        greatest(0, {{ days_between(
            "greatest(p.data_pergunta, coalesce(max(p.data_resposta) over (partition by p.prazo_id "
            ~ "order by p.pergunta_ordem rows between unbounded preceding and 1 preceding), "
            ~ "p.data_pergunta))", 'p.data_resposta'
        ) }}) as qtd_dias
    from perguntas_no_prazo as p
),

pausas_em_ordem as (
    select
        p.*,
        case
            when p.data_pergunta <= {{ add_days('p.data_sem_suspensao', "coalesce(sum(p.qtd_dias) "
                ~ "over (partition by p.prazo_id order by p.pergunta_ordem "
                ~ "rows between unbounded preceding and 1 preceding), 0)") }}
                then 1
            else 0
        end as veio_a_tempo
    from pausas as p
),

pausas_contadas as (
    select
        p.prazo_id,
        p.qtd_dias,
        min(p.veio_a_tempo) over (
            partition by p.prazo_id
            order by p.pergunta_ordem
            rows between unbounded preceding and current row
        ) as eh_contada
    from pausas_em_ordem as p
),

suspensoes as (
    select
        p.prazo_id,
        cast(sum(p.qtd_dias) as integer) as qtd_dias_suspensos
    from pausas_contadas as p
    where p.eh_contada = 1
    group by p.prazo_id
)
{%- endmacro %}


{# CTEs, the last of them `vencimentos` (prazo_id, data_limite, data_limite_outra): the last day of each
   row of `terms`, which has prazo_id, contagem, data_inicio, qtd_dias, qtd_dias_suspensos, data_fixa
   (MM-DD), anos, dia_util_do_mes_seguinte, prorroga_para_dia_util. The first day is out, the last in.
   Where there is a second limit (so many working days into the next month), the earlier one is the due
   day and the later one the other. #}
{% macro obligation_dues(terms) -%}
{%- set calendar = ref('int_calendario__dias_uteis_nacionais') -%}
nominais as (
    select
        t.prazo_id,
        t.prorroga_para_dia_util,
        case t.contagem
            when 'dias'
                then {{ add_days('t.data_inicio', 't.qtd_dias + coalesce(t.qtd_dias_suspensos, 0)') }}
            when 'anos' then cast(t.data_inicio + t.anos * interval '1' year as date)
            when 'data_fixa'
                then cast(
                    cast(extract(year from t.data_inicio) + t.anos as string)
                    || '-' || t.data_fixa as date
                )
            when 'dias_uteis' then u.data
        end as data_nominal,
        m.data as data_mes_seguinte
    from {{ terms }} as t
    left join {{ calendar }} as i
        on case when t.contagem = 'dias_uteis' then t.data_inicio end = i.data
    left join {{ calendar }} as u
        on u.eh_dia_util and u.qtd_dias_uteis_ate = i.qtd_dias_uteis_ate + t.qtd_dias
    left join {{ calendar }} as f
        on
            case
                when t.dia_util_do_mes_seguinte is not null
                    then {{ last_day_of_month(competencia('t.data_inicio')) }}
            end = f.data
    left join {{ calendar }} as m
        on
            m.eh_dia_util
            and m.qtd_dias_uteis_ate = f.qtd_dias_uteis_ate + t.dia_util_do_mes_seguinte
),

rolados as (
    select
        n.prazo_id,
        case when n.prorroga_para_dia_util then d.proximo_dia_util else n.data_nominal end as data_limite,
        n.data_mes_seguinte
    from nominais as n
    left join {{ calendar }} as d on n.data_nominal = d.data
),

vencimentos as (
    select
        r.prazo_id,
        case when r.data_mes_seguinte < r.data_limite then r.data_mes_seguinte else r.data_limite end
            as data_limite,
        case when r.data_mes_seguinte < r.data_limite then r.data_limite else r.data_mes_seguinte end
            as data_limite_outra
    from rolados as r
)
{%- endmacro %}


{# Whether a row of dated norms (vigente_de, vigente_ate) is in force on a day. #}
{% macro in_force_on(row, day) -%}
    ({{ row }}.vigente_de <= {{ day }} and coalesce({{ row }}.vigente_ate >= {{ day }}, true))
{%- endmacro %}


{# Which of the norms that had begun by the fact applies: one in force on the reference day goes before
   one that is not, then the newest. `over` names what the choice is made for. #}
{% macro norm_rank(row, reference, over) -%}
    row_number() over (
            partition by {{ over }}
            order by
                case when {{ in_force_on(row, reference) }} then 0 else 1 end,
                {{ row }}.vigente_de desc,
                {{ row }}.norma
        )
{%- endmacro %}


{# The quarter of a day, such as '2025-T3'. #}
{% macro quarter_text(expression) -%}
    cast(extract(year from {{ expression }}) as string) || '-T'
        || cast(extract(quarter from {{ expression }}) as string)
{%- endmacro %}
