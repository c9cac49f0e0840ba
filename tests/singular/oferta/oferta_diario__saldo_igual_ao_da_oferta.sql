-- The diary balances: what a slot had before the first change, plus all gains, less all losses, is
-- what oferta_por_dia, which knows nothing of the diary, says of it today. A schedule that was
-- first seen after the first day had nothing; of others the picture before their first change
-- tells. A change left out, counted twice or charged to another date shows here.
with vagas_por_passo as (
    select * from {{ ref('int_oferta__vagas_por_passo') }}
),

diario as (
    select * from {{ ref('int_oferta__diario_vagas') }}
),

escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

dias as (
    select
        max(d.visto_em) as ultimo_dia,
        -- as far as every picture reaches
        min(d.ultima_data_comum) as ultima_data,
        min(d.primeiro_dia) as primeiro_dia
    from {{ ref('int_oferta__versoes_dias') }} as d
),

oferta as (
    select
        v.escala_codigo,
        v.data,
        v.vaga_tipo,
        sum(v.qtd_vagas_total - v.qtd_vagas_bloqueadas) as qtd_vagas
    from {{ ref('int_oferta__vagas_por_dia') }} as v
    cross join dias as d
    where v.data >= d.ultimo_dia and v.data <= d.ultima_data
    group by
        v.escala_codigo,
        v.data,
        v.vaga_tipo
),

novas as (
    select e.escala_codigo
    from escalas as e
    cross join dias as d
    group by
        e.escala_codigo,
        d.primeiro_dia
    having min(e.visto_de) > d.primeiro_dia
),

primeiras_mudancas as (
    select
        r.escala_codigo,
        r.data,
        min(r.visto_em) as visto_em
    from vagas_por_passo as r
    group by
        r.escala_codigo,
        r.data
),

parcelas as (
    select
        r.escala_codigo,
        r.data,
        r.vaga_tipo,
        coalesce(r.qtd_vagas_ativas, 0) as qtd_vagas
    from primeiras_mudancas as p
    inner join vagas_por_passo as r
        on
            p.escala_codigo = r.escala_codigo
            and p.data = r.data
            and p.visto_em = r.visto_em
            and r.passo = 0

    union all

    select
        d.escala_codigo,
        d.data,
        d.vaga_tipo,
        d.qtd_vagas_ganhas - d.qtd_vagas_perdidas as qtd_vagas
    from diario as d
),

somas as (
    select
        p.escala_codigo,
        p.data,
        p.vaga_tipo,
        sum(p.qtd_vagas) as qtd_vagas
    from parcelas as p
    group by
        p.escala_codigo,
        p.data,
        p.vaga_tipo
),

seguidas as (
    select
        o.escala_codigo,
        o.data,
        o.vaga_tipo,
        o.qtd_vagas
    from oferta as o
    where
        o.escala_codigo in (select n.escala_codigo from novas as n)
        or exists (
            select 1
            from primeiras_mudancas as p
            where p.escala_codigo = o.escala_codigo and p.data = o.data
        )
)

select
    coalesce(s.escala_codigo, o.escala_codigo) as escala_codigo,
    coalesce(s.data, o.data) as data,
    coalesce(s.vaga_tipo, o.vaga_tipo) as vaga_tipo,
    s.qtd_vagas as qtd_pelo_diario,
    o.qtd_vagas as qtd_ofertada
from somas as s
full outer join seguidas as o
    on s.escala_codigo = o.escala_codigo and s.data = o.data and s.vaga_tipo = o.vaga_tipo
cross join dias as d
where
    coalesce(s.data, o.data) >= d.ultimo_dia
    and coalesce(s.data, o.data) <= d.ultima_data
    and coalesce(s.qtd_vagas, 0) <> coalesce(o.qtd_vagas, 0)
