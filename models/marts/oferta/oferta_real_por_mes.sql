-- Grain: month, executing central, executing unit, procedure. The real offer is shared between the
-- kinds of slot by largest remainder, ties in the order of the list (regra_oferta_real).
{% set tipos = ['primeira_vez', 'retorno', 'reserva'] %}
{% set bloqueios = ['feriado', 'afastamento_unidade', 'afastamento_profissional'] %}
{% set causas = bloqueios + ['teto', 'ppi'] %}

with oferta as (
    select * from {{ ref('int_oferta__por_mes') }}
),

limites as (
    select * from {{ ref('int_oferta__limites') }}
),

-- whole part and remainder of each kind's share
partes as (
    select
        o.*,
        {% for tipo in tipos %}
        {{ int_div(
            'l.qtd_oferta_real * coalesce(o.qtd_vagas_ativas_' ~ tipo ~ ', 0)',
            'greatest(o.qtd_vagas_ativas, 1)'
        ) }} as parte_{{ tipo }},
        l.qtd_oferta_real * coalesce(o.qtd_vagas_ativas_{{ tipo }}, 0)
        % greatest(o.qtd_vagas_ativas, 1) as resto_{{ tipo }},
        {% endfor %}
        l.qtd_ppi,
        l.qtd_teto,
        l.qtd_apos_teto,
        l.qtd_oferta_real
    from oferta as o
    inner join limites as l
        on
            o.competencia = l.competencia
            and o.central_executora_codigo = l.central_executora_codigo
            and o.unidade_executante_cnes = l.unidade_executante_cnes
            and o.procedimento_codigo = l.procedimento_codigo
),

-- a kind gets one more when fewer kinds go before it than there are slots left to give
repartidas as (
    select
        p.*,
        {% for tipo in tipos %}
        case
            when p.qtd_vagas_ativas_{{ tipo }} is null then null
            when
                p.qtd_oferta_real - p.parte_primeira_vez - p.parte_retorno - p.parte_reserva
                {% for outro in tipos if outro != tipo %}
                - case
                    when p.resto_{{ outro }} > p.resto_{{ tipo }} then 1
                    when p.resto_{{ outro }} < p.resto_{{ tipo }} then 0
                    else {{ 1 if tipos.index(outro) < tipos.index(tipo) else 0 }}
                end
                {% endfor %}
                > 0
                then p.parte_{{ tipo }} + 1
            else p.parte_{{ tipo }}
        end as qtd_oferta_real_{{ tipo }},
        {% endfor %}
        case
            when p.qtd_oferta_real < p.qtd_apos_teto then 'ppi'
            when p.qtd_apos_teto < p.qtd_vagas_ativas then 'teto'
            when p.qtd_ppi is null and p.qtd_teto is null then 'nao_informado'
            when p.qtd_vagas_ativas is not null then 'escala'
        end as limite_vinculante,
        {% for bloqueio in bloqueios %}
        p.qtd_vagas_bloqueadas_{{ bloqueio }} as perdidas_{{ bloqueio }},
        {% endfor %}
        p.qtd_vagas_ativas - p.qtd_apos_teto as perdidas_teto,
        p.qtd_apos_teto - p.qtd_oferta_real as perdidas_ppi
    from partes as p
),

-- what took most of all causes, blocks and limits alike (regra_causas_das_perdas)
ordenadas as (
    select
        r.*,
        greatest(
            {% for causa in causas %}
            r.perdidas_{{ causa }}{{ ',' if not loop.last }}
            {% endfor %}
        ) as maior_perda
    from repartidas as r
),

final as (
    select
        -- identificadores
        r.competencia,
        r.central_executora_codigo,
        r.unidade_executante_cnes,
        r.procedimento_codigo,
        -- categorias
        r.limite_vinculante,
        case
            when r.qtd_oferta_real is null then null
            when r.maior_perda = 0 then 'nenhuma'
            when
                {% for causa in causas %}
                case when r.perdidas_{{ causa }} = r.maior_perda then 1 else 0 end
                {{ '+' if not loop.last }}
                {% endfor %}
                > 1
                then 'empate'
            {% for causa in causas %}
            when r.perdidas_{{ causa }} = r.maior_perda then '{{ causa }}'
            {% endfor %}
        end as causa_principal,
        -- quantidades
        r.qtd_vagas_total,
        r.qtd_vagas_bloqueadas,
        {% for bloqueio in bloqueios %}
        r.qtd_vagas_bloqueadas_{{ bloqueio }},
        {% endfor %}
        r.qtd_vagas_ativas,
        r.qtd_ppi,
        r.qtd_teto,
        r.qtd_oferta_real,
        r.perdidas_ppi as qtd_vagas_perdidas_ppi,
        r.perdidas_teto as qtd_vagas_perdidas_teto,
        r.qtd_vagas_total_primeira_vez,
        r.qtd_vagas_bloqueadas_primeira_vez,
        r.qtd_vagas_ativas_primeira_vez,
        r.qtd_oferta_real_primeira_vez,
        r.qtd_vagas_total_retorno,
        r.qtd_vagas_bloqueadas_retorno,
        r.qtd_vagas_ativas_retorno,
        r.qtd_oferta_real_retorno,
        r.qtd_vagas_total_reserva,
        r.qtd_vagas_bloqueadas_reserva,
        r.qtd_vagas_ativas_reserva,
        r.qtd_oferta_real_reserva
    from ordenadas as r
)

select * from final
