-- Spellings hang on what a row is about and not on its place, so that a row keeps them from one day
-- to the next, but for one row in ten: those are written anew each day, which is no change.
create temp macro writing(k) as
case when chance(k, 'written anew', 100) then k || getvariable('closing') else k end;
create temp macro number(k) as
case when chance(writing(k), 'long number', 20) then '0' || k else k end;
create temp macro clock_text(minute, k) as
case
    when minute is null then pick(k, 'no time', ['', '---'])
    else
        lpad(cast(minute // 60 as varchar), 2, '0') || ':'
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
