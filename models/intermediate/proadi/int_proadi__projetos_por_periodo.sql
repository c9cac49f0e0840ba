-- Grain: project, period (each year and the total). Money, goals and assets; which years count for
-- the term after an annual report was rejected (M12), where that rule is computed.
with projetos as (
    select * from {{ proadi_newest_version('stg_proadi__projetos', 'projeto', 'projeto_nup') }}
),

orcamentos as (
    select
        o.*,
        left(o.conta_codigo, 1) = '3' as eh_indireto,
        count(*) over (partition by o.projeto_nup)
        = count(o.exercicio) over (partition by o.projeto_nup) as foi_datado
    from {{ proadi_current('stg_proadi__orcamentos', 'orcamento') }} as o
),

metas as (
    select * from {{ proadi_current('stg_proadi__metas', 'meta') }}
),

bens as (
    select
        b.projeto_nup,
        {{ whole_sum('b.valor_total') }} as valor_bens,
        {{ whole_sum('b.valor_total', 'b.data_doacao <= ' ~ data_referencia()) }}
            as valor_bens_doados
    from {{ proadi_current('stg_proadi__bens', 'bem') }} as b
    group by b.projeto_nup
),

rejeicoes as (
    select * from {{ ref('int_proadi__rejeicoes') }}
),

exercicios as (
    select
        p.projeto_nup,
        cast(null as integer) as exercicio
    from projetos as p

    union distinct

    select
        o.projeto_nup,
        o.exercicio
    from orcamentos as o

    union distinct

    select
        m.projeto_nup,
        m.exercicio
    from metas as m
),

periodos as (
    select
        p.*,
        e.exercicio,
        coalesce(cast(e.exercicio as string), 'total') as periodo,
        coalesce({{ last_day_of_year('e.exercicio') }}, p.data_vigencia_fim) as data_fato,
        r.data_decisao as data_rejeicao,
        r.data_notificacao,
        coalesce(r.foi_aplicada, false) as foi_excluido
    from exercicios as e
    inner join projetos as p on e.projeto_nup = p.projeto_nup
    left join rejeicoes as r on e.projeto_nup = r.projeto_nup
),

dinheiro as (
    select
        p.projeto_nup,
        p.periodo,
        {{ whole_sum('o.valor_previsto') }} as valor_previsto,
        {{ whole_sum('o.valor_aditado') }} as valor_aditado,
        {{ whole_sum('o.valor_previsto + o.valor_aditado', 'o.eh_indireto') }} as valor_indireto,
        {{ whole_sum('o.valor_executado_entidade') }} as valor_executado_entidade,
        {{ whole_sum('o.valor_executado_auditoria') }} as valor_executado_auditoria,
        {{ whole_sum('o.valor_executado_aprovado') }} as valor_executado_aprovado,
        {{ whole_sum(
            'case when o.exercicio is not null then o.valor_executado_aprovado end',
            'coalesce(' ~ last_day_of_year('o.exercicio')
            ~ ' > p.data_notificacao, p.data_notificacao is not null)'
        ) }} as valor_excluido,
        min(o.foi_datado) as foi_datado
    from periodos as p
    inner join orcamentos as o
        on
            p.projeto_nup = o.projeto_nup
            -- what has no year may be of any: the total holds it, and no year is known
            and (p.exercicio is null or (p.exercicio = o.exercicio and o.foi_datado))
    group by all
),

fisico as (
    select
        p.projeto_nup,
        p.periodo,
        count(*) as qtd_metas,
        count(case when m.meta_realizada >= m.meta_prevista then 1 end) as qtd_metas_cumpridas,
        count(*) - count(m.meta_realizada + m.meta_prevista) as qtd_metas_sem_dado
    from periodos as p
    inner join metas as m
        on p.projeto_nup = m.projeto_nup and (p.exercicio is null or p.exercicio = m.exercicio)
    group by all
),

final as (
    select
        -- identificadores
        p.projeto_nup,
        p.periodo,
        p.termo_numero,
        -- datas
        p.exercicio,
        p.data_fato,
        p.data_rejeicao,
        -- categorias
        p.natureza_codigo,
        cast(p.area_codigo as string) as area_codigo,
        p.secretaria_responsavel,
        -- quantidades
        d.valor_previsto,
        d.valor_aditado,
        d.valor_previsto + d.valor_aditado as valor_aprovado,
        d.valor_indireto,
        d.valor_executado_entidade,
        d.valor_executado_auditoria,
        d.valor_executado_aprovado,
        d.valor_excluido,
        coalesce(f.qtd_metas, 0) as qtd_metas,
        coalesce(f.qtd_metas_cumpridas, 0) as qtd_metas_cumpridas,
        coalesce(f.qtd_metas_sem_dado, 0) as qtd_metas_sem_dado,
        case when p.periodo = 'total' then b.valor_bens end as valor_bens,
        case when p.periodo = 'total' then b.valor_bens_doados end as valor_bens_doados,
        -- indicadores
        coalesce(p.data_fato <= {{ data_referencia() }}, false) as foi_encerrado,
        p.foi_excluido,
        coalesce(d.foi_datado, true) as foi_datado,
        not p.foi_excluido or coalesce(p.data_fato <= p.data_notificacao, false) as eh_contado
    from periodos as p
    left join dinheiro as d on p.projeto_nup = d.projeto_nup and p.periodo = d.periodo
    left join fisico as f on p.projeto_nup = f.projeto_nup and p.periodo = f.periodo
    left join bens as b on p.projeto_nup = b.projeto_nup
)

select * from final
