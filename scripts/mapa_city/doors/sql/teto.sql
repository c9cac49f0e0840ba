select
    strftime(l.competencia, '%Y%m') as competencia,
    unpadded(u.cnes, writing('teto' || u.cnes || l.competencia), 'cnes') as cod_cnes_exec,
    unpadded(p.codigo, writing('teto' || p.codigo || l.competencia), 'procedure')
        as cod_procedimento_interno,
    l.quantity as qtd_teto
from seen_ceilings as l
inner join city_units as u on l.unit_idx = u.idx
inner join city_procedures as p on l.procedure_idx = p.idx
order by l.idx
