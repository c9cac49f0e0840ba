-- Grain: month, executing unit, group of procedures. Active slots by who may see them: the unit's
-- own requests only (local agenda) or the whole network. An agenda that does not say is in neither.
with vagas as (
    select * from {{ ref('int_oferta__vagas_por_dia') }}
),

ativas as (
    select
        {{ competencia('v.data') }} as competencia,
        v.unidade_executante_cnes,
        concat(left(v.procedimento_codigo, 4), '000') as grupo_codigo,
        v.eh_agenda_local,
        v.qtd_vagas_total - v.qtd_vagas_bloqueadas as qtd_vagas_ativas
    from vagas as v
),

final as (
    select
        -- identificadores
        a.competencia,
        a.unidade_executante_cnes,
        a.grupo_codigo,
        -- quantidades
        {% for sentido, nome in [('true', 'local'), ('false', 'de_rede')] %}
        case
            when sum(case when a.eh_agenda_local = {{ sentido }} then 1 else 0 end) = 0 then 0
            else
                cast(
                    sum(case when a.eh_agenda_local = {{ sentido }} then a.qtd_vagas_ativas end)
                    as bigint
                )
        end as qtd_vagas_ativas_agenda_{{ nome }},
        {% endfor %}
        cast(sum(a.qtd_vagas_ativas) as bigint) as qtd_vagas_ativas
    from ativas as a
    group by all
)

select * from final
