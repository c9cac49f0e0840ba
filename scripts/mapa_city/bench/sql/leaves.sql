-- So many leaves ($2) of their professionals, in the same years.
insert into bruto_sisreg.afastamento_profissional by name
with drawn as (
    select
        t.i,
        $1 - draw(t.i, 3, 3650) as desde
    from range($2) as t (i)
)

select
    cast(i as varchar) as cod_afastamento,
    lpad(cast(draw(i, 0, 20000) as varchar), 11, '0') as cpf_profissional_exec,
    strftime(desde, '%d/%m/%Y') as data_inicio,
    case when draw(i, 1, 5) = 0 then '09:00' end as hora_inicio,
    strftime(desde + draw(i, 2, 30), '%d/%m/%Y') as data_fim,
    'banco' as _carga_id,
    'banco.csv' as _arquivo,
    i as _linha,
    timestamp '2026-06-30 12:00:00' as _carregado_em,
    1 as _carga_ordem
from drawn
