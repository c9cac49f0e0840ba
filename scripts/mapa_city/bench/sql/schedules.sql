-- So many schedules ($2) of ten years until a day ($1), as loads would have left them.
insert into bruto_sisreg.escala_ambulatorial by name
with drawn as (
    select
        t.i,
        $1 - draw(t.i, 11, 3650) as desde
    from range($2) as t (i)
)

select
    cast(1000000 + i as varchar) as cod_escala_ambulatorial,
    '530010' as cod_central_exec,
    lpad(cast(draw(i, 0, 20000) as varchar), 11, '0') as cpf_profissional_exec,
    '225265' as cod_cbo,
    lpad(cast(draw(i, 1, 2000) as varchar), 7, '0') as cod_cnes_exec,
    lpad(cast(1001 + draw(i, 2, 600) as varchar), 7, '0') as cod_procedimento_interno,
    ['SEG', 'TER', 'QUA', 'QUI', 'SEX', 'SAB'][1 + draw(i, 3, 6)] as sigla_dia_semana,
    cast(1 + draw(i, 4, 12) as varchar) as qtd_vagas_prim_vez,
    case when draw(i, 5, 4) = 0 then cast(1 + draw(i, 6, 6) as varchar) else '0' end
        as qtd_vagas_retorno,
    case when draw(i, 7, 8) = 0 then '1' else '0' end as qtd_vagas_reserva,
    'NAO' as agenda_local,
    strftime(desde, '%d/%m/%Y') as data_de_vigencia_inicial,
    strftime(desde + draw(i, 8, 500), '%d/%m/%Y') as data_de_vigencia_final,
    ['07:00', '08:00', '13:00'][1 + draw(i, 9, 3)] as hora_inicial,
    ['11:00', '12:00', '17:00'][1 + draw(i, 9, 3)] as hora_final,
    case when draw(i, 10, 20) = 0 then 'EXCLUIDA' else 'ATIVA' end as status,
    'banco' as _carga_id,
    'banco.csv' as _arquivo,
    i as _linha,
    timestamp '2026-06-30 12:00:00' as _carregado_em,
    1 as _carga_ordem
from drawn
