-- Grain: holiday or leave, first day of a stretch in which a version of it was in force. Its
-- minutes run from minuto_inicio of the first day to minuto_fim of the last; an end that is missing
-- or 23:59 is the end of the day. Each date counts by the version in force
-- (regra_versoes_da_oferta). Holidays come resolved from int_calendario__fechamentos.
with fechamentos as (
    select * from {{ ref('int_calendario__fechamentos') }}
),

afastamentos_unidades as (
    select * from {{ ref('stg_sisreg__afastamentos_unidades') }}
),

afastamentos_profissionais as (
    select * from {{ ref('stg_sisreg__afastamentos_profissionais') }}
),

reunidas as (
    select
        'afastamento_unidade' as causa,
        'bruto_sisreg.afastamento_unidade' as tabela,
        u.afastamento_codigo as registro_id,
        u.unidade_executante_cnes,
        cast(null as string) as profissional_cpf,
        cast(null as string) as procedimento_codigo,
        u.data_inicio,
        u.minuto_inicio,
        u.data_fim,
        u.minuto_fim,
        u._carga_id,
        u._carga_ordem,
        u._linha
    from afastamentos_unidades as u
    where u.unidade_executante_cnes is not null

    union all

    select
        'afastamento_profissional' as causa,
        'bruto_sisreg.afastamento_profissional' as tabela,
        p.afastamento_codigo as registro_id,
        p.unidade_executante_cnes,
        p.profissional_cpf,
        p.procedimento_codigo,
        p.data_inicio,
        p.minuto_inicio,
        p.data_fim,
        p.minuto_fim,
        p._carga_id,
        p._carga_ordem,
        p._linha
    from afastamentos_profissionais as p
    where p.profissional_cpf is not null
),

-- the rows of one version are numbered: two leaves with one number both block
numeradas as (
    select
        r.*,
        row_number() over (
            partition by r.causa, r.registro_id, r._carga_id
            order by r.data_inicio, r.minuto_inicio, r.data_fim, r.minuto_fim, r._linha
        ) as linha_da_versao
    from reunidas as r
),

{{ record_versions(
    'numeradas', dated='r.data_inicio <= ' ~ data_referencia(), more=['vale_de']
) }},

final as (
    select
        -- identificadores
        {{ surrogate_key(['t.causa', 't.registro_id', 't.linha_da_versao']) }} as interrupcao_id,
        t.unidade_executante_cnes,
        {{ pseudonym("'profissional:' || t.profissional_cpf") }} as profissional_id,
        t.procedimento_codigo,
        -- datas e horários
        t.visto_de,
        t.visto_ate,
        t.vale_de,
        t.data_inicio,
        coalesce(t.minuto_inicio, 0) as minuto_inicio,
        t.data_fim,
        case
            when t.minuto_fim is null or t.minuto_fim = 23 * 60 + 59 then 24 * 60
            else t.minuto_fim
        end as minuto_fim,
        -- categorias
        t.causa as causa_bloqueio
    from trechos as t
    where t.eh_presente and coalesce(t.visto_ate >= t.visto_de, true)

    union all

    select
        {{ surrogate_key(["'feriado'", 'f.fechamento_id']) }} as interrupcao_id,
        f.unidade_executante_cnes,
        cast(null as string) as profissional_id,
        cast(null as string) as procedimento_codigo,
        f.visto_de,
        f.visto_ate,
        f.vale_de,
        f.data as data_inicio,
        0 as minuto_inicio,
        f.data as data_fim,
        24 * 60 as minuto_fim,
        'feriado' as causa_bloqueio
    from fechamentos as f
)

select * from final
