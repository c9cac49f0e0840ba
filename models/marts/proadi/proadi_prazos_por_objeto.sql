-- Grain: object, term, step, occurrence. Rules: regra_proadi_prazos, regra_proadi_vigencia; what is
-- due and met says macros/obligations.sql, the same as for the agreement's work plan.
with ocorrencias as (
    select * from {{ ref('int_proadi__ocorrencias') }}
),

eventos as (
    select * from {{ ref('int_proadi__eventos') }}
),

prorrogados as (
    select
        e.objeto_tipo,
        e.objeto_numero,
        e.documento_codigo,
        e.ocorrencia,
        min(e.data_evento) as data_prorrogacao
    from eventos as e
    where e.evento_codigo = 'prorrogacao'
    group by all
),

prazos_em_dias as (
    select
        o.*,
        p.data_prorrogacao is not null and o.dias_prorrogacao is not null as foi_prorrogado,
        {{ proadi_days('o.dias', 'o.divisor') }}
        + case
            when p.data_prorrogacao is null then 0
            else coalesce({{ proadi_days('o.dias_prorrogacao', 'o.divisor') }}, 0)
        end as qtd_dias
    from ocorrencias as o
    left join prorrogados as p
        on
            o.objeto_tipo = p.objeto_tipo
            and o.objeto_numero = p.objeto_numero
            and o.documento_inicial = p.documento_codigo
            and o.ocorrencia = p.ocorrencia
            and o.data_inicio <= p.data_prorrogacao
    where o.foi_calculada
),

diligencias as (
    select
        d.prazo_id,
        q.evento_ordem as pergunta_ordem,
        q.data_evento as data_pergunta,
        coalesce(a.data_evento, {{ data_referencia() }}) as data_resposta
    from prazos_em_dias as d
    inner join eventos as q
        on
            d.objeto_tipo = q.objeto_tipo
            and d.objeto_numero = q.objeto_numero
            and d.documento_inicial = q.documento_codigo
            and d.ocorrencia = q.ocorrencia
            and q.evento_codigo = 'diligencia'
    left join eventos as a
        on
            q.objeto_tipo = a.objeto_tipo
            and q.objeto_numero = a.objeto_numero
            and q.documento_codigo = a.documento_codigo
            and q.ocorrencia = a.ocorrencia
            and q.evento_ordem = a.evento_ordem
            and a.evento_codigo = 'resposta'
    where d.suspende_em_diligencia
),

{{ obligation_suspensions('prazos_em_dias', 'diligencias') }},

prazos_suspensos as (
    select
        d.*,
        coalesce(s.qtd_dias_suspensos, 0) as qtd_dias_suspensos
    from prazos_em_dias as d
    left join suspensoes as s on d.prazo_id = s.prazo_id
),

{{ obligation_dues('prazos_suspensos') }},

situados as (
    select
        o.*,
        d.foi_prorrogado,
        d.qtd_dias,
        case when d.suspende_em_diligencia then d.qtd_dias_suspensos end as qtd_dias_suspensos,
        v.data_limite,
        v.data_limite_outra,
        {{ data_referencia() }} as data_referencia,
        {{ obligation_situation('v.data_limite', data_referencia(), 'o.data_cumprimento') }}
            as situacao
    from ocorrencias as o
    left join prazos_suspensos as d on o.prazo_id = d.prazo_id
    left join vencimentos as v on o.prazo_id = v.prazo_id
),

julgados as (
    select
        s.*,
        case
            when not s.foi_calculada then 'fora_de_vigor'
            when s.data_inicio is null then 'sem_evento_inicial'
            when s.sentido = 'ate' then s.situacao
            when s.data_cumprimento < s.data_limite then 'antecipada'
            when s.data_cumprimento is null and s.data_referencia <= s.data_limite then 'no_prazo'
            else 'cumprida'
        end as prazo_situacao_codigo
    from situados as s
),

final as (
    select
        -- identificadores
        j.objeto_tipo,
        j.objeto_numero,
        j.prazo_codigo,
        j.prazo_etapa,
        -- part of the key, and a file or sheet has no empty text beside nothing
        coalesce(nullif(j.ocorrencia, ''), 'unica') as ocorrencia,
        cast(j.evento_ordem as integer) as evento_ordem,
        j.termo_numero,
        j.responsavel_codigo,
        -- datas
        j.data_inicio,
        j.data_limite,
        j.data_limite_outra,
        j.data_cumprimento,
        -- quantidades
        j.qtd_dias as dias_prazo,
        j.qtd_dias_suspensos as dias_suspensos,
        {{ obligation_days_late(
            'j.prazo_situacao_codigo', 'j.data_limite', 'j.data_referencia', 'j.data_cumprimento'
        ) }} as dias_atraso,
        -- categorias
        j.prazo_situacao_codigo,
        j.foi_prorrogado,
        j.divisor is not null as foi_reduzido,
        j.norma_citada,
        {{ proadi_norm_end('j.norma_citada') }} < j.data_cumprimento as foi_citada_norma_revogada,
        j.norma,
        j.dispositivo,
        j.base_legal_em_vigor,
        j.foi_vigente_no_fato,
        -- metadados
        j.data_referencia
    from julgados as j
)

select * from final
