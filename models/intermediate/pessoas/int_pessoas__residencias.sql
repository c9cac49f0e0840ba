-- Grain: one row per ambulatory request and period of int_fila__vigencias: where the person lived
-- when asking, as municipality, area and health region. The texts stay behind.
-- Rule regra_regiao_residencia.
{%- set municipio = setting('municipio_ibge6') %}

with documentos as (
    select * from {{ ref('int_pessoas__documentos') }}
),

bairros as (
    select * from {{ ref('territorio_bairros') }}
),

regioes as (
    select * from {{ ref('territorio_areas') }}
),

municipios as (
    select * from {{ ref('territorio_municipios') }}
),

ufs_do_municipio as (
    -- A name that two states share, or that is also an area of ours, tells nothing alone.
    select
        m.municipio_nome_normalizado,
        min(m.uf_sigla) as uf_sigla
    from municipios as m
    left join bairros as b
        on m.municipio_nome_normalizado = b.bairro_normalizado and b.tipo in ('area', 'bairro')
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

sede as (
    select m.municipio_nome_normalizado
    from municipios as m
    where m.municipio_ibge6 = '{{ municipio }}'
),

situados as (
    -- unknown where the state is, or the municipality in a state that has others
    select
        e.*,
        e.uf_sigla = '{{ setting('uf_sigla') }}'
        and ({{ setting('uf_inteira') }} or e.municipio_nome = s.municipio_nome_normalizado)
            as eh_daqui
    from enderecos as e
    left join sede as s on true
),

textos as (
    select e.bairro
    from situados as e
    where e.eh_daqui and e.bairro is not null
    group by e.bairro
),

{{ placed_neighbourhoods() }},

final as (
    select
        e.solicitacao_codigo,
        e.vigencia,
        case when e.eh_daqui then '{{ municipio }}' else m.municipio_ibge6 end
            as residencia_municipio_ibge,
        r.area_numero,
        case
            when not e.eh_daqui then 'fora_do_territorio'
            else coalesce(r.regiao_saude_codigo, 'nao_identificada')
        end as regiao_saude_codigo,
        case
            when not e.eh_daqui then 'fora_do_territorio'
            when e.uf_sigla is null then 'sem_estado'
            when e.eh_daqui is null then 'sem_municipio'
            else coalesce(l.territorio_evidencia, 'sem_bairro')
        end as territorio_evidencia
    from situados as e
    left join lugares as l on case when e.eh_daqui then e.bairro end = l.bairro
    left join regioes as r on l.area_numero = r.area_numero
    left join municipios as m
        on e.municipio_nome = m.municipio_nome_normalizado and e.uf_sigla = m.uf_sigla
)

select * from final
