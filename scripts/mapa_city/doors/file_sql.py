"""The SQL of the exported files: one query per file, its columns named as in the header.

Macros and session variables are those of `mapa_city.doors.document_sql`; `seen_*` holds the records
of the offer on the day of the export. Spellings hang on what a row is about and not on its place,
so that a row keeps them from one day to the next, but for one row in ten: those are written anew
each day (`writing`), which is no change.
"""

from __future__ import annotations

FILE_MACROS = """
create temp macro writing(k) as
    case when chance(k, 'written anew', 100) then k || getvariable('closing') else k end;
create temp macro number(k) as
    case when chance(writing(k), 'long number', 20) then '0' || k else k end;
create temp macro clock_text(minute, k) as
    case
        when minute is null then pick(k, 'no time', ['', '---'])
        else lpad(cast(minute // 60 as varchar), 2, '0') || ':'
            || lpad(cast(minute % 60 as varchar), 2, '0')
            || case when chance(k, 'seconds', 300) then ':00' else '' end
    end;
create temp macro day_text(day, k) as
    coalesce(strftime(day, '%d/%m/%Y'), pick(k, 'no day', ['', '---']));
create temp macro time_text(moment, k) as
    coalesce(
        case
            when chance(k, 'seconds', 300) then strftime(moment, '%H:%M:%S')
            else strftime(moment, '%H:%M')
        end,
        pick(k, 'no day', ['', '---'])
    );
create temp macro number_text(x, k) as
    coalesce(cast(x as varchar), pick(k, 'no number', ['', '---']));
create temp macro yes_no(x) as case when x then 'SIM' else 'NAO' end;
"""

SCHEDULES = """
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
"""

LEAVES_PROFESSIONAL = """
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
"""

LEAVES_UNIT = """
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
"""

HOLIDAYS = """
select
    strftime(h.date, '%d/%m/%Y') as data,
    h.name as descricao,
    h.scope as abrangencia,
    coalesce(u.cnes, '') as cod_cnes_exec
from seen_holidays as h
left join city_units as u on h.unit_idx = u.idx
where h.listed
order by h.idx
"""

LIMITS = {
    "ppi": """
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
    """,
    "teto": """
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
    """,
    "cota": """
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
    """,
}

# A register is known when its month has begun.
CONTRACTS = """
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
"""

# Bookings of the chosen month, with the executing unit in front; the file leaves it out.
BOOKINGS = """
create temp table booked as
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
    c.cns,
    q.name as nome,
    strftime(q.birth_date, '%d.%m.%Y') as dt_nascimento,
    datesub('year', q.birth_date, getvariable('last_day')) as idade,
    datesub('month', q.birth_date, getvariable('last_day')) % 12 as idade_meses,
    q.mother as nome_mae,
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
from (
    select
        *,
        lead(approved_at) over (partition by request_idx order by approved_at) as next_approved_at
    from city_bookings
) as b
inner join city_requests as r on b.request_idx = r.idx
inner join city_schedules as s on b.schedule_idx = s.idx
inner join city_units as u on s.unit_idx = u.idx
inner join city_professionals as f on s.professional_idx = f.idx
inner join city_procedures as p on b.procedure_idx = p.idx
inner join city_persons as q on r.person_idx = q.idx
inner join city_cards as c on r.card_idx = c.idx
inner join city_units as o on r.unit_idx = o.idx
left join city_municipalities as m on r.city_ibge6 = m.ibge6
left join (
    select
        request_idx,
        "at",
        case kind
            when 'confirmada' then 'CONFIRMADO' when 'falta' then 'FALTA' else 'CANCELADO'
        end as situation
    from city_events
    where kind in ('confirmada', 'falta', 'cancelamento_agendamento')
        and "at" < getvariable('closing')
) as e
    on b.request_idx = e.request_idx
    and e."at" > b.approved_at
    and (b.next_approved_at is null or e."at" < b.next_approved_at)
where cast(b.appointment_at as date)
    between getvariable('first_day') and getvariable('last_day')
    and b.approved_at < getvariable('closing')
"""

