{# Schemas bear the name that stands in dbt_project.yml, without the target's prefix. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}


{# Stop when a load lies in the future: its day would move the reference day, and every number with it.
   A simulated city lives in a time of its own. #}
{% macro refuse_future_loads() %}
    {% if execute and flags.WHICH in ('build', 'run', 'test')
        and adapter.get_relation(target.database, 'controle', 'cargas') %}
        {% set hours = env_var('MAPA_MAX_CLOCK_HOURS', '6') | float %}
        {% set now = modules.datetime.datetime.now(modules.pytz.timezone('America/Sao_Paulo')) %}
        {% set latest = now + modules.datetime.timedelta(hours=hours) %}
        {% set seen = "coalesce(janela_fim, " ~ local_clock('iniciada_em') ~ ")" %}
        {% set found = run_query(
            "select carga_id, " ~ seen ~ " from controle.cargas where resultado = 'completa' and "
            ~ "not coalesce(eh_sintetica, false) and "
            ~ seen ~ " > cast('" ~ latest.strftime('%Y-%m-%d %H:%M:%S') ~ "' as timestamp) and "
            ~ known_on("cast(" ~ seen ~ " as date)") ~ " order by iniciada_em"
        ).rows %}
        {% if found %}
            {{ exceptions.raise_compiler_error(
                "Load " ~ found[0][0] ~ " was seen on " ~ found[0][1] ~ ", and it is "
                ~ now.strftime('%Y-%m-%d %H:%M') ~ " in Brasília: a clock was or is wrong, and all "
                ~ "numbers would be of that day. Correct this machine's clock, or the day of the "
                ~ "load: mapa load redate " ~ found[0][0] ~ " --seen-on AAAA-MM-DD --reason TEXT"
            ) }}
        {% endif %}
    {% endif %}
{% endmacro %}


{# Stop with one clear line when nothing has been loaded: empty marts would look like "no offer". #}
{% macro require_a_load() %}
    {% if execute and flags.WHICH in ('build', 'run', 'test') %}
        {% set found = namespace(loads=0) %}
        {% set cargas = adapter.get_relation(target.database, 'controle', 'cargas') %}
        {% if cargas and not adapter.get_relation(target.database, 'controle', 'preparos') %}
            {{ exceptions.raise_compiler_error(
                "This warehouse was made by an older version. Any load brings it up to date, and so "
                ~ "does `mapa load export --replay`."
            ) }}
        {% endif %}
        {% if cargas %}
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


{# Write which run made a published table and of which loads, in the transaction that makes it: after
   a kill, tables of two runs can be told apart. #}
{% macro record_build() %}
    {{ return(adapter.dispatch('record_build')()) }}
{% endmacro %}

{% macro duckdb__record_build() %}
    insert or replace into controle.construcoes
    select
        '{{ this.identifier }}',
        '{{ invocation_id }}',
        (select coalesce(max(ordem), 0) from controle.cargas where resultado = 'completa'),
        (select count(*) from controle.correcoes)
{% endmacro %}

{# `mapa publish` reads a DuckDB warehouse only. #}
{% macro spark__record_build() %}
{% endmacro %}


{# What the graph knows of the table that the test at work is attached to; it knows nothing while dbt
   parses. #}
{% macro tested_table() %}
    {{ return(graph.nodes[context.model.attached_node]) }}
{% endmacro %}


{# What the project itself can be counted by, from dbt's graph: of each kind how many there are and
   how many there ought to be (none: nobody said). Nothing is known while dbt only parses. #}
{% macro project_counts() %}
    {% set layers = ['staging', 'intermediate', 'marts', 'publicacao'] %}
    {% set counts = namespace(fields=0, told_fields=0, columns=0, told=0, layers=[], dashboards=0) %}
    {% if execute %}
        {% for node in graph.sources.values() %}
            {% for column in node.columns.values() %}
                {% set said = 1 if column.description | trim else 0 %}
                {% set counts.columns = counts.columns + 1 %}
                {% set counts.told = counts.told + said %}
                {% if node.source_name != 'controle' and column.name[0] != '_' %}
                    {% set counts.fields = counts.fields + 1 %}
                    {% set counts.told_fields = counts.told_fields + said %}
                {% endif %}
            {% endfor %}
        {% endfor %}
        {% for node in graph.nodes.values() if node.resource_type in ('model', 'seed') %}
            {% do counts.layers.append(node.original_file_path.split('/')[1]) %}
            {% for column in node.columns.values() %}
                {% set counts.columns = counts.columns + 1 %}
                {% set counts.told = counts.told + (1 if column.description | trim else 0) %}
            {% endfor %}
        {% endfor %}
        {% for exposure in graph.exposures.values() if exposure.type == 'dashboard' %}
            {% set counts.dashboards = counts.dashboards + 1 %}
        {% endfor %}
    {% endif %}
    {{ return({
        'variaveis': (counts.told_fields, counts.fields),
        'dicionario': (counts.told, counts.columns),
        'camadas': (
            (1 if counts.fields else 0)
            + layers | select('in', counts.layers) | list | length, layers | length + 1
        ),
        'paineis': (counts.dashboards, none),
    }) }}
{% endmacro %}
