{# Schemas bear the name that stands in dbt_project.yml, without the target's prefix. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}


{# Stop with one clear line when nothing has been loaded: empty marts would look like "no offer". #}
{% macro require_a_load() %}
    {% if execute and flags.WHICH in ('build', 'run', 'test') %}
        {% set found = namespace(loads=0) %}
        {% if adapter.get_relation(target.database, 'controle', 'cargas') %}
            {% set day = "cast(coalesce(janela_fim, " ~ local_clock('iniciada_em') ~ ") as date)" %}
            {% set found.loads = run_query(
                "select count(*) from controle.cargas where resultado = 'completa' and "
                ~ known_on(day)
            ).columns[0].values()[0] %}
        {% endif %}
        {% if not found.loads and setting('conhecido_em') %}
            {{ exceptions.raise_compiler_error(
                "Nothing had been seen by " ~ setting('conhecido_em') ~ ", the day of the variable "
                ~ "`conhecido_em`. `mapa status` lists the loads with their days; leave the variable "
                ~ "out to build what is known today."
            ) }}
        {% elif not found.loads %}
            {{ exceptions.raise_compiler_error(
                "Nothing has been loaded into this warehouse yet. Run `mapa load --help` to see "
                ~ "how to load extracts, or `make demo` for a synthetic city."
            ) }}
        {% endif %}
    {% endif %}
{% endmacro %}
