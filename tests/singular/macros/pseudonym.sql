-- A pseudonym that is null for a value, or that a null receives, would join strangers.
with casos as (
    select
        {{ pseudonym("'cpf:00000000191'") }} as um,
        {{ pseudonym("'cpf:00000000191'") }} as outra_vez,
        {{ pseudonym("'cpf:00000000272'") }} as outro,
        {{ pseudonym('cast(null as string)') }} as nulo,
        {{ surrogate_key(["'a'", "cast(null as string)"]) }} as chave_com_nulo,
        {{ surrogate_key(["cast(null as string)", "'a'"]) }} as chave_trocada
)

select * from casos
where
    um is null
    or length(um) <> 32
    or um <> outra_vez
    or um = outro
    or nulo is not null
    or chave_com_nulo = chave_trocada
