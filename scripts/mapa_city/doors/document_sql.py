"""The SQL that turns the city's columns into the fields of the three indices and of the registry.

`city_*` are the city's tables, each with its row number `idx`. The session variables `seed`,
`closing` (first instant that is not shown), `written_at` and `extra_field` are set by
`documents.build`. Instants stay naive local clock here; the false `Z` comes with the rendering.
"""

from __future__ import annotations

MACROS = """
-- True for about per_mille of the keys, always for the same ones.
create temp macro chance(k, salt, per_mille) as hash(k || salt) % 1000 < per_mille;
create temp macro pick(k, salt, choices) as
    choices[cast(1 + hash(k || salt) % cast(len(choices) as ubigint) as bigint)];
create temp macro digits(k, salt, n) as
    lpad(cast(hash(k || salt) % cast(power(10, n) as ubigint) as varchar), n, '0');
create temp macro login(k, salt) as 'OPERADOR FICTICIO ' || digits(k, salt, 3);
-- A missing code or name in one of the spellings of "nothing".
create temp macro spelled(x, k, salt) as
    coalesce(x, pick(k, salt, [null, '', '', 'null', '---', '-', 'NULL ', ' ']));
-- A number on its way through a spreadsheet; real codes seldom begin with more than two zeros.
create temp macro unpadded(code, k, salt) as
    case when chance(k, salt, 30) then regexp_replace(code, '^00?', '') else code end;
create temp macro padded_right(x, k, salt) as
    case when chance(k, salt, 20) then x || '  ' else x end;
-- The same flag as text, as a float that became text, or as a number.
create temp macro flag(x, k, salt) as cast(
    case
        when x then pick(k, salt, ['"1"', '"1"', '"1.0"', '1'])
        else pick(k, salt, ['"0"', '"0"', '"0.0"', '0'])
    end as json
);
-- A one-digit code, mostly text and sometimes a number.
create temp macro mixed(x, k, salt) as cast(
    case
        when x is null then pick(k, salt, [null, '""', '"---"'])
        when chance(k, salt, 100) then cast(x as varchar)
        else '"' || x || '"'
    end as json
);
create temp macro accented(x, k) as
    case when chance(k, 'accent', 150)
        then replace(replace(replace(replace(x, 'CEILANDIA', 'CEILÂNDIA'), 'GUARA', 'GUARÁ'),
            'PARANOA', 'PARANOÁ'), 'AGUAS', 'ÁGUAS')
        else x
    end;
-- Local time from which the source takes the offset of the zone once more: three hours, or two in
-- the daylight-saving time that ended in 2019.
create temp macro shifted_twice(x) as
    x - (timezone('UTC', timezone('America/Sao_Paulo', x)) - x);
create temp macro group_name(x) as
    case when starts_with(x, 'GRUPO - ') then x else 'GRUPO - ' || x end;
create temp macro status(kind, profile, regulation, passed) as
    case kind
        when 'solicitada' then 'SOLICITAÇÃO / PENDENTE / '
            || case regulation when 'R' then 'REGULADOR' else 'FILA DE ESPERA' end
        when 'reaberta' then 'SOLICITAÇÃO / PENDENTE / REGULADOR'
        when 'reenviada' then 'SOLICITAÇÃO / REENVIADA / REGULADOR'
        when 'devolvida' then 'SOLICITAÇÃO / DEVOLVIDA / REGULADOR'
        when 'negada' then 'SOLICITAÇÃO / NEGADA / REGULADOR'
        when 'cancelada' then 'SOLICITAÇÃO / CANCELADA / ' || profile
        when 'cancelamento_agendamento' then 'AGENDAMENTO / CANCELADO / ' || profile
        when 'confirmada' then 'AGENDAMENTO / CONFIRMADO / EXECUTANTE'
        when 'falta' then 'AGENDAMENTO / FALTA / EXECUTANTE'
        when 'agendada' then
            case
                when passed then 'AGENDAMENTO / PENDENTE CONFIRMAÇÃO / EXECUTANTE'
                when profile = 'REGULADOR' then 'SOLICITAÇÃO / AUTORIZADA / REGULADOR'
                else 'SOLICITAÇÃO / AGENDADA / ' || profile
            end
    end;
create temp macro letter(kind) as
    case kind
        when 'solicitada' then 'P'
        when 'reaberta' then 'P'
        when 'reenviada' then 'R'
        when 'devolvida' then 'D'
        when 'negada' then 'N'
        when 'cancelada' then 'C'
        when 'cancelamento_agendamento' then 'C'
        else 'A'
    end;
"""

