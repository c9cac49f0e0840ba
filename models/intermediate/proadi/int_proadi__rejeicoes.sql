-- Grain: project of which an annual report was rejected. From which notice on what it spent no
-- longer counts (M12), and whether that rule is computed.
with eventos as (
    select * from {{ proadi_current('stg_proadi__eventos', 'evento') }}
),

regras as (
    select * from {{ ref('proadi_regras') }}
),

reprovados as (
    select
        e.objeto_numero as projeto_nup,
        min(e.data_evento) as data_decisao
    from eventos as e
    where
        e.objeto_tipo = 'projeto'
        and e.documento_codigo = 'relatorio_anual'
        and e.evento_codigo = 'decisao'
        and e.resultado_codigo = 'reprovado'
        and e.data_evento <= {{ data_referencia() }}
    group by e.objeto_numero
),

notificacoes as (
    select
        e.objeto_numero as projeto_nup,
        min(e.data_evento) as data_notificacao
    from eventos as e
    inner join reprovados as r on e.objeto_numero = r.projeto_nup
    where
        e.objeto_tipo = 'projeto'
        and e.documento_codigo = 'relatorio_anual'
        and e.evento_codigo = 'notificacao'
        and e.resultado_codigo = 'reprovado'
    group by e.objeto_numero
),

candidatas as (
    select
        p.projeto_nup,
        {{ in_force_on('n', data_referencia()) }} as em_vigor,
        {{ norm_rank('n', data_referencia(), 'p.projeto_nup') }} as ordem
    from reprovados as p
    inner join regras as n on n.regra_codigo = 'M12' and p.data_decisao >= n.vigente_de
),

final as (
    select
        -- identificadores
        r.projeto_nup,
        -- datas
        r.data_decisao,
        coalesce(n.data_notificacao, r.data_decisao) as data_notificacao,
        -- indicadores
        coalesce({{ proadi_is_computed('c.em_vigor') }}, false) as foi_aplicada
    from reprovados as r
    left join notificacoes as n on r.projeto_nup = n.projeto_nup
    left join candidatas as c on r.projeto_nup = c.projeto_nup and c.ordem = 1
)

select * from final
