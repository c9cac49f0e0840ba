-- Grain: one row per unit of the CNES or of the bookings: where it stands. The register's address
-- is worth more than the one that bookings carry. Rule regra_lugar_do_bairro.
{%- set municipio = setting('municipio_ibge6') %}

with estabelecimentos as (
    select * from {{ ref('stg_cnes__estabelecimentos') }}
),

marcacoes as (
    select * from {{ ref('stg_sisreg__marcacoes_ambulatoriais') }}
),

bairros as (
    select * from {{ ref('territorio_bairros') }}
),

municipios as (
    select * from {{ ref('territorio_municipios') }}
),

enderecos_das_marcacoes as (
    -- Few addresses stand in many bookings.
    select
        m.unidade_executante_cnes as unidade_cnes,
        m.unidade_executante_municipio_nome as municipio_nome,
        m.unidade_executante_bairro as bairro,
        max(m._carga_ordem) as _carga_ordem,
        max(m._linha) as _linha
    from marcacoes as m
    where m.unidade_executante_cnes is not null and m.unidade_executante_bairro is not null
    group by
        m.unidade_executante_cnes,
        m.unidade_executante_municipio_nome,
        m.unidade_executante_bairro
),

enderecos as (
    select
        e.unidade_cnes,
        1 as preferencia,
        coalesce(e.municipio_gestor_ibge6, '{{ municipio }}') <> '{{ municipio }}' as eh_de_fora,
        upper({{ strip_accents('e.bairro') }}) as bairro,
        e._carga_ordem,
        e._linha
    from estabelecimentos as e
    union all
    select
        m.unidade_cnes,
        2 as preferencia,
        false as eh_de_fora,
        upper({{ strip_accents('m.bairro') }}) as bairro,
        m._carga_ordem,
        m._linha
    from enderecos_das_marcacoes as m
    inner join municipios as d
        on
            {{ normalize_text('m.municipio_nome') }} = d.municipio_nome_normalizado
            and d.municipio_ibge6 = '{{ municipio }}'
),

enderecos_ordenados as (
    select
        e.unidade_cnes,
        e.preferencia,
        e.eh_de_fora,
        e.bairro,
        row_number() over (
            partition by e.unidade_cnes, e.preferencia
            order by e._carga_ordem desc, e._linha desc, e.bairro asc
        ) as ordem
    from enderecos as e
),

unidades as (
    select
        e.unidade_cnes,
        coalesce(max(case when e.preferencia = 1 then e.eh_de_fora end), false) as eh_de_fora,
        coalesce(
            max(case when e.preferencia = 1 then e.bairro end),
            max(case when e.preferencia = 2 then e.bairro end)
        ) as bairro
    from enderecos_ordenados as e
    where e.ordem = 1 and e.unidade_cnes is not null
    group by e.unidade_cnes
),

textos as (
    -- A neighbourhood of another municipality may bear the name of one of ours (Planaltina).
    select u.bairro
    from unidades as u
    where not u.eh_de_fora and u.bairro is not null
    group by u.bairro
),

{{ placed_neighbourhoods() }},

final as (
    select
        u.unidade_cnes,
        u.eh_de_fora,
        l.area_numero,
        case
            when u.eh_de_fora then 'fora_do_territorio'
            else coalesce(l.territorio_evidencia, 'sem_bairro')
        end as territorio_evidencia
    from unidades as u
    left join lugares as l on case when not u.eh_de_fora then u.bairro end = l.bairro
)

select * from final
