-- Grain: month, health region, group of procedures; every region for every group that is offered or
-- waited for. Rule regra_oferta_por_territorio; indicators 9 and 10.
with regioes as (
    select * from {{ ref('territorio_regioes') }}
),

estabelecimentos as (
    select * from {{ ref('dim_estabelecimentos') }}
),

vagas as (
    select * from {{ ref('int_oferta__vagas_por_mes_e_agenda') }}
),

oferta_real as (
    select * from {{ ref('oferta_real_por_mes') }}
),

fila as (
    select * from {{ ref('fila_por_mes') }}
),

ativas_por_regiao as (
    select
        v.competencia,
        e.regiao_saude_codigo,
        v.grupo_codigo,
        cast(sum(v.qtd_vagas_ativas) as bigint) as qtd_ativas,
        cast(sum(v.qtd_vagas_ativas_agenda_local) as bigint) as qtd_locais,
        cast(sum(v.qtd_vagas_ativas_agenda_de_rede) as bigint) as qtd_de_rede
    from vagas as v
    inner join estabelecimentos as e on v.unidade_executante_cnes = e.unidade_cnes
    group by all
),

reais_por_unidade as (
    select
        o.competencia,
        e.regiao_saude_codigo,
        concat(left(o.procedimento_codigo, 4), '000') as grupo_codigo,
        o.unidade_executante_cnes,
        cast(sum(o.qtd_oferta_real) as bigint) as qtd_real
    from oferta_real as o
    inner join estabelecimentos as e on o.unidade_executante_cnes = e.unidade_cnes
    group by all
),

reais_por_regiao as (
    select
        u.competencia,
        u.regiao_saude_codigo,
        u.grupo_codigo,
        cast(sum(u.qtd_real) as bigint) as qtd_real,
        sum(cast(u.qtd_real as double) * u.qtd_real) as soma_dos_quadrados,
        sum(case when u.qtd_real > 0 then 1 else 0 end) as qtd_unidades
    from reais_por_unidade as u
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

-- what the whole network offers to everybody, and who shares it
rede as (
    select
        a.competencia,
        a.grupo_codigo,
        sum(a.qtd_de_rede) as qtd_de_rede
    from ativas_por_regiao as a
    group by all
),

populacao_total as (
    select sum(r.populacao) as populacao
    from regioes as r
),

pares as (
    select
        a.competencia,
        a.grupo_codigo
    from ativas_por_regiao as a

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
        t.populacao as populacao_da_rede,
        coalesce(o.qtd_unidades, 0) as qtd_unidades,
        o.soma_dos_quadrados,
        -- a region without rows offers nothing; rows without any known quantity are unknown
        {% for tabela, medida in [
            ('a', 'qtd_ativas'),
            ('a', 'qtd_locais'),
            ('a', 'qtd_de_rede'),
            ('o', 'qtd_real'),
        ] %}
        case when {{ tabela }}.competencia is null then 0 else {{ tabela }}.{{ medida }} end
            as {{ medida }},
        {% endfor %}
        case when d.competencia is null then 0 else d.qtd_de_rede end as qtd_da_rede_toda,
        -- outside the months of the queue nobody knows who waited
        case
            when p.competencia between m.primeiro and m.ultimo then coalesce(e.qtd_aguardando, 0)
        end as qtd_aguardando
    from pares as p
    cross join regioes as r
    cross join populacao_total as t
    cross join meses_da_fila as m
    left join ativas_por_regiao as a
        on
            p.competencia = a.competencia
            and p.grupo_codigo = a.grupo_codigo
            and r.regiao_saude_codigo = a.regiao_saude_codigo
    left join reais_por_regiao as o
        on
            p.competencia = o.competencia
            and p.grupo_codigo = o.grupo_codigo
            and r.regiao_saude_codigo = o.regiao_saude_codigo
    left join esperas as e
        on
            p.competencia = e.competencia
            and p.grupo_codigo = e.grupo_codigo
            and r.regiao_saude_codigo = e.regiao_saude_codigo
    left join rede as d
        on p.competencia = d.competencia and p.grupo_codigo = d.grupo_codigo
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
