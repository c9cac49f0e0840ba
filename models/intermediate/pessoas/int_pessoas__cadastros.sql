-- Grain: one row per CadSUS record, newest version. Identifiers become pseudonyms here and never
-- leave otherwise. Rule regra_identidade_pessoa.
with pessoas as (
    select p.*
    from {{ ref('stg_cadsus__pessoas') }} as p
    where {{ of_known_load('p') }}
),

cartoes as (
    select c.*
    from {{ ref('stg_cadsus__cns') }} as c
    where {{ of_known_load('c') }}
),

versoes as (
    select
        p.*,
        row_number() over (
            partition by p.cadsus_id
            order by p._carga_ordem desc, p._arquivo desc, p._linha desc
        ) as ordem
    from pessoas as p
),

cns_canonico as (
    select
        c.cadsus_id,
        coalesce(min(case when c.cns_tipo = 'D' then c.cns end), min(c.cns)) as cns
    from cartoes as c
    where {{ cns_is_valid('c.cns') }}
    group by c.cadsus_id
),

cpf_mais_novo as (
    -- What the register once knew of a record stays known when it is inactivated.
    select
        v.cadsus_id,
        v.cpf,
        row_number() over (partition by v.cadsus_id order by v.ordem) as ordem
    from versoes as v
    where {{ cpf_is_valid('v.cpf') }}
),

palavras as (
    -- A social name stands for another: it neither links nor contradicts.
    select
        v.cadsus_id,
        case when v.nome_social is null then {{ person_name('v.nome') }} end as nome,
        {{ person_name('v.mae_nome') }} as mae_nome,
        v.data_nascimento
    from versoes as v
    where v.ordem = 1
),

final as (
    select
        {{ pseudonym("'cadsus:' || v.cadsus_id") }} as cadastro_id,
        {{ pseudonym("'cpf:' || f.cpf") }} as cpf_id,
        {{ pseudonym("'cns:' || c.cns") }} as cns_id,
        {{ person_keys('p') }},
        coalesce(v.eh_protegida, false) as eh_protegido,
        v.data_obito,
        v.data_obito is null and coalesce(v.eh_falecida, false) as tem_obito_sem_data
    from versoes as v
    left join cns_canonico as c on v.cadsus_id = c.cadsus_id
    left join cpf_mais_novo as f on v.cadsus_id = f.cadsus_id and f.ordem = 1
    left join palavras as p on v.cadsus_id = p.cadsus_id
    where v.ordem = 1 and v.cadsus_id is not null
)

select * from final
