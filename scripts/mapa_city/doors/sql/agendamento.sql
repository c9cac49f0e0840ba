-- Bookings of the chosen month, with the executing unit in front; the file leaves it out.
create temp table booked as
with bookings as (
    select
        *,
        lead(approved_at) over (partition by request_idx order by approved_at) as next_approved_at
    from city_bookings
),

outcomes as (
    select
        request_idx,
        "at",
        case kind
            when 'confirmada' then 'CONFIRMADO' when 'falta' then 'FALTA' else 'CANCELADO'
        end as situation
    from city_events
    where
        kind in ('confirmada', 'falta', 'cancelamento_agendamento')
        and "at" < getvariable('closing')
)

select
    u.idx as unit_idx,
    u.cnes as unit_cnes,
    u.nome as unit_name,
    r.codigo as solicitacao,
    case hash(r.codigo || 'internal') % 6 when 0 then '' when 1 then '0' else p.codigo end
        as codigo_interno,
    coalesce(p.sigtap, '') as codigo_unificado,
    p.nome as descricao_procedimento,
    f.cpf as cpf_proficional_executante,
    f.nome as nome_profissional_executante,
    strftime(b.appointment_at, '%d.%m.%Y') as data_agendamento,
    strftime(b.appointment_at, '%H:%M') as hr_agendamento,
    case b.slot_kind when 1 then '1' else '0' end as tipo,
    i.cns,
    i.name as nome,
    strftime(i.birth_date, '%d.%m.%Y') as dt_nascimento,
    datesub('year', i.birth_date, getvariable('last_day')) as idade,
    datesub('month', i.birth_date, getvariable('last_day')) % 12 as idade_meses,
    coalesce(i.mother, 'SEM INFORMAÇÃO') as nome_mae,
    'QUADRA' as tipo_logradouro,
    'QNN 00' as logradouro,
    pick(r.codigo, 'complement', ['CASA 0', 'BLOCO "B"; FUNDOS', 'CASA 0' || chr(10) || 'PORTÃO'])
        as complemento,
    pick(r.codigo, 'number', ['0', 'S/N']) as numero_logradouro,
    r.bairro,
    q.cep,
    '6199999' || digits(r.codigo, 'phone', 4) as telefone,
    m.name as municipio,
    r.city_ibge6 as ibge,
    getvariable('municipality_name') as mun_solicitante,
    getvariable('municipality') as ibge_solicitante,
    o.cnes as cnes_solicitante,
    o.nome as unidade_fantasia,
    q.sex as sexo,
    strftime(r.requested_at, '%d.%m.%Y') as data_solicitacao,
    login(r.codigo, 'solicitada') as operador_solicitante,
    strftime(b.approved_at, '%d.%m.%Y') as data_autorizacao,
    login(r.codigo, 'agendada') as operador_autorizador,
    '10.00' as valor_procedimento,
    coalesce(e.situation, 'PENDENTE') as situacao,
    r.cid,
    r.professional_cpf as cpf_profissional_solicitante,
    r.professional_name as nome_profissional_solicitante
from bookings as b
inner join city_requests as r on b.request_idx = r.idx
inner join city_schedules as s on b.schedule_idx = s.idx
inner join city_units as u on s.unit_idx = u.idx
inner join city_professionals as f on s.professional_idx = f.idx
inner join city_procedures as p on b.procedure_idx = p.idx
inner join city_persons as q on r.person_idx = q.idx
inner join city_identities as i on r.idx = i.idx
inner join city_units as o on r.unit_idx = o.idx
left join city_municipalities as m on r.city_ibge6 = m.ibge6
left join outcomes as e
    on
        b.request_idx = e.request_idx
        and b.approved_at < e."at"
        and (b.next_approved_at is null or b.next_approved_at > e."at")
where
    cast(b.appointment_at as date) between getvariable('first_day') and getvariable('last_day')
    and b.approved_at < getvariable('closing');