PREPARATION = """
-- The index of bookings has one document for each request: that of its newest booking.
create temp table booking as
select b.*, s.unit_idx, s.professional_idx
from city_bookings as b
inner join city_schedules as s on b.schedule_idx = s.idx
where b.approved_at < getvariable('closing')
qualify row_number() over (partition by b.request_idx order by b.approved_at desc) = 1;

-- What the source has at the closing instant.
create temp table request as
select r.*, r.codigo || ':' || getvariable('seed') as k
from city_requests as r
left join booking as b on r.idx = b.request_idx
where r.requested_at < getvariable('closing')
    and (b.idx is not null or not r.undated)
    and not exists (
        select 1
        from city_absences as a
        where a.request_idx = r.idx
            and a.gone_at < getvariable('closing')
            and (a.back_at is null or a.back_at >= getvariable('closing'))
    );

-- What each document looks back from: the closing instant, or, for a queue document that the mirror
-- has not refreshed, the moment before the booking.
create temp table moment as
select idx as request_idx, false as stale, getvariable('closing') as cutoff
from request
union all
select b.request_idx, true, b.approved_at
from booking as b
inner join request as r on b.request_idx = r.idx
where r.lagging;

create temp table event as
select
    m.stale,
    e.request_idx,
    e.idx,
    e."at",
    e.kind,
    -- SISREG has no status for a booking or cancellation by any other profile.
    case
        when e.kind = 'agendada' and e.actor_profile = 'EXECUTANTE' then 'SOLICITANTE'
        when e.kind in ('cancelada', 'cancelamento_agendamento')
            and e.actor_profile not in ('SOLICITANTE', 'REGULADOR', 'COORDENADOR')
            then 'COORDENADOR'
        else e.actor_profile
    end as profile
from moment as m
inner join city_events as e on m.request_idx = e.request_idx and e."at" < m.cutoff;

create temp table state as
select
    * exclude (cancelled_at, confirmed_at),
    -- Only of the state that lasts: what was before a new booking is told by the history alone.
    case when kind in ('cancelada', 'cancelamento_agendamento') then cancelled_at end
        as cancelled_at,
    case when kind = 'confirmada' then confirmed_at end as confirmed_at,
    kind = 'confirmada' as done,
    kind = 'falta' as missed
from (
    select
        stale,
        request_idx,
        max("at") as changed_at,
        arg_max(kind, idx) filter (where kind not in ('visualizada', 'alterada')) as kind,
        arg_max(profile, idx) filter (where kind not in ('visualizada', 'alterada')) as profile,
        arg_max(profile, idx) filter (where kind = 'agendada') as booked_by,
        max("at") filter (where kind in ('cancelada', 'cancelamento_agendamento')) as cancelled_at,
        max("at") filter (where kind = 'confirmada') as confirmed_at,
        bool_or(kind = 'visualizada') as seen
    from event
    group by stale, request_idx
);

-- Entries stay narrow here: they are written out when a document is, so that a large city's
-- history need not fit into memory as text.
create temp table history as
select
    e.stale,
    e.request_idx,
    list(
        struct_pack(
            idx := e.idx,
            "at" := e."at",
            profile := e.profile,
            situation := case
                when e.kind = 'agendada' and e.profile = 'REGULADOR' then 'AUTORIZADA'
                else s.situation
            end
        )
        order by e.idx
    ) as entries
from event as e
inner join city_situations as s on e.kind = s.kind
group by e.stale, e.request_idx;

create temp macro notes(entries, asking, asking_name, executing, executing_name, k) as
    list_transform(
        entries,
        lambda e: struct_pack(
            codigo_cnes_operador := case e.profile
                when 'SOLICITANTE' then asking
                when 'COORDENADOR' then asking
                when 'EXECUTANTE' then executing
                else '0009999'
            end,
            nome_cnes_operador := case e.profile
                when 'SOLICITANTE' then asking_name
                when 'COORDENADOR' then asking_name
                when 'EXECUTANTE' then executing_name
                else 'CENTRAL DE REGULACAO FICTICIA'
            end,
            operador := login(k, e.situation),
            tipo_perfil := e.profile,
            tipo_descricao := case e.situation when 'PENDENTE' then 'INICIAL' else 'ANDAMENTO' end,
            situacao := e.situation,
            observacao := pick(k, e.situation || e.idx, [
                'TEXTO CLINICO FICTICIO',
                'PACIENTE FICTICIO COM QUEIXA HÁ 3 MESES; NEGA ALERGIAS',
                'DOR "EM PONTADA"; ENCAMINHO P/ AVALIAÇÃO' || chr(10) || 'RETORNO EM 30 DIAS',
                'D''AVALIAÇÃO:' || chr(13) || chr(10) || '- SEM ALTERAÇÕES' || chr(9) || 'OK',
                'RESPONSÁVEL: MAE FICTICIA, TEL. 61999990000'
            ]),
            data_observacao := strftime(e."at", '%Y-%m-%dT%H:%M:%S.%gZ')
        )
    );

create temp macro item(code, name, sigtap, kind, k) as struct_pack(
    codigo_interno := unpadded(code, k, 'item'),
    descricao_interna := padded_right(name, k, 'item name'),
    codigo_sigtap := spelled(sigtap, k, 'item sigtap'),
    descricao_sigtap := case kind
        when 'consulta' then 'CONSULTA MEDICA EM ATENCAO ESPECIALIZADA'
        when 'exame' then name
    end
);

-- What exam requests ask for besides their first procedure.
create temp table further as
select
    n.request_idx,
    list(item(p.codigo, p.nome, p.sigtap, p.tipo, n.k) order by n.position) as items
from (
    select
        idx as request_idx,
        k,
        unnest(generate_series(1, len(extra_procedure_idx))) as position,
        unnest(extra_procedure_idx) as procedure_idx
    from request
    where len(extra_procedure_idx) > 0
) as n
inner join city_procedures as p on n.procedure_idx = p.idx
group by n.request_idx;

-- What each request says by then: as it was made, or as it was corrected last.
create temp table saying as
select
    r.idx as request_idx,
    coalesce(arg_max(c.procedure_idx, c."at"), any_value(r.procedure_idx)) as procedure_idx,
    coalesce(arg_max(c.risk, c."at"), any_value(r.risk)) as risk,
    coalesce(arg_max(c.bairro, c."at"), any_value(r.bairro)) as bairro,
    coalesce(arg_max(c.city_ibge6, c."at"), any_value(r.city_ibge6)) as city_ibge6
from request as r
left join city_changes as c
    on r.idx = c.request_idx and c."at" < getvariable('closing')
group by r.idx;

create temp table subject as
select 'ambulatory' as door, r.idx, r.person_idx, r.card_idx, s.bairro, s.city_ibge6, r.k
from request as r
inner join saying as s on r.idx = s.request_idx
union all
select 'hospital', a.idx, a.person_idx, c.idx, p.bairro, p.city_ibge6, 'H' || a.idx || p.name
from city_admissions as a
inner join city_persons as p on a.person_idx = p.idx
inner join city_cards as c on a.person_idx = c.person_idx and c.is_main;

create temp table patient as
select
    s.door,
    s.idx,
    case
        when chance(s.k, 'no cpf', 120) then spelled(null, s.k, 'cpf')
        else spelled(unpadded(p.cpf, s.k, 'cpf zeros'), s.k, 'cpf')
    end as cpf_usuario,
    c.cns as cns_usuario,
    padded_right(p.name, s.k, 'name') as no_usuario,
    cast(p.birth_date as timestamp) as dt_nascimento_usuario,
    case p.sex when 'M' then 'MASCULINO' when 'F' then 'FEMININO' end as sexo_usuario,
    case when chance(s.k, 'mother', 10) then 'SEM INFORMAÇÃO' else p.mother end as no_mae_usuario,
    case hash(s.k || 'phone') % 10
        when 0 then '6199999' || digits(s.k, 'p1', 4) || ',6133330' || digits(s.k, 'p2', 3)
        when 1 then '6199999' || digits(s.k, 'p1', 4) || ', 6199999' || digits(s.k, 'p2', 4)
        when 2 then pick(s.k, 'filler', ['99999999999', '00000000000', '6100000000', '98989898989'])
        when 3 then spelled(null, s.k, 'phone')
        else '6199999' || digits(s.k, 'p1', 4)
    end as telefone,
    pick(s.k, 'born', ['BRASILIA', 'BRASILIA', 'BRASÍLIA', 'GOIANIA', 'SAO LUIS'])
        as nome_municipio_nascimento,
    pick(s.k, 'born', ['DF', 'DF', 'DF', 'GO', 'MA']) as uf_municipio_nascimento,
    m.uf as uf_paciente_residencia,
    padded_right(m.name, s.k, 'municipality') as municipio_paciente_residencia,
    padded_right(
        accented(spelled(nullif(s.bairro, ''), s.k, 'no bairro'), s.k), s.k, 'bairro'
    ) as bairro_paciente_residencia,
    case when chance(s.k, 'cep', 100) then '70000000' else p.cep end as cep_paciente_residencia,
    pick(s.k, 'street kind', ['QUADRA', 'QUADRA', 'RUA', 'AVENIDA', 'INVALIDO'])
        as tipo_logradouro_paciente_residencia,
    pick(s.k, 'street', [
        'QNN 00 CONJUNTO A', 'QUADRA 00; BLOCO "B"', 'RUA D''AJUDA FICTÍCIA', 'SEM INFORMAÇÃO'
    ]) as endereco_paciente_residencia,
    pick(s.k, 'number', ['0', '00', 'S/N', 'SN', 'SEM', '1']) as numero_paciente_residencia,
    pick(s.k, 'complement', [
        'CASA 0', 'CASA 0', 'LOTE 00' || chr(10) || 'PORTÃO AZUL', 'SEM INFORMACAO', '', null
    ]) as complemento_paciente_residencia
from subject as s
inner join city_persons as p on s.person_idx = p.idx
inner join city_cards as c on s.card_idx = c.idx
left join city_municipalities as m on s.city_ibge6 = m.ibge6;

-- What both ambulatory indices say about a request.
create temp table common as
select
    r.idx,
    s.stale,
    r.codigo as codigo_solicitacao,
    case when not r.undated then r.requested_at end as data_solicitacao,
    s.changed_at as data_atualizacao,
    cast(r.desired_date as timestamp) as data_desejada,
    padded_right(
        status(
            s.kind,
            s.profile,
            r.regulation,
            b.appointment_at < getvariable('closing') and not s.stale
        ),
        r.k,
        'status'
    ) as status_solicitacao,
    letter(s.kind) as sigla_situacao,
    flag(s.seen, r.k, 'seen') as st_visualizado_regulador,
    mixed(y.risk, r.k, 'risk') as codigo_classificacao_risco,
    r.regulation as codigo_tipo_regulacao,
    mixed(case r.regulation when 'R' then 1 else 2 end, r.k, 'queue') as codigo_tipo_fila,
    mixed(r.slot_kind, r.k, 'slot') as codigo_tipo_vaga_solicitada,
    unpadded(p.grupo_codigo, r.k, 'group') as codigo_grupo_procedimento,
    group_name(p.grupo_nome) as nome_grupo_procedimento,
    case when chance(r.k, 'cid', 80) then lower(r.cid) else r.cid end as codigo_cid_solicitado,
    'DESCRICAO FICTICIA DO CID ' || r.cid as descricao_cid_solicitado,
    getvariable('state_number') as codigo_uf_solicitante,
    getvariable('state') as sigla_uf_solicitante,
    '0009999' as codigo_cnes_central_solicitante,
    getvariable('central') as codigo_central_solicitante,
    'CENTRAL DE REGULACAO FICTICIA' as nome_cnes_central_solicitante,
    getvariable('municipality_name') as nome_central_solicitante,
    unpadded(u.cnes, r.k, 'unit') as codigo_unidade_solicitante,
    u.nome as nome_unidade_solicitante,
    unpadded(r.professional_cpf, r.k, 'doctor') as cpf_profissional_solicitante,
    r.professional_name as nome_medico_solicitante,
    digits(r.professional_cpf, 'crm', 5) as numero_crm,
    login(r.k, 'solicitada') as nome_operador_solicitante,
    spelled(null, r.k, 'videofonista') as nome_operador_videofonista,
    getvariable('state_number') as codigo_uf_regulador,
    getvariable('state') as sigla_uf_regulador,
    getvariable('central') as codigo_central_reguladora,
    getvariable('municipality_name') as nome_central_reguladora,
    spelled(null, r.k, 'wished') as codigo_unidade_desejada,
    spelled(null, r.k, 'wished name') as nome_unidade_desejada,
    shifted_twice(s.cancelled_at) as data_cancelamento,
    case when s.cancelled_at is not null then login(r.k, 'cancelada') end
        as nome_operador_cancelamento,
    case
        when s.cancelled_at is not null
            then f.code || case when chance(r.k, 'profile', 400) then '.0' else '' end
    end as codigo_perfil_cancelamento,
    case when s.cancelled_at is not null then s.profile end as nome_perfil_cancelamento,
    '1' as version,
    getvariable('written_at') as "timestamp",
    epoch(getvariable('written_at'))::bigint as carga_epoch,
    case
        when getvariable('extra_field') and chance(r.k, 'extra', 20) then 'APLICATIVO'
    end as canal_entrada,
    r.k,
    s.kind,
    s.done,
    s.missed,
    s.booked_by,
    s.confirmed_at,
    s.cancelled_at is not null as cancelled,
    p.idx as procedure_idx
from request as r
inner join state as s on r.idx = s.request_idx
inner join city_units as u on r.unit_idx = u.idx
inner join saying as y on r.idx = y.request_idx
inner join city_procedures as p on y.procedure_idx = p.idx
left join booking as b on r.idx = b.request_idx
left join city_profiles as f on s.profile = f.profile;

-- Documents in the order in which readers ask for them, so that a page is one piece of the table.
create temp table numbered as
select
    d.*,
    row_number() over (partition by d.door order by d.changed_at, d.codigo) - 1 as _doc
from (
    -- Of a request whose queue document lags behind the booking, only the lagging state is shown.
    select 'solicitacao' as door, s.request_idx as idx, s.stale, s.changed_at, r.codigo
    from state as s
    inner join request as r on s.request_idx = r.idx
    left join booking as b on s.request_idx = b.request_idx
    where s.stale = (b.idx is not null and r.lagging) and not r.undated
    union all
    select 'marcacao', s.request_idx, s.stale, s.changed_at, r.codigo
    from state as s
    inner join request as r on s.request_idx = r.idx
    inner join booking as b on s.request_idx = b.request_idx
    where not s.stale
) as d;
"""

