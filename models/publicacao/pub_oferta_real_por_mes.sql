-- Grain: month, executing central, executing unit, procedure. The mart with readable names, less
-- what would tell the leaves of a professional (regra_divulgacao_afastamentos).
{% set causas = ['feriado', 'afastamento', 'teto', 'ppi'] %}

with oferta as (
    select * from {{ ref('oferta_real_por_mes') }}
),

divulgacao as (
    select * from {{ ref('int_oferta__divulgacao') }}
),

estabelecimentos as (
    select * from {{ ref('dim_estabelecimentos') }}
),

procedimentos as (
    select * from {{ ref('dim_procedimentos') }}
),

referencia as (
    select * from {{ ref('int_calendario__referencia') }}
),

regioes as (
    select * from {{ ref('territorio_regioes') }}
),

-- without what may not be told; the leaves of unit and professional together are one cause
divulgada as (
    select
        o.*,
        d.divulgacao,
        d.divulgacao = 'por_dia' as eh_por_dia,
        d.divulgacao <> 'nao_divulgada' as eh_divulgada,
        o.qtd_vagas_bloqueadas_feriado as perdidas_feriado,
        o.qtd_vagas_bloqueadas_afastamento_unidade
        + o.qtd_vagas_bloqueadas_afastamento_profissional as perdidas_afastamento,
        o.qtd_vagas_perdidas_teto as perdidas_teto,
        o.qtd_vagas_perdidas_ppi as perdidas_ppi
    from oferta as o
    left join divulgacao as d
        on
            o.competencia = d.competencia
            and o.central_executora_codigo = d.central_executora_codigo
            and o.unidade_executante_cnes = d.unidade_executante_cnes
            and o.procedimento_codigo = d.procedimento_codigo
),

causas as (
    select
        v.*,
        greatest(
            v.perdidas_feriado,
            v.perdidas_afastamento,
            v.perdidas_teto,
            v.perdidas_ppi
        ) as maior_perda
    from divulgada as v
),

final as (
    select
        -- identificadores
        o.competencia,
        o.central_executora_codigo,
        o.unidade_executante_cnes,
        e.unidade_nome as unidade_executante_nome,
        coalesce(e.regiao_saude_codigo, 'nao_identificada') as regiao_saude_codigo,
        r.regiao_saude_nome,
        o.procedimento_codigo,
        p.procedimento_nome,
        p.grupo_codigo,
        p.grupo_nome,
        -- categorias
        {{ month_situation('o.competencia', 'd.data_referencia') }} as competencia_situacao,
        case when o.eh_divulgada then o.limite_vinculante end as limite_vinculante,
        case
            when not o.eh_divulgada then null
            when o.eh_por_dia or o.causa_principal is null then o.causa_principal
            when o.maior_perda = 0 then 'nenhuma'
            when
                {% for causa in causas %}
                case when o.perdidas_{{ causa }} = o.maior_perda then 1 else 0 end
                {{ '+' if not loop.last }}
                {% endfor %}
                > 1
                then 'empate'
            {% for causa in causas %}
            when o.perdidas_{{ causa }} = o.maior_perda then '{{ causa }}'
            {% endfor %}
        end as causa_principal,
        -- quantidades
        o.qtd_vagas_total,
        case when o.eh_divulgada then o.qtd_vagas_bloqueadas end as qtd_vagas_bloqueadas,
        o.qtd_vagas_bloqueadas_feriado,
        case when o.eh_divulgada then o.perdidas_afastamento end
            as qtd_vagas_bloqueadas_afastamento,
        {% for causa in ['unidade', 'profissional'] %}
        case when o.eh_por_dia then o.qtd_vagas_bloqueadas_afastamento_{{ causa }} end
            as qtd_vagas_bloqueadas_afastamento_{{ causa }},
        {% endfor %}
        case when o.eh_divulgada then o.qtd_vagas_ativas end as qtd_vagas_ativas,
        o.qtd_ppi,
        o.qtd_teto,
        {% for medida in ['oferta_real', 'vagas_perdidas_ppi', 'vagas_perdidas_teto'] %}
        case when o.eh_divulgada then o.qtd_{{ medida }} end as qtd_{{ medida }},
        {% endfor %}
        {% for tipo in slot_kinds() %}
        o.qtd_vagas_total_{{ tipo }},
        {% for medida in ['vagas_bloqueadas', 'vagas_ativas', 'oferta_real'] %}
        case when o.eh_divulgada then o.qtd_{{ medida }}_{{ tipo }} end
            as qtd_{{ medida }}_{{ tipo }},
        {% endfor %}
        {% endfor %}
        o.divulgacao
    from causas as o
    cross join referencia as d
    left join estabelecimentos as e
        on o.unidade_executante_cnes = e.unidade_cnes
    left join procedimentos as p
        on o.procedimento_codigo = p.procedimento_codigo
    left join regioes as r
        on coalesce(e.regiao_saude_codigo, 'nao_identificada') = r.regiao_saude_codigo
)

select * from final
