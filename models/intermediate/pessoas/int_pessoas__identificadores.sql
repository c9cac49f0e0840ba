-- Grain: one row per ambulatory request; its card and CPF, and the words beside them, turned into
-- pseudonyms.
with documentos as (
    select * from {{ ref('int_pessoas__documentos') }}
),

final as (
    select
        d.solicitacao_codigo,
        d.tem_cns,
        d.tem_cpf,
        {{ pseudonym("'cns:' || d.cns") }} as cns_id,
        {{ pseudonym("'cpf:' || d.cpf") }} as cpf_id,
        {{ person_keys('d') }}
    from documentos as d
    where d.eh_ultima
)

select * from final
