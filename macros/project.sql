{# Schemas bear the name that stands in dbt_project.yml, without the target's prefix. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}


{# Stop with one clear line when nothing has been loaded: empty marts would look like "no offer". #}
{% macro require_a_load() %}
    {% if execute and flags.WHICH in ('build', 'run', 'test') %}
        {% set found = namespace(loads=0) %}
        {% if adapter.get_relation(target.database, 'controle', 'cargas') %}
            {% set found.loads = run_query(
                "select count(*) from controle.cargas where resultado = 'completa'"
            ).columns[0].values()[0] %}
        {% endif %}
        {% if not found.loads %}
            {{ exceptions.raise_compiler_error(
                "Nothing has been loaded into this warehouse yet. Run `mapa load --help` to see "
                ~ "how to load extracts, or `make demo` for a synthetic city."
            ) }}
        {% endif %}
    {% endif %}
{% endmacro %}
