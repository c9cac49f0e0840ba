-- Grain: one row per ambulatory request: the person it belongs to and the rule that says so.
-- Rows out equal rows in. Rule regra_identidade_pessoa.
with identificadores as (
    select * from {{ ref('int_pessoas__identificadores') }}
),

cartoes as (
    select * from {{ ref('int_pessoas__cartoes') }}
),

cadastros as (
    select * from {{ ref('int_pessoas__cadastros') }}
),

cpfs_protegidos as (
    select d.cpf_id
    from cadastros as d
    where d.eh_protegido and d.cpf_id is not null
    group by d.cpf_id
),

nucleos as (
    -- Requests that share a CadSUS record or, failing that, a card.
    select
        i.solicitacao_codigo,
        i.cns_id,
        i.cpf_id,
        coalesce(d.eh_protegido, false) or p.cpf_id is not null as eh_protegido,
        d.cadastro_id,
        d.cpf_id as cadastro_cpf_id,
        d.cns_id as cadastro_cns_id,
        d.data_obito,
        coalesce(d.tem_obito_sem_data, false) as tem_obito_sem_data,
        coalesce(d.cadastro_id, i.cns_id, i.solicitacao_codigo) as nucleo_id
    from identificadores as i
    left join cartoes as c on i.cns_id = c.cns_id
    left join cadastros as d on c.cadastro_id = d.cadastro_id
    left join cpfs_protegidos as p on i.cpf_id = p.cpf_id
),

cpf_do_nucleo as (
    -- One CPF among the requests of a card speaks for those that lack it; two contradict.
    select
        n.nucleo_id,
        min(n.cpf_id) as cpf_id
    from nucleos as n
    where not n.eh_protegido and n.cpf_id is not null
    group by n.nucleo_id
    having count(distinct n.cpf_id) = 1
),

vinculados as (
    select
        n.solicitacao_codigo,
        case
            when n.eh_protegido then n.cns_id
            when n.cadastro_id is not null
                then coalesce(n.cadastro_cpf_id, u.cpf_id, n.cadastro_cns_id)
            else coalesce(n.cpf_id, u.cpf_id, n.cns_id)
        end as pessoa_id,
        case
            when n.eh_protegido and n.cns_id is not null then 'cns_protegido'
            when n.eh_protegido then 'nenhuma'
            when n.cadastro_id is not null then 'cartoes_cadsus'
            when n.cpf_id is not null then 'cpf'
            when n.cns_id is not null then 'cns'
            else 'nenhuma'
        end as vinculo_regra,
        not n.eh_protegido and coalesce(n.cadastro_cpf_id <> n.cpf_id, false) as tem_conflito_cpf,
        case when not n.eh_protegido then n.data_obito end as data_obito,
        not n.eh_protegido and n.tem_obito_sem_data as tem_obito_sem_data
    from nucleos as n
    left join cpf_do_nucleo as u on n.nucleo_id = u.nucleo_id
),

obitos as (
    -- A request linked by CPF alone still finds the death in the record that has that CPF.
    select
        d.cpf_id,
        min(d.data_obito) as data_obito,
        max(d.tem_obito_sem_data) as tem_obito_sem_data
    from cadastros as d
    where
        not d.eh_protegido
        and d.cpf_id is not null
        and (d.data_obito is not null or d.tem_obito_sem_data)
    group by d.cpf_id
),

obitos_da_pessoa as (
    select
        v.solicitacao_codigo,
        v.pessoa_id,
        v.vinculo_regra,
        v.tem_conflito_cpf,
        min(least(v.data_obito, o.data_obito)) over (
            partition by coalesce(v.pessoa_id, v.solicitacao_codigo)
        ) as data_obito,
        max(v.tem_obito_sem_data or coalesce(o.tem_obito_sem_data, false)) over (
            partition by coalesce(v.pessoa_id, v.solicitacao_codigo)
        ) as tem_obito_sem_data
    from vinculados as v
    left join obitos as o on v.pessoa_id = o.cpf_id
),

final as (
    select
        p.solicitacao_codigo,
        p.pessoa_id,
        p.vinculo_regra,
        p.tem_conflito_cpf,
        p.data_obito,
        -- A date that another record of the person has is worth more than none.
        p.data_obito is null and p.tem_obito_sem_data as tem_obito_sem_data
    from obitos_da_pessoa as p
)

select * from final
