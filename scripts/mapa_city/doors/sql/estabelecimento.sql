-- Besides the city's units: as many that are disabled, and one in ten of another municipality.
with place as (
    select
        cnes,
        nome,
        bairro,
        is_executing,
        getvariable('municipality') as city,
        null as reason
    from city_units
    union all
    select
        lpad(cast(500000 + idx as varchar), 7, '0') as cnes,
        'UNIDADE DESATIVADA FICTÍCIA ' || idx as nome,
        bairro,
        is_executing,
        getvariable('municipality') as city,
        pick(cnes, 'reason', ['01', '02', '06']) as reason
    from city_units
    union all
    select
        lpad(cast(900000 + idx as varchar), 7, '0') as cnes,
        'UNIDADE VIZINHA FICTÍCIA ' || idx as nome,
        'CENTRO' as bairro,
        is_executing,
        getvariable('neighbour') as city,
        null as reason
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
