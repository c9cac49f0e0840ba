{# What loads brought, as periods in which each version was in force. #}

{# The day before anything was seen. #}
{% macro beginning() -%}
    cast('0001-01-01' as date)
{%- endmacro %}


{# The day after everything. #}
{% macro ending() -%}
    cast('9999-12-31' as date)
{%- endmacro %}


{# The last day on which what was seen may speak of the reference day: extracts describe the day that
   ended when they were made. #}
{% macro last_day_seen() -%}
    {{ add_days(data_referencia(), 1) }}
{%- endmacro %}


{# CTEs, the last of them `trechos`: the rows of `rows`, each with the days on which its version of
   its record was in force. A record is `tabela` and `registro_id`; what one load says of it, in
   however many rows, is one version, and the next load that says something else succeeds it.

   What was seen after the reference day is left out, but for the first word on a record: that stands
   for the time before it, if it comes from the first load of its table or is `dated` (condition on
   alias r) up to the reference day. Rows without a load are computed and hold from the beginning.

   Adds visto_em, the day on which the version was seen; eh_presente (int_oferta__versoes_presencas); visto_de
   and visto_ate, first and last day seen so (no last day: still so; a last day before the first:
   replaced on the same day); and those of `more` that are asked for: vale_de, first date that it applies
   to: none for the first version; eh_ultimo_trecho. #}
{% macro record_versions(rows, dated, more=[]) -%}
versoes_por_carga as (
    select
        r.tabela,
        r.registro_id,
        r._carga_id,
        coalesce(c.visto_em, {{ beginning() }}) as visto_em,
        r._carga_ordem,
        max(case when {{ dated }} then 1 else 0 end) = 1 as eh_datada
    from {{ rows }} as r
    left join {{ ref('int_calendario__cargas') }} as c
        on r._carga_id = c.carga_id
    where c.carga_id is not null or r._carga_id is null
    group by
        r.tabela,
        r.registro_id,
        r._carga_id,
        r._carga_ordem,
        c.visto_em
),

versoes_em_ordem as (
    select
        v.*,
        row_number() over (
            partition by v.tabela, v.registro_id
            order by v._carga_ordem
        ) as versao_ordem,
        min(v.visto_em) over (partition by v.tabela) as primeira_carga_em
    from versoes_por_carga as v
),

versoes_conhecidas as (
    select
        v.*,
        {%- if 'vale_de' in more %}
        min(v.visto_em) over (partition by v.tabela, v.registro_id) as primeiro_dia,
        {%- endif %}
        lead(v.visto_em) over (
            partition by v.tabela, v.registro_id
            order by v._carga_ordem
        ) as proximo_em
    from versoes_em_ordem as v
    where
        v.visto_em <= {{ last_day_seen() }}
        or (v.versao_ordem = 1 and (v.eh_datada or v.visto_em = v.primeira_carga_em))
),

trechos as (
    select
        r.*,
        v.visto_em,
        greatest(v.visto_em, p.desde) as visto_de,
        least({{ add_days('v.proximo_em', -1) }}, p.ate) as visto_ate,
        {%- if 'vale_de' in more %}
        case
            when v.visto_em <> v.primeiro_dia or p.desde > {{ beginning() }}
                then greatest(v.visto_em, p.desde)
        end as vale_de,
        {%- endif %}
        {%- if 'eh_ultimo_trecho' in more %}
        coalesce(p.ate is null or p.ate >= {{ add_days('v.proximo_em', -1) }}, false)
            as eh_ultimo_trecho,
        {%- endif %}
        coalesce(p.eh_presente, true) as eh_presente
    from {{ rows }} as r
    inner join versoes_conhecidas as v
        on
            r.tabela = v.tabela
            and r.registro_id = v.registro_id
            and r._carga_id is not distinct from v._carga_id
    left join {{ ref('int_oferta__versoes_presencas') }} as p
        on
            v.tabela = p.tabela
            and v.registro_id = p.registro_id
            and coalesce(p.ate, {{ ending() }}) >= v.visto_em
            and p.desde <= greatest(
                coalesce({{ add_days('v.proximo_em', -1) }}, {{ ending() }}), v.visto_em
            )
)
{%- endmacro %}
