select
    strftime(l.competencia, '%Y%m') as competencia,
    unpadded(u.cnes, 'cota' || l.idx, 'cnes') as cod_cnes_solicitante,
    unpadded(p.codigo, 'cota' || l.idx, 'procedure') as cod_procedimento_interno,
    l.kind as tipo_ppi,
    l.quantity as qtd_cota
from city_quotas as l
inner join city_units as u on l.unit_idx = u.idx
inner join city_procedures as p on l.procedure_idx = p.idx
order by l.idx
