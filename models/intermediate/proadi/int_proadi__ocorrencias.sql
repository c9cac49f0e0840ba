-- Grain: object, term, step, occurrence. From which fact a term runs, by which norm, how many days
-- it has and what met it. Rule: regra_proadi_prazos.
with eventos as (
    select * from {{ ref('int_proadi__eventos') }}
),

prazos as (
    select
        p.*,
        p.documento_inicial = p.documento_final as eh_um_documento
    from {{ ref('proadi_prazos') }} as p
),

projetos as (
    select
        p.*,
        cast(extract(year from t.data_trienio_fim) as integer) as ultimo_ano
    from {{ proadi_newest_version('stg_proadi__projetos', 'projeto', 'projeto_nup') }} as p
    left join {{ proadi_newest_version('stg_proadi__termos', 'termo', 'termo_numero') }} as t
        on p.termo_numero = t.termo_numero
),

reducoes as (
    select
        r.norma,
        max(case when r.parametro = 'divisor' then r.valor end) as divisor,
        max(case when r.parametro = 'inicio' then r.valor end) as inicio,
        max(case when r.parametro = 'fim' then r.valor end) as fim
    from {{ ref('proadi_regras') }} as r
    where r.regra_codigo = 'D28'
    group by r.norma
),

{{ proadi_occurrences() }},

com_norma as (
    select
        o.*,
        p.documento_inicial,
        p.contagem,
        p.dias,
        p.data_fixa,
        p.anos,
        p.dia_util_do_mes_seguinte,
        p.dias_prorrogacao,
        p.sentido,
        p.responsavel_codigo,
        p.suspende_em_diligencia,
        p.prorroga_para_dia_util,
        p.norma,
        p.dispositivo,
        j.termo_numero,
        {{ in_force_on('p', data_referencia()) }} as base_legal_em_vigor,
        {{ in_force_on('p', 'coalesce(o.data_inicio, o.data_cumprimento)') }}
            as foi_vigente_no_fato,
        {{ norm_rank(
            'p', data_referencia(), 'o.prazo_codigo, o.prazo_etapa, o.objeto_tipo, '
            ~ 'o.objeto_numero, o.ocorrencia, o.evento_ordem'
        ) }} as ordem_da_norma,
        case
            when
                p.responsavel_codigo = 'ministerio'
                and p.documento_inicial in ('carta', 'alteracao')
                and extract(year from o.data_inicio) = j.ultimo_ano
                and extract(month from o.data_inicio) * 100 + extract(day from o.data_inicio)
                between s.inicio and s.fim
                then s.divisor
        end as divisor
    from ocorridos as o
    inner join prazos as p
        on
            o.prazo_codigo = p.prazo_codigo
            and o.prazo_etapa = p.prazo_etapa
            and coalesce(o.data_inicio, o.data_cumprimento) >= p.vigente_de
    left join projetos as j
        on case when o.objeto_tipo = 'projeto' then o.objeto_numero end = j.projeto_nup
    left join reducoes as s on p.norma = s.norma
    where
        case p.condicao
            when 'apoio' then j.natureza_codigo = 'apoio' and j.foi_demandado is not true
            when 'assistencial'
                then j.natureza_codigo = 'assistencial' and j.foi_demandado is not true
            when 'demandado' then j.foi_demandado
            when 'ti' then j.tem_ti
            when 'equipamentos' then j.tem_equipamentos
            when 'ultimo_ano' then extract(year from o.data_inicio) = j.ultimo_ano
            else true
        end
        and (o.data_cumprimento is not null or not p.eh_facultativo)
        and (
            coalesce(o.data_inicio <= {{ data_referencia() }}, false)
            or coalesce(o.data_cumprimento <= {{ data_referencia() }}, false)
            or coalesce(p.anos < 0, false)
        )
),

final as (
    select
        -- identificadores
        c.objeto_tipo,
        c.objeto_numero,
        c.prazo_codigo,
        c.prazo_etapa,
        c.ocorrencia,
        c.evento_ordem,
        concat_ws(
            '|', c.objeto_tipo, c.objeto_numero, c.prazo_codigo, c.prazo_etapa, c.ocorrencia,
            cast(c.evento_ordem as string)
        ) as prazo_id,
        c.documento_inicial,
        coalesce(c.termo_numero, case when c.objeto_tipo = 'termo' then c.objeto_numero end)
            as termo_numero,
        -- datas
        c.data_inicio,
        c.data_cumprimento,
        -- prazo
        c.contagem,
        c.dias,
        c.data_fixa,
        c.anos,
        c.dia_util_do_mes_seguinte,
        c.dias_prorrogacao,
        cast(c.divisor as integer) as divisor,
        c.sentido,
        c.responsavel_codigo,
        c.suspende_em_diligencia,
        c.prorroga_para_dia_util,
        -- norma
        c.norma_citada,
        c.norma,
        c.dispositivo,
        c.base_legal_em_vigor,
        c.foi_vigente_no_fato,
        {{ proadi_is_computed('c.base_legal_em_vigor') }} as foi_calculada
    from com_norma as c
    where c.ordem_da_norma = 1
)

select * from final
