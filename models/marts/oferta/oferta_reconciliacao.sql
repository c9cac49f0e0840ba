-- Grain: a row of SISREG's report and one of its measures. The explanations are tried in the order
-- of regra_reconciliacao; what none of them fits says so.
with celulas as (
    select * from {{ ref('int_oferta__celulas') }}
),

-- days on which a schedule was changed in the source, or was seen to have gone
mudancas as (
    select
        e.unidade_executante_cnes,
        e.procedimento_codigo,
        e.data_vigencia_inicial,
        e.data_vigencia_final,
        e.data_ultima_alteracao as data
    from {{ ref('stg_sisreg__escalas') }} as e

    union all

    select
        t.unidade_executante_cnes,
        t.procedimento_codigo,
        t.data_vigencia_inicial,
        t.data_vigencia_final,
        t.visto_de as data
    from {{ ref('int_oferta__escalas') }} as t
    where not t.eh_presente
),

alteradas as (
    select
        c.{{ report_keys() | join(',\n        c.') }}
    from celulas as c
    inner join mudancas as m
        on
            c.unidade_executante_cnes = m.unidade_executante_cnes
            and c.procedimento_codigo = m.procedimento_codigo
            and c.data_extracao < m.data
            and {{ competencia(add_days('c.competencia', 31)) }} > m.data_vigencia_inicial
            and c.competencia <= coalesce(m.data_vigencia_final, c.competencia)
    group by all
),

final as (
    select
        -- identificadores
        c.{{ report_keys() | join(',\n        c.') }},
        c.medida,
        -- datas
        c.data_extracao,
        -- categorias
        case
            when c.qtd_mapa = c.qtd_sisreg then 'igual'
            when c.tem_relatorio and c.qtd_sisreg is null then 'nao_informado_no_relatorio'
            when c.hipotese is not null then c.hipotese
            when
                c.tem_relatorio
                and c.tem_escala
                and c.qtd_mapa is not null
                and c.qtd_sisreg = c.qtd_das_parcelas
                then 'decorre_de_outra'
            when e.competencia is not null and c.medida not like 'ppi%' and c.medida <> 'teto'
                then 'escala_alterada_depois'
            when not c.tem_relatorio then 'so_no_mapa'
            when not c.tem_escala and c.medida not like 'ppi%' and c.medida <> 'teto'
                then 'so_no_relatorio'
            when c.qtd_mapa is null then 'desconhecido_no_mapa'
            else 'nao_explicada'
        end as explicacao,
        -- quantidades
        c.qtd_mapa,
        c.qtd_sisreg,
        c.qtd_mapa - c.qtd_sisreg as qtd_diferenca
    from celulas as c
    left join alteradas as e
        on {{ same_report_row('c', 'e') }}
)

select * from final
