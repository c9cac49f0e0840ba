-- Grain: month, executing central, executing unit, procedure. The mart with readable names.
with oferta as (
    select * from {{ ref('oferta_real_por_mes') }}
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
    select * from {{ ref('regioes_saude') }}
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
        -- a month is over when the day after the last described one is in another month
        case
            when o.competencia > d.data_referencia then 'programada'
            when o.competencia = {{ competencia(add_days('d.data_referencia', 1)) }} then 'em_curso'
            else 'encerrada'
        end as competencia_situacao,
        o.limite_vinculante,
        o.causa_principal,
        -- quantidades
        o.qtd_vagas_total,
        o.qtd_vagas_bloqueadas,
        o.qtd_vagas_bloqueadas_feriado,
        o.qtd_vagas_bloqueadas_afastamento_unidade,
        o.qtd_vagas_bloqueadas_afastamento_profissional,
        o.qtd_vagas_ativas,
        o.qtd_ppi,
        o.qtd_teto,
        o.qtd_oferta_real,
        o.qtd_vagas_perdidas_ppi,
        o.qtd_vagas_perdidas_teto,
        o.qtd_vagas_total_primeira_vez,
        o.qtd_vagas_bloqueadas_primeira_vez,
        o.qtd_vagas_ativas_primeira_vez,
        o.qtd_oferta_real_primeira_vez,
        o.qtd_vagas_total_retorno,
        o.qtd_vagas_bloqueadas_retorno,
        o.qtd_vagas_ativas_retorno,
        o.qtd_oferta_real_retorno,
        o.qtd_vagas_total_reserva,
        o.qtd_vagas_bloqueadas_reserva,
        o.qtd_vagas_ativas_reserva,
        o.qtd_oferta_real_reserva
    from oferta as o
    cross join referencia as d
    left join estabelecimentos as e
        on o.unidade_executante_cnes = e.unidade_cnes
    left join procedimentos as p
        on o.procedimento_codigo = p.procedimento_codigo
    left join regioes as r
        on coalesce(e.regiao_saude_codigo, 'nao_identificada') = r.regiao_saude_codigo
)

select * from final
