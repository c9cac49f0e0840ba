-- Grain: day seen, step, schedule, date, kind of slot, unit, procedure, central. Active slots
-- gained and lost by what became known on that day (regra_diario_da_oferta), and beside them those
-- scheduled outside holidays, which no leave touches; unknown quantities add nothing.
{% set horario = 'r.bloco_inicio * 10000 + r.bloco_fim' %}
{% set lugar = (
    "concat_ws('|', r.central_executora_codigo, r.unidade_executante_cnes, r.procedimento_codigo)"
) %}

with vagas_por_passo as (
    select * from {{ ref('int_oferta__vagas_por_passo') }}
),

escalas_mudadas as (
    select * from {{ ref('int_oferta__escalas_mudadas') }}
),

-- each step gives what it shows and takes what the one before it showed; slots at other hours are
-- other slots
saldos_por_horario as (
    select
        r.visto_em,
        r.passo + a.avanco as passo,
        r.escala_codigo,
        r.data,
        r.vaga_tipo,
        r.central_executora_codigo,
        r.unidade_executante_cnes,
        r.procedimento_codigo,
        r.bloco_inicio,
        r.bloco_fim,
        coalesce(sum(a.sinal * r.qtd_vagas_ativas), 0) as qtd_vagas,
        coalesce(sum(a.sinal * r.qtd_programadas), 0) as qtd_programadas
    from vagas_por_passo as r
    cross join (values (0, 1), (1, -1)) as a (avanco, sinal)
    where r.passo + a.avanco between 1 and 4
    group by all
    having
        sum(a.sinal * r.qtd_vagas_ativas) <> 0
        or sum(a.sinal * r.qtd_programadas) <> 0
),

saldos as (
    select
        h.visto_em,
        h.passo,
        h.escala_codigo,
        h.data,
        h.vaga_tipo,
        h.central_executora_codigo,
        h.unidade_executante_cnes,
        h.procedimento_codigo,
        cast(sum(greatest(h.qtd_vagas, 0)) as bigint) as qtd_vagas_ganhas,
        cast(sum(greatest(-h.qtd_vagas, 0)) as bigint) as qtd_vagas_perdidas,
        cast(sum(greatest(h.qtd_programadas, 0)) as bigint) as qtd_programadas_ganhas,
        cast(sum(greatest(-h.qtd_programadas, 0)) as bigint) as qtd_programadas_perdidas
    from saldos_por_horario as h
    group by all
),

-- how a schedule offers a date before and after it changed, all its rows together
lados as (
    select
        r.visto_em,
        r.escala_codigo,
        r.data,
        r.passo,
        min({{ lugar }}) as primeiro_lugar,
        max({{ lugar }}) as ultimo_lugar,
        min({{ horario }}) as primeiro_horario,
        max({{ horario }}) as ultimo_horario
    from vagas_por_passo as r
    where r.passo in (0, 1)
    group by all
),

mudadas as (
    select
        l.visto_em,
        l.escala_codigo,
        l.data,
        min(l.passo) = 0 as tem_antes,
        max(l.passo) = 1 as tem_depois,
        min(l.primeiro_lugar) = max(l.primeiro_lugar)
        and min(l.ultimo_lugar) = max(l.ultimo_lugar) as eh_mesmo_lugar,
        min(l.primeiro_horario) = max(l.primeiro_horario)
        and min(l.ultimo_horario) = max(l.ultimo_horario) as eh_mesmo_horario
    from lados as l
    group by all
),

final as (
    select
        -- identificadores
        s.visto_em,
        s.passo,
        s.escala_codigo,
        s.data,
        s.vaga_tipo,
        s.central_executora_codigo,
        s.unidade_executante_cnes,
        s.procedimento_codigo,
        -- categorias
        case
            when s.passo = 2 then 'feriado'
            when s.passo = 3 then 'afastamento_unidade'
            when s.passo = 4 then 'afastamento_profissional'
            when l.tem_antes and l.tem_depois
                then
                    case
                        when not l.eh_mesmo_lugar then 'remanejada'
                        when not l.eh_mesmo_horario then 'horario_alterado'
                        else 'quantidade_alterada'
                    end
            when l.tem_depois
                then
                    case
                        when m.era_presente is null
                            then case when m.foi_renovada then 'renovada' else 'nova' end
                        when not m.era_presente then 'reaparecida'
                        when m.situacao_antes in ('INATIVA', 'EXCLUIDA') then 'reativada'
                        when m.podia_ofertar and s.data > m.data_limite_antes then 'renovada'
                        when m.podia_ofertar and s.data >= m.data_inicio_antes
                            then 'horario_alterado'
                        else 'vigencia_alterada'
                    end
            when not m.eh_presente then 'desaparecida'
            when m.situacao_depois = 'EXCLUIDA' then 'excluida'
            when m.situacao_depois = 'INATIVA' then 'inativada'
            when m.pode_ofertar and s.data > m.data_limite_depois then 'expirada'
            when m.pode_ofertar and s.data >= m.data_inicio_depois then 'horario_alterado'
            else 'vigencia_alterada'
        end as diario_causa,
        -- quantidades
        s.qtd_vagas_ganhas,
        s.qtd_vagas_perdidas,
        s.qtd_programadas_ganhas,
        s.qtd_programadas_perdidas
    from saldos as s
    left join mudadas as l
        on s.visto_em = l.visto_em and s.escala_codigo = l.escala_codigo and s.data = l.data
    left join escalas_mudadas as m
        on s.visto_em = m.visto_em and s.escala_codigo = m.escala_codigo
)

select * from final
