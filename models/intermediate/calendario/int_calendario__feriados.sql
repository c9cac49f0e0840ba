-- Grain: day, unit (null: all units). What the operator's table says of a day goes before what the
-- rules compute; one row per day and unit, so that a day is never counted twice.
-- Rule: regra_feriados.
with dias as (
    select * from {{ ref('int_calendario__dias') }}
),

regras as (
    select * from {{ ref('regras_feriados') }}
),

feriados as (
    select * from {{ ref('stg_sisreg__feriados') }}
),

cargas as (
    select * from {{ ref('int_calendario__cargas') }}
),

dias_do_ano as (
    select
        d.data,
        cast(extract(year from d.data) as integer) as ano,
        cast(extract(month from d.data) as integer) as mes,
        cast(extract(day from d.data) as integer) as dia
    from dias as d
),

calculados as (
    select
        d.data,
        cast(null as string) as unidade_executante_cnes,
        r.abrangencia,
        r.feriado_natureza,
        'calculado' as feriado_origem,
        r.feriado_descricao,
        2 as origem_ordem
    from dias_do_ano as d
    inner join regras as r
        on
            (
                (d.mes = r.mes and d.dia = r.dia)
                or {{ days_between(easter_sunday('d.ano'), 'd.data') }} = r.dias_da_pascoa
            )
            and d.ano between coalesce(r.ano_inicial, d.ano) and coalesce(r.ano_final, d.ano)
            and coalesce(r.territorio_ibge, '')
            = left('{{ var("municipio_ibge6") }}', length(coalesce(r.territorio_ibge, '')))
),

informados as (
    select
        f.data,
        case when f.abrangencia in ('local', 'nenhuma') then f.unidade_executante_cnes end
            as unidade_executante_cnes,
        f.abrangencia,
        f.feriado_descricao,
        f._carregado_em,
        f._linha
    from feriados as f
    inner join cargas as c
        on f._carga_id = c.carga_id
    where f.data is not null
),

-- the newest word on a day and unit; the others of the day count too, unless it undoes them
informados_em_ordem as (
    select
        i.data,
        i.unidade_executante_cnes,
        i.abrangencia,
        i.feriado_descricao,
        first_value(i.abrangencia) over (
            partition by i.data, i.unidade_executante_cnes
            order by i._carregado_em desc, i._linha desc
        ) as ultima_abrangencia,
        row_number() over (
            partition by i.data, i.unidade_executante_cnes, i.abrangencia
            order by i._carregado_em desc, i._linha desc
        ) as versao_ordem
    from informados as i
),

reunidos as (
    select
        c.data,
        c.unidade_executante_cnes,
        c.abrangencia,
        c.feriado_natureza,
        c.feriado_origem,
        c.feriado_descricao,
        c.origem_ordem
    from calculados as c

    union all

    select
        o.data,
        o.unidade_executante_cnes,
        case when o.ultima_abrangencia = 'nenhuma' then 'nenhuma' else o.abrangencia end
            as abrangencia,
        'feriado' as feriado_natureza,
        'operador' as feriado_origem,
        o.feriado_descricao,
        1 as origem_ordem
    from informados_em_ordem as o
    where
        o.versao_ordem = 1
        and (o.ultima_abrangencia = 'nenhuma' or o.abrangencia is distinct from 'nenhuma')
),

-- one holiday per day and unit: the operator's, a holiday rather than an optional day, the widest
ordenados as (
    select
        r.*,
        row_number() over (
            partition by r.data, r.unidade_executante_cnes
            order by
                r.origem_ordem,
                r.feriado_natureza,
                case r.abrangencia when 'nacional' then 1 when 'distrital' then 2 else 3 end,
                r.feriado_descricao
        ) as ordem
    from reunidos as r
),

final as (
    select
        -- identificadores
        {{ surrogate_key(['o.data', 'o.unidade_executante_cnes']) }} as feriado_id,
        o.unidade_executante_cnes,
        -- datas
        o.data,
        -- categorias
        o.abrangencia,
        o.feriado_natureza,
        o.feriado_origem,
        o.feriado_descricao,
        o.feriado_origem = 'operador'
        or (
            {{ var('feriados_calculados_bloqueiam') }}
            and (
                o.feriado_natureza = 'feriado'
                or {{ var('pontos_facultativos_bloqueiam') }}
            )
        ) as tem_bloqueio
    from ordenados as o
    where o.ordem = 1 and o.abrangencia is distinct from 'nenhuma'
)

select * from final
