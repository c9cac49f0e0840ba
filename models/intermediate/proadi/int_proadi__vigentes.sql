-- Grain: raw table, record. Which version of each record of the register is in force on the
-- reference day; what vanished by then has no row (regra 24 of the versions, `record_versions`).
{% set tabelas = {
    'bruto_proadi.entidade': ('stg_proadi__entidades', 'data_reconhecimento'),
    'bruto_proadi.termo': ('stg_proadi__termos', 'data_assinatura'),
    'bruto_proadi.isencao': ('stg_proadi__isencoes', 'data_informacao'),
    'bruto_proadi.projeto': ('stg_proadi__projetos', 'data_vigencia_inicio'),
    'bruto_proadi.orcamento': ('stg_proadi__orcamentos', 'cast(null as date)'),
    'bruto_proadi.meta': ('stg_proadi__metas', 'cast(null as date)'),
    'bruto_proadi.evento': ('stg_proadi__eventos', 'data_evento'),
    'bruto_proadi.bem': ('stg_proadi__bens', 'data_doacao'),
} %}

with registros as (
    {% for tabela, (modelo, data) in tabelas.items() %}
    select
        '{{ tabela }}' as tabela,
        s.registro_id,
        s._carga_id,
        s._carga_ordem,
        {{ data }} as data_do_fato
    from {{ ref(modelo) }} as s
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

{{ record_versions('registros', 'r.data_do_fato <= ' ~ data_referencia()) }},

final as (
    select
        t.tabela,
        t.registro_id,
        t._carga_id
    from trechos as t
    where t.visto_ate is null and t.eh_presente
)

select * from final
