create table marcacao as
select
    n._doc,
    md5('m' || b.codigo)[:20] as _id,
    c.* exclude (
        idx, stale, k, kind, done, missed, booked_by, confirmed_at, cancelled, procedure_idx
    ),
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
order by n._doc;
