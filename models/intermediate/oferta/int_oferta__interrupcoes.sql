-- Grain: one row per current holiday or leave. Its minutes run from minuto_inicio of the first day
-- to minuto_fim of the last; an end that is missing or 23:59 is the end of the day.
with feriados as (
    select * from {{ ref('stg_sisreg__feriados') }}
),

calendario as (
    select * from {{ ref('int_calendario__feriados') }}
),

afastamentos_unidades as (
    select * from {{ ref('stg_sisreg__afastamentos_unidades') }}
),

afastamentos_profissionais as (
    select * from {{ ref('stg_sisreg__afastamentos_profissionais') }}
),

reunidas as (
    select
        'feriado' as causa,
        concat_ws('|', cast(f.data as string), f.abrangencia, f.unidade_executante_cnes) as chave,
        case when f.abrangencia = 'local' then f.unidade_executante_cnes end
            as unidade_executante_cnes,
        cast(null as string) as profissional_cpf,
        cast(null as string) as procedimento_codigo,
        f.data as data_inicio,
        cast(null as integer) as minuto_inicio,
        f.data as data_fim,
        cast(null as integer) as minuto_fim,
        f._carregado_em,
        f._linha
    from feriados as f
    -- what a later word of the operator has undone is not in the calendar
    inner join calendario as c
        on
            f.data = c.data
            and case when f.abrangencia = 'local' then f.unidade_executante_cnes end
            is not distinct from c.unidade_executante_cnes
            and c.feriado_origem = 'operador'
    where f.abrangencia is distinct from 'nenhuma'

    union all

    select
        'feriado' as causa,
        c.feriado_id as chave,
        c.unidade_executante_cnes,
        cast(null as string) as profissional_cpf,
        cast(null as string) as procedimento_codigo,
        c.data as data_inicio,
        cast(null as integer) as minuto_inicio,
        c.data as data_fim,
        cast(null as integer) as minuto_fim,
        cast(null as timestamp) as _carregado_em,
        cast(null as bigint) as _linha
    from calendario as c
    where c.feriado_origem = 'calculado' and c.tem_bloqueio

    union all

    select
        'afastamento_unidade' as causa,
        u.afastamento_codigo as chave,
        u.unidade_executante_cnes,
        cast(null as string) as profissional_cpf,
        cast(null as string) as procedimento_codigo,
        u.data_inicio,
        u.minuto_inicio,
        u.data_fim,
        u.minuto_fim,
        u._carregado_em,
        u._linha
    from afastamentos_unidades as u
    where u.unidade_executante_cnes is not null

    union all

    select
        'afastamento_profissional' as causa,
        p.afastamento_codigo as chave,
        p.unidade_executante_cnes,
        p.profissional_cpf,
        p.procedimento_codigo,
        p.data_inicio,
        p.minuto_inicio,
        p.data_fim,
        p.minuto_fim,
        p._carregado_em,
        p._linha
    from afastamentos_profissionais as p
    where p.profissional_cpf is not null
),

versoes as (
    select
        r.causa,
        r.chave,
        r.unidade_executante_cnes,
        r.profissional_cpf,
        r.procedimento_codigo,
        r.data_inicio,
        r.minuto_inicio,
        r.data_fim,
        r.minuto_fim,
        row_number() over (
            partition by r.causa, r.chave
            order by r._carregado_em desc, r._linha desc
        ) as versao_ordem
    from reunidas as r
),

final as (
    select
        -- identificadores
        {{ surrogate_key(['v.causa', 'v.chave']) }} as interrupcao_id,
        v.unidade_executante_cnes,
        {{ pseudonym("'profissional:' || v.profissional_cpf") }} as profissional_id,
        v.procedimento_codigo,
        -- datas e horários
        v.data_inicio,
        coalesce(v.minuto_inicio, 0) as minuto_inicio,
        v.data_fim,
        case
            when v.minuto_fim is null or v.minuto_fim = 23 * 60 + 59 then 24 * 60
            else v.minuto_fim
        end as minuto_fim,
        -- categorias
        v.causa as causa_bloqueio
    from versoes as v
    where v.versao_ordem = 1
)

select * from final
