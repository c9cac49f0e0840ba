-- Every booking made by the day described is in the funnel once, as one that held its slot or as
-- one that gave it back in time: an outcome that no column counts, or a month of somebody else,
-- shows here. Bookings are counted in the source's own records; what is asked for, or booked, after
-- the day waits for its day.
with brutos as (
    select
        {{ competencia('m.momento_agendamento') }} as competencia,
        count(
            distinct concat(
                m.solicitacao_codigo, ' ', m.marcacao_codigo, ' ',
                cast(m.momento_agendamento as date)
            )
        ) as qtd
    from {{ ref('stg_sisreg__marcacoes_ambulatoriais') }} as m
    where
        m.momento_agendamento is not null
        and cast(
            greatest(
                m.momento_solicitacao,
                coalesce(
                    m.momento_aprovacao, least(m.momento_atualizacao, m.momento_agendamento)
                )
            ) as date
        ) <= {{ data_referencia() }}
    group by {{ competencia('m.momento_agendamento') }}
),

contados as (
    select
        f.competencia,
        sum(f.qtd_marcadas + f.qtd_liberadas) as qtd,
        sum(
            f.qtd_atendidas + f.qtd_faltas + f.qtd_sem_confirmacao + f.qtd_canceladas_tarde
            + f.qtd_futuras + f.qtd_liberadas
        ) as qtd_pelos_desfechos
    from {{ ref('oferta_funil_por_mes') }} as f
    group by f.competencia
)

select
    coalesce(b.competencia, c.competencia) as competencia,
    b.qtd as qtd_brutos,
    c.qtd as qtd_no_funil,
    c.qtd_pelos_desfechos
from brutos as b
full outer join contados as c
    on b.competencia = c.competencia
where
    coalesce(b.qtd, 0) <> coalesce(c.qtd, 0)
    or coalesce(b.qtd, 0) <> coalesce(c.qtd_pelos_desfechos, 0)
