-- Grain: one row per ambulatory request, its card and CPF turned into pseudonyms.
with documentos as (
    select * from {{ ref('int_pessoas__documentos') }}
),

final as (
    select
        d.solicitacao_codigo,
        {{ pseudonym("'cns:' || d.cns") }} as cns_id,
        {{ pseudonym("'cpf:' || d.cpf") }} as cpf_id
    from documentos as d
    where d.eh_ultima
)

select * from final
