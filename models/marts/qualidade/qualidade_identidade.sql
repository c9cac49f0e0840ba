-- Grain: month in which a request was read first. By what tells whose each request is, or why
-- nothing does; and how many of the numbers can exist. Rule regra_identidade_pessoa.
{% set regras = [
    'cpf', 'cns_definitivo', 'cns_provisorio', 'cns_sem_cadastro', 'cns_protegido', 'nome', 'escore'
] %}
{% set motivos = [
    'sem_numero', 'numero_invalido', 'numero_de_outra_pessoa', 'ambiguo', 'abaixo_do_limiar',
    'pessoa_protegida'
] %}

with identidades as (
    select * from {{ ref('int_pessoas__identidade') }}
),

numeros as (
    select * from {{ ref('int_pessoas__numeros') }}
),

versoes as (
    select * from {{ ref('int_fila__versoes') }}
),

primeiras as (
    -- A reading describes the day before the midnight after which it is made.
    select
        v.solicitacao_codigo,
        {{ add_days('cast(min(v.momento_visto) as date)', -1) }} as lida_em
    from versoes as v
    where v.eh_conhecida
    group by v.solicitacao_codigo
),

final as (
    select
        {{ competencia('p.lida_em') }} as competencia,
        cast(count(*) as integer) as qtd_pedidos_lidos,
        {%- for regra in regras %}
        cast(count(case when i.vinculo_regra = '{{ regra }}' then 1 end) as integer)
            as qtd_por_{{ regra }},
        {%- endfor %}
        {%- for motivo in motivos %}
        cast(count(case when i.vinculo_motivo = '{{ motivo }}' then 1 end) as integer)
            as qtd_{{ motivo }},
        {%- endfor %}
        {{ percentage('count(i.pessoa_id)', 'count(*)') }} as pct_ligados,
        cast(count(case when n.tem_cpf then 1 end) as integer) as qtd_cpf_informados,
        cast(count(n.cpf_id) as integer) as qtd_cpf_validos,
        {{ percentage('count(n.cpf_id)', 'count(case when n.tem_cpf then 1 end)') }}
            as pct_cpf_validos,
        cast(count(case when n.tem_cns then 1 end) as integer) as qtd_cns_informados,
        cast(count(n.cns_id) as integer) as qtd_cns_validos,
        {{ percentage('count(n.cns_id)', 'count(case when n.tem_cns then 1 end)') }}
            as pct_cns_validos,
        cast(count(case when not n.eh_cns_definitivo then 1 end) as integer) as qtd_cns_provisorios
    from identidades as i
    inner join numeros as n on i.solicitacao_codigo = n.solicitacao_codigo
    inner join primeiras as p on i.solicitacao_codigo = p.solicitacao_codigo
    group by {{ competencia('p.lida_em') }}
)

select * from final
