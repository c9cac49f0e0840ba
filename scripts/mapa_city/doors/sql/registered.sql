-- One row per card, so that whichever number is asked, the whole answer is one row away.
create table registered as
with owned as (
    select
        person_idx,
        list([cns, kind] order by is_main desc, cns asc) as cards
    from city_cards
    group by person_idx
)

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
inner join owned as o on c.person_idx = o.person_idx
order by c.idx;
