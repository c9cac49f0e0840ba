select
    number(s.codigo) as "COD. ESCALA AMBULATORIAL",
    s.central as "COD. CENTRAL EXEC.",
    case
        when s.central = getvariable('central') then getvariable('municipality_name')
        else 'CENTRAL FICTICIA DO ENTORNO'
    end
        as "DESC. CENTRAL EXEC.",
    unpadded(f.cpf, writing(s.codigo), 'cpf') as "CPF PROFISSIONAL EXEC.",
    f.nome as "NOME PROFISSIONAL EXEC.",
    f.cbo as "COD. CBO",
    case when chance(s.codigo, 'cbo', 100) then '---' else 'OCUPAÇÃO FICTÍCIA ' || f.cbo end
        as "DESC. CBO",
    unpadded(u.cnes, writing(s.codigo), 'cnes') as "COD CNES EXEC.",
    u.nome as "DESC. CNES EXEC.",
    unpadded(p.codigo, writing(s.codigo), 'procedure') as "COD. PROCEDIMENTO INTERNO",
    padded_right(p.nome, writing(s.codigo), 'procedure') as "DESC. PROCEDIMENTO INTERNO",
    coalesce(p.sigtap, pick(s.codigo, 'sigtap', ['', '---'])) as "COD. PROCEDIMENTO UNIFICADO",
    coalesce(
        (['SEG', 'TER', 'QUA', 'QUI', 'SEX', 'SAB', 'DOM'])[s.weekday],
        pick(s.codigo, 'weekday', ['---', 'FER'])
    ) as "SIGLA DIA SEMANA",
    number_text(s.first_slots, writing(s.codigo)) as "QTD VAGAS PRIM. VEZ",
    number_text(s.minutes_first, writing(s.codigo)) as "QTD. MINUTOS PRIM. VEZ",
    number_text(s.return_slots, writing(s.codigo)) as "QTD. VAGAS RETORNO",
    number_text(s.minutes_return, writing(s.codigo)) as "QTD. MINUTOS RETORNO",
    number_text(s.reserve_slots, writing(s.codigo)) as "QTD. VAGAS RESERVA",
    number_text(s.minutes_reserve, writing(s.codigo)) as "QTD. MINUTOS RESERVA",
    yes_no(s.auto_split) as "QUEBRA AUTOMATICA",
    yes_no(s.local_agenda) as "AGENDA LOCAL",
    day_text(s.valid_from, writing(s.codigo)) as "DATA DE VIGENCIA INICIAL",
    day_text(s.valid_to, writing(s.codigo)) as "DATA DE VIGENCIA FINAL",
    clock_text(s.start_minute, writing(s.codigo)) as "HORA INICIAL",
    clock_text(s.end_minute, writing(s.codigo)) as "HORA FINAL",
    case
        when chance(s.codigo, 'two lines', 20) then 'OPERADOR "FICTÍCIO"' || chr(10) || 'DA NOITE'
        else login(s.codigo, 'creator')
    end as "NOME OPERADOR CRIADOR",
    pick(s.codigo, 'modifier', [login(s.codigo, 'creator'), '---']) as "NOME OPERADOR MODIFICADOR",
    day_text(s.changed_at, writing(s.codigo)) as "DATA ULTIMA ALTERACAO",
    time_text(s.changed_at, writing(s.codigo)) as "HORA ULTIMA ALTERACAO",
    s.status as "STATUS",
    day_text(s.created_at, writing(s.codigo)) as "DATA DA INSERCAO",
    time_text(s.created_at, writing(s.codigo)) as "HORA DA INSERCAO",
    day_text(s.activated_at, writing(s.codigo)) as "DATA DA ULTIMA ATIVACAO",
    time_text(s.activated_at, writing(s.codigo)) as "HORA DA ULTIMA ATIVACAO"
from seen_schedules as s
inner join city_professionals as f on s.professional_idx = f.idx
inner join city_units as u on s.unit_idx = u.idx
inner join city_procedures as p on s.procedure_idx = p.idx
order by s.idx
