-- What is due, done, shown and known: a wrong case accuses someone, or lets him off.
with casos as (
    select
        caso,
        cast(prazo as date) as prazo,
        cast(referencia as date) as referencia,
        cast(feita as date) as feita,
        cast(mostrada as date) as mostrada,
        so_no_banco,
        situacao,
        dias
    from (
        values
        (
            'done on the last day',
            '2026-06-30', '2026-07-15', '2026-06-30', null, true, 'cumprida', 0
        ),
        (
            'done a day late',
            '2026-06-30', '2026-07-15', '2026-07-01', null, true, 'cumprida_com_atraso', 1
        ),
        (
            'shown on the last day',
            '2026-06-30', '2026-07-15', null, '2026-06-30', true, 'cumprida', 0
        ),
        (
            'shown late',
            '2026-06-30', '2026-07-15', null, '2026-07-01', true, 'cumprida_sem_data', null
        ),
        (
            'done late, shown later',
            '2026-06-30', '2026-07-15', '2026-07-02', '2026-07-09', true, 'cumprida_com_atraso', 2
        ),
        (
            'done late, shown after today',
            '2026-06-30', '2026-07-15', '2026-07-02', '2026-07-16', true, 'cumprida_com_atraso', 2
        ),
        (
            'done late, shown before that',
            '2026-06-30', '2026-07-15', '2026-07-09', '2026-07-02', true, 'cumprida_sem_data', null
        ),
        (
            'done late, shown in time',
            '2026-06-30', '2026-07-15', '2026-07-09', '2026-06-02', true, 'cumprida', 0
        ),
        ('today is the last day', '2026-06-30', '2026-06-30', null, null, true, 'no_prazo', 0),
        ('today is the day after', '2026-06-30', '2026-07-01', null, null, true, 'em_atraso', 1),
        ('nobody could know', '2026-06-30', '2026-07-01', null, null, false, 'sem_evidencia', null),
        (
            'done after today, in time',
            '2026-06-30', '2026-06-01', '2026-06-15', null, false, 'no_prazo', 0
        ),
        (
            'done after today, term over',
            '2026-06-30', '2026-07-01', '2026-07-15', null, false, 'em_atraso', 1
        ),
        (
            'shown after today, term over',
            '2026-06-30', '2026-07-01', null, '2026-07-15', false, 'sem_evidencia', null
        ),
        (
            'it is not known who could know',
            '2026-06-30', '2026-07-01', null, null, null, 'sem_evidencia', null
        ),
        ('no term', null, '2026-07-15', '2026-07-01', null, true, null, null),
        ('no day to judge on', '2026-06-30', null, '2026-06-01', null, true, null, null)
    ) as t (caso, prazo, referencia, feita, mostrada, so_no_banco, situacao, dias)
),

obtidos as (
    select
        c.*,
        {{ obligation_situation(
            'c.prazo', 'c.referencia', 'c.feita', 'c.mostrada', 'c.so_no_banco'
        ) }} as situacao_obtida,
        -- an obligation of which no sign is ever seen, only its own day
        {{ obligation_situation('c.prazo', 'c.referencia', 'c.feita') }} as situacao_sem_sinais
    from casos as c
),

contados as (
    select
        o.*,
        {{ obligation_days_late(
            'o.situacao_obtida', 'o.prazo', 'o.referencia', 'o.feita'
        ) }} as dias_obtidos
    from obtidos as o
),

trimestres as (
    select t.trimestre
    from (
        values
        ('2025-T1', '2025-03-31'),
        ('2025-T2', '2025-06-30'),
        ('2025-T3', '2025-09-30'),
        ('2025-T4', '2025-12-31')
    ) as t (trimestre, fim)
    where {{ last_day_of_quarter('t.trimestre') }} is distinct from cast(t.fim as date)
)

select c.caso
from contados as c
where
    c.situacao_obtida is distinct from c.situacao
    or c.dias_obtidos is distinct from c.dias
    or (
        c.mostrada is null and c.so_no_banco
        and c.situacao_sem_sinais is distinct from c.situacao
    )
union all
select t.trimestre
from trimestres as t
