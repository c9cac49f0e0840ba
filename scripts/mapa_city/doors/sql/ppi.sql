select
    strftime(l.competencia, '%Y%m') as competencia,
    l.requesting_central as cod_central_solicitante,
    l.executing_central as cod_central_exec,
    unpadded(p.codigo, writing('ppi' || p.codigo || l.competencia), 'procedure')
        as cod_procedimento_interno,
    l.quantity as qtd_ppi
from seen_ppi as l
inner join city_procedures as p on l.procedure_idx = p.idx
order by l.idx
