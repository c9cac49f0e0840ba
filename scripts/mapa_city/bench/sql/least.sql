create table vagas as
with escalas as (
    select
        _linha as id,
        cpf_profissional_exec as cpf,
        strptime(data_de_vigencia_inicial, '%d/%m/%Y') as ini,
        strptime(data_de_vigencia_final, '%d/%m/%Y') as fim,
        list_position(['SEG', 'TER', 'QUA', 'QUI', 'SEX', 'SAB'], sigla_dia_semana) as dia
    from mapa.bruto_sisreg.escala_ambulatorial
    where status = 'ATIVA'
),

primeiras as (
    select
        *,
        ini + to_days(cast((dia - isodow(ini) + 7) % 7 as integer)) as primeira
    from escalas
),

dias as (
    select
        id,
        cpf,
        cast(unnest(generate_series(primeira, fim, interval 7 days)) as date) as d
    from primeiras
),

folgas as (
    select distinct
        cpf_profissional_exec as cpf,
        cast(
            unnest(
                generate_series(
                    strptime(data_inicio, '%d/%m/%Y'),
                    strptime(data_fim, '%d/%m/%Y'),
                    interval 1 day
                )
            ) as date
        ) as d
    from mapa.bruto_sisreg.afastamento_profissional
)

select
    dias.id,
    dias.d
from dias
anti join folgas on dias.cpf = folgas.cpf and dias.d = folgas.d