_HELPERS = "idx, stale, k, kind, done, missed, booked_by, confirmed_at, cancelled, procedure_idx"

SOLICITACAO = f"""
create table solicitacao as
select
    n._doc,
    md5('s' || c.codigo_solicitacao)[:20] as _id,
    c.* exclude ({_HELPERS}),
    p.* exclude (door, idx),
    'solicitacao' as "type",
    -- Empty only where nothing is lost: the booking tells the procedure, and a request without
    -- history has no entry worth the name.
    case
        when b.idx is not null and not c.stale and chance(c.k, 'no item', 10) then []
        else list_concat([item(i.codigo, i.nome, i.sigtap, i.tipo, c.k)], coalesce(f.items, []))
    end as procedimentos,
    case
        when c.kind = 'solicitada' and chance(c.k, 'no laudo', 10) then null
        when c.kind = 'solicitada' and chance(c.k, 'empty laudo', 10) then []
        else notes(
            h.entries,
            c.codigo_unidade_solicitante,
            c.nome_unidade_solicitante,
            x.cnes,
            x.nome,
            c.k
        )
    end as laudo
from numbered as n
inner join common as c on n.idx = c.idx and n.stale = c.stale
inner join patient as p on c.idx = p.idx and p.door = 'ambulatory'
inner join city_procedures as i on c.procedure_idx = i.idx
left join further as f on c.idx = f.request_idx
inner join history as h on c.idx = h.request_idx and c.stale = h.stale
left join booking as b on c.idx = b.request_idx
left join city_units as x on b.unit_idx = x.idx
where n.door = 'solicitacao'
order by _doc;
"""

