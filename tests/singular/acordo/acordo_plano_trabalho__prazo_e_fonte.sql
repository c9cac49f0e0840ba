-- A term that is not the end of its quarter would make an action late on a wrong day; a day that
-- nobody can look up would make it fulfilled by hearsay.
with plano as (
    select * from {{ ref('acordo_plano_trabalho') }}
)

select p.acao_codigo
from plano as p
where
    p.data_prazo is distinct from {{ last_day_of_quarter('p.prazo_trimestre') }}
    or (p.data_informada is null) <> (p.fonte_informada is null)
