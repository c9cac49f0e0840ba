-- Grain: date, scope and unit of the operator's table, first day of a stretch in which a version of
-- the row was in force. What a scope reaches is decided here and nowhere else (regra_feriados).
with feriados as (
    select * from {{ ref('stg_sisreg__feriados') }}
),

reunidos as (
    select
        'bruto_sisreg.feriado' as tabela,
        f.feriado_chave as registro_id,
        -- the rows of one version are numbered: they may differ in their description only
        row_number() over (
            partition by f.feriado_chave, f._carga_id order by f.feriado_descricao, f._linha
        ) as linha_da_versao,
        f.data,
        -- only the nation's holiday is of all units whatever the row says of a unit
        case when coalesce(f.abrangencia, '') <> 'nacional' then f.unidade_executante_cnes end
            as unidade_executante_cnes,
        f.abrangencia,
        f.feriado_descricao,
        f._carga_id,
        f._carga_ordem,
        f._linha
    from feriados as f
    where f.data is not null
),

{{ record_versions('reunidos', dated='r.data <= ' ~ data_referencia()) }},

final as (
    select
        -- identificadores
        {{ surrogate_key(['t.registro_id', 't.linha_da_versao']) }} as informado_id,
        t.unidade_executante_cnes,
        -- datas
        t.data,
        t.visto_de,
        t.visto_ate,
        -- a word said again holds for its date, however late; only what had vanished holds anew
        case when t.visto_de > t.visto_em then t.visto_de end as vale_de,
        -- categorias
        t.abrangencia,
        t.feriado_descricao,
        -- metadados
        t._carga_ordem,
        t._linha
    from trechos as t
    where t.eh_presente and coalesce(t.visto_ate >= t.visto_de, true)
)

select * from final
