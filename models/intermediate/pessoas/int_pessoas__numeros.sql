-- Grain: one row per ambulatory request: whose its numbers are in the register, and whether the
-- words beside them allow it. Rule regra_identidade_pessoa.
with identificadores as (
    select * from {{ ref('int_pessoas__identificadores') }}
),

cartoes as (
    select * from {{ ref('int_pessoas__cartoes') }}
),

cadastros as (
    select * from {{ ref('int_pessoas__cadastros') }}
),

por_cpf as (
    select
        i.solicitacao_codigo,
        max({{ words_agree('i', 'd') }}) as eh_do_cpf,
        max(d.eh_protegido) as eh_protegido
    from identificadores as i
    inner join cadastros as d on i.cpf_id = d.cpf_id
    group by i.solicitacao_codigo
),

lidos as (
    select
        i.solicitacao_codigo,
        i.tem_cns,
        i.tem_cpf,
        i.cns_id,
        i.cpf_id,
        i.nome_mae_nascimento_id,
        f.eh_do_cpf,
        d.cadastro_id,
        d.cpf_id as cadastro_cpf_id,
        c.eh_definitivo as eh_cns_definitivo,
        case when d.cadastro_id is not null then {{ words_agree('i', 'd') }} end as eh_do_cartao,
        coalesce(f.eh_protegido, false) or coalesce(d.eh_protegido, false) as eh_protegido
    from identificadores as i
    left join por_cpf as f on i.solicitacao_codigo = f.solicitacao_codigo
    left join cartoes as c on i.cns_id = c.cns_id
    left join cadastros as d on c.cadastro_id = d.cadastro_id
),

cpf_do_nucleo as (
    -- One CPF among the requests of a record or card speaks for those that lack it. Two contradict;
    -- one that the register knows is already somebody's.
    select
        coalesce(l.cadastro_id, l.cns_id) as nucleo_id,
        min(l.cpf_id) as cpf_id
    from lidos as l
    where coalesce(l.eh_do_cartao, true) and l.eh_do_cpf is null and not l.eh_protegido
    group by coalesce(l.cadastro_id, l.cns_id)
    having count(distinct l.cpf_id) = 1
),

final as (
    select
        l.solicitacao_codigo,
        l.tem_cns,
        l.tem_cpf,
        l.cns_id,
        l.cpf_id,
        l.nome_mae_nascimento_id,
        l.cadastro_id,
        u.cpf_id as nucleo_cpf_id,
        l.eh_cns_definitivo,
        l.eh_do_cpf,
        l.eh_do_cartao,
        l.eh_protegido,
        not l.eh_protegido and coalesce(l.cpf_id <> l.cadastro_cpf_id, false) as tem_conflito_cpf
    from lidos as l
    left join cpf_do_nucleo as u on coalesce(l.cadastro_id, l.cns_id) = u.nucleo_id
)

select * from final
