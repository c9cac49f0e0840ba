-- The index of bookings has one document for each request: that of its newest booking.
create temp table booking as
select
    b.*,
    s.unit_idx,
    s.professional_idx
from city_bookings as b
inner join city_schedules as s on b.schedule_idx = s.idx
where b.approved_at < getvariable('closing')
qualify row_number() over (partition by b.request_idx order by b.approved_at desc) = 1;

-- What the source has at the closing instant.
create temp table request as
select
    r.*,
    r.codigo || ':' || getvariable('seed') as k
from city_requests as r
left join booking as b on r.idx = b.request_idx
where
    r.requested_at < getvariable('closing')
    and (b.idx is not null or not r.undated)
    and not exists (
        select 1
        from city_absences as a
        where
            a.request_idx = r.idx
            and a.gone_at < getvariable('closing')
            and (a.back_at is null or a.back_at >= getvariable('closing'))
    );

-- What each document looks back from: the closing instant, or, for a queue document that the mirror
-- has not refreshed, the moment before the booking.
create temp table moment as
select
    idx as request_idx,
    false as stale,
    getvariable('closing') as cutoff
from request
union all
select
    b.request_idx,
    true as stale,
    b.approved_at as cutoff
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
        when
            e.kind in ('cancelada', 'cancelamento_agendamento')
            and e.actor_profile not in ('SOLICITANTE', 'REGULADOR', 'COORDENADOR')
            then 'COORDENADOR'
        else e.actor_profile
    end as profile
from moment as m
inner join city_events as e on m.request_idx = e.request_idx and m.cutoff > e."at";

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
) as told;

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
    list(item(p.codigo, p.nome, p.sigtap, p.tipo, n.k) order by n.place) as items
from (
    select
        idx as request_idx,
        k,
        unnest(generate_series(1, len(extra_procedure_idx))) as place,
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
select
    'ambulatory' as door,
    r.idx,
    r.person_idx,
    i.cns,
    i.cpf,
    i.name,
    i.mother,
    i.birth_date,
    s.bairro,
    s.city_ibge6,
    r.reachable,
    r.k
from request as r
inner join saying as s on r.idx = s.request_idx
inner join city_identities as i on r.idx = i.idx
union all
select
    'hospital' as door,
    a.idx,
    a.person_idx,
    c.cns,
    p.cpf,
    p.name,
    p.mother,
    p.birth_date,
    p.bairro,
    p.city_ibge6,
    true as reachable,
    'H' || a.idx || p.name as k
from city_admissions as a
inner join city_persons as p on a.person_idx = p.idx
inner join city_cards as c on a.person_idx = c.person_idx and c.is_main;

create temp table patient as
select
    s.door,
    s.idx,
    spelled(unpadded(s.cpf, s.k, 'cpf zeros'), s.k, 'cpf') as cpf_usuario,
    spelled(s.cns, s.k, 'cns') as cns_usuario,
    padded_right(s.name, s.k, 'name') as no_usuario,
    cast(s.birth_date as timestamp) as dt_nascimento_usuario,
    case p.sex when 'M' then 'MASCULINO' when 'F' then 'FEMININO' end as sexo_usuario,
    coalesce(s.mother, 'SEM INFORMAÇÃO') as no_mae_usuario,
    case
        when s.reachable
            then case hash(s.k || 'phone') % 8
                when 0 then '6199991' || digits(s.k, 'p1', 4) || ',6133310' || digits(s.k, 'p2', 3)
                when 1 then '99999999999, 6199991' || digits(s.k, 'p2', 4)
                else '6199991' || digits(s.k, 'p1', 4)
            end
        when chance(s.k, 'no phone', 2) then spelled(null, s.k, 'phone')
        else pick(s.k, 'filler', [
            '99999999999', '00000000000', '6100000000', '98989898989', '99999999999, 00000000000'
        ])
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
    r.central as codigo_central_reguladora,
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
    cast(epoch(getvariable('written_at')) as bigint) as carga_epoch,
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
    select
        'solicitacao' as door,
        s.request_idx as idx,
        s.stale,
        s.changed_at,
        r.codigo
    from state as s
    inner join request as r on s.request_idx = r.idx
    left join booking as b on s.request_idx = b.request_idx
    where s.stale = (b.idx is not null and r.lagging) and not r.undated
    union all
    select
        'marcacao' as door,
        s.request_idx as idx,
        s.stale,
        s.changed_at,
        r.codigo
    from state as s
    inner join request as r on s.request_idx = r.idx
    inner join booking as b on s.request_idx = b.request_idx
    where not s.stale
) as d;
