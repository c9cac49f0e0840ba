-- Grain: object, document, occurrence, event, order. Dated facts from which terms run or which meet
-- them: what the operator told up to the reference day, and what follows from the register.
with eventos as (
    select * from {{ proadi_current('stg_proadi__eventos', 'evento') }}
),

versoes as (
    select * from {{ proadi_current('stg_proadi__termos', 'termo') }}
),

termos as (
    select * from {{ proadi_newest_version('stg_proadi__termos', 'termo', 'termo_numero') }}
),

projetos as (
    select * from {{ proadi_newest_version('stg_proadi__projetos', 'projeto', 'projeto_nup') }}
),

entidades as (
    select * from {{ proadi_current('stg_proadi__entidades', 'entidade') }}
),

anos as (
    {% for numero, origem, inicio, fim in [
        ('projeto_nup', 'projetos', 'data_vigencia_inicio', 'data_vigencia_fim'),
        ('termo_numero', 'termos', 'data_trienio_inicio', 'data_trienio_fim'),
    ] %}
    select
        '{{ origem }}' as origem,
        n.{{ numero }} as numero,
        {{ explode_months(competencia('n.' ~ inicio), 'n.' ~ fim) }} as mes
    from {{ origem }} as n
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

exercicios as (
    select
        a.origem,
        a.numero,
        cast(extract(year from a.mes) as string) as ano,
        min(a.mes) as primeiro_mes,
        max(cast(extract(year from a.mes) as string)) over (partition by a.origem, a.numero)
            as ultimo_ano
    from anos as a
    group by a.origem, a.numero, cast(extract(year from a.mes) as string)
),

extratos as (
    select
        p.projeto_nup,
        v.data_publicacao
    from projetos as p
    inner join versoes as v
        on p.termo_numero = v.termo_numero and v.instrumento_codigo = 'original'
),

reunioes as (
    select
        e.objeto_numero as comite,
        e.data_evento,
        {{ quarter_text('e.data_evento') }} as trimestre
    from eventos as e
    where e.objeto_tipo = 'comite' and e.data_evento <= {{ data_referencia() }}
),

meses as (
    select
        u.comite,
        {{ explode_months(competencia('min(u.data_evento)'), data_referencia()) }} as mes
    from reunioes as u
    group by u.comite
),

trimestres as (
    select
        m.comite,
        {{ quarter_text('m.mes') }} as trimestre
    from meses as m
    group by all
),

conjuntas as (
    select
        g.data_evento,
        max(t.data_evento) as data_tecnico
    from reunioes as g
    left join reunioes as t on t.comite = 'tecnico' and g.data_evento >= t.data_evento
    where g.comite = 'gestor'
    group by g.data_evento
),

todos as (
    select
        e.objeto_tipo,
        e.objeto_numero,
        e.documento_codigo,
        coalesce(e.ocorrencia, '') as ocorrencia,
        e.evento_codigo,
        e.data_evento,
        e.norma_citada
    from eventos as e
    where e.objeto_tipo <> 'comite' and e.data_evento <= {{ data_referencia() }}

    union all
    {% for tipo, numero, origem, documento, ocorrencia, acontecidos in proadi_register_facts() %}
    {% set ultima = loop.last %}
    {% for evento, data, condicao in acontecidos %}
    select
        '{{ tipo }}' as objeto_tipo,
        {{ numero }} as objeto_numero,
        {{ documento }} as documento_codigo,
        {{ ocorrencia }} as ocorrencia,
        '{{ evento }}' as evento_codigo,
        {{ data }} as data_evento,
        cast(null as string) as norma_citada
    from {{ origem }} as v
    where {{ condicao }} and {{ data }} is not null
    {% if not (ultima and loop.last) %}

    union all
    {% endif %}
    {% endfor %}
    {% endfor %}
),

final as (
    select
        -- identificadores
        t.objeto_tipo,
        t.objeto_numero,
        t.documento_codigo,
        t.ocorrencia,
        t.evento_codigo,
        cast(row_number() over (
            partition by
                t.objeto_tipo, t.objeto_numero, t.documento_codigo, t.ocorrencia, t.evento_codigo
            order by t.data_evento, t.norma_citada
        ) as integer) as evento_ordem,
        -- datas
        t.data_evento,
        -- categorias
        t.norma_citada
    from todos as t
)

select * from final
