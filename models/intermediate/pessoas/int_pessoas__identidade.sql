-- Grain: one row per ambulatory request: the person it belongs to, by which rule and with which
-- score, or why to none. Rows out equal rows in. Rule regra_identidade_pessoa.
{% set limiar = setting('identidade_limiar') %}

with numeros as (
    select * from {{ ref('int_pessoas__numeros') }}
),

registrados as (
    select * from {{ ref('int_pessoas__registrados') }}
),

pares as (
    select * from {{ source('controle', 'pares_identidade') }}
),

por_numero as (
    select
        n.*,
        case
            when n.eh_protegido then n.cns_id
            when n.eh_do_cpf and n.eh_do_cartao and n.tem_conflito_cpf then null
            when n.eh_do_cpf then n.cpf_id
            when n.eh_do_cartao then r.pessoa_id
        end as numero_pessoa_id
    from numeros as n
    left join registrados as r on n.cadastro_id = r.cadastro_id
),

por_palavras as (
    -- A CPF that is nobody else's forbids to be taken for somebody by words.
    select
        n.solicitacao_codigo,
        1 as ordem,
        r.pessoa_id,
        cast(null as double) as escore
    from por_numero as n
    inner join registrados as r on n.nome_mae_nascimento_id = r.nome_mae_nascimento_id
    where
        n.numero_pessoa_id is null
        and (n.cpf_id is null or n.eh_do_cpf is not null)
        and not n.eh_protegido
        and not r.eh_protegido
    union all
    select
        n.solicitacao_codigo,
        2 as ordem,
        r.pessoa_id,
        p.escore
    from por_numero as n
    inner join pares as p on n.solicitacao_codigo = p.solicitacao_codigo
    inner join registrados as r on p.cadastro_id = r.cadastro_id
    where
        n.numero_pessoa_id is null
        and (n.cpf_id is null or n.eh_do_cpf is not null)
        and not n.eh_protegido
        and not r.eh_protegido
),

pessoas_parecidas as (
    -- Two records of one person share its score.
    select
        w.solicitacao_codigo,
        w.ordem,
        w.pessoa_id,
        round(sum(w.escore), 9) as escore
    from por_palavras as w
    group by w.solicitacao_codigo, w.ordem, w.pessoa_id
),

parecidos as (
    -- Exactly equal words decide where there are any.
    select
        w.*,
        count(*) over (partition by w.solicitacao_codigo, w.ordem) > 1 as sao_varias,
        row_number() over (
            partition by w.solicitacao_codigo order by w.ordem asc, w.escore desc, w.pessoa_id asc
        ) as vez
    from pessoas_parecidas as w
),

decididos as (
    select
        n.*,
        s.escore,
        coalesce(s.sao_varias, false) as sao_varias,
        case
            when n.numero_pessoa_id is not null and n.eh_protegido then 'cns_protegido'
            when n.numero_pessoa_id is not null and n.eh_do_cpf then 'cpf'
            when n.numero_pessoa_id is not null and n.eh_cns_definitivo then 'cns_definitivo'
            when n.numero_pessoa_id is not null then 'cns_provisorio'
            when n.eh_protegido then 'nenhuma'
            when s.ordem = 1 and not s.sao_varias then 'nome'
            when s.escore >= {{ limiar }} then 'escore'
            when n.cpf_id is not null and n.eh_do_cpf is null then 'cpf'
            when n.cns_id is not null and n.cadastro_id is null then 'cns_sem_cadastro'
            else 'nenhuma'
        end as vinculo_regra,
        s.pessoa_id as palavras_pessoa_id
    from por_numero as n
    left join parecidos as s on n.solicitacao_codigo = s.solicitacao_codigo and s.vez = 1
),

obitos as (
    select
        r.pessoa_id,
        min(r.data_obito) as data_obito,
        max(r.tem_obito_sem_data) as tem_obito_sem_data
    from registrados as r
    where not r.eh_protegido
    group by r.pessoa_id
),

ligados as (
    select
        d.*,
        case
            when d.numero_pessoa_id is not null then d.numero_pessoa_id
            when d.vinculo_regra in ('nome', 'escore') then d.palavras_pessoa_id
            when d.vinculo_regra = 'cpf' then d.cpf_id
            when d.vinculo_regra = 'cns_sem_cadastro' then coalesce(d.nucleo_cpf_id, d.cns_id)
        end as pessoa_id
    from decididos as d
),

final as (
    select
        n.solicitacao_codigo,
        n.pessoa_id,
        n.vinculo_regra,
        case when n.vinculo_regra = 'escore' then n.escore end as vinculo_escore,
        case
            when n.pessoa_id is not null then null
            when n.eh_protegido then 'pessoa_protegida'
            when n.sao_varias then 'ambiguo'
            when n.eh_do_cpf and n.eh_do_cartao then 'ambiguo'
            when n.escore is not null then 'abaixo_do_limiar'
            when n.cns_id is not null or n.cpf_id is not null then 'numero_de_outra_pessoa'
            when n.tem_cns or n.tem_cpf then 'numero_invalido'
            else 'sem_numero'
        end as vinculo_motivo,
        n.tem_conflito_cpf,
        o.data_obito,
        -- A date that another record of the person has is worth more than none.
        o.data_obito is null and coalesce(o.tem_obito_sem_data, false) as tem_obito_sem_data
    from ligados as n
    left join obitos as o on case when not n.eh_protegido then n.pessoa_id end = o.pessoa_id
)

select * from final
