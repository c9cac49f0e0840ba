create table solicitacao as
select
    n._doc,
    md5('s' || c.codigo_solicitacao)[:20] as _id,
    c.* exclude (
        idx, stale, k, kind, done, missed, booked_by, confirmed_at, cancelled, procedure_idx
    ),
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
order by n._doc;