MARCACAO = f"""
create table marcacao as
select
    n._doc,
    md5('m' || b.codigo)[:20] as _id,
    c.* exclude ({_HELPERS}),
    b.codigo as codigo_marcacao,
    b.approved_at as data_aprovacao,
    b.appointment_at as data_marcacao,
    c.confirmed_at as data_confirmacao,
    cast(c.done as integer) as marcacao_executada,
    flag(c.missed, c.k, 'missed') as st_falta_registrada,
    flag(not chance(c.k, 'told', 300), c.k, 'told flag') as st_paciente_avisado,
    digits(c.k, 'confirmation', 5) as chave_confirmacao,
    -- Code 0 has been seen for first visits and is defined nowhere.
    mixed(
        case when b.slot_kind = 0 and chance(c.k, 'slot 0', 20) then 0 else b.slot_kind + 1 end,
        c.k,
        'used slot'
    ) as codigo_tipo_vaga_consumida,
    unpadded(i.codigo, c.k, 'procedure') as codigo_interno_procedimento,
    padded_right(i.nome, c.k, 'procedure name') as descricao_interna_procedimento,
    spelled(i.sigtap, c.k, 'sigtap') as codigo_sigtap_procedimento,
    case i.tipo
        when 'consulta' then 'CONSULTA MEDICA EM ATENCAO ESPECIALIZADA'
        when 'exame' then i.nome
    end as descricao_sigtap_procedimento,
    upper(c.codigo_cid_solicitado) as codigo_cid_agendado,
    c.descricao_cid_solicitado as descricao_cid_agendado,
    login(c.k, 'agendada') as nome_operador_autorizador,
    f.code as codigo_perfil_operador_autorizador,
    c.booked_by as nome_perfil_operador_autorizador,
    '0009999' as codigo_cnes_central_executante,
    'CENTRAL DE REGULACAO FICTICIA' as nome_cnes_central_executante,
    unpadded(u.cnes, c.k, 'executing') as codigo_unidade_executante,
    u.nome as nome_unidade_executante,
    'SETOR FICTICIO' as logradouro_unidade_executante,
    'S/N' as numero_unidade_executante,
    '' as complemento_unidade_executante,
    u.bairro as bairro_unidade_executante,
    getvariable('municipality_name') as municipio_unidade_executante,
    '70000000' as cep_unidade_executante,
    '6133330000' as telefone_unidade_executante,
    unpadded(d.cpf, c.k, 'executant') as cpf_profissional_executante,
    d.nome as nome_profissional_executante,
    case
        when c.cancelled then pick(c.k, 'reason', [
            'DESISTENCIA',
            'PACIENTE "NÃO LOCALIZADO"; TRÊS TENTATIVAS',
            'ÓBITO INFORMADO' || chr(10) || 'PELA FAMÍLIA',
            'CADASTRO EM DUPLICIDADE'
        ])
    end as justificativa_cancelamento,
    p.* exclude (door, idx),
    'marcacao' as "type",
    notes(
        h.entries,
        c.codigo_unidade_solicitante,
        c.nome_unidade_solicitante,
        u.cnes,
        u.nome,
        c.k
    ) as laudo
from numbered as n
inner join common as c on n.idx = c.idx and not c.stale
inner join booking as b on c.idx = b.request_idx
inner join patient as p on c.idx = p.idx and p.door = 'ambulatory'
inner join history as h on c.idx = h.request_idx and not h.stale
inner join city_procedures as i on b.procedure_idx = i.idx
inner join city_units as u on b.unit_idx = u.idx
inner join city_professionals as d on b.professional_idx = d.idx
left join city_profiles as f on c.booked_by = f.profile
where n.door = 'marcacao'
order by _doc;
"""

