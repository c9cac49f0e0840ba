-- One row per unit that executes or requests. The name of the CNES wins over SISREG's; the region
-- is that of int_territorio__unidades. Of several names the newest that was known by the reference
-- day counts; a later one only where none was.
with escalas as (
    select * from {{ ref('stg_sisreg__escalas') }}
),

marcacoes as (
    select * from {{ ref('stg_sisreg__marcacoes_ambulatoriais') }}
),

solicitacoes as (
    select * from {{ ref('stg_sisreg__solicitacoes_ambulatoriais') }}
),

estabelecimentos as (
    select * from {{ ref('stg_cnes__estabelecimentos') }}
),

lugares as (
    select * from {{ ref('int_territorio__unidades') }}
),

cargas as (
    select * from {{ ref('int_calendario__cargas') }}
),

territorio as (
    select * from {{ ref('dim_territorio') }}
),

vistas as (
    {% for origem, papel in [
        ('escalas', 'executante'),
        ('marcacoes', 'executante'),
        ('marcacoes', 'solicitante'),
        ('solicitacoes', 'solicitante'),
    ] %}
    select
        o.unidade_{{ papel }}_cnes as unidade_cnes,
        o.unidade_{{ papel }}_nome as nome,
        '{{ papel }}' as papel,
        o._carga_id,
        o._carga_ordem
    from {{ origem }} as o
    where o.unidade_{{ papel }}_cnes is not null
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

nomes as (
    select
        v.unidade_cnes,
        v.nome,
        v.papel,
        max(case when g.visto_em <= {{ last_day_seen() }} then v._carga_ordem end)
            as ultima_carga_a_tempo,
        max(v._carga_ordem) as ultima_carga
    from vistas as v
    left join cargas as g
        on v._carga_id = g.carga_id
    group by
        v.unidade_cnes,
        v.nome,
        v.papel
),

nomes_ordenados as (
    select
        n.unidade_cnes,
        n.nome,
        n.papel,
        row_number() over (
            partition by n.unidade_cnes
            order by
                n.nome is null asc,
                n.ultima_carga_a_tempo desc nulls last,
                n.ultima_carga desc,
                n.nome asc
        ) as ordem
    from nomes as n
),

unidades as (
    select
        n.unidade_cnes,
        max(case when n.ordem = 1 then n.nome end) as nome,
        max(n.papel = 'executante') as eh_executante,
        max(n.papel = 'solicitante') as eh_solicitante
    from nomes_ordenados as n
    group by n.unidade_cnes
),

cadastro as (
    select
        e.unidade_cnes,
        e.unidade_nome,
        e.tipo_codigo,
        row_number() over (
            partition by e.unidade_cnes
            order by
                case when g.visto_em <= {{ last_day_seen() }} then 0 else 1 end,
                e._carga_ordem desc,
                e._linha desc
        ) as versao_ordem
    from estabelecimentos as e
    left join cargas as g
        on e._carga_id = g.carga_id
),

final as (
    select
        u.unidade_cnes,
        coalesce(c.unidade_nome, u.nome) as unidade_nome,
        c.tipo_codigo,
        t.area_numero,
        case
            when l.eh_de_fora then 'fora_do_territorio'
            else coalesce(t.regiao_saude_codigo, 'nao_identificada')
        end as regiao_saude_codigo,
        coalesce(l.territorio_evidencia, 'sem_bairro') as territorio_evidencia,
        u.eh_executante,
        u.eh_solicitante,
        c.unidade_cnes is not null as tem_cadastro_cnes
    from unidades as u
    left join cadastro as c
        on u.unidade_cnes = c.unidade_cnes and c.versao_ordem = 1
    left join lugares as l on u.unidade_cnes = l.unidade_cnes
    left join territorio as t
        on l.area_numero = t.area_numero
)

select * from final
