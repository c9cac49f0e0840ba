{# What loads brought, as periods in which each version was in force. #}

{# The day before anything was seen. #}
{% macro beginning() -%}
    cast('0001-01-01' as date)
{%- endmacro %}


{# Give each row of `rows` (alias r: _carga_id, _carregado_em, _linha and what `key` names) the days
   of its version: visto_em, primeiro_dia (of any version of the key) and proximo_em (of the next
   version). Rows without a load are computed; they count from the beginning. #}
{% macro version_days(rows, key) -%}
    select
        r.*,
        coalesce(c.visto_em, {{ beginning() }}) as visto_em,
        first_value(c.visto_em) over (
            partition by {{ key }} order by r._carregado_em, r._linha
        ) as primeiro_dia,
        lead(c.visto_em) over (
            partition by {{ key }} order by r._carregado_em, r._linha
        ) as proximo_em
    from {{ rows }} as r
    left join {{ ref('int_calendario__cargas') }} as c
        on r._carga_id = c.carga_id
    where c.carga_id is not null or r._carga_id is null
{%- endmacro %}


{# Cut the versions of `versions` (from version_days, with tabela and registro_id) where their record
   vanished or came back (int_oferta__presencas). Adds eh_presente; visto_de and visto_ate, first and
   last day seen so (no last day: still so; a last day before the first: replaced on the same day);
   vale_de, first date that it applies to: none for the first version, which stands for the time
   before anything was seen; and eh_ultimo_trecho. #}
{% macro version_periods(versions) -%}
    select
        v.*,
        greatest(v.visto_em, p.desde) as visto_de,
        least({{ add_days('v.proximo_em', -1) }}, p.ate) as visto_ate,
        case
            when v.visto_em <> v.primeiro_dia or p.desde > {{ beginning() }}
                then greatest(v.visto_em, p.desde)
        end as vale_de,
        coalesce(p.eh_presente, true) as eh_presente,
        coalesce(p.ate is null or p.ate >= {{ add_days('v.proximo_em', -1) }}, false)
            as eh_ultimo_trecho
    from {{ versions }} as v
    left join {{ ref('int_oferta__presencas') }} as p
        on
            v.tabela = p.tabela
            and v.registro_id = p.registro_id
            and coalesce(p.ate, v.visto_em) >= v.visto_em
            and p.desde <= greatest(
                coalesce({{ add_days('v.proximo_em', -1) }}, p.desde), v.visto_em
            )
{%- endmacro %}
