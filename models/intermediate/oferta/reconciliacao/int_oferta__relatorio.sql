-- Grain: month, executing central, executing unit, procedure, kind of agenda; the newest report.
with relatorios as (
    select * from {{ ref('stg_sisreg__ofertas_reais') }}
),

versoes as (
    select
        r.*,
        row_number() over (
            partition by
                r.competencia,
                coalesce(r.central_executora_codigo, '{{ setting('central_codigo') }}'),
                r.unidade_executante_cnes,
                r.procedimento_codigo,
                r.agenda_tipo
            order by r.data_extracao desc nulls last, r._carga_ordem desc, r._linha desc
        ) as versao_ordem
    from relatorios as r
    where
        r.competencia is not null
        and r.unidade_executante_cnes is not null
        and r.procedimento_codigo is not null
),

final as (
    select
        -- identificadores
        v.competencia,
        coalesce(v.central_executora_codigo, '{{ setting('central_codigo') }}')
            as central_executora_codigo,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        v.agenda_tipo,
        -- datas
        v.data_extracao,
        -- quantidades
        {% for medida in report_measures() %}
        cast(v.qtd_{{ medida }} as bigint) as qtd_{{ medida }}
        {%- if not loop.last %},{% endif %}

        {% endfor %}
    from versoes as v
    where v.versao_ordem = 1
)

select * from final
