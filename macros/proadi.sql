{# What the newest known version of each record of a table of the register says, as a relation. #}
{% macro proadi_current(model, table) -%}
    (
        select s.*
        from {{ ref(model) }} as s
        inner join {{ ref('int_proadi__vigentes') }} as v
            on
                s.registro_id = v.registro_id
                and s._carga_id = v._carga_id
                and v.tabela = 'bruto_proadi.{{ table }}'
    )
{%- endmacro %}


{# A term or project as its newest version says it, as a relation; `key` names it. #}
{% macro proadi_newest_version(model, table, key) -%}
    (
        select n.*
        from (
            select
                c.*,
                row_number() over (partition by c.{{ key }} order by c.versao_numero desc) as ordem_versao
            from {{ proadi_current(model, table) }} as c
        ) as n
        where n.ordem_versao = 1
    )
{%- endmacro %}


{# A sum that is unknown as soon as one of its parts is. #}
{% macro whole_sum(expression, condition='true') -%}
    case
            when count(case when {{ condition }} then 1 end)
                = count(case when {{ condition }} then {{ expression }} end)
                then coalesce(sum(case when {{ condition }} then {{ expression }} end), 0)
        end
{%- endmacro %}


{# Whether a rule is computed: it is in force, or what is out of force was asked for. #}
{% macro proadi_is_computed(in_force) -%}
    ({{ in_force }} or {{ setting('proadi_regras_historicas') }})
{%- endmacro %}


{# CTEs, the last of them `julgadas`: by which norm each measure of the CTE `medidas` is judged, its
   limit and situation. A measure is objeto, periodo, regra_codigo, parametro, data_fato,
   exercicio_ordem, foi_encerrado, valor_medido, valor_base. `years` (optional) is the CTE of years with
   what M8 counts: how many of them stay below the share of the same norm. #}
{% macro proadi_judged(years=none) -%}
candidatas as (
    select
        m.objeto,
        m.periodo,
        r.*,
        {{ in_force_on('r', data_referencia()) }} as base_legal_em_vigor,
        {{ in_force_on('r', 'm.data_fato') }} as foi_vigente_no_fato,
        {{ norm_rank('r', data_referencia(), 'm.objeto, m.periodo, m.regra_codigo') }} as ordem
    from medidas as m
    inner join {{ ref('proadi_regras') }} as r
        on
            m.regra_codigo = r.regra_codigo
            and m.parametro = r.parametro
            and m.data_fato >= r.vigente_de
),

{% if years %}
abaixo as (
    select
        e.termo_numero as objeto,
        r.norma,
        {{ whole_sum(
            'case when e.valor_executado_apoio * 100 < r.valor * e.valor_isencao_usufruida '
            ~ 'then 1 when e.valor_executado_apoio * 100 >= r.valor * e.valor_isencao_usufruida '
            ~ 'then 0 end'
        ) }} as qtd_exercicios
    from {{ years }} as e
    inner join {{ ref('proadi_regras') }} as r
        on r.regra_codigo = 'M8' and r.parametro = 'limite'
    where e.exercicio is not null and e.foi_encerrado
    group by e.termo_numero, r.norma
),

{% endif %}
escolhidas as (
    select
        m.objeto,
        m.periodo,
        m.regra_codigo,
        m.valor_base,
        c.valor,
        c.unidade_codigo,
        c.sentido,
        c.norma,
        c.dispositivo,
        coalesce(c.base_legal_em_vigor, false) as base_legal_em_vigor,
        coalesce(c.foi_vigente_no_fato, false) as foi_vigente_no_fato,
        coalesce({{ proadi_is_computed('c.base_legal_em_vigor') }}, false) as foi_calculada,
        case
            when m.foi_encerrado
                then coalesce(m.valor_medido{% if years %}, b.qtd_exercicios{% endif %})
        end as valor_da_conta
    from medidas as m
    left join candidatas as c
        on
            m.objeto = c.objeto
            and m.periodo = c.periodo
            and m.regra_codigo = c.regra_codigo
            and c.ordem = 1
    left join {{ ref('proadi_regras') }} as x
        on c.regra_codigo = x.regra_codigo and c.norma = x.norma and x.parametro = 'exercicios'
    {% if years %}
    left join abaixo as b
        on m.objeto = b.objeto and c.norma = b.norma and c.parametro = 'exercicios_abaixo'
    {% endif %}
    where coalesce(m.exercicio_ordem <= x.valor, true)
),

limitadas as (
    select
        e.*,
        case when e.foi_calculada then e.valor_da_conta end as valor_medido,
        case
            when not e.foi_calculada or e.sentido = 'informativo' then null
            -- a division of decimals is a double in DuckDB, and a cent would be lost on the limit
            when e.unidade_codigo = 'pct_da_base'
                then cast(e.valor_base * e.valor / 100 as decimal(20, 4))
            else e.valor
        end as valor_limite
    from escolhidas as e
),

julgadas as (
    select
        l.*,
        case l.sentido
            when 'maximo' then l.valor_limite - l.valor_medido
            when 'minimo' then l.valor_medido - l.valor_limite
        end as valor_distancia,
        case
            when not l.foi_calculada then 'fora_de_vigor'
            when l.valor_medido is null then 'sem_dado'
            when l.sentido = 'informativo' then 'informativo'
            when l.valor_limite is null then 'sem_dado'
            when l.sentido = 'maximo' and l.valor_medido > l.valor_limite then 'fora'
            when l.sentido = 'minimo' and l.valor_medido < l.valor_limite then 'fora'
            else 'dentro'
        end as situacao_codigo
    from limitadas as l
)
{%- endmacro %}


{# Columns of a mart of money that say how a measure was judged; `j` is the CTE `julgadas`. #}
{% macro proadi_judgement() -%}
    cast(j.valor_medido as double) as valor_medido,
        cast(j.valor_limite as double) as valor_limite,
        cast(j.valor_distancia as double) as valor_distancia,
        case when j.unidade_codigo = 'pct_da_base' then 'reais' else j.unidade_codigo end
            as unidade_codigo,
        j.situacao_codigo as regra_situacao_codigo,
        j.norma,
        j.dispositivo,
        j.base_legal_em_vigor,
        j.foi_vigente_no_fato
{%- endmacro %}


{# Of a table of measures, the rows that go into `medidas`: (rule, parameter, condition, measure, base)
   each, over the alias t; `open` names the rules that are judged before their period has ended. #}
{% macro proadi_measures(relation, object, measures, order='cast(null as integer)', open=[]) -%}
    {%- for rule, parameter, condition, measure, base in measures %}
    select
        t.{{ object }} as objeto,
        t.periodo,
        '{{ rule }}' as regra_codigo,
        '{{ parameter }}' as parametro,
        {{ 't.data_rejeicao' if rule == 'M12' else 't.data_fato' }} as data_fato,
        {{ order }} as exercicio_ordem,
        {{ 'true' if rule in open else "(t.foi_encerrado or t.periodo = 'total')" }} as foi_encerrado,
        cast({{ measure }} as decimal(20, 4)) as valor_medido,
        cast({{ base }} as decimal(20, 4)) as valor_base
    from {{ relation }} as t
    where {{ condition }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
{%- endmacro %}


{# A share in per cent; null when there is nothing to share. #}
{% macro proadi_share(part, whole) -%}
    100 * cast({{ part }} as double) / nullif(cast({{ whole }} as double), 0)
{%- endmacro %}


{# Dated facts that follow from the register: object, its number, relation, document, occurrence, and the
   events of each: name, day, condition. Relations are CTEs of int_proadi__eventos, under the alias v. #}
{% macro proadi_register_facts() -%}
    {% set original = "v.instrumento_codigo = 'original'" %}
    {% set prorrogado = "v.instrumento_codigo = 'aditivo' and v.foi_prorrogado" %}
    {% set aditivo = "v.instrumento_codigo = 'aditivo'" %}
    {% set versao, sem = 'cast(v.versao_numero as string)', "''" %}
    {% set do_termo, do_projeto = "v.origem = 'termos'", "v.origem = 'projetos'" %}
    {% set fim_do_ano = last_day_of_year('v.ano') %}
    {% set fim_do_semestre = "cast(v.ano || '-06-30' as date)" %}
    {% set facts = [
        ('termo', 'v.termo_numero', 'versoes', "'termo'", sem, [
            ('trienio_inicio', 'v.data_trienio_inicio', original),
            ('solicitacao', 'v.data_solicitacao', original),
            ('assinatura', 'v.data_assinatura', original),
            ('publicacao', 'v.data_publicacao', original),
        ]),
        ('termo', 'v.termo_numero', 'versoes', "'aditivo'", versao, [
            ('assinatura', 'v.data_assinatura', aditivo),
            ('publicacao', 'v.data_publicacao', aditivo),
        ]),
        ('termo', 'v.termo_numero', 'versoes', "'prorrogacao'", sem, [
            ('trienio_inicio', 'v.data_trienio_inicio', prorrogado),
            ('solicitacao', 'v.data_solicitacao', prorrogado),
        ]),
        ('termo', 'v.numero', 'exercicios', "'certidao'", 'v.ano', [
            ('fim_do_exercicio', fim_do_ano, do_termo),
        ]),
        ('projeto', 'v.projeto_nup', 'projetos', "'projeto'", sem, [
            ('fim_da_vigencia', 'v.data_vigencia_fim', 'true'),
        ]),
        ('projeto', 'v.numero', 'exercicios', "'relatorio_semestral'", 'v.ano', [
            ('fim_do_periodo', fim_do_semestre, do_projeto ~ ' and v.primeiro_mes <= ' ~ fim_do_semestre),
        ]),
        ('projeto', 'v.numero', 'exercicios', "'relatorio_anual'", 'v.ano', [
            ('fim_do_periodo', fim_do_ano, do_projeto),
        ]),
        ('projeto', 'v.numero', 'exercicios', "'relatorio_final'", sem, [
            ('fim_do_periodo', fim_do_ano, do_projeto ~ ' and v.ano = v.ultimo_ano'),
        ]),
        ('projeto', 'v.projeto_nup', 'extratos', "'termo'", sem, [
            ('publicacao', 'v.data_publicacao', 'true'),
        ]),
        ('entidade', 'v.entidade_cnpj', 'entidades', "'reconhecimento'", sem, [
            ('publicacao', 'v.data_reconhecimento', 'true'),
            ('renovacao', 'v.data_renovacao', 'true'),
        ]),
        ('comite', 'v.comite', 'trimestres', "'reuniao_' || v.comite", 'v.trimestre', [
            ('fim_do_trimestre', last_day_of_quarter('v.trimestre'), 'true'),
        ]),
        ('comite', 'v.comite', 'reunioes', "'reuniao_' || v.comite", 'v.trimestre', [
            ('realizacao', 'v.data_evento', 'true'),
        ]),
        ('comite', "'gestor'", 'conjuntas', "'reuniao_conjunta'", 'cast(v.data_evento as string)', [
            ('gestor', 'v.data_evento', 'true'),
            ('tecnico', 'v.data_tecnico', 'true'),
        ]),
    ] %}
    {{ return(facts) }}
{%- endmacro %}


{# CTEs, the last of them `ocorridos`: each start of a term with what meets it, from the CTEs `prazos`
   and `eventos`. Within one document the first meets the first, the second the second; what another
   document meets is met by its first, whatever its occurrence. What has no start has the end alone. #}
{% macro proadi_occurrences() -%}
{% for papel in ['inicial', 'final'] %}
fatos_{{ papel }} as (
    select
        p.prazo_codigo,
        p.prazo_etapa,
        e.objeto_tipo,
        e.objeto_numero,
        case when p.eh_um_documento then e.ocorrencia else '' end as ocorrencia,
        case when p.eh_um_documento then e.evento_ordem else 1 end as evento_ordem,
        min(e.data_evento) as data_evento,
        min(e.norma_citada) as norma_citada
    from prazos as p
    inner join eventos as e
        on
            p.objeto_tipo = e.objeto_tipo
            and p.documento_{{ papel }} = e.documento_codigo
            and p.evento_{{ papel }} = e.evento_codigo
    group by all
),

{% endfor %}
ocorridos as (
    select
        coalesce(i.prazo_codigo, f.prazo_codigo) as prazo_codigo,
        coalesce(i.prazo_etapa, f.prazo_etapa) as prazo_etapa,
        coalesce(i.objeto_tipo, f.objeto_tipo) as objeto_tipo,
        coalesce(i.objeto_numero, f.objeto_numero) as objeto_numero,
        coalesce(i.ocorrencia, f.ocorrencia) as ocorrencia,
        coalesce(i.evento_ordem, f.evento_ordem) as evento_ordem,
        i.data_evento as data_inicio,
        f.data_evento as data_cumprimento,
        f.norma_citada
    from fatos_inicial as i
    full outer join fatos_final as f
        on
            i.prazo_codigo = f.prazo_codigo
            and i.prazo_etapa = f.prazo_etapa
            and i.objeto_tipo = f.objeto_tipo
            and i.objeto_numero = f.objeto_numero
            and i.ocorrencia = f.ocorrencia
            and i.evento_ordem = f.evento_ordem
)
{%- endmacro %}


{# Whether a procedure is on the list of CNRAC on the reference day: a list that has nothing for the day
   tells nothing, and one that has something tells what is not on it too. #}
{% macro is_cnrac(sigtap) -%}
    {%- set list = "select c.sigtap_codigo from " ~ ref('procedimentos_cnrac') ~ " as c where "
        ~ in_force_on('c', data_referencia()) -%}
    case
            when {{ sigtap }} is not null and exists ({{ list }})
                then {{ sigtap }} in ({{ list }})
        end
{%- endmacro %}


{# Days of a term, halved upwards or whatever the divisor says; null: nothing divides them. #}
{% macro proadi_days(days, divisor) -%}
    cast(ceil({{ days }} / coalesce(cast({{ divisor }} as double), 1)) as integer)
{%- endmacro %}


{# The last day of a norm, by its deadlines; the end of time when none is known. #}
{% macro proadi_norm_end(norm) -%}
    (
            select max(coalesce(n.vigente_ate, cast('9999-12-31' as date)))
            from {{ ref('proadi_prazos') }} as n
            where n.norma = {{ norm }}
        )
{%- endmacro %}
