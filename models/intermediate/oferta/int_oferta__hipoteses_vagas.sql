-- Grain: hypothesis, month, executing central, executing unit, procedure, local agenda, kind of
-- slot; only months and procedures of a report. 'mapa' is the offer as it is; the others change
-- one rule (regra_reconciliacao). All causes are united at once: which one blocks is all the same.
{% set hipoteses = [
    'mapa',
    'escala_sem_fim',
    'feriado_calculado',
    'bloqueio_de_um_procedimento',
    'bloqueio_parcial',
    'bloqueio_de_um_procedimento_e_parcial',
] %}
{% set causas = [
    ('feriado', 'd.data = i.data_inicio'),
    ('afastamento_unidade', 'd.unidade_executante_cnes = i.unidade_executante_cnes'),
    ('afastamento_profissional', 'd.profissional_id = i.profissional_id'),
] %}

with relatorio as (
    select * from {{ ref('int_oferta__relatorio') }}
),

escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

interrupcoes as (
    select * from {{ ref('int_oferta__interrupcoes') }}
),

fechamentos as (
    select * from {{ ref('int_calendario__fechamentos') }}
),

alvos as (
    select
        r.competencia,
        r.procedimento_codigo
    from relatorio as r
    group by r.competencia, r.procedimento_codigo
),

hipoteses as (
    {% for hipotese in hipoteses %}
    select
        '{{ hipotese }}' as hipotese,
        {{ ('um_procedimento' in hipotese) | lower }} as um_bloqueia_todos,
        {{ ('parcial' in hipotese) | lower }} as parte_bloqueia_o_dia
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

calculados as (
    select
        f.data,
        f.unidade_executante_cnes
    from fechamentos as f
    where f.feriado_origem = 'calculado' and f.visto_ate is null
),

no_mes as (
    select
        h.hipotese,
        h.um_bloqueia_todos,
        h.parte_bloqueia_o_dia,
        a.competencia,
        e.*,
        greatest(e.primeira_data, a.competencia) as desde,
        least(
            {{ add_days(competencia(add_days('a.competencia', 31)), -1) }},
            case
                when
                    h.hipotese <> 'escala_sem_fim'
                    or e.data_vigencia_final is not null
                    or e.visto_ate is not null
                    or e.ultima_data <> {{ data_referencia() }}
                    then e.ultima_data
                else {{ add_days(data_referencia(), setting('horizonte_dias')) }}
            end
        ) as ate
    from escalas as e
    inner join alvos as a
        on e.procedimento_codigo = a.procedimento_codigo
    cross join hipoteses as h
    where
        e.escala_destino = 'expandida'
        or (
            h.hipotese = 'escala_sem_fim'
            and e.escala_destino = 'sem_data_no_periodo'
            and e.data_vigencia_final is null
            and e.visto_ate is null
        )
),

dias as (
    select
        n.*,
        {{ explode_days(
            add_days('n.desde', '(n.dia_semana_numero - ' ~ isodow('n.desde') ~ ' + 7) % 7'),
            'n.ate',
            7
        ) }} as data
    from no_mes as n
),

-- one equality per cause, so that the engine joins by hash; a null scope means any
tocados as (
    {% for causa, igualdade in causas %}
    select
        d.hipotese,
        d.escala_id,
        d.data,
        d.bloco_inicio,
        d.bloco_fim,
        {% if causa == 'feriado' %}
        d.bloco_inicio as inicio,
        d.bloco_fim as fim
        {% else %}
        case
            when d.parte_bloqueia_o_dia then d.bloco_inicio
            else greatest(
                case when d.data = i.data_inicio then i.minuto_inicio else 0 end, d.bloco_inicio
            )
        end as inicio,
        case
            when d.parte_bloqueia_o_dia then d.bloco_fim
            else least(
                case when d.data = i.data_fim then i.minuto_fim else 24 * 60 end, d.bloco_fim
            )
        end as fim
        {% endif %}
    from dias as d
    inner join interrupcoes as i
        on
            {{ igualdade }}
            and d.data between i.data_inicio and i.data_fim
            -- each date counts by the version in force on it
            and d.data >= coalesce(i.vale_de, d.data)
            and d.data <= coalesce(i.visto_ate, d.data)
            and coalesce(i.unidade_executante_cnes, d.unidade_executante_cnes)
            = d.unidade_executante_cnes
            and (
                coalesce(i.procedimento_codigo, d.procedimento_codigo) = d.procedimento_codigo
                or d.um_bloqueia_todos
            )
    {% if causa == 'feriado' %}
    left join calculados as c
        on
            i.data_inicio = c.data
            and i.unidade_executante_cnes is not distinct from c.unidade_executante_cnes
    where
        i.causa_bloqueio = '{{ causa }}'
        and (d.hipotese <> 'feriado_calculado' or c.data is null)
    {% else %}
    where i.causa_bloqueio = '{{ causa }}'
    {% endif %}
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

acrescimos as (
    select
        t.hipotese,
        t.escala_id,
        t.data,
        t.fim - greatest(
            t.inicio,
            coalesce(
                max(t.fim) over (
                    partition by t.hipotese, t.escala_id, t.data
                    order by t.inicio, t.fim
                    rows between unbounded preceding and 1 preceding
                ),
                0
            )
        ) as minutos_novos
    from tocados as t
    where t.inicio < t.fim
),

unidos as (
    select
        a.hipotese,
        a.escala_id,
        a.data,
        cast(sum(a.minutos_novos) as integer) as minutos
    from acrescimos as a
    where a.minutos_novos > 0
    group by a.hipotese, a.escala_id, a.data
),

-- without hours any overlap takes the whole block
vagas as (
    {% for tipo in ['primeira_vez', 'retorno', 'reserva'] %}
    select
        d.hipotese,
        d.competencia,
        d.central_executora_codigo,
        d.unidade_executante_cnes,
        d.procedimento_codigo,
        coalesce(d.eh_agenda_local, false) as eh_agenda_local,
        '{{ tipo }}' as vaga_tipo,
        cast(d.qtd_vagas_{{ tipo }} as bigint) as qtd_total,
        {{ ceil_div(
            'cast(d.qtd_vagas_' ~ tipo ~ ' as bigint) * case when d.tem_horario '
            ~ 'then coalesce(u.minutos, 0) when u.minutos > 0 then d.bloco_fim - d.bloco_inicio '
            ~ 'else 0 end',
            'd.bloco_fim - d.bloco_inicio'
        ) }} as qtd_bloqueada
    from dias as d
    left join unidos as u
        on d.hipotese = u.hipotese and d.escala_id = u.escala_id and d.data = u.data
    where d.qtd_vagas_{{ tipo }} is distinct from 0
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

final as (
    select
        -- identificadores
        v.hipotese,
        v.competencia,
        v.central_executora_codigo,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        v.eh_agenda_local,
        v.vaga_tipo,
        -- quantidades
        cast(sum(v.qtd_total) as bigint) as qtd_total,
        cast(sum(v.qtd_bloqueada) as bigint) as qtd_bloqueada
    from vagas as v
    group by
        v.hipotese,
        v.competencia,
        v.central_executora_codigo,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        v.eh_agenda_local,
        v.vaga_tipo
)

select * from final
