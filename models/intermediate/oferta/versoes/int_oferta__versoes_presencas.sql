-- Grain: raw table, record, first day. Whether a record that ever vanished was there, stretch by
-- stretch, from the beginning to now (no last day); others have no row.
with ausencias as (
    select * from {{ source('controle', 'ausencias') }}
),

cargas as (
    select * from {{ ref('int_calendario__cargas') }}
),

eventos as (
    select
        a.tabela,
        a.chave as registro_id,
        a.evento,
        c.visto_em,
        row_number() over (
            partition by a.tabela, a.chave
            order by c.ordem
        ) as ordem,
        lead(c.visto_em) over (
            partition by a.tabela, a.chave
            order by c.ordem
        ) as proximo_em
    from ausencias as a
    inner join cargas as c
        on a.carga_id = c.carga_id
    where
        c.visto_em <= {{ last_day_seen() }}
        and (
            a.tabela in (
                'bruto_sisreg.escala_ambulatorial',
                'bruto_sisreg.afastamento_profissional',
                'bruto_sisreg.afastamento_unidade',
                'bruto_sisreg.feriado',
                'bruto_sisreg.ppi',
                'bruto_sisreg.teto'
            )
            or a.tabela like 'bruto_proadi.%'
        )
),

trechos as (
    -- before its first event the record was there
    select
        e.tabela,
        e.registro_id,
        {{ beginning() }} as desde,
        {{ add_days('e.visto_em', -1) }} as ate,
        e.evento = 'ausente' as eh_presente
    from eventos as e
    where e.ordem = 1

    union all

    select
        e.tabela,
        e.registro_id,
        e.visto_em as desde,
        {{ add_days('e.proximo_em', -1) }} as ate,
        e.evento = 'presente' as eh_presente
    from eventos as e
    -- what changed again on the same day was never so at the end of a day
    where e.proximo_em is null or e.proximo_em > e.visto_em
),

final as (
    select
        -- identificadores
        t.tabela,
        t.registro_id,
        -- datas
        t.desde,
        t.ate,
        -- categorias
        t.eh_presente
    from trechos as t
)

select * from final