# Besides the city's units: as many that are disabled, and one in ten of another municipality.
ESTABLISHMENTS = """
with place as (
    select cnes, nome, bairro, is_executing, getvariable('municipality') as city, null as reason
    from city_units
    union all
    select
        lpad(cast(500000 + idx as varchar), 7, '0'),
        'UNIDADE DESATIVADA FICTÍCIA ' || idx,
        bairro,
        is_executing,
        getvariable('municipality'),
        pick(cnes, 'reason', ['01', '02', '06'])
    from city_units
    union all
    select
        lpad(cast(900000 + idx as varchar), 7, '0'),
        'UNIDADE VIZINHA FICTÍCIA ' || idx,
        'CENTRO',
        is_executing,
        getvariable('neighbour'),
        null
    from city_units
    where idx % 10 = 0
)
select
    p.city || p.cnes as "CO_UNIDADE",
    unpadded(p.cnes, p.cnes, 'code') as "CO_CNES",
    case when p.is_executing then '05' else '02' end as "TP_UNIDADE",
    case when p.is_executing then '05' else '02' end as "CO_TIPO_UNIDADE",
    case when p.is_executing then '006' else '001' end as "CO_TIPO_ESTABELECIMENTO",
    '101' as "CO_ATIVIDADE_PRINCIPAL",
    'SECRETARIA FICTÍCIA DE SAÚDE' as "NO_RAZAO_SOCIAL",
    p.nome as "NO_FANTASIA",
    left(p.nome, 20) as "NO_FANTASIA_ABREV",
    '3' as "TP_PFPJ",
    '3' as "NIVEL_DEP",
    '' as "NU_CNPJ_MANTENEDORA",
    '' as "NU_CNPJ",
    case when chance(p.cnes, 'person', 50) then '00000000272' else '' end as "NU_CPF",
    left(p.city, 2) as "CO_ESTADO_GESTOR",
    p.city as "CO_MUNICIPIO_GESTOR",
    'E' as "TP_GESTAO",
    '' as "CO_REGIAO_SAUDE",
    '' as "CO_MICRO_REGIAO",
    '' as "CO_DISTRITO_SANITARIO",
    '' as "CO_DISTRITO_ADMINISTRATIVO",
    'SETOR FICTÍCIO; QUADRA 00' as "NO_LOGRADOURO",
    'S/N' as "NU_ENDERECO",
    case when chance(p.cnes, 'annex', 200) then 'ANEXO "B"' || chr(10) || 'TÉRREO' else '' end
        as "NO_COMPLEMENTO",
    p.bairro as "NO_BAIRRO",
    '70000000' as "CO_CEP",
    case
        when chance(p.cnes, 'place', 300) then '-15.78'
        else '-15.' || digits(p.cnes, 'latitude', 6)
    end as "NU_LATITUDE",
    case
        when chance(p.cnes, 'place', 300) then '-47.93'
        else '-47.' || digits(p.cnes, 'longitude', 6)
    end as "NU_LONGITUDE",
    '01/01/2026' as "DT_ATU_GEO",
    'OPERADOR FICTICIO' as "NO_USUARIO_GEO",
    '(61)3333-0000' as "NU_TELEFONE",
    '' as "NU_FAX",
    'ficticia@example.org' as "NO_EMAIL",
    '' as "NO_URL",
    '04' as "CO_ATIVIDADE",
    '03' as "CO_CLIENTELA",
    '03' as "CO_TURNO_ATENDIMENTO",
    'N' as "TP_ESTAB_SEMPRE_ABERTO",
    'S' as "ST_CONEXAO_INTERNET",
    '1023' as "CO_NATUREZA_JUR",
    coalesce(p.reason, '') as "CO_MOTIVO_DESAB",
    'S' as "ST_CONTRATO_FORMALIZADO",
    '' as "NU_ALVARA",
    '' as "DT_EXPEDICAO",
    '' as "TP_ORGAO_EXPEDIDOR",
    '' as "DT_VAL_LIC_SANI",
    '' as "TP_LIC_SANI",
    '00000000191' as "CO_CPFDIRETORCLN",
    '00000' as "REG_DIRETORCLN",
    '' as "ST_ADESAO_FILANTROP",
    '' as "ST_GERACREDITO_GERENTE_SGIF",
    '01/01/2026' as "DT_ATUALIZACAO_ORIGEM",
    strftime(cast(getvariable('closing') as date) - 1, '%d/%m/%Y') as "DT_ATUALIZACAO",
    'OPERADOR FICTICIO' as "CO_USUARIO"
from place as p
order by p.city || p.cnes
"""
