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
        case
            when a.is_reserved or a.names_clinic
                then (['CIRURGICO', 'CLINICO', 'CIRURGICO'])[a.kind + 1]
        end as nome_clinica,
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
        cast(epoch(getvariable('written_at')) as bigint) as carga_epoch,
        case
            when getvariable('extra_field') and chance(a.k, 'extra', 20) then 'APLICATIVO'
        end as canal_entrada
    from admission as a
    inner join patient as p on a.idx = p.idx and p.door = 'hospital'
    inner join city_units as o on a.origin_idx = o.idx
    inner join city_units as u on a.unit_idx = u.idx
) as d
order by _doc;
