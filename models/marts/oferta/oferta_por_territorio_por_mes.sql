-- Grain: month, health region, group of procedures; every region for every group that is offered or
-- waited for. Rule regra_oferta_por_territorio; indicators 9 and 10.
with regioes as (
    select * from {{ ref('territorio_regioes') }}
),

estabelecimentos as (
    select * from {{ ref('dim_estabelecimentos') }}
),

oferta as (
    select * from {{ ref('int_oferta__por_mes_e_grupo') }}
),

fila as (
    select * from {{ ref('fila_por_mes') }}
),

ofertas as (
    select
        o.competencia,
        e.regiao_saude_codigo,
        o.grupo_codigo,
        cast(sum(o.qtd_vagas_ativas) as bigint) as qtd_ativas,
        cast(sum(o.qtd_vagas_ativas_agenda_local) as bigint) as qtd_locais,
        cast(sum(o.qtd_vagas_ativas_agenda_de_rede) as bigint) as qtd_de_rede,
        cast(sum(o.qtd_oferta_real) as bigint) as qtd_real,
        sum(cast(o.qtd_oferta_real as double) * o.qtd_oferta_real) as soma_dos_quadrados,
        sum(case when o.qtd_oferta_real > 0 then 1 else 0 end) as qtd_unidades
    from oferta as o
    inner join estabelecimentos as e on o.unidade_executante_cnes = e.unidade_cnes
    group by all
),

esperas as (
    select
        f.competencia,
        f.regiao_saude_codigo,
        concat(left(f.procedimento_codigo, 4), '000') as grupo_codigo,
        sum(f.qtd_estoque_inicial) as qtd_aguardando
    from fila as f
    where f.procedimento_codigo <> 'nao_informado' and f.qtd_estoque_inicial > 0
    group by all
),

meses_da_fila as (
    select
        min(f.competencia) as primeiro,
        max(f.competencia) as ultimo
    from fila as f
),

pares as (
    select
        o.competencia,
        o.grupo_codigo
    from ofertas as o

    union distinct

    select
        e.competencia,
        e.grupo_codigo
    from esperas as e
),

medidas as (
    select
        p.competencia,
        r.regiao_saude_codigo,
        p.grupo_codigo,
        r.populacao,
        r.populacao_ano,
        -- a region without rows offers nothing; rows without any known quantity are unknown
        {% for medida in ['unidades', 'ativas', 'locais', 'de_rede', 'real'] %}
        case when o.competencia is null then 0 else o.qtd_{{ medida }} end as qtd_{{ medida }},
        {% endfor %}
        o.soma_dos_quadrados,
        -- what the whole network offers to everybody, and who shares it
        case when count(o.competencia) over rede = 0 then 0 else sum(o.qtd_de_rede) over rede end
            as qtd_da_rede_toda,
        sum(r.populacao) over rede as populacao_da_rede,
        -- outside the months of the queue nobody knows who waited
        case
            when p.competencia between m.primeiro and m.ultimo then coalesce(e.qtd_aguardando, 0)
        end as qtd_aguardando
    from pares as p
    cross join regioes as r
    cross join meses_da_fila as m
    left join ofertas as o
        on
            p.competencia = o.competencia
            and p.grupo_codigo = o.grupo_codigo
            and r.regiao_saude_codigo = o.regiao_saude_codigo
    left join esperas as e
        on
            p.competencia = e.competencia
            and p.grupo_codigo = e.grupo_codigo
            and r.regiao_saude_codigo = e.regiao_saude_codigo
    window rede as (partition by p.competencia, p.grupo_codigo)
),

final as (
    select
        -- identificadores
        m.competencia,
        m.regiao_saude_codigo,
        m.grupo_codigo,
        -- denominadores
        m.populacao,
        m.populacao_ano,
        cast(m.qtd_aguardando as bigint) as qtd_aguardando_inicio,
        -- quantidades
        cast(m.qtd_unidades as bigint) as qtd_unidades,
        m.qtd_ativas as qtd_vagas_ativas,
        m.qtd_locais as qtd_vagas_ativas_agenda_local,
        m.qtd_de_rede as qtd_vagas_ativas_agenda_de_rede,
        m.qtd_real as qtd_oferta_real,
        -- razões
        {{ percentage('m.qtd_locais', 'm.qtd_locais + m.qtd_de_rede') }} as pct_agenda_local,
        1000 * cast(m.qtd_real as double) / nullif(m.populacao, 0)
            as qtd_oferta_real_por_mil_habitantes,
        1000 * cast(m.qtd_locais as double) / nullif(m.populacao, 0)
        + 1000 * cast(m.qtd_da_rede_toda as double) / nullif(m.populacao_da_rede, 0)
            as qtd_vagas_acessiveis_por_mil_habitantes,
        cast(m.qtd_real as double) / nullif(m.qtd_aguardando, 0)
            as qtd_oferta_real_por_pedido_aguardando,
        m.soma_dos_quadrados / nullif(cast(m.qtd_real as double) * m.qtd_real, 0)
            as indice_concentracao
    from medidas as m
)

select * from final
