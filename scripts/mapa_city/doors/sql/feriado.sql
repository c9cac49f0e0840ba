select
    strftime(h.date, '%d/%m/%Y') as data,
    h.name as descricao,
    h.scope as abrangencia,
    coalesce(u.cnes, '') as cod_cnes_exec
from seen_holidays as h
left join city_units as u on h.unit_idx = u.idx
where h.listed
order by h.idx
