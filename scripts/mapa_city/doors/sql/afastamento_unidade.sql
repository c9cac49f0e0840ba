select
    number(l.codigo) as cod_afastamento,
    unpadded(u.cnes, writing(l.codigo), 'cnes') as cod_cnes_exec,
    day_text(l.start_date, writing(l.codigo)) as data_inicio,
    clock_text(l.start_minute, writing(l.codigo)) as hora_inicio,
    day_text(l.end_date, writing(l.codigo)) as data_fim,
    clock_text(l.end_minute, writing(l.codigo)) as hora_fim,
    l.motive as motivo
from seen_leaves_unit as l
inner join city_units as u on l.unit_idx = u.idx
order by l.idx
