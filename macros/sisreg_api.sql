{# What only the documents of the SISREG search API need. #}

{# A small whole number as text: "2", "2.0" and 2 are one code; anything else stays as it came. #}
{% macro integer_code(expression) -%}
    coalesce(cast({{ try_integer(expression) }} as string), {{ null_if_blank(expression) }})
{%- endmacro %}


{# One of the three parts of a status; the blanks around the slash vary. #}
{% macro status_part(expression, position) -%}
    {{ null_if_blank("split_part(" ~ expression ~ ", '/', " ~ position ~ ")") }}
{%- endmacro %}


{# What a status says about a request, in the words of the queue. #}
{% macro status_group(subject, state) -%}
    case
        when {{ subject }} = 'SOLICITACAO INEXISTENTE' then 'inexistente'
        {%- for group, of, states in [
            ('aguardando', 'SOLICITACAO', "'PENDENTE', 'REENVIADA'"),
            ('devolvida', 'SOLICITACAO', "'DEVOLVIDA'"),
            ('negada', 'SOLICITACAO', "'NEGADA'"),
            ('cancelada', 'SOLICITACAO', "'CANCELADA'"),
            ('agendada', 'SOLICITACAO', "'AGENDADA', 'AUTORIZADA'"),
            ('agendada', 'AGENDAMENTO', "'PENDENTE CONFIRMACAO'"),
            ('confirmada', 'AGENDAMENTO', "'CONFIRMADO'"),
            ('falta', 'AGENDAMENTO', "'FALTA'"),
            ('agendamento_cancelado', 'AGENDAMENTO', "'CANCELADO'"),
        ] %}
        when {{ subject }} = '{{ of }}' and {{ state }} in ({{ states }}) then '{{ group }}'
        {%- endfor %}
        else 'indefinida'
    end
{%- endmacro %}
