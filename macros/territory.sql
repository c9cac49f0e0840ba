{# CTEs, the last of them `lugares`: the area that each text of a neighbourhood names, and by which
   evidence. The one rule for persons and units, regra_lugar_do_bairro.

   Expects the CTEs `textos` (column bairro: distinct texts of the territory, punctuation kept, none
   null), `bairros` and `municipios` (the seeds). Gives bairro, area_numero and
   territorio_evidencia, one row per text. #}
{% macro placed_neighbourhoods() -%}
nomes_de_fora as (
    select m.municipio_nome_normalizado as nome
    from municipios as m
    where m.municipio_ibge6 <> '{{ setting('municipio_ibge6') }}'
    union
    select m.municipio_nome_normalizado || ' ' || m.uf_sigla as nome
    from municipios as m
    where m.municipio_ibge6 <> '{{ setting('municipio_ibge6') }}'
),

nomes as (
    select
        b.bairro_normalizado as nome,
        b.area_numero as numero,
        b.tipo
    from bairros as b
    union all
    -- A municipality that shares its name with one of our places says nothing alone.
    select
        f.nome,
        null as numero,
        'outro_municipio' as tipo
    from nomes_de_fora as f
    left join bairros as b on f.nome = b.bairro_normalizado
    where b.bairro_normalizado is null
),

maiusculos as (
    select
        t.bairro,
        upper({{ strip_accents("translate(t.bairro, '[]{}', '()()')") }}) as texto
    from textos as t
),

parenteses as (
    -- The closing bracket may be missing.
    select
        m.bairro,
        {{ explode("regexp_extract_all(m.texto, '[(]([^()]*)', 1)") }} as trecho
    from maiusculos as m
),

trechos as (
    select
        m.bairro,
        'inteiro' as papel,
        m.texto as trecho
    from maiusculos as m
    where m.texto like '%(%'
    union all
    select
        p.bairro,
        'parentese' as papel,
        p.trecho
    from parenteses as p
    union all
    select
        m.bairro,
        'restante' as papel,
        {{ regexp_replace_all('m.texto', '[(][^()]*[)]?', ' ') }} as trecho
    from maiusculos as m
),

trechos_limpos as (
    select
        t.bairro,
        t.papel,
        t.trecho like '%/%' as tem_barra,
        {{ normalize_text('t.trecho') }} as texto,
        {{ regexp_replace_all(
            regexp_replace_all('t.trecho', '[-–—,;:/|]+', ' | '), '[^A-Z0-9|]+', ' '
        ) }} as partes,
        -- The territory's own state at an end adds nothing.
        ' {{ setting('uf_sigla') }}' as sufixo_uf
    from trechos as t
),

trechos_sem_uf as (
    select
        t.bairro,
        t.papel,
        t.tem_barra,
        case
            when right(t.texto, length(t.sufixo_uf)) = t.sufixo_uf
                then left(t.texto, length(t.texto) - length(t.sufixo_uf))
            else t.texto
        end as texto,
        replace('| ' || trim(t.partes) || ' |', t.sufixo_uf || ' |', ' |') as partes
    from trechos_limpos as t
    where t.texto is not null
),

palavras as (
    -- Names are looked up by their first word: comparing every text with every name costs ten times.
    select
        t.bairro,
        t.papel,
        t.texto,
        t.partes,
        {{ explode("split(t.texto, ' ')") }} as palavra
    from trechos_sem_uf as t
),

reconhecidos as (
    select
        t.bairro,
        t.papel,
        t.texto,
        n.nome,
        n.numero,
        n.tipo,
        instr(t.partes, '| ' || n.nome || ' |') as posicao,
        left(t.texto || ' ', length(n.nome) + 1) = n.nome || ' ' as eh_comeco,
        right(' ' || t.texto, length(n.nome) + 1) = ' ' || n.nome as eh_fim
    from palavras as t
    inner join nomes as n
        on
            t.palavra = split_part(n.nome, ' ', 1)
            and instr(' ' || t.texto || ' ', ' ' || n.nome || ' ') > 0
),
{% for cte, condicao, ordem in [
    ('comecos', 'r.eh_comeco', 'length(r.nome) desc'),
    ('fins', "r.eh_fim and r.tipo <> 'ambiguo'", 'length(r.nome) desc'),
    ('ultimas_partes', "r.posicao > 1 and r.tipo <> 'ambiguo'", 'r.posicao desc')
] %}
{{ cte }} as (
    select
        r.*,
        row_number() over (
            partition by r.bairro, r.papel, r.texto order by {{ ordem }}, r.nome asc
        ) as ordem
    from reconhecidos as r
    where {{ condicao }}
),
{% endfor %}
vereditos as (
    select
        t.bairro,
        t.papel,
        case
            when c.nome = t.texto and c.tipo <> 'ambiguo' then c.numero
            when t.tem_barra and u.numero <> c.numero then null
            when u.nome is not null then u.numero
            when c.tipo = 'ambiguo' and {{ nothing_between('t.texto', 'c.nome', 'f.nome') }}
                then f.numero
            when f.tipo = 'outro_municipio' or f.numero <> c.numero then null
            else c.numero
        end as numero,
        case
            when c.nome = t.texto and c.tipo = 'outro_municipio' then 'outro_municipio'
            when c.nome = t.texto and c.tipo <> 'ambiguo' then 'exato'
            when t.tem_barra and u.numero <> c.numero then 'ambiguo'
            when u.tipo = 'outro_municipio' then 'outro_municipio'
            when u.nome is not null then 'complemento'
            when c.tipo = 'ambiguo' and {{ nothing_between('t.texto', 'c.nome', 'f.nome') }}
                then case when f.numero is null then 'outro_municipio' else 'complemento' end
            -- It begins as one place and ends as another.
            when c.numero is not null and (f.tipo = 'outro_municipio' or f.numero <> c.numero)
                then 'ambiguo'
            when c.numero is not null then 'prefixo'
            when 'outro_municipio' in (coalesce(c.tipo, ''), coalesce(f.tipo, ''))
                then 'outro_municipio'
            when c.tipo = 'ambiguo' then 'ambiguo'
            else 'desconhecido'
        end as evidencia
    from trechos_sem_uf as t
    {% for apelido, cte in [('c', 'comecos'), ('f', 'fins'), ('u', 'ultimas_partes')] -%}
    left join {{ cte }} as {{ apelido }}
        on
            t.bairro = {{ apelido }}.bairro
            and t.papel = {{ apelido }}.papel
            and t.texto = {{ apelido }}.texto
            and {{ apelido }}.ordem = 1
    {% endfor %}
),

vereditos_por_texto as (
    select
        v.bairro,
        max(case when v.papel = 'inteiro' and v.evidencia = 'exato' then v.numero end)
            as inteiro_numero,
        min(case when v.papel = 'parentese' then v.numero end) as parentese_numero,
        max(case when v.papel = 'parentese' then v.numero end) as parentese_outro_numero,
        coalesce(
            max(v.papel = 'parentese' and v.evidencia = 'outro_municipio'), false
        ) as parentese_eh_de_fora,
        max(case when v.papel = 'restante' then v.numero end) as restante_numero,
        max(case when v.papel = 'restante' then v.evidencia end) as restante_evidencia
    from vereditos as v
    group by v.bairro
),

lugares as (
    select
        t.bairro,
        case
            when v.inteiro_numero is not null then v.inteiro_numero
            when v.parentese_numero <> v.parentese_outro_numero or v.parentese_eh_de_fora then null
            else coalesce(v.parentese_numero, v.restante_numero)
        end as area_numero,
        case
            when v.inteiro_numero is not null then 'exato'
            when
                v.parentese_numero <> v.parentese_outro_numero
                or (v.parentese_numero is not null and v.parentese_eh_de_fora)
                then 'ambiguo'
            when v.parentese_eh_de_fora then 'outro_municipio'
            when v.parentese_numero is not null then 'parentese'
            else coalesce(v.restante_evidencia, 'desconhecido')
        end as territorio_evidencia
    from textos as t
    left join vereditos_por_texto as v on t.bairro = v.bairro
)
{%- endmacro %}


{# Whether a text is one name, then another, with at most a preposition between them. #}
{% macro nothing_between(text, first, last) -%}
    coalesce(
        {{ array_contains(
            ['', 'DE', 'DO', 'DA', 'DOS', 'DAS', 'EM', 'NO', 'NA'],
            "trim(substr(" ~ text ~ ", length(" ~ first ~ ") + 1, greatest(length(" ~ text
            ~ ") - length(" ~ first ~ ") - length(" ~ last ~ "), 0)))"
        ) }} and length({{ first }}) + length({{ last }}) < length({{ text }}),
        false
    )
{%- endmacro %}
