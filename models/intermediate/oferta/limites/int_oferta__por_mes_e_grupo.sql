-- Grain: month, executing unit, group of procedures. Active slots by who may see them: the unit's
-- own requests only (local agenda) or the whole network. An agenda that does not say is in neither.
-- Beside them what the limits leave: the real offer, which is of no agenda.
with vagas as (
    select * from {{ ref('int_oferta__vagas_por_dia') }}
),

limites as (
    select * from {{ ref('int_oferta__limites') }}
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

agendas as (
    select
        a.competencia,
        a.unidade_executante_cnes,
        a.grupo_codigo,
        {% for sentido, nome in [('true', 'local'), ('false', 'de_rede')] %}
        case
            when count(case when a.eh_agenda_local = {{ sentido }} then 1 end) = 0 then 0
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
),

reais as (
    select
        l.competencia,
        l.unidade_executante_cnes,
        concat(left(l.procedimento_codigo, 4), '000') as grupo_codigo,
        cast(sum(l.qtd_oferta_real) as bigint) as qtd_oferta_real
    from limites as l
    group by all
),

final as (
    select
        -- identificadores
        a.competencia,
        a.unidade_executante_cnes,
        a.grupo_codigo,
        -- quantidades
        a.qtd_vagas_ativas_agenda_local,
        a.qtd_vagas_ativas_agenda_de_rede,
        a.qtd_vagas_ativas,
        r.qtd_oferta_real
    from agendas as a
    left join reais as r
        on
            a.competencia = r.competencia
            and a.unidade_executante_cnes = r.unidade_executante_cnes
            and a.grupo_codigo = r.grupo_codigo
)

select * from final
