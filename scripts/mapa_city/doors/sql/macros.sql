-- What documents and files are written with. `city_*` are the city's tables, each with its row
-- number `idx`. The session variables `seed`, `closing` (first instant that is not shown),
-- `written_at` and `extra_field` are set by mapa_city.doors.documents. Instants stay naive local
-- clock here; the false `Z` comes with the rendering.

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
case
    when not chance(k, 'accent', 150) then x
    else
        replace(
            replace(
                replace(replace(x, 'CEILANDIA', 'CEILÂNDIA'), 'GUARA', 'GUARÁ'),
                'PARANOA',
                'PARANOÁ'
            ),
            'AGUAS',
            'ÁGUAS'
        )
end;
-- Local time from which the source takes the offset of the zone once more: three hours, or two in
-- the daylight-saving time that ended in 2019.
create temp macro shifted_twice(x) as
x - (timezone('UTC', timezone('America/Sao_Paulo', x)) - x);
create temp macro group_name(x) as
case when starts_with(x, 'GRUPO - ') then x else 'GRUPO - ' || x end;
create temp macro status(kind, profile, regulation, passed) as
case kind
    when 'solicitada'
        then
            'SOLICITAÇÃO / PENDENTE / '
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
