-- Money that gets lost between budgets and terms makes a shortfall that nobody had. Added up again
-- from the newest rows of the operator's table, whatever the models say of it.
with linhas as (
    select
        o.*,
        row_number() over (partition by o.registro_id order by o._carga_ordem desc, o._linha asc)
            as ordem
    from {{ ref('stg_proadi__orcamentos') }} as o
),

termos as (
    select
        p.projeto_nup,
        max(p.termo_numero) as termo_numero
    from {{ ref('stg_proadi__projetos') }} as p
    group by p.projeto_nup
),

orcamento as (
    select
        t.termo_numero,
        l.exercicio,
        sum(l.valor_executado_aprovado) as valor
    from linhas as l
    inner join termos as t on l.projeto_nup = t.projeto_nup
    where l.ordem = 1
    group by t.termo_numero, l.exercicio
    having count(*) = count(l.valor_executado_aprovado)
),

saldos as (
    select
        s.termo_numero,
        s.exercicio,
        max(s.valor_executado) as valor
    from {{ ref('proadi_termos_saldo') }} as s
    where s.exercicio is not null and not {{ setting('proadi_regras_historicas') }}
    group by s.termo_numero, s.exercicio
)

select
    s.termo_numero,
    s.exercicio
from saldos as s
inner join orcamento as o
    on s.termo_numero = o.termo_numero and s.exercicio = o.exercicio
where s.valor is null or abs(s.valor - o.valor) > 0.001
