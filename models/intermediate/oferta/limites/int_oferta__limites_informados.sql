-- Grain: limit (kind, month, centrals, unit, procedure), first day of a stretch in which a version
-- of it was in force. PPI has no unit; a ceiling has no central.
with ppi as (
    select * from {{ ref('stg_sisreg__ppi') }}
),

tetos as (
    select * from {{ ref('stg_sisreg__tetos') }}
),

reunidos as (
    select
        'ppi' as limite_tipo,
        'bruto_sisreg.ppi' as tabela,
        p.ppi_chave as registro_id,
        p.competencia,
        p.central_executora_codigo,
        p.central_solicitante_codigo,
        cast(null as string) as unidade_executante_cnes,
        p.procedimento_codigo,
        p.qtd_ppi as qtd_limite,
        p._carga_id,
        p._carga_ordem,
        p._linha
    from ppi as p

    union all

    select
        'teto' as limite_tipo,
        'bruto_sisreg.teto' as tabela,
        t.teto_chave as registro_id,
        t.competencia,
        cast(null as string) as central_executora_codigo,
        cast(null as string) as central_solicitante_codigo,
        t.unidade_executante_cnes,
        t.procedimento_codigo,
        t.qtd_teto as qtd_limite,
        t._carga_id,
        t._carga_ordem,
        t._linha
    from tetos as t
),

{{ record_versions('reunidos', dated='r.competencia <= ' ~ data_referencia()) }},

final as (
    select
        -- identificadores
        {{ surrogate_key(['t.limite_tipo', 't.registro_id']) }} as limite_id,
        t.limite_tipo,
        t.competencia,
        t.central_executora_codigo,
        t.central_solicitante_codigo,
        t.unidade_executante_cnes,
        t.procedimento_codigo,
        -- datas
        t.visto_de,
        t.visto_ate,
        -- quantidades
        cast(t.qtd_limite as bigint) as qtd_limite
    from trechos as t
    where t.eh_presente and coalesce(t.visto_ate >= t.visto_de, true)
)

select * from final
