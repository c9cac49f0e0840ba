-- A register is known when its month has begun.
select
    strftime(c.competencia, '%Y%m') as competencia,
    unpadded(u.cnes, 'contract' || c.idx, 'cnes') as cod_cnes,
    unpadded(c.cpf, 'contract' || c.idx, 'cpf') as cpf_profissional,
    c.cbo as cod_cbo,
    c.bond as cod_vinculo,
    number_text(c.weekly_hours, 'contract' || c.idx) as horas_ambulatoriais_semana
from city_contracts as c
inner join city_units as u on c.unit_idx = u.idx
where c.competencia < getvariable('closing')
order by c.idx
