{# A table of which each row is made from one row of raw, kept from build to build: only the loads that
   are new, changed or gone are made again. All is made anew when the model's SQL is not the one that
   made it, whatever of it changed: a macro, a variable, a line. `controle.preparos` says what each load
   looked like in raw when its rows were made.

   The model reads one source and passes `_carga_id` on. #}
{% materialization by_load, adapter='duckdb' %}
    {% set found = load_cached_relation(this) %}
    {% set target_relation = this.incorporate(type='table') %}
    {% set raw = graph.sources[model.depends_on.nodes | first].relation_name %}
    {% set shape = local_md5(compiled_code) %}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% set stands = found and found.type == 'table' and not should_full_refresh() %}
    {% set whole = not (stands and is_of_shape(shape)) %}
    {% set loads = [] if whole else loads_to_prepare(raw) %}
    {% set of_them %}_carga_id in ('{{ loads | join("', '") }}'){% endset %}
    {% call statement('main') %}
        {%- if whole %}
        {{ 'drop ' ~ found.type ~ ' ' ~ found ~ ';' if found }}
        create table {{ target_relation }} as (
            {{ compiled_code }}
        )
        {%- elif loads %}
        delete from {{ target_relation }} where {{ of_them }};
        insert into {{ target_relation }} by name
        select * from (
            {{ compiled_code }}
        ) where {{ of_them }}
        {%- else %}
        select 'nothing new'
        {%- endif %}
    {% endcall %}
    {% if whole or loads %}
        {% call statement('kept') %}
            delete from controle.preparos where tabela = '{{ this.identifier }}';
            insert into controle.preparos
            select '{{ this.identifier }}', carga_id, '{{ shape }}', qtd_linhas, marca
            from ({{ loads_in(raw) }})
        {% endcall %}
    {% endif %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# Elsewhere what is computed from raw is not kept. #}
{% materialization by_load, default %}
    {{ return(create_or_replace_view()) }}
{% endmaterialization %}


{# What each load looks like in raw: `carga_id`, how many rows, and a mark that changes with any of
   them. #}
{% macro loads_in(raw) -%}
    select
        _carga_id as carga_id,
        count(*) as qtd_linhas,
        bit_xor(hash(_hash, _linha, _arquivo, _carregado_em, _carga_ordem)) as marca
    from {{ raw }}
    group by _carga_id
{%- endmacro %}


{# Whether the SQL of that shape made all rows of the model's table. #}
{% macro is_of_shape(shape) %}
    {% set question %}
        select coalesce(bool_and(forma = '{{ shape }}'), false)
        from controle.preparos
        where tabela = '{{ this.identifier }}'
    {% endset %}
    {{ return(run_query(question).columns[0].values()[0]) }}
{% endmacro %}


{# The loads that raw holds otherwise than when the rows of the model's table were made. #}
{% macro loads_to_prepare(raw) %}
    {% set question %}
        select carga_id
        from ({{ loads_in(raw) }}) as n
        full join (select * from controle.preparos where tabela = '{{ this.identifier }}') as p
            using (carga_id)
        where n.qtd_linhas is distinct from p.qtd_linhas or n.marca is distinct from p.marca
        order by carga_id
    {% endset %}
    {{ return(run_query(question).columns[0].values()) }}
{% endmacro %}