HOSPITAL = """
create temp table admission as
select
    *,
    'H' || idx || ':' || getvariable('seed') as k,
    authorised_at < getvariable('closing') as is_decided,
    fate = 'ALTA' and authorised_at < getvariable('closing') as is_authorised,
    fate = 'ALTA' and reserved_at < getvariable('closing') as is_reserved,
    fate = 'ALTA' and admitted_at < getvariable('closing') as is_admitted,
    fate = 'ALTA' and discharged_at < getvariable('closing') as is_discharged
from city_admissions;

create table hospitalar as
select
    row_number() over (order by d.data_atualizacao, d.codigo_solicitacao) - 1 as _doc,
    md5('h' || d.codigo_solicitacao)[:20] as _id,
    d.*
from (
    select
        700000000 + cast(a.idx as bigint) as codigo_solicitacao,
        date_trunc('day', a.requested_at) as data_solicitacao,
        strftime(a.requested_at, '%H:%M:%S') as hora_solicitacao,
        case
            when a.is_discharged then a.discharged_at
            when a.is_admitted then a.admitted_at
            when a.is_reserved then a.reserved_at
            when a.is_decided then a.authorised_at
            else a.requested_at
        end as data_atualizacao,
        a.requested_at as data_atualizacao_solicitacao,
        case
            when a.is_admitted then a.admitted_at when a.is_reserved then a.reserved_at
        end as data_atualizacao_marcacao,
        padded_right(
            case
                when a.is_decided and not a.is_authorised then a.fate
                when a.is_discharged then 'ALTA'
                when a.is_admitted then 'INTERNADA'
                when a.is_reserved then 'RESERVADA'
                when a.is_authorised then 'AUTORIZADA'
                else 'PENDENTE'
            end,
            a.k,
            'status'
        ) as status,
        a.risk as codigo_classificacao_risco,
        case when a.risk <= 2 then 'URGENTE' else 'ELETIVA' end as carater,
        1 as codigo_natureza_lesao,
        '' as descricao_natureza_lesao,
        (['K359', 'J189', 'N200'])[a.kind + 1] as codigo_cid,
        (['APENDICITE AGUDA SOE', 'PNEUMONIA NÃO ESPECIFICADA', 'CALCULOSE DO RIM'])[a.kind + 1]
            as descricao_cid,
        'TEXTO CLINICO FICTICIO;' || chr(10) || 'FEBRE "HÁ 2 DIAS"' as sintomas,
        'TEXTO CLINICO FICTICIO' as exames,
        'TEXTO CLINICO FICTICIO' as justificativa,
        '' as justificativa_impedimento,
        (['0407020039', '0303140151', '0409010235'])[a.kind + 1] as codigo_procedimento,
        (['APENDICECTOMIA', 'TRATAMENTO DE PNEUMONIAS OU INFLUENZA', 'NEFROLITOTOMIA PERCUTANEA'])[
            a.kind + 1
        ] as descricao_procedimento,
        getvariable('state_number') as codigo_uf_solicitante,
        getvariable('state') as sigla_uf_solicitante,
        getvariable('central') as codigo_central_solicitante,
        getvariable('municipality_name') as nome_central_solicitante,
        unpadded(o.cnes, a.k, 'origin') as codigo_unidade_solicitante,
        o.nome as nome_unidade_solicitante,
        '00000003530' as cpf_medico_solicitante,
        'PROFISSIONAL FICTICIO A' as nome_medico_solicitante,
        login(a.k, 'solicitada') as nome_operador_solicitante,
        getvariable('state_number') as codigo_uf_regulador,
        getvariable('state') as sigla_uf_regulador,
        getvariable('central') as codigo_central_reguladora,
        getvariable('municipality_name') as nome_central_reguladora,
        case when a.is_authorised then strftime(a.authorised_at, '%H:%M:%S') end
            as hora_autorizacao,
        case when a.is_decided then login(a.k, 'autorizada') end as nome_operador_autorizacao,
        case when a.is_reserved then date_trunc('day', a.reserved_at) end as data_reserva,
        case when a.is_admitted then date_trunc('day', a.admitted_at) end as data_internacao,
        case when a.is_admitted then login(a.k, 'internada') end as operador_internacao,
        case when a.is_reserved then 'LEITO ' || digits(a.k, 'bed', 2) end as nome_leito,
        '' as nome_leito_complementar,
        case when a.is_reserved then (['CIRURGICO', 'CLINICO', 'CIRURGICO'])[a.kind + 1] end
            as nome_clinica,
        '' as nome_clinica_complementar,
        case when a.is_admitted then date_trunc('day', a.admitted_at) + interval 6 days end
            as data_previsao_alta,
        case when a.is_discharged then date_trunc('day', a.discharged_at) end as data_alta,
        case when a.is_discharged then strftime(a.discharged_at, '%H:%M:%S') end as hora_alta,
        case when a.is_discharged then login(a.k, 'alta') end as operador_alta,
        case when a.is_authorised then 530000000001 + a.idx end as numero_aih,
        case when a.is_authorised then a.idx % 10 end as numero_digito_aih,
        case when a.is_discharged then 450.1 + a.kind end as valor_proc_aih,
        case when a.is_reserved then u.cnes end as codigo_unidade_executante,
        case when a.is_reserved then u.nome end as nome_unidade_executante,
        'SETOR FICTICIO' as logradouro_unidade_executante,
        'S/N' as numero_unidade_executante,
        '' as complemento_unidade_executante,
        u.bairro as bairro_unidade_executante,
        getvariable('municipality_name') as municipio_unidade_executante,
        '70000000' as cep_unidade_executante,
        '6133330000' as telefone_unidade_executante,
        case when a.is_admitted then '00000010154' end as cpf_profissional_executante,
        spelled(null, a.k, 'reference') as codigo_unidade_referencia,
        spelled(null, a.k, 'reference name') as nome_unidade_referencia,
        date_trunc('day', a.requested_at) as data_desejada,
        '' as codigo_unidade_desejada,
        '' as nome_unidade_desejada,
        'RESPONSAVEL FICTICIO' as nome_responsavel,
        '6199999' || digits(a.k, 'guardian', 4) as telefone_responsavel,
        p.* exclude (door, idx),
        'solicitacao' as "type",
        '1' as version,
        getvariable('written_at') as "timestamp",
        epoch(getvariable('written_at'))::bigint as carga_epoch,
        case
            when getvariable('extra_field') and chance(a.k, 'extra', 20) then 'APLICATIVO'
        end as canal_entrada
    from admission as a
    inner join patient as p on a.idx = p.idx and p.door = 'hospital'
    inner join city_units as o on a.origin_idx = o.idx
    inner join city_units as u on a.unit_idx = u.idx
) as d
order by _doc;
"""

REGISTRY = """
-- One row per card, so that whichever number is asked, the whole answer is one row away.
create table registered as
select
    c.cns,
    c.is_main,
    p.idx as master,
    p.name,
    p.mother,
    p.birth_date,
    p.sex,
    p.race,
    p.cpf,
    case when p.death_date < getvariable('closing') then p.death_date end as death_date,
    p.death_known,
    case when p.moved_at < getvariable('closing') then p.new_city_ibge6 else p.city_ibge6 end
        as city,
    case when p.moved_at < getvariable('closing') then p.new_bairro else p.bairro end as bairro,
    p.cep,
    o.cards
from city_cards as c
inner join city_persons as p on c.person_idx = p.idx
inner join (
    select person_idx, list([cns, kind] order by is_main desc, cns) as cards
    from city_cards
    group by person_idx
) as o on c.person_idx = o.person_idx
order by c.idx;
"""
