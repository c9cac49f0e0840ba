-- Grain: month of the register, unit, professional. One contract of unknown hours makes the sum
-- unknown. Rule regra_horas_da_oferta, criteria 4 and 5.
with cargas_horarias as (
    select * from {{ ref('stg_cnes__cargas_horarias') }}
),

cargas as (
    select * from {{ ref('int_calendario__cargas') }}
),

versoes as (
    select
        c.competencia,
        c.unidade_cnes,
        c.profissional_cpf,
        c.qtd_horas_semanais,
        row_number() over (
            partition by
                c.competencia,
                c.unidade_cnes,
                c.profissional_cpf,
                c.profissional_cbo,
                c.vinculo_codigo
            order by
                -- a later word counts only where nothing was known by the reference day
                case when g.visto_em <= {{ last_day_seen() }} then 0 else 1 end,
                c._carga_ordem desc,
                c._linha desc
        ) as versao_ordem
    from cargas_horarias as c
    left join cargas as g
        on c._carga_id = g.carga_id
    where
        c.competencia is not null
        and c.unidade_cnes is not null
        and c.profissional_cpf is not null
),

somados as (
    select
        v.competencia,
        v.unidade_cnes,
        v.profissional_cpf,
        count(*) as qtd_contratos,
        case when count(*) = count(v.qtd_horas_semanais) then sum(v.qtd_horas_semanais) end
            as qtd_horas_semanais
    from versoes as v
    where v.versao_ordem = 1
    group by all
),

final as (
    select
        -- identificadores
        s.competencia,
        s.unidade_cnes,
        {{ pseudonym("'profissional:' || s.profissional_cpf") }} as profissional_id,
        -- quantidades
        s.qtd_contratos,
        cast(s.qtd_horas_semanais as integer) as qtd_horas_semanais
    from somados as s
)

select * from final
