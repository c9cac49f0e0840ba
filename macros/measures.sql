{# Measures that marts share. #}

{# From 0 to 100; unknown, not zero, when there is nothing to divide by. #}
{% macro percentage(part, whole) -%}
    100 * cast({{ part }} as double) / nullif({{ whole }}, 0)
{%- endmacro %}


{# Slots of all kinds on one day of a schedule: what is known of them, unknown when nothing is. #}
{% macro slots_of_a_day(schedule) -%}
    case
        when
            coalesce({{ schedule }}.qtd_vagas_primeira_vez, 0) = 0
            and coalesce({{ schedule }}.qtd_vagas_retorno, 0) = 0
            and coalesce({{ schedule }}.qtd_vagas_reserva, 0) = 0
            then
                {{ schedule }}.qtd_vagas_primeira_vez
                + {{ schedule }}.qtd_vagas_retorno
                + {{ schedule }}.qtd_vagas_reserva
        else
            coalesce({{ schedule }}.qtd_vagas_primeira_vez, 0)
            + coalesce({{ schedule }}.qtd_vagas_retorno, 0)
            + coalesce({{ schedule }}.qtd_vagas_reserva, 0)
    end
{%- endmacro %}
