-- Grain: one row per ambulatory request whose person CadSUS knows: sex, birth, race and today's
-- residence as the record tells them. The texts stay behind. Rule regra_perfil_pessoa.
{%- set municipio = setting('municipio_ibge6') %}

with identidades as (
    select * from {{ ref('int_pessoas__identidade') }}
),

registrados as (
    select * from {{ ref('int_pessoas__registrados') }}
),

pessoas as (
    select p.*
    from {{ ref('stg_cadsus__pessoas') }} as p
    where {{ of_known_load('p') }}
),

bairros as (
    select * from {{ ref('territorio_bairros') }}
),

municipios as (
    select * from {{ ref('territorio_municipios') }}
),

areas as (
    select * from {{ ref('territorio_areas') }}
),

versoes as (
    select
        p.*,
        upper({{ strip_accents('trim(p.residencia_bairro)') }}) as bairro,
        {% if setting('uf_inteira') -%}
        left(p.residencia_municipio_ibge, 2) = '{{ municipio[:2] }}' as eh_daqui,
        {%- else -%}
        p.residencia_municipio_ibge = '{{ municipio }}' as eh_daqui,
        {%- endif %}
        row_number() over (
            partition by p.cadsus_id
            order by p._carga_ordem desc, p._arquivo desc, p._linha desc
        ) as ordem
    from pessoas as p
    where p.cadsus_id is not null
),

textos as (
    select v.bairro
    from versoes as v
    where v.ordem = 1 and v.eh_daqui and v.bairro is not null
    group by v.bairro
),

{{ placed_neighbourhoods() }},

cadastros as (
    select
        {{ pseudonym("'cadsus:' || v.cadsus_id") }} as cadastro_id,
        v._carga_ordem,
        case when v.sexo_codigo in ('M', 'F') then v.sexo_codigo end as sexo_codigo,
        v.data_nascimento,
        case when v.raca_cor_codigo <> '99' then v.raca_cor_codigo end as raca_cor_codigo,
        case
            when not v.eh_daqui then 'fora_do_territorio'
            else coalesce(a.regiao_saude_codigo, 'nao_identificada')
        end as regiao_atual_codigo
    from versoes as v
    left join lugares as l on case when v.eh_daqui then v.bairro end = l.bairro
    left join areas as a on l.area_numero = a.area_numero
    -- What a protected record tells of its person is not told on.
    where v.ordem = 1 and not coalesce(v.eh_protegida, false)
),

donos as (
    -- Of two records of one person the newest read tells.
    select
        r.pessoa_id,
        d.sexo_codigo,
        d.data_nascimento,
        d.raca_cor_codigo,
        d.regiao_atual_codigo,
        row_number() over (
            partition by r.pessoa_id order by d._carga_ordem desc, d.cadastro_id asc
        ) as vez
    from registrados as r
    inner join cadastros as d on r.cadastro_id = d.cadastro_id
),

final as (
    select
        i.solicitacao_codigo,
        d.sexo_codigo,
        d.data_nascimento,
        d.raca_cor_codigo,
        d.regiao_atual_codigo
    from identidades as i
    inner join donos as d on i.pessoa_id = d.pessoa_id and d.vez = 1
    where i.vinculo_regra <> 'cns_protegido'
)

select * from final
