-- From here on a person is a pseudonym of 32 hexadecimal characters; a CPF or a card that slipped
-- through as text would reach every table downstream. A link has a rule, a missing one a reason,
-- and only a scored one a score.
select v.vinculo_regra
from {{ ref('int_pessoas__identidade') }} as v
where
    (v.pessoa_id is not null and not {{ regexp_like('v.pessoa_id', '^[0-9a-f]{32}$') }})
    or (v.pessoa_id is null) <> (v.vinculo_regra = 'nenhuma')
    or (v.pessoa_id is null) <> (v.vinculo_motivo is not null)
    or (v.vinculo_escore is not null) <> (v.vinculo_regra = 'escore')
