-- Grain: one row per ambulatory request and period of int_fila__vigencias: where the person lived
-- when asking, as municipality, administrative region and health region. The texts stay behind.
-- Rule regra_regiao_residencia.
with documentos as (
    select * from {{ ref('int_pessoas__documentos') }}
),

bairros as (
    select * from {{ ref('bairros_regioes_administrativas') }}
),

regioes as (
    select * from {{ ref('regioes_administrativas') }}
),

municipios as (
    select * from {{ ref('municipios_ride') }}
),

ufs_do_municipio as (
    -- A name that two states share, or that is also a region of the District, tells nothing alone.
    select
        m.municipio_nome_normalizado,
        min(m.uf_sigla) as uf_sigla
    from municipios as m
    left join bairros as b
        on m.municipio_nome_normalizado = b.bairro_normalizado and b.tipo in ('regiao', 'bairro')
    where b.bairro_normalizado is null
    group by m.municipio_nome_normalizado
    having count(*) = 1
),

enderecos as (
    select
        d.solicitacao_codigo,
        d.vigencia,
        d.municipio_nome,
        d.bairro,
        coalesce(d.uf_sigla, u.uf_sigla) as uf_sigla
    from documentos as d
    left join ufs_do_municipio as u on d.municipio_nome = u.municipio_nome_normalizado
),

textos as (
    select e.bairro
    from enderecos as e
    where e.uf_sigla = 'DF' and e.bairro is not null
    group by e.bairro
),

{{ placed_neighbourhoods() }},

final as (
    select
        e.solicitacao_codigo,
        e.vigencia,
        case when e.uf_sigla = 'DF' then '530010' else m.municipio_ibge6 end
            as residencia_municipio_ibge,
        r.regiao_administrativa_numero,
        case
            when e.uf_sigla <> 'DF' then 'fora_df'
            else coalesce(r.regiao_saude_codigo, 'nao_identificada')
        end as regiao_saude_codigo,
        case
            when e.uf_sigla <> 'DF' then 'fora_df'
            when e.uf_sigla is null then 'sem_estado'
            else coalesce(l.territorio_evidencia, 'sem_bairro')
        end as territorio_evidencia
    from enderecos as e
    left join lugares as l on e.bairro = l.bairro and e.uf_sigla = 'DF'
    left join regioes as r on l.regiao_administrativa_numero = r.regiao_administrativa_numero
    left join municipios as m
        on e.municipio_nome = m.municipio_nome_normalizado and e.uf_sigla = m.uf_sigla
)

select * from final
