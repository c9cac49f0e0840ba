-- Grain: one row per CadSUS record, with the person it is of. Rule regra_identidade_pessoa.
with numeros as (
    select * from {{ ref('int_pessoas__numeros') }}
),

cadastros as (
    select * from {{ ref('int_pessoas__cadastros') }}
),

nucleos as (
    select
        n.cadastro_id,
        max(n.nucleo_cpf_id) as cpf_id
    from numeros as n
    where n.cadastro_id is not null
    group by n.cadastro_id
),

final as (
    select
        d.cadastro_id,
        coalesce(d.cpf_id, u.cpf_id, d.cns_id, d.cadastro_id) as pessoa_id,
        d.nome_mae_nascimento_id,
        d.eh_protegido,
        d.data_obito,
        d.tem_obito_sem_data
    from cadastros as d
    left join nucleos as u on d.cadastro_id = u.cadastro_id
)

select * from final
