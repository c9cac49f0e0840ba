-- Grain: booking of int_oferta__marcacoes, with the agenda it is matched to: that of its own
-- procedure while its real offer of the month lasts, then that of the group where the unit has one
-- for the kind of slot (regra_funil_da_oferta). The only place where offer and bookings meet.
with marcacoes as (
    select
        m.*,
        case
            when m.procedimento_codigo <> 'nao_informado' and m.procedimento_codigo not like '%000'
                then concat(left(m.procedimento_codigo, 4), '000')
        end as grupo_codigo,
        -- a freed slot takes none of the offer
        row_number() over (
            partition by
                m.competencia,
                m.unidade_executante_cnes,
                m.procedimento_codigo,
                m.vaga_tipo,
                m.marcacao_destino = 'liberada'
            order by
                m.data_atendimento,
                m.momento_marcacao nulls last,
                m.solicitacao_codigo,
                m.marcacao_codigo
        ) as ordem
    from {{ ref('int_oferta__marcacoes') }} as m
),

oferta as (
    select * from {{ ref('int_oferta__reais_por_tipo') }}
),

comparadas as (
    select
        m.*,
        case
            when g.competencia is null then m.procedimento_codigo
            when p.competencia is null then m.grupo_codigo
            -- an offer of unknown size may hold them all; a freed one came before what was booked
            when p.qtd_oferta_real is null then m.procedimento_codigo
            when m.marcacao_destino = 'liberada' and p.qtd_oferta_real > 0
                then m.procedimento_codigo
            when m.marcacao_destino <> 'liberada' and m.ordem <= p.qtd_oferta_real
                then m.procedimento_codigo
            else m.grupo_codigo
        end as agenda_codigo
    from marcacoes as m
    left join oferta as p
        on
            m.competencia = p.competencia
            and m.unidade_executante_cnes = p.unidade_executante_cnes
            and m.procedimento_codigo = p.procedimento_codigo
            and m.vaga_tipo = p.vaga_tipo
    left join oferta as g
        on
            m.competencia = g.competencia
            and m.unidade_executante_cnes = g.unidade_executante_cnes
            and m.grupo_codigo = g.procedimento_codigo
            and m.vaga_tipo = g.vaga_tipo
),

final as (
    select
        -- identificadores
        c.solicitacao_codigo,
        c.marcacao_codigo,
        c.competencia,
        c.unidade_executante_cnes,
        c.agenda_codigo as procedimento_codigo,
        c.procedimento_codigo as procedimento_marcado_codigo,
        c.vaga_tipo,
        -- datas
        c.data_atendimento,
        c.momento_marcacao,
        c.momento_liberacao,
        -- categorias
        c.marcacao_destino,
        c.agenda_codigo <> c.procedimento_codigo as tem_agenda_de_grupo
    from comparadas as c
)

select * from final
