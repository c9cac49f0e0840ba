-- Each booking stands in one row of its group, and nobody is in excess in a member's row where the
-- group has an agenda for that kind: it would be empty in one row and in excess in the other.
with funil as (
    select * from {{ ref('oferta_funil_por_mes') }}
),

marcacoes as (
    select * from {{ ref('int_oferta__marcacoes') }}
),

grupos as (
    select
        f.competencia,
        f.unidade_executante_cnes,
        f.grupo_codigo,
        f.vaga_tipo,
        sum(f.qtd_marcadas) as qtd_marcadas,
        sum(f.qtd_liberadas) as qtd_liberadas
    from funil as f
    group by
        f.competencia,
        f.unidade_executante_cnes,
        f.grupo_codigo,
        f.vaga_tipo
),

contadas as (
    select
        m.competencia,
        m.unidade_executante_cnes,
        case
            when m.procedimento_codigo <> 'nao_informado'
                then concat(left(m.procedimento_codigo, 4), '000')
            else m.procedimento_codigo
        end as grupo_codigo,
        m.vaga_tipo,
        sum(case when m.marcacao_destino = 'liberada' then 0 else 1 end) as qtd_marcadas,
        sum(case when m.marcacao_destino = 'liberada' then 1 else 0 end) as qtd_liberadas
    from marcacoes as m
    group by
        m.competencia,
        m.unidade_executante_cnes,
        case
            when m.procedimento_codigo <> 'nao_informado'
                then concat(left(m.procedimento_codigo, 4), '000')
            else m.procedimento_codigo
        end,
        m.vaga_tipo
)

select
    c.competencia,
    c.unidade_executante_cnes,
    c.grupo_codigo,
    c.vaga_tipo
from contadas as c
left join grupos as g
    on
        c.competencia = g.competencia
        and c.unidade_executante_cnes = g.unidade_executante_cnes
        and c.grupo_codigo = g.grupo_codigo
        and c.vaga_tipo = g.vaga_tipo
where
    c.qtd_marcadas is distinct from g.qtd_marcadas
    or c.qtd_liberadas is distinct from g.qtd_liberadas

union all

select
    m.competencia,
    m.unidade_executante_cnes,
    m.procedimento_codigo as grupo_codigo,
    m.vaga_tipo
from funil as m
inner join funil as g
    on
        m.competencia = g.competencia
        and m.unidade_executante_cnes = g.unidade_executante_cnes
        and m.grupo_codigo = g.procedimento_codigo
        and m.vaga_tipo = g.vaga_tipo
where
    m.procedimento_codigo <> m.grupo_codigo
    and m.qtd_excedentes > 0
    -- the group's row may be there for bookings alone
    and g.qtd_vagas_total > 0
