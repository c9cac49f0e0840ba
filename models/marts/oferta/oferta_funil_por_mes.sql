-- Grain: month, executing unit, procedure of the agenda, kind of slot. Rule regra_funil_da_oferta;
-- indicators 17, 18 and 19. More bookings than slots show as an excess and as more than 100 %,
-- never clipped.
with oferta as (
    select * from {{ ref('oferta_real_por_tipo_por_mes') }}
),

marcacoes as (
    select * from {{ ref('int_oferta__marcacoes_por_mes') }}
),

encontros as (
    select
        coalesce(o.competencia, m.competencia) as competencia,
        coalesce(o.unidade_executante_cnes, m.unidade_executante_cnes) as unidade_executante_cnes,
        coalesce(o.procedimento_codigo, m.procedimento_codigo) as procedimento_codigo,
        coalesce(o.vaga_tipo, m.vaga_tipo) as vaga_tipo,
        -- no schedule offers it: that is known to be zero; a known row without quantity stays null
        {% for medida in [
            'vagas_total',
            'vagas_bloqueadas',
            'vagas_ativas',
            'vagas_perdidas_teto',
            'vagas_perdidas_ppi',
            'oferta_real',
        ] %}
        case when o.competencia is null then 0 else o.qtd_{{ medida }} end as qtd_{{ medida }},
        {% endfor %}
        {% for medida in [
            'marcadas',
            'atendidas',
            'faltas',
            'sem_confirmacao',
            'canceladas_tarde',
            'futuras',
            'na_agenda_do_grupo',
            'liberadas',
        ] %}
        coalesce(m.qtd_{{ medida }}, 0) as qtd_{{ medida }},
        {% endfor %}
        coalesce(m.qtd_reaproveitadas, 0) as qtd_reaproveitadas
    from oferta as o
    full outer join marcacoes as m
        on
            o.competencia = m.competencia
            and o.unidade_executante_cnes = m.unidade_executante_cnes
            and o.procedimento_codigo = m.procedimento_codigo
            and o.vaga_tipo = m.vaga_tipo
),

-- an engine may skip nulls in greatest and least, so the unknown goes first
saldos as (
    select
        e.*,
        case
            when e.qtd_oferta_real is not null then greatest(e.qtd_oferta_real - e.qtd_marcadas, 0)
        end as qtd_vazias,
        case
            when e.qtd_oferta_real is not null then greatest(e.qtd_marcadas - e.qtd_oferta_real, 0)
        end as qtd_excedentes
    from encontros as e
),

liberacoes as (
    select
        s.*,
        case
            when s.qtd_vazias is not null
                then least(s.qtd_vazias, s.qtd_liberadas - s.qtd_reaproveitadas)
        end as qtd_liberadas_vazias
    from saldos as s
),

final as (
    select
        -- identificadores
        v.competencia,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        case
            when v.procedimento_codigo <> 'nao_informado'
                then concat(left(v.procedimento_codigo, 4), '000')
            else v.procedimento_codigo
        end as grupo_codigo,
        v.vaga_tipo,
        -- quantidades da oferta
        v.qtd_vagas_total,
        v.qtd_vagas_bloqueadas,
        v.qtd_vagas_ativas,
        v.qtd_vagas_perdidas_teto,
        v.qtd_vagas_perdidas_ppi,
        v.qtd_oferta_real,
        -- quantidades do uso
        v.qtd_marcadas,
        v.qtd_atendidas,
        v.qtd_faltas,
        v.qtd_sem_confirmacao,
        v.qtd_canceladas_tarde,
        v.qtd_futuras,
        v.qtd_na_agenda_do_grupo,
        v.qtd_excedentes,
        -- quantidades do que ficou vazio
        v.qtd_liberadas,
        v.qtd_reaproveitadas,
        v.qtd_vazias,
        v.qtd_liberadas_vazias,
        v.qtd_vazias - v.qtd_liberadas_vazias as qtd_nunca_preenchidas,
        -- percentuais
        {{ percentage('v.qtd_marcadas', 'v.qtd_oferta_real') }} as pct_marcacao,
        {{ percentage('v.qtd_vazias', 'v.qtd_oferta_real') }} as pct_vazias,
        {{ percentage('v.qtd_atendidas', 'v.qtd_oferta_real') }} as pct_atendimento
    from liberacoes as v
)

select * from final
