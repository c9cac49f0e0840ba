select
    number(l.codigo) as cod_afastamento,
    unpadded(f.cpf, writing(l.codigo), 'cpf') as cpf_profissional_exec,
    coalesce(unpadded(u.cnes, writing(l.codigo), 'cnes'), pick(l.codigo, 'no unit', ['', '---']))
        as cod_cnes_exec,
    coalesce(unpadded(p.codigo, writing(l.codigo), 'procedure'), pick(l.codigo, 'all', ['', '---']))
        as cod_procedimento_interno,
    day_text(l.start_date, writing(l.codigo)) as data_inicio,
    clock_text(l.start_minute, writing(l.codigo)) as hora_inicio,
    day_text(l.end_date, writing(l.codigo)) as data_fim,
    clock_text(l.end_minute, writing(l.codigo)) as hora_fim,
    case
        when chance(l.codigo, 'two lines', 30) then l.motive || chr(10) || '("A PEDIDO")'
        else l.motive
    end as motivo
from seen_leaves_professional as l
inner join city_professionals as f on l.professional_idx = f.idx
left join city_units as u on l.unit_idx = u.idx
left join city_procedures as p on l.procedure_idx = p.idx
order by l.idx
