-- Slots that a cause takes without any record of that cause on that day and place would accuse a
-- holiday, a unit or a person of what they did not do. The records are looked up one by one, with
-- no minute counted; and what is blocked is never more than there is.
with oferta as (
    select * from {{ ref('oferta_por_dia') }}
),

escalas as (
    select * from {{ ref('stg_sisreg__escalas') }}
),

profissionais as (
    select distinct
        e.escala_codigo,
        e.profissional_cpf
    from escalas as e
)

select
    o.escala_id,
    o.data,
    o.vaga_tipo,
    o.causa_bloqueio
from oferta as o
where
    o.qtd_vagas_bloqueadas > o.qtd_vagas_total
    or (
        o.qtd_vagas_bloqueadas_feriado > 0
        and not exists (
            select 1
            from {{ ref('int_calendario__fechamentos') }} as f
            where
                f.data = o.data
                and coalesce(f.unidade_executante_cnes, o.unidade_executante_cnes)
                = o.unidade_executante_cnes
        )
    )
    or (
        o.qtd_vagas_bloqueadas_afastamento_unidade > 0
        and not exists (
            select 1
            from {{ ref('stg_sisreg__afastamentos_unidades') }} as u
            where
                u.unidade_executante_cnes = o.unidade_executante_cnes
                and o.data between u.data_inicio and u.data_fim
        )
    )
    or (
        o.qtd_vagas_bloqueadas_afastamento_profissional > 0
        and not exists (
            select 1
            from {{ ref('stg_sisreg__afastamentos_profissionais') }} as a
            inner join profissionais as p
                on a.profissional_cpf = p.profissional_cpf
            where p.escala_codigo = o.escala_codigo and o.data between a.data_inicio and a.data_fim
        )
    )
