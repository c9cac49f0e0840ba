-- Grain: date, unit (null: all units), first day of a stretch in which the same was known of it.
-- The operator's newest word in force goes before what the rules compute; the stretches of a date
-- and unit cover all days, so what is taken back brings the computed one back (regra_feriados).
with dias as (
    select * from {{ ref('int_calendario__dias') }}
),

regras as (
    select * from {{ ref('regras_feriados') }}
),

pascoas as (
    select * from {{ ref('int_calendario__pascoas') }}
),

informados as (
    select * from {{ ref('int_calendario__feriados_informados') }}
),

dias_do_ano as (
    select
        d.data,
        cast(extract(year from d.data) as integer) as ano,
        cast(extract(month from d.data) as integer) as mes,
        cast(extract(day from d.data) as integer) as dia,
        {{ days_between('p.data_pascoa', 'd.data') }} as dias_da_pascoa
    from dias as d
    left join pascoas as p on extract(year from d.data) = p.ano
),

-- one a day: a holiday rather than an optional day, the widest
calculados as (
    select
        d.data,
        r.abrangencia,
        r.feriado_natureza,
        r.feriado_descricao,
        row_number() over (
            partition by d.data
            order by
                r.feriado_natureza,
                {{ breadth('r.abrangencia') }},
                r.feriado_descricao
        ) as ordem
    from dias_do_ano as d
    inner join regras as r
        on
            ((d.mes = r.mes and d.dia = r.dia) or d.dias_da_pascoa = r.dias_da_pascoa)
            and d.ano between coalesce(r.ano_inicial, d.ano) and coalesce(r.ano_final, d.ano)
            and '{{ setting('municipio_ibge6') }}' like concat(coalesce(r.territorio_ibge, ''), '%')
),

-- days on which something about a date and unit may have become known; the union leaves each once
instantes as (
    select
        c.data,
        cast(null as string) as unidade_executante_cnes,
        {{ beginning() }} as visto_de
    from calculados as c

    union distinct

    select
        i.data,
        case when m.marco > 0 then i.unidade_executante_cnes end as unidade_executante_cnes,
        case m.marco
            when 2 then i.visto_de
            when 3 then {{ add_days('i.visto_ate', 1) }}
            else {{ beginning() }}
        end as visto_de
    from informados as i
    cross join (values (0), (1), (2), (3)) as m (marco)
    where m.marco < 3 or i.visto_ate is not null
),

-- what was in force of the operator's table for the date, as known on that day: the newest first
palavras as (
    select
        t.data,
        t.unidade_executante_cnes,
        t.visto_de,
        i.informado_id,
        i.abrangencia,
        i.feriado_descricao,
        -- of two holidays that one file gives a date, the widest names it
        {% for coluna in ['abrangencia', 'feriado_descricao'] %}
        first_value(i.{{ coluna }}) over (
            partition by t.data, t.unidade_executante_cnes, t.visto_de
            order by
                i.visto_de desc,
                i._carga_ordem desc,
                {{ breadth('i.abrangencia') }},
                i._linha desc
        ) as {{ coluna }}_do_dia,
        {% endfor %}
        row_number() over (
            partition by t.data, t.unidade_executante_cnes, t.visto_de
            order by i.visto_de desc, i._carga_ordem desc, i._linha desc
        ) as ordem
    from instantes as t
    left join informados as i
        on
            t.data = i.data
            and t.unidade_executante_cnes is not distinct from i.unidade_executante_cnes
            and t.visto_de >= i.visto_de
            and coalesce(i.data >= i.vale_de, true)
            and coalesce(i.visto_ate, {{ ending() }}) >= least(t.visto_de, t.data)
),

final as (
    select
        -- identificadores
        {{ surrogate_key(['p.data', 'p.unidade_executante_cnes']) }} as feriado_id,
        p.unidade_executante_cnes,
        -- datas
        p.data,
        p.visto_de,
        {{ add_days('lead(p.visto_de) over (
            partition by p.data, p.unidade_executante_cnes order by p.visto_de
        )', -1) }} as visto_ate,
        -- categorias
        case
            when p.informado_id is null then c.abrangencia
            when p.abrangencia = 'nenhuma' then 'nenhuma'
            else p.abrangencia_do_dia
        end as abrangencia,
        case when p.informado_id is null then c.feriado_natureza else 'feriado' end
            as feriado_natureza,
        case
            when p.informado_id is not null then 'operador'
            when c.data is not null then 'calculado'
        end as feriado_origem,
        case
            when p.informado_id is null then c.feriado_descricao
            when p.abrangencia = 'nenhuma' then p.feriado_descricao
            else p.feriado_descricao_do_dia
        end as feriado_descricao,
        case
            when p.informado_id is not null then coalesce(p.abrangencia, '') <> 'nenhuma'
            when c.data is null or not {{ setting('feriados_calculados_bloqueiam') }} then false
            else c.feriado_natureza = 'feriado' or {{ setting('pontos_facultativos_bloqueiam') }}
        end as tem_bloqueio
    from palavras as p
    left join calculados as c
        on case when p.unidade_executante_cnes is null then p.data end = c.data and c.ordem = 1
    where p.ordem = 1
)

select * from final
