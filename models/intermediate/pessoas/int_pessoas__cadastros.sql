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

cns_validos as (
    select distinct
        c.cadsus_id,
        c.cns,
        coalesce(c.cns_tipo = 'D', false) as eh_definitivo
    from cartoes as c
    where {{ cns_is_valid('c.cns') }} and c.cadsus_id is not null
),

cns_canonico as (
    select
        c.cadsus_id,
        min(case when c.eh_definitivo then c.cns end) as cns_definitivo,
        min(c.cns) as cns
    from cns_validos as c
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

cadastros as (
    select
        v.cadsus_id,
        f.cpf,
        c.cns,
        c.cns_definitivo,
        {{ person_keys('p') }},
        coalesce(v.eh_protegida, false) as eh_protegido,
        v.data_obito,
        v.data_obito is null and coalesce(v.eh_falecida, false) as tem_obito_sem_data
    from versoes as v
    left join cns_canonico as c on v.cadsus_id = c.cadsus_id
    left join cpf_mais_novo as f on v.cadsus_id = f.cadsus_id and f.ordem = 1
    left join palavras as p on v.cadsus_id = p.cadsus_id
    where v.ordem = 1 and v.cadsus_id is not null
),

unidos as (
    -- A record that took the place of another answers to its card and may tell no more than that.
    select distinct
        c.cadsus_id,
        o.cadsus_id as outro_cadsus_id
    from cns_validos as c
    inner join cns_validos as o on c.cns = o.cns and c.cadsus_id <> o.cadsus_id
),

herdados as (
    -- Two CPFs contradict.
    select
        d.cadsus_id,
        min(o.cpf) as cpf,
        min(o.cns_definitivo) as cns_definitivo,
        min(o.cns) as cns
    from unidos as u
    inner join cadastros as d on u.cadsus_id = d.cadsus_id
    inner join cadastros as o on u.outro_cadsus_id = o.cadsus_id
    where {{ words_agree('d', 'o') }} and not d.eh_protegido and not o.eh_protegido
    group by d.cadsus_id
    having count(distinct o.cpf) <= 1
),

numeros as (
    select
        d.*,
        coalesce(d.cpf, h.cpf) as pessoa_cpf,
        coalesce(
            -- least ignores what is unknown
            least(d.cns_definitivo, h.cns_definitivo),
            least(d.cns, h.cns)
        ) as pessoa_cns
    from cadastros as d
    left join herdados as h on d.cadsus_id = h.cadsus_id
),

final as (
    select
        {{ pseudonym("'cadsus:' || n.cadsus_id") }} as cadastro_id,
        {{ pseudonym("'cpf:' || n.pessoa_cpf") }} as cpf_id,
        {{ pseudonym("'cns:' || n.pessoa_cns") }} as cns_id,
        n.nome_mae_nascimento_id,
        n.nome_nascimento_id,
        n.nome_mae_id,
        n.eh_protegido,
        n.data_obito,
        n.tem_obito_sem_data
    from numeros as n
)

select * from final
