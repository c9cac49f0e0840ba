{# What dbt itself needs on Spark. `mapa spark` registers raw tables and the pseudonym function. #}

{# Contracts are written for DuckDB; Spark knows a varchar with a length only. #}
{% macro spark__cast(expression, data_type) -%}
    cast({{ expression }} as {{ 'string' if data_type == 'varchar' else data_type }})
{%- endmacro %}


{# dbt-spark's own makes 'None' of an empty cell and breaks at an apostrophe. #}
{% macro spark__load_csv_rows(model, agate_table) %}
    {% set types = model.config.get('column_types', {}) %}
    {% set rows = [] %}
    {% for row in agate_table.rows %}
        {% set cells = [] %}
        {% for name in agate_table.column_names %}
            {% set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) %}
            {% set cell = row[loop.index0] %}
            {% set text = cell | string | replace('\\', '\\\\') | replace("'", "\\'") %}
            {% do cells.append(spark__cast('null' if cell is none else "'" ~ text ~ "'", type)) %}
        {% endfor %}
        {% do rows.append('(' ~ cells | join(', ') ~ ')') %}
    {% endfor %}
    {% if rows %}
        {% set sql = 'insert into ' ~ this ~ ' values ' ~ rows | join(', ') %}
        {% do adapter.add_query(sql, abridge_sql_log=True) %}
        {{ return(sql) }}
    {% endif %}
{% endmacro %}
