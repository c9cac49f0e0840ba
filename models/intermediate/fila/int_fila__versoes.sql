-- Grain: one row per request, index and stored version, narrow and without any identifier. Pointers
-- (_carga_id, _arquivo, _linha) keep the wide rows where they are. Rule regra_versao_vigente.
{% set comuns = [
    'solicitacao_codigo',
    'momento_solicitacao',
    'momento_cancelamento',
    'situacao_objeto',
    'situacao_estado',
    'risco_codigo',
    'grupo_codigo',
    'regulacao_tipo',
    'vaga_solicitada_tipo',
    'unidade_solicitante_cnes',
    'foi_visualizada_regulador',
    '_carga_id',
    '_arquivo',
    '_linha',
    '_carga_ordem',
] %}

with documentos as (
    select
        'solicitacao' as indice,
        -- a change at an instant that cannot be true holds since it was loaded
        coalesce(s.momento_atualizacao, {{ local_clock('s._carregado_em') }})
            as momento_atualizacao,
        {%- for coluna in comuns %}
        s.{{ coluna }},
        {%- endfor %}
        cast(null as string) as marcacao_codigo,
        cast(null as timestamp) as momento_aprovacao,
        cast(null as timestamp) as momento_agendamento,
        cast(null as timestamp) as momento_confirmacao,
        cast(null as string) as vaga_consumida_tipo,
        s.procedimento_codigo as procedimento_solicitado_codigo,
        cast(null as string) as procedimento_agendado_codigo,
        cast(null as string) as unidade_executante_cnes
    from {{ ref('stg_sisreg__solicitacoes_ambulatoriais') }} as s
    union all
    select
        'marcacao' as indice,
        coalesce(m.momento_atualizacao, {{ local_clock('m._carregado_em') }})
            as momento_atualizacao,
        {%- for coluna in comuns %}
        m.{{ coluna }},
        {%- endfor %}
        coalesce(m.marcacao_codigo, 'nao_informado') as marcacao_codigo,
        m.momento_aprovacao,
        m.momento_agendamento,
        m.momento_confirmacao,
        m.vaga_consumida_tipo,
        cast(null as string) as procedimento_solicitado_codigo,
        m.procedimento_codigo as procedimento_agendado_codigo,
        m.unidade_executante_cnes
    from {{ ref('stg_sisreg__marcacoes_ambulatoriais') }} as m
),

vistas as (
    -- What began after the day described did not exist on it.
    select
        d.*,
        coalesce(c.janela_fim, {{ local_clock('c.iniciada_em') }}) as momento_visto,
        lag(d.momento_atualizacao) over (
            partition by d.solicitacao_codigo, d.indice, d.marcacao_codigo
            order by d.momento_atualizacao, d._carga_ordem, d._arquivo, d._linha
        ) as atualizacao_anterior,
        lag(d._carga_id) over (
            partition by d.solicitacao_codigo, d.indice, d.marcacao_codigo
            order by d.momento_atualizacao, d._carga_ordem, d._arquivo, d._linha
        ) as carga_anterior
    from documentos as d
    inner join {{ ref('int_calendario__cargas') }} as c on d._carga_id = c.carga_id
    where
        cast(
            coalesce(d.momento_solicitacao, d.momento_aprovacao, d.momento_atualizacao) as date
        ) <= {{ data_referencia() }}
),

datadas as (
    -- Changed without a new instant at the source: in force since it was seen so.
    select
        v.*,
        case
            when v.atualizacao_anterior = v.momento_atualizacao and v.carga_anterior <> v._carga_id
                then greatest(v.momento_visto, v.momento_atualizacao)
            else v.momento_atualizacao
        end as momento_versao,
        min(v.momento_visto) over (partition by v.solicitacao_codigo) as momento_primeira_carga
    from vistas as v
),

ordenadas as (
    -- The source's own clock first: an old extract loaded late must not bring back an old state.
    select
        d.*,
        row_number() over (
            partition by d.solicitacao_codigo, d.indice
            order by
                d.momento_versao, d.momento_atualizacao, d._carga_ordem, d._arquivo, d._linha
        ) as versao,
        min(d.momento_versao) over (partition by d.solicitacao_codigo) as momento_primeira_versao
    from datadas as d
),

final as (
    select
        o.solicitacao_codigo,
        o.indice,
        cast(o.versao as integer) as versao,
        o.marcacao_codigo,
        o.momento_visto,
        o.momento_versao,
        cast(o.momento_versao as date) <= {{ data_referencia() }} as eh_datada,
        -- What nothing better is known for stands, though it changed later.
        cast(o.momento_versao as date) <= {{ data_referencia() }}
        or (
            o.versao = 1
            and cast(o.momento_primeira_versao as date) > {{ data_referencia() }}
        ) as eh_conhecida,
        -- What the first load showed stands for the time before it.
        case
            when
                o.momento_versao >= o.momento_primeira_carga
                and cast(o.momento_primeira_versao as date) <= {{ data_referencia() }}
                then o.momento_versao
        end as vale_de,
        o.momento_solicitacao,
        o.momento_aprovacao,
        o.momento_agendamento,
        o.momento_confirmacao,
        o.momento_cancelamento,
        o.momento_atualizacao,
        {{ status_group('o.situacao_objeto', 'o.situacao_estado') }} as situacao_grupo,
        o.risco_codigo,
        o.regulacao_tipo,
        o.vaga_solicitada_tipo,
        o.vaga_consumida_tipo,
        o.procedimento_solicitado_codigo,
        o.procedimento_agendado_codigo,
        o.grupo_codigo,
        o.unidade_solicitante_cnes,
        o.unidade_executante_cnes,
        o.foi_visualizada_regulador,
        o._carga_id,
        o._arquivo,
        o._linha
    from ordenadas as o
)

select * from final
