{# Measures that marts share. #}

{# From 0 to 100; unknown, not zero, when there is nothing to divide by. #}
{% macro percentage(part, whole) -%}
    100 * cast({{ part }} as double) / nullif({{ whole }}, 0)
{%- endmacro %}


{# A bound of the interval of 95 % of a percentage, by Wilson: honest near 0 and with few cases. #}
{% macro wilson_bound(part, whole, bound) -%}
    {%- set z = 1.959963984540054 -%}
    100 * (cast({{ part }} as double) + {{ z * z / 2 }} {{ '-' if bound == 'minimo' else '+' }} {{ z }} * sqrt(cast({{ part }} as double) * ({{ whole }} - {{ part }}) / {{ whole }} + {{ z * z / 4 }})) / ({{ whole }} + {{ z * z }})
{%- endmacro %}


{# Slots of all kinds on one day of a schedule: what is known of them, unknown when nothing is. #}
{% macro slots_of_a_day(schedule) -%}
    case
        when
            {%- for kind in slot_kinds() %}
            {{ 'and ' if not loop.first }}coalesce({{ schedule }}.qtd_vagas_{{ kind }}, 0) = 0
            {%- endfor %}
            then {{ schedule }}.qtd_vagas_{{ slot_kinds() | join(' + ' ~ schedule ~ '.qtd_vagas_') }}
        else
            {%- for kind in slot_kinds() %}
            {{ '+ ' if not loop.first }}coalesce({{ schedule }}.qtd_vagas_{{ kind }}, 0)
            {%- endfor %}
    end
{%- endmacro %}


{# The 17 measures of SISREG's report of the real offer, in its order. #}
{% macro report_measures() -%}
    {%- set measures = [] -%}
    {%- for part in ['total', 'bloqueada', 'ativa'] -%}
        {%- for kind in slot_kinds() + ['geral'] -%}
            {%- do measures.append(part ~ '_' ~ kind) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(measures + ['ppi_total', 'ppi_local', 'ppi_pactuada', 'teto', 'oferta_real']) }}
{%- endmacro %}


{# In what the report may differ from us, as pictures of the offer that can be computed; the first of
   them that gives the report's number explains it (regra_reconciliacao). #}
{% macro report_hypotheses() -%}
    {{ return([
        'ppi_nao_repartida',
        'limite_nao_informado',
        'agenda_local',
        'escala_sem_fim',
        'feriado_calculado',
        'bloqueio_de_um_procedimento',
        'bloqueio_parcial',
        'bloqueio_de_um_procedimento_e_parcial',
    ]) }}
{%- endmacro %}


{# The columns that say where and when an offer is, those of a row of SISREG's report, and a join on
   either. #}
{% macro place_keys() -%}
    {{ return([
        'competencia',
        'central_executora_codigo',
        'unidade_executante_cnes',
        'procedimento_codigo',
    ]) }}
{%- endmacro %}

{% macro report_keys() -%}
    {{ return(place_keys() + ['agenda_tipo']) }}
{%- endmacro %}

{% macro same_columns(left, right, keys) -%}
    {%- for key in keys -%}
        {{ left }}.{{ key }} = {{ right }}.{{ key }}
        {%- if not loop.last %} and {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro same_place(left, right) -%}
    {{ same_columns(left, right, place_keys()) }}
{%- endmacro %}

{% macro same_report_row(left, right) -%}
    {{ same_columns(left, right, report_keys()) }}
{%- endmacro %}
